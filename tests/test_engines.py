"""Do all engines give the bits of one pass in memory, and refuse what cannot be counted?"""

from __future__ import annotations

import math
from pathlib import Path

import duckdb
import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure import losses
from goodmeasure.engines import duckdb as local
from goodmeasure.engines.request import Request
from goodmeasure.errors import Problem, UsageError
from goodmeasure.reading.tables import EmptyTable, NoSuchFile
from goodmeasure.statistics.row_arguments import ScoreOutsideUnitInterval
from goodmeasure.tallying.accumulate import tally
from goodmeasure.tallying.shards import Part, ShardMissing, ShardTwice, collect
from goodmeasure.tallying.tally import Tally

LOSSES = (losses.binary_cross_entropy(), losses.binary_brier())
REQUEST = Request(LOSSES, "y", (("a", ("p",)), ("b", ("q",))))
EVERYTHING = Request(LOSSES, "y", (("a", ("p",)), ("b", ("q",))), weight="w", group="g", cluster="c")


def rows(n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(n)
    p = rng.random(n)
    return {
        "y": (rng.random(n) < p) * 1.0,
        "p": p,
        "q": p**2,
        "w": rng.integers(1, 4, n) / 3,
        "g": rng.choice(["north", "south"], n),
        "c": rng.integers(0, 50, n),
    }


def write(table: dict[str, np.ndarray], path: Path) -> None:
    """Columns as a file of the kind that its name says."""
    with duckdb.connect() as connection:
        columns = ", ".join(
            f"unnest(?::{'VARCHAR' if v.dtype.kind == 'U' else 'DOUBLE' if v.dtype.kind == 'f' else 'BIGINT'}[]) AS {k}"
            for k, v in table.items()
        )
        connection.execute(f"CREATE TABLE t AS SELECT {columns}", [v.tolist() for v in table.values()])
        connection.execute(f"COPY t TO '{path}'")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same 9,000 rows as one Parquet file, as seven, and as a CSV file."""
    place = tmp_path_factory.mktemp("shards")
    table = rows(9000)
    write(table, place / "whole.parquet")
    write(table, place / "whole.csv")
    for i, part in enumerate(np.array_split(np.random.default_rng(0).permutation(9000), 7)):
        write({k: v[part] for k, v in table.items()}, place / f"part-{i}.parquet")
    return place


def in_memory(request: Request = EVERYTHING, table: dict[str, np.ndarray] | None = None) -> Tally:
    t = rows(9000) if table is None else table
    more = {"sample_weight": t["w"], "group": t["g"], "cluster": t["c"]} if request.weight else {}
    return tally(list(LOSSES), t["y"], prediction={"a": t["p"], "b": t["q"]}, **more)


@pytest.mark.parametrize("request_", [REQUEST, EVERYTHING], ids=["plain", "everything"])
@pytest.mark.parametrize("source", ["whole.parquet", "whole.csv", "part-*.parquet"])
def test_duckdb_gives_the_bits_of_one_pass(folder: Path, source: str, request_: Request) -> None:
    made = local.tally_files(str(folder / source), request_)
    assert made.to_bytes() == in_memory(request_).to_bytes()
    assert made.risk().value == pytest.approx(in_memory(request_).risk().value)


def test_blocks_and_threads_do_not_matter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "BLOCK", 2048)
    assert local.tally_files(str(folder / "whole.parquet"), EVERYTHING).to_bytes() == in_memory().to_bytes()


def test_a_condition_and_a_frame(folder: Path) -> None:
    table = rows(9000)
    keep = table["p"] > 0.3
    request = Request(LOSSES, "y", REQUEST.scores, where="p > 0.3")
    made = local.tally_files(str(folder / "whole.parquet"), request)
    assert made.to_bytes() == in_memory(REQUEST, {k: v[keep] for k, v in table.items()}).to_bytes()
    pyarrow = pytest.importorskip("pyarrow")
    frame = pyarrow.table({k: v for k, v in table.items() if k != "g"})
    assert local.tally_frame(frame, REQUEST).to_bytes() == in_memory(REQUEST).to_bytes()


# --- shards ---


def parts() -> list[Part]:
    table = rows(90)
    made = []
    for i in range(3):
        at = slice(30 * i, 30 * i + 30)
        made.append(Part(f"{i}", 30, in_memory(REQUEST, {k: v[at] for k, v in table.items()}).to_bytes()))
    return made


def test_a_task_that_ran_twice_counts_once() -> None:
    found = parts()
    names = ["0", "1", "2"]
    whole = in_memory(REQUEST, rows(90)).to_bytes()
    assert collect(found, names).to_bytes() == whole
    assert collect([found[2], found[0], found[1], found[0]], names).to_bytes() == whole


def test_missing_and_unlike_shards_are_refused() -> None:
    found = parts()
    with pytest.raises(ShardMissing, match="1 of 3"):
        collect(found[:2], ["0", "1", "2"])
    with pytest.raises(ShardMissing, match="not asked for"):
        collect(found, ["0", "1"])
    with pytest.raises(ShardTwice):
        collect([*found, Part("0", 29, found[1].data)], ["0", "1", "2"])


# --- fits ---


def table_to_fit(loss: losses.Loss, n: int = 3000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns in units far apart, targets that the loss takes, and weights of which some are zero."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3)) * [1, 100, 0.01] + [0, 500, 0]
    z = x @ [0.3, 0.002, 20] - 1.2
    if loss.is_classwise:
        y = rng.integers(0, 3, n) * (rng.random(n) < 0.8) + 0.0
    elif loss.is_binary:
        y = (rng.random(n) < 1 / (1 + np.exp(-z))) * 1.0
    else:
        y = {"poisson": rng.poisson(np.exp(z)), "gamma": rng.gamma(2, np.exp(z) / 2)}.get(
            str(loss).partition("(")[0], z + rng.standard_t(3, size=n)
        )
    return x, y, rng.integers(0, 3, n) / 2


@pytest.mark.parametrize(
    "loss",
    [
        losses.binary_cross_entropy(),
        losses.cross_entropy(),
        losses.squared_error(),
        losses.huber(),
        losses.log_cosh(),
        losses.poisson(),
        losses.gamma(),
    ],
    ids=repr,
)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_fit_over_shards_is_the_fit_of_all_rows(tmp_path: Path, loss: losses.Loss, weighted: bool) -> None:
    x, y, w = table_to_fit(loss)
    names = ["x0", "x1", "x2"]
    for i, part in enumerate(np.array_split(np.arange(3000), 3)):
        write({"y": y[part], "w": w[part], **{n: x[part, j] for j, n in enumerate(names)}}, tmp_path / f"{i}.parquet")
    weight = "w" if weighted else None
    found = gm.fit_linear(loss, "y", names, data=str(tmp_path / "*.parquet"), sample_weight=weight, alpha=0.01)
    whole = type(found)(loss, alpha=0.01, tol=1e-14, solver="newton").fit(x, y, w if weighted else None)
    scale = np.abs(whole.coef_).max()
    assert np.allclose(found.coef_, whole.coef_, rtol=1e-9, atol=1e-11 * scale)
    assert np.allclose(found.intercept_, whole.intercept_, rtol=1e-9, atol=1e-9)
    assert found.certificate_.objective == pytest.approx(whole.certificate_.objective, rel=1e-12)
    assert found.n_rows_ == (int((w > 0).sum()) if weighted else 3000)
    pandas = pytest.importorskip("pandas")
    new = pandas.DataFrame(x[:50], columns=names)
    assert np.allclose(found.raw(new), whole.raw(x[:50]), rtol=1e-9, atol=1e-9)


SPARSE = ["squared_error", "binary_cross_entropy", "cross_entropy", "poisson", "huber"]


@pytest.mark.parametrize("name", SPARSE)
@pytest.mark.parametrize("intercept", [True, False])
def test_costs_of_sizes_over_files_give_the_coefficients_and_the_zeros_of_memory(
    tmp_path: Path, name: str, intercept: bool
) -> None:
    loss, ratio = losses.catalogue()[name](), 1.0 if intercept else 0.4
    rng = np.random.default_rng(len(name))
    x = rng.normal(size=(3000, 8)) * np.geomspace(1, 3, 8) + intercept
    eta = (x - intercept) @ [1, -1, 0.5, 0, 0, 0, 0, 0]
    y = {
        "squared_error": eta + rng.normal(size=3000),
        "huber": eta + rng.standard_t(2, 3000),
        "binary_cross_entropy": (rng.random(3000) < 1 / (1 + np.exp(-eta))).astype(float),
        "cross_entropy": np.argmax(np.column_stack([eta, -eta, 0 * eta]) + rng.gumbel(size=(3000, 3)), axis=1).astype(
            float
        ),
        "poisson": rng.poisson(np.exp(eta / 2)).astype(float),
    }[name]
    names = [f"x{j}" for j in range(8)]
    for i, part in enumerate(np.array_split(np.arange(3000), 3)):
        write({"y": y[part], **{n: x[part, j] for j, n in enumerate(names)}}, tmp_path / f"{i}.parquet")
    given = {"alpha": 0.1, "l1_ratio": ratio, "fit_intercept": intercept}
    found = gm.fit_linear(loss, "y", names, data=str(tmp_path / "*.parquet"), **given)
    whole = type(found)(loss, tol=1e-14, **given).fit(x, y)
    assert np.array_equal(found.coef_ == 0, whole.coef_ == 0)
    assert 0 < (found.coef_ == 0).sum() < found.coef_.size
    assert np.allclose(found.coef_, whole.coef_, rtol=1e-9, atol=1e-10 * np.abs(whole.coef_).max())
    # What is added to the constants of all classes moves no probability.
    common = np.mean(np.subtract(found.intercept_, whole.intercept_)) if loss.is_classwise else 0.0
    assert np.allclose(np.subtract(found.intercept_, common), whole.intercept_, rtol=1e-9, atol=1e-9)
    assert found.certificate_.objective == pytest.approx(whole.certificate_.objective, rel=1e-12)
    assert found.certificate_.method == whole.certificate_.method
    assert found.certificate_.gap <= 1e-11 * abs(found.certificate_.objective)
    assert found.n_passes_ < 25


def test_what_cannot_be_fitted_over_shards_is_refused() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    x = np.linspace(0, 1, 50)
    frame = pyarrow.table(
        {"x": x, "y": x * 2, "hit": (x > 0.5) * 1.0, "gap": np.where(x > 0.9, np.nan, x), "none": 0 * x}
    )
    smooth = losses.squared_error()
    for fit, code in [
        (lambda: gm.fit_linear(losses.absolute_error(), "y", ["x"], data=frame), "GM009"),
        (lambda: gm.fit_linear(losses.cauchy(), "y", ["x"], data=frame, alpha=0.1, l1_ratio=1.0), "GM009"),
        (lambda: gm.fit_linear(smooth, "y", ["x"], data=frame, alpha=0.1, l1_ratio=2.0), "GM009"),
        (lambda: gm.fit_linear(smooth, "y", [], data=frame), "GM009"),
        (lambda: gm.fit_linear(smooth, "y", ["z"], data=frame), "GM203"),
        (lambda: gm.fit_linear(smooth, "y", ["gap"], data=frame), "GM702"),
        (lambda: gm.fit_linear(losses.gamma(), "y", ["x"], data=frame), "GM004"),
        (lambda: gm.fit_linear(smooth, "y", ["x"], data=frame, sample_weight="none"), "GM005"),
        (lambda: gm.fit_linear(smooth, "y", ["x"], data="never.csv"), "GM201"),
        (lambda: gm.fit_linear(smooth, "y", ["x"], data="never.csv", engine="ray"), "GM009"),
        (lambda: gm.fit_linear(losses.binary_cross_entropy(), "hit", ["x"], data=frame), "GM726"),
    ]:
        with pytest.raises(Problem) as refused:
            fit()
        assert refused.value.code == code
    told = gm.fit_linear(losses.binary_cross_entropy(), "hit", ["x"], data=frame, alpha=1e-6)  # as the last one says
    assert told.predict(frame.select(["x"]).to_pandas()).tolist() == frame["hit"].to_pylist()


# --- bad input ---


def test_an_empty_shard_adds_nothing(folder: Path, tmp_path: Path) -> None:
    write(rows(9000), tmp_path / "a.parquet")
    with duckdb.connect() as connection:
        connection.execute(f"COPY (FROM '{tmp_path / 'a.parquet'}' LIMIT 0) TO '{tmp_path / 'b.parquet'}'")
    assert local.tally_files(str(tmp_path / "*.parquet"), EVERYTHING).to_bytes() == in_memory().to_bytes()


def test_a_bad_row_stops_the_reading(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table, opened = rows(50), []
    write(table | {"p": table["p"] + 1}, tmp_path / "01.parquet")
    for i in (0, *range(2, 21)):
        (tmp_path / f"{i:02}.parquet").write_bytes((folder / "whole.parquet").read_bytes())
    open_one = local.alone
    monkeypatch.setattr(local, "alone", lambda *given: opened.append(given[1]) or open_one(*given))
    with pytest.raises(ScoreOutsideUnitInterval) as refused:
        local.tally_files(str(tmp_path / "*.parquet"), REQUEST)
    assert "01.parquet" in refused.value.where
    assert len(opened) < 21


@pytest.mark.parametrize(("damage", "code"), [("cut", "GM202"), ("not parquet", "GM202"), ("other columns", "GM724")])
def test_a_damaged_file_is_named_and_nothing_is_summed(folder: Path, tmp_path: Path, damage: str, code: str) -> None:
    data = (folder / "whole.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(data)
    bad = tmp_path / "b.parquet"
    if damage == "other columns":
        write({"y": np.zeros(3), "score": np.zeros(3)}, bad)
    else:
        bad.write_bytes(data[: len(data) // 2] if damage == "cut" else b"never a table")
    with pytest.raises(Problem) as refused:
        local.tally_files(str(tmp_path / "*.parquet"), REQUEST)
    assert "b.parquet" in refused.value.where
    assert refused.value.code == code


def test_bad_rows_of_a_file_are_named(tmp_path: Path) -> None:
    table = rows(50)
    table["p"][7] = 5.75
    write(table, tmp_path / "a.csv")
    with pytest.raises(ScoreOutsideUnitInterval, match=r"5\.75") as refused:
        local.tally_files(str(tmp_path / "a.csv"), REQUEST)
    assert "a.csv" in refused.value.where
    table["p"][7] = math.nan
    write(table, tmp_path / "b.parquet")
    assert local.tally_files(str(tmp_path / "b.parquet"), REQUEST).excluded == {"missing score": 1}
    with pytest.raises(NoSuchFile):
        local.tally_files(str(tmp_path / "c*.parquet"), REQUEST)


# --- what columns hold ---


def csv_of(**columns: list[str]) -> str:
    return "\n".join([",".join(columns), *map(",".join, zip(*columns.values(), strict=True)), ""])


@pytest.mark.parametrize("words", [("true", "false"), ("True", "FALSE"), ("1", "0"), ("1.0", "0e0")])
def test_true_and_false_are_a_target_as_1_and_0_are(tmp_path: Path, words: tuple[str, str]) -> None:
    table = rows(60)
    cells = {"y": [words[0] if one else words[1] for one in table["y"]], "p": [repr(float(p)) for p in table["p"]]}
    cells["q"] = [repr(float(q)) for q in table["q"]]
    cells["y"][3] = ""
    (tmp_path / "t.csv").write_text(csv_of(**cells))
    kept = {name: np.delete(values, 3) for name, values in table.items()}
    for where in (None, "p >= 0"):
        made = local.tally_files(str(tmp_path / "t.csv"), Request(LOSSES, "y", REQUEST.scores, where=where))
        assert made.excluded == {"missing target": 1}
        assert made.risk().value == in_memory(REQUEST, kept).risk().value


@pytest.mark.parametrize(
    "kind",
    ["bool", "int8", "uint64", "decimal128(21, 2)", "float", "dictionary<values=string, indices=int8>", "string"],
)
def test_numbers_of_any_type_are_numbers(tmp_path: Path, kind: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"decimal128(21, 2)": pa.decimal128(21, 2), "dictionary<values=string, indices=int8>": pa.string()}
    table = rows(60)
    y = pa.array(table["y"].astype(bool) if kind == "bool" else table["y"].astype(int), from_pandas=True)
    texts = kind in ("string", "dictionary<values=string, indices=int8>")
    y = y.cast(
        pa.string()
        if texts
        else types.get(kind) or getattr(pa, {"float": "float32", "bool": "bool_"}.get(kind, kind))()
    )
    if kind.startswith("dictionary"):
        y = y.dictionary_encode()
    p = pa.array(np.round(table["p"], 2))
    p = p.cast(pa.decimal128(21, 2)) if kind.startswith("decimal") else p.cast(pa.string()) if kind == "string" else p
    pq.write_table(pa.table({"y": y, "p": p}), tmp_path / "t.parquet")
    request = Request(LOSSES, "y", (("a", ("p",)),))
    exact = tally(list(LOSSES), table["y"], prediction={"a": np.round(table["p"], 2)})
    assert local.tally_files(str(tmp_path / "t.parquet"), request).to_bytes() == exact.to_bytes()


@pytest.mark.parametrize("cells", ["date", "bool", "list"])
def test_what_is_no_number_is_named_with_its_first_cell(tmp_path: Path, cells: str) -> None:
    values = {"date": "DATE '2020-01-01'", "bool": "true", "list": "[1]"}[cells]
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 1 AS y, {values} AS p FROM range(3)) TO '{tmp_path / 't.parquet'}'")
    with pytest.raises(Problem) as refused:
        local.tally_files(str(tmp_path / "t.parquet"), Request(LOSSES, "y", (("a", ("p",)),)))
    assert refused.value.code == "GM206"
    assert "row 1, column 'p'" in refused.value.where


def test_a_column_has_one_role() -> None:
    for more in ({"group": "y"}, {"cluster": "p"}, {"weight": "y"}):
        with pytest.raises(UsageError, match="at once"):
            Request(LOSSES, "y", (("a", ("p",)),), **more)


# --- conditions ---


def test_a_condition_means_the_same_in_every_file_and_on_every_worker(tmp_path: Path) -> None:
    import pickle

    table = rows(40)
    for name, code in (("a", "007"), ("b", "x7")):  # in the first file alone, codes look like numbers
        cells = {"y": [f"{y:g}" for y in table["y"]], "p": [repr(float(p)) for p in table["p"]], "code": [code] * 40}
        (tmp_path / f"{name}.csv").write_text(csv_of(**cells))
    request = Request(LOSSES, "y", (("a", ("p",)),), where="code = '007'")
    source = str(tmp_path / "*.csv")
    assert local.tally_files(source, request).n == 40
    settled = pickle.loads(pickle.dumps(local.settled(request, source)))
    assert [local.part_of(str(tmp_path / f"{name}.csv"), settled).rows for name in "ab"] == [40, 0]
    with pytest.raises(EmptyTable, match="has no rows where code = '7'"):
        local.tally_files(source, Request(LOSSES, "y", request.scores, where="code = '7'"))


def test_a_condition_on_a_frame_is_held_to_the_same_rules(folder: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = rows(900)
    frame = pyarrow.table(table)
    made = local.tally_frame(frame, Request(LOSSES, "y", REQUEST.scores, where="p > 0.3 AND g = 'north'"))
    keep = (table["p"] > 0.3) & (table["g"] == "north")
    assert made.to_bytes() == in_memory(REQUEST, {k: v[keep] for k, v in table.items()}).to_bytes()
    for bad in ("zz > 1", "p > (SELECT 0)", f"p IN (FROM read_csv('{folder / 'whole.csv'}'))", "p) OR (q"):
        with pytest.raises(UsageError, match="cannot be used"):
            local.tally_frame(frame, Request(LOSSES, "y", REQUEST.scores, where=bad))
    with pytest.raises(EmptyTable, match="frame has no rows where p > 2"):
        local.tally_frame(frame, Request(LOSSES, "y", REQUEST.scores, where="p > 2"))
