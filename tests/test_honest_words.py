"""Words that numbers do not carry are not said: tallied clusters, mostly zeros, costs, angles, ranges and copies."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import goodmeasure as gm
from catalogue_losses import between_bounds
from goodmeasure.choosing.tails import tails
from goodmeasure.cli import score
from goodmeasure.errors import Problem
from goodmeasure.risks.metrics import METRICS, around
from goodmeasure.risks.risk import risk
from goodmeasure.statistics.estimate import Difference, Estimate
from goodmeasure.study.verdict import undecided
from goodmeasure.traits.sizes import extent

Floats = np.ndarray
LOG, SQUARED = gm.losses.binary_cross_entropy(), gm.losses.squared_error()


def persons(seed: int, count: int = 60, each: int = 20) -> tuple[Floats, Floats, Floats]:
    """Probabilities that are right on average, of persons of whom each has one answer most of the time."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.2, 0.8, count)
    own = rng.random(count) < p
    y = np.where(rng.random((count, each)) < 0.9, own[:, None], rng.random((count, each)) < p[:, None])
    return y.ravel() * 1.0, np.repeat(p, each), np.repeat(np.arange(count), each)


# --- tallied clusters ---


def test_a_tally_of_clusters_says_no_word_of_calibration_and_of_which_rule_is_better() -> None:
    y, p, person = persons(0)
    made = gm.tally(LOG, y, prediction={"a": p}, cluster=person)
    assert made.calibration().verdict.startswith("not known")
    decided = made.decide(gm.Costs(false_negative=40, false_positive=5))
    assert decided.best.name == "theory"
    assert all(rule.versus_practice.verdict.startswith("not known") for rule in decided.rules if rule.versus_practice)
    amounts = gm.tally(SQUARED, y, prediction={"a": p}, cluster=person)
    assert amounts.bias().verdict.startswith("not known")


def test_score_with_clusters_judges_calibration_by_the_rows(tmp_path: Path) -> None:
    false = 0
    for seed in range(6):
        y, p, person = persons(seed)
        rows = "\n".join(f"{a:g},{b:.6f},{c}" for a, b, c in zip(y, p, person, strict=True))
        path = tmp_path / f"{seed}.csv"
        path.write_text(f"y,p,person\n{rows}\n")
        words = [str(path), "--y", "y", "--p", "p", "--cluster", "person", "--fail-on", "miscalibrated"]
        said = CliRunner().invoke(score.command, [*words, "--json"])
        by_rows = gm.calibration(y, np.round(p, 6), gm.losses.binary_brier(), cluster=person)
        assert json.loads(said.stdout)["groups"][""]["calibration"]["p"]["verdict"] == by_rows.verdict
        false += said.exit_code
    assert false <= 1
    kept = CliRunner().invoke(score.command, [*words, "--save", str(tmp_path / "kept.tally")])
    assert kept.exit_code == 0
    assert "not known: rows that go together were tallied" in kept.stdout


# --- tails of amounts that are mostly zeros ---

LAWS: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "uniform": lambda rng, n: rng.uniform(50, 150, n),
    "lognormal": lambda rng, n: rng.lognormal(4, 1, n),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("zeros", [0.5, 0.9, 0.94, 0.99])
def test_zeros_beside_amounts_are_no_heavy_tail(law: str, zeros: float) -> None:
    said = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        y = np.where(rng.random(300) < zeros, 0.0, LAWS[law](rng, 300))
        mean = max(float(y.mean()), 1e-3) * np.exp(0.3 * rng.normal(size=300))
        said += bool(risk(gm.losses.tweedie(), y, prediction=mean, constant=0.0).cautions)
    assert said <= 1


def test_heavy_tails_are_still_found() -> None:
    found = [
        bool(risk(SQUARED, np.random.default_rng(seed).standard_t(2, 1000), np.zeros(1000), constant=0.0).cautions)
        for seed in range(20)
    ]
    assert np.mean(found) >= 0.8


# --- the range of a loss ---


@pytest.mark.parametrize("name", sorted(gm.losses.catalogue()))
def test_no_loss_leaves_its_extent(name: str) -> None:
    loss = gm.losses.catalogue()[name]()
    low, high = extent(loss)
    rng = np.random.default_rng(0)
    n, outputs = 300, 3 if loss.is_classwise else len(loss.activation)
    z = rng.normal(size=(n, outputs) if outputs > 1 else n) * rng.choice([0.1, 1.0, 5.0], (n, 1) if outputs > 1 else n)
    domain = loss.target
    y = rng.integers(0, 3 if loss.is_classwise else 2, n) if loss.is_classwise or loss.is_binary else None
    if y is None:
        y = rng.integers(1, 9, n) * 1.0 if domain.low >= 0 else rng.normal(size=n) * 3
        y = np.minimum(y, domain.high) if domain.whole else between_bounds(loss, y)
    values = np.asarray(loss.value(y, z), dtype=float)
    assert low <= values.min()
    assert values.max() <= high


def test_intervals_of_a_mean_loss_stay_in_its_range() -> None:
    y = np.zeros(40)
    z = np.where(np.arange(40) == 0, 30.0, 0.1)
    found = gm.risk(SQUARED, y, z, time=np.arange(40) // 4)
    assert 0 <= found.low <= found.value <= found.high
    p = np.where(np.arange(10) == 0, 0.1, 0.999)
    brier = gm.risk(gm.losses.binary_brier(), np.zeros(10), prediction=p)
    assert brier.high <= 1
    assert gm.risk(gm.losses.gaussian_nll(), [0.0, 0.1], [[0.0, -3.0], [0.1, -3.0]]).low < 0


@pytest.mark.parametrize(
    "read", [lambda y: gm.risk(SQUARED, y, [0.0, 1.0, 2.0]), lambda y: gm.compare(SQUARED, y, y, [0.0] * 3)]
)
def test_amounts_whose_squares_are_no_numbers_are_refused(read: Callable[[list[float]], object]) -> None:
    with pytest.raises(Problem, match="GM706"):
        read([1e160, 2e160, 1.0])


# --- decisions ---


class _Rule:
    def __init__(self, name: str, low: float, high: float) -> None:
        self.name, self.versus_chosen = name, Difference((low + high) / 2, low, high, 100, 100.0, "paired")
        self.cost = Estimate(1.0, 0.5, 1.5, 100, 100.0, "")


@pytest.mark.parametrize(
    ("always", "never", "word"),
    [
        ((0.1, 0.4), (0.2, 0.9), None),
        ((-0.1, 0.4), (0.2, 0.9), "use with care"),
        ((0.0, 0.0), (0.2, 0.9), "use with care"),
        ((-0.4, -0.1), (0.2, 0.9), "do not use"),
        ((0.1, 0.4), (-0.2, -0.1), "do not use"),
    ],
)
def test_the_word_of_a_run_knows_what_acting_blindly_costs(
    always: tuple[float, float], never: tuple[float, float], word: str | None
) -> None:
    decided = type("D", (), {"rules": (_Rule("always", *always), _Rule("never", *never), _Rule("half", -1.0, -0.5))})()
    said = undecided(decided)
    assert (said and said[0]) == word


def test_a_run_whose_decisions_are_always_acting_is_used_with_care() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    y = np.where(rng.random(600) < 1 / (1 + np.exp(-2 * x)), "yes", "no")
    study = gm.run({"x": x, "y": y}, "y", positive="yes", costs=gm.Costs(false_negative=200, false_positive=1))
    assert study.verdict.word == "use with care"
    assert "cannot be told from always acting (difference in [" in study.verdict.following


def test_copies_and_weights_that_count_them_decide_alike() -> None:
    rng = np.random.default_rng(1)
    y = (rng.random(150) < 0.3) * 1.0
    p = np.round(np.clip(0.3 * y + 0.6 * rng.random(150), 0.01, 0.99), 2)
    k = rng.integers(1, 6, 150)
    for target, costs in (
        (y, gm.Costs(false_negative=40, false_positive=10)),
        (y + rng.random(150), gm.UnderOverCosts(under=3, over=1)),
    ):
        counted = gm.decide(target, p, costs, sample_weight=k, weights_mean="frequency")
        copied = gm.decide(np.repeat(target, k), np.repeat(p, k), costs)
        assert counted.cost.value == pytest.approx(copied.cost.value)
        assert counted.cost.interval == pytest.approx(copied.cost.interval)
        assert str(counted).splitlines()[0] == str(copied).splitlines()[0]


def test_remarks_of_a_decision_name_their_rules() -> None:
    y, p = np.array([0, 1] * 50), np.array([0.3, 0.6] * 50)
    found = gm.decide(y, p, gm.Costs(false_negative=100, false_positive=1))
    assert found.cautions
    for caution in found.cautions:
        names = caution.split(": ")[0].split(", ")
        said = caution.split(": ", 1)[1]
        assert all(said in found.rule(name).cost.cautions for name in names)


# --- angles ---


@pytest.mark.parametrize("name", ["mae", "rmse"])
@pytest.mark.parametrize("period", [360.0, 24.0, 2 * np.pi])
def test_metrics_of_angles_take_the_shorter_way_round(name: str, period: float) -> None:
    rng = np.random.default_rng(0)
    y, p = rng.uniform(0, period, 200), rng.uniform(0, period, 200)
    metric = around(METRICS[name], period)
    found, turned = metric.estimate(y, p), metric.estimate(y, p + 5 * period)
    assert found.value == pytest.approx(turned.value)
    assert found.high <= period / 2
    assert metric.estimate([0.01 * period], [0.99 * period]).value == pytest.approx(0.02 * period)


def test_predicted_angles_lie_within_a_turn() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    table = {"x": x, "wind_direction": np.mod(350 + 30 * x, 360)}
    arrows = {"represents": "angle=360", "protocol": "holdout"}
    study = gm.run(table, "wind_direction", **arrows, loss=gm.losses.circular(period=360))
    said = study.model.predictions(np.array([585.63, -10.0, 360.0, -1e-20]))
    assert said == pytest.approx([225.63, 350.0, 0.0, 0.0])
    assert study.judged.metrics[0].report.high <= 180
    study = gm.run(table, "wind_direction", **arrows)
    said = study.model.predictions(np.array([[3.0, 0.0], [0.0, 2.0], [-1.0, 0.0], [0.1, -0.1], [1.0, -1e-20]]))
    assert said == pytest.approx([0, 90, 180, 315, 0], abs=1e-12)


# --- tails of one column ---


@pytest.mark.parametrize("far", [1e6, 1e9, 1e15])
def test_a_value_far_out_makes_no_others_equal(far: float) -> None:
    found = tails(np.append(np.random.default_rng(0).normal(size=299), far))
    assert found.tied == 0
    assert 0.8 < found.scale < 1.2
    assert tails([0.0] * 60 + list(range(1, 41))).tied == 60
