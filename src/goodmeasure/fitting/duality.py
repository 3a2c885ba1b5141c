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
class Penalties:
    """What parameters cost: ``l1 |w| + l2 / 2 w**2`` each, and no more than ``most`` together where they are best."""

    l1: Floats
    l2: Floats
    most: float

    def of(self, theta: Floats) -> float:
        """The cost of the sizes alone."""
        return float(np.sum(self.l1 * np.abs(theta)))

    def gap(self, slope: Floats, theta: Floats) -> float:
        """How far the objective can be above its least, whatever squares cost: small only where all parameters are settled.

        ``slope`` is the derivative of all but the sizes. Parameters that cost nothing are left out: their slopes are zero at
        the best of them.
        """
        paid = self.l1 > 0
        l1, slope, theta = self.l1[paid], slope[paid], theta[paid]
        over = np.maximum(np.abs(slope) - l1, 0)
        return max(
            float(np.sum(slope * theta + l1 * np.abs(theta))) + float((over / l1).max(initial=0)) * self.most, 0.0
        )

    def squared_gap(self, slope: Floats, theta: Floats) -> float:
        """The same by what squares cost, which needs to know of no other limit; infinite where they cost nothing."""
        paid = self.l1 > 0
        l1, l2, theta = self.l1[paid], self.l2[paid], theta[paid]
        alone = slope[paid] - l2 * theta
        over = np.maximum(np.abs(alone) - l1, 0)
        beyond = over > 0
        if not (l2[beyond] > 0).all():
            return float(np.inf)
        settled = float(np.sum((alone + l2 / 2 * theta) * theta + l1 * np.abs(theta)))
        return max(settled + float(np.sum(over[beyond] ** 2 / (2 * l2[beyond]))), 0.0)
