"""Lines behind an activation, solved together with its bend: an interior point of the whole problem, which is not convex.

Each step is one of `interior`, on the tangents where it stands and with the second derivative of the activation times the slopes
of the lines added (the Lagrangian's: Nocedal and Wright 2006, chapter 19). It tells no gap and may stop anywhere; what it
reaches is where `sequential` begins, which proves or improves it.
"""

from __future__ import annotations

import numpy as np

from goodmeasure.fitting import design
from goodmeasure.fitting.interior import Lines, Point, step
from goodmeasure.fitting.newton import Watch
from goodmeasure.fitting.objective import Objective
from goodmeasure.fitting.piecewise_linear import PiecewiseLinear
from goodmeasure.statistics.row_arguments import Floats

_STEPS = 60
# Steps without a lower objective before it is given up, and how much of the objective products of slacks may be in the end.
_PATIENCE, _CLOSED = 30, 1e-13


class Bent:
    """Rows of lines in the prediction, as functions of theta."""

    def __init__(self, objective: Objective, lines: PiecewiseLinear) -> None:
        share = objective.share[lines.kinks.row]
        keep = (share > 0) & (lines.kinks.right > lines.kinks.left)
        self.row = lines.kinks.row[keep]
        self.lines, self.penalty = lines, objective.penalty[:, 0]
        self.at = lines.kinks.at[keep]
        self.left, self.right = (each[keep] * share[keep] for each in (lines.kinks.left, lines.kinks.right))
        self.features = design.with_ones(objective.features, self.row, ones=objective.intercept)
        self.offset = 0.0 if objective.offset is None else objective.offset[self.row]

    def tangents(self, w: Floats) -> tuple[float, Lines, Floats]:
        """The objective, but for what the lines leave out, which is the same for every w; the lines on the tangents of the
        activation; and its second derivatives."""
        there, slope, bend = self.lines.bent(np.asarray(self.features @ w + self.offset))
        beyond = there - self.at
        value = float(np.sum(np.maximum(self.left * beyond, self.right * beyond)) + self.penalty @ w**2 / 2)
        features = design.times(self.features, slope)
        return value, Lines(features, features @ w - beyond, self.left, self.right, self.penalty), bend


def minimise(
    objective: Objective, lines: PiecewiseLinear, theta: Floats, max_iter: int, watch: Watch
) -> tuple[Floats, int, bool]:
    """Parameters near a stationary point (those that were given where nothing lower is found), steps, whether to stop."""
    bent = Bent(objective, lines)
    best, since = theta[:, 0], 0
    lowest, rows, bend = bent.tangents(best)
    rest = objective.value(theta) - lowest
    point = Point.first(rows, best)
    for steps in range(1, min(_STEPS, max_iter) + 1):
        point, _ = step(rows, point, design.crossed(bent.features, point.slope * bend))
        value, rows, bend = bent.tangents(point.w)
        since += 1
        if value < lowest:
            best, lowest, since = point.w, value, 0
            if watch(best[:, None], value + rest):
                return best[:, None], steps, True
        if not np.isfinite(value) or since > _PATIENCE or len(rows.at) * point.complementarity <= _CLOSED * lowest:
            break
    return best[:, None], steps, False
