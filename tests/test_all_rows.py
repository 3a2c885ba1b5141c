"""Is the model of a study fitted to all rows of files that memory does not hold, where an engine is named, and to no row that is
reported?"""

from __future__ import annotations

import json
import pickle
import tracemalloc
from dataclasses import dataclass, fields, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.engines import dask
from goodmeasure.engines.summed_fits import _along, _At, _reach, _size, _sums, files_by
from goodmeasure.errors import Problem, UsageError
from goodmeasure.fitting.objective import Objective
from goodmeasure.fitting.scorers import LinearScorer
from goodmeasure.reading.files import MOST_CELLS, Reread, read
from goodmeasure.reading.tables import Table, UnreadableTable, missing
from goodmeasure.study.all_rows import AllRows, CodedRows, Engine, Reported
from goodmeasure.study.all_rows import _places as places_of
from goodmeasure.study.cases import Cases, Prepared, coded, prepared
from goodmeasure.study.encoding import Encoding, encoding
from goodmeasure.study.question import Question, loss_named

pyarrow = pytest.importorskip("pyarrow")
HERE = Engine("duckdb")
ROWS, FILES = 2000, 3


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Files of Parquet and CSV with numbers, gaps, dates, and labels that are written in several ways."""
    from pyarrow import csv, parquet

    place, rng = tmp_path_factory.mktemp("all_rows"), np.random.default_rng(0)
    for k in range(FILES):
        x = rng.normal(size=(ROWS, 2))
        x[rng.random((ROWS, 2)) < 0.05] = np.nan
        colour = rng.choice(["red", "green", "blue ", "Red"], ROWS, p=[0.4, 0.3, 0.2, 0.1])
        z = np.nan_to_num(x) @ [1.0, -1.0] + (colour == "green")
        answer = np.where(rng.random(ROWS) < 1 / (1 + np.exp(-z)), "yes", "no").astype(object)
        answer[rng.random(ROWS) < 0.02] = None
        day = np.datetime64("2020-01-01") + rng.integers(0, 500, ROWS)
        table = pyarrow.table(
            {
                "a": pyarrow.array(x[:, 0], from_pandas=True),
                "b": pyarrow.array(x[:, 1], from_pandas=True),
                "colour": colour,
                "answer": answer,
                "amount": np.exp(0.3 * z + 0.3 * rng.normal(size=ROWS)),
                "count": rng.poisson(np.exp(0.3 * z)),
                "weight": rng.integers(0, 3, ROWS).astype(float),
                "person": [f"p{i}" for i in rng.integers(0, 300, ROWS)],
                "day": day.astype("datetime64[s]"),
            }
        )
        if k == 1:
            csv.write_csv(table, place / f"{k}.csv")
        else:
            parquet.write_table(table, place / f"{k}.parquet")
    return str(place / "*")


CASES: dict[str, dict[str, Any]] = {
    "yes or no": {"target": "answer", "exclude": ("amount", "count", "day", "person")},
    "weights": {"target": "answer", "weights": "weight", "exclude": ("amount", "count", "person")},
    "a condition": {"target": "amount", "where": "a > -1", "exclude": ("answer", "count", "person")},
    "a count": {"target": "count", "exclude": ("answer", "amount", "day", "person")},
    "huber": {"target": "amount", "loss": "huber", "exclude": ("answer", "count", "day", "person")},
    "classes": {"target": "colour", "weights": "weight", "exclude": ("answer", "day", "person")},
    "groups": {"target": "answer", "group": "person", "exclude": ("amount", "count", "day")},
    "time": {"target": "amount", "time": "day", "exclude": ("answer", "count", "person")},
    "both": {"target": "amount", "time": "day", "group": "person", "exclude": ("answer", "count")},
}


def question(**asked: Any) -> Question:
    """What is asked, with the rest as `run` has it."""
    usual = {"learn_time": False, "model": "linear", "protocol": "holdout", "seed": 0}
    empty = dict.fromkeys(("exclude", "floors", "shift", "by"), ())
    given = {**dict.fromkeys(each.name for each in fields(Question)), **usual, **empty, **asked}
    return Question(**{**given, "loss": loss_named(given["loss"])})


@dataclass(frozen=True)
class Fitted:
    """A fit to all rows, and what it is held to: the table that a sample was taken of, and the rows that may teach."""

    asked: Question
    whole: Table
    given: Prepared
    encoding: Encoding
    scorer: LinearScorer
    count: int
    taught: np.ndarray

    @property
    def cases(self) -> Cases:
        """The rows that may teach, as one process has them."""
        some = self.whole.take(self.taught)
        target = self.whole[self.asked.target][self.taught]
        if self.given.plan.labels:  # in the spelling of the sample
            target = np.array([{"Red": "red"}.get(each, each) for each in target], dtype=object)
        weight = None if self.asked.weights is None else some[self.asked.weights]
        return Cases(some, coded(target, self.given.plan), weight)


def fitted(files: str, engine: Engine = HERE, cells: int = MOST_CELLS, ratio: float = 1.0, **asked: Any) -> Fitted:
    """A fit to all rows where only so many cells are held in memory."""
    where = asked.pop("where", None)
    one = question(**asked)
    whole, table = (read(files, where=where, weight=one.weights, most_cells=most) for most in (MOST_CELLS, cells))
    given = prepared(table, one)
    matrix = encoding(given.fitted.table, given.columns.features)
    found, count = AllRows(engine, table, where, is_whole=False).fit(
        given, one, given.plan.loss, matrix, given.fitted, 1e-3, ratio
    )
    keep = ~np.isin(np.arange(len(whole)), np.setdiff1d(places_of(table), given.fitted.table.places))
    keep &= ~missing(whole[one.target])
    if one.weights:
        keep &= whole[one.weights] > 0
    if one.group:
        keep &= ~np.isin(whole[one.group].astype(str), given.report.table[one.group].astype(str))
    if one.time:
        keep &= whole[one.time] < given.report.when.min()
    return Fitted(one, whole, given, matrix, found.scorer, count, keep)


def off(found: Fitted, ratio: float = 1.0) -> float:
    """How far the coefficients are from those of one process that held all rows: one step of Newton's method there."""
    cases, loss = found.cases, found.given.plan.loss
    x, outputs = found.encoding(cases.table), len(found.scorer.intercepts)
    y = cases.y.astype(np.intp if loss.is_classwise else np.float64)
    weight = cases.weights * np.where(cases.y == 1, ratio, 1.0)
    objective = Objective.in_frame(loss, y, x, weight=weight, intercept=True, outputs=outputs)
    theta = np.vstack([found.scorer.coefficients.T, found.scorer.intercepts])
    penalty = np.zeros(theta.shape)
    penalty[:-1] = 1e-3
    slope = objective.value_and_gradient(theta)[1] + penalty * theta
    bend = np.asarray(objective.curvature(theta)) + np.diag(penalty.ravel())
    # Constants of classes may move together: the least step does not.
    return float(np.abs(np.linalg.lstsq(bend, slope.ravel(), rcond=1e-12)[0]).max())


@pytest.mark.parametrize("case", CASES)
def test_the_model_is_the_one_of_a_process_that_holds_all_rows(files: str, case: str) -> None:
    found = fitted(files, cells=1500 * 9, **CASES[case])
    assert len(found.given.report) < 600 < 1000 < found.count == found.taught.sum()
    assert off(found) < 1e-9


def test_where_all_rows_are_in_memory_it_is_the_model_of_those_to_fit_and_to_tune(files: str) -> None:
    found = fitted(files, ratio=4.0, **CASES["weights"])
    assert found.count == len(found.given.fitted) == found.taught.sum()
    assert off(found, ratio=4.0) < 1e-9 < off(found)


def test_a_shard_is_coded_in_bounded_memory(tmp_path: Path) -> None:
    """Four times the rows take no more memory."""
    from pyarrow import parquet

    peaks = []
    for rows in (200_000, 800_000):
        rng = np.random.default_rng(0)
        columns = {f"x{k}": rng.normal(size=rows) for k in range(4)}
        parquet.write_table(pyarrow.table({**columns, "y": rng.normal(size=rows)}), tmp_path / "t.parquet")
        del columns
        path = str(tmp_path / "t.parquet")
        table = read(path, most_cells=5000)
        asked = question(target="y")
        given = prepared(table, asked)
        matrix = encoding(given.fitted.table, given.columns.features)
        reread = Reread.of(path, table, None, None)
        shard = CodedRows(given.plan.loss, matrix, reread, asked, given.plan, None, None, {path: np.arange(9)}, 1.0)
        tracemalloc.start()
        assert sum(len(y) for _, y, _ in shard.of(path)) == rows - 9
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] < 30e6


def test_files_that_change_are_told(files: str) -> None:
    asked = question(**CASES["yes or no"])
    table = read(files, most_cells=1500 * 9)
    given = prepared(table, asked)
    fewer = replace(table, rows_in_source=5999)
    with pytest.raises(UnreadableTable, match="has changed"), files_by(files, "duckdb", None) as shards:
        AllRows(HERE, fewer, None, is_whole=False)._out(shards, Reread.of(files, table, None, None), given.fitted)


def test_the_command_says_how_many_rows_taught_it(
    files: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(import_module("goodmeasure.study.run"), "read", partial(read, most_cells=1500 * 9))
    words = ["run", files, "--target", "amount", "--exclude", "answer", "--exclude", "person", "--seed", "3"]
    assert status_of([*words, "--out", "sampled", "--json"]) == 0
    sampled = json.loads(capsys.readouterr().out)
    assert sampled["training"]["engine"] is None
    (remark,) = (each for each in sampled["remarks"] if each["code"] == "GM207")
    option = remark["fix"].split(" fits")[0].split()
    assert status_of([*words, *option, "--out", "all"]) == 0
    said = capsys.readouterr().out
    found = json.loads(Path("all/report.json").read_text())
    rows = found["training"]["rows"]
    assert found["training"]["engine"] == "duckdb"
    assert 5000 < rows < 6000
    assert f"fitted to {rows:,} rows by duckdb" in " ".join(said.split())
    assert f"{rows:,} rows" in " ".join(Path("all/report.html").read_text().split())
    assert sampled["training"]["rows"] == sampled["rows"]["fit"] + sampled["rows"]["tune"] < 1500
    # The rows that judge are the same, and intervals of coefficients are those of more rows.
    assert found["rows"] == sampled["rows"]
    assert found["risk"]["report"]["n"] == sampled["risk"]["report"]["n"]
    again = (tmp_path / "all" / "model.md").read_text()
    assert "--engine duckdb" in again + Path("all/report.html").read_text()
    narrow, wide = (
        {each["name"]: each for one in report["effects"]["columns"] for each in one["coefficients"]}
        for report in (found, sampled)
    )
    for name in narrow:
        ratio = (narrow[name]["high"] - narrow[name]["low"]) / (wide[name]["high"] - wide[name]["low"])
        assert ratio == pytest.approx((sampled["training"]["rows"] / rows) ** 0.5, rel=0.2), name


REFUSED: dict[str, tuple[Any, dict[str, Any]]] = {
    "boosting": ({}, {"model": "boosting"}),
    "one of two": ({}, {"model": ["linear", "network"]}),
    "a floor": ({}, {"floors": "recall=0.9"}),
    "an exposure": ({}, {"exposure": "weight"}),
    "another place": ({}, {"prevalence": 0.3}),
    "rows like others": ({}, {"like": {"a": [1.0, 2.0]}}),
    "kinks": ({"target": "amount"}, {"loss": "absolute_error"}),
    "no engine": ({}, {"engine": "flink"}),
    "a scheduler alone": ({}, {"engine": None, "scheduler": "tcp://127.0.0.1:1"}),
    "a scheduler here": ({}, {"scheduler": "tcp://127.0.0.1:1"}),
    "rows in memory": ({"data": {"a": [1.0, 2.0], "answer": ["no", "yes"]}}, {}),
    "standard input": ({"data": "-"}, {}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_fitted_to_all_rows_is_refused_by_name(files: str, case: str) -> None:
    named, asked = REFUSED[case]
    with pytest.raises(UsageError) as caught:
        gm.run(named.get("data", files), named.get("target", "answer"), **{"engine": "duckdb", **asked})
    assert caught.value.fix
    assert "engine" in f"{caught.value.what} {caught.value.fix}"


def test_a_row_that_cannot_teach_is_told_with_its_file(files: str, tmp_path: Path) -> None:
    """A label that no row in memory has is in another file."""
    from pyarrow import parquet

    path = str(tmp_path / "*.parquet")

    def write(strange: int | None) -> Table:
        labels = np.array(["yes", "no"])[np.arange(2000) % 2].astype(object)
        labels[[] if strange is None else [strange]] = "perhaps"
        for k in range(2):
            part = {"x": np.arange(1000.0) % 7, "y": labels[1000 * k :][:1000]}
            parquet.write_table(pyarrow.table(part), tmp_path / f"{k}.parquet")
        return read(path, most_cells=2000)

    table = write(int(np.setdiff1d(np.arange(1000, 2000), write(None).places)[0]))
    assert "perhaps" not in table["y"].tolist()
    asked = question(target="y")
    given = prepared(table, asked)
    matrix = encoding(given.fitted.table, given.columns.features)
    with pytest.raises(Problem, match="perhaps") as caught:
        AllRows(HERE, table, None, is_whole=False).fit(given, asked, given.plan.loss, matrix, given.fitted, 1e-3, 1.0)
    assert caught.value.code == "GM703"
    assert "1.parquet" in caught.value.where


def same_model(files: str, engine: str) -> None:
    """An engine fits the model that this process does."""
    named = {**CASES["weights"], "target": "amount", "exclude": ("answer", "person"), "loss": "squared_error"}
    here, there = (fitted(files, Engine(name), cells=1500 * 9, **named) for name in ("duckdb", engine))
    assert here.count == there.count == there.taught.sum()
    assert np.abs(here.scorer.coefficients - there.scorer.coefficients).max() < 1e-9
    assert np.abs(here.scorer.intercepts - there.scorer.intercepts).max() < 1e-9


def test_workers_of_dask_fit_the_same_model(files: str) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.Client(processes=False, n_workers=1, threads_per_worker=1, **dask.UNSEEN):
        same_model(files, "dask")


def test_what_goes_to_workers_comes_back_as_it_was(files: str) -> None:
    """In another process rows are coded as here."""
    table, asked = read(files, most_cells=1500 * 9), question(**CASES["both"])
    given = prepared(table, asked)
    matrix = encoding(given.fitted.table, given.columns.features)
    reread = Reread.of(files, table, "a > -1", None)
    out = dict.fromkeys(reread.names, np.empty(0, dtype=np.intp))
    rows = CodedRows(given.plan.loss, matrix, reread, asked, given.plan, None, Reported.of(given, asked), out, 1.0)
    for name in reread.names:
        for one, other in zip(rows.of(name), pickle.loads(pickle.dumps(rows)).of(name), strict=True):
            assert all(map(np.array_equal, one, other))


class Unreadable:
    """Rows of a shard that went away after it was read the first time."""

    def of(self, shard: str) -> Any:
        raise UnreadableTable("it is gone")


@pytest.mark.parametrize(
    "ask", [_sums, _size, _reach, partial(_along, ways=np.ones((1, 1)))], ids=["sums", "size", "reach", "along"]
)
def test_whatever_a_fit_asks_of_rows_a_lost_shard_is_named(ask: Any) -> None:
    none = np.zeros(1)
    with pytest.raises(UnreadableTable) as caught:
        ask("part-7.parquet", _At(Unreadable(), np.zeros((1, 1)), none, none + 1))
    assert caught.value.where == "part-7.parquet"
