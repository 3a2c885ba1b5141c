"""Do the estimators that carry calibration and costs do what their halves say, on rows that made none of them?"""

from __future__ import annotations

import pickle
import re
import warnings
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from scipy import sparse
from sklearn import metrics
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    RepeatedKFold,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import check_estimator

import goodmeasure as gm
from goodmeasure.calibrating.amount_maps import recalibrate_amounts
from goodmeasure.errors import NoSuchReading, NothingToLearn, UsageError
from turns import at_night

COSTS = gm.Costs(false_negative=40, false_positive=5)
UNITS = gm.UnderOverCosts(under=3, over=1)
X_TWO, Y_TWO = load_breast_cancer(return_X_y=True)
X_TWO = X_TWO / X_TWO.std(axis=0)
TEXTS = np.array(["malignant", "benign"])[Y_TWO]
X_THREE, Y_THREE = load_iris(return_X_y=True)
X_AMOUNT, AMOUNT = load_diabetes(return_X_y=True)
GRID = {"estimator__C": [1e-4, 1.0], "method": ["platt", "beta"]}
TABLE = gm.ClassCosts([[0, 1, 4], [1, 0, 1], [9, 3, 0]])
RANDOM = np.random.default_rng(0)
Two, Amounts = gm.CostSensitiveClassifier, gm.CostSensitiveRegressor


def same_map(one, other):
    assert (one.method, one.raw, one.shrink) == (other.method, other.raw, other.shrink)
    np.testing.assert_allclose(one.parameters, other.parameters, rtol=1e-9)
    return True


CHECKED = [
    Two(LogisticRegression(C=1), cv=3),
    Two(LinearSVC(), method="isotonic", cv=3),
    Amounts(Ridge(solver="sparse_cg", tol=1e-13), cv=3),
]
# Those of ours are checked by themselves too.
OURS = [
    Two(gm.LossClassifier(alpha=0.1), method=None, cv=3),
    Amounts(gm.LossRegressor(alpha=0.1), UNITS, method="isotonic", cv=3),
]


@pytest.mark.parametrize(
    "estimator", [*CHECKED, *(at_night(each, unless=False, id=repr(each)) for each in OURS)], ids=repr
)
def test_scikit_learn_accepts_the_estimators(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = check_estimator(estimator, on_fail=None, on_skip=None)
    assert [c["check_name"] for c in found if c["status"] not in ("passed", "skipped")] == []
    assert sum(c["status"] == "passed" for c in found) > 50


@pytest.mark.parametrize("rule", ["theory", "practice", "best"])
@pytest.mark.parametrize("event", ["malignant", "benign"])
def test_it_is_what_its_halves_are(rule, event):
    """Cross-fitted probabilities, the map on all of them, and the decision on maps that did not see a part."""
    model = Two(GaussianNB(), COSTS, rule=rule, pos_label=event, cv=KFold(4)).fit(X_TWO, TEXTS)
    yes = int(np.unique(TEXTS).tolist().index(event))
    said = cross_val_predict(GaussianNB(), X_TWO, TEXTS, cv=KFold(4), method="predict_proba")[:, yes]
    happened = (event == TEXTS).astype(float)
    better = gm.recalibrate(happened, said)
    assert model.recalibration_ == better
    new = better(GaussianNB().fit(X_TWO, TEXTS).predict_proba(X_TWO)[:, yes])
    np.testing.assert_allclose(model.predict_proba(X_TWO)[:, yes], new)
    held = np.empty(len(said))
    for fit, left in KFold(4).split(X_TWO):
        held[left] = gm.recalibrate(happened[fit], said[fit])(said[left])
    decision = gm.decide(happened, held, COSTS)
    assert model.decision_.to_dict() == decision.to_dict()
    threshold = {"theory": COSTS.threshold, "practice": decision.threshold.value, "best": decision.best.threshold}[rule]
    assert model.threshold_ == threshold
    assert ((model.predict(X_TWO) == event) == (new >= threshold)).all()
    assert model.act(X_TWO).tolist() == (new >= threshold).astype(int).tolist()
    assert model.score(X_TWO, TEXTS) == -gm.to_sklearn(COSTS, pos_label=event)(TEXTS, model.predict(X_TWO))


def test_classes_and_their_costs():
    model = Two(GaussianNB(), TABLE).fit(X_THREE[:, :2], Y_THREE)
    p = model.predict_proba(X_THREE[:, :2])
    assert (model.predict(X_THREE[:, :2]) == gm.bayes_act(p, TABLE)).all()
    likely = Two(GaussianNB()).fit(X_THREE[:, :2], Y_THREE)
    assert (likely.predict(X_THREE[:, :2]) == p.argmax(axis=1)).all()
    assert model.score(X_THREE[:, :2], Y_THREE) > -TABLE.matrix[Y_THREE, p.argmax(axis=1)].mean()
    assert np.isnan(model.threshold_)
    assert likely.score(X_THREE[:, :2], Y_THREE) == (p.argmax(axis=1) == Y_THREE).mean()


def test_acts_that_are_no_labels():
    asking = gm.Costs(false_negative=40, false_positive=5, ask=0.5)
    model = Two(GaussianNB(), asking, rule="theory", pos_label="malignant").fit(X_TWO, TEXTS)
    assert (model.act(X_TWO) == gm.bayes_act(model.predict_proba(X_TWO)[:, 1], asking)).all()
    assert 2 in model.act(X_TWO)
    with pytest.raises(UsageError, match="to ask is no label"):
        model.predict(X_TWO)
    of_classes = Two(GaussianNB(), TABLE.with_asking(0.1)).fit(X_THREE, Y_THREE)
    assert set(of_classes.act(X_THREE)) <= {0, 1, 2, 3}
    with pytest.raises(UsageError, match="no classes"):
        of_classes.predict(X_THREE)


def test_amounts():
    model = Amounts(Ridge(alpha=0.1), UNITS, cv=KFold(4)).fit(X_AMOUNT, AMOUNT)
    said = cross_val_predict(Ridge(alpha=0.1), X_AMOUNT, AMOUNT, cv=KFold(4))
    line = np.polyfit(said, AMOUNT, 1)
    inner = Ridge(alpha=0.1).fit(X_AMOUNT, AMOUNT).predict(X_AMOUNT)
    np.testing.assert_allclose(model.amount(X_AMOUNT), np.polyval(line, inner))
    np.testing.assert_allclose(model.predict(X_AMOUNT), model.amount(X_AMOUNT) + model.shift_)
    held = np.empty(len(said))
    for fit, left in KFold(4).split(X_AMOUNT):
        held[left] = np.polyval(np.polyfit(said[fit], AMOUNT[fit], 1), said[left])
    assert model.shift_ == pytest.approx(gm.decide(AMOUNT, held, UNITS).shift.value)
    assert model.score(X_AMOUNT, AMOUNT) == -gm.to_sklearn(UNITS)(AMOUNT, model.predict(X_AMOUNT))
    plain = Amounts(Ridge(alpha=0.1), method=None).fit(X_AMOUNT, AMOUNT)
    np.testing.assert_allclose(plain.predict(X_AMOUNT), inner)
    assert plain.score(X_AMOUNT, AMOUNT) == Ridge(alpha=0.1).fit(X_AMOUNT, AMOUNT).score(X_AMOUNT, AMOUNT)


@pytest.mark.parametrize("method", ["linear", "isotonic"])
def test_maps_of_amounts_are_right_on_average_and_do_not_fall(method):
    y, p = 2 + 3 * AMOUNT, AMOUNT + RANDOM.normal(size=len(AMOUNT)) * 30
    w = RANDOM.integers(1, 4, len(y)).astype(float)
    better = recalibrate_amounts(y, p, method, w)
    assert np.average(better(p) - y, weights=w) == pytest.approx(0, abs=1e-9)
    assert (np.diff(better(np.sort(p))) >= 0).all()
    assert recalibrate_amounts(-y, p, method, w)(p) == pytest.approx(np.average(-y, weights=w))
    copies = recalibrate_amounts(np.repeat(y, w.astype(int)), np.repeat(p, w.astype(int)), method)
    np.testing.assert_allclose(better(p), copies(p))


def test_predictions_that_never_differed_tell_no_slope():
    flat = recalibrate_amounts([1.0, 3.0], [5.0, 5.0], "linear")
    assert flat([5.0, 500.0]).tolist() == [2, 2]


@pytest.mark.parametrize(
    "make", [lambda: Two(GaussianNB(), COSTS, rule="theory"), lambda: Amounts(LinearRegression(), UNITS)]
)
def test_weights_are_copies_and_weight_zero_is_absent(make):
    X, y = (X_TWO, Y_TWO) if isinstance(make(), Two) else (X_AMOUNT, AMOUNT)
    weight = RANDOM.integers(0, 4, len(y))
    fold = np.arange(len(y)) % 3
    copies = np.repeat(np.arange(len(y)), weight)
    splits, of_copies = (
        [(np.flatnonzero(f != k), np.flatnonzero(f == k)) for k in range(3)] for f in (fold, fold[copies])
    )
    spoiled = y.astype(float)
    spoiled[weight == 0] = np.nan
    by_weight = make().set_params(cv=splits).fit(X, spoiled, sample_weight=weight)
    by_copies = make().set_params(cv=of_copies).fit(X[copies], y[copies])
    np.testing.assert_allclose(by_weight.predict(X), by_copies.predict(X))
    if isinstance(by_weight, Two):
        np.testing.assert_allclose(by_weight.predict_proba(X), by_copies.predict_proba(X))


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, sparse.csr_matrix], ids=["pandas", "polars", "sparse"])
def test_rows_come_as_the_classifier_takes_them(frame):
    X = frame(X_TWO) if frame is sparse.csr_matrix else frame({f"f{i}": X_TWO[:, i] for i in range(30)})
    inner = LogisticRegression(max_iter=50000, tol=1e-9)
    model = Two(inner, COSTS).fit(X, TEXTS)
    np.testing.assert_allclose(
        model.predict_proba(X), Two(inner, COSTS).fit(X_TWO, TEXTS).predict_proba(X_TWO), rtol=1e-4
    )
    assert model.n_features_in_ == 30
    assert frame is sparse.csr_matrix or list(model.feature_names_in_)[:2] == ["f0", "f1"]


def test_missing_values_go_to_a_classifier_that_takes_them():
    holes = X_TWO.copy()
    holes[::7, 0] = np.nan
    assert Two(DecisionTreeClassifier(max_depth=3, random_state=0), COSTS).fit(holes, TEXTS).score(holes, TEXTS) > -2
    with pytest.raises(ValueError, match="NaN"):
        Two(LogisticRegression()).fit(holes, TEXTS)


def test_pipelines_searches_clones_and_files():
    piped = make_pipeline(StandardScaler(), LogisticRegression())
    model = make_pipeline(StandardScaler(), Two(piped, COSTS, pos_label="malignant"))
    assert -2 < cross_val_score(model, X_TWO, TEXTS, cv=3).mean() < 0
    search = GridSearchCV(
        Two(LogisticRegression(max_iter=5000), COSTS), {"estimator__C": [1e-4, 1.0], "method": ["platt", "beta"]}, cv=2
    )
    found = search.fit(X_TWO, TEXTS)
    assert found.best_params_["estimator__C"] == 1.0
    again = pickle.loads(pickle.dumps(found.best_estimator_))
    assert (again.predict(X_TWO) == found.predict(X_TWO)).all()
    assert clone(again).costs == COSTS
    two_jobs = clone(again).set_params(n_jobs=2).fit(X_TWO, TEXTS)
    np.testing.assert_array_equal(two_jobs.predict_proba(X_TWO), again.predict_proba(X_TWO))


def test_a_classifier_that_is_fitted_already_stays_as_it_is():
    fitted = LogisticRegression(max_iter=5000).fit(X_TWO[::2], TEXTS[::2])
    model = Two(FrozenEstimator(fitted), COSTS).fit(X_TWO[1::2], TEXTS[1::2])
    assert same_map(
        model.recalibration_, gm.recalibrate(TEXTS[1::2] == "malignant", fitted.predict_proba(X_TWO[1::2])[:, 1])
    )


def test_groups_go_to_the_splitter_and_to_the_intervals():
    groups = np.arange(len(TEXTS)) // 6
    model = Two(GaussianNB(), COSTS, cv=GroupKFold(4)).fit(X_TWO, TEXTS, groups=groups)
    said = cross_val_predict(GaussianNB(), X_TWO, TEXTS, cv=GroupKFold(4), groups=groups, method="predict_proba")[:, 1]
    assert same_map(model.recalibration_, gm.recalibrate(TEXTS == "malignant", said))
    assert "cluster" in model.decision_.theory.cost.method
    repeated = Two(GaussianNB(), COSTS, cv=RepeatedKFold(n_splits=4, n_repeats=2, random_state=0)).fit(X_TWO, TEXTS)
    assert "cluster" in repeated.decision_.theory.cost.method  # a row that was left out twice is no two rows
    in_time = Two(GaussianNB(), COSTS, cv=TimeSeriesSplit(4)).fit(X_TWO, TEXTS)
    assert in_time.decision_.theory.cost.n == 4 * (len(TEXTS) // 5)


def test_weights_go_where_they_are_taken():
    weight = RANDOM.integers(1, 5, len(Y_TWO)).astype(float)
    with pytest.warns(UserWarning, match="takes no sample_weight"):
        near = Two(KNeighborsClassifier()).fit(X_TWO, TEXTS, sample_weight=weight)
    said = cross_val_predict(KNeighborsClassifier(), X_TWO, TEXTS, method="predict_proba")[:, 1]
    assert same_map(near.recalibration_, gm.recalibrate(TEXTS == "malignant", said, sample_weight=weight))
    by_hand = Two(GaussianNB(), COSTS).fit(X_TWO, TEXTS, sample_weight=weight)
    groups = np.arange(len(TEXTS)) // 6
    with sklearn.config_context(enable_metadata_routing=True):
        inner = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=False), GaussianNB().set_fit_request(sample_weight=True)
        )
        routed = Two(inner, COSTS).fit(X_TWO, TEXTS, sample_weight=weight)
        np.testing.assert_allclose(routed.predict_proba(X_TWO), by_hand.predict_proba(X_TWO), atol=1e-6)
        by_group = Two(GaussianNB().set_fit_request(sample_weight=True), COSTS, cv=GroupKFold(4))
        outer = cross_val_score(
            by_group.set_fit_request(sample_weight=True).set_score_request(sample_weight=True),
            X_TWO,
            TEXTS,
            cv=GroupKFold(2),
            params={"sample_weight": weight, "groups": groups},
        )
    assert np.isfinite(outer).all()


class Unsure(ClassifierMixin, BaseEstimator):
    """A classifier that says neither how likely nor how far."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


@pytest.mark.parametrize(
    ("model", "kind", "words"),
    [
        (Two(Unsure()), NoSuchReading, "no predict_proba"),
        (Two(LinearSVC(), method=None), NoSuchReading, "not recalibrated"),
        (Two(GaussianNB(), rule="bets"), UsageError, "one of best, theory, practice"),
        (Two(GaussianNB(), method="plat"), UsageError, "plat"),
        (Two(GaussianNB(), gm.Costs(false_negative=np.ones(569), false_positive=1)), UsageError, "row to row"),
        (Two(GaussianNB(), UNITS), UsageError, "no costs of classes"),
        (Two(GaussianNB(), pos_label="bengin"), UsageError, "none of the labels"),
        (Two(GaussianNB(), cv=[(np.arange(300), np.arange(300, 569))]), UsageError, "one split"),
    ],
    ids=str,
)
def test_what_cannot_be_fitted_is_refused(model, kind, words):
    with pytest.raises(kind, match=words):
        model.fit(X_TWO, TEXTS)


@pytest.mark.parametrize("wrong", [None, np.nan, 3])
def test_labels_that_are_none_are_refused(wrong):
    spoiled = TEXTS.astype(object)
    spoiled[3] = wrong
    with pytest.raises(ValueError, match=r"no label in row 3|NaN|several types"):
        Two(GaussianNB()).fit(X_TWO, spoiled)


def test_a_class_that_a_part_lacks():
    few = np.where(np.arange(len(TEXTS)) < 3, "other", TEXTS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Two(GaussianNB(), cv=KFold(4)).fit(X_TWO, few)
        assert model.predict_proba(X_TWO).shape == (569, 3)
        with pytest.raises(NothingToLearn, match="lacks a class"):
            Two(LinearSVC(), cv=KFold(4)).fit(X_TWO, few)


def test_a_model_that_knows_nothing_predicts_what_costs_least_without_knowing():
    """The share of events is .37: acting on every row costs 5 * .63, on none 40 * .37."""
    model = Two(DummyClassifier(), COSTS).fit(X_TWO, TEXTS)
    assert set(model.predict(X_TWO)) == {"malignant"}
    np.testing.assert_allclose(model.predict_proba(X_TWO)[:, 1], (TEXTS == "malignant").mean(), atol=0.01)


# --- what is written about them ---

ROOT = Path(__file__).parent.parent


def test_the_page_runs():
    page = (ROOT / "docs" / "scikit_learn.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(block, names)
    assert names["price"](["malignant", "benign"], ["benign", "benign"]) == 20.0
    told = set(re.findall(r"`((?:d2|mean)_\w+|\w+_loss)", page))
    assert {name for name in told if name.startswith("d2_") and name != "d2_"} == {
        name for name in metrics.__all__ if name.startswith("d2_")
    }
    assert told - {"d2_"} <= set(metrics.__all__)


def by_path(path: str) -> ModuleType:
    """A module outside of the package by where it stands."""
    found = spec_from_file_location(Path(path).stem, ROOT / path)
    assert found is not None
    assert found.loader is not None
    module = module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_example_runs():
    alone, knowing = by_path("examples/decide_sklearn.py").main()
    assert knowing < alone


def test_the_benchmark_answers():
    module = by_path("benchmarks/deciding.py")
    module.check()
    data = module.load_breast_cancer(return_X_y=True)
    ways = module.ways_of_two(GaussianNB())
    costs = module.costs_of(data, {name: ways[name] for name in ("its own predict", "ours, best")}, module.by_hand, 2)
    assert costs["ours, best"].mean() < costs["its own predict"].mean()
