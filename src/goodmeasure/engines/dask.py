"""Dask as the cluster: one task a file or a partition, each a pure function of its rows, summed where it was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from goodmeasure.engines import clusters
from goodmeasure.engines.clusters import RETRIES, WORKERS, ClusterFailed
from goodmeasure.engines.duckdb import Source
from goodmeasure.engines.request import Request
from goodmeasure.engines.shard import Partition, Shards, Task
from goodmeasure.errors import Problem
from goodmeasure.strict.extras import needed
from goodmeasure.tallying.tally import Tally

# Dask has its workers give every freed array back to the system at once. A block is as long as the last, and with its pages
# faulted in anew a tally takes twice as long. A worker that is asked to end while it says that it is alive writes a traceback
# of that, so they write nothing: what a task or a worker dies of comes back as an error all the same.
PROCESSES: dict[str, str | None] = {
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
    "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "critical",
}

# A local cluster serves its state by HTTP even without a dashboard: by default on one fixed port, to the whole network. On a
# free port of this machine alone, clusters side by side do not meet.
UNSEEN: dict[str, Any] = {"dashboard_address": "127.0.0.1:0", "scheduler_kwargs": {"dashboard": False}}


def tally_files(
    source: Source, request: Request, *, scheduler: str | None = None, client: Any = None, workers: int = WORKERS
) -> Tally:
    """The tally of all files that a pattern matches, made by a Dask cluster.

    ``client`` is a ``distributed.Client``; else one is made for ``scheduler``'s address; else the program's own is taken, or
    ``workers`` processes are started on this machine. A worker that dies loses only time: its tasks run again and give the
    same bytes.
    """
    return clusters.tally_files(source, request, partial(files, scheduler=scheduler, client=client, workers=workers))


@dataclass(frozen=True)
class DaskFiles:
    """Files that the workers of a client read, a task each."""

    client: Any
    names: tuple[str, ...]

    def map(self, task: Task, given: Any) -> list[Any]:
        """What a task makes of each file, in their order. Errors: those of the task, or GM725."""
        with _failing():
            found: list[Any] = self.client.gather(
                self.client.map(task, self.names, [given] * len(self.names), retries=RETRIES, pure=False)
            )
            return found


@dataclass(frozen=True)
class DaskFrame:
    """The partitions of a ``dask.dataframe``, a task each: by the program's client, or else as Dask is set up."""

    frame: Any

    @property
    def names(self) -> tuple[str, ...]:
        """The partitions, numbered from 0."""
        return tuple(f"partition {i}" for i in range(self.frame.npartitions))

    def map(self, task: Task, given: Any) -> list[Any]:
        """What a task makes of each partition, in their order. Errors: those of the task, or GM725."""
        dask = needed("dask", "frames of Dask")
        applied = dask.delayed(partial(_of_partition, task=task, given=given), pure=False)
        tasks = [applied(part, name) for part, name in zip(self.frame.to_delayed(), self.names, strict=True)]
        client = active()
        with _failing():
            return [
                *(dask.compute(*tasks) if client is None else client.gather(client.compute(tasks, retries=RETRIES)))
            ]


def _of_partition(rows: Any, name: str, *, task: Task, given: Any) -> Any:
    pyarrow = needed("pyarrow", "frames of Dask")
    return task(Partition(name, pyarrow.Table.from_pandas(rows, preserve_index=False)), given)


@contextmanager
def files(
    names: tuple[str, ...], *, scheduler: str | None = None, client: Any = None, workers: int = WORKERS
) -> Iterator[Shards]:
    """Files on the cluster that was named, that the program has, or that is started for them. Errors: GM008, GM725."""
    known = client if client is not None or scheduler is not None else active()
    if known is not None:
        yield DaskFiles(known, names)
    else:
        with started(scheduler, workers) as own:
            yield DaskFiles(own, names)


def active() -> Any:
    """The client that the program has made for itself; None without one."""
    distributed = needed("distributed", "the dask engine")
    try:
        return distributed.default_client()
    except ValueError:  # its word for none
        return None


def started(scheduler: str | None, workers: int) -> Any:
    """A client of a scheduler, or of that many processes on this machine. Errors: GM725."""
    dask, distributed = (needed(name, "the dask engine") for name in ("dask", "distributed"))
    try:
        if scheduler is not None:
            return distributed.Client(scheduler, timeout=10)
        with dask.config.set(PROCESSES):
            return distributed.Client(n_workers=workers, threads_per_worker=1, processes=True, **UNSEEN)
    except (OSError, RuntimeError) as error:  # a process that does not start is a RuntimeError of its nanny
        what = (
            "the processes of the cluster did not start"
            if scheduler is None
            else f"no scheduler answers at {scheduler}"
        )
        raise ClusterFailed(what, seen=str(error), fix="try again, or --engine duckdb") from error


@contextmanager
def _failing() -> Iterator[None]:
    """What workers die of, and what they could not do however often they tried, is told as such. Error: GM725."""
    from distributed import CancelledError, KilledWorker
    from distributed.comm import CommClosedError

    try:
        yield
    except Problem:  # some are errors of the system besides
        raise
    except KilledWorker as error:
        raise ClusterFailed(
            "workers were lost on the same shard again and again",
            seen=str(error),
            fix="write smaller files, or give the workers more memory",
        ) from error
    except (CancelledError, CommClosedError) as error:
        raise ClusterFailed(
            "the cluster went away in the middle of its work", seen=str(error), fix="try again, or --engine duckdb"
        ) from error
    except (OSError, MemoryError) as error:
        raise ClusterFailed(
            "a task failed each time it was tried",
            seen=f"{type(error).__name__}: {error}",
            fix="see to it that each worker can read the files and has the memory for one, and try again",
        ) from error
