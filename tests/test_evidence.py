"""Who carries the loss, does the split leak, do measures agree, and do bootstrap replicates add up?"""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, ttest_1samp

from goodmeasure import losses
from goodmeasure.errors import UsageError
from goodmeasure.risks.leaks import leaks, row_hashes
from goodmeasure.risks.outputs import row_losses
from goodmeasure.risks.ranking import rank_models
from goodmeasure.risks.risk import risk
from goodmeasure.risks.segment_rates import segment_rates
from goodmeasure.risks.segments import weak_segments
from goodmeasure.statistics.row_arguments import TooFewRows
from goodmeasure.tallying.replicates import Replicates

LOG = losses.binary_cross_entropy()


@given(st.integers(0, 10**6), st.integers(1, 60))
@settings(max_examples=15, deadline=None)
def test_bootstrap_replicates_add_up_in_any_partition_and_order(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    ids, values = rng.integers(0, 10**9, 60), rng.normal(size=60)
    order = rng.permutation(60)
    whole, left, right = Replicates(20), Replicates(20), Replicates(20)
    whole.add(ids, values)
    left.add(ids[order[:cut]], values[order[:cut]])
    right.add(ids[order[cut:]], values[order[cut:]])
    merged = right.merge(left)
    assert np.array_equal(merged.rows, whole.rows)
    assert np.array_equal(merged.sums.canonical().limbs, whole.sums.canonical().limbs)


def test_bootstrap_replicates_have_the_spread_of_the_mean() -> None:
    values = np.random.default_rng(0).normal(size=10_000)
    made = Replicates(200)
    made.add(np.arange(10_000), values)
    found = made.estimate(float(values.mean()), 10_000)
    assert made.rows.mean() == pytest.approx(10_000, rel=0.005)
    assert found.standard_error == pytest.approx(0.01, rel=0.2)
    assert found.low < found.value < found.high


def test_a_leaking_split_cannot_print_a_clean_interval() -> None:
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(300, 3)), rng.normal(size=300)
    y = (rng.random(300) < 0.5) * 1.0
    train, test = row_hashes(x[:200], y[:200]), row_hashes(x[190:], y[190:])
    found = leaks(
        train, test, groups=(np.arange(200) % 40, np.arange(110) % 60), times=(np.arange(200), np.arange(195, 305))
    )
    assert (found.duplicates, found.shared_groups, found.before_training_ends) == (10, 40, 5)
    told = str(risk(LOG, y[190:], z[190:], cautions=found.cautions))
    assert "10 of 110 rows also stand in the training rows (9.09%)" in told
    assert "the interval is not of unseen rows" in told
    assert not leaks(train, row_hashes(x[200:], y[200:]))
    assert np.array_equal(row_hashes(["a", "b"], [0.0, 1.0]), row_hashes(["a", "b"], [-0.0, 1.0]))


def test_cells_that_differ_in_any_digit_are_no_duplicates() -> None:
    cells = np.array([0.0, 1e-300, 1e-20, 2e-20, 1.0, np.nextafter(1, 2), 1e20])
    assert len(np.unique(row_hashes(cells))) == len(cells)


def test_duplicates_reward_memory() -> None:
    """Every row twice with random labels: the nearest row in another fold knows the answer, unless copies stay
    together."""
    rng = np.random.default_rng(0)
    x, y = np.repeat(rng.normal(size=(300, 5)), 2, axis=0), np.repeat(rng.integers(0, 2, 300), 2)
    fold = rng.permutation(600) % 5
    hashes = row_hashes(x, y)
    seen = [leaks(hashes[fold != k], hashes[fold == k]).duplicates for k in range(5)]
    assert sum(seen) / 600 == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize(("n", "groups"), [(113, 10), (400, 20)])
@pytest.mark.parametrize("kind", ["lognormal", "cross-entropy"])
def test_segments_of_nothing_do_not_stand_out(n: int, groups: int, kind: str) -> None:
    """Skewed losses in groups of unequal sizes: Welch's test named one in .22 to .88 of such tables."""
    alarms = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        size = np.arange(1, groups + 1) ** -0.7
        p = rng.beta(0.3, 6, n)
        surprise = -np.log(np.where(rng.random(n) < p, p, 1 - p))
        values = rng.lognormal(0, 1.5, n) if kind == "lognormal" else surprise
        found = weak_segments(values, rng.choice(groups, n, p=size / size.sum()))
        alarms += any(one.p_value <= 0.05 for one in found)
        assert all(one.p_value <= 0.05 for one in found if one.excess.verdict in ("better", "worse"))
    assert alarms <= 5  # .05 is 2


def test_a_weak_segment_is_found() -> None:
    rng = np.random.default_rng(0)
    segment = rng.choice(["north", "south", "west"], 3000, p=[0.45, 0.5, 0.05])
    values = rng.exponential(size=3000) * np.where(segment == "west", 2, 1)
    worst = weak_segments(values, segment)[0]
    assert worst.name == "west"
    assert worst.verdict == "weak"
    assert worst.excess.verdict == "worse"
    assert worst.share_of_loss > 1.5 * worst.share_of_rows
    with pytest.raises(TooFewRows):
        weak_segments(values, np.arange(3000))


def test_cheaper_segments_come_last_and_are_not_weak() -> None:
    rng = np.random.default_rng(0)
    segment = rng.choice(["cheap", "dear", "usual", "other"], 4000, p=[0.1, 0.1, 0.4, 0.4])
    values = rng.exponential(size=4000) * np.select([segment == "cheap", segment == "dear"], [0.4, 2.0], 1.0)
    found = weak_segments(values, segment)
    assert (found[0].name, found[0].verdict) == ("dear", "weak")
    assert (found[-1].name, found[-1].verdict) == ("cheap", "cheaper")


@pytest.mark.parametrize("dealt", ["whole clusters", "within clusters"])
def test_segments_know_clusters(dealt: str) -> None:
    """Rows of a cluster share most of their loss: where it is dealt by rows, groups of nothing are named."""
    known, unknown = 0, 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        cluster = np.repeat(np.arange(40), 10)
        values = rng.exponential(size=40)[cluster] + 0.1 * rng.exponential(size=400)
        segment = rng.integers(0, 4, 40)[cluster] if dealt == "whole clusters" else rng.integers(0, 4, 400)
        known += any(one.p_value <= 0.05 for one in weak_segments(values, segment, cluster=cluster))
        unknown += any(one.p_value <= 0.05 for one in weak_segments(values, segment))
    assert known <= 3  # .05 is 1
    if dealt == "whole clusters":
        assert unknown >= 15
    one = weak_segments(values, segment, cluster=cluster)[0]
    assert one.excess.method.startswith("clusters dealt at random")


def test_segments_are_the_same_whatever_the_order_of_rows() -> None:
    rng = np.random.default_rng(0)
    values, segment = rng.exponential(size=300), rng.integers(0, 5, 300)
    cluster, order = rng.integers(0, 60, 300), rng.permutation(300)
    for more in ({}, {"cluster": cluster}):
        again = {name: column[order] for name, column in more.items()}
        found, moved = weak_segments(values, segment, **more), weak_segments(values[order], segment[order], **again)
        for one, other in zip(found, moved, strict=True):
            assert (one.name, one.p_value) == (other.name, other.p_value)
            assert one.excess.low == pytest.approx(other.excess.low, rel=1e-9)


# --- rates of segments ---


def test_calibrated_segments_are_not_named_and_a_false_promise_is() -> None:
    named, found = 0, 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        p, segment = rng.beta(0.5, 5, 1000), rng.integers(0, 10, 1000)
        y = (rng.random(1000) < p) * 1.0
        named += segment_rates(y, p, segment)[0].p_value <= 0.05
        first = segment_rates(y, np.where(segment == 3, p / 4, p), segment)[0]
        found += (first.name, first.verdict) == ("3", "more events than promised")
    assert named <= 7
    assert found >= 36


def test_the_chance_of_so_many_events_is_the_binomial_one_where_all_probabilities_are_alike() -> None:
    y, p = np.repeat([1.0, 0.0], [9, 91]), np.full(100, 0.03)
    one = segment_rates(y, p, np.zeros(100))[0]
    assert one.p_value == pytest.approx(2 * binom.sf(8, 100, 0.03), rel=1e-9)
    # Weights that hardly differ draw what is counted: the ends enclose how far 1,000 draws lie off.
    weighed = segment_rates(y, np.full(100, 0.06), np.zeros(100), sample_weight=np.linspace(0.999, 1.001, 100))[0]
    exact = segment_rates(y, np.full(100, 0.06), np.zeros(100))[0].p_value
    assert weighed.p_value == pytest.approx(exact, abs=0.1)
    assert segment_rates(y, p, np.zeros(100), cluster=np.arange(100) // 4)[0].p_value > one.p_value


def test_the_chance_of_many_rows_of_nearly_equal_weight_knows_that_rare_events_are_skewed() -> None:
    n, p, events = 40_000, 0.02, 870
    y = np.arange(n) < events
    weight = np.linspace(0.9999, 1.0001, n)[np.random.default_rng(0).permutation(n)]
    found = segment_rates(y * 1.0, np.full(n, p), np.zeros(n), sample_weight=weight)[0].p_value
    # Sums of weights come near any number: half of the chance of exactly so many counts.
    exact = 2 * (binom.sf(events, n, p) + binom.pmf(events, n, p) / 2)
    assert found == pytest.approx(exact, rel=0.02)


def test_the_skewness_of_common_events_counts_too() -> None:
    n, p = 4000, 0.2
    weight = 1 + 1e-4 * np.random.default_rng(0).uniform(-1, 1, n)
    for events, beyond in ((852, binom.sf(852, n, p)), (748, binom.cdf(747, n, p))):
        y = (np.arange(n) < events) * 1.0
        found = segment_rates(y, np.full(n, p), np.zeros(n), sample_weight=weight)[0].p_value
        assert found == pytest.approx(2 * beyond + binom.pmf(events, n, p), rel=0.004)


@pytest.mark.parametrize("copies", [1.5, 2.5, 3.9])
def test_copies_that_are_no_whole_number_are_drawn_without_bias(copies: float) -> None:
    p, w = np.full(60, 0.3), np.full(60, copies)
    for events, off in ((18, False), (4, True), (34, True)):
        y = (np.arange(60) < events) * 1.0
        found = segment_rates(y, p, np.zeros(60), sample_weight=w, weights_mean="frequency")[0].p_value
        assert (found <= 0.05) == off


def test_draws_are_the_same_however_many_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    p, w = rng.random(40), rng.random(40) + 0.5
    y = (rng.random(40) < p / 2) * 1.0
    together = segment_rates(y, p, np.zeros(40), sample_weight=w)[0].p_value
    for held in (8, 4000):
        monkeypatch.setattr("goodmeasure.risks.segment_rates.DRAWN_AT_ONCE", held)
        assert segment_rates(y, p, np.zeros(40), sample_weight=w)[0].p_value == together


def test_many_clusters_are_student_s_test_of_their_sums() -> None:
    rng = np.random.default_rng(1)
    cluster, p = np.repeat(np.arange(30), 6), np.full(180, 0.3)
    y = (rng.beta(0.6, 1.2, 30)[cluster] > rng.random(180)) * 1.0
    sums = np.bincount(cluster, y - p)
    found = segment_rates(y, p, np.zeros(180), cluster=cluster)[0].p_value
    assert found == pytest.approx(ttest_1samp(sums, 0).pvalue, rel=1e-9)


@pytest.mark.parametrize(("n", "p", "events"), [(6000, 2e-5, 2), (50, 0.001, 1), (20_000, 0.3, 6200), (1, 0.2, 1)])
def test_chances_of_equal_rows_are_exact_however_rare_events_are(n: int, p: float, events: int) -> None:
    y = (np.arange(n) < events) * 1.0
    exact = min(1.0, 2 * min(binom.cdf(events, n, p), binom.sf(events - 1, n, p)))
    assert segment_rates(y, np.full(n, p), np.zeros(n))[0].p_value == pytest.approx(exact, rel=1e-8)
    copied = (
        segment_rates([1.0, 0.0], [p, p], [0, 0], sample_weight=[events, n - events], weights_mean="frequency")[0]
        if events < n
        else None
    )
    assert copied is None or copied.p_value == pytest.approx(exact, rel=1e-8)


def test_chances_of_unequal_probabilities_are_exact() -> None:
    p = np.array([0.1, 0.5, 0.7, 0.02, 0.9])
    chance = np.ones(1)
    for one in p:
        chance = np.convolve(chance, [1 - one, one])
    for events in range(6):
        y = (np.arange(5) < events) * 1.0
        exact = min(1.0, 2 * min(chance[: events + 1].sum(), chance[events:].sum()))
        assert segment_rates(y, p, np.zeros(5))[0].p_value == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.2])
def test_weighted_groups_of_rare_events_are_named_no_more_often_than_the_level_says(share: float) -> None:
    named, group, p = 0, np.repeat(np.arange(20), 50), np.full(1000, share)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        y, weight = (rng.random(1000) < p) * 1.0, rng.uniform(0.5, 1.5, 1000)
        named += segment_rates(y, p, group, sample_weight=weight)[0].p_value <= 0.05
    assert named <= 8  # .05 is 3


@pytest.mark.parametrize(("count", "share", "alike"), [(3, 0.3, 1.0), (6, 0.3, 1.0), (60, 0.02, 1.0), (20, 0.3, 0.4)])
def test_clusters_do_not_name_calibrated_segments(count: int, share: float, alike: float) -> None:
    named, cluster = 0, np.repeat(np.arange(count), 10)
    for seed in range(100):
        rng = np.random.default_rng(seed)
        p, own = rng.beta(2, 2 / share - 2, len(cluster)), rng.random(len(cluster))
        luck = np.where(rng.random(len(cluster)) < alike, rng.random(count)[cluster], own)
        named += segment_rates((luck < p) * 1.0, p, np.zeros(len(cluster)), cluster=cluster)[0].p_value <= 0.05
    assert named <= 12  # .05 is 5


def test_six_clusters_can_name_a_segment() -> None:
    y, cluster = np.tile([1.0, 1, 1, 1, 1, 1, 1, 0, 0, 0], 6), np.repeat(np.arange(6), 10)
    assert segment_rates(y, np.full(60, 0.2), np.zeros(60), cluster=cluster)[0].verdict == "more events than promised"
    assert segment_rates(y, np.full(60, 0.7), np.zeros(60), cluster=cluster)[0].p_value == 1


def test_segments_are_the_same_wherever_losses_begin() -> None:
    rng = np.random.default_rng(0)
    values, segment = rng.exponential(size=300), rng.integers(0, 5, 300)
    for weight in (None, rng.uniform(0.5, 1.5, 300)):
        found = weak_segments(values, segment, sample_weight=weight)
        moved = weak_segments(values + 1e8, segment, sample_weight=weight)
        for one, other in zip(found, moved, strict=True):
            assert (one.name, one.p_value) == (other.name, other.p_value)
            assert other.excess.low == pytest.approx(one.excess.low, abs=1e-6)


@pytest.mark.parametrize("by", [weak_segments, lambda y, group: segment_rates(y, np.full(len(y), 0.5), group)])
def test_more_groups_than_are_compared_are_refused(by) -> None:
    y, group = np.tile([0.0, 1.0], 1001), np.repeat(np.arange(1001), 2)
    with pytest.raises(UsageError, match="1,000"):
        by(y, group)


def test_many_groups_are_compared_in_little_memory() -> None:
    """What deals say of every group was kept until the end."""
    tracemalloc.start()
    found = weak_segments(np.random.default_rng(0).exponential(size=1200), np.repeat(np.arange(300), 4))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 300
    assert most < 40e6


def test_measures_that_rank_models_apart_are_named() -> None:
    """Sharper scores: more right answers of 0 or 1 at stake, worse log loss."""
    rng = np.random.default_rng(0)
    q = rng.random(5000)
    y, z = (rng.random(5000) < q) * 1.0, np.log(q / (1 - q))
    raw = {"sharp": 4 * z, "noisy": z + 0.7 * rng.normal(size=5000)}
    found = rank_models(
        {
            "log loss": {name: row_losses(LOG, y, each) for name, each in raw.items()},
            "errors": {name: ((each > 0) != y) * 1.0 for name, each in raw.items()},
        }
    )
    assert found.agreement["log loss", "errors"] == -1
    assert "by log loss, sharp is worse than noisy; by errors, it is better" in found.verdict
    assert rank_models({"a": {"x": [1.0, 2], "y": [1, 2]}, "b": {"x": [1.0, 2], "y": [1, 2]}}).disagreements == ()
