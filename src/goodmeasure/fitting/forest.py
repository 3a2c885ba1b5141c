"""Trees as plain numbers, whichever booster grew them: how they are walked, cut short, and written down.

Hosts compare in single precision, with less or less-or-equal, and each has its own file. Here every node sends a number to the
left if it is at most the node's limit, in double precision; `at_most` and `below` say which limit that is. So a model needs no
booster to predict, and a file of it holds nothing that could be run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from goodmeasure.keeping.compiling import loop
from goodmeasure.kernels.threads import for_each
from goodmeasure.statistics.row_arguments import Floats

# Codes of categories that a set can hold.
CODES = 256
_LEAF = -1
_ROWS = 1 << 12


@dataclass(frozen=True)
class TreeNode:
    """A node of a tree under construction: a leaf with a value, or a split with the places of its children in the tree.

    A split sends a row to the left whose number in ``column`` is at most ``limit``, or, where ``codes`` are given, is one of
    them. ``missing_left`` says where a missing number goes; where a split asks for nothing else, the limit is infinite.
    """

    value: float = 0.0
    column: int = _LEAF
    limit: float = 0.0
    codes: tuple[int, ...] | None = None
    missing_left: bool = False
    left: int = _LEAF
    right: int = _LEAF


class WrittenForest(TypedDict):
    """A forest as plain values, ready for JSON."""

    start: list[float]
    roots: list[int]
    column: list[int]
    limit: list[float | str]
    missing_left: list[bool]
    left: list[int]
    right: list[int]
    value: list[float]
    set: list[int]
    sets: list[list[int]]


@dataclass(frozen=True)
class Forest:
    """Raw outputs that are a start and the leaves of many trees: tree k adds to output k modulo their number.

    Nodes of all trees stand one after the other, each tree's beginning at its root; children come after their parent. A leaf
    has the column -1. ``set_of`` is the row of ``sets`` that a split on categories asks, and -1 for a split on a limit.
    """

    start: Floats
    roots: NDArray[np.int64]
    column: NDArray[np.int64]
    limit: Floats
    missing_left: NDArray[np.bool_]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: Floats
    set_of: NDArray[np.int64]
    sets: NDArray[np.bool_]

    @staticmethod
    def of(start: Any, trees: Iterable[Sequence[TreeNode]]) -> Forest:
        """The forest of these trees, whose nodes point to places within their tree."""
        roots, nodes, sets = list[int](), list[TreeNode](), list[tuple[int, ...]]()
        for tree in trees:
            at = len(nodes)
            roots.append(at)
            nodes += [_moved(node, at) for node in tree]
        set_of = np.full(len(nodes), -1)
        for k, node in enumerate(nodes):
            if node.codes is not None:
                set_of[k] = len(sets)
                sets.append(node.codes)
        return Forest(
            np.atleast_1d(np.asarray(start, dtype=np.float64)),
            np.array(roots, dtype=np.int64),
            np.array([node.column for node in nodes], dtype=np.int64),
            np.array([node.limit for node in nodes], dtype=np.float64),
            np.array([node.missing_left for node in nodes], dtype=np.bool_),
            np.array([node.left for node in nodes], dtype=np.int64),
            np.array([node.right for node in nodes], dtype=np.int64),
            np.array([node.value for node in nodes], dtype=np.float64),
            set_of,
            _table(sets),
        )

    @property
    def outputs(self) -> int:
        """How many raw outputs a row has."""
        return len(self.start)

    @property
    def rounds(self) -> int:
        """How many trees each raw output has."""
        return len(self.roots) // self.outputs

    def __call__(self, matrix: Floats) -> Floats:
        raw = np.tile(self.start, (len(matrix), 1))
        self._add(matrix, self.roots, raw)
        return raw[:, 0] if self.outputs == 1 else raw

    def staged(self, matrix: Floats) -> Iterator[Floats]:
        """The raw outputs at the start and after each round, in one array that is added to."""
        raw = np.tile(self.start, (len(matrix), 1))
        yield raw[:, 0] if self.outputs == 1 else raw
        for k in range(self.rounds):
            self._add(matrix, self.roots[k * self.outputs : (k + 1) * self.outputs], raw)
            yield raw[:, 0] if self.outputs == 1 else raw

    def _add(self, matrix: Floats, roots: NDArray[np.int64], raw: Floats) -> None:
        given = np.ascontiguousarray(matrix, dtype=np.float64)
        split = self.column, self.limit, self.missing_left, self.left, self.right, self.value, self.set_of, self.sets

        def work(block: int) -> None:
            rows = slice(block * _ROWS, (block + 1) * _ROWS)
            _walk(given[rows], raw[rows], roots, *split)

        for_each(-(-len(given) // _ROWS), work)

    def first(self, rounds: int) -> Forest:
        """The forest after so many rounds."""
        trees = rounds * self.outputs
        if trees >= len(self.roots):
            return self
        nodes = slice(0, int(self.roots[trees]))
        kept = {
            name: getattr(self, name)[nodes] for name in ("column", "limit", "missing_left", "left", "right", "value")
        }
        set_of = self.set_of[nodes]
        return replace(
            self, roots=self.roots[:trees], **kept, set_of=set_of, sets=self.sets[: set_of.max(initial=-1) + 1]
        )

    def shifted(self, by: float | Floats) -> Forest:
        """The same forest with so much added to all of its raw outputs, or to each."""
        return replace(self, start=self.start + by)

    def to_dict(self) -> WrittenForest:
        """The forest as plain values, ready for JSON."""
        return {
            "start": self.start.tolist(),
            "roots": self.roots.tolist(),
            "column": self.column.tolist(),
            "limit": [x if np.isfinite(x) else str(x) for x in self.limit.tolist()],
            "missing_left": self.missing_left.tolist(),
            "left": self.left.tolist(),
            "right": self.right.tolist(),
            "value": self.value.tolist(),
            "set": self.set_of.tolist(),
            "sets": [np.flatnonzero(each).tolist() for each in self.sets],
        }

    @staticmethod
    def from_dict(state: WrittenForest) -> Forest:
        """The forest that `to_dict` described, which was checked."""
        return Forest(
            np.array(state["start"], dtype=np.float64),
            np.array(state["roots"], dtype=np.int64),
            np.array(state["column"], dtype=np.int64),
            np.array([float(x) for x in state["limit"]], dtype=np.float64),
            np.array(state["missing_left"], dtype=np.bool_),
            np.array(state["left"], dtype=np.int64),
            np.array(state["right"], dtype=np.int64),
            np.array(state["value"], dtype=np.float64),
            np.array(state["set"], dtype=np.int64),
            _table(state["sets"]),
        )


def _moved(node: TreeNode, by: int) -> TreeNode:
    return node if node.column == _LEAF else replace(node, left=node.left + by, right=node.right + by)


def _table(sets: Sequence[Sequence[int]]) -> NDArray[np.bool_]:
    """Sets of codes, a row each."""
    found = np.zeros((len(sets), CODES), dtype=np.bool_)
    for row, codes in zip(found, sets, strict=True):
        row[list(codes)] = True
    return found


def _walk_plain(
    matrix: Any, raw: Any, roots: Any, column: Any, limit: Any, missing_left: Any, left: Any, right: Any, value: Any,
    set_of: Any, sets: Any,
) -> None:  # fmt: skip
    """What `_walk` adds, a step down one tree for all rows at a time."""
    for k, root in enumerate(roots):
        node = np.full(len(matrix), root)
        while len(rows := np.flatnonzero(column[node] >= 0)):
            at = node[rows]
            x = matrix[rows, column[at]]
            is_code = (set_of[at] >= 0) & (x >= 0) & (x < sets.shape[1])
            goes_left = np.where(set_of[at] < 0, x <= limit[at], False)
            goes_left[is_code] = sets[set_of[at[is_code]], x[is_code].astype(np.intp)]
            node[rows] = np.where(np.where(np.isnan(x), missing_left[at], goes_left), left[at], right[at])
        raw[:, k % raw.shape[1]] += value[node]


# Plain code takes each step down each tree by itself.
@loop(plain=_walk_plain, fewest=1 << 12, nogil=True)
def _walk(
    matrix: Any, raw: Any, roots: Any, column: Any, limit: Any, missing_left: Any, left: Any, right: Any, value: Any,
    set_of: Any, sets: Any,
) -> None:  # fmt: skip
    outputs = raw.shape[1]
    for i in range(matrix.shape[0]):
        for k in range(roots.shape[0]):
            node = roots[k]
            while column[node] >= 0:
                x = matrix[i, column[node]]
                if np.isnan(x):
                    goes_left = missing_left[node]
                elif set_of[node] >= 0:
                    goes_left = 0 <= x < sets.shape[1] and sets[set_of[node], int(x)]
                else:
                    goes_left = x <= limit[node]
                node = left[node] if goes_left else right[node]
            raw[i, k % outputs] += value[node]


# --- limits of hosts that compare in single precision ---


def at_most(bound: float) -> float:
    """The largest number that is at most ``bound`` once it is rounded to single precision."""
    low = np.float32(bound)
    with np.errstate(over="ignore"):
        return _last_that_rounds_down(low, np.nextafter(low, np.float32(np.inf)))


def below(bound: float) -> float:
    """The largest number that is below ``bound`` once it is rounded to single precision."""
    high = np.float32(bound)
    return _last_that_rounds_down(np.nextafter(high, np.float32(-np.inf)), high)


def _last_that_rounds_down(low: np.float32, high: np.float32) -> float:
    """The largest number that rounds to the lower of two neighbours in single precision: of the middle, the even one."""
    if not np.isfinite(high):
        return float("inf")
    middle = (float(low) + float(high)) / 2
    return middle if np.float32(middle) == low else float(np.nextafter(middle, -np.inf))
