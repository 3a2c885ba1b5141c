"""Smooth calibration error: the bandwidth at which smoothing the errors leaves exactly that much error."""

from __future__ import annotations

from typing import Any

import numpy as np

from goodmeasure.rows import Floats, summed

GRID = 2001


def on_grid(p: Floats, values: Floats, points: int = GRID) -> Floats:
    """Sums of values on an even grid over [0, 1], shared linearly between neighbours. Grids of shards add."""
    place = p * (points - 1)
    left = np.minimum(place.astype(np.intp), points - 2)
    share = place - left
    return summed(left, values * (1 - share), points) + summed(left + 1, values * share, points)


def smooth_error(residuals: Floats, weight: float, tolerance: float = 1e-7) -> float:
    """The smooth calibration error of a grid of summed residuals ``y - p`` (Błasiok and Nakkiran 2023).

    The kernel is a Gaussian reflected at 0 and 1, which is diagonal in the cosine transform.
    """
    from scipy.fft import dct

    points = len(residuals)
    even = residuals.copy()
    even[[0, -1]] *= 2  # half a grid step holds the mass of an end point
    transform = dct(even, type=1) / weight
    frequency = np.pi * np.arange(points)
    return _fixed_point(lambda width: _smoothed(transform, np.exp(-0.5 * (width * frequency) ** 2)), tolerance)


def _smoothed(transform: Floats, kernel: Floats) -> float:
    """The integral of the absolute smoothed residual."""
    from scipy.fft import idct

    height = np.abs(idct(transform * kernel, type=1) * (len(transform) - 1))
    return float((height.sum() - (height[0] + height[-1]) / 2) / (len(height) - 1))


def _fixed_point(error: Any, tolerance: float) -> float:
    """Where the error at a bandwidth equals the bandwidth; the error falls as the bandwidth grows."""
    low, high = 0.0, 1.0
    while high - low > tolerance:
        middle = (low + high) / 2
        low, high = (middle, high) if error(middle) > middle else (low, middle)
    return high
