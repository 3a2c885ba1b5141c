"""How large a loss can get: whatever happens, and where its own probabilities are true."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from goodmeasure.deriving import numbers
from goodmeasure.deriving.implied_probability import class_log_probabilities, implies_probability, log_odds
from goodmeasure.deriving.record import Record
from goodmeasure.formulas.elementary_words import where
from goodmeasure.formulas.expression import Expr, less, less_equal

_FAR = (1e3, 1e6, 1e9, 1e12)
# Raw outputs whose probabilities are still numbers, near and far out.
_NEAR_ODDS, _FAR_ODDS = (10.0, 20.0, 40.0), (80.0, 160.0, 320.0)
_SIZES = (0.01, 0.1, 1.0, 3.0, 10.0, 100.0, 1e3)
_SAME = 1 + 1e-6


@cache
def bounded(loss: Record) -> bool:
    """Whether the loss stays below a bound however wrong a prediction is (tried): it no longer grows from 1e9 to 1e12."""
    with np.errstate(all="ignore"):
        near, far = (max(_largest(loss, size) for size in sizes) for sizes in (_FAR[:3], _FAR[3:]))
    return bool(np.isfinite(far)) and far <= near * _SAME


def is_hit_or_miss(loss: Record) -> bool:
    """Whether the formula is 0 or 1 whatever happens, as it is written: then its mean is a share of rows."""
    return not loss.labels and _constants(loss.settled) <= {0.0, 1.0}


def _constants(formula: Expr) -> set[float]:
    """The numbers that a formula chooses among; NaN stands for all others."""
    if formula.number is not None:
        return {float(formula.number)}
    if formula.word in (less, less_equal):
        return {0.0, 1.0}
    return set().union(*map(_constants, formula.args[1:])) if formula.word is where else {math.nan}


@cache
def extent(loss: Record) -> tuple[float, float]:
    """Between which numbers the loss lies whatever happens (tried): zero where it is never less, and its bound."""
    if loss.labels:
        return -np.inf, np.inf
    with np.errstate(all="ignore"):
        least = min(_least(loss, size) for size in _SIZES)
        large = [_largest(loss, size) for size in (*_SIZES, *_FAR)]
    # A loss that rises to its bound is nowhere larger than far out; one that swings says no bound.
    rises = all(near <= far * _SAME for near, far in pairwise(large))
    return (0.0 if least >= 0 else -np.inf), (large[-1] if rises and bounded(loss) else np.inf)


def _least(loss: Record, size: float) -> float:
    """The least loss of targets with raw outputs of this size; minus infinity where one is no number."""
    y, z = _extremes(loss, size)
    found = [np.asarray(numbers.value(loss, y, part * z), dtype=np.float64) for part in (0.0, 0.1, 0.5, 1.0)]
    return -np.inf if np.isnan(found).any() else float(np.min(found))


def _largest(loss: Record, size: float) -> float:
    """The largest loss of raw outputs of this size; infinite where one is no number."""
    y, z = _extremes(loss, size)
    found = np.asarray(numbers.value(loss, y, z), dtype=np.float64)
    return float(found.max()) if np.isfinite(found).all() else np.inf


def _extremes(loss: Record, size: float) -> tuple[Any, Any]:
    """Targets, small and large, each with every raw output of this size."""
    if loss.is_classwise:
        classes = len(loss.class_weight) or 3
        return np.repeat(np.arange(classes), classes), np.tile(np.eye(classes) * size, (classes, 1))
    outputs = len(loss.activation)
    targets = np.array([0.0, 1.0]) if loss.is_binary else _targets(loss, size)
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * outputs)).reshape(outputs, -1).T * size
    z = np.tile(signs if outputs > 1 else signs[:, 0], (len(targets), 1) if outputs > 1 else len(targets))
    return np.repeat(targets, 2**outputs), z


def _targets(loss: Record, size: float) -> Any:
    """Zero or the least target, and the largest."""
    if loss.is_graded:
        return np.arange(loss.target.high + 1)
    ends_known = math.isfinite(loss.target.high - loss.target.low)
    low, high = loss.target.low, loss.target.high
    low, high = (low, high) if ends_known else (max(low, -size), min(high, size))
    inside = [0.0] if low < 0 < high else []
    edge = 1.0 if loss.target.whole else 1e-6
    ends = [low + edge if loss.target.low_open else low, high - edge if loss.target.high_open else high]
    return np.array([*ends, *inside])


@cache
def tame_if_calibrated(loss: Record) -> bool:
    """Whether the variance of the loss exists wherever its own probabilities are true (tried).

    A loss of t then has the probability that the prediction gave to what costs t: for cross-entropy K exp(-t) at most. So
    what is asked is whether the sum of p loss² over what may happen stays below a bound, however sure the prediction.
    """
    if not (loss.is_binary or loss.is_classwise) or not implies_probability(loss):
        return False
    with np.errstate(all="ignore"):
        near, far = (max(_second_moment(loss, size) for size in sizes) for sizes in (_NEAR_ODDS, _FAR_ODDS))
    return bool(np.isfinite(far)) and far <= near * _SAME


def _second_moment(loss: Record, size: float) -> float:
    """The expected squared loss of raw outputs of this size, by the probabilities that they stand for."""
    if loss.is_classwise:
        classes = len(loss.class_weight) or 3
        rows = np.concatenate([np.eye(classes), -np.eye(classes)]) * size
        p = np.exp(class_log_probabilities(loss, rows))
        each = [numbers.value(loss, np.full(len(rows), k), rows) for k in range(classes)]
        return float((p * np.stack(each, axis=1) ** 2).sum(axis=1).max())
    z = np.array([-size, size])
    odds = log_odds(loss, z)
    yes, no = (
        numbers.value(loss, np.full(2, k), z) ** 2 / (1 + np.exp(side * odds)) for k, side in ((1.0, -1), (0.0, 1))
    )
    return float((yes + no).max())
