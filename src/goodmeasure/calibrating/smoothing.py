"""Smooth calibration error: the bandwidth at which smoothing the errors leaves exactly that much error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.row_arguments import Floats

GRID = 2001


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
    decay = -0.5 * (np.pi * np.arange(residuals.shape[1])) ** 2
    return _fixed_points(lambda width: _smoothed(transform, np.exp(width[:, None] ** 2 * decay)), len(even), tolerance)


def _smoothed(transform: Floats, kernel: Floats) -> Floats:
    """The integral of the absolute smoothed residual, row by row."""
    from scipy.fft import idct

    steps = transform.shape[1] - 1
    height = np.abs(idct(transform * kernel, type=1, overwrite_x=True) * steps)
    return np.asarray((height.sum(axis=1) - (height[:, 0] + height[:, -1]) / 2) / steps)


def _fixed_points(error: Callable[[Floats], Floats], rows: int, tolerance: float) -> Floats:
    """Where the error at a bandwidth equals the bandwidth, row by row; the error falls as the bandwidth grows."""
    low, high = np.zeros(rows), np.ones(rows)
    while high[0] - low[0] > tolerance:
        middle = (low + high) / 2
        above = error(middle) > middle
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return high
