"""Which groups of rows carry more of the loss than their size, told without being fooled by how many were looked
at."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.errors import strict_keywords
from goodmeasure.formulas.domains import Level
from goodmeasure.statistics import keys, row_arguments
from goodmeasure.statistics.estimate import Difference, Estimate
from goodmeasure.statistics.row_arguments import Floats, TooFewRows
from goodmeasure.statistics.sample import Sample
from goodmeasure.statistics.weights import WeightsMean


@dataclass(frozen=True)
class Segment(Displayed):
    """One group: how much more its rows cost than the others, and the chance of so much by luck (Holm-adjusted)."""

    name: str
    share_of_rows: float
    share_of_loss: float
    excess: Difference
    p_value: float

    def _display(self) -> Display:
        row = (self.name, self.share_of_rows, self.share_of_loss, self.excess.interval, self.p_value)
        names = ("segment", "share_of_rows", "share_of_loss", "excess", "p_value")
        return Display(f"Segment {self.name}", columns_of(names, [row]))


@strict_keywords
def weak_segments(
    losses: ArrayLike,
    segment: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    weights_mean: WeightsMean = "importance",
    level: Level = 0.95,
) -> list[Segment]:
    """The groups by how much more their rows cost than all others, those with the surest excess first.

    Intervals are simultaneous (Bonferroni) and p-values Holm-adjusted (1979), two-sided, by Welch's test: with twenty
    groups of nothing, none stands out in 95 of 100 tables. Groups of fewer than two rows are left out. Rows of weight
    zero are not there; ``weights_mean="frequency"`` says that weights count copies. Errors: GM702, GM705, GM706.
    """
    rows = row_arguments.present(sample_weight, weights_mean, losses=losses, segment=segment)
    values = rows.read(row_arguments.amounts, "losses")
    code, names = rows.read(keys.codes, "segment")
    sample = Sample.of(rows, level)
    kept = [k for k in range(len(names)) if 2 <= sample.part(code == k).n <= sample.n - 2]
    if not kept:
        raise TooFewRows("no segment has two rows and leaves two others", where="segment")
    level = 1 - (1 - level) / len(kept)

    def mean(chosen: NDArray[np.bool_]) -> Estimate:
        return sample.part(chosen).mean(values[chosen])

    tests = [_welch(mean(code == k), mean(code != k), sample.n, level) for k in kept]
    adjusted = _holm(np.array([p for _, p in tests]))
    held, carried = (keys.summed(code, column) for column in (rows.weight, rows.weight * values))
    found = [
        Segment(str(names[k]), held[k] / held.sum(), _share(carried, k), difference, float(p))
        for k, (difference, _), p in zip(kept, tests, adjusted, strict=True)
    ]
    return sorted(found, key=lambda one: (one.p_value, -one.excess.value))


def _share(carried: Floats, k: int) -> float:
    """The part of the loss that a group carries; of no loss at all it carries nothing."""
    total = float(carried.sum())
    return float(carried[k]) / total if total else 0.0


def _welch(a: Estimate, b: Estimate, n: int, level: float) -> tuple[Difference, float]:
    """The difference of two means with its interval, and the two-sided p-value."""
    from scipy.special import stdtr, stdtrit

    errors = [one.standard_error / math.sqrt(1 - 1 / one.n) for one in (a, b)]
    error, value = math.hypot(*errors), a.value - b.value
    if error == 0:
        return Difference(value, value, value, n, n, "Welch", level, 0.0), 1.0 if value == 0 else 0.0
    # Satterthwaite's degrees of freedom: the shares of the variance, so that no fourth power leaves the range of numbers.
    shares = [(each / error) ** 2 for each in errors]
    freedom = 1 / (shares[0] ** 2 / (a.n - 1) + shares[1] ** 2 / (b.n - 1))
    half = float(stdtrit(freedom, 0.5 + level / 2)) * error
    p_value = float(2 * stdtr(freedom, -abs(value) / error))
    return Difference(value, value - half, value + half, n, n, "Welch, simultaneous", level, error), p_value


def _holm(p: Floats) -> Floats:
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
