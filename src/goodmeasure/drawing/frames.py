"""Displays as data: a frame of the kind that is asked for, or a dictionary of columns."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from goodmeasure.drawing.cells import Cell, Formula, Interval, is_number
from goodmeasure.drawing.display import Display
from goodmeasure.errors import MissingExtra, UsageError

FrameKind = Literal["pandas", "polars", "pyarrow", "dict"]


def frame(display: Display, kind: str | None = None) -> Any:
    """All rows and columns as a frame; pandas' where it is installed and nothing else is asked for."""
    chosen = kind or ("pandas" if find_spec("pandas") else "dict")
    if chosen not in get_args(FrameKind):
        raise UsageError(f"there is no frame of kind {chosen!r}", fix=f"one of {', '.join(get_args(FrameKind))}")
    columns = arrays(display)
    if chosen == "dict":
        return columns
    if not find_spec(chosen):
        raise MissingExtra(f"to_frame({chosen!r}) needs {chosen}", fix=f"pip install {chosen}")
    import narwhals as nw

    # Objects are texts and None, which every kind of frame understands as a list.
    given = {name: each.tolist() if each.dtype == object else each for name, each in columns.items()}
    return nw.from_dict(given, backend=chosen).to_native()  # type: ignore[arg-type]


def arrays(display: Display) -> dict[str, NDArray[Any]]:
    """Every column as an array: numbers, or objects that are texts and None. An interval becomes three columns."""
    found: dict[str, NDArray[Any]] = {}
    for name in display.columns:
        cells, names = display.cells(name), display.frame_names(name)
        found |= dict(zip(names, _three(cells) if len(names) > 1 else [_one(cells)], strict=True))
    return found


def _three(cells: list[Cell]) -> NDArray[np.float64]:
    nothing = Interval(np.nan, np.nan, np.nan)
    return np.array([cell if isinstance(cell, Interval) else nothing for cell in cells], dtype=np.float64).T


def _one(cells: list[Cell]) -> NDArray[Any]:
    held = [cell for cell in cells if cell is not None]
    if held and all(isinstance(cell, bool) for cell in cells):
        return np.array(cells, dtype=bool)
    if held and all(map(is_number, held)):
        # Only floats know a number that is not there.
        whole = len(held) == len(cells) and all(isinstance(cell, int) for cell in held)
        return np.array(cells, dtype=np.int64 if whole else np.float64)
    found = np.empty(len(cells), dtype=object)
    found[:] = [_words(cell) for cell in cells]
    return found


def _words(cell: Cell) -> Any:
    """A text as a plain str; None and truth values as they are."""
    if isinstance(cell, Formula):
        return cell.text
    return cell if cell is None or isinstance(cell, bool) else str(cell)
