"""Bounds that a new number keeps as often as a level says, however such numbers are distributed: conformal prediction."""

from __future__ import annotations

import math

import numpy as np

from goodmeasure.statistics.row_arguments import Floats

# Ranks are whole numbers but for rounding, and so are sums of equal weights.
ROUNDING = 1e-9


def conformal_rank(n: int, error: float) -> int:
    """Which of ``n`` sorted calibration scores bounds a new one with probability at least ``1 - error``.

    It covers exactly ``rank / (n + 1)`` for continuous scores (Vovk et al. 2005); n + 1 means: no finite bound.
    """
    return math.ceil(_needed(n, 1 - error))


def _needed(rows: float, level: float) -> float:
    """How many of so many rows must lie at or below a bound, and the new row itself be counted as above it."""
    return (rows + 1) * level - ROUNDING


def least_rows(level: float) -> int:
    """How many rows there must be for a finite bound that a new one keeps as often as the level says."""
    return math.ceil(1 / min(level, 1 - level) - 1 - ROUNDING)


def conformal_bound(scores: Floats, w: Floats, level: float, rows: float) -> float:
    """The bound of this level: over one half a new score lies at or below it with at least this probability, under one half
    below it with at most this one; infinite where rows are too few.

    ``rows`` is how many rows of equal weight the scores are of.
    """
    return _above(scores, w, level, rows) if level > 0.5 else -_above(-scores, w, 1 - level, rows)


def _above(scores: Floats, w: Floats, level: float, rows: float) -> float:
    """The least score that has enough weight at or below it: of equal weights the one of the conformal rank."""
    order = np.argsort(scores, kind="stable")
    held = np.cumsum(w[order])
    at = int(np.searchsorted(held, _needed(rows, level) / rows * held[-1] * (1 - ROUNDING / rows)))
    return float(scores[order[at]]) if at < len(order) else math.inf
