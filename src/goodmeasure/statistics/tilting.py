"""Weights under which the means of some columns are what they are elsewhere, and that are otherwise as even as can be."""

from __future__ import annotations

import numpy as np

from goodmeasure.statistics.row_arguments import Floats

MOST_STEPS = 200
# In units of each column's spread.
NEAR_ENOUGH, ROUNDING = 1e-9, 1e-14


def tilted(gaps: Floats, weight: Floats) -> Floats | None:
    """A factor for each row under which the weighted mean of every column of ``gaps`` is zero; None where none does.

    Factors are the exponential of a sum over the columns: of all that reach the means, they are the closest to equal
    (entropy balancing, Hainmueller 2012; Deville and Särndal 1992). Their mean, by the weights given, is one.
    """
    spread = np.sqrt(np.average(gaps**2, weights=weight, axis=0))
    unit = gaps / np.where(spread > 0, spread, 1.0)
    slopes = np.zeros(unit.shape[1])
    for _ in range(MOST_STEPS):
        share = _shares(unit, slopes, weight)
        mean = share @ unit
        if np.abs(mean).max(initial=0.0) <= NEAR_ENOUGH:
            return np.asarray(share / weight * weight.sum())
        spreads = (unit * share[:, None]).T @ unit - np.outer(mean, mean)
        step = np.asarray(np.linalg.lstsq(spreads, mean, rcond=1e-12)[0], dtype=np.float64)
        if (shorter := _shorter(unit, slopes, step, weight)) is None:
            return None
        slopes = np.asarray(slopes - shorter)
    return None


def _shares(unit: Floats, slopes: Floats, weight: Floats) -> Floats:
    height = unit @ slopes
    found = weight * np.exp(height - height.max())
    return np.asarray(found / found.sum())


def _shorter(unit: Floats, slopes: Floats, step: Floats, weight: Floats) -> Floats | None:
    """The step, halved until it lowers what the weights minimise; None where no part of it does."""
    before = _potential(unit, slopes, weight)
    for _ in range(40):
        # Near the least the two differ by rounding alone.
        if _potential(unit, slopes - step, weight) <= before + ROUNDING * max(1.0, abs(before)):
            return step
        step = step / 2
    return None


def _potential(unit: Floats, slopes: Floats, weight: Floats) -> float:
    """The logarithm of the mean factor, of which the columns' means are the slopes."""
    height = unit @ slopes
    return float(height.max() + np.log(weight @ np.exp(height - height.max())))
