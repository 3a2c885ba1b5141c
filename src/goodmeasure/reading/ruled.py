"""Columns between blanks: tables whose cells stand below one another, or behind one another with blanks between."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import IO

from goodmeasure.reading.foreign import is_number
from goodmeasure.reading.remarks import Remark

_MARKS = re.compile(r"[,;\t|]")
# So many bytes show how a file is ruled; then every line is held against it.
_FIRST = 1 << 16
_LEAST = 3
Cutting = Callable[[str], list[str]]


class ReadInColumns(Remark):
    """The cells of the file stand between blanks, with no mark between them, and were read so: every line fits.

    A file is read so where each line falls into as many cells as the first, or leaves the same places blank, and where the
    cells of a column below its name are numbers.
    """

    code = "GM213"


def copied(opened: Callable[[], IO[bytes]], free: Callable[[], Path]) -> Path | None:
    """A copy as CSV of a table in columns between blanks, line by line; None where it is none, or not surely one."""
    with opened() as file:
        lines = _whole_lines(file.read(_FIRST))
    if len(lines) < _LEAST or _MARKS.search(lines[0]) or "\0" in lines[0]:
        return None
    # Below one name, two words may be one cell.
    named = [_with_row_names(lines[0])] if len(_parted(lines[0])) > 1 else []
    cut = next((how for how in (_parted, *named, *_below(lines)) if _fits(lines, how)), None)
    copy = None if cut is None else free()
    if cut is None or copy is None or not _written(opened, cut, copy, len(cut(lines[0]))):
        return None
    return copy


def _whole_lines(start: bytes) -> list[str]:
    """The first lines that hold something, without one that is cut off; none where they are no UTF-8."""
    whole = start if len(start) < _FIRST else start[: start.rfind(b"\n") + 1]
    try:
        return [line for line in whole.decode("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError:
        return []


def _lines(file: IO[bytes]) -> Iterator[str]:
    for k, line in enumerate(file):
        yield line.decode("utf-8" if k else "utf-8-sig", errors="replace").rstrip("\r\n")


def _parted(line: str) -> list[str]:
    """The words of a line; what stands in quotes is one."""
    return next(csv.reader([line.strip()], delimiter=" ", skipinitialspace=True), [])


def _with_row_names(first: str) -> Cutting:
    """How to cut lines of which all but the first begin with the name of the row."""
    return lambda line: ["", *_parted(line)] if line == first else _parted(line)


def _below(lines: Sequence[str]) -> Iterator[Cutting]:
    """How to cut lines where all of them are blank, if they are."""
    width = max(map(len, lines))
    blank = [all(line[k : k + 1] in ("", " ") for line in lines) for k in range(width)]
    runs = [(gap, [k for k, _ in run]) for gap, run in groupby(enumerate(blank), key=lambda pair: pair[1])]
    starts = [places[0] for gap, places in runs if not gap]
    if len(starts) > 1:
        ends = [*starts[1:], None]
        yield lambda line: [line[a:b].strip() for a, b in zip(starts, ends, strict=True)]


def _fits(lines: Sequence[str], cut: Cutting) -> bool:
    """Whether lines fall into as many cells as the names, of which the first alone may be empty, and one holds numbers alone."""
    names, *rows = map(cut, lines)
    even = len(names) > 1 and all(names[1:]) and all(len(row) == len(names) for row in rows)
    return (
        even
        and any(all(map(is_number, column)) for column in zip(*rows, strict=True))
        and not any(map(is_number, names))
    )


def _written(opened: Callable[[], IO[bytes]], cut: Cutting, copy: Path, width: int) -> bool:
    """Write all lines, if all fit: cut elsewhere, a line would lose none of its letters but those between its cells."""
    with opened() as file, copy.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        for line in _lines(file):
            cells = cut(line) if line.strip() else []
            if cells and (len(cells) != width or any("  " in cell for cell in cells)):
                return False
            writer.writerow(cells)
    return True
