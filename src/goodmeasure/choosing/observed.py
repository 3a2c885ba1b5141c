"""The target as it came: any column as numbers or labels, with what is missing left out and counted."""

from __future__ import annotations

import datetime
import enum
import numbers
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.errors import Problem, ShapeMismatch, TargetOutsideDomain, WeightError, shorter
from goodmeasure.reading.rows_read import NO_TARGET, NO_WEIGHT, RowsRead
from goodmeasure.statistics.arrays import numbers_of, one_a_row
from goodmeasure.statistics.row_arguments import equal_length
from goodmeasure.statistics.texts import by_value, different
from goodmeasure.statistics.weights import check_weights, tame

# Above this a double no longer holds every whole number.
EXACT = 2**53
# A text column of which at least this share reads as numbers is a numeric one with broken cells.
MOSTLY = 0.5


class NoTarget(Problem, ValueError):
    """There is no target to look at: no rows, or every value is missing.

    What a model should learn is inferred from the target's values, so at least two of them must be there. Check the
    name of the column and how missing values are written in the file.
    """

    code = "GM601"


class TextAmongNumbers(Problem, ValueError):
    """Most cells of the target are numbers, and some are text.

    Taking such a column as classes would be a silent mistake, and dropping the cells a silent loss. Mend the cells that
    the error names, or turn what stands for a missing value into an empty cell.
    """

    code = "GM603"


class NotATarget(Problem, ValueError):
    """The column holds something that a loss cannot measure as it stands: dates, identifiers, free text, objects.

    A date becomes a target as an amount of time (days until it happened) or as yes/no (did it happen within 30 days).
    Identifiers and free text are not targets.
    """

    code = "GM604"


class Notation(enum.Enum):
    """How the values of a column are written."""

    BOOLEAN = "yes/no"
    INTEGER = "integer"
    FLOAT = "float"
    TEXT = "text"
    CATEGORY = "category"


@dataclass(frozen=True, eq=False)
class InOrder:
    """Labels, (n,), whose column said in which order they stand."""

    labels: NDArray[Any]
    order: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Observed:
    """The values that are present, as they came and (unless they are labels) as doubles, and how many ``rows`` there were.

    ``at`` says where each stood among those given, and ``order`` is that of its categories, from the low end to the high one,
    where the type of the column says so.
    """

    name: str
    kind: Notation
    original: NDArray[Any]
    numbers: NDArray[np.float64] | None
    weight: NDArray[np.float64]
    rows: RowsRead
    from_text: bool = False
    at: NDArray[np.intp] | None = None
    order: tuple[str, ...] = ()

    @property
    def table(self) -> bool:
        """Whether there are several numbers a row."""
        return self.original.ndim == 2

    @cached_property
    def distinct(self) -> tuple[Any, ...]:
        """The distinct values in order, as plain Python values."""
        values = self.original if self.numbers is None or not self.from_text else self.numbers
        found = tuple(different(values).tolist())
        return tuple(label for label in self.order if label in set(found)) or found

    @cached_property
    def whole(self) -> bool:
        """Whether every value is a whole number."""
        return self.numbers is not None and bool(np.all(self.numbers == np.round(self.numbers)))

    def share(self, where: NDArray[np.bool_]) -> float:
        """The weighted share of the rows where this holds."""
        return float(self.weight[where].sum() / self.weight.sum())


def observe(y: Any, name: str = "target", sample_weight: Any = None) -> Observed:
    """Read a target from a list, an array, or a series or one-column frame of any dataframe library.

    Missing values (None, NaN, NaT, empty text) and rows of weight zero are left out. Errors: GM601, GM603, GM604; GM004 for
    infinite values; GM003 for weights of another length.
    """
    values, categorical, order = _as_array(y, name)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim not in (1, 2):
        raise ShapeMismatch(f"{name} has {values.ndim} axes", seen=f"shape {values.shape}", fix="y = y.ravel()")
    weight = _weight(sample_weight, len(values), name)
    gone = _missing(values)
    rows, keep = RowsRead.of(len(values), {NO_WEIGHT: weight == 0, NO_TARGET: gone})
    if not keep.any():
        raise NoTarget(
            f"{name} has no values",
            seen=f"{len(values)} rows, {int(gone.sum())} of them missing",
            fix="check the column",
        )
    kind, original, numeric, from_text = _typed(values[keep], np.flatnonzero(keep), name, categorical)
    _finite(numeric, np.flatnonzero(keep), name)
    return Observed(name, kind, original, numeric, weight[keep], rows, from_text, np.flatnonzero(keep), order)


def _as_array(y: Any, name: str) -> tuple[NDArray[Any], bool, tuple[str, ...]]:
    """A column as a NumPy array, whether its type says that its values are categories, and their order if it says one."""
    import narwhals.stable.v2 as nw

    if isinstance(y, InOrder):
        return y.labels, True, y.order
    given = nw.from_native(y, allow_series=True, pass_through=True)
    if isinstance(given, nw.LazyFrame):
        given = given.collect()
    if isinstance(given, nw.DataFrame) and len(given.columns) == 1:
        given = given[given.columns[0]]
    if isinstance(given, nw.Series):
        return _from_series(given)
    if isinstance(given, nw.DataFrame):
        return given.to_numpy(), False, ()
    array = np.ma.filled(y.astype(float), np.nan) if isinstance(y, np.ma.MaskedArray) else _listed(y, name)
    return (array.reshape(1) if array.ndim == 0 else array), False, ()


def _from_series(series: Any) -> tuple[NDArray[Any], bool, tuple[str, ...]]:
    import narwhals.stable.v2 as nw

    categorical = isinstance(series.dtype, nw.Categorical | nw.Enum)
    if categorical or series.dtype == nw.String or series.dtype == nw.Object or series.null_count():
        found = np.empty(len(series), dtype=object)
        found[:] = series.to_list()
        return found, categorical, tuple(map(str, getattr(series.dtype, "categories", ())))
    return np.asarray(series.to_numpy()), False, ()


def _listed(y: Any, name: str) -> NDArray[Any]:
    if isinstance(y, np.ndarray):
        return y
    if hasattr(y, "__array__") or hasattr(y, "__dlpack__"):
        return np.asarray(y.detach().cpu() if hasattr(y, "detach") else y)
    if not isinstance(y, Iterable):
        raise NotATarget(
            f"{name} is not a column of values",
            where=name,
            seen=shorter(y),
            fix="a list, an array or a series, with one value a row",
        )
    values = list(y)
    if any(isinstance(v, list | tuple | np.ndarray) for v in values):
        try:
            return np.asarray(values, dtype=float)
        except (TypeError, ValueError) as error:
            raise NotATarget(
                f"the rows of {name} do not make a table of numbers: {error}", fix="as many numbers in each row"
            ) from error
    # Element by element: NumPy would turn a list that mixes numbers and text into text.
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _weight(given: Any, n: int, name: str) -> NDArray[np.float64]:
    if given is None:
        return np.ones(n)
    weight = numbers_of(given, "sample_weight", WeightError).astype(np.float64, copy=False)
    one_a_row(weight, "sample_weight")
    equal_length({name: range(n)}, sample_weight=weight)
    check_weights(weight)
    return tame(weight)


def _missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    if values.dtype.kind == "f":
        lost = np.isnan(values)
    elif values.dtype.kind in "mM":
        lost = np.isnat(values)
    elif values.dtype.kind == "O":
        lost = _of_each(_is_missing, values).astype(bool)
    elif values.dtype.kind in "US":
        lost = np.char.strip(values) == values.dtype.type()
    else:
        lost = np.zeros(values.shape, dtype=bool)
    return np.asarray(lost.any(axis=1) if lost.ndim == 2 else lost, dtype=bool)


def _of_each(asked: Callable[[Any], Any], values: NDArray[Any]) -> NDArray[Any]:
    """What is said of each value: asked once of each different one, or of every one where some cannot be compared."""
    try:
        return by_value(asked, values)
    except TypeError:
        return np.asarray(np.frompyfunc(asked, 1, 1)(values))


def _is_missing(value: Any) -> bool:
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    return type(value).__name__ in ("NAType", "NaTType") or bool(isinstance(value, numbers.Real) and value != value)


_PLAIN = {"b": Notation.BOOLEAN, "i": Notation.INTEGER, "u": Notation.INTEGER, "f": Notation.FLOAT}


def _typed(
    values: NDArray[Any], at: NDArray[np.intp], name: str, categorical: bool
) -> tuple[Notation, NDArray[Any], NDArray[np.float64] | None, bool]:
    """What the present values are, as they came, as numbers, and whether the numbers were written as text."""
    kind = _PLAIN.get(values.dtype.kind)
    if kind is not None:
        return kind, values, values.astype(np.float64), False
    if values.dtype.kind in "US":
        values = values.astype(str).astype(object)
    if values.dtype.kind != "O" or values.ndim == 2:
        raise _not_a_target(values, name)
    if categorical:
        return Notation.CATEGORY, values.astype(str).astype(object), None, False
    text = _of_each(lambda v: isinstance(v, str), values).astype(bool)
    if text.any():
        return _from_text(values, text, at, name)
    return *_from_objects(values, name), False


def _from_text(
    values: NDArray[Any], text: NDArray[np.bool_], at: NDArray[np.intp], name: str
) -> tuple[Notation, NDArray[Any], NDArray[np.float64] | None, bool]:
    read = read_as_numbers(values)
    broken = np.isnan(read)
    if not broken.any():
        return Notation.FLOAT, values, read, True
    if not text.all() or (~broken).mean() >= MOSTLY:
        first = int(np.argmax(broken))
        raise TextAmongNumbers(
            f"{name} holds numbers, but not in row {at[first]} (line {at[first] + 2} of a file with a header)",
            seen=f"{values[first]!r}; {int(broken.sum())} of {len(values)} values are not numbers",
            fix=f"mend the cell, or leave it empty if it stands for a missing value: column {name}",
        )
    return Notation.TEXT, values, None, False


def read_as_numbers(values: NDArray[Any]) -> NDArray[np.float64]:
    """Texts as the numbers that they are, NaN where they are none."""
    return _of_each(_number, values).astype(np.float64)


def _number(value: Any) -> float:
    try:
        read = float(value)
    except (TypeError, ValueError):
        return float("nan")
    return read


def _from_objects(values: NDArray[Any], name: str) -> tuple[Notation, NDArray[Any], NDArray[np.float64]]:
    if all(isinstance(v, bool | np.bool_) for v in values):
        return Notation.BOOLEAN, values.astype(bool), values.astype(float)
    # Decimal is a number that does not say so.
    if not all(isinstance(v, numbers.Real) or type(v).__name__ == "Decimal" for v in values):
        raise _not_a_target(values, name)
    try:
        found = values.astype(np.float64)
    except OverflowError as error:
        raise NotATarget(f"{name} holds numbers too large to compute with", fix="y = numpy.log(y)") from error
    kind = Notation.INTEGER if all(isinstance(v, numbers.Integral) for v in values) else Notation.FLOAT
    return kind, found if kind is Notation.FLOAT else _whole(values, found), found


def _whole(values: NDArray[Any], found: NDArray[np.float64]) -> NDArray[Any]:
    return values.astype(np.int64) if np.abs(found).max() < EXACT else values


def _not_a_target(values: NDArray[Any], name: str) -> NotATarget:
    first = values.ravel()[0]
    if values.dtype.kind in "mM" or isinstance(first, datetime.date | datetime.timedelta):
        return NotATarget(
            f"{name} holds dates or times, which no loss measures as they stand",
            seen=f"first value {first}",
            fix="make it an amount: days = (date - start) / numpy.timedelta64(1, 'D')",
        )
    return NotATarget(
        f"{name} holds {type(first).__name__} values, which are neither numbers nor labels",
        seen=f"first value {str(first)[:60]}",
        fix="give one number or one label a row",
    )


def _finite(found: NDArray[np.float64] | None, at: NDArray[np.intp], name: str) -> None:
    if found is None or np.isfinite(found).all():
        return
    bad = ~np.isfinite(found if found.ndim == 1 else found.sum(axis=1))
    first = int(np.argmax(bad))
    raise TargetOutsideDomain(
        f"{name} is infinite in row {at[first]}",
        seen=f"{found[first]}; {int(bad.sum())} of {len(bad)} values are infinite",
        fix="leave these rows out: y = y[numpy.isfinite(y)]",
    )
