"""Is a table read as it was meant, in bounded memory, and is what is wrong with it named with its place?"""

from __future__ import annotations

import gzip
import io
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodmeasure.errors import Problem, UsageError
from goodmeasure.reading.dialects import dialect_of
from goodmeasure.reading.files import parts, read
from goodmeasure.reading.frames import table
from goodmeasure.reading.paths import Place
from goodmeasure.reading.tables import (
    BadCell,
    ColumnKind,
    DuplicateColumns,
    EmptyTable,
    NoSuchColumn,
    NoSuchFile,
    UnreadableTable,
    missing,
)


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str | bytes, name: str = "t.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_numbers_texts_dates_and_missing_cells_are_told_apart(written) -> None:
    found = read(written("n,d,s\n1,2020-01-01,x\n,2020-02-01,\nNA,,NULL\n"))
    assert found.kinds == {"n": ColumnKind.NUMBER, "d": ColumnKind.DATE, "s": ColumnKind.TEXT}
    assert [missing(found[name]).tolist() for name in found.columns] == [
        [False, True, True],
        [False, False, True],
        [False, True, True],
    ]


@pytest.mark.parametrize(
    "text",
    ["a;b\n1;2\n", "a\tb\n1\t2\n", "a|b\n1|2\n", '"a","b"\r\n"1","2"\r\n', "\ufeffa,b\n1,2\n"],
    ids=["semicolon", "tab", "bar", "quoted", "byte order mark"],
)
def test_every_usual_way_to_write_a_table_reads_the_same(written, text: str) -> None:
    found = read(written(text))
    assert {name: values.tolist() for name, values in found.columns.items()} == {"a": [1.0], "b": [2.0]}


def test_compressed_utf16_and_latin1_files_are_read(written) -> None:
    assert read(written(gzip.compress(b"a,b\n1,2\n"), "t.csv.gz"))["b"].tolist() == [2.0]
    assert read(written("é,b\n1,2\n".encode("utf-16")))["é"].tolist() == [1.0]
    latin = read(written("é,b\n1,2\n".encode("latin-1")))
    assert latin["é"].tolist() == [1.0]
    assert [r.code for r in latin.remarks] == ["GM209"]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=False, allow_infinity=False),
            st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, str]]
) -> None:
    import csv

    from goodmeasure.reading.sources import MISSING

    rows = [(x, "v" + s) for x, s in rows]
    path = tmp_path_factory.mktemp("t") / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
        lines.writerow(["x", 'na"me, with <marks>'])
        lines.writerows(rows)
    found = read(path)
    assert found["x"].tolist() == [x for x, _ in rows]
    assert found['na"me, with <marks>'].tolist() == [s for _, s in rows]
    assert "v" not in MISSING


def test_a_text_among_numbers_is_named_with_its_line_even_behind_line_breaks(written) -> None:
    text = "y,note\n" + "".join(f"{i},fine\n" for i in range(30)) + '31,"two\nlines"\n'
    with pytest.raises(BadCell, match="'oops'") as caught:
        read(written(text + "oops,fine\n"), numbers=["y"])
    assert "line 34, column 'y'" in caught.value.where
    path = written(text + "oops,fine\n")
    assert len(read(path, numbers=["y"], where='TRY_CAST("y" AS DOUBLE) IS NOT NULL')) == 31


def test_a_text_among_the_numbers_of_a_feature_counts_as_missing_and_is_reported(written) -> None:
    found = read(written("x\n" + "1\n" * 30 + "about 7\n"))
    assert np.isnan(found["x"][-1])
    assert found.remarks[0].code == "GM208"
    assert "line 32" in found.remarks[0].where


def test_texts_of_which_some_look_like_numbers_stay_texts(written) -> None:
    assert read(written("x\n" + "1\nA\nB\nC\n"), numbers=["x"]).kinds == {"x": ColumnKind.TEXT}


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("", EmptyTable, "not even a header"),
        ("a,b\n", EmptyTable, "no rows"),
        ("a,b,a\n1,2,3\n", DuplicateColumns, "'a'"),
        ("a,b\n1,2\n3,4,5\n6,7\n", UnreadableTable, "line 3"),
        (bytes(range(256)) * 4, UnreadableTable, "not a text file"),
    ],
    ids=["empty", "header alone", "twice", "too many cells", "no text"],
)
def test_what_is_no_table_is_refused_with_its_place(written, text: str | bytes, kind: type[Problem], told: str) -> None:
    with pytest.raises(kind) as caught:
        read(written(text))
    assert told in str(caught.value)


def test_names_that_come_close_are_offered(written, tmp_path: Path) -> None:
    path = written("age,income\n1,2\n")
    with pytest.raises(NoSuchColumn, match="did you mean 'income'"):
        read(path, numbers=["incme"])
    with pytest.raises(NoSuchFile, match=r"t\.csv"):
        read(tmp_path / "tt.csv")
    for source in (tmp_path, tmp_path / "*.parquet", tmp_path / "no" / "t.csv"):
        with pytest.raises(NoSuchFile):
            read(source)


def test_a_condition_sees_numbers_as_numbers_and_nothing_but_the_table(written) -> None:
    path = written("age,region\n9,EU\n10,EU\n100,US\n")
    assert read(path, where="age > 9 AND region = 'EU'")["age"].tolist() == [10.0]
    with pytest.raises(EmptyTable, match="age > 1000"):
        read(path, where="age > 1000")
    for bad in (
        "agee > 9",
        "age >",
        "1=1) UNION ALL SELECT * FROM read_csv('/etc/passwd'",
        "age > (SELECT 1 FROM '/etc/passwd')",
    ):
        with pytest.raises(UsageError):
            read(path, where=bad)


def test_a_large_table_is_sampled_the_same_way_each_time_and_says_so(written) -> None:
    path = written("a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(6000)))
    first, second = (read(path, most_cells=4000) for _ in range(2))
    assert 1500 < len(first) < 2500
    assert first.rows_in_source == 6000
    assert first.remarks[0].code == "GM207"
    assert np.array_equal(first["a"], second["a"])
    assert (np.diff(first["a"]) > 0).all()


def test_parts_put_together_are_the_whole(written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goodmeasure.reading.files.PART", 7)
    path = written("a,s,d\n" + "".join(f"{i},t{i},2020-01-{i % 28 + 1:02d}\n" for i in range(30)))
    whole = read(path)
    found = list(parts(path, kinds={"a": ColumnKind.NUMBER, "d": ColumnKind.DATE}, keep=["s"]))
    assert [len(part) for part in found] == [7, 7, 7, 7, 2]
    for name in ("a", "s", "d"):
        assert np.array_equal(np.concatenate([part[name] for part in found]), whole[name])


def test_parquet_patterns_and_standard_input_read_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame(
        {"x": [1, 2, None], "flag": [True, False, None], "d": [date(2020, 1, 1)] * 3, "s": ["a", "1", None]}
    )
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_parquet(tmp_path / "b.parquet")
    one = read(tmp_path / "a.parquet")
    assert one.kinds == {"x": ColumnKind.NUMBER, "flag": ColumnKind.TEXT, "d": ColumnKind.DATE, "s": ColumnKind.TEXT}
    assert one["flag"].tolist() == ["true", "false", None]
    assert len(read(str(tmp_path / "*.parquet"))) == 6

    class Input:
        buffer = io.BytesIO((tmp_path / "a.parquet").read_bytes())

    monkeypatch.setattr(sys, "stdin", Input)
    assert np.array_equal(read("-")["x"], one["x"], equal_nan=True)


def test_frames_of_every_library_make_the_same_table() -> None:
    columns = {"x": [1.5, None, 3.0], "n": [1, 2, 3], "s": ["a", None, "b"], "flag": [True, False, True]}
    days = [date(2020, 1, 1), date(2020, 1, 2), date(2020, 1, 3)]
    frames = [
        {**columns, "d": days},
        pl.DataFrame({**columns, "d": days}),
        pd.DataFrame({**columns, "d": pd.to_datetime(days)}),
        pl.DataFrame({**columns, "d": days}).to_arrow(),
    ]
    first, *others = [table(frame) for frame in frames]
    assert first.kinds["d"] is ColumnKind.DATE
    for other in others:
        assert other.kinds == first.kinds
        for name in first.columns:
            assert missing(other[name]).tolist() == missing(first[name]).tolist()
            keep = ~missing(first[name])
            assert other[name][keep].tolist() == first[name][keep].tolist()


def test_what_is_no_frame_is_refused() -> None:
    for bad in (3, [[1, 2]], {"a": [1, 2], "b": [1]}, {"a": [[1], [2]]}, {}):
        with pytest.raises((UnreadableTable, EmptyTable)):
            table(bad)


def test_a_header_longer_than_a_cell_can_be_is_read(written) -> None:
    """At a wrong delimiter the whole header is one cell, which the csv module refuses beyond 131,072 letters."""
    names = [f"a name of a column that is long {i}" for i in range(4000)]
    path = str(written(";".join(names) + "\n" + ";".join("1" for _ in names)))
    place = Place(path, path)
    dialect, _ = dialect_of(place)
    assert (dialect.delimiter, dialect.header(place)) == (";", names)
