"""Are keys told apart as their texts are, of whatever type, few or many, and does a tally by groups have the same bytes?"""

from __future__ import annotations

import datetime
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure import losses
from goodmeasure.engines.duckdb import tally_files
from goodmeasure.engines.request import Request
from goodmeasure.errors import UsageError
from goodmeasure.statistics import coded_keys
from goodmeasure.statistics.coded_keys import MOST_WORDS, coded
from goodmeasure.statistics.row_arguments import MissingScore
from goodmeasure.tallying.accumulate import Accumulator, schema_of

N = 5000
DAYS = [datetime.datetime(2024, 1, k, 3) for k in (1, 1, 2)]
FEW = np.random.default_rng(0).integers(0, 5, N)
MANY = np.random.default_rng(1).integers(0, 3000, N)
NAMES = np.array(["north", "süd", "", "east\x00x", "wéstern 𝄞"])
RARE = np.where(np.arange(N) == N - 1, 4, FEW % 4)  # the last is of the last row alone
KEYS: dict[str, Any] = {
    "whole": FEW,
    "negative": FEW.astype(np.int8) - 3,
    "all bytes": (np.arange(N) % 256 - 128).astype(np.int8),
    "half of the words": (np.arange(N) * 13 - 32000).astype(np.int16),
    "far apart": FEW * 10**15,
    "vast": np.array([2**63, 2**64 - 1, 0], dtype=np.uint64)[FEW % 3],
    "least": np.array([-(2**63), 2**63 - 1])[FEW % 2],
    "many": MANY,
    "many far apart": MANY * 10**12,
    "truths": FEW > 2,
    "numbers": np.array([0.0, -0.0, np.nan, 1.5, np.inf])[FEW],
    "single": np.array([0.1, -0.0, np.nan, 1.5, np.inf], dtype=np.float32)[FEW],
    "half": np.array([0.1, -0.0, np.nan, 1.5, np.inf], dtype=np.float16)[FEW],
    "many numbers": MANY / 7,
    "other nans": np.array([0x7FF8000000000000, 0x7FF8000000000001, 0], dtype=np.uint64).view(np.float64)[FEW % 3],
    "texts": NAMES[FEW],
    "a late text": NAMES[RARE],
    "texts that begin alike": np.array(["a long one", "a long one ", "a long on", "a", ""])[FEW],
    "many texts": MANY.astype(str),
    "as many as fit": (MANY % MOST_WORDS).astype(str),
    "one more than fits": (MANY % (MOST_WORDS + 1)).astype(str),
    "empty texts": np.array([""] * N),
    "bytes": np.array([b"a", b"bc", b"", b"d", b"a "])[FEW],
    "objects": np.array(["b", "a", "", "c", "a "], dtype=object)[FEW],
    "mixed": np.array([1, "1", True, None, 1.0], dtype=object)[FEW],
    "pairs": np.fromiter(((int(k), "a") for k in FEW), dtype=object, count=N),
    "bytes as objects": np.array([b"a", b"bc", b"", "d", b"a "], dtype=object)[FEW],
    "numbers as objects": np.array([3, 2, 1, 0, -1], dtype=object)[FEW],
    "a list": NAMES[FEW].tolist(),
    "days": np.array("2024-01-01", dtype="datetime64[D]") + FEW,
    "not a day": np.array(["2024-01-01", "NaT", "2024-01-03"], dtype="datetime64[ns]")[FEW % 3],
    "lengths of time": FEW.astype("timedelta64[s]"),
    "reversed": FEW[::-1],
    "every other": np.repeat(NAMES[FEW], 2)[::2],
    "no rows": FEW[:0],
    "no texts": NAMES[FEW][:0],
}


def frames() -> dict[str, Any]:
    """Columns of frames, by what makes them."""
    pandas, polars, pyarrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    lost = np.where(FEW == 0, -1, FEW)
    names = ["b", "a", "c", "e", "d", "of no row"]
    return {
        "categories": pandas.Categorical.from_codes(FEW, names),
        "a categorical column": pandas.Series(pandas.Categorical.from_codes(FEW, names)),
        "missing categories": pandas.Categorical.from_codes(lost, names),
        "whole categories": pandas.Categorical.from_codes(FEW, [9, 7, 5, 3, 1]),
        "missing whole categories": pandas.Categorical.from_codes(lost, [9, 7, 5, 3, 1]),
        "pairs of pandas": pandas.MultiIndex.from_arrays([NAMES[FEW], FEW]),
        "a column of pandas": pandas.Series(NAMES[FEW]),
        "whole numbers, some missing": pandas.array(FEW, dtype="Int64"),
        "categories that are pairs": pandas.Categorical.from_codes(FEW, [(k, "a") for k in range(5)]),
        "a column of Polars": polars.Series(NAMES[FEW]),
        "an enumeration": polars.Series(np.array(names)[FEW], dtype=polars.Enum(names)),
        "a column of Arrow": pyarrow.array(NAMES[FEW].tolist()),
    }


def plain(keys: Any) -> np.ndarray:
    """The keys as texts, by the definition: one that is missing is an empty one."""
    pandas = pytest.importorskip("pandas")
    if isinstance(keys, pandas.Categorical):
        return np.array(["" if code < 0 else str(keys.categories[code]) for code in keys.codes])
    cells = np.asarray(keys)
    if cells.dtype == object:
        texts = (cell.decode("latin-1") if isinstance(cell, bytes) else str(cell) for cell in cells)
        return np.array(
            ["" if cell is not cell or cell is None else text for cell, text in zip(cells, texts, strict=True)]
        )
    return np.where(pandas.isna(cells), "", cells.astype(str))


@pytest.mark.parametrize("kind", KEYS)
def test_keys_are_the_texts_that_they_are(kind: str) -> None:
    same_as_texts(KEYS[kind])


def test_columns_of_frames_are_the_texts_that_they_are() -> None:
    for kind, keys in frames().items():
        assert same_as_texts(keys), kind


def same_as_texts(keys: Any) -> bool:
    found, texts = coded(keys, "group"), plain(keys)
    assert found.names.tolist() == np.unique(texts).tolist()
    assert np.array_equal(found.values, texts)
    order, runs = found.in_runs()
    assert np.array_equal(order, np.argsort(texts, kind="stable"))
    assert [(found.names[k], run.stop - run.start) for k, run in runs] == [
        (name, int((texts == name).sum())) for name in np.unique(texts)
    ]
    some = found[: len(texts) // 2]
    assert np.array_equal(some.values, texts[: len(texts) // 2])
    assert coded(some, "group").names.tolist() == np.unique(texts[: len(texts) // 2]).tolist()
    return True


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["whole", "numbers", "texts", "a late text", "one more than fits", "mixed"])
def test_a_tally_by_groups_is_that_of_each_group_by_itself(kind: str, *, weighted: bool) -> None:
    rng = np.random.default_rng(2)
    p = rng.random(N)
    y, w = (rng.random(N) < p) * 1.0, rng.random(N) + 0.5 if weighted else None
    y[::17] = np.nan
    chosen = [losses.binary_cross_entropy(), losses.binary_brier()]
    found = gm.tally(chosen, y, prediction=p, group=KEYS[kind], sample_weight=w)
    slow = Accumulator(chosen, schema_of(chosen, ("model",), p, (weighted, False, True)))
    texts = plain(KEYS[kind])
    for name in np.unique(texts):
        at = texts == name
        slow.add(y[at], {"model": p[at]}, None if w is None else w[at], np.full(at.sum(), name))
    assert found.to_bytes() == slow.finish().to_bytes()


# What 0 / 0 is has a sign on most processors, and numbers have one beside it.
BROKEN = np.choose(FEW % 4, [np.nan, np.copysign(np.nan, -1.0), -0.5, 1.5])


def test_keys_of_files_are_those_of_memory(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rng = np.random.default_rng(3)
    p = rng.random(N)
    table = {
        "y": (rng.random(N) < p) * 1.0,
        "p": p,
        "whole": pyarrow.array(FEW - 2, pyarrow.int16()),
        "unsigned": pyarrow.array(FEW, pyarrow.uint8()),
        "gaps": pyarrow.array([None if k == 3 else int(k) for k in FEW]),
        "text": pyarrow.array([None if k == 3 else str(NAMES[k]).replace("\x00", "") for k in FEW]),
        "truth": FEW > 2,
        "number": FEW / 2,
        "broken": BROKEN,
        "single": BROKEN.astype(np.float32),
        "person": MANY,
    }
    parquet.write_table(pyarrow.table(table), tmp_path / "t.parquet")
    (loss,) = chosen = (losses.binary_cross_entropy(),)
    texts = {
        "whole": FEW - 2,
        "unsigned": FEW,
        "gaps": ["" if k == 3 else str(k) for k in FEW],
        "text": table["text"].fill_null("").to_pylist(),
        "truth": np.where(FEW > 2, "true", "false"),
        "number": FEW / 2,
        "broken": BROKEN,
        "single": BROKEN.astype(np.float32),
    }
    # What a column of Arrow lacks, and an object of None, is missing as it is in the file.
    gaps = {"gaps": table["gaps"], "text": table["text"]}
    none = {name: np.array(column.to_pylist(), dtype=object) for name, column in gaps.items()}
    for group, keys in [*texts.items(), *gaps.items(), *none.items()]:
        request = Request(chosen, "y", (("model", ("p",)),), group=group, cluster="person")
        found = tally_files(tmp_path / "t.parquet", request)
        arrays = gm.tally(loss, table["y"], prediction=p, group=keys, cluster=MANY.astype(str))
        assert found.to_bytes() == arrays.to_bytes(), group


@pytest.mark.parametrize("kind", ["i1", "u1", "<i2", ">i2", "<u4", ">i4", "<i8", ">u8"])
@pytest.mark.parametrize("many", [False, True])
def test_whole_numbers_are_told_apart_from_end_to_end_of_their_type(kind: str, many: bool) -> None:
    info, rng = np.iinfo(kind), np.random.default_rng(0)
    least, largest = int(info.min), min(int(info.max), int(info.min) + 60_000)
    some = rng.integers(0, largest - least, 3000, endpoint=True) if many else rng.integers(0, 3, 3000)
    for values in ([least + each for each in some.tolist()], [int(info.max) - each for each in some.tolist()]):
        given = np.array(values, dtype=kind)
        given[-1] = given[0] // 2  # one that is met last
        found = coded(given, "k")
        assert found.values.tolist() == [str(each) for each in given.tolist()]
        assert sorted(found.names.tolist()) == found.names.tolist()


def test_rows_in_runs_are_in_the_order_of_a_stable_sort(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    for count in (1, 3, 300, 70_000):
        found = coded(rng.integers(0, count, 100_000), "k")
        order, runs = found.in_runs()
        assert (order == np.argsort(found.codes, kind="stable")).all()
        assert [run for _, run in runs] == [
            slice(low, high) for low, high in itertools.pairwise([0, *np.cumsum(found.counts).tolist()])
        ]
        monkeypatch.setattr(coded_keys, "_order", coded_keys._order_plain)
        assert (found.in_runs()[0] == order).all()
        monkeypatch.undo()


def test_what_is_coded_is_not_coded_again() -> None:
    found = coded(np.array(["b", "a", "b"]), "k")
    assert coded(found, "k") is found
    some = coded(found[np.array([0, 2])], "k")
    assert (some.names.tolist(), some.codes.tolist()) == (["b"], [0, 0])


@pytest.mark.parametrize("ids", [[7, 7, 3, None], [0.5, 0.5, 2.0, None], ["a", "a", "b", None], [*DAYS, None]], ids=str)
def test_a_missing_cluster_is_refused_however_it_is_held(ids):
    loss, y, p = losses.binary_cross_entropy(), [0, 1] * 4, np.linspace(0.1, 0.9, 8)
    weights, found = np.array([1.0, 2.0, 1.0, 0.0] * 2), set()
    for keys in held_by_all(ids * 2):
        with pytest.raises(MissingScore, match="cluster is missing in 2 of 8 rows") as problem:
            gm.tally(loss, y, prediction=p, cluster=keys)
        assert problem.value.where == "cluster[3]"
        found.add(gm.tally(loss, y, prediction=p, cluster=keys, sample_weight=weights).to_bytes())
    there = [each for each in ids * 2 if each is not None]
    counts = weights > 0
    assert len(found) == 1
    of_others = gm.tally(loss, np.array(y)[counts], prediction=p[counts], cluster=there, sample_weight=weights[counts])
    risks = [
        made.risk() for made in (gm.tally(loss, y, prediction=p, cluster=ids * 2, sample_weight=weights), of_others)
    ]
    assert (risks[0].value, *risks[0].interval) == (risks[1].value, *risks[1].interval)


def held_by_all(keys: list[Any]) -> list[Any]:
    """Keys, of which some are missing, as columns of every library."""
    pd, pl, pa = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    there = next(each for each in keys if each is not None)
    masked = np.ma.masked_array(
        [there if each is None else each for each in keys], mask=[each is None for each in keys]
    )
    return [
        keys,
        masked,
        pd.Series(keys, dtype=object).convert_dtypes(),
        pl.Series(keys),
        pa.array(keys),
        pa.chunked_array([keys]),
    ]


def test_views_of_texts_are_keys():
    pa = pytest.importorskip("pyarrow")
    words = ["b", None, "a", "b"]
    found = coded(pa.array(words, pa.string_view()), "group")
    assert found.values.tolist() == coded(words, "group").values.tolist()


def test_a_list_of_a_row_is_a_key_however_its_column_holds_it() -> None:
    pd, pl, pa = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    rows = [[1], [2, 3], None, [1], []]
    for keys in (pd.Series(rows), pd.Series([None if each is None else np.array(each) for each in rows])):
        assert coded(keys, "group").values.tolist() == ["[1]", "[2, 3]", "", "[1]", "[]"]
    for keys in (pl.Series(rows), pa.array(rows)):
        assert coded(keys, "group").values.tolist() == ["[1]", "[2, 3]", "", "[1]", "[]"]


def test_arrays_have_no_order_as_clusters() -> None:
    pa = pytest.importorskip("pyarrow")
    y, p = np.array([0.0, 1.0] * 4), np.linspace(0.2, 0.8, 8)
    with pytest.raises(UsageError, match="no order") as caught:
        gm.tally(losses.binary_brier(), y, prediction=p, cluster=pa.array([[1], [2, 3]] * 4))
    cluster = eval(caught.value.fix.removeprefix("cluster = "), {"cluster": [[1], [2, 3]] * 4})
    assert gm.tally(losses.binary_brier(), y, prediction=p, cluster=cluster).n == 8
