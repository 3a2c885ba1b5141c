"""What is asked when a study trains a network: rows, where their raw outputs begin, and on which scale they move."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from goodmeasure.formulas.activations import predicted
from goodmeasure.formulas.evaluation import on_arrays
from goodmeasure.formulas.expression import derivative, symbol
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.row_arguments import Floats

# Where the best constant is infinite: there a probability is 0 or 1 in single precision.
_FAR = 30.0


@dataclass(frozen=True)
class Learning:
    """Rows to train a network on: scaled columns, targets as the loss takes them, and what is added to each row's raw outputs.

    ``constant`` holds the raw outputs that are best if they are the same for all rows.
    """

    loss: Loss
    x: Floats
    y: Any
    weight: Floats | None
    offset: Floats | None
    constant: Any
    seed: int

    @cached_property
    def start(self) -> Floats:
        """The constant, as far out as numbers go."""
        return np.asarray(np.nan_to_num(np.atleast_1d(self.constant), posinf=_FAR, neginf=-_FAR), dtype=np.float64)

    @cached_property
    def begun(self) -> Floats:
        """The raw outputs that training begins with, one row an example."""
        offset = np.zeros(len(self.y)) if self.offset is None else self.offset
        return self.start + offset[:, None]

    @cached_property
    def unit(self) -> Floats:
        """What a raw output must move by to make good a usual miss: targets in cents are learned like those in euros."""
        loss, names = self.loss, self.loss.raw_names
        if loss.is_classwise:
            return np.ones(len(self.start))
        reached = predicted(loss.activation, list(map(symbol, names)))
        slopes = [derivative(each, name) for each, name in zip(reached, names, strict=True)]
        given = dict(zip(names, self.start, strict=True))
        first, *steep = map(float, on_arrays([reached[0], *slopes], given, self.start[0]))
        miss = _usual(np.abs(self.y[self._counted] - first))
        # Where an activation is flat, as in the tails of a sigmoid, no step of the raw output makes the miss good.
        return _or_one(np.minimum(miss / np.array(steep), max(1.0, miss)))

    @cached_property
    def steepness(self) -> float:
        """How steep the loss is where training begins, a unit of a raw output."""
        raw = self.begun[:, 0] if len(self.start) == 1 else self.begun
        pull = np.asarray(self.loss.gradient(self.y, raw), dtype=np.float64).reshape(self.begun.shape)
        return float(_or_one(np.mean(np.abs(pull[self._counted]) * self.unit)))

    @property
    def _counted(self) -> Any:
        """The rows that count at all."""
        return slice(None) if self.weight is None else self.weight > 0


def _usual(misses: Floats) -> float:
    """The median miss; where most are none, their mean."""
    return float(np.median(misses)) or float(np.mean(misses))


def _or_one(found: Any) -> Floats:
    """What can be divided by, and 1 in place of what cannot."""
    return np.where(np.isfinite(found) & (found > 0), found, 1.0)
