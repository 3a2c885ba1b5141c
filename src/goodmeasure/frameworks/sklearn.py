"""Losses and costs as scikit-learn takes them: a metric of predictions, and scorers of fitted models."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_regressor
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics._scorer import _BaseScorer

from goodmeasure.decisions.costs import ClassCosts, Costs, CostsDoNotFit, UnderOverCosts
from goodmeasure.deriving.mending import between
from goodmeasure.errors import NoSuchReading, UsageError, shorter
from goodmeasure.frameworks.sklearn_labels import as_declared, codes, in_order, label_of_yes, labels_in
from goodmeasure.frameworks.sklearn_outputs import OF_LABELS, AskedModel, LossReading
from goodmeasure.making.loss import Loss
from goodmeasure.risks.least import least_losses
from goodmeasure.risks.outputs import Outputs
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.arrays import array_of, check_rows
from goodmeasure.statistics.row_arguments import Floats, PresentRows
from goodmeasure.statistics.weights import WeightsMean
from goodmeasure.strict.calls import strict_class, strict_keywords


@strict_keywords
def to_sklearn(
    loss: Loss | Costs | ClassCosts | UnderOverCosts, *, labels: ArrayLike | None = None, pos_label: Any = None
) -> SklearnLoss | SklearnCosts:
    """Judge scikit-learn's models by a loss, or by what their answers cost.

    Args:
        loss: a loss, such as ``gm.losses.huber(delta=2.0)``, or costs, such as
            ``gm.Costs(false_negative=40, false_positive=5)``.
        labels: all labels there are, (K,), in sorted order as in ``classes_``; those at hand unless given.
        pos_label: which of two labels is yes; the second in sorted order unless given.

    Returns:
        A `SklearnLoss` of a loss, a `SklearnCosts` of costs: a metric to call, and in its ``scorer`` what ``scoring=`` of
        searches and cross-validation takes.

    Raises:
        GM004: a label is missing.
        GM009: the labels are not in sorted order, or occur twice; or the loss is about amounts or classes, and has no yes.

    Example:
        >>> import goodmeasure as gm
        >>> from sklearn.linear_model import Ridge
        >>> from sklearn.model_selection import cross_val_score
        >>> X, y = [[float(i)] for i in range(20)], [float(i % 7) for i in range(20)]
        >>> scorer = gm.to_sklearn(gm.losses.huber(delta=2.0)).scorer
        >>> cross_val_score(Ridge(), X, y, scoring=scorer, cv=4).round(2)  # minus the mean loss
        array([-1.51, -2.63, -2.25, -1.25])
    """
    amounts = isinstance(loss, UnderOverCosts) or (isinstance(loss, Loss) and not LossReading(loss).is_of_labels)
    if amounts and not (labels is None and pos_label is None):
        raise UsageError(f"{loss} is about amounts, which have no labels", fix="gm.to_sklearn(loss)")
    if pos_label is not None and (isinstance(loss, ClassCosts) or (isinstance(loss, Loss) and loss.is_classwise)):
        raise UsageError(
            f"{loss} is about classes, none of which is yes", fix="gm.to_sklearn(loss, labels=sorted(set(y)))"
        )
    known = None if labels is None else as_declared(labels)
    return SklearnLoss(loss, known, pos_label) if isinstance(loss, Loss) else SklearnCosts(loss, known, pos_label)


_OF_A_SCORER = ("_score_func", "_sign", "_kwargs", "get_metadata_routing", "set_score_request")


class _StandsForItsScorer:
    """What scikit-learn reads of a scorer when it tunes a threshold or routes weights, for a metric given in its place."""

    def __getattr__(self, name: str) -> Any:
        if name in _OF_A_SCORER:
            return getattr(self.scorer, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


@strict_class
@dataclass(frozen=True, repr=False)
class SklearnLoss(_StandsForItsScorer):
    """A loss as a metric of scikit-learn, with its scorers; `to_sklearn` makes it.

    Attributes:
        loss: the loss.
        labels: all labels in sorted order; None: those at hand.
        pos_label: which of two labels is yes; None: the second in sorted order.

    Example:
        >>> import goodmeasure as gm
        >>> metric = gm.to_sklearn(gm.losses.binary_cross_entropy())
        >>> round(metric(["no", "yes", "yes"], [0.1, 0.8, 0.9]), 4)
        0.1446
    """

    loss: Loss
    labels: tuple[Any, ...] | None = None
    pos_label: Any = None

    def __repr__(self) -> str:
        return _shown("SklearnLoss", self.loss, self.labels, self.pos_label)

    @property
    def __name__(self) -> str:
        return str(self.loss)

    def __call__(self, y_true: Any, y_pred: Any, y: Any = None, *, sample_weight: Any = None) -> float:
        """Give the mean loss of predictions: less is better.

        Where scikit-learn takes the metric for a scorer, and calls it with a model, its rows and targets, it is `scorer`:
        minus the mean loss.

        Args:
            y_true: targets, (n,), labels of any type among them; (n, m) for several targets a row.
            y_pred: what the loss takes in place of raw outputs: probabilities of yes, (n,), or of each class, (n, K);
                amounts, (n,); for margin losses such as the hinge scores, (n,) or (n, K).
            y: targets, (n,), in a call with a model and its rows.
            sample_weight: how much each row counts, (n,); all alike unless given.

        Returns:
            The sum of weight times loss over the sum of the weights.

        Raises:
            GM003: the columns differ in length, or y_pred has another number of columns than there are labels.
            GM004: a target is missing or outside the domain of the loss, or a prediction outside what it predicts.
            GM005: no row counts.
            GM006: a weight is negative or not finite.
            GM009: the labels do not say which is yes, or are too many for this loss.
            GM702: a prediction is not a number.
            GM703: a label is none of ``labels``.
        """
        if _is_of_a_model(y_true, y):
            return float(self.scorer(y_true, y_pred, y, sample_weight=sample_weight))
        rows = paired(y_true, y_pred, sample_weight)
        return _mean(*self._reading.of_predictions(rows["y_true"], rows["y_pred"]), rows.weight)

    def skill(self, y_true: Any, y_pred: Any, *, sample_weight: Any = None, y_train: Any = None) -> float:
        """Give the share of what the best constant leaves to gain that was gained: 1 is perfect, 0 no better.

        For squared error it is R squared; scikit-learn's scores that begin with ``d2_`` are the skills of their losses.

        Args:
            y_true: targets, (n,), as the metric takes them.
            y_pred: predictions, as the metric takes them.
            sample_weight: how much each row counts, (n,); all alike unless given.
            y_train: targets, (m,), whose best constant is compared with; those of ``y_true`` unless given.

        Returns:
            The skill; NaN with scikit-learn's ``UndefinedMetricWarning`` where the constant leaves nothing to gain.

        Raises:
            GM003: the columns differ in length, or y_pred has another number of columns than there are labels.
            GM004: a target is missing or outside the domain of the loss, or a prediction outside what it predicts.
            GM005: no row counts.
            GM006: a weight is negative or not finite.
            GM007: the loss has no least value from which skill could be measured.
            GM009: the labels do not say which is yes, or are too many for this loss.
            GM702: a prediction is not a number.
            GM703: a label is none of ``labels``.

        Source:
            Hastie, Tibshirani and Wainwright 2015, Statistical learning with sparsity.

        Example:
            >>> import goodmeasure as gm
            >>> round(gm.to_sklearn(gm.losses.absolute_error()).skill([1.0, 2.0, 6.0], [1.5, 2.0, 5.0]), 3)
            0.7
        """
        rows = paired(y_true, y_pred, sample_weight)
        reading, trained = self._reading, None
        if y_train is not None:
            reading, trained = reading.trained_on(array_of(y_train, "y_train"), rows["y_true"])
        return _skill(self.loss, *reading.of_predictions(rows["y_true"], rows["y_pred"]), rows.weight, trained)

    @property
    def scorer(self) -> Any:
        """Minus the mean loss of a fitted model, as ``scoring=`` takes it: higher is better.

        It asks a model for what the loss is about: ``predict`` for amounts, ``predict_proba`` for probabilities,
        ``decision_function`` for the scores of margin losses. A model's probabilities are taken for what they mean: a
        class-weighted or focal loss is lowest at the truth, as it is on raw outputs. A fold may lack a class.
        """
        return LossScorer(self, "scorer")

    @property
    def skill_scorer(self) -> Any:
        """The skill of a fitted model, as ``scoring=`` takes it; the best constant is that of the rows it is scored on."""
        return LossScorer(self, "skill_scorer")

    @property
    def _reading(self) -> LossReading:
        return LossReading(self.loss, self.labels, self.pos_label)

    def _of_model(self, rows: PresentRows, model: AskedModel, measure: str) -> float:
        y, given = self._reading.of_model(rows["y_true"], model)
        return -_mean(y, given, rows.weight) if measure == "scorer" else _skill(self.loss, y, given, rows.weight)

    def _of_answers(self, y_true: Any, y_pred: Any, sample_weight: Any = None, pos_label: Any = None) -> float:
        """The mean loss of labels that were named for sure, which is what a threshold is tuned on."""
        rows = paired(y_true, y_pred, sample_weight)
        found = _mean(*self._reading.of_answers(rows["y_true"], rows["y_pred"]), rows.weight)
        if not np.isfinite(found):
            raise UsageError(
                f"{self.loss} is infinite where a label was named for sure and was wrong",
                seen="labels in place of probabilities, as a threshold is tuned on",
                fix="scoring=gm.to_sklearn(gm.Costs(false_negative=40, false_positive=5)).scorer",
            )
        return found


@strict_class
@dataclass(frozen=True, repr=False)
class SklearnCosts(_StandsForItsScorer):
    """Costs as a metric of answers, with its scorer; `to_sklearn` makes it.

    Attributes:
        costs: what right and wrong answers cost.
        labels: all labels in sorted order, as the table of class costs has them; None: those at hand.
        pos_label: which of two labels is yes, whose naming is to act; None: the second in sorted order.

    Example:
        >>> import goodmeasure as gm
        >>> price = gm.to_sklearn(gm.Costs(false_negative=40, false_positive=5))
        >>> price(["ill", "well", "well"], ["well", "well", "ill"])  # "well" is the second
        15.0
        >>> price = gm.to_sklearn(gm.Costs(false_negative=40, false_positive=5), pos_label="ill")
        >>> price(["ill", "well", "well"], ["well", "well", "ill"])
        15.0
    """

    costs: Costs | ClassCosts | UnderOverCosts
    labels: tuple[Any, ...] | None = None
    pos_label: Any = None

    def __repr__(self) -> str:
        return _shown("SklearnCosts", self.costs, self.labels, self.pos_label)

    @property
    def __name__(self) -> str:
        return str(self.costs)

    def __call__(self, y_true: Any, y_pred: Any, y: Any = None, *, sample_weight: Any = None) -> float:
        """Give the mean cost of answers: less is better.

        Where scikit-learn takes the metric for a scorer, and calls it with a model, its rows and targets, it is `scorer`:
        minus the mean cost.

        Args:
            y_true: what was right, (n,): labels, or amounts that were needed.
            y_pred: what was answered, (n,): labels, or amounts that were provided.
            y: targets, (n,), in a call with a model and its rows.
            sample_weight: how much each row counts, (n,); all alike unless given.

        Returns:
            The weighted mean cost a row, in the unit of the costs.

        Raises:
            GM003: the columns differ in length.
            GM004: a label is missing, or an amount is not a number.
            GM005: no row counts.
            GM006: a weight is negative or not finite.
            GM009: the labels do not say which is yes, or are too many for these costs.
            GM703: a label is none of ``labels``.
            GM711: the costs differ from row to row, or are for another number of classes.
        """
        if _is_of_a_model(y_true, y):
            return float(self.scorer(y_true, y_pred, y, sample_weight=sample_weight))
        rows = paired(y_true, y_pred, sample_weight)
        return self._mean(rows, ())

    @property
    def scorer(self) -> Any:
        """Minus the mean cost of what a fitted model predicts, as ``scoring=`` takes it: higher is better.

        With it ``TunedThresholdClassifierCV`` tunes the threshold for these costs.
        """
        return LossScorer(self, "scorer")

    def _mean(self, rows: PresentRows, known: tuple[NDArray[Any], ...]) -> float:
        """The mean cost; ``known`` are labels that the model knows, whether or not these rows show them."""
        if isinstance(self.costs, UnderOverCosts):
            needed = rows.read(row_arguments.target_amounts, "y_true")
            each = self.costs.of(needed, rows.read(row_arguments.amounts, "y_pred"))
        else:
            each = self._of_labels(rows, self.costs, known)
        return float(rows.weight @ each / rows.weight.sum())

    def _of_labels(self, rows: PresentRows, costs: Costs | ClassCosts, known: tuple[NDArray[Any], ...]) -> Floats:
        if self.labels is None and not known:
            _refuse_scores(costs, rows["y_true"], rows["y_pred"])
        truth, answer = labels_in(rows["y_true"]), labels_in(rows["y_pred"], "y_pred")
        names = in_order(truth, answer, *known) if self.labels is None else np.array(self.labels)
        at = codes(truth, names), codes(answer, names, "y_pred")
        return np.asarray(self._table(costs, names)[at], dtype=np.float64)

    def _table(self, costs: Costs | ClassCosts, names: NDArray[Any]) -> Floats:
        """What naming each label costs where each is true, in the order of the names."""
        if isinstance(costs, Costs):
            yes = (names == label_of_yes(names, self.pos_label, costs)).astype(np.intp)
            return costs.matrix[np.ix_(yes, yes)]
        if costs.matrix.shape != (len(names), len(names)):
            raise CostsDoNotFit(
                f"a table of {costs.matrix.shape} prices no answers among {len(names)} labels",
                seen=f"labels are {names.tolist()}",
                fix="labels=sorted(set(y)) of all rows there are",
            )
        return costs.matrix

    def _of_model(self, rows: PresentRows, model: AskedModel, measure: str) -> float:
        del measure
        if is_regressor(model.fitted) and not isinstance(self.costs, UnderOverCosts):
            raise UsageError(
                f"{self.costs} price answers, and {type(model.fitted).__name__} predicts amounts",
                where="estimator",
                fix=OF_LABELS,
            )
        answers = np.asarray(model.answers("predict"))[model.at]
        known = (np.asarray(model.fitted.classes_),) if hasattr(model.fitted, "classes_") else ()
        return -self._mean(replace(rows, columns={**rows.columns, "y_pred": answers}), known)

    def _of_answers(self, y_true: Any, y_pred: Any, sample_weight: Any = None, pos_label: Any = None) -> float:
        return self(y_true, y_pred, sample_weight=sample_weight)


class LossScorer(_BaseScorer):  # type: ignore[misc]
    """Scores fitted models, as ``scoring=`` takes it; `SklearnLoss` and `SklearnCosts` hand it out.

    What scikit-learn asks of a scorer beyond calling it (answers kept, weights routed, thresholds tuned) is that of its
    own. Thresholds are tuned on labels, so the function that it finds here is one of labels.
    """

    def __init__(self, of: SklearnLoss | SklearnCosts, measure: str) -> None:
        said = {} if of.pos_label is None else {"pos_label": of.pos_label}
        super().__init__(of._of_answers, -1, said, "predict")
        self.of, self.measure = of, measure

    def __call__(self, estimator: Any, X: Any, y_true: Any = None, sample_weight: Any = None, **kwargs: Any) -> float:
        """Score a fitted model on rows and their targets: higher is better."""
        return float(super().__call__(estimator, X, y_true, sample_weight=sample_weight, **kwargs))

    def _score(self, method_caller: Any, estimator: Any, X: Any, y_true: Any, **kwargs: Any) -> float:
        if y_true is None:
            raise UsageError(
                "y_true is None, and a scorer judges by targets", where="y_true", fix="scorer(model, X, y)"
            )
        if isinstance(estimator, type):
            raise UsageError(
                f"{estimator.__name__} is a class, and a fitted model is asked for",
                where="estimator",
                fix="model = model().fit(X, y)",
            )
        _refuse_exchanged(estimator, X, y_true)
        check_rows(X, y_true)
        rows = row_arguments.present(kwargs.get("sample_weight"), y_true=y_true)
        return self.of._of_model(rows, AskedModel(estimator, X, rows.at, method_caller), self.measure)

    def __repr__(self) -> str:
        return f"{self.of!r}.{self.measure}"


def _is_of_a_model(first: Any, y: Any) -> bool:
    """Whether a metric is called as a scorer is: a fitted model, its rows, and targets."""
    if hasattr(first, "predict"):
        return True
    if y is not None:
        raise UsageError(
            "a metric takes y_true and y_pred, and a scorer a model, its rows and targets",
            fix="metric(y_true, y_pred, sample_weight=weight)",
        )
    return False


def _refuse_scores(costs: Costs | ClassCosts, truth: NDArray[Any], answers: NDArray[Any]) -> None:
    """Refuse probabilities and scores where answers are priced."""
    for name, column, other in (("y_pred", answers, truth), ("y_true", truth, answers)):
        if column.ndim == 2 or (_holds_shares(column) and not np.isin(column, other).all()):
            raise UsageError(
                f"{costs} price answers, which are labels, and {name} holds scores",
                where=name,
                seen=f"{column.dtype} of shape {column.shape}: {shorter(column.ravel()[:3].tolist())}",
                fix="y_pred = model.predict(X)" if name == "y_pred" else "y_true, y_pred = y_pred, model.predict(X)",
            )


def _holds_shares(column: NDArray[Any]) -> bool:
    return column.dtype.kind == "f" and bool(between(column).any())


def _refuse_exchanged(estimator: Any, X: Any, y: Any) -> None:
    """Refuse a model, rows and targets in another order."""
    late = not hasattr(estimator, "predict") and any(hasattr(each, "predict") for each in (X, y))
    if late or (np.ndim(y) == 2 and getattr(X, "ndim", None) == 1):
        raise UsageError(
            "a scorer takes a fitted model, its rows and their targets, in this order",
            seen=", ".join(type(each).__name__ for each in (estimator, X, y)),
            fix="scorer(model, X, y)",
        )


def _shown(name: str, of: object, labels: tuple[Any, ...] | None, pos_label: Any) -> str:
    said = {"labels": labels, "pos_label": pos_label}
    return f"{name}({of}{''.join(f', {key}={value!r}' for key, value in said.items() if value is not None)})"


def paired(y_true: Any, y_pred: Any, sample_weight: Any, weights_mean: WeightsMean = "importance") -> PresentRows:
    """The rows that count, with both of their columns."""
    return given_rows(sample_weight, weights_mean, y_true=y_true, y_pred=y_pred)


def given_rows(sample_weight: Any, weights_mean: WeightsMean, **columns: Any) -> PresentRows:
    """The rows that count, with all of their columns."""
    for name, given in columns.items():
        if given is None:
            raise UsageError(f"{name} is None, a column is needed", where=name, fix=f"give {name}, one value a row")
    return row_arguments.present(sample_weight, weights_mean, **columns)


def _mean(y: NDArray[Any], given: Outputs, w: Floats) -> float:
    return float(given.loss(y, given.numbers, w))


def _skill(loss: Loss, y: NDArray[Any], given: Outputs, w: Floats, trained: Any = None) -> float:
    """One minus what was lost beyond the least, over what the best constant loses beyond it; of several targets the mean."""
    if y.ndim > 1 and not loss.is_classwise:
        return float(np.mean([_skill_of_target(k, loss, y, given, w, trained) for k in range(y.shape[1])]))
    least = least_losses(loss, y, given.classes)
    if least is None:
        raise NoSuchReading(f"{loss} has no least value from which skill could be measured", fix="compare mean losses")
    best = loss.best_constant(*((y, w) if trained is None else (trained,)), classes=given.classes)
    constant = np.broadcast_to(np.asarray(best, dtype=np.float64), given.numbers.shape)
    each = given.loss.value(y, given.numbers), loss.value(y, constant)
    ours, theirs = (float(w @ (np.asarray(values) - least)) for values in each)
    if not 0 < theirs < np.inf:
        warnings.warn(f"the best constant of {loss} leaves nothing to gain here", UndefinedMetricWarning, stacklevel=3)
        return float("nan")
    return 1 - ours / theirs


def _skill_of_target(k: int, loss: Loss, y: NDArray[Any], given: Outputs, w: Floats, trained: Any) -> float:
    """The skill for one of several targets a row, which labels weigh each for itself where the loss says so."""
    one, judging = (each.of_label(k) if each.labels else each for each in (loss, given.loss))
    numbers = replace(given, loss=judging, numbers=given.numbers[:, k])
    return _skill(one, y[:, k], numbers, w, None if trained is None else trained[:, k])
