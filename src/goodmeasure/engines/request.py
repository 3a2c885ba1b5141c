"""What to tally of a table: which columns hold what, and which rows count."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.errors import Problem
from goodmeasure.tallying.accumulate import Accumulator, schema_of, weights
from goodmeasure.tallying.shards import Part

Columns = Mapping[str, NDArray[Any]]


class ShardUnreadable(Problem, ValueError):
    """A file cannot be read as the table that the others are.

    It is damaged or cut short, or its columns are not those of the other files. Nothing was counted of it, and no sum
    was printed: mend or remove the file and run again.
    """

    code = "GM724"


@dataclass(frozen=True)
class Request:
    """The columns of a table that are tallied: the target, each model's scores, and optionally weight, group,
    cluster.

    ``scores`` maps a model's name to its columns: one, or one a class. ``where`` is a condition in SQL.
    ``positive`` is the label that means yes, where the target holds texts.
    """

    losses: tuple[Any, ...]
    target: str
    scores: tuple[tuple[str, tuple[str, ...]], ...]
    weight: str | None = None
    group: str | None = None
    cluster: str | None = None
    where: str | None = None
    on_predictions: bool = True
    positive: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns to read."""
        more = [name for name in (self.weight, self.group, self.cluster) if name is not None]
        return tuple(dict.fromkeys([self.target, *(name for _, names in self.scores for name in names), *more]))

    @property
    def numbers(self) -> frozenset[str]:
        """The columns that are read as numbers; group and cluster are keys of any type."""
        keys = {self.group, self.cluster}
        return frozenset(name for name in self.columns if name not in keys)

    def selected(self, plain: Collection[str] = ()) -> str:
        """The columns as a list in SQL: numbers as doubles, the target as 1 where it is the label that means yes.

        ``plain`` names columns that hold numbers of the machine; they are left as they are, which is narrower.
        """
        return ", ".join(f"{self._expression(name, name in plain)} AS {quoted(name)}" for name in self.columns)

    def _expression(self, name: str, plain: bool) -> str:
        if name == self.target and self.positive is not None:
            label = self.positive.replace("'", "''")
            text = f"CAST({quoted(name)} AS VARCHAR)"
            return f"CASE WHEN {text} IS NULL THEN NULL WHEN {text} = '{label}' THEN 1::DOUBLE ELSE 0::DOUBLE END"
        return f"CAST({quoted(name)} AS DOUBLE)" if name in self.numbers and not plain else quoted(name)

    def accumulator(self) -> Accumulator:
        """An empty accumulator for this request."""
        example = np.zeros((0, len(self.scores[0][1]))) if len(self.scores[0][1]) > 1 else np.zeros(0)
        how = (self.weight is not None, self.cluster is not None, self.on_predictions)
        return Accumulator(self.losses, schema_of(self.losses, tuple(name for name, _ in self.scores), example, how))

    def add(self, to: Accumulator, block: Columns) -> None:
        """Add one block of rows."""
        y = block[self.target]
        scores = {name: _joined(block, names) for name, names in self.scores}
        w = None if self.weight is None else weights(block[self.weight], len(y))
        group = None if self.group is None else block[self.group]
        to.add(y, scores, w, group, None if self.cluster is None else block[self.cluster])

    def part(self, shard: str, blocks: Iterator[Columns]) -> Part:
        """The tally of a shard's blocks: a pure function of the shard."""
        made, rows = self.accumulator(), 0
        for block in blocks:
            rows += len(block[self.target])
            self.add(made, block)
        return Part(shard, rows, made.finish().to_bytes())


def quoted(name: str) -> str:
    """A column's name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def _joined(block: Columns, names: tuple[str, ...]) -> NDArray[Any]:
    return block[names[0]] if len(names) == 1 else np.column_stack([block[name] for name in names])
