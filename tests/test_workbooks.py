"""Is the one sheet of a workbook read like the same table as text, and anything else named with a line that runs?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.errors import MissingExtra
from goodmeasure.reading.files import read
from goodmeasure.reading.tables import EmptyTable, UnreadableTable

openpyxl = pytest.importorskip("openpyxl")

HEAD = ["wage", "Wage", "day", "kind", "yes", "wait"]
RNG = np.random.default_rng(4)
ROWS: list[list[Any]] = [
    [
        float(k) / 3,
        k,
        datetime(2024, 1, 1) + timedelta(days=k),
        ["a, b", 'say "no"', None][k % 3],
        k % 2 == 0,
        time(k % 24),
    ]
    for k in range(120)
]


def book(path: Path, sheets: dict[str, Sequence[Sequence[Any]]]) -> str:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return str(path)


@pytest.mark.parametrize("called", ["t.xlsx", "t.csv", "t"])
def test_a_sheet_is_a_table_whatever_the_file_is_called(called: str, tmp_path: Path) -> None:
    found = read(book(tmp_path / called, {"empty": [], "data": [HEAD, *ROWS]}))
    assert list(found.columns) == HEAD
    assert np.allclose(found["wage"], [row[0] for row in ROWS], rtol=1e-14)  # Excel keeps fifteen digits
    assert found["day"].astype("datetime64[s]").tolist() == [row[2] for row in ROWS]
    assert found["kind"].tolist() == [row[3] for row in ROWS]
    assert found["yes"].tolist() == [str(row[4]).lower() for row in ROWS]


def test_empty_columns_beside_the_names_are_left_out_and_inner_ones_are_not(tmp_path: Path) -> None:
    rows = [[None, 1, None, 2, None], [None, 3, None, 4, None]]
    found = read(book(tmp_path / "t.xlsx", {"data": [[None, "a", None, "b", None], *rows]}))
    assert found["a"].tolist() == [1, 3]
    assert found["b"].tolist() == [2, 4]


def test_a_study_runs_on_it_and_condition_and_prediction_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = RNG.normal(size=300)
    path = book(tmp_path / "t.xlsx", {"data": [["x", "y"], *zip(x.tolist(), (x + 1).tolist(), strict=True)]})
    study = gm.run(path, "y", where="x > -3")
    study.model.save(tmp_path / "m.json")
    assert status_of(["predict", str(tmp_path / "m.json"), path, "--keep", "y"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 301


@pytest.mark.parametrize(
    ("sheets", "kind", "told", "fix"),
    [
        ({"a": [["x"], [1]], "b": [["x"], [1]]}, UnreadableTable, "several sheets: 'a', 'b'", "sheet_name='a'"),
        (
            {"a": [["Sales of May"], [], ["x", "y"], [1, 2]]},
            UnreadableTable,
            "does not begin in its first row",
            "skiprows=2",
        ),
        ({"a": []}, EmptyTable, "holds no cells", "names of columns"),
        ({"a": [["x", "y"], [1, 2, 3]]}, UnreadableTable, "cannot be read as a table", "cells as the header"),
        ({"a": [["x", "y"]]}, EmptyTable, "has no rows", "row"),
    ],
)
def test_what_is_no_one_table_is_named(sheets: Any, kind: type[Exception], told: str, fix: str, tmp_path: Path) -> None:
    with pytest.raises(kind) as caught:
        read(book(tmp_path / "t.xlsx", sheets))
    assert told in str(caught.value)
    assert fix in str(caught.value)


def test_a_damaged_workbook_is_named(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", {"data": [HEAD, *ROWS]})
    whole = Path(path).read_bytes()
    for size in (len(whole) // 2, len(whole) - 30):
        Path(path).write_bytes(whole[:size])
        with pytest.raises(UnreadableTable):
            read(path)


def test_without_what_reads_it_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = book(tmp_path / "t.xlsx", {"data": [HEAD, *ROWS]})
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingExtra, match="openpyxl"):
        read(path)
