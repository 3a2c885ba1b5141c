"""Does a decision follow from costs and probabilities, and is its cost told honestly?"""

from __future__ import annotations

import json
import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

import goodmeasure as gm
from goodmeasure.calibrating.base_rates import odds_shift, prior_shift, undo_weights
from goodmeasure.decisions.costs import (
    ClassCosts,
    Costs,
    CostsDoNotFit,
    DegenerateCosts,
    UnderOverCosts,
    bayes_act,
    negatives_multiplier,
)
from goodmeasure.decisions.curves import Curves, curves
from goodmeasure.decisions.decision import SeenInTraining, decide, expected_cost, regret
from goodmeasure.decisions.pricing import Policy, Prices
from goodmeasure.decisions.rules import Decision
from goodmeasure.decisions.thresholds import cuts
from goodmeasure.errors import UsageError
from goodmeasure.risks.risk import risk
from goodmeasure.statistics.estimate import Estimate
from goodmeasure.statistics.intervals import clopper_pearson, mean_estimate, wilson
from goodmeasure.statistics.multinomial import hit_share
from goodmeasure.statistics.row_arguments import MissingScore, OneClassOnly, ScoreOutsideUnitInterval, UnknownLabel
from goodmeasure.statistics.sample import TAKEN_AS_INDEPENDENT, Sample

MISS_IS_DEAR = Costs(false_negative=40, false_positive=5)


def calibrated(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows whose score is uniform and exactly the probability of an event."""
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    return (rng.random(n) < p) * 1.0, p


# --- theory ---


@pytest.mark.parametrize(
    ("costs", "threshold"),
    [
        (MISS_IS_DEAR, 5 / 45),
        (Costs(false_negative=1, false_positive=1), 0.5),
        (Costs(false_negative=0, false_positive=4, true_positive=-10, true_negative=-1), 5 / 15),
        (Costs(false_negative=40, false_positive=0), 0.0),
    ],
)
def test_threshold_comes_from_the_differences(costs: Costs, threshold: float) -> None:
    assert costs.threshold == pytest.approx(threshold, abs=1e-15)
    assert Costs.from_matrix(costs.matrix) == costs


@pytest.mark.parametrize(
    "four",
    [
        {"false_negative": 0, "false_positive": 0},
        {"false_negative": -1, "false_positive": 5},
        {"false_negative": 5, "false_positive": math.nan},
        {"false_negative": 5, "false_positive": 1, "true_negative": 2},
    ],
)
def test_costs_that_leave_nothing_to_decide_are_refused(four: dict[str, float]) -> None:
    with pytest.raises(DegenerateCosts) as refused:
        Costs(**four)
    assert refused.value.code == "GM710"


@pytest.mark.parametrize("rows", [1.0, [[1.0], [2.0], [0.0]]], ids=["one number", "a number a class"])
def test_a_table_whose_acts_all_cost_the_same_leaves_nothing_to_decide(rows: Any) -> None:
    with pytest.raises(DegenerateCosts, match="nothing to decide") as refused:
        ClassCosts(np.ones((3, 3)) * rows)
    mended: dict[str, Any] = {"gm": gm, "numpy": np}
    exec(refused.value.fix, mended)
    assert mended["costs"].matrix.shape == (3, 3)
    ClassCosts(np.ones((3, 2)) * rows + np.array([0, 1e-9]))  # what differs at all decides


@pytest.mark.parametrize(("x", "threshold"), [(100, 0.1549295775), (1000, 0.0377358491), (math.inf, 0.0196078431)])
def test_the_credit_card_example(x: float, threshold: float) -> None:
    """Elkan 2001: a fraudulent charge of x approved costs x, a good one refused 20; gains as in the paper."""
    big = 1e12 if math.isinf(x) else x
    costs = Costs(false_negative=big, false_positive=20, true_positive=-20, true_negative=-0.02 * big)
    assert costs.threshold == pytest.approx((0.02 * big + 20) / (1.02 * big + 40), abs=1e-12)
    assert costs.threshold == pytest.approx(threshold, abs=1e-9)


def test_reweighting_and_moving_the_threshold_are_the_same_decision() -> None:
    assert negatives_multiplier(1 / 21) == pytest.approx(0.05)
    assert negatives_multiplier(1 / 6) == pytest.approx(0.2)
    p = np.linspace(0.001, 0.999, 999)
    weighted = undo_weights(p, positive=negatives_multiplier(1 / 21))  # negatives weighed down: p rises
    assert np.array_equal(weighted >= 0.5, p >= 1 / 21)


def test_prior_shift_is_exact_and_reversible() -> None:
    p = np.array([0.1, 0.3, 0.5, 0.9])
    moved = prior_shift(p, trained_at=0.5, used_at=0.1)
    assert moved == pytest.approx([0.0121951220, 0.0454545455, 0.1, 0.5], abs=1e-10)
    assert prior_shift(moved, trained_at=0.1, used_at=0.5) == pytest.approx(p, abs=1e-15)


def test_raw_outputs_are_shifted_as_their_probabilities_are() -> None:
    z = np.linspace(-8, 8, 33)
    moved = 1 / (1 + np.exp(-(z + odds_shift(trained_at=0.4, used_at=0.02))))
    np.testing.assert_allclose(moved, prior_shift(1 / (1 + np.exp(-z)), trained_at=0.4, used_at=0.02), rtol=1e-12)
    for share in (0.0, 1.0):
        with pytest.raises(UsageError, match="strictly between 0 and 1"):
            odds_shift(trained_at=0.4, used_at=share)


@given(st.floats(0.01, 0.99), st.floats(0.01, 50), st.floats(0.01, 50))
@settings(max_examples=40, deadline=None)
def test_undoing_weights_gives_the_probability_back(q: float, positive: float, negative: float) -> None:
    trained = q * positive / (q * positive + (1 - q) * negative)
    assert undo_weights([trained], positive=positive, negative=negative)[0] == pytest.approx(q, rel=1e-9)


@given(st.integers(2, 5), st.integers(2, 6), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_the_bayes_act_never_costs_more_than_any_other(classes: int, acts: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    costs = ClassCosts(rng.normal(size=(classes, acts)))
    p = rng.dirichlet(np.ones(classes), 50)
    expected = p @ costs.matrix
    assert (expected[np.arange(50), bayes_act(p, costs)] <= expected.min(axis=1) + 1e-12).all()


def test_classes_under_dirichlet_probabilities() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 200_000)
    y = (rng.random((200_000, 1)) > p.cumsum(axis=1)).sum(axis=1)
    found = decide(y, p, ClassCosts([[0, 1, 10], [1, 0, 1], [5, 1, 0]]))
    by_name = {rule.name: rule.cost.value for rule in found.rules}
    assert by_name["theory"] == pytest.approx(0.617, abs=0.006)
    assert by_name["most likely class"] == pytest.approx(1.238, abs=0.006)


def test_asking_a_person() -> None:
    y, p = calibrated(200_000)
    found = decide(y, p, Costs(false_negative=1, false_positive=1, ask=0.2))
    asked = found.rule("theory, asking")
    assert abs(asked.cost.value - (0.2 - 0.2**2)) < 4 * asked.cost.standard_error
    assert np.mean(bayes_act(p, found.costs) == 2) == pytest.approx(0.6, abs=0.006)


@pytest.mark.parametrize("pi", [0.5, 0.1])
def test_a_gaussian_pair_at_its_bayes_cut(pi: float) -> None:
    """The known posterior of two Gaussians: the cost at the Bayes threshold against numerical integration."""
    costs, mu = Costs(false_negative=20, false_positive=1), 1.0
    cut = (math.log(costs.threshold / (1 - costs.threshold)) - math.log(pi / (1 - pi))) / (2 * mu)
    exact = pi * 20 * norm.cdf(cut - mu) + (1 - pi) * norm.sf(cut + mu)
    middle = -math.log(pi / (1 - pi)) / (2 * mu)
    at_half = pi * 20 * norm.cdf(middle - mu) + (1 - pi) * norm.sf(middle + mu)
    if pi == 0.1:
        assert cut == pytest.approx(-0.3992538481, abs=1e-9)
        assert exact == pytest.approx(0.4083409576, abs=1e-9)
        assert at_half == pytest.approx(1.0946868789, abs=1e-9)
    rng = np.random.default_rng(1)
    y = (rng.random(100_000) < pi) * 1.0
    x = rng.normal(np.where(y == 1, mu, -mu), 1)
    p = 1 / (1 + np.exp(-(2 * mu * x + math.log(pi / (1 - pi)))))
    found = decide(y, p, costs)
    assert abs(found.theory.cost.value - exact) < 4 * found.theory.cost.standard_error
    assert found.best.name == "theory"
    half = found.rule("half").cost
    assert abs(half.value - at_half) < 4 * half.standard_error
    assert found.theory.cost.value < half.value


def test_regret_of_a_moved_threshold_is_half_its_square() -> None:
    y, p = calibrated(400_000)
    for c, t in [(0.3, 0.5), (0.8, 0.2)]:
        true = Costs(false_negative=1 - c, false_positive=c)
        cost = expected_cost(y, p, true, t)
        assert abs(cost.value - (c * (1 - c) / 2 + (t - c) ** 2 / 2)) < 4 * cost.standard_error
        lost = regret(y, p, Costs(false_negative=1 - t, false_positive=t), true)
        assert abs(lost.value - (t - c) ** 2 / 2) < 4 * lost.standard_error
        assert lost.verdict == "worse"


# --- practice ---


def test_a_useless_score_promises_nothing() -> None:
    """The threshold that these rows chose looks cheap on them; cross-fitted, it does not beat the best constant."""
    promised, told = [], []
    costs = Costs(false_negative=10, false_positive=1)
    for seed in range(30):
        rng = np.random.default_rng(seed)
        y, p = (rng.random(200) < 0.1) * 1.0, rng.random(200)
        found = decide(y, p, costs)
        promised.append(expected_cost(y, p, costs, found.threshold.value).value)
        told.append(found.cost.value)
    assert np.mean(promised) < 0.85
    assert np.mean(told) > 0.88


def test_practice_is_preferred_only_where_it_is_surely_cheaper() -> None:
    y, p = calibrated(20_000)
    assert decide(y, p, MISS_IS_DEAR).best.name == "theory"
    off = decide(y, p**3, MISS_IS_DEAR)
    assert off.best.name == "practice"
    assert off.threshold.low <= (5 / 45) ** 3 <= off.threshold.high
    assert np.array_equal(off.act([0.0, 1.0]), [0, 1])


def test_the_threshold_interval_covers_the_best_threshold() -> None:
    costs = Costs(false_negative=3, false_positive=1)
    found = [decide(*calibrated(1000, seed), costs).threshold for seed in range(40)]
    assert sum(one.low <= 0.25 <= one.high for one in found) >= 36
    assert all(one.low <= one.flat_low <= one.value <= one.flat_high <= one.high for one in found)


def test_a_budget_limits_how_many_are_acted_on() -> None:
    y, p = calibrated(1000)
    found = decide(y, p, MISS_IS_DEAR, budget=50)
    assert (p >= found.theory.threshold).sum() == 50
    assert (p >= found.threshold.value).sum() <= 50
    assert found.theory.cost.value > decide(y, p, MISS_IS_DEAR).theory.cost.value


def test_a_budget_of_nothing_never_acts() -> None:
    y, p = calibrated(200)
    found = decide(y, p, MISS_IS_DEAR, budget=0)
    assert found.theory.cost.value == found.rule("never").cost.value
    with pytest.raises(UsageError, match="no number of rows"):
        decide(y, p, MISS_IS_DEAR, budget=-1)


def test_a_rule_that_acts_on_more_rows_costs_at_most_an_alarm_more_in_each() -> None:
    y, q = calibrated(20, 4)
    for p in (q, q**2, np.sqrt(q)):
        found = decide(y, p, MISS_IS_DEAR)
        more = found.theory.versus_practice
        assert found.threshold.low > found.theory.threshold
        assert more is not None
        assert more.high <= 5


def test_a_cut_is_halfway_between_neighbours() -> None:
    p = np.array([0.1, 0.2, 0.6, 0.8])
    found = cuts(p, np.ones(4), np.zeros(4), np.ones(4))
    assert found.effective_n == 4
    assert [found.threshold(cut) for cut in range(5)] == pytest.approx([0, 0.15, 0.4, 0.7, math.inf])


def test_another_prevalence_moves_cost_and_threshold() -> None:
    y, p = calibrated(100_000)
    rng = np.random.default_rng(3)
    keep = (y == 0) | (rng.random(len(y)) < 1 / 9)  # in use events are a tenth of all rows
    shifted = decide(y, p, MISS_IS_DEAR, prevalence=0.1)
    there = prior_shift(p[keep], trained_at=0.5, used_at=0.1)
    direct = decide(y[keep], there, MISS_IS_DEAR)
    assert shifted.theory.cost.value == pytest.approx(
        direct.theory.cost.value, abs=4 * direct.theory.cost.standard_error
    )
    moved = prior_shift([shifted.theory.threshold], trained_at=y.mean(), used_at=0.1)[0]
    assert moved == pytest.approx(MISS_IS_DEAR.threshold, abs=1e-9)


def test_costs_by_row_decide_row_by_row() -> None:
    y, p = calibrated(20_000)
    amount = np.random.default_rng(5).exponential(50, len(y))
    found = decide(y, p, Costs(false_negative=amount, false_positive=5.0))
    assert found.theory.cost.value < found.cost.value  # no one threshold is as good as each row's own
    # The threshold of average costs stood beside a cost that it does not have.
    assert math.isnan(found.theory.threshold)
    assert found.verdict == "act when p >= the row's own false alarm / (false alarm + miss) (theory)"
    assert "theory row by row" in str(found)
    assert "nan" not in f"{found}{found._display().title}"
    with pytest.raises(UsageError, match="new rows have others") as refused:
        found.act(p[:3])
    known = {"gm": gm, "p": p[:3], "costs_of_these_rows": Costs(false_negative=amount[:3], false_positive=5.0)}
    expected = p[:3] >= 5 / (5 + amount[:3])
    np.testing.assert_array_equal(eval(refused.value.fix, known), expected)


def test_the_quantile_act_for_amounts() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=20_000)
    y = x + rng.normal(size=20_000)
    costs = UnderOverCosts(under=3, over=1)
    found = decide(y, x, costs)
    assert costs.level == 0.75
    assert found.shift is not None
    assert found.shift.low <= norm.ppf(0.75) <= found.shift.high
    # The newsvendor's cost at the right quantile of a standard normal is (under + over) times its density there.
    assert found.cost.value == pytest.approx(4 * norm.pdf(norm.ppf(0.75)), abs=4 * found.cost.standard_error)
    assert found.rules[0].versus_practice.verdict == "worse"


def test_clusters_stay_in_one_fold_and_widen_the_interval() -> None:
    y, p = calibrated(500)
    copies = [np.repeat(column, 4) for column in (y, p)]
    plain = decide(*copies, MISS_IS_DEAR).theory.cost
    robust = decide(*copies, MISS_IS_DEAR, cluster=np.repeat(np.arange(500), 4)).theory.cost
    assert robust.standard_error == pytest.approx(2 * plain.standard_error, rel=1e-12)


# --- curves ---


@given(st.integers(0, 10**6), st.integers(2, 60))
@settings(max_examples=30, deadline=None)
def test_brier_and_log_loss_are_mixtures_of_costs(seed: int, n: int) -> None:
    """Every proper loss is an integral of the cost curve over cost ratios, for any sample."""
    rng = np.random.default_rng(seed)
    p, y = rng.random(n), rng.integers(0, 2, n) * 1.0
    y[:2] = [0, 1]
    found = curves(y, p)
    assert found.brier == pytest.approx(np.mean((y - p) ** 2), rel=1e-12)
    assert found.log_loss == pytest.approx(np.mean(-np.log(np.where(y == 1, p, 1 - p))), rel=1e-12)
    c = rng.random(5)
    exact = [np.mean(np.where(p >= r, r * (1 - y), (1 - r) * y)) for r in c]
    assert found.cost(c) == pytest.approx(exact, abs=1e-14)
    assert quad(lambda r: float(found.murphy(r)), 0, 1, points=np.sort(p), limit=300)[0] == pytest.approx(found.brier)


def test_net_benefit_of_calibrated_uniform_scores() -> None:
    y, p = calibrated(400_000)
    found, t = curves(y, p), np.array([0.1, 0.3, 0.7])
    for curve, exact in (("net_benefit", (1 - t) / 2), ("treat_all", 0.5 - t / (1 - t) / 2)):
        band = found.band(curve, t)
        assert (np.abs(band.value - exact) < 2 * (band.high - band.low)).all()  # four standard errors, about
    assert abs(found.area().value - 5 / 6) < 4 * found.area().standard_error


def test_areas_agree_with_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(2)
    p, y = np.round(rng.random(500), 2), rng.integers(0, 2, 500) * 1.0
    assert curves(y, p).roc_area == pytest.approx(metrics.roc_auc_score(y, p), rel=1e-12)
    assert curves(y, p).average_precision == pytest.approx(metrics.average_precision_score(y, p), rel=1e-12)


# Of the 750 patients that dcurves ships: with cancer and without, by predicted risk cut at .05, .10, .20, .35, and by family.
BY_RISK = {0.02: (9, 325), 0.07: (9, 127), 0.15: (12, 95), 0.3: (18, 62), 0.6: (57, 36)}
BY_FAMILY = {0.0: (81, 554), 1.0: (24, 91)}


def test_net_benefit_of_a_published_data_set() -> None:
    """The figures that dcurves 1.1.7 prints, from the counts behind them."""

    def of(counts: dict[float, tuple[int, int]]) -> Curves:
        y = np.concatenate([np.repeat([1.0, 0.0], pair) for pair in counts.values()])
        assert (len(y), y.sum()) == (750, 105)
        return curves(y, np.repeat(list(counts), [sum(pair) for pair in counts.values()]))

    at = [0.05, 0.10, 0.20, 0.35]
    marker, family = of(BY_RISK), of(BY_FAMILY)
    assert marker.net_benefit(at) == pytest.approx([0.105544, 0.087407, 0.067333, 0.050154], abs=1e-6)
    assert family.net_benefit(at) == pytest.approx([0.025614, 0.018519, 0.001667, -0.033333], abs=1e-6)
    assert marker.treat_all(at) == pytest.approx([0.094737, 0.044444, -0.075, -0.323077], abs=1e-6)


@pytest.mark.parametrize(
    ("mu", "pi", "error", "area"),
    [
        (0.5, 0.5, 0.3085375387, 0.7602499389),
        (1.0, 0.5, 0.1586552539, 0.9213503965),
        (1.0, 0.1, 0.0700606859, 0.9213503965),
    ],
)
def test_the_area_and_the_errors_of_a_gaussian_pair(mu: float, pi: float, error: float, area: float) -> None:
    assert norm.cdf(mu * math.sqrt(2)) == pytest.approx(area, abs=1e-10)
    cut = -math.log(pi / (1 - pi)) / (2 * mu)
    assert pi * norm.cdf(cut - mu) + (1 - pi) * norm.sf(cut + mu) == pytest.approx(error, abs=1e-10)
    rng = np.random.default_rng(0)
    y = (rng.random(50_000) < pi) * 1.0
    p = 1 / (1 + np.exp(-2 * mu * rng.normal(np.where(y == 1, mu, -mu), 1) - math.log(pi / (1 - pi))))
    found = curves(y, p).area()
    assert abs(found.value - area) < 4 * found.standard_error
    wrong = expected_cost(y, p, Costs(false_negative=1, false_positive=1), 0.5)
    assert abs(wrong.value - error) < 4 * wrong.standard_error


# --- intervals on curves ---


def rows_of(curve: str, y: np.ndarray, acts: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray]:
    """What each row adds to a curve, and whether it is one of the rows that the curve is a mean over."""
    odds = t / (1 - t)
    cost = np.where(acts, t * (1 - y), (1 - t) * y)
    every, yes = np.ones(len(y), dtype=bool), y == 1
    return {
        "cost": (cost, every),
        "murphy": (2 * cost, every),
        "net_benefit": (acts * (y - odds * (1 - y)), every),
        "treat_all": (y - odds * (1 - y), every),
        "recall": (acts * 1.0, yes),
        "false_alarms": (acts * 1.0, ~yes),
        "precision": (y, acts),
    }[curve]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("curve", ["cost", "murphy", "net_benefit", "treat_all"])
def test_the_band_of_a_mean_is_the_interval_of_its_rows(curve: str, weighted: bool) -> None:
    """With many rows of each kind it is about the normal one, computed from what each row adds."""
    y, p = calibrated(100_000)
    w = np.where(y == 1, 1.0, 9.0) if weighted else np.ones(len(y))
    at = [0.2, 0.4, 0.8]
    found = curves(y, p, sample_weight=w)
    band = found.band(curve, at, level=0.9)
    assert np.array_equal(band.value, getattr(found, curve)(at))
    for i, t in enumerate(at):
        exact = mean_estimate(rows_of(curve, y, p >= t, t)[0], w, level=0.9)
        half = (exact.high - exact.low) / 2
        assert band.value[i] == pytest.approx(exact.value, rel=1e-12)
        assert (band.low[i], band.high[i]) == pytest.approx((exact.low, exact.high), abs=0.05 * half)
    assert json.loads(json.dumps(band.to_dict()))["n"] == len(y)


def test_a_benefit_that_hangs_on_two_rows_reaches_as_far_as_they_do() -> None:
    """The two intervals put together by hand: 30 hits and 2 alarms of 100 rows, an alarm 9 times as dear."""
    y, p = np.repeat([1.0, 0.0, 1.0, 0.0], [30, 2, 10, 58]), np.repeat([0.95, 0.95, 0.2, 0.1], [30, 2, 10, 58])
    (hit_low, hit_high), (call_low, call_high) = clopper_pearson(30, 100), clopper_pearson(2, 100)
    correlation = -math.sqrt(0.3 * 0.02 / (0.7 * 0.98))
    down, up = (0.3 - hit_low, 9 * (call_high - 0.02)), (hit_high - 0.3, 9 * (0.02 - call_low))
    band = curves(y, p).band("net_benefit", 0.9)
    assert float(band.value) == pytest.approx(0.3 - 9 * 0.02)
    for reach, found in ((down, band.value - band.low), (up, band.high - band.value)):
        exact = math.sqrt(reach[0] ** 2 + reach[1] ** 2 - 2 * correlation * reach[0] * reach[1])
        assert float(found) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("curve", ["recall", "false_alarms", "precision"])
def test_the_band_of_a_share_is_wilson_s_interval(curve: str) -> None:
    y, p = calibrated(300)
    at = [0.0, 0.1, 0.335, 0.8]
    band, heavy = (curves(y, p, sample_weight=w).band(curve, at) for w in (None, np.full(300, 7.0)))
    for i, t in enumerate(at):
        values, among = rows_of(curve, y, p >= t, t)
        low, high = wilson(values[among].sum(), among.sum())
        assert (band.value[i], band.low[i], band.high[i]) == pytest.approx((values[among].mean(), low, high), abs=1e-12)
    assert heavy.low == pytest.approx(band.low, abs=1e-12)  # weights have no unit
    nothing = curves(y, p).band("precision", 1.0)  # no score is as high
    assert (float(nothing.value), float(nothing.low), float(nothing.high)) == (1, 0, 1)


def test_the_interval_of_the_area_is_delong_s() -> None:
    """Against the definition on all pairs: how often each row of one kind lies on the right side of the other's."""
    y, p = calibrated(300)
    p = np.round(p, 1)
    right = np.sign(p[y == 1][:, None] - p[y == 0]) / 2 + 0.5
    found = curves(y, p).area()
    events, others = right.mean(axis=1), right.mean(axis=0)
    assert found.value == pytest.approx(right.mean(), abs=1e-12)
    assert found.value == pytest.approx(curves(y, p).roc_area, abs=1e-12)
    exact = math.sqrt(events.var(ddof=1) / len(events) + others.var(ddof=1) / len(others))
    assert found.standard_error == pytest.approx(exact, rel=1e-12)
    assert curves(y, p, sample_weight=np.full(300, 3.0)).area().high == pytest.approx(found.high, rel=1e-12)
    perfect = curves([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]).area()
    assert "nothing about the spread" in str(perfect)


@pytest.mark.parametrize("curve", ["cost", "recall", "precision", "net_benefit", "murphy"])
def test_a_place_of_a_curve_that_is_no_number_is_named(curve: str) -> None:
    with pytest.raises(UsageError, match="hold nan, a number is needed"):
        curves(*calibrated(40)).band(curve, [0.5, math.nan])  # type: ignore[arg-type]


def test_costs_that_add_up_to_no_number_are_refused() -> None:
    with pytest.raises(DegenerateCosts, match="larger than numbers can be"):
        Costs(false_negative=1e308, false_positive=1e308)


def test_an_exact_mean_is_worth_as_many_rows_as_its_error_says() -> None:
    values = np.repeat([0.0, 5.0, 40.0], [150, 40, 10])
    found = hit_share(Sample(np.ones(200), np.ones(200)), (values > 0) * 1.0)
    cost = Prices(MISS_IS_DEAR, np.arange(200) % 2, Sample(np.ones(200), np.ones(200))).cost(
        Policy.from_(0.5, np.linspace(0, 1, 200))
    )
    assert found.effective_n == pytest.approx(200)
    assert cost.effective_n == pytest.approx(200)


def test_bands_cover_and_unknown_curves_are_refused() -> None:
    """Calibrated uniform scores: the cost at c is c (1 - c) / 2, the net benefit (1 - t) / 2, the area 5/6."""
    at = np.array([0.05, 0.5, 0.95])
    truth = {"cost": at * (1 - at) / 2, "net_benefit": (1 - at) / 2, "recall": 1 - at**2, "precision": (1 + at) / 2}
    inside, area = dict.fromkeys(truth, 0), 0
    for seed in range(300):
        found = curves(*calibrated(400, seed))
        for name, exact in truth.items():
            band = found.band(name, at)
            inside[name] += ((band.low <= exact) & (exact <= band.high)).mean()
        area += found.area().low <= 5 / 6 <= found.area().high
    assert {name: count / 300 for name, count in inside.items()} == pytest.approx(dict.fromkeys(truth, 0.95), abs=0.03)
    assert area / 300 == pytest.approx(0.95, abs=0.04)
    with pytest.raises(UsageError, match="band takes no curve='lift'"):
        found.band("lift", at)
    for curve, wrong in (("cost", 1.5), ("recall", math.nan), ("net_benefit", 1.0), ("treat_all", [0.5, 1.0])):
        with pytest.raises(UsageError, match=f"thresholds (of {curve} lie in|hold nan)"):
            found.band(curve, wrong)


# --- bad input ---


def test_rows_of_the_training_set_are_refused() -> None:
    y, p = calibrated(10)
    with pytest.raises(SeenInTraining, match=r"2 of 10 rows"):
        decide(y, p, MISS_IS_DEAR, ids=np.arange(10), trained_on=[3, 9, 99])


@pytest.mark.parametrize(
    ("y", "p", "problem"),
    [
        ([0, 1, 1, 0, 1], [0.1, 0.2, 5.75, 0.3, 0.4], ScoreOutsideUnitInterval),
        ([0, 1, 1, 0, 1], [0.1, 0.2, math.nan, 0.3, 0.4], MissingScore),
        ([1, 1, 1, 1, 1], [0.1, 0.2, 0.3, 0.3, 0.4], OneClassOnly),
        ([0, 1, 2, 0, 1], [0.1, 0.2, 0.3, 0.3, 0.4], UnknownLabel),
    ],
)
def test_bad_rows_are_named(y: list[float], p: list[float], problem: type[Exception]) -> None:
    with pytest.raises(problem):
        decide(y, p, MISS_IS_DEAR)


def test_class_costs_need_as_many_classes() -> None:
    with pytest.raises(CostsDoNotFit):
        bayes_act(np.full((4, 3), 1 / 3), ClassCosts(np.eye(2)))


def test_a_decision_is_plain_values() -> None:
    y, p = calibrated(200)
    assert json.loads(json.dumps(decide(y, p, MISS_IS_DEAR).to_dict()))["best"] in {"theory", "practice"}


# --- rare and dear mistakes ---


@pytest.mark.parametrize("n", [113, 1000])
@pytest.mark.parametrize("share", [0.001, 0.01])
def test_rare_dear_misses_make_no_sure_words(n: int, share: float) -> None:
    """A miss costs so much that always acting costs the same: "surely more" was said falsely in up to .89 of samples."""
    dear, rng, said, inside = 0.8 / share, np.random.default_rng(0), {"worse": 0, "better": 0}, 0
    for _ in range(200):
        kind = rng.choice(4, n, p=[0.8, share, 0.1, 0.1 - share])  # left, missed, false alarm, caught
        y, acts = kind % 2, kind // 2
        prices = Prices(Costs(false_negative=dear, false_positive=1), y, Sample(np.ones(n), np.ones(n)))
        rule = Policy(acts, (0.5, 0.5))
        verdict = prices.extra(Policy.from_(0.0, np.ones(n)), rule).verdict
        said = {word: count + (word == verdict) for word, count in said.items()}
        cost = prices.cost(rule)
        inside += cost.low <= 0.9 <= cost.high
    assert max(said.values()) <= 12  # .05 is 10
    assert inside >= 184  # .95 is 190


def test_the_interval_of_one_share_is_the_exact_one() -> None:
    y = np.repeat([1, 0], [3, 97])
    prices = Prices(Costs(false_negative=7, false_positive=0), y, Sample(np.ones(100), np.ones(100)))
    cost, (low, high) = prices.cost(Policy.from_(0.5, np.zeros(100))), clopper_pearson(3, 100)
    assert (cost.low, cost.value, cost.high) == pytest.approx((7 * low, 0.21, 7 * high), rel=1e-9)


def rules_of(found: Decision) -> dict[str, Estimate]:
    costs = {rule.name: rule.cost for rule in (found.practice, found.theory, *found.rules)}
    return costs | {f"{rule.name} versus": rule.versus_practice for rule in (found.theory, *found.rules)}


@pytest.mark.parametrize("ask", [None, 0.4])
def test_rows_and_their_tally_cost_alike(ask: float | None) -> None:
    """On scores that are edges of the grid a tally prices a rule as its rows do; only the deal to folds is another."""
    rng = np.random.default_rng(3)
    p = rng.choice([0.0625, 0.25, 0.5, 0.75], 400)
    y = (rng.random(400) < p) * 1.0
    costs = Costs(false_negative=20, false_positive=1, true_positive=2, ask=ask)
    rows, made = decide(y, p, costs), gm.tally(gm.losses.binary_cross_entropy(), y, np.log(p / (1 - p))).decide(costs)
    for name in ("theory", "half", "always", "never"):
        ours, theirs = rows.rule(name).cost, made.rule(name).cost
        assert (theirs.value, theirs.low, theirs.high) == pytest.approx((ours.value, ours.low, ours.high), rel=1e-9), (
            name
        )
        assert theirs.cautions == ours.cautions, name


def test_a_tally_of_clusters_says_that_its_decision_does_not_know_them() -> None:
    y, p = calibrated(200)
    more = {"cluster": np.arange(200) // 4}
    made = gm.tally(gm.losses.binary_cross_entropy(), y, np.log(p / (1 - p)), **more).decide(MISS_IS_DEAR)
    for found in (*rules_of(made).values(), made.threshold):
        assert TAKEN_AS_INDEPENDENT in found.cautions


def test_a_sample_without_a_single_miss_says_so() -> None:
    y, p = np.repeat([1.0, 0.0, 0.0], [12, 8, 80]), np.repeat([0.9, 0.5, 0.01], [12, 8, 80])
    found = decide(y, p, MISS_IS_DEAR)
    words = "not one miss among 12 events: what it costs is not seen; at most 0.22 of them by these rows"
    assert found.theory.cost.cautions == (words,)
    assert found.rule("never").cost.cautions == ()
    assert found.rule("always").cost.cautions == ()
    assert found.cautions.count(f"practice, theory, half: {words}") == 1
    assert str(found).count(words) == 1
    assert expected_cost(y, p, MISS_IS_DEAR, 0.1).cautions == (words,)
    at_most = (1 - 0.05 ** (1 / 12)) * 0.12 * 40
    assert found.theory.cost.high > 8 * 5 / 100 + at_most / 2


@pytest.mark.parametrize("entry", ["decide", "expected_cost"])
def test_nothing_is_said_where_every_mistake_was_seen(entry: str) -> None:
    y, p = calibrated(500)
    found = decide(y, p, MISS_IS_DEAR).theory.cost if entry == "decide" else expected_cost(y, p, MISS_IS_DEAR, 0.2)
    assert found.cautions == ()


@pytest.mark.parametrize("cluster", [False, True])
def test_models_that_agree_on_each_row_are_one(cluster: bool) -> None:
    """Several models of each row buy no certainty: three that act alike cost what one of them does, as surely."""
    y, p = calibrated(300)
    together = np.arange(300) // 3 if cluster else None
    sample = Sample(np.ones(300), np.ones(300), together, "cluster-robust" if cluster else "normal")
    prices, one = Prices(MISS_IS_DEAR, y.astype(np.intp), sample), Policy.from_(0.3, p)
    three = Policy.from_(0.3, np.stack([p, p, p]))
    for found, alone in ((prices.cost(three), prices.cost(one)), (prices.extra(three, one), prices.extra(one, one))):
        assert (found.value, found.low, found.high) == pytest.approx((alone.value, alone.low, alone.high), rel=3e-3)
    apart = prices.cost(Policy.from_(0.3, np.stack([p, p[::-1], np.roll(p, 7)])))
    assert apart.standard_error < prices.cost(Policy.from_(0.3, p[::-1])).standard_error


def test_costs_of_each_row_are_a_mean_over_models() -> None:
    y, p = calibrated(60)
    costs = Costs(false_negative=np.arange(60) + 1.0, false_positive=np.full(60, 2.0))
    prices = Prices(costs, y.astype(np.intp), Sample(np.ones(60), np.ones(60)))
    acts = [Policy.from_(0.3, each) for each in (p, p[::-1])]
    both = prices.cost(Policy.from_(0.3, np.stack([p, p[::-1]])))
    assert both.value == pytest.approx(np.mean([prices.cost(one).value for one in acts]))


def test_rules_that_never_differ_cost_the_same() -> None:
    y, p = calibrated(200)
    same = regret(y, p, MISS_IS_DEAR, MISS_IS_DEAR)
    assert (same.low, same.value, same.high) == (0.0, 0.0, 0.0)


def test_classes_whose_dearest_mistake_was_not_seen_reach_to_it() -> None:
    """Ten classes: unseen mistakes are one, at the price of the dearest, not ninety."""
    table = np.ones((10, 10)) - np.eye(10)
    table[9, 0] = 1000.0
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 500)
    p = np.full((500, 10), 1e-6)
    p[np.arange(500), y] = 1 - 9e-6
    found = decide(y, p, ClassCosts(table)).theory.cost
    assert found.value == 0.0
    assert found.high == pytest.approx(1000 * clopper_pearson(0, 500)[1], rel=1e-9)


@pytest.mark.parametrize("kind", ["clusters", "rows"])
def test_the_noise_between_cuts_is_that_of_whole_clusters(kind: str) -> None:
    rng = np.random.default_rng(0)
    y, p = calibrated(60)
    p, part = p.round(1), rng.integers(0, 8, 60) if kind == "clusters" else np.arange(60)
    acting, leaving, w = MISS_IS_DEAR.of_acting(y), MISS_IS_DEAR.of_leaving(y), rng.uniform(0.5, 2, 60)
    found = cuts(p, acting, leaving, w, None, part)
    cell = np.unique(p, return_inverse=True)[1]
    for best in (0, 4, len(found.scores)):
        for cut, squared in enumerate(found._squares_from(best)):
            between = (cell >= min(cut, best)) & (cell < max(cut, best))
            sums = np.bincount(part[between], (w * (acting - leaving) / found.unit)[between], minlength=60)
            assert squared == pytest.approx(sums @ sums, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("clusters", [2, 3, 4])
def test_few_clusters_make_as_many_folds(clusters: int) -> None:
    y, p = calibrated(200)
    found = decide(y, p, MISS_IS_DEAR, cluster=np.arange(200) % clusters)
    assert found.cost.method.startswith(f"cross-fitted in {clusters} parts")
    for cost in rules_of(found).values():
        assert any(f"only {clusters} groups" in caution for caution in cost.cautions)
    assert "cluster" in found.threshold.method


def test_costs_of_many_classes_take_seconds_and_little_memory() -> None:
    rng = np.random.default_rng(0)
    costs = rng.exponential(size=(50, 50))
    np.fill_diagonal(costs, 0)
    p = rng.dirichlet(np.ones(50), 2000)
    y = np.array([rng.choice(50, p=row) for row in p])
    tracemalloc.start()
    found = gm.decide(y, p, gm.ClassCosts(costs))
    assert tracemalloc.get_traced_memory()[1] < 300e6
    tracemalloc.stop()
    assert all(0 <= rule.cost.low <= rule.cost.value <= rule.cost.high <= costs.max() for rule in found.rules)


def test_shares_stay_shares_and_cover_whatever_rows_weigh() -> None:
    """With weights a share of few hits had an interval that began below 0."""
    covered, truth, cluster = 0, 0.04, np.arange(60) // 3
    for seed in range(200):
        rng = np.random.default_rng(seed)
        hit, weight = (rng.random(60) < truth) * 1.0, rng.uniform(0.5, 1.5, 60)
        for sample in (Sample(weight, np.ones(60)), Sample(weight, np.ones(60), cluster)):
            found = hit_share(sample, hit)
            assert 0 <= found.low <= found.value <= found.high <= 1
            assert found.value == pytest.approx(np.average(hit, weights=weight), abs=1e-12)
            covered += found.low <= truth <= found.high
    assert covered >= 0.94 * 400
    told = risk(gm.losses.zero_one(), np.arange(60) < 2, np.full(60, -1.0), sample_weight=np.linspace(0.5, 1.5, 60))
    assert told.low >= 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_costs_of_each_row_stay_within_what_rows_can_cost(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 40))
    miss, alarm = rng.exponential(size=n), rng.exponential(size=n)
    prices = Prices(
        gm.Costs(false_negative=miss, false_positive=alarm), rng.integers(0, 2, n), Sample(np.ones(n), np.ones(n))
    )
    first, second = (Policy.from_(at, rng.random(n)) for at in (0.3, 0.6))
    cost, more = prices.cost(first), prices.extra(first, second)
    largest = max(miss.max(), alarm.max())
    assert 0 <= cost.low <= cost.high <= largest + 1e-12
    assert -largest - 1e-12 <= more.low <= more.high <= largest + 1e-12


def test_nobody_is_asked_where_that_is_no_cheaper() -> None:
    costs = Costs(false_negative=1, false_positive=1, ask=0.5)
    assert bayes_act([0.4, 0.5, 0.6], costs).tolist() == [0, 1, 1]


@pytest.mark.parametrize("wanted", [0.0, 1.0, -0.1, 1.1])
def test_no_weights_decide_at_a_threshold_at_an_end(wanted: float) -> None:
    with pytest.raises(UsageError, match="strictly between 0 and 1"):
        negatives_multiplier(wanted)
    with pytest.raises(UsageError, match="strictly between 0 and 1"):
        negatives_multiplier(0.5, wanted)


def test_two_thresholds_differ_in_one_way_alone() -> None:
    p = np.linspace(0, 1, 11)
    low, high, wide = Policy.from_(0.2, p), Policy.from_(0.7, p), Policy(p >= 0.4, (0.1, 0.6))
    assert set(high.beside(low, 2)) == {(0, 0), (0, 1), (1, 1)}
    assert set(low.beside(high, 2)) == {(0, 0), (1, 0), (1, 1)}
    # Its threshold may lie on either side of that of the other.
    assert set(low.beside(wide, 2)) == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_more_copies_than_memory_holds_are_dealt_all_the_same() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(200)
    y, w = (rng.random(200) < p) * 1.0, np.ones(200)
    costs = Costs(false_negative=4, false_positive=1)
    vast = decide(y, p, costs, sample_weight=w * 10**12, weights_mean="frequency")
    some = decide(y, p, costs, sample_weight=w * 10**4, weights_mean="frequency")
    assert vast.cost.n == 200 * 10**12
    assert vast.cost.value == pytest.approx(some.cost.value, rel=0.02)
    assert vast.cost.high - vast.cost.low < 1e-3 * (some.cost.high - some.cost.low)
