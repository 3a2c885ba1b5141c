"""What is counted of later rows: sums that add up, whatever the order in which files come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.reading.tables import VAST, ColumnKind, Table, Values, missing
from goodmeasure.risks.outputs import row_losses
from goodmeasure.statistics.row_arguments import Floats, UnknownLabel
from goodmeasure.study.columns import Vast, finite
from goodmeasure.study.model import Model
from goodmeasure.study.names import plain_label
from goodmeasure.study.respelling import as_known
from goodmeasure.study.seen import Distribution, SeenRows, place_of
from goodmeasure.tallying.saved import Shard
from goodmeasure.tallying.shards import ShardTwice

NONE = Vast(0, 0, 0)


@dataclass(frozen=True)
class Counts:
    """How many later rows have each mark of each column and of the predictions, and sums of what they cost.

    ``bins`` are the rows in each bin of predictions, ``expected`` the sum of what these are to cost by their probabilities.
    Of rows whose target is known, ``labelled`` is how many there are, ``total`` the sum of their losses and ``squares`` that
    of the squares; ``infinite`` of them cost infinity, or so much that squares are no numbers, and are in neither.
    ``shards`` are the files that were counted. ``vast`` are the numbers next to infinity of each column, which count as
    missing: they are said of the rows that were read, and not kept.
    """

    columns: Mapping[str, Floats]
    predictions: Floats
    bins: Floats
    expected: float = 0.0
    labelled: int = 0
    total: float = 0.0
    squares: float = 0.0
    infinite: int = 0
    rows: int = 0
    shards: tuple[Shard, ...] = ()
    vast: Mapping[str, Vast] = field(default_factory=dict)

    @staticmethod
    def none(seen: SeenRows) -> Counts:
        """Of no row."""
        columns = {name: np.zeros(1 + len(one.shares)) for name, one in seen.columns.items()}
        return Counts(columns, np.zeros(1 + len(seen.predictions.shares)), np.zeros(len(seen.costing.rows)))

    def __add__(self, other: Counts) -> Counts:
        known = {shard.digest for shard in self.shards}
        for shard in other.shards:
            if shard.digest in known:
                raise ShardTwice(
                    f"the rows of {shard.name} would count twice",
                    seen="they were counted before",
                    fix="leave the file out",
                )
        return Counts(
            {name: counts + other.columns[name] for name, counts in self.columns.items()},
            self.predictions + other.predictions,
            self.bins + other.bins,
            **{name: getattr(self, name) + getattr(other, name) for name in _SUMS},
            shards=(*self.shards, *other.shards),
            vast={**other.vast, **{name: found + other.vast.get(name, NONE) for name, found in self.vast.items()}},
        )

    def of(self, shards: tuple[Shard, ...]) -> Counts:
        """The same, of these files."""
        return replace(self, shards=shards)

    def to_dict(self) -> dict[str, Any]:
        """The counts as plain values, ready for JSON."""
        return {
            "columns": {name: counts.tolist() for name, counts in self.columns.items()},
            "predictions": self.predictions.tolist(),
            "bins": self.bins.tolist(),
            **{name: getattr(self, name) for name in _SUMS},
            "shards": [[shard.name, shard.digest] for shard in self.shards],
        }

    @staticmethod
    def from_dict(state: Mapping[str, Any]) -> Counts:
        """What `to_dict` described."""
        return Counts(
            {name: np.array(counts, dtype=np.float64) for name, counts in state["columns"].items()},
            np.array(state["predictions"], dtype=np.float64),
            np.array(state["bins"], dtype=np.float64),
            **{name: state[name] for name in _SUMS},
            shards=tuple(Shard(*pair) for pair in state["shards"]),
        )


_SUMS = ("expected", "labelled", "total", "squares", "infinite", "rows")


def counted(model: Model, seen: SeenRows, part: Table) -> Counts:
    """The counts of some rows, of which those with a target are judged. Errors: those of `Model.predict`; GM004, GM703."""
    raw = model.raw(part)
    settled, place = model.settled(raw), place_of(model.predictions(raw))
    cells = model.encoding.cells(finite(part.only(model.encoding.features), model.encoding.features)[0])
    found = Counts(
        {name: _marked(one, cells[name]) for name, one in seen.columns.items()},
        _marked(seen.predictions, place),
        np.bincount(seen.costing.bins(place), minlength=len(seen.costing.rows)).astype(np.float64),
        expected=float(model.expected_losses(settled).sum()),
        rows=len(part),
        vast={name: Vast.of(part[name]) for name in model.encoding.numbers},
    )
    if model.target not in part.columns:
        return found
    known = ~missing(part[model.target])
    if not known.any():
        return found
    losses = row_losses(model.loss, _coded(model, part[model.target][known]), settled[known])
    told = losses[losses < VAST]
    return replace(
        found,
        labelled=len(losses),
        infinite=len(losses) - len(told),
        total=float(told.sum()),
        squares=float(told @ told),
    )


def _marked(distribution: Distribution, values: Values) -> Floats:
    """How many cells have each mark."""
    texts = ColumnKind.of(values) is ColumnKind.TEXT
    return np.asarray(distribution.marks(as_known(values, distribution.labels) if texts else values).sum(axis=0))


def _coded(model: Model, target: Values) -> NDArray[Any]:
    """The target as the loss takes it. Error: GM703 for a label that the model does not know."""
    if not model.labels:
        return target.astype(np.float64)
    names = [plain_label(label) for label in model.labels]
    said = as_known(np.array([_plain(cell) for cell in target.tolist()], dtype=object), names)
    code = {name: k for k, name in enumerate(names)}
    strange = [label for label in said.tolist() if label not in code]
    if strange:
        raise UnknownLabel(
            f"{model.target} holds {strange[0]!r}, which the model does not know",
            seen=f"its labels are {', '.join(names)}",
            fix="leave such rows out with --where",
        )
    return np.array([code[label] for label in said.tolist()], dtype=np.intp if model.loss.is_classwise else np.float64)


def _plain(cell: Any) -> str:
    """A label as the model names it: 1.0 is 1."""
    try:
        return plain_label(float(cell))
    except ValueError:
        return str(cell)
