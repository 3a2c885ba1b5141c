"""Do scikit-learn's tools judge models by any loss as the loss itself would, and as its own metrics do where both are defined?"""

from __future__ import annotations

import copy
import pickle
import warnings
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn import metrics
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV, cross_val_score, cross_validate
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import goodmeasure as gm
from boosters import rows
from catalogue_losses import everything, ids, weighted
from goodmeasure.deriving.predictions import implies_probability
from goodmeasure.errors import NoSuchReading, Problem, TargetOutsideDomain, UsageError, WeightError
from goodmeasure.frameworks.sklearn_outputs import LossReading, distorts
from goodmeasure.statistics.row_arguments import UnknownLabel

L = gm.losses
LOSSES = [*everything(), *weighted()]
N = 40
RANDOM = np.random.default_rng(0)
W = RANDOM.integers(0, 4, N).astype(float)


def outputs_of(loss, n=N, classes=3):
    """Raw outputs of the shape that a loss takes."""
    count = classes if loss.is_classwise else len(loss.activation)
    return RANDOM.normal(size=(n, count) if count > 1 else n)


def targets_of(loss, n=N):
    return rows(loss, n)[1]


def activated(loss, z):
    """What the activations make of raw outputs, as formulas of predictions take it."""
    if loss.is_classwise:
        return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    if loss.is_binary:
        return 1 / (1 + np.exp(-z))
    return loss.predict(z)


# --- the metric ---


@pytest.mark.parametrize("loss", LOSSES, ids=ids(LOSSES))
@pytest.mark.parametrize("weight", [None, W], ids=["plain", "weighted"])
def test_a_metric_is_the_loss_of_predictions(loss, weight):
    y, z, metric = targets_of(loss), outputs_of(loss), gm.to_sklearn(loss)
    if LossReading(loss).takes_scores:
        assert metric(y, z, sample_weight=weight) == pytest.approx(loss(y, z, weight), rel=1e-12)
    else:
        p = activated(loss, z)
        wanted = loss(y, prediction=p, sample_weight=weight)
        assert metric(y, p, sample_weight=weight) == pytest.approx(wanted, rel=1e-12)


P, Q = RANDOM.uniform(0.05, 0.95, N), RANDOM.dirichlet(np.ones(4), N)
EVENTS, KINDS = (RANDOM.random(N) < P).astype(int), np.arange(N) % 4
AMOUNTS, GUESSES = RANDOM.gamma(2.0, size=N) + 0.01, RANDOM.gamma(2.0, size=N) + 0.01
COUNTS, SCORES = RANDOM.poisson(2.0, N), RANDOM.normal(size=N)


def deviance(loss, y, p, **weight):
    """Twice what a loss costs beyond its least, as scikit-learn's deviances are."""
    metric = gm.to_sklearn(loss)
    return 2 * (metric(y, p, **weight) - metric(y, y, **weight))


def at(name, **how):
    """A metric of scikit-learn by its name: of the oldest version that is supported some are not there."""
    return lambda *columns, **more: getattr(metrics, name)(*columns, **how, **more)


SAME = {
    "log_loss of two": (at("log_loss"), gm.to_sklearn(L.binary_cross_entropy()), EVENTS, P),
    "log_loss of four": (at("log_loss"), gm.to_sklearn(L.cross_entropy()), KINDS, Q),
    "log_loss of two columns": (at("log_loss"), gm.to_sklearn(L.cross_entropy()), EVENTS, P),
    "brier": (at("brier_score_loss"), gm.to_sklearn(L.binary_brier()), EVENTS, P),
    "brier of four": (at("brier_score_loss"), gm.to_sklearn(L.brier()), KINDS, Q),
    "hinge": (at("hinge_loss"), gm.to_sklearn(L.hinge()), EVENTS, SCORES),
    "hinge of four": (at("hinge_loss"), gm.to_sklearn(L.multiclass_hinge()), KINDS, RANDOM.normal(size=(N, 4))),
    "squared": (at("mean_squared_error"), gm.to_sklearn(L.squared_error()), AMOUNTS, GUESSES),
    "squared of two targets": (
        at("mean_squared_error"),
        gm.to_sklearn(L.squared_error()),
        RANDOM.normal(size=(N, 2)),
        RANDOM.normal(size=(N, 2)),
    ),
    "absolute": (at("mean_absolute_error"), gm.to_sklearn(L.absolute_error()), AMOUNTS, GUESSES),
    "percentage": (
        at("mean_absolute_percentage_error"),
        gm.to_sklearn(L.absolute_percentage_error()),
        AMOUNTS,
        GUESSES,
    ),
    "squared log": (at("mean_squared_log_error"), gm.to_sklearn(L.squared_log_error()), AMOUNTS, GUESSES),
    "pinball": (at("mean_pinball_loss", alpha=0.3), gm.to_sklearn(L.pinball(level=0.3)), AMOUNTS, GUESSES),
    "poisson": (at("mean_poisson_deviance"), partial(deviance, L.poisson()), COUNTS, GUESSES),
    "gamma": (at("mean_gamma_deviance"), partial(deviance, L.gamma()), AMOUNTS, GUESSES),
    **{
        f"tweedie {power}": (
            at("mean_tweedie_deviance", power=power),
            partial(deviance, L.tweedie(power=power)),
            AMOUNTS,
            GUESSES,
        )
        for power in (1.0, 1.5, 2.0, 3.0)
    },
    "r2_score": (at("r2_score"), gm.to_sklearn(L.squared_error()).skill, AMOUNTS, GUESSES),
    "r2_score of two targets": (
        at("r2_score"),
        gm.to_sklearn(L.squared_error()).skill,
        RANDOM.normal(size=(N, 2)),
        RANDOM.normal(size=(N, 2)),
    ),
    "d2_absolute_error_score": (
        at("d2_absolute_error_score"),
        gm.to_sklearn(L.absolute_error()).skill,
        AMOUNTS,
        GUESSES,
    ),
    "d2_pinball_score": (
        at("d2_pinball_score", alpha=0.3),
        gm.to_sklearn(L.pinball(level=0.3)).skill,
        AMOUNTS,
        GUESSES,
    ),
    "d2_tweedie_score": (
        at("d2_tweedie_score", power=1.5),
        gm.to_sklearn(L.tweedie(power=1.5)).skill,
        AMOUNTS,
        GUESSES,
    ),
    "d2_log_loss_score": (at("d2_log_loss_score"), gm.to_sklearn(L.cross_entropy()).skill, KINDS, Q),
    "d2_log_loss_score of two": (at("d2_log_loss_score"), gm.to_sklearn(L.binary_cross_entropy()).skill, EVENTS, P),
    "d2_brier_score": (at("d2_brier_score"), gm.to_sklearn(L.brier()).skill, KINDS, Q),
    "d2_brier_score of two": (at("d2_brier_score"), gm.to_sklearn(L.binary_brier()).skill, EVENTS, P),
}


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("weight", [None, W], ids=["plain", "weighted"])
def test_scikit_learns_own_metrics_are_the_same_numbers(name, weight):
    theirs, ours, y, p = SAME[name]
    if name in ("hinge of four", "d2_absolute_error_score", "d2_pinball_score") and weight is not None:
        # Its weighted quantile takes another of the values between which all are as good, and labels of weight zero count.
        weight = np.arange(1.0, N + 1)
    assert ours(y, p, sample_weight=weight) == pytest.approx(theirs(y, p, sample_weight=weight), rel=1e-12, abs=1e-12)


def test_every_d2_score_of_scikit_learn_is_the_skill_of_a_loss():
    assert {name for name in metrics.__all__ if name.startswith("d2_")} <= set(SAME)


def test_skill_compares_with_the_training_rows_where_they_are_given():
    metric, train = gm.to_sklearn(L.squared_error()), [0.0, 4.0]
    y, p = np.array([1.0, 2.0, 6.0]), np.array([1.5, 2.0, 5.0])
    assert metric.skill(y, p, y_train=train) == pytest.approx(1 - 1.25 / ((y - 2) ** 2).sum())
    named = gm.to_sklearn(L.binary_brier())
    by_hand = 1 - 0.05 / (2 * 0.25**2)
    assert named.skill(["no", "no"], [0.1, 0.2], y_train=["no", "no", "no", "yes"]) == pytest.approx(by_hand)


@pytest.mark.parametrize("loss", LOSSES, ids=ids(LOSSES))
def test_the_best_constant_has_no_skill(loss):
    y, metric = targets_of(loss), gm.to_sklearn(loss)
    z = np.zeros((N, 3)) if loss.is_classwise else np.zeros(N)
    best = loss.best_constant(y, classes=3 if loss.is_classwise else None)
    raw = np.broadcast_to(best, z.shape if loss.is_classwise or len(loss.activation) == 1 else (N, len(best)))
    given = np.array(raw) if LossReading(loss).takes_scores else activated(loss, np.array(raw))
    if repr(loss) == "perceptron()":  # at zero it costs nothing, whatever happened
        return
    if len(loss.activation) > 1:
        with pytest.raises(NoSuchReading, match="least value"):
            metric.skill(y, given)
    else:
        assert metric.skill(y, given) == pytest.approx(0, abs=1e-9)


def test_a_constant_target_leaves_nothing_to_gain():
    with pytest.warns(UndefinedMetricWarning, match="nothing to gain"):
        assert np.isnan(gm.to_sklearn(L.squared_error()).skill([2.0, 2.0], [1.0, 2.0]))


# --- scorers of models ---


def linear(loss):
    return (
        gm.LossClassifier(loss, alpha=0.1) if loss.is_binary or loss.is_classwise else gm.LossRegressor(loss, alpha=0.1)
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("loss", LOSSES, ids=ids(LOSSES))
def test_a_model_that_was_trained_on_a_loss_is_scored_by_it(loss):
    x, y = rows(loss, 120)
    labels = np.array(["a", "b", "c"])[y.astype(int)] if loss.is_binary or loss.is_classwise else y
    inner, weight = linear(loss).fit(x, labels), RANDOM.integers(0, 3, 120).astype(float)
    piped = make_pipeline(StandardScaler(with_mean=False, with_std=False), linear(loss)).fit(x, labels)
    wanted = -loss(y, inner.raw(x), weight)
    for model in (inner, piped):
        assert gm.to_sklearn(loss).scorer(model, x, labels, sample_weight=weight) == pytest.approx(wanted, rel=1e-9)
    if len(loss.activation) == 1:
        assert gm.to_sklearn(loss).skill_scorer(inner, x, labels) > 0 or repr(loss).startswith(
            ("perceptron", "zero_one")
        )


class Says(DummyClassifier):
    """A classifier that gives the same probabilities whatever the rows are."""

    def __init__(self, p=(0.5, 0.5)):
        self.p = p

    def fit(self, X, y):
        self.classes_ = np.arange(len(self.p))
        return self

    def predict_proba(self, X):
        return np.tile(self.p, (len(X), 1))


OF_CHANCES = [
    e for e in LOSSES if (e.is_binary or e.is_classwise) and implies_probability(e) and not LossReading(e).takes_scores
]


@pytest.mark.parametrize("loss", OF_CHANCES, ids=ids(OF_CHANCES))
def test_a_scorer_is_best_at_the_truth_whatever_the_loss_does_to_probabilities(loss):
    """Class weights, focus and smoothing move the best prediction; a model of others is not asked to follow them."""
    shares = np.array([0.5, 0.3, 0.2]) if loss.is_classwise else np.array([0.7, 0.3])
    y = np.repeat(np.arange(len(shares)), (shares * 10).round().astype(int))
    x, scorer = np.zeros((len(y), 1)), gm.to_sklearn(loss).scorer
    truth = scorer(Says(tuple(shares)).fit(x, y), x, y)
    moves = [
        shares + step * move for step in (-0.05, 0.05) for move in (np.eye(len(shares))[0] - np.eye(len(shares))[-1],)
    ]
    for other in moves:
        assert scorer(Says(tuple(other)).fit(x, y), x, y) < truth
    if not distorts(loss):
        p = np.tile(shares, (len(y), 1))
        assert -truth == pytest.approx(gm.to_sklearn(loss)(y, p), rel=1e-9)


X_TWO, Y_TWO = load_breast_cancer(return_X_y=True)
X_TWO = X_TWO / X_TWO.std(axis=0)
X_THREE, Y_THREE = load_iris(return_X_y=True)
TEXTS = np.array(["malignant", "benign"])[Y_TWO]
LOGISTIC = LogisticRegression(max_iter=5000)


@pytest.mark.parametrize(
    "loss",
    [L.binary_cross_entropy(), L.binary_brier(), L.hinge(), L.cross_entropy(), L.multiclass_hinge(), L.focal()],
    ids=repr,
)
@pytest.mark.parametrize("kind", ["texts", "objects", "pandas", "categories", "polars", "booleans", "signs"])
def test_labels_of_every_type_are_the_same_labels(loss, kind):
    given = {
        "texts": TEXTS,
        "objects": TEXTS.astype(object),
        "pandas": pd.Series(TEXTS),
        "categories": pd.Series(TEXTS, dtype="category"),
        "polars": pl.Series(TEXTS.tolist()),
        "booleans": Y_TWO == 0,
        "signs": np.where(Y_TWO == 0, 1, -1),
    }[kind]
    scorer = gm.to_sklearn(loss).scorer
    model = LOGISTIC.fit(X_TWO[::3], 1 - Y_TWO[::3])
    named = copy.copy(model)
    named.classes_ = np.unique(np.asarray(given))
    assert scorer(named, X_TWO, given) == pytest.approx(scorer(model, X_TWO, 1 - Y_TWO), rel=1e-9)
    assert type(scorer(named, X_TWO, given)) is float


def test_the_label_of_yes_can_be_said():
    model = LOGISTIC.fit(X_TWO, TEXTS)
    p = model.predict_proba(X_TWO)
    loss = L.binary_cross_entropy()
    weighty = gm.weighted(loss, positive=9.0)
    by_hand = loss.raw(p[:, 0])
    assert gm.to_sklearn(loss, pos_label="benign").scorer(model, X_TWO, TEXTS) == pytest.approx(
        -loss(TEXTS == "benign", by_hand)
    )
    assert gm.to_sklearn(loss, pos_label="benign")(TEXTS, p[:, 0]) == pytest.approx(
        loss(TEXTS == "benign", prediction=p[:, 0])
    )
    assert gm.to_sklearn(loss, pos_label="benign")(TEXTS, p) == pytest.approx(gm.to_sklearn(loss)(TEXTS, p[:, 1]))
    yes = {
        label: gm.to_sklearn(weighty, pos_label=label).scorer(model, X_TWO, TEXTS) for label in ("benign", "malignant")
    }
    assert yes["benign"] != pytest.approx(yes["malignant"])


@pytest.mark.parametrize("loss", [L.cross_entropy(), L.brier(), L.focal(), L.spherical()], ids=repr)
def test_folds_may_lack_a_class(loss):
    """A model that does not know a label gives it no probability; rows that show few labels are judged among all."""
    scorer, known = gm.to_sklearn(loss).scorer, Y_THREE < 2
    model = LogisticRegression(max_iter=5000).fit(X_THREE, Y_THREE)
    few = scorer(model, X_THREE[known], Y_THREE[known])
    p = model.predict_proba(X_THREE[known])
    assert few == pytest.approx(-loss(Y_THREE[known], loss.raw(p)), rel=1e-9)
    half = LogisticRegression(max_iter=5000).fit(X_THREE[known], Y_THREE[known])
    wide = np.column_stack([half.predict_proba(X_THREE), np.zeros(150)])
    assert scorer(half, X_THREE, Y_THREE) == pytest.approx(-loss(Y_THREE, loss.raw(wide)), rel=1e-9)
    alone = DummyClassifier(strategy="prior").fit(X_THREE[:50], Y_THREE[:50])
    assert scorer(alone, X_THREE, Y_THREE) < few
    with pytest.raises(UsageError, match="one label"):
        scorer(alone, X_THREE[:50], Y_THREE[:50])
    told = gm.to_sklearn(loss, labels=[0, 1, 2]).scorer(alone, X_THREE[:50], Y_THREE[:50])
    assert told == pytest.approx(-loss([0], loss.raw(np.array([[1.0, 0.0, 0.0]]))))


def test_a_fold_of_one_class_among_two():
    scorer = gm.to_sklearn(L.binary_cross_entropy()).scorer
    model = LOGISTIC.fit(X_TWO, TEXTS)
    some = TEXTS == "benign"
    assert scorer(model, X_TWO[some], TEXTS[some]) == pytest.approx(
        np.log(model.predict_proba(X_TWO[some])[:, 0]).mean()
    )
    alone = DummyClassifier(strategy="prior").fit(X_TWO[some], TEXTS[some])
    assert scorer(alone, X_TWO, TEXTS) == -np.inf  # what it rules out happened
    with pytest.raises(UsageError, match="pos_label='benign'"):
        scorer(alone, X_TWO[some], TEXTS[some])
    assert gm.to_sklearn(L.binary_cross_entropy(), pos_label="benign").scorer(alone, X_TWO[some], TEXTS[some]) == 0


def test_labels_that_rows_do_not_show_can_be_said():
    metric = gm.to_sklearn(L.cross_entropy(), labels=[0, 1, 2, 3])
    assert metric([0, 2], Q[:2]) == pytest.approx(-np.log([Q[0, 0], Q[1, 2]]).mean())
    with pytest.raises(ValueError, match=r"labels=model\.classes_"):
        gm.to_sklearn(L.cross_entropy())([0, 2], Q[:2])
    with pytest.raises(UnknownLabel, match="none of the labels"):
        metric([0, 7], Q[:2])


def test_labels_that_are_no_labels_are_refused():
    metric = gm.to_sklearn(L.cross_entropy())
    for missing in (None, np.nan, pd.NA):
        with pytest.raises(TargetOutsideDomain, match="no label in row 1"):
            metric(np.array(["a", missing, "b"], dtype=object), np.full((3, 2), 0.5))
    with pytest.raises(UsageError, match="several types"):
        metric(np.array(["a", 1, "b"], dtype=object), np.full((3, 2), 0.5))
    with pytest.raises(UsageError, match="amounts"):
        gm.to_sklearn(L.squared_error(), pos_label=1)
    with pytest.raises(UsageError, match="none of which is yes"):
        gm.to_sklearn(L.cross_entropy(), pos_label="a")
    with pytest.raises(UsageError, match="yes or no"):
        gm.to_sklearn(L.binary_cross_entropy()).scorer(
            LogisticRegression(max_iter=5000).fit(X_THREE, Y_THREE), X_THREE, Y_THREE
        )


def test_rows_of_weight_zero_are_absent_whatever_they_hold():
    model, weight = LOGISTIC.fit(X_TWO, TEXTS), np.ones(len(TEXTS))
    weight[:5] = 0
    spoiled = TEXTS.astype(object)
    spoiled[:5] = [None, np.nan, "none", 3, "x"]
    scorer = gm.to_sklearn(L.binary_cross_entropy()).scorer
    assert scorer(model, X_TWO, spoiled, sample_weight=weight) == pytest.approx(scorer(model, X_TWO[5:], TEXTS[5:]))
    with pytest.raises(WeightError):
        scorer(model, X_TWO, TEXTS, sample_weight=-weight)


def test_several_targets_a_row():
    y = np.column_stack([X_TWO[:, 0], X_TWO[:, 1]])
    model = LinearRegression().fit(X_TWO[:, 2:], y)
    metric, p = gm.to_sklearn(L.huber()), model.predict(X_TWO[:, 2:])
    each = [metric(y[:, k], p[:, k]) for k in range(2)]
    assert metric.scorer(model, X_TWO[:, 2:], y) == pytest.approx(-np.mean(each))
    labels = (y > np.median(y, axis=0)).astype(int)
    forest = RandomForestClassifier(20, random_state=0).fit(X_TWO[:, 2:], labels)
    brier = gm.to_sklearn(L.binary_brier())
    p = np.column_stack([part[:, 1] for part in forest.predict_proba(X_TWO[:, 2:])])
    assert brier.scorer(forest, X_TWO[:, 2:], labels) == pytest.approx(-((p - labels) ** 2).mean())
    many = MultiOutputClassifier(LOGISTIC).fit(X_TWO[:, 2:], labels)
    assert -0.5 < brier.scorer(many, X_TWO[:, 2:], labels) < 0


def test_shares_are_targets_of_regressors():
    share = np.clip(X_TWO[:, 0] / X_TWO[:, 0].max(), 0, 1)
    model = gm.LossRegressor(L.binary_cross_entropy()).fit(X_TWO[:, 1:4], share)
    score = gm.to_sklearn(L.binary_cross_entropy()).scorer(model, X_TWO[:, 1:4], share)
    assert score == pytest.approx(-L.binary_cross_entropy()(share, model.raw(X_TWO[:, 1:4])))


# --- inside scikit-learn's tools ---


def test_searches_and_cross_validation_take_the_scorers():
    mine = {
        name: gm.to_sklearn(loss).scorer for name, loss in {"ce": L.binary_cross_entropy(), "hinge": L.hinge()}.items()
    }
    both = cross_validate(LOGISTIC, X_TWO, TEXTS, scoring={**mine, "theirs": "neg_log_loss"})
    np.testing.assert_allclose(both["test_ce"], both["test_theirs"], rtol=1e-12)
    np.testing.assert_allclose(both["test_hinge"], cross_val_score(LOGISTIC, X_TWO, TEXTS, scoring=mine["hinge"]))
    found = GridSearchCV(
        Ridge(), {"alpha": [0.1, 1e6]}, scoring=gm.to_sklearn(L.pinball(level=0.9)).skill_scorer, n_jobs=2
    ).fit(*load_diabetes(return_X_y=True))
    assert found.best_params_ == {"alpha": 0.1}


def test_weights_are_routed():
    weight = RANDOM.integers(1, 5, len(Y_TWO)).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = gm.to_sklearn(L.binary_cross_entropy()).scorer.set_score_request(sample_weight=True)
        model = LogisticRegression(max_iter=5000).set_fit_request(sample_weight=False)
        routed = cross_val_score(model, X_TWO, Y_TWO, scoring=scorer, params={"sample_weight": weight})
        theirs = metrics.get_scorer("neg_log_loss").set_score_request(sample_weight=True)
        wanted = cross_val_score(model, X_TWO, Y_TWO, scoring=theirs, params={"sample_weight": weight})
    np.testing.assert_allclose(routed, wanted, rtol=1e-12)


@pytest.mark.parametrize("event", ["malignant", "benign"])
def test_thresholds_are_tuned_for_costs(event):
    costs = gm.Costs(false_negative=40, false_positive=5)
    price = gm.to_sklearn(costs, pos_label=event)
    tuned = TunedThresholdClassifierCV(LOGISTIC, scoring=price.scorer, cv=0.5, refit=True, random_state=0).fit(
        X_TWO, TEXTS
    )
    answers = tuned.predict(X_TWO)
    missed = ((event == TEXTS) & (answers != event)).mean()
    alarms = ((event != TEXTS) & (answers == event)).mean()
    assert price(TEXTS, answers) == pytest.approx(40 * missed + 5 * alarms)
    assert price.scorer(tuned, X_TWO, TEXTS) == pytest.approx(-(40 * missed + 5 * alarms))
    assert (answers == event).mean() > (LOGISTIC.fit(X_TWO, TEXTS).predict(X_TWO) == event).mean()


def test_a_threshold_is_tuned_on_labels_where_the_loss_allows():
    right = TunedThresholdClassifierCV(LOGISTIC, scoring=gm.to_sklearn(L.zero_one()).scorer).fit(X_TWO, TEXTS)
    theirs = TunedThresholdClassifierCV(LOGISTIC, scoring="accuracy").fit(X_TWO, TEXTS)
    assert right.best_score_ == pytest.approx(theirs.best_score_ - 1)
    with pytest.raises(UsageError, match=r"gm\.Costs"):
        TunedThresholdClassifierCV(LOGISTIC, scoring=gm.to_sklearn(L.binary_cross_entropy()).scorer).fit(X_TWO, TEXTS)


def test_costs_of_classes_and_of_amounts():
    table = gm.ClassCosts([[0, 1, 4], [1, 0, 1], [9, 3, 0]])
    model = LogisticRegression(max_iter=5000).fit(X_THREE[:, :2], Y_THREE)
    answers = model.predict(X_THREE[:, :2])
    by_hand = table.matrix[Y_THREE, answers].mean()
    assert gm.to_sklearn(table).scorer(model, X_THREE[:, :2], Y_THREE) == pytest.approx(-by_hand)
    units, always = (
        gm.UnderOverCosts(under=3, over=1),
        DummyRegressor(strategy="constant", constant=5.0).fit([[0]], [5.0]),
    )
    assert gm.to_sklearn(units)([4.0, 7.0], [5.0, 5.0]) == pytest.approx((1 + 6) / 2)
    assert gm.to_sklearn(units).scorer(always, [[0], [0]], [4.0, 7.0]) == pytest.approx(-3.5)
    pinball = gm.to_sklearn(L.pinball(level=units.level))
    assert gm.to_sklearn(units)(AMOUNTS, GUESSES) == pytest.approx(4 * pinball(AMOUNTS, GUESSES))


@pytest.mark.parametrize("of", [L.binary_focal(gamma=1.5), gm.Costs(false_negative=40, false_positive=5)], ids=str)
def test_metrics_and_scorers_are_values(of):
    metric = gm.to_sklearn(of, pos_label="malignant")
    model = LOGISTIC.fit(X_TWO, TEXTS)
    for again in (pickle.loads(pickle.dumps(metric.scorer)), copy.deepcopy(metric.scorer)):
        assert again(model, X_TWO, TEXTS) == metric.scorer(model, X_TWO, TEXTS)
        assert repr(again) == f"{metric!r}.scorer"
    assert pickle.loads(pickle.dumps(metric)) == metric


def test_a_metric_goes_through_make_scorer():
    mine = metrics.make_scorer(gm.to_sklearn(L.huber()), greater_is_better=False)
    model = Ridge().fit(X_TWO[:, 1:], X_TWO[:, 0])
    assert mine(model, X_TWO[:, 1:], X_TWO[:, 0]) == gm.to_sklearn(L.huber()).scorer(model, X_TWO[:, 1:], X_TWO[:, 0])
    assert "huber" in repr(mine)


def test_a_loss_of_ones_own_is_a_metric():
    @gm.loss(target=gm.Positive, activation="exp")
    def relative(y, mu):
        """The squared relative miss."""
        return (y / mu - 1) ** 2

    @gm.loss(target=gm.Binary)
    def straight(y, z):
        """A hinge of its own."""
        return gm.words.maximum(0, 1 - (2 * y - 1) * z)

    assert gm.to_sklearn(relative())(AMOUNTS, GUESSES) == pytest.approx(((AMOUNTS / GUESSES - 1) ** 2).mean())
    svc = LinearSVC().fit(X_TWO, TEXTS)
    own, theirs = (gm.to_sklearn(loss).scorer(svc, X_TWO, TEXTS) for loss in (straight(), L.hinge()))
    assert own == pytest.approx(theirs)


def test_predictions_that_the_loss_cannot_judge_fail_as_scikit_learns_metrics_do():
    model = LinearRegression().fit([[0.0], [1.0]], [1.0, -1.0])
    with warnings.catch_warnings(), pytest.raises(TargetOutsideDomain, match="outside what poisson"):
        gm.to_sklearn(L.poisson()).scorer(model, [[1.0]], [2.0])
    with pytest.raises(UsageError, match="predict_proba"):
        gm.to_sklearn(L.binary_cross_entropy()).scorer(LinearSVC().fit(X_TWO, TEXTS), X_TWO, TEXTS)


ROWS = np.random.default_rng(0).normal(size=(60, 3))
TOLD = ROWS[:, 0] + np.random.default_rng(1).normal(size=60)
YES = np.where(TOLD > 0, "well", "ill")
COSTS = gm.Costs(false_negative=40, false_positive=5)
LABELS = [L.binary_cross_entropy(), L.cross_entropy(), L.focal(), COSTS]
UNABLE = {
    "a regressor of amounts": lambda: Ridge().fit(ROWS, 10 * TOLD),
    "no probabilities": lambda: LinearSVC().fit(ROWS, YES),
    "no probabilities in a pipeline": lambda: make_pipeline(StandardScaler(), LinearSVC()).fit(ROWS, YES),
    "not fitted": LogisticRegression,
    "no classifier": lambda: KMeans(2, n_init=1).fit(ROWS),
    "no model": lambda: StandardScaler().fit(ROWS),
}


@pytest.mark.parametrize("of", LABELS, ids=repr)
@pytest.mark.parametrize("make", UNABLE.values(), ids=UNABLE)
def test_a_model_that_cannot_say_what_is_judged_is_told_so(of, make):
    judge, model = gm.to_sklearn(of), make()
    if of is COSTS and isinstance(model, LinearSVC | Pipeline | KMeans):
        return  # costs ask for answers alone
    y = (TOLD > 0).astype(int) if isinstance(model, Ridge) else YES
    for scorer in (judge.scorer, *([] if of is COSTS else [judge.skill_scorer])):
        model = make()
        with pytest.raises((UsageError, TargetOutsideDomain), match="GM0") as refused:
            scorer(model, ROWS, y)
        known = {"model": model, "X": ROWS, "y": y}
        exec(refused.value.fix, known | {"sklearn": sklearn}, known)
        assert np.isfinite(scorer(known["model"], ROWS, y))


def test_a_loss_of_amounts_asks_for_a_regressor_where_labels_are_texts():
    with pytest.raises(Problem, match="Ridge"):
        gm.to_sklearn(L.huber()).scorer(LogisticRegression().fit(ROWS, YES), ROWS, TOLD)
