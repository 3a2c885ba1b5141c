"""Is the tailored loss the mixture of costs that it says, and does training by it cost less where a model cannot be right?"""

from __future__ import annotations

import importlib
import sys
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

import goodmeasure as gm
from goodmeasure.choosing.overruling import with_loss
from goodmeasure.errors import Problem, UsageError
from goodmeasure.fitting.certificate import Status

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
DRAWN = [
    {"threshold": float(t), "spread": float(s), "outside": float(o)}
    for t, s, o in np.random.default_rng(0).uniform(0.01, 0.99, size=(12, 3))
] + [{"threshold": t, "spread": 1.0, "outside": 0.01} for t in (0.02, 0.5, 0.98)]
drawn = pytest.mark.parametrize("given", DRAWN, ids=lambda given: "-".join(f"{v:.2f}" for v in given.values()))


def ends(given: dict[str, float]) -> tuple[float, float]:
    half = given["spread"] * min(given["threshold"], 1 - given["threshold"])
    return given["threshold"] - half, given["threshold"] + half


def density(given: dict[str, float], t: np.ndarray) -> np.ndarray:
    """How much thresholds count: a law Beta(2, 2) on the range, and that of cross-entropy everywhere."""
    low, high = ends(given)
    middle, law = given["threshold"], stats.beta(2, 2, low, high - low)
    inside = law.pdf(t) / law.pdf(middle) / (middle * (1 - middle))
    return np.asarray((1 - given["outside"]) * inside + given["outside"] / (t * (1 - t)))


def mixed(given: dict[str, float], y: int, p: float) -> float:
    """The cost of acting from each threshold on, added up over thresholds: a miss costs 1 - t and a false alarm t."""
    start, end = (p, 1.0) if y else (0.0, p)
    cuts = [start, *(each for each in ends(given) if start < each < end), end]
    nodes, weights = np.polynomial.legendre.leggauss(200)
    total = 0.0
    for a, b in pairwise(cuts):
        t = (a + b) / 2 + (b - a) / 2 * nodes
        total += (b - a) / 2 * weights @ ((1 - t if y else t) * density(given, t))
    return float(total)


@drawn
def test_it_is_the_mixture_of_the_costs_of_acting_from_each_threshold_on(given: dict[str, float]) -> None:
    loss, low_high = gm.losses.tailored(**given), ends(given)
    for p in (0.05, 0.5, 0.9, given["threshold"], sum(low_high) / 2, 0.7 * low_high[0] + 0.3 * low_high[1]):
        for y in (0, 1):
            assert loss([y], prediction=[p]) == pytest.approx(mixed(given, y, p), rel=1e-7)


@drawn
def test_the_true_probability_costs_least(given: dict[str, float]) -> None:
    loss, z = gm.losses.tailored(**given), np.linspace(-7, 7, 281)
    for p in (0.01, given["threshold"], 0.5, 0.97):
        expected = p * loss.value(np.ones(281), z) + (1 - p) * loss.value(np.zeros(281), z)
        assert abs(z[np.argmin(expected)] - np.log(p / (1 - p))) <= 0.026
        assert loss.predict(np.log([p / (1 - p)]))[0] == pytest.approx(p, rel=1e-9)


def test_where_all_thresholds_count_alike_it_is_cross_entropy() -> None:
    y, z = np.array([0.0, 1.0, 0.3, 1.0]), np.array([-3.0, 0.2, 1.0, -8.0])
    all_alike = gm.losses.tailored(outside=1.0)
    for read in ("value", "gradient", "hessian"):
        assert np.allclose(getattr(all_alike, read)(y, z), getattr(gm.losses.binary_cross_entropy(), read)(y, z))


# --- of costs ---


def test_costs_say_the_range_of_thresholds() -> None:
    random = np.random.default_rng(1)
    for _ in range(50):
        miss, alarm = random.lognormal(0, 2, size=(2, random.integers(1, 6)))
        costs = gm.Costs(false_negative=miss + 3, false_positive=alarm, true_positive=3.0)
        found = gm.tailored(costs, spread=0.3).values
        low, high = ends(found)
        if len(miss) > 1:
            assert (low, high) == pytest.approx((costs.thresholds.min(), costs.thresholds.max()), rel=1e-9)
        else:
            assert found["threshold"] == pytest.approx(costs.threshold)
            assert found["spread"] == 0.3


@pytest.mark.parametrize("costs", [{"false_positive": 0}, {"false_positive": [1, 0]}, {"true_positive": 1}])
def test_what_costs_nothing_leaves_nothing_to_learn(costs: dict[str, Any]) -> None:
    with pytest.raises(Problem, match="GM710"):
        gm.tailored(gm.Costs(**{"false_negative": 1, "false_positive": 1, **costs}))


@pytest.mark.parametrize("given", [{"spread": 0.0}, {"spread": 1.5}, {"outside": 0}, {"outside": -1}, {"width": 2}])
def test_parts_are_parts(given: dict[str, Any]) -> None:
    with pytest.raises(Problem):
        gm.tailored(gm.Costs(false_negative=1, false_positive=1), **given)


# --- fits and decisions ---


def simulations() -> Any:
    """The module of the simulation, whose tables stand in docs/risk_coverage.md."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        return importlib.import_module("simulations.tailoring")
    finally:
        sys.path.remove(str(SCRIPTS))


def table(name: str, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    make, _ = simulations().TRUTHS[name]
    random = np.random.default_rng(seed)
    x, p = make(random, n)
    return x, (random.random(n) < p) * 1.0


@pytest.mark.parametrize("name", ["linear", "turning", "heavy tails"])
def test_a_fit_is_as_good_as_what_others_find_from_many_starts(name: str) -> None:
    x, y = table(name, 400, 0)
    loss = gm.losses.tailored()
    model = gm.LossClassifier(loss, alpha=0.001).fit(x, y)
    columns = np.column_stack([np.ones(len(y)), x])

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        z = columns @ theta
        penalty = np.concatenate([[0.0], theta[1:]])
        value = loss(y, z) + 0.001 / 2 * penalty @ penalty
        return value, columns.T @ loss.gradient(y, z) / len(y) + 0.001 * penalty

    random = np.random.default_rng(0)
    starts = random.normal(scale=2, size=(8, columns.shape[1]))
    least = min(optimize.minimize(objective, start, jac=True).fun for start in starts)
    ours, _ = objective(np.concatenate([np.ravel(model.intercept_), np.ravel(model.coef_)]))
    assert ours == pytest.approx(least, rel=1e-6)
    assert model.certificate_.status is Status.STATIONARY


def saved(name: str, seeds: range) -> np.ndarray:
    """What tailored training saves of what cross-entropy costs above the best rule, a table each, where costs are known."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in seeds:
            plain, _, own = dict(simulations().excess(name, 1000, seed))["known"]
            found.append(plain - own)
    return np.array(found)


def test_it_costs_less_where_no_line_is_right_and_a_little_more_where_one_is() -> None:
    wrong, right = saved("turning", range(3)), saved("linear", range(3))
    assert wrong.min() > 0.005
    assert -0.05 < right.mean() < 0.005


# --- studies ---

COSTS = gm.Costs(false_negative=4, false_positive=1)


@pytest.mark.parametrize(
    ("named", "settled"),
    [
        (gm.losses.tailored(), gm.losses.tailored(threshold=0.2, spread=1.0, outside=0.1)),
        (gm.losses.tailored(spread=0.5), gm.losses.tailored(threshold=0.2, spread=0.5, outside=0.1)),
        (gm.losses.tailored(threshold=0.7), gm.losses.tailored(threshold=0.7)),
        (2.0 * gm.losses.tailored(), 2.0 * gm.losses.tailored()),
    ],
    ids=repr,
)
def test_a_study_tailors_it_to_its_costs_where_no_threshold_is_said(named: gm.Loss, settled: gm.Loss) -> None:
    assert with_loss(gm.choose([0, 1] * 40, costs=COSTS), named).loss == settled


def test_without_costs_or_a_threshold_there_is_nothing_to_tailor_to() -> None:
    with pytest.raises(UsageError, match="there are none"):
        with_loss(gm.choose([0, 1] * 40), gm.losses.tailored())


def test_the_rows_to_tune_choose_between_it_and_cross_entropy_by_cost() -> None:
    x, y = table("turning", 600, 2)
    data = {"a": x[:, 0], "b": x[:, 1], "y": y.astype(int)}
    found = gm.run(data, "y", costs=COSTS, loss=["tailored", "binary_cross_entropy"])
    trained = {name.split(" on ")[1].split("(")[0] for name in found.comparison.models}
    assert trained == {"tailored", "binary_cross_entropy"}
    assert found.decided.costs == COSTS
