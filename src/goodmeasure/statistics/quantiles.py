"""Quantiles of weighted rows: a whole weight k gives what k copies of the row give."""

from __future__ import annotations

import numpy as np

from goodmeasure.statistics.row_arguments import Floats


def weighted_quantile(values: Floats, w: Floats, level: float) -> float:
    """The smallest value with at least ``level`` of the weight at or below it."""
    return float(weighted_quantiles(values, w, np.array([level]))[0])


def weighted_quantiles(values: Floats, w: Floats, levels: Floats) -> Floats:
    """For each level the smallest value with at least that much of the weight at or below it."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(w[order])
    place = np.searchsorted(reached, levels * reached[-1])
    return np.asarray(values[order][np.minimum(place, len(values) - 1)])


def weighted_median(values: Floats, w: Floats) -> float:
    """The middle between the smallest and the largest value with half of the weight on either side."""
    return weighted_quantile(values, w, 0.5) / 2 - weighted_quantile(-values, w, 0.5) / 2
