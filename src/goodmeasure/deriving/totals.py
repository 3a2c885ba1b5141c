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
from goodmeasure.statistics.weights import scaled, unit_of

Exact = Fraction | float


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

    sum: Exact
    weight: Exact

    def __add__(self, other: Total) -> Total:
        return Total(_added(self.sum, other.sum), _added(self.weight, other.weight))

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
        return self.sum if isinstance(self.sum, float) else float(self.sum / self.weight)


def _added(a: Exact, b: Exact) -> Exact:
    """The exact sum; what is infinite or NaN already stays so beside any fraction."""
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a + b
    return sum(each for each in (a, b) if isinstance(each, float))


def rounded(total: Exact) -> float:
    """The nearest double; infinite where there is none."""
    try:
        return float(total)
    except OverflowError:
        return math.inf if total > 0 else -math.inf


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
        with np.errstate(over="ignore"):  # what is beyond the dtype that came in is infinite in it
            return given.xp.astype(table, given.dtype)
    return table if given.xp is not np or table.flags.writeable else table.copy()


def total_of(given: Examples, value: Array) -> Total:
    value = _to_numpy(present_only(given, value))
    if given.weight is None:
        count = value.size if given.present is None else int(np.asarray(given.present).sum())
        return Total(exact_sum(value), Fraction(count))
    weight = _to_numpy(present_only(given, given.weight))
    held = weight > 0
    # The largest weight is made about one, so that no product leaves the range of numbers where its value does not.
    with np.errstate(over="ignore"):
        found = exact_sum(value[held] * scaled(weight[held]))
    return Total(found * Fraction(unit_of(weight)) if isinstance(found, Fraction) else found, exact_sum(weight))


def _to_numpy(array: Array) -> Any:
    detached = array.detach() if hasattr(array, "detach") else array
    return np.asarray(detached, dtype=np.float64)


def shares(given: Examples, total: Total) -> Array:
    """What part of the mean each example is, in the dtype of computing."""
    xp = given.xp
    _ = total.mean  # a mean of nothing is an error before it is a division by zero
    if given.weight is None:
        return xp.full(given.shape, float(1 / total.weight), dtype=given.z.dtype)
    weight = present_only(given, given.weight)
    unit = unit_of(_to_numpy(weight))
    return xp.astype(weight / unit / float(total.weight / Fraction(unit)), given.z.dtype)
