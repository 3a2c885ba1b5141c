"""Do the commands that read scored rows say the same of what is wrong with them, and the same of weights in any unit?"""

from __future__ import annotations

import csv
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv as csv_of_arrow
from pyarrow import parquet

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.errors import Problem
from goodmeasure.statistics.row_arguments import LOGITS
from turns import by_turns

N = 60
RNG = np.random.default_rng(0)
SHARES = RNG.uniform(0.1, 0.4, (N, 2)).round(3)
COLUMNS: dict[str, list[Any]] = {
    "y": RNG.integers(0, 2, N).tolist(),
    "p": RNG.uniform(0.1, 0.9, N).round(3).tolist(),
    "w": RNG.uniform(0.5, 2, N).round(3).tolist(),
    "k": RNG.integers(0, 3, N).tolist(),
    "a": SHARES[:, 0].tolist(),
    "b": SHARES[:, 1].tolist(),
    "c": (1 - SHARES.sum(axis=1)).round(3).tolist(),
    "amount": RNG.gamma(2, 1, N).round(3).tolist(),
    "said": RNG.gamma(2, 1, N).round(3).tolist(),
}
YES, CLASSES, AMOUNTS = ("--y", "y", "--p", "p"), ("--y", "k", "--p", "a,b,c"), ("--y", "amount", "--p", "said")
COSTS = {YES: ("fn=40", "fp=5"), CLASSES: ("*->*=1",), AMOUNTS: ("under=4", "over=1")}
ALL = slice(None)
# What is asked, the cells that are wrong, what they hold, and the code of what is said.
FAULTS: dict[str, tuple[tuple[str, ...], dict[str, tuple[Any, Any]], str]] = {
    "weights missing": (YES, {"w": ([3, 5], "nan")}, "GM006"),
    "weights missing where scores are": (YES, {"w": ([3, 5], "nan"), "p": ([1, 2, 3], "nan")}, "GM006"),
    "a weight below zero": (YES, {"w": ([4], -1)}, "GM006"),
    "an infinite weight": (YES, {"w": ([4], "inf")}, "GM006"),
    "a weight that is text": (YES, {"w": ([4], "many")}, "GM206"),
    "weights too far apart": (YES, {"w": ([4], "1e-310")}, "GM006"),
    "weights that are all zero": (YES, {"w": (ALL, 0)}, "GM005"),
    "no target": (YES, {"y": (ALL, "")}, "GM005"),
    "no score": (YES, {"p": (ALL, "")}, "GM005"),
    "a score above one": (YES, {"p": ([7], 1.7)}, "GM701"),
    "an infinite score": (YES, {"p": ([7], "inf")}, "GM702"),
    "a third label": (YES, {"y": ([7], 2)}, "GM703"),
    "an infinite target": (YES, {"y": ([7], "inf")}, "GM004"),
    "a class share above one": (CLASSES, {"a": ([9], 2.7)}, "GM701"),
    "a class share below zero": (CLASSES, {"a": ([9], -0.1)}, "GM701"),
    "an infinite class share": (CLASSES, {"a": ([9], "inf")}, "GM702"),
    "class shares that do not sum to one": (CLASSES, {"a": ([9], 0.9)}, "GM701"),
    "a class without a column": (CLASSES, {"k": ([9], 5)}, "GM009"),
    "no weight of classes": (CLASSES, {"w": (ALL, 0)}, "GM005"),
    "an amount too large": (AMOUNTS, {"amount": ([9], 1e200)}, "GM706"),
}
COMMANDS = ("score", "decide", "report")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(**changed: tuple[Any, Any]) -> None:
    columns = {name: np.array(values, dtype=object) for name, values in COLUMNS.items()}
    for name, (at, value) in changed.items():
        columns[name][at] = value
    with Path("t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *zip(*columns.values(), strict=True)])


def asked(command: str, of: tuple[str, ...]) -> tuple[str, ...]:
    """A command on the table: of amounts by the loss that a decision asks for."""
    costs = [part for cost in COSTS[of] for part in ("--cost", cost)] if command == "decide" else []
    loss = ["--loss", "pinball(level=0.8)"] if of is AMOUNTS and command != "decide" else []
    return (command, "t.csv", *of, "--weights", "w", *costs, *loss)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_one_code_and_one_wording(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    of, cells, code = FAULTS[name]
    put(**cells)
    found = {}
    for command in COMMANDS:
        status = status_of([*asked(command, of)])
        said = capsys.readouterr()
        assert said.out == ""
        assert "note:" not in said.err
        found[command] = (status, said.err)
    assert len(set(found.values())) == 1, found
    assert found["score"][1].startswith(code)


def told(command: str, of: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    assert status_of([*asked(command, of)]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(("of", "command"), by_turns(COSTS, COMMANDS), ids=str)
def test_weights_in_any_unit_say_the_same(
    command: str, of: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    put()
    plain = told(command, of, capsys)
    for exponent in (550, 1020, -1020):
        put(w=(ALL, [w * 2.0**exponent for w in COLUMNS["w"]]))
        assert told(command, of, capsys) == plain


@pytest.mark.parametrize("unit", [2.0**550, 2.0**-550, 2.0**1020])
def test_weights_in_any_unit_choose_and_train_alike(unit: float) -> None:
    w = np.array(COLUMNS["w"])
    plans = [gm.choose(COLUMNS["y"], sample_weight=each) for each in (w, w * unit)]
    assert str(plans[0]) == str(plans[1])
    table = {"y": COLUMNS["y"], "x": COLUMNS["p"]}
    studies = [gm.run(table | {"w": each}, "y", weights="w", protocol="holdout") for each in (w, w * unit)]
    risks = [study.judged.report for study in studies]
    assert risks[0].value == risks[1].value
    assert risks[0].low == risks[1].low


@pytest.mark.parametrize("size", [1e160, 1e200, 1e307, 1e-200, 1e-310])
def test_amounts_beyond_their_squares_are_refused_by_name_and_at_once(
    size: float, recwarn: pytest.WarningsRecorder
) -> None:
    amounts = [size * each for each in COLUMNS["amount"]]
    table = {"paid": amounts, "x": COLUMNS["p"]}
    for call in (lambda: gm.run(table, "paid"), lambda: gm.choose(amounts, name="paid")):
        with pytest.raises(Problem, match=r"GM706 paid holds"):
            call()
    assert not recwarn.list


def test_a_saved_tally_takes_no_weights_of_another_unit(capsys: pytest.CaptureFixture[str]) -> None:
    put(w=(ALL, 1e200))
    assert status_of(["score", "t.csv", *YES, "--weights", "w", "--save", "kept.tally"]) == 3
    assert "leave --save and saved tallies out" in capsys.readouterr().err
    assert not Path("kept.tally").exists()


@pytest.mark.parametrize("command", ["score", "decide", "report"])
def test_raw_outputs_are_told_of_by_options_that_the_command_has(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("y,z\n" + "".join(f"{i % 2},{i % 7 - 3}\n" for i in range(60)))
    costs = ["--cost", "fn=4", "--cost", "fp=1"] if command == "decide" else []
    assert status_of([command, "t.csv", "--y", "y", "--p", "z", *costs]) == 3
    fix = capsys.readouterr().err.partition("  fix   ")[2].splitlines()[0]
    options = {name for each in import_module(f"goodmeasure.cli.{command}").command.params for name in each.opts}
    assert {word for word in fix.split() if word.startswith("--")} <= options
    assert fix == ("if they are raw outputs: --raw" if "--raw" in options else LOGITS)


# --- words that fit the command line ---


@pytest.mark.parametrize("command", ["score", "report"])
def test_a_column_named_twice_is_refused(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    put()
    assert status_of([command, "t.csv", *YES, "--p", "p"]) == 2
    said = capsys.readouterr().err
    assert "--p p was given 2 times" in said
    assert "--p p\n" in said


@pytest.mark.parametrize(("name", "command"), by_turns(FAULTS, COMMANDS))
def test_no_fix_speaks_python(command: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    of, changed, _ = FAULTS[name]
    put(**changed)
    status_of([*asked(command, of)])
    said = capsys.readouterr().err
    assert not [word for word in ("mask=", "weight of zero", "costs=", "with_activation", "positive=") if word in said]


@pytest.mark.parametrize(("of", "right", "wrong"), [(CLASSES, "*->*=1", "fn=1"), (AMOUNTS, "under=3", "fn=1")])
def test_costs_of_a_page_are_of_its_kind_of_target(
    of: Any, right: str, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put()
    more = ["--cost", "over=1"] if of is AMOUNTS else []
    loss = ["--loss", "squared_error"] if of is AMOUNTS else []
    assert status_of(["report", "t.csv", *of, "--cost", right, *more, *loss]) == 0
    capsys.readouterr()
    assert status_of(["report", "t.csv", *of, "--cost", wrong, "--cost", "fp=1", *loss]) == 2
    assert ("--cost under=3" if of is AMOUNTS else "->") in capsys.readouterr().err


@pytest.mark.parametrize("certain", [0.0, 1.0])
def test_what_was_called_impossible_and_happened_is_why_predictions_are_off(
    certain: float, capsys: pytest.CaptureFixture[str]
) -> None:
    place = COLUMNS["y"].index(int(1 - certain))
    put(p=([place], certain))
    status_of(["score", "t.csv", *YES])
    said = capsys.readouterr().out
    assert "miscalibrated (what was given the probability 0 happened)" in said
    assert "1 row costs infinity" in said
    p = np.array(COLUMNS["p"])
    p[place] = certain
    assert str(gm.calibration(COLUMNS["y"], p)).endswith("what was given the probability 0 happened")


def test_amounts_that_are_far_off_are_not_called_impossible() -> None:
    rng = np.random.default_rng(0)
    found = gm.calibration(rng.normal(1000, 1, 5000), rng.normal(0, 1, 5000), gm.losses.squared_error())
    assert 0 < found.p_value < 1e-100
    assert "probability 0" not in str(found)


@pytest.mark.parametrize("names", [("", "a"), ("", "(missing)"), ("all", "a"), ("", "all")])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_group_of_any_name_is_not_taken_for_all(
    names: tuple[str, str], suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(size=600)
    y = (rng.uniform(size=600) < p) * 1
    first = rng.uniform(size=600) < 0.3
    keys = [names[0] or None if one else names[1] for one in first]
    path = tmp_path / f"rows.{suffix}"
    table = pa.table({"y": y, "p": p, "g": keys})
    (csv_of_arrow.write_csv if suffix == "csv" else parquet.write_table)(table, path)
    more = [str(path), "--y", "y", "--p", "p", "--by", "g", "--json"]

    assert status_of(["score", *more, "--loss", "binary_brier"]) == 0
    groups = json.loads(capsys.readouterr().out)["groups"]
    assert len(groups) == 3
    assert groups[""]["rows"] == 600
    means = [one["risk"]["p"]["binary_brier()"]["value"] for one in groups.values()]
    parts = [((p - y) ** 2)[at].mean() for at in (first | True, first, ~first)]
    np.testing.assert_allclose(sorted(means), sorted(parts), rtol=1e-9)

    assert status_of(["decide", *more, "--cost", "fn=4", "--cost", "fp=1"]) == 0
    decided = json.loads(capsys.readouterr().out)
    assert sorted(one["threshold"]["n"] for one in decided.values()) == sorted([600, first.sum(), (~first).sum()])
