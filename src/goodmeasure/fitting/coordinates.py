"""The least of a quadratic function plus a cost of sizes: coordinates one by one, then those that are not zero all at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.fitting import newton
from goodmeasure.fitting.duality import Costs
from goodmeasure.keeping.compiling import loop
from goodmeasure.statistics.row_arguments import Floats

# Rounds over all coordinates between two looks at what is left, and how many looks.
_ROUNDS, _LOOKS = 10, 200
# So many coordinates reach zero one after the other in a try of all at once; and so far one may go where nothing bends.
_FACES, _FAR = 50, 1e6
# A matrix of fewer numbers is read before a compiler has started.
_FEW = 4096


def step(matrix: Floats, gradient: Floats, theta: Floats, costs: Costs, aim: float, together: int = 1) -> Floats:
    """The move d from theta that minimises ``gradient d + d matrix d / 2 + costs.l1 |theta + d|``, to within ``aim``.

    It is near it where looks are at an end. ``together``: so many coordinates after each other, of one feature in each class,
    may move together without much change, which they hardly do one by one.
    """
    cost, move, pull = costs.l1, np.zeros_like(theta), gradient.copy()
    signs = np.full(theta.shape, np.nan)
    for _ in range(_LOOKS):
        changed = _descend(matrix, pull, theta, cost, move, _ROUNDS)
        if together > 1:
            move = _shifted(matrix, gradient, theta, cost, move, together)
        before, signs = signs, np.sign(theta + move)
        pull = gradient + matrix @ move
        if not changed or _left(matrix, pull, theta + move, costs) <= aim:
            break
        # Which are zero is often settled long before the others are.
        if np.array_equal(before, signs):
            move = _on_faces(matrix, gradient, theta, costs, move, aim)
            pull, signs = gradient + matrix @ move, np.full(theta.shape, np.nan)
            if _left(matrix, pull, theta + move, costs) <= aim:
                break
    return move


def _left(matrix: Floats, pull: Floats, there: Floats, costs: Costs) -> float:
    """What is left to gain: of coordinates that cost nothing, by each alone."""
    bend = np.diag(matrix)
    free = (costs.l1 == 0) & (bend > 0)
    return costs.gap(pull, there)[0] + float(np.sum(pull[free] ** 2 / bend[free])) / 2


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


def _on_faces(matrix: Floats, gradient: Floats, theta: Floats, costs: Costs, move: Floats, aim: float) -> Floats:
    """A better move, by the least over all coordinates of these signs at once: those that reach zero on the way stay there.

    Where columns are nearly the same, one alone moves next to nothing, and all together go where one of them is zero (the
    primal active-set method: Nocedal and Wright 2006, chapter 16).
    """
    cost, there = costs.l1, theta + move
    sign, free = np.sign(there), (there != 0) | (costs.l1 == 0)
    for _ in range(_FACES):
        if _left(matrix, gradient + matrix @ (there - theta), there, costs) <= aim:
            break
        inner = matrix[np.ix_(free, free)]
        pull = (gradient + matrix @ (there - theta) + cost * sign)[free]
        by = newton.direction(inner, pull)
        there, hit = _until_zero(there, by, free, cost)
        if not hit:
            there, hit = _until_zero(there, _unseen(inner, pull + inner @ by, there[free]), free, cost)
        if not hit:
            break
        free = (there != 0) | (cost == 0)
    return there - theta


def _unseen(inner: Floats, left: Floats, there: Floats) -> Floats:
    """A way down that a nearly singular matrix does not show, as far as it bends or a million times as far as they are."""
    bend, size = float(left @ inner @ left), float(np.abs(left).max(initial=0))
    farthest = _FAR * float(np.abs(there).max(initial=0)) / size if size else 0.0
    return -left * (min(float(left @ left) / bend, farthest) if bend > 0 else farthest)


def _until_zero(there: Floats, by: Floats, free: NDArray[np.bool_], cost: Floats) -> tuple[Floats, bool]:
    """The free coordinates moved, to where the first that costs something is zero; whether one is."""
    here, moved = there[free], there.copy()
    crosses = (cost[free] > 0) & (np.sign(here + by) != np.sign(here))
    if not crosses.any():
        moved[free] = here + by
        return moved, False
    length = np.full(len(here), np.inf)
    length[crosses] = here[crosses] / -by[crosses]
    reached = here + length.min() * by
    reached[np.argmin(length)] = 0.0
    moved[free] = reached
    return moved, True
