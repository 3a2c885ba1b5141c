"""What few rows of the rarer answer leave open of tallied means: scores are counted by answer, and the loss says the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from goodmeasure.calibrating.decomposition import point_loss
from goodmeasure.risks.rare import is_rare, rare_sum
from goodmeasure.statistics.estimate import Estimate
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.tallying.counted import Counted, Reading
from goodmeasure.tallying.state import ScoreCounts

E = TypeVar("E", bound=Estimate)


@dataclass(frozen=True)
class RareAnswer:
    """How many rows have the rarer answer, and by model what it adds to the mean loss and, at most and least, to a row's."""

    count: float
    rows: int
    added: tuple[float, ...]
    least: tuple[float, ...]
    largest: tuple[float, ...]

    @staticmethod
    def of(scores: list[ScoreCounts], loss: Any, how: Reading) -> RareAnswer | None:
        """What is known of the rarer answer; None where enough rows have it. ``loss`` is None where only its name is known."""
        held = [Counted.of(counts, how) for counts in scores]
        weight = held[0].weight.sum(axis=0)
        label = int(np.argmin(weight))
        count = weight[label] if how.copies else float(held[0].rows[:, label].sum())
        if not is_rare(count, weight[label], weight.sum()):
            return None
        marks = [_marks(each, label, loss) for each in held]
        return RareAnswer(count, held[0].n, *zip(*marks, strict=True))

    def of_mean(self, found: E, level: float) -> E:
        """The estimate of a mean loss, whose interval holds what rows of the rarer answer may add."""
        return self._widened(found, self.added[0], (self.least[0], self.largest[0]), level)

    def of_difference(self, found: E, level: float) -> E:
        """The same of the first mean less the second: which rows have both scores is not known, so any two may meet."""
        ends = _less(self.least[0], self.largest[1]), _less(self.largest[0], self.least[1])
        return self._widened(found, self.added[0] - self.added[1], ends, level)

    def _widened(self, found: E, added: float, ends: tuple[float, float], level: float) -> E:
        if not (math.isfinite(found.value) and math.isfinite(added)):
            return found
        fewer, more = rare_sum(self.count, self.count, 1.0, level)
        fewer = abs(added) * fewer / self.count if self.count else 0.0
        up, down = (more * max(end, 0.0) / self.rows for end in (ends[1], -ends[0]))
        low = found.value - (math.hypot(fewer, down) if added > 0 else down)
        high = found.value + (math.hypot(fewer, up) if added < 0 else up)
        if low >= found.low and high <= found.high:
            return found
        method = f"{found.method}, wide enough for rare outcomes"
        return replace(found, low=min(low, found.low), high=max(high, found.high), method=method)


def _marks(held: Counted, label: int, loss: Any) -> tuple[float, float, float]:
    """What the answer adds to the mean loss, and the least and the most that it adds to the loss of a row."""
    weight = held.weight[:, label]
    if loss is None:
        return 0.0, -math.inf, math.inf
    there = held.weight.sum(axis=1) > 0
    mark = _added(point_loss(loss), held.place[there], label)
    seen = weight[there]
    return float(seen[seen > 0] @ mark[seen > 0]) / held.weight.sum(), float(mark.min()), float(mark.max())


def _added(loss: Any, place: Floats, label: int) -> Floats:
    with np.errstate(all="ignore"):
        of, other = (np.asarray(loss(np.full(len(place), float(each)), place)) for each in (label, 1 - label))
    return np.where(of == other, 0.0, of - other)


def _less(a: float, b: float) -> float:
    """The difference; what both may lose without end can lie as far apart as the first says."""
    return a if math.isinf(a) else a - b
