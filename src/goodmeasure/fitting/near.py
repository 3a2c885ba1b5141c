"""The exact minimum of a sum of functions made of straight lines over many rows: only those near the plane are solved.

A part of the rows says where the plane about lies. On one side of it a row is a straight line, and all far rows of a side are one
row (Portnoy and Koenker 1997); the near ones are solved with these, which leaves out nothing that would make the objective
less, so what they prove is proven of all rows. Rows that change sides on the way there are added, and the next look begins
where the objective is least on the way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goodmeasure.fitting import corner, design, interior
from goodmeasure.fitting.corner import Corner
from goodmeasure.fitting.interior import Lines
from goodmeasure.fitting.newton import Watch, unwatched
from goodmeasure.fitting.sampled import spread
from goodmeasure.statistics.row_arguments import Floats

# From so many rows on most are left out; the part that says where has this share of them, but at least so many rows a parameter.
_MANY, _SHARE, _ROWS = 4_000, 1 / 8, 40
# Between the planes of the part and of all lie about the root of rows times parameters, over the share; so many times as many
# are near.
_WIDE = 1.5
# How near the least of the part is looked for, and that of all rows before it is known which of them are near.
_ROUGH, _NEAR = 1e-3, 1e-4
# Where the least is nearly known, this share of the rows is near, and so many rows a parameter at least.
_NARROWER, _FEWEST = 1 / 3, 10
# Where so many others as this share of them change sides, twice as many are near.
_WRONG = 1 / 4


def minimise(lines: Lines, start: Floats, *, tol: float, max_iter: int, watch: Watch) -> tuple[Floats, float, int]:
    """The minimum, the proven gap to the optimum, and the number of steps."""
    size = _size(lines)
    if not size:
        found = _solved(lines, start, tol=tol, max_iter=max_iter, watch=watch)
        return found.w, found.gap, found.steps
    part = lines.of(spread(len(lines.at), size), share=size / len(lines.at))
    w, _, steps = minimise(part, start, tol=_ROUGH, max_iter=max_iter, watch=unwatched)
    here, least, goal = _Place.of(lines, w), -np.inf, max(tol / 2, _NEAR)
    near = int(_WIDE * np.sqrt(len(lines.at) * lines.width / _SHARE))
    kept = here.nearest(near)
    while True:
        reduced = _reduced(lines, kept, here.beyond > 0)
        found = _solved(reduced, here.w, tol=goal, max_iter=max_iter - steps, watch=unwatched)
        steps, least = steps + found.steps, max(least, reduced.bound(found.slope, found.w))
        there = _Place.of(lines, found.w)
        crossed = ~kept & there.turned(here)
        here = here.toward(there, lines)
        gap, strangers = max(here.value - least, 0.0), int(crossed.sum())
        done = goal <= tol and (gap <= tol * abs(here.value) or not strangers)
        if watch(here.w, here.value) or done or steps >= max_iter:
            return here.w, gap, steps
        if strangers > _WRONG * near:
            near, added = 2 * near, kept
        else:
            near, added = max(int(near * _NARROWER), _FEWEST * lines.width), kept & (goal <= tol) | crossed
            goal = tol / 2
        kept = here.nearest(near) | added


def _solved(lines: Lines, start: Floats, *, tol: float, max_iter: int, watch: Watch) -> Corner:
    """The minimum of a few rows: to the last digits, unless it is only asked where about it lies."""
    if tol < _NEAR:
        return corner.minimise(lines, start, tol=tol, max_iter=max_iter, watch=watch)
    point, gap, steps = interior.solved(lines, start, tol=tol, max_iter=max_iter, watch=watch)
    return Corner(point.w, point.slope, gap, steps)


def _size(lines: Lines) -> int:
    """How many rows the part has; none where all rows are solved at once."""
    rows, size = len(lines.at), max(int(len(lines.at) * _SHARE), _ROWS * lines.width)
    suits = rows >= _MANY and size <= rows / 3 and ((lines.left <= 0) & (lines.right >= 0)).all()
    return size if suits else 0


@dataclass(frozen=True)
class _Place:
    """A plane, how far each row is above its kink there, and the objective."""

    w: Floats
    beyond: Floats
    value: float

    @staticmethod
    def of(lines: Lines, w: Floats) -> _Place:
        beyond = lines.beyond(w)
        return _Place(w, beyond, lines.value_at(beyond, w))

    def nearest(self, size: int) -> NDArray[np.bool_]:
        """Which rows are the nearest to the plane, so many of them."""
        far = np.abs(self.beyond)
        if size >= len(far):
            return np.ones(len(far), dtype=bool)
        found: NDArray[np.bool_] = far <= np.partition(far, size)[size]
        return found

    def turned(self, other: _Place) -> NDArray[np.bool_]:
        """Which rows lie on another side than there."""
        found: NDArray[np.bool_] = (self.beyond > 0) != (other.beyond > 0)
        return found

    def toward(self, there: _Place, lines: Lines) -> _Place:
        """Where the objective is least on the way to another place."""
        reach = self._reach(there, lines)
        w, beyond = ((1 - reach) * a + reach * b for a, b in ((self.w, there.w), (self.beyond, there.beyond)))
        found = _Place(w, beyond, lines.value_at(beyond, w))
        return there if there.value <= found.value else found

    def _reach(self, there: _Place, lines: Lines) -> float:
        """The part of the way where the slope of the objective turns: at a row that changes sides, or between two of them."""
        way, moved = there.beyond - self.beyond, there.w - self.w
        rows = np.flatnonzero(there.turned(self))
        rows = rows[np.argsort(-self.beyond[rows] / way[rows])]
        ends = np.append(-self.beyond[rows] / way[rows], 1.0)
        turns = np.abs(way[rows]) * (lines.right - lines.left)[rows]
        slope = np.where(self.beyond > 0, lines.right, lines.left) @ way + (lines.penalty * self.w) @ moved
        slopes = slope + np.append(0.0, np.cumsum(turns))
        bend = float(lines.penalty @ moved**2)
        rising = np.flatnonzero(slopes + ends * bend >= 0)
        if not len(rising):
            return 1.0
        at = rising[0]
        begin = ends[at - 1] if at else 0.0
        return float(np.clip(-slopes[at] / bend, begin, ends[at]) if bend else begin)


def _reduced(lines: Lines, kept: NDArray[np.bool_], right: NDArray[np.bool_]) -> Lines:
    """The rows that are kept, and all others of each side as one row, which counts as long as it lies on its side."""
    near = lines.of(np.flatnonzero(kept), 1.0)
    sides = [np.where(~kept & right, lines.right, 0.0), np.where(~kept & ~right, lines.left, 0.0)]
    return Lines(
        design.stacked(near.features, np.vstack([lines.pull(side) for side in sides])),
        np.concatenate([near.at, [side @ lines.at for side in sides]]),
        np.concatenate([near.left, [0.0, 0.0]]),
        np.concatenate([near.right, [1.0, 1.0]]),
        lines.penalty,
    )
