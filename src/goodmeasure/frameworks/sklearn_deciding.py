"""Estimators that wrap any classifier or regressor of scikit-learn: recalibrated, and predicting what the costs ask for."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from inspect import signature
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    RegressorMixin,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import assert_all_finite, column_or_1d, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import _check_method_params, _num_samples, check_is_fitted, has_fit_parameter

from goodmeasure.calibrating.amount_maps import AmountMap, AmountMethod, recalibrate_amounts
from goodmeasure.calibrating.recalibration import Method, Recalibration, recalibrate
from goodmeasure.decisions.costs import ClassCosts, Costs, CostsDoNotFit, UnderOverCosts, bayes_act
from goodmeasure.decisions.rules import ActDecision, Decision
from goodmeasure.errors import NoSuchReading, NothingToLearn, UsageError, shorter
from goodmeasure.fitting.features import in_our_words
from goodmeasure.fitting.fit import check_labels, numbers_in, present_rows, refuse_several, target_column
from goodmeasure.frameworks.sklearn import SklearnCosts
from goodmeasure.frameworks.sklearn_cross_fitting import FitRows, Places
from goodmeasure.frameworks.sklearn_labels import Labels, codes, in_order, label_of_yes, labels_in
from goodmeasure.statistics.arrays import check_table
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.strict.calls import check_keywords, strict_class

RULES = ("best", "theory", "practice")
# By so much a model's probabilities may leave [0, 1] through rounding.
_ROUNDING = 1e-9


class _CostSensitive(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """What the two estimators share: the rows that count, what goes to the estimator inside, and what is told of it."""

    estimator_: Any
    estimator: Any
    costs: Any
    # The kind that is asked for, its opposite, and one of the kind that a line may name.
    _sort: str
    _other_kind: Callable[[Any], bool]
    _usual: str

    def _rows(self, X: Any, y: Any, sample_weight: Any, params: dict[str, Any]) -> FitRows:
        """The rows that count, with what else was given to the fit."""
        self._check_estimator()
        target_column(X, y, type(self).__name__)
        refuse_several(y, f"MultiOutput{self._sort.title()}")
        X, y = indexable(X, y)
        to_fit, to_split = self._routed(sample_weight, params)
        at, weight, kept = present_rows(sample_weight, X=X, y=y)
        to_fit, to_split = (_check_method_params(X, each, at) for each in (to_fit, to_split))
        target = column_or_1d(kept["y"], warn=True)
        assert_all_finite(target, input_name="y")
        return FitRows(kept["X"], target, weight, at, _num_samples(X), to_fit, to_split)

    def _check_estimator(self) -> None:
        """Refuse what is no estimator for targets of this kind."""
        name = type(self).__name__
        given, costs = self.estimator, self.costs
        line = f"gm.{name}({{}}{'' if costs is None else ', costs'}).fit(X, y)"
        kind = self._other_kind
        if isinstance(given, Costs | ClassCosts | UnderOverCosts):
            what, line = "costs were given for the estimator", f"gm.{name}(model, costs).fit(X, y)"
        elif isinstance(given, type):
            what, line = f"{given.__name__} is a class, and an estimator is asked for", line.format("model()")
        elif not (hasattr(given, "fit") and hasattr(given, "predict")):
            what, line = f"{shorter(given)} is no estimator", line.format(self._usual)
        elif kind(given):
            what, line = f"{type(given).__name__} is no {self._sort}", line.format(self._usual)
        else:
            return
        raise UsageError(what, where="estimator", fix=line)

    def _routed(self, sample_weight: Any, params: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """What goes to the estimator inside, and what to the splitter."""
        if get_config()["enable_metadata_routing"]:
            routed = process_routing(self, "fit", sample_weight=sample_weight, **params)
            return routed.estimator.fit, routed.splitter.split
        to_fit = {name: value for name, value in params.items() if name != "groups"}
        self._check_keywords(to_fit)
        to_split = {} if params.get("groups") is None else {"groups": params["groups"]}
        if sample_weight is None:
            return to_fit, to_split
        if has_fit_parameter(self.estimator, "sample_weight"):
            return {**to_fit, "sample_weight": sample_weight}, to_split
        warnings.warn(
            f"{type(self.estimator).__name__} takes no sample_weight, so that weights count in the recalibration and the "
            "rule alone; of a pipeline, route them: sklearn.set_config(enable_metadata_routing=True)",
            stacklevel=4,
        )
        return to_fit, to_split

    def _check_keywords(self, given: dict[str, Any]) -> None:
        """Refuse keywords that the estimator inside does not take; one that takes any, as a pipeline, says so itself."""
        parameters = signature(self.estimator.fit).parameters
        if not any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
            known = dict.fromkeys(("sample_weight", "groups", *parameters))
            check_keywords(given, [name for name in known if name not in ("X", "y")], "fit")

    def _fit_on_all(self, rows: FitRows) -> None:
        """Fit the estimator inside on every row that counts."""
        with in_our_words(X=rows.X):
            self.estimator_ = clone(self.estimator).fit(rows.X, rows.y, **rows.to_fit)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))

    def get_metadata_routing(self) -> MetadataRouter:
        """Say what of a fit's metadata goes where, as scikit-learn asks.

        Returns:
            Requests of this estimator, of the one inside, and of the splitter.
        """
        fit = MethodMapping().add(caller="fit", callee="fit")
        split = MethodMapping().add(caller="fit", callee="split")
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(estimator=self.estimator, method_mapping=fit)
            .add(splitter=self.cv, method_mapping=split)
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if hasattr(self.estimator, "__sklearn_tags__") and not isinstance(self.estimator, type):
            tags.input_tags = get_tags(self.estimator).input_tags
        return tags


@strict_class
class CostSensitiveClassifier(ClassifierMixin, _CostSensitive):  # type: ignore[misc]
    """A classifier around another: its probabilities are recalibrated, and its predictions cost least for your costs.

    Clones of the classifier are fitted on all parts of the rows but one, and say what the part left out is likely to be.
    On these answers a map to calibrated probabilities is fitted, and the rule that decides; the classifier is then fitted
    on all rows. No model, map or threshold is judged on rows that made it.

    Args:
        estimator: the classifier, with ``predict_proba`` or ``decision_function``; a pipeline, too.
        costs: `Costs` of yes and no, or `ClassCosts` with a row and a column a class in the order of ``classes_``; every
            mistake costs the same unless given.
        method: how probabilities are put right: "platt", "temperature", "beta" or "isotonic" (see `recalibrate`); None
            leaves them as they are.
        rule: with `Costs`, the threshold that they give ("theory"), the one that costs least on the answers ("practice"),
            or theory unless practice surely costs less ("best").
        cv: the parts: how many, a splitter of scikit-learn, or ready-made splits.
        pos_label: which of two classes is yes, for `Costs`; the second in sorted order unless given.
        n_jobs: how many clones are fitted at a time; one unless given.

    Attributes:
        classes_: the labels in sorted order, (K,).
        estimator_: the classifier that was fitted on all rows.
        recalibration_: the map from what it says to probabilities, a `Recalibration`; None where there is none.
        decision_: what each rule costs on rows that did not make it, a `Decision` or an `ActDecision`; None without costs.
        threshold_: the probability of yes from which yes is predicted; NaN where no threshold decides.
        n_features_in_, feature_names_in_: of the classifier, where it has them.

    Source:
        Elkan 2001, The foundations of cost-sensitive learning; Platt 1999, Probabilistic outputs for support vector
        machines.

    Example:
        >>> import goodmeasure as gm
        >>> from sklearn.datasets import load_breast_cancer
        >>> from sklearn.naive_bayes import GaussianNB
        >>> X, y = load_breast_cancer(return_X_y=True)
        >>> costs = gm.Costs(false_negative=40, false_positive=5)  # 0 is malignant
        >>> model = gm.CostSensitiveClassifier(GaussianNB(), costs, pos_label=0).fit(X, y)
        >>> model.decision_.verdict
        'act when p >= 0.057... (practice)'
    """

    _sort, _other_kind, _usual = (
        "classifier",
        staticmethod(is_regressor),
        "sklearn.linear_model.LogisticRegression()",
    )
    classes_: Labels
    recalibration_: Recalibration | None
    decision_: Decision | ActDecision | None
    threshold_: float

    def __init__(
        self,
        estimator: Any,
        costs: Costs | ClassCosts | None = None,
        *,
        method: str | None = "platt",
        rule: str = "best",
        cv: Any = 5,
        pos_label: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.costs = costs
        self.method = method
        self.rule = rule
        self.cv = cv
        self.pos_label = pos_label
        self.n_jobs = n_jobs

    def __sklearn_tags__(self) -> Any:
        known = hasattr(self.estimator, "__sklearn_tags__") and not isinstance(self.estimator, type)
        tags, inner = super().__sklearn_tags__(), get_tags(self.estimator).classifier_tags if known else None
        tags.classifier_tags.multi_class = inner is None or inner.multi_class
        # What serves costs need not often be right.
        tags.classifier_tags.poor_score = self.costs is not None
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any) -> Self:
        """Cross-fit the classifier, recalibrate it, and set the rule.

        Rows of weight zero are not there, whatever they hold.

        Args:
            X: rows as the classifier takes them, (n, features).
            y: labels, (n,), of at least two classes.
            sample_weight: how much each row counts, (n,), in the fits, the recalibration and the rule; all alike unless
                given.
            **params: ``groups``, (n,), keys of rows that go together, for a splitter such as ``GroupKFold`` and the
                intervals of costs; and what else the classifier's ``fit`` takes. With metadata routing, what was requested.

        Returns:
            The estimator itself.

        Raises:
            GM003: y has another length than X, or holds several labels a row.
            GM004: a label is missing or complex, or y holds amounts.
            GM006: a weight is negative or not finite, or all are zero.
            GM007: there is nothing to make probabilities of: no ``predict_proba``, and no recalibration.
            GM009: the estimator is no classifier, a parameter is none of its words, costs differ from row to row, there are
                fewer than two splits, or X holds what the classifier does not read.
            GM602: only one class occurs.
            GM704: a recalibration that has no finite best map was asked for.
            GM711: the costs are for another number of classes.
            ValueError: y holds NaN, by scikit-learn's own checks.
        """
        rows = self._rows(X, y, sample_weight, params)
        in_order(labels_in(rows.y, "y"))  # refuses labels that are missing, or have no order
        check_labels(rows.y)
        self.classes_, code = np.unique(rows.y, return_inverse=True)
        self._check()
        heard = rows.cross_fitted(self.estimator, self.cv, self._says, self.n_jobs, classifier=True)
        target = (code == self._yes).astype(np.float64) if self._is_of_two else code

        def fitted(row: Places, said: Floats) -> Recalibration:
            weight, method = rows.weight_of(row), cast(Method, self.method)
            return recalibrate(target[row], said, method, sample_weight=weight, raw=self._takes_scores)

        p, self.recalibration_ = (heard.said, None) if self.method is None else heard.recalibrated(fitted)
        self.decision_ = None if self.costs is None else rows.decided(heard.row, target, p, self.costs)
        self.threshold_ = self._threshold()
        self._fit_on_all(rows)
        return self

    def _check(self) -> None:
        """Refuse what cannot be fitted, before anything is."""
        if len(self.classes_) < 2:
            raise NothingToLearn(
                "only one class occurs in y",
                seen=f"the labels are {shorter(self.classes_.tolist())}",
                fix="include rows of another class",
            )
        if self.rule not in RULES:
            raise UsageError(f"rule={self.rule!r}", fix=f"one of {', '.join(RULES)}")
        if self._takes_scores and (self.method is None or not hasattr(self.estimator, "decision_function")):
            raise NoSuchReading(
                f"{type(self.estimator).__name__} has no predict_proba, and its scores are not recalibrated",
                fix="method='platt', of a classifier with decision_function",
            )
        self._check_costs()

    def _check_costs(self) -> None:
        """Refuse costs of another kind, or of another number of classes."""
        if not isinstance(self.costs, Costs | ClassCosts | None):
            raise UsageError(
                f"costs={self.costs!r} are no costs of classes",
                fix="costs = gm.Costs(false_negative=40, false_positive=5)",
            )
        wanted = 2 if isinstance(self.costs, Costs) else None if self.costs is None else len(self.costs.matrix)
        if wanted not in (None, len(self.classes_)):
            raise CostsDoNotFit(
                f"costs are for {wanted} classes, and y has {len(self.classes_)}",
                seen=shorter(self.classes_.tolist()),
                fix="gm.ClassCosts(table), a row a class in the order of the sorted labels",
            )
        if isinstance(self.costs, Costs) and self.costs.per_row:
            raise UsageError(
                "costs that differ from row to row are those of the rows to fit, and new rows have others",
                fix="gm.bayes_act(model.predict_proba(X)[:, 1], costs_of_X)",
            )

    @property
    def _takes_scores(self) -> bool:
        """Whether the classifier gives scores that are no probabilities."""
        return not hasattr(self.estimator, "predict_proba")

    @property
    def _is_of_two(self) -> bool:
        return len(self.classes_) == 2

    @property
    def _yes(self) -> int:
        """Which of two classes is yes."""
        return int(np.argmax(self.classes_ == label_of_yes(self.classes_, self.pos_label, self.costs)))

    def _says(self, model: Any, X: Any) -> Floats:
        """The scores or probabilities of a model, of yes or of each class; a class that it does not know has none."""
        if self._takes_scores:
            found = np.asarray(model.decision_function(X), dtype=np.float64)
            if len(model.classes_) < len(self.classes_):
                raise NothingToLearn("a part of the rows lacks a class", seen=f"it has {model.classes_}", fix="cv=2")
            return found * (1 if self._yes else -1) if self._is_of_two else found
        given = np.asarray(model.predict_proba(X), dtype=np.float64)
        table = np.zeros((len(given), len(self.classes_)))
        table[:, codes(np.asarray(model.classes_), self.classes_, "classes_")] = _within(given)
        return table[:, self._yes] if self._is_of_two else table

    def _threshold(self) -> float:
        if not isinstance(self.decision_, Decision):
            return 0.5 if self.costs is None and self._is_of_two else float("nan")
        rules = {"theory": self.decision_.theory, "practice": self.decision_.practice, "best": self.decision_.best}
        return rules[self.rule].threshold

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Give recalibrated probabilities of the classes.

        Args:
            X: rows as the classifier takes them, (n, features).

        Returns:
            Probabilities in the order of ``classes_``, (n, K).
        """
        check_is_fitted(self)
        check_table(X)
        with in_our_words(self.estimator_, X=X):
            said = self._says(self.estimator_, X)
        p = said if self.recalibration_ is None else self.recalibration_(said)
        if not self._is_of_two:
            return p
        return np.column_stack([1 - p, p] if self._yes else [p, 1 - p])

    def act(self, X: ArrayLike) -> NDArray[np.intp]:
        """Give the act of least expected cost for each row, as a number: also to ask, which is no label.

        Args:
            X: rows as the classifier takes them, (n, features).

        Returns:
            Acts, (n,). For `Costs` 0 is to leave, 1 to act and 2 to ask, where that has a price; else columns of the table
            of costs, or classes where there are no costs.
        """
        p = self.predict_proba(X)
        if isinstance(self.costs, ClassCosts):
            return bayes_act(p, self.costs)
        if not self._is_of_two:
            return np.asarray(p.argmax(axis=1), dtype=np.intp)
        of_yes = p[:, self._yes]
        if isinstance(self.costs, Costs) and self.costs.ask is not None and self.threshold_ == self.costs.threshold:
            return bayes_act(of_yes, self.costs)
        return np.asarray(of_yes >= self.threshold_, dtype=np.intp)

    def predict(self, X: ArrayLike) -> Labels:
        """Give the label whose naming costs least on average.

        Args:
            X: rows as the classifier takes them, (n, features).

        Returns:
            Labels, (n,): naming yes is to act, and naming no to leave.

        Raises:
            GM009: an act is to ask, or another that is the name of no class: `act` gives it.
        """
        acts = self.act(X)
        if isinstance(self.costs, ClassCosts) and self.costs.matrix.shape[1] != len(self.classes_):
            raise UsageError("acts that are no classes have no labels", fix="model.act(X)")
        if self._is_of_two and (acts > 1).any():
            raise UsageError(
                "to ask is no label",
                seen=f"{int((acts > 1).sum()):,} of {len(acts):,} rows are to be asked",
                fix="model.act(X)",
            )
        if self._is_of_two and not isinstance(self.costs, ClassCosts):
            acts = np.where(acts == 1, self._yes, 1 - self._yes)
        return np.asarray(self.classes_[acts])

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Give minus the mean cost of the predictions, or without costs the share that is right: higher is better.

        Args:
            X: rows as the classifier takes them, (n, features).
            y: labels, (n,).
            sample_weight: how much each row counts, (n,); all alike unless given.

        Returns:
            The score.
        """
        if self.costs is None:
            return float(accuracy_score(y, self.predict(X), sample_weight=sample_weight))
        y = column_or_1d(y)
        price = SklearnCosts(self.costs, tuple(self.classes_.tolist()), self.pos_label)
        return -price(y, self.predict(X), sample_weight=sample_weight)


@strict_class
class CostSensitiveRegressor(RegressorMixin, _CostSensitive):  # type: ignore[misc]
    """A regressor around another: its amounts are recalibrated, and its predictions cost least for your costs.

    Clones of the regressor are fitted on all parts of the rows but one, and predict the part left out. On these predictions
    a map to the mean is fitted, and the shift that the costs ask for, a quantile of what is missed; the regressor is then
    fitted on all rows.

    Args:
        estimator: the regressor; a pipeline, too.
        costs: what a unit too little and a unit too much cost; the mean is predicted unless given.
        method: how amounts are put right: "linear" (slope and intercept) or "isotonic" (any increasing map, which stays
            within the amounts that were seen); None leaves them as they are.
        cv: the parts: how many, a splitter of scikit-learn, or ready-made splits.
        n_jobs: how many clones are fitted at a time; one unless given.

    Attributes:
        estimator_: the regressor that was fitted on all rows.
        recalibration_: the map from its predictions to amounts; None where there is none.
        decision_: what the rule costs on rows that did not make it, an `ActDecision`; None without costs.
        shift_: what is added to the recalibrated amount, in its unit; 0 without costs.
        n_features_in_, feature_names_in_: of the regressor, where it has them.

    Source:
        Mincer and Zarnowitz 1969, The evaluation of economic forecasts; Koenker and Bassett 1978, Regression quantiles.

    Example:
        >>> import goodmeasure as gm
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn.linear_model import Ridge
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = gm.CostSensitiveRegressor(Ridge(alpha=0.1), gm.UnderOverCosts(under=3, over=1)).fit(X, y)
        >>> 0.7 < (y <= model.predict(X)).mean() < 0.8  # the costs ask for the quantile at .75
        np.True_
    """

    _sort, _other_kind, _usual = "regressor", staticmethod(is_classifier), "sklearn.linear_model.Ridge()"
    recalibration_: AmountMap | None
    decision_: ActDecision | None
    shift_: float

    def __init__(
        self,
        estimator: Any,
        costs: UnderOverCosts | None = None,
        *,
        method: str | None = "linear",
        cv: Any = 5,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.costs = costs
        self.method = method
        self.cv = cv
        self.n_jobs = n_jobs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # What serves costs need not be near the mean.
        tags.regressor_tags.poor_score = self.costs is not None
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any) -> Self:
        """Cross-fit the regressor, recalibrate it, and set the rule.

        Rows of weight zero are not there, whatever they hold.

        Args:
            X: rows as the regressor takes them, (n, features).
            y: amounts, (n,).
            sample_weight: how much each row counts, (n,), in the fits, the recalibration and the rule; all alike unless
                given.
            **params: ``groups``, (n,), keys of rows that go together, for a splitter such as ``GroupKFold`` and the
                intervals of costs; and what else the regressor's ``fit`` takes. With metadata routing, what was requested.

        Returns:
            The estimator itself.

        Raises:
            GM003: y has another length than X, or holds several targets a row.
            GM004: a target is a text, a date or else no number.
            GM006: a weight is negative or not finite, or all are zero.
            GM009: the estimator is no regressor, a parameter is none of its words, or there are fewer than two splits.
            GM706: amounts are so large or so small that their squares are not numbers.
            ValueError: y holds NaN, by scikit-learn's own checks.
        """
        rows = self._rows(X, y, sample_weight, params)
        if not isinstance(self.costs, UnderOverCosts | None):
            raise UsageError(
                f"costs={self.costs!r} are no costs of amounts", fix="costs = gm.UnderOverCosts(under=3, over=1)"
            )
        target = numbers_in(rows.y, "a regressor").astype(np.float64)
        heard = rows.cross_fitted(self.estimator, self.cv, _amounts, self.n_jobs, classifier=False)

        def fitted(row: Places, said: Floats) -> AmountMap:
            return recalibrate_amounts(target[row], said, cast(AmountMethod, self.method), rows.weight_of(row))

        amount, self.recalibration_ = (heard.said, None) if self.method is None else heard.recalibrated(fitted)
        self.decision_ = None if self.costs is None else rows.decided(heard.row, target, amount, self.costs)
        shift = None if self.decision_ is None else self.decision_.shift
        self.shift_ = 0.0 if shift is None else shift.value
        self._fit_on_all(rows)
        return self

    def amount(self, X: ArrayLike) -> Floats:
        """Give the recalibrated amount, before the shift that the costs ask for.

        Args:
            X: rows as the regressor takes them, (n, features).

        Returns:
            Amounts in the unit of the target, (n,).
        """
        check_is_fitted(self)
        check_table(X)
        with in_our_words(self.estimator_, X=X):
            said = _amounts(self.estimator_, X)
        return said if self.recalibration_ is None else self.recalibration_(said)

    def predict(self, X: ArrayLike) -> Floats:
        """Give the amount that costs least on average.

        Args:
            X: rows as the regressor takes them, (n, features).

        Returns:
            Amounts in the unit of the target, (n,).
        """
        return self.amount(X) + self.shift_

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Give minus the mean cost of the predictions, or R squared without costs: higher is better.

        Args:
            X: rows as the regressor takes them, (n, features).
            y: amounts, (n,).
            sample_weight: how much each row counts, (n,); all alike unless given.

        Returns:
            The score.
        """
        if self.costs is None:
            return float(r2_score(y, self.predict(X), sample_weight=sample_weight))
        y = column_or_1d(y)
        return -SklearnCosts(self.costs)(y, self.predict(X), sample_weight=sample_weight)


def _amounts(model: Any, X: Any) -> Floats:
    return np.asarray(column_or_1d(model.predict(X)), dtype=np.float64)


def _within(p: Floats) -> Floats:
    """Probabilities that rounding moved out of [0, 1], moved back; what lies further out is refused where it is read."""
    return np.where(np.abs(p - 0.5) <= 0.5 + _ROUNDING, np.clip(p, 0, 1), p)
