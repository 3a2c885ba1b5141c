"""Is a file that is no table told by what it is, with the line that makes a table of it?"""

from __future__ import annotations

import io
import json
import pickle
import sqlite3
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest

import goodmeasure as gm
from goodmeasure.reading.files import read
from goodmeasure.reading.tables import UnreadableTable
from table_files import columns, text

ROWS = [dict(zip(columns(), cells, strict=True)) for cells in zip(*columns().values(), strict=True)]
LINES = text().splitlines()


def feather() -> bytes:
    out = io.BytesIO()
    pyarrow.feather.write_feather(pa.table(columns()), out)
    return out.getvalue()


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as held:
        held.writestr("notes.txt", "no table")
    return out.getvalue()


def database() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (a)")
    return connection.serialize()


FILES: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "JSON by column": (lambda: json.dumps(columns(), indent=1).encode(), "a JSON document", "read_json"),
    "an archive": (archive, "an archive of files", "CSV"),
    "Feather": (feather, "an Arrow file", "read_feather"),
    "SQLite": (database, "an SQLite database", "CSV"),
    "pickle": (lambda: pickle.dumps(ROWS), "a pickle", "CSV"),
    "a web page": (
        lambda: pd.DataFrame(ROWS).to_html().replace("<table", "<html><table", 1).encode(),
        "a web page",
        "read_html",
    ),
    "XML": (lambda: b"<?xml version='1.0'?><a/>", "an XML document", "read_xml"),
    "a title": (("Customers of May\n" + text()).encode, "first 1 line", "tail -n +2"),
    "a preamble": (
        ("Report\nmade on Monday\n\n" + text(delimiter=";")).encode,
        "first 3 lines",
        "tail -n +4",
    ),
    "no header": (
        lambda: "\n".join(f"{i},{i / 3:.2f},{i % 2}" for i in range(30)).encode(),
        "no line of names",
        "(echo c1,c2,c3; cat",
    ),
    "no header, with texts": (
        lambda: "\n".join(f"{i / 3:.2f},north,{i % 2}" for i in range(30)).encode(),
        "no line of names",
        "(echo c1,c2,c3; cat",
    ),
    "no header, whole numbers": (
        lambda: "\n".join(f"{i * 7 % 11},{i},{i % 2}" for i in range(1, 30)).encode(),
        "no line of names",
        "(echo c1,c2,c3; cat",
    ),
    "fixed width": (
        lambda: b"name      city name  kind\n" + b"Ann Lee   New York   a\nBo        Rome       b\n" * 9,
        "fixed width",
        "read_fwf",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_other_files_are_told_by_what_they_are(name: str, tmp_path: Path) -> None:
    make, told, fix = FILES[name]
    place = tmp_path / "t.csv"
    place.write_bytes(make())
    with pytest.raises(UnreadableTable) as caught:
        read(place)
    assert told in caught.value.what
    assert fix in caught.value.fix


@pytest.mark.parametrize("called", ["t.csv", "two words.csv", "x; echo no.csv"])
@pytest.mark.parametrize("name", ["a title", "a preamble", "no header"])
def test_the_line_that_fixes_makes_a_table_and_leaves_the_file(
    name: str, called: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = FILES[name][0]()
    Path(called).write_bytes(before)
    with pytest.raises(UnreadableTable) as caught:
        read(called)
    _, _, line = caught.value.fix.partition(": ")
    subprocess.run(line, shell=True, check=True)
    assert Path(called).read_bytes() == before
    (made,) = {path.name for path in tmp_path.iterdir()} - {called}
    assert list(read(made).columns) == (["c1", "c2", "c3"] if name == "no header" else list(columns()))


@pytest.mark.parametrize(
    "written",
    [
        "a\n1\n2\n3\n",
        "0,1,2\n3,4,5\n",
        "a,b\n1,2\n",
        "one name with blanks\nx\ny\nz\n",
        "2019,2020\n1.5,2.5\n",
        "a\n",
        "{x},b\n1,2\n",
    ],
)
def test_plain_tables_are_not_taken_for_other_files(written: str, tmp_path: Path) -> None:
    place = tmp_path / "t.csv"
    place.write_text(written + "" if written != "a\n" else "a\n1\n")
    assert len(read(place)) >= 1


def test_an_index_is_found_in_the_whole_table() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    table = {"column 1": np.arange(400), "x": x, "y": x + rng.normal(size=400)}
    for protocol in ("holdout", "folds"):
        study = gm.run(table, "y", protocol=protocol)
        assert study.prepared.columns.features == ("x",)
        assert "names the rows" in study.prepared.columns.left_out["column 1"]


@pytest.mark.parametrize("word", ["Total", "Summe", ""])
@pytest.mark.parametrize("mean", [False, True])
def test_a_last_row_of_totals_is_no_case(word: str, mean: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(1, 9, 300), rng.integers(1, 99, 300) / 4
    place = tmp_path / "t.csv"
    rows = "".join(f"{'north' if i % 2 else 'south'},{a},{b}\n" for i, (a, b) in enumerate(zip(x, y, strict=True)))
    place.write_text(f"region,x,y\n{rows}{word},{x.mean() if mean else x.sum()},{y.sum()}\n")
    study = gm.run(str(place), "y", represents="positive", protocol="holdout")
    parts = study.prepared.fit, study.prepared.tune, study.prepared.report
    assert sum(len(part.table) for part in parts) == 300
    assert "GM249" in {remark.code for remark in study.remarks}
    place.write_text(f"region,x,y\n{rows}south,{x.max()},{y.sum()}\n")
    assert "GM249" not in {
        remark.code for remark in gm.run(str(place), "y", represents="positive", protocol="holdout").remarks
    }


@pytest.mark.parametrize("share", [1.0, 0.8, 0.5, 0.2])
@pytest.mark.parametrize("name", ["column 1", "rownames", "X"])
def test_numbers_of_rows_that_were_drawn_from_a_table_are_no_feature(name: str, share: float) -> None:
    """Where a table was sorted by its target, the number of a row tells it."""
    rng = np.random.default_rng(0)
    rows = rng.permutation(2000)[: int(2000 * share)]
    table = {name: rows, "x": rng.normal(size=len(rows)), "y": np.where(rows < 700, "yes", "no")}
    assert gm.run(table, "y", protocol="holdout").prepared.columns.features == ("x",)


def test_amounts_that_happen_to_be_unique_stay() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=400)
    for wide in (10_000_000, 300_000):
        amounts = np.unique(rng.integers(0, wide, 900))[:400]
        table = {"amount": rng.permutation(amounts), "y": x}
        assert gm.run(table, "y", protocol="holdout").prepared.columns.features == ("amount",)
