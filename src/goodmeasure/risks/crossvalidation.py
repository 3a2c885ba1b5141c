"""Intervals for the risk of a procedure that is fitted again and again on overlapping rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.errors import UsageError
from goodmeasure.formulas.domains import Level, Seed
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.estimate import Estimate
from goodmeasure.statistics.intervals import mean_estimate, normal_quantile, parts_of, student_quantile
from goodmeasure.statistics.row_arguments import Floats, TooFewRows
from goodmeasure.statistics.weights import WeightsMean, copies_of, counted, unit_of
from goodmeasure.strict.calls import strict_keywords

Rows = NDArray[np.intp]
LossesOf = Callable[[Rows, Rows], Floats]
"""Fits on the first rows and returns the loss of each of the second: ``losses_of(train, test)``."""


@dataclass(frozen=True, eq=False)
class _Dealt:
    """Which rows are there, what each weighs, and the code of each one's cluster (None: each row is on its own)."""

    at: Rows
    weight: Floats
    together: Rows | None
    weights_mean: WeightsMean

    @staticmethod
    def of(n: int, sample_weight: ArrayLike | None, cluster: ArrayLike | None, weights_mean: WeightsMean) -> _Dealt:
        given = row_arguments.present(sample_weight, weights_mean, row=np.arange(n), cluster=cluster)
        codes, _ = parts_of(given)
        weight = np.zeros(n)
        weight[given.at] = given.weight
        together = None
        if codes is not None:
            together = np.zeros(n, dtype=np.intp)
            together[given.at] = codes
        return _Dealt(given.at, weight, together, weights_mean)

    @property
    def n(self) -> int:
        return counted(copies_of(self.weight[self.at], self.weights_mean))

    def folds(self, count: int, rng: np.random.Generator) -> list[Rows]:
        """The rows of each fold: rows, or whole clusters, dealt at random in the order in which they first appear."""
        units = len(self.at) if self.together is None else int(self.together.max()) + 1
        if not 2 < count <= units:
            raise TooFewRows(f"{count} folds of {units} rows", fix="at least three folds, and a row in each")
        parts = np.array_split(rng.permutation(units), count)
        if self.together is None:
            return [self.at[part] for part in parts]
        return [self.at[np.isin(self.together[self.at], part)] for part in parts]

    def mean(self, rows: Rows, losses: Floats, method: str = "", level: Level = 0.95) -> Estimate:
        """The mean of the losses of some rows."""
        return mean_estimate(
            row_arguments.raw_outputs(losses, "losses", at=rows),
            self.weight[rows],
            together=None if self.together is None else self.together[rows],
            method=method,
            level=level,
            weights_mean=self.weights_mean,
            corrected=False,
        )

    def error(self, found: Estimate, rows: Rows) -> float:
        """The standard error of such a mean, from its unbiased variance."""
        units = found.n if self.together is None else len(np.unique(self.together[rows]))
        if units < 2:
            raise TooFewRows("a fold needs two rows to tell how much their losses vary", fix="fewer folds")
        return found.standard_error * math.sqrt(units / (units - 1))


@strict_keywords
def naive(
    losses_of: LossesOf,
    n: int,
    *,
    folds: int = 10,
    level: Level = 0.95,
    seed: Seed = 0,
    sample_weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    weights_mean: WeightsMean = "importance",
) -> Estimate:
    """Cross-validation with the interval that treats the losses as independent; it covers too rarely (see
    `nested`)."""
    rows = _Dealt.of(n, sample_weight, cluster, weights_mean)
    parts = rows.folds(folds, np.random.default_rng(seed))
    errors = np.concatenate([losses_of(np.setdiff1d(rows.at, part), part) for part in parts])
    return rows.mean(np.concatenate(parts), errors, f"{folds}-fold, losses taken as independent", level)


@strict_keywords
def nested(
    losses_of: LossesOf,
    n: int,
    *,
    folds: int = 10,
    repeats: int = 200,
    level: Level = 0.95,
    seed: Seed = 0,
    sample_weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    weights_mean: WeightsMean = "importance",
) -> Estimate:
    """Nested cross-validation, whose interval covers the risk of the model fitted on all rows.

    ``losses_of(train, test)`` fits on the rows ``train`` and gives the loss of each row of ``test``; it is called
    ``repeats * folds * (folds + 1) / 2`` times or so (Bates, Hastie and Tibshirani 2024). Rows of weight zero are in no
    fold; rows of one ``cluster`` share one, as copies of a row should.
    """
    rng = np.random.default_rng(seed)
    rows = _Dealt.of(n, sample_weight, cluster, weights_mean)
    inner, outer, apart, noises, plain = [], [], [], [], []
    for _ in range(repeats):
        parts = rows.folds(folds, rng)
        pairs = _leaving_two_out(losses_of, parts)
        losses = []
        for k, part in enumerate(parts):
            others = [j for j in range(folds) if j != k]
            within = rows.mean(
                np.concatenate([parts[j] for j in others]), np.concatenate([pairs[k, j] for j in others])
            )
            losses.append(losses_of(np.concatenate([parts[j] for j in others]), part))
            held = rows.mean(part, losses[-1])
            apart.append(within.value - held.value)
            noises.append(rows.error(held, part))
            inner.append(within.value)
        found = rows.mean(np.concatenate(parts), np.concatenate(losses))
        if not math.isfinite(found.value):
            return found
        outer.append(found.value)
        plain.append(rows.error(found, rows.at))
    inflation = _inflation(np.array(apart), np.array(noises), np.array(plain), folds)
    bias = (1 + ((folds - 2) / folds) ** 1.5) * (float(np.mean(inner)) - float(np.mean(outer)))
    # One more fold of rows than in the inner fits lowers the risk by as much again, about: the rest of the way to n.
    value, error = float(np.mean(inner)) - bias, _root_mean_square(np.array(plain)) * inflation
    half = normal_quantile(level) * error
    method = f"nested {folds}-fold, {repeats} times, {inflation:.2f} times the naive width"
    return Estimate(value, value - half, value + half, rows.n, rows.n / inflation**2, method, level, error)


def _inflation(apart: Floats, noises: Floats, plain: Floats, folds: int) -> float:
    """How many times wider than the naive interval: from how far inner and held-out means lie apart, beyond their noise."""
    unit = max(map(unit_of, (apart, noises, plain)))
    excess = max(0.0, float(np.mean((apart / unit) ** 2) - np.mean((noises / unit) ** 2)))
    naive_error = _root_mean_square(plain) / unit
    if naive_error == 0:
        return 1.0
    return min(max(math.sqrt(excess * (folds - 1) / folds) / naive_error, 1.0), math.sqrt(folds))


def _root_mean_square(values: Floats) -> float:
    unit = unit_of(values)
    return unit * math.sqrt(float(np.mean((values / unit) ** 2)))


def _leaving_two_out(losses_of: LossesOf, parts: list[Rows]) -> dict[tuple[int, int], Floats]:
    """For folds k and j both left out of the fit: the losses on j, under (k, j)."""
    found: dict[tuple[int, int], Floats] = {}
    for k, j in combinations(range(len(parts)), 2):
        rest = np.concatenate([part for i, part in enumerate(parts) if i not in (k, j)])
        both = losses_of(rest, np.concatenate([parts[k], parts[j]]))
        found[j, k], found[k, j] = both[: len(parts[k])], both[len(parts[k]) :]
    return found


def widening(folds: int, repeats: int) -> float:
    """How much wider the interval of out-of-fold losses must be than if they were independent.

    Models of different folds share rows to fit. For losses averaged over ``repeats`` deals, the correction of Nadeau and
    Bengio (2003; Bouckaert and Frank 2004 for repeated folds) multiplies the variance by this, squared.
    """
    return math.sqrt(1 / repeats + folds / (folds - 1))


@strict_keywords
def nadeau_bengio(scores: ArrayLike | Sequence[float], test_to_train: float, *, level: Level = 0.95) -> Estimate:
    """The mean of scores from repeated random splits, corrected for the overlap of training sets.

    ``test_to_train`` is the number of test rows over training rows (Nadeau and Bengio 2003).
    """
    values = np.asarray(scores, dtype=np.float64)
    if len(values) < 2 or not test_to_train > 0:
        raise UsageError(
            "the corrected interval needs two splits and a positive ratio",
            seen=f"{len(values)} splits",
            fix="scores of at least two splits, and test_to_train=1/9 for ten folds",
        )
    error = math.sqrt((1 / len(values) + test_to_train) * values.var(ddof=1))
    half = student_quantile(level, len(values) - 1) * error
    mean = float(values.mean())
    effective = 1 / (1 / len(values) + test_to_train)
    return Estimate(mean, mean - half, mean + half, len(values), effective, "Nadeau-Bengio", level, error)
