"""The best increasing fit: pool adjacent violators, on rows, on cells of a grid, and on blocks from many machines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.keeping.compiling import loop
from goodmeasure.statistics.row_arguments import Floats


@dataclass(frozen=True)
class Blocks:
    """Consecutive pools of an increasing fit: where each starts, and the sum and weight of its targets."""

    starts: NDArray[np.intp]
    sums: Floats
    weights: Floats

    def fit(self, cells: int) -> Floats:
        """The fitted mean of each of the cells that were pooled."""
        means = self.sums / self.weights
        return np.repeat(means, np.diff(np.append(self.starts, cells)))


def _pool_plain(sums: Any, weights: Any) -> Any:
    """What `_pool` gives, by lists: the same pools to the last bit."""
    starts, pooled_sums, pooled_weights = list[int](), list[float](), list[float]()
    for i, (total, weight) in enumerate(zip(sums.tolist(), weights.tolist(), strict=True)):
        start = i
        while starts and pooled_sums[-1] * weight >= total * pooled_weights[-1]:
            start, total, weight = starts.pop(), pooled_sums.pop() + total, pooled_weights.pop() + weight  # noqa: PLW2901
        starts.append(start)
        pooled_sums.append(total)
        pooled_weights.append(weight)
    return np.array(starts, np.intp), np.array(pooled_sums, np.float64), np.array(pooled_weights, np.float64)


@loop(plain=_pool_plain)
def _pool(sums: Any, weights: Any) -> Any:
    starts = np.empty(len(sums), np.intp)
    pooled_sums, pooled_weights = np.empty(len(sums)), np.empty(len(sums))
    top = -1
    for i in range(len(sums)):
        top += 1
        starts[top], pooled_sums[top], pooled_weights[top] = i, sums[i], weights[i]
        # Means are compared by cross-multiplication: exact for whole numbers, so pools of pools are the pools of all.
        while top > 0 and pooled_sums[top - 1] * pooled_weights[top] >= pooled_sums[top] * pooled_weights[top - 1]:
            pooled_sums[top - 1] += pooled_sums[top]
            pooled_weights[top - 1] += pooled_weights[top]
            top -= 1
    return starts[: top + 1].copy(), pooled_sums[: top + 1].copy(), pooled_weights[: top + 1].copy()


def _means_plain(sums: Any, weights: Any) -> Any:
    """What `_means` gives."""
    fits = np.empty(sums.shape)
    for fit, total, weight in zip(fits, sums, weights, strict=True):
        held = np.flatnonzero(weight > 0)
        starts, pooled_sums, pooled_weights = _pool(total[held], weight[held])
        # A cell without weight belongs to the block before it, the first ones to the first block.
        edges = [0, *held[starts[1:]], len(fit)]
        fit[:] = np.repeat(pooled_sums / pooled_weights, np.diff(edges)) if len(held) else fit
    return fits


@loop(plain=_means_plain)
def _means(sums: Any, weights: Any) -> Any:
    fits = np.empty(sums.shape)
    for row in range(len(sums)):
        held = np.arange(sums.shape[1])[weights[row] > 0]
        starts, pooled_sums, pooled_weights = _pool(sums[row][held], weights[row][held])
        reached = 0
        for block in range(len(starts)):
            end = held[starts[block + 1]] if block + 1 < len(starts) else sums.shape[1]
            fits[row, reached:end] = pooled_sums[block] / pooled_weights[block]
            reached = end
    return fits


def increasing_means(sums: Floats, weights: Floats) -> Floats:
    """The fitted mean of each cell, for several cases (rows) at once; a cell without weight takes its neighbour's."""
    return np.asarray(_means(np.ascontiguousarray(sums, np.float64), np.ascontiguousarray(weights, np.float64)))


def pool(sums: Floats, weights: Floats) -> Blocks:
    """Pool adjacent violators of cells given by the sum and the (positive) weight of their targets (Ayer et al.
    1955)."""
    return Blocks(*_pool(np.ascontiguousarray(sums, np.float64), np.ascontiguousarray(weights, np.float64)))


def pool_blocks(parts: list[Blocks]) -> Blocks:
    """Pools of consecutive ranges of scores, pooled again: the same as pooling all their cells at once.

    ``starts`` counts the pools of the parts, in their order.
    """
    return pool(np.concatenate([part.sums for part in parts]), np.concatenate([part.weights for part in parts]))


Functional = Callable[[Floats, Floats], float]


def increasing(cells: list[tuple[Floats, Floats]], functional: Functional) -> Floats:
    """The increasing fit of any functional with the internality property: quantiles, expectiles, best constants.

    ``cells`` holds targets and weights by ascending prediction (Jordan, Mühlemann and Ziegel 2022: pooled
    functionals).
    """
    stack: list[tuple[list[int], float]] = []
    for i, (values, w) in enumerate(cells):
        members, level = [i], functional(values, w)
        while stack and stack[-1][1] >= level:
            members = stack.pop()[0] + members
            level = functional(
                np.concatenate([cells[m][0] for m in members]), np.concatenate([cells[m][1] for m in members])
            )
        stack.append((members, level))
    return np.concatenate([np.full(len(members), level) for members, level in stack])
