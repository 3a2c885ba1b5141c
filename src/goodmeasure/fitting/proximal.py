"""Newton's method where the sizes of the coefficients cost too (L1, elastic net), so that many of them are exactly zero.

A step minimises the quadratic model of the smooth part plus that cost (proximal Newton: Lee, Sun and Saunders 2014). Only
features whose coefficient is not zero, or should not stay so, are in a step; the rest is looked at once those have settled
(working sets: Massias, Gramfort and Salmon 2018). How far the end is from the least says `duality`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from goodmeasure.fitting import coordinates, newton
from goodmeasure.fitting.duality import Penalties
from goodmeasure.fitting.newton import Reached, Watch
from goodmeasure.fitting.objective import Objective, Smooth
from goodmeasure.statistics.row_arguments import Floats

# While features wait, those that are in are settled to this part of what all could gain. So many of those that wait come in at a
# time, at least, times the root of how many features there are: their products take a few times as long as one look at all.
_ROUGH, _NEW = 0.1, 3.0
# Where a step by a curvature of before leaves more than this part of what was left, it is asked for anew.
_SLOW = 0.05
# So many times the spread of targets and raw outputs is the widest look at how rows bend that bend nowhere.
_WIDEST = 100.0
# The model of a step is solved to this part of what may be left at the end, or to this part of what is left now.
_WITHIN, _INEXACT = 0.1, 0.01
_HALVINGS = 60
# A step that lowers the objective by no more than so many times its rounding is judged by what is left after it.
_UNSEEN = 4.0


class Penalised(Smooth, Protocol):
    """What a proximal step asks of an objective, wherever its rows are."""

    @property
    def l1(self) -> Floats:
        """What the size of each parameter costs."""

    @property
    def penalty(self) -> Floats:
        """What half the square of each parameter costs."""

    @property
    def outputs(self) -> int:
        """How many raw outputs a row has."""

    @property
    def intercept(self) -> bool:
        """Whether the last row of parameters is a constant."""

    def size(self, theta: Floats) -> float:
        """The mean size of a row's loss, and the penalty."""

    def pull(self, theta: Floats) -> float:
        """The mean size of the rows' signals."""


def minimise(objective: Objective, start: Floats, *, tol: float, max_iter: int, watch: Watch) -> Reached:
    """The parameters at the least of the objective and ``objective.l1`` times the sizes of the coefficients."""
    theta, steps = _resumed(objective, start), 0
    most, width, bend = objective.size(start), objective.features.shape[1], _Bend()
    if watch(theta, value_of(objective, theta)):
        return Reached(theta, 0, False, stopped=True)
    while True:
        gap, near = gap_of(objective, theta, most), near_enough(objective, theta, tol)
        kept = np.flatnonzero(theta[:width].any(axis=1))
        outside = _outside(objective, theta, kept, near / most if most else np.inf)
        kept = np.union1d(kept, outside[: max(int(_NEW * np.sqrt(width)), len(kept) // 2)])
        whole = _Whole(objective, kept, watch)
        found = settled(
            part := objective.columns(kept),
            whole.narrowed(theta),
            most=most,
            aim=max(near / 2, _ROUGH * gap if len(outside) else 0.0),
            max_iter=max_iter - steps,
            watch=whole,
            bend=partial(bend.of, part, kept),
        )
        moved = found.steps > 0
        theta, steps = whole.widened(found.theta) if moved else theta, steps + found.steps
        if not found.converged:
            return Reached(theta, steps, False, stopped=found.stopped)
        if gap_of(objective, theta, most) <= near_enough(objective, theta, tol) or not moved:
            objective.ended("sizes", theta)
            return Reached(theta, steps, True)


def minimise_whole(
    objective: Penalised,
    start: Floats,
    *,
    most: float,
    tol: float,
    max_iter: int,
    watch: Watch,
    bend: Callable[[Floats, float | None], tuple[Floats, bool]],
    served: bool = False,
) -> Reached:
    """The same where all features are in each step, as where one look at the rows tells how all of them bend."""
    found = Reached(start, 0, True)
    while True:
        near, before = near_enough(objective, found.theta, tol), found
        found = settled(
            objective,
            before.theta,
            most=most,
            aim=near / 2,
            max_iter=max_iter - before.steps,
            watch=watch,
            bend=bend,
            served=served,
        )
        moved, found = found.steps > 0, replace(found, steps=before.steps + found.steps)
        if (
            not (moved and found.converged)
            or found.gap is None
            or found.gap <= near_enough(objective, found.theta, tol)
        ):
            return found


def _resumed(objective: Objective, start: Floats) -> Floats:
    """Where a fit of the same rows with another penalty ended, if that is lower here than the start."""
    (theta,) = objective.ends.get("sizes", (start,))
    return theta if value_of(objective, theta) <= value_of(objective, start) else start


def value_of(objective: Penalised, theta: Floats) -> float:
    """The objective and what the sizes of the coefficients cost."""
    return objective.value(theta) + float(np.sum(objective.l1 * np.abs(theta)))


def gap_of(objective: Penalised, theta: Floats, most: float) -> float:
    """How far that can be above its least; ``most`` is what the best constant costs a row, in size."""
    _, slope = objective.value_and_gradient(theta)
    return Penalties(objective.l1, objective.penalty, most).gap(slope, theta) + _of_constants(objective, theta, most)


def certified(objective: Penalised, theta: Floats, most: float) -> tuple[float, bool]:
    """The same, by what squares cost where that says more; whether it is proven."""
    _, slope = objective.value_and_gradient(theta)
    costs = Penalties(objective.l1, objective.penalty, most)
    gap, squared = costs.gap(slope, theta), costs.squared_gap(slope, theta)
    return min(gap, squared) + _of_constants(objective, theta, most), squared <= gap and not objective.intercept


def _of_constants(objective: Penalised, theta: Floats, most: float) -> float:
    """What constants could still gain. Their slopes are zero at the least; how far one may still move is not known.

    What is left of its signals is taken for that part of what rows cost, as if one that nothing works against could lower all.
    """
    if not objective.intercept:
        return 0.0
    left = float(np.abs(objective.value_and_gradient(theta)[1][-1]).sum())
    return most * left / objective.pull(theta) if left else 0.0


def method(objective: Penalised) -> str:
    """How that is known, in words."""
    return "duality gap" + (", the intercept being settled" if objective.intercept else "")


def left_over(objective: Penalised, theta: Floats) -> Floats:
    """The least derivative that the objective and the cost of sizes have together: zero at the minimum."""
    _, gradient = objective.value_and_gradient(theta)
    free = np.sign(gradient) * np.maximum(np.abs(gradient) - objective.l1, 0)
    return np.where(theta == 0, free, gradient + objective.l1 * np.sign(theta))


def near_enough(objective: Penalised, theta: Floats, tol: float) -> float:
    """How far from the least is near enough: a part of the objective, or what is lost in its rounding."""
    return max(tol * abs(value_of(objective, theta)), objective.rounding(theta))


def _outside(objective: Objective, theta: Floats, kept: NDArray[np.intp], allowed: float) -> NDArray[np.intp]:
    """The features that should not stay zero, the most wanted first: slopes exceed their costs by a part that is not allowed."""
    width = objective.features.shape[1]
    # Half of what is near may be left by those outside, and half by those that are in.
    over = np.abs(left_over(objective, theta)[:width]) / np.maximum(objective.l1[:width], 1e-300)
    wanted = over.max(axis=1, initial=0)
    wanted[kept] = 0
    found = np.flatnonzero(wanted > allowed / 2)
    return found[np.argsort(-wanted[found], kind="stable")]


class _Whole:
    """Who watches is told of all parameters, where steps are of some features."""

    def __init__(self, objective: Objective, kept: NDArray[np.intp], watch: Watch) -> None:
        self.shape, self.width, self.kept, self.watch = (
            (objective.count, objective.outputs),
            objective.features.shape[1],
            kept,
            watch,
        )

    def narrowed(self, theta: Floats) -> Floats:
        return np.concatenate([theta[self.kept], theta[self.width :]])

    def widened(self, theta: Floats) -> Floats:
        found = np.zeros(self.shape)
        found[self.kept], found[self.width :] = theta[: len(self.kept)], theta[len(self.kept) :]
        return found

    def __call__(self, theta: Floats, value: float) -> bool:
        return self.watch(self.widened(theta), value)


class _Bend:
    """The curvature that steps go by: that of where it was asked for last, with what features have come in since."""

    def __init__(self) -> None:
        self.kept: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self.by_row: Floats | None = None
        self.matrix: Floats | None = None

    def of(self, part: Objective, kept: NDArray[np.intp], theta: Floats, width: float | None) -> tuple[Floats, bool]:
        """The second derivatives by the parameters of a part of the features; whether they are those at theta."""
        known = self.matrix if width is None else None
        if part.outputs > 1:
            known = known if np.array_equal(kept, self.kept) else None
            found = part.curvature(theta) if known is None else known
        elif known is not None and self.by_row is not None:
            found = self._with_new(known, self.by_row, part, kept)
        else:
            self.by_row = part.bends(theta, width * part.spread(theta) if width else 0.0)
            found = part.products(self.by_row)
        self.matrix, self.kept = found, kept
        return found + np.diag(part.penalty[:, 0]) if part.outputs == 1 else found, known is None

    def _with_new(self, known: Floats, by_row: Floats, part: Objective, kept: NDArray[np.intp]) -> Floats:
        """The products of these features, of which only those with new ones are not known."""
        constant = np.ones(int(part.intercept), dtype=bool)
        before = np.concatenate([np.isin(self.kept, kept), constant])
        after = np.concatenate([np.isin(kept, self.kept), constant])
        if before.all() and after.all():
            return known
        found = np.empty((len(after), len(after)))
        found[np.ix_(after, after)] = known[np.ix_(before, before)]
        if not after.all():
            new = np.flatnonzero(~after)
            found[new] = part.products(by_row, new)
            found[:, new] = found[new].T
        return found


def settled(
    objective: Penalised,
    theta: Floats,
    *,
    most: float,
    aim: float,
    max_iter: int,
    watch: Watch,
    bend: Callable[[Floats, float | None], tuple[Floats, bool]],
    served: bool = False,
) -> Reached:
    """Proximal Newton steps on all features until no more than ``aim`` is left to gain, or no step shows any more.

    ``bend`` gives the second derivatives, and says whether they are those of where one stands. It is asked for any, for those
    there, or for their means over so many times the spread of raw outputs: where no row bends, no step shows. ``served``:
    models of few parameters too are solved by compiled code.
    """
    costs = Penalties(objective.l1.ravel(), objective.penalty.ravel(), most)
    together = objective.outputs if objective.loss.is_classwise else 1
    gap, step, width = gap_of(objective, theta, most), 0, None
    while gap > aim and step < max_iter:
        (matrix, is_new), gradient = bend(theta, width), objective.value_and_gradient(theta)[1].ravel()
        if not np.isfinite(matrix).all():
            return Reached(theta, step, False)
        if is_new and is_blind(matrix, gradient, costs.l1) and (width or 0.0) < _WIDEST:
            width = 4 * width if width else 1.0
            continue
        flat = theta.ravel()
        within = max(_WITHIN * aim, _INEXACT * gap)
        move = coordinates.step(matrix, gradient, flat, costs, within, together, served=served)
        slope = float(gradient @ move) + costs.of(flat + move) - costs.of(flat)
        moved = _moved(objective, theta, move.reshape(theta.shape), slope, most, gap)
        if moved is None:
            if is_new:
                return Reached(theta, step, True, gap)
            width = 0.0
            continue
        theta, before, step = moved, gap, step + 1
        gap = gap_of(objective, theta, most)
        width = 0.0 if gap > _SLOW * before else None
        if watch(theta, value_of(objective, theta)):
            return Reached(theta, step, False, stopped=True)
    return Reached(theta, step, gap <= aim, gap)


def is_blind(matrix: Floats, gradient: Floats, cost: Floats) -> bool:
    """Whether a parameter should move, and nothing bends as it does."""
    return bool(((np.diag(matrix) <= 0) & (np.abs(gradient) > cost)).any())


def _moved(objective: Penalised, theta: Floats, move: Floats, slope: float, most: float, gap: float) -> Floats | None:
    """A point along the step that keeps part of the promised decrease; None if none does.

    Where so little would not show in the objective, it is a point from which half as much of the gap is left.
    """
    if -slope <= _UNSEEN * objective.rounding(theta):
        there: Floats = theta + move
        return there if gap_of(objective, there, most) <= gap / 2 else None
    value = value_of(objective, theta)
    for halved in range(_HALVINGS):
        there = theta + move / 2**halved
        objective.value_and_gradient(there)
        if value_of(objective, there) <= value + newton.KEEP * slope / 2**halved:
            return there
    return None
