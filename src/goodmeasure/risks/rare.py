"""What few rows of a rare outcome leave open: how often it happens is badly known, and it may cost most where it was not seen.

Of 100 rows without an event a mean loss looks sure, and the model that promises the fewest events looks best. What an event
would have cost is known all the same, for the loss says it of any row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from goodmeasure.statistics.estimate import Estimate
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.sample import FEW, Sample

E = TypeVar("E", bound=Estimate)
# What each row would cost if these were the targets.
Costing = Callable[[Any], Floats]
# An outcome of a larger share is not rare: it is missing from no sample of some size.
RARE = 0.2
# Of so many classes most are rare in any table, and each would have to be tried for each row.
MOST_CLASSES = 20


@dataclass(frozen=True, eq=False)
class RareOutcomes:
    """The outcomes that fewer than ten rows (or clusters) have, and a share of at most .2.

    ``usual`` holds the targets as if no row had such an outcome, ``seen`` says which rows have one, and ``labels`` are these
    outcomes, seen or not; there are none where all amounts are the same, and others are not known.
    """

    y: Any
    usual: Any
    seen: NDArray[np.bool_]
    labels: tuple[float, ...]
    sample: Sample

    @staticmethod
    def of(loss: Any, y: Any, classes: int | None, sample: Sample) -> RareOutcomes | None:
        """The rare outcomes of these rows; None where each outcome is told by enough rows, or rows hold shares of classes."""
        if np.ndim(y) != 1:
            return None
        y = np.asarray(y)
        if loss.is_binary or loss.is_classwise:
            return _of_labels(y, 2 if loss.is_binary else classes or 0, sample)
        return _of_amounts(y, sample)

    def widened(self, found: E, costs: Costing) -> E:
        """The estimate of the mean of these costs, whose interval holds what rows of rare outcomes may add to it."""
        usual = costs(self.usual)
        with np.errstate(invalid="ignore"):
            added = np.where(self.seen, costs(self.y) - usual, 0.0)
            possible = [costs(np.full_like(self.y, label)) - usual for label in self.labels]
        if not np.isfinite(added).all() or not math.isfinite(found.value):
            return found
        down, up = self._reach(added, np.array(possible), found.level)
        if found.value - down >= found.low and found.value + up <= found.high:
            return found
        low, high = min(found.low, found.value - down), max(found.high, found.value + up)
        return replace(found, low=low, high=high, method=f"{found.method}, wide enough for rare outcomes")

    def _reach(self, added: Floats, possible: Floats, level: float) -> tuple[float, float]:
        """How far below and above its value the mean may lie: what adds to it and what takes from it, put together (MOVER)."""
        more, less = (self._ends(np.maximum(sign * added, 0.0), sign * possible, level) for sign in (1.0, -1.0))
        return math.hypot(more[0], less[1]), math.hypot(more[1], less[0])

    def _ends(self, added: Floats, possible: Floats, level: float) -> tuple[float, float]:
        share = self.sample.weight / self.sample.weight.sum()
        if not self.labels:
            return 0.0, math.inf
        # What would be infinite in both of two losses makes no difference.
        each = share * np.maximum(np.nan_to_num(possible, nan=0.0, posinf=math.inf, neginf=-math.inf), 0.0)
        parts = self._parts(share * added)
        return rare_sum(float(parts.sum()), float(parts @ parts), float(each.max(initial=0.0)) * self._together, level)

    def _parts(self, each: Floats) -> Floats:
        return each if self.sample.together is None else summed(self.sample.together, each)

    @property
    def _together(self) -> float:
        """How many rows have a rare outcome at once."""
        return max(float(self._parts(self.seen.astype(np.float64)).max()), 1.0)


def rare_sum(total: float, square: float, largest: float, level: float) -> tuple[float, float]:
    """How far below and above its ``total`` a sum of rare, dear things may lie, whose squares add up to ``square``.

    One more might have been seen, the ``largest`` that there can be.

    Source: Fay and Feuer 1997, Confidence intervals for directly standardized rates: a method based on the gamma distribution.
    """
    if math.isinf(largest):
        return rare_sum(total, square, 0.0, level)[0], math.inf
    tail = (1 - level) / 2
    low = _gamma_quantile(total, square, tail)
    high = _gamma_quantile(total + largest, square + largest**2, 1 - tail)
    return total - low, high - total


def _gamma_quantile(mean: float, variance: float, share: float) -> float:
    from scipy.special import gammaincinv

    return float(gammaincinv(mean * mean / variance, share)) * variance / mean if mean > 0 else 0.0


def _of_labels(y: Any, classes: int, sample: Sample) -> RareOutcomes | None:
    if classes > MOST_CLASSES or not np.isin(y, np.arange(classes)).all():
        return None
    held = summed(y.astype(np.intp), sample.weight, classes)
    common = int(np.argmax(held))
    rare = tuple(float(k) for k in range(classes) if k != common and _is_rare(y == k, sample))
    seen = np.isin(y, rare)
    return RareOutcomes(y, np.where(seen, common, y), seen, rare, sample) if rare else None


def _of_amounts(y: Any, sample: Sample) -> RareOutcomes | None:
    # What four rows in five are is the median too, which is quicker to find.
    common = np.partition(y, len(y) // 2)[len(y) // 2]
    seen = np.asarray(y != common)
    if not _is_rare(seen, sample):
        return None
    return RareOutcomes(y, np.where(seen, common, y), seen, tuple(map(float, np.unique(y[seen]))), sample)


def _is_rare(rows: NDArray[np.bool_], sample: Sample) -> bool:
    """Whether few rows, or rows of few clusters, are these, and they are a small share."""
    if sample.together is not None and sample.when is None:
        count = float(len(np.unique(sample.together[rows])))
    else:
        count = float(sample.copies[rows].sum())
    return is_rare(count, float(sample.weight[rows].sum()), float(sample.weight.sum()))


def is_rare(count: float, weight: float, total: float) -> bool:
    """Whether so many rows, of this weight among all, are few and a small share."""
    return count < FEW and weight <= RARE * total
