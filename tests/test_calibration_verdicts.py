"""The word "miscalibrated": how often it is false, how often it is missed, and that every door says the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit, logit, ndtr
from scipy.stats import ttest_1samp

import goodmeasure as gm
from goodmeasure.calibrating.calibration import Calibration
from goodmeasure.calibrating.decomposition import cells
from goodmeasure.calibrating.significance import (
    DRAWS,
    MOST_DRAWS,
    chance_of_events,
    chance_of_misses,
    chance_of_parts,
    drawn_events,
    draws_for,
    ranked,
)
from goodmeasure.statistics.several import holm
from turns import by_turns


def said(y: np.ndarray, p: np.ndarray, seed: int, draws: int = 99) -> bool:
    """The verdict at .95 from few draws, which leaves its size as it is."""
    found = cells(y, p, np.ones(len(y))).coarse(512)
    return chance_of_events(found, drawn_events(found, draws, seed)) <= 0.05


@pytest.mark.parametrize(("rate", "n"), by_turns((0.5, 0.01, 0.002), (100, 400)))
def test_calibrated_scores_are_hardly_ever_said_to_be_off(n: int, rate: float) -> None:
    rng, runs, false = np.random.default_rng(n), 120, 0
    for seed in range(runs):
        p = expit(logit(rate) + rng.uniform(0.2, 2) * rng.normal(size=n))
        false += said((rng.random(n) < p) * 1.0, p, seed)
    assert false / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize(
    ("bend", "least"),
    [
        (lambda z: 1.5 * z, 0.9),
        (lambda z: z / 1.8, 0.9),
        (lambda z: z + 0.6, 0.9),
        (lambda z: z + 0.3 * z * np.abs(z), 0.9),
    ],
    ids=["bold", "modest", "shifted", "overfit"],
)
def test_what_is_off_is_found(bend: object, least: float) -> None:
    rng, found = np.random.default_rng(0), []
    for seed in range(40):
        q = rng.uniform(0.01, 0.99, 500)
        found.append(said((rng.random(500) < q) * 1.0, expit(bend(logit(q))), seed))  # type: ignore[operator]
    assert np.mean(found) >= least


def test_shapes_that_no_line_sees_are_found() -> None:
    """A wave around the right probabilities has neither intercept nor slope."""
    rng = np.random.default_rng(0)
    q = rng.uniform(0.05, 0.95, 2000)
    y = (rng.random(2000) < q) * 1.0
    assert gm.calibration(y, np.clip(q + 0.12 * np.sin(4 * np.pi * q), 0.01, 0.99)).verdict == "miscalibrated"


def _everything(n: int, off: float, seed: int) -> list[object]:
    """The same predictions, too bold by ``off``, through every door that says whether they are calibrated."""
    rng = np.random.default_rng(seed)
    z = 1.5 * rng.normal(size=n)
    y = (rng.random(n) < expit(z)) * 1.0
    p = expit(off * z)
    mu, amount = off * z, z + rng.normal(size=n)
    logits = rng.normal(size=(n, 3)) * 1.5
    table = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    label = (table.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, 2)
    bold = table**off / (table**off).sum(axis=1, keepdims=True)
    binary, squared, classes = gm.losses.binary_cross_entropy(), gm.losses.squared_error(), gm.losses.cross_entropy()
    code = np.arange(n) // 2
    return [
        gm.calibration(y, p),
        gm.calibration(y, p, cluster=code),
        gm.calibration(y, p, sample_weight=rng.random(n) + 0.5),
        gm.calibration(label, bold),
        gm.calibration(label, bold, cluster=code),
        gm.calibration(amount, mu),
        gm.calibration(amount, mu, cluster=code),
        gm.calibration(amount, mu, gm.losses.pinball(level=0.5)),
        gm.tally(binary, y, off * z).calibration(),
        gm.tally(classes, label, off * logits).calibration(),
        gm.tally(squared, amount, mu).bias(),
    ]


@pytest.mark.parametrize(("off", "seed"), [(1.0, 0), (1.6, 1)])
def test_the_word_the_p_value_and_the_intervals_never_contradict_each_other(off: float, seed: int) -> None:
    for found in _everything(100, off, seed):
        for one in (found, *getattr(found, "classes", ())):
            is_off = one.p_value <= 1 - one.squared_error.level + 1e-9
            assert (one.verdict == "miscalibrated") == is_off
            if not is_off:
                assert one.squared_error.low <= 0
                if isinstance(one, Calibration):
                    assert one.error.low == one.miscalibration.low == 0
                    assert one.smooth_error is None or one.smooth_error.low == 0


@pytest.mark.parametrize("seed", [11, 24])
def test_no_interval_says_off_where_the_test_does_not(seed: int) -> None:
    """Without the test the interval of the smooth error would leave 0 out in these tables."""
    rng = np.random.default_rng(seed)
    p = rng.random(40)
    found = gm.calibration((rng.random(40) < p) * 1.0, p)
    assert found.p_value > 0.05
    assert found.smooth_error is not None
    assert found.smooth_error.value > found.smooth_error.low == 0


def test_every_door_finds_what_is_far_off() -> None:
    assert {found.verdict for found in _everything(300, 3.0, 3)} == {"miscalibrated"}  # type: ignore[attr-defined]


def test_bins_without_events_are_not_sure() -> None:
    found = gm.calibration(np.zeros(300), np.linspace(0.001, 0.003, 300))
    assert found.verdict.startswith("cannot tell")
    assert found.squared_error.standard_error > 0
    assert found.error.low == 0 < found.error.high


def test_what_was_given_no_chance_and_happened_is_off_at_any_level() -> None:
    p = np.array([0.0] + [0.5] * 39)
    y = np.array([1.0] + [0.0, 1.0] * 19 + [1.0])
    found = gm.calibration(y, p, level=0.9999999)
    assert found.p_value == 0
    assert found.verdict == "miscalibrated"
    y[0] = 0
    assert gm.calibration(y, p).p_value > 0.05
    assert gm.calibration([0, 1] * 20, [0.0, 1.0] * 20).p_value == 1


@pytest.mark.parametrize("shift", [1.0, -1e-3])
@pytest.mark.parametrize("loss", [None, gm.losses.pinball(level=0.3)], ids=["mean", "quantile"])
def test_misses_that_are_all_alike_are_off(shift: float, loss: gm.Loss | None) -> None:
    mu = np.linspace(0, 5, 60)
    assert gm.calibration(mu + shift, mu, loss).verdict == "miscalibrated"
    assert gm.calibration(mu, mu).verdict.startswith("cannot tell")


def test_probabilities_at_the_end_of_the_range_of_numbers_are_judged() -> None:
    tiny = np.full(40, 5e-324)
    assert gm.calibration(np.zeros(40), tiny).p_value == 1
    assert gm.calibration(np.append(np.zeros(39), 1.0), tiny).verdict == "miscalibrated"
    weights = np.geomspace(1e-3, 1, 40)
    assert 0 < gm.calibration([0, 1] * 20, [0.5] * 40, sample_weight=weights).p_value <= 1


def test_copies_of_rows_are_told_by_cluster_or_by_weight() -> None:
    rng = np.random.default_rng(1)
    p = rng.uniform(0.1, 0.9, 80)
    y = (rng.random(80) < p) * 1.0
    once = gm.calibration(y, p)
    copied = gm.calibration(np.repeat(y, 12), np.repeat(p, 12), cluster=np.repeat(np.arange(80), 12))
    counted = gm.calibration(y, p, sample_weight=np.full(80, 12.0), weights_mean="frequency")
    alone = gm.calibration(np.repeat(y, 12), np.repeat(p, 12))
    assert counted.p_value == alone.p_value < 0.05 < min(once.p_value, copied.p_value)
    assert copied.smooth_error.effective_n < 120
    scaled = gm.calibration(y, p, sample_weight=np.full(80, 7.0))
    assert scaled.p_value == once.p_value


def test_rows_that_go_together_are_not_said_to_be_off_for_it() -> None:
    """A normal copula of correlation .5 within 30 clusters of 10: as independent rows, scores look off in a third of tables."""
    rng, code = np.random.default_rng(0), np.repeat(np.arange(30), 10)
    alone, known = 0, 0
    for seed in range(12):
        p = expit(rng.normal(size=30)[code] + 0.5 * rng.normal(size=300))
        pull = math.sqrt(0.5) * rng.normal(size=30)[code] + math.sqrt(0.5) * rng.normal(size=300)
        y = (ndtr(pull) < p) * 1.0
        alone += said(y, p, seed)
        known += gm.calibration(y, p, cluster=code, seed=seed).verdict == "miscalibrated"
    assert known <= 2 < alone


def test_a_level_alone_is_student_s_test() -> None:
    rng = np.random.default_rng(0)
    miss = rng.normal(size=8) + 0.5
    found = chance_of_misses(miss, miss**2, ranked(np.arange(8.0), np.ones(8)), (8, 8))
    assert found == pytest.approx(ttest_1samp(miss, 0).pvalue, rel=1e-9)


def test_skewed_misses_of_few_rows_keep_the_size() -> None:
    """Lognormal misses of 100 rows: an F quantile would be passed in a sixth of tables, twice as often as resampled rows say."""
    rng, runs, found = np.random.default_rng(0), 100, []
    for seed in range(runs):
        ranks = ranked(rng.normal(size=100), np.ones(100))
        miss = rng.lognormal(size=100) - math.exp(0.5)
        resampled = chance_of_parts(miss, ranks, np.arange(100), seed)
        found.append((resampled <= 0.05, chance_of_misses(miss, miss**2, ranks, (100, 100)) <= 0.05))
    resampled, plain = np.mean(found, axis=0)
    assert resampled <= 0.12
    assert plain >= resampled + 0.03


def test_several_looks_are_allowed_for() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])  # Holm's steps: 3 x .01, 2 x .03, 1 x .04
    assert holm([0.6, 0.7]).tolist() == [1.0, 1.0]
    assert draws_for(0.95) == DRAWS
    assert draws_for(0.999) == 2000
    assert draws_for(1.0, 50) == MOST_DRAWS


def test_draws_have_the_mean_and_the_variance_of_weighted_events() -> None:
    rng = np.random.default_rng(0)
    p, w = rng.choice([0.002, 0.1, 0.5], 400), rng.exponential(size=400)
    table = cells(p, p, w)
    drawn = drawn_events(table, 20_000, 0)
    assert drawn.mean(axis=0) == pytest.approx(table.weight * table.p, rel=0.1)
    assert drawn.var(axis=0) == pytest.approx(table.square * table.p * (1 - table.p), rel=0.1)


def test_a_tally_of_clusters_says_that_its_scores_are_of_rows() -> None:
    rng = np.random.default_rng(0)
    z, code = rng.normal(size=60), np.arange(60) // 3
    y = (rng.random(60) < expit(z)) * 1.0
    binary, squared = gm.losses.binary_cross_entropy(), gm.losses.squared_error()
    told = [
        gm.tally(binary, y, z, cluster=code).calibration().error,
        gm.tally(squared, z + y, z, cluster=code).bias().squared_error,
    ]
    assert all("taken as independent" in str(one) for one in told)
    assert "independent" not in str(gm.tally(binary, y, z).calibration().error)
