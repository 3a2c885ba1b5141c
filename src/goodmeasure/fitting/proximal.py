"""Newton's method where the sizes of the coefficients cost too (L1, elastic net), so that many of them are exactly zero.

A step minimises the quadratic model of the smooth part plus that cost (proximal Newton: Lee, Sun and Saunders 2014). Only
features whose coefficient is not zero, or should not stay so, are in a step; the rest is looked at once those have settled
(working sets: Massias, Gramfort and Salmon 2018).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from goodmeasure.fitting import coordinates, newton
from goodmeasure.fitting.newton import Reached
from goodmeasure.fitting.objective import Objective
from goodmeasure.statistics.row_arguments import Floats

# How near features that are in are settled while others wait; so many of those come in at a time, at least.
_ROUGH, _NEW = 1e-4, 20
# By how much of its cost a derivative must exceed it before the coefficient leaves zero.
_EXCESS = 1e-9
_HALVINGS = 60
# Coordinates may gain so many times together what each gains alone, where columns are nearly the same.
_TOGETHER = 1e6

Watch = Callable[[Floats, float], bool]


def minimise(objective: Objective, start: Floats, *, tol: float, max_iter: int, watch: Watch) -> Reached:
    """The parameters at the least of the objective and ``objective.l1`` times the sizes of the coefficients."""
    theta, steps = _resumed(objective, start), 0
    kept: NDArray[np.intp] = np.flatnonzero(theta[: objective.features.shape[1]].any(axis=1))
    if watch(theta, value_of(objective, theta)):
        return Reached(theta, 0, False, stopped=True)
    while True:
        outside, waiting = _outside(objective, theta, kept)
        enough = max(_NEW, 2 * len(kept))
        kept = np.union1d(kept, outside[:enough])
        part = objective.columns(kept)
        rough = tol if waiting <= enough else _ROUGH
        whole = _Whole(objective, kept, watch)
        found = _settled(part, whole.narrowed(theta), tol=rough, max_iter=max_iter - steps, watch=whole)
        theta, steps = whole.widened(found.theta), steps + found.steps
        if not found.converged:
            return Reached(theta, steps, False, stopped=found.stopped)
        if rough == tol and not len(_outside(objective, theta, kept)[0]):
            objective.ended("sizes", theta)
            return Reached(theta, steps, True, found.gap)
        kept = np.flatnonzero(theta[: objective.features.shape[1]].any(axis=1))


def _resumed(objective: Objective, start: Floats) -> Floats:
    """Where a fit of the same rows with another penalty ended, if that is lower here than the start."""
    (theta,) = objective.ends.get("sizes", (start,))
    return theta if value_of(objective, theta) <= value_of(objective, start) else start


def value_of(objective: Objective, theta: Floats) -> float:
    """The objective and what the sizes of the coefficients cost."""
    return objective.value(theta) + float(np.sum(objective.l1 * np.abs(theta)))


def left_over(objective: Objective, theta: Floats) -> Floats:
    """The least derivative that the objective and the cost of sizes have together: zero at the minimum."""
    _, gradient = objective.value_and_gradient(theta)
    free = np.sign(gradient) * np.maximum(np.abs(gradient) - objective.l1, 0)
    return np.where(theta == 0, free, gradient + objective.l1 * np.sign(theta))


def _outside(objective: Objective, theta: Floats, kept: NDArray[np.intp]) -> tuple[NDArray[np.intp], int]:
    """The features that should not stay zero, the most wanted first, and how many they are."""
    width = objective.features.shape[1]
    over = np.abs(left_over(objective, theta)[:width]) / np.maximum(objective.l1[:width], 1e-300)
    wanted = over.max(axis=1, initial=0)
    wanted[kept] = 0
    found = np.flatnonzero(wanted > _EXCESS)
    return found[np.argsort(-wanted[found], kind="stable")], len(found)


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


def _settled(objective: Objective, theta: Floats, *, tol: float, max_iter: int, watch: Watch) -> Reached:
    """Proximal Newton steps on these features until no more than ``tol`` of the objective is left to gain."""
    cost = objective.l1.ravel()
    value = value_of(objective, theta)
    for step in range(1, max_iter + 1):
        _, gradient = objective.value_and_gradient(theta)
        matrix = objective.curvature(theta)
        if not np.isfinite(matrix).all():
            return Reached(theta, step, False)
        classes = objective.outputs if objective.loss.is_classwise else 1
        move = coordinates.step(matrix, gradient.ravel(), theta.ravel(), cost, classes)
        slope = float(gradient.ravel() @ move + cost @ (np.abs(theta.ravel() + move) - np.abs(theta.ravel())))
        away = coordinates.unsettled(matrix, gradient.ravel(), theta.ravel() + move, move, cost)
        left = max(-slope - float(move @ matrix @ move) / 2, 0.0) + _TOGETHER * away
        arrived = left <= tol * abs(value) or left <= objective.rounding(theta)
        moved = _moved(objective, theta, move.reshape(theta.shape), value, 0.0 if arrived else slope)
        if arrived:
            return Reached(theta if moved is None else moved, step, True, left)
        if moved is None:
            return Reached(theta, step, left <= objective.rounding(theta) / newton.KEEP, left)
        theta = moved
        value = value_of(objective, theta)
        if watch(theta, value):
            return Reached(theta, step, False, stopped=True)
    return Reached(theta, max_iter, False)


def _moved(objective: Objective, theta: Floats, move: Floats, value: float, slope: float) -> Floats | None:
    """A point along the step that keeps part of the promised decrease; None if none does."""
    for halved in range(_HALVINGS):
        there: Floats = theta + move / 2**halved
        objective.value_and_gradient(there)
        if value_of(objective, there) <= value + newton.KEEP * slope / 2**halved:
            return there
    return None
