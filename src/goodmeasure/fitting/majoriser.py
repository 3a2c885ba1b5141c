"""A curvature that trains: under it a second-order step, such as a leaf of boosted trees takes, goes not too far.

A booster moves a leaf by the sum of its rows' signals over the sum of their curvatures. Where the loss is strictly convex the
exact curvature serves. Elsewhere it is zero (absolute error trains nothing by it) or negative, and a majoriser takes its place:
the curvature of a parabola that touches the loss at the raw output and lies above it (Hunter and Lange 2000, Quantile
regression via an MM algorithm; de Leeuw and Lange 2009, Sharp quadratic majorization in one dimension).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from goodmeasure import kernels
from goodmeasure.deriving import class_statistics, numbers, predictions
from goodmeasure.deriving.record import Record
from goodmeasure.formulas.activations import linear
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.traits import asked

# Beyond this many times the way to the row's best raw output, its exact step is replaced by the majoriser's.
_FARTHEST = 100.0
# Within this part of the mean way of all rows to their best raw outputs a majoriser grows no further, or one row that is there
# already could hold a leaf fast. So near, the parabola is no bound any more, and depends on the other rows.
_NEAR = 0.2
# Raw outputs around which the largest curvature is taken where a half of the loss falls for ever: the reach of a step.
_REACH = (-1.0, -0.5, 0.0, 0.5, 1.0)
# Parts of the natural way that are tried where several raw outputs have no curvature at all.
_WAYS = (0.1, 0.3, 1.0, 3.0)
# Rows whose matrices of second derivatives are held at a time.
_ROWS = 1 << 14

# A tree of one class does not see those of the others, so hosts take its curvature times something for them: 2 bounds what
# they can do (XGBoost), K / (K - 1) is Friedman's (LightGBM), and 1 leaves it to small steps (scikit-learn).
Widening = Callable[[int], float]


def signal(loss: Record, y: Any, z: Floats) -> Floats:
    """The learning signal of each row, compiled where there are many."""
    found = kernels.table(loss, "signal", y, z)
    return np.asarray(numbers.gradient(loss, y, z) if found is None else found)


def curvature(loss: Record, y: Any, z: Floats, pull: Floats, widening: Widening) -> Floats:
    """A curvature for each raw output, exact where the loss is strictly convex and never negative.

    ``pull`` is the signal there. Of several raw outputs each has the sum of its row of second derivatives, as sizes, which
    bounds what all of them do together; of convex losses of classes, what a host makes of the diagonal: see `Widening`.
    """
    if z.ndim > 1:
        return _of_several(loss, y, z, pull, widening)
    if _holds(loss, "strictly_convex"):
        return _reined(loss, y, z, pull, _exact(loss, y, z))
    if not loss.is_binary:
        return _around(loss, y, z, pull, _best(loss, y, z))
    shares = (y != 0) & (y != 1)
    if not shares.any():
        return _yes_no(loss, y, z, pull)
    yes, no = np.ones_like(z), np.zeros_like(z)
    each = (_yes_no(loss, at, z, signal(loss, at, z)) for at in (no, yes))
    away, toward = each
    return np.asarray((1 - y) * away + y * toward)


@cache
def _holds(loss: Record, name: str) -> bool:
    found = asked(loss.one_label, name)
    return found is not None and found.holds


def _exact(loss: Record, y: Any, z: Floats) -> Floats:
    found = kernels.table(loss, "curvature", y, z)
    return np.asarray(numbers.hessian(loss, y, z) if found is None else found)


def _reined(loss: Record, y: Any, z: Floats, pull: Floats, exact: Floats) -> Floats:
    """The exact curvature, but for rows whose own step would go a hundred times too far, as log-cosh's far from the target."""
    if loss.is_binary or loss.activation != (linear,):
        return exact
    way = np.abs(z - y)
    far = np.abs(pull) > _FARTHEST * way * exact
    return np.where(far, _ratio(np.abs(pull), way, 0.0), exact) if far.any() else exact


def _ratio(pull: Floats, way: Floats, near: float) -> Floats:
    """Pull over way, of which no way counts as nearer than ``near``; zero where there is no pull."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(pull == 0, 0.0, pull / np.maximum(way, near))


def _around(loss: Record, y: Any, z: Floats, pull: Floats, best: Floats) -> Floats:
    """The majoriser by the mirror image on the other side of the best raw output; the exact curvature where that is larger."""
    way = np.abs(z - best)
    reach = way[np.isfinite(way)]
    near = _NEAR * float(reach.mean()) if reach.size else 0.0
    mirrored = np.where(np.isfinite(best), 2 * best - z, z).astype(z.dtype)
    both = np.abs(pull - signal(loss, y, mirrored)) / 2
    exact = np.maximum(_exact(loss, y, z), 0)
    return np.where(np.isfinite(way), np.maximum(exact, _ratio(both, way, near)), exact)


def _best(loss: Record, y: Any, z: Floats) -> Floats:
    """The raw output at which each row costs least, as far as the activation reaches it."""
    return np.asarray(predictions.raw_before_activation(loss, np.asarray(y, dtype=np.float64)), dtype=np.float64)


# --- yes or no ---


def _yes_no(loss: Record, y: Any, z: Floats, pull: Floats) -> Floats:
    """For rows that are all yes or no: the mirror where a half has a lowest point, else the largest curvature near by."""
    lowest = np.where(y == 1, _lowest(loss, 1), _lowest(loss, 0))
    if np.isfinite(lowest).all():
        # A half is flat beyond its lowest point, where the mirror would let a step go as far again.
        return np.maximum(_around(loss, y, z, pull, lowest), _ratio(np.abs(pull), np.abs(z - lowest), _NEAR))
    near = [np.abs(_exact(loss, y, (z + step).astype(z.dtype))) for step in _REACH]
    return np.asarray(np.max(near, axis=0))


@cache
def _lowest(loss: Record, outcome: int) -> float:
    """The raw output nearest to zero at which this outcome costs least; infinite where its cost falls for ever."""
    far = np.logspace(-3, 3, 121)
    raw = np.concatenate([-far[::-1], [0.0], far])
    for _ in range(8):
        cost = numbers.value(loss, np.full(raw.shape, float(outcome)), raw)
        least = np.flatnonzero(cost <= cost.min() + 1e-12 * max(1.0, abs(float(cost.min()))))
        at = int(least[np.argmin(np.abs(raw[least]))])
        if abs(raw[at]) > 10:  # no loss turns so far out: what is flat there is rounded away
            return math.copysign(math.inf, raw[at])
        lowest = float(raw[at])
        raw = np.linspace(raw[max(at - 1, 0)], raw[min(at + 1, len(raw) - 1)], 33)
    return lowest


# --- several raw outputs ---


def _of_several(loss: Record, y: Any, z: Floats, pull: Floats, widening: Widening) -> Floats:
    if (times := _times_surprise(loss)) is not None and np.ndim(y) == 1:
        # The pull is p, or p - 1 of the class that happened, so that it tells p (1 - p); hosts divide by it.
        size = np.abs(pull)
        bent = size * (1 - size / z.dtype.type(times)) * z.dtype.type(widening(z.shape[1]))
        return np.asarray(np.maximum(bent, np.finfo(z.dtype).eps ** 2))
    if loss.is_classwise and _holds(loss, "convex"):
        found = numbers.hessian(loss, y, z) * z.dtype.type(widening(z.shape[1]))
    else:
        found = _sums_of_rows(loss, y, z)
    flat = (found == 0) & (pull != 0)
    return np.where(flat, _by_trying(loss, y, z, pull), found) if flat.any() else np.asarray(found)


@cache
def _times_surprise(loss: Record) -> float | None:
    """How many times minus the logarithm of what happened a loss of classes is; None where it is something else."""
    slopes = class_statistics.by_statistic(loss.composed) if loss.is_classwise and not loss.class_weight else {}
    slope = slopes["log_p"].number if slopes.keys() == {"log_p"} else None
    return None if slope is None else -float(slope)


def _sums_of_rows(loss: Record, y: Any, z: Floats) -> Floats:
    found = np.empty_like(z)
    for start in range(0, len(z), _ROWS):
        rows = slice(start, start + _ROWS)
        found[rows] = np.abs(numbers.hessian(loss, y[rows], z[rows], full=True)).sum(axis=-1)
    return found


def _by_trying(loss: Record, y: Any, z: Floats, pull: Floats) -> Floats:
    """Where lines meet in kinks: how fast the pull of each raw output changes along the way that it points."""
    natural = 1.0 if loss.is_classwise else float(np.abs(z - np.asarray(y)[:, None]).mean())
    steepest = np.zeros_like(z)
    for k in range(z.shape[1]):
        for way in _WAYS:
            moved = z.copy()
            moved[:, k] -= way * natural * np.sign(pull[:, k])
            change = np.abs(signal(loss, y, moved)[:, k] - pull[:, k]) / (way * natural)
            steepest[:, k] = np.maximum(steepest[:, k], change)
    return steepest
