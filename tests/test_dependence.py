"""Does every number know which rows go together, or say that it does not?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scipy.signal import lfilter

import goodmeasure as gm
from goodmeasure.risks.metrics import METRICS
from goodmeasure.risks.segments import weak_segments
from goodmeasure.statistics.intervals import knows_groups
from goodmeasure.statistics.row_arguments import PresentRows
from goodmeasure.statistics.sample import TAKEN_AS_INDEPENDENT, Sample
from goodmeasure.statistics.serial import block_length, blocks_for


def estimates(record: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every estimate of a record, wherever it stands."""
    if isinstance(record, dict):
        if {"low", "high", "method"} <= record.keys():
            yield path, record
        for name, value in record.items():
            yield from estimates(value, f"{path}.{name}")
    if isinstance(record, list | tuple):
        for place, value in enumerate(record):
            yield from estimates(value, f"{path}[{place}]")


def study(groups: int, **more: Any) -> gm.Study:
    rng = np.random.default_rng(0)
    group = np.arange(600) % groups
    x, day = rng.normal(size=600), np.arange(600.0)
    shared = 0.7 * rng.normal(size=groups)[group]
    yes = rng.random(600) < 1 / (1 + np.exp(1 - 2 * x - shared))
    table = {"x": x, "group": [f"g{g}" for g in group], "day": day, "bought": np.where(yes, "yes", "no")}
    costs = gm.Costs(false_negative=4, false_positive=1)
    return gm.run(table, "bought", positive="yes", costs=costs, **more)


@pytest.mark.parametrize(
    ("groups", "more"),
    [(12, {"group": "group"}), (60, {"group": "group"}), (5, {"group": "group"}), (12, {"time": "day"})],
    ids=["few groups", "many groups", "one group a part", "time"],
)
def test_every_estimate_of_a_run_knows_the_groups_or_says_that_it_does_not(groups: int, more: dict[str, str]) -> None:
    exclude = [name for name in ("group", "day") if name not in more.values()]
    found = dict(estimates(study(groups, exclude=exclude, **more).to_dict()))
    assert len(found) > 40
    for path, one in found.items():
        known = knows_groups(one["method"])
        assert known != (TAKEN_AS_INDEPENDENT in one["cautions"]), path
    few = {path for path, one in found.items() if any("only" in caution for caution in one["cautions"])}
    # Below fifty groups each row is judged by a model of other folds, so that all groups are reported.
    assert (".risk.report" in few) == (groups < 10 and "group" in more)


def test_a_run_without_groups_says_nothing_of_them() -> None:
    for path, one in estimates(study(12, exclude=["group", "day"]).to_dict()):
        assert TAKEN_AS_INDEPENDENT not in one["cautions"], path


# --- time ---


def in_time(x: np.ndarray, **more: Any) -> gm.Estimate:
    order = np.random.default_rng(0).permutation(len(x))  # time need not be sorted
    return Sample.of(PresentRows.of(len(x), time=order), 0.95).mean(x[order], **more)


@pytest.mark.parametrize(("n", "memory"), [(113, 0.0), (113, 0.8), (300, 0.8), (1000, 0.8), (1000, 0.95)])
def test_a_mean_in_time_covers_at_any_length(n: int, memory: float) -> None:
    """Fifty blocks, whatever n, covered .59 at n = 113 and a memory of .8."""
    inside, few = 0, 0
    for seed in range(200):
        x = lfilter([1], [1, -memory], np.random.default_rng(seed).standard_exponential(n + 300) - 1)[300:]
        found = in_time(x)
        inside += found.low <= 0 <= found.high
        few += bool(found.cautions)
    assert inside >= 172  # .9 is 180
    if memory == 0:
        assert few == 0
    if (n, memory) == (113, 0.8):
        assert few >= 100


def test_a_block_is_as_long_as_the_values_remember() -> None:
    steps = np.random.default_rng(0).normal(size=5000)
    lengths = [block_length(lfilter([1], [1, -memory], steps)) for memory in (0.0, 0.5, 0.8, 0.95)]
    assert lengths[0] < 5
    assert sorted(lengths) == lengths
    # Twice the length of Politis and White at a known memory: (1.5 (2 m / (1 - m^2))^2 n)^(1/3).
    assert lengths[2] == pytest.approx(2 * (1.5 * (1.6 / 0.36) ** 2 * 5000) ** (1 / 3), rel=0.3)
    assert block_length(np.zeros(100)) == 1.0
    assert block_length(np.tile([1.0, -1.0], 100)) == 1.0


def test_a_memory_is_looked_for_from_ten_values_on() -> None:
    assert block_length(np.arange(10.0)) > block_length(np.arange(9.0)) == 1


@pytest.mark.parametrize("n", [97, 250, 1000])
def test_blocks_of_rows_that_count_alike_are_alike(n: int) -> None:
    series = lfilter([1], [1, -0.7], np.random.default_rng(n).normal(size=n))
    sizes = np.bincount(blocks_for(series, np.arange(n), np.ones(n)))
    assert sizes.max() - sizes.min() <= 1
    assert len(sizes) == round(n / block_length(series - series.mean()))


# --- metrics ---
# --- metrics ---


@pytest.mark.parametrize("name", sorted(METRICS))
def test_copies_of_rows_in_a_cluster_buy_no_certainty(name: str) -> None:
    """Every metric: four copies of each row, of which clusters are known, are as wide as the rows are, and no narrower."""
    metric = METRICS[name]
    rng = np.random.default_rng(0)
    p = rng.random(120)
    y = (rng.random(120) < p) * 1.0 if metric.scale == "outcome" else p + 0.3 * rng.normal(size=120)
    group = np.arange(120) // 4
    once, again = (metric.estimate(np.repeat(y, k), np.repeat(p, k), together=np.repeat(group, k)) for k in (1, 4))
    # Of shares and areas the rows of a cluster count as no more than they would alone, which four copies of them need not.
    tolerance = 3e-2 if name in ("auc", "accuracy") else 1e-9
    assert (again.low, again.high) == pytest.approx((once.low, once.high), rel=tolerance)
    assert "cluster" in once.method
    few = metric.estimate(y, p, together=np.arange(120) % 6)
    assert few.cautions == ("only 6 groups tell how sure this is: the interval can be too short",)


# --- what the words of a method say ---


@pytest.mark.parametrize("many", [False, True], ids=["few rows", "many rows"])
@pytest.mark.parametrize("rows", ["alone", "in clusters", "in time"])
@pytest.mark.parametrize("name", sorted(METRICS))
def test_the_method_of_a_metric_says_whether_it_knows_the_groups(
    name: str, rows: str, many: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if many:  # of these the interval is made of random blocks
        monkeypatch.setattr("goodmeasure.risks.metrics.MOST_ROWS", 100)
    metric = METRICS[name]
    rng = np.random.default_rng(0)
    p = rng.random(400)
    y = (rng.random(400) < p) * 1.0 if metric.scale == "outcome" else p + 0.3 * rng.normal(size=400)
    group = None if rows == "alone" else np.arange(400) // (2 if rows == "in clusters" else 40)
    assert knows_groups(metric.estimate(y, p, together=group).method) == (group is not None)


@pytest.mark.parametrize("given", [{}, {"cluster": np.arange(60) // 4}, {"time": np.arange(60)}], ids=str)
@pytest.mark.parametrize("method", ["auto", "normal", "bootstrap"])
def test_the_method_of_a_risk_says_whether_it_knows_the_groups(method: Any, given: dict[str, Any]) -> None:
    y = np.random.default_rng(0).integers(0, 2, 60) * 1.0
    found = gm.risk(gm.losses.zero_one(), y, np.linspace(-1, 1, 60), method=method, **given)
    assert knows_groups(found.method) == bool(given)


def test_a_run_without_groups_has_no_method_that_says_it_knows_any() -> None:
    for path, one in estimates(study(12, exclude=["group", "day"]).to_dict()):
        assert not knows_groups(one["method"]), (path, one["method"])


@pytest.mark.parametrize("clustered", [False, True])
def test_the_method_of_a_weak_segment_says_whether_it_knows_the_groups(clustered: bool) -> None:
    rng = np.random.default_rng(0)
    loss, segment, cluster = rng.exponential(size=400), np.arange(400) % 4, np.arange(400) // 5
    found = weak_segments(loss, segment, **({"cluster": cluster} if clustered else {}))
    assert {knows_groups(each.excess.method) for each in found} == {clustered}
