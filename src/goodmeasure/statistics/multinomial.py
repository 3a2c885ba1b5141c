"""The mean of a number that takes few values: how often each occurs, what it is worth, and what was not seen yet."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.statistics.estimate import Difference, Estimate, as_difference
from goodmeasure.statistics.intervals import clopper_pearson, few_quantile, normal_quantile
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.rounded_sums import rounded_sum
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.sample import Sample
from goodmeasure.statistics.weights import equal_parts, unit_of

# What a quadratic form makes of a vector.
Form = Callable[[Any], Any]
METHOD = "exact shares, put together (MOVER)"


def put_together(factor: Any, share: Any, ends: tuple[Any, Any], correlated: Form) -> tuple[Any, Any]:
    """How far a sum of shares times factors reaches down and up, from the interval of each share (MOVER).

    The first axis runs over the shares; ``correlated`` is the quadratic form of their correlations. Sums of intervals cover
    where a standard error cannot: a share that is dear and rare moves the sum up further than down.

    Source: Zou and Donner 2008, Construction of confidence limits about effect measures.
    """
    factor, share, low, high = (np.asarray(each, dtype=np.float64) for each in (factor, share, *ends))
    positive = factor > 0
    down = factor * np.where(positive, share - low, high - share)
    up = factor * np.where(positive, high - share, share - low)
    below, above = (np.sqrt(np.maximum(correlated(side), 0)) for side in (down, up))
    return below, above


# A share that is known so much better than the others does not vary: the square of what is divided by it would leave double.
_NO_SPREAD = 1e-150


@dataclass(frozen=True, eq=False)
class Multinomial:
    """What rows fall into: the value of each cell, its share of the weight, and how surely these shares are known.

    ``spread`` holds the standard error of each share and ``variance`` gives that of a weighted sum of them: a matrix of all
    cells by all cells would not fit where there are many. ``rows`` is how many independent rows carry as much, and ``widen``
    by how much an interval is wider because few parts tell its spread.
    """

    value: Floats
    share: Floats
    spread: Floats
    variance: Form
    n: int
    rows: float
    level: float = 0.95
    widen: float = 1.0

    @staticmethod
    def of(value: Floats, weight: Floats, square: Floats, n: int, level: float) -> Multinomial:
        """Cells of independent rows, from their weights and the sums of squared weights; equal values are one cell.

        Of the cells that no row fell into only those of the least and the largest value are kept.
        """
        value, cell = np.unique(value, return_inverse=True)
        weight, square = summed(cell, weight), summed(cell, square)
        kept = weight > 0
        kept[[0, -1]] = True
        value, weight, square = value[kept], weight[kept], square[kept]
        total = rounded_sum(weight)
        share, square = weight / total, square / total**2
        spread = np.sqrt(np.maximum(square - 2 * share * square + share**2 * square.sum(), 0))

        def variance(factor: Floats) -> float:
            return float(square @ (factor - share @ factor) ** 2)

        return Multinomial(value, share, spread, variance, n, 1 / float(square.sum()), level)

    def mean(self, method: str = METHOD) -> Estimate:
        """The mean value: the dearest cell that no row fell into counts with what it may hold."""
        unit = unit_of(self.value)
        value = self.value / unit
        mean = float(value @ self.share)
        # The most common value is the one that others are measured from: what is rare has an interval of its own.
        common = int(np.argmax(self.share))
        others = np.arange(len(value)) != common
        factor = value - value[common]
        ends = np.tile(self.share, (2, 1))
        ends[:, others] = clopper_pearson(*self._counts(others), self.level)
        below, above = put_together(factor, self.share, (ends[0], ends[1]), self._correlated)
        error = math.sqrt(max(self.variance(factor), 0.0))
        low, high = max(mean - float(below), float(value.min())), min(mean + float(above), float(value.max()))
        scatter = float(self.share @ (value - mean) ** 2)
        effective_n = scatter / error**2 if error > 0 else self.rows
        return Estimate(
            mean * unit, low * unit, high * unit, self.n, effective_n, method, self.level, standard_error=error * unit
        )

    def _correlated(self, side: Floats) -> float:
        """The quadratic form of the correlations of shares; one that does not vary goes with no other."""
        varies = self.spread > _NO_SPREAD
        scaled = np.divide(side, self.spread, out=np.zeros_like(side), where=varies)
        return float(self.variance(scaled)) + float(side[~varies] @ side[~varies])

    def _counts(self, chosen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """How many independent rows the chosen shares rest on, and how many of these fall into each.

        A share that no row tells of rests on as many as the least of the others.
        """
        share, spread = self.share[chosen], self.spread[chosen]
        seen = (spread > 0) & (share > 0)
        size = np.full(len(share), self.rows)
        size[seen] = np.minimum(share[seen] * (1 - share[seen]) / spread[seen] ** 2, self.rows)
        size[~seen] = size.min(initial=self.rows)
        size = np.maximum(size / self.widen**2, 1.0)
        return share * size, size


def mean_of_few(sample: Sample, values: Floats, possible: Floats, prefix: str = "") -> Estimate:
    """The mean of a number a row that takes few values; ``possible`` holds those that it can take, seen or not.

    Where several models speak of each row, ``values`` is (models, n), and a row counts in parts for each of its values.
    """
    ends = np.min(possible), np.max(possible)
    value, code = np.unique(np.concatenate([ends, np.ravel(values)]), return_inverse=True)
    code = code[len(ends) :]
    models = values.size // len(sample.weight)
    weight, square = (np.tile(each / models, models) for each in (sample.weight, sample.square))
    held, squared = (summed(code, each, len(value)) for each in (weight, square))
    cells = Multinomial.of(value, held, squared, sample.n, sample.level)
    together = sample.together_for(values if values.ndim == 1 else values.mean(axis=0))
    if together is None and models == 1:
        return cells.mean(prefix + METHOD)
    parts = np.arange(len(sample.weight)) if together is None else together
    found = _of_parts(cells, weight, np.tile(parts, models), code)
    if together is None:
        return found.mean(prefix + METHOD)
    return replace(found.mean(f"{prefix}{METHOD}, {sample.name}"), cautions=sample.few(together))


def hit_share(sample: Sample, hit: Floats) -> Estimate:
    """The share of rows that are hit, zeros and ones: exact where rows are counted, and within 0 and 1 everywhere."""
    found = mean_of_few(sample, hit, np.array([0.0, 1.0]))
    if not sample.is_counted:
        return found
    low, high = clopper_pearson(round(found.value * found.n), found.n, sample.level)
    return replace(found, low=low, high=high, effective_n=float(found.n), method="exact (Clopper and Pearson)")


def difference_of_few(sample: Sample, values: Floats, possible: Floats) -> Difference:
    """The mean of a paired difference that takes few values, able to give a verdict."""
    return as_difference(mean_of_few(sample, values, possible, "paired, "))


def _of_parts(cells: Multinomial, w: Floats, together: NDArray[np.intp], code: NDArray[np.intp]) -> Multinomial:
    """The same cells where rows go together: the spread of shares comes from whole clusters or blocks."""
    share, held = cells.share, summed(together, w)
    total, count = float(held.sum()), equal_parts(held)

    def variance(factor: Floats) -> float:
        sums = summed(together, w * (factor[code] - share @ factor))
        return float(sums @ sums) / total**2

    # What each part holds of each cell, of the pairs that there are.
    pair, at = np.unique(together * len(share) + code, return_inverse=True)
    (part, cell), sums = np.divmod(pair, len(share)), summed(at, w)
    squared, crossed = (summed(cell, sums * each, len(share)) for each in (sums, held[part]))
    spread = np.sqrt(np.maximum(squared - 2 * share * crossed + share**2 * (held @ held), 0)) / total
    rows = cells.rows if (spread > 0).any() else count
    quantile = few_quantile(cells.level, count)
    widen = quantile / normal_quantile(cells.level) * math.sqrt(count / (count - 1)) if count > 1 else math.inf
    return replace(cells, spread=spread, variance=variance, rows=rows, widen=widen)
