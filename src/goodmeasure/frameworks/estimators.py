"""Models of boosters at the door: what they are, and whether they fit a loss and its targets, in words of our own.

A host notices a wrong model or wrong labels late, in its own words, or never. It is not imported for that: a model says by its
classes whose it is.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import currentframe, signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.deriving.arguments import numeric
from goodmeasure.deriving.mending import numbered, one_against_others, several_labels
from goodmeasure.errors import (
    NothingToLearn,
    TargetOutsideDomain,
    UsageError,
    shorter,
    with_article,
)
from goodmeasure.fitting.features import check_columns, names_of, only_numbers
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.arrays import array_of, check_rows, check_table, one_a_row
from goodmeasure.statistics.row_arguments import present
from goodmeasure.strict.calls import check_keywords


@dataclass(frozen=True)
class Host:
    """A booster: the function that makes its objectives, and what it calls its models. ``low`` are those below its estimators.

    By ``aliases`` of its objective an estimator is given another that ours cannot replace; ``own`` are those that it sets itself.
    One ``ends_the_process`` where a frame of Arrow's kind holds anything but numbers.
    """

    name: str
    package: str
    base: str
    regressor: str
    classifier: str
    columns: Callable[[Any], tuple[int, list[str] | None]]
    low: str = ""
    objective: str = "objective"
    aliases: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    takes_constants: bool = True
    ends_the_process: bool = False

    @property
    def to(self) -> str:
        """The function that makes objectives for it."""
        return f"gm.to_{self.package}"

    def is_estimator(self, model: Any) -> bool:
        """Whether this is one of its estimators that predicts amounts or classes, fitted or not."""
        kinds = _kinds(model)
        return f"{self.package}.{self.base}" in kinds and not any(kind.endswith("Ranker") for kind in kinds)

    def is_low(self, model: Any) -> bool:
        """Whether this is a model below the estimators, which its training function gives."""
        return bool(self.low) and f"{self.package}.{self.low}" in _kinds(model)

    def model_for(self, loss: Loss) -> str:
        """The estimator that goes with a loss."""
        return self.classifier if is_of_labels(loss) else self.regressor

    def takes(self, loss: Loss) -> bool:
        """Whether it trains a loss: CatBoost, none with several raw outputs."""
        return self is not CATBOOST or (not loss.is_classwise and len(loss.activation) == 1)

    def _fit(self, loss: Loss, model: Any = None) -> str:
        """The call that fits a loss, with the model at hand if it is one for it."""
        fits = model is not None and _classifies(model) == is_of_labels(loss)
        return f"{self.to}(loss).fit({'model' if fits else f'{self.package}.{self.model_for(loss)}()'}, X, y)"

    # --- fit ---

    def check_fit(self, loss: Loss, model: Any, X: Any, y: Any, weight: Any, more: dict[str, Any]) -> None:
        """Refuse a model and targets that the loss is not for, before anything is made of them; say which objective goes."""
        self.check_model(loss, model)
        check_keywords(more, _keywords(model), "fit")
        self._check_column(loss, X, y, weight)
        for rows, targets in _pairs(more.get("eval_set")):
            self._check_column(loss, rows, targets, None)
            numeric(array_of(targets, "y"), loss)
            self._check_cells(rows)
        self._check_cells(X)
        self._check_objective(loss, model)

    def _check_cells(self, X: Any) -> None:
        """Refuse cells that the host would not survive."""
        if self.ends_the_process:
            only_numbers(X)

    def _check_column(self, loss: Loss, X: Any, y: Any, weight: Any) -> None:
        """Refuse targets that are no column beside the rows, and labels of several classes where the loss is of yes and no."""
        if y is None:
            raise UsageError("y is None, a column is needed", where="y", fix="give y, one value a row")
        column = array_of(y, "y")
        check_rows(X, column)
        one_a_row(column, "y")
        if not loss.is_binary:
            return
        labels = several_labels(present(weight, y=column)["y"])
        if labels:
            raise TargetOutsideDomain(
                f"{loss} is for yes or no, and y holds {len(labels)} labels",
                where="y",
                seen=f"labels {shorter(labels)}",
                fix=self._for_classes(labels),
            )

    def _for_classes(self, labels: list[Any]) -> str:
        """The line that trains a loss of classes on labels, or one of yes and no on one of them."""
        if self is CATBOOST:
            return one_against_others(labels, "y")
        y = "y" if labels == [*range(len(labels))] else numbered("y")
        return f"{self.to}(gm.losses.cross_entropy()).fit({self.package}.{self.classifier}(), X, {y})"

    def _check_objective(self, loss: Loss, model: Any) -> None:
        """Say that an objective of the model's own is replaced; refuse one by another name, which the host would prefer."""
        params = model.get_params()
        other = next((name for name in self.aliases if name in params), None)
        if other is not None:
            raise UsageError(
                f"{_what(model)} was given {other}={shorter(params[other])}, which {self.name} trains in place of {loss}",
                where="model",
                fix=self._fit(loss),
            )
        given = params.get(self.objective)
        if given is None or given in (_default(model, self.objective), *self.own):
            return
        if not isinstance(getattr(given, "loss", None), Loss):
            warnings.warn(
                f"{self.objective}={shorter(given)} of {_what(model)} is replaced: it trains {loss}", stacklevel=5
            )

    def check_model(self, loss: Loss, model: Any) -> None:
        """Refuse a model of another booster, and one for labels beside a loss of amounts."""
        fix = self._fit(loss)
        if not self.is_estimator(model):
            raise UsageError(
                f"an objective of {self.name} trains {self.regressor} and {self.classifier}",
                where="model",
                seen=_what(model),
                fix=next(
                    (host._fit(loss, model) for host in HOSTS if host.is_estimator(model) and host.takes(loss)), fix
                ),
            )
        self._check_kind(loss, model)

    def check_asking(self, loss: Loss) -> None:
        """Refuse an estimator that trains on the objective by its own ``fit``, and is for targets of another kind."""
        model = asking(self.is_estimator)
        if model is not None:
            self._check_kind(loss, model)

    def _check_kind(self, loss: Loss, model: Any) -> None:
        """Refuse a model for labels beside a loss of amounts, and one for amounts beside a loss of classes."""
        fix = self._fit(loss)
        classifies = _classifies(model)
        if classifies and not is_of_labels(loss):
            raise UsageError(f"{loss} is about amounts, and {_what(model)} is for labels", where="model", fix=fix)
        if loss.is_classwise and not classifies:
            raise UsageError(f"{loss} is about classes, and {_what(model)} is for amounts", where="model", fix=fix)

    def check_targets(self, loss: Loss, model: Any, y: Any, weight: Any) -> None:
        """Refuse targets of which nothing is learned, and those that a classifier would read otherwise than the loss did."""
        labels = np.unique(present(weight, y=array_of(y, "y"))["y"])
        if len(labels) == 1 and (is_of_labels(loss) or not self.takes_constants):
            raise NothingToLearn(
                f"all targets are {shorter(labels.tolist()[0])}, of which nothing is learned",
                where="y",
                fix="look at the filter that made the table",
            )
        if is_of_labels(loss) and _classifies(model):
            self._check_labels(loss, labels, np.unique(np.asarray(y)))

    def _check_labels(self, loss: Loss, labels: NDArray[Any], every: NDArray[Any]) -> None:
        """Labels as a classifier of the booster numbers them: from 0 on, each of them there."""
        if loss.is_binary and not np.isin(labels, (0, 1)).all():
            fix = f"{self.to}(loss).fit({self.package}.{self.regressor}(), X, y)"
            raise UsageError(f"targets are shares, and {self.classifier} takes labels", where="y", fix=fix)
        if loss.is_binary and not np.isin(every, (0, 1)).all():
            raise TargetOutsideDomain(
                f"{self.classifier} reads the labels of rows of weight 0 too",
                where="y",
                seen=f"labels {shorter(every.tolist())}",
                fix="there = sample_weight > 0; X, y, sample_weight = X[there], y[there], sample_weight[there]",
            )
        if not loss.is_classwise:
            return
        if not np.array_equal(every, np.arange(len(every))):
            raise TargetOutsideDomain(
                f"{self.classifier} numbers classes from 0 on, and each of them is there",
                where="y",
                seen=f"labels {shorter(every.tolist())}",
                fix="y = numpy.unique(y, return_inverse=True)[1]",
            )
        if len(labels) == 2:
            raise UsageError(
                f"{loss} has a raw output a class, and of two classes {self.classifier} has one",
                where="y",
                fix=f"{self.to}(gm.losses.binary_cross_entropy()).fit({self.package}.{self.classifier}(), X, y)",
            )

    # --- predict ---

    def check_predict(self, loss: Loss, model: Any, X: Any) -> None:
        """Refuse what is no fitted model of this booster, or one that was trained on another loss."""
        table = f"{self.package}.DMatrix" in _kinds(X)
        if self.is_low(model):
            if self.package == "xgboost" and not table:
                raise UsageError(
                    "a Booster of XGBoost takes its rows as a DMatrix",
                    where="X",
                    seen=_what(X),
                    fix="objective.predict(model, xgboost.DMatrix(X))",
                )
            if not table:
                self._check_rows(model, X)
            return
        if not self.is_estimator(model):
            swapped = self.is_estimator(X) or self.is_low(X)
            others = (host.to for host in HOSTS if host.is_estimator(model) or host.is_low(model))
            other = next((f"{to}(loss).predict(model, X)" for to in others), f"model = {self._fit(loss)}")
            raise UsageError(
                f"an objective of {self.name} reads the models that it trained, which `fit` returns",
                where="model",
                seen=_what(model),
                fix="objective.predict(model, X)  # the model first" if swapped else other,
            )
        if not _is_fitted(model):
            raise UsageError(f"{_what(model)} is not fitted", where="model", fix="model = objective.fit(model, X, y)")
        if table:
            raise UsageError(
                "an estimator takes its rows as they are",
                where="X",
                seen=_what(X),
                fix="objective.predict(model.get_booster(), X)",
            )
        trained = getattr(model.get_params().get(self.objective), "loss", loss)
        if trained != loss:
            raise UsageError(
                f"the model was trained on {trained}, and its raw outputs would be read as those of {loss}",
                where="model",
                fix=f"model.get_params()[{self.objective!r}].predict(model, X)",
            )
        self._check_rows(model, X)

    def _check_rows(self, model: Any, X: Any) -> None:
        """Refuse rows that are none, and columns that were not fitted or stand in another order, which hosts let pass."""
        check_table(X)
        n, names = self.columns(model)
        check_columns(X, n, names and _as_given(names, names_of(X) or []))
        self._check_cells(X)


def _of_xgboost(model: Any) -> tuple[int, list[str] | None]:
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    return booster.num_features(), booster.feature_names


def _of_lightgbm(model: Any) -> tuple[int, list[str] | None]:
    booster = getattr(model, "booster_", model)
    return booster.num_feature(), _unless_made_up(booster.feature_name(), "Column_")


def _of_catboost(model: Any) -> tuple[int, list[str] | None]:
    return len(model.feature_names_), _unless_made_up(model.feature_names_, "")


def _as_given(names: list[str], given: list[str]) -> list[str]:
    """The names that a host keeps, as the rows spell them: LightGBM writes lines in place of blanks."""
    spelled = {name.replace(" ", "_"): name for name in given}
    return [name if name in given else spelled.get(name, name) for name in names]


def _unless_made_up(names: list[str], start: str) -> list[str] | None:
    """The names of a model's columns, unless the host made them up of their places."""
    return None if names == [f"{start}{place}" for place in range(len(names))] else names


XGBOOST = Host(
    "XGBoost", "xgboost", "XGBModel", "XGBRegressor", "XGBClassifier", _of_xgboost, "Booster", own=("multi:softprob",)
)
LIGHTGBM = Host(
    "LightGBM",
    "lightgbm",
    "LGBMModel",
    "LGBMRegressor",
    "LGBMClassifier",
    _of_lightgbm,
    "Booster",
    aliases=("objective_type", "app", "application", "loss"),
    ends_the_process=True,
)
CATBOOST = Host(
    "CatBoost",
    "catboost",
    "CatBoost",
    "CatBoostRegressor",
    "CatBoostClassifier",
    _of_catboost,
    objective="loss_function",
    aliases=("objective",),
    takes_constants=False,
)
HOSTS = (XGBOOST, LIGHTGBM, CATBOOST)


def asking(wanted: Callable[[Any], bool]) -> Any:
    """The estimator in whose fit this is called, or None.

    A host tells an objective nothing of its estimator, and numbers labels from 0 on: to a loss of amounts these are amounts.
    """
    frame = currentframe()
    while frame is not None:
        held = frame.f_locals.get("self")
        if held is not None and wanted(held):
            return held
        frame = frame.f_back
    return None


def _pairs(given: Any) -> Iterator[tuple[Any, Any]]:
    """Rows and targets to evaluate on, where they are given as pairs."""
    for each in [given] if isinstance(given, tuple) else given or ():
        if isinstance(each, tuple | list) and len(each) == 2:
            yield each[0], each[1]


def is_of_labels(loss: Loss) -> bool:
    """Whether the targets of a loss are labels, and not amounts."""
    return loss.is_binary or loss.is_classwise


def _kinds(model: Any) -> set[str]:
    """The classes of a thing, each with the package that it is of."""
    return {f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(model).__mro__}


def _what(given: Any) -> str:
    """What was given, in a word or two."""
    return f"the class {given.__name__}" if isinstance(given, type) else with_article(type(given).__name__)


def _classifies(model: Any) -> bool:
    return hasattr(model, "predict_proba")


def _keywords(model: Any) -> list[str]:
    """What an estimator's own ``fit`` takes besides rows and targets."""
    return [name for name in signature(model.fit).parameters if name not in ("X", "y")]


def _default(model: Any, name: str) -> Any:
    """What an estimator's parameter is where nobody said it; None where it has none of this name."""
    for kind in type(model).__mro__:
        known = signature(kind.__init__).parameters.get(name)  # type: ignore[misc]
        if known is not None:
            return known.default
    return None


def _is_fitted(model: Any) -> bool:
    asked = getattr(model, "__sklearn_is_fitted__", None) or model.is_fitted
    return bool(asked())
