"""Wrong calls of every host: is each refused in our words, with a line that mends it when it is run as it stands?"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import jax
import keras
import numpy as np
import pytest
import sklearn
import torch
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV, cross_val_score

import goodmeasure as gm
from catalogue_losses import everything, ids
from goodmeasure.errors import Problem, TargetOutsideDomain, UsageError
from goodmeasure.frameworks.estimators import HOSTS

L = gm.losses
BINARY, CLASSES, AMOUNTS = L.binary_cross_entropy(), L.cross_entropy(), L.huber()
COSTS, UNITS = gm.Costs(false_negative=40, false_positive=5), gm.UnderOverCosts(under=3, over=1)
N = 60
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(N, 2))
Z = RANDOM.normal(size=N)
YES = (X[:, 0] + RANDOM.normal(size=N) > 0).astype(float)
THREE = np.arange(N) % 3
TEXTS = np.where(YES > 0, "well", "ill")
FEW = {
    "xgboost": {"n_estimators": 2, "n_jobs": 1},
    "lightgbm": {"n_estimators": 2, "n_jobs": 1, "verbose": -1},
    "catboost": {"iterations": 2, "verbose": 0, "thread_count": 1, "allow_writing_files": False},
}


def small(package: str, kind: str) -> Callable[..., Any]:
    """An estimator of a booster that is small where nothing else is said."""
    return lambda **more: getattr(importlib.import_module(package), kind)(**{**FEW[package], **more})


BOOSTERS = {
    host.package: SimpleNamespace(**{kind: small(host.package, kind) for kind in (host.regressor, host.classifier)})
    for host in HOSTS
    if importlib.util.find_spec(host.package)
}
TO = {"xgboost": gm.to_xgboost, "lightgbm": gm.to_lightgbm, "catboost": gm.to_catboost}
pytestmark = pytest.mark.filterwarnings("ignore")


def mended(call: Callable[[dict[str, Any]], Any], known: dict[str, Any], refused: Problem) -> Any:
    """What the call gives once the line that fixes was run as it stands; a line that is a call gives its own."""
    scope = {"gm": gm, "numpy": np, "jax": jax, "torch": torch, "sklearn": sklearn, **BOOSTERS, **known}
    try:
        return eval(refused.fix, scope)
    except SyntaxError:
        exec(refused.fix, scope)
    return call(scope)


@dataclass(frozen=True)
class Host:
    """How a host is called with a loss, what it calls targets and raw outputs, and how these are given."""

    call: Callable[[dict[str, Any]], Any]
    target: str = "y"
    raw: str = "z"
    array: Callable[[Any], Any] = field(default=np.asarray)


def fitted(known: dict[str, Any], package: str, regressor: str, classifier: str) -> Any:
    """A small model of a booster on the targets at hand."""
    loss = known["loss"]
    kind = classifier if loss.is_binary or loss.is_classwise else regressor
    return TO[package](loss).fit(getattr(BOOSTERS[package], kind)(), known["X"], known["y"])


ARRAYS = {
    "the loss itself": Host(lambda k: k["loss"](k["y"], k["z"])),
    "JAX": Host(
        lambda k: gm.to_jax(k["loss"], reduction="mean")(k["predictions"], k["labels"]), "labels", "predictions"
    ),
    "Keras": Host(lambda k: gm.to_keras(k["loss"])(k["y_true"], k["y_pred"]), "y_true", "y_pred"),
    "torch": Host(lambda k: gm.to_torch(k["loss"])(k["input"], k["target"]), "target", "input", torch.as_tensor),
}
MODELS = {
    "LossRegressor": Host(lambda k: gm.LossRegressor(k["loss"]).fit(k["X"], k["y"])),
    "CostSensitiveRegressor": Host(lambda k: gm.CostSensitiveRegressor(Ridge(), UNITS).fit(k["X"], k["y"])),
    **{
        host.name: Host(lambda k, host=host: fitted(k, host.package, host.regressor, host.classifier))
        for host in HOSTS
        if host.package in BOOSTERS and host.package != "catboost"
    },
}
DATES = np.datetime64("2024-01-01") + np.arange(N) * np.timedelta64(1, "D")
NO_NUMBERS = {
    "texts": TEXTS,
    "a list of texts": TEXTS.tolist(),
    "texts as objects": TEXTS.astype(object),
    "bytes": np.where(YES > 0, b"well", b"ill"),
    "texts of numbers": np.where(YES > 0, "1.0", "0.0"),
    "dates": DATES,
    "dates as objects": [datetime(2024, 1, 1 + i % 28) for i in range(N)],
    "lengths of time": np.arange(N) * np.timedelta64(1, "h"),
    "lengths of time as objects": [timedelta(hours=i) for i in range(N)],
    "complex numbers": YES + 0j,
    "fields": np.array([(value, 0) for value in YES], dtype=[("a", float), ("b", int)]),
}
# No line can mend what is not there: the matter is named.
NOTHING = {
    "None": None,
    "lists of several lengths": [[1.0], [1.0, 2.0]] * (N // 2),
    "a generator": iter(()),
    "a dict": {"a": 1},
    "a set": {1.0, 2.0},
    "a text": "yes",
}
PAIRS = [(name, host) for name, host in {**ARRAYS, **MODELS}.items()]


def scope_of(host: Host, loss: gm.Loss, y: Any) -> dict[str, Any]:
    raw = RANDOM.normal(size=(N, 3)) if loss.is_classwise else Z
    return {"loss": loss, "X": X, host.target: y, host.raw: host.array(raw)}


@pytest.mark.parametrize("y", NO_NUMBERS.values(), ids=NO_NUMBERS)
@pytest.mark.parametrize("loss", [BINARY, AMOUNTS], ids=str)
@pytest.mark.parametrize(("name", "host"), PAIRS, ids=[name for name, _ in PAIRS])
def test_targets_that_are_no_numbers_are_named_and_mended(name: str, host: Host, loss: gm.Loss, y: Any) -> None:
    known = scope_of(host, loss, y)
    with pytest.raises(Problem) as refused:
        host.call(known)
    found = mended(host.call, known, refused.value)
    assert hasattr(found, "predict") or np.isfinite(float(found))


@pytest.mark.parametrize("y", NOTHING.values(), ids=NOTHING)
@pytest.mark.parametrize("loss", [BINARY, AMOUNTS, CLASSES], ids=str)
@pytest.mark.parametrize(("name", "host"), PAIRS, ids=[name for name, _ in PAIRS])
def test_what_is_no_column_is_named(name: str, host: Host, loss: gm.Loss, y: Any) -> None:
    with pytest.raises(Problem):
        host.call(scope_of(host, loss, y))


@pytest.mark.parametrize("y", NOTHING.values(), ids=NOTHING)
@pytest.mark.parametrize(
    "model", [gm.LossClassifier(), gm.CostSensitiveClassifier(LogisticRegression(), COSTS)], ids=repr
)
def test_labels_that_are_no_column_are_named(model: Any, y: Any) -> None:
    with pytest.raises(Problem):
        model.fit(X, y)


@pytest.mark.parametrize(
    "y",
    [
        THREE.astype(object),
        np.array([None, "a", "b"] * 20, object),
        np.array([0, "a", "b"] * 20, object),
        DATES,
        Z,
        YES + 0j,
    ],
    ids=["objects", "one missing", "of two types", "dates", "amounts", "complex"],
)
@pytest.mark.parametrize(
    "model", [gm.LossClassifier(), gm.CostSensitiveClassifier(LogisticRegression(), COSTS)], ids=repr
)
def test_odd_labels_are_taken_or_named(model: Any, y: Any) -> None:
    try:
        model.fit(X, y)
    except Problem as problem:
        said = problem.fix
    else:
        said = "taken"
    assert said


WEIGHTS = {
    "JAX weights": lambda given: gm.to_jax(BINARY, reduction="mean")(Z, YES, weights=given),
    "JAX where": lambda given: gm.to_jax(BINARY, reduction="mean")(Z, YES, where=given),
    "Keras": lambda given: gm.to_keras(BINARY)(YES, Z, given),
    "torch weight": lambda given: gm.to_torch(BINARY)(torch.as_tensor(Z), torch.as_tensor(YES), given),
    "torch mask": lambda given: gm.to_torch(BINARY)(torch.as_tensor(Z), torch.as_tensor(YES), mask=given),
    "scikit-learn": lambda given: gm.to_sklearn(BINARY)(YES, np.full(N, 0.5), sample_weight=given),
    "LossRegressor": lambda given: gm.LossRegressor().fit(X, Z, given),
    "LossClassifier": lambda given: gm.LossClassifier().fit(X, YES, given),
    "CostSensitiveClassifier": lambda given: gm.CostSensitiveClassifier(LogisticRegression()).fit(X, YES, given),
    **{
        host.name: lambda given, host=host: TO[host.package](AMOUNTS).fit(
            getattr(BOOSTERS[host.package], host.regressor)(), X, Z, given
        )
        for host in HOSTS
        if host.package in BOOSTERS
    },
}


NO_WEIGHTS = {
    "texts": TEXTS,
    "a list of texts": TEXTS.tolist(),
    "dates": DATES,
    "lists of several lengths": [[1.0], [1.0, 2.0]] * (N // 2),
    "a dict": {"a": 1},
    "too few": [1.0] * 3,
}


@pytest.mark.parametrize("given", NO_WEIGHTS.values(), ids=NO_WEIGHTS)
@pytest.mark.parametrize("call", WEIGHTS.values(), ids=WEIGHTS)
def test_weights_that_are_none_are_named(call: Callable[[Any], Any], given: Any) -> None:
    with pytest.raises(Problem) as refused:
        call(given)
    assert refused.value.fix


# --- arguments in another order ---


@pytest.mark.parametrize("labels", [YES, YES.astype(int), TEXTS], ids=["floats", "whole numbers", "texts"])
@pytest.mark.parametrize(("name", "host"), ARRAYS.items(), ids=ARRAYS)
def test_raw_outputs_and_labels_that_are_exchanged_are_put_right(name: str, host: Host, labels: Any) -> None:
    given = labels if labels is TEXTS else host.array(labels)
    known = {"loss": BINARY, host.target: host.array(3 * Z), host.raw: given}
    with pytest.raises(Problem) as refused:
        host.call(known)
    if labels is TEXTS:
        assert "=" in refused.value.fix
        return  # and then that they are no numbers
    right = host.call({"loss": BINARY, host.target: given, host.raw: host.array(3 * Z)})
    assert float(mended(host.call, known, refused.value)) == pytest.approx(float(right))


@pytest.mark.parametrize(("name", "host"), ARRAYS.items(), ids=ARRAYS)
def test_classes_and_their_raw_outputs_that_are_exchanged_are_put_right(name: str, host: Host) -> None:
    raw = host.array(RANDOM.normal(size=(N, 3)))
    known = {"loss": CLASSES, host.target: raw, host.raw: host.array(THREE)}
    with pytest.raises(Problem) as refused:
        host.call(known)
    right = host.call({"loss": CLASSES, host.target: host.array(THREE), host.raw: raw})
    assert float(mended(host.call, known, refused.value)) == pytest.approx(float(right))


def test_a_traced_step_of_jax_is_not_looked_at() -> None:
    assert np.isnan(jax.jit(gm.to_jax(BINARY, reduction="mean"))(YES, 3 * Z))


@pytest.mark.parametrize("loss", everything(), ids=ids(everything()))
def test_what_a_traced_step_can_only_make_nan_is_named_by_a_check(loss: gm.Loss) -> None:
    wide = 3 if loss.is_classwise else len(loss.activation)
    z = np.linspace(-1, 1, 2 * wide).reshape(2, wide) if loss.is_classwise or wide > 1 else np.array([-0.5, 0.5])
    z = np.stack([z] * loss.labels, axis=-1) if loss.labels else z
    inside = next(value for value in (1.0, 0.5, 2.0) if loss.is_classwise or value in loss.target)
    right = np.full(z.shape[:-1] if loss.is_classwise or wide > 1 else z.shape, inside)
    wrong = np.where(np.arange(right.size).reshape(right.shape) == 0, np.nan, right)
    of_keras, of_jax = gm.to_keras(loss, reduction="none"), gm.to_jax(loss)
    for y, is_lost in ((right, False), (wrong, True)):
        assert np.isnan(np.asarray(of_keras(y, z))).any() == is_lost  # JAX gives the same: tests/test_conformance.py
    of_keras.check(right, z)
    of_jax.check(z, right)
    of_jax.check(z, wrong, where=~np.isnan(wrong))
    for check, given in ((of_keras.check, (wrong, z)), (of_jax.check, (z, wrong))):
        with pytest.raises(TargetOutsideDomain, match="target nan"):
            check(*given)
    with pytest.raises(TargetOutsideDomain, match="not text"):
        gm.to_keras(loss).check(np.full(right.shape, "a"), z)


FITTED = LogisticRegression().fit(X, YES)
PROBABILITIES = FITTED.predict_proba(X)
METRICS = {
    "probabilities of yes": (BINARY, PROBABILITIES[:, 1], YES),
    "probabilities beside texts": (BINARY, PROBABILITIES[:, 1], TEXTS),
    "a column a label": (BINARY, PROBABILITIES, YES),
    "scores": (L.hinge(), FITTED.decision_function(X), YES),
    "classes": (CLASSES, PROBABILITIES, YES),
    "labels from 1 on": (BINARY, PROBABILITIES[:, 1], YES + 1),
}


@pytest.mark.parametrize(("loss", "predicted", "labels"), METRICS.values(), ids=METRICS)
def test_a_metric_whose_arguments_are_exchanged_puts_them_right(loss: gm.Loss, predicted: Any, labels: Any) -> None:
    metric = gm.to_sklearn(loss)
    for judge in (metric, metric.skill):
        known = {"y_true": predicted, "y_pred": labels}
        with pytest.raises(UsageError, match="other way round") as refused:
            judge(**known)
        assert mended(lambda k: judge(k["y_true"], k["y_pred"]), known, refused.value) == judge(labels, predicted)  # noqa: B023


@pytest.mark.parametrize("of", [BINARY, CLASSES, COSTS], ids=repr)
@pytest.mark.parametrize("order", [(0, 2, 1), (1, 0, 2), (2, 1, 0), (1, 2, 0)], ids=str)
def test_a_scorer_whose_arguments_are_exchanged_says_their_order(of: Any, order: tuple[int, ...]) -> None:
    scorer, right = gm.to_sklearn(of).scorer, (FITTED, X, YES)
    with pytest.raises(UsageError, match="in this order") as refused:
        scorer(*(right[i] for i in order))
    known = {"scorer": scorer, "model": FITTED, "X": X, "y": YES}
    assert mended(lambda k: None, known, refused.value) == scorer(*right)


@pytest.mark.parametrize("answers", [PROBABILITIES, PROBABILITIES[:, 1]], ids=["a column a label", "of yes"])
def test_costs_price_answers_and_no_probabilities(answers: Any) -> None:
    price = gm.to_sklearn(COSTS)
    known = {"model": FITTED, "X": X, "y_true": YES, "y_pred": answers}
    for swapped in (False, True):
        given = {**known, "y_true": answers, "y_pred": YES} if swapped else known
        with pytest.raises(UsageError, match="price answers") as refused:
            price(given["y_true"], given["y_pred"])
        assert mended(lambda k: price(k["y_true"], k["y_pred"]), given, refused.value) == price(YES, FITTED.predict(X))
    assert gm.to_sklearn(COSTS, labels=[0.5, 1.5])(YES + 0.5, np.full(N, 0.5)) == 40 * YES.mean()  # labels of one's own


COSTLY = {
    "costs first": lambda kind, model, costs: kind(costs, model),
    "a class": lambda kind, model, costs: kind(type(model), costs),
    "a text": lambda kind, model, costs: kind("model", costs),
    "nothing": lambda kind, model, costs: kind(None, costs),
    "of the other kind": lambda kind, model, costs: kind(
        Ridge() if isinstance(model, LogisticRegression) else LogisticRegression(), costs
    ),
}


@pytest.mark.parametrize("make", COSTLY.values(), ids=COSTLY)
@pytest.mark.parametrize(
    ("kind", "model", "costs"),
    [(gm.CostSensitiveClassifier, LogisticRegression(), COSTS), (gm.CostSensitiveRegressor, Ridge(), UNITS)],
)
def test_estimators_that_carry_costs_name_what_is_no_estimator(make: Any, kind: Any, model: Any, costs: Any) -> None:
    wrong = make(kind, model, costs)
    with pytest.raises(UsageError, match="GM009") as refused:
        wrong.fit(X, YES)
    known = {"model": type(model) if "class" in refused.value.what else model, "costs": costs, "X": X, "y": YES}
    assert len(mended(lambda k: None, known, refused.value).predict(X)) == N
    with pytest.raises(ValueError, match="GM009"):
        cross_val_score(wrong, X, YES, cv=2)


# --- losses and targets of another kind ---

LABELS = {
    "0, 1, 2": THREE,
    "1, 2, 3": THREE + 1,
    "texts": np.array(["a", "b", "c"])[THREE],
    "texts as objects": np.array(["a", "b", "c"], dtype=object)[THREE],
    "floats": THREE.astype(float),
}


@pytest.mark.parametrize("y", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("kind", ["regressor", "classifier"])
@pytest.mark.parametrize("host", [h for h in HOSTS if h.package in BOOSTERS], ids=lambda host: host.name)
def test_labels_of_three_classes_and_a_loss_of_yes_and_no_have_a_way(host: Any, kind: str, y: Any) -> None:
    model = getattr(BOOSTERS[host.package], getattr(host, kind))()
    with pytest.raises(TargetOutsideDomain, match="3 labels") as refused:
        TO[host.package](BINARY).fit(model, X, y)
    found = mended(lambda k: TO[host.package](BINARY).fit(model, X, k["y"]), {"X": X, "y": y}, refused.value)
    assert len(found.predict(X)) == N


@pytest.mark.parametrize("y", LABELS.values(), ids=LABELS)
def test_histogram_boosting_has_a_way_for_labels_of_three_classes(y: Any) -> None:
    with pytest.raises(TargetOutsideDomain, match="3 labels") as refused:
        HistGradientBoostingClassifier(loss=gm.to_hist_gradient_boosting(BINARY), max_iter=2).fit(X, y)
    assert mended(lambda k: None, {"X": X, "y": y}, refused.value).predict_proba(X).shape == (N, 3)


@pytest.mark.parametrize("loss", everything(), ids=ids(everything()))
def test_histogram_boosting_trains_losses_of_its_own_kind_alone(loss: gm.Loss) -> None:
    of_labels = loss.is_binary or loss.is_classwise
    try:
        ours = gm.to_hist_gradient_boosting(loss, classes=3 if loss.is_classwise else None)
    except Problem:
        return  # no signal, or several raw outputs
    if of_labels and not loss.is_classwise:
        return  # shares are amounts
    kind, y = (HistGradientBoostingRegressor, THREE) if of_labels else (HistGradientBoostingClassifier, YES)
    with pytest.raises(UsageError, match="is about") as refused:
        kind(loss=ours, max_iter=2).fit(X, y)
    given = THREE if of_labels else np.clip(YES, 0.25, 0.75)
    assert len(mended(lambda k: None, {"X": X, "y": given, "loss": loss}, refused.value).predict(X)) == N


@pytest.mark.parametrize(
    ("kind", "loss", "y"), [("classifier", AMOUNTS, YES), ("regressor", CLASSES, THREE)], ids=["amounts", "classes"]
)
@pytest.mark.parametrize("host", [h for h in HOSTS if h.package in BOOSTERS and h.takes(CLASSES)], ids=lambda h: h.name)
def test_an_objective_knows_the_model_that_trains_on_it_without_ours(
    host: Any, kind: str, loss: gm.Loss, y: Any
) -> None:
    model = getattr(BOOSTERS[host.package], getattr(host, kind))(objective=TO[host.package](loss))
    with pytest.raises(UsageError, match="is about") as refused:
        model.fit(X, y)
    assert len(mended(lambda k: None, {"loss": loss, "X": X, "y": y}, refused.value).predict(X)) == N


EXCHANGED_ROWS = {
    "LossRegressor": lambda X, y: gm.LossRegressor().fit(X, y),
    "LossClassifier": lambda X, y: gm.LossClassifier().fit(X, y),
    "CostSensitiveClassifier": lambda X, y: gm.CostSensitiveClassifier(LogisticRegression(), COSTS).fit(X, y),
    "CostSensitiveRegressor": lambda X, y: gm.CostSensitiveRegressor(Ridge(), UNITS).fit(X, y),
    **{
        host.name: lambda X, y, host=host: TO[host.package](AMOUNTS).fit(
            getattr(BOOSTERS[host.package], host.regressor)(), X, y
        )
        for host in HOSTS
        if host.package in BOOSTERS
    },
}


@pytest.mark.parametrize("fit", EXCHANGED_ROWS.values(), ids=EXCHANGED_ROWS)
def test_rows_and_targets_that_are_exchanged_or_of_other_lengths_are_named(fit: Callable[[Any, Any], Any]) -> None:
    known = {"X": YES, "y": X}
    with pytest.raises(Problem, match="come first") as refused:
        fit(**known)
    assert len(mended(lambda k: fit(k["X"], k["y"]), known, refused.value).predict(X)) == N
    for rows, targets in ((X, YES[:5]), (X[:5], YES), (X, []), (None, YES), (X, X)):
        with pytest.raises(Problem):
            fit(rows, targets)


def test_a_scorer_pairs_every_row_with_a_target() -> None:
    """Of fewer targets than rows it judged the first ones."""
    for of in (BINARY, CLASSES, COSTS):
        with pytest.raises(Problem, match="different numbers of rows"):
            gm.to_sklearn(of).scorer(FITTED, X, YES[:5])
    with pytest.raises(UsageError, match="is a class") as refused:
        gm.to_sklearn(BINARY).scorer(LogisticRegression, X, YES)
    known = {"model": LogisticRegression, "X": X, "y": YES}
    right = gm.to_sklearn(BINARY).scorer(FITTED, X, YES)
    assert mended(lambda k: gm.to_sklearn(BINARY).scorer(k["model"], X, YES), known, refused.value) == right


@pytest.mark.parametrize("y", [np.where(THREE == 0, np.nan, THREE), THREE + 0.5], ids=["missing", "between"])
@pytest.mark.parametrize("host", [h for h in HOSTS if h.package in BOOSTERS and h.takes(CLASSES)], ids=lambda h: h.name)
def test_numbers_that_are_no_classes_are_named_as_they_are(host: Any, y: Any) -> None:
    """As whole numbers NaN was the least there is, and 0.5 was class 0."""
    model = getattr(BOOSTERS[host.package], host.classifier)()
    with pytest.raises(TargetOutsideDomain, match=f"target {y[0]} "):
        TO[host.package](CLASSES).fit(model, X, y)


@pytest.mark.parametrize("host", [h for h in HOSTS if h.package in BOOSTERS], ids=lambda host: host.name)
def test_labels_of_rows_that_are_absent_are_read_by_classifiers(host: Any) -> None:
    ours, weight = TO[host.package](BINARY), np.where(np.arange(N) < 3, 0.0, 1.0)
    known = {"X": X, "y": np.where(weight > 0, YES, 7.0), "sample_weight": weight}

    def fit(k: dict[str, Any]) -> Any:
        return ours.fit(getattr(BOOSTERS[host.package], host.classifier)(), k["X"], k["y"], k["sample_weight"])

    with pytest.raises(TargetOutsideDomain, match="weight 0 too") as refused:
        fit(known)
    assert len(mended(fit, known, refused.value).predict(X)) == N


OBJECTIVES = {"xgboost": "binary:hinge", "lightgbm": "cross_entropy", "catboost": "CrossEntropy"}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("host", [h for h in HOSTS if h.package in BOOSTERS], ids=lambda host: host.name)
def test_an_objective_that_is_replaced_is_said(host: Any) -> None:
    package, ours = BOOSTERS[host.package], TO[host.package](BINARY)
    model = getattr(package, host.classifier)(**{host.objective: OBJECTIVES[host.package]})
    with pytest.warns(UserWarning, match=f"{OBJECTIVES[host.package]}.* is replaced"):
        ours.fit(model, X, YES)
    ours.fit(model, X, YES)  # ours is there now
    for kind, loss, y in (
        (host.classifier, BINARY, YES),
        (host.classifier, CLASSES, THREE),
        (host.regressor, AMOUNTS, Z),
    ):
        if host.takes(loss):
            fresh = getattr(package, kind)().fit(X, y)  # what a host sets by itself is nobody's wish
            TO[host.package](loss).fit(fresh, X, y)
    for alias in host.aliases:
        other = getattr(package, host.classifier)(**{alias: OBJECTIVES[host.package]})
        with pytest.raises(UsageError, match=alias):
            ours.fit(other, X, YES)


# --- a metric where a scorer belongs ---


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("of", [BINARY, CLASSES, L.hinge(), COSTS], ids=repr)
def test_a_metric_stands_for_its_scorer(of: Any) -> None:
    metric = gm.to_sklearn(of)
    scores, right = (cross_val_score(LogisticRegression(), X, TEXTS, scoring=s, cv=3) for s in (metric, metric.scorer))
    np.testing.assert_array_equal(scores, right)
    assert metric(FITTED, X, YES) == metric.scorer(FITTED, X, YES)
    found = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, scoring={"ours": metric}, refit="ours", cv=2).fit(
        X, YES
    )
    assert np.isfinite(found.best_score_)
    with pytest.raises(UsageError, match="a metric takes") as refused:
        metric(YES, FITTED.predict(X), np.ones(N))
    assert refused.value.fix == "metric(y_true, y_pred, sample_weight=weight)"
    with pytest.raises(UsageError, match="judges by targets"):
        metric(FITTED, X)


def test_a_threshold_is_tuned_by_a_metric_of_costs() -> None:
    price = gm.to_sklearn(COSTS)
    tuned = [TunedThresholdClassifierCV(LogisticRegression(), scoring=s).fit(X, YES) for s in (price, price.scorer)]
    assert tuned[0].best_threshold_ == tuned[1].best_threshold_
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(cross_val_score(Ridge(), X, Z, scoring=make_scorer(gm.to_sklearn(AMOUNTS)))).all()


@pytest.mark.parametrize("bad", [[0.9, 0.9], [0.5, 0.4], [-0.5, 1.5], [0.0, 0.0]], ids=str)
def test_two_columns_that_are_no_probabilities_are_refused(bad: list[float]) -> None:
    for loss in (BINARY, L.binary_brier(), CLASSES):
        metric, spoiled = gm.to_sklearn(loss), PROBABILITIES.copy()
        spoiled[3] = bad
        for judge in (metric, metric.skill):
            with pytest.raises(TargetOutsideDomain):
                judge(YES, spoiled)
    with pytest.raises(TargetOutsideDomain, match="add up to 1") as refused:
        gm.CalibrationDisplay.from_predictions(YES, spoiled)
    known = {"model": FITTED, "X": X, "y_pred": spoiled}
    right = gm.to_sklearn(BINARY)(YES, PROBABILITIES)
    assert mended(lambda k: gm.to_sklearn(BINARY)(YES, k["y_pred"]), known, refused.value) == right
    for rounded in (np.round(PROBABILITIES, 3), PROBABILITIES.astype(np.float32), PROBABILITIES.astype(np.float16)):
        assert gm.to_sklearn(BINARY)(YES, rounded) == pytest.approx(right, rel=0.01)


def test_the_back_end_of_keras_is_known() -> None:
    assert keras.backend.backend() in ("torch", "jax")
