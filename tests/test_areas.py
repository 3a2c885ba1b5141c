"""The area under the ROC curve: its interval near 1, with few events, and for rows that go together."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from goodmeasure.decisions.curves import curves
from goodmeasure.risks.metrics import METRICS

AREA = METRICS["auc"]


@pytest.mark.parametrize("events", [1, 2, 5, 10, 50])
def test_perfect_separation_is_not_certain(events: int) -> None:
    y = np.repeat([0.0, 1.0], (100, events))
    for found in (curves(y, np.linspace(0, 1, len(y))).area(), AREA.estimate(y, np.linspace(0, 1, len(y)))):
        assert (found.value, found.high) == (1, 1)
        assert 0 < found.low < 1 - 0.5 / (events + 1)
        assert "no pair is out of order" in str(found)
        assert ("few to tell an area by" in str(found)) == (events < 10)
    turned = curves(1 - y, np.linspace(0, 1, len(y))).area()
    assert turned.low == 0 < turned.high < 1


@pytest.mark.parametrize(("truth", "events"), [(0.9, 5), (0.9, 50), (0.9933, 10), (0.9933, 50), (0.999, 50)])
@pytest.mark.parametrize("spread", [1, 2])
def test_the_interval_covers(truth: float, events: int, spread: float) -> None:
    rng, inside, runs = np.random.default_rng(0), 0, 150
    y, shift = np.repeat([1.0, 0.0], (events, 100)), ndtri(truth) * np.hypot(1, spread)
    for _ in range(runs):
        p = ndtr(np.append(spread * rng.normal(size=events) + shift, rng.normal(size=100)))
        found = curves(y, p).area()
        inside += found.low <= truth <= found.high
    assert inside / runs >= 0.9


def test_with_many_rows_it_is_delong_s_or_wider() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(20_000) < 0.3) * 1.0
    found = AREA.estimate(y, ndtr(1.5 * (0.8 * y + rng.normal(size=20_000))))
    half = 1.959964 * found.standard_error
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)
    assert (found.high - found.low) / 2 >= half * 0.999


def test_rows_and_cells_say_the_same() -> None:
    rng = np.random.default_rng(0)
    y, p, w = (rng.random(300) < 0.2) * 1.0, np.round(rng.random(300), 2), rng.random(300)
    of_rows, of_cells = AREA.estimate(y, p, w), curves(y, p, sample_weight=w).area()
    assert (of_rows.value, of_rows.low, of_rows.high) == pytest.approx((of_cells.value, of_cells.low, of_cells.high))


def test_copies_in_a_cluster_tell_nothing_new() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(150) < 0.3) * 1.0
    p = ndtr(y + rng.normal(size=150))
    once = AREA.estimate(y, p)
    many = AREA.estimate(np.repeat(y, 20), np.repeat(p, 20), together=np.repeat(np.arange(150), 20))
    alone = AREA.estimate(np.repeat(y, 20), np.repeat(p, 20))
    assert (many.low, many.high) == pytest.approx((once.low, once.high), abs=0.005)
    assert alone.high - alone.low < 0.5 * (once.high - once.low)
    assert "cluster-robust" in many.method


def test_a_cluster_of_events_that_are_all_right_is_one_event() -> None:
    y = np.repeat([0.0, 1.0], (60, 40))
    code = np.append(np.arange(60), np.repeat(60 + np.arange(2), 20))
    found = AREA.estimate(y, np.linspace(0, 1, 100), together=code)
    assert "2 events are few to tell an area by" in str(found)
    assert found.low < AREA.estimate(y, np.linspace(0, 1, 100)).low


def test_what_is_in_order_is_worth_its_clusters_of_events_and_of_others() -> None:
    y = np.repeat([0.0, 1.0], (60, 40))
    p = np.linspace(0, 1, 100)
    # Three clusters of others, twenty of events; and the other way round.
    few_others = AREA.estimate(y, p, together=np.append(np.repeat(np.arange(3), 20), 3 + np.arange(40) // 2))
    few_events = AREA.estimate(1 - y, 1 - p, together=np.append(np.repeat(np.arange(3), 20), 3 + np.arange(40) // 2))
    assert "3 rows without the event are few" in str(few_others)
    assert "3 events are few" in str(few_events)
    assert (few_others.low, few_others.high) == pytest.approx((few_events.low, few_events.high))
