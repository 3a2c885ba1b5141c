"""Are predictions what they claim to be, and is that told without the bias of asking?"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import foldnorm

from goodmeasure import losses
from goodmeasure.calibrating import smoothing
from goodmeasure.calibrating.calibration import calibration
from goodmeasure.calibrating.decomposition import cells, point_loss, squared
from goodmeasure.calibrating.isotonic import increasing_means, pool, pool_blocks
from goodmeasure.calibrating.miscalibration import Smoothing, debiased_squared_error, smooth_estimate
from goodmeasure.calibrating.recalibration import Recalibration, recalibrate
from goodmeasure.calibrating.significance import chance_of_misses
from goodmeasure.calibrating.smoothing import on_grid, smooth_error
from goodmeasure.errors import ShapeMismatch
from goodmeasure.statistics.estimate import Estimate
from goodmeasure.statistics.row_arguments import MissingScore, OneClassOnly, ScoreOutsideUnitInterval

PROPER = [losses.binary_brier(), losses.binary_cross_entropy()]
METHODS = ["platt", "temperature", "beta", "isotonic"]


def calibrated(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    return (rng.random(n) < p) * 1.0, p


# --- the smooth error ---


@pytest.mark.parametrize("cells", [1, 2, 30])
def test_a_smooth_error_of_any_size_is_found_in_few_steps(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is less than a step of the grid, on which a narrow Gaussian has sides below zero."""
    smoothed, looks = smoothing._smoothed, 0

    def counted(*given: Any) -> Any:
        nonlocal looks
        looks += 1
        assert looks < 60, "no end is in sight"
        return smoothed(*given)

    monkeypatch.setattr(smoothing, "_smoothed", counted)
    rng = np.random.default_rng(0)
    for scale in np.geomspace(1e-9, 1, 25):
        residuals = np.zeros((20, smoothing.GRID))
        for row in residuals:
            row[rng.choice(smoothing.GRID, cells, replace=False)] = rng.normal(size=cells) * scale
        residuals[:2, :cells] = scale  # at the end of the grid
        looks = 0
        found = smoothing.smooth_errors(residuals, 1.0, 1e-5)
        looks = 0
        assert np.abs(found - smoothing.smooth_errors(residuals, 1.0, 1e-8)).max() < 1.1e-5


# --- the split ---


@pytest.mark.parametrize(
    ("loss", "mean", "known", "unknown"),
    [(PROPER[0], 1 / 6, 1 / 12, 1 / 4), (PROPER[1], 0.5, math.log(2) - 0.5, math.log(2))],
    ids=repr,
)
def test_the_split_of_calibrated_uniform_scores(loss: losses.Loss, mean: float, known: float, unknown: float) -> None:
    y, p = calibrated(100_000, seed=1)
    found = calibration(y, p, loss)
    assert abs(found.loss.value - mean) < 4 * found.loss.standard_error
    assert found.discrimination.low <= known <= found.discrimination.high
    assert found.uncertainty.value == pytest.approx(unknown, abs=1e-4)
    assert found.miscalibration.low == 0
    assert found.p_value > 0.001


@pytest.mark.parametrize(("loss", "raw", "mended"), [(PROPER[0], 1 / 5, 1 / 6), (PROPER[1], 2 - 2 * math.log(2), 0.5)])
def test_known_miscalibration_is_found_and_mended(loss: losses.Loss, raw: float, mended: float) -> None:
    """Scores q² of events with probability q: the mean losses before and after the right map are known."""
    y, q = calibrated(200_000)
    found = calibration(y, q**2, loss)
    assert abs(found.loss.value - raw) < 4 * found.loss.standard_error
    assert found.verdict == "miscalibrated"
    assert found.miscalibration.low <= raw - mended <= found.miscalibration.high
    assert found.error.value == pytest.approx(math.sqrt(1 / 30), abs=0.004)  # the root of the mean of (q - q²)²
    # All misses have one sign, so smoothing loses none of them: the smooth error is the true one.
    assert found.smooth_error.value == pytest.approx(1 / 6, abs=4 * np.std(y - q**2) / math.sqrt(len(y)))
    book = point_loss(loss)
    # An increasing fit says 0 and 1 at the ends, which a later row may prove wrong at infinite cost.
    for method in ("beta",) if loss is PROPER[1] else ("beta", "isotonic"):
        rows = book(y[1::2], recalibrate(y[::2], q[::2] ** 2, method)(q[1::2] ** 2))
        assert abs(rows.mean() - mended) < 4 * rows.std() / math.sqrt(len(rows))


@given(st.integers(0, 10**6), st.integers(2, 80), st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_parts_add_up_to_the_loss(seed: int, n: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    p, y, w = rng.random(n), rng.integers(0, 2, n) * 1.0, rng.random(n) + 0.1
    p = np.round(p, 1) if ties else p
    split = cells(y, p, w).split(squared)
    assert split.miscalibration - split.discrimination + split.uncertainty == pytest.approx(split.loss, abs=1e-12)
    assert split.miscalibration >= -1e-15
    assert split.discrimination >= -1e-15


@pytest.mark.parametrize("weighted", [False, True])
def test_the_split_agrees_with_model_diagnostics(weighted: bool) -> None:
    scoring = pytest.importorskip("model_diagnostics.scoring")
    rng = np.random.default_rng(0)
    y, p = calibrated(400)
    w = rng.random(400) if weighted else None
    for loss, theirs in ((PROPER[0], scoring.SquaredError()), (PROPER[1], scoring.LogLoss())):
        mine, other = calibration(y, np.round(p, 2) * 0.98 + 0.01, loss, w), None
        other = scoring.decompose(y, np.round(p, 2) * 0.98 + 0.01, scoring_function=theirs, weights=w)
        for name in ("miscalibration", "discrimination", "uncertainty"):
            assert getattr(mine, name).value == pytest.approx(other[name][0], abs=1e-12)


def test_probabilities_of_zero_and_one_are_included() -> None:
    y = np.array([0, 0, 1, 1, 0, 1] * 5, dtype=float)
    p = np.array([0, 0.2, 0.8, 1, 0.4, 0.6] * 5)
    assert calibration(y, p, PROPER[1]).loss.value < 1
    wrong = calibration(1 - y, p, PROPER[1])
    assert math.isinf(wrong.loss.value)
    assert math.isinf(wrong.miscalibration.value)
    assert wrong.verdict == "miscalibrated"


def test_classes_are_split_one_against_the_rest() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 5000)
    y = (rng.random((5000, 1)) > p.cumsum(axis=1)).sum(axis=1)
    found = calibration(y, p)
    brier = np.mean(((np.eye(3)[y] - p) ** 2).sum(axis=1))
    assert found.loss.value == pytest.approx(brier, rel=1e-12)
    assert len(found.classes) == 3
    assert found.error.low == 0
    assert found.miscalibration.value == pytest.approx(sum(one.miscalibration.value for one in found.classes))
    assert calibration(y, p**2 / (p**2).sum(axis=1, keepdims=True)).verdict == "miscalibrated"


@pytest.mark.parametrize(
    "loss", [losses.squared_error(), losses.absolute_error(), losses.pinball(level=0.9), losses.huber()], ids=repr
)
def test_amounts_are_judged_by_what_the_loss_asks_for(loss: losses.Loss) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=3000)
    y = x + rng.normal(size=3000)
    shift = 1.2815515655446004 if "pinball" in repr(loss) else 0.0  # the .9 quantile of the noise
    right, off = calibration(y, x + shift, loss), calibration(y, 1.5 * x + shift, loss)
    assert right.verdict.startswith("cannot tell")
    assert off.verdict == "miscalibrated"
    assert off.miscalibration.value > 3 * right.miscalibration.value >= 0
    for found in (right, off):
        total = found.miscalibration.value - found.discrimination.value + found.uncertainty.value
        assert total == pytest.approx(found.loss.value, rel=1e-9)


# --- errors without bias ---


def test_the_debiased_error_is_zero_on_average_where_nothing_is_wrong() -> None:
    found = []
    for seed in range(200):
        y, p = calibrated(1000, seed)
        found.append(debiased_squared_error(y - p, p, np.ones(1000)).value)
    assert abs(np.mean(found)) < 3 * np.std(found) / math.sqrt(200)
    assert abs(np.mean(found)) < 0.0025 / 5  # the plug-in would read B / (6 n) = .0025


def test_the_debiased_error_has_an_interval_that_covers() -> None:
    inside = 0
    for seed in range(100):
        y, q = calibrated(2000, seed)
        found = debiased_squared_error(y - q**2, q**2, np.ones(2000))
        inside += found.low <= 1 / 30 <= found.high
    assert inside >= 88


def test_smooth_error_of_a_constant_forecast_is_its_distance() -> None:
    p, y = np.full(1000, 0.5), (np.arange(1000) < 600) * 1.0
    assert smooth_error(on_grid(p, y - p), 1000) == pytest.approx(0.1, abs=1e-3)


@pytest.mark.parametrize(("n", "known"), [(1000, 0.0303), (10_000, 0.0141), (100_000, 0.0066)])
def test_smooth_error_of_calibrated_rows(n: int, known: float) -> None:
    found = []
    for seed in range(20):
        y, p = calibrated(n, seed)
        found.append(smooth_error(on_grid(p, y - p), n))
    assert np.mean(found) == pytest.approx(known, abs=3 * np.std(found) / math.sqrt(20) + 1e-4)


def test_what_lies_on_a_point_of_the_grid_is_there_alone() -> None:
    points = np.linspace(0, 1, 2001)
    assert on_grid(points, np.arange(2001.0)) == pytest.approx(np.arange(2001.0), abs=1e-6)
    assert on_grid(np.array([0.9999, 1.0]), np.ones(2)).min() == 0


def test_smooth_error_adds_over_shards() -> None:
    y, p = calibrated(7000)
    whole = on_grid(p, y - p)
    parts = sum(on_grid(p[i::7], (y - p)[i::7]) for i in range(7))
    assert smooth_error(parts, 7000) == pytest.approx(smooth_error(whole, 7000), abs=1e-9)


def test_smooth_error_agrees_with_relplot() -> None:
    relplot = pytest.importorskip("relplot")
    y, p = calibrated(5000)
    ours = smooth_error(on_grid(p**2, y - p**2), 5000)
    # Its bandwidth is a multiple of 1/1024 and its integral a mean over 200 points weighed by the density, so it is near.
    assert ours == pytest.approx(relplot.smECE(p**2, y), abs=2e-3)
    assert ours == pytest.approx(np.mean(y - p**2), abs=1e-6)  # misses of one sign: smoothing changes no integral


def test_smooth_error_is_its_definition() -> None:
    """The reflected Gaussian kernel summed directly, at the bandwidth where it leaves as much error."""
    y, q = calibrated(400)
    p, t = q**2, np.linspace(0, 1, 4001)
    width = smooth_error(on_grid(p, y - p), 400)
    images = np.concatenate([sign * p + 2 * k for k in (-1, 0, 1) for sign in (1, -1)])
    kernel = np.exp(-0.5 * ((t[:, None] - images) / width) ** 2) / (width * math.sqrt(2 * math.pi))
    smoothed = kernel @ np.tile(y - p, 6) / 400
    assert np.trapezoid(np.abs(smoothed), t) == pytest.approx(width, abs=1e-5)


def test_the_smooth_error_is_the_centre_of_a_number_that_noise_folds() -> None:
    p, y = np.full(1000, 0.5), (np.arange(1000) < 600) * 1.0
    seen = Smoothing.of(p, y, 1 - y)
    noise = 0.06
    value = smooth_estimate(seen, 1000, 1000.0, np.full(9, noise), (0.95, 0)).value
    spread = noise * math.sqrt(math.pi / 2)
    assert value < seen.error
    assert foldnorm(value / spread, scale=spread).mean() == pytest.approx(seen.error, rel=1e-9)


def test_the_debiased_error_of_clusters_is_a_jackknife_of_them() -> None:
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(12), 5)
    miss, p, w = rng.normal(size=12)[cluster] + 0.1 * rng.normal(size=60), np.full(60, 0.5), rng.random(60) + 0.5

    def error(rows: Any) -> Estimate:
        return debiased_squared_error(miss[rows], p[rows], w[rows], together=cluster[rows])

    without = np.array([error(cluster != k).value for k in range(12)])
    assert error(cluster >= 0).standard_error == pytest.approx(math.sqrt(11 * without.var()))


def test_clusters_of_one_row_are_rows() -> None:
    rng = np.random.default_rng(0)
    miss, p, w = rng.normal(size=80), rng.random(80), np.ones(80)
    alone, each = (debiased_squared_error(miss, p, w, together=t) for t in (None, np.arange(80)))
    assert each.value == pytest.approx(alone.value)
    assert each.effective_n == pytest.approx(80)


# --- the increasing fit ---


@given(st.integers(0, 10**6), st.integers(1, 200), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_pooling_pools_is_pooling_all(seed: int, n: int, step: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 9, n) * 1.0
    sums = np.floor(rng.random(n) * (weights + 1))
    whole = pool(sums, weights)
    merged = pool_blocks([pool(sums[i : i + step], weights[i : i + step]) for i in range(0, n, step)])
    assert np.array_equal(merged.sums, whole.sums)
    assert np.array_equal(merged.weights, whole.weights)


def test_the_increasing_fit_agrees_with_scikit_learn() -> None:
    isotonic = pytest.importorskip("sklearn.isotonic")
    rng = np.random.default_rng(1)
    weights, values = rng.random(300) + 0.1, rng.normal(size=300)
    fit = pool(values * weights, weights).fit(300)
    assert fit == pytest.approx(isotonic.isotonic_regression(values, sample_weight=weights), abs=1e-12)


def test_a_cell_without_weight_has_the_share_of_its_neighbour() -> None:
    found = increasing_means(np.array([[0, 1, 0, 3, 0.0]]), np.array([[0, 4, 0, 4, 0.0]]))[0]
    assert found.tolist() == [0.25, 0.25, 0.25, 0.75, 0.75]


# --- maps ---


@pytest.mark.parametrize("method", METHODS)
def test_a_map_survives_json_and_takes_new_rows(method: str) -> None:
    y, q = calibrated(3000)
    fitted = recalibrate(y, q**2, method)
    again = Recalibration.from_dict(json.loads(json.dumps(fitted.to_dict())))
    new = np.linspace(0, 1, 11) if method == "isotonic" else np.linspace(0.01, 0.99, 11)
    assert np.array_equal(fitted(new), again(new))
    assert (np.diff(fitted(new)) >= 0).all()
    assert np.mean(squared(y, fitted(q**2))) < np.mean(squared(y, q**2))


def test_a_known_temperature_is_found() -> None:
    y, q = calibrated(50_000)
    z = np.log(q / (1 - q))
    assert recalibrate(y, 2 * z, "temperature", raw=True).parameters[0][0][0] == pytest.approx(0.5, abs=0.02)
    platt = recalibrate(y, 2 * z + 1, "platt", raw=True).parameters[0][0]
    assert platt == pytest.approx((0.5, -0.5), abs=0.03)
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 20_000)
    label = (rng.random((20_000, 1)) > p.cumsum(axis=1)).sum(axis=1)
    sharp = p**2 / (p**2).sum(axis=1, keepdims=True)
    for method, worst in (("temperature", 0.01), ("platt", 0.03), ("beta", 0.03), ("isotonic", 0.03)):
        mended = recalibrate(label, sharp, method)(sharp)
        assert mended.sum(axis=1) == pytest.approx(1)
        assert np.abs(mended - p).mean() < worst


def test_scores_of_exactly_zero_and_one_can_be_mapped() -> None:
    y, q = calibrated(2000)
    p = np.where(q < 0.1, 0.0, np.where(q > 0.9, 1.0, q))
    fitted = recalibrate(y, p, "platt")
    assert fitted.shrink == 2000
    assert ((fitted(p) > 0) & (fitted(p) < 1)).all()


@pytest.mark.parametrize("method", ["platt", "temperature", "beta", "isotonic"])
def test_a_map_that_met_no_certainty_rises_to_it(method: Any) -> None:
    y, q = calibrated(2000)
    fitted = recalibrate(y, np.clip(q, 0.01, 0.99), method)
    found = fitted([0.0, 1e-300, 1e-9, 0.5, 1 - 1e-9, 1.0])
    assert (np.diff(found) >= 0).all()
    table = np.column_stack([1 - q, q])
    of_classes = recalibrate(y.astype(int), np.clip(table, 0.01, 0.99), method)([[0.0, 1.0], [1.0, 0.0]])
    assert of_classes.sum(axis=1) == pytest.approx(1)
    assert of_classes[0, 1] > of_classes[1, 1]


@pytest.mark.parametrize(
    ("y", "p", "problem"),
    [
        ([0, 1, 1], [0.1, 1.2, 0.3], ScoreOutsideUnitInterval),
        ([0, 1, 1], [0.1, math.nan, 0.3], MissingScore),
        ([1, 1, 1], [0.1, 0.2, 0.3], OneClassOnly),
    ],
)
def test_bad_rows_are_named(y: list[float], p: list[float], problem: type[Exception]) -> None:
    with pytest.raises(problem):
        recalibrate(y, p)


def test_perfect_separation_has_no_finite_map() -> None:
    with pytest.raises(OneClassOnly, match="perfectly"):
        recalibrate([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], "temperature")


def test_a_row_to_which_no_class_is_given_any_chance_has_even_ones() -> None:
    p = np.array([[0.4, 0.25, 0.35], [0.25, 0.4, 0.35], [0.6, 0.1, 0.3], [0.1, 0.6, 0.3]] * 20)
    found = recalibrate([2, 2, 0, 1] * 20, p, "isotonic")
    np.testing.assert_allclose(found([[0.38, 0.32, 0.3], [0.6, 0.1, 0.3]]), [[1 / 3] * 3, [1, 0, 0]])


def test_few_rows_worth_counting_tell_a_level_and_no_slope() -> None:
    ranks = np.linspace(-1, 1, 200)
    misses = ranks + 0.01 * np.random.default_rng(0).normal(size=200)
    many, few = (chance_of_misses(misses, misses**2, ranks, (200, worth)) for worth in (200, 7.0))
    assert many < 1e-6
    assert few > 0.5


def test_sure_raw_outputs_are_recalibrated_like_smaller_ones() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 3))
    y = np.array([rng.choice(3, p=row) for row in np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)])
    once, vast = (recalibrate(y, times * z, "temperature", raw=True) for times in (1.0, 1000.0))
    np.testing.assert_allclose(vast(1000 * z), once(z), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("raw", [False, True])
def test_a_table_of_one_column_is_no_column_of_scores(raw: bool) -> None:
    with pytest.raises(ShapeMismatch, match="one value a row"):
        recalibrate([0, 1, 1, 0], [[0.2], [0.4], [0.9], [0.5]], raw=raw)


def test_one_row_that_is_far_surer_than_all_others_does_not_end_the_search_for_a_temperature() -> None:
    rng = np.random.default_rng(0)
    z = 3 * rng.normal(size=(400, 3))
    y = np.array([rng.choice(3, p=row) for row in np.exp(z / 2) / np.exp(z / 2).sum(axis=1, keepdims=True)])
    alone = recalibrate(y, z, "temperature", raw=True)
    beside = recalibrate(np.append(y, 0), np.vstack([z, [1e5, 0, 0]]), "temperature", raw=True)
    assert beside.parameters[0][0][0] == pytest.approx(alone.parameters[0][0][0], rel=1e-6)
