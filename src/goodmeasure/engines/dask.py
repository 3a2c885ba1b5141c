"""Dask as the cluster: one task a file, each a pure function of its file, summed where it was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from goodmeasure.engines.duckdb import Source, part_of, settled, with_losses
from goodmeasure.engines.request import Request
from goodmeasure.errors import Problem, UsageError
from goodmeasure.reading.paths import STANDARD_INPUT, places_of
from goodmeasure.strict.extras import needed
from goodmeasure.tallying.shards import Part, collect
from goodmeasure.tallying.tally import Tally

RETRIES = 3
# Dask has its workers give every freed array back to the system at once. A block is as long as the last, and with its pages
# faulted in anew a tally takes twice as long.
KEEPING = {"distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None}


class ClusterFailed(Problem, RuntimeError):
    """The cluster gave up on a shard: too many workers were lost on it, or the scheduler cannot be reached.

    Results of lost workers are computed again, several times over. A shard that keeps killing its worker is usually
    too large for the worker's memory: write smaller files, or give workers more.
    """

    code = "GM725"


def tally_files(
    source: Source, request: Request, *, scheduler: str | None = None, client: Any = None, workers: int = 2
) -> Tally:
    """The tally of all files that a pattern matches, made by a Dask cluster.

    ``client`` is a ``distributed.Client``; else one is made for ``scheduler``'s address, or for ``workers``
    processes on this machine. A worker that dies loses only time: its tasks run again and give the same bytes.
    """
    with places_of(source) as places:
        files = [place.name for place in places.files]
        strange = [file for file in files if file == STANDARD_INPUT or Path(file).is_fifo()]
        if strange:
            raise UsageError(f"workers cannot read {strange[0]}", fix="--engine duckdb, or write it to a file")
        whole = settled(request, places)
        if client is not None:
            made = _gathered(client, files, whole)
        else:
            with started(scheduler, workers) as own:
                made = _gathered(own, files, whole)
    return with_losses(made, request, places.source)


def started(scheduler: str | None, workers: int) -> Any:
    """A client of a scheduler, or of that many processes on this machine. Errors: GM725."""
    dask, distributed = (needed(name, "the dask engine") for name in ("dask", "distributed"))
    try:
        if scheduler is not None:
            return distributed.Client(scheduler, timeout=10)
        with dask.config.set(KEEPING):
            return distributed.Client(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None)
    except (OSError, RuntimeError) as error:  # a process that does not start is a RuntimeError of its nanny
        what = (
            "the processes of the cluster did not start"
            if scheduler is None
            else f"no scheduler answers at {scheduler}"
        )
        raise ClusterFailed(what, seen=str(error), fix="try again, or --engine duckdb") from error


def _gathered(client: Any, files: list[str], request: Request) -> Tally:
    from distributed import CancelledError, KilledWorker
    from distributed.comm import CommClosedError

    tasks = client.map(_part, files, request=request, retries=RETRIES, pure=False)
    try:
        return collect(client.gather(tasks), files)
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


def _part(file: str, request: Request) -> Part:
    return part_of(file, request, threads=1)
