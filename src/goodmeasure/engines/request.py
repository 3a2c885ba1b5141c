"""What to tally of a table: which columns hold what, and which rows count."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.drawing.terminal import word
from goodmeasure.errors import UsageError
from goodmeasure.losses import catalogue
from goodmeasure.making.loss import Loss
from goodmeasure.reading.recognition import AS_THE_CELLS_TELL, Written
from goodmeasure.reading.sources import Filter
from goodmeasure.statistics.weights import check_weights
from goodmeasure.tallying.accumulate import Accumulator, kind_of, schema_of, weights
from goodmeasure.tallying.shards import Part

Columns = Mapping[str, NDArray[Any]]
Taking = Callable[["Request", Columns], object]
"""What is done with rows, which may refuse them."""


@dataclass(frozen=True)
class Request:
    """The columns of a table that are tallied: the target, each model's scores, and optionally weight, group,
    cluster.

    ``scores`` maps a model's name to its columns: one, or one a class. ``where`` is a condition in SQL.
    ``positive`` is the label that means yes, where the target holds labels; ``classes`` are the labels of the columns of
    each model, in their order, where they are not 0, 1, 2 and so on; ``ways`` are all ways in which each label is written,
    once they were looked for. ``written`` says how numbers are, where cells do not tell. ``costs`` are columns that say what
    mistakes cost in each row. Weights are divided by
    ``weight_unit``, which is one for all parts of a table.
    """

    losses: tuple[Any, ...]
    target: str
    scores: tuple[tuple[str, tuple[str, ...]], ...]
    weight: str | None = None
    group: str | None = None
    cluster: str | None = None
    where: str | Filter | None = None
    on_predictions: bool = True
    positive: str | None = None
    classes: tuple[str, ...] = ()
    ways: tuple[tuple[str, ...], ...] = ()
    written: Written = AS_THE_CELLS_TELL
    weight_unit: float = 1.0
    costs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        twice = {*self.keys, self.target} & {*self.numbers} or {self.target} & {*self.keys}
        if twice:
            name = min(twice)
            roles = [role for role, names in self._roles.items() if name in names]
            raise UsageError(
                f"column {name!r} cannot be {' and '.join(roles)} at once", fix="give each role its own column"
            )
        if self.positive is not None and kind_of(self.losses[0]) == "amount":
            raise UsageError(
                f"{self.losses[0]} is of amounts, and --positive says which label means yes",
                fix="--loss binary_brier; for amounts leave --positive out, and name a column of numbers",
            )

    @property
    def _roles(self) -> dict[str, tuple[str | None, ...]]:
        more = {"the weight": (self.weight,), "the group": (self.group,), "the cluster": (self.cluster,)}
        return {"the target": (self.target,), "a score": tuple(n for _, names in self.scores for n in names), **more}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns to read."""
        return tuple(dict.fromkeys((self.target, *self.numbers, *self.keys)))

    @property
    def numbers(self) -> tuple[str, ...]:
        """The columns beside the target that are read as numbers."""
        more = () if self.weight is None else (self.weight,)
        return tuple(dict.fromkeys([*(name for _, names in self.scores for name in names), *more, *self.costs]))

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that are read as texts, whatever they hold."""
        return tuple(dict.fromkeys(name for name in (self.group, self.cluster) if name is not None))

    @property
    def filter(self) -> Filter | None:
        """The condition once it was held against the table."""
        if isinstance(self.where, str):
            raise TypeError("the condition was not yet held against a table")
        return self.where

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the target is made of, in the order of their codes; none where it holds the codes."""
        return self.classes if self.positive is None else (self.positive,)

    def accumulator(self) -> Accumulator:
        """An empty accumulator for this request."""
        self._refuse_other_width()
        example = np.zeros((0, len(self.scores[0][1]))) if len(self.scores[0][1]) > 1 else np.zeros(0)
        how = (self.weight is not None, self.cluster is not None, self.on_predictions)
        return Accumulator(self.losses, schema_of(self.losses, tuple(name for name, _ in self.scores), example, how))

    def _refuse_other_width(self) -> None:
        """Refuse losses that take another number of columns a model. Error: GM009."""
        width = len(self.scores[0][1])
        for loss in self.losses:
            if loss.is_classwise and width == 1:
                yes_no = loss.spelling.factory and f"binary_{loss.spelling.factory}"
                instead = f"--loss {yes_no} for yes and no, or " if yes_no in catalogue() else ""
                raise UsageError(
                    f"{loss} takes one column for each class",
                    seen=f"one column: {self.scores[0][0]}",
                    fix=f"{instead}--p COLUMN,COLUMN,...",
                )
            if not loss.is_classwise and len(loss.activation) > 1:
                raise of_several(loss, self.scores[0][1][0], len(loss.activation) + 1)
            if not loss.is_classwise and width > 1:
                raise UsageError(
                    f"{loss} takes one column a model",
                    seen=f"{width} columns: {self.scores[0][0]}",
                    fix="--loss cross_entropy, or one column: --p COLUMN",
                )

    def tally(self, block: Columns) -> None:
        """Refuse rows that cannot be tallied."""
        self.add(self.accumulator(), block)

    def add(self, to: Accumulator, block: Columns) -> None:
        """Add one block of rows."""
        y = block[self.target]
        scores = {name: _joined(block, names) for name, names in self.scores}
        w = None if self.weight is None else weights(block[self.weight], len(y), self.weight_unit)
        group = None if self.group is None else block[self.group]
        to.add(y, scores, w, group, None if self.cluster is None else block[self.cluster])

    def check(self, block: Columns) -> None:
        """Refuse rows that a tally refuses for what they hold."""
        y = block[self.target]
        w = None if self.weight is None else block[self.weight]
        if w is not None:
            check_weights(w)
        self.accumulator().check(y, {name: _joined(block, names) for name, names in self.scores}, w)

    def part(self, shard: str, blocks: Iterator[Columns]) -> Part:
        """The tally of a shard's blocks: a pure function of the shard."""
        made, rows = self.accumulator(), 0
        for block in blocks:
            rows += len(block[self.target])
            self.add(made, block)
        return Part(shard, rows, made.finish().to_bytes())


def _joined(block: Columns, names: tuple[str, ...]) -> NDArray[Any]:
    return block[names[0]] if len(names) == 1 else np.column_stack([block[name] for name in names])


def of_several(loss: Loss, column: str, grades: int) -> UsageError:
    """The error for a loss that takes several predictions a row, with what scores them in its place."""
    graded = f"{loss.spelling.factory}({grades=})"
    count, call = (grades - 1, graded) if loss.is_graded else (len(loss.activation), f"{loss}")
    each = (
        f"each level by itself: --p {word(column)} --loss 'pinball(level={loss.levels[0]:g})'; " if loss.levels else ""
    )
    return UsageError(
        f"{call} takes {count} predictions a row, which a tally of columns does not hold",
        fix=f"{each}in Python: gm.risk(gm.losses.{call}, y, prediction=p), p of shape (rows, {count})",
    )
