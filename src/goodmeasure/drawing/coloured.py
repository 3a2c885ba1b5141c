"""Displays as Rich renders them, for terminals that know colours and widths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goodmeasure.drawing.cells import Cell, Code, ends, lines, text
from goodmeasure.drawing.display import Display, ShownColumn
from goodmeasure.drawing.plain import lined_up
from goodmeasure.drawing.terminal import printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, Group, JustifyMethod, RenderableType
    from rich.table import Table
    from rich.text import Text

_LEAST_TEXT = 8  # a column of texts that is narrower cannot be read
_BETWEEN = 3  # what Rich puts between two columns


def coloured(display: Display) -> Group:
    """The display as a Rich renderable: numbers are never broken, texts are wrapped to the width that is left."""
    from rich.console import Group
    from rich.text import Text

    # Texts come from users' tables: as Text they are shown, as str Rich would read markup in them.
    parts: list[RenderableType] = [Text(printable(display.title), style="bold")]
    parts += [_Fitted(display.shown())] if display.rows else []
    return Group(*parts, *(Text(printable(note)) for note in display.remarks()))


@dataclass(frozen=True)
class _Fitted:
    """A table; where it is too wide for the terminal, its cells below each other, because Rich would cut numbers short."""

    columns: Sequence[ShownColumn]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        least = sum(map(_least_width, self.columns)) + _BETWEEN * len(self.columns)
        yield _table(self.columns) if least <= options.max_width else _list(self.columns)


def _least_width(column: ShownColumn) -> int:
    return max(map(len, lined_up(column))) if column.of_numbers else _LEAST_TEXT


def _list(columns: Sequence[ShownColumn]) -> Table:
    """Each row as lines of a name and a cell, with an empty line after it."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for cells in zip(*map(_cells, columns), strict=True):
        for column, cell in zip(columns, cells, strict=True):
            shown = Text(cell.plain.strip(), no_wrap=True) if column.of_numbers else cell
            table.add_row(Text(printable(column.name), "bold"), shown)
        table.add_row()
    return table


def _table(columns: Sequence[ShownColumn]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for column in columns:
        side: JustifyMethod = "right" if column.is_to_the_right else "left"
        table.add_column(Text(printable(column.name)), justify=side, no_wrap=column.of_numbers, overflow="fold")
    for cells in zip(*map(_cells, columns), strict=True):
        table.add_row(*cells)
    return table


def _cells(column: ShownColumn) -> list[Text]:
    from rich.text import Text

    if column.of_numbers:
        return [Text(each) for each in lined_up(column)[1:]]
    found = [Text(_said(cell), "cyan" if isinstance(cell, Code) else "") for cell in column.cells]
    for low in column.below:
        for above, cell in zip(found, low.cells, strict=True):
            if said := text(cell):
                above.append(f"\n{printable(low.name)}  ", "dim").append(said)
    return found


def _said(cell: Cell) -> str:
    """The lines of a cell, an interval behind its number."""
    return f"{text(cell)} {ends(cell)}" if ends(cell) else "\n".join(lines(cell))
