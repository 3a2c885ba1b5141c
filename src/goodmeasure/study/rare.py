"""Classes of so few rows that no part of a split would hold two of them: put together, or left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from goodmeasure.errors import UsageError
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.tables import Table, Values, listed
from goodmeasure.study.split import TooFewRowsToSplit

# With so many rows, each part gets two of a class.
ENOUGH = 10
TOGETHER = "(rare)"
WAYS = ("together", "drop")


class RareClasses(Remark):
    """Classes of fewer than ten rows cannot be fitted, tuned and reported; they were put together or left out, as you said.

    Put together they are one class, ``(rare)``, or -1 where classes are numbers (one below the least, if that is taken). Where
    they were left out, the model never says them, and the risk is that of rows of other classes.
    """

    code = "GM246"


@dataclass(frozen=True)
class Rare:
    """Which labels of a target are rare, and what becomes of their rows; ``known`` are the others."""

    target: str
    way: str
    known: frozenset[Any]

    def applied(self, table: Table) -> tuple[Table, tuple[Remark, ...]]:
        """A table whose rare classes are one, or gone, and what was done in words."""
        values = table[self.target]
        rare = np.array([value not in self.known for value in values.tolist()])
        if not rare.any():
            return table, ()
        counts = Counter(values[rare].tolist())
        names = listed((f"{_shown(label)} ({count:,})" for label, count in counts.most_common()), most=6)
        if self.way == "drop":
            return table.take(~rare), (RareClasses(f"rows of rare classes of {self.target} were left out: {names}"),)
        one = np.array([self.together if gone else value for value, gone in zip(values.tolist(), rare, strict=True)])
        done = RareClasses(f"rare classes of {self.target} are one class, {self.together!r}: {names}")
        return replace(table, columns={**table.columns, self.target: one.astype(values.dtype)}), (done,)

    def left_of(self, said: str | None, *, ordered: bool) -> str | None:
        """What was said of the target where labels are gone: an order without them, and of two labels none."""
        if not ordered or self.way != "drop":
            return said
        if len(self.known) == 2:
            return None
        known = {_shown(label) for label in self.known}
        parts = [part.strip() for part in (said or "").split("<")]
        return " < ".join(part for part in parts if part in known) if len(parts) > 1 else said

    @property
    def together(self) -> Any:
        """The label of the class that rare ones make."""
        numbers = [label for label in self.known if not isinstance(label, str)]
        return int(min(0, *numbers)) - 1 if numbers else TOGETHER


def rare_in(values: Values, target: str, way: str, *, ordered: bool) -> Rare | None:
    """The rare labels among those of a target; None where there are none.

    Errors: GM220 if they are too few together, or too few are left; GM009 where they stand in an order.
    """
    counts = Counter(values.tolist())
    rare = [label for label, count in counts.items() if count < ENOUGH]
    if not rare:
        return None
    seen = listed(f"{_shown(label)} ({counts[label]:,})" for label in rare)
    offered = ways_out(values, ordered=ordered)
    if way == "together" and ordered:
        raise UsageError(
            f"{target} holds grades, and rare ones put together have no place in their order", seen=seen, fix=offered
        )
    if way == "together" and not _make_one(counts):
        total = sum(counts[label] for label in rare)
        what = f"rare classes of {target} are {total:,} rows together, which is too few for a class"
        raise TooFewRowsToSplit(what, seen=seen, fix=offered)
    if way == "drop" and not _leave_some(counts):
        raise TooFewRowsToSplit(f"without its rare classes {target} has no two left", seen=seen, fix=offered)
    return Rare(target, way, frozenset(counts) - frozenset(rare))


def ways_out(values: Values, *, ordered: bool) -> str:
    """What can be done about labels of too few rows: only what works with these."""
    counts = Counter(values.tolist())
    ways = {"together": not ordered and _make_one(counts), "drop": len(counts) > 2 and _leave_some(counts)}
    offered = [f"rare_classes={way!r}" for way, works in ways.items() if works]
    offered += ["write neighbouring grades as one"] if ordered else []
    return " or ".join(offered) if offered else "bring more rows of the class"


def _make_one(counts: Counter[Any]) -> bool:
    """Whether rare labels are a class together, beside another one."""
    few = [count for count in counts.values() if count < ENOUGH]
    return len(counts) > 2 and sum(few) >= ENOUGH and len(few) < len(counts)


def _leave_some(counts: Counter[Any]) -> bool:
    """Whether there are two labels at least that are not rare."""
    return sum(count >= ENOUGH for count in counts.values()) > 1


def _shown(label: Any) -> str:
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)
