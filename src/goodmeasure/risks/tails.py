"""Whether the variance of a loss, and with it an interval, can be trusted: facts of the loss first, then its largest values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.risks.concentration import tail_index, top_rows
from goodmeasure.risks.outputs import Outputs, row_losses
from goodmeasure.statistics.row_arguments import Floats, PresentRows
from goodmeasure.statistics.weights import squares, unit_of
from goodmeasure.traits.sizes import bounded, tame_if_calibrated

# How often, at most, true probabilities may be taken for false ones.
SIZE = 0.05
# From this share of rows of one target on, they are looked at apart.
TIED = 0.05


def tail_limit(index: float, rows: float, level: float) -> float:
    """The upper confidence limit of Hill's index: the true one over it is gamma distributed, as the top rows are many."""
    from scipy.special import gammaincinv

    top = top_rows(rows)
    return index * float(gammaincinv(top, 0.5 + level / 2)) / top if index < math.inf else math.inf


def heaviest(y: Any, rows: PresentRows, values: Floats, level: float) -> tuple[float, float]:
    """Hill's index of the losses, the least of its parts, and the upper confidence limit of that part.

    Rows of one target, such as the zeros among amounts, have losses of a size of their own: beside them the others would
    look like a tail, whatever their law. Where many rows share a target, these and the others are looked at apart.
    """
    found = [_index(rows, values, part, level) for part in _parts(y, rows.weight)]
    known = [pair for pair in found if not math.isnan(pair[0])]
    return min(known, key=lambda pair: pair[1]) if known else (math.nan, math.nan)


def _parts(y: Any, w: Floats) -> list[NDArray[np.bool_]]:
    """All rows; or those of the most frequent target and the others, where it is frequent."""
    whole = np.ones(len(y), dtype=bool)
    if np.ndim(y) > 1 or not len(y):
        return [whole]
    distinct, code = np.unique(y, return_inverse=True)
    held = np.bincount(code, weights=w)
    tied = code == np.argmax(held)
    return [tied, ~tied] if TIED * w.sum() <= held.max() and len(distinct) > 1 else [whole]


def _index(rows: PresentRows, values: Floats, part: NDArray[np.bool_], level: float) -> tuple[float, float]:
    """Hill's index of some rows, and its upper limit."""
    w = rows.weight[part]
    worth = rows.worth * float(w.sum()) / float(rows.weight.sum())
    index = tail_index(values[part], w, worth)
    return index, tail_limit(index, worth, level) if not math.isnan(index) else math.nan


def heavy(loss: Any, given: Outputs, rows: PresentRows, values: Floats, limit: float) -> bool:
    """Whether losses are surely so heavy-tailed that their variance need not exist; ``limit`` is that of the tail index.

    Never where the loss is bounded, nor where the variance exists by the predicted probabilities and the losses are no
    dearer than these say.
    """
    if not limit < 2 or bounded(loss):
        return False
    return not (tame_if_calibrated(loss) and as_dear_as_said(given, rows, values))


def as_dear_as_said(given: Outputs, rows: PresentRows, values: Floats) -> bool:
    """Whether the losses cannot be told to be dearer than the predicted probabilities themselves expect.

    Where these are true, the expectation and the variance of each row's loss are known (Spiegelhalter 1986), and
    Cantelli's inequality bounds how far the sum comes to lie above, however skewed it is.
    """
    numbers = given.numbers[rows.at]
    p = _probabilities(given, numbers)
    if not np.isin(rows["y"], np.arange(p.shape[1])).all():
        return False
    unit = unit_of(values)
    each = [row_losses(given.loss, np.full(len(p), k), numbers) / unit for k in range(p.shape[1])]
    possible = np.where(p > 0, np.stack(each, axis=1), 0.0)
    expected = (p * possible).sum(axis=1)
    variance = (p * (possible - expected[:, None]) ** 2).sum(axis=1)
    more = float(rows.weight @ (values / unit - expected))
    return more <= math.sqrt((1 / SIZE - 1) * float(squares(rows.weight, rows.copies) @ variance))


def _probabilities(given: Outputs, numbers: Any) -> Floats:
    """The probability of each class in a column of its own."""
    said = np.exp if given.classes else np.asarray
    found = np.asarray((said if given.on_predictions else given.loss.predict)(numbers), dtype=np.float64)
    return found if found.ndim == 2 else np.stack([1 - found, found], axis=1)
