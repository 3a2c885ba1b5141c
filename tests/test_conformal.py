"""Conformal prediction: are bounds kept as often as they say, and is the model that is handed over moved by them?"""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.errors import UsageError
from goodmeasure.report import again
from goodmeasure.statistics.conformal import conformal_bound, conformal_rank, least_rows
from goodmeasure.study.conformal import BEYOND, raw_targets
from goodmeasure.study.covering import DOUBTS, Coverage
from goodmeasure.study.saving import NotAModel
from goodmeasure.study.study import Study

LEVELS = (0.01, 0.05, 0.1, 0.25, 1 / 3, 0.45, 0.55, 0.6, 2 / 3, 0.9, 0.95, 0.99)


def rows(n: int = 400, seed: int = 0) -> dict[str, Any]:
    """A target whose spread grows with a column."""
    random = np.random.default_rng(seed)
    x, u = random.normal(size=n), random.uniform(size=n)
    return {"x": x, "u": u, "y": 1 + x + (0.3 + u) * random.standard_t(5, n)}


# --- the bound ---


@pytest.mark.parametrize("level", LEVELS)
def test_a_bound_is_kept_by_every_row_that_might_have_been_the_new_one(level: float) -> None:
    """Of exchangeable rows each is the new one as often: those beyond the bound of the others are counted, with ties."""
    for count in range(2, 7):
        for values in product(range(4), repeat=count):
            if list(values) != sorted(values):
                continue
            scores = np.array(values, dtype=float)
            ones = np.ones(count - 1)
            bounds = [conformal_bound(np.delete(scores, k), ones, level, count - 1) for k in range(count)]
            if level > 0.5:
                assert np.mean(scores <= bounds) >= level - 1e-12
            else:
                assert np.mean(scores < bounds) <= level + 1e-12


@pytest.mark.parametrize("level", LEVELS)
def test_a_bound_of_equal_weights_is_the_score_of_the_conformal_rank(level: float) -> None:
    for n in (*range(1, 130), 999, 1000):
        scores = np.random.default_rng(n).permutation(n).astype(float)
        above = conformal_bound(scores, np.full(n, 0.1), level, n)
        rank = conformal_rank(n, 1 - level) if level > 0.5 else n + 1 - conformal_rank(n, level)
        assert above == (rank - 1 if 1 <= rank <= n else np.copysign(np.inf, level - 0.5))
        assert np.isfinite(above) == (n >= least_rows(level))


@pytest.mark.parametrize("level", [0.05, 0.3, 0.8, 0.95])
def test_copies_of_a_row_weigh_as_much_as_its_weight(level: float) -> None:
    random = np.random.default_rng(3)
    scores, weight = random.normal(size=60), random.integers(1, 4, 60)
    copied = np.repeat(scores, weight)
    rows = float(weight.sum())
    assert conformal_bound(scores, weight.astype(float), level, rows) == conformal_bound(
        copied, np.ones(len(copied)), level, rows
    )


def test_intervals_are_those_of_another_library() -> None:
    from sklearn.linear_model import QuantileRegressor

    regression = pytest.importorskip("mapie.regression")
    random = np.random.default_rng(5)
    x = random.normal(size=(400, 1))
    y = x[:, 0] + np.exp(x[:, 0] / 2) * random.normal(size=400)
    low, high, middle = (QuantileRegressor(quantile=q, alpha=0, solver="highs") for q in (0.05, 0.95, 0.5))
    for each in (low, high, middle):
        each.fit(x[:200], y[:200])
    held, new = x[200:], random.normal(size=(30, 1))
    theirs = regression.ConformalizedQuantileRegressor([low, high, middle], confidence_level=0.9, prefit=True)
    _, ends = theirs.conformalize(held, y[200:]).predict_interval(new)
    ours = []
    for model, level in ((low, 0.05), (high, 0.95)):
        miss = np.sort(y[200:] - model.predict(held))
        ours.append(conformal_bound(miss, np.ones(200), level, 200))
        # Theirs may take the neighbour further out, for it counts places from zero.
        at = int(np.searchsorted(miss, ours[-1]))
        theirs_by = float(np.mean(ends[:, len(ours) - 1, 0] - model.predict(new)))
        assert min(abs(theirs_by - miss[k]) for k in (at, at + (1 if level > 0.5 else -1))) < 1e-9


@pytest.mark.parametrize("n", [60, 200, 1000])
def test_models_hold_what_is_said_of_nineteen_in_twenty(n: int) -> None:
    random = np.random.default_rng(n)
    least = Coverage((0.05, 0.95), (0.0, 0.0), n, 0.9).least
    assert least is not None
    held = []
    for _ in range(400):
        scores = random.uniform(size=n)
        low, high = (conformal_bound(scores, np.ones(n), level, n) for level in (0.05, 0.95))
        held.append(high - low)
    assert np.mean([one >= least for one in held]) == pytest.approx(0.95, abs=0.045)  # four standard errors
    low, high = (conformal_rank(n, error) for error in (0.05, 0.05))
    assert np.mean(held) == pytest.approx((high + low - n - 1) / (n + 1), abs=0.02)


# --- a study ---


@pytest.fixture(scope="module")
def study() -> Study:
    return gm.run(rows(700), "y", loss=gm.losses.quantiles(levels=(0.05, 0.5, 0.95)))


@pytest.fixture(scope="module")
def as_fitted() -> Study:
    return gm.run(rows(700), "y", loss=gm.losses.quantiles(levels=(0.05, 0.5, 0.95)), conformal=False)


def test_quantiles_are_moved_by_the_bounds_of_the_rows_to_report(study: Study, as_fitted: Study) -> None:
    report, coverage = study.prepared.report, study.model.coverage
    assert coverage is not None
    assert coverage.rows == len(report) == 140
    raw = as_fitted.model.raw(report.table)
    for k, (level, move) in enumerate(zip(coverage.levels, coverage.moves, strict=True)):
        bound = conformal_bound(report.y - raw[:, k], np.ones(140), level, 140) if level != 0.5 else 0.0
        assert move == pytest.approx(bound, abs=1e-9)
    later = rows(50, seed=9)
    moved = as_fitted.model.raw(later) + np.array(coverage.moves, dtype=float)
    assert study.model.predict(later) == pytest.approx(np.sort(moved, axis=1), abs=1e-9)
    assert as_fitted.model.coverage is None
    said = study.model.predict(report.table)
    inside = (report.y >= said[:, 0]) & (report.y <= said[:, 2])
    assert inside.sum() >= 140 * 0.9  # its own rows: at least so many by how it was made
    said = as_fitted.model.predict(report.table)
    assert coverage.as_fitted == pytest.approx(np.mean((report.y >= said[:, 0]) & (report.y <= said[:, 2])))


def test_reported_rows_are_said_by_models_that_others_moved(study: Study, as_fitted: Study) -> None:
    (said,), (plain,) = study.said, as_fitted.said
    moves = said.plain - plain.plain
    assert len(said.speakers) == 10
    assert sorted(np.concatenate([one.rows for one in said.speakers]).tolist()) == [*range(140)]
    y = study.prepared.report.y
    for one in said.speakers:
        others = np.setdiff1d(np.arange(140), one.rows)
        bound = conformal_bound((y - plain.plain[:, 2])[others], np.ones(len(others)), 0.95, len(others))
        assert moves[one.rows, 2] == pytest.approx(np.full(len(one.rows), bound), abs=1e-9)
        assert one.model.settled(one.model.raw(study.prepared.report.table))[one.rows] == pytest.approx(
            said.settled[one.rows], abs=1e-9
        )
    assert study.judged.report.value == pytest.approx(study.plan.loss(y, said.settled))


def test_what_is_said_stands_wherever_the_model_does(study: Study, tmp_path: Path) -> None:
    coverage = study.model.coverage
    assert coverage is not None
    assert coverage.claim.startswith("at least 90 % of new rows like the 140 reported ones lie from the 0.05")
    assert study.to_dict()["calibration"]["coverage"] == json.loads(json.dumps(coverage.to_dict()))
    assert coverage.claim in str(study.model)
    study.model.save(tmp_path / "model.json")
    kept = gm.load(tmp_path / "model.json")
    assert kept.coverage == coverage
    later = rows(30, seed=4)
    assert np.array_equal(kept.predict(later), study.model.predict(later))


@pytest.mark.parametrize("ending", ["py", "js", "sql", "onnx"])
def test_exported_models_are_moved_too(study: Study, ending: str, tmp_path: Path) -> None:
    later = {name: column for name, column in rows(40, seed=8).items() if name != "y"}
    path = tmp_path / f"m.{ending}"
    study.model.export(path)
    told = np.array(list(_told(path, later)))
    assert told == pytest.approx(study.model.predict(later), rel=1e-5 if ending == "onnx" else 1e-9)


def _told(path: Path, table: dict[str, Any]) -> Iterator[list[float]]:
    """What an exported model of numbers says of each row."""
    each = [{name: float(column[i]) for name, column in table.items()} for i in range(len(table["x"]))]
    if path.suffix == ".py":
        known: dict[str, Any] = {}
        exec(path.read_text(), known)
        yield from (list(known["predict"](row).values()) for row in each)
    elif path.suffix == ".js":
        moved = path.with_suffix(".mjs")
        moved.write_text(path.read_text())
        asking = f"import * as m from {json.dumps(str(moved))}; const f = m.predict ?? m.default;"
        script = f"{asking} console.log(JSON.stringify({json.dumps(each)}.map(r => Object.values(f(r)))))"
        done = subprocess.run(
            ["node", "--input-type=module", "-e", script], check=True, capture_output=True, text=True, timeout=60
        )
        yield from json.loads(done.stdout)
    elif path.suffix == ".sql":
        import duckdb
        import pandas as pd

        connection = duckdb.connect()
        connection.register("rows", pd.DataFrame(table))
        found = connection.execute(path.read_text()).df()
        yield from found[[name for name in found if name.startswith("quantile_")]].to_numpy().tolist()
    else:
        runtime = pytest.importorskip("onnxruntime")
        session = runtime.InferenceSession(str(path))
        given = {one.name: np.array(table[one.name], dtype=np.float64) for one in session.get_inputs()}
        outputs = [one.name for one in session.get_outputs() if one.name.startswith("quantile_")]
        yield from np.column_stack([np.ravel(part) for part in session.run(outputs, given)]).tolist()


# --- kinds of rows and of losses ---


def test_quantiles_that_are_far_too_wide_are_narrowed_and_never_cross() -> None:
    data = rows(600)
    model = gm.run(data, "y", loss=gm.losses.interval(level=0.5), protocol="holdout").model
    assert model.coverage is not None
    wide = model.using(scorer=model.scorer.shifted(np.array([9.0, -9.0])))  # ends that have changed places
    assert (np.diff(wide.predict(data), axis=1) >= 0).all()
    assert model.coverage.claim.startswith("at least 50 %")


KINDS: dict[str, dict[str, Any]] = {
    "folds": {"protocol": "folds"},
    "time": {"time": "day"},
    "groups": {"group": "who", "protocol": "holdout"},
    "weights": {"weights": "w", "protocol": "holdout"},
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_what_is_not_promised_is_said(doubt: str) -> None:
    data = rows(120, seed=1)
    data |= {"day": np.arange(120.0), "who": [f"p{i // 2}" for i in range(120)], "w": 1.0 + np.arange(120) % 3}
    model = gm.run(data, "y", ask="quantiles=0.1,0.9", exclude=("day", "who", "w"), **KINDS[doubt]).model
    assert model.coverage is not None
    assert model.coverage.doubts == (doubt,)
    assert model.coverage.least is None
    assert model.coverage.claim.startswith("about 80 % of new rows")
    assert f"not promised: {DOUBTS[doubt]}" in model.coverage.sentence


def test_equal_targets_at_a_bound_are_not_put_beyond_it_by_rounding() -> None:
    random = np.random.default_rng(2)
    x = random.normal(size=900)
    data = {"x": x, "y": random.poisson(np.exp(0.3 * x)) / 10}  # most are equal, and tenths are not exact
    study = gm.run(data, "y", loss=gm.losses.interval(level=0.9), protocol="holdout")
    report, model = study.prepared.report, study.model
    low, high = model.predict(report.table).T
    assert np.mean(report.y <= high) >= 0.95
    assert np.mean(report.y < low) <= 0.05
    assert BEYOND < 1e-9


def test_positive_quantiles_stay_positive_and_zeros_have_no_finite_lower_bound() -> None:
    random = np.random.default_rng(6)
    x = random.normal(size=300)
    data = {"x": x, "y": np.exp(1 + x + random.normal(size=300))}
    model = gm.run(data, "y", ask="quantiles=0.1,0.9", protocol="holdout").model
    assert [each.name for each in model.loss.activation] == ["exp", "exp"]
    assert (model.predict(data) > 0).all()
    assert model.coverage is not None
    assert model.coverage.claim.startswith("at least 80 %")
    loss = gm.losses.quantiles(levels=(0.1, 0.9)).with_activation(("exp", "exp"))
    goals = raw_targets(loss, np.array([-1.0, 0.0, 1.0, np.e]))
    assert goals[:, 0].tolist() == pytest.approx([-np.inf, -np.inf, 0.0, 1.0])


def test_too_few_rows_leave_a_quantile_as_it_was_fitted_and_say_so() -> None:
    model = gm.run(rows(70, seed=3), "y", ask="quantiles=0.05,0.6", protocol="holdout").model
    assert model.coverage is not None
    assert model.coverage.moves[0] is None
    assert (
        model.coverage.claim == "at least 60 % of new rows like the 14 reported ones lie at or below the 0.6 quantile"
    )
    assert "the 0.05 quantile stays as it was fitted, for 19 rows would tell" in model.coverage.sentence


def test_rows_that_go_together_tell_no_more_than_their_groups() -> None:
    data = rows(200, seed=4) | {"who": [f"p{i // 20}" for i in range(200)]}
    model = gm.run(data, "y", ask="quantiles=0.05,0.95", group="who", exclude="who", protocol="holdout").model
    assert model.coverage is not None
    assert model.coverage.rows >= 19  # rows enough, of two groups
    assert model.coverage.moves == (None, None)
    assert "for 19 groups would tell" in model.coverage.sentence


def test_what_has_no_interval_cannot_be_moved_and_the_fix_runs() -> None:
    with pytest.raises(UsageError) as refused:
        gm.run(rows(200), "y", protocol="holdout", conformal=True)
    assert refused.value.fix == "--ask quantiles=0.05,0.95"
    name, _, value = refused.value.fix.removeprefix("--").partition(" ")
    found = gm.run(rows(200), "y", protocol="holdout", conformal=True, **{name: value})
    assert found.model.coverage is not None


# --- at the terminal, and in files ---


def test_the_command_line_says_it_and_can_leave_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = rows(120)
    path, out = tmp_path / "t.csv", tmp_path / "out"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(held)
        writer.writerows(zip(*held.values(), strict=True))
    words = [
        "run",
        str(path),
        "--target",
        "y",
        "--ask",
        "quantiles=0.1,0.9",
        "--protocol",
        "holdout",
        "--out",
        str(out),
    ]
    assert status_of(words) == 0
    said = capsys.readouterr().out
    assert "by conformal prediction at least 80 % of new rows" in " ".join(said.split())
    assert status_of(["predict", str(out / "model.json"), str(path), "--out", str(tmp_path / "p.csv")]) == 0
    assert "by conformal prediction at least 80 % of new rows" in capsys.readouterr().err
    assert "y conformal prediction at least 80" in (out / "report.html").read_text()
    assert status_of([*words, "--no-conformal", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["calibration"]["coverage"] is None


def test_the_same_question_is_asked_again_with_it(as_fitted: Study) -> None:
    for asked in (None, True, False):
        other = replace(as_fitted, question=replace(as_fitted.question, conformal=asked), source="t.csv")
        assert ("conformal=" in again.python(other)) == (asked is not None)
        assert ("conformal" in again.command(other)) == (asked is not None)
    known: dict[str, Any] = {"data": rows(700)}
    exec(again.python(as_fitted).replace("print(study)", ""), known)
    assert known["study"].model.coverage is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("levels", [0.1, 0.9]),
        ("moves", [0.0]),
        ("moves", [0.0, "a", 0.0]),
        ("rows", 0),
        ("as_fitted", 1.5),
        ("doubts", ["nothing"]),
        ("doubts", ["time", "time"]),
    ],
)
def test_a_forged_promise_is_refused(study: Study, name: str, value: Any, tmp_path: Path) -> None:
    from goodmeasure.study import model as models

    state = models.to_dict(study.model)
    state["coverage"] = {**state["coverage"], name: value}
    state["checksum"] = models._checksum(state)
    (tmp_path / "model.json").write_text(json.dumps(state))
    with pytest.raises(NotAModel, match="damaged"):
        gm.load(tmp_path / "model.json")
