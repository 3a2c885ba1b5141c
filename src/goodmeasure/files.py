"""CSV and Parquet files as tables, read by DuckDB: in bounded memory, and with nothing else within its reach."""

from __future__ import annotations

import io
import itertools
import re
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from glob import has_magic
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from goodmeasure.errors import Problem, UsageError
from goodmeasure.remarks import Remark
from goodmeasure.tables import (
    BadCell,
    EmptyTable,
    Kind,
    NoSuchFile,
    OtherEncoding,
    SampledRows,
    Table,
    TextsCountAsMissing,
    UnreadableTable,
    Values,
    duplicate_columns,
    missing_column,
)

MOST_CELLS = 10_000_000
MEMORY = "2GB"
MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "?")
MOSTLY = 0.9
_SQL_KIND = {Kind.NUMBER: "DOUBLE", Kind.DATE: "TIMESTAMP", Kind.TEXT: "VARCHAR"}


def read(
    source: str | PathLike[str],
    *,
    where: str | None = None,
    kinds: Mapping[str, Kind] | None = None,
    numbers: Collection[str] = (),
    most_cells: int = MOST_CELLS,
) -> Table:
    """The table in a CSV or Parquet file, in all files that a pattern matches, or (``-``) in what comes in on standard input.

    ``where`` is a condition in SQL on the columns. ``kinds`` says what columns are known to hold; the others are inspected.
    In columns named by ``numbers`` a text among numbers is an error that names its line; in others it counts as missing. A
    table of more than ``most_cells`` cells is sampled. Errors: GM201 to GM206.
    """
    with _paths(source) as (paths, shown):
        given = _open(paths, shown)
        try:
            return _Reading(given, kinds or {}, numbers).table(where, most_cells)
        finally:
            given.connection.close()


@dataclass(frozen=True)
class _Open:
    """An open file set: its connection, the SQL that reads it, its columns with their SQL types, and its remarks."""

    connection: Any
    scan: str
    types: dict[str, str]
    source: str
    remarks: tuple[Remark, ...] = ()
    as_written: bool = False

    def rows(self, sql: str) -> list[Any]:
        return list(self.execute(sql).fetchall())

    def execute(self, sql: str) -> Any:
        import duckdb

        try:
            return self.connection.execute(sql)
        except duckdb.Error as error:
            raise _unreadable(error, self.source) from error


# --- which files ---


@contextmanager
def _paths(source: str | PathLike[str]) -> Iterator[tuple[list[str], str]]:
    text = str(source)
    if text == "-":
        with tempfile.TemporaryDirectory(prefix="goodmeasure-") as folder:
            spooled = Path(folder, "input")
            with spooled.open("wb") as out:
                shutil.copyfileobj(sys.stdin.buffer, out)
            yield [str(spooled)], "standard input"
        return
    if has_magic(text) and not Path(text).exists():
        found = sorted(str(p) for p in _matching(text) if p.is_file())
        if not found:
            raise NoSuchFile(f"no file matches {text}", fix="check the pattern, and put it in quotes")
        yield found, text
        return
    yield [_file(text)], text


def _matching(pattern: str) -> Iterator[Path]:
    """Every path that a pattern matches."""
    place = Path(pattern)
    fixed = list(itertools.takewhile(lambda part: not has_magic(part), place.parts))
    return Path(*fixed).glob(str(Path(*place.parts[len(fixed) :])))


def _file(text: str) -> str:
    path = Path(text)
    if path.is_dir():
        raise NoSuchFile(f"{text} is a directory", fix=f"goodmeasure run '{path / '*.csv'}' --target COLUMN")
    if not path.exists():
        raise NoSuchFile(f"there is no file {text}", fix=_neighbours(path))
    return text


def _neighbours(path: Path) -> str:
    from difflib import get_close_matches

    if not path.parent.is_dir():
        return f"there is no directory {path.parent} either"
    names = [p.name for p in path.parent.iterdir() if p.is_file()]
    close = get_close_matches(path.name, names, n=1)
    return f"did you mean {path.parent / close[0]}?" if close else "check the path"


# --- opening ---


def _open(paths: list[str], shown: str) -> _Open:
    import duckdb

    connection = duckdb.connect(":memory:", config={"memory_limit": MEMORY, "threads": 2})
    # Pushed into the CSV reader, a cast that may fail becomes one that must not.
    if connection.execute("SELECT 1 FROM duckdb_optimizers() WHERE name = 'type_pushdown'").fetchall():
        connection.execute("SET disabled_optimizers='type_pushdown'")
    connection.execute(f"SET allowed_paths={_literal([*paths])}")
    connection.execute("SET enable_external_access=false")
    connection.execute("SET lock_configuration=true")
    empty = [p for p in paths if Path(p).stat().st_size == 0]
    if empty:
        raise EmptyTable(f"{shown if len(paths) == 1 else empty[0]} is empty: it has not even a header")
    files = _literal(paths)
    if _is_parquet(paths[0]):
        given = _Open(connection, f"read_parquet({files})", {}, shown)
        return replace(given, types=_described(given))
    return _open_csv(connection, paths, shown)


def _is_parquet(path: str) -> bool:
    with Path(path).open("rb") as file:
        return file.read(4) == b"PAR1"


def _described(given: _Open) -> dict[str, str]:
    return {name: str(kind) for name, kind, *_ in given.rows(f"DESCRIBE SELECT * FROM {given.scan}")}


def _open_csv(connection: Any, paths: list[str], shown: str) -> _Open:
    encoding, remarks = _encoding(paths[0], shown)
    given = _Open(connection, "", {}, shown, remarks=remarks)
    sniffed = given.execute(
        f"SELECT Delimiter, Quote, Escape, SkipRows FROM sniff_csv({_literal(paths[0])}, header=true, all_varchar=true, "
        f"encoding={_literal(encoding)})"
    ).fetchone()
    delimiter, quote, escape, skip = sniffed
    delimiter = _delimiter(paths[0], encoding, delimiter)
    quote, escape = (mark if mark != "(empty)" else '"' for mark in (quote, escape))
    dialect = {
        "delim": _literal(delimiter),
        "quote": _literal(quote),
        "escape": _literal(escape),
        "skip": str(skip),
        "nullstr": _literal(list(MISSING)),
        "encoding": _literal(encoding),
        "max_line_size": "20000000",
    }
    settings = ", ".join(f"{key}={value}" for key, value in dialect.items())
    names = _names(_head(paths[0], encoding, (delimiter, quote), skip), shown)
    columns = "{" + ", ".join(f"{_literal(n)}: 'VARCHAR'" for n in names) + "}"
    shape = f"header=true, auto_detect=false, columns={columns}, {settings}"
    scan = f"read_csv({_literal(paths)}, {shape})"
    return replace(given, scan=scan, types=dict.fromkeys(names, "VARCHAR"), as_written=True)


def _delimiter(path: str, encoding: str, sniffed: str) -> str:
    """The delimiter as sniffed, unless it is not in the header and another usual one is: then some line is ragged."""
    with _uncompressed(path) as file:
        header = file.readline(1 << 20).decode(encoding, errors="replace")
    likely = max(",;\t|", key=header.count)
    return likely if sniffed not in header and likely in header else sniffed


def _head(path: str, encoding: str, marks: tuple[str, str], skip: int) -> list[str]:
    """The cells of the header line as they are written, so that names that occur twice are seen."""
    import csv

    with _uncompressed(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="")
        for _ in range(skip):
            text.readline()
        return next(csv.reader(text, delimiter=marks[0], quotechar=marks[1]), [])


def _names(head: list[str], shown: str) -> list[str]:
    """Column names from the header line; one without a name is called by its place."""
    names = [cell.strip() or f"column {i + 1}" for i, cell in enumerate(head)]
    folded = [n.casefold() for n in names]
    twice = sorted({n for n in names if folded.count(n.casefold()) > 1}) if len(set(folded)) < len(folded) else []
    if twice:
        raise duplicate_columns(twice, shown)
    return names


def _encoding(path: str, shown: str) -> tuple[str, tuple[Remark, ...]]:
    """UTF-8 unless the start of the file says otherwise."""
    with _uncompressed(path) as file:
        start = file.read(1 << 20)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16", ()
    try:
        start[:-4].decode("utf-8") if len(start) == 1 << 20 else start.decode("utf-8")
    except UnicodeDecodeError as error:
        if b"\x00" in start:
            raise UnreadableTable(f"{shown} is not a text file, and not Parquet either") from error
        return "latin-1", (OtherEncoding(f"{shown} is not UTF-8; it was read as Latin-1", where=f"byte {error.start}"),)
    return "utf-8", ()


def _uncompressed(path: str) -> Any:
    import gzip

    with Path(path).open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else Path(path).open("rb")


# --- reading ---


@dataclass(frozen=True)
class _Seen:
    """What a column holds, counted: cells that are there, that are numbers, that are dates."""

    present: int
    numbers: int
    dates: int

    @property
    def kind(self) -> Kind:
        if self.numbers >= MOSTLY * self.present:
            return Kind.NUMBER
        return Kind.DATE if self.dates == self.present else Kind.TEXT


@dataclass
class _Reading:
    """One reading of an open file set."""

    given: _Open
    kinds: Mapping[str, Kind]
    numbers: Collection[str]

    def table(self, where: str | None, most_cells: int) -> Table:
        for name in [*self.numbers, *self.kinds]:
            if name not in self.given.types:
                raise missing_column(name, self.given.types, self.given.source)
        if where is not None:
            self.given = self._filtered(where)
        total, seen = self._inspected()
        if total == 0:
            which = f" where {where}" if where else ""
            raise EmptyTable(f"{self.given.source} has no rows{which}")
        remarks = [*self.given.remarks]
        kinds = {name: self._kind(name, seen, remarks) for name in self.given.types}
        columns, sampled = self._fetched(kinds, total, most_cells)
        return Table(columns, self.given.source, total, (*remarks, *sampled))

    def _filtered(self, where: str) -> _Open:
        """The same files with numbers and dates as such, so that a condition compares them as such."""
        _, seen = self._inspected()
        sure = {n: s.kind if s.numbers in (0, s.present) else Kind.TEXT for n, s in seen.items()}
        columns = ", ".join(f"CAST({_name(n)} AS {_SQL_KIND[k]}) AS {_name(n)}" for n, k in sure.items())
        scan = f"(SELECT * FROM (SELECT {columns} FROM {self.given.scan}) WHERE ({where}\n))"
        filtered = replace(self.given, scan=scan, as_written=False)
        try:
            return replace(filtered, types=_described(filtered))
        except UnreadableTable as error:
            raise UsageError(
                f"the condition {where!r} cannot be used",
                seen=error.seen,
                fix="a condition in SQL on the table's columns, e.g. --where \"age >= 18 AND region = 'EU'\"",
            ) from error

    def _inspected(self) -> tuple[int, dict[str, _Seen]]:
        """How many rows there are, and what each column holds: one pass over the files."""
        counts = ["count(*)"]
        for name, kind in self.given.types.items():
            q = _name(name)
            plain = "VARCHAR" if kind in ("VARCHAR", "BOOLEAN") or kind.startswith("ENUM") else "DOUBLE"
            number = f"count(try_cast({q} AS DOUBLE))" if _may_be_number(kind) else "0"
            date = f"count(try_cast({q} AS TIMESTAMP))" if plain == "VARCHAR" or _is_date(kind) else "0"
            counts += [f"count({q})", number, date]
        total, *found = self.given.execute(f"SELECT {', '.join(counts)} FROM {self.given.scan}").fetchone()
        triples = zip(found[::3], found[1::3], found[2::3], strict=True)
        return total, {name: _Seen(*three) for name, three in zip(self.given.types, triples, strict=True)}

    def _kind(self, name: str, seen: dict[str, _Seen], remarks: list[Remark]) -> Kind:
        found = seen[name]
        strict = name in self.numbers and found.numbers > found.present / 2
        kind = Kind.NUMBER if strict else self.kinds.get(name, found.kind)
        texts = found.present - found.numbers
        if kind is not Kind.NUMBER or not texts:
            return kind
        where, cell = self._located(name)
        if strict or (name in self.kinds and not found.numbers):
            raise BadCell(
                f"column {name!r} holds {cell!r} where a number is needed",
                where=where,
                seen=f"{found.numbers:,} of {found.present:,} cells are numbers",
                fix=f"mend the cell, or leave such rows out: --where {_shell(f'TRY_CAST({_name(name)} AS DOUBLE) IS NOT NULL')}",
            )
        remarks.append(
            TextsCountAsMissing(
                f"{texts:,} of {found.present:,} cells of column {name!r} are texts among numbers; they count as missing",
                where=where,
                seen=f"{cell!r}",
            )
        )
        return kind

    def _located(self, name: str) -> tuple[str, str]:
        """Where the first cell of a column stands that is not a number, and what it holds."""
        q = _name(name)
        bad = f"{q} IS NOT NULL AND try_cast({q} AS DOUBLE) IS NULL"
        numbered = f'(SELECT {q}, row_number() OVER () AS "row" FROM {self.given.scan})'
        row, cell = self.given.rows(f'SELECT "row", {q} FROM {numbered} WHERE {bad} ORDER BY "row" LIMIT 1')[0]
        place = self._line(name) if self.given.as_written else ""
        return place or f"{self.given.source}, row {row:,} of the rows read, column {name!r}", cell

    def _line(self, name: str) -> str:
        """The file and line of a cell that is not a number, as the database names them when it must be one."""
        import duckdb

        strict = f"{_literal(name)}: 'DOUBLE'"
        scan = self.given.scan.replace(f"{_literal(name)}: 'VARCHAR'", strict, 1)
        try:
            self.given.connection.execute(f"SELECT count({_name(name)}) FROM {scan}")
        except duckdb.Error as error:
            line, path = re.search(r"Line: (\d+)", str(error)), re.search(r"file = (.*)", str(error))
            if line and path:
                shown = self.given.source if self.given.source == "standard input" else path[1]
                return f"{shown}, line {int(line[1]):,}, column {name!r}"
        return ""

    def _fetched(self, kinds: dict[str, Kind], total: int, most_cells: int) -> tuple[dict[str, Values], list[Remark]]:
        columns = ", ".join(f"{_cast(name, kind)} AS {_name(name)}" for name, kind in kinds.items())
        most = max(1000, most_cells // len(kinds))
        if total <= most:
            arrays = self.given.execute(f"SELECT {columns} FROM {self.given.scan}").fetchnumpy()
            return {name: _array(arrays[name], kind) for name, kind in kinds.items()}, []
        share = most / total
        numbered = f'(SELECT *, row_number() OVER () AS "goodmeasure row" FROM {self.given.scan})'
        chosen = f'hash("goodmeasure row") % 1000000000 < {int(share * 1_000_000_000)}'
        sql = f'SELECT {columns} FROM {numbered} WHERE {chosen} ORDER BY "goodmeasure row"'
        arrays = self.given.execute(sql).fetchnumpy()
        found = {name: _array(arrays[name], kind) for name, kind in kinds.items()}
        taken = len(next(iter(found.values())))
        remark = SampledRows(
            f"{self.given.source} has {total:,} rows; {taken:,} of them were taken at random, to bound the memory used",
            seen=f"{len(kinds)} columns, at most {most_cells:,} cells are held",
        )
        return found, [remark]


def _cast(name: str, kind: Kind) -> str:
    return f"try_cast({_name(name)} AS {_SQL_KIND[kind]})"


def _may_be_number(sql_type: str) -> bool:
    return not _is_date(sql_type) and sql_type != "BOOLEAN" and not re.search(r"\[|STRUCT|MAP|BLOB|TIME|UUID", sql_type)


def _is_date(sql_type: str) -> bool:
    return sql_type == "DATE" or sql_type.startswith("TIMESTAMP")


def _array(values: Any, kind: Kind) -> Values:
    """A fetched column as a table holds it."""
    lost = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    plain = np.ma.getdata(values)
    if kind is Kind.NUMBER:
        plain = plain.astype(np.float64)
    elif kind is Kind.DATE:
        plain = plain.astype("datetime64[us]")
    if lost is not None and lost.any():
        plain = plain.copy()
        plain[lost] = {Kind.NUMBER: np.nan, Kind.DATE: np.datetime64("NaT"), Kind.TEXT: None}[kind]
    return plain


# --- words for SQL ---


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return "'" + str(value).replace("'", "''") + "'"


def _shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _unreadable(error: Exception, source: str) -> Problem:
    """The database's words in ours: which line, and what is wrong with it."""
    text = str(error)
    line = re.search(r"Line: (\d+)", text)
    parts = [t.strip() for t in text.splitlines() if t.strip()]
    told = next((p for p in parts if p.startswith(("Expected", "Value with", "Invalid", "Maximum"))), "")
    told = told or next((p for p in parts if not p.startswith(("Conversion", "Invalid Input", "Original"))), parts[0])
    told = told.split(" Error: ", 1)[-1]
    original = next((p for p in parts if p.startswith("Original Line")), "")
    return UnreadableTable(
        f"{source} cannot be read as a table",
        where=f"{source}, line {int(line[1]):,}" if line else "",
        seen=f"{told} {original[:120]}".strip(),
        fix="mend the line; every line needs as many cells as the header" if line else "",
    )
