"""Sums and means of losses that merge without rounding."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from goodmeasure.deriving.arguments import Examples
from goodmeasure.drawing.display import Display
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.errors import NothingToAverage
from goodmeasure.formulas.evaluation import Array
from goodmeasure.statistics.exact_sums import exact_sum


@dataclass(frozen=True)
class Total(Displayed):
    """A sum of losses and of weights that adds without rounding: parts merge to the same bits in any order.

    Attributes:
        sum: the sum of weight times loss, exactly.
        weight: the sum of the weights, exactly; the number of examples where there are none.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.absolute_error()
        >>> parts = loss.total([1.0, 2.0], [1.5, 2.0]) + loss.total([3.0, 4.0], [2.5, 5.0])
        >>> parts.mean
        0.5
    """

    sum: Fraction | float
    weight: Fraction | float

    def __add__(self, other: Total) -> Total:
        return Total(self.sum + other.sum, self.weight + other.weight)

    def _display(self) -> Display:
        mean = self.mean if self.weight else math.nan
        named = {"sum": _rounded(self.sum), "weight": _rounded(self.weight), "mean": mean}
        return Display("Total of losses", {name: [value] for name, value in named.items()})

    @property
    def mean(self) -> float:
        """The weighted mean, rounded once.

        Raises:
            GM005: the weights add up to zero.
        """
        if self.weight == 0:
            raise NothingToAverage(
                "a mean over no examples was asked for",
                seen="every example is masked or has weight zero, or there are none",
                fix="check the mask and the weights: mask.any(), sample_weight.sum()",
            )
        return float(self.sum / self.weight)


def _rounded(exact: Fraction | float) -> float:
    """The nearest float; a sum may lie beyond them all while its mean does not."""
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def present_only(given: Examples, table: Array) -> Array:
    """The table with zeros for absent examples."""
    if given.present is None:
        return table
    present = given.present
    while present.ndim < table.ndim:
        present = present[..., None]
    return given.xp.where(present, table, given.xp.zeros_like(table))


def finished(given: Examples, table: Array) -> Array:
    """Absent examples as zeros, in the dtype that came in."""
    table = present_only(given, table)
    if table.dtype != given.dtype:
        return given.xp.astype(table, given.dtype)
    return table if given.xp is not np or table.flags.writeable else table.copy()


def total_of(given: Examples, value: Array) -> Total:
    value = _to_numpy(present_only(given, value))
    if given.weight is None:
        count = value.size if given.present is None else int(np.asarray(given.present).sum())
        return Total(exact_sum(value), Fraction(count))
    weight = _to_numpy(present_only(given, given.weight))
    with np.errstate(over="ignore", invalid="ignore"):
        return Total(exact_sum(np.where(weight > 0, value * weight, 0)), exact_sum(weight))


def _to_numpy(array: Array) -> Any:
    detached = array.detach() if hasattr(array, "detach") else array
    return np.asarray(detached, dtype=np.float64)


def shares(given: Examples, total: Total) -> Array:
    """What part of the mean each example is, in the dtype of computing."""
    xp = given.xp
    _ = total.mean  # a mean of nothing is an error before it is a division by zero
    if given.weight is None:
        return xp.full(given.shape, float(1 / total.weight), dtype=given.z.dtype)
    return xp.astype(given.weight / float(total.weight), given.z.dtype)
