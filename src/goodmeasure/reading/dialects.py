"""How a CSV file is written: its encoding and delimiter, read off its beginning, and its records one after the other."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from goodmeasure.drawing.terminal import word
from goodmeasure.reading.foreign import (
    BEGINNING,
    MOST_LINES,
    another,
    begins_with_empty_line,
    refuse_other_formats,
    refuse_without_header,
)
from goodmeasure.reading.paths import Place, is_compressed, told, uncompressed
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.tables import NEEDS_ROWS, EmptyTable, OtherEncoding, UnreadableTable, duplicate_columns

QUOTE = '"'
DELIMITERS = (",", ";", "\t", "|")
# Up to this record, the line on which a bad cell stands is counted; beyond it would take long.
MOST_RECORDS = 5_000_000
# The widest table that is opened.
MOST_COLUMNS = 20_000
_FEW = 1 << 16
# What Excel writes and reads before a header.
_SEPARATOR = re.compile(rb'(?:\xef\xbb\xbf)?"?sep=([\t\x20-\x7e])"?[ \t;,]*\r?\n', re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written."""

    encoding: str
    delimiter: str
    compressed: bool
    line_end: str = ""
    """How lines end, where the header holds an end of a line in quotes, which the database would go by; else empty."""
    skipped: int = 0
    """How many lines stand before the header: one where a spreadsheet wrote ``sep=;`` first."""

    @contextmanager
    def records(self, place: Place) -> Iterator[Any]:
        """The records of a file, header first, as the csv module reads them."""
        encoding = "utf-8-sig" if self.encoding == "utf-8" else self.encoding
        with (
            told(place.name),
            uncompressed(place.path) as file,
            io.TextIOWrapper(file, encoding=encoding, newline="") as text,
        ):
            for _ in range(self.skipped):
                text.readline()
            yield csv.reader(text, delimiter=self.delimiter, quotechar=QUOTE)

    def header(self, place: Place) -> list[str]:
        """The cells of the first record. Error: GM202."""
        try:
            with self.records(place) as lines:
                return next(lines, [])
        except (csv.Error, UnicodeDecodeError) as error:
            raise UnreadableTable(
                f"{place.name} does not begin with a line of names",
                seen=str(error),
                fix="write the names of the columns on the first line",
            ) from error

    def line(self, place: Place, record: int, *, empty_count: bool) -> int | None:
        """The line on which a record starts (the header is record 1): quoted texts may hold line breaks.

        Where empty lines count, as the database counts them, so do those before the header. None where it cannot be told,
        or only slowly.
        """
        record -= self.skipped if empty_count else 0
        try:
            with self.records(place) as lines:
                start = _start(lines, record, empty_count) if record <= MOST_RECORDS else None
        except (csv.Error, UnicodeDecodeError):
            return None
        return None if start is None else start + self.skipped


def _start(lines: Any, record: int, empty_count: bool) -> int | None:
    """The line on which a record starts. An empty line is a record where there is one column only."""
    start, number, columns = 1, 0, 0
    for cells in lines:
        columns = columns or len(cells)
        number += bool(cells) or empty_count or columns == 1
        if number == record:
            return start
        start = lines.line_num + 1
    return None


def dialect_of(place: Place) -> tuple[Dialect, tuple[Remark, ...]]:
    """How a file is written, and a remark if it is not UTF-8.

    The delimiter is what a first line ``sep=;`` says, or the usual one that makes most cells of the header: guessing from
    more lines would follow ragged ones.

    Raises:
        GM202: the file is no text
    """
    with told(place.name), uncompressed(place.path) as file:
        start = file.read(BEGINNING)
    refuse_other_formats(start, place.name)
    _refuse_wide(start[:1000], place.name)
    encoding, remarks = _encoding(start, place)
    with told(place.name):
        compressed = is_compressed(place.path)
    if said := _SEPARATOR.match(start):
        mark, rest = said[1].decode(encoding), start[said.end() :]
        return Dialect(encoding, mark, compressed, _line_end(rest), skipped=1), remarks
    return max(
        (Dialect(encoding, mark, compressed, _line_end(start)) for mark in DELIMITERS),
        key=lambda d: _cells(d, place),
    ), remarks


def _refuse_wide(start: bytes, name: str) -> None:
    """Refuse a text of which every letter takes two bytes or four, and whose first bytes do not say so. Error: GM202."""
    if start.count(0) < len(start) / 4 or not re.search(rb"\w\0|\0\w", start):
        return
    least = b"\0" not in start[:1]
    encoding = f"UTF-{32 if start.count(0) > 0.6 * len(start) else 16}{'LE' if least else 'BE'}"
    raise UnreadableTable(
        f"{name} is written in {encoding}, and its first bytes do not say so",
        where=name,
        seen=f"{start[:16]!r}",
        fix=f"write it as UTF-8: iconv -f {encoding} -t UTF-8 {word(name)} > {word(another(name))}",
    )


def _cells(dialect: Dialect, place: Place) -> int:
    """How many names a delimiter makes of the header; none where a wrong one makes a cell too long to be read."""
    try:
        return len(dialect.header(place))
    except UnreadableTable:
        return 0


def _line_end(start: bytes) -> str:
    """What ends the header, if that is not the first end of a line in the file: others stand in quotes."""
    quotes = 0
    for number, line in enumerate(start.splitlines(keepends=True)):
        quotes += line.count(QUOTE.encode())
        if quotes % 2 == 0:
            return ("\\r\\n" if line.endswith(b"\r\n") else "\\n") if number else ""
    return ""


def _encoding(start: bytes, place: Place) -> tuple[str, tuple[Remark, ...]]:
    """UTF-8 unless the start of the file says otherwise."""
    try:
        start[:-4].decode("utf-8") if len(start) == BEGINNING else start.decode("utf-8")
    except UnicodeDecodeError as error:
        if b"\x00" in start:
            raise UnreadableTable(
                f"{place.name} is not a text file, and not Parquet either", fix="write it as CSV or Parquet"
            ) from error
        return "latin-1", (
            OtherEncoding(f"{place.name} is not UTF-8; it was read as Latin-1", where=f"byte {error.start}"),
        )
    return "utf-8", ()


def names_in(dialect: Dialect, place: Place) -> list[str]:
    """Column names from the header; one without a name is called by its place.

    Raises:
        GM202: the first line is empty
        GM204: columns share a name
        GM205: there is not even a header
    """
    head = dialect.header(place)
    if not head and _is_empty(place):
        raise EmptyTable(f"{place.name} is empty: it has not even a header", fix=NEEDS_ROWS)
    if not head:
        raise begins_with_empty_line(place.name)
    refuse_without_header(_first_lines(dialect, place), head, place.name, DELIMITERS)
    names = [cell.strip() or f"column {i + 1}" for i, cell in enumerate(head)]
    refuse_names(names, place.name)
    return names


def _first_lines(dialect: Dialect, place: Place) -> list[str]:
    """The first lines of a file, as they stand."""
    with told(place.name), uncompressed(place.path) as file:
        start = file.read(_FEW).decode(
            "utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding, errors="replace"
        )
    lines = start.splitlines()[dialect.skipped :]
    return lines[: MOST_LINES + 1] if len(lines) < 2 or len(start) < _FEW else lines[:-1][: MOST_LINES + 1]


def _is_empty(place: Place) -> bool:
    with told(place.name), uncompressed(place.path) as file:
        return not file.read(1)


def refuse_more(columns: int, most: int, source: str, fix: str) -> None:
    """Refuse more columns than a database plans for in seconds, before it is asked. Error: GM202."""
    if columns > most:
        raise UnreadableTable(f"{source} has {columns:,} columns; at most {most:,} can be read", where=source, fix=fix)


def refuse_names(names: list[str], source: str) -> None:
    """Refuse columns that share a name, names that databases cut short, and more columns than can be read.

    Raises:
        GM202: a name holds a NUL, or there are too many columns
        GM204: columns share a name
    """
    refuse_more(len(names), MOST_COLUMNS, source, "write a table of the columns that are needed")
    if any("\0" in name for name in names):
        raise UnreadableTable(f"{source} has a column whose name holds a NUL", where=source, fix="rename the column")
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise duplicate_columns(twice, source)
