"""Tables from files and frames: columns of numbers, texts and dates, whatever they came from."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.drawing.frames import FrameKind
from goodmeasure.errors import NothingToAverage, Problem, nearest
from goodmeasure.reading.notation import Notation
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.rows_read import RowsRead

Values = NDArray[Any]
# The category of texts that are missing.
ABSENT = "(missing)"
# Numbers of this size are taken for missing, as infinite ones are: their squares, and so a column's spread, are no numbers.
VAST = 1e150
NEEDS_ROWS = "a table with names of columns and at least one row"


class NoSuchFile(Problem, FileNotFoundError):
    """There is no file at this path, or no file matches this pattern."""

    code = "GM201"


class UnreadableTable(Problem, ValueError):
    """The file is not a table that can be read.

    CSV files (with a header line, any usual delimiter), columns between blanks, Parquet files, JSON objects (one a line, or in
    a list) and workbooks of Excel with one sheet are tables; texts may be packed by gzip. A line with more cells than the
    header is an error rather than a guess about which cell is too many.
    """

    code = "GM202"


class NoSuchColumn(Problem, KeyError):
    """The table has no column of this name; the error shows the names that come closest."""

    code = "GM203"
    near: tuple[str, ...] = ()

    __str__ = Problem.__str__


class DuplicateColumns(Problem, ValueError):
    """Several columns have the same name, so a name does not say which of them is meant."""

    code = "GM204"


class EmptyTable(Problem, ValueError):
    """The table has no rows, or none that fit the condition."""

    code = "GM205"


class BadCell(Problem, ValueError):
    """A column of numbers holds a text.

    One mistyped cell must not turn an amount into a set of classes, so nothing is guessed. Mend the cell, or leave its row
    out with ``--where``; if the texts are classes, give all of them as texts.
    """

    code = "GM206"


class ColumnsDiffer(Problem, ValueError):
    """One of several files has other columns than the first.

    Files that one pattern names are parts of one table. Nothing was counted of any of them: mend or remove the file, or
    narrow the pattern.
    """

    code = "GM724"


class SampledRows(Remark):
    """The table is larger than what is held in memory at once, so a random part of its rows was taken.

    The same rows are taken in every run: they are chosen by a hash of the row's place in the file.
    """

    code = "GM207"


class TextsCountAsMissing(Remark):
    """A few cells of a column of numbers hold texts; they count as missing."""

    code = "GM208"
    severity = "warning"


class ReadAsWritten(Remark):
    """A column of texts was read as numbers or dates: ``$ 1,234`` as 1234, ``31.01.2024`` as the last of January.

    One way to write them fits the whole column, but for words that stand for a missing value. A saved model keeps it, so
    that new rows are read alike. A percentage is divided by 100; another unit is dropped.
    """

    code = "GM212"


class OtherEncoding(Remark):
    """The file is not UTF-8 and was read in another encoding; check that letters with accents look right."""

    code = "GM209"


class ColumnKind(enum.Enum):
    """What a column holds: numbers (missing: NaN), texts (missing: None), or dates (missing: NaT)."""

    NUMBER = "number"
    TEXT = "text"
    DATE = "date"

    @staticmethod
    def of(values: Values) -> ColumnKind:
        """The kind of an array that a table holds.

        Args:
            values: cells as a table holds them, (n,).

        Returns:
            What they are.
        """
        return {"f": ColumnKind.NUMBER, "M": ColumnKind.DATE}.get(values.dtype.kind, ColumnKind.TEXT)


@dataclass(frozen=True)
class Table:
    """Named columns of one length: float64 numbers, object arrays of texts, or datetime64 dates.

    ``rows_in_source`` counts the rows that the source has; a sample holds fewer. ``frame`` is the kind of frame that it
    was made from, if it was one that results can be given back in. ``notations`` are the ways in which texts were written
    that became numbers or dates, and ``kept`` the cells of columns to copy, as texts. ``orders`` are the categories of columns
    whose type says that they stand in an order, from the low end to the high one. ``digest`` begins the SHA-256 of the files that
    it was read from; a table that was none has no digest. ``places`` are the rows of the source that these are, where some were
    left out, and ``where`` is the condition that all rows of the source were read under.
    """

    columns: Mapping[str, Values]
    source: str
    rows_in_source: int
    remarks: tuple[Remark, ...] = ()
    frame: FrameKind | None = None
    notations: Mapping[str, Notation] = field(default_factory=dict)
    kept: Mapping[str, Values] = field(default_factory=dict)
    orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    digest: str | None = None
    places: Values | None = None
    where: str = ""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, name: str) -> Values:
        if name not in self.columns:
            raise missing_column(name, self.columns, self.source)
        return self.columns[name]

    @property
    def kinds(self) -> dict[str, ColumnKind]:
        """What each column holds."""
        return {name: ColumnKind.of(values) for name, values in self.columns.items()}

    def take(self, rows: Values) -> Table:
        """These rows, by index or by mask."""
        all_there = self.places is None and len(self) == self.rows_in_source
        places = np.arange(len(self)) if all_there else self.places
        columns = {name: values[rows] for name, values in self.columns.items()}
        return replace(self, columns=columns, places=None if places is None else places[rows])

    def joined(self, other: Table) -> Table:
        """These rows, and behind them others of the same source."""
        columns = {name: np.concatenate([values, other[name]]) for name, values in self.columns.items()}
        both = [each.places for each in (self, other) if each.places is not None]
        return replace(self, columns=columns, places=np.concatenate(both) if len(both) == 2 else None)

    def at(self, row: int, name: str | None = None) -> str:
        """Where a row of this table stands, or its cell in a column, as people say it; of a sample, in which table."""
        sampled = self.places is None and len(self) != self.rows_in_source
        number = row if self.places is None else int(self.places[row])
        said = "" if sampled else f", row {number + 1:,}" + (f" of those where {self.where}" if self.where else "")
        return f"{self.source}{said}" + ("" if name is None else f", column {name!r}")

    def only(self, names: Iterable[str]) -> Table:
        """These columns, in this order."""
        return replace(self, columns={name: self[name] for name in names})


def no_rows(source: str, where: Any = None) -> EmptyTable:
    """The error for a table of which no row counts."""
    if where:
        return EmptyTable(f"{source} has no rows where {where}", fix="a condition that holds for some rows")
    return EmptyTable(f"{source} has no rows", fix=NEEDS_ROWS)


def refuse_none(rows: RowsRead, source: str) -> None:
    """Refuse a table of which rows were read, and none counts. Error: GM005."""
    if not rows.used:
        raise NothingToAverage(
            "no row counts", where=source, seen=str(rows), fix="rows that have a weight, a target and a score"
        )


def missing_column(name: str, known: Iterable[str], source: str) -> NoSuchColumn:
    """The error for a column that is not there, with the names that come closest."""
    names = list(known)
    near = nearest(name.casefold(), dict.fromkeys(map(str.casefold, names)))
    close = sorted((n for n in names if n.casefold() in near), key=lambda n: near.index(n.casefold()))
    error = NoSuchColumn(
        f"{source} has no column {name!r}",
        where=source,
        seen=f"its columns are {listed(names)}",
        fix=f"did you mean {' or '.join(map(repr, close))}?" if close else "name one of its columns",
    )
    error.near = tuple(close)
    return error


def listed(names: Iterable[object], most: int = 12) -> str:
    """A few names in a sentence, and how many more there are."""
    given = [str(n) for n in names]
    return ", ".join(given[:most]) + (f" and {len(given) - most:,} more" if len(given) > most else "")


def cell(value: object) -> str:
    """A cell in a sentence: a whole number without a point, a date without its time of day."""
    if isinstance(value, np.datetime64):
        return str(value.astype("datetime64[D]"))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def missing(values: Values) -> NDArray[np.bool_]:
    """Which cells are missing."""
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind == "M":
        return np.isnat(values)
    return np.asarray(values == np.array(None, dtype=object), dtype=bool)


def counted(values: Values) -> Counter[str]:
    """How many cells of a column of texts hold each of them; missing ones are not counted."""
    counts = Counter(values.tolist())
    counts.pop(None, None)
    return counts


def duplicate_columns(twice: list[str], source: str) -> DuplicateColumns:
    """The error for columns that share a name."""
    return DuplicateColumns(
        f"{source} has several columns named {listed(map(repr, twice))}", where=source, fix="give each its own name"
    )
