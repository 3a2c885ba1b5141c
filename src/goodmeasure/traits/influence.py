"""How the pull of a loss grows with the distance from what happened, on each side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.deriving import numbers
from goodmeasure.deriving.predictions import raw, shorter_way, turn
from goodmeasure.deriving.record import Record
from goodmeasure.formulas.activations import linear
from goodmeasure.statistics.quantiles import weighted_median, weighted_quantile
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.weights import unit_of

# How far out the pull is compared: raw outputs of activations, or multiples of the typical miss where they are predictions.
_FAR = 30.0
_FAR_LINEAR = 1000.0
# Nearer than this no pull is looked for.
_NEAREST = 1e-250


@dataclass(frozen=True)
class Influence:
    """How the pull grows away from what happened, on one side: its size at some distances in units of that at a slight error.

    ``name`` is "growing", "saturating", "vanishing" or "none", from the last tenfold of distance.
    """

    side: str
    distances: tuple[float, ...]
    sizes: tuple[float, ...]
    name: str


def slight(loss: Record, y: Floats, z: Floats, w: Floats | None = None) -> float:
    """The distance in raw output that counts as a slight error."""
    if loss.activation != (linear,):
        return 0.1
    w = np.ones(len(y)) if w is None else w
    if period := turn(loss):
        return 0.1 * weighted_median(np.abs(shorter_way(z - y, period)), w) or 0.01 * period
    unit = unit_of(y)
    spread = math.sqrt(np.average((y / unit - np.average(y / unit, weights=w)) ** 2, weights=w)) * unit
    return 0.1 * weighted_median(np.abs(z - y), w) or 0.1 * spread or 0.1


def sides(loss: Record, y: Any, z: Floats, w: Floats | None = None) -> tuple[Influence, ...]:
    """The sides on which a prediction can be off, with how the pull grows there; none for a whole distribution."""
    if loss.is_classwise:
        return (_class_side(loss, z.shape[1]),)
    if z.ndim > 1:
        return ()
    if loss.is_binary:
        far = np.geomspace(0.3, _FAR, 9)
        return tuple(
            _side(
                f"{name} happened",
                lambda t, at=at, to=to: numbers.gradient(loss, np.full(t.shape, at), to * t),
                far,
                0.0,
            )
            for name, at, to in (("yes", 1.0, -1.0), ("no", 0.0, 1.0))
        )
    reaches = loss.activation[0].reaches
    inside = (y > reaches.low) & (y < reaches.high)
    if not inside.any():
        return ()
    w = np.ones(len(y)) if w is None else w
    typical = weighted_quantile(y[inside], w[inside], 0.5)
    centre, near = float(raw(loss, np.array([typical]))[0]), slight(loss, y, z, w)
    span = _FAR_LINEAR * near * 10 if loss.activation == (linear,) else _FAR
    if period := turn(loss):
        span = period / 2  # further off is nearer again
    far = np.geomspace(3 * near, span, 9)

    def pull(to: float) -> Any:
        return lambda t: numbers.gradient(loss, np.full(t.shape, typical), centre + to * t)

    return tuple(_side(f"prediction too {name}", pull(to), far, near) for name, to in (("high", 1.0), ("low", -1.0)))


def _class_side(loss: Record, classes: int) -> Influence:
    def pull(t: Floats) -> Floats:
        z = np.zeros((len(t), classes))
        z[:, 0] = -t
        return np.asarray(np.linalg.norm(numbers.gradient(loss, np.zeros(len(t), dtype=int), z), axis=1))

    return _side("the class that happened", pull, np.geomspace(0.3, _FAR, 9), 0.0)


def _side(side: str, pull: Any, far: Floats, slight: float) -> Influence:
    distances = np.concatenate([[slight], far])
    sizes = np.abs(np.asarray(pull(distances), dtype=np.float64))
    if not np.isfinite(sizes[:2]).all() and slight > _NEAREST:  # even that is too far for the pull to be a number
        return _side(side, pull, far / 10, slight / 10)
    # An exponential pull leaves the range of numbers; how it grows shows before that.
    kept = np.isfinite(sizes)
    distances, sizes = distances[kept], sizes[kept]
    relative = sizes / sizes[0] if sizes[0] > 0 else sizes
    tenth = float(np.interp(distances[-1] / 10, distances, sizes))
    if not sizes.any():
        name = "none"
    elif sizes[-1] > 2 * tenth:
        name = "growing"
    else:
        # A pull that is gone far out (a redescending loss) vanishes, also where it was gone a tenth of the way before.
        name = "vanishing" if sizes[-1] < tenth / 2 or sizes[-1] == 0 else "saturating"
    return Influence(side, tuple(distances.tolist()), tuple(relative.tolist()), name)
