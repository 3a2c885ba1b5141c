"""Losses as objectives of CatBoost, with the metric, the start and the predictions that a custom objective loses there."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.errors import NoSuchReading
from goodmeasure.fitting.features import in_our_words
from goodmeasure.fitting.second_order import SecondOrder
from goodmeasure.frameworks.estimators import CATBOOST
from goodmeasure.making.loss import Loss
from goodmeasure.strict.calls import strict_class, strict_keywords


@strict_keywords
def to_catboost(loss: Loss) -> CatBoostLoss:
    """Train CatBoost on a loss: its signal, and a curvature under which every loss trains.

    CatBoost maximises, so both have the opposite sign there. It calls a Python objective for each block of rows,
    which takes longer than its own objectives do.

    Args:
        loss: the loss, such as ``gm.losses.huber(delta=2.0)``.

    Returns:
        A `CatBoostLoss`: the ``loss_function=`` of a model, whose ``eval_metric=`` must be its ``metric``.

    Raises:
        GM007: the loss has no learning signal, as the zero-one loss, or several raw outputs an example.

    Source:
        Prokhorenkova et al. 2018, CatBoost: unbiased boosting with categorical features; Hunter and Lange 2000,
        Quantile regression via an MM algorithm.

    Example:
        >>> import goodmeasure as gm
        >>> objective = gm.to_catboost(gm.losses.pinball(level=0.75))
        >>> objective.calc_ders_range([2.0, 2.0], [1.0, 4.0], None)
        [(-0.25, -0.5), (0.75, -0.25)]
    """
    if SecondOrder(loss).outputs != 1:
        raise NoSuchReading(
            f"{loss} has several raw outputs an example, of which CatBoost would ask row by row: minutes for 100,000 rows",
            fix="gm.to_xgboost(loss) or gm.to_lightgbm(loss)",
        )
    return CatBoostLoss(loss)


@strict_class
@dataclass(eq=False, repr=False)  # CatBoost notes on an objective what it has seen of it
class CatBoostLoss:
    """A loss as an objective of CatBoost; `to_catboost` makes it.

    With a custom objective CatBoost begins at 0 rather than at the best constant, and its models forget which
    function turns their raw outputs into predictions. So `fit` trains from the best constant, which becomes the
    model's bias, and `predict` turns raw outputs into predictions.

    Attributes:
        loss: the loss.

    Example:
        >>> import goodmeasure as gm
        >>> gm.to_catboost(gm.losses.huber(delta=2.0))
        CatBoostLoss(huber(delta=2.0))
    """

    loss: Loss

    def __post_init__(self) -> None:
        SecondOrder(self.loss)

    def __repr__(self) -> str:
        return f"CatBoostLoss({self.loss})"

    @property
    def metric(self) -> CatBoostMetric:
        """The mean loss, as CatBoost takes a metric."""
        return CatBoostMetric(self.loss)

    def calc_ders_range(self, approxes: Any, targets: Any, weights: Any) -> list[tuple[float, float]]:
        """Give what CatBoost asks of an objective with one raw output an example.

        Args:
            approxes: raw outputs, (n,).
            targets: targets, (n,).
            weights: how much each row counts, (n,), or None.

        Returns:
            For each row the first and second derivative of minus the loss, with its weight in both.

        Raises:
            GM003: the shapes of targets and raw outputs do not go together.
            GM004: a target lies outside the domain of the loss.
        """
        pull, curvature = SecondOrder(self.loss).step(*_arrays(targets, approxes, weights))
        return list(zip((-pull).tolist(), (-curvature).tolist(), strict=True))

    def start(self, y: Any, sample_weight: Any = None) -> float:
        """Give the raw output to begin from, the best constant: the ``baseline`` of a ``Pool``.

        Args:
            y: training targets, (n,).
            sample_weight: how much each row counts, (n,); all alike unless given.

        Returns:
            A raw output.

        Raises:
            GM003: the shapes of y and the weights do not match.
            GM005: no row counts.

        Example:
            >>> import goodmeasure as gm
            >>> gm.to_catboost(gm.losses.squared_error()).start([1.0, 2.0, 6.0])
            3.0
        """
        return float(SecondOrder(self.loss).start(y, sample_weight))

    def fit(self, model: Any, X: Any, y: Any, sample_weight: Any = None, **more: Any) -> Any:
        """Train a model on this loss from the best constant on, which stays in the model as its bias.

        Args:
            model: a ``CatBoostRegressor`` or ``CatBoostClassifier``; its objective and metric are set, with
                a warning where you had set another objective.
            X: rows as the model takes them, (n, features).
            y: targets, (n,); classes as the numbers from 0, each of them there.
            sample_weight: how much each row counts, (n,); all alike unless given.
            **more: what else the model's own ``fit`` takes, such as ``cat_features``.

        Returns:
            The model.

        Raises:
            GM003: the shapes of X, y and the weights do not match, or y is no column.
            GM004: a target lies outside the domain of the loss, or labels of several classes meet a loss of yes and no.
            GM005: no row counts.
            GM009: the model is none of this booster or not for targets of this kind, X holds what it does not read, or
                its `fit` takes no such keyword.
            GM602: all targets are one label, or one amount.
        """
        CATBOOST.check_fit(self.loss, model, X, y, sample_weight, more)
        start = self.start(y, sample_weight)
        CATBOOST.check_targets(self.loss, model, y, sample_weight)
        model.set_params(loss_function=self, eval_metric=self.metric)
        with warnings.catch_warnings():
            # CatBoost tries to compile each method of an objective, and says so where it cannot.
            warnings.filterwarnings("ignore", message="Can't optim", category=UserWarning)
            with in_our_words(X=X):
                model.fit(X, y, sample_weight=sample_weight, baseline=np.full(len(y), start), **more)
        model.set_scale_and_bias(1.0, start)
        return model

    def predict(self, model: Any, X: Any) -> Any:
        """Give a model's predictions: amounts, or probabilities that mean what they say.

        Args:
            model: a fitted CatBoost model that was trained on this objective.
            X: rows as the model takes them, (n, features).

        Returns:
            Predictions, (n,) or (n, K), with class weights, focusing and smoothing undone.

        Raises:
            GM003: the model has another number of raw outputs than the loss, or X of columns than the fit.
            GM007: the loss implies no probability, as the hinge.
            GM009: the model is none of this booster, not fitted, or trained on another loss; or X holds other columns than the
                fit, or the same in another order.
        """
        CATBOOST.check_predict(self.loss, model, X)
        with in_our_words(X=X):
            raw = np.asarray(model.predict(X, prediction_type="RawFormulaVal"))
        return self.loss.predict(SecondOrder(self.loss).rows(raw, len(raw)))


@strict_class
@dataclass(eq=False)
class CatBoostMetric:
    """The mean loss of raw outputs, as CatBoost takes a metric: less is better.

    Attributes:
        loss: the loss.

    Example:
        >>> import goodmeasure as gm
        >>> metric = gm.to_catboost(gm.losses.absolute_error()).metric
        >>> metric.evaluate([[2.0, 2.0]], [1.0, 4.0], None)
        (3.0, 2.0)
    """

    loss: Loss

    def is_max_optimal(self) -> bool:
        """Whether more is better: never."""
        return False

    def evaluate(self, approxes: Any, target: Any, weight: Any) -> tuple[float, float]:
        """Give the sum of weight times loss, and of the weights.

        Args:
            approxes: raw outputs, one sequence an output, (K, n).
            target: targets, (n,).
            weight: how much each row counts, (n,), or None.

        Returns:
            The two sums, which CatBoost adds up over blocks of rows.

        Raises:
            GM003: the shapes of targets and raw outputs do not go together.
            GM004: a target lies outside the domain of the loss.
        """
        raw = np.array([list(each) for each in approxes], dtype=np.float64).T
        order = SecondOrder(self.loss)
        y, z, w = _arrays(target, raw[:, 0] if raw.shape[1] == 1 else raw, weight)
        found = self.loss.total(order.targets(y), order.rows(z, len(y)), w)
        return float(found.sum), float(found.weight)

    def get_final_error(self, error: float, weight: float) -> float:
        """Give the mean of the sums that `evaluate` gave.

        Args:
            error: the sum of weight times loss.
            weight: the sum of the weights.

        Returns:
            The weighted mean loss; 0 of no rows.
        """
        return error / weight if weight else 0.0


def _arrays(targets: Any, raw: Any, weights: Any) -> tuple[Any, Any, Any]:
    """CatBoost's sequences as arrays."""
    rows = np.asarray(raw if isinstance(raw, np.ndarray) else list(raw), dtype=np.float64)
    return np.asarray(list(targets)), rows, None if weights is None else np.asarray(list(weights), dtype=np.float64)
