"""A shard of a table, which one task reads: a file, or the rows of one partition of a frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from goodmeasure.reading.paths import Place

HERE, *CLUSTERS = ENGINES = ("duckdb", "dask", "spark")
"""Who reads files: DuckDB in this process, or the workers of a cluster; each by the name of its module here."""


class Partition(NamedTuple):
    """The rows of one partition of a frame, as a table of Arrow, and what the partition is called."""

    name: str
    rows: Any


Shard = str | Partition
"""A file by its path, or a partition by its rows."""

Origin = Place | Partition
"""Where rows stand: a file, or the rows of a frame."""

Task = Callable[[Shard, Any], Any]
"""A pure function of a shard and of one more argument, found by its name wherever it runs."""


class Shards(Protocol):
    """A table in shards, over which something maps tasks: this process, or a cluster."""

    @property
    def names(self) -> Sequence[str] | None:
        """What the shards are called, in their order; None where only the cluster knows."""

    def map(self, task: Task, given: Any) -> list[Any]:
        """What a task makes of each shard, in the order of the shards.

        A task that is lost with its worker runs again. Errors: those of the task, or GM725.
        """


class Here(NamedTuple):
    """Shards that this process reads, one after the other."""

    shards: tuple[Shard, ...]

    @property
    def names(self) -> Sequence[str]:
        """What the shards are called."""
        return [each.name if isinstance(each, Partition) else each for each in self.shards]

    def map(self, task: Task, given: Any) -> list[Any]:
        """What a task makes of each shard, in their order. Errors: those of the task."""
        return [task(each, given) for each in self.shards]
