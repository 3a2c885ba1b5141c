"""Is a row of a file that cannot be used told of by its line and by the name of its column, in the same words everywhere?"""

from __future__ import annotations

import csv
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.engines import duckdb as local
from goodmeasure.errors import Problem
from goodmeasure.statistics.row_arguments import like_probabilities
from turns import by_turns

pytestmark = pytest.mark.usefixtures("a_cluster_at_hand")

ROWS = 400
BAD = {
    "chance": ("1.25", "GM701", "chance holds 1.25; probabilities lie in [0, 1]"),
    "happened": ("2", "GM703", "happened holds 2; a yes/no target is 0 or 1"),
    "counts": ("-1", "GM006", "1 of 400 weights are negative or not finite"),
}
COMMANDS = {
    "score": ("score",),
    "score, dask": ("score", "--engine", "dask"),
    "decide": ("decide", "--cost", "fn=4,fp=1"),
}


def columns(seed: int = 0) -> dict[str, list[str]]:
    rng = np.random.default_rng(seed)
    p = rng.random(ROWS)
    return {
        "happened": [str(int(one)) for one in rng.random(ROWS) < p],
        "chance": [f"{one:.6f}" for one in p],
        "counts": ["2"] * ROWS,
        "place": [str(i) for i in range(ROWS)],
    }


def write(given: dict[str, list[str]], path: str) -> None:
    if path.endswith(".parquet"):
        pq.write_table(pa.table({name: pa.array(map(float, cells)) for name, cells in given.items()}), path)
        return
    with Path(path).open("w", newline="") as file:
        csv.writer(file).writerows([given, *zip(*given.values(), strict=True)])


def refused(command: str, source: str, capsys: pytest.CaptureFixture[str], *more: str) -> list[str]:
    name, *options = COMMANDS[command]
    asked = ("--y", "happened", "--p", "chance", "--weights", "counts", *more)
    assert status_of([name, source, *options, *asked]) == 3
    return capsys.readouterr().err.splitlines()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_row_is_named_by_its_line_and_its_column(
    name: str, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "BLOCK", 64)
    cell, code, what = BAD[name]
    given = columns()
    given[name][310] = cell
    write(given, "t.csv")
    first, where, *_ = refused(command, "t.csv", capsys)
    assert first.split(" ", 1)[0] == code
    assert first == f"{code} {what}" or name == "counts"  # weights are counted in a block
    assert where == f"  where t.csv, line 312, column {name!r}"


@pytest.mark.parametrize("command", ["score", "decide"])
def test_rows_that_are_left_out_keep_their_lines(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = columns()
    given["chance"][200] = "-0.5"
    for at in (3, 4, 5):
        given["happened"][at] = ""
    given["counts"][7] = "0"
    write(given, "t.csv")
    where = refused(command, "t.csv", capsys, "--where", "place >= 100 OR place < 50")[1]
    assert where == "  where t.csv, line 202, column 'chance'"


@pytest.mark.parametrize("command", ["score", "decide"])
def test_of_several_files_the_right_one_is_named(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(3):
        given = columns(i)
        if i == 1:
            given["happened"][9] = "7"
        write(given, f"part-{i}.parquet")
    assert refused(command, "part-*.parquet", capsys)[1] == "  where part-1.parquet, row 10, column 'happened'"


def test_a_loss_of_amounts_says_the_line_of_a_target_outside_its_domain(capsys: pytest.CaptureFixture[str]) -> None:
    given = columns()
    given["place"][20] = "-3"
    write(given, "t.csv")
    assert status_of(["score", "t.csv", "--y", "place", "--p", "chance", "--loss", "poisson"]) == 3
    first, where, *_ = capsys.readouterr().err.splitlines()
    assert (first[:40], where) == ("GM004 target -3.0 is outside the domain ", "  where t.csv, line 22, column 'place'")


@pytest.mark.parametrize("vast", ["1e160", "1"])
def test_a_row_that_would_be_refused_alone_for_another_reason_is_not_the_one(
    vast: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("t.csv").write_text(f"y,p\n{vast},1\n2,2\ninf,3\n4,3\n")
    assert status_of(["score", "t.csv", "--y", "y", "--p", "p", "--loss", "squared_error"]) == 3
    assert "where t.csv, line 4, column 'y'" in capsys.readouterr().err


def test_a_row_without_target_may_lack_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    given = columns()
    given["day"] = [f"2024-{1 + i // 28 % 12:02}-{1 + i % 28:02}" for i in range(ROWS)]
    given["day"][5] = given["happened"][5] = ""
    write(given, "t.csv")
    asked = ("--y", "happened", "--p", "chance", "--time", "day", "--cost", "fn=4,fp=1")
    assert status_of(["decide", "t.csv", *asked]) == 0
    assert "400 rows read, 399 used; left out: 1 missing target" in capsys.readouterr().out


def test_the_labels_that_may_mean_yes_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    given = columns()
    given["happened"] = ["it's so" if one == "1" else "no" for one in given["happened"]]
    write(given, "t.csv")
    assert status_of(["score", "t.csv", "--y", "happened", "--p", "chance"]) == 3
    assert f"""--positive {shlex.quote("it's so")} or --positive no""" in capsys.readouterr().err


# --- raw outputs and probabilities ---


def test_raw_outputs_that_are_taken_for_probabilities_are_told_of_the_option(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(columns(), "t.csv")
    assert status_of(["score", "t.csv", "--y", "happened", "--p", "place"]) == 3
    assert "if they are raw outputs: --raw" in capsys.readouterr().err


@pytest.mark.parametrize("raw", [True, False])
def test_probabilities_that_are_taken_for_raw_outputs_are_told_of(
    raw: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    given = columns()
    given["logit"] = [f"{np.log(float(p) / (1 - float(p))):.6f}" for p in given["chance"]]
    given["other"] = [f"{1 - float(p):.6f}" for p in given["chance"]]
    given["row"] = [f"{0.7 * float(p):.6f}" for p in given["chance"]]
    write(given, "t.csv")
    told = "as probabilities do, and were read as raw outputs: leave --raw out if they are"
    for columns_, mistaken in (("chance", True), ("logit", False), ("other,chance", True), ("row,chance", False)):
        status = status_of(["score", "t.csv", "--y", "happened", "--p", columns_, *["--raw"] * raw])
        heard = capsys.readouterr()
        assert (told in heard.err) == (raw and mistaken)
        assert status == 0 or not raw


@pytest.mark.parametrize("classes", [2, 3])
def test_risk_says_it_too(classes: int) -> None:
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(classes), 200)
    y = rng.integers(0, classes, 200)
    z: Any = shares[:, 1] if classes == 2 else shares
    loss = gm.losses.binary_cross_entropy() if classes == 2 else gm.losses.cross_entropy()
    assert any("as probabilities do" in each for each in gm.risk(loss, y, z).cautions)
    for fine in (gm.risk(loss, y, prediction=z), gm.risk(loss, y, 3 * z - 1), gm.risk(loss, y[:8], z[:8])):
        assert not any("as probabilities do" in each for each in fine.cautions)
    assert not gm.risk(gm.losses.squared_error(), y, shares[:, 0]).cautions


def test_twenty_raw_outputs_between_0_and_1_are_no_accident() -> None:
    z = np.linspace(0, 1, 20)
    assert like_probabilities(z, "z", "fix")
    assert not like_probabilities(z[1:], "z", "fix")


@pytest.mark.parametrize(("kind", "name"), by_turns(("pandas", "polars", "pyarrow"), [*BAD]))
def test_a_row_of_a_frame_is_told_by_its_place_there(kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that is refused, whatever threads read it, among rows that do not count."""
    for size in ("NEAR", "BLOCK"):
        monkeypatch.setattr(local, size, 20)
    given = {column: [float(cell) for cell in cells] for column, cells in columns().items()}
    given["counts"][:50] = [0.0] * 50
    for row in (390, 333, 111):
        given[name][row] = float(BAD[name][0])
    table = pa.table(given)
    frame = {"pandas": table.to_pandas, "polars": lambda: pytest.importorskip("polars").from_arrow(table)}
    rows = frame.get(kind, lambda: table)()
    for _ in range(2):
        with pytest.raises(Problem) as caught:
            gm.tally(gm.losses.binary_brier(), "happened", prediction="chance", sample_weight="counts", data=rows)
        assert caught.value.code == BAD[name][1]
        assert "[111]" in caught.value.where
