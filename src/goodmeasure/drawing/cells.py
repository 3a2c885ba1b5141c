"""What stands in a cell of a display, and how it reads."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goodmeasure.drawing.terminal import printable

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """A number with the ends of its interval: shown together, three columns in a frame.

    Example:
        >>> import goodmeasure as gm
        >>> found = gm.risk(gm.losses.zero_one(), [0, 1, 1, 0], [-1.0, 2.0, 1.0, 3.0]).interval
        >>> [round(float(end), 3) for end in found]
        [0.25, 0.006, 0.806]
    """

    value: float
    low: float
    high: float


def intervals(value: Floats, low: Floats, high: Floats) -> list[Interval]:
    """Three arrays of one length as a column of intervals."""
    return list(map(Interval, value.tolist(), low.tolist(), high.tolist()))


class Code(str):
    """A piece of a program, shown in the letters of programs."""

    __slots__ = ()


class Formula(NamedTuple):
    """A formula as text, and as LaTeX for pages that set it."""

    text: str
    latex: str


Cell = None | bool | int | float | str | Interval | Formula


def number(value: float) -> str:
    """Four digits of a number; whole thousands where it is large."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:.4g}"


def lines(cell: Cell) -> list[str]:
    """The lines of a cell without what would steer a terminal; of an interval the number alone (see `ends`)."""
    match cell:
        case None:
            return []
        case bool():
            return ["yes" if cell else "no"]
        case Interval():
            return [number(cell.value)]
        case Formula():
            return [printable(cell.text)]
        case str():
            return printable(cell).split("\n")
    return [number(cell)]


def text(cell: Cell) -> str:
    """A cell as one line."""
    return " ".join(lines(cell))


def ends(cell: Cell) -> str:
    """The ends of an interval in brackets; nothing for other cells."""
    return f"[{number(cell.low)}, {number(cell.high)}]" if isinstance(cell, Interval) else ""


def is_number(cell: Cell) -> bool:
    """Whether the cell is of a column of numbers: set to the right, and never broken."""
    return isinstance(cell, Interval | float) or (isinstance(cell, int) and not isinstance(cell, bool))
