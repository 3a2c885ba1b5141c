"""Labels of any type: a column of them, and their order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.errors import TargetOutsideDomain, UsageError
from goodmeasure.statistics.arrays import column_of

Labels = NDArray[Any]


def labels_in(values: Any, name: str = "y_true") -> Labels:
    """One label a row, of which none is missing."""
    found = column_of(values, name)
    if found.dtype.kind == "c":
        raise TargetOutsideDomain(
            f"{name} holds complex numbers, which are no labels",
            where=name,
            fix=f"{name} = {name}.real, or labels as texts",
        )
    missing = found != found if found.dtype.kind != "O" else np.array([_is_missing(each) for each in found], dtype=bool)
    if missing.any():
        raise TargetOutsideDomain(
            f"{name} holds no label in row {int(np.argmax(missing))}",
            where=name,
            seen=f"{int(missing.sum()):,} of {len(found):,} labels are missing",
            fix="leave such rows out, or give them a weight of zero",
        )
    return found


def _is_missing(label: Any) -> bool:
    """Whether a label is none: None, NaN, or what pandas has for it, which is neither equal to itself nor not."""
    same = label == label
    return label is None or not isinstance(same, bool | np.bool_) or not same


def in_order(*columns: Labels) -> Labels:
    """The distinct labels of some columns, sorted as scikit-learn sorts ``classes_``."""
    try:
        return np.unique(np.concatenate([_as_objects(column) for column in columns]))
    except TypeError as error:
        seen = sorted({type(each).__name__ for column in columns for each in column.tolist()})
        raise UsageError(
            "labels of several types have no order", seen=", ".join(seen), fix="y = y.astype(str)"
        ) from error


def _as_objects(column: Labels) -> Labels:
    """Texts as objects: joined with numbers, NumPy would make texts of those."""
    return column.astype(object) if column.dtype.kind in "USO" else column
