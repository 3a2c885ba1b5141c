"""Texts for a model: which category has which column, or which code; what is rare, and what was never seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.reading.tables import ABSENT, Values
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.texts import by_value

MOST_CATEGORIES = 40
LEAST_OF_A_CATEGORY = 5
# Histogram trees hold at most this many categories.
MOST_TREE_CATEGORIES = 250
_NONE = -1


@dataclass(frozen=True)
class Coding:
    """The categories of a column of texts with a code each; rare ones share the last. ``otherwise`` is the code of all others.

    A code is a column of a linear model, or a number that trees split on. It is -1 where there is no column or number: for
    the first of two categories, which the other one implies, and for a category that no fitted row holds, if none is rare.

    Categories in an order have the codes below ``steps``. A linear model has a column for each step between two of them, which is
    1 from the higher one on: neighbours are alike unless the rows say otherwise. Trees split between them as between numbers.
    """

    known: tuple[str, ...]
    code: tuple[int, ...]
    otherwise: int
    steps: int = 0

    @property
    def width(self) -> int:
        """How many columns there are."""
        return max(self.code) + (not self.steps)

    @property
    def titles(self) -> list[str]:
        """What each column says of a cell."""
        first = {code: name for name, code in zip(reversed(self.known), reversed(self.code), strict=True)}
        if self.steps:
            return [f">= {first[k]}" if k < self.steps else f"= {first[k]}" for k in range(1, max(self.code) + 1)]
        found = first | {self.otherwise: "(rare)"}
        return [f"= {found[code]}" for code in range(self.width)]

    @cached_property
    def _codes(self) -> dict[str, int]:
        return dict(zip(self.known, self.code, strict=True))

    def codes(self, values: Values) -> NDArray[np.intp]:
        """The code of each cell."""
        known = self._codes | {None: self._codes.get(ABSENT, self.otherwise)}
        return by_value(lambda value: known.get(value, self.otherwise), values, np.intp)

    def columns(self, codes: NDArray[np.intp]) -> Floats:
        """A column for each code, 1 where a cell has it; for each step, 1 where a cell is above it."""
        if not self.steps:
            return np.asarray(codes[:, None] == np.arange(self.width), dtype=np.float64)
        place = np.arange(1, self.width + 1)
        above = (codes[:, None] >= place) & (codes[:, None] < self.steps)
        return np.where(place < self.steps, above, codes[:, None] == place).astype(np.float64)

    def strange(self, values: Values) -> int:
        """How many cells hold a category that no fitted row holds."""
        counts = Counter(values.tolist())
        return sum(count for value, count in counts.items() if (ABSENT if value is None else value) not in self._codes)

    def to_dict(self) -> dict[str, Any]:
        """The coding as plain values, ready for JSON."""
        steps = {"steps": self.steps} if self.steps else {}
        return {"known": list(self.known), "code": list(self.code), "otherwise": self.otherwise} | steps

    @staticmethod
    def from_dict(state: dict[str, Any]) -> Coding:
        """The coding that `to_dict` described."""
        return Coding(tuple(state["known"]), tuple(state["code"]), state["otherwise"], state.get("steps", 0))


def coding(values: Values, order: tuple[str, ...], *, scaled: bool) -> Coding:
    """The coding of a column of texts, for a linear model or for trees; its categories may stand in an order."""
    if len(order) > 1:
        return _in_order(values, order, scaled=scaled)
    return (one_hot if scaled else codes)(values)


def _in_order(values: Values, order: tuple[str, ...], *, scaled: bool) -> Coding:
    """Codes by place; neighbours share one where there are too many. What was never seen is to a linear model the middle one."""
    most = MOST_CATEGORIES if scaled else MOST_TREE_CATEGORIES
    steps = min(len(order), most)
    code = [place * steps // len(order) for place in range(len(order))]
    of = dict(zip(order, code, strict=True))
    seen = [of[value] for value in values if value is not None]
    middle = int(np.median(seen)) if scaled and seen else _NONE
    if len(seen) == len(values):
        return Coding(order, tuple(code), middle, steps)
    return Coding((*order, ABSENT), (*code, steps if scaled else _NONE), middle, steps)


def one_hot(values: Values) -> Coding:
    """A column for each category, but for rare ones, which share one, and for the first of two."""
    known, code, rare = _grouped(values, LEAST_OF_A_CATEGORY, MOST_CATEGORIES)
    # Of two columns one says what the other does not.
    less = max(code) == 1
    return Coding(known, tuple(each - less for each in code), rare - less if rare != _NONE else _NONE)


def codes(values: Values) -> Coding:
    """A code for each category; rare ones share one only where there are more than trees hold."""
    known, code, _ = _grouped(values, 1, MOST_TREE_CATEGORIES)
    return Coding(known, code, _NONE)


def _grouped(values: Values, least: int, most: int) -> tuple[tuple[str, ...], tuple[int, ...], int]:
    """The categories in order, their codes, and the code that rare ones share, -1 if none is rare.

    Rare are those with fewer than ``least`` cells, and all but the most frequent where more than ``most`` codes were needed.
    """
    counts = Counter(values.tolist())
    counts[ABSENT] += counts.pop(None, 0)
    known = sorted(+counts)
    sizes = np.array([counts[name] for name in known])
    rare = sizes < least
    if len(known) - rare.sum() + 1 > most:
        rare[np.argsort(sizes, kind="stable")[: len(known) - (most - 1)]] = True
    code = np.where(rare, (~rare).sum(), np.cumsum(~rare) - 1)
    return tuple(known), tuple(code.tolist()), int((~rare).sum()) if rare.any() else _NONE
