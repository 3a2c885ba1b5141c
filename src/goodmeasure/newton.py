"""Newton's method with a line search, and the damped Cholesky solve behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.objective import Objective

Floats = NDArray[np.float64]

# The share of the promised decrease that a step must keep.
_KEEP = 1e-4
_HALVINGS = 40
# A Cholesky factor whose pivots differ by more than this is one of a singular matrix.
_SINGULAR = 1e-7


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


def minimise(
    objective: Objective, start: Floats, *, tol: float, max_iter: int, watch: Callable[[Floats, float], bool]
) -> tuple[Floats, int, bool]:
    """The parameters where the gradient vanishes, the number of steps, and whether it does.

    It stops where half the squared Newton decrement, the decrease that is left, is at most ``tol`` of what was gained.
    """
    theta = start
    value, gradient = objective.value_and_gradient(theta)
    first = value
    if watch(theta, value):
        return theta, 0, False
    for step in range(1, max_iter + 1):
        step_to = direction(objective.curvature(theta), gradient.ravel())
        promised = float(-step_to @ gradient.ravel())
        if promised / 2 <= max(tol * (first - value), 4e-16 * abs(value)) or not promised > 0:
            return theta, step, True
        moved = _search(objective, theta, value, step_to.reshape(theta.shape), promised)
        if moved is None:
            return theta, step, promised / 2 <= 1e-12 * (abs(value) + abs(first - value))
        theta = moved
        value, gradient = objective.value_and_gradient(theta)
        if watch(theta, value):
            return theta, step, False
    return theta, max_iter, False


def _search(objective: Objective, theta: Floats, value: float, direction: Floats, promised: float) -> Any:
    """A point along the direction that keeps part of the promised decrease; None if none does."""
    length = 1.0
    for _ in range(_HALVINGS):
        there = theta + length * direction
        if objective.value(there) <= value - _KEEP * length * promised:
            return there
        length /= 2
    return None
