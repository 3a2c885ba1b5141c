"""Rows of features at the door of a model: what is wrong with them, in words of our own where a host has others, or none.

A model knows best which rows it takes. So they are handed over, and what they hold is looked at where it refuses them. What it
would take in silence, as columns in another order, is looked at before.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.errors import Problem, ShapeMismatch, UsageError, shorter
from goodmeasure.reading.tables import listed
from goodmeasure.statistics.arrays import hold_numbers, rows_of

# So many names are listed; of a wide table a count says more.
_LISTED = 6
# What hosts say where they met what they do not read.
_TYPES = "string|dtype|type|str\\b|object|sequence|argument|convert|feature_names"
_NOT_FINITE = "nan|inf|missing|null"
_COLUMNS = "feature|column|shape|dim|size"


@dataclass(frozen=True)
class FeatureColumn:
    """A column of features: its name or place, what it holds in a word, its cells, and the line that begins to mend it.

    Of an array, which has no names, there is no such line.
    """

    name: Any
    kind: str
    cells: NDArray[Any]
    start: str | None = None

    @property
    def of_frame(self) -> bool:
        """Whether it has a name."""
        return self.start is not None

    def __str__(self) -> str:
        return f"column {self.name!r} of {{X}}" if self.of_frame else f"column {self.name} of {{X}}"

    def first(self, wanted: NDArray[np.bool_]) -> str:
        """The first cell of some, with its row."""
        row = int(np.argmax(wanted))
        return f"{shorter(self.cells[[row]].tolist()[0])} in row {row}"


@dataclass(frozen=True)
class Fault:
    """What is wrong with rows, the line that mends it, and what a host says where this is why it refuses them."""

    what: str
    fix: str
    seen: str = ""
    hint: str = ""
    kind: type[Problem] = UsageError

    def problem(self, name: str, said: str) -> Problem:
        """The fault as an error, of rows under a name; beside it stands what the host said."""
        what, fix, seen = (re.sub(r"\{X\}", name, text) for text in (self.what, self.fix, self.seen))
        return self.kind(what, where=name, seen="; ".join(filter(None, (seen, said))), fix=fix)


# --- what a model would not notice ---


def check_columns(X: Any, n: int, names: Sequence[str] | None, name: str = "X", said: str = "") -> None:
    """Refuse rows whose columns are not those that were fitted: of another number, order or name. Errors: GM003, GM009.

    ``names`` are those that the model knows, if it knows any; rows without names are told by their number of columns alone.
    """
    there, width = names_of(X), width_of(X)
    if names is not None and there is not None and list(names) != there:
        raise _other_names(list(names), there, hasattr(X, "column_names")).problem(name, said)
    if width is not None and width != n:
        raise _other_width(X, width, n).problem(name, said)


def _other_names(known: list[str], there: list[str], of_arrow: bool) -> Fault:
    lacking = [each for each in known if each not in there]
    if lacking:
        extra = [each for each in there if each not in known]
        return Fault(
            f"{{X}} lacks {_listed(lacking)}, which the model was fitted to",
            f"give {{X}} the columns {_listed(known)}",
            f"columns that it was not fitted to: {_listed(extra)}" if extra else "",
        )
    listed = ", ".join(map(repr, known))
    more = len(there) > len(known)
    what = "columns that the model was not fitted to" if more else "the columns of the fit in another order"
    return Fault(
        f"{{X}} has {what}",
        f"{{X}} = {{X}}.select([{listed}])" if of_arrow else f"{{X}} = {{X}}[[{listed}]]",
        f"{_listed(there)}, fitted to {_listed(known)}",
    )


def _other_width(X: Any, width: int, n: int) -> Fault:
    fewer = f"give all {n} columns, in the order of the fit"
    there = "{X}.iloc" if hasattr(X, "iloc") else "{X}" if hasattr(X, "shape") else "numpy.asarray({X})"
    fix = fewer if width < n else f"{{X}} = {there}[:, :{n}]  # the columns of the fit, in their order"
    # In the words that scikit-learn asks of every estimator.
    return Fault(
        f"{{X}} has {width} features, but the model is expecting {n} features as input", fix, kind=ShapeMismatch
    )


def _listed(names: Sequence[str]) -> str:
    return listed(map(repr, names), _LISTED)


def names_of(X: Any) -> list[str] | None:
    """The names of a frame's columns; None where there are none, or they are numbers."""
    names = getattr(X, "column_names", None)  # Arrow's
    names = list(getattr(X, "columns", ()) if names is None else names)
    return [str(each) for each in names] if any(isinstance(each, str) for each in names) else None


def width_of(X: Any) -> int | None:
    """How many columns rows have; None where they do not say."""
    shape = getattr(X, "shape", None)
    if shape is None and isinstance(X, list | tuple) and X and isinstance(X[0], list | tuple):
        shape = (len(X), len(X[0]))
    return int(shape[1]) if shape is not None and len(shape) == 2 else None


# --- what a model refuses ---


@contextmanager
def in_our_words(model: Any = None, **tables: Any) -> Iterator[None]:
    """What a host refuses of rows, told in words of our own with a line that mends it, where the fault is seen in them.

    Where none is seen, what the host said stands. A ``model`` that is fitted knows which columns it takes.
    """
    try:
        yield
    except Problem:
        raise
    except Exception as error:
        for name, X in tables.items():
            _tell(X, name, error, model)
        raise


def _tell(X: Any, name: str, error: Exception, model: Any) -> None:
    said = str(error).strip()
    said = said if len(said) <= 300 else said.splitlines()[0][:300]
    n = getattr(model, "n_features_in_", None)
    if n is not None and re.search(_COLUMNS, str(error), re.IGNORECASE):
        names = getattr(model, "feature_names_in_", None)
        check_columns(X, n, None if names is None else [str(each) for each in names], name, said)
    for fault in faults(X):
        if re.search(fault.hint, f"{type(error).__name__} {error}", re.IGNORECASE):
            raise fault.problem(name, said) from error


def faults(X: Any) -> Iterator[Fault]:
    """What may be wrong with rows of features, the gravest first."""
    if hasattr(X, "tocsr") or rows_of(X) is None:  # sparse tables hold numbers, and a host's own tables what it took
        return
    doubled = [name for name, times in Counter(map(str, getattr(X, "columns", ()))).items() if times > 1]
    if doubled:
        yield Fault(
            f"columns of {{X}} have the same name: {_listed(doubled)}",
            "{X} = {X}.loc[:, ~{X}.columns.duplicated()]",
        )
        return
    found = _columns(X)
    if isinstance(found, Fault):
        yield found
        return
    yield from _of_types(found)
    yield from _of_numbers(found)


def _of_types(columns: list[FeatureColumn]) -> Iterator[Fault]:
    """Columns that hold no numbers."""
    labels = [column for column in columns if column.kind in ("texts", "categories")]
    if labels:
        yield _labels(labels)
    for kind, mended in _OTHERS.items():
        for column in columns:
            if column.kind == kind:
                yield Fault(f"{column} holds {kind}, and plain numbers are needed", mended(column), "", _TYPES)


def _labels(columns: list[FeatureColumn]) -> Fault:
    """Columns of texts, which are numbers that were not read, or labels."""
    column = columns[0]
    are = np.array([isinstance(cell, str | bytes) for cell in column.cells])
    held = [cell for each in columns for cell in each.cells if isinstance(cell, str | bytes)]
    if column.kind == "texts" and hold_numbers(held):
        fix = "{X} = numpy.asarray({X}).astype(float)"
        return Fault(f"{column} holds numbers as texts", fix, column.first(are), _TYPES)
    which = [each.name for each in columns]
    coder = "sklearn.preprocessing.OneHotEncoder(handle_unknown='ignore', sparse_output=False)"
    fix = f"encoder = sklearn.compose.make_column_transformer(({coder}, {which!r}), remainder='passthrough')"
    return Fault(
        f"{column} holds {column.kind}, and numbers are needed",
        f"{column.start or ''}{fix}; {{X}} = encoder.fit_transform({{X}}).astype(float)",
        column.first(are),
        _TYPES,
    )


def _as_days(column: FeatureColumn) -> str:
    if not column.of_frame:
        return "{X} = numpy.asarray({X}).astype('datetime64[D]').astype(float)"
    cells = f"{{X}}[{column.name!r}]"
    return (
        f"{column.start}{{X}} = {{X}}.assign(**{{{column.name!r}: {cells}.to_numpy().astype('M8[D]').astype(float)}})"
    )


def _without(column: FeatureColumn) -> str:
    if not column.of_frame:
        return f"{{X}} = numpy.delete({{X}}, {column.name}, axis=1)"
    return f"{column.start}{{X}} = {{X}}.drop(columns=[{column.name!r}])"


def _as_numbers(column: FeatureColumn) -> str:
    if not column.of_frame:
        return "{X} = numpy.asarray({X}).astype(float)"
    return f"{column.start}{{X}} = {{X}}.astype({{{column.name!r}: float}})"


# What columns may hold besides numbers and labels, and the line that mends it.
_OTHERS = {
    "dates": _as_days,
    "lengths of time": _without,
    "objects": _without,
    "numbers as objects": _as_numbers,
}


def _of_numbers(columns: list[FeatureColumn]) -> Iterator[Fault]:
    """Numbers that are missing or infinite."""
    for column in columns:
        cells = _numbers(column)
        if cells is None:
            continue
        bad = ~np.isfinite(cells)
        if bad.any():
            missing = bool(np.isnan(cells[int(np.argmax(bad))]))
            held = "NaN, a missing number" if missing else "inf, a number without end"
            finite = "{X}" if missing else "numpy.where(numpy.isinf({X}), numpy.nan, {X})"
            yield Fault(
                f"{column} holds {held}, and finite numbers are needed",
                f"{{X}} = sklearn.impute.SimpleImputer().fit_transform({finite})",
                f"{column.first(bad)}; {int(bad.sum()):,} of {len(bad):,} cells",
                _NOT_FINITE,
            )
            return


def _numbers(column: FeatureColumn) -> NDArray[np.float64] | None:
    try:
        return np.asarray(column.cells, dtype=np.float64)
    except (TypeError, ValueError):
        return None


# --- columns ---


def _columns(X: Any) -> list[FeatureColumn] | Fault:
    """The columns of a table of any library, or what is wrong with its shape."""
    import narwhals as nw

    if names_of(X) is not None or hasattr(X, "iloc"):
        frame = nw.from_native(X, pass_through=True)
        if isinstance(frame, nw.DataFrame):
            start = "" if hasattr(X, "iloc") else "{X} = {X}.to_pandas(); "
            return [FeatureColumn(each.name, _kind_of(each), _cells(each), start) for each in frame.iter_columns()]
    try:
        array = np.asarray(X)
    except (TypeError, ValueError) as error:
        return Fault("{X} is not a table: its rows differ in length", "give as many values in each row", str(error))
    if array.ndim != 2:
        return _other_axes(array)
    if not array.shape[1]:
        return Fault(
            f"{{X}} has 0 feature(s) (shape={array.shape}) while a minimum of 1 is required.",
            "give {X} a column of numbers",
            kind=ShapeMismatch,
        )
    return [FeatureColumn(k, _kind_in(array[:, k]), array[:, k]) for k in range(array.shape[1])]


def _other_axes(array: NDArray[Any]) -> Fault:
    if array.ndim < 2:
        fix = "{X} = numpy.asarray({X}).reshape(-1, 1)  # one column"
    else:
        fix = "{X} = numpy.asarray({X}).reshape(len({X}), -1)"
    # What takes texts as they are, such as a vectoriser, takes a column of them.
    hint = "" if array.dtype.kind in "biufc" else _TYPES
    return Fault(
        f"Reshape your data: {{X}} has shape {array.shape}, and each row is one of features, (n, features)",
        fix,
        "",
        hint,
        ShapeMismatch,
    )


def _kind_of(series: Any) -> str:
    """What a column of a frame holds, in a word."""
    dtype = series.dtype
    if _is_decimal(dtype):
        return "numbers as objects"
    if dtype.is_numeric() or repr(dtype) == "Boolean":
        return "numbers"
    if repr(dtype).startswith(("Categorical", "Enum")):
        return "categories"
    return _kind_in(_cells(series))


def _is_decimal(dtype: Any) -> bool:
    """Whether a column holds decimals, or numbers of 128 bits: NumPy has none of them."""
    return repr(dtype).startswith("Decimal") or repr(dtype).endswith("128")


def _cells(series: Any) -> NDArray[Any]:
    return np.array(series.to_list(), dtype=object) if _is_decimal(series.dtype) else np.asarray(series.to_numpy())


def _kind_in(cells: NDArray[Any]) -> str:
    """What an array holds, in a word."""
    if cells.dtype.kind in "biuf":
        return "numbers"
    if cells.dtype.kind in "Mm":
        return "dates" if cells.dtype.kind == "M" else "lengths of time"
    if any(isinstance(cell, str | bytes) for cell in cells):
        return "texts"
    return "objects" if _numbers(FeatureColumn("", "", cells)) is None else "numbers as objects"


def only_numbers(X: Any) -> None:
    """Refuse frames with columns of other things, for hosts that end the whole process where they meet one. Error: GM009."""
    if hasattr(X, "iloc") or names_of(X) is None:  # pandas' are told by the host, as arrays are
        return
    found = _columns(X)
    for fault in [] if isinstance(found, Fault) else _of_types(found):
        raise fault.problem("X", "")
