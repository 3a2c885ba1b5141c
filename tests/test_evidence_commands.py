"""Do score and decide say on the command line what Python says, and refuse politely what they cannot read?"""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import numpy as np
import pytest

from goodmeasure import losses
from goodmeasure.cli import status_of
from goodmeasure.decisions.costs import Costs
from goodmeasure.decisions.decision import decide
from goodmeasure.risks.outputs import row_losses
from goodmeasure.risks.risk import risk

LABELS = {"yes": 1.0, "no": 0.0}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.95, 800)
    rows = {
        "churned": np.where(rng.random(800) < p, "yes", "no"),
        "plain": p,
        "sharp": p**2 / (p**2 + (1 - p) ** 2),
        "region": rng.choice(["north", "south"], 800),
        "demand": 50 + 10 * rng.normal(size=800),
    }
    place = tmp_path_factory.mktemp("table")
    with duckdb.connect() as connection:
        kinds = {name: "VARCHAR" if v.dtype.kind == "U" else "DOUBLE" for name, v in rows.items()}
        columns = ", ".join(f"unnest(?::{kinds[name]}[]) AS {name}" for name in rows)
        connection.execute(f"CREATE TABLE t AS SELECT {columns}", [v.tolist() for v in rows.values()])
        for name in ("rows.csv", "rows.parquet"):
            connection.execute(f"COPY t TO '{place / name}'")
    return {**rows, "place": place, "y": np.where(rows["churned"] == "yes", 1.0, 0.0)}


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = status_of([*map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_score_says_what_the_rows_say(table: dict, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(
        capsys,
        "score",
        table["place"] / name,
        "--y",
        "churned",
        "--positive",
        "yes",
        "--p",
        "plain",
        "--p",
        "sharp",
        "--json",
    )
    found = json.loads(out)["groups"][""]
    assert status == 0
    brier = losses.binary_brier()
    z = np.log(table["plain"] / (1 - table["plain"]))
    assert found["risk"]["plain"]["binary_brier()"]["value"] == pytest.approx(
        risk(brier, table["y"], z).value, rel=1e-9
    )
    step = np.mean((table["y"] - table["plain"]) ** 2 - (table["y"] - table["sharp"]) ** 2)
    assert found["difference"]["plain - sharp"]["binary_brier()"]["value"] == pytest.approx(step, rel=1e-9)


def test_score_prints_groups_and_ends_with_the_next_step(table: dict, capsys: pytest.CaptureFixture[str]) -> None:
    file = table["place"] / "rows.csv"
    status, out, _ = said(
        capsys, "score", file, "--y", "churned", "--positive", "yes", "--p", "plain", "--by", "region"
    )
    assert status == 0
    assert "region = north" in out
    assert out.strip().splitlines()[-1].startswith("next: goodmeasure decide")


def test_fail_on_miscalibrated_is_an_exit_status(table: dict, capsys: pytest.CaptureFixture[str]) -> None:
    file = table["place"] / "rows.csv"
    for column, expected in (("plain", 0), ("sharp", 1)):
        arguments = ("--y", "churned", "--positive", "yes", "--p", column, "--fail-on", "miscalibrated")
        assert said(capsys, "score", file, *arguments)[0] == expected


def test_decide_says_what_the_rows_say(table: dict, capsys: pytest.CaptureFixture[str]) -> None:
    file = table["place"] / "rows.parquet"
    costs = ("--cost", "fn=40", "--cost", "fp=5")
    status, out, _ = said(
        capsys, "decide", file, "--y", "churned", "--positive", "yes", "--p", "plain", *costs, "--json"
    )
    found = json.loads(out)["all"]
    exact = decide(table["y"], table["plain"], Costs(false_negative=40, false_positive=5))
    assert status == 0
    assert found["rules"][0]["cost"]["value"] == pytest.approx(exact.theory.cost.value, rel=1e-12)
    assert found["rules"][-1]["threshold"] is None  # never: JSON has no infinity
    for more in (["--budget", "50"], ["--prevalence", "0.1"], ["--ask", "2"], ["--by", "region"]):
        status, out, _ = said(
            capsys, "decide", file, "--y", "churned", "--positive", "yes", "--p", "plain", *costs, *more
        )
        assert status == 0
        assert "costs" in out


def test_decide_amounts(table: dict, capsys: pytest.CaptureFixture[str]) -> None:
    file = table["place"] / "rows.csv"
    arguments = ("--y", "demand", "--p", "plain", "--cost", "under=3", "--cost", "over=1")
    status, out, _ = said(capsys, "decide", file, *arguments)
    assert status == 0
    assert "as predicted" in out
    status, out, _ = said(capsys, "score", file, "--y", "demand", "--p", "plain", "--loss", "huber(delta=2)", "--json")
    found = json.loads(out)["groups"][""]["risk"]["plain"]["huber(delta=2.0)"]["value"]
    assert found == pytest.approx(row_losses(losses.huber(delta=2.0), table["demand"], table["plain"]).mean(), rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("score", "none.csv", "--y", "churned", "--p", "plain"), 3, "GM201"),
        (("score", "rows.parquet", "--y", "churned", "--p", "plain"), 3, "GM703"),
        (("score", "rows.csv", "--y", "churned", "--positive", "maybe", "--p", "plain"), 3, "GM703"),
        (("score", "rows.csv", "--y", "churned", "--positive", "yes", "--p", "nothing"), 3, "GM203"),
        (("score", "rows.csv", "--y", "churned", "--positive", "yes", "--p", "region"), 3, "GM206"),
        (("score", "rows.csv", "--y", "churned", "--positive", "yes", "--p", "demand"), 3, "GM701"),
        (("score", "rows.csv", "--y", "demand", "--p", "plain", "--loss", "wrong"), 2, "GM011"),
        (("decide", "rows.csv", "--y", "churned", "--positive", "yes", "--p", "plain"), 2, "GM009"),
        (("decide", "rows.parquet", "--y", "churned", "--p", "plain", "--cost", "fn=1", "--cost", "fp=1"), 3, "GM703"),
        (("decide", "rows.csv", "--y", "demand", "--p", "plain", "--cost", "fn=0", "--cost", "fp=0"), 3, "GM710"),
        (("score", "rows.csv", "--y", "demand", "--p", "plain", "--scheduler", "tcp://x:1"), 2, "GM009"),
    ],
)
def test_what_cannot_be_read_is_named(
    table: dict, arguments: tuple[str, ...], status: int, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, out, err = said(capsys, arguments[0], table["place"] / arguments[1], *arguments[2:])
    assert (found, err.split()[0]) == (status, code)
    assert "Traceback" not in out + err


@pytest.mark.parametrize(
    "command", [("score", "--loss", "binary_brier"), ("decide", "--cost", "fn=3", "--cost", "fp=1")]
)
def test_how_numbers_were_written_is_said(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "t.csv"
    rows = "".join(f"{i % 2};{(1 + i % 8) / 10:.1f}\n".replace(".", ",") for i in range(60))
    place.write_text(f"y;p\n{rows}")
    status, _, err = said(capsys, command[0], place, "--y", "y", "--p", "p", *command[1:])
    assert (status, err) == (0, "GM212 column 'p' was read as numbers: '0,1' -> 0.1\n")
    place.write_text("y;p\n" + rows.replace(",", "."))
    assert said(capsys, command[0], place, "--y", "y", "--p", "p", *command[1:])[2] == ""


@pytest.mark.parametrize(
    ("more", "status", "code"), [(("--positive", "yes"), 2, "GM009"), ((), 3, "GM703")], ids=["a label", "texts"]
)
def test_costs_of_amounts_on_yes_and_no_are_refused_with_costs_that_work(
    table: dict, more: tuple[str, ...], status: int, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("decide", str(table["place"] / "rows.csv"), "--y", "churned", "--p", "plain")
    assert status_of([*asked, "--cost", "under=3", "--cost", "over=1", *more]) == status
    said = capsys.readouterr().err
    assert said.startswith(code)
    assert "--loss" not in said
    assert "pinball" not in said
    costs = re.search(r"--cost fn=\d --cost fp=\d", said)
    assert costs
    assert status_of([*asked, *costs[0].split(), "--positive", "yes"]) == 0
