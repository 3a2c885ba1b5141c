"""What clusters have in common: files that workers can read, the sum of what comes back, and how a cluster fails."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from goodmeasure.engines.duckdb import Source, part_of, settled, with_losses
from goodmeasure.engines.request import Request
from goodmeasure.engines.shard import Shards
from goodmeasure.errors import Problem, UsageError
from goodmeasure.reading.paths import STANDARD_INPUT, Places, places_of
from goodmeasure.tallying.shards import collect
from goodmeasure.tallying.tally import Tally

RETRIES = 3
"""How often a task that fails, or is lost with its worker, runs again."""
WORKERS = 2
"""Processes of a cluster that is started on this machine for want of another."""


class ClusterFailed(Problem, RuntimeError):
    """The cluster gave up on a shard: too many workers were lost on it, or the scheduler cannot be reached.

    Results of lost workers are computed again, several times over. A shard that keeps killing its worker is usually
    too large for the worker's memory: write smaller files, or give workers more.
    """

    code = "GM725"


def readable(places: Places) -> tuple[str, ...]:
    """The files of a source by their names, each of which a worker can open. Error: GM009."""
    files = tuple(place.name for place in places.files)
    strange = [file for file in files if file == STANDARD_INPUT or Path(file).is_fifo()]
    if strange:
        raise UsageError(f"workers cannot read {strange[0]}", fix="--engine duckdb, or write it to a file")
    return files


def tally_files(
    source: Source, request: Request, opened: Callable[[tuple[str, ...]], AbstractContextManager[Shards]]
) -> Tally:
    """The tally of all files that a pattern matches, made where ``opened`` says that they are read."""
    with places_of(source) as places:
        files = readable(places)
        whole = settled(request, places)
        with opened(files) as shards:
            return with_losses(tally_shards(shards, whole), request, places.source)


def tally_shards(shards: Shards, request: Request) -> Tally:
    """The sum of the tallies of all shards, each counted once. Errors: GM722, GM723, GM725, and those of rows."""
    parts = shards.map(part_of, request)
    return collect(parts, dict.fromkeys(part.shard for part in parts) if shards.names is None else shards.names)
