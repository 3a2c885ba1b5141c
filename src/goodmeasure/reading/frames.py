"""Tables from what is in memory: frames of any library, and mappings of columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction
from os import PathLike
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from goodmeasure.drawing.frames import FrameKind
from goodmeasure.errors import UsageError, shorter, with_article
from goodmeasure.reading.notation import Mark, Notation, Numbers
from goodmeasure.reading.recognition import AS_THE_CELLS_TELL, SURE_POINT, HeldTexts, Written, converted, notations_of
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.tables import (
    NEEDS_ROWS,
    ColumnKind,
    DuplicateColumns,
    EmptyTable,
    ReadAsWritten,
    Table,
    TextsCountAsMissing,
    UnreadableTable,
    Values,
    counted,
    duplicate_columns,
    listed,
)

# What a table is called that has no name of its own.
IN_MEMORY = "data"


def table(
    data: Any,
    *,
    name: str = IN_MEMORY,
    written: Written = AS_THE_CELLS_TELL,
    notations: Mapping[str, Notation] | None = None,
    kept: Collection[str] = (),
    weight: str | None = None,
) -> Table:
    """A table from what is in memory: a pandas, Polars or Arrow frame, a mapping of columns, or a `Table` as it is.

    Anything that narwhals understands will do. Whole numbers and booleans become numbers and the texts "true"/"false", durations
    and times of the day their seconds. Texts
    that are ``written`` as numbers or dates become such, in the way of ``notations`` where one is known, but for columns that
    are ``kept`` as texts. Of a row whose ``weight`` is zero no text is read, whatever it says. Error: GM211.
    """
    if isinstance(data, Table):
        return data
    kind, named = _mapped(data) if isinstance(data, Mapping) else _frame_columns(data)
    _distinct_names([n for n, _ in named], name)
    named = _weighed(named, weight, written, notations or {})
    columns = {n: as_column(values, n) for n, values in named}
    _same_lengths(columns, name)
    if not columns or not len(next(iter(columns.values()))):
        raise EmptyTable(f"{name} has no rows", fix=NEEDS_ROWS)
    texts = [n for n, values in named if not (n in kept or _is_categorical(values))]
    orders = {n: values.order for n, values in named if isinstance(values, _Categories) and values.order}
    found = Table(columns, name, len(next(iter(columns.values()))), frame=kind, orders=orders)
    return _read_texts(found, texts, written, notations or {})


# --- rows that are not there ---


def _weighed(
    named: list[tuple[str, Any]], weight: str | None, said: Written, known: Mapping[str, Notation]
) -> list[tuple[str, Any]]:
    """The columns as they came, but for texts and objects of rows of weight zero: those are missing."""
    if weight not in dict(named):  # a name that is not there is told of where all names are
        return named
    cells = as_column(dict(named)[weight], weight)
    held = _read_texts(Table({weight: cells}, weight, len(cells)), [weight], said, known)[weight]
    away = held == 0 if ColumnKind.of(held) is ColumnKind.NUMBER else np.zeros(len(held), dtype=bool)
    if not away.any():
        return [(n, cells if n == weight else values) for n, values in named]
    return [(n, cells if n == weight else _without(values, away)) for n, values in named]


def _without(values: Any, away: NDArray[np.bool_]) -> Any:
    """A column whose texts and objects are missing in some rows; other types are left as they are."""
    array = values if isinstance(values, np.ndarray) else _listed(values)
    if array.dtype.kind not in "OUS" or array.shape != away.shape:
        return array
    cells = array.astype(object)
    cells[away] = None
    return _Categories(cells, values.order) if isinstance(values, _Categories) else cells


# --- texts that are written as numbers or dates ---

# Texts of whole numbers may be codes on purpose, where whoever made the frame left them texts.
_WHOLE = re.compile("[+-]?[0-9]+")


def _read_texts(given: Table, names: Collection[str], said: Written, known: Mapping[str, Notation]) -> Table:
    """The table with columns of numbers or dates for texts that are written so."""
    texts = {n: counted(given[n]) for n in names if ColumnKind.of(given[n]) is ColumnKind.TEXT}
    cells = {
        n: HeldTexts(found) for n, found in texts.items() if n not in known and not all(map(_WHOLE.fullmatch, found))
    }
    notations = notations_of(cells, said, lambda: _plain_marks(texts)) | {n: known[n] for n in texts if n in known}
    columns, remarks = {**given.columns}, [*given.remarks]
    for n, how in notations.items():
        columns[n], lost = _rewritten(given[n], how)
        remarks += [read_as(n, HeldTexts(texts[n]).samples(), how), *_lost(n, lost, len(given))]
    return replace(given, columns=columns, remarks=tuple(remarks), notations=notations)


def _plain_marks(texts: Mapping[str, Counter[str]]) -> set[Mark]:
    """The point, if the texts of a column are plain numbers that surely have it before their decimals."""
    plain = [cells for cells in texts.values() if all(map(Numbers().matches, cells))]
    return {"."} if any(re.search(SURE_POINT, cell) for cells in plain for cell in cells) else set()


def _rewritten(values: Values, how: Notation) -> tuple[Values, list[str]]:
    """The cells of a column as numbers or dates, and the texts that are none."""
    given = set(values.tolist()) - {None}
    read = {cell: how.rewritten(cell) for cell in given}
    lost = [cell for cell in given if read[cell] is not None and not how.matches(cell)]
    read |= dict.fromkeys([*lost, None], None)
    cells = [read[cell] for cell in values.tolist()]
    if isinstance(how, Numbers):
        return np.array([np.nan if cell is None else float(cell) for cell in cells]), lost
    return np.array(cells, dtype="datetime64[us]"), lost


def _lost(name: str, lost: list[str], rows: int) -> list[Remark]:
    if not lost:
        return []
    what = (
        f"texts among the numbers of column {name!r} ({len(lost):,} different ones in {rows:,} rows) count as missing"
    )
    return [TextsCountAsMissing(what, seen=f"{min(lost)!r}")]


def read_as(name: str, samples: Sequence[tuple[str, int]], how: Notation) -> ReadAsWritten:
    """The remark that says how a column was read."""
    kind = "numbers" if isinstance(how, Numbers) else "dates"
    return ReadAsWritten(f"column {name!r} was read as {kind}: {converted(samples, how)}")


def _is_categorical(values: Any) -> bool:
    return isinstance(values, _Categories)


class _Categories(list[Any]):
    """Cells whose type says that they are categories, whatever they look like; ``order`` is that of all, if they have one."""

    def __init__(self, cells: Iterable[Any], order: Iterable[Any] = ()) -> None:
        super().__init__(None if _is_missing(cell) else _category(cell) for cell in cells)
        self.order = tuple(map(_category, order))


def _category(cell: Any) -> str:
    """A category as a file would hold it."""
    return _text(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)


# --- columns ---


def named_target(data: Any, target: Any, weight: str | None = None) -> tuple[Any, str]:
    """A table and the name of its target, where the target may be a column of values beside features, one of them ``weight``.

    Raises:
        GM009: the target is neither a name nor a column of values, or it stands beside a file
        GM202: features and target differ in length
    """
    if isinstance(target, str):
        return data, target
    if isinstance(target, int | np.integer) and not isinstance(target, bool):
        return data, str(target)
    array = np.asarray(target if not isinstance(target, list) else _listed(target))
    if isinstance(data, str | PathLike) or array.ndim == 0:
        raise UsageError(
            f"the target of a table is a column, and {shorter(target)} names none", fix="run(data, 'column')"
        )
    features = data if isinstance(data, Mapping) or hasattr(data, "columns") else _numbered(data)
    kind, named = _mapped(features) if isinstance(features, Mapping) else _frame_columns(features)
    name = str(getattr(target, "name", None) or "target")
    values = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if values.ndim > 1:
        raise UnreadableTable(
            f"the target has shape {values.shape}, and a study is of one value a row",
            where=name,
            fix="a study for each: [run(data, y[:, k]) for k in range(y.shape[1])]",
        )
    beside = _weighed(
        [*((str(n), cells) for n, cells in named if str(n) != name), (name, values)], weight, AS_THE_CELLS_TELL, {}
    )
    columns = {n: as_column(cells, n) for n, cells in beside}
    _same_lengths(columns, "data")
    return replace(table(columns), frame=kind), name


def _numbered(data: Any) -> dict[str, Any]:
    """The columns of an array of features, called by their places. Error: GM202."""
    array = np.asarray(data)
    if array.ndim not in (1, 2) or (array.dtype.kind == "O" and array.ndim != 2):
        raise UnreadableTable(f"features of shape {array.shape} are no table", fix="an array of shape (rows, features)")
    return {f"x{i}": column for i, column in enumerate(array.reshape(len(array), -1).T)}


def _mapped(data: Mapping[Any, Any]) -> tuple[None, list[tuple[str, Any]]]:
    return None, [(str(key), data[key]) for key in data]


def _frame_columns(data: Any) -> tuple[FrameKind | None, list[tuple[str, Any]]]:
    import narwhals as nw

    try:
        given = nw.from_native(data)
    except TypeError as error:
        raise UnreadableTable(
            f"{with_article(type(data).__name__)} is not a table", fix="pass a path, a DataFrame, or a dict of columns"
        ) from error
    except ValueError as error:
        raise DuplicateColumns(f"the frame's columns cannot be told apart: {error}", fix="rename them") from error
    frame = given.collect() if isinstance(given, nw.LazyFrame) else given
    kind = next((each for each in get_args(FrameKind) if each == frame.implementation.value), None)
    return kind, [(series.name, _series(series)) for series in frame.iter_columns()]


def _series(series: Any) -> Any:
    if series.dtype.is_numeric():
        return np.asarray(series.to_numpy(), dtype=np.float64)
    if series.dtype.is_temporal():
        return series.to_numpy()
    if repr(series.dtype).startswith(("Categorical", "Enum")):
        return _Categories(series.to_list(), getattr(series.dtype, "categories", ()))
    return series.to_list()


def as_column(values: Any, name: str) -> Values:
    """One column as a table holds it: float64, texts with None, or dates to the microsecond."""
    array = values if isinstance(values, np.ndarray) else _listed(values)
    if array.ndim != 1:
        raise UnreadableTable(
            f"column {name!r} has shape {array.shape}, one value a row is needed",
            where=name,
            fix="a column for each: rename and split it",
        )
    if array.dtype.kind in "iuf":
        return array.astype(np.float64)
    if array.dtype.kind == "M":
        return array.astype("datetime64[us]")
    if array.dtype.kind == "m":
        return np.asarray(array / np.timedelta64(1, "s"), dtype=np.float64)
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


_NUMBERS = (int, float, np.number, Decimal, Fraction)


def _objects(cells: Values, name: str) -> Values:
    """A column of Python objects: numbers if all of them are, dates if all are, seconds of durations or times, else texts."""
    known = [cell for cell in cells if not _is_missing(cell)]
    if known and all(isinstance(c, _NUMBERS) and not isinstance(c, bool | np.bool_) for c in known):
        return np.array([np.nan if _is_missing(c) else float(c) for c in cells])
    if known and all(isinstance(c, timedelta | time) for c in known):
        return np.array([np.nan if _is_missing(c) else _seconds(c) for c in cells])
    if known and all(isinstance(c, date) for c in known):
        return np.array([None if _is_missing(c) else c for c in cells], dtype="datetime64[us]")
    return np.array([None if _is_missing(c) else _text(c) for c in cells], dtype=object)


def _seconds(cell: timedelta | time) -> float:
    """How long a duration is, or how late a time of the day."""
    if isinstance(cell, time):
        cell = timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second, microseconds=cell.microsecond)
    return cell.total_seconds()


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


def _same_lengths(columns: Mapping[str, Values], source: str) -> None:
    lengths = {len(v) for v in columns.values()}
    if len(lengths) > 1:
        seen = listed(f"{n}: {len(v):,}" for n, v in columns.items())
        raise UnreadableTable(
            f"the columns of {source} differ in length", seen=seen, fix="give each column one cell a row"
        )
