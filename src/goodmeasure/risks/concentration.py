"""Who carries the loss: the part that the worst rows carry, and how fast large losses get rare."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.weights import unit_of


def worst_share(values: Floats, w: Floats) -> float:
    """The share of the loss, above its smallest value, that the worst 1 % of the weight carries.

    A row on the edge of that part counts with the share of it that lies inside.
    """
    above = values - min(0.0, float(values.min()))
    if not np.isfinite(above).all():
        return 1.0
    order, within = _worst(above, w)
    carried = (w * (above / unit_of(above)))[order]
    total = float(carried.sum())
    return float(carried @ within / total) if total > 0 else 0.0


def worst_rows(values: Floats, w: Floats) -> int:
    """On how many rows the worst 1 % of the weight lies."""
    return int(np.count_nonzero(_worst(values, w)[1]))


def _worst(values: Floats, w: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Rows from the worst on, and how much of each belongs to the worst 1 % of the weight."""
    order = np.argsort(-values, kind="stable")
    return order, _inside(w[order], float(w.sum()) / 100)


def _inside(w: Floats, most: float) -> Floats:
    """How much of each row lies within the first ``most`` of the weight."""
    with np.errstate(over="ignore"):
        return np.clip((most - (np.cumsum(w) - w)) / w, 0.0, 1.0)


def share_of(values: Floats, w: Floats, chosen: NDArray[np.bool_]) -> float:
    """The share of the finite losses that some rows carry."""
    finite = np.where(np.isfinite(values), values, 0.0)
    carried = w * (finite / unit_of(finite))
    total = float(carried.sum())
    return float(carried[chosen].sum()) / total if total > 0 else 0.0


def top_rows(rows: float) -> int:
    """On how many of the largest the tail index rests."""
    return math.isqrt(round(rows))


def tail_index(values: Floats, w: Floats | None = None, worth: float | None = None) -> float:
    """Hill's estimate (1975) of how fast large losses get rare, from the top square root of n; needs 100 rows.

    ``worth`` is how many rows the weights stand for.
    """
    w = np.ones(len(values)) if w is None else w
    held = np.isfinite(values) & (values > 0)
    each = w * ((len(w) if worth is None else worth) / float(w.sum()))
    order = np.argsort(-values[held], kind="stable")
    top, count = values[held][order], each[held][order]
    k = top_rows(float(count.sum()))
    if k < 10:
        return math.nan
    reached = np.cumsum(count)
    # Sums of weights round; a row that is reached but for that is reached.
    base = top[np.searchsorted(reached, (k + 1) * (1 - 1e-12))]
    spread = float(_inside(count, k) * count @ (np.log(top) - math.log(base))) / k
    return 1 / spread if spread > 0 else math.inf
