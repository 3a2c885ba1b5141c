"""What scikit-learn's metrics and models hand over, as targets and outputs that a loss takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from goodmeasure.deriving import predictions
from goodmeasure.deriving.arguments import numeric
from goodmeasure.deriving.mending import are_labels, between
from goodmeasure.errors import ShapeMismatch, TargetOutsideDomain, UsageError
from goodmeasure.fitting.fit import LossClassifier
from goodmeasure.frameworks.sklearn_labels import Labels, check_label, codes, in_order, label_of_yes, labels_in
from goodmeasure.making.loss import Loss
from goodmeasure.risks.outputs import Outputs, outputs
from goodmeasure.statistics.arrays import numbers_of
from goodmeasure.statistics.rounded_rows import divided_by_sums
from goodmeasure.statistics.row_arguments import Floats, MissingScore

_LINEAR = "sklearn.linear_model"
_CLASSIFIER = f"{_LINEAR}.LogisticRegression()"
OF_LABELS = f"model = {_CLASSIFIER}.fit(X, y)  # a classifier"
# Targets as numbers, and the outputs beside them.
Read: TypeAlias = tuple[NDArray[Any], Outputs]


@dataclass(frozen=True)
class LossReading:
    """A loss with what is known of labels: it reads targets, predictions and models."""

    loss: Loss
    labels: tuple[Any, ...] | None = None
    pos_label: Any = None

    def __post_init__(self) -> None:
        check_label(self.pos_label)

    @property
    def is_of_labels(self) -> bool:
        """Whether a target is a label, and not an amount."""
        return self.loss.is_binary or self.loss.is_classwise

    @property
    def takes_scores(self) -> bool:
        """Whether scores are judged as they are, as margin losses do."""
        return "margin" in self.loss.predictions or (self.loss.is_binary and self.loss.predictions == ("z",))

    def names(self, *columns: Any) -> Labels:
        """All labels there are, in sorted order."""
        return in_order(*([np.array(self.labels)] if self.labels is not None else map(labels_in, columns)))

    # --- targets ---

    def are_numbers(self, y: NDArray[Any]) -> bool:
        """Whether targets are what the loss takes as they are: amounts, shares, or a row of numbers each."""
        if not self.is_of_labels or y.ndim != 1:
            return True
        said = self.labels is not None or self.pos_label not in (None, 1)
        if self.loss.is_classwise or said or y.dtype.kind not in "biuf":
            return False
        return bool(((y >= 0) & (y <= 1) | (y != y)).all())

    def coded(self, y: NDArray[Any], names: Labels) -> NDArray[Any]:
        """Labels as the numbers that the loss takes."""
        found = codes(labels_in(y), names)
        if self.loss.is_classwise:
            return found
        yes = label_of_yes(names, self.pos_label, self.loss)
        return np.array([name == yes for name in names.tolist()], dtype=np.float64)[found]

    def trained_on(self, trained: NDArray[Any], y: NDArray[Any]) -> tuple[LossReading, NDArray[Any]]:
        """The reading that knows the labels of the training rows too, and these as the loss takes them."""
        if trained.ndim != y.ndim or trained.shape[1:] != y.shape[1:]:
            raise ShapeMismatch(
                f"y_train has shape {trained.shape}, and y_true {y.shape}",
                where="y_train",
                fix="give targets of one kind",
            )
        if self.are_numbers(trained) and self.are_numbers(y):
            return self, trained
        names = self.names(trained, y)
        return replace(self, labels=tuple(names.tolist())), self.coded(trained, names)

    # --- predictions ---

    def of_predictions(self, y: NDArray[Any], given: NDArray[Any]) -> Read:
        """Targets and outputs of columns that are as a metric is given them."""
        if self._exchanged(y, given):
            _refuse_exchanged()
        table = _numbers(given)
        if not self.is_of_labels:
            return numeric(y, self.loss, name="y_true"), self._outputs(table)
        if y.ndim != 1:
            return y, self._outputs(table)
        numbers = self.are_numbers(y)
        names = np.arange(2) if numbers else self.names(y)
        if self.loss.is_classwise:
            table = self._columns(table, len(names))
        elif table.ndim == 2 and table.shape[1] == 2 and not self.takes_scores:
            table = _of_two(table, given.dtype)[:, int(label_of_yes(names, self.pos_label, self.loss) == names[-1])]
        return y if numbers else self.coded(y, names), self._outputs(table)

    def _exchanged(self, y: NDArray[Any], given: NDArray[Any]) -> bool:
        """Whether predictions were given for targets, and labels for predictions."""
        if not self.is_of_labels or are_labels(given, beside=y):
            return self.is_of_labels
        if y.dtype.kind not in "biuf" or given.dtype.kind not in "biuf" or given.ndim != 1:
            return False
        named = not (between(given) | (given != given)).any()
        named = named and (self.loss.is_classwise or len(np.unique(given)) <= 2)
        if not named or y.ndim != 1:
            return named and y.ndim == 2
        beyond = bool(((given < 0) | (given > 1)).any() or ((y < 0) | (y > 1)).any())
        return bool(between(y).any()) and (beyond or not self._judges_the_sure)

    @property
    def _judges_the_sure(self) -> bool:
        """Whether a prediction that is sure and wrong costs a number."""
        if self.takes_scores or self.loss.is_classwise:
            return True
        wrong = outputs(self.loss, None, np.zeros(1))
        return bool(np.isfinite(wrong.loss.value(np.ones(1), wrong.numbers)).all())

    def _columns(self, table: Floats, count: int) -> Floats:
        """A column for each of so many classes; of two, the second may be given alone."""
        table = _both(table, scores=self.takes_scores) if table.ndim == 1 else table
        if table.shape[-1] != count:
            raise ShapeMismatch(
                f"y_pred has {table.shape[-1]} columns, and there are {count} labels",
                where="y_pred",
                fix="gm.to_sklearn(loss, labels=model.classes_)",
            )
        return table

    def _outputs(self, table: Floats) -> Outputs:
        if self.takes_scores:
            return Outputs(self.loss, table, on_predictions=False)
        return outputs(self.loss, None, table)

    # --- models ---

    def of_model(self, y: NDArray[Any], model: AskedModel) -> Read:
        """Targets, and what a fitted model says of their rows."""
        if not self.is_of_labels:
            return y, self._outputs(model.says("predict"))
        method = "decision_function" if self.takes_scores else "predict_proba"
        if is_regressor(model.fitted):
            return y, self._of_amounts(y, model)
        if y.ndim > 1:
            return y, self._meant(model.says(method))
        model.must_have("classes_")
        known, own = np.asarray(model.fitted.classes_), model.raw_outputs(self.loss)
        names = self.names(known, y)
        if own is not None:
            return self.coded(y, names), Outputs(self.loss, self._placed(own, known, names, scores=True), False)
        # A class that is known alone is sure.
        table = model.says(method) if len(known) > 1 else np.full((len(y), 1), 0.0 if self.takes_scores else 1.0)
        return self.coded(y, names), self._meant(self._placed(table, known, names, scores=self.takes_scores))

    def _of_amounts(self, y: NDArray[Any], model: AskedModel) -> Outputs:
        """A regressor's amounts where labels are judged: they are shares, or it is no model for that."""
        fix = OF_LABELS
        if self.loss.is_classwise and y.ndim == 1:
            raise UsageError(
                f"{self.loss} judges a probability for each class, and {_name(model.fitted)} predicts one amount",
                fix=fix,
            )
        try:
            return self._meant(model.says("predict"))
        except TargetOutsideDomain as problem:
            raise problem.mended_by(fix) from None

    def _placed(self, table: Floats, known: Labels, names: Labels, *, scores: bool) -> Floats:
        """What the loss takes, from a column for each class that a model knows: it gives the others no probability."""
        table = _both(table, scores=scores) if table.ndim == 1 else table
        full = np.full((len(table), len(names)), -np.inf if scores else 0.0)
        full[:, codes(known, names, "classes_")] = table
        if self.loss.is_classwise:
            if len(names) < 2:
                raise UsageError(
                    "one label makes no classes",
                    seen=f"{names[0]!r} in all rows",
                    fix="gm.to_sklearn(loss, labels=sorted(set(y)))",
                )
            return full
        yes = names == label_of_yes(names, self.pos_label, self.loss)
        if not scores:
            return np.asarray(full[:, yes].sum(axis=1))
        return np.asarray(full[:, yes].max(axis=1, initial=-np.inf) - full[:, ~yes].max(axis=1, initial=-np.inf))

    def _meant(self, table: Floats) -> Outputs:
        """Probabilities taken for what they mean: where the loss distorts them, the raw outputs that stand for them."""
        if self.takes_scores or not distorts(self.loss):
            return self._outputs(table)
        predictions.check_predictions(self.loss, table)
        return Outputs(self.loss, np.asarray(self.loss.raw(table)), on_predictions=False)

    # --- answers ---

    def of_answers(self, y: NDArray[Any], answers: NDArray[Any]) -> Read:
        """Targets and outputs where a model named one label and is sure of it; a score of 1 is sure, too."""
        names = self.names(y, answers)
        sure = np.eye(len(names))[codes(labels_in(answers, "y_pred"), names, "y_pred")]
        table = self._placed(sure, names, names, scores=False)
        return self.coded(y, names), self._outputs(2 * table - 1 if self.takes_scores and table.ndim == 1 else table)


@dataclass(frozen=True)
class AskedModel:
    """A fitted model with the rows that it is asked about; ``call`` may keep its answers for others who ask."""

    fitted: Any
    X: Any
    at: NDArray[np.intp]
    call: Callable[..., Any]

    def says(self, method: str) -> Floats:
        """What a method of the model gives for the rows that count, as numbers."""
        instead = f"{_LINEAR}.Ridge()" if method == "predict" else _CLASSIFIER
        try:
            return _numbers(self.answers(method, instead))[self.at]
        except MissingScore as problem:
            if method == "predict" and is_classifier(self.fitted):
                raise problem.mended_by(
                    f"model = {_LINEAR}.Ridge().fit(X, y)  # a regressor: the loss is about amounts"
                ) from None
            raise

    def answers(self, method: str, instead: str = _CLASSIFIER) -> Any:
        """What a method of the model gives for all rows."""
        self.must_have(method, instead)
        try:
            return self.call(self.fitted, method, self.X)
        except (NotFittedError, AttributeError):
            if _is_fitted(self.fitted):
                raise
            self._refuse_unfitted()

    def must_have(self, part: str, instead: str = _CLASSIFIER) -> None:
        """Refuse a model that lacks what is asked of it; ``instead`` is one that has it."""
        if hasattr(self.fitted, part):
            return
        if hasattr(self.fitted, "predict") and not _is_fitted(self.fitted):
            self._refuse_unfitted()
        name = _name(self.fitted)
        scores = part == "predict_proba" and hasattr(self.fitted, "decision_function")
        raise UsageError(
            f"{name} has no {part}, which is asked of a model here",
            where="estimator",
            fix=f"model = {'sklearn.calibration.CalibratedClassifierCV(model)' if scores else instead}.fit(X, y)",
        )

    def _refuse_unfitted(self) -> NoReturn:
        raise UsageError(f"this {_name(self.fitted)} is not fitted", where="estimator", fix="model.fit(X, y)")

    def raw_outputs(self, loss: Loss) -> Floats | None:
        """The raw outputs of a linear model that was trained on this very loss, at the end of a pipeline too."""
        model, X = self.fitted, self.X
        if isinstance(model, Pipeline) and len(model) > 1:
            model, X = model[-1], model[:-1].transform(X) if isinstance(model[-1], LossClassifier) else X
        return model.raw(X)[self.at] if isinstance(model, LossClassifier) and model.loss_ == loss else None


def _name(model: Any) -> str:
    return model.__name__ if isinstance(model, type) else type(model).__name__


def _is_fitted(model: Any) -> bool:
    """Whether scikit-learn takes a model for fitted."""
    try:
        check_is_fitted(model)
    except (NotFittedError, TypeError):
        return False
    return True


def _both(second: Floats, *, scores: bool) -> Floats:
    """The columns of two classes, from that of the second: of scores only the difference counts."""
    return np.column_stack([np.zeros_like(second) if scores else 1 - second, second])


@cache
def distorts(loss: Loss) -> bool:
    """Whether the best prediction of a loss is another than the probability, as with class weights or focusing."""
    if not predictions.implies_probability(loss):
        return False
    loss = loss.one_label
    share = np.arange(1.0, (len(loss.class_weight) or 3) + 1)
    p = share[None, :] / share.sum() if loss.is_classwise else np.linspace(0.1, 0.9, 9)
    meant, book = (np.asarray(each(loss, p)) for each in (predictions.raw, predictions.raw_before_activation))
    if loss.is_classwise:
        meant, book = meant - meant.mean(), book - book.mean()
    return not np.allclose(meant, book)


def _of_two(table: Floats, dtype: np.dtype[Any]) -> Floats:
    """The probabilities of two labels, which add up to 1 in each row but for the rounding of the dtype that they came in."""
    rounding = 2 * float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0
    table, off = divided_by_sums(table, np)
    off = (off & (np.abs(table.sum(axis=1) - 1) > rounding)) | ~((table >= 0) & (table <= 1)).all(axis=1)
    if off.any() and not np.isnan(table).any():
        first = int(np.argmax(off))
        raise TargetOutsideDomain(
            "y_pred has a column for each of two labels, and a row of it is no probabilities that add up to 1",
            where=f"y_pred[{first}]",
            seen=f"{table[first].tolist()}; {int(off.sum()):,} of {len(table):,} rows",
            fix="y_pred = model.predict_proba(X)",
        )
    return table


def _refuse_exchanged() -> NoReturn:
    raise UsageError(
        "y_true holds predictions, and y_pred labels: they are the other way round",
        fix="y_true, y_pred = y_pred, y_true",
    )


def _numbers(values: Any) -> Floats:
    return numbers_of(values, "y_pred", MissingScore).astype(np.float64, copy=False)
