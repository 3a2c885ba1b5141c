"""Losses for scikit-learn's histogram gradient boosting, whose estimators take a loss object beside their own names."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn._loss.link import IdentityLink
from sklearn._loss.loss import BaseLoss
from sklearn.base import is_classifier, is_regressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from goodmeasure.deriving.mending import several_labels
from goodmeasure.errors import NoSuchReading, TargetOutsideDomain, UsageError, shorter
from goodmeasure.fitting.second_order import SecondOrder
from goodmeasure.frameworks.estimators import asking, is_of_labels
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.arrays import array_of
from goodmeasure.strict.calls import strict_class, strict_keywords

_CLASSIFIER = "sklearn.ensemble.HistGradientBoostingClassifier"
_OF_AMOUNTS = "sklearn.ensemble.HistGradientBoostingRegressor(loss=gm.to_hist_gradient_boosting(loss)).fit(X, y)"


@strict_keywords
def to_hist_gradient_boosting(loss: Loss, *, classes: int | None = None) -> HistGradientBoostingLoss:
    """Train scikit-learn's histogram gradient boosting on any loss: its signal, and a curvature under which it trains.

    Args:
        loss: the loss, such as ``gm.losses.huber(delta=2.0)``.
        classes: how many classes there are, for a loss of classes.

    Returns:
        A `HistGradientBoostingLoss`: the ``loss=`` of a ``HistGradientBoostingRegressor``, or of a
        ``HistGradientBoostingClassifier`` for yes/no and classes.

    Raises:
        GM007: the loss has no learning signal, or several raw outputs for one target.
        GM009: a loss of classes was given without their number, or with less than two; or another with one.

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
    if loss.is_classwise and classes is None:
        raise UsageError(
            f"{loss} was given without the number of classes",
            fix="gm.to_hist_gradient_boosting(loss, classes=len(set(y)))",
        )
    if classes is not None and (classes < 2 or not loss.is_classwise):
        raise UsageError(
            f"classes={classes} of {loss}: a loss of classes has two or more, and another none",
            fix=f"gm.to_hist_gradient_boosting(loss{', classes=len(set(y))' if loss.is_classwise else ''})",
        )
    return HistGradientBoostingLoss(loss, classes)


@strict_class
class HistGradientBoostingLoss(BaseLoss):  # type: ignore[misc]
    """A loss for scikit-learn's histogram gradient boosting; `to_hist_gradient_boosting` makes it.

    Training begins at the best constant, and ``predict`` and ``predict_proba`` of the estimator undo class weights,
    focusing and smoothing. Its methods are what scikit-learn calls.

    Args:
        loss: the loss.
        classes: how many classes there are, for a loss of classes; how many raw outputs, for another with several.

    Raises:
        GM007: the loss has no learning signal.

    Example:
        >>> import goodmeasure as gm
        >>> gm.to_hist_gradient_boosting(gm.losses.huber(delta=2.0))
        HistGradientBoostingLoss(huber(delta=2.0))
    """

    def __init__(self, loss: Loss, classes: int | None = None) -> None:
        self.order: SecondOrder = SecondOrder(loss, _alone)
        super().__init__(closs=None, link=_Predictions(loss), n_classes=classes)
        self.approx_hessian = True
        self.is_multiclass: bool = (self.order.outputs or 2) > 1

    def __repr__(self) -> str:
        return f"HistGradientBoostingLoss({self.order.loss})"

    def loss(
        self, y_true: Any, raw_prediction: Any, sample_weight: Any = None, loss_out: Any = None, n_threads: int = 1
    ) -> Any:
        """Give the loss of each row, times its weight.

        Args:
            y_true: targets, (n,).
            raw_prediction: raw outputs, (n,), (n, 1) or (n, K).
            sample_weight: how much each row counts, (n,); all alike unless given.
            loss_out: where the losses go, (n,); a new array unless given.
            n_threads: not used: the kernels have threads of their own.

        Returns:
            The losses, (n,).

        Raises:
            GM003: the shapes of targets and raw outputs do not go together.
            GM004: a target lies outside the domain of the loss.
        """
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
        """Give the signal and the curvature of each row, times its weight.

        Args:
            y_true: targets, (n,).
            raw_prediction: raw outputs, (n,), (n, 1) or (n, K).
            sample_weight: how much each row counts, (n,); all alike unless given.
            gradient_out: where the signals go, of the raw outputs' shape; a new array unless given.
            hessian_out: where the curvatures go, of the same shape; a new array unless given.
            n_threads: not used: the kernels have threads of their own.

        Returns:
            Signals and curvatures, each of the raw outputs' shape.

        Raises:
            GM003: the shapes of targets and raw outputs do not go together.
            GM004: a target lies outside the domain of the loss.
        """
        del n_threads
        pull, curvature = self.order.step(y_true, raw_prediction, sample_weight)
        return _given(pull, gradient_out), _given(curvature, hessian_out)

    def fit_intercept_only(self, y_true: Any, sample_weight: Any = None) -> Any:
        """Give the raw output to begin from: the best constant.

        Args:
            y_true: training targets, (n,).
            sample_weight: how much each row counts, (n,); all alike unless given.

        Returns:
            A number, or one a class, (K,).

        Raises:
            GM004: labels of several classes meet a loss of yes and no.
            GM005: no row counts.
            GM009: the loss is about amounts and the estimator is a classifier, or about classes and it is a regressor; or
                the targets are of another number of classes, or of two, of which scikit-learn has one raw output.
        """
        self._check_estimator(asking(_boosts), y_true)
        found = np.asarray(self.order.start(y_true, sample_weight, self.n_classes))
        self._check_classes(len(np.unique(y_true)))
        return found

    def _check_estimator(self, estimator: Any, y: Any) -> None:
        """Refuse an estimator for targets of another kind, and labels of several classes where the loss is of yes and no."""
        loss = self.order.loss
        labels = several_labels(array_of(y, "y")) if loss.is_binary else []
        if labels:
            raise TargetOutsideDomain(
                f"{loss} is for yes or no, and y holds {len(labels)} labels",
                where="y",
                seen=f"labels {shorter(getattr(estimator, 'classes_', np.array(labels)).tolist())}",
                fix=f"{_CLASSIFIER}(loss=gm.to_hist_gradient_boosting(gm.losses.cross_entropy(), classes={len(labels)}))"
                ".fit(X, y)",
            )
        if is_classifier(estimator) and not is_of_labels(loss):
            raise UsageError(
                f"{loss} is about amounts, and {type(estimator).__name__} is for labels", where="loss", fix=_OF_AMOUNTS
            )
        if is_regressor(estimator) and loss.is_classwise:
            raise UsageError(
                f"{loss} is about classes, and {type(estimator).__name__} is for amounts",
                where="loss",
                fix=f"{_CLASSIFIER}(loss=gm.to_hist_gradient_boosting(loss, classes=len(set(y)))).fit(X, y)",
            )

    def _check_classes(self, there: int) -> None:
        """Refuse classes that scikit-learn, which numbers those that are there, has no raw output for, or one too many."""
        if not self.order.loss.is_classwise or self.n_classes == there > 2:
            return
        if there > 2:
            fix, theirs = f"gm.to_hist_gradient_boosting(loss, classes={there})", there
        else:
            fix, theirs = "gm.to_hist_gradient_boosting(gm.losses.binary_cross_entropy())", 1
        raise UsageError(
            f"{self.order.loss} has {self.n_classes} raw outputs, one a class, and scikit-learn has {theirs} here",
            where="y",
            seen=f"{there} classes",
            fix=fix,
        )

    def predict_proba(self, raw_prediction: Any) -> Any:
        """Give the probability of each class that raw outputs stand for.

        Args:
            raw_prediction: raw outputs, (n,), (n, 1) or (n, K).

        Returns:
            Probabilities, (n, K), or (n, 2) of no and yes.

        Raises:
            GM007: the loss implies no probability, as the hinge.
            GM009: the loss is about amounts, and was given to a classifier.
        """
        if not is_of_labels(self.order.loss):
            raise UsageError(
                f"{self.order.loss} is about amounts, which have no probabilities",
                fix=_OF_AMOUNTS,
            )
        found = np.asarray(self.order.loss.predict(self.order.rows(raw_prediction, len(raw_prediction))))
        return found if found.ndim == 2 else np.column_stack([1 - found, found])


def _boosts(model: Any) -> bool:
    return isinstance(model, HistGradientBoostingClassifier | HistGradientBoostingRegressor)


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
