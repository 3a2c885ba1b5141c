"""Files that are no table, or CSV without its header first: what they are, and what makes a table of them."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

from goodmeasure.drawing.terminal import word
from goodmeasure.reading.tables import UnreadableTable


class _Format(NamedTuple):
    begins: bytes
    name: str
    fix: str


_PANDAS = "in Python: pandas.{}({!r}{}){}.to_csv({!r}, index=False)"
_FORMATS = (
    _Format(b"PK\x03\x04", "an archive of files", ""),
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
    _Format(b"<table", "a web page", "read_html"),
    _Format(b"<?xml", "an XML document", "read_xml"),
)
_JSON_LINE, _JSON = re.compile(rb"\s*\{\s*\"[^\n]*\}\s*(\n|$)"), re.compile(rb"\s*\{\s*\"")
_JSON_LIST = re.compile(rb"\s*\[\s*\{\s*\"")
_RULE = re.compile(r"[\s|+:=-]*-{3}[\s|+:=-]*")
_COLUMNS_OF_BLANKS = re.compile(r"\S(  +)\S")
# So many bytes are the beginning of a file, by which it is told what it is.
BEGINNING = 1 << 20
# So many lines behind the first tell whether that is the header.
MOST_LINES = 20


def json_rows(start: bytes) -> Literal["newline_delimited", "array"] | None:
    """How rows stand in a file of JSON, told from its beginning: one a line, or in one list; None where it holds none."""
    if _JSON_LINE.match(start) and not _is_nested(start):
        return "newline_delimited"
    return "array" if _JSON_LIST.match(start) else None


def _is_nested(start: bytes) -> bool:
    """Whether a file of one line is no row, but holds rows in a list inside it, or columns as objects or lists."""
    if start.strip().count(b"\n") or len(start) == BEGINNING:
        return False
    try:
        found = json.loads(start)
    except (ValueError, RecursionError):  # which the database tells of with its place
        return False
    return bool(_key_of_rows(found)) or all(isinstance(value, dict | list) for value in found.values())


def _key_of_rows(found: dict[str, Any]) -> str:
    """Under which name a document holds a list of objects; empty where it holds none."""
    lists = {key: value for key, value in found.items() if isinstance(value, list) and value}
    return next((key for key, value in lists.items() if isinstance(value[0], dict)), "")


def refuse_other_formats(start: bytes, name: str) -> None:
    """Refuse what begins like a file of another format, and say what it is. Error: GM202."""
    low = start[:64].lower()
    for begins, what, reader in _FORMATS:
        if start.startswith(begins) or low.startswith(begins):
            raise _other(name, what, reader)
    if _JSON.match(start):
        raise _other(name, "a JSON document that is no list of rows", "read_json", _inner_rows(start, name))


def _inner_rows(start: bytes, name: str) -> str:
    """The line that makes a table of a JSON document whose rows are inside it; empty where there are none."""
    try:
        found = json.loads(start)
    except (ValueError, RecursionError):  # it goes on, or is none
        return ""
    key = _key_of_rows(found)
    rows = f"json.loads(pathlib.Path({name!r}).read_text())[{key!r}]"
    made = f"import json, pandas, pathlib; pandas.DataFrame({rows}).to_csv({another(name)!r}, index=False)"
    return f"in Python: {made}" if key else ""


def _other(name: str, what: str, reader: str, line: str = "") -> UnreadableTable:
    fix = line or (by_pandas(name, reader) if reader else "save the table as CSV")
    return UnreadableTable(f"{name} is {what}, and no table of CSV, Parquet or lines of JSON", where=name, fix=fix)


def by_pandas(name: str, reader: str, more: str = "") -> str:
    """The line that makes a table of a file with pandas."""
    first = "[0]" if reader == "read_html" else ""  # a page may hold several
    return _PANDAS.format(reader, name, more, first, another(name))


def another(name: str) -> str:
    """The name of a file to write that is not the one that was read."""
    return f"{Path(name).stem}-rows.csv"


def refuse_without_header(lines: Sequence[str], cells: Sequence[str], name: str, marks: Sequence[str]) -> None:
    """Refuse a file whose first line is no line of names: a title, numbers, or columns made of blanks.

    ``lines`` are its first ones, ``cells`` those of the first at the best of the ``marks``. Error: GM202.
    """
    if len(lines) > 1 and _RULE.fullmatch(lines[1]) and len(cells) > 1:
        fix = f"leave it out: sed 2d {word(name)} > {word(another(name))}"
        what = f"{name} has a line of dashes below its names"
        raise UnreadableTable(what, where=f"{name}, line 2", seen=lines[1][:100], fix=fix)
    if len(cells) > 1:
        if _are_no_names(cells):
            names = ",".join(f"c{k + 1}" for k in range(len(cells)))
            fix = f"put a line of names before it: (echo {names}; cat {word(name)}) > {word(another(name))}"
            what = f"{name} has no line of names: its first line holds numbers"
            raise UnreadableTable(what, where=f"{name}, line 1", seen=lines[0][:100], fix=fix)
        return
    found = _header_below(lines, marks)
    if found:
        raise _no_names(name, f"its first {found} line{'s' * (found > 1)} stand above the table", lines[0], found)
    blanks = [_COLUMNS_OF_BLANKS.search(line) for line in lines if line.strip()]
    if len(blanks) > 1 and blanks[0] and sum(map(bool, blanks)) > len(blanks) / 4:
        fix = by_pandas(name, "read_fwf")
        raise UnreadableTable(f"{name} has columns of fixed width", where=name, seen=lines[0][:100], fix=fix)


def begins_with_empty_line(name: str) -> UnreadableTable:
    """The error for a file without names on its first line."""
    fix = f"leave it out: tail -n +2 {word(name)} > {word(another(name))}"
    return UnreadableTable(f"{name} begins with an empty line", where=f"{name}, line 1", fix=fix)


def _no_names(name: str, why: str, line: str, skip: int) -> UnreadableTable:
    return UnreadableTable(
        f"{name} does not begin with a line of names: {why}",
        where=f"{name}, line 1",
        seen=line[:100],
        fix=f"leave it out: tail -n +{skip + 1} {word(name)} > {word(another(name))}",
    )


def _header_below(lines: Sequence[str], marks: Sequence[str]) -> int:
    """How many lines stand above the first of those that have as many cells as most; 0 where the first does."""
    for mark in marks:
        counts = [len(next(csv.reader([line], delimiter=mark), [])) for line in lines]
        usual, times = Counter(counts[1:]).most_common(1)[0] if counts[1:] else (1, 0)
        if usual > 1 and times >= 3 and times >= 0.6 * (len(counts) - 1):
            return counts.index(usual)
    return 0


def _are_no_names(cells: Sequence[str]) -> bool:
    """Whether one has decimals, or all are whole numbers that do not follow one another as years and places do."""
    whole = [int(cell) for cell in cells if cell.strip().lstrip("+-").isdigit()]
    if len(whole) < len(cells):
        return any(is_number(cell) and not cell.strip().lstrip("+-").isdigit() for cell in cells)
    return len({after - before for before, after in pairwise(whole)}) > 1


def is_number(cell: str) -> bool:
    """Whether a cell is a plain number."""
    try:
        float(cell)
    except ValueError:
        return False
    return cell.strip().lower() not in ("nan", "inf", "infinity")
