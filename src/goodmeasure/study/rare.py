"""Classes of so few rows that no part of a split would hold two of them: put together, or left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

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

    @property
    def together(self) -> Any:
        """The label of the class that rare ones make."""
        numbers = [label for label in self.known if not isinstance(label, str)]
        return int(min(0, *numbers)) - 1 if numbers else TOGETHER


def rare_in(values: Values, target: str, way: str) -> Rare | None:
    """The rare labels among those of a target; None where there are none. Error: GM220 if they are too few together."""
    counts = Counter(values.tolist())
    rare = [label for label, count in counts.items() if count < ENOUGH]
    total = sum(counts[label] for label in rare)
    if not rare:
        return None
    if way == "together" and total < ENOUGH:
        raise TooFewRowsToSplit(
            f"rare classes of {target} are {total:,} rows together, which is too few for a class",
            seen=listed(f"{_shown(label)} ({counts[label]:,})" for label in rare),
            fix="rare_classes='drop'",
        )
    return Rare(target, way, frozenset(counts) - frozenset(rare))


def _shown(label: Any) -> str:
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)
