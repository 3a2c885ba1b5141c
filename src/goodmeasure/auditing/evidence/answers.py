"""Columns of the inputs in which the answer stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence.columns import Array, answer
from goodmeasure.auditing.evidence.trace import tensors_in
from goodmeasure.auditing.evidence.wiring import World


@dataclass
class Answers:
    """The first column of each table among the inputs that is the target."""

    columns: list[tuple[int, int]]  # the column, and the rows on which it was compared

    @classmethod
    def gather(cls, dossier: Dossier) -> Answers:
        dossier.case.need("inputs", "targets")
        given = dossier.get(World).given
        targets = [_numbers(t) for t in tensors_in(given["targets"])]
        tables = [_numbers(t) for t in tensors_in(given["inputs"])]
        if not targets or not tables:
            raise Unavailable("inputs or targets are no tensors")
        found = [(answer(table, y), len(y)) for table in tables for y in targets]
        return cls([(column, rows) for column, rows in found if column is not None])


def _numbers(tensor: Any) -> Array:
    return np.asarray(tensor.detach().double())
