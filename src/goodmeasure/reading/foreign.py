"""Files that are no table, or CSV without its header first: what they are, and what makes a table of them."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from goodmeasure.drawing.terminal import word
from goodmeasure.reading.tables import UnreadableTable


class _Format(NamedTuple):
    begins: bytes
    name: str
    fix: str


_PANDAS = "in Python: pandas.{}({!r}{}).to_csv({!r}, index=False)"
_FORMATS = (
    _Format(b"PK\x03\x04", "an Excel workbook, or another archive of files", "read_excel"),
    _Format(b"\xd0\xcf\x11\xe0", "an old Excel workbook", "read_excel"),
    _Format(b"ARROW1", "an Arrow file", "read_feather"),
    _Format(b"FEA1", "a Feather file", "read_feather"),
    _Format(b"ORC", "an ORC file", "read_orc"),
    _Format(b"\x89HDF", "an HDF5 file", "read_hdf"),
    _Format(b"<stata_dta>", "a Stata file", "read_stata"),
    _Format(b"$FL2", "an SPSS file", "read_spss"),
    _Format(b"SQLite format 3", "an SQLite database", ""),
    _Format(b"\x80\x04", "a pickle of Python", ""),
    _Format(b"\x80\x05", "a pickle of Python", ""),
    _Format(b"%PDF", "a PDF document", ""),
    _Format(b"<!doctype html", "a web page", "read_html"),
    _Format(b"<html", "a web page", "read_html"),
    _Format(b"<?xml", "an XML document", "read_xml"),
)
_JSON_LINE, _JSON = re.compile(rb"\s*\{\s*\"[^\n]*\}\s*(\n|$)"), re.compile(rb"\s*\{\s*\"")
_JSON_LIST = re.compile(rb"\s*\[\s*\{\s*\"")
_COLUMNS_OF_BLANKS = re.compile(r"\S(  +)\S")
# So many lines behind the first tell whether that is the header.
MOST_LINES = 20


def json_rows(start: bytes) -> Literal["newline_delimited", "array"] | None:
    """How rows stand in a file of JSON, told from its beginning: one a line, or in one list; None where it holds none."""
    if _JSON_LINE.match(start):
        return "newline_delimited"
    return "array" if _JSON_LIST.match(start) else None


def refuse_other_formats(start: bytes, name: str) -> None:
    """Refuse what begins like a file of another format, and say what it is. Error: GM202."""
    low = start[:64].lower()
    for begins, what, reader in _FORMATS:
        if start.startswith(begins) or low.startswith(begins):
            raise _other(name, what, reader)
    if _JSON.match(start):
        raise _other(name, "a JSON document that is no list of rows", "read_json")


def _other(name: str, what: str, reader: str) -> UnreadableTable:
    fix = _by_pandas(name, reader) if reader else "save the table as CSV"
    return UnreadableTable(f"{name} is {what}, and no table of CSV, Parquet or lines of JSON", where=name, fix=fix)


def _by_pandas(name: str, reader: str, more: str = "") -> str:
    return _PANDAS.format(reader, name, more, _another(name))


def _another(name: str) -> str:
    """The name of a file to write that is not the one that was read."""
    return f"{Path(name).stem}-rows.csv"


def refuse_without_header(lines: Sequence[str], cells: Sequence[str], name: str, marks: Sequence[str]) -> None:
    """Refuse a file whose first line is no line of names: a title, numbers, or columns made of blanks.

    ``lines`` are its first ones, ``cells`` those of the first at the best of the ``marks``. Error: GM202.
    """
    if len(cells) > 1:
        if all(map(_is_number, cells)) and any(not cell.strip().lstrip("+-").isdigit() for cell in cells):
            fix = f"put a line of names before it: (echo a,b,c; cat {word(name)}) > {word(_another(name))}"
            what = f"{name} has no line of names: its first line holds numbers alone"
            raise UnreadableTable(what, where=f"{name}, line 1", seen=lines[0][:100], fix=fix)
        return
    found = _header_below(lines, marks)
    if found:
        raise _no_names(name, f"its first {found} line{'s' * (found > 1)} stand above the table", lines[0], found)
    blanks = [_COLUMNS_OF_BLANKS.search(line) for line in lines if line.strip()]
    if len(blanks) > 1 and blanks[0] and sum(map(bool, blanks)) > len(blanks) / 4:
        fix = _by_pandas(name, "read_fwf")
        raise UnreadableTable(f"{name} has columns of fixed width", where=name, seen=lines[0][:100], fix=fix)


def _no_names(name: str, why: str, line: str, skip: int) -> UnreadableTable:
    return UnreadableTable(
        f"{name} does not begin with a line of names: {why}",
        where=f"{name}, line 1",
        seen=line[:100],
        fix=f"leave it out: tail -n +{skip + 1} {word(name)} > {word(_another(name))}",
    )


def _header_below(lines: Sequence[str], marks: Sequence[str]) -> int:
    """How many lines stand above the first of those that have as many cells as most; 0 where the first does."""
    for mark in marks:
        counts = [len(next(csv.reader([line], delimiter=mark), [])) for line in lines]
        usual, times = Counter(counts[1:]).most_common(1)[0] if counts[1:] else (1, 0)
        if usual > 1 and times >= 3 and times >= 0.6 * (len(counts) - 1):
            return counts.index(usual)
    return 0


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell.strip().lower() not in ("nan", "inf", "infinity")
