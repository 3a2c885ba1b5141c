"""Displays as plain text, for str() and for files of text."""

from __future__ import annotations

from goodmeasure.drawing.cells import ends, text
from goodmeasure.drawing.display import Display, ShownColumn
from goodmeasure.drawing.terminal import printable


def plain(display: Display) -> str:
    """The display as lines of text: title, header, rows, notes."""
    columns = [lined_up(column) for shown in display.shown() for column in (shown, *shown.below)]
    table = ["  ".join(row).rstrip() for row in zip(*columns, strict=True)] if display.rows else []
    return "\n".join([printable(display.title), *(f"  {line}" for line in table), *map(printable, display.remarks())])


def lined_up(column: ShownColumn) -> list[str]:
    """The column's name and cells, all of one width: numbers to the right with their intervals behind them."""
    values, intervals = [text(cell) for cell in column.cells], [ends(cell) for cell in column.cells]
    if column.of_numbers:
        values = _right(values)
    if column.has_intervals:
        values = [f"{value} {interval}" for value, interval in zip(values, _left(intervals), strict=True)]
    name = printable(column.name)
    return (_right if column.is_to_the_right else _left)([name, *values])


def _right(texts: list[str]) -> list[str]:
    width = max(map(len, texts), default=0)
    return [each.rjust(width) for each in texts]


def _left(texts: list[str]) -> list[str]:
    width = max(map(len, texts), default=0)
    return [each.ljust(width) for each in texts]
