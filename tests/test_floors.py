"""Does a threshold keep the floor that it was chosen for, and is what acting catches told as it is, everywhere alike?"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.decisions.floors import Floor, shares
from goodmeasure.errors import UsageError
from goodmeasure.report import write
from goodmeasure.report.again import command, python
from goodmeasure.report.summary import summary
from goodmeasure.statistics.sample import Sample


def scored(rng: np.random.Generator, n: int, events: float = 0.3) -> tuple[Any, Any]:
    y = (rng.random(n) < events) * 1.0
    return y, 1 / (1 + np.exp(-(rng.normal(size=n) + 1.5 * y)))


def alone(n: int, **more: Any) -> Sample:
    return Sample(np.ones(n), np.ones(n), **more)


def reached(share: str, at: float, y: Any, p: Any) -> float:
    return float(((p >= at) & (y == 1)).sum() / (y.sum() if share == "recall" else (p >= at).sum()))


@cache
def outcomes(n: int = 1000, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return {"x": x, "y": np.where(rng.random(n) < 1 / (1 + np.exp(1 - 2 * x)), "yes", "no")}


@cache
def aimed(protocol: str) -> gm.Study:
    return gm.run(outcomes(), "y", floors=["recall=0.9", "precision=0.7"], budget=40, protocol=protocol)


# --- thresholds ---


@pytest.mark.parametrize("text", ["recall=0.9", "recall=0.5", "precision=0.5", "precision=0.4"])
def test_a_floor_is_missed_by_one_table_in_twenty_at_most(text: str) -> None:
    floor, every = Floor.of(text), scored(np.random.default_rng(1), 200_000)
    tables = [scored(np.random.default_rng((2, seed)), 400) for seed in range(120)]
    found = [floor.threshold(y, p, alone(400)) for y, p in tables]
    missed = [reached(floor.share, at, *every) < floor.least for at in found if np.isfinite(at)]
    assert np.mean(missed) <= 0.1
    assert np.mean(np.isfinite(found) & (np.array(found) > 0)) > 0.7
    spare = np.mean([reached(floor.share, at, *every) for at in found if np.isfinite(at)]) - floor.least
    assert 0 < spare < 0.2


def test_rows_that_go_together_make_a_floor_more_careful() -> None:
    y, p = scored(np.random.default_rng(0), 200)
    floor, rows = Floor.of("recall=0.8"), np.repeat(np.arange(200), 4)
    once = floor.threshold(y, p, alone(200))
    together = floor.threshold(y[rows], p[rows], alone(800, together=rows))
    assert floor.threshold(y[rows], p[rows], alone(800)) > together
    assert together == pytest.approx(once, abs=0.05)


def test_too_few_events_keep_nothing_but_acting_always_or_never() -> None:
    y, p = np.r_[np.ones(5), np.zeros(50)], np.random.default_rng(0).random(55)
    assert Floor.of("recall=0.9").threshold(y, p, alone(55)) == 0
    assert Floor.of("precision=0.99").threshold(y, p, alone(55)) == np.inf


def test_a_share_of_no_rows_may_be_anything() -> None:
    found = shares(np.zeros(8, dtype=bool), np.arange(8) % 2, alone(8))
    assert np.isnan(found["precision"].value)
    assert (found["precision"].low, found["precision"].high, found["recall"].value) == (0, 1, 0)


@pytest.mark.parametrize("text", ["recall", "recall=1", "recall=0", "recall=x", "f1=0.5", "=0.5", ""])
def test_what_is_no_floor_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Floor.of(text)


# --- studies ---


@pytest.mark.parametrize("protocol", ["holdout", "folds"])
def test_what_acting_catches_is_counted_on_the_reported_rows(protocol: str) -> None:
    study = aimed(protocol)
    y, p = study.prepared.report.y, study.said[0].prediction
    recall, _, budget = study.aims
    assert recall.recall.low <= recall.recall.value <= recall.recall.high
    if protocol == "holdout":
        assert recall.recall.value == pytest.approx(reached("recall", recall.threshold, y, p))
        assert recall.precision.value == pytest.approx(reached("precision", recall.threshold, y, p))
    best = np.argsort(-p, kind="stable")[:40]
    assert budget.precision.value == pytest.approx(y[best].mean())
    assert budget.recall.value == pytest.approx(y[best].sum() / y.sum())
    assert budget.acts_on == pytest.approx(40 / len(y))


def test_rows_that_share_a_probability_do_not_break_a_budget() -> None:
    table = outcomes()
    coarse = {"x": np.round(table["x"]), "y": table["y"]}
    for budget in (1, 7, 60, 5000):
        (aim,) = gm.run(coarse, "y", budget=budget, protocol="holdout").aims
        assert aim.acts_on * 200 <= budget + 1e-9


def test_one_floor_without_costs_is_how_the_model_decides() -> None:
    study = gm.run(outcomes(), "y", floors="recall=0.9")
    assert study.model.threshold == study.aims[0].threshold
    assert gm.run(outcomes(), "y", floors="precision=0.999").model.threshold is None
    assert aimed("holdout").model.threshold is None


@pytest.mark.parametrize("protocol", ["holdout", "folds"])
def test_the_report_the_document_and_the_terminal_say_the_same(protocol: str, tmp_path: Path) -> None:
    study = aimed(protocol)
    write(study, tmp_path)
    document = json.loads((tmp_path / "report.json").read_text())
    page = (tmp_path / "report.html").read_text().replace("&gt;", ">")
    text = " ".join(summary(study, [], width=10_000).split())
    assert [each["name"] for each in document["aims"]] == [aim.name for aim in study.aims]
    for aim, each in zip(study.aims, document["aims"], strict=True):
        assert aim.sentence in text
        assert aim.sentence[1:] in page
        assert each["recall"]["value"] == aim.recall.value
    assert "--floor recall=0.9 --floor precision=0.7 --budget 40" in command(replace(study, source="t.csv"))
    assert "floors=['recall=0.9', 'precision=0.7']" in python(study)


def test_the_command_line_takes_floors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, place = outcomes(), tmp_path / "t.csv"
    place.write_text("x,y\n" + "".join(f"{a},{b}\n" for a, b in zip(table["x"], table["y"], strict=True)))
    typed = ["run", str(place), "--target", "y", "--out", str(tmp_path / "out"), "--floor"]
    assert status_of([*typed, "recall=0.9", "--budget", "50", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["aims"]) == 2
    assert status_of([*typed, "recall"]) == 2
    assert "recall=0.9, or precision=0.8" in capsys.readouterr().err


def test_floors_and_budgets_are_for_yes_and_no() -> None:
    x = np.random.default_rng(0).normal(size=100)
    amounts = {"x": x, "y": 3 * x + x**2}
    for asked in ({"floors": "recall=0.9"}, {"budget": 5}):
        with pytest.raises(UsageError, match="for yes and no"):
            gm.run(amounts, "y", **asked)
    with pytest.raises(UsageError, match="acts on none"):
        gm.run(outcomes(), "y", budget=0)
