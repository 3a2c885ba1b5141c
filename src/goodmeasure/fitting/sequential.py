"""The least mean of a loss made of straight lines: at once where the raw output is the prediction, else in linearised steps."""

from __future__ import annotations

import numpy as np

from goodmeasure.fitting import bent, interior, near
from goodmeasure.fitting.newton import Reached, Watch
from goodmeasure.fitting.objective import Objective
from goodmeasure.fitting.piecewise_linear import PiecewiseLinear, at_raw
from goodmeasure.statistics.row_arguments import Floats

_HALVINGS = 30


def minimise(
    objective: Objective,
    lines: PiecewiseLinear,
    theta: Floats,
    tol: float,
    max_iter: int,
    watch: Watch,
) -> Reached:
    """The least there is, with a proven gap, where the raw output is the prediction itself; else a stationary point.

    Behind an activation an interior point of lines and bend together goes most of the way. Then the predictions are replaced
    by their tangents, the lines solved exactly, and the step shortened until the loss falls (the Gauss-Newton method for convex
    outer functions: Burke and Ferris 1995).
    """
    value = objective.value(theta)
    watch(theta, value)
    if lines.activation is None:
        return _at_once(objective, lines, theta, value, (tol, max_iter), watch)
    theta, begun, stops = bent.minimise(objective, lines, theta, max_iter, watch)
    if stops:
        return Reached(theta, begun, False)
    value = objective.value(theta)
    for step in range(begun + 1, max_iter + 1):
        rows = at_raw(objective, lines, objective.raw(theta))
        wanted = np.zeros(
            len(theta)
        )  # where no row moves with its raw output any more, nothing but the penalty is left
        if len(rows.at):
            wanted, _, _ = interior.minimise(rows, theta[:, 0], tol=1e-10, max_iter=100, watch=lambda w, value: False)
        promised = rows.value(theta[:, 0]) - rows.value(wanted)
        if promised <= tol * abs(value):
            return Reached(theta, step, True)
        moved = _shortened(objective, theta, wanted[:, None] - theta, value, promised)
        if moved is None:
            return Reached(theta, step, promised <= 1e-6 * abs(value))
        theta, value = moved
        if watch(theta, value):
            return Reached(theta, step, False)
    return Reached(theta, max_iter, False)


def _at_once(
    objective: Objective,
    lines: PiecewiseLinear,
    theta: Floats,
    value: float,
    stop: tuple[float, int],
    watch: Watch,
) -> Reached:
    rows = at_raw(objective, lines, objective.raw(theta))
    # The value of the loss that the lines leave out is the same for every theta.
    rest = value - rows.value(theta[:, 0])
    tol, max_iter = stop
    found, gap, steps = near.minimise(
        rows, theta[:, 0], tol=tol, max_iter=max_iter, watch=lambda w, value: watch(w[:, None], value + rest)
    )
    least = rows.value(found)
    close = gap <= max(1e-6, 10 * tol) * max(abs(least), abs(value))
    return Reached(found[:, None], steps, close, gap, True)


def _shortened(
    objective: Objective, theta: Floats, direction: Floats, value: float, promised: float
) -> tuple[Floats, float] | None:
    length = 1.0
    for _ in range(_HALVINGS):
        there = theta + length * direction
        found = objective.value(there)
        if found <= value - 1e-3 * length * promised:
            return there, found
        length /= 2
    return None
