"""Spark as the cluster: one task a file or a partition, by ``mapInArrow``, summed where it was asked for."""

from __future__ import annotations

import os
import pickle
import shutil
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from goodmeasure.engines import clusters
from goodmeasure.engines.clusters import RETRIES, WORKERS, ClusterFailed
from goodmeasure.engines.duckdb import Source
from goodmeasure.engines.request import Request
from goodmeasure.engines.shard import Partition, Shards, Task
from goodmeasure.errors import MissingExtra, Problem
from goodmeasure.strict.extras import needed
from goodmeasure.tallying.tally import Tally

# What a task sends back: which shard, and its answer, or the problem with its rows.
_ANSWER = "shard int, answer binary"
# A session of our own has no page of its own and no bar over what is printed.
_QUIET = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}
# Workers run a Python that lacks what a task needs, is of another version, or is not there.
_OF_THEIR_PYTHON = (
    "No module named",
    "PACKAGE_NOT_INSTALLED",
    "UNSUPPORTED_PACKAGE_VERSION",
    "PYTHON_VERSION_MISMATCH",
    "Cannot run program",
)
JAVA = "apt-get install default-jre-headless"


def tally_files(source: Source, request: Request, *, scheduler: str | None = None, session: Any = None) -> Tally:
    """The tally of all files that a pattern matches, made by Spark.

    ``session`` is a ``SparkSession``; else one is made for ``scheduler``, a master's address (``spark://...``) or that of
    Spark Connect (``sc://...``); else the program's own is taken, or two workers are started on this machine. A task that
    fails, or whose worker dies, runs again and gives the same bytes.
    """
    return clusters.tally_files(source, request, partial(files, scheduler=scheduler, session=session))


@dataclass(frozen=True)
class SparkFiles:
    """Files that the workers of a session read, a task each."""

    session: Any
    names: tuple[str, ...]

    def map(self, task: Task, given: Any) -> list[Any]:
        """What a task makes of each file, in their order. Errors: those of the task, or GM725."""
        names = self.names

        def each(batches: Iterable[Any]) -> Iterator[Any]:
            for batch in batches:
                for at in batch.column(0).to_pylist():
                    yield _answered(at, partial(task, names[at], given))

        # A row a file and a partition a row: Spark neither splits nor joins them.
        count = len(names)
        return _collected(self.session.range(0, count, 1, count), each)


@dataclass(frozen=True)
class SparkFrame:
    """The partitions of some columns of a frame of Spark, a task each."""

    frame: Any
    columns: tuple[str, ...]
    names: None = None

    def map(self, task: Task, given: Any) -> list[Any]:
        """What a task makes of each partition, in their order. Errors: those of the task, or GM725."""
        columns = list(self.columns)

        def each(batches: Iterable[Any]) -> Iterator[Any]:
            from pyspark import TaskContext

            at = TaskContext.get().partitionId()
            yield _answered(at, lambda: task(Partition(f"partition {at}", _table(batches, columns)), given))

        # Of a frame that Spark knows to be empty it makes no partition.
        return _collected(self._selected, each) or [task(Partition("partition 0", _table((), columns)), given)]

    @property
    def _selected(self) -> Any:
        """The columns by numbers: ``mapInArrow`` takes a name with a dot for one of a part of a column."""
        quoted = (name.replace("`", "``") for name in self.columns)
        return self.frame.select([self.frame[f"`{name}`"].alias(f"c{i}") for i, name in enumerate(quoted)])


def _table(batches: Iterable[Any], columns: list[str]) -> Any:
    """The rows of a partition; of none, columns without rows."""
    import pyarrow

    held = list(batches)
    if held:
        return pyarrow.Table.from_batches(held).rename_columns(columns)
    return pyarrow.table({name: pyarrow.array([], pyarrow.float64()) for name in columns})


def _answered(at: int, ask: Callable[[], Any]) -> Any:
    """A task's answer as a row. A problem with the rows is one too: it would be the same if the task ran again."""
    import pyarrow

    try:
        answer = ask()
    except Problem as problem:
        answer = problem
    shard, data = pyarrow.array([at], pyarrow.int32()), pyarrow.array([pickle.dumps(answer)], pyarrow.binary())
    return pyarrow.RecordBatch.from_arrays([shard, data], names=["shard", "answer"])


def _collected(frame: Any, each: Callable[[Iterable[Any]], Iterator[Any]]) -> list[Any]:
    """The answers of all tasks in the order of their shards. Errors: those of the tasks, or GM725."""
    with _failing(), _without_advice():
        rows = frame.mapInArrow(each, _ANSWER).collect()
    # Only what our own tasks sent over the session's own channel is unpickled.
    answers = [pickle.loads(row["answer"]) for row in sorted(rows, key=lambda row: row["shard"])]
    for answer in answers:
        if isinstance(answer, Problem):
            raise answer
    return answers


@contextmanager
def files(names: tuple[str, ...], *, scheduler: str | None = None, session: Any = None) -> Iterator[Shards]:
    """Files on the session that was named, that the program has, or that is started for them. Errors: GM008, GM725."""
    known = session if session is not None or scheduler is not None else active()
    if known is not None:
        yield SparkFiles(known, names)
    else:
        with started(scheduler) as own:
            yield SparkFiles(own, names)


def active() -> Any:
    """The session that the program has made for itself; None without one."""
    return needed("pyspark.sql", "the spark engine").SparkSession.getActiveSession()


@contextmanager
def started(scheduler: str | None = None, workers: int = WORKERS) -> Iterator[Any]:
    """A session of a cluster, or of that many workers on this machine, which ends with the block. Errors: GM008, GM725."""
    builder = needed("pyspark.sql", "the spark engine").SparkSession.builder.appName("goodmeasure")
    if scheduler is not None and scheduler.startswith("sc://"):
        builder = builder.remote(scheduler)
    else:
        _refuse_without_java()
        # Workers run what this process runs.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = builder.master(scheduler or f"local[{workers},{RETRIES + 1}]")
        for name, value in _QUIET.items() if scheduler is None else ():
            builder = builder.config(name, value)
    with _failing(scheduler), _without_advice():
        session = builder.getOrCreate()
    try:
        yield session
    finally:
        session.stop()


def _refuse_without_java() -> None:
    """Refuse to start Spark where there is no Java to run it. Error: GM008."""
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").exists():
        return
    if home or shutil.which("java") is None:
        raise MissingExtra(
            "the spark engine needs Java 17 or later, which is not installed",
            seen=f"JAVA_HOME={home}, where bin/java is not" if home else "no java on the path",
            fix="unset JAVA_HOME" if home and shutil.which("java") else JAVA,
        )


@contextmanager
def _without_advice() -> Iterator[None]:
    """PySpark warns of versions of pandas, through which no row goes here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
        yield


@contextmanager
def _failing(scheduler: str | None = None) -> Iterator[None]:
    """What Spark gave up on, or could not start, is told as such. Error: GM725."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError, OSError) as error:
        raise ClusterFailed(
            "Spark gave up" if scheduler is None else f"Spark does not start at {scheduler}",
            seen=_told(str(error)),
            fix=_mending(str(error)),
        ) from error


def _mending(text: str) -> str:
    """What helps where Spark gave up: workers with the Python that this needs, or less work for each."""
    if any(sign in text for sign in _OF_THEIR_PYTHON):
        return (
            'import os, sys; os.environ["PYSPARK_PYTHON"] = sys.executable  # before the session is made; of other machines '
            "their own Python that has goodmeasure[spark]"
        )
    return "smaller partitions or files, or more memory for each worker; or --engine duckdb"


def _told(text: str) -> str:
    """What a failure was, of all that Spark says of it: the last error of a worker, or else the first line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if any(sign in line for sign in _OF_THEIR_PYTHON)] or lines
    errors = [line for line in lines if line.split(":")[0].rpartition(".")[2].endswith(("Error", "Exception"))]
    workers = [line for line in errors if not line.startswith(("org.", "java.", "at "))]
    return next(iter([*workers[-1:], *lines]), "nothing more was said")
