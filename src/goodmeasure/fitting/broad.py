"""Newton's method with a broad look at how a loss bends, for losses that hardly bend anywhere but turn sharply somewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from goodmeasure.fitting import newton
from goodmeasure.fitting.newton import Reached, Watch
from goodmeasure.fitting.objective import Objective
from goodmeasure.statistics.row_arguments import Floats

# How much narrower the look becomes with each step, and how narrow it is at last.
_NARROWER, _NARROWEST = 0.5, 1e-14
# Where a loss bends over a width as it does in the middle, up to this part, Newton's own steps are tried: so many, so often.
_ALIKE, _TRIED, _TRIES = 1e-2, 12, 4


def minimise(objective: Objective, start: Floats, *, tol: float, max_iter: int, watch: Watch) -> Reached:
    """Steps by the mean curvature over a width of raw outputs, which narrows from their spread to nothing, then Newton's own.

    Far from its turn a Huber loss bends nowhere, and a step by its curvature leads nowhere; over a width it bends as its slope
    changes from one end to the other. It is Newton's method on the objective averaged over that width; what it promises is
    left of that one, and averaging moved the objective by no more than the width times the mean signal.
    """
    theta, steps, gap, tries = start, 0, np.inf, _TRIES
    spread = objective.spread(start)
    width = spread
    while width > _NARROWEST * spread and steps < max_iter:
        _, gradient = objective.value_and_gradient(theta)
        matrix = objective.mean_curvature(theta, width)
        wanted = newton.direction(matrix, gradient.ravel())
        promised = float(-wanted @ gradient.ravel())
        if promised >= 0 and not newton.pulls_unseen(objective, theta, matrix @ wanted + gradient.ravel()):
            gap = min(gap, promised / 2 + width * objective.pull(theta))
        moved = newton.search(objective, theta, wanted.reshape(theta.shape), promised) if promised > 0 else None
        theta, steps, width = theta if moved is None else moved, steps + 1, _NARROWER * width
        if watch(theta, objective.value(theta)):
            return Reached(theta, steps, False)
        if tries and _sees_no_more(objective, theta, width):
            found, tries = newton.minimise(objective, theta, tol=tol, max_iter=_TRIED, watch=watch), tries - 1
            theta, steps = found.theta, steps + found.steps
            if found.converged or found.endless:
                return replace(found, steps=steps)
    found = newton.minimise(objective, theta, tol=tol, max_iter=max(max_iter - steps, 1), watch=watch)
    if found.converged or found.endless:
        return replace(found, steps=steps + found.steps)
    return Reached(found.theta, steps + found.steps, np.isfinite(gap), gap)


def _sees_no_more(objective: Objective, theta: Floats, width: float) -> bool:
    """Whether the mean curvature over a width is nearly the curvature itself, as where a loss is smooth."""
    broad, own = objective.mean_curvature(theta, width), objective.curvature(theta)
    return bool(np.abs(broad - own).max() <= _ALIKE * np.abs(broad).max())
