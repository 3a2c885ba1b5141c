"""The exact minimum of a sum of functions made of straight lines: a primal-dual interior point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.fitting import design
from goodmeasure.fitting.newton import Watch, back, solve, well_conditioned
from goodmeasure.statistics.row_arguments import Floats

# How much of the way to the boundary a step goes.
_STAY_INSIDE = 0.9995
# Where slacks are too small for numbers to tell apart, every row is met exactly.
EXHAUSTED = 1e-290


@dataclass(frozen=True)
class Lines:
    """Minimise ``sum(max(left * (X w - at), right * (X w - at))) + sum(penalty * w**2) / 2`` over w.

    ``ones``: X has one more column at its end, of ones, which is not in ``features``.
    """

    features: Any
    at: Floats
    left: Floats
    right: Floats
    penalty: Floats
    ones: bool = False

    @property
    def width(self) -> int:
        """How many numbers w holds."""
        return int(self.features.shape[1]) + int(self.ones)

    def written(self) -> Lines:
        """The same with the column of ones written down, if there is one."""
        return self.of(np.arange(len(self.at)), 1.0) if self.ones else self

    def of(self, rows: NDArray[np.intp], share: float) -> Lines:
        """Some of the rows, which are such a share of all, with that share of the penalty."""
        features = design.with_ones(self.features, rows, ones=self.ones)
        return Lines(features, self.at[rows], self.left[rows], self.right[rows], self.penalty * share)

    def beyond(self, w: Floats) -> Floats:
        """How far each row is above its kink."""
        found = design.raw(self.features, w, ones=self.ones)
        found -= self.at
        return found

    def value_at(self, beyond: Floats, w: Floats) -> float:
        """The objective, where it is known how far rows are above their kinks."""
        return float(np.maximum(self.left * beyond, self.right * beyond).sum() + self.penalty @ w**2 / 2)

    def value(self, w: Floats) -> float:
        """The objective."""
        return self.value_at(self.beyond(w), w)

    def pull(self, slope: Floats) -> Floats:
        """A slope of each row's lines as one of w."""
        return design.pull(self.features, slope, ones=self.ones)

    def bound(self, slope: Floats, w: Floats) -> float:
        """What no w near this one can undercut, by convex duality: ``slope`` holds one slope of each row's lines."""
        left_over = abs(self.pull(slope) + self.penalty * w)
        return float(-self.at @ slope - left_over @ np.abs(w) - self.penalty @ w**2 / 2)


def minimise(lines: Lines, start: Floats, *, tol: float, max_iter: int, watch: Watch) -> tuple[Floats, float, int]:
    """The minimum, the proven gap to the optimum, and the number of steps."""
    best, gap, steps = solved(lines, start, tol=tol, max_iter=max_iter, watch=watch)
    return best.w, gap, steps


def solved(lines: Lines, start: Floats, *, tol: float, max_iter: int, watch: Watch) -> tuple[Point, float, int]:
    """The same with the slopes of the rows at the minimum."""
    lines = lines.written()
    best = point = Point.first(lines, start)
    best_gap, first, steps = np.inf, lines.value(start), 0
    while steps < max_iter and point.complementarity > EXHAUSTED:
        moved, reach = step(lines, point)
        if not np.isfinite(moved.w).all():
            break
        point, steps = moved, steps + 1
        value = lines.value(point.w)
        gap = value - lines.bound(point.slope, point.w)
        if gap < best_gap:
            best, best_gap = point, gap
        if watch(point.w, value) or gap <= tol * max(abs(value), 1e-3 * abs(first)) or reach < 1e-10:
            break
    return best, max(best_gap, 0.0), steps


@dataclass(frozen=True)
class Point:
    """Where the interior point stands: w, a slope between its two lines for each row, and how far each row is above and
    below its kink. The slacks ``up`` and ``down`` of the slope, ``above`` and ``below`` all stay positive."""

    w: Floats
    slope: Floats
    up: Floats
    down: Floats
    above: Floats
    below: Floats

    @staticmethod
    def first(lines: Lines, w: Floats) -> Point:
        """A point well inside: the middle slopes, and distances a tenth of the typical one away from zero."""
        beyond = lines.beyond(w)
        away = 0.1 * (float(np.abs(beyond).mean()) or 1.0)
        half = (lines.right - lines.left) / 2
        middle = (lines.left + lines.right) / 2
        return Point(w, middle, half, half, np.maximum(beyond, 0) + away, np.maximum(-beyond, 0) + away)

    def moved(self, move: tuple[Floats, ...], reach: float) -> Point:
        """The point after part of a move of w, slope, above and below."""
        dw, ds, da, db = (reach * m for m in move)
        # Slacks move with the slope: taken from it anew, they would be rounded to zero next to its ends.
        return Point(self.w + dw, self.slope + ds, self.up - ds, self.down + ds, self.above + da, self.below + db)

    def reach(self, move: tuple[Floats, ...]) -> float:
        """How far the point can move without a slack reaching zero."""
        _, ds, da, db = move
        pairs = ((self.up, -ds), (self.down, ds), (self.above, da), (self.below, db))
        fastest = -min(float((change / slack).min(initial=0.0)) for slack, change in pairs)
        return min(1.0, _STAY_INSIDE / fastest) if fastest > 0 else 1.0

    @property
    def complementarity(self) -> float:
        """The mean product of slacks that are zero together at the optimum."""
        return float(self.above @ self.up + self.below @ self.down) / (2 * len(self.slope))


def step(lines: Lines, point: Point, bend: Floats | None = None) -> tuple[Point, float]:
    """One step of Mehrotra's predictor and corrector (Portnoy and Koenker 1997), by normal equations X' D X.

    Optimal are X' slope + penalty w = 0 and X w - at = above - below, where above and the upper slack of the slope are
    never both positive, nor below and the lower one. ``bend`` is what else the slopes of w change by, where rows of lines are
    the tangents of curves. Returns the new point and the part of the step that was taken.
    """
    stiff = point.above / point.up + point.below / point.down
    normal = design.gram(lines.features, 1 / stiff)
    normal.flat[:: len(normal) + 1] += lines.penalty
    system = _solver(normal, bend), stiff
    nothing = np.zeros(1)
    predicted = _move(lines, point, system, (nothing, nothing, 0.0))
    now = point.complementarity
    centring = (point.moved(predicted, point.reach(predicted)).complementarity / now) ** 3
    _, ds, da, db = predicted
    move = _move(lines, point, system, (-da * ds, db * ds, centring * now))
    reach = point.reach(move)
    return point.moved(move, reach), reach


def _solver(normal: Floats, bend: Floats | None) -> Callable[[Floats], Floats]:
    """The solution of normal equations: with a bend where they stay definite with it."""
    factor = None if bend is None else well_conditioned(normal + bend)
    factor = well_conditioned(normal) if factor is None else factor
    return partial(solve, normal) if factor is None else partial(back, factor)


def _move(
    lines: Lines, point: Point, system: tuple[Callable[[Floats], Floats], Floats], aim: tuple[Floats, Floats, float]
) -> tuple[Floats, ...]:
    """Newton's step for a complementarity to aim at, with second-order corrections of both products."""
    solved, stiff = system
    above_more, below_more, target = aim
    x = lines.features
    rise = (target - above_more) / point.up - point.above
    fall = (target - below_more) / point.down - point.below
    rest = x @ point.w - lines.at - point.above + point.below - rise + fall
    pull = x.T @ point.slope + lines.penalty * point.w
    dw = solved(-pull - x.T @ (rest / stiff))
    ds = (x @ dw + rest) / stiff
    return dw, ds, rise + point.above / point.up * ds, fall - point.below / point.down * ds
