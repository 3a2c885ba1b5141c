"""Newton's method with a line search, and the damped Cholesky solve behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from goodmeasure.fitting.objective import Objective
from goodmeasure.statistics.row_arguments import Floats

# The share of the promised decrease that a step must keep.
_KEEP = 1e-4
_HALVINGS = 40
# A Cholesky factor whose pivots differ by more than this is one of a singular matrix.
_SINGULAR = 1e-7
# Beyond so many parameters a little damping takes the place of own directions, which cost tens of times a factor.
_MANY = 200


def solve(matrix: Floats, right: Floats) -> Floats:
    """The solution of a symmetric positive definite system by Cholesky, with the least damping that makes it definite."""
    factor = _factor(matrix)
    size = float(np.trace(matrix)) / max(len(matrix), 1)
    damping = 1e-14
    while factor is None and size > 0 and damping < 1e12:
        factor = _factor(matrix + damping * size * np.eye(len(matrix)))
        damping *= 10
    return right / max(size, 1e-300) if factor is None else _back(factor, right)


def direction(matrix: Floats, gradient: Floats) -> Floats:
    """Newton's step: by Cholesky; where the matrix is singular or bends down, the shortest step in each own direction."""
    factor = _factor(matrix)
    if factor is not None:
        pivots = np.diag(factor)
        if pivots.min() > _SINGULAR * pivots.max():
            return _back(factor, -gradient)
    if len(matrix) > _MANY:
        damped = _factor(matrix + 1e-12 * np.trace(matrix) / len(matrix) * np.eye(len(matrix)))
        if damped is not None:
            return _back(damped, -gradient)
    size, vectors = np.linalg.eigh(matrix)
    bend = np.abs(size)
    known = bend > _SINGULAR**2 * len(size) * bend.max(initial=0)
    inverse = np.where(known, 1 / np.where(known, bend, 1), 0)
    found: Floats = -vectors @ (inverse * (vectors.T @ gradient))
    return found


def _factor(matrix: Floats) -> Floats | None:
    """The upper Cholesky factor; None if the matrix is not definite."""
    from scipy.linalg import LinAlgError, cholesky

    try:
        found: Floats = cholesky(matrix, check_finite=False)
    except LinAlgError:
        return None
    return found if np.isfinite(found).all() else None


def _back(factor: Floats, right: Floats) -> Floats:
    from scipy.linalg import cho_solve

    found: Floats = cho_solve((factor, False), right, check_finite=False)
    return found


@dataclass(frozen=True)
class Reached:
    """Where a solver stopped: parameters, steps, whether it converged, and how far it can be from the least, if known."""

    theta: Floats
    steps: int
    converged: bool
    gap: float | None = None
    proven: bool = False


def minimise(
    objective: Objective, start: Floats, *, tol: float, max_iter: int, watch: Callable[[Floats, float], bool]
) -> Reached:
    """The parameters where the gradient vanishes.

    It stops where half the squared Newton decrement, the decrease that is left, is at most ``tol`` of what was gained.
    """
    theta = start
    value, gradient = objective.value_and_gradient(theta)
    first = value
    if watch(theta, value):
        return Reached(theta, 0, False)
    for step in range(1, max_iter + 1):
        curvature = objective.curvature(theta)
        if not np.isfinite(curvature).all():
            return Reached(theta, step, False)
        wanted = direction(curvature, gradient.ravel())
        promised = float(-wanted @ gradient.ravel())
        left = promised / 2
        if left <= max(tol * (first - value), 4e-16 * abs(value)) or not promised > 0:
            return Reached(theta, step, True, max(left, 0.0))
        moved = _search(objective, theta, wanted.reshape(theta.shape), promised)
        if moved is None:
            return Reached(theta, step, left <= 1e-12 * (abs(value) + abs(first - value)), left)
        theta = moved
        value, gradient = objective.value_and_gradient(theta)
        if watch(theta, value):
            return Reached(theta, step, False)
    return Reached(theta, max_iter, False)


def _search(objective: Objective, theta: Floats, wanted: Floats, promised: float) -> Floats | None:
    """A point along the direction that keeps part of the promised decrease; None if none does."""
    value, _ = objective.value_and_gradient(theta)
    length = 1.0
    for _ in range(_HALVINGS):
        there = theta + length * wanted
        # The whole step is nearly always kept, and its gradient is needed then.
        found = objective.value_and_gradient(there)[0] if length == 1 else objective.value(there)
        if found <= value - _KEEP * length * promised:
            return there
        length /= 2
    return None
