"""Do readers read what people write, and do errors name the cause that is there?"""

from __future__ import annotations

import ast
import html
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure import losses, report
from goodmeasure.cli import status_of
from goodmeasure.errors import NothingToLearn, Problem, TargetOutsideDomain, UsageError, with_article
from goodmeasure.reading.files import read
from goodmeasure.reading.tables import BadCell, UnreadableTable
from turns import by_turns

ENDS = ("\n", "\r\n")


@pytest.mark.parametrize(("inside", "after", "rows"), list(itertools.product(("", *ENDS), ENDS, ENDS)))
def test_ends_of_lines_are_read_or_named(inside: str, after: str, rows: str, tmp_path: Path) -> None:
    place = tmp_path / "t.csv"
    lines = "".join(f"{i},2,{i % 2}{rows}" for i in range(30))
    place.write_text(f'a,"new{inside}line",y{after}{lines}', newline="")
    if after == rows:
        table = read(str(place))
        assert list(table.columns) == ["a", f"new{inside}line", "y"]
        assert table["a"].tolist() == list(range(30))
    else:
        with pytest.raises(UnreadableTable, match="end in two ways"):
            read(str(place))


@pytest.mark.parametrize("cell", ["0,3", "-1,5", ",5", "1.234,56", "1,5e3"])
def test_a_decimal_comma_among_points_is_named(cell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "t.csv"
    place.write_text("y;p\n" + "1;0.3\n0;0.4\n" * 20 + f"1;{cell}\n0;{cell}\n")
    for command in (["score"], ["decide", "--cost", "fn=4", "--cost", "fp=1"]):
        assert status_of([*command, str(place), "--y", "y", "--p", "p"]) == 3
        assert "decimal comma" in capsys.readouterr().err


CELLS = {
    "number": [float(i % 7) for i in range(200)],
    "date": (np.datetime64("2024-01-01", "us") + np.arange(200) * np.timedelta64(1, "D")).tolist(),
    "text": [("a", "b")[i % 2] for i in range(200)],
    "none": [None] * 200,
}


@pytest.fixture(scope="module")
def model() -> Any:
    """A model of a number, a date and a text."""
    table = {name: CELLS[name] for name in ("number", "date", "text")}
    found = gm.run({**table, "y": [i % 7 + (i % 2) + 0.01 * i for i in range(200)]}, "y", protocol="holdout").model
    assert set(found.columns) == set(table)
    return found


@pytest.mark.parametrize("column", ["number", "date", "text"])
@pytest.mark.parametrize("kind", CELLS)
def test_a_model_takes_columns_of_its_kinds_or_says_which_it_takes(model: Any, column: str, kind: str) -> None:
    given = {**{name: CELLS[name] for name in model.columns}, column: CELLS[kind]}
    if kind in (column, "none") or column == "text":
        assert np.isfinite(model.predict(given)).all()
    else:
        with pytest.raises(BadCell, match=f"{column!r} holds"):
            model.predict(given)


def test_targets_outside_the_domain_are_counted_in_rows() -> None:
    x = np.linspace(-1, 1, 200)[:, None]
    y = np.where(np.arange(200) % 4 == 3, -1.0, 2.0)
    with pytest.raises(TargetOutsideDomain, match=r"target\[3\]") as caught:
        gm.LossRegressor(losses.poisson()).fit(x, y)
    assert caught.value.seen == "50 of 200 targets are outside"


@pytest.mark.parametrize("name", losses.catalogue())
def test_texts_as_targets_have_a_fix_that_fits_the_loss(name: str) -> None:
    loss = losses.find(name)()
    texts = np.array(["a", "b", "c"])
    with pytest.raises(Problem) as caught:
        loss(texts, np.zeros((3, 3)) if loss.is_classwise else np.zeros(3))
    if isinstance(caught.value, TargetOutsideDomain):
        assert ("== 'c'" in caught.value.fix) == (loss.is_binary and not loss.is_classwise)
        assert all(repr(label) in caught.value.seen for label in texts.tolist())


def test_values_in_errors_are_plain() -> None:
    with pytest.raises(NothingToLearn) as caught:
        gm.choose(np.zeros(30))
    assert "np." not in str(caught.value)


def test_what_choose_says_is_in_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "t.csv"
    place.write_text("name\n" + "".join(f"person {i}\n" for i in range(60)))
    assert status_of(["choose", str(place), "--target", "name"]) == 3
    said = capsys.readouterr().err
    assert "--represents" in said
    assert "represents=" not in said


def test_a_condition_that_is_several_statements_is_called_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "t.csv"
    place.write_text("y,p\n1,0.5\n0,0.5\n")
    for more in ("drop table x", "copy t to 'x'", "delete from t", "create table t (a int)"):
        assert status_of(["score", str(place), "--y", "y", "--p", "p", "--where", f"p > 0; {more}"]) == 2
        said = capsys.readouterr().err
        assert "not one expression" in said
        assert "json" not in said


def test_the_next_step_of_a_verdict_names_the_model_that_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text(
        "x,y\n" + "".join(f"{i % 12},{'yes' if 2 * (i % 12) + i % 7 > 12 else 'no'}\n" for i in range(240))
    )
    assert (
        status_of(["run", "t.csv", "--target", "y", "--positive", "yes", "--out", "here", "--protocol", "holdout"]) == 0
    )
    said = capsys.readouterr().out
    assert "use: goodmeasure predict here/model.json" in " ".join(said.split())


def test_every_problem_that_is_raised_has_a_fix() -> None:
    trees = {path: ast.parse(path.read_text()) for path in Path(gm.__file__).parent.rglob("*.py")}
    parts = [(path, part) for path, tree in trees.items() for part in ast.walk(tree)]
    kinds = {
        part.name
        for _, part in parts
        if isinstance(part, ast.ClassDef)
        for line in part.body
        if isinstance(line, ast.Assign) and getattr(line.targets[0], "id", "") == "code"
    }
    raised = [
        (path, part.exc)
        for path, part in parts
        if isinstance(part, ast.Raise)
        and isinstance(part.exc, ast.Call)
        and getattr(part.exc.func, "id", "") in {*kinds, "kind"}
    ]
    assert len(kinds) > 50
    assert len(raised) > 300
    assert [
        f"{path.name}:{call.lineno}"
        for path, call in raised
        if not any(keyword.arg in ("fix", None) for keyword in call.keywords)
    ] == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Estimate", "an Estimate"),
        ("UnderOverCosts", "an UnderOverCosts"),
        ("int", "an int"),
        ("UnitInterval", "a UnitInterval"),
        ("uint8", "a uint8"),
        ("UsageError", "a UsageError"),
        ("DataFrame", "a DataFrame"),
    ],
)
def test_kinds_are_named_with_their_article(name: str, said: str) -> None:
    assert with_article(name) == said


def test_a_loss_where_an_estimate_belongs_is_told_what_makes_one() -> None:
    with pytest.raises(UsageError, match=r"gap takes no train=squared_error\(\)") as refused:
        gm.gap(losses.squared_error(), [1.0])
    assert refused.value.fix == "give train as an estimate, such as gm.risk(loss, y, z)"


def test_what_is_written_names_its_own_place(tmp_path: Path) -> None:
    hours = [i % 12 for i in range(240)]
    passed = ["yes" if 2 * h + i % 7 > 12 else "no" for i, h in enumerate(hours)]
    study = gm.run({"hours": hours, "passed": passed}, "passed", positive="yes")
    assert study.verdict.following == "study.model.predict(new_rows)"
    place = tmp_path / "two words"
    report.write(study, place)
    asked = f"goodmeasure predict '{place}/model.json' NEW.csv"
    assert json.loads((place / "report.json").read_text())["verdict"]["next"] == asked
    page = html.unescape((place / "report.html").read_text())
    assert page.count(asked) == 3  # at its head, at its foot and in its data
    assert "predict model.json" not in page


TOO_LONG = "x" * 300
OPENING = {
    "run": ["run", f"{TOO_LONG}.csv", "--target", "y"],
    "choose": ["choose", f"{TOO_LONG}.csv", "--target", "y"],
    "score": ["score", f"{TOO_LONG}.csv", "--y", "y", "--p", "p"],
    "score tally": ["score", f"{TOO_LONG}.tally"],
    "decide": ["decide", f"{TOO_LONG}.csv", "--y", "y", "--p", "p", "--cost", "fn=4", "--cost", "fp=1"],
    "predict": ["predict", TOO_LONG, "t.csv"],
    "audit": ["audit", f"{TOO_LONG}.py:build"],
    "run out": ["run", "t.csv", "--target", "y", "--out", TOO_LONG],
    "score save": ["score", "t.csv", "--y", "y", "--p", "p", "--save", TOO_LONG],
    "demo out": ["demo", "--out", TOO_LONG],
}


@pytest.mark.parametrize("command", OPENING)
def test_a_name_that_no_file_can_have_is_an_error_of_its_own(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("y,p\n" + "".join(f"{i % 2},0.{1 + i % 8}\n" for i in range(60)))
    assert status_of(OPENING[command]) in (2, 3)
    assert capsys.readouterr().err.startswith("GM")


@pytest.mark.parametrize(
    ("cell", "model"), by_turns((np.inf, -np.inf, 1.7e308, -1e200, 1e39, 1e-320), ("linear", "boosting"))
)
def test_numbers_at_the_ends_of_the_range_are_features_or_count_as_missing(cell: float, model: str) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=400)
    x[3::50] = cell
    table = {"x": x, "other": random.random(400), "y": (random.random(400) < 0.4).astype(int)}
    study = gm.run(table, "y", model=model, protocol="holdout")
    assert np.isfinite(study.judged.report.value)
    assert any("count as missing" in str(each) for each in study.remarks) == (abs(cell) > 1e100)


@pytest.mark.parametrize(("codes", "command"), by_turns(((1, 2), (-1, 1), (0, 5)), ("score", "decide", "report")))
def test_two_codes_that_are_not_0_and_1_are_answered_by_the_option_that_reads_them(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    codes: tuple[int, int],
) -> None:
    monkeypatch.chdir(tmp_path)
    no, yes = codes
    rng = np.random.default_rng(0)
    p = rng.random(300)
    cells = np.where(rng.random(300) < p, yes, no)
    Path("t.csv").write_text("m,p\n" + "".join(f"{cell},{each:.4f}\n" for cell, each in zip(cells, p, strict=True)))
    more = {"score": (), "decide": ("--cost", "fn=4", "--cost", "fp=1"), "report": ("--out", "p.html")}[command]
    asked = [command, "t.csv", "--y", "m", "--p", "p", *more]
    assert status_of(asked) == 3
    fix = next(line for line in capsys.readouterr().err.splitlines() if line.strip().startswith("fix"))
    assert f"--positive {yes} if that means yes" in fix
    assert status_of([*asked, "--positive", str(yes)]) == 0


def test_weights_that_are_no_numbers_are_left_out_by_the_line_that_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{i % 2},{w}\n" for i, w in enumerate(["1", "nan", "-2", "inf", "0.5", "2"] * 20))
    Path("t.csv").write_text("y,w\n" + rows)
    assert status_of(["choose", "t.csv", "--target", "y", "--weights", "w"]) == 3
    line = capsys.readouterr().err.split("--where '")[1].split("'")[0]
    assert status_of(["choose", "t.csv", "--target", "y", "--weights", "w", "--where", line]) == 0
    assert "60 rows" in capsys.readouterr().out
