"""Do rows count as often as such rows occur elsewhere, exactly where that was said, and honestly where it is estimated?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

import goodmeasure as gm
from goodmeasure.calibrating.base_rates import prior_shift
from goodmeasure.cli import status_of
from goodmeasure.errors import Problem, UsageError
from goodmeasure.statistics.tilting import tilted
from goodmeasure.study.elsewhere import LEAST_EFFECTIVE, OutOfReach, Shift
from goodmeasure.study.likeness import FALSELY, NotAlike

CE = gm.losses.binary_cross_entropy()


def rows(n: int = 600, seed: int = 0, moved: float = 0.0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    age = rng.normal(40 + 10 * moved, 10, n)
    p = expit((age - 40) / 10 - 0.5)
    return {
        "age": age,
        "region": rng.choice(["north", "south", "west"], n, p=[0.5, 0.3, 0.2]).astype(object),
        "p": np.clip(p * 0.9, 0.01, 0.99),
        "ill": np.where(rng.random(n) < p, "yes", "no").astype(object),
    }


def written(place: Path, table: dict[str, Any]) -> str:
    lines = [",".join(table), *(",".join(map(str, row)) for row in zip(*table.values(), strict=True))]
    place.write_text("\n".join(lines) + "\n")
    return str(place)


# --- what was said is met exactly ---


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("columns", [1, 3])
def test_tilting_meets_every_mean_with_weights_that_are_positive(seed: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    x, weight = rng.standard_t(4, size=(200, columns)), rng.random(200) + 0.1
    aims = np.array([np.quantile(column, q) for column, q in zip(x.T, (0.3, 0.5, 0.6), strict=False)])
    found = tilted(x - aims, weight)
    assert found is not None
    assert (found > 0).all()
    assert np.average(x, weights=weight * found, axis=0) == pytest.approx(aims, abs=1e-6)
    assert np.average(found, weights=weight) == pytest.approx(1)


def test_tilting_says_where_no_weights_do_it() -> None:
    x = np.arange(10.0)[:, None]
    assert tilted(x - 20, np.ones(10)) is None
    # The two means contradict each other: one column is twice the other.
    assert tilted(np.hstack([x - 3, 2 * x - 12]), np.ones(10)) is None


@pytest.mark.parametrize("there", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("weights", [None, "w"])
def test_a_prevalence_is_a_weight_for_each_label(there: float, weights: str | None) -> None:
    table = rows() | {"w": np.random.default_rng(1).integers(1, 4, 600).astype(float)}
    w = np.ones(600) if weights is None else table["w"]
    found = gm.reweigh(table, prevalence=there, target="ill", positive="yes", weights=weights)
    yes = table["ill"] == "yes"
    assert np.average(yes, weights=found.weight) == pytest.approx(there, abs=1e-9)
    for kind in (yes, ~yes):
        assert np.ptp(found.weight[kind] / w[kind]) < 1e-9 * found.weight.max()


def test_means_and_shares_are_met_together() -> None:
    table = rows()
    found = gm.reweigh(table, shift={"age": 46, "region": {"north": 0.2, "west": 0.3}})
    assert np.average(table["age"], weights=found.weight) == pytest.approx(46)
    for label, share in (("north", 0.2), ("west", 0.3), ("south", 0.5)):
        assert np.average(table["region"] == label, weights=found.weight) == pytest.approx(share)
    assert found.widening == 1
    assert 1 / found.effective_n == pytest.approx(np.sum(found.weight**2) / found.weight.sum() ** 2)


def test_cells_that_are_missing_say_nothing_of_a_mean() -> None:
    age = np.where(np.arange(100) % 4 == 0, np.nan, np.arange(100.0))
    found = gm.reweigh({"age": age}, shift={"age": 60})
    known = ~np.isnan(age)
    assert np.average(age[known], weights=found.weight[known]) == pytest.approx(60)


WRONG: dict[str, tuple[dict[str, Any], type[Problem]]] = {
    "nothing": ({}, UsageError),
    "both": ({"like": rows(), "shift": {"age": 45}}, UsageError),
    "a share of zero": ({"shift": "region=north:0"}, UsageError),
    "a share of one": ({"shift": "region=north:1"}, UsageError),
    "too many shares": ({"shift": "region=north:0.7,south:0.7"}, UsageError),
    "a label twice": ({"shift": "region=north:0.2,north:0.3"}, UsageError),
    "no number": ({"shift": "age=old"}, UsageError),
    "no end": ({"shift": "age=inf"}, UsageError),
    "a mean of labels": ({"shift": "region=3"}, UsageError),
    "no column": ({"shift": "aeg=45"}, Problem),
    "a list of numbers": ({"shift": [45]}, UsageError),
    "beyond all values": ({"shift": "age=200"}, OutOfReach),
    "an unknown label": ({"shift": "region=nroth:0.3"}, OutOfReach),
    "nothing for the others": ({"shift": "region=north:0.5,south:0.5"}, OutOfReach),
    "not all": ({"shift": "region=north:0.2,south:0.3,west:0.2"}, OutOfReach),
    "few rows left": ({"shift": "age=64"}, NotAlike),
    "a prevalence of nothing": ({"prevalence": 0.1}, UsageError),
    "a prevalence of one": ({"prevalence": 1.0, "target": "ill", "positive": "yes"}, UsageError),
    "an unknown yes": ({"prevalence": 0.1, "target": "ill", "positive": "ja"}, OutOfReach),
    "far away": ({"like": rows(moved=8)}, NotAlike),
    "nothing in common": ({"like": {"other": [1.0, 2.0]}}, UsageError),
    "another kind of cells": ({"like": {"age": ["old", "young"] * 20}}, UsageError),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_done_is_said_with_what_can(name: str) -> None:
    asked, kind = WRONG[name]
    with pytest.raises(kind) as refused:
        gm.reweigh(rows(), **asked)
    assert refused.value.fix


@pytest.mark.parametrize("text", ["age=45", "region=north:0.3,south:0.2", "a=b:0.5"])
def test_a_shift_is_written_as_it_is_read(text: str) -> None:
    assert str(Shift.of(text)) == text


@pytest.mark.parametrize("shares", ["a:0.5,b:0", "a:1.5,b:0.2", "a:0.7,b:0.7", "a:nan,b:0.1", "a:-0.1,b:0.2"])
def test_shares_that_are_none_are_refused(shares: str) -> None:
    with pytest.raises(UsageError, match="lie between 0 and 1, and add up to one at most"):
        Shift.of(f"region={shares}")


def test_labels_and_means_are_named_in_python_as_on_a_command_line() -> None:
    by_name = Shift.several({"region": {"north": 0.3}, "age": 45})
    assert by_name == Shift.several(["region=north:0.3", "age=45"])


# --- rows like those of another table ---


def test_rows_weighed_to_be_like_others_have_their_means() -> None:
    here, there = rows(2000), rows(1500, 1, moved=0.5)
    found = gm.reweigh(here, like=there, exclude=["ill"])
    assert np.average(here["age"], weights=found.weight) == pytest.approx(there["age"].mean(), abs=1.0)
    assert found.there == 1500
    assert found.widening == pytest.approx(np.sqrt(1 + found.effective_n / 1500))


def rare(n: int, seed: int, moved: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A column, what happened, which is rare where nothing moved, and what a model of half of it says."""
    rng = np.random.default_rng(seed)
    x = rng.normal(moved, 1, n)
    return x, (rng.random(n) < expit(x - 3)) * 1.0, expit(0.6 * x - 3)


def test_what_is_told_of_rows_elsewhere_covers_what_happens_there() -> None:
    """Nominal .95; as if nothing had moved, hardly any interval covers."""
    _, y, p = rare(200_000, 999, moved=0.8)
    truth = CE(y, np.asarray(CE.raw(p)))
    inside, naive = [], []
    for seed in range(30):
        (x, y, p), (there, _, _) = rare(500, seed), rare(400, 1000 + seed, moved=0.8)
        found = gm.reweigh({"x": x}, like={"x": there})
        told = found.wide(gm.risk(CE, y, prediction=p, sample_weight=found.weight))
        plain = gm.risk(CE, y, prediction=p)
        inside.append(told.low <= truth <= told.high)
        naive.append(plain.low <= truth <= plain.high)
    assert sum(inside) >= 27
    assert sum(naive) <= 10


def test_a_refusal_is_not_said_of_rows_that_are_alike() -> None:
    for seed in range(5):
        assert gm.reweigh(rows(200, seed), like=rows(200, 100 + seed)).effective_n > LEAST_EFFECTIVE


# --- in a study ---


def test_a_study_is_one_of_there() -> None:
    table = rows(1500)
    study = gm.run({**table}, "ill", positive="yes", exclude="p", prevalence=0.1)
    report, judged = study.prepared.report, study.judged
    assert np.average(report.y, weights=report.weights) == pytest.approx(0.1)
    by_label = [gm.risk(study.plan.loss, report.y[report.y == k], judged.raw[report.y == k]).value for k in (0, 1)]
    assert judged.report.value == pytest.approx(0.9 * by_label[0] + 0.1 * by_label[1])
    assert np.average(judged.prediction, weights=report.weights) == pytest.approx(0.1, abs=0.04)
    plain = gm.run({**table}, "ill", positive="yes", exclude="p")
    assert study.model.predict(table).mean() < plain.model.predict(table).mean() - 0.1
    assert "0.1 are yes" in study.model.facts["rows count as"]
    assert study.to_dict()["weighed"]["effective_n"] == pytest.approx(study.prepared.reweighed.effective_n)


@pytest.mark.parametrize("protocol", ["holdout", "folds"])
@pytest.mark.parametrize("asked", [{"shift": {"age": 45}}, {"like": rows(300, 5, moved=0.5)}])
def test_rows_to_report_count_as_there_however_they_are_judged(protocol: str, asked: dict[str, Any]) -> None:
    study = gm.run(rows(700), "ill", positive="yes", exclude="p", protocol=protocol, **asked)
    report = study.prepared.report
    mean = np.average(report.table["age"], weights=report.weights)
    assert mean == pytest.approx(45, abs=1e-6 if "shift" in asked else 1.5)
    assert ("weighed as a sample" in study.judged.report.method) is ("like" in asked)


def test_a_table_of_its_own_is_said_to_be_of_another_kind() -> None:
    for moved, said in ((1.0, True), (0.0, False)):
        study = gm.run(rows(800), "ill", positive="yes", exclude="p", test=rows(400, 7, moved))
        assert ("GM282" in {remark.code for remark in study.remarks}) is said


def test_tables_of_one_kind_are_rarely_said_to_be_of_two() -> None:
    from goodmeasure.reading.frames import table
    from goodmeasure.study.likeness import chance_of_one_kind

    def one(seed: int) -> Any:
        return table({"age": rows(120, seed)["age"], "region": rows(120, seed)["region"]})

    chances = np.array([chance_of_one_kind(one(seed), one(500 + seed))[0] for seed in range(60)])
    assert (chances < FALSELY).sum() <= 3
    assert 0.3 < np.mean(chances < 0.5) < 0.7


# --- on a command line ---


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "t.csv", rows())
    written(tmp_path / "there.csv", {k: v for k, v in rows(300, 3, moved=0.5).items() if k != "ill"})
    return tmp_path


SCORED = ("t.csv", "--y", "ill", "--positive", "yes", "--p", "p")


def test_scores_are_judged_as_they_stand_and_turned(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["score", *SCORED, "--prevalence", "0.1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    table = rows()
    y, p = (table["ill"] == "yes") * 1.0, table["p"]
    weight = gm.reweigh({"y": y}, prevalence=0.1, target="y").weight
    risks = found["groups"][""]["risk"]
    for name, scores in (("p", p), ("p, turned", prior_shift(p, trained_at=float(y.mean()), used_at=0.1))):
        expected = gm.risk(CE, y, prediction=scores, sample_weight=weight)
        assert risks[name][repr(CE)]["value"] == pytest.approx(expected.value, rel=1e-6)
    assert found["weighed"]["effective_n"] == pytest.approx(
        gm.reweigh({"y": y}, prevalence=0.1, target="y").effective_n
    )


@pytest.mark.parametrize(
    "asked",
    [
        ("--prevalence", "0.1"),
        ("--shift", "age=45", "--shift", "region=north:0.3"),
        ("--prevalence", "0.1", "--shift", "age=42"),
        ("--like", "there.csv"),
    ],
)
@pytest.mark.parametrize("command", ["score", "decide", "report"])
def test_every_command_on_scores_takes_them_and_says_the_rows_worth(
    place: Path, capsys: pytest.CaptureFixture[str], command: str, asked: tuple[str, ...]
) -> None:
    more = ("--cost", "fn=4", "--cost", "fp=1") if command != "score" else ()
    assert status_of([command, *SCORED, *more, *asked]) == 0
    said = capsys.readouterr().out
    assert "rows count as" in said
    for option in asked[::2]:
        assert command == "report" or f"{option} " in said.split("next: ")[1]


def test_a_decision_knows_a_prevalence_and_a_shift_at_once(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "decide",
        *SCORED,
        "--cost",
        "fn=4",
        "--cost",
        "fp=1",
        "--prevalence",
        "0.1",
        "--shift",
        "age=42",
        "--json",
    ]
    assert status_of(words) == 0
    never = next(rule for rule in json.loads(capsys.readouterr().out)["all"]["rules"] if rule["name"] == "never")
    assert never["cost"]["value"] == pytest.approx(0.4)


@pytest.mark.parametrize("more", [("--save", "x.tally"), ("--engine", "dask")])
def test_sums_are_not_weighed_anew(place: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]) -> None:
    assert status_of(["score", *SCORED, "--shift", "age=45", *more]) == 2
    assert "--shift needs the rows" in capsys.readouterr().err
