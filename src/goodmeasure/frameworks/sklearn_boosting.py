"""Losses for scikit-learn's histogram gradient boosting, whose estimators take a loss object beside their own names."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn._loss.link import IdentityLink
from sklearn._loss.loss import BaseLoss

from goodmeasure.errors import NoSuchReading, strict_keywords
from goodmeasure.fitting.second_order import SecondOrder
from goodmeasure.making.loss import Loss


@strict_keywords
def to_hist_gradient_boosting(loss: Loss, *, classes: int | None = None) -> HistGradientBoostingLoss:
    """Train scikit-learn's histogram gradient boosting on a loss: its signal, and a curvature under which every loss trains.

    Args:
        loss: the loss, such as ``gm.losses.huber(delta=2.0)``.
        classes: how many classes there are, for a loss of classes.

    Returns:
        A `HistGradientBoostingLoss`: the ``loss=`` of a ``HistGradientBoostingRegressor``, or of a
        ``HistGradientBoostingClassifier`` for yes/no and classes.

    Raises:
        GM007: the loss has no learning signal, or several raw outputs for one target.
        GM009: a loss of classes was given without their number.

    Source:
        Ke et al. 2017, LightGBM: a highly efficient gradient boosting decision tree; Hunter and Lange 2000, Quantile
        regression via an MM algorithm.

    Example:
        >>> import goodmeasure as gm
        >>> from sklearn.ensemble import HistGradientBoostingRegressor
        >>> model = HistGradientBoostingRegressor(loss=gm.to_hist_gradient_boosting(gm.losses.pseudo_huber()))
        >>> x = [[i / 100] for i in range(100)]
        >>> y = [3.0 if i > 50 else 1.0 for i in range(100)]
        >>> model.fit(x, y).predict([[0.0], [1.0]]).round(2)
        array([1., 3.])
    """
    order = SecondOrder(loss)
    if order.outputs is not None and order.outputs > 1:
        raise NoSuchReading(
            f"{loss} has {order.outputs} raw outputs for one target, and scikit-learn grows one tree a target",
            fix="gm.to_xgboost(loss) or gm.to_lightgbm(loss)",
        )
    return HistGradientBoostingLoss(loss, classes)


class HistGradientBoostingLoss(BaseLoss):  # type: ignore[misc]
    """A loss for scikit-learn's histogram gradient boosting; `to_hist_gradient_boosting` makes it.

    It begins at the best constant, and ``predict`` and ``predict_proba`` of the estimator undo class weights, focusing and
    smoothing.

    Attributes:
        loss_: the loss.

    Example:
        >>> import goodmeasure as gm
        >>> gm.to_hist_gradient_boosting(gm.losses.huber(delta=2.0))
        HistGradientBoostingLoss(huber(delta=2.0))
    """

    def __init__(self, loss: Loss, classes: int | None = None) -> None:
        self.order = SecondOrder(loss, _alone)
        super().__init__(closs=None, link=_Predictions(loss), n_classes=classes)
        self.approx_hessian = True
        self.is_multiclass = loss.is_classwise

    def __repr__(self) -> str:
        return f"HistGradientBoostingLoss({self.order.loss})"

    def loss(
        self, y_true: Any, raw_prediction: Any, sample_weight: Any = None, loss_out: Any = None, n_threads: int = 1
    ) -> Any:
        """Give the loss of each row, times its weight, as scikit-learn asks for it."""
        del n_threads
        order = self.order
        found = order.loss.value(order.targets(y_true), order.rows(raw_prediction, len(y_true)))
        return _given(found if sample_weight is None else found * sample_weight, loss_out)

    def gradient_hessian(
        self,
        y_true: Any,
        raw_prediction: Any,
        sample_weight: Any = None,
        gradient_out: Any = None,
        hessian_out: Any = None,
        n_threads: int = 1,
    ) -> tuple[Any, Any]:
        """Give the signal and the curvature of each row, times its weight, as scikit-learn asks for them."""
        del n_threads
        pull, curvature = self.order.step(y_true, raw_prediction, sample_weight)
        return _given(pull, gradient_out), _given(curvature, hessian_out)

    def fit_intercept_only(self, y_true: Any, sample_weight: Any = None) -> Any:
        """Give the raw output to begin from: the best constant."""
        return np.asarray(self.order.start(y_true, sample_weight, self.n_classes))

    def predict_proba(self, raw_prediction: Any) -> Any:
        """Give the probability of each class that raw outputs stand for, (n, K)."""
        found = np.asarray(self.order.loss.predict(self.order.rows(raw_prediction, len(raw_prediction))))
        return found if found.ndim == 2 else np.column_stack([1 - found, found])


class _Predictions(IdentityLink):  # type: ignore[misc]
    """What scikit-learn calls a link: here any map from raw outputs to predictions."""

    def __init__(self, loss: Loss) -> None:
        self.of = loss

    def inverse(self, raw_prediction: Any, out: Any = None) -> Any:
        return _given(self.of.predict(np.asarray(raw_prediction, dtype=np.float64)), out)


def _alone(classes: int) -> float:
    """scikit-learn takes the curvature of one class as if the others stood still."""
    del classes
    return 1.0


def _given(found: Any, out: Any) -> Any:
    """The numbers, in the array that scikit-learn hands over for them if there is one."""
    if out is None:
        return found
    out[...] = found.reshape(out.shape)
    return out
