"""Cells of later rows that a model was not made for: they count as missing, which is said of all parts of a file together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.tables import Table, missing
from goodmeasure.study.columns import MissingInLaterRows, Vast
from goodmeasure.study.encoding import Encoding

Counts = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class LaterCells:
    """By column: categories that no fitted row holds, of so many texts; numbers next to infinity; cells without a number."""

    strange: Counts
    vast: Mapping[str, Vast]
    empty: Counts

    @staticmethod
    def of(encoding: Encoding, given: Table) -> LaterCells:
        """Of the rows of a table."""
        rows, numbers = len(given), encoding.numbers
        return LaterCells(
            {name: (count, int((~missing(given[name])).sum())) for name, count in encoding.strange(given).items()},
            {name: Vast.of(given[name]) for name in numbers},
            {name: (int(missing(given[name]).sum()), rows) for name in numbers},
        )

    def __add__(self, other: LaterCells) -> LaterCells:
        return LaterCells(
            _added(self.strange, other.strange),
            {name: found + other.vast[name] for name, found in self.vast.items()},
            _added(self.empty, other.empty),
        )

    def remarks(self) -> tuple[Remark, ...]:
        """What is to be said of them."""
        strange = (
            f"{count:,} of {known:,} values of column {name!r} are categories that no fitted row holds"
            for name, (count, known) in self.strange.items()
            if count
        )
        empty = (f"column {name!r} holds no number" for name, (count, rows) in self.empty.items() if count == rows)
        vast = (found.remark(name) for name, found in self.vast.items() if found.large)
        return (*map(MissingInLaterRows, (*strange, *empty)), *vast)


def _added(a: Counts, b: Counts) -> Counts:
    return {name: tuple(np.add(counts, b[name]).tolist()) for name, counts in a.items()}
