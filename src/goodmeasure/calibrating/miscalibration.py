"""How far predictions are from what they claim, without the bias that binning and squaring noise would add."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.calibrating.smoothing import on_grid, smooth_error, smooth_errors
from goodmeasure.formulas.domains import Level
from goodmeasure.statistics.drawn_counts import multinomials
from goodmeasure.statistics.estimate import Estimate, times
from goodmeasure.statistics.intervals import CLUSTERED, few_quantile, normal_quantile
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.row_arguments import Floats, TooFewRows
from goodmeasure.statistics.weights import counted, equal_parts, squares, unit_of

Codes = NDArray[np.intp]
BINS = 15
REPLICATES = 100


def debiased_squared_error(
    miss: Floats,
    prediction: Floats,
    w: Floats,
    *,
    bins: int = BINS,
    level: Level = 0.95,
    copies: Floats | None = None,
    spread: Floats | None = None,
    together: Codes | None = None,
) -> Estimate:
    """The mean squared calibration error in bins of equal weight, without the bias of squaring noise.

    ``miss`` is target minus prediction (or minus the identification function). From each squared mean its own
    variance is taken off, so the value may be slightly negative (Kumar, Liang and Ma 2019, on residuals). Rows of equal
    prediction share a bin. How much is noise depends, as an interval does, on how many ``copies`` a row stands for, and
    on which rows go ``together``. ``spread`` is the variance of each target if its prediction is right, where that is known:
    the interval takes no bin for surer than that.
    """
    copies = np.ones(len(w)) if copies is None else copies
    n = counted(copies)
    bins = bins_for(n if together is None else len(np.unique(together)), bins)
    cell = np.unique(prediction, return_inverse=True)[1]
    weight = summed(cell, w)
    place = np.minimum((np.cumsum(weight) - weight / 2) / weight.sum() * bins, bins - 1).astype(np.intp)[cell]
    # The misses are squared twice on the way: in a unit of their size they stay in the range of numbers.
    unit = unit_of(miss) if spread is None else max(unit_of(miss), 2.0**-500)
    square = squares(w, copies)
    sums = _bin_sums(place, miss / unit, w, square, bins)
    least = None if spread is None else summed(place, square * (spread / unit**2), bins)
    found = from_bin_sums(sums, n, level, least)
    if together is not None:
        found = _of_clusters(found, w, w * miss / unit, place, together)
    return times(times(found, unit), unit)


def _of_clusters(alone: Estimate, w: Floats, missed: Floats, place: Codes, together: Codes) -> Estimate:
    """The same where rows go together: squares are products of different clusters, and the error is a jackknife of clusters.

    It is never less than that of independent rows: a few clusters may be alike by luck.
    """
    part = np.unique(together, return_inverse=True)[1]
    count, bins = int(part.max()) + 1, int(place.max()) + 1
    cell, code = np.unique(part * bins + place, return_inverse=True)
    held, sums, of, within = summed(code, w), summed(code, missed), cell // bins, cell % bins
    columns = np.array([held, sums, held**2, sums**2])
    totals = np.array([summed(within, column, bins) for column in columns])
    whole, own = float(held.sum()), summed(of, held, count)
    squared = _products(*totals)
    changed = _products(*(totals[:, within] - columns)) - squared[within]
    without = (squared.sum() + summed(of, changed, count)) / np.maximum(whole - own, 1e-300)
    value = float(squared.sum()) / whole
    error = math.sqrt((count - 1) / count * float(((without - without.mean()) ** 2).sum()))
    error = max(error, alone.standard_error)
    half = few_quantile(alone.level, equal_parts(own)) * error
    return replace(
        alone,
        value=value,
        low=value - half,
        high=value + half,
        effective_n=whole**2 / float(own @ own),
        standard_error=error,
        method=alone.method.replace("normal", CLUSTERED),
    )


def _products(held: Floats, sums: Floats, squared_held: Floats, squared_sums: Floats) -> Floats:
    """By bin the mean product of misses of different clusters, times the weight; nothing where there is one cluster."""
    pairs = held**2 - squared_held
    several = pairs > 1e-9 * held**2
    return np.asarray(held * np.divide(sums**2 - squared_sums, pairs, out=np.zeros_like(held), where=several))


def bins_for(n: int, most: int = BINS) -> int:
    """How many bins of equal weight: as many as asked for, but at least four rows in each."""
    return max(1, min(most, n // 4))


def _bin_sums(cell: Any, miss: Floats, w: Floats, square: Floats, bins: int) -> Floats:
    columns = (w, w * miss, square, square * miss, square * miss * miss)
    return np.array([np.bincount(cell, weights=column, minlength=bins) for column in columns])


def from_bin_sums(sums: Floats, n: int, level: float, least: Floats | None = None) -> Estimate:
    """The debiased squared error from sums by bin: w, w·v, w², w²·v, w²·v² (bins of one row carry no variance).

    ``least`` is the sum of w² times the variance that targets have if predictions are right: a bin in which no event
    happened shows none, and is not sure for that.
    """
    least = np.zeros(sums.shape[1]) if least is None else least
    at_least = least[sums[0] > 0]
    weight, first, square, square_first, square_second = (row[sums[0] > 0] for row in sums)
    rows_in_bin = weight**2 / square
    held = rows_in_bin > 1 + 1e-9
    if not held.any():
        raise TooFewRows(
            "the debiased calibration error needs two rows in a bin", seen=f"{n} rows", fix="tally more rows"
        )
    share = weight[held] / weight[held].sum()
    mean = first[held] / weight[held]
    around = square_second[held] - 2 * mean * square_first[held] + mean**2 * square[held]
    noise = np.maximum(around, 0) / weight[held] ** 2 * (rows_in_bin[held] / (rows_in_bin[held] - 1))
    value = float(share @ (mean**2 - noise))
    noise = np.maximum(noise, at_least[held] / weight[held] ** 2)
    error = math.sqrt(float(share**2 @ (4 * np.maximum(mean**2 - noise, 0) * noise + 2 * noise**2)))
    half = normal_quantile(level) * error
    effective = float(weight.sum() ** 2 / square.sum())
    method = f"{int(held.sum())} bins of equal weight, debiased, normal"
    return Estimate(value, value - half, value + half, n, effective, method, level, error)


def root(squared_error: Estimate) -> Estimate:
    """The calibration error on the scale of predictions, from its debiased square (below zero counts as zero)."""
    # NaN stays NaN: of two numbers max takes the first unless the second is larger.
    value, low, high = (math.sqrt(max(x, 0.0)) for x in (squared_error.value, squared_error.low, squared_error.high))
    return replace(squared_error, value=value, low=low, high=high, standard_error=math.nan)


@dataclass(frozen=True)
class Smoothing:
    """Misses on the grid of the smooth error: their summed sizes and weights, of events and of others."""

    sizes: Floats
    mass: Floats

    @staticmethod
    def of(p: Floats, events: Floats, others: Floats) -> Smoothing:
        """From the weight of events and of others at each prediction."""
        sizes = np.array([on_grid(p, events * (1 - p)), on_grid(p, others * p)])
        return Smoothing(sizes, np.array([on_grid(p, events), on_grid(p, others)]))

    @property
    def total(self) -> float:
        """The weight of all rows."""
        return float(self.mass.sum())

    @property
    def error(self) -> float:
        """The smooth error as it is defined, which noise makes larger."""
        return smooth_error(self.sizes[0] - self.sizes[1], self.total)

    def resampled(self, effective_n: float, seed: int) -> Floats:
        """The smooth error of resampled counts."""
        rng = np.random.default_rng(seed)
        chance = (np.maximum(self.mass, 0) / np.maximum(self.mass, 0).sum()).ravel()
        size = np.divide(self.sizes, self.mass, out=np.zeros_like(self.sizes), where=self.mass > 0)
        draws = max(1, round(effective_n))
        counts = multinomials(rng, draws, chance, REPLICATES).reshape(-1, *self.mass.shape) * (self.total / draws)
        return smooth_errors(size[0] * counts[:, 0] - size[1] * counts[:, 1], self.total, tolerance=1e-5)


def smooth_estimate(found: Smoothing, n: int, effective_n: float, null: Floats, how: tuple[float, int]) -> Estimate:
    """The smooth error without what noise adds, which calibrated predictions show (``null``), and its interval.

    Noise turns misses of either sign into error where there is none, and adds nothing where all have one sign: so does the
    size of a normal number, whose mean is undone here.
    """
    value = _unfolded(found.error, float(np.mean(null)))
    error = float(np.std(found.resampled(effective_n, how[1])))
    half = normal_quantile(how[0]) * error
    method = f"smooth, less what calibrated predictions show, normal with bootstrapped spread ({REPLICATES})"
    return Estimate(value, max(0.0, value - half), value + half, n, effective_n, method, how[0], error)


def _unfolded(seen: float, noise: float) -> float:
    """The centre of a normal number whose size is ``seen`` on average, where it would be ``noise`` around zero."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    if seen <= noise or noise == 0:
        return 0.0 if seen <= noise else seen
    spread = noise * math.sqrt(math.pi / 2)

    def beyond(centre: float) -> float:
        away = centre / spread
        return noise * math.exp(-(away**2) / 2) + centre * (1 - 2 * float(ndtr(-away))) - seen

    return float(brentq(beyond, 0.0, seen))


def smooth_errors_of(p: Floats, weight: Floats, events: Floats) -> Floats:
    """The smooth error of each of several draws of events (rows) at the same predictions."""
    grids = np.array([on_grid(p, row - weight * p) for row in events])
    return smooth_errors(grids, float(weight.sum()), tolerance=1e-5)
