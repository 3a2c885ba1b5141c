"""Is a Parquet file the same table, whether Arrow reads it alone or the database does?"""

import datetime
import decimal
import itertools

import numpy as np
import pytest

from goodmeasure import losses
from goodmeasure.engines import duckdb
from goodmeasure.engines.duckdb import tally_files
from goodmeasure.engines.request import Request
from goodmeasure.errors import Problem
from goodmeasure.reading import blocks as reading
from goodmeasure.reading import plain_parquet, sources
from goodmeasure.reading.blocks import CodedTexts, WantedColumns, stretches
from goodmeasure.reading.connection import database
from goodmeasure.reading.sources import opened
from goodmeasure.statistics.coded_keys import Coded, coded
from turns import by_turns

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

NUMBERS = {
    **{f"int{bits}": [1, 0, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1, None] for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": [1, 0, 2**bits - 1, None] for bits in (8, 16, 32, 64)},
    "float": [1.5, -0.0, float("nan"), float("inf"), 1e-45, None],
    "double": [1.5, -0.0, float("nan"), float("-inf"), 5e-324, None],
    "float16": [1.5, -2.0, None],
}
TEXTS = ["a", "", "é", "a ", "nul\0", "NaN", "1", "1.0", None]
DAY = datetime.datetime(2024, 5, 1)
PLAIN = {
    **{kind: pyarrow.array(values, pyarrow.type_for_alias(kind)) for kind, values in NUMBERS.items()},
    "string": pyarrow.array(TEXTS),
    "large_string": pyarrow.array(TEXTS, pyarrow.large_string()),
    "string_view": pyarrow.array(TEXTS, pyarrow.string_view()),
    "categories": pyarrow.array(TEXTS).dictionary_encode(),
    "numbers as categories": pyarrow.array([1.5, 2.5, None]).dictionary_encode(),
    "texts of numbers": pyarrow.array(["1", "2.5", None]),
    "bytes": pyarrow.array([b"1", b"2", None]),
    "bool": pyarrow.array([True, False, None]),
    "nothing": pyarrow.nulls(3),
    "decimal": pyarrow.array([decimal.Decimal("1.25"), None], pyarrow.decimal128(9, 2)),
    "decimal256": pyarrow.array([decimal.Decimal("1.25"), None], pyarrow.decimal256(50, 2)),
    "date": pyarrow.array([DAY.date(), None]),
    "timestamp": pyarrow.array([DAY, None]),
    "time": pyarrow.array([datetime.time(1, 2), None]),
    "duration": pyarrow.array([datetime.timedelta(1), None]),
    "list": pyarrow.array([[1.0], [], None]),
    "struct": pyarrow.array([{"a": 1.0, "b": 2.0}, None]),
    "map": pyarrow.array([[("k", 1.0)], None], pyarrow.map_(pyarrow.string(), pyarrow.float64())),
    "list of structs": pyarrow.array([[{"a": 1.0}], None]),
}
HOW = {
    "as pyarrow writes": {},
    "second version": {
        "use_dictionary": False,
        "compression": "none",
        "data_page_version": "2.0",
        "store_schema": False,
    },
    "deltas": {"use_dictionary": False, "column_encoding": "DELTA_BINARY_PACKED"},
    "split bytes": {"use_dictionary": False, "column_encoding": "BYTE_STREAM_SPLIT", "compression": "gzip"},
}


@pytest.fixture(autouse=True)
def small_files_too(monkeypatch):
    monkeypatch.setattr(plain_parquet, "LEAST_BYTES", 0)


@pytest.fixture
def taken(monkeypatch):
    """Whether Arrow read the last file alone."""
    found = []

    def noted(path, wanted):
        file = plain_parquet.plain_file(path, wanted)
        found.append(file is not None)
        return file

    monkeypatch.setattr(reading, "plain_file", noted)
    return lambda: found[-1] if found else None


def held(path, wanted, rows=3):
    """The columns of a file as comparable numbers and texts with their types, or what is said of it."""
    try:
        with opened(str(path)) as files:
            return cells(files, wanted, rows)
    except Problem as problem:
        return str(problem)


def cells(files, wanted, rows=3):
    """The same of files that are open."""
    try:
        parts = [block for stretch in stretches(files, wanted, rows) for block in stretch.blocks]
    except Problem as problem:
        return str(problem)
    return {name: _cells([part[name] for part in parts], name in wanted.texts) for name in (parts or [()])[0]}


def _cells(parts, as_key):
    """Keys as texts; numbers as bits, of the type that holds those of all parts: of whole ones some may be missing."""
    if as_key:
        return list(itertools.chain(*(map(str, coded(_key(part), "key").values) for part in parts)))
    whole = np.concatenate(parts)
    return whole.dtype, whole.view(f"u{whole.dtype.itemsize}").tolist()


def _key(part):
    return Coded.of(*part) if isinstance(part, CodedTexts) else part


def by_the_database(path, wanted, monkeypatch, rows=3):
    with monkeypatch.context() as patched:
        patched.setattr(reading, "plain_file", lambda *_: None)
        return held(path, wanted, rows)


@pytest.mark.parametrize("how", HOW)
def test_every_type_is_read_alike(how, tmp_path, monkeypatch):
    path = tmp_path / "t.parquet"
    written = {kind: _repeated(column) for kind, column in PLAIN.items()}
    options = dict(HOW[how])
    encoding = options.pop("column_encoding", None)
    if encoding:
        written = {kind: column for kind, column in written.items() if _is_written(column, encoding)}
        options["column_encoding"] = dict.fromkeys(written, encoding)
    parquet.write_table(pyarrow.table(written), path, row_group_size=5, **options)
    assert len(written) > 4
    asked = [WantedColumns(*((kind,),) if number else ((), (kind,))) for kind in written for number in (True, False)]
    with opened(str(path)) as files:
        found = [cells(files, wanted) for wanted in asked]
        monkeypatch.setattr(reading, "plain_file", lambda *_: None)
        assert found == [cells(files, wanted) for wanted in asked]


def told(path):
    """The columns of a file with their types, and how many questions the database was asked for them."""
    with opened(str(path)) as files:
        return list(files.types.items()), "_connection" in vars(files.reader)


@pytest.mark.parametrize(("kind", "how"), by_turns(PLAIN, ("as pyarrow writes", "second version")))
def test_every_type_is_told_alike(how, kind, tmp_path, monkeypatch):
    columns = {"x": [1.0] * 24, "c": _repeated(PLAIN[kind])}
    parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet", **HOW[how])
    found, by_the_database = told(tmp_path / "t.parquet")
    assert by_the_database is (kind not in TOLD_BY_ARROW)
    monkeypatch.setattr(sources, "plain_columns", lambda _: None)
    assert told(tmp_path / "t.parquet") == (found, True)


TOLD_BY_ARROW = {
    *(kind for kind in NUMBERS if kind != "float16"),
    *("string", "large_string", "string_view", "categories", "texts of numbers", "bool", "date"),
    *("numbers as categories", "duration"),
}


@pytest.mark.parametrize(
    "names", [("a.b", "c"), ("x", "X"), ("é", " "), ('q"', "'"), ("element", "list"), ("nul\0",), ("", "a")]
)
@pytest.mark.parametrize("nested", [False, True])
def test_names_of_every_kind_are_told_alike(names, nested, tmp_path, monkeypatch):
    columns = {name: [1.0, 2.0] for name in names} | ({"a": [{"b": 1.0}, {"b": 2.0}]} if nested else {})
    parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
    found = []
    for _ in range(2):
        try:
            found.append(told(tmp_path / "t.parquet")[0])
        except Problem as problem:
            found.append(str(problem))
        monkeypatch.setattr(sources, "plain_columns", lambda _: None)
    assert found[0] == found[1]


def test_a_file_that_the_database_wrote_is_told_alike(tmp_path, monkeypatch):
    kinds = [
        "DOUBLE",
        "FLOAT",
        "BOOLEAN",
        "DATE",
        "VARCHAR",
        "DECIMAL(9, 2)",
        "UUID",
        "BLOB",
        "TIMESTAMP",
        "HUGEINT",
        "TIME",
    ]
    kinds += [f"{sign}{name}" for sign in ("", "U") for name in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")]
    connected = database().connect()
    for kind in kinds:
        connected.execute(f"COPY (SELECT CAST(NULL AS {kind}) AS c, 1.5 AS d) TO '{tmp_path}/t.parquet'")
        found, _ = told(tmp_path / "t.parquet")
        with monkeypatch.context() as patched:
            patched.setattr(sources, "plain_columns", lambda _: None)
            assert told(tmp_path / "t.parquet") == (found, True), kind


def _repeated(column):
    if pyarrow.types.is_dictionary(column.type):
        return column.take(pyarrow.array(np.arange(24) % len(column)))
    return pyarrow.array((column.to_pylist() * 24)[:24], column.type)


def _is_written(column, encoding):
    try:
        parquet.write_table(
            pyarrow.table({"c": column}), pyarrow.BufferOutputStream(), use_dictionary=False, column_encoding=encoding
        )
    except (pyarrow.ArrowException, OSError):
        return False
    return True


TAKEN = ("double", "float", "int8", "int16", "int32", "int64", "uint8")


@pytest.mark.parametrize(("kind", "as_key"), [*((kind, False) for kind in TAKEN), *((k, True) for k in TAKEN[2:])])
def test_plain_numbers_are_read_by_arrow_alone(kind, as_key, tmp_path, taken):
    parquet.write_table(pyarrow.table({"c": PLAIN[kind]}), tmp_path / "t.parquet")
    held(tmp_path / "t.parquet", WantedColumns((), ("c",)) if as_key else WantedColumns(("c",)))
    assert taken()


@pytest.mark.parametrize("kind", ["string", "large_string", "string_view", "categories"])
def test_texts_are_keys_by_their_codes(kind, tmp_path, taken):
    parquet.write_table(pyarrow.table({"c": PLAIN[kind]}), tmp_path / "t.parquet")
    held(tmp_path / "t.parquet", WantedColumns((), ("c",)))
    assert taken()


def test_what_needs_sql_is_for_the_database(tmp_path, taken):
    parquet.write_table(pyarrow.table({"c": PLAIN["texts of numbers"], "t": PLAIN["bool"]}), tmp_path / "t.parquet")
    for wanted in (WantedColumns(("c",)), WantedColumns(truths=("t",)), WantedColumns(labels=(("c", (("1",),)),))):
        held(tmp_path / "t.parquet", wanted)
        assert not taken()


@pytest.mark.parametrize("names", [("a.b", "c"), ("x", "X"), ("é", " "), ('q"', "'"), ("element", "list")])
def test_names_of_every_kind_are_told_apart(names, tmp_path, monkeypatch):
    columns = {name: np.arange(7.0) + 10 * i for i, name in enumerate(names)}
    parquet.write_table(pyarrow.table(columns | {"a": pyarrow.array([{"b": -1.0}] * 7)}), tmp_path / "t.parquet")
    wanted = WantedColumns(names)
    found = held(tmp_path / "t.parquet", wanted)
    assert found == by_the_database(tmp_path / "t.parquet", wanted, monkeypatch)
    assert [*found] == [*names]


def test_a_folder_named_as_a_partition_is_no_column(tmp_path, monkeypatch, taken):
    """The cells of a file are what the file holds, whatever its folder is called."""
    for folder in ("c=3", "year=2024"):
        path = tmp_path / folder / "t.parquet"
        path.parent.mkdir()
        parquet.write_table(pyarrow.table({"c": [1.0, 2.0]}), path)
        found = held(path, WantedColumns(("c",)))
        assert taken()
        assert found == by_the_database(path, WantedColumns(("c",)), monkeypatch)
        assert np.array(found["c"][1], dtype=np.uint64).view(float).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("lengths", [[], [0], [0, 5, 0], [1] * 9, [7, 1, 300]])
@pytest.mark.parametrize("rows", [1, 4, 1000])
def test_row_groups_of_every_length_come_in_their_order(lengths, rows, tmp_path, monkeypatch):
    schema = pyarrow.schema([("x", pyarrow.float64()), ("k", pyarrow.string())])
    start = 0
    with parquet.ParquetWriter(tmp_path / "t.parquet", schema) as writer:
        for n in lengths:
            x = np.arange(start, start + n) / 3
            writer.write_table(pyarrow.table({"x": x, "k": [f"k{i % 3}" for i in range(n)]}, schema))
            start += n
    wanted = WantedColumns(("x",), ("k",))
    assert held(tmp_path / "t.parquet", wanted, rows) == by_the_database(tmp_path / "t.parquet", wanted, monkeypatch)


def test_bytes_that_are_no_text_are_refused_alike(tmp_path, monkeypatch):
    broken = pyarrow.Array.from_buffers(pyarrow.string(), 2, pyarrow.array([b"a", b"\xff\xfe"]).buffers())
    parquet.write_table(pyarrow.table({"x": [1.0, 2.0], "k": broken}), tmp_path / "t.parquet")
    wanted = WantedColumns(("x",), ("k",))
    found = held(tmp_path / "t.parquet", wanted)
    assert found == by_the_database(tmp_path / "t.parquet", wanted, monkeypatch)
    assert "GM202" in found


def test_a_damaged_file_gives_the_same_numbers_or_none(tmp_path, monkeypatch):
    """Bytes of a file are changed one after another: both ways take the same table from it, or what the whole file held.

    The database refuses statistics that are damaged, which the other does not look at.
    """
    rng = np.random.default_rng(0)
    table = pyarrow.table({"x": rng.random(400), "y": rng.integers(0, 2, 400).astype(np.int8), "k": ["a", "b"] * 200})
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=150)
    whole = (tmp_path / "t.parquet").read_bytes()
    path, wanted, refused = tmp_path / "broken.parquet", WantedColumns(("x", "y"), ("k",)), 0
    undamaged = held(tmp_path / "t.parquet", wanted, 100)
    for at in rng.integers(4, len(whole) - 8, 25).tolist():
        path.write_bytes(whole[:at] + bytes([whole[at] ^ int(rng.integers(1, 256))]) + whole[at + 1 :])
        found = [held(path, wanted, 100), by_the_database(path, wanted, monkeypatch, 100)]
        tables = [each for each in found if not isinstance(each, str)]
        assert found[0] == found[1] or tables == [undamaged], at
        refused += isinstance(found[0], str)
    assert 0 < refused < 25


def test_files_of_other_types_are_one_table(tmp_path, monkeypatch):
    """Each file is read in its own way; the tally is the same to the last bit, in whatever order the files are read."""
    rng, n = np.random.default_rng(1), 3000
    p, k = rng.random(n), rng.integers(0, 3, n)
    y = (rng.random(n) < p).astype(np.int8)
    parts = [slice(0, 1000), slice(1000, 1800), slice(1800, n)]
    kinds = [(pyarrow.int8(), pyarrow.float64()), (pyarrow.float32(), pyarrow.float64()), (pyarrow.int64(), None)]
    for i, (part, (of_y, of_p)) in enumerate(zip(parts, kinds, strict=True)):
        probability = pyarrow.array(p[part]) if of_p else pyarrow.array([repr(float(each)) for each in p[part]])
        columns = {"y": pyarrow.array(y[part]).cast(of_y), "p": probability, "k": k[part]}
        parquet.write_table(pyarrow.table(columns), tmp_path / f"{i}.parquet", row_group_size=700)
    chosen = (losses.binary_cross_entropy(), losses.binary_brier())
    for group in (None, "k"):
        request = Request(chosen, "y", (("p", ("p",)),), group=group)
        found = tally_files(f"{tmp_path}/*.parquet", request).to_bytes()
        with monkeypatch.context() as patched:
            patched.setattr(reading, "plain_file", lambda *_: None)
            assert tally_files(f"{tmp_path}/*.parquet", request).to_bytes() == found
        with monkeypatch.context() as patched:
            patched.setattr(duckdb, "NEAR", 170)
            patched.setattr(duckdb, "BLOCK", 190)
            assert tally_files(f"{tmp_path}/*.parquet", request).to_bytes() == found


def test_a_row_that_is_refused_is_pointed_at_in_its_file(tmp_path, monkeypatch):
    p = np.full(500, 0.5)
    p[321] = 1.5
    parquet.write_table(pyarrow.table({"y": np.arange(500) % 2, "p": p}), tmp_path / "t.parquet", row_group_size=100)
    request = Request((losses.binary_brier(),), "y", (("p", ("p",)),))
    told = []
    for way in (reading.plain_file, lambda *_: None):
        monkeypatch.setattr(reading, "plain_file", way)
        with pytest.raises(Problem) as caught:
            tally_files(str(tmp_path / "t.parquet"), request)
        told.append(str(caught.value))
    assert told[0] == told[1]
    assert "row 322" in told[0]


def test_a_small_file_is_not_worth_another_reader(tmp_path, taken, monkeypatch):
    monkeypatch.setattr(plain_parquet, "LEAST_BYTES", 1 << 20)
    for rows, alone in ((1000, False), (200_000, True)):
        parquet.write_table(pyarrow.table({"x": np.random.default_rng(0).random(rows)}), tmp_path / "t.parquet")
        held(tmp_path / "t.parquet", WantedColumns(("x",)))
        assert taken() is alone
