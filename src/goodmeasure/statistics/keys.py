"""Keys that say which rows go together: as codes, and sums by code."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.errors import UsageError
from goodmeasure.statistics.row_arguments import Floats, MissingScore, Places, place

MISSING = "(missing)"
"""What rows without a key are called."""
# Cells of these types are keys whatever they hold, but for None: most columns of objects hold nothing else.
_KEYS_OR_NONE = frozenset({str, bytes, int, bool, type(None)})


def called(key: str, others: Container[str]) -> str:
    """What a key is called beside others: one of no text is missing, and has a name that none of the others has."""
    if key:
        return key
    name = MISSING
    while name in others:
        name = f"({name})"
    return name


def summed(codes: NDArray[np.intp], values: Floats, count: int = 0) -> Floats:
    """The sum of values by code."""
    return np.bincount(codes, weights=values, minlength=count).astype(np.float64, copy=False)


def codes(keys: ArrayLike, name: str, *, at: Places = None) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Group keys of any type as integers from zero, in the order in which they first appear, and the distinct keys."""
    found, first, inverse = distinct(keys, name, at=at)
    order = np.argsort(first)
    return np.argsort(order)[inverse], found[order]


def distinct(keys: ArrayLike, name: str, *, at: Places = None) -> tuple[NDArray[Any], Any, NDArray[np.intp]]:
    """The distinct keys in ascending order, where each appears first, and which of them each row has."""
    given = np.asarray(keys)
    refuse_missing(missing(given), name, at)
    try:
        found, first, inverse = np.unique(given, return_index=True, return_inverse=True)
    except (TypeError, ValueError) as error:  # the latter of arrays
        raise UsageError(
            f"{name} holds keys of types that have no order",
            seen=str(error),
            fix=f"{name} = [str(key) for key in {name}]",
        ) from error
    return found, first, inverse.ravel().astype(np.intp, copy=False)


def few(values: NDArray[Any], most: int) -> tuple[NDArray[Any], NDArray[np.intp]] | None:
    """The distinct values in ascending order and which of them each row has; None where there are more than ``most``.

    Those of the first rows are nearly always all, or too many: then the others need not be sorted.
    """
    known = np.unique(values[: 4 * most])
    if len(known) > most:
        return None
    codes = (values == known[1]).astype(np.intp) if len(known) == 2 else np.searchsorted(known[:-1], values)
    if not (known[codes] == values).all():
        known, codes = np.unique(values, return_inverse=True)
    return None if len(known) > most else (known, codes)


def refuse_missing(lost: NDArray[np.bool_], name: str, at: Places = None) -> None:
    """Refuse rows whose key is missing: which others they go with is not known. Error: GM702."""
    if lost.any():
        raise MissingScore(
            f"{name} is missing in {int(lost.sum()):,} of {len(lost):,} rows",
            where=place(name, int(np.argmax(lost)), at),
            fix="give such rows a key, or a weight of zero",
        )


def missing(keys: NDArray[Any]) -> NDArray[np.bool_]:
    """Which keys are none: NaN, None, not a time, and the NA of pandas, none of which surely equals itself."""
    if keys.dtype.kind == "O":
        cells = keys.tolist()
        if {*map(type, cells)} <= _KEYS_OR_NONE:
            return np.array([cell is None for cell in cells], dtype=bool)
        return np.array([cell is None or not _sure(cell == cell) for cell in cells], dtype=bool)
    if keys.dtype.kind in "mM":
        return np.asarray(np.isnat(keys))
    return np.isnan(keys) if keys.dtype.kind in "fc" else np.zeros(len(keys), dtype=bool)


def _sure(answer: Any) -> bool:
    """Whether a cell surely equals itself; an array is compared number by number, and is a key whatever it holds."""
    return hasattr(answer, "__len__") or (isinstance(answer, bool | np.bool_) and bool(answer))
