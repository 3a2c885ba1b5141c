"""CSV and Parquet files, opened by DuckDB in bounded memory, and with nothing else within its reach."""

from __future__ import annotations

import csv
import io
import itertools
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from glob import has_magic
from os import PathLike
from pathlib import Path
from typing import Any

from goodmeasure.errors import Problem
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.tables import EmptyTable, NoSuchFile, OtherEncoding, UnreadableTable, duplicate_columns

MEMORY = "2GB"
QUOTE = '"'
DELIMITERS = (",", ";", "\t", "|")
# Up to this record, the line on which a bad cell stands is counted; beyond it would take long.
MOST_RECORDS = 5_000_000
MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "?")


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written."""

    encoding: str
    delimiter: str

    @contextmanager
    def records(self, path: str) -> Iterator[Any]:
        """The records of a file, header first, as the csv module reads them."""
        with _uncompressed(path) as file:
            encoding = "utf-8-sig" if self.encoding == "utf-8" else self.encoding
            text = io.TextIOWrapper(file, encoding=encoding, newline="")
            yield csv.reader(text, delimiter=self.delimiter, quotechar=QUOTE)


@dataclass(frozen=True)
class Files:
    """An open file set: its connection, the SQL that reads it, its columns with their SQL types, and its remarks."""

    connection: Any
    scan: str
    types: dict[str, str]
    source: str
    remarks: tuple[Remark, ...] = ()
    as_written: bool = False
    dialect: Dialect | None = None

    def line(self, path: str, record: int) -> int:
        """The line of a file on which a record starts (the header is record 1); quoted texts may hold line breaks."""
        if self.dialect is None or record > MOST_RECORDS:
            return record
        with self.dialect.records(path) as lines:
            for _ in itertools.islice(lines, record - 1):
                pass
            return int(lines.line_num) + 1

    def rows(self, sql: str) -> list[Any]:
        """All rows of a query."""
        return list(self.execute(sql).fetchall())

    def execute(self, sql: str) -> Any:
        """Run a query; what the database finds wrong is said in our words."""
        import duckdb

        try:
            return self.connection.execute(sql)
        except duckdb.Error as error:
            raise _unreadable(error, self.source) from error


# --- which files ---


@contextmanager
def paths_of(source: str | PathLike[str]) -> Iterator[tuple[list[str], str]]:
    """The files behind a path, a pattern or ``-``, and what to call them. Error: GM201."""
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


def opened(paths: list[str], shown: str) -> Files:
    """Open files of one kind together; the connection can read these and nothing else. Errors: GM202, GM204, GM205."""
    import duckdb

    connection = duckdb.connect(":memory:", config={"memory_limit": MEMORY, "threads": 2})
    # Pushed into the CSV reader, a cast that may fail becomes one that must not.
    if connection.execute("SELECT 1 FROM duckdb_optimizers() WHERE name = 'type_pushdown'").fetchall():
        connection.execute("SET disabled_optimizers='type_pushdown'")
    connection.execute(f"SET allowed_paths={literal([*paths])}")
    connection.execute("SET enable_external_access=false")
    connection.execute("SET lock_configuration=true")
    empty = [p for p in paths if Path(p).stat().st_size == 0]
    if empty:
        raise EmptyTable(f"{shown if len(paths) == 1 else empty[0]} is empty: it has not even a header")
    files = literal(paths)
    if _is_parquet(paths[0]):
        given = Files(connection, f"read_parquet({files})", {}, shown)
        return replace(given, types=described(given))
    return _open_csv(connection, paths, shown)


def _is_parquet(path: str) -> bool:
    with Path(path).open("rb") as file:
        return file.read(4) == b"PAR1"


def described(given: Files) -> dict[str, str]:
    """The columns of what is scanned, with their SQL types."""
    return {name: str(kind) for name, kind, *_ in given.rows(f"DESCRIBE SELECT * FROM {given.scan}")}


def _open_csv(connection: Any, paths: list[str], shown: str) -> Files:
    encoding, remarks = _encoding(paths[0], shown)
    given = Files(connection, "", {}, shown, remarks=remarks)
    written = _dialect(paths[0], encoding)
    dialect = {
        "delim": literal(written.delimiter),
        "quote": literal(QUOTE),
        "escape": literal(QUOTE),
        "nullstr": literal(list(MISSING)),
        "encoding": literal(encoding),
        "max_line_size": "20000000",
    }
    settings = ", ".join(f"{key}={value}" for key, value in dialect.items())
    with written.records(paths[0]) as lines:
        names = _names(next(lines, []), shown)
    columns = "{" + ", ".join(f"{literal(n)}: 'VARCHAR'" for n in names) + "}"
    shape = f"header=true, auto_detect=false, columns={columns}, {settings}"
    scan = f"read_csv({literal(paths)}, {shape})"
    return replace(given, scan=scan, types=dict.fromkeys(names, "VARCHAR"), as_written=True, dialect=written)


def _dialect(path: str, encoding: str) -> Dialect:
    """The usual delimiter that makes most cells of the header; guessing from more lines would follow the ragged ones."""

    def cells(dialect: Dialect) -> int:
        with dialect.records(path) as lines:
            return len(next(lines, []))

    return max((Dialect(encoding, mark) for mark in DELIMITERS), key=cells)


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


# --- words for SQL ---


def quoted(column: str) -> str:
    """A column name as SQL writes it."""
    return '"' + column.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """A text, or a list of texts, as SQL writes it."""
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return "'" + str(value).replace("'", "''") + "'"


def _unreadable(error: Exception, source: str) -> Problem:
    """The database's words in ours: which line, and what is wrong with it."""
    text = str(error)
    line, original = re.search(r"Line: (\d+)", text), re.search(r"Original Line: (.*)", text)
    expected = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if line and expected:
        seen = f"{expected[2]} cells where the header has {expected[1]}"
    else:
        seen = text.splitlines()[0].split(" Error: ", 1)[-1]
    return UnreadableTable(
        f"{source} cannot be read as a table",
        where=f"{source}, line {int(line[1]):,}" if line else "",
        seen=f"{seen}: {original[1][:100]}" if original else seen,
        fix="mend the line; every line needs as many cells as the header" if line else "",
    )
