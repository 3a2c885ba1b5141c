"""Labels of any type as the numbers that losses and costs take: their order, which of two is yes, and who is unknown."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.errors import UsageError, shorter
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.labels import Labels as Labels
from goodmeasure.statistics.labels import in_order as in_order
from goodmeasure.statistics.labels import labels_in as labels_in
from goodmeasure.statistics.row_arguments import UnknownLabel


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
            fix="metric = gm.to_sklearn(gm.losses.cross_entropy())  # y_pred has a column a class"
            if isinstance(of, Loss)
            else f"costs = gm.ClassCosts(1 - numpy.eye({len(known)}))  # what each answer costs where each is true",
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
        fix=f"metric = gm.to_sklearn({'loss' if isinstance(of, Loss) else 'costs'}, pos_label={known[0]!r})",
    )
