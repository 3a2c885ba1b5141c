"""Are words said of two models, where few rows have the rarer answer, as true as elsewhere?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.risks.rare import RareOutcomes, rare_sum
from goodmeasure.statistics.row_arguments import PresentRows
from goodmeasure.statistics.sample import Sample

LOG = gm.losses.binary_cross_entropy()
Floats = np.ndarray


def _of_rows(y: Floats, a: Floats, b: Floats, **more: Floats) -> str:
    return gm.compare(LOG, y, prediction=(a, b), **more).verdict


def _of_a_tally(y: Floats, a: Floats, b: Floats, **more: Floats) -> str:
    return gm.tally(LOG, y, prediction={"a": a, "b": b}, **more).compare("a", "b").verdict


def _of_its_bytes(y: Floats, a: Floats, b: Floats, **more: Floats) -> str:
    """Where only the names of the losses are known, nothing is known of an event that was not seen."""
    data = gm.tally(LOG, y, prediction={"a": a, "b": b}, **more).to_bytes()
    return gm.Tally.from_bytes(data).compare("a", "b").verdict


def _of_classes(y: Floats, a: Floats, b: Floats, **more: Floats) -> str:
    two = [np.log(np.stack([1 - p, p], axis=1)) for p in (a, b)]
    return gm.compare(gm.losses.cross_entropy(), y.astype(int), *two, **more).verdict


def _of_counts(y: Floats, a: Floats, b: Floats, **more: Floats) -> str:
    return gm.compare(gm.losses.poisson(), y, prediction=(a, b), **more).verdict


WAYS = (_of_rows, _of_a_tally, _of_its_bytes, _of_classes, _of_counts)


@pytest.mark.parametrize("judged", WAYS)
@pytest.mark.parametrize("events", range(3))
@pytest.mark.parametrize("turned", [False, True])
def test_a_model_that_promises_too_few_events_is_not_better_for_their_absence(
    judged: Callable[..., str], events: int, turned: bool
) -> None:
    n, rng = 120, np.random.default_rng(events)
    p = 0.02 * np.exp(rng.normal(0, 0.5, n))
    y = np.zeros(n)
    y[rng.choice(n, events, replace=False)] = 1.0
    if turned and judged is not _of_counts:
        y, p = 1 - y, 1 - p
        low = 1 - (1 - p) / 10
    else:
        low = p / 10
    assert not judged(y, low, p).startswith("better")
    assert not judged(y, p, low).startswith("worse")


def test_a_true_model_is_not_worse_than_the_constant_of_rows_without_an_event() -> None:
    p = 0.01 * np.exp(np.random.default_rng(0).normal(0, 1, 200))
    found = gm.risk(LOG, np.zeros(200), prediction=p)
    assert found.versus_constant is not None
    assert found.versus_constant.verdict.startswith("cannot tell")
    assert found.low <= float(-(p * np.log(p) + (1 - p) * np.log1p(-p)).mean()) <= found.high


def test_the_mean_loss_of_rare_events_is_covered_and_no_model_is_falsely_better() -> None:
    rng, inside, false, told = np.random.default_rng(7), 0, 0, 0
    q = 0.02 * np.exp(rng.normal(-0.125, 0.5, 100_000))
    truth = float(-(q * np.log(q) + (1 - q) * np.log1p(-q)).mean())
    for _ in range(40):
        p = 0.02 * np.exp(rng.normal(-0.125, 0.5, 100))
        y = (rng.random(100) < p) * 1.0
        found = gm.risk(LOG, y, prediction=p)
        inside += found.low <= truth <= found.high
        false += _of_rows(y, p / 10, p) == "better"
        p = 0.05 * np.exp(rng.normal(-0.125, 0.5, 600))
        told += _of_rows((rng.random(600) < p) * 1.0, p / 10, p) == "worse"
    assert inside >= 37
    assert false <= 2
    assert told >= 32


def test_enough_events_leave_an_interval_as_it_is() -> None:
    rng = np.random.default_rng(1)
    y = np.r_[np.ones(10), np.zeros(190)]
    p = rng.uniform(0.01, 0.2, 200)
    assert "rare" not in gm.risk(LOG, y, prediction=p).method
    assert "rare" in gm.risk(LOG, y[1:], prediction=p[1:]).method


def test_rows_and_their_tally_say_alike_of_a_mean_loss() -> None:
    rng = np.random.default_rng(2)
    y, p = np.zeros(200), rng.uniform(0.005, 0.06, 200)
    rows, tallied = gm.risk(LOG, y, prediction=p), gm.tally(LOG, y, prediction=p).risk()
    assert rows.value == pytest.approx(tallied.value)
    assert tallied.high == pytest.approx(rows.high, rel=0.02)


@pytest.mark.parametrize("known", ["sample_weight", "cluster", "time"])
def test_weights_clusters_and_time_know_of_rare_outcomes(known: str) -> None:
    n, rng = 120, np.random.default_rng(3)
    column = rng.uniform(0.5, 2, n) if known == "sample_weight" else np.arange(n) // (3 if known == "cluster" else 1)
    p = 0.02 * np.exp(rng.normal(0, 0.5, n))
    assert _of_rows(np.zeros(n), p / 10, p, **{known: column}).startswith("cannot tell")


def test_the_sum_of_what_was_never_seen_ends_where_a_poisson_count_does() -> None:
    assert rare_sum(0.0, 0.0, 1.0, 0.95) == pytest.approx((0.0, -np.log(0.025)))
    down, up = rare_sum(5.0, 5.0, 1.0, 0.95)
    assert (5 - down, 5 + up) == pytest.approx((1.6235, 11.6683), abs=1e-4)


def test_shares_of_classes_and_amounts_that_differ_have_no_rare_outcome() -> None:
    sample = Sample.of(PresentRows.of(50), 0.95)
    assert RareOutcomes.of(gm.losses.squared_error(), np.random.default_rng(0).normal(size=50), None, sample) is None
    assert RareOutcomes.of(gm.losses.cross_entropy(), np.full((50, 3), 1 / 3), 3, sample) is None
    assert RareOutcomes.of(LOG, np.r_[np.ones(25), np.zeros(25)], None, sample) is None


def test_score_does_not_say_that_the_model_of_fewest_events_is_better(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    p = 0.01 * np.exp(np.random.default_rng(4).normal(0, 0.8, 150))
    rows = [f"0,{each:.6f},{each / 10:.7f}" for each in p]
    place = tmp_path / "scored.csv"
    place.write_text("\n".join(["y,p,low", *rows]) + "\n")
    assert status_of(["score", str(place), "--y", "y", "--p", "p", "--p", "low", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    text = json.dumps(found)
    assert '"worse"' not in text
    assert '"better"' not in text
