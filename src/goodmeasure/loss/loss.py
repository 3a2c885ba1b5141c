"""The loss that users hold: its record, and in one place every reader of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure import kernels
from goodmeasure.deriving import algebra, best_constant, numbers, predictions
from goodmeasure.deriving.record import Record
from goodmeasure.deriving.totals import Total
from goodmeasure.errors import UsageError
from goodmeasure.formulas.evaluation import Array
from goodmeasure.loss.card import Card, card


@dataclass(frozen=True, repr=False)
class Loss(Record):
    """One scalar that says what good means, on raw outputs; its signal, its curvature and its readings are derived.

    Made by the factories of ``goodmeasure.losses`` or by ``@goodmeasure.loss`` on a formula of your own.
    """

    # --- numbers, one an example ---

    def value(self, y: Any, z: Any, *, mask: Any = None) -> Array:
        """The loss of each example, in the dtype of ``z``; 0 where masked."""
        return numbers.value(self, y, z, mask=mask)

    def gradient(self, y: Any, z: Any, *, mask: Any = None) -> Array:
        """The signal of each example: the derivative of its loss by its raw outputs, of z's shape and dtype."""
        return numbers.gradient(self, y, z, mask=mask)

    def hessian(self, y: Any, z: Any, *, mask: Any = None, full: bool = False) -> Array:
        """The curvature of each example: second derivatives by its raw outputs, of z's shape.

        ``full=True`` gives the whole matrix of an example with several raw outputs, of shape z.shape + (K,).
        """
        return numbers.hessian(self, y, z, mask=mask, full=full)

    # --- sums and means ---

    def total(self, y: Any, z: Any, sample_weight: Any = None, *, mask: Any = None) -> Total:
        """The sum of weight times loss, and of the weights: totals of parts add up exactly to that of the whole."""
        return numbers.total(self, y, z, sample_weight, mask=mask)

    def __call__(
        self, y: Any, z: Any = None, sample_weight: Any = None, *, prediction: Any = None, mask: Any = None
    ) -> float:
        """The weighted mean of the loss; ``prediction=`` takes predictions in place of raw outputs."""
        if (z is None) == (prediction is None):
            raise UsageError(
                f"{self} takes raw outputs or predictions, one of them", fix="loss(y, z) or loss(y, prediction=p)"
            )
        if prediction is None:
            return self.total(y, z, sample_weight, mask=mask).mean
        given = predictions.check_predictions(self, prediction, sample_weight, mask)
        return numbers.total(predictions.on_predictions(self), y, given, sample_weight, mask=mask).mean

    def value_and_gradient(
        self, y: Any, z: Any, sample_weight: Any = None, *, mask: Any = None, out: Any = None
    ) -> tuple[float, Array]:
        """The weighted mean and its derivative by z in one compiled pass; ``out``, like z, is where the derivative goes."""
        if isinstance(z, np.ndarray):
            # The training step is compiled. Readings are not: their bits depend on nothing but the example.
            swept = kernels.value_and_gradient(self, y, z, sample_weight, mask, out)
            if swept is not None:
                return swept
        return numbers.value_and_gradient(self, y, z, sample_weight, mask=mask, out=out)

    # --- predictions ---

    def predict(self, z: Any) -> Array:
        """Raw outputs as predictions; probabilities are free of what weights, focusing or smoothing did to them."""
        return predictions.predict(self, z)

    def raw(self, prediction: Any) -> Array:
        """The raw outputs whose `predict` is this."""
        return predictions.raw(self, prediction)

    def best_constant(self, y: Any, sample_weight: Any = None, *, classes: int | None = None) -> Any:
        """The raw output that has the smallest mean loss when it is used for every example.

        ``classes`` is how many raw outputs an example has, for losses of classes whose targets do not show all of them.
        """
        return best_constant.best_constant(self, y, sample_weight, classes=classes)

    def identification(self, y: Any, z: Any) -> Array:
        """Zero on average where predictions are what the loss asks for; for a mean, prediction minus target."""
        return predictions.identification(self, y, z)

    # --- the card ---

    def card(self) -> Card:
        """What the loss asks for, its formulas, what errors cost, its traits with evidence, and how hosts spell it."""
        return card(self)

    def _repr_html_(self) -> str:
        return self.card()._repr_html_()

    # --- algebra ---

    def __mul__(self, factor: float) -> Loss:
        return algebra.scaled(self, factor)

    __rmul__ = __mul__

    def __add__(self, other: Loss) -> Loss:
        return algebra.summed(self, other)
