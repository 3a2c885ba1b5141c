"""Losses as objectives of LightGBM, with the metric, the start and the predictions that a custom objective loses there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.errors import UsageError
from goodmeasure.fitting.features import in_our_words
from goodmeasure.fitting.second_order import SecondOrder, in_order
from goodmeasure.frameworks.estimators import LIGHTGBM
from goodmeasure.making.loss import Loss
from goodmeasure.strict.calls import strict_class, strict_keywords


@strict_keywords
def to_lightgbm(loss: Loss) -> LightGBMLoss:
    """Train LightGBM on a loss: its signal, and a curvature under which every loss trains.

    Where the loss is strictly convex the curvature is the exact one, as in LightGBM's own objectives; where that is
    zero or negative (absolute error, quantiles, losses that outliers cannot drag) a bound takes its place. Rows'
    weights count.

    Args:
        loss: the loss, such as ``gm.losses.huber(delta=2.0)``.

    Returns:
        A `LightGBMLoss`: the ``objective=`` of a model, or ``params["objective"]`` of ``lightgbm.train``.

    Raises:
        GM007: the loss has no learning signal, as the zero-one loss.

    Source:
        Ke et al. 2017, LightGBM: a highly efficient gradient boosting decision tree; Hunter and Lange 2000, Quantile
        regression via an MM algorithm.

    Example:
        >>> import goodmeasure as gm
        >>> objective = gm.to_lightgbm(gm.losses.pinball(level=0.9))
        >>> objective([1.0, 4.0], [2.0, 2.0])  # the exact curvature is zero, and would train nothing
        (array([ 0.1, -0.9]), array([0.5 , 0.25]))
    """
    return LightGBMLoss(loss)


@strict_class
@dataclass(frozen=True, repr=False)
class LightGBMLoss:
    """A loss as an objective of LightGBM; `to_lightgbm` makes it.

    With a custom objective LightGBM begins at 0 rather than at the best constant, and its models forget which
    function turns their raw outputs into predictions. So `fit` trains from the best constant, which it leaves in the
    leaves of the first tree, and `predict` turns raw outputs into predictions.

    Attributes:
        loss: the loss.

    Example:
        >>> import goodmeasure as gm
        >>> gm.to_lightgbm(gm.losses.huber(delta=2.0))
        LightGBMLoss(huber(delta=2.0))
    """

    loss: Loss

    def __post_init__(self) -> None:
        SecondOrder(self.loss)

    def __repr__(self) -> str:
        return f"LightGBMLoss({self.loss})"

    # LightGBM counts the parameters: with three it hands over the weights, and ``lightgbm.train`` calls with two.
    def __call__(self, y_true: Any, y_pred: Any, weight: Any = None) -> tuple[Any, Any]:
        """Give the signal and the curvature of each row, with its weight in both.

        Args:
            y_true: targets, (n,); raw outputs where ``lightgbm.train`` calls.
            y_pred: raw outputs, (n,) or (n, K); a ``Dataset`` where ``lightgbm.train`` calls.
            weight: how much each row counts, (n,); all alike unless given.

        Returns:
            Signals and curvatures, each of the raw outputs' shape.

        Raises:
            GM003: the shapes of targets and raw outputs do not go together.
            GM004: a target lies outside the domain of the loss.
            GM006: weights are no numbers, negative or not finite.
            GM009: in a model's own ``fit``: the model is for targets of another kind.
        """
        LIGHTGBM.check_asking(self.loss)
        return SecondOrder(self.loss, _friedman).step(*in_order(y_true, y_pred, weight))

    def metric(self, y_true: Any, y_pred: Any, weight: Any = None) -> tuple[str, float, bool]:
        """Give the mean loss as LightGBM takes a metric: an ``eval_metric=``, or a ``feval=`` of ``lightgbm.train``.

        Args:
            y_true: targets, (n,); raw outputs where ``lightgbm.train`` calls.
            y_pred: raw outputs, (n,) or (n, K); a ``Dataset`` where ``lightgbm.train`` calls.
            weight: how much each row counts, (n,); all alike unless given.

        Returns:
            The name of the loss, its weighted mean, and False: less is better.

        Raises:
            GM003: the shapes of targets and raw outputs do not go together.
            GM004: a target lies outside the domain of the loss.

        Example:
            >>> import goodmeasure as gm
            >>> gm.to_lightgbm(gm.losses.absolute_error()).metric([1.0, 4.0], [2.0, 2.0])
            ('absolute_error()', 1.5, False)
        """
        return str(self.loss), SecondOrder(self.loss).mean(*in_order(y_true, y_pred, weight)), False

    def start(self, y: Any, sample_weight: Any = None, *, classes: int | None = None) -> Any:
        """Give the raw output to begin from, the best constant: the ``init_score`` of a ``Dataset``.

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
            >>> gm.to_lightgbm(gm.losses.squared_error()).start([1.0, 2.0, 6.0])
            3.0
        """
        return SecondOrder(self.loss).start(y, sample_weight, classes)

    def fit(self, model: Any, X: Any, y: Any, sample_weight: Any = None, **more: Any) -> Any:
        """Train a model on this loss from the best constant on, which stays in the model.

        Args:
            model: an ``LGBMRegressor`` or ``LGBMClassifier``; its objective is set, with
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
            GM009: the model is none of this booster, not for targets of this kind, or a random forest; X holds what it does not
                read, or its `fit` takes no such keyword.
            GM602: all targets are one label.
        """
        LIGHTGBM.check_fit(self.loss, model, X, y, sample_weight, more)
        if model.get_params().get("boosting_type") == "rf":
            raise UsageError(
                "LightGBM's random forests begin at 0, and take no other start",
                fix="LGBMRegressor(boosting_type='gbdt')",
            )
        order = SecondOrder(self.loss)
        start = order.start(y, sample_weight)
        LIGHTGBM.check_targets(self.loss, model, y, sample_weight)
        model.set_params(objective=self)
        if (order.outputs or 1) > 1:
            model.set_params(num_class=order.outputs, metric="None")
        more.setdefault("eval_metric", self.metric)
        if held := _lengths(more):
            more.setdefault("eval_init_score", [_everywhere(start, n) for n in held])
        with in_our_words(X=X):
            model.fit(X, y, sample_weight=sample_weight, init_score=_everywhere(start, len(y)), **more)
        _settle(model.booster_, np.atleast_1d(start))
        return model

    def predict(self, model: Any, X: Any) -> Any:
        """Give a model's predictions: amounts, or probabilities that mean what they say.

        Args:
            model: a fitted ``LGBMModel`` or ``Booster`` that `fit` trained on this loss; one that was trained with an
                ``init_score`` of your own lacks it in what it says.
            X: rows as the model takes them, (n, features).

        Returns:
            Predictions, (n,) or (n, K), with class weights, focusing and smoothing undone.

        Raises:
            GM003: the model has another number of raw outputs than the loss, or X of columns than the fit.
            GM007: the loss implies no probability, as the hinge.
            GM009: the model is none of this booster, not fitted, or trained on another loss; or X holds other columns than the
                fit, or the same in another order.
        """
        LIGHTGBM.check_predict(self.loss, model, X)
        with in_our_words(X=X):
            raw = np.asarray(getattr(model, "booster_", model).predict(X, raw_score=True))
        return self.loss.predict(SecondOrder(self.loss).rows(raw, len(raw)))


def _friedman(classes: int) -> float:
    """What LightGBM multiplies the curvature of one class by, for the others (Friedman 2001, Greedy function approximation)."""
    return classes / (classes - 1)


def _lengths(more: dict[str, Any]) -> list[int]:
    """How many rows there are in each set to evaluate on, in either way that LightGBM takes them."""
    targets = more.get("eval_y")
    if targets is not None:
        return [len(y) for y in (targets if isinstance(targets, tuple) else (targets,))]
    return [len(rows[1]) for rows in more.get("eval_set") or ()]


def _everywhere(start: Any, n: int) -> Any:
    """The start of every row."""
    return np.broadcast_to(np.asarray(start), (n, *np.shape(start))).copy()


def _settle(booster: Any, start: Any) -> None:
    """Put the start into the leaves of the first tree of each raw output: LightGBM saves no ``init_score``."""
    trees = booster.dump_model(num_iteration=1)["tree_info"]
    for tree, amount in enumerate(start):
        for leaf in range(trees[tree]["num_leaves"]):
            booster.set_leaf_output(tree, leaf, booster.get_leaf_output(tree, leaf) + amount)
