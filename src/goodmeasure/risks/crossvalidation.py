"""Intervals for the risk of a procedure that is fitted again and again on overlapping rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.errors import UsageError
from goodmeasure.statistics.estimate import Estimate
from goodmeasure.statistics.intervals import mean_estimate, normal_quantile, student_quantile
from goodmeasure.statistics.row_arguments import Floats, TooFewRows

Rows = NDArray[np.intp]
LossesOf = Callable[[Rows, Rows], Floats]
"""Fits on the first rows and returns the loss of each of the second: ``losses_of(train, test)``."""


def _folds(n: int, folds: int, rng: np.random.Generator) -> list[Rows]:
    if not 2 < folds <= n:
        raise TooFewRows(f"{folds} folds of {n} rows", fix="at least three folds, and a row in each")
    return [np.asarray(part, dtype=np.intp) for part in np.array_split(rng.permutation(n), folds)]


def naive(losses_of: LossesOf, n: int, *, folds: int = 10, level: float = 0.95, seed: int = 0) -> Estimate:
    """Cross-validation with the interval that treats the losses as independent; it covers too rarely (see
    `nested`)."""
    parts = _folds(n, folds, np.random.default_rng(seed))
    errors = np.concatenate([losses_of(np.setdiff1d(np.arange(n), part), part) for part in parts])
    return mean_estimate(errors, method=f"{folds}-fold, losses taken as independent", level=level)


def nested(
    losses_of: LossesOf, n: int, *, folds: int = 10, repeats: int = 200, level: float = 0.95, seed: int = 0
) -> Estimate:
    """Nested cross-validation, whose interval covers the risk of the model fitted on all rows.

    ``losses_of(train, test)`` fits on the rows ``train`` and gives the loss of each row of ``test``; it is called
    ``repeats * folds * (folds + 1) / 2`` times or so (Bates, Hastie and Tibshirani 2024).
    """
    rng = np.random.default_rng(seed)
    inner, outer, squares, noises = [], [], [], []
    for _ in range(repeats):
        parts = _folds(n, folds, rng)
        pairs = _leaving_two_out(losses_of, parts)
        for k, part in enumerate(parts):
            within = np.concatenate([pairs[k, j] for j in range(folds) if j != k])
            held = losses_of(np.concatenate([p for j, p in enumerate(parts) if j != k]), part)
            squares.append((within.mean() - held.mean()) ** 2)
            noises.append(held.var(ddof=1) / len(held))
            inner.append(within.mean())
            outer.append(held)
    errors = np.concatenate(outer)
    plain = math.sqrt(errors.var(ddof=1) / n)
    excess = max(0.0, float(np.mean(squares)) - float(np.mean(noises)))
    inflation = min(max(math.sqrt(excess * (folds - 1) / folds) / plain, 1.0), math.sqrt(folds))
    bias = (1 + ((folds - 2) / folds) ** 1.5) * (float(np.mean(inner)) - float(errors.mean()))
    # One more fold of rows than in the inner fits lowers the risk by as much again, about: the rest of the way to n.
    value, error = float(np.mean(inner)) - bias, plain * inflation
    half = normal_quantile(level) * error
    method = f"nested {folds}-fold, {repeats} times, {inflation:.2f} times the naive width"
    return Estimate(value, value - half, value + half, n, n / inflation**2, method, level, error)


def _leaving_two_out(losses_of: LossesOf, parts: list[Rows]) -> dict[tuple[int, int], Floats]:
    """For folds k and j both left out of the fit: the losses on j, under (k, j)."""
    found: dict[tuple[int, int], Floats] = {}
    for k, j in combinations(range(len(parts)), 2):
        rest = np.concatenate([part for i, part in enumerate(parts) if i not in (k, j)])
        both = losses_of(rest, np.concatenate([parts[k], parts[j]]))
        found[j, k], found[k, j] = both[: len(parts[k])], both[len(parts[k]) :]
    return found


def nadeau_bengio(scores: ArrayLike | Sequence[float], test_to_train: float, *, level: float = 0.95) -> Estimate:
    """The mean of scores from repeated random splits, corrected for the overlap of training sets.

    ``test_to_train`` is the number of test rows over training rows (Nadeau and Bengio 2003).
    """
    values = np.asarray(scores, dtype=np.float64)
    if len(values) < 2 or not test_to_train > 0:
        raise UsageError("the corrected interval needs two splits and a positive ratio", seen=f"{len(values)} splits")
    error = math.sqrt((1 / len(values) + test_to_train) * values.var(ddof=1))
    half = student_quantile(level, len(values) - 1) * error
    mean = float(values.mean())
    effective = 1 / (1 / len(values) + test_to_train)
    return Estimate(mean, mean - half, mean + half, len(values), effective, "Nadeau-Bengio", level, error)
