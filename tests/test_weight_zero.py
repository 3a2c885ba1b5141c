"""Is a row of weight zero not there, whatever it holds, whichever command or engine reads it?"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.engines import duckdb as local
from goodmeasure.engines.request import Request
from turns import at_night

pytestmark = pytest.mark.usefixtures("a_cluster_at_hand")

ROWS, AWAY = 120, (0, 1, 50, 119)
COMMANDS = {
    "choose": ("choose", "{}", "--target", "yes", "--weights", "w"),
    "run": ("run", "{}", "--target", "yes", "--weights", "w", "--time", "day", "--out", "out"),
    "run, amounts": ("run", "{}", "--target", "amount", "--weights", "w", "--protocol", "holdout", "--out", "out"),
    "score": ("score", "{}", "--y", "yes", "--p", "p", "--weights", "w", "--by", "g"),
    "score, clusters": ("score", "{}", "--y", "yes", "--p", "p", "--weights", "w", "--cluster", "g"),
    "score, amounts": ("score", "{}", "--y", "amount", "--p", "x", "--weights", "w", "--loss", "huber"),
    "score, dask": ("score", "{}", "--y", "yes", "--p", "p", "--weights", "w", "--by", "g", "--engine", "dask"),
    "score, classes": ("score", "{}", "--y", "animal", "--p", "cat,dog", "--weights", "w"),
    "score, labels": ("score", "{}", "--y", "animal", "--p", "dog", "--weights", "w", "--positive", "dog"),
    "report": ("report", "{}", "--y", "yes", "--p", "p", "--p", "dog", "--weights", "w", "--by", "g"),
    "decide": ("decide", "{}", "--y", "yes", "--p", "p", "--weights", "w", "--by", "g", "--cost", "fn=4,fp=1"),
    "decide, time": (
        "decide",
        "{}",
        "--y",
        "yes",
        "--p",
        "p",
        "--weights",
        "w",
        "--time",
        "day",
        "--cost",
        "fn=4,fp=1",
    ),
}
SAID_OF_CELLS = "of weight zero|was read as numbers"
Cells = dict[str, list[str]]


def cells() -> Cells:
    rng = np.random.default_rng(3)
    x = rng.normal(size=ROWS)
    p = 1 / (1 + np.exp(-2 * x))
    days = np.datetime64("2024-01-01") + np.arange(ROWS)
    return {
        "yes": [str(int(one)) for one in rng.random(ROWS) < p],
        "p": [f"{one:.6f}" for one in p],
        "cat": [f"{1 - one:.6f}" for one in p],
        "dog": [f"{one:.6f}" for one in p],
        "animal": ["dog" if one else "cat" for one in rng.random(ROWS) < p],
        "x": [f"{one:.6f}" for one in x],
        "amount": [f"{one:.6f}" for one in np.exp(x + rng.normal(size=ROWS))],
        "day": [str(day) for day in days],
        "g": [f"g{i % 3}" for i in range(ROWS)],
        "w": [f"{1 + i % 3}" for i in range(ROWS)],
    }


JUNK = {
    "texts": lambda name, i: f"about {i}",
    "nothing": lambda name, i: "",
    "another column": lambda name, i: {"day": "31.12.1999", "g": "nobody"}.get(name, f"{i}-{i}"),
    "vast numbers": lambda name, i: "1e300",
    "infinite": lambda name, i: ("inf", "-inf")[i % 2],
}


def with_rows_away(given: Cells, junk: Callable[[str, int], str], zero: str = "0") -> Cells:
    """The table with rows of weight zero between the others."""
    found = {name: list(column) for name, column in given.items()}
    for i, at in enumerate(AWAY):
        for name, column in found.items():
            column.insert(at, zero if name == "w" else junk(name, i))
    return found


def written(given: Cells, path: str) -> str:
    if path.endswith(".parquet"):
        pq.write_table(pa.table({name: pa.array(column) for name, column in given.items()}), path)
        return path
    with Path(path).open("w", newline="") as file:
        csv.writer(file).writerows([given, *zip(*given.values(), strict=True)])
    return path


@cache
def usual(command: str, form: str, more: tuple[str, ...] = ()) -> str:
    """What a command says of the table without rows of weight zero."""
    with redirect_stdout(StringIO()) as heard:
        assert status_of([*words_of(command, written(cells(), f"alone.{form}")), *more]) == 0
    return plain(heard.getvalue(), f"alone.{form}")


def words_of(command: str, path: str) -> list[str]:
    return [path if word == "{}" else word for word in COMMANDS[command]]


def said(command: str, path: str, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    status = status_of([*words_of(command, path), *more])
    heard = capsys.readouterr()
    assert status == 0, heard.err
    return plain(heard.out, path)


def plain(heard: str, path: str) -> str:
    """What was said, but for how many rows were read, names of files, and remarks on how cells are written."""
    # A long path may break the line anywhere.
    told = rf"(\d+) rows read, (\d+) used; left out: {len(AWAY)} no weight".replace(" ", r"\s+")
    counted = re.sub(told, r"\2 rows", heard)
    lines = counted.replace(path, "TABLE").splitlines()
    return "\n".join(line for line in lines if line.strip() and not re.search(SAID_OF_CELLS, line))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


SLOW = ("run", "run, amounts", "score, dask")
CASES = [
    at_night(command, junk, form, unless=command in SLOW or (place + k) % 2 == 0)
    for place, command in enumerate(COMMANDS)
    for k, junk in enumerate(JUNK)
    for form in (("csv", "parquet")[k % 2],)
    if command not in SLOW or junk in ("texts", "nothing")[: 2 if command == "run" else 1]
]


@pytest.mark.parametrize(("command", "junk", "form"), CASES)
def test_a_row_of_weight_zero_is_not_there_whatever_it_holds(
    command: str, junk: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = written(with_rows_away(cells(), JUNK[junk]), f"beside.{form}")
    assert said(command, beside, capsys) == usual(command, form)


@pytest.mark.parametrize("command", ["choose", "score, classes", "decide, time"])
def test_a_condition_does_not_see_it(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    beside = written(with_rows_away(cells(), JUNK["texts"]), "beside.csv")
    # What a condition itself makes of such cells does not stop the reading.
    for condition in ("x > -1 AND day >= '2024-01-05'", "CAST(x AS DOUBLE) > -1"):
        assert said(command, beside, capsys, "--where", condition) == usual(command, "csv", ("--where", condition))


@pytest.mark.parametrize(("command", "zero"), [("choose", "0.0"), ("score", "-0"), ("decide", "0e3"), ("score", " 0")])
def test_zero_is_zero_however_it_is_written(command: str, zero: str, capsys: pytest.CaptureFixture[str]) -> None:
    beside = written(with_rows_away(cells(), JUNK["texts"], zero), "beside.csv")
    assert said(command, beside, capsys) == usual(command, "csv")


@pytest.mark.parametrize("command", ["choose", "score", "decide"])
def test_weights_with_decimal_commas(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    commas = cells()
    commas["w"] = [f"{w},5" for w in commas["w"]]
    alone, beside = (
        written(commas, "alone.csv"),
        written(with_rows_away(commas, JUNK["texts"], "0,0"), "beside.csv"),
    )
    assert said(command, beside, capsys) == said(command, alone, capsys)


def test_a_bad_cell_behind_it_is_named_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    found = with_rows_away(cells(), JUNK["texts"])
    found["p"][60] = "n.k."
    path = written(found, "t.csv")
    for command in ("score", "decide"):
        assert status_of(words_of(command, path)) == 3
        heard = capsys.readouterr().err
        assert f"t.csv, line {60 + 2}, column 'p'" in heard
        assert "holds 'n.k.'" in heard
        assert f"{ROWS - 1} of {ROWS} cells" in heard


def as_frame(library: str, given: dict[str, list[Any]]) -> Any:
    if library == "dict":
        return given
    if library == "arrays":
        return {name: np.array(column, dtype=object) for name, column in given.items()}
    if library == "pandas":
        return pandas.DataFrame(given)
    if library == "polars":
        return polars.DataFrame(given, strict=False)
    return pa.table(
        {name: pa.array(list(map(str, column)) if name == "x" else column) for name, column in given.items()}
    )


def in_memory(*, junk: bool, mixed: bool) -> dict[str, list[Any]]:
    """The table as Python values, with rows of weight zero that hold texts where others hold numbers."""
    given = with_rows_away(cells(), lambda name, i: f"about {i}") if junk else cells()
    numbers = ("w", "yes", "x") if mixed else ("w",)
    read = {name: [_number(cell) if name in numbers else cell for cell in column] for name, column in given.items()}
    return {name: read[name] for name in ("yes", "x", "day", "g", "w")}


def _number(cell: str) -> Any:
    return float(cell) if re.fullmatch("[-0-9.]+", cell) else cell


@pytest.mark.parametrize("library", ["dict", "arrays", "pandas", "polars", "arrow"])
def test_nor_is_it_in_memory(library: str) -> None:
    mixed = library in ("dict", "arrays", "pandas")  # the others hold texts alone
    asked = {"weights": "w", "time": "day"}
    found, alone = (
        gm.run(as_frame(library, in_memory(junk=junk, mixed=mixed)), "yes", **asked) for junk in (True, False)
    )
    assert found.judged.report == alone.judged.report
    assert found.prepared.rows.to_dict() == {"read": ROWS + 4, "left_out": {"no weight": 4}, "used": ROWS}


def test_nor_where_features_and_target_are_given_apart() -> None:
    found, alone = (in_memory(junk=junk, mixed=True) for junk in (True, False))
    studies = [
        gm.run({n: t[n] for n in ("x", "g", "w")}, np.array(t["yes"], dtype=object), weights="w", protocol="holdout")
        for t in (found, alone)
    ]
    assert studies[0].judged.report == studies[1].judged.report


def test_nor_is_it_in_a_frame_that_is_tallied() -> None:
    request = Request((gm.losses.binary_cross_entropy(),), "yes", (("p", ("p",)),), weight="w", group="g")
    found, alone = (
        local.tally_frame(pa.table(given), request) for given in (with_rows_away(cells(), JUNK["texts"]), cells())
    )
    assert found.risk() == pytest.approx(alone.risk()) or found.risk().value == alone.risk().value
    assert found.excluded == {"no weight": 4}
    assert (found.n, alone.n) == (ROWS, ROWS)


def test_rows_are_counted_alike_by_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    found = with_rows_away(cells(), JUNK["texts"])
    for at in (5, 7, 9):
        found["yes"][at] = ""
    path = written(found, "t.csv")
    told = "124 rows read, 117 used; left out: 4 no weight, 3 missing target"
    for command in ("choose", "run", "score", "score, dask", "report", "decide"):
        assert status_of(words_of(command, path)) == 0
        first = " ".join(capsys.readouterr().out.split("\n\n")[0].split())
        assert told in first, command
    assert f"t.csv, {told}" in " ".join(Path("report.html").read_text().split())
    kept = json.loads(Path("out/report.json").read_text())["rows"]
    assert (kept["read"], kept["left_out"], kept["used"]) == (124, {"no weight": 4, "missing target": 3}, 117)


@pytest.mark.parametrize("command", ["score", "decide"])
def test_no_way_of_writing_is_told_of_cells_that_are_not_there(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    junk = ("junk", "", "inf", "$ 9", "=1+1")
    beside = written(with_rows_away(cells(), lambda name, i: junk[i % len(junk)]), "beside.csv")
    assert status_of(words_of(command, beside)) == 0
    assert "GM212" not in capsys.readouterr().err
