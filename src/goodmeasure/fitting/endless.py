"""Objectives that have no least: they fall however far one goes, toward a bound or without one."""

from __future__ import annotations

import numpy as np

from goodmeasure.fitting.objective import Objective, Smooth
from goodmeasure.statistics.row_arguments import Floats

# How many times as far as the last steps went one looks; and the share of its rounding from which an objective tells nothing.
_FURTHER = (1.0, 10.0, 100.0, 1000.0)
_LOST = 1e-5
# Raw outputs of probabilities and of amounts on a scale of their own are far out from here on.
_LONG = 30.0


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def falls_without_end(objective: Smooth, theta: Floats, direction: Floats) -> bool:
    """Whether the objective still falls a thousand times as far along where the last steps went, as for separable classes.

    Where the least lies at a finite place one would pass it by then, and rise.
    """
    if not (_is_unbounded(objective) and direction.any()):
        return False
    if not _FURTHER[-1] * objective.reach(direction) > _LONG:
        return False
    seen = [objective.value(theta + far * direction) for far in (0.0, *_FURTHER)]
    return bool(np.all(np.isfinite(seen)) and np.all(np.diff(seen) <= 0) and seen[-1] < seen[0])


def is_lost_in_rounding(objective: Objective, theta: Floats) -> bool:
    """Whether rounding alone moves the objective, as where a likelihood grows without bound on targets that are met exactly."""
    loss = objective.loss
    if loss.is_classwise or len(loss.activation) == 1:
        return False
    # On targets that are met exactly no signal shows what rounding does: it does beside them, an ulp or so away.
    beside = theta * (1 + 8 * np.finfo(np.float64).eps)
    rounding = max(objective.rounding(each) for each in (beside, theta))
    return not rounding <= _LOST * objective.size(theta)


def _is_unbounded(objective: Smooth) -> bool:
    """Whether raw outputs have a scale of their own, on which infinity may be best; real numbers have that of the targets."""
    loss = objective.loss
    return loss.is_classwise or loss.is_binary or any(a.name != "linear" for a in loss.activation)
