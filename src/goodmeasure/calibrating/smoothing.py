"""Smooth calibration error: the bandwidth at which smoothing the errors leaves exactly that much error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.row_arguments import Floats

Rows = NDArray[np.intp]

GRID = 2001
_FAINT = 10.0  # standard deviations: exp(-50) is 2e-22


def on_grid(p: Floats, values: Floats, points: int = GRID) -> Floats:
    """Sums of values on an even grid over [0, 1], shared linearly between neighbours. Grids of shards add."""
    place = p * (points - 1)
    left = np.minimum(place.astype(np.intp), points - 2)
    share = place - left
    return summed(left, values * (1 - share), points) + summed(left + 1, values * share, points)


def smooth_error(residuals: Floats, weight: float) -> float:
    """The smooth calibration error of a grid of summed residuals ``y - p`` (Błasiok and Nakkiran 2023)."""
    return float(smooth_errors(residuals[None], weight)[0])


def smooth_errors(residuals: Floats, weight: float, tolerance: float = 1e-7) -> Floats:
    """The smooth error of each of several grids (rows).

    The kernel is a Gaussian reflected at 0 and 1, which is diagonal in the cosine transform.
    """
    from scipy.fft import dct

    even = residuals.copy()
    even[:, [0, -1]] *= 2  # half a grid step holds the mass of an end point
    transform = dct(even, type=1) / weight
    largest = np.minimum(np.abs(residuals).sum(axis=1) / weight, 1.0)
    return _fixed_points(lambda width, rows: _smoothed(transform, rows, width), largest, tolerance)


def _smoothed(transform: Floats, rows: Rows, width: Floats) -> Floats:
    """The integral of the absolute smoothed residual of some rows: at most 1, even where a resample holds more than all."""
    from scipy.fft import idct

    steps = transform.shape[1] - 1
    waves = np.pi * np.arange(_waves(float(width.min()), steps + 1))
    kept = transform[rows, : len(waves)] * np.exp(-0.5 * (width[:, None] * waves) ** 2)
    height = np.abs(idct(kept, type=1, n=steps + 1, overwrite_x=True) * steps)
    return np.asarray(np.minimum((height.sum(axis=1) - (height[:, 0] + height[:, -1]) / 2) / steps, 1.0))


def _waves(width: float, most: int) -> int:
    """How many cosines a Gaussian of this width leaves: of the others less than the rounding of one number."""
    return most if width * np.pi * most < _FAINT else int(_FAINT / (np.pi * width)) + 2


def _fixed_points(error: Callable[[Floats, Rows], Floats], largest: Floats, tolerance: float) -> Floats:
    """Where the error at a bandwidth equals the bandwidth, row by row (the regula falsi of Anderson and Björck 1973).

    The error falls as the bandwidth grows, so the root is no farther from a bandwidth than the two differ there, and no
    larger than the error without smoothing, which is the ``largest``; but for bandwidths of less than a step of the grid, on
    which a Gaussian has sides below zero.
    """
    found: Floats = largest.copy()
    rows: Rows = np.arange(len(largest))
    left: Floats = error(largest, rows) - largest
    beyond = left > 0
    low, over = np.where(beyond, largest, 0.0), np.where(beyond, left, largest)
    high, under = np.where(beyond, 1.0, largest), np.minimum(left, 0.0)
    if beyond.any():
        under[beyond] = error(high[beyond], rows[beyond]) - 1
    while True:
        width = low + (high - low) * over / np.maximum(over - under, 1e-300)
        left = error(width, rows) - width
        found[rows] = width
        far = np.abs(left) > tolerance
        if not far.any():
            return found
        rows, width, left = rows[far], width[far], left[far]
        low, high, over, under = low[far], high[far], over[far], under[far]
        # The side that moves gives its place; the one that stays twice counts for less, or it would stay for ever.
        above = left > 0
        moved = np.where(above, over, under)
        kept = 1 - left / np.where(moved == 0, 1, moved)
        kept = np.where(kept > 0, kept, 0.5)
        low, high = np.where(above, width, low), np.where(above, high, width)
        over, under = np.where(above, left, over * kept), np.where(above, under * kept, left)
