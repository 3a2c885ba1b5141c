"""How far predictions are from what they claim, without the bias that binning and squaring noise would add."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from goodmeasure.calibrating.smoothing import smooth_error, smooth_errors
from goodmeasure.formulas.domains import Level
from goodmeasure.statistics.estimate import Estimate, times
from goodmeasure.statistics.intervals import normal_quantile
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.row_arguments import Floats, TooFewRows
from goodmeasure.statistics.weights import counted, squares, unit_of

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
) -> Estimate:
    """The mean squared calibration error in bins of equal weight, without the bias of squaring noise.

    ``miss`` is target minus prediction (or minus the identification function). From each squared mean its own
    variance is taken off, so the value may be slightly negative (Kumar, Liang and Ma 2019, on residuals). Rows of equal
    prediction share a bin. How much is noise depends, as an interval does, on how many ``copies`` a row stands for.
    """
    copies = np.ones(len(w)) if copies is None else copies
    n = counted(copies)
    bins = bins_for(n, bins)
    cell = np.unique(prediction, return_inverse=True)[1]
    weight = summed(cell, w)
    place = np.minimum((np.cumsum(weight) - weight / 2) / weight.sum() * bins, bins - 1).astype(np.intp)
    # The misses are squared twice on the way: in a unit of their size they stay in the range of numbers.
    unit = unit_of(miss)
    sums = _bin_sums(place[cell], miss / unit, w, squares(w, copies), bins)
    return times(times(from_bin_sums(sums, n, level), unit), unit)


def bins_for(n: int, most: int = BINS) -> int:
    """How many bins of equal weight: as many as asked for, but at least four rows in each."""
    return max(1, min(most, n // 4))


def _bin_sums(cell: Any, miss: Floats, w: Floats, square: Floats, bins: int) -> Floats:
    columns = (w, w * miss, square, square * miss, square * miss * miss)
    return np.array([np.bincount(cell, weights=column, minlength=bins) for column in columns])


def from_bin_sums(sums: Floats, n: int, level: float) -> Estimate:
    """The debiased squared error from sums by bin: w, w·v, w², w²·v, w²·v² (bins of one row carry no variance)."""
    weight, first, square, square_first, square_second = (row[sums[0] > 0] for row in sums)
    rows_in_bin = weight**2 / square
    held = rows_in_bin > 1 + 1e-9
    if not held.any():
        raise TooFewRows("the debiased calibration error needs two rows in a bin", seen=f"{n} rows")
    share = weight[held] / weight[held].sum()
    mean = first[held] / weight[held]
    around = square_second[held] - 2 * mean * square_first[held] + mean**2 * square[held]
    noise = np.maximum(around, 0) / weight[held] ** 2 * (rows_in_bin[held] / (rows_in_bin[held] - 1))
    value = float(share @ (mean**2 - noise))
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


def smooth_estimate(
    grids: Floats, mass: Floats, total: float, n: int, effective_n: float, how: tuple[float, int]
) -> Estimate:
    """The smooth error of gridded residuals, with a basic bootstrap of the counts behind them.

    ``grids`` are the summed sizes of the residuals of events and others; ``mass`` their weights.
    """
    value = smooth_error(grids[0] - grids[1], total)
    rng = np.random.default_rng(how[1])
    chance = (np.maximum(mass, 0) / np.maximum(mass, 0).sum()).ravel()
    size = np.divide(grids, mass, out=np.zeros_like(grids), where=mass > 0)
    counts = rng.multinomial(round(effective_n), chance, REPLICATES).reshape(-1, *mass.shape)
    worth = total / round(effective_n)
    misses = size[0] * (counts[:, 0] * worth) - size[1] * (counts[:, 1] * worth)
    drawn = smooth_errors(misses, total, tolerance=1e-5)
    tails = np.quantile(drawn, [(1 - how[0]) / 2, (1 + how[0]) / 2])
    low, high = max(0.0, min(value, 2 * value - float(tails[1]))), max(value, 2 * value - float(tails[0]))
    method = f"smooth, basic bootstrap of counts ({REPLICATES})"
    return Estimate(value, low, high, n, effective_n, method, how[0], float(np.std(drawn)))
