"""What a tally counts, and the names of the columns that it sums."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

Kind = Literal["outcome", "classes", "amount"]
# Each class is counted on a grid of its own; of more classes than this only the likeliest is.
MOST_CLASSES = 32


@dataclass(frozen=True)
class Schema:
    """What a tally counts."""

    losses: tuple[str, ...]
    models: tuple[str, ...]
    kind: Kind
    classes: int
    weighted: bool
    clustered: bool
    on_predictions: bool


def as_spelled_now(loss: str) -> str:
    """The spelling of a loss in a saved tally; older ones have the names of activations without quotes."""
    return re.sub(r"\.with_activation\((\w+)\)", r".with_activation('\1')", loss)


def column(who: str, loss: int) -> str:
    """The name of the column of one model's (or one pair's) losses."""
    return f"{who}\t{loss}"


def columns(schema: Schema) -> list[str]:
    """The columns of numbers that a tally sums, in order: each model's losses, then each pair's differences."""
    who = [*schema.models, *(f"{a} - {b}" for a, b in combinations(schema.models, 2))]
    return [column(each, at) for each in who for at in range(len(schema.losses))]
