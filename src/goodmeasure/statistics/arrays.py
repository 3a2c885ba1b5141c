"""What was given, as an array of NumPy: the one place where texts, dates, ragged lists and masks are told from numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.errors import Problem, ShapeMismatch, shorter


def array_of(values: Any, name: str, kind: type[Problem] = ShapeMismatch) -> NDArray[Any]:
    """Whatever was given as an array; what is masked is missing. One value has no axes, and neither has an object."""
    if isinstance(values, np.ma.MaskedArray):
        return _unmasked(values)
    try:
        return np.asarray(values)
    except (TypeError, ValueError, OverflowError) as error:
        raise kind(f"{name} is not an array of one shape", where=name, seen=shorter(values)) from error


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


def _unmasked(values: Any) -> NDArray[Any]:
    """The values of a masked array, with NaN (of objects and texts None) in place of those that are masked."""
    if not np.ma.is_masked(values):
        return np.asarray(values.data)
    if values.dtype.kind in "biuf":
        return np.asarray(values.astype(np.float64).filled(np.nan))
    return np.asarray(values.astype(object).filled(None))


def numbers_of(values: Any, name: str, kind: type[Problem] = ShapeMismatch) -> NDArray[Any]:
    """Numbers of any type, in their own; of objects None is NaN."""
    array = array_of(values, name, kind)
    if array.dtype.kind == "O":
        try:
            return array.astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise kind(f"{name} holds what is not a number", where=name, seen=str(error)) from error
    if array.dtype.kind not in "biuf":
        raise kind(f"{name} holds values of type {array.dtype}, numbers are needed", where=name)
    return array


def column_of(values: Any, name: str) -> NDArray[Any]:
    """One value of any type a row, such as the key of a group."""
    array = array_of(values, name)
    if array.dtype.kind == "V":
        raise ShapeMismatch(
            f"{name} holds several fields a row, one value is needed", where=name, seen=str(array.dtype)
        )
    if array.ndim != 1:
        shape = f"has shape {array.shape}" if array.ndim else "is one value"
        raise ShapeMismatch(f"{name} {shape}, one value a row is needed", where=name, seen=shorter(values))
    return array
