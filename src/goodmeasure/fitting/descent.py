"""Gradient descent with memory (L-BFGS), for objectives with many parameters or with kinks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from goodmeasure.fitting.newton import Reached
from goodmeasure.fitting.objective import Objective
from goodmeasure.statistics.row_arguments import Floats


def minimise(
    objective: Objective, start: Floats, *, tol: float, max_iter: int, watch: Callable[[Floats, float], bool]
) -> Reached:
    """The parameters where SciPy's L-BFGS-B stops, the number of steps, and whether it says that it converged."""
    from scipy.optimize import minimize

    unit = _units(objective, start)

    def at(flat: Floats) -> Floats:
        return unit * flat.reshape(start.shape)

    def both(flat: Floats) -> tuple[float, Floats]:
        value, gradient = objective.value_and_gradient(at(flat))
        return value, (unit * gradient).ravel()

    def after(intermediate_result: object) -> None:
        found = intermediate_result
        if watch(at(np.array(found.x)), float(found.fun)):  # type: ignore[attr-defined]
            raise StopIteration

    first = objective.value(start)
    if watch(start, first):
        return Reached(start, 0, False)
    # Each step lowers the objective by about a tenth of what is left, so a decrease of tol / 100 is near the end.
    options = {"maxiter": max_iter, "maxfun": 50 * max_iter, "ftol": tol / 100, "gtol": 1e-14, "maxcor": 20}
    found = minimize(both, (start / unit).ravel(), jac=True, method="L-BFGS-B", callback=after, options=options)
    return Reached(at(found.x), int(found.nit), bool(found.success))


def _units(objective: Objective, start: Floats) -> Floats:
    """Units of the parameters in which the objective bends about equally in each, where it bends at all."""
    bend = objective.diagonal(start)
    known = np.isfinite(bend) & (bend > 0)
    if not known.any():
        return np.ones(start.shape)
    return np.asarray(1 / np.sqrt(np.where(known, bend, bend[known].max())))
