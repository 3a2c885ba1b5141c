"""Displays as Rich renders them, for terminals that know colours and widths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goodmeasure.drawing.cells import Cell, Code, ends, lines, text
from goodmeasure.drawing.display import Display, ShownColumn
from goodmeasure.drawing.plain import lined_up
from goodmeasure.drawing.terminal import printable

if TYPE_CHECKING:
    from rich.console import Group, JustifyMethod, RenderableType
    from rich.table import Table
    from rich.text import Text


def coloured(display: Display) -> Group:
    """The display as a Rich renderable: numbers are never broken, texts are wrapped to the width that is left."""
    from rich.console import Group
    from rich.text import Text

    # Texts come from users' tables: as Text they are shown, as str Rich would read markup in them.
    parts: list[RenderableType] = [Text(printable(display.title), style="bold")]
    parts += [_table(display)] if display.rows else []
    return Group(*parts, *(Text(printable(note)) for note in display.remarks()))


def _table(display: Display) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    columns = display.shown()
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
