"""How many rows were read, how many of them count, and why the others do not: what every command says first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.strict.calls import strict_class, strict_keywords

REASONS = NO_WEIGHT, NO_TARGET, NO_SCORE = "no weight", "missing target", "missing score"


@strict_class
@dataclass(frozen=True)
class RowsRead:
    """How many rows were read, and by reason how many of them do not count.

    Attributes:
        read: how many rows there were.
        left_out: how many of them do not count, by reason.

    Example:
        >>> import goodmeasure as gm
        >>> found = gm.tally(gm.losses.squared_error(), [1.0, 2.0, 4.0], [1.0, 2.5, 3.0], sample_weight=[1, 2, 0])
        >>> print(found.rows_read)
        3 rows read, 2 used; left out: 1 no weight
    """

    read: int
    left_out: Mapping[str, int] = field(default_factory=dict)

    @staticmethod
    @strict_keywords
    def of(rows: int, lost: Mapping[str, NDArray[np.bool_]]) -> tuple[RowsRead, NDArray[np.bool_]]:
        """The counts of so many rows, and which of them count; a row that is lost twice is so for the first reason.

        Args:
            rows: how many there are.
            lost: which rows do not count, (n,), by reason.

        Returns:
            The counts, and whether each row counts, (n,).
        """
        found, keep = RowsRead(rows), np.ones(rows, dtype=bool)
        for reason, gone in lost.items():
            found = found.without(int(np.count_nonzero(keep & gone)), reason)
            keep &= ~gone
        return found, keep

    @property
    def used(self) -> int:
        """How many rows count."""
        return self.read - sum(self.left_out.values())

    @strict_keywords
    def without(self, count: int, reason: str) -> RowsRead:
        """The same, of which some more do not count.

        Args:
            count: how many more.
            reason: why.

        Returns:
            The counts without them.
        """
        return replace(self, left_out={**self.left_out, reason: count}) if count else self

    def __str__(self) -> str:
        if not self.left_out:
            return f"{self.read:,} rows"
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.left_out.items())
        return f"{self.read:,} rows read, {self.used:,} used; left out: {reasons}"

    def to_dict(self) -> dict[str, Any]:
        """The counts as plain values, ready for JSON."""
        return {"read": self.read, "left_out": dict(self.left_out), "used": self.used}
