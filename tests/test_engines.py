"""Do all engines give the bits of one pass in memory, and refuse what cannot be counted?"""

from __future__ import annotations

import math
from pathlib import Path

import duckdb
import numpy as np
import pytest

from goodmeasure import losses
from goodmeasure.engines import duckdb as local
from goodmeasure.engines.request import Request
from goodmeasure.errors import Problem
from goodmeasure.reading.tables import NoSuchFile
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


@pytest.mark.parametrize("loss", [losses.binary_cross_entropy(), losses.squared_error(), losses.huber()], ids=repr)
def test_a_fit_over_shards_is_the_fit_of_all_rows(tmp_path: Path, loss: losses.Loss) -> None:
    from goodmeasure.engines.linear import fit_linear
    from goodmeasure.fitting.fit import LossRegressor

    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 3)) * [1, 100, 0.01] + [0, 500, 0]
    z = x @ [1, 0.02, -30] - 10
    y = (rng.random(3000) < 1 / (1 + np.exp(-z))) * 1.0 if loss.is_binary else z + rng.normal(size=3000)
    for i, part in enumerate(np.array_split(np.arange(3000), 4)):
        write({"y": y[part], **{f"x{j}": x[part, j] for j in range(3)}}, tmp_path / f"{i}.parquet")
    found = fit_linear(str(tmp_path / "*.parquet"), loss, "y", ["x0", "x1", "x2"], alpha=0.01)
    assert found.rows == 3000
    penalty = 0.005 * float(found.coefficients @ found.coefficients)
    assert found.objective == pytest.approx(float(loss(y, found.raw(x))) + penalty, rel=1e-12)
    if not loss.is_binary:
        model = LossRegressor(loss, alpha=0.01).fit(x, y)
        assert found.coefficients == pytest.approx(model.coef_, rel=1e-4)
    else:
        linear = pytest.importorskip("sklearn.linear_model")
        model = linear.LogisticRegression(C=1 / (0.01 * 3000), tol=1e-10, solver="newton-cholesky", max_iter=500).fit(
            x, y
        )
        theirs = float(loss(y, model.decision_function(x))) + 0.005 * float(np.sum(model.coef_**2))
        assert found.objective <= theirs + 1e-8


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
