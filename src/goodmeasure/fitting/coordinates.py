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


def step(matrix: Floats, gradient: Floats, theta: Floats, cost: Floats, together: int = 1) -> Floats:
    """The move d from theta that minimises ``gradient d + d matrix d / 2 + cost |theta + d|``; near it where tries are at an end.

    How near says `unsettled`. ``together``: so many coordinates after each other, of one feature in each class, may move
    together without much change, which they hardly do one by one.
    """
    move = np.zeros_like(theta)
    pull = gradient.copy()
    for _ in range(_TRIES):
        changed = _descend(matrix, pull, theta, cost, move, _ROUNDS)
        if together > 1:
            move = _shifted(matrix, gradient, theta, cost, move, together)
            pull = gradient + matrix @ move
        found = _at_once(matrix, gradient, theta, cost, theta + move)
        if found is not None:
            return found
        if not changed:
            break
    return move


def _shifted(matrix: Floats, gradient: Floats, theta: Floats, cost: Floats, move: Floats, together: int) -> Floats:
    """The move, or the one after which the middle of the coordinates that go together is zero, if that gains."""
    there = (theta + move).reshape(-1, together)
    paid = cost.reshape(there.shape).all(axis=1, keepdims=True)
    middle = np.sort(there, axis=1)[:, (together - 1) // 2, None]
    other: Floats = (there - np.where(paid, middle, 0.0)).ravel() - theta
    return min(move, other, key=lambda by: gradient @ by + by @ matrix @ by / 2 + cost @ np.abs(theta + by))


def unsettled(matrix: Floats, gradient: Floats, there: Floats, move: Floats, cost: Floats) -> float:
    """What is left to gain after a move to where coordinates are, by each of these alone."""
    slope, bend = gradient + matrix @ move, np.diag(matrix)
    free = np.maximum(np.abs(slope) - cost, 0)
    left = np.where(there == 0, free, slope + cost * np.sign(there))
    return float(np.sum(left[bend > 0] ** 2 / bend[bend > 0])) / 2


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
    right = gradient[free] + cost[free] * np.sign(near[free]) + matrix[np.ix_(free, ~free)] @ move[~free]
    # All classes may move together without a change: where costs allow it is no answer, which is seen below.
    move[free] = newton.direction(inner, right) if free.any() else 0.0
    there = theta + move
    slope = gradient + matrix @ move
    agrees = (np.sign(there) == np.sign(near))[free & (cost > 0)].all()
    stays = (np.abs(slope) <= cost * (1 + _SLACK))[~free].all()
    balanced = np.abs(slope[free] + cost[free] * np.sign(near[free])) <= _SLACK * np.abs(right).max(initial=0)
    # A coordinate that is zero is exactly so: minus itself is how far it moves.
    return move if agrees and stays and balanced.all() else None
