"""Columns of the inputs in which the answer stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.auditing.case import Dossier
from goodmeasure.auditing.evidence.columns import Array, named_by


@dataclass
class Answers:
    """The first column of each table among the inputs that names the classes of the target."""

    columns: list[tuple[int, int]]  # the column, and the rows on which it was compared

    @classmethod
    def gather(cls, dossier: Dossier) -> Answers:
        inputs, targets = ("X", "y") if dossier.case.get("model") is None else ("inputs", "targets")
        tables, answers = (list(_arrays(part)) for part in dossier.case.need(inputs, targets))
        found = [(named_by(table, y), len(y)) for table in tables for y in answers if y.ndim]
        return cls([(column, rows) for column, rows in found if column is not None])


def _arrays(value: Any) -> Iterator[Array]:
    """Every array of numbers inside a value, however it is nested."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from _arrays(part)
    elif hasattr(value, "shape") and not hasattr(value, "tocsr"):
        array = np.asarray(value.detach().double().cpu() if hasattr(value, "detach") else value)
        if array.dtype.kind in "fiub":
            yield array.astype(float)
