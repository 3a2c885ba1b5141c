"""Are `Wage` and `wage` two columns, wherever a table is read, asked about, predicted, scored and exported?"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.engines import duckdb as local
from goodmeasure.engines.request import Request
from goodmeasure.errors import Problem, UsageError
from goodmeasure.reading.files import parts, read
from goodmeasure.reading.tables import ColumnKind

N = 300
RNG = np.random.default_rng(5)
LOW, HIGH = RNG.normal(size=N), RNG.normal(size=N)
# Names that a database which folds capitals would take for one, or that look like what tells them apart.
CELLS: dict[str, list[Any]] = {
    "wage": LOW.tolist(),
    "Wage": HIGH.tolist(),
    "WAGE": RNG.choice(["low", "high"], N).tolist(),
    "wage\x1f57616765": (LOW + 1).tolist(),
    "wage_1": (LOW + 2).tolist(),
    "Äge": (HIGH + 3).tolist(),
    "äge": (HIGH + 4).tolist(),
    'He said "No"': RNG.normal(size=N).tolist(),
    "Y": (2 * HIGH + RNG.normal(size=N)).tolist(),
    "y": (LOW - HIGH + RNG.normal(size=N)).tolist(),
}


def lines(cells: dict[str, list[Any]] = CELLS) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(cells)
    writer.writerows(zip(*cells.values(), strict=True))
    return out.getvalue().encode()


def objects() -> list[dict[str, Any]]:
    return [dict(zip(CELLS, row, strict=True)) for row in zip(*CELLS.values(), strict=True)]


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(CELLS), out)
    return out.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "t.csv": lines,
    "t.csv.gz": lambda: gzip.compress(lines()),
    "t.parquet": parquet,
    "t.jsonl": lambda: "\n".join(map(json.dumps, objects())).encode(),
    "t.json": lambda: json.dumps(objects()).encode(),
}


@pytest.fixture(params=FILES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    path = tmp_path / request.param
    path.write_bytes(FILES[request.param]())
    return str(path)


def same(found: Any, name: str, rows: Any = slice(None)) -> bool:
    return found[name].tolist() == np.array(CELLS[name], dtype=object)[rows].tolist()


def test_every_column_is_read_as_itself(place: str) -> None:
    found = read(place)
    assert list(found.columns) == list(CELLS)
    assert all(same(found, name) for name in CELLS)
    assert not found.remarks


def test_parts_hold_the_columns_that_are_named_and_kept(place: str) -> None:
    kinds = {"Wage": ColumnKind.NUMBER, "WAGE": ColumnKind.TEXT}
    (part,) = parts(place, kinds=kinds, keep=["wage", "Wage"])
    assert same(part, "Wage")
    assert same(part, "WAGE")
    assert list(map(float, part.columns["wage"])) == CELLS["wage"]
    assert list(map(float, part.kept["Wage"])) == CELLS["Wage"]


@pytest.mark.parametrize(("name", "values"), [("Wage", HIGH), ("wage", LOW)])
def test_a_condition_means_the_very_name(place: str, name: str, values: Any) -> None:
    assert len(read(place, where=f"{name} > 0")) == (values > 0).sum()
    assert (
        len(read(place, where=f"\"{name}\" > 0 AND WAGE = 'low'"))
        == ((values > 0) & (np.array(CELLS["WAGE"]) == "low")).sum()
    )


def test_a_condition_on_a_name_that_is_none_of_them_is_asked_about(place: str) -> None:
    with pytest.raises(UsageError, match="wAgE") as caught:
        read(place, where="wAgE > 0")
    assert "'wage'" in str(caught.value)
    assert "'Wage'" in str(caught.value)


def test_files_of_several_types_are_read_as_one(tmp_path: Path) -> None:
    for name, make in FILES.items():
        (tmp_path / name).write_bytes(make())
    found = read(str(tmp_path / "*"))
    assert len(found) == len(FILES) * N
    assert sorted(found["Wage"]) == sorted(HIGH.tolist() * len(FILES))


@pytest.mark.parametrize("make", [pa.table, pl.DataFrame, pd.DataFrame], ids=["arrow", "polars", "pandas"])
def test_frames_are_scored_by_the_column_that_is_named(make: Callable[[Any], Any]) -> None:
    def total(name: str) -> float:
        made = local.tally_frame(make(CELLS), Request((gm.losses.squared_error(),), "Y", (("p", (name,)),)))
        return float(made.risk().value)

    assert total("Wage") == pytest.approx(np.mean((HIGH - np.array(CELLS["Y"])) ** 2))
    assert total("wage") == pytest.approx(np.mean((LOW - np.array(CELLS["Y"])) ** 2))


def test_a_study_learns_from_each_by_its_name(place: str) -> None:
    some = {"protocol": "holdout"}
    study = gm.run(place, "Y", exclude=[n for n in CELLS if n not in ("wage", "Wage", "Y")], **some)
    steps = {"wage": [0.0, 1.0, 0.0], "Wage": [0.0, 0.0, 1.0]}
    start, other, high = study.model.predict(steps)
    assert high - start > 1.5
    assert abs(other - start) < 0.3
    assert gm.run(place, "y", exclude=[n for n in CELLS if n not in ("Y", "y")], **some).question.target == "y"


def test_commands_name_them(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str) -> str:
        capsys.readouterr()
        assert status_of(words) == 0
        return capsys.readouterr().out

    out = tmp_path / "out"
    said("run", place, "--target", "Y", "--exclude", "WAGE", "--protocol", "holdout", "--out", str(out))
    predicted = list(csv.DictReader(io.StringIO(said("predict", str(out / "model.json"), place, "--keep", "Wage"))))
    assert [float(row["Wage"]) for row in predicted] == CELLS["Wage"]
    assert "the values run from" in said("choose", place, "--target", "y")
    one, other = (said("score", place, "--y", "Y", "--p", name, "--loss", "squared_error") for name in ("Wage", "wage"))
    assert one != other


@pytest.mark.parametrize("ending", ["py", "js"])
def test_programs_take_each_by_its_name(ending: str, tmp_path: Path) -> None:
    study = gm.run({name: CELLS[name] for name in ("wage", "Wage", "Y")}, "Y")
    study.model.export(tmp_path / f"m.{ending}")
    text = (tmp_path / f"m.{ending}").read_text()
    assert "Wage" in text
    assert "wage" in text


def test_sql_which_folds_capitals_is_refused(tmp_path: Path) -> None:
    study = gm.run({name: CELLS[name] for name in ("wage", "Wage", "Y")}, "Y")
    with pytest.raises(Problem, match="columns 'wage' and 'Wage' are one"):
        study.model.export(tmp_path / "m.sql")
    assert not (tmp_path / "m.sql").exists()


def test_one_name_twice_is_still_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("Wage,wage,Wage\n1,2,3\n")
    with pytest.raises(Problem, match="several columns named 'Wage'"):
        read(str(tmp_path / "t.csv"))
