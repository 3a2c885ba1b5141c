"""What a result shows of itself: rows of numbers and texts under a title, whatever they are shown on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.drawing.cells import Cell, Interval, ends, is_number

# More rows than these are not read on a screen.
MOST_ROWS = 40


@dataclass(frozen=True)
class ShownColumn:
    """A name, the cells below it, and the columns that are shown as small lines under each of its cells."""

    name: str
    cells: Sequence[Cell]
    below: tuple[ShownColumn, ...] = ()

    @property
    def of_numbers(self) -> bool:
        """Whether it holds numbers and no text."""
        held = [cell for cell in self.cells if cell is not None]
        return bool(held) and all(map(is_number, held))

    @property
    def has_intervals(self) -> bool:
        """Whether numbers have intervals behind them."""
        return any(map(ends, self.cells))

    @property
    def is_to_the_right(self) -> bool:
        """Whether its name stands to the right: that of numbers with intervals stands above both."""
        return self.of_numbers and not self.has_intervals


def columns_of(names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> dict[str, list[Cell]]:
    """Rows as columns by name; there may be no rows."""
    held = list(rows)
    return {name: [row[place] for row in held] for place, name in enumerate(names)}


@dataclass(frozen=True)
class Display:
    """Rows under named columns, with a title and notes.

    Columns that are keys of ``under`` are shown as small lines under the column that they point at, those in ``aside``
    only in a frame. ``is_curve`` says that rows are points of a curve: of many, a screen shows some from end to end.
    """

    title: str
    columns: Mapping[str, Sequence[Cell] | NDArray[Any]]
    notes: tuple[str, ...] = ()
    under: Mapping[str, str] = field(default_factory=dict)
    aside: tuple[str, ...] = ()
    is_curve: bool = False

    def __post_init__(self) -> None:
        lengths = {name: len(cells) for name, cells in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"the columns of {self.title!r} are of unequal length: {lengths}")
        named = [each for name in self.columns for each in self.frame_names(name)]
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise ValueError(f"a frame of {self.title!r} would have two columns named {', '.join(twice)}")

    def frame_names(self, name: str) -> tuple[str, ...]:
        """What a frame calls a column: an interval is three, and those of a plain value are called as its record does."""
        if not any(isinstance(cell, Interval) for cell in self.columns[name]):
            return (name,)
        return (name, "low", "high") if name == "value" else (name, f"{name}_low", f"{name}_high")

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.columns.values()), ()))

    def cells(self, name: str) -> list[Cell]:
        """The cells of a column as Python's own values."""
        return [cell.item() if isinstance(cell, np.generic) else cell for cell in self.columns[name]]

    def shown(self) -> list[ShownColumn]:
        """The columns as a screen shows them."""
        rows = self._shown_rows()
        placed = {name: ShownColumn(name, [self.cells(name)[row] for row in rows]) for name in self.columns}
        main = [name for name in self.columns if name not in self.under and name not in self.aside]
        return [
            ShownColumn(name, placed[name].cells, tuple(placed[low] for low, of in self.under.items() if of == name))
            for name in main
        ]

    def remarks(self) -> list[str]:
        """The notes, and what of the rows is not on the screen."""
        count = len(self._shown_rows())
        cut = [f"{count:,} of {self.rows:,} rows; to_frame() has all"] if count < self.rows else []
        return [*cut, *self.notes]

    def _shown_rows(self) -> list[int]:
        if self.rows <= MOST_ROWS or not self.is_curve:
            return list(range(min(self.rows, MOST_ROWS)))
        return [int(row) for row in np.linspace(0, self.rows - 1, MOST_ROWS).round()]
