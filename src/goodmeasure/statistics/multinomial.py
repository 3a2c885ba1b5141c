"""The mean of a number that takes few values: how often each occurs, what it is worth, and what was not seen yet."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.statistics.estimate import Difference, Estimate, as_difference
from goodmeasure.statistics.intervals import normal_quantile, student_quantile
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.sample import Sample
from goodmeasure.statistics.weights import effective, unit_of

METHOD = "exact shares, put together (MOVER)"


def exact_share(share: Floats, size: Floats, level: float) -> tuple[Floats, Floats]:
    """The interval of Clopper and Pearson (1934) for shares of so many independent rows, which need not be whole."""
    from scipy.special import betaincinv

    tail, hit, missed = (1 - level) / 2, share * size, (1 - share) * size
    low = np.where(hit > 0, betaincinv(np.maximum(hit, 1e-300), missed + 1, tail), 0.0)
    high = np.where(missed > 0, betaincinv(hit + 1, np.maximum(missed, 1e-300), 1 - tail), 1.0)
    return low, high


def put_together(factor: Any, share: Any, ends: tuple[Any, Any], correlation: Any) -> tuple[Floats, Floats]:
    """How far a sum of shares times factors reaches down and up, from the interval of each share (MOVER).

    The first axis runs over the shares. Sums of intervals cover where a standard error cannot: a share that is dear and
    rare moves the sum up further than down.

    Source: Zou and Donner 2008, Construction of confidence limits about effect measures.
    """
    factor, share, low, high = (np.asarray(each, dtype=np.float64) for each in (factor, share, *ends))
    size, positive = np.abs(factor), factor > 0
    down = size * np.where(positive, share - low, high - share)
    up = size * np.where(positive, high - share, share - low)
    both = correlation * np.sign(factor)[:, None] * np.sign(factor)[None, :]
    below, above = (np.einsum("i...,ij...,j...->...", side, both, side) for side in (down, up))
    return np.sqrt(np.maximum(below, 0)), np.sqrt(np.maximum(above, 0))


@dataclass(frozen=True, eq=False)
class Multinomial:
    """What rows fall into: the value of each cell, its share of the weight, and how surely these shares are known.

    ``covariance`` is that of the shares, ``rows`` how many independent rows carry as much, and ``widen`` by how much an
    interval is wider because few parts tell its spread.
    """

    value: Floats
    share: Floats
    covariance: Floats
    n: int
    rows: float
    level: float = 0.95
    widen: float = 1.0

    @staticmethod
    def of(value: Floats, weight: Floats, square: Floats, n: int, level: float) -> Multinomial:
        """Cells of independent rows, from their weights and the sums of squared weights; equal values are one cell."""
        value, cell = np.unique(value, return_inverse=True)
        weight, square = summed(cell, weight), summed(cell, square)
        total = math.fsum(weight)
        share, square = weight / total, square / total**2
        cross = np.outer(share, square)
        covariance = np.diag(square) - cross - cross.T + np.outer(share, share) * square.sum()
        return Multinomial(value, share, covariance, n, 1 / float(square.sum()), level)

    def mean(self, method: str = METHOD) -> Estimate:
        """The mean value: the dearest cell that no row fell into counts with what it may hold."""
        unit = unit_of(self.value)
        kept = self._kept()
        value, share = self.value[kept] / unit, self.share[kept]
        covariance = self.covariance[np.ix_(kept, kept)]
        mean = float(value @ share)
        # The most common value is the one that others are measured from: what is rare has an interval of its own.
        common = int(np.argmax(share))
        others = np.arange(len(share)) != common
        factor, share = (value - value[common])[others], share[others]
        covariance = covariance[np.ix_(others, others)]
        spread = np.sqrt(np.maximum(np.diag(covariance), 0))
        ends = exact_share(share, self._sizes(share, spread), self.level)
        below, above = put_together(factor, share, ends, _correlation(covariance, spread))
        error = math.sqrt(max(float(factor @ covariance @ factor), 0.0))
        low, high = max(mean - float(below), float(value.min())), min(mean + float(above), float(value.max()))
        scatter = float(self.share[kept] @ (value - mean) ** 2)
        effective_n = scatter / error**2 if error > 0 else self.rows
        return Estimate(
            mean * unit, low * unit, high * unit, self.n, effective_n, method, self.level, standard_error=error * unit
        )

    def _kept(self) -> NDArray[np.intp]:
        """The cells that hold rows, and of the others those of the least and the largest value."""
        ends = (np.argmin(self.value), np.argmax(self.value))
        return np.flatnonzero((self.share > 0) | np.isin(np.arange(len(self.value)), ends))

    def _sizes(self, share: Floats, spread: Floats) -> Floats:
        """How many independent rows each share rests on; one that no row tells of, on as many as the least of the others."""
        seen = (spread > 0) & (share > 0)
        size = np.full(len(share), self.rows)
        size[seen] = np.minimum(share[seen] * (1 - share[seen]) / spread[seen] ** 2, self.rows)
        size[~seen] = size.min(initial=self.rows)
        return np.maximum(size / self.widen**2, 1.0)


def _correlation(covariance: Floats, spread: Floats) -> Floats:
    scale = np.outer(spread, spread)
    found = np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0)
    np.fill_diagonal(found, 1.0)
    return found


def mean_of_few(sample: Sample, values: Floats, possible: Floats, prefix: str = "") -> Estimate:
    """The mean of a number a row that takes few values; ``possible`` holds those that it can take, seen or not.

    Where several models speak of each row, ``values`` is (models, n), and a row counts in parts for each of its values.
    """
    value, code = np.unique(np.concatenate([np.ravel(possible), np.ravel(values)]), return_inverse=True)
    code = code[np.size(possible) :]
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


def difference_of_few(sample: Sample, values: Floats, possible: Floats) -> Difference:
    """The mean of a paired difference that takes few values, able to give a verdict."""
    return as_difference(mean_of_few(sample, values, possible, "paired, "))


def _of_parts(cells: Multinomial, w: Floats, together: NDArray[np.intp], code: NDArray[np.intp]) -> Multinomial:
    """The same cells where rows go together: the spread of shares comes from whole clusters or blocks."""
    m, parts = len(cells.value), int(together.max()) + 1
    sums = summed(together * m + code, w, parts * m).reshape(parts, m)
    held = sums.sum(axis=1)
    sums, held = sums[held > 0], held[held > 0]
    count = len(held)
    miss = sums - np.outer(held, cells.share)
    covariance = miss.T @ miss / float(held.sum()) ** 2
    rows = cells.rows if (np.diag(covariance) > 0).any() else effective(held, np.ones(count))
    quantile = student_quantile(cells.level, count - 1)
    widen = quantile / normal_quantile(cells.level) * math.sqrt(count / (count - 1)) if count > 1 else math.inf
    return replace(cells, covariance=covariance, rows=rows, widen=widen)
