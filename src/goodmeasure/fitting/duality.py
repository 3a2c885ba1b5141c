"""How far an objective with a cost of sizes can lie above its least, by the duality of Fenchel: told by the slopes at one point.

A convex mean loss lies above its tangent, so no parameters cost less than the least of tangent and penalties together. That is a
sum over coordinates and bounds the gap however the columns hang together: where some are nearly the same, parameters may be
far from the best ones that cost no less.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from goodmeasure.statistics.row_arguments import Floats


@dataclass(frozen=True)
class Costs:
    """What parameters cost: ``l1 |w| + l2 / 2 w**2`` each, and no more than ``most`` together where they are best."""

    l1: Floats
    l2: Floats
    most: float

    def of(self, theta: Floats) -> float:
        """The cost of the sizes alone."""
        return float(np.sum(self.l1 * np.abs(theta)))

    def gap(self, slope: Floats, theta: Floats) -> tuple[float, bool]:
        """How far the objective can be above its least; whether that rests on the cost of squares alone.

        ``slope`` is the derivative of all but the sizes. Parameters that cost nothing are left out: their slopes are zero at
        the best of them.
        """
        paid = self.l1 > 0
        l1, l2, theta = self.l1[paid], self.l2[paid], theta[paid]
        alone = slope[paid] - l2 * theta
        over = np.maximum(np.abs(alone) - l1, 0)
        settled = float(np.sum((alone + l2 / 2 * theta) * theta + l1 * np.abs(theta)))
        beyond = over > 0
        # What leaves zero further pays for each step either its square, or of what all may cost together.
        squared = float(np.sum(over[beyond] ** 2 / (2 * l2[beyond]))) if (l2[beyond] > 0).all() else np.inf
        together = float((over / l1).max(initial=0)) * self.most
        return max(settled + min(squared, together), 0.0), squared <= together
