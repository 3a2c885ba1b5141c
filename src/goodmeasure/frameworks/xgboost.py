"""Losses as objectives of XGBoost, with the metric, the start and the predictions that a custom objective loses there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.fitting.features import in_our_words
from goodmeasure.fitting.second_order import SecondOrder, holds_targets, in_order
from goodmeasure.frameworks.estimators import XGBOOST
from goodmeasure.making.loss import Loss
from goodmeasure.strict.calls import strict_class, strict_keywords


@strict_keywords
def to_xgboost(loss: Loss) -> XGBoostLoss:
    """Train XGBoost on a loss: its signal, and a curvature under which every loss trains.

    Where the loss is strictly convex the curvature is the exact one, as in XGBoost's own objectives; where that is
    zero or negative (absolute error, quantiles, losses that outliers cannot drag) a bound takes its place. Rows'
    weights count.

    Args:
        loss: the loss, such as ``gm.losses.huber(delta=2.0)``.

    Returns:
        An `XGBoostLoss`: the ``objective=`` of a model or the ``obj=`` of ``xgboost.train``.

    Raises:
        GM007: the loss has no learning signal, as the zero-one loss.

    Source:
        Chen and Guestrin 2016, XGBoost: a scalable tree boosting system; Hunter and Lange 2000, Quantile regression
        via an MM algorithm.

    Example:
        >>> import goodmeasure as gm
        >>> objective = gm.to_xgboost(gm.losses.pinball(level=0.9))
        >>> signal, curvature = objective([1.0, 4.0], [2.0, 2.0])
        >>> signal, curvature  # the exact curvature is zero, and would train nothing
        (array([ 0.1, -0.9]), array([0.5 , 0.25]))
    """
    return XGBoostLoss(loss)


@strict_class
@dataclass(frozen=True, repr=False)
class XGBoostLoss:
    """A loss as an objective of XGBoost; `to_xgboost` makes it.

    With a custom objective XGBoost begins at 0 or 1/2 rather than at the best constant, and its models forget which
    function turns their raw outputs into predictions. So `fit` gives a model its start (which is saved with it), and
    `predict` turns raw outputs into predictions.

    Attributes:
        loss: the loss.

    Example:
        >>> import goodmeasure as gm
        >>> gm.to_xgboost(gm.losses.huber(delta=2.0))
        XGBoostLoss(huber(delta=2.0))
    """

    loss: Loss

    def __post_init__(self) -> None:
        SecondOrder(self.loss)

    def __repr__(self) -> str:
        return f"XGBoostLoss({self.loss})"

    @property
    def metric(self) -> XGBoostMetric:
        """The mean loss, as XGBoost takes a metric."""
        return XGBoostMetric(self.loss)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tuple[Any, Any]:
        """Give the signal and the curvature of each row, with its weight in both.

        Args:
            y_true: targets, (n,); raw outputs where ``xgboost.train`` calls.
            y_pred: raw outputs, (n,) or (n, K); a ``DMatrix`` where ``xgboost.train`` calls.
            sample_weight: how much each row counts, (n,); all alike unless given.

        Returns:
            Signals and curvatures, each of the raw outputs' shape.

        Raises:
            GM003: the shapes of targets and raw outputs do not go together.
            GM004: a target lies outside the domain of the loss.
            GM006: weights are no numbers, negative or not finite.
            GM009: in a model's own ``fit``: the model is for targets of another kind.
        """
        XGBOOST.check_asking(self.loss)
        return SecondOrder(self.loss).step(*in_order(y_true, y_pred, sample_weight))

    def start(self, y: Any, sample_weight: Any = None, *, classes: int | None = None) -> Any:
        """Give the raw output to begin from, the best constant: the ``base_score`` of ``xgboost.train``.

        Args:
            y: training targets, (n,).
            sample_weight: how much each row counts, (n,); all alike unless given.
            classes: how many classes there are, where the targets may not show all of them.

        Returns:
            A number, or a list of them, one a class or parameter.

        Raises:
            GM003: the shapes of y and the weights do not match.
            GM005: no row counts.

        Example:
            >>> import goodmeasure as gm
            >>> gm.to_xgboost(gm.losses.squared_error()).start([1.0, 2.0, 6.0])
            3.0
        """
        return SecondOrder(self.loss).start(y, sample_weight, classes)

    def fit(self, model: Any, X: Any, y: Any, sample_weight: Any = None, **more: Any) -> Any:
        """Train a model on this loss from the best constant on.

        Args:
            model: an ``XGBRegressor`` or ``XGBClassifier``; its objective and base score are set, with
                a warning where you had set another objective.
            X: rows as the model takes them, (n, features).
            y: targets, (n,); classes as the numbers from 0, each of them there.
            sample_weight: how much each row counts, (n,); all alike unless given.
            **more: what else the model's own ``fit`` takes, such as ``eval_set``.

        Returns:
            The model.

        Raises:
            GM003: the shapes of X, y and the weights do not match, or y is no column.
            GM004: a target lies outside the domain of the loss, or labels of several classes meet a loss of yes and no.
            GM005: no row counts.
            GM009: the model is none of this booster or not for targets of this kind, X holds what it does not read, or
                its `fit` takes no such keyword.
            GM602: all targets are one label.
        """
        XGBOOST.check_fit(self.loss, model, X, y, sample_weight, more)
        order = SecondOrder(self.loss)
        start = order.start(y, sample_weight)
        XGBOOST.check_targets(self.loss, model, y, sample_weight)
        if (order.outputs or 1) > 1:
            model.set_params(num_target=order.outputs)
        if model.eval_metric is None:
            model.set_params(eval_metric=self.metric)
        # A classifier holds a custom objective for the logistic one, and reads its base score as a probability.
        of_probability = self.loss.is_binary and hasattr(model, "predict_proba")
        model.set_params(objective=self, base_score=_probability(start) if of_probability else start)
        with in_our_words(X=X):
            return model.fit(X, y, sample_weight=sample_weight, **more)

    def predict(self, model: Any, X: Any) -> Any:
        """Give a model's predictions: amounts, or probabilities that mean what they say.

        Args:
            model: a fitted ``XGBModel`` or ``Booster`` that was trained on this objective.
            X: rows as the model takes them, (n, features); a ``DMatrix`` for a booster.

        Returns:
            Predictions, (n,) or (n, K), with class weights, focusing and smoothing undone.

        Raises:
            GM003: the model has another number of raw outputs than the loss, or X of columns than the fit.
            GM007: the loss implies no probability, as the hinge.
            GM009: the model is none of this booster, not fitted, or trained on another loss; or X holds other columns than the
                fit, or the same in another order.
        """
        XGBOOST.check_predict(self.loss, model, X)
        with in_our_words(X=X):
            raw = np.asarray(model.predict(X, output_margin=True))
        return self.loss.predict(SecondOrder(self.loss).rows(raw, len(raw)))


@strict_class
@dataclass(frozen=True)
class XGBoostMetric:
    """The mean loss of raw outputs, as XGBoost takes a metric: less is better.

    Attributes:
        loss: the loss.

    Example:
        >>> import goodmeasure as gm
        >>> metric = gm.to_xgboost(gm.losses.absolute_error()).metric
        >>> metric([1.0, 4.0], [2.0, 2.0])
        1.5
    """

    loss: Loss

    @property
    def __name__(self) -> str:
        # XGBoost writes names and numbers on one line, and reads the numbers off it by blanks and colons.
        return str(self.loss).replace(" ", "").replace(":", "=")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Give the mean loss; with its name where ``xgboost.train`` calls with raw outputs and a ``DMatrix``.

        Args:
            y_true: targets, (n,); raw outputs where ``xgboost.train`` calls.
            y_pred: raw outputs, (n,) or (n, K); a ``DMatrix`` where ``xgboost.train`` calls.
            sample_weight: how much each row counts, (n,); all alike unless given.

        Returns:
            The weighted mean loss.

        Raises:
            GM003: the shapes of targets and raw outputs do not go together.
            GM004: a target lies outside the domain of the loss.
        """
        mean = SecondOrder(self.loss).mean(*in_order(y_true, y_pred, sample_weight))
        return (self.__name__, mean) if holds_targets(y_pred) else mean


def _probability(raw: float) -> float:
    """The logistic of a raw output, within what XGBoost takes."""
    return float(np.clip(1 / (1 + np.exp(-raw)), 1e-16, 1 - 1e-16))
