"""Is a wrong model, or are labels that a booster reads otherwise, refused by every host in our words, with a line that helps?"""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import Ridge

import goodmeasure as gm
from goodmeasure.errors import NothingToLearn, Problem, ShapeMismatch, TargetOutsideDomain, UsageError, WeightError
from goodmeasure.fitting.second_order import SecondOrder
from goodmeasure.frameworks.estimators import HOSTS

L = gm.losses
INSTALLED = [host for host in HOSTS if importlib.util.find_spec(host.package)]
FEW = {
    "xgboost": {"n_estimators": 3, "n_jobs": 1},
    "lightgbm": {"n_estimators": 3, "n_jobs": 1, "verbose": -1},
    "catboost": {"iterations": 3, "verbose": 0, "thread_count": 1, "allow_writing_files": False},
}
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(120, 3))
AMOUNTS = X[:, 0] + RANDOM.normal(size=120)
YES = (AMOUNTS > 0).astype(int)
CLASSES = np.digitize(AMOUNTS, [-0.5, 0.5])
TARGETS = {"huber": AMOUNTS, "binary_cross_entropy": YES, "cross_entropy": CLASSES}
hosts = pytest.mark.parametrize("host", INSTALLED, ids=lambda host: host.name)
pytestmark = pytest.mark.filterwarnings("ignore")


def objective(host, loss):
    return {"xgboost": gm.to_xgboost, "lightgbm": gm.to_lightgbm, "catboost": gm.to_catboost}[host.package](loss)


def estimator(host, kind):
    return getattr(importlib.import_module(host.package), getattr(host, kind))(**FEW[host.package])


def scope(host, **given):
    """What a line that fixes may name."""
    return {"gm": gm, "numpy": np, "X": X, **{other.package: small(other) for other in INSTALLED}, **given}


def small(host):
    """The package of a host whose models are small where nothing is said."""
    package = importlib.import_module(host.package)
    made = {getattr(host, kind): lambda kind=kind: estimator(host, kind) for kind in ("regressor", "classifier")}
    return SimpleNamespace(**made, DMatrix=getattr(package, "DMatrix", None))


def assert_fitted(found, loss):
    """What a line that fixes gave is a model that predicts."""
    (host,) = (host for host in INSTALLED if host.is_estimator(found))
    assert len(objective(host, loss).predict(found, X)) == len(X)


def fixed(refused, host, **given):
    """What the line that fixes gives, or leaves in a name."""
    known = scope(host, **given)
    try:
        return eval(refused.value.fix, known)
    except SyntaxError:
        exec(refused.value.fix, known)
        return known


WRONG = {
    "a model of another booster": lambda host, loss: estimator(
        next(h for h in INSTALLED if h is not host), "regressor"
    ),
    "a model of scikit-learn": lambda host, loss: Ridge(),
    "a class": lambda host, loss: type(estimator(host, "regressor")),
    "nothing": lambda host, loss: None,
    "settings": lambda host, loss: {"max_depth": 3},
    "rows": lambda host, loss: X,
}


@hosts
@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_no_model_of_the_host_is_refused(host, name, wrong):
    loss, y = getattr(L, name)(), TARGETS[name]
    if not host.takes(loss):
        return
    model = wrong(host, loss)
    with pytest.raises(UsageError, match="GM009") as refused:
        objective(host, loss).fit(model, X, y)
    assert_fitted(fixed(refused, host, loss=loss, model=model, y=y), loss)
    with pytest.raises(UsageError, match="GM009"):
        objective(host, loss).predict(model, X)


@hosts
@pytest.mark.parametrize(
    ("loss", "kind"),
    [
        (L.huber(), "classifier"),
        (L.poisson(), "classifier"),
        (L.gamma(), "classifier"),
        (L.cross_entropy(), "regressor"),
    ],
    ids=str,
)
def test_losses_of_amounts_train_regressors_and_those_of_classes_classifiers(host, loss, kind):
    if not host.takes(loss):
        return
    y = CLASSES + 1.0 if kind == "classifier" else CLASSES
    with pytest.raises(UsageError, match="is about") as refused:
        objective(host, loss).fit(estimator(host, kind), X, y)
    assert_fitted(fixed(refused, host, loss=loss, y=y), loss)


LABELS = {
    "0 and 2": ("binary_cross_entropy", YES * 2, TargetOutsideDomain),
    "1 and 2": ("binary_cross_entropy", YES + 1, TargetOutsideDomain),
    "-1 and 1": ("binary_cross_entropy", YES * 2 - 1, TargetOutsideDomain),
    "texts": ("binary_cross_entropy", np.where(YES, "well", "ill"), TargetOutsideDomain),
    "a list of texts": ("binary_cross_entropy", np.where(YES, "well", "ill").tolist(), TargetOutsideDomain),
    "objects": ("binary_cross_entropy", np.where(YES, "well", "ill").astype(object), TargetOutsideDomain),
    "a gap": ("cross_entropy", np.where(CLASSES == 2, 3, CLASSES), TargetOutsideDomain),
    "from 1 on": ("cross_entropy", CLASSES + 1, TargetOutsideDomain),
    "texts of classes": ("cross_entropy", np.array(["low", "mid", "high"])[CLASSES], TargetOutsideDomain),
}


@hosts
@pytest.mark.parametrize(("name", "y", "kind"), LABELS.values(), ids=LABELS)
def test_labels_that_are_no_numbers_from_0_on_are_named_and_mended(host, name, y, kind):
    loss = getattr(L, name)()
    if not host.takes(loss):
        return
    ours = objective(host, loss)
    with pytest.raises(kind) as refused:
        ours.fit(estimator(host, "classifier"), X, y)
    if np.asarray(y).dtype.kind != "i":
        assert all(repr(label) in str(refused.value) for label in set(np.asarray(y).tolist()))
    found = ours.predict(ours.fit(estimator(host, "classifier"), X, fixed(refused, host, y=y)["y"]), X)
    right = ours.predict(ours.fit(estimator(host, "classifier"), X, np.unique(y, return_inverse=True)[1]), X)
    np.testing.assert_array_equal(found, right)


@hosts
@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("name", ["binary_cross_entropy", "cross_entropy"])
def test_of_one_label_nothing_is_learned(host, name, label):
    loss = getattr(L, name)()
    if host.takes(loss):
        with pytest.raises(NothingToLearn):
            objective(host, loss).fit(estimator(host, "classifier"), X, np.full(120, label))
        with pytest.raises(NothingToLearn):  # rows of weight 0 are not there
            objective(host, loss).fit(estimator(host, "classifier"), X, YES, (label == YES).astype(float))


@hosts
def test_two_classes_and_shares_have_a_way(host):
    if host.takes(L.cross_entropy()):
        with pytest.raises(UsageError, match="two classes") as refused:
            objective(host, L.cross_entropy()).fit(estimator(host, "classifier"), X, YES)
        assert_fitted(fixed(refused, host, y=YES), L.binary_cross_entropy())
    shares = np.clip(YES, 0.1, 0.9)
    with pytest.raises(UsageError, match="shares") as refused:
        objective(host, L.binary_cross_entropy()).fit(estimator(host, "classifier"), X, shares)
    assert_fitted(fixed(refused, host, loss=L.binary_cross_entropy(), y=shares), L.binary_cross_entropy())


@hosts
def test_predictions_are_asked_of_a_model_that_was_trained_on_the_loss(host):
    ours, y = objective(host, L.huber()), AMOUNTS
    unfitted = estimator(host, "regressor")
    with pytest.raises(UsageError, match="is not fitted") as refused:
        ours.predict(unfitted, X)
    model = fixed(refused, host, objective=ours, model=unfitted, y=y)["model"]
    right = ours.predict(model, X)
    with pytest.raises(UsageError, match="model") as refused:
        ours.predict(X, model)
    np.testing.assert_array_equal(fixed(refused, host, objective=ours, model=model), right)
    with pytest.raises(UsageError, match="trained on huber") as refused:
        objective(host, L.gamma()).predict(model, X)
    np.testing.assert_array_equal(fixed(refused, host, model=model), right)
    if host.package == "xgboost":
        with pytest.raises(UsageError, match="DMatrix") as refused:
            ours.predict(model.get_booster(), X)
        np.testing.assert_array_equal(fixed(refused, host, objective=ours, model=model.get_booster()), right)
        table = importlib.import_module("xgboost").DMatrix(X)
        with pytest.raises(UsageError, match="rows as they are") as refused:
            ours.predict(model, table)
        np.testing.assert_array_equal(fixed(refused, host, objective=ours, model=model, X=table), right)


@hosts
def test_rows_and_weights_that_do_not_go_together_are_refused(host):
    ours = objective(host, L.huber())
    with pytest.raises(ShapeMismatch):
        ours.fit(estimator(host, "regressor"), X, AMOUNTS[:50])
    for bad in (-1.0, np.nan, np.inf):
        weight = np.where(np.arange(120) == 3, bad, 1.0)
        with pytest.raises(WeightError):
            ours.fit(estimator(host, "regressor"), X, AMOUNTS, weight)
        with pytest.raises(WeightError):
            SecondOrder(L.huber()).step(AMOUNTS, np.zeros(120), weight)


def test_histogram_boosting_names_what_it_cannot_do():
    for classes in (-1, 0, 1):
        with pytest.raises(UsageError, match="classes="):
            gm.to_hist_gradient_boosting(L.cross_entropy(), classes=classes)
    with pytest.raises(UsageError, match="classes=") as refused:
        gm.to_hist_gradient_boosting(L.huber(), classes=3)
    assert repr(eval(refused.value.fix, {"gm": gm, "loss": L.huber()})) == "HistGradientBoostingLoss(huber())"
    with pytest.raises(Problem, match="about amounts") as refused:
        gm.to_hist_gradient_boosting(L.huber()).predict_proba(np.zeros(3))
    known = {"gm": gm, "sklearn": sklearn, "X": X, "y": YES, "loss": L.huber()}
    assert eval(refused.value.fix, known).predict(X).shape == (120,)


@pytest.mark.parametrize(("classes", "there"), [(5, 3), (4, 3), (2, 2), (3, 2)])
def test_histogram_boosting_refuses_another_number_of_classes(classes, there):
    """It broadcast rows against classes, or raised scikit-learn's own error about shapes."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    y = np.arange(120) % there
    loss = L.cross_entropy()
    model = HistGradientBoostingClassifier(loss=gm.to_hist_gradient_boosting(loss, classes=classes), max_iter=2)
    with pytest.raises(UsageError, match=f"{classes} raw outputs") as refused:
        model.fit(X, y)
    fixed = eval(refused.value.fix, {"gm": gm, "loss": loss})
    assert HistGradientBoostingClassifier(loss=fixed, max_iter=2).fit(X, y).predict_proba(X).shape == (120, there)
