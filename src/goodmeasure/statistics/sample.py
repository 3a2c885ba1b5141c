"""Rows as a sample: what they weigh, which of them go together, and the estimates that rest on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from goodmeasure.statistics.estimate import Difference, Estimate, as_difference
from goodmeasure.statistics.intervals import are_counted, bootstrap, mean_estimate, parts_of, share_estimate
from goodmeasure.statistics.row_arguments import Floats, Rows
from goodmeasure.statistics.weights import WeightsMean, counted, effective


@dataclass(frozen=True, eq=False)
class Sample:
    """What an interval needs to know of the rows it rests on: weights, the code of each one's cluster or block, the level.

    ``name`` says in an estimate's method how rows depend on each other.
    """

    weight: Floats
    together: NDArray[np.intp] | None
    name: str
    level: float
    weights_mean: WeightsMean

    @staticmethod
    def of(rows: Rows, level: float) -> Sample:
        """The rows that count, with their columns ``cluster`` or ``time`` as what goes together."""
        return Sample(rows.weight, *parts_of(rows), level, rows.weights_mean)

    @property
    def n(self) -> int:
        """How many rows these are, copies counted where weights count them."""
        return counted(self.weight, self.weights_mean)

    @property
    def effective_n(self) -> float:
        """How many independent rows of equal weight carry as much information."""
        return effective(self.weight, self.weights_mean)

    @property
    def is_counted(self) -> bool:
        """Whether rows are independent and count alike, or by whole numbers of copies."""
        return are_counted(self.weight, self.together, self.weights_mean)

    def part(self, chosen: NDArray[np.bool_]) -> Sample:
        """Some of the rows."""
        return replace(
            self, weight=self.weight[chosen], together=None if self.together is None else self.together[chosen]
        )

    def mean(self, values: Floats, prefix: str = "") -> Estimate:
        """The mean of a number a row."""
        return mean_estimate(
            values,
            self.weight,
            together=self.together,
            method=prefix + self.name,
            level=self.level,
            weights_mean=self.weights_mean,
        )

    def difference(self, values: Floats) -> Difference:
        """The mean of a paired difference, able to give a verdict."""
        return as_difference(self.mean(values, "paired, "))

    def share(self, hit: Floats) -> Estimate:
        """The share of rows that are hit."""
        return share_estimate(
            hit,
            self.weight,
            together=self.together,
            method=self.name,
            level=self.level,
            weights_mean=self.weights_mean,
        )

    def bootstrap(self, statistic: Callable[[Floats], float], replicates: int = 999) -> tuple[float, float, float]:
        """The percentile interval and standard error of a statistic of what each row weighs."""
        return bootstrap(
            statistic,
            self.weight,
            together=self.together,
            replicates=replicates,
            level=self.level,
            weights_mean=self.weights_mean,
        )
