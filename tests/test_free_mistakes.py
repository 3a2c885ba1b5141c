"""Is everything said, drawn and written where one kind of mistake costs nothing, for all rows or row by row?"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from goodmeasure.cli import status_of

COSTS = ["fn=0,fp=5", "fn=5,fp=0", "fn=@none,fp=5", "fn=5,fp=@none", "fn=@fee,tp=@fee,fp=2"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    x = random.normal(size=120)
    p = 1 / (1 + np.exp(-2 * x))
    with Path("t.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["x", "p", "y", "none", "fee"])
        rows.writerows(
            zip(x, p, (random.uniform(size=120) < p) * 1, np.zeros(120), 1 + random.uniform(size=120), strict=True)
        )
    return "t.csv"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("command", "costs"),
    [
        (command, each)
        for command in ("run", "decide", "score", "report")
        for each in COSTS
        if ("@" not in each if command == "report" else command != "run" or each in COSTS[::4])
    ],
)
def test_mistakes_that_cost_nothing_are_no_division_by_zero(
    command: str, costs: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    of_run = ["--target", "y", "--exclude", "p", "--protocol", "holdout", "--out", "out"]
    words = of_run if command == "run" else ["--y", "y", "--p", "p"]
    assert status_of([command, place, *words, "--cost", costs]) == 0
    said = capsys.readouterr()
    assert "note: " not in said.err
    assert "nan" not in said.out
    for page in Path().rglob("*.html"):
        assert "NaN" not in page.read_text()
