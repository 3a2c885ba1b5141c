"""The last digits of a minimum of straight lines: from near it, where an interior point stops, to the rows that it lies on.

The rows that an interior point is about to meet are met exactly, and their slopes made to balance those of all others: that is
the corner of the linear programme, or the middle of a face of it, or what a penalty makes of both, with its certificate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goodmeasure.fitting import interior
from goodmeasure.fitting.interior import Lines, Point
from goodmeasure.fitting.newton import Watch
from goodmeasure.statistics.row_arguments import Floats

# Of more numbers than this it takes longer than it tells; and of rows at kinks, so many a number.
_WIDEST, _ROWS = 200, 8
# Directions in which rows are so much shorter than in the longest are none.
_SINGULAR = 1e-10
# Rows are met where they are nearer to their kinks than this part of how far apart these are.
_HARDLY = 1e-6
# A gap of this part of the objective is rounding. Where it is more, the interior point has not told which rows it meets, and
# makes so many more steps.
_ROUNDING, _FURTHER = 1e-14, 5


@dataclass(frozen=True)
class Corner:
    """w, a slope of each row's lines that proves it, what both are apart, and the number of steps."""

    w: Floats
    slope: Floats
    gap: float
    steps: int


def minimise(lines: Lines, start: Floats, *, tol: float, max_iter: int, watch: Watch) -> Corner:
    """The minimum, to the last digits where the rows that it lies on are told; at least as near as ``tol`` asks."""
    lines, stopped = lines.written(), False

    def seen(w: Floats, value: float) -> bool:
        nonlocal stopped
        stopped = watch(w, value)
        return stopped

    point, _, steps = interior.solved(lines, start, tol=tol, max_iter=max_iter, watch=seen)
    found = reached = _held(lines, point.w, point.slope, steps)
    if stopped or len(start) > _WIDEST:
        return found
    for step in range(steps, min(steps + _FURTHER, max_iter) + 1):
        inside = _held(lines, point.w, point.slope, step)
        found = min(found, inside, _at_kinks(lines, point, step) or inside, key=lambda each: each.gap)
        if found.gap <= _ROUNDING * abs(lines.value(found.w)) or point.complementarity <= interior.EXHAUSTED:
            break
        point, _ = interior.step(lines, point)
    if found is not reached:
        watch(found.w, lines.value(found.w))
    return found


def _held(lines: Lines, w: Floats, slope: Floats, steps: int) -> Corner:
    """How far what w reaches is from what slopes within their ends prove; infinitely where either is no number."""
    slope = np.clip(slope, lines.left, lines.right)
    gap = max(lines.value(w) - lines.bound(slope, w), 0.0)
    return Corner(w, slope, gap if np.isfinite(gap) else np.inf, steps)


def _at_kinks(lines: Lines, point: Point, steps: int) -> Corner | None:
    """Where the rows that the point is about to meet are met, and all others lie on their side; None if none can be told."""
    met = _met(lines, point)
    if not 0 < len(met) <= _ROWS * len(point.w):
        return None
    part = lines.features[met]
    part = part if isinstance(part, np.ndarray) else part.toarray()
    left, size, right = np.linalg.svd(part)
    rank = int((size > _SINGULAR * size[0]).sum())
    left, size, right, free = left[:, :rank], size[:rank], right[:rank], right[rank:]
    w = point.w - right.T @ (left.T @ (part @ point.w - lines.at[met]) / size)
    slope = np.where(point.above > point.below, lines.right, lines.left)
    slope[met] = point.slope[met]
    if len(free) and lines.penalty.any():
        bend = free * lines.penalty @ free.T
        w = w - free.T @ np.linalg.lstsq(bend, free @ (lines.pull(slope) + lines.penalty * w))[0]
    slope[met] -= left @ (right @ (lines.pull(slope) + lines.penalty * w) / size)
    return _held(lines, w, slope, steps)


def _met(lines: Lines, point: Point) -> NDArray[np.intp]:
    """The rows whose slopes are farther from their ends than they are from their kinks, in units of each."""
    if not np.isfinite(point.w).all():
        return np.empty(0, dtype=np.intp)
    # Where most rows are met, how far targets lie apart says what is far.
    spread = np.median(np.abs(lines.at - np.median(lines.at)))
    far = float(max(np.median(np.abs(point.above - point.below)), _HARDLY * spread)) or 1.0
    apart = lines.right - lines.left
    return np.flatnonzero((point.above / far < point.up / apart) & (point.below / far < point.down / apart))
