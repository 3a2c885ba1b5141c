"""Displays as scikit-learn has them: what answers are worth, drawn from predictions or by asking a fitted model."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_regressor
from sklearn.utils.validation import _num_samples, check_is_fitted

from goodmeasure import losses
from goodmeasure.calibrating.calibration import Calibration, calibration
from goodmeasure.decisions.costs import ClassCosts, Costs, UnderOverCosts
from goodmeasure.decisions.decision import decide
from goodmeasure.decisions.rules import ActDecision, Decision
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.errors import ShapeMismatch, UsageError
from goodmeasure.frameworks.sklearn import given_rows, paired
from goodmeasure.frameworks.sklearn_outputs import AskedModel, LossReading, Read
from goodmeasure.making.loss import Loss
from goodmeasure.risks.outputs import Outputs
from goodmeasure.risks.risk import Risk, risk
from goodmeasure.statistics.row_arguments import PresentRows
from goodmeasure.statistics.weights import WeightsMean
from goodmeasure.strict.calls import strict_class, strict_keywords

Asked = Loss | Costs | ClassCosts | UnderOverCosts | None


@strict_class
class _Display:
    """A result beside the axes on which it was drawn last."""

    ax_: Any
    figure_: Any

    def __init__(self, found: Any) -> None:
        self.found = found

    def plot(self, ax: Any = None) -> Self:
        """Draw the result again.

        Args:
            ax: axes of matplotlib to draw on; a figure of its own unless given.

        Returns:
            This display, with the axes in ``ax_`` and their figure in ``figure_``.

        Raises:
            GM008: matplotlib is not installed
            GM009: ``ax`` is nothing to draw on
        """
        shown: Displayed = self.found
        self.ax_ = shown.plot(ax)
        self.figure_ = np.ravel(self.ax_)[0].figure
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.found}"


@strict_class
class CalibrationDisplay(_Display):
    """A calibration, drawn: what was seen at each prediction, beside what calibrated predictions would look like.

    Args:
        found: what `calibration` gave.

    Attributes:
        found: the calibration, with its errors, their intervals and a verdict.
        ax_: the axes it was drawn on.
        figure_: their figure.

    Example:
        >>> import goodmeasure as gm
        >>> y, p = ["no", "yes"] * 40, [0.2, 0.8] * 30 + [0.6, 0.4] * 10
        >>> display = gm.CalibrationDisplay.from_predictions(y, p)
        >>> display.found.verdict
        'miscalibrated'
        >>> display.ax_.get_xlabel()
        'prediction'
    """

    found: Calibration

    @classmethod
    @strict_keywords
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        loss: Loss | None = None,
        sample_weight: Any = None,
        pos_label: Any = None,
        weights_mean: WeightsMean = "importance",
        ax: Any = None,
    ) -> Self:
        """Draw the calibration of predictions.

        Args:
            y_true: held-out targets, (n,): labels of any type, or amounts.
            y_pred: probabilities of yes, (n,), or of each class in the order of sorted labels, (n, K); or amounts, (n,).
            loss: the loss to split, which also says what an amount is meant to be; the Brier score or squared error unless
                given.
            sample_weight: how much each row counts, (n,); all alike unless given.
            pos_label: which of two labels is yes; the second in sorted order unless given.
            weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.
            ax: axes of matplotlib to draw on; a figure of its own unless given.

        Returns:
            The display, drawn.

        Raises:
            GM003: the columns differ in length, or y_pred has another number of columns than there are labels.
            GM004: a label is missing, a probability lies outside [0, 1], or an amount outside the domain of the loss.
            GM005: no row counts.
            GM006: a weight is negative or not finite, or counts copies and is no whole number.
            GM007: the loss implies no probability, so none can be judged by it.
            GM009: the labels do not say which is yes, or ``ax`` is nothing to draw on.
            GM702: a prediction is not a number.
            GM705: there are fewer than two rows.
        """
        return cls(_calibration(loss, *_predicted(loss, y_true, y_pred, sample_weight, pos_label, weights_mean))).plot(
            ax
        )

    @classmethod
    @strict_keywords
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        loss: Loss | None = None,
        sample_weight: Any = None,
        pos_label: Any = None,
        weights_mean: WeightsMean = "importance",
        ax: Any = None,
    ) -> Self:
        """Draw the calibration of what a fitted model says of rows that it never saw.

        Args:
            estimator: a fitted classifier with ``predict_proba``, or a regressor.
            X: the rows as the model takes them, (n, d).
            y: their targets, (n,).
            loss: the loss to split, which also says what an amount is meant to be; the Brier score or squared error unless
                given.
            sample_weight: how much each row counts, (n,); all alike unless given.
            pos_label: which of two labels is yes; the second in sorted order unless given.
            weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.
            ax: axes of matplotlib to draw on; a figure of its own unless given.

        Returns:
            The display, drawn.

        Raises:
            GM003: X and y differ in length.
            GM004: a label is missing, or an amount lies outside the domain of the loss.
            GM005: no row counts.
            GM006: a weight is negative or not finite, or counts copies and is no whole number.
            GM007: the loss implies no probability, so none can be judged by it.
            GM009: the model gives no probabilities, or ``ax`` is nothing to draw on.
            GM705: there are fewer than two rows.
        """
        return cls(_calibration(loss, *_told(loss, estimator, X, y, sample_weight, pos_label, weights_mean))).plot(ax)


@strict_class
class LossDisplay(_Display):
    """A risk, drawn: the mean loss and that of the best constant, with their intervals.

    Args:
        found: what `risk` gave.

    Attributes:
        found: the risk.
        ax_: the axes it was drawn on.
        figure_: their figure.

    Example:
        >>> import goodmeasure as gm
        >>> display = gm.LossDisplay.from_predictions([1.0, 2.0, 4.0], [1.5, 2.0, 3.0], gm.losses.squared_error())
        >>> display.ax_.get_xlabel()
        'mean loss'
    """

    found: Risk

    @classmethod
    @strict_keywords
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        loss: Loss,
        *,
        sample_weight: Any = None,
        pos_label: Any = None,
        weights_mean: WeightsMean = "importance",
        ax: Any = None,
    ) -> Self:
        """Draw the mean loss of predictions.

        Args:
            y_true: held-out targets, (n,): labels of any type, or amounts.
            y_pred: what the loss takes in place of raw outputs: probabilities of yes, (n,), or of each class, (n, K);
                amounts, (n,); for margin losses such as the hinge scores, (n,) or (n, K).
            loss: the loss to measure, such as ``gm.losses.huber(delta=2.0)``.
            sample_weight: how much each row counts, (n,); all alike unless given.
            pos_label: which of two labels is yes; the second in sorted order unless given.
            weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.
            ax: axes of matplotlib to draw on; a figure of its own unless given.

        Returns:
            The display, drawn.

        Raises:
            GM003: the columns differ in length, or y_pred has another number of columns than there are labels.
            GM004: a target is missing or outside the domain of the loss, or a prediction outside what it predicts.
            GM005: no row counts.
            GM006: a weight is negative or not finite, or counts copies and is no whole number.
            GM009: the labels do not say which is yes, or ``ax`` is nothing to draw on.
            GM702: a prediction is not a number.
        """
        rows = paired(y_true, y_pred, sample_weight, weights_mean)
        read = LossReading(loss, pos_label=pos_label).of_predictions(rows["y_true"], rows["y_pred"])
        return cls(_risk(loss, read, rows)).plot(ax)

    @classmethod
    @strict_keywords
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        loss: Loss,
        *,
        sample_weight: Any = None,
        pos_label: Any = None,
        weights_mean: WeightsMean = "importance",
        ax: Any = None,
    ) -> Self:
        """Draw the mean loss of what a fitted model says of rows that it never saw.

        A model's probabilities are taken for what they mean, as by the scorers of `to_sklearn`.

        Args:
            estimator: a fitted model that has what the loss is about: ``predict``, ``predict_proba`` or
                ``decision_function``.
            X: the rows as the model takes them, (n, d).
            y: their targets, (n,).
            loss: the loss to measure.
            sample_weight: how much each row counts, (n,); all alike unless given.
            pos_label: which of two labels is yes; the second in sorted order unless given.
            weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.
            ax: axes of matplotlib to draw on; a figure of its own unless given.

        Returns:
            The display, drawn.

        Raises:
            GM003: X and y differ in length.
            GM004: a target is missing or outside the domain of the loss, or a prediction outside what it predicts.
            GM005: no row counts.
            GM006: a weight is negative or not finite, or counts copies and is no whole number.
            GM009: the model gives nothing that the loss takes, or ``ax`` is nothing to draw on.
        """
        read, rows = _of_model(LossReading(loss, pos_label=pos_label), estimator, X, y, sample_weight, weights_mean)
        return cls(_risk(loss, read, rows)).plot(ax)


@strict_class
class DecisionDisplay(_Display):
    """A decision, drawn: what each rule costs a row, with intervals.

    Args:
        found: what `decide` gave.

    Attributes:
        found: the decision, with its threshold and what each rule costs.
        ax_: the axes it was drawn on.
        figure_: their figure.

    Example:
        >>> import goodmeasure as gm
        >>> y, p = ["no", "yes"] * 80, [0.2, 0.8] * 60 + [0.6, 0.4] * 20
        >>> display = gm.DecisionDisplay.from_predictions(y, p, gm.Costs(false_negative=40, false_positive=5))
        >>> display.found.best.name, round(display.found.best.threshold, 3)
        ('practice', 0.3)
    """

    found: Decision | ActDecision

    @classmethod
    @strict_keywords
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        costs: Costs | ClassCosts | UnderOverCosts,
        *,
        sample_weight: Any = None,
        pos_label: Any = None,
        weights_mean: WeightsMean = "importance",
        ax: Any = None,
    ) -> Self:
        """Draw what it costs to act on predictions.

        Args:
            y_true: held-out targets, (n,): labels of any type, or amounts for `UnderOverCosts`.
            y_pred: probabilities of yes, (n,), or of each class in the order of sorted labels, (n, K); or amounts, (n,).
            costs: what right and wrong decisions cost.
            sample_weight: how much each row counts, (n,); all alike unless given.
            pos_label: which of two labels is yes; the second in sorted order unless given.
            weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.
            ax: axes of matplotlib to draw on; a figure of its own unless given.

        Returns:
            The display, drawn.

        Raises:
            GM003: the columns differ in length, or y_pred has another number of columns than there are labels.
            GM004: a label is missing, or a probability lies outside [0, 1].
            GM005: no row counts.
            GM006: a weight is negative or not finite, or counts copies and is no whole number.
            GM009: the labels do not say which is yes, or ``ax`` is nothing to draw on.
            GM702: a prediction is not a number.
            GM704: all targets of a yes/no question are the same.
            GM705: there are fewer than five rows.
            GM711: the costs are for another number of classes than there are labels.
        """
        return cls(_decision(costs, *_predicted(costs, y_true, y_pred, sample_weight, pos_label, weights_mean))).plot(
            ax
        )

    @classmethod
    @strict_keywords
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        costs: Costs | ClassCosts | UnderOverCosts,
        *,
        sample_weight: Any = None,
        pos_label: Any = None,
        weights_mean: WeightsMean = "importance",
        ax: Any = None,
    ) -> Self:
        """Draw what it costs to act on what a fitted model says of rows that it never saw.

        Args:
            estimator: a fitted classifier with ``predict_proba``, or a regressor for `UnderOverCosts`.
            X: the rows as the model takes them, (n, d).
            y: their targets, (n,).
            costs: what right and wrong decisions cost.
            sample_weight: how much each row counts, (n,); all alike unless given.
            pos_label: which of two labels is yes; the second in sorted order unless given.
            weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.
            ax: axes of matplotlib to draw on; a figure of its own unless given.

        Returns:
            The display, drawn.

        Raises:
            GM003: X and y differ in length.
            GM004: a label is missing.
            GM005: no row counts.
            GM006: a weight is negative or not finite, or counts copies and is no whole number.
            GM009: the model gives no probabilities, or ``ax`` is nothing to draw on.
            GM704: all targets of a yes/no question are the same.
            GM705: there are fewer than five rows.
            GM711: the costs are for another number of classes than the model knows.
        """
        return cls(_decision(costs, *_told(costs, estimator, X, y, sample_weight, pos_label, weights_mean))).plot(ax)


# --- what is drawn ---


def _calibration(loss: Loss | None, read: Read, rows: PresentRows) -> Calibration:
    return calibration(read[0], _predictions(read[1]), loss, **_weighed(rows))


def _decision(costs: Costs | ClassCosts | UnderOverCosts, read: Read, rows: PresentRows) -> Decision | ActDecision:
    return decide(read[0], _predictions(read[1]), costs, **_weighed(rows))


def _risk(loss: Loss, read: Read, rows: PresentRows) -> Risk:
    y, given = read
    if given.on_predictions:
        return risk(loss, y, prediction=_predictions(given), **_weighed(rows))
    return risk(loss, y, given.numbers, **_weighed(rows))


def _weighed(rows: PresentRows) -> dict[str, Any]:
    """The weights as they were given: whole ones stand for copies."""
    return {"sample_weight": rows.weight * rows.unit, "weights_mean": rows.weights_mean}


def _predictions(given: Outputs) -> NDArray[Any]:
    """What was predicted: a loss of classes takes logarithms of probabilities."""
    return np.exp(given.numbers) if given.classes else given.numbers


# --- the rows ---


def _predicted(
    asked: Asked, y_true: Any, y_pred: Any, sample_weight: Any, pos_label: Any, weights_mean: WeightsMean
) -> tuple[Read, PresentRows]:
    """Targets and predictions as numbers, and the rows that count, of columns."""
    rows = paired(y_true, y_pred, sample_weight, weights_mean)
    y, p = rows["y_true"], rows["y_pred"]
    reading = LossReading(_book_loss(asked, _columns(y, p)), pos_label=pos_label)
    return reading.of_predictions(y, p), rows


def _told(
    asked: Asked, estimator: Any, X: Any, y: Any, sample_weight: Any, pos_label: Any, weights_mean: WeightsMean
) -> tuple[Read, PresentRows]:
    """Targets and predictions as numbers, and the rows that count, of a model and its rows."""
    check_is_fitted(estimator)
    columns = 0 if is_regressor(estimator) else len(estimator.classes_)
    reading = LossReading(_book_loss(asked, columns), pos_label=pos_label)
    return _of_model(reading, estimator, X, y, sample_weight, weights_mean)


def _of_model(
    reading: LossReading, estimator: Any, X: Any, y: Any, sample_weight: Any, weights_mean: WeightsMean
) -> tuple[Read, PresentRows]:
    check_is_fitted(estimator)
    rows = given_rows(sample_weight, weights_mean, y=y)
    if _num_samples(X) != rows.given:
        raise ShapeMismatch(
            f"X has {_num_samples(X):,} rows, and y {rows.given:,}", where="X", fix="give one target a row"
        )
    return reading.of_model(rows["y"], AskedModel(estimator, X, rows.at, _ask)), rows


def _ask(model: Any, method: str, X: Any) -> Any:
    if not hasattr(model, method):
        raise UsageError(
            f"{type(model).__name__} has no {method}",
            where="estimator",
            fix="gm.CostSensitiveClassifier(model).fit(X, y) has predict_proba",
        )
    return getattr(model, method)(X)


def _book_loss(asked: Asked, columns: int) -> Loss:
    """The plainest loss of what is asked about: it reads labels and predictions, and distorts neither."""
    if isinstance(asked, Loss):
        columns = 3 if asked.is_classwise else 2 if asked.is_binary else 0
    elif asked is not None:
        columns = {Costs: 2, ClassCosts: 3, UnderOverCosts: 0}[type(asked)]
    return losses.brier() if columns > 2 else losses.binary_brier() if columns else losses.squared_error()


def _columns(y: NDArray[Any], p: NDArray[Any]) -> int:
    """How many classes predictions are of; none where they are amounts."""
    if p.ndim > 1:
        return int(p.shape[-1])
    is_yes_or_no = y.dtype.kind not in "biuf" or bool(((y == 0) | (y == 1)).all())
    return 2 if is_yes_or_no else 0
