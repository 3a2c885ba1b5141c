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
from goodmeasure.making.card import Card, card
from goodmeasure.statistics.arrays import same_order
from goodmeasure.strict.calls import strict_class


@strict_class
@dataclass(frozen=True, repr=False)
class Loss(Record):
    """Says how bad a prediction was, in one number; everything else it can tell is derived from its formula.

    The factories of ``gm.losses`` make one, and so does ``@gm.loss`` on a formula of your own. Losses of the same target
    add up, and a positive number times a loss is a loss. They compare, hash and pickle.

    Throughout, ``y`` are targets and ``z`` raw outputs, the numbers before the activation. For a loss of classes ``z`` has
    a column a class, and ``y`` class numbers or rows of class probabilities; for a distribution ``z`` has a column a
    parameter, in the order of the formula.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.huber(delta=2.0)
        >>> loss(y=[1.0, 4.0], z=[1.5, 1.0])
        2.0625
        >>> loss + 0.1 * gm.losses.squared_error()
        huber(delta=2.0) + 0.1 * squared_error()
    """

    # --- numbers, one an example ---

    def value(self, y: Any, z: Any, *, mask: Any = None) -> Array:
        """Tell what each example costs.

        Args:
            y: targets, (n,) or any shape; for classes (n,) or (n, K).
            z: raw outputs, of y's shape, or (n, K) with a column a class or a parameter.
            mask: True where an example counts, of the shape of the examples; all count unless given.

        Returns:
            The loss of each example, (n,), in the dtype of z; 0 where masked.

        Raises:
            GM003: the shapes of y and z (or the mask) do not match; nothing is broadcast.
            GM004: a target lies outside the domain of the loss.
            GM006: the mask does not hold True and False.

        Example:
            >>> import goodmeasure as gm
            >>> gm.losses.huber(delta=2.0).value([1.0, 4.0], [1.5, 1.0])
            array([0.125, 4.   ])
        """
        return numbers.value(self, y, z, mask=mask)

    def gradient(self, y: Any, z: Any, *, mask: Any = None) -> Array:
        """Tell how each raw output pulls: the learning signal, the derivative of the loss by the raw output.

        Args:
            y: targets, (n,) or any shape; for classes (n,) or (n, K).
            z: raw outputs, of y's shape, or (n, K) with a column a class or a parameter.
            mask: True where an example counts, of the shape of the examples; all count unless given.

        Returns:
            The signal of each example, of z's shape and dtype; 0 where masked. It is not divided by the number of examples.

        Raises:
            GM003: the shapes of y and z (or the mask) do not match; nothing is broadcast.
            GM004: a target lies outside the domain of the loss.
            GM006: the mask does not hold True and False.

        Example:
            >>> import goodmeasure as gm
            >>> gm.losses.huber(delta=2.0).gradient([1.0, 4.0], [1.5, 1.0])
            array([ 0.5, -2. ])
        """
        return numbers.gradient(self, y, z, mask=mask)

    def hessian(self, y: Any, z: Any, *, mask: Any = None, full: bool = False) -> Array:
        """Tell how fast each signal changes: the curvature, the second derivative of the loss by the raw output.

        Args:
            y: targets, (n,) or any shape; for classes (n,) or (n, K).
            z: raw outputs, of y's shape, or (n, K) with a column a class or a parameter.
            mask: True where an example counts, of the shape of the examples; all count unless given.
            full: the whole matrix of an example with several raw outputs, in place of its diagonal.

        Returns:
            The curvature of each example, of z's shape and dtype, or (n, K, K) where ``full``; 0 where masked.

        Raises:
            GM003: the shapes of y and z (or the mask) do not match; nothing is broadcast.
            GM004: a target lies outside the domain of the loss.
            GM006: the mask does not hold True and False.

        Example:
            >>> import goodmeasure as gm
            >>> gm.losses.huber(delta=2.0).hessian([1.0, 4.0], [1.5, 1.0])
            array([1., 0.])
        """
        return numbers.hessian(self, y, z, mask=mask, full=full)

    # --- sums and means ---

    def total(self, y: Any, z: Any, sample_weight: Any = None, *, mask: Any = None) -> Total:
        """Sum up a part of the data so that the parts add to exactly what the whole would give.

        Args:
            y: targets, (n,) or any shape; for classes (n,) or (n, K).
            z: raw outputs, of y's shape, or (n, K) with a column a class or a parameter.
            sample_weight: how much each example counts, (n,); all alike unless given. Weight 0 is an example that is absent.
            mask: True where an example counts, of the shape of the examples; all count unless given.

        Returns:
            A `Total`: the sum of weight times loss and the sum of the weights, without rounding; totals add, and have a
            ``mean``.

        Raises:
            GM003: the shapes of y and z (or weights, or mask) do not match; nothing is broadcast.
            GM004: a target lies outside the domain of the loss.
            GM006: a weight is negative or not finite, or the mask does not hold True and False.

        Example:
            >>> import goodmeasure as gm
            >>> loss = gm.losses.huber(delta=2.0)
            >>> (loss.total([1.0], [1.5]) + loss.total([4.0], [1.0])).mean
            2.0625
        """
        return numbers.total(self, y, z, sample_weight, mask=mask)

    def __call__(
        self, y: Any, z: Any = None, sample_weight: Any = None, *, prediction: Any = None, mask: Any = None
    ) -> float:
        """Tell how bad the predictions were on average.

        Args:
            y: targets, (n,) or any shape; for classes (n,) or (n, K).
            z: raw outputs, of y's shape, or (n, K) with a column a class or a parameter.
            sample_weight: how much each example counts, (n,); all alike unless given. Weight 0 is an example that is absent.
            prediction: predictions, in place of raw outputs and of the same shape.
            mask: True where an example counts, of the shape of the examples; all count unless given.

        Returns:
            The weighted mean of the loss: the sum of weight times loss over the sum of the weights. This is arithmetic, not a
            verdict: it is NaN where a raw output that counts is NaN, and infinite or 0 where losses lie beyond the largest
            number or below the smallest.

        Raises:
            GM003: the shapes of y and z (or weights, or mask) do not match; nothing is broadcast.
            GM004: a target lies outside the domain of the loss, or a prediction outside what it predicts.
            GM005: no example counts.
            GM006: a weight is negative or not finite, or the mask does not hold True and False.
            GM009: raw outputs and predictions were given, or neither.

        Example:
            >>> import goodmeasure as gm
            >>> loss = gm.losses.binary_cross_entropy()
            >>> round(loss([1, 0], [2.0, -1.0]), 4), round(loss([1, 0], prediction=[0.9, 0.2]), 4)
            (0.2201, 0.1643)
        """
        if (z is None) == (prediction is None):
            raise UsageError(
                f"{self} takes raw outputs or predictions, one of them", fix="loss(y, z) or loss(y, prediction=p)"
            )
        if prediction is None:
            return self.total(y, z, sample_weight, mask=mask).mean
        same_order(y=y, prediction=prediction, sample_weight=sample_weight, mask=mask)
        given = predictions.check_predictions(self, prediction, sample_weight, mask)
        return numbers.total(predictions.on_predictions(self), y, given, sample_weight, mask=mask).mean

    def value_and_gradient(
        self, y: Any, z: Any, sample_weight: Any = None, *, mask: Any = None, out: Any = None
    ) -> tuple[float, Array]:
        """Take one training step's numbers, the mean loss and its gradient, in one compiled pass.

        Args:
            y: targets, (n,) or any shape; for classes (n,) or (n, K).
            z: raw outputs, of y's shape, or (n, K) with a column a class or a parameter.
            sample_weight: how much each example counts, (n,); all alike unless given. Weight 0 is an example that is absent.
            mask: True where an example counts, of the shape of the examples; all count unless given.
            out: where the gradient goes, an array of z's shape and dtype; a new one unless given.

        Returns:
            The weighted mean, and its derivative by z, of z's shape and dtype: the signal of each example times its share
            of the weights.

        Raises:
            GM003: the shapes of y and z (or weights, or mask) do not match; nothing is broadcast.
            GM004: a target lies outside the domain of the loss.
            GM005: no example counts.
            GM006: a weight is negative or not finite, or the mask does not hold True and False.
            GM009: out does not fit the gradient.

        Example:
            >>> import goodmeasure as gm
            >>> gm.losses.huber(delta=2.0).value_and_gradient([1.0, 4.0], [1.5, 1.0])
            (2.0625, array([ 0.25, -1.  ]))
        """
        same_order(y=y, z=z, sample_weight=sample_weight, mask=mask)
        if isinstance(z, np.ndarray):
            # The training step is compiled. Readings are not: their bits depend on nothing but the example.
            swept = kernels.value_and_gradient(self, y, z, sample_weight, mask, out)
            if swept is not None:
                return swept
        return numbers.value_and_gradient(self, y, z, sample_weight, mask=mask, out=out)

    # --- predictions ---

    def predict(self, z: Any) -> Array:
        """Turn raw outputs into predictions: amounts, or probabilities that mean what they say.

        A model that was trained with class weights, focusing or smoothing is best at distorted probabilities; here that
        distortion is undone. What sampling and misfit did remains: recalibrate. A raw output beyond those that are best for any
        probability (past the reach of label smoothing, say) has the nearest one, 0 or 1.

        Args:
            z: raw outputs, (n,) or any shape, or (n, K) with a column a class or a parameter.

        Returns:
            Predictions, of z's shape and dtype.

        Raises:
            GM003: z does not hold numbers.
            GM007: the loss implies no probability, as the hinge, or none at one of these raw outputs.

        Example:
            >>> import goodmeasure as gm
            >>> gm.losses.binary_cross_entropy(positive_weight=19.0).predict([0.0])
            array([0.05])
        """
        return predictions.predict(self, z)

    def outcome_probabilities(self, z: Any) -> Array:
        """Turn raw outputs into the probabilities of what may happen: each class, each grade, or yes.

        For grades, `predict` gives the probabilities of each grade or more; these are of each grade alone.

        Args:
            z: raw outputs, (n,) or any shape of yes and no, (n, K) of K classes, (n, K - 1) of K grades.

        Returns:
            Probabilities, (n,) of yes, or (n, K).

        Raises:
            GM003: z does not hold numbers.
            GM007: the loss is about amounts, or implies no probability.

        Example:
            >>> import goodmeasure as gm
            >>> loss = gm.losses.proportional_odds(grades=3)
            >>> loss.outcome_probabilities([[0.0, 0.0]]).round(3), loss.predict([[0.0, 0.0]]).round(3)
            (array([[0.5  , 0.167, 0.333]]), array([[0.5  , 0.333]]))
        """
        return predictions.outcome_probabilities(self, z)

    def raw(self, prediction: Any) -> Array:
        """Turn predictions back into raw outputs: the inverse of `predict`.

        Args:
            prediction: predictions, (n,) or any shape, or (n, K) with a column a class or a parameter.

        Returns:
            The raw outputs whose `predict` this is, of the same shape and dtype; infinite where only an infinite one is.

        Raises:
            GM003: the predictions are no numbers.
            GM007: the loss implies no probability, as the hinge.

        Example:
            >>> import goodmeasure as gm
            >>> gm.losses.poisson().raw([1.0, 2.0])
            array([0.        , 0.69314718])
        """
        return predictions.raw(self, prediction)

    def best_constant(self, y: Any, sample_weight: Any = None, *, classes: int | None = None) -> Any:
        """Find the one raw output that is best when every example must share it: the baseline that a model has to beat.

        Args:
            y: targets, (n,) or any shape; for classes (n,) or (n, K).
            sample_weight: how much each example counts, (n,); all alike unless given.
            classes: how many raw outputs an example has, for losses of classes whose targets do not show all of them.

        Returns:
            A number, or one a class or parameter, (K,). The middle where every value between two is best; infinite where
            only that is best, as for targets that are all yes.

        Raises:
            GM003: the shapes of y and the weights do not match.
            GM005: no example counts.
            GM006: a weight is negative or not finite.

        Example:
            >>> import goodmeasure as gm
            >>> y = [1.0, 2.0, 30.0]
            >>> gm.losses.squared_error().best_constant(y), gm.losses.absolute_error().best_constant(y)
            (11.0, 2.0)
        """
        return best_constant.best_constant(self, y, sample_weight, classes=classes)

    def identification(self, y: Any, z: Any) -> Array:
        """Give what is zero on average where predictions are what the loss asks for: a check of calibration.

        Args:
            y: targets, (n,) or any shape; for classes (n,) or (n, K).
            z: raw outputs, of y's shape, or (n, K) with a column a class.

        Returns:
            A number an example, of z's shape; prediction minus target where the loss asks for a mean.

        Raises:
            GM003: the shapes of y and z do not match; nothing is broadcast.
            GM004: a target lies outside the domain of the loss.
            GM007: the loss asks for a whole distribution, or implies no probability.

        Example:
            >>> import goodmeasure as gm
            >>> gm.losses.binary_cross_entropy().identification([1, 0], [0.0, 0.0])
            array([-0.5,  0.5])
        """
        return predictions.identification(self, y, z)

    # --- the card ---

    def card(self) -> Card:
        """Tell all that is known of the loss: what it asks for, its formulas, what errors cost, its traits with evidence.

        Returns:
            A `Card`: print it, or let a notebook show it.

        Example:
            >>> import goodmeasure as gm
            >>> gm.losses.absolute_error().card().asks_for
            'the median: as often too low as too high'
        """
        return card(self)

    def _repr_html_(self) -> str:
        return self.card()._repr_html_()

    # --- algebra ---

    def __mul__(self, factor: float) -> Loss:
        """The loss times a positive number."""
        return algebra.scaled(self, factor)

    __rmul__ = __mul__

    def __add__(self, other: Loss) -> Loss:
        """The sum of two losses of the same target on the same raw outputs."""
        return algebra.summed(self, other)
