"""Is what the pages on acting, asking, classes and memory teach so, and do their scripts say what Python says?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browser import browser, opened
from goodmeasure.lab.pages.acting import CHANCES, FAIL, FINE, CountedCut, acting, between, costs
from goodmeasure.lab.pages.asking import DAYS, LEVEL, asked, asking
from goodmeasure.lab.pages.memory import MOST, NOISE, SAMPLES, memory
from goodmeasure.lab.pages.memory import costs as fitting_costs
from goodmeasure.lab.pages.raising import CLASSES, RAW, TRUTH, pulled, raising, shares, ways
from test_lab_ideas import alone, at, read

PRICES = [(1, 1), (1, 5), (5, 40), (1, 19), (3, 1), (20, 1), (1, 40)]


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    with browser() as found:
        yield found


def test_machines_fail_as_often_as_is_said_of_them() -> None:
    assert np.allclose(FAIL / (FAIL + FINE), CHANCES, rtol=0, atol=1e-12)


@pytest.mark.parametrize("prices", PRICES)
def test_no_cut_costs_less_than_that_of_the_costs(prices: tuple[float, float]) -> None:
    given = costs(*prices)
    least = min(CountedCut(given, cut).hours for cut in np.linspace(0, 1, 2001))
    assert CountedCut(given, given.threshold).hours == least


def test_a_cut_stands_between_those_it_parts() -> None:
    columns = np.arange(1, 20)
    for cut in (0.0, 0.05, 0.051, 1 / 9, 0.15, 0.35, 0.55, 0.5500001, 0.95, 0.97, 1.0):
        assert np.array_equal(columns > between(cut), cut <= CHANCES), cut
        assert np.abs(columns - between(cut)).min() > 0.39, "no column is crossed"


def test_a_cut_that_is_moved_counts_in_the_page_what_it_counts_in_python(running: Any, tmp_path: Path) -> None:
    path = alone(acting, tmp_path)
    with opened(running, path) as shown:
        page = at(shown, path, "#page-7&from=0.20")
        assert page.inner_text("[data-told=from]").startswith("Not there. From 1 / (1 + 5) on, about 17 %")
        for alarm, miss in PRICES:
            for name, value in (("alarm", alarm), ("miss", miss)):
                page.locator(f"[data-control={name}]").fill(f"{value}")
            given = costs(alarm, miss)
            for cut in (0.0, 0.15, 0.55, 1.0):
                page.locator("[data-control=cut]").fill(f"{cut:g}")
                now, best = CountedCut(given, cut), CountedCut(given, given.threshold)
                counts = [now.reached, now.missed, now.idle, now.hours, best.hours]
                said = read(page, "reached", "missed", "idle", "hours", "best-hours")
                assert list(map(float, said)) == counts, (alarm, miss, cut)
                errors = page.locator("[data-picture=strip] circle.mistaken").count()
                assert errors == now.missed + now.idle
            assert read(page, "best") == [f"{given.threshold:.3f}"]
        page.locator("[data-control=cut]").focus()
        page.keyboard.press("r")
        assert read(page, "cut") == ["0.50"]
        assert shown.said == []


def test_each_loss_is_least_at_what_it_asks_for() -> None:
    best = {each.name: each.best for each in asked()}
    values, counts = np.unique(DAYS, return_counts=True)
    assert best["squared_error"] == DAYS.mean()
    assert best["absolute_error"] == np.median(DAYS)
    assert best["pinball"] == np.quantile(DAYS, LEVEL, method="inverted_cdf")
    assert best["hit"] == values[counts == counts.max()].item()
    for each in asked():
        if each.loss is not None:
            assert each.loss.best_constant(DAYS) == pytest.approx(each.best, abs=1e-9)


def test_what_is_so_of_each_answer_is_so() -> None:
    mean, median, quantile = (each.best for each in asked()[:3])
    assert (DAYS - mean).sum() == pytest.approx(0, abs=1e-9)
    assert max((median < DAYS).sum(), (median > DAYS).sum()) <= len(DAYS) / 2
    assert LEVEL <= (quantile >= DAYS).mean() < LEVEL + 1 / len(DAYS)


def test_a_number_that_is_said_costs_in_the_page_what_it_costs_in_python(running: Any, tmp_path: Path) -> None:
    path = alone(asking, tmp_path)
    with opened(running, path) as shown:
        page = at(shown, path, "#page-5&promise=squared_error")
        assert page.inner_text("[data-told=promise]").startswith("Not that one. 12: the day from 11 to 12 still pays")
        for number in (0.0, 2.0, 4.0, 5.2, 12.0, 19.9):
            page.locator("[data-control=number]").fill(f"{number:g}")
            costs_here = [float(text) for text in read(page, *(f"cost-{each.name}" for each in asked()))]
            assert np.allclose(costs_here, [each.cost([number])[0] for each in asked()], rtol=0, atol=0.0051)
            above, below, sums = DAYS[number < DAYS], DAYS[number > DAYS], read(page, "sum-above", "sum-below")
            assert read(page, "above", "below") == [str(len(above)), str(len(below))]
            assert np.allclose(
                [float(each) for each in sums], [(above - number).sum(), (number - below).sum()], atol=0.051
            )
        assert shown.said == []


OUTPUTS = [(2.0, 1.0, 0.0), (1.0, 0.0, 1.0), (-3.0, 4.0, -3.0), (0.0, 1.0, -1.0), (4.0, -3.0, 3.9), (0.5, 1.3, 0.6)]


def test_softmax_moves_as_much_down_as_up_and_sees_only_differences() -> None:
    softmax, each, hinge = ways()
    others = np.arange(len(CLASSES)) != TRUTH
    for raw in map(np.array, OUTPUTS):
        assert softmax.pull(raw).sum() == pytest.approx(0, abs=1e-12)
        assert np.allclose(softmax.pull(raw)[others], -shares(raw)[others], rtol=1e-12)
        assert np.allclose(softmax.pull(raw + 7), softmax.pull(raw), rtol=1e-9)
        assert np.allclose(shares(raw + ~others), shares(raw - others), rtol=1e-12)
        for way in (softmax, each):
            assert (way.pull(raw) > 0).tolist() == (~others).tolist()
    assert each.pull(RAW).sum() != pytest.approx(0, abs=0.1)
    assert np.count_nonzero(hinge.pull(RAW)) == 2
    rest = hinge.trained()
    assert rest[TRUTH] - rest[others].max() == pytest.approx(1)
    assert not hinge.pull(rest).any()


def test_raw_outputs_that_are_moved_are_pulled_in_the_page_as_in_python(running: Any, tmp_path: Path) -> None:
    path = alone(raising, tmp_path)
    with opened(running, path) as shown:
        page = at(shown, path, "#page-8&alike=raise")
        assert page.inner_text("[data-told=alike]").startswith("Not so. Both alike: 46.8 % either way")
        for raw in OUTPUTS:
            for name, z in zip(CLASSES, raw, strict=True):
                page.locator(f"[data-control=z-{name}]").fill(f"{z:g}")
            for way in ways():
                pulls = way.pull(raw)
                said = read(page, *(f"{way.name}-{name}" for name in (*CLASSES, "sum")))
                assert said == [*map(pulled, pulls), pulled(pulls.sum())], (way.name, raw)
            assert read(page, *(f"share-{name}" for name in CLASSES)) == [f"{100 * p:.1f} %" for p in shares(raw)]
        assert shown.said == []


def test_a_curve_remembers_its_rows_ever_better_and_knows_others_worse_in_the_end() -> None:
    few, *_, many = (np.array([fitting_costs(n, k) for k in range(1, MOST + 1)]) for n in SAMPLES)
    for seen in (few[:, 0], many[:, 0]):
        assert (np.diff(seen) < 1e-12).all(), "each curve holds all smaller ones"
    assert few[-1, 0] == pytest.approx(0, abs=1e-12)
    assert few[-1, 1] > 10 * few[0, 1], "worse than a flat line"
    assert 0 < np.argmin(few[:, 1]) < MOST - 1
    assert np.allclose(many[-1], NOISE**2, rtol=0.2)


def test_a_curve_costs_in_the_page_what_it_costs_in_python(running: Any, tmp_path: Path) -> None:
    path = alone(memory, tmp_path)
    with opened(running, path) as shown:
        page = at(shown, path, "#page-10&elsewhere=noise")
        assert page.inner_text("[data-told=elsewhere]").startswith("Not so little. 28 on the rows kept aside")
        for n in SAMPLES:
            page.select_option("[data-control=rows]", f"{n}")
            for k in (1, 5, MOST):
                page.locator("[data-control=coefficients]").fill(f"{k}")
                said = [float(text) for text in read(page, "seen", "aside")]
                assert np.allclose(said, fitting_costs(n, k), rtol=0.002, atol=0.00051), (n, k)
        assert read(page, "rows", "coefficients") == [f"{SAMPLES[-1]}", f"{MOST}"]
        assert shown.said == []
