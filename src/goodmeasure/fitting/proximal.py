"""Newton's method where the sizes of the coefficients cost too (L1, elastic net), so that many of them are exactly zero.

A step minimises the quadratic model of the smooth part plus that cost (proximal Newton: Lee, Sun and Saunders 2014). Only
features whose coefficient is not zero, or should not stay so, are in a step; the rest is looked at once those have settled
(working sets: Massias, Gramfort and Salmon 2018). How far the end is from the least says `duality`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from goodmeasure.fitting import coordinates, newton
from goodmeasure.fitting.duality import Costs
from goodmeasure.fitting.newton import Reached
from goodmeasure.fitting.objective import Objective, Smooth
from goodmeasure.statistics.row_arguments import Floats

# While features wait, those that are in are settled to this part of what all could gain. So many of those that wait come in at a
# time, at least, times the root of how many features there are: their products take a few times as long as one look at all.
_ROUGH, _NEW = 0.1, 3.0
# The model of a step is solved to this part of what may be left at the end.
_WITHIN = 0.1
_HALVINGS = 60
# A step that lowers the objective by no more than so many times its rounding is judged by what is left after it.
_UNSEEN = 4.0

Watch = Callable[[Floats, float], bool]


class Priced(Smooth, Protocol):
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
    most, width = objective.size(start), objective.features.shape[1]
    kept = _used(objective, theta)
    if watch(theta, value_of(objective, theta)):
        return Reached(theta, 0, False, stopped=True)
    while True:
        gap, near = gap_of(objective, theta, most)[0], _near(objective, theta, tol)
        outside = _outside(objective, theta, kept, near / most if most else np.inf)
        enough = int(_NEW * np.sqrt(width)) + len(kept)
        is_last = len(outside) <= enough
        kept = np.union1d(kept, outside[:enough])
        whole = _Whole(objective, kept, watch)
        found = settled(
            objective.columns(kept),
            whole.narrowed(theta),
            most=most,
            aim=near / 2 if is_last else max(near / 2, _ROUGH * gap),
            max_iter=max_iter - steps,
            watch=whole,
        )
        moved = found.steps > 0
        theta, steps = whole.widened(found.theta) if moved else theta, steps + found.steps
        if not found.converged:
            return Reached(theta, steps, False, stopped=found.stopped)
        if gap_of(objective, theta, most)[0] <= _near(objective, theta, tol) or not (moved or len(outside)):
            objective.ended("sizes", theta)
            return Reached(theta, steps, True)
        kept = kept if is_last else _used(objective, theta)


def _resumed(objective: Objective, start: Floats) -> Floats:
    """Where a fit of the same rows with another penalty ended, if that is lower here than the start."""
    (theta,) = objective.ends.get("sizes", (start,))
    return theta if value_of(objective, theta) <= value_of(objective, start) else start


def value_of(objective: Priced, theta: Floats) -> float:
    """The objective and what the sizes of the coefficients cost."""
    return objective.value(theta) + float(np.sum(objective.l1 * np.abs(theta)))


def gap_of(objective: Priced, theta: Floats, most: float) -> tuple[float, bool]:
    """How far that can be above its least, and whether it is proven; ``most`` is what the best constant costs a row, in size.

    The slopes of constants are zero at the least. How far one may still move is not known: what is left of its signals is
    taken for that part of what rows cost, as if one that nothing works against could lower all of it.
    """
    _, slope = objective.value_and_gradient(theta)
    gap, proven = Costs(objective.l1, objective.penalty, most).gap(slope, theta)
    if not objective.intercept:
        return gap, proven
    left, pull = float(np.abs(slope[-1]).sum()), objective.pull(theta)
    return gap + (most * left / pull if left else 0.0), False


def left_over(objective: Priced, theta: Floats) -> Floats:
    """The least derivative that the objective and the cost of sizes have together: zero at the minimum."""
    _, gradient = objective.value_and_gradient(theta)
    free = np.sign(gradient) * np.maximum(np.abs(gradient) - objective.l1, 0)
    return np.where(theta == 0, free, gradient + objective.l1 * np.sign(theta))


def _near(objective: Priced, theta: Floats, tol: float) -> float:
    """How far from the least is near enough: a part of the objective, or what is lost in its rounding."""
    return max(tol * abs(value_of(objective, theta)), objective.rounding(theta))


def _used(objective: Objective, theta: Floats) -> NDArray[np.intp]:
    """The features whose coefficients are not zero."""
    return np.flatnonzero(theta[: objective.features.shape[1]].any(axis=1))


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


def settled(
    objective: Priced, theta: Floats, *, most: float, aim: float, max_iter: int, watch: Watch
) -> Reached:
    """Proximal Newton steps on all features until no more than ``aim`` is left to gain, or no step shows any more."""
    costs = Costs(objective.l1.ravel(), objective.penalty.ravel(), most)
    together = objective.outputs if objective.loss.is_classwise else 1
    for step in range(max_iter):
        gap = gap_of(objective, theta, most)[0]
        if gap <= aim:
            return Reached(theta, step, True, gap)
        matrix, gradient = objective.curvature(theta), objective.value_and_gradient(theta)[1].ravel()
        if not np.isfinite(matrix).all():
            return Reached(theta, step, False)
        flat = theta.ravel()
        move = coordinates.step(matrix, gradient, flat, costs, _WITHIN * aim, together)
        slope = float(gradient @ move) + costs.of(flat + move) - costs.of(flat)
        moved = _moved(objective, theta, move.reshape(theta.shape), slope, most)
        if moved is None:
            return Reached(theta, step, True, gap)
        theta = moved
        if watch(theta, value_of(objective, theta)):
            return Reached(theta, step + 1, False, stopped=True)
    return Reached(theta, max_iter, False)


def _moved(objective: Priced, theta: Floats, move: Floats, slope: float, most: float) -> Floats | None:
    """A point along the step that keeps part of the promised decrease; None if none does.

    Where so little would not show in the objective, it is a point from which half as much is left to gain.
    """
    if -slope <= _UNSEEN * objective.rounding(theta):
        there: Floats = theta + move
        return there if gap_of(objective, there, most)[0] <= gap_of(objective, theta, most)[0] / 2 else None
    value = value_of(objective, theta)
    for halved in range(_HALVINGS):
        there = theta + move / 2**halved
        objective.value_and_gradient(there)
        if value_of(objective, there) <= value + newton.KEEP * slope / 2**halved:
            return there
    return None
