"""What rows would cost at the predictions that are best for each alone: the zero from which skill is measured."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from goodmeasure.statistics.row_arguments import Floats

# The least loss is searched for once for each distinct target, which is quick for labels and not for shares.
MOST_OUTCOMES = 64
_AMOUNTS = (0.25, 0.75, 1.0, 2.0, 5.0)
ROUNDING = 1e-9


def least_losses(loss: Any, y: Any, classes: int | None) -> Floats | None:
    """What each row would cost at the prediction that is best for it alone; None where there is no finite one."""
    if np.ndim(y) > 1 or len(getattr(loss, "activation", ())) > 1:
        return None
    target = np.asarray(y, dtype=np.float64)
    with np.errstate(all="ignore"):
        if loss.is_binary or loss.is_classwise:
            distinct, place = np.unique(target, return_inverse=True)
            if len(distinct) > MOST_OUTCOMES:
                return None
            found = np.array([_least(loss, value, classes or 0) for value in distinct])[place]
        else:
            found = np.asarray(loss.value(target, loss.raw(target)), dtype=np.float64)
    return found if np.isfinite(found).all() else None


def least_differs(loss: Any) -> bool:
    """Whether the least that a row of amounts can cost depends on its target, as by Poisson's loss.

    Then groups of large and of small amounts cost differently however well they are predicted.
    """
    if loss.is_binary or loss.is_classwise or loss.labels:
        return False
    found = least_losses(loss, np.array([amount for amount in _AMOUNTS if amount in loss.target]), None)
    return found is not None and bool(np.ptp(found) > ROUNDING * max(1.0, np.abs(found).max()))


def _least(loss: Any, value: Any, classes: int) -> float:
    """The least loss of one target over all raw outputs, the limits included, by zooming in on a grid.

    For classes the raw output is that of the class over all others, which are alike.
    """
    far = np.logspace(-3, 3, 61)
    raw = np.concatenate([-far[::-1], [0.0], far] if classes else [[-np.inf], -far[::-1], [0.0], far, [np.inf]])
    least = math.inf
    for _ in range(6):
        z = np.outer(raw, np.arange(classes) == value) if classes else raw
        values = np.asarray(loss.value(np.full(len(raw), value), z), dtype=np.float64)
        at = int(np.nanargmin(values))
        least = min(least, float(values[at]))
        low, high = raw[max(at - 1, 0)], raw[min(at + 1, len(raw) - 1)]
        if not (math.isfinite(low) and math.isfinite(high)):
            break
        raw = np.linspace(low, high, 65)
    return least
