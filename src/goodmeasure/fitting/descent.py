"""Gradient descent with memory (L-BFGS), for objectives with many parameters or with kinks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.fitting.endless import falls_without_end
from goodmeasure.fitting.newton import Reached, Watch
from goodmeasure.fitting.objective import Objective
from goodmeasure.formulas.activations import Activation, linear
from goodmeasure.statistics.row_arguments import Floats

# It begins anew at most so often, while the objective falls below this part of what it was.
_ROUNDS, _FALLEN = 20, 0.1
# So many times the width of the targets a parameter's unit is at most: where an objective hardly bends, that says nothing.
_WIDEST = 1e6


def minimise(objective: Objective, start: Floats, *, tol: float, max_iter: int, watch: Watch) -> Reached:
    """The parameters where SciPy's L-BFGS-B stops, the number of steps, and whether it says that it converged.

    What it calls near depends on how large the objective is at its start, so it begins anew where that has fallen far.
    """
    found = Reached(start, 0, False)
    if watch(start, objective.value(start)):
        return found
    for _ in range(_ROUNDS):
        before, seen = found.theta, objective.size(found.theta)
        round_ = _round(objective, before, seen, tol=tol, max_iter=max_iter - found.steps, watch=watch)
        found = replace(round_, steps=found.steps + round_.steps)
        if not found.converged or not objective.size(found.theta) < _FALLEN * seen:
            break
    if not objective.value(found.theta) <= objective.value(before):
        found = replace(found, theta=before, converged=False)
    return replace(found, endless=falls_without_end(objective, found.theta, found.theta - start))


def _round(
    objective: Objective,
    start: Floats,
    size: float,
    *,
    tol: float,
    max_iter: int,
    watch: Watch,
) -> Reached:
    """One run of L-BFGS-B, with the objective in units of its size and each parameter in its own."""
    from scipy.optimize import minimize

    size = size or 1.0
    unit = _units(objective, start, size)

    def at(flat: Floats) -> Floats:
        return unit * flat.reshape(start.shape)

    def both(flat: Floats) -> tuple[float, Floats]:
        value, gradient = objective.value_and_gradient(at(flat))
        return value / size, (unit * gradient).ravel() / size

    def after(intermediate_result: object) -> None:
        found = intermediate_result
        if watch(at(np.array(found.x)), size * float(found.fun)):  # type: ignore[attr-defined]
            raise StopIteration

    # Each step lowers the objective by about a tenth of what is left, so a decrease of tol / 100 is near the end.
    options = {"maxiter": max(max_iter, 1), "maxfun": 50 * max_iter, "ftol": tol / 100, "gtol": 1e-14, "maxcor": 20}
    found = minimize(both, (start / unit).ravel(), jac=True, method="L-BFGS-B", callback=after, options=options)
    return Reached(at(found.x), int(found.nit), bool(found.success))


def _units(objective: Objective, start: Floats, size: float) -> Floats:
    """Units of the parameters in which the objective, in its own, bends by about one; its width where it does not bend."""
    bend = objective.diagonal(start)
    known = np.isfinite(bend) & (bend > 0)
    width = np.broadcast_to(
        [_spread(objective.y) if a is linear else 1.0 for a in _activations(objective)], start.shape
    )
    return np.asarray(np.where(known, np.minimum(np.sqrt(size / np.where(known, bend, 1)), _WIDEST * width), width))


def _activations(objective: Objective) -> tuple[Activation | None, ...]:
    """The activation of each raw output; classes have none of their own."""
    loss = objective.loss
    return (None,) * objective.outputs if loss.is_classwise or loss.is_binary else loss.activation


def _spread(y: NDArray[Any]) -> float:
    """How far apart targets lie that are not extreme."""
    return float(np.subtract(*np.quantile(y, (0.9, 0.1)))) or float(np.ptp(y)) or 1.0
