"""What was given, as an array of NumPy: the one place where texts, dates, ragged lists and masks are told from numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.errors import Problem, ShapeMismatch, UsageError, shorter, with_article


def array_of(values: Any, name: str, kind: type[Problem] = ShapeMismatch) -> NDArray[Any]:
    """Whatever was given as an array; what is masked is missing. One value has no axes. Error: GM003 for no values at all."""
    values = unmasked(values)
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, OverflowError) as error:
        raise kind(
            f"{name} is not an array of one shape",
            where=name,
            seen=shorter(values),
            fix=f"{name} = numpy.array({name}), with as many values in each row",
        ) from error
    if not array.ndim and array.dtype.kind == "O" and not (values is None or hasattr(array.item(), "__float__")):
        _refuse_object(array.item(), name)
    return array


def _refuse_object(given: Any, name: str) -> None:
    """Refuse what an array cannot be made of: NumPy would make one of a generator that holds the generator."""
    raise ShapeMismatch(
        f"{name} is {with_article(type(given).__name__)}, an array of values is needed",
        where=name,
        seen=shorter(given),
        fix=_instead_of(given, name),
    )


def _instead_of(given: Any, name: str) -> str:
    """What to give in place of what no array can be made of."""
    if given is None:
        return f"give {name}, one value a row"
    if hasattr(given, "predict"):
        return "scoring = gm.to_sklearn(loss).scorer  # where a model is judged"
    return f"{name} = list({name})" if isinstance(given, Iterable) else f"{name} = numpy.array([...])"


def one_a_row(array: Any, name: str) -> None:
    """Refuse an array that has not one value a row: several columns, one of its own axis, or no axis at all."""
    if array.ndim == 1:
        return
    if not array.ndim:
        raise ShapeMismatch(
            f"{name} is one value, a column is needed",
            where=name,
            seen=shorter(array.item()),
            fix=f"{name} = [value, value, ...], one a row",
        )
    raise ShapeMismatch(
        f"{name} has shape {tuple(array.shape)}, one value a row is needed",
        where=name,
        fix=f"{name} = {name}[:, 0]" if array.ndim == 2 else f"{name} = {name}.reshape(-1)",
    )


def rows_of(table: Any) -> int | None:
    """How many rows a table of any library has; None where it does not say."""
    shape = getattr(table, "shape", None)
    return shape[0] if shape else len(table) if hasattr(table, "__len__") else None


def check_table(X: Any, name: str = "X") -> None:
    """Refuse what holds no rows of features: nothing, a text, a mapping, what can be gone through only once, complex numbers."""
    if X is None:
        raise UsageError(
            f"{name} is None, and rows of features are needed", where=name, fix=f"give {name}, (n, features)"
        )
    if getattr(getattr(X, "dtype", None), "kind", "") == "c":
        # A host may drop the half of them. The words are those that scikit-learn asks of every estimator.
        raise UsageError(f"Complex data not supported: {name} holds it", where=name, fix=f"{name} = numpy.real({name})")
    holds_rows = rows_of(X) is not None or hasattr(X, "__array__") or hasattr(X, "__dataframe__")
    if holds_rows and not isinstance(X, str | bytes | Mapping | Set):
        return
    raise UsageError(
        f"{name} is {with_article(type(X).__name__)}, and rows of features are needed",
        where=name,
        seen=shorter(X),
        fix=_rows_instead(X, name),
    )


def _rows_instead(X: Any, name: str) -> str:
    """What to give in place of what holds no rows of features."""
    if isinstance(X, Mapping):
        return f"{name} = pandas.DataFrame({name})"
    is_gone_through = isinstance(X, Iterable) and not isinstance(X, str | bytes)
    return f"{name} = list({name})" if is_gone_through else f"give {name}, (n, features)"


def check_rows(X: Any, y: Any, name: str = "y") -> None:
    """Refuse rows of features and targets that were exchanged, or that are not as many."""
    check_table(X)
    rows = rows_of(X)
    if np.ndim(y) == 2 and len(getattr(X, "shape", ())) == 1 and rows == len(y):
        raise ShapeMismatch(
            f"X has shape {X.shape} and {name} {np.shape(y)}: the rows of features come first",
            where="X",
            fix=f"X, {name} = {name}, X",
        )
    if rows is not None and np.ndim(y) and rows != len(y):
        raise ShapeMismatch(
            f"X and {name} have different numbers of rows",
            seen=f"{rows:,} and {len(y):,}",
            fix=f"give one value of {name} a row",
        )


def same_order(**columns: Any) -> None:
    """Refuse columns whose indexes hold the same labels in another order: rows are paired by where they stand.

    Other indexes are let pass: predictions are often numbered anew.
    """
    indexed = [(name, index) for name, values in columns.items() if (index := _index(values)) is not None]
    for name, index in indexed[1:]:
        first, order = indexed[0]
        if len(order) == len(index) and not order.equals(index) and order.isin(index).all() and index.isin(order).all():
            raise ShapeMismatch(
                f"{first} and {name} hold the same rows in another order",
                where=name,
                seen=f"their indexes begin {_start(order)} and {_start(index)}",
                fix=f"{name} = {name}.reindex({first}.index), or {name}.to_numpy() if its rows stand as those of {first}",
            )


def _index(values: Any) -> Any:
    """The index of a series or frame of pandas; None of anything else."""
    index = getattr(values, "index", None)
    return index if hasattr(index, "equals") and hasattr(index, "isin") else None


def _start(index: Any) -> str:
    return ", ".join(shorter(label) for label in index[:3].tolist())


def unmasked(values: Any) -> Any:
    """Values as they are, but for those of a masked array: NaN (of objects and texts None) is in place of what is masked."""
    if not isinstance(values, np.ma.MaskedArray):
        return values
    if not np.ma.is_masked(values):
        return np.asarray(values.data)
    to, missing = (np.float64, np.nan) if values.dtype.kind in "biuf" else (object, None)
    found = np.array(values.data, dtype=to)
    found[np.ma.getmaskarray(values)] = missing
    return found


def numbers_of(values: Any, name: str, kind: type[Problem] = ShapeMismatch) -> NDArray[Any]:
    """Numbers of any type, in their own; of objects None is NaN."""
    array = array_of(values, name, kind)
    if array.dtype.kind == "O":
        try:
            return array.astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise kind(
                f"{name} holds what is not a number", where=name, seen=str(error), fix=_numbered(name)
            ) from error
    if array.dtype.kind not in "biuf":
        read = hold_numbers(array) and array.dtype.kind in "USO"
        raise kind(
            f"{name} holds values of type {array.dtype}, numbers are needed",
            where=name,
            fix=f"{name} = numpy.asarray({name}).astype(float)" if read else _numbered(name),
        )
    return array


def _numbered(name: str) -> str:
    return f"give {name} as numbers: one for each row"


def hold_numbers(texts: Any) -> bool:
    """Whether texts are those of numbers."""
    try:
        np.asarray(texts).astype(float)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def column_of(values: Any, name: str) -> NDArray[Any]:
    """One value of any type a row, such as the key of a group."""
    array = array_of(values, name)
    if array.dtype.kind == "V":
        raise ShapeMismatch(
            f"{name} holds several fields a row, one value is needed",
            where=name,
            seen=str(array.dtype),
            fix=f"{name} = {name}[{(array.dtype.names or ('field',))[0]!r}]  # the field that is meant",
        )
    one_a_row(array, name)
    return array
