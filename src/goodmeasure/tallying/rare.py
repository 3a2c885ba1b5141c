"""What few rows of the rarer answer leave open of tallied means: scores are counted by answer, and the loss says the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np

from goodmeasure.calibrating.decomposition import point_loss
from goodmeasure.risks.rare import is_rare, rare_sum
from goodmeasure.statistics.estimate import Estimate
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.tallying.counted import Counted, Reading
from goodmeasure.tallying.state import ScoreCounts

E = TypeVar("E", bound=Estimate)
# Which rows have both of two scores is not counted: what an answer adds to their difference is known so badly that it is asked
# only where hardly a row has the answer. With five of them differences seem sure no more often than they are.
FEW_OF_PAIRS = 5


class Added(NamedTuple):
    """What the rarer answer adds to a mean: as much, its square, and at most by one row more."""

    total: float
    square: float
    largest: float


@dataclass(frozen=True)
class RareAnswer:
    """How many rows have the rarer answer, and by model what it adds to the mean loss and what it takes from it."""

    count: float
    more: tuple[Added, ...]
    less: tuple[Added, ...]

    @staticmethod
    def of(scores: list[ScoreCounts], loss: Any, how: Reading) -> RareAnswer | None:
        """What is known of the rarer answer; None where enough rows have it. ``loss`` is None where only its name is known."""
        held = [Counted.of(counts, how) for counts in scores]
        weight = held[0].weight.sum(axis=0)
        label = int(np.argmin(weight))
        count = weight[label] if how.copies else float(held[0].rows[:, label].sum())
        if not is_rare(count, weight[label], weight.sum()) or (len(scores) > 1 and count >= FEW_OF_PAIRS):
            return None
        if loss is None:
            return RareAnswer(count, *[(Added(0.0, 0.0, math.inf),) * len(held)] * 2)
        marks = [_marks(each, label, loss) for each in held]
        pairs = list(zip(held, marks, strict=True))
        more, less = (tuple(_added(each, label, sign * mark) for each, mark in pairs) for sign in (1, -1))
        return RareAnswer(count, more, less)

    def of_mean(self, found: E, level: float) -> E:
        """The estimate of a mean loss, whose interval holds what rows of the rarer answer may add."""
        more, less = rare_sum(*self.more[0], level), rare_sum(*self.less[0], level)
        return _widened(found, math.hypot(more[0], less[1]), math.hypot(more[1], less[0]))

    def of_difference(self, found: E, level: float) -> E:
        """The same of the first mean less the second: any two scores may meet in a row."""
        up, down = (a.largest + b.largest for a, b in ((self.more[0], self.less[1]), (self.less[0], self.more[1])))
        fewer, more = rare_sum(self.count, self.count, 1.0, level)
        added = (self.more[0].total - self.less[0].total) - (self.more[1].total - self.less[1].total)
        seen = abs(added) * fewer / self.count if self.count else 0.0
        low = math.hypot(seen if added > 0 else 0.0, more * down)
        return _widened(found, low, math.hypot(seen if added < 0 else 0.0, more * up))


def _widened(found: E, below: float, above: float) -> E:
    """The estimate, whose interval reaches at least so far below and above its value."""
    if not math.isfinite(found.value) or math.isnan(below + above):
        return found
    low, high = found.value - below, found.value + above
    if low >= found.low and high <= found.high:
        return found
    method = f"{found.method}, wide enough for rare outcomes"
    return replace(found, low=min(low, found.low), high=max(high, found.high), method=method)


def _marks(held: Counted, label: int, loss: Any) -> Floats:
    """By cell what the answer adds to the loss of a row; nothing where no row is."""
    there = held.weight.sum(axis=1) > 0
    found = np.zeros(len(held.place))
    with np.errstate(all="ignore"):
        of, other = (_costs(loss, held.place[there], float(each)) for each in (label, 1 - label))
        found[there] = np.where(of == other, 0.0, of - other)
    return found


def _costs(loss: Any, place: Floats, label: float) -> Floats:
    return np.asarray(point_loss(loss)(np.full(len(place), label), place), dtype=np.float64)


def _added(held: Counted, label: int, mark: Floats) -> Added:
    mark, total = np.maximum(mark, 0.0), float(held.weight.sum())
    seen = held.weight[:, label] > 0
    weight, square = held.weight[seen, label], held.square[seen, label]
    return Added(
        float(weight @ mark[seen]) / total,
        float(square @ mark[seen] ** 2) / total**2,
        float(mark.max(initial=0.0)) / held.n,
    )
