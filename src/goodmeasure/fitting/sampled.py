"""Newton's method where rows are many: most of the way on a part of them, and the curvature of that part for the last steps.

The part's curvature is off by about ``sqrt(parameters / rows of the part)``, so each step on all rows leaves that share of
the way; what the steps themselves tell of the curvature is added (L-BFGS: Nocedal 1980; the start of subsampled Newton
methods: Erdogdu and Montanari 2015). All rows are read once for a raw output and once for a signal in a step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from goodmeasure.fitting import newton
from goodmeasure.fitting.newton import Reached
from goodmeasure.fitting.objective import Objective
from goodmeasure.statistics.row_arguments import Floats

# A part is worth while from so many rows on, if it is at most this share of them; and has so many rows a parameter.
_MANY, _SHARE, _ROWS = 20_000, 1 / 8, 150
# How near the part's least one goes on the part: as near as it lies to that of all rows.
_ROUGH = 1e-5
# Where so many steps do not arrive, all rows say how the objective bends.
_STEPS, _HALVINGS = 12, 4


def minimise(
    objective: Objective, start: Floats, *, tol: float, max_iter: int, watch: Callable[[Floats, float], bool]
) -> Reached:
    """The parameters where the gradient vanishes, as `newton.minimise` finds them, by fewer reads of the rows."""
    constant, _ = objective.value_and_gradient(start)
    begun = _begun(objective, start, constant)
    if begun is None:
        return newton.minimise(objective, start, tol=tol, max_iter=max_iter, watch=watch)
    theta, bend = begun
    if watch(start, constant):
        return Reached(start, 0, False)
    value, gradient = objective.value_and_gradient(theta)
    if watch(theta, value):
        return Reached(theta, 1, False)
    step = 1
    for step in range(2, min(_STEPS, max_iter) + 1):
        wanted = -bend(gradient.ravel()).reshape(theta.shape)
        left = -float(np.sum(wanted * gradient)) / 2
        arrives = left <= tol * abs(value) or left <= objective.rounding(theta)
        moved = _moved(objective, theta, wanted, value, 0.0 if arrives else 2 * left)
        if arrives:
            return Reached(theta if moved is None else moved, step, left >= 0, max(left, 0.0))
        if moved is None:
            break
        before, theta = (theta, gradient), moved
        value, gradient = objective.value_and_gradient(theta)
        bend.learn((theta - before[0]).ravel(), (gradient - before[1]).ravel())
        if watch(theta, value):
            return Reached(theta, step, False)
    last = theta  # which was told of
    rest = newton.minimise(
        objective, last, tol=tol, max_iter=max_iter - step, watch=lambda at, value: at is not last and watch(at, value)
    )
    return replace(rest, steps=rest.steps + step)


def _begun(objective: Objective, start: Floats, constant: float) -> tuple[Floats, _Bend] | None:
    """Where the least of a part of the rows lies, and how that bends; None where a part would not tell, or is not worth it."""
    rows = len(objective.y)
    size = max(rows // 32, _ROWS * objective.count)
    if objective.outputs > 1 or rows < _MANY or size > _SHARE * rows:
        return None
    part = objective.part(spread(rows, size))
    reached = newton.minimise(part, start, tol=_ROUGH, max_iter=30, watch=lambda theta, value: False)
    if not reached.converged or not objective.value_and_gradient(reached.theta)[0] <= constant:
        return None
    factor = newton.well_conditioned(part.curvature(reached.theta))
    return None if factor is None else (reached.theta, _Bend(factor))


def spread(rows: int, size: int) -> NDArray[np.intp]:
    """The places of so many rows, one by chance of each stretch of equal length: the same whenever it is asked."""
    every = rows // size
    return np.arange(size, dtype=np.intp) * every + np.random.default_rng(0).integers(every, size=size, dtype=np.intp)


class _Bend:
    """The inverse of a curvature: that of a Cholesky factor, corrected by what steps have told of it."""

    def __init__(self, factor: Floats) -> None:
        self.factor = factor
        self.told: list[tuple[Floats, Floats]] = []

    def learn(self, moved: Floats, changed: Floats) -> None:
        """The gradient changed by so much over this step."""
        if moved @ changed > 0:
            self.told.append((moved, changed))

    def __call__(self, gradient: Floats) -> Floats:
        """The curvature's inverse times a gradient, by the two loops of L-BFGS."""
        found, shares = gradient.copy(), []
        for moved, changed in reversed(self.told):
            shares.append(moved @ found / (moved @ changed))
            found = found - shares[-1] * changed
        found = newton.back(self.factor, found)
        for moved, changed in self.told:
            found = found + (shares.pop() - changed @ found / (moved @ changed)) * moved
        return found


def _moved(objective: Objective, theta: Floats, wanted: Floats, value: float, promised: float) -> Floats | None:
    """A point along the step that keeps part of the promised decrease; None if none of the first does."""
    for halved in range(_HALVINGS):
        there: Floats = theta + wanted / 2**halved
        if objective.value_and_gradient(there)[0] <= value - newton.KEEP * promised / 2**halved:
            return there
    return None
