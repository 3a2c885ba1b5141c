"""Workbooks of Excel: the one sheet that holds a table, as CSV."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

from goodmeasure.reading.foreign import by_pandas
from goodmeasure.reading.tables import NEEDS_ROWS, EmptyTable, UnreadableTable, listed
from goodmeasure.strict.extras import needed

_ARCHIVE = b"PK\x03\x04"
# So many rows tell where the table begins.
_FIRST = 20
Row = tuple[Any, ...]


def is_workbook(path: str) -> bool:
    """Whether a file is a workbook in the format that Excel writes since 2007."""
    with Path(path).open("rb") as file:
        if file.read(len(_ARCHIVE)) != _ARCHIVE:
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except zipfile.BadZipFile:
        return False


def write_as_csv(name: str, path: str, copy: Path) -> None:
    """Write the one sheet of a workbook that holds cells, a line for each row.

    Raises:
        GM008: openpyxl is not installed
        GM202: the workbook is damaged, several sheets hold cells, or the table does not begin in the first row
        GM205: no sheet holds a cell
    """
    sheets = _sheets(name, path)
    if not sheets:
        raise EmptyTable(f"{name} holds no cells", fix=NEEDS_ROWS)
    if len(sheets) > 1:
        fix = by_pandas(name, "read_excel", f", sheet_name={next(iter(sheets))!r}")
        raise UnreadableTable(f"{name} has several sheets: {listed(map(repr, sheets))}", where=name, fix=fix)
    (sheet,) = sheets.values()
    _refuse_rows_above(name, list(islice(_rows(sheet), _FIRST)))
    with copy.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(_cut(_rows(sheet)))


def _sheets(name: str, path: str) -> dict[str, Any]:
    """The sheets that hold cells, by name. Errors: GM008, GM202."""
    openpyxl = needed("openpyxl", f"reading the workbook {name}")
    try:
        book = openpyxl.load_workbook(BytesIO(Path(path).read_bytes()), read_only=True, data_only=True)
        return {sheet.title: sheet for sheet in book.worksheets if any(map(_filled, _rows(sheet)))}
    except (KeyError, ValueError, SyntaxError, zipfile.BadZipFile) as error:  # XML that is none is a SyntaxError
        what = f"{name} is an Excel workbook and damaged"
        raise UnreadableTable(what, where=name, seen=str(error)[:200], fix="save it again, or as CSV") from error


def _rows(sheet: Any) -> Iterator[Row]:
    rows: Iterator[Row] = sheet.iter_rows(values_only=True)
    return rows


def _filled(row: Row) -> int:
    """How many cells of a row hold something."""
    return sum(cell is not None for cell in row)


def _refuse_rows_above(name: str, rows: Sequence[Row]) -> None:
    """Refuse titles and empty rows above the names. Error: GM202."""
    counts = [_filled(row) for row in rows]
    begin = next(k for k, count in enumerate(counts) if count == max(counts) or count > 1)
    if begin:
        raise UnreadableTable(
            f"the table in {name} does not begin in its first row",
            where=f"{name}, row 1",
            seen=f"{begin} row{'s' * (begin > 1)} above the names",
            fix=by_pandas(name, "read_excel", f", skiprows={begin}"),
        )


def _cut(rows: Iterator[Row]) -> Iterator[list[str]]:
    """Rows as texts, without empty columns at either side of the names; what stands beyond them stays, to be told of."""
    head = next(rows)
    named = [k for k, cell in enumerate(head) if cell is not None]
    begin, end = named[0], named[-1] + 1
    yield [_text(cell) for cell in head[begin:end]]
    for row in rows:
        cells = [_text(cell) for cell in row[begin:]]
        cells += [""] * (end - begin - len(cells))
        while len(cells) > end - begin and not cells[-1]:
            cells.pop()
        yield cells


def _text(cell: Any) -> str:
    """A cell as a file of texts holds it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, timedelta):
        return str(cell.total_seconds())
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)
