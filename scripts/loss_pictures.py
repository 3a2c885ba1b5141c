"""A picture of each loss for its page: value and signal along a line of raw outputs, those of several outputs too."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from goodmeasure.drawing.cells import Floats
from goodmeasure.drawing.picture import Picture
from goodmeasure.drawing.pictures import loss_and_signal
from goodmeasure.making.loss import Loss

# Values beyond this would flatten what happens near the target.
_MOST = 20.0
_REACH, _POINTS = 4.0, 65
Curve = tuple[str, Floats, Floats]


def picture(loss: Loss) -> tuple[Picture, str]:
    """The picture of a loss, and a sentence that says what moves on it."""
    z = np.linspace(-_REACH, _REACH, _POINTS)
    y, across, said = _asked(loss)
    curves = [_shown(curve) for curve in _curves(loss, z, y)]
    return loss_and_signal(z, curves, across), said


def _asked(loss: Loss) -> tuple[tuple[float, ...], str, str]:
    """The targets of its curves, the name of the line, and what it is in words."""
    if loss.is_classwise:
        across = "raw output of the class that happened"
        return (0.0,), across, "One of three classes happened; its raw output moves, and the other two stay at 0."
    if loss.is_graded:
        return (0.0, 1.0, 2.0), "both raw outputs", "The grade was 0, 1 or 2; both raw outputs move together."
    targets = _targets(loss)
    told = f"A curve for the target {' and one for '.join(f'{y:g}' for y in targets)}"
    if len(loss.activation) > 1:
        return (
            targets,
            "first raw output",
            f"{told}; the first raw output moves, and the others stay at 0.",
        )
    return targets, "raw output", f"{told}."


def _targets(loss: Loss) -> tuple[float, ...]:
    """No and yes, or a small target that the loss takes and a larger one."""
    wanted = (1.0, 0.0) if loss.is_binary else (0.0, 1.0, 2.0)
    return tuple(y for y in wanted if y in loss.target)[:2]


def _curves(loss: Loss, z: Floats, targets: tuple[float, ...]) -> Iterator[Curve]:
    """Value and signal along the line for each target."""
    for y in targets:
        raw = _raw(loss, z)
        signal = np.asarray(loss.gradient(np.full(z.shape, y), raw), dtype=float)
        moved = signal if signal.ndim == 1 else signal[:, : len(loss.activation)].sum(-1)
        if signal.ndim > 1 and not loss.is_graded:
            moved = signal[:, 0]
        yield f"y = {y:g}", np.asarray(loss.value(np.full(z.shape, y), raw), dtype=float), moved


def _raw(loss: Loss, z: Floats) -> Floats:
    """The raw outputs of each point of the line."""
    if loss.is_graded:
        return np.stack([z + 1, z - 1], -1)
    others = 2 if loss.is_classwise else len(loss.activation) - 1
    return np.column_stack([z, *[np.zeros_like(z)] * others]) if others else z


def _shown(curve: Curve) -> Curve:
    """A curve up to the largest value that is shown."""
    name, value, signal = curve
    kept = value <= _MOST
    return name, np.where(kept, value, np.nan), np.where(kept, signal, np.nan)
