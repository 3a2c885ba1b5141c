"""What was predicted, as raw outputs or as predictions, and what each row of it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.deriving import numbers, predictions
from goodmeasure.errors import NoSuchReading, ShapeMismatch, UsageError
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.arrays import array_of
from goodmeasure.statistics.row_arguments import Floats, Places, PresentRows

# Numbers below it have fewer digits than others, down to none.
_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, eq=False)
class Outputs:
    """What was predicted, and the loss that takes it: raw outputs, or predictions and the loss as a formula of them."""

    loss: Any
    numbers: NDArray[Any]
    on_predictions: bool

    @property
    def classes(self) -> int | None:
        """How many classes the outputs have: what the targets at hand show does not matter."""
        return self.numbers.shape[-1] if self.loss.is_classwise else None

    def losses(self, y: Any, rows: PresentRows) -> Floats:
        """The loss of each row that is there; errors name rows as the caller numbers them."""
        rows.read(row_arguments.raw_outputs, "z")
        there = np.zeros(len(self.numbers), dtype=bool)
        there[rows.at] = True
        values = row_losses(self.loss, y, self.numbers, mask=None if there.all() else there)[rows.at]
        if not (self.loss.is_binary or self.loss.is_classwise):
            refuse_overflow(values, rows["y"], {"z": rows["z"]}, at=rows.at)
        refuse_underflow(self.loss, rows["y"], rows["z"])
        return values

    def losses_at(self, y: Any, rows: PresentRows) -> Floats:
        """What each row that is there would cost, were its target another one."""
        return row_losses(self.loss, y, self.numbers[rows.at])


def outputs(loss: Any, z: Any, prediction: Any, sample_weight: Any = None) -> Outputs:
    """Raw outputs or predictions, of which one is given, with the loss that takes them."""
    refuse_labels(loss)
    if (z is None) == (prediction is None):
        raise UsageError(
            f"{loss} takes raw outputs or predictions, one of them", fix="give z, or prediction=p in its place"
        )
    if prediction is None:
        return Outputs(loss, array_of(z, "z"), on_predictions=False)
    found = predictions.check_predictions(loss, array_of(prediction, "prediction"), sample_weight)
    return Outputs(predictions.on_predictions(loss), np.asarray(found), on_predictions=True)


def refuse_overflow(values: Floats, y: Any, z: Mapping[str, Any], *, at: Places = None) -> None:
    """Refuse losses that are infinite only because amounts are too large to be squared. Error: GM706."""
    lost = np.flatnonzero(np.isinf(values))
    if not len(lost):
        return
    where = lost if at is None else at[lost]
    for name, given in {"y": y, **z}.items():
        column = np.asarray(given, dtype=np.float64)[lost]
        if np.isfinite(column).all() and np.abs(column).max() >= row_arguments.LARGEST:
            row_arguments.in_range(column, name, at=where)


def refuse_labels(loss: Any) -> None:
    """Refuse a loss that weighs each label for itself: evidence is of one label. Error: GM007."""
    if loss.labels:
        raise NoSuchReading(
            f"{loss} weighs each label for itself, and this is asked of one label",
            fix="take loss.of_label(0) with y[:, 0] and z[:, 0], and so on for each label",
        )


def refuse_underflow(loss: Any, y: Any, z: Any) -> None:
    """Refuse amounts so small that their losses would be zero where they are not. Error: GM706."""
    if loss.is_binary or loss.is_classwise:
        return
    columns = {name: np.asarray(values, dtype=np.float64) for name, values in (("y", y), ("z", z))}
    small = all(np.abs(values).max(initial=0.0) < row_arguments.SMALLEST for values in columns.values())
    if small and _underflows(loss, **columns):
        for name, values in columns.items():
            row_arguments.in_range(values, name)


def _underflows(loss: Any, y: Floats, z: Floats) -> bool:
    """Whether losses are no more than zero where they still have a slope, which is of another size."""
    each = np.abs(np.asarray(numbers.value(loss, y, z)))
    return bool(each.max(initial=0.0) < _TINY and np.any(numbers.gradient(loss, y, z)))


def row_losses(loss: Any, y: ArrayLike, z: ArrayLike, *, mask: Any = None) -> Floats:
    """The loss of each row as float64, 0 where masked; a row may have several raw outputs but only one loss."""
    values = np.asarray(loss.value(y, z, mask=mask), dtype=np.float64)
    if values.ndim != 1:
        raise ShapeMismatch(
            f"{loss!r} gave losses of shape {values.shape}, one a row is needed",
            fix="a column at a time: loss.of_label(0), y[:, 0], z[:, 0]",
        )
    lost = np.isnan(values)
    if lost.any():
        raise row_arguments.MissingScore(
            f"{int(lost.sum()):,} of {values.size:,} losses are not a number", where=f"row {int(np.argmax(lost))}"
        )
    return values


def clipped_outputs(given: Outputs, clip: float) -> tuple[Outputs, NDArray[np.bool_]]:
    """The outputs with their probabilities moved into [clip, 1 - clip], and the rows in which one was moved."""
    if not 0 < clip < 0.5:
        raise UsageError(f"clip lies strictly between 0 and 0.5, not {clip:g}", fix="clip=1e-6")
    there, back = given.loss.predict, given.loss.raw
    if given.on_predictions:
        there, back = (np.exp, np.log) if given.classes else (np.asarray, np.asarray)
    p = np.asarray(there(given.numbers), dtype=np.float64)
    outside = np.asarray((p < clip) | (p > 1 - clip))
    moved = np.asarray(back(np.clip(p, clip, 1 - clip)), dtype=np.float64)
    found = replace(given, numbers=np.where(outside, moved, given.numbers))
    return found, np.asarray(outside.reshape(len(p), -1).any(axis=1))
