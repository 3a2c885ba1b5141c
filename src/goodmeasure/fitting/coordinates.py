"""The least of a quadratic function plus a cost of sizes: coordinates one by one, then those that are not zero all at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from goodmeasure.fitting import newton
from goodmeasure.fitting.duality import Penalties
from goodmeasure.keeping.compiling import loop
from goodmeasure.statistics.row_arguments import Floats

# Rounds over all coordinates between two looks at what is left, and how many looks.
_ROUNDS, _LOOKS = 10, 20
# Where the rounds between two looks leave more than this part, all are solved at once: it costs as much as many rounds.
_SLOW = 0.01
# So many coordinates reach zero one after the other in a try of all at once.
_FACES = 10
# A matrix of fewer numbers is read before a compiler has started.
_FEW = 4096


def step(
    matrix: Floats,
    gradient: Floats,
    theta: Floats,
    costs: Penalties,
    aim: float,
    together: int = 1,
    *,
    served: bool = False,
) -> Floats:
    """The move d from theta that minimises ``gradient d + d matrix d / 2 + costs.l1 |theta + d|``, to within ``aim``.

    It is near it where looks are at an end. ``together``: so many coordinates after each other, of one feature in each class,
    may move together without much change, which they hardly do one by one. ``served``: the compiler has started anyway.
    """
    descend = _descend.compiled if served else _descend
    cost, move, pull = costs.l1, np.zeros_like(theta), gradient.copy()
    signs, left = np.full(theta.shape, np.nan), np.inf
    for _ in range(_LOOKS):
        changed = descend(matrix, pull, theta, cost, move, _ROUNDS)
        if together > 1:
            move = _shifted(matrix, gradient, theta, cost, move, together)
        before, signs = (left, signs), np.sign(theta + move)
        pull = gradient + matrix @ move
        left = _left(matrix, pull, theta + move, costs)
        if not changed or left <= aim:
            break
        # Which are zero is often settled long before the others are.
        if left > _SLOW * before[0] and np.array_equal(before[1], signs):
            move = _on_faces(matrix, gradient, theta, costs, move, aim)
            pull, signs = gradient + matrix @ move, np.full(theta.shape, np.nan)
            if _left(matrix, pull, theta + move, costs) <= aim:
                break
    return move


def _left(matrix: Floats, pull: Floats, there: Floats, costs: Penalties) -> float:
    """What is left to gain: of coordinates that cost nothing, by each alone."""
    bend = np.diag(matrix)
    free = (costs.l1 == 0) & (bend > 0)
    return costs.gap(pull, there) + float(np.sum(pull[free] ** 2 / bend[free])) / 2


def _shifted(matrix: Floats, gradient: Floats, theta: Floats, cost: Floats, move: Floats, together: int) -> Floats:
    """The move, or the one after which the middle of the coordinates that go together is zero, if that gains."""
    there = (theta + move).reshape(-1, together)
    paid = cost.reshape(there.shape).all(axis=1, keepdims=True)
    middle = np.sort(there, axis=1)[:, (together - 1) // 2, None]
    other: Floats = (there - np.where(paid, middle, 0.0)).ravel() - theta
    return min(move, other, key=lambda by: gradient @ by + by @ matrix @ by / 2 + cost @ np.abs(theta + by))


def _descend_plain(matrix: Any, pull: Any, theta: Any, cost: Any, move: Any, rounds: int) -> bool:
    changed = True
    for _ in range(rounds):
        changed = False
        for j in np.flatnonzero(np.diag(matrix) > 0):
            bend, here = matrix[j, j], theta[j] + move[j]
            aim = here - pull[j] / bend
            there = np.sign(aim) * max(abs(aim) - cost[j] / bend, 0.0)
            if there != here:
                move[j] = there - theta[j]
                changed = changed or abs(there - here) > 1e-15 * abs(here)
                pull += (there - here) * matrix[j]
        if not changed:
            break
    return changed


@loop(plain=_descend_plain, fewest=_FEW, nogil=True)
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
                    pull[k] += by * matrix[j, k]
        if not changed:
            break
    return changed


def _on_faces(matrix: Floats, gradient: Floats, theta: Floats, costs: Penalties, move: Floats, aim: float) -> Floats:
    """A better move, by the least over all coordinates of these signs at once: those that reach zero on the way stay there.

    Where columns are nearly the same, one alone moves next to nothing, and all together go where one of them is zero (the
    primal active-set method: Nocedal and Wright 2006, chapter 16).
    """
    there, hit = theta + move, True
    for _ in range(_FACES):
        slope = gradient + matrix @ (there - theta)
        if _left(matrix, slope, there, costs) <= aim:
            break
        free = (there != 0) | (costs.l1 == 0)
        by = np.zeros_like(there)
        by[free] = _wanted(matrix[np.ix_(free, free)], (slope + costs.l1 * np.sign(there))[free])
        before, (there, hit) = hit, _to_zeros(matrix, slope, costs.l1, there, by)
        # What damping left the second time, it leaves.
        if not (hit or before):
            break
    return there - theta


def _to_zeros(matrix: Floats, slope: Floats, cost: Floats, there: Floats, by: Floats) -> tuple[Floats, bool]:
    """The coordinates moved, to where the first that costs something is zero, or all that would cross; whether any is zero."""
    crosses = (cost > 0) & (np.sign(there + by) != np.sign(there))
    if not crosses.any():
        return there + by, False
    length = np.full(len(there), np.inf)
    length[crosses] = there[crosses] / -by[crosses]
    first = there + length.min() * by
    first[np.argmin(length)] = 0.0
    every = np.where(crosses, 0.0, there + by)

    def value(to: Floats) -> float:
        return float((slope + matrix @ (to - there) / 2) @ (to - there) + cost @ np.abs(to))

    return min(first, every, key=value), True


def _wanted(inner: Floats, pull: Floats) -> Floats:
    """Newton's step; where a matrix is singular it goes far, to where something is zero."""
    unit = 1 / np.sqrt(np.maximum(np.diag(inner), 1e-300))
    return -unit * newton.solve(inner * unit * unit[:, None], pull * unit)
