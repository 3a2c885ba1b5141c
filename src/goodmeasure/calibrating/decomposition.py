"""The exact split of a mean loss into miscalibration, discrimination and uncertainty, on cells of equal
prediction."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from goodmeasure.calibrating.isotonic import increasing_means
from goodmeasure.deriving import predictions
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.rounded_sums import rounded_sum
from goodmeasure.statistics.row_arguments import Floats

PointLoss = Callable[[Floats, Floats], Floats]


class Decomposition(NamedTuple):
    """The mean loss and its three parts: ``loss = miscalibration - discrimination + uncertainty``."""

    loss: float
    miscalibration: float
    discrimination: float
    uncertainty: float


@dataclass(frozen=True)
class Cells:
    """Yes/no rows put together by prediction: weight of the events and of all rows, by ascending prediction.

    ``square`` is the sum of the squared weights of the rows, as variances take it.
    """

    p: Floats
    events: Floats
    weight: Floats
    square: Floats

    @cached_property
    def recalibrated(self) -> Floats:
        """The isotonic share of events of each cell."""
        return np.asarray(increasing_means(self.events[None], self.weight[None])[0])

    def split(self, loss: PointLoss) -> Decomposition:
        """The exact plug-in split of this loss (Dimitriadis, Gneiting and Jordan 2021).

        A loss that no row suffers counts nothing, so shares of exactly 0 and 1 have a finite loss.
        """
        others, total = self.weight - self.events, rounded_sum(self.weight)
        share = np.array([rounded_sum(self.events) / total])
        predictions = np.concatenate([self.p, self.recalibrated, share])
        count = len(predictions)
        # One call for everything: what a loss costs to call is more than what it costs to evaluate.
        both = loss(np.repeat([1.0, 0.0], count), np.tile(predictions, 2))
        yes, no = both[:count], both[count:]
        n = len(self.p)

        def mean(at: slice, events: Floats, rest: Floats) -> float:
            return (_times(events, yes[at]) + _times(rest, no[at])) / total

        whole = np.array([rounded_sum(self.events)]), np.array([rounded_sum(others)])
        return parts(
            mean(slice(n), self.events, others),
            mean(slice(n, 2 * n), self.events, others),
            mean(slice(2 * n, None), *whole),
        )

    def coarse(self, most: int) -> Cells:
        """At most this many cells, each at its mean prediction, none with much of the weight or of the spread of events."""
        if len(self.p) <= most:
            return self
        spread = self.square * self.p * (1 - self.p)
        # Where events are rare a few rows carry what is uncertain: cells of equal weight would put them together.
        share = self.weight / self.weight.sum() + spread / max(spread.sum(), 1e-300)
        reached = np.cumsum(share)
        cell = np.minimum((reached - share / 2) / reached[-1] * most, most - 1).astype(np.intp)
        sums = (summed(cell, column, most) for column in (self.weight * self.p, self.events, self.weight, self.square))
        place, events, weight, square = (column[summed(cell, self.weight, most) > 0] for column in sums)
        return Cells(np.minimum(place / weight, 1.0), events, weight, square)


def splits(p: Floats, events: Floats, weight: Floats, loss: PointLoss) -> tuple[Floats, Floats]:
    """The increasing fit of each draw of the cells at ``p`` (a row each), and its split as four columns.

    One call of the loss answers for all draws.
    """
    fits = increasing_means(events, weight)
    others, total = weight - events, weight.sum(axis=1)
    happened = events.sum(axis=1)
    share = (happened / total)[:, None]

    def mean(predictions: Floats, yes: Floats, no: Floats) -> Floats:
        flat = predictions.ravel()
        of_yes = loss(np.ones(flat.size), flat).reshape(predictions.shape)
        of_no = loss(np.zeros(flat.size), flat).reshape(predictions.shape)
        return np.asarray((_each(yes, of_yes) + _each(no, of_no)).sum(axis=1) / total)

    found = mean(p[None], events, others)
    fitted = mean(fits, events, others)
    constant = mean(share, happened[:, None], (total - happened)[:, None])
    with np.errstate(invalid="ignore"):
        lost = np.where(np.isfinite(fitted), found - fitted, np.nan)
        return fits, np.column_stack([found, lost, constant - fitted, constant])


def _each(weight: Floats, values: Floats) -> Floats:
    """Weights times values; a value that no row has counts nothing, even if it is infinite."""
    return np.multiply(weight, values, out=np.zeros_like(weight), where=weight > 0)


def _times(weight: Floats, values: Floats) -> float:
    held = weight > 0
    return float(weight[held] @ values[held])


def parts(loss: float, recalibrated: float, constant: float) -> Decomposition:
    """The split from the mean loss as it is, recalibrated, and of the best constant."""
    lost = loss - recalibrated if math.isfinite(recalibrated) else math.nan
    return Decomposition(loss, lost, constant - recalibrated, constant)


def cells(y: Floats, p: Floats, w: Floats, square: Floats | None = None) -> Cells:
    """Yes/no rows put together by equal prediction; ``square`` is the squared weight of each row's copies."""
    distinct, cell = np.unique(p, return_inverse=True)
    columns = (w * y, w, w * w if square is None else square)
    events, weight, squares = (summed(cell, column, len(distinct)) for column in columns)
    held = weight > 0
    return Cells(distinct[held], events[held], weight[held], squares[held])


def squared(y: Floats, p: Floats) -> Floats:
    """The Brier score of a yes/no outcome; the squared error of an amount."""
    return np.asarray((y - p) ** 2, dtype=np.float64)


def point_loss(loss: Any) -> PointLoss:
    """A loss as a function of target and prediction; squared for None.

    For classes and grades it is squared too: the Brier score is the one that is the sum of its parts, one class against
    the rest.
    """
    if loss is None or getattr(loss, "is_classwise", False) or getattr(loss, "is_graded", False):
        return squared
    if not hasattr(loss, "raw"):
        return loss  # type: ignore[no-any-return]
    book = book_form(loss)
    if book is not None:
        return lambda y, p: np.asarray(book.value(y, p), dtype=np.float64)
    return lambda y, p: np.asarray(loss.value(y, loss.raw(p)), dtype=np.float64)


def book_form(loss: Any) -> Any:
    """The loss as a formula of predictions, where it asks for its activation as it is; else None."""
    return predictions.on_predictions(loss) if not loss.is_classwise and _honest(loss) else None


def _honest(loss: Any) -> bool:
    """Whether the loss asks for the activation of its raw output as it is, so that its book form takes
    predictions."""
    if not loss.is_binary:
        return True
    z = np.linspace(-4, 4, 9)
    return bool(np.allclose(loss.predict(z), 1 / (1 + np.exp(-z)), rtol=1e-9))
