"""Displays as HTML that follows the page they stand on, light or dark, with every text of a user escaped."""

from __future__ import annotations

from html import escape

from goodmeasure.drawing.cells import Cell, Code, Formula, ends, lines
from goodmeasure.drawing.display import Display, ShownColumn
from goodmeasure.drawing.picture import Picture
from goodmeasure.drawing.terminal import printable

# Colours are the page's own: what is less important is fainter, and lines are drawn in the colour of the text.
_TABLE = "border-collapse:collapse;color:inherit;background:transparent;font-variant-numeric:tabular-nums;margin:.3em 0"
_HEAD = (
    "padding:.15em .7em;border-bottom:1px solid currentColor;font-weight:600;vertical-align:bottom;white-space:nowrap"
)
_CELL = "padding:.15em .7em;vertical-align:top;border:0"
_FAINT = "opacity:.7"
_WIDEST = "40em"


def html(display: Display, picture: Picture | None = None) -> str:
    """The display as a piece of HTML: title, table, picture, notes."""
    title = f'<div style="font-weight:600">{_text(display.title)}</div>'
    notes = "".join(f"<div>{_text(note)}</div>" for note in display.remarks())
    table = _table(display.shown()) if display.rows else ""
    drawn = "" if picture is None else f'<div style="max-width:{_WIDEST}">{picture.svg()}</div>'
    return f'<div style="color:inherit">{title}{table}{drawn}{notes}</div>'


def _table(columns: list[ShownColumn]) -> str:
    head = "".join(map(_header, columns))
    rows = "".join(f"<tr>{''.join(cells)}</tr>" for cells in zip(*map(_cells, columns), strict=True))
    return f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _header(column: ShownColumn) -> str:
    across = ' colspan="2"' if column.has_intervals else ""
    side = "right" if column.is_to_the_right else "left"
    return f'<th scope="col"{across} style="{_HEAD};text-align:{side}">{_text(column.name)}</th>'


def _cells(column: ShownColumn) -> list[str]:
    """The cells of each row; a number and its interval are two, so that numbers stand below each other."""
    found = []
    for row, cell in enumerate(column.cells):
        below = "".join(_below(low.name, low.cells[row]) for low in column.below)
        found.append(_td(f"{_marked(cell)}{below}", right=column.of_numbers) + _interval(column, cell))
    return found


def _interval(column: ShownColumn, cell: Cell) -> str:
    if not column.has_intervals:
        return ""
    return f'<td style="{_CELL};padding-left:0;text-align:left;white-space:nowrap;{_FAINT}">{ends(cell)}</td>'


def _td(inner: str, *, right: bool) -> str:
    side = "text-align:right;white-space:nowrap" if right else "text-align:left"
    return f'<td style="{_CELL};{side}">{inner}</td>'


def _below(name: str, cell: Cell) -> str:
    said = _marked(cell)
    return f'<div><small style="{_FAINT}">{_text(name)}</small> <small>{said}</small></div>' if said else ""


def _marked(cell: Cell) -> str:
    if isinstance(cell, Formula):
        return f"${escape(cell.latex)}$"
    if isinstance(cell, Code):
        return f"<code>{_text(cell)}</code>"
    return "<br>".join(map(escape, lines(cell)))


def _text(said: str) -> str:
    return escape(printable(said))
