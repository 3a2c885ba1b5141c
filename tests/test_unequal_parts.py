"""Do intervals hold where parts are of unequal size: clusters, stretches of time, weights?"""

from __future__ import annotations

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.risks.areas import of_rows
from goodmeasure.statistics.intervals import mean_estimate
from goodmeasure.statistics.multinomial import hit_share
from goodmeasure.statistics.row_arguments import PresentRows
from goodmeasure.statistics.sample import Sample
from goodmeasure.statistics.weights import equal_parts

ABSOLUTE = gm.losses.absolute_error()


def _half(count: int) -> np.ndarray:
    """One cluster of half the rows, and others of one row each."""
    return np.r_[np.zeros(count - 1, dtype=int), np.arange(1, count)]


def _sample(cluster: np.ndarray) -> Sample:
    return Sample.of(PresentRows.of(len(cluster), cluster=cluster), 0.95)


def test_parts_of_equal_weight_count_as_many_as_they_are() -> None:
    for count in (1, 2, 7, 100, 12_345):
        assert equal_parts(np.full(count, 0.1)) == count
    assert equal_parts(np.array([1e200, 1e200])) == 2
    assert equal_parts(np.array([50.0, *np.ones(50)])) == pytest.approx(100**2 / 2550)


def test_a_mean_is_covered_where_one_cluster_holds_half_of_the_rows() -> None:
    rng, inside = np.random.default_rng(0), np.zeros(3)
    for _ in range(150):
        cluster = _half(40)
        sample = _sample(cluster)
        cost = rng.gamma(2.0, 0.5, 40)[cluster] * rng.exponential(1.0, len(cluster))
        found = sample.mean(cost)
        luck = np.where(rng.random(len(cluster)) < 0.7, rng.random(40)[cluster], rng.random(len(cluster)))
        share, area = hit_share(sample, (luck < 0.3) * 1.0), of_rows((luck < 0.5) * 1.0, rng.random(len(luck)), sample)
        low, high = area.interval(0.95)
        inside += found.low <= 1 <= found.high, share.low <= 0.3 <= share.high, low <= 0.5 <= high
    assert (inside >= 0.91 * 150).all()


def test_a_weighted_mean_is_covered_where_few_rows_hold_most_of_the_weight() -> None:
    rng, inside = np.random.default_rng(1), 0
    for _ in range(400):
        found = mean_estimate(rng.normal(size=30), rng.lognormal(0, 1.2, 30))
        inside += found.low <= 0 <= found.high
    assert inside >= 0.92 * 400


def test_rows_and_their_tally_have_one_interval() -> None:
    rng, cluster = np.random.default_rng(2), _half(20)
    y, z = rng.normal(size=(2, len(cluster)))
    for more in ({"cluster": cluster}, {"sample_weight": rng.lognormal(0, 1, len(cluster))}):
        rows = gm.risk(ABSOLUTE, y, z, method="normal" if "sample_weight" in more else "auto", **more)
        tallied = gm.tally(ABSOLUTE, y, z, **more).risk()
        assert (tallied.low, tallied.high) == pytest.approx((rows.low, rows.high), rel=1e-9)


def test_few_of_unequal_size_are_said_to_be_few_by_rows_and_by_a_tally() -> None:
    rng, cluster = np.random.default_rng(3), _half(50)
    y = rng.normal(size=len(cluster))
    said = "50 groups, worth 3.9 of equal size, tell how sure this is: the interval can be too short"
    assert said in gm.risk(ABSOLUTE, y, np.zeros_like(y), cluster=cluster).cautions
    assert said in gm.tally(ABSOLUTE, y, np.zeros_like(y), cluster=cluster).risk().cautions
    assert not gm.risk(ABSOLUTE, y, np.zeros_like(y), cluster=np.arange(len(y)) // 2).cautions


def test_few_points_in_time_are_said_to_be_few() -> None:
    rng = np.random.default_rng(4)
    y = rng.normal(size=240)
    assert gm.risk(ABSOLUTE, y, np.zeros(240), time=np.arange(240) // 5).cautions == (
        "only 48 points in time tell how sure this is: the interval can be too short",
    )
    assert not gm.risk(ABSOLUTE, y, np.zeros(240), time=np.arange(240) // 4).cautions
