"""Labels of any type as the numbers that losses and costs take: their order, which of two is yes, and who is unknown."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.errors import TargetOutsideDomain, UsageError, shorter
from goodmeasure.statistics.arrays import column_of
from goodmeasure.statistics.row_arguments import UnknownLabel

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


def as_declared(labels: ArrayLike) -> tuple[Any, ...]:
    """The labels that a user gave, which are distinct and in sorted order."""
    given = labels_in(labels, "labels")
    if given.tolist() != in_order(given).tolist():
        raise UsageError(
            "labels are distinct and in sorted order, as in classes_",
            seen=shorter(given.tolist()),
            fix="labels=sorted(set(y))",
        )
    return tuple(given.tolist())


def codes(values: Labels, names: Labels, name: str = "y_true") -> NDArray[np.intp]:
    """The place of each label among the names."""
    place = {label: at for at, label in enumerate(names.tolist())}
    found = np.array([place.get(label, -1) for label in values.tolist()], dtype=np.intp)
    if (found < 0).any():
        first = int(np.argmax(found < 0))
        raise UnknownLabel(
            f"{name} holds {shorter(values.tolist()[first])}, which is none of the labels",
            where=f"{name}[{first}]",
            seen=f"labels are {shorter(names.tolist())}",
            fix="labels=sorted(set(y)) of all rows there are",
        )
    return found


def check_label(pos_label: Any) -> None:
    """Refuse what can be no label, such as a column of them. Error: GM009."""
    if not isinstance(pos_label, Hashable):
        raise UsageError(f"pos_label is {type(pos_label).__name__}, which is no label", fix="pos_label=y[0]")


def label_of_yes(names: Labels, pos_label: Any, of: object) -> Any:
    """Which label is yes: the one that was said, else the second in sorted order, as in scikit-learn."""
    check_label(pos_label)
    known = names.tolist()
    if len(known) > 2:
        raise UsageError(
            f"{of} is for yes or no",
            seen=f"{len(known)} labels: {shorter(known)}",
            fix="take a loss, or costs, of classes",
        )
    if pos_label is not None:
        if len(known) == 2 and pos_label not in known:
            raise UsageError(
                f"pos_label={pos_label!r} is none of the labels",
                seen=f"they are {known}",
                fix=f"pos_label={known[-1]!r}",
            )
        return pos_label
    if len(known) == 2:
        return known[1]
    if known[0] in (-1, 0, 1):
        return 1
    raise UsageError(
        "one label alone does not say whether it is yes",
        seen=f"{known[0]!r} in all rows",
        fix=f"gm.to_sklearn(..., pos_label={known[0]!r})",
    )
