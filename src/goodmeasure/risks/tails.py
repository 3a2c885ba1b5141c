"""Whether the variance of a loss, and with it an interval, can be trusted: facts of the loss first, then its largest values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from goodmeasure.risks.concentration import top_rows
from goodmeasure.risks.outputs import Outputs, row_losses
from goodmeasure.statistics.row_arguments import Floats, PresentRows
from goodmeasure.statistics.weights import squares, unit_of
from goodmeasure.traits.sizes import bounded, tame_if_calibrated

# How often, at most, true probabilities may be taken for false ones.
SIZE = 0.05


def tail_limit(index: float, rows: float, level: float) -> float:
    """The upper confidence limit of Hill's index: the true one over it is gamma distributed, as the top rows are many."""
    from scipy.special import gammaincinv

    top = top_rows(rows)
    return index * float(gammaincinv(top, 0.5 + level / 2)) / top if index < math.inf else math.inf


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
