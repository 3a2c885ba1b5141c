"""Tables from files and frames: columns of numbers, texts and dates, whatever they came from."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from goodmeasure.drawing.frames import FrameKind
from goodmeasure.errors import Problem, nearest, with_article
from goodmeasure.reading.remarks import Remark

Values = NDArray[Any]
NEEDS_ROWS = "a table with names of columns and at least one row"


class NoSuchFile(Problem, FileNotFoundError):
    """There is no file at this path, or no file matches this pattern."""

    code = "GM201"


class UnreadableTable(Problem, ValueError):
    """The file is not a table that can be read.

    CSV files (with a header line, any usual delimiter, .gz too) and Parquet files are tables. A line with more cells than the
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
    was made from, if it was one that results can be given back in.
    """

    columns: Mapping[str, Values]
    source: str
    rows_in_source: int
    remarks: tuple[Remark, ...] = ()
    frame: FrameKind | None = None

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
        return replace(self, columns={name: values[rows] for name, values in self.columns.items()})

    def only(self, names: Iterable[str]) -> Table:
        """These columns, in this order."""
        return replace(self, columns={name: self[name] for name in names})


def no_rows(source: str, where: Any = None) -> EmptyTable:
    """The error for a table of which no row counts."""
    if where:
        return EmptyTable(f"{source} has no rows where {where}", fix="a condition that holds for some rows")
    return EmptyTable(f"{source} has no rows", fix=NEEDS_ROWS)


def missing_column(name: str, known: Iterable[str], source: str) -> NoSuchColumn:
    """The error for a column that is not there, with the names that come closest."""
    names = list(known)
    folded = {n.casefold(): n for n in reversed(names)}
    close = [folded[n] for n in nearest(name.casefold(), folded)]
    error = NoSuchColumn(
        f"{source} has no column {name!r}",
        seen=f"its columns are {listed(names)}",
        fix=f"did you mean {' or '.join(map(repr, close))}?" if close else "name one of its columns",
    )
    error.near = tuple(close)
    return error


def listed(names: Iterable[object], most: int = 12) -> str:
    """A few names in a sentence, and how many more there are."""
    given = [str(n) for n in names]
    return ", ".join(given[:most]) + (f" and {len(given) - most:,} more" if len(given) > most else "")


def missing(values: Values) -> NDArray[np.bool_]:
    """Which cells are missing."""
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind == "M":
        return np.isnat(values)
    return np.array([v is None for v in values], dtype=bool)


def table(data: Any, *, name: str = "data") -> Table:
    """A table from what is in memory: a pandas, Polars or Arrow frame, a mapping of columns, or a `Table` as it is.

    Anything that narwhals understands will do. Whole numbers and booleans become numbers and the texts "true"/"false".
    """
    if isinstance(data, Table):
        return data
    kind, named = _mapped(data) if isinstance(data, Mapping) else _frame_columns(data)
    _distinct_names([n for n, _ in named], name)
    columns = {n: as_column(values, n) for n, values in named}
    _same_lengths(columns, name)
    if not columns or not len(next(iter(columns.values()))):
        raise EmptyTable(f"{name} has no rows", fix=NEEDS_ROWS)
    return Table(columns, name, len(next(iter(columns.values()))), frame=kind)


def _mapped(data: Mapping[Any, Any]) -> tuple[None, list[tuple[str, Any]]]:
    return None, [(str(key), data[key]) for key in data]


def _frame_columns(data: Any) -> tuple[FrameKind | None, list[tuple[str, Any]]]:
    import narwhals as nw

    try:
        frame = nw.from_native(data, eager_only=True)
    except TypeError as error:
        raise UnreadableTable(
            f"{with_article(type(data).__name__)} is not a table", fix="pass a path, a DataFrame, or a dict of columns"
        ) from error
    except ValueError as error:
        raise DuplicateColumns(f"the frame's columns cannot be told apart: {error}", fix="rename them") from error
    kind = next((each for each in get_args(FrameKind) if each == frame.implementation.value), None)
    return kind, [(series.name, _series(series)) for series in frame.iter_columns()]


def _series(series: Any) -> Any:
    if series.dtype.is_numeric():
        return np.asarray(series.to_numpy(), dtype=np.float64)
    return series.to_list() if not series.dtype.is_temporal() else series.to_numpy()


def as_column(values: Any, name: str) -> Values:
    """One column as a table holds it: float64, texts with None, or dates to the microsecond."""
    array = values if isinstance(values, np.ndarray) else _listed(values)
    if array.ndim != 1:
        raise UnreadableTable(f"column {name!r} has shape {array.shape}, one value a row is needed", where=name)
    if array.dtype.kind in "iuf":
        return array.astype(np.float64)
    if array.dtype.kind == "M":
        return array.astype("datetime64[us]")
    if array.dtype.kind == "b":
        return np.where(array, "true", "false").astype(object)
    return _objects(array.astype(object), name)


def _listed(values: Any) -> Values:
    """A list as an array of its own elements: NumPy would make texts of numbers that stand beside texts."""
    cells = list(values)
    if any(isinstance(cell, list | tuple | np.ndarray) for cell in cells):
        return np.asarray(cells)
    found = np.empty(len(cells), dtype=object)
    found[:] = cells
    return found


def _objects(cells: Values, name: str) -> Values:
    """A column of Python objects: numbers if all of them are, dates if all are, else texts."""
    known = [cell for cell in cells if not _is_missing(cell)]
    if known and all(isinstance(c, int | float | np.number) and not isinstance(c, bool | np.bool_) for c in known):
        return np.array([np.nan if _is_missing(c) else float(c) for c in cells])
    if known and all(hasattr(c, "isoformat") for c in known):
        return np.array([None if _is_missing(c) else c for c in cells], dtype="datetime64[us]")
    return np.array([None if _is_missing(c) else _text(c) for c in cells], dtype=object)


def _is_missing(cell: Any) -> bool:
    return (
        cell is None or (isinstance(cell, float | np.floating) and bool(np.isnan(cell))) or str(cell) in ("NaT", "<NA>")
    )


def _text(cell: Any) -> str:
    return str(cell).lower() if isinstance(cell, bool | np.bool_) else str(cell)


def _distinct_names(names: list[str], source: str) -> None:
    twice = sorted({n for n in names if names.count(n) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise duplicate_columns(twice, source)


def duplicate_columns(twice: list[str], source: str) -> DuplicateColumns:
    """The error for columns that share a name."""
    return DuplicateColumns(
        f"{source} has several columns named {listed(map(repr, twice))}", where=source, fix="give each its own name"
    )


def _same_lengths(columns: Mapping[str, Values], source: str) -> None:
    lengths = {len(v) for v in columns.values()}
    if len(lengths) > 1:
        seen = listed(f"{n}: {len(v):,}" for n, v in columns.items())
        raise UnreadableTable(f"the columns of {source} differ in length", seen=seen)
