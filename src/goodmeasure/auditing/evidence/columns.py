"""A column of a table in which the target stands."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
_FEW = 24  # rows below which a column may name the classes by chance


def answer(table: Array, y: Array) -> int | None:
    """The column that is the target, or names its classes."""
    for column in range(table.shape[1]) if _comparable(table, y) else ():
        if np.allclose(table[:, column], y.reshape(-1), rtol=1e-6, atol=0):
            return column
    return named_by(table, y)


def named_by(table: Array, y: Array) -> int | None:
    """The column that has a value of its own for each of a few classes; of a table with other columns besides."""
    for column in range(table.shape[1]) if _comparable(table, y) else ():
        if _one_to_one(table[:, column], y.reshape(-1)):
            return column
    return None


def _comparable(table: Array, y: Array) -> bool:
    """Whether these are several columns and one target of as many rows, whose values are not nearly all the same."""
    if table.ndim != 2 or y.size != len(y) or len(y) != len(table) or len(y) < _FEW or table.shape[1] < 2:
        return False
    return bool(np.isfinite(y).all()) and bool(np.unique(y, return_counts=True)[1].max() <= 0.9 * len(y))


def _one_to_one(values: Array, y: Array) -> bool:
    classes = len(np.unique(y))
    if not 2 <= classes <= len(y) // 8 or len(np.unique(values)) != classes:
        return False
    return len(np.unique(np.column_stack([values, y]), axis=0)) == classes
