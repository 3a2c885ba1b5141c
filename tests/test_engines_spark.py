"""Does Spark give the bits of one pass: of files, of frames, and of tasks that fail, die or run twice?"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import goodmeasure as gm
from goodmeasure import losses
from goodmeasure.cli.score import command
from goodmeasure.engines import clusters, dask, spark
from goodmeasure.engines import duckdb as local
from goodmeasure.engines.request import Request
from goodmeasure.engines.shard import Shard
from goodmeasure.errors import MissingExtra, Problem, UsageError
from goodmeasure.reading.tables import EmptyTable, NoSuchColumn, NoSuchFile
from goodmeasure.tallying.shards import Part
from test_all_rows import files as files
from test_all_rows import same_model
from turns import at_night

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")

if shutil.which("java") is None and not os.environ.get("CI"):
    pytest.skip("there is no Java here to run Spark", allow_module_level=True)

LOSSES = [losses.binary_cross_entropy(), losses.binary_brier()]
TWO = {"a": "p", "b": "q"}
REQUEST = Request(tuple(LOSSES), "y", (("a", ("p",)), ("b", ("q",))))


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """The one session of this module, made as the command line makes its own."""
    pytest.importorskip("pyspark")
    with spark.started() as made:
        assert spark.active() is made
        yield made
    assert spark.active() is None


def rows(n: int = 2000) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(n)
    p = rng.random(n)
    k = rng.dirichlet(np.ones(3), n)
    return {
        "y": (rng.random(n) < p) * 1.0,
        "p": p,
        "q": p**2,
        "w": rng.integers(1, 4, n) / 3,
        "g": rng.choice(["north", "south"], n),
        "c": rng.integers(0, 50, n),
        "class": rng.integers(0, 3, n),
        **{f"k.{i}": k[:, i] for i in range(3)},
        "amount": rng.gamma(2, size=n),
        "guess": rng.gamma(2, size=n),
    }


@pytest.fixture(scope="module")
def frame(session: Any) -> Any:
    """The rows in five partitions, in no order, of which some may be empty."""
    pyarrow = pytest.importorskip("pyarrow")
    return session.createDataFrame(pyarrow.table(rows())).repartition(5).cache()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The same rows in four files."""
    table = {name: rows()[name] for name in ("y", "p", "q")}
    for i, part in enumerate(np.array_split(np.arange(2000), 4)):
        lines = [",".join(map(repr, row)) for row in zip(*(v[part].tolist() for v in table.values()), strict=True)]
        (tmp_path / f"part-{i}.csv").write_text("\n".join([",".join(table), *lines]))
    return tmp_path


def in_memory() -> bytes:
    return gm.tally(LOSSES, rows()["y"], prediction={"a": rows()["p"], "b": rows()["q"]}).to_bytes()


# --- frames ---


@pytest.mark.parametrize(
    ("loss", "names"),
    [
        (LOSSES, {"y": "y", "prediction": TWO}),
        (LOSSES, {"y": "y", "prediction": "p", "sample_weight": "w", "group": "g", "cluster": "c"}),
        (losses.cross_entropy(), {"y": "class", "prediction": {"m": ["k.0", "k.1", "k.2"]}, "time": "c"}),
        at_night(losses.gamma(), {"y": "amount", "prediction": "guess"}, unless=False, id="amounts"),
        at_night(losses.huber(), {"y": "amount", "z": {"m": "guess"}, "sample_weight": "w"}, unless=False, id="raw"),
    ],
    ids=["outcomes", "everything", "classes", "amounts", "raw"],
)
def test_a_frame_gives_the_bits_of_one_pass(frame: Any, loss: Any, names: dict[str, Any]) -> None:
    table = rows()

    def columns(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: columns(each) for name, each in value.items()}
        return np.column_stack([table[name] for name in value]) if isinstance(value, list) else table[value]

    whole = gm.tally(loss, **{argument: columns(value) for argument, value in names.items()})
    assert gm.tally(loss, **names, data=frame).to_bytes() == whole.to_bytes()


def test_missing_cells_count_as_they_do_in_memory(session: Any) -> None:
    cells = [(1.0, 0.7), (None, 0.2), (0.0, None), (0.0, 0.4), (1.0, float("nan"))]
    made = gm.tally(LOSSES, "y", prediction="p", data=session.createDataFrame(cells, "y double, p double"))
    y, p = zip(*cells, strict=True)
    assert made.to_bytes() == gm.tally(LOSSES, list(y), prediction=list(p)).to_bytes()
    assert made.excluded == {"missing target": 1, "missing score": 2}


def test_what_cannot_be_counted_is_refused_by_name(session: Any, frame: Any) -> None:
    with pytest.raises(NoSuchColumn, match="no column 'P'"):
        gm.tally(LOSSES, "y", prediction="P", data=frame)
    with pytest.raises(UsageError, match="prediction is the name of a column"):
        gm.tally(LOSSES, "y", prediction=[0.1], data=frame)
    with pytest.raises(UsageError, match="is no frame"):
        gm.tally(LOSSES, "y", prediction="p", data=[1, 2])
    with pytest.raises(EmptyTable):
        gm.tally(LOSSES, "y", prediction="p", data=frame.filter("p > 5"))
    with pytest.raises(Problem, match="GM701") as refused:
        gm.tally(LOSSES, "y", prediction="far", data=frame.selectExpr("y", "p + 1 as far"))
    assert "partition " in refused.value.where
    with pytest.raises(Problem, match="holds texts") as refused:
        gm.tally(LOSSES, "g", prediction="p", data=frame)
    assert "a column of 0 and 1" in refused.value.fix


# --- files ---


def test_files_are_counted_by_the_session_that_is_there(session: Any, folder: Path) -> None:
    made = spark.tally_files(str(folder / "part-*.csv"), REQUEST)
    assert made.to_bytes() == in_memory()
    assert spark.active() is session, "who did not start a session does not end it"


def test_the_command_line_names_the_engine(session: Any, folder: Path) -> None:
    words = [str(folder / "part-*.csv"), "--y", "y", "--p", "p"]
    kept = [folder / "here.tally", folder / "spark.tally"]
    for more in (["--save", str(kept[0])], ["--save", str(kept[1]), "--engine", "spark"]):
        found = CliRunner().invoke(command, [*words, *more], catch_exceptions=False, standalone_mode=False)
        assert found.return_value == 0
    assert kept[0].read_bytes() == kept[1].read_bytes()


def test_a_frame_that_comes_first_is_told_with_the_call_that_was_meant(frame: Any) -> None:
    with pytest.raises(UsageError, match="the loss first") as caught:
        gm.tally(frame, LOSSES[0], y="y", prediction=TWO)
    assert eval(caught.value.fix, {"gm": gm, "frame": frame}).n == 2000


# --- a study ---


@pytest.mark.usefixtures("session")
def test_workers_fit_a_study_to_all_rows(files: str) -> None:
    same_model(files, "spark")


# --- the page ---


def test_the_page_on_clusters_runs_as_it_is_written(
    session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pandas, dd = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    distributed = pytest.importorskip("distributed")
    rng = np.random.default_rng(4)
    age, income = rng.uniform(18, 80, 600), rng.gamma(3, 9000, 600)
    better = 1 / (1 + np.exp(2 - age / 25 + income / 40_000))
    churned = (rng.random(600) < better) * 1.0
    table = {"age": age, "income": income, "better": better, "plain": better**2, "churned": churned}
    frame = pandas.DataFrame(table | {"region": np.where(age > 40, "north", "south")})
    (tmp_path / "data").mkdir()
    for i in range(3):
        frame[200 * i : 200 * (i + 1)].to_parquet(tmp_path / "data" / f"{i}.parquet")
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parent.parent / "docs" / "clusters.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {
        "dask_frame": dd.from_pandas(frame, npartitions=3),
        "spark_frame": session.read.parquet(str(tmp_path / "data")),
        "new_rows": frame[["age", "income"]],
    }
    with distributed.Client(processes=False, n_workers=1, **dask.UNSEEN):
        for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
            exec(block, names)
    alone = gm.LossClassifier(losses.binary_cross_entropy(), alpha=0.001, tol=1e-14, solver="newton")
    alone.fit(frame[["age", "income"]], churned)
    assert np.allclose(names["model"].coef_, alone.coef_, rtol=1e-9, atol=0)
    assert np.allclose(names["model"].intercept_, alone.intercept_, rtol=1e-9, atol=0)
    whole = gm.tally(
        losses.binary_cross_entropy(), churned, prediction={"old": better**2, "new": better}, group=frame["region"]
    )
    assert names["from_spark"].to_bytes() == whole.to_bytes()


# --- what goes wrong ---


def _ends_badly_once(shard: Shard, request: Request) -> Part:
    """A file: the first time that one is read its worker dies, and another cannot be opened."""
    mark = Path(f"{shard}.seen")
    if not mark.exists():
        mark.touch()
        if "part-1" in mark.name:
            os._exit(9)
        if "part-2" in mark.name:
            raise OSError("the disk is away")
    return local.part_of(shard, request)


def _fails(shard: Shard, request: Request) -> Part:
    raise OSError("the disk is away")


@pytest.fixture
def of_this_module(session: Any) -> Iterator[None]:
    """Tasks of this module travel as they are written: workers do not find it by its name."""
    from pyspark import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@pytest.mark.usefixtures("of_this_module")
def test_tasks_that_run_again_give_the_same_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "part_of", _ends_badly_once)
    assert spark.tally_files(str(folder / "part-*.csv"), REQUEST).to_bytes() == in_memory()
    assert len(list(folder.glob("*.seen"))) == 4


@pytest.mark.usefixtures("of_this_module")
def test_a_task_that_always_fails_is_an_error_of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "part_of", _fails)
    with pytest.raises(clusters.ClusterFailed, match="the disk is away"):
        spark.tally_files(str(folder / "part-1.csv"), REQUEST)


def test_a_file_that_goes_after_it_was_listed_is_named(session: Any, folder: Path) -> None:
    names = tuple(sorted(str(path) for path in folder.glob("part-*.csv")))
    Path(names[2]).unlink()
    with pytest.raises(NoSuchFile, match=r"part-2\.csv"):
        clusters.tally_shards(spark.SparkFiles(session, names), REQUEST)


def test_without_java_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    java = shutil.which("java")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtra, match="needs Java") as refused, spark.started():
        pass
    assert refused.value.fix == "apt-get install default-jre-headless"
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(MissingExtra, match="where bin/java is not"), spark.started():
        pass
    if java is not None:
        monkeypatch.setenv("PATH", str(Path(java).parent))
        with pytest.raises(MissingExtra) as refused, spark.started():
            pass
        assert refused.value.fix == "unset JAVA_HOME"
        monkeypatch.delenv("JAVA_HOME")
        spark._refuse_without_java()


FAILURES = {
    "ModuleNotFoundError: No module named 'pyarrow'": True,
    "PySparkImportError: [PACKAGE_NOT_INSTALLED] PyArrow >= 18.0.0 must be installed; however, it was not found.": True,
    "PySparkRuntimeError: [PYTHON_VERSION_MISMATCH] Python in worker has different version: 3.9 than 3.12": True,
    'Caused by: java.io.IOException: Cannot run program "/opt/python": error=2, No such file or directory': True,
    "java.lang.OutOfMemoryError: Java heap space": False,
}


@pytest.mark.parametrize(("said", "of_python"), FAILURES.items(), ids=range(len(FAILURES)))
def test_a_python_of_the_workers_that_lacks_something_is_told_from_memory(said: str, of_python: bool) -> None:
    with pytest.raises(clusters.ClusterFailed) as refused, spark._failing():
        raise OSError(f"An error occurred while calling o67.collectToPython.\n{said}\n at org.apache.spark.Task")
    assert said in refused.value.seen or not of_python
    assert ("memory" in refused.value.fix) != of_python
    if of_python:
        scope: dict[str, Any] = {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYSPARK_PYTHON", "/opt/python")
            exec(refused.value.fix, scope)
            assert os.environ["PYSPARK_PYTHON"] == sys.executable
