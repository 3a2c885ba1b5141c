"""The least of a quadratic function plus a cost of sizes: coordinates one by one, then those that are not zero all at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from goodmeasure.fitting import newton
from goodmeasure.keeping.compiling import loop
from goodmeasure.statistics.row_arguments import Floats

# Rounds over all coordinates between two tries to solve those that are not zero at once, and how many tries.
_ROUNDS, _TRIES = 10, 200
# A slope of a coordinate at zero may exceed its cost by this part of it.
_SLACK = 1e-10


def step(matrix: Floats, gradient: Floats, theta: Floats, cost: Floats) -> Floats:
    """The move d from theta that minimises ``gradient d + d matrix d / 2 + cost |theta + d|``."""
    move = np.zeros_like(theta)
    pull = gradient.copy()
    for _ in range(_TRIES):
        changed = _descend(matrix, pull, theta, cost, move, _ROUNDS)
        found = _at_once(matrix, gradient, theta, cost, theta + move)
        if found is not None:
            return found
        if not changed:
            break
    return move


@loop(nogil=True)
def _descend(matrix: Any, pull: Any, theta: Any, cost: Any, move: Any, rounds: int) -> bool:
    """Rounds of coordinate descent, in place; ``pull`` is the slope of the quadratic part. Whether the last changed anything."""
    changed = True
    for _ in range(rounds):
        changed = False
        for j in range(len(theta)):
            bend = matrix[j, j]
            if bend <= 0.0:
                continue
            here = theta[j] + move[j]
            aim = here - pull[j] / bend
            edge = cost[j] / bend
            there = aim - edge if aim > edge else (aim + edge if aim < -edge else 0.0)
            by = there - here
            if by != 0.0:
                move[j] = there - theta[j]
                changed = changed or abs(by) > 1e-15 * abs(here)
                for k in range(len(theta)):
                    pull[k] += by * matrix[k, j]
        if not changed:
            break
    return changed


def _at_once(matrix: Floats, gradient: Floats, theta: Floats, cost: Floats, near: Floats) -> Floats | None:
    """The same move, given which coordinates are zero and the signs of the rest; None where these turn out to be others."""
    free = (near != 0) | (cost == 0)
    move = -theta
    inner = matrix[np.ix_(free, free)]
    factor = newton.well_conditioned(inner)
    if factor is None:
        return None
    right = gradient[free] + cost[free] * np.sign(near[free]) + matrix[np.ix_(free, ~free)] @ move[~free]
    move[free] = newton.back(factor, -right)
    there = theta + move
    slope = np.abs(gradient + matrix @ move)
    agrees = (np.sign(there) == np.sign(near))[free & (cost > 0)].all()
    stays = (slope <= cost * (1 + _SLACK))[~free].all()
    # A coordinate that is zero is exactly so: minus itself is how far it moves.
    return move if agrees and stays else None
