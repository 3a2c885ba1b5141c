"""Do other tools find the same where they answer the same question, and what do they find where they do not?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from goodmeasure import losses, tally
from goodmeasure.calibrating.calibration import calibration
from goodmeasure.calibrating.miscalibration import debiased_squared_error
from goodmeasure.calibrating.recalibration import recalibrate
from goodmeasure.decisions.costs import Costs
from goodmeasure.decisions.decision import decide
from goodmeasure.risks.risk import compare, risk
from goodmeasure.statistics.conformal import conformal_rank
from goodmeasure.statistics.intervals import mean_estimate


def calibrated(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    return (rng.random(n) < p) * 1.0, p


def bent(p: np.ndarray, slope: float) -> np.ndarray:
    """Probabilities with their log-odds multiplied."""
    return 1 / (1 + ((1 - p) / p) ** slope)


# --- SciPy's intervals of a mean ---


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("pairs", [1, 2, 20])
def test_a_mean_of_symmetric_values_has_student_s_interval(pairs: int, level: float) -> None:
    """Whichever way the mean is asked for; where values lean to a side, an interval may be longer there."""
    away = np.random.default_rng(pairs).exponential(size=pairs)
    y = 9 + np.concatenate([away, -away])
    there = ttest_1samp(y, 0).confidence_interval(level)
    loss, none = losses.absolute_error(), np.zeros(len(y))
    found = {
        "mean": mean_estimate(y, level=level),
        "risk": risk(loss, y, none, level=level),
        "a constant less": compare(loss, y, none, y, level=level),
        "tally": tally(loss, y, none).risk(level=level),
        "clusters": mean_estimate(
            np.repeat(y, 3) + np.tile([-1.0, 0, 1], len(y)), together=np.repeat(np.arange(len(y)), 3), level=level
        ),
    }
    for name, one in found.items():
        # A mean of absolute errors is no less than none.
        low = max(there.low, 0.0) if name in ("risk", "tally") else there.low
        assert (one.low, one.high) == pytest.approx((low, there.high), rel=1e-12), name


# --- scikit-learn's calibrators ---


def test_maps_are_those_of_scikit_learn() -> None:
    y, p = calibrated(2000)
    sharp, new = bent(p, 2.0), bent(np.linspace(0.01, 0.99, 50), 2.0)
    raw = np.log(sharp / (1 - sharp))
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(sharp, y)
    assert recalibrate(y, sharp, "isotonic")(new) == pytest.approx(isotonic.predict(new), abs=1e-12)
    # A model of slope one and no intercept gives the calibrators below the raw outputs as they are.
    model = LogisticRegression().fit(raw[:, None], y)
    model.coef_[:], model.intercept_[:] = 1.0, 0.0
    for ours, theirs in (("platt", "sigmoid"), ("temperature", "temperature")):
        fitted = CalibratedClassifierCV(FrozenEstimator(model), method=theirs, cv=2).fit(raw[:, None], y)
        there = fitted.predict_proba(raw[:, None])[:, 1]
        assert recalibrate(y, raw, ours, raw=True)(raw) == pytest.approx(there, abs=1e-8)


# --- MAPIE ---


class Given(RegressorMixin, BaseEstimator):
    """A model that predicts its only feature."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> Given:
        self.n_features_in_ = 1
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        return x[:, 0]


@pytest.mark.parametrize(("n", "level"), [(99, 0.9), (100, 0.9), (500, 0.95)])
def test_a_split_conformal_interval_reaches_to_our_rank(n: int, level: float) -> None:
    regression = pytest.importorskip("mapie.regression")
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(n, 1)), rng.normal(size=n)
    found = regression.SplitConformalRegressor(Given().fit(x, y), confidence_level=level).conformalize(x, y)
    ends = found.predict_interval(np.zeros((1, 1)))[1].ravel()
    reach = np.sort(np.abs(y - x[:, 0]))[conformal_rank(n, 1 - level) - 1]
    assert ends == pytest.approx([-reach, reach], rel=1e-9)


def test_tests_of_calibration_agree_and_one_of_them_is_one_sided() -> None:
    """Kolmogorov and Smirnov's, Kuiper's, and ours all reject what is off; Spiegelhalter's in MAPIE takes one tail, so
    that predictions that are too modest pass with a p-value of one."""
    theirs = pytest.importorskip("mapie.metrics.calibration")
    y, p = calibrated(2000)
    found = {}
    for name, slope in (("right", 1.0), ("bold", 2.0), ("modest", 0.5)):
        scores = bent(p, slope)
        found[name] = {
            "ours": calibration(y, scores).p_value,
            "kolmogorov": theirs.kolmogorov_smirnov_p_value(y, scores),
            "kuiper": theirs.kuiper_p_value(y, scores),
            "spiegelhalter": theirs.spiegelhalter_p_value(y, scores),
        }
    assert min(found["right"].values()) > 0.05
    for name in ("ours", "kolmogorov", "kuiper"):
        assert found["bold"][name] < 0.01 > found["modest"][name]
    assert found["bold"]["spiegelhalter"] < 0.01
    assert found["modest"]["spiegelhalter"] > 0.99


def test_spiegelhalter_s_statistic_is_what_its_name_says() -> None:
    """Both tails of it reject as often as they should, and with ours on the same side."""
    theirs = pytest.importorskip("mapie.metrics.calibration")
    z = np.array([theirs.spiegelhalter_statistic(*calibrated(500, seed)) for seed in range(300)])
    assert np.mean(np.abs(z) > 1.959964) == pytest.approx(0.05, abs=0.04)
    assert np.std(z) == pytest.approx(1, abs=0.13)


def test_a_plug_in_error_finds_what_is_not_there() -> None:
    theirs = pytest.importorskip("mapie.metrics.calibration")
    rows = [calibrated(1000, seed) for seed in range(50)]
    plug_in = np.mean([theirs.expected_calibration_error(y, p) for y, p in rows])  # 50 bins
    assert plug_in == pytest.approx(0.069, abs=0.003)
    ours = [debiased_squared_error(y - p, p, np.ones(1000)) for y, p in rows]
    assert np.mean([one.low <= 0 for one in ours]) >= 0.9
    assert abs(np.mean([one.value for one in ours])) < 0.069**2 / 10


# --- empulse ---


def test_costs_by_row_are_those_of_empulse() -> None:
    """9,379 subscribers to a television service, each with four costs of their own."""
    data = pytest.importorskip("empulse.datasets").load_churn_tv_subscriptions(backend="polars")
    metrics = pytest.importorskip("empulse.metrics")
    four = {name: np.asarray(value, dtype=float) for name, value in data.instance_costs.items()}
    y, p = np.asarray(data.target, dtype=float), calibrated(len(data.target))[1]
    costs = Costs(
        false_negative=four["fn_cost"],
        false_positive=four["fp_cost"],
        true_positive=four["tp_cost"],
        true_negative=four["tn_cost"],
    )
    assert (len(y), y.sum()) == (9379, 449)
    assert costs.thresholds == pytest.approx(metrics.expected_cost_loss.optimal_threshold(y, p, **four), rel=1e-12)
    found = decide(y, 0.2 * p**2, costs)
    for name, given in (("theory", 0.2 * p**2), ("always", np.ones(len(y))), ("never", np.zeros(len(y)))):
        there = metrics.cost_loss(y, given, normalize=True, **four)
        assert found.rule(name).cost.value == pytest.approx(there, rel=1e-12)
    # What it calls the expected cost is that of acting at random with chance p, not of the best act.
    at_random = np.mean(p * costs.of_acting(y) + (1 - p) * costs.of_leaving(y))
    assert metrics.expected_cost_loss(y, p, **four) == pytest.approx(at_random, rel=1e-12)
