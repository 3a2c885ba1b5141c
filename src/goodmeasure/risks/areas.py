"""The area under the ROC curve with an interval that holds near 1, for few events, and for rows that go together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goodmeasure.statistics.estimate import Estimate
from goodmeasure.statistics.intervals import normal_quantile, student_quantile
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.sample import Sample

# With fewer events, or fewer other rows, an area is told by hardly anything.
FEW = 10


@dataclass(frozen=True)
class Area:
    """The area, its variance with the degrees of freedom that it rests on, and how many events and others it is worth."""

    value: float
    variance: float
    freedom: float
    events: float
    others: float

    def estimate(self, n: int, effective_n: float, level: float, method: str, tied: float = 0.0) -> Estimate:
        """The area with its interval; ``tied`` is how far a grid can have moved it."""
        low, high = self.interval(level)
        error = math.sqrt(self.variance)
        return Estimate(self.value, low, high, n, effective_n, method, level, error, tied, tuple(self._cautions()))

    def interval(self, level: float) -> tuple[float, float]:
        """The areas that the one seen does not contradict, where an area has the larger of two variances.

        One is what Newcombe's fifth method gives for that area: it does not vanish where no pair is out of order. The other
        is that in proportion to DeLong's, which knows how these scores spread, with Student's quantile.
        """
        from scipy.optimize import brentq

        model = self._model(self.value)
        wider = self.variance / model if model > 0 else 0.0
        reach = max(normal_quantile(level) ** 2, student_quantile(level, max(self.freedom, 1.0)) ** 2 * wider)

        def beyond(area: float) -> float:
            return (self.value - area) ** 2 - reach * self._model(area)

        # At 0 and 1 themselves the variance is 0: what is looked for lies just inside.
        low, high = min(self.value, 1 - 1e-12), max(self.value, 1e-12)
        return brentq(beyond, 0.0, low) if low > 0 else 0.0, brentq(beyond, high, 1.0) if high < 1 else 1.0

    def _model(self, area: float) -> float:
        """The variance that exponential scores of this area have, on equal terms for events and others (Newcombe 2006)."""
        both = (self.events + self.others) / 2 - 1
        pairs = (1 - area) / (2 - area) + area / (1 + area)
        return area * (1 - area) * (1 + max(both, 0.0) * pairs) / (self.events * self.others)

    def _cautions(self) -> list[str]:
        """What to say of an area that few rows tell."""
        found = ["no pair is out of order: the rows say nothing about the spread"] if self.value in (0.0, 1.0) else []
        few, what = min((self.events, "events"), (self.others, "rows without the event"))
        return [*found, f"{few:.3g} {what} are few to tell an area by"] if few < FEW else found


def of_cells(weight: tuple[Floats, Floats], square: tuple[Floats, Floats]) -> Area:
    """From weights and squared weights of events and of other rows, by ascending score; rows are independent."""
    wins = _wins(*weight)
    value = _exact_at_the_ends(float(weight[0] @ wins[0] / weight[0].sum()))
    parts = [_variance_of_mean(*each) for each in zip(wins, weight, square, strict=True)]
    worth = [_worth(*each) for each in zip(weight, square, strict=True)]
    # Of a sum of two variances, as Welch counts.
    uncertain = sum(part**2 / (size - 1) for part, size in zip(parts, worth, strict=True) if part > 0)
    variance = sum(parts)
    return Area(value, variance, variance**2 / uncertain if uncertain > 0 else 1.0, *worth)


def of_rows(y: Floats, p: Floats, sample: Sample) -> Area:
    """From rows: events and others, of which those of one cluster or block go together."""
    distinct, cell = np.unique(p, return_inverse=True)
    event = y == 1
    kinds = event, ~event

    def by_cell(column: Floats) -> tuple[Floats, Floats]:
        first, second = (summed(cell[kind], column[kind], len(distinct)) for kind in kinds)
        return first, second

    weight = by_cell(sample.weight)
    alone = of_cells(weight, by_cell(sample.square))
    if sample.together is None:
        return alone
    wins = _wins(*weight)
    share = [sample.weight * kind / total.sum() for kind, total in zip(kinds, weight, strict=True)]
    pull = sum(each * (won[cell] - alone.value) for each, won in zip(share, wins, strict=True))
    return _of_clusters(alone, np.asarray(pull), event, sample)


def pulls(y: Floats, p: Floats, weight: Floats) -> Floats:
    """Numbers a row whose weighted mean is the area, and which vary as it does: what each row pulls it up or down.

    Source: DeLong, DeLong and Clarke-Pearson 1988; two areas on the same rows are compared by the differences.
    """
    distinct, cell = np.unique(p, return_inverse=True)
    event = y == 1
    of_events, of_others = (summed(cell[kind], weight[kind], len(distinct)) for kind in (event, ~event))
    wins = _wins(of_events, of_others)
    area = float(of_events @ wins[0] / of_events.sum())
    share = np.where(event, weight.sum() / of_events.sum(), weight.sum() / of_others.sum())
    return np.asarray(area + share * (np.where(event, wins[0][cell], wins[1][cell]) - area))


def _of_clusters(alone: Area, pull: Floats, event: NDArray[np.bool_], sample: Sample) -> Area:
    """The area with the variance of sums by cluster of what each row pulls it up or down (Obuchowski 1997)."""
    together = sample.together
    assert together is not None
    sums, count = summed(together, pull), sample.equal_parts(together)
    variance = float(sums @ sums) * count / (count - 1)
    if alone.variance > 0:
        worth = max(1.0, variance / alone.variance)
        return Area(alone.value, variance, count - 1, alone.events / worth, alone.others / worth)
    events, others = (float(len(np.unique(together[kind]))) for kind in (event, ~event))
    return Area(alone.value, variance, count - 1, min(events, alone.events), min(others, alone.others))


def _wins(events: Floats, others: Floats) -> tuple[Floats, Floats]:
    """By cell: the share of other rows that an event beats, and the share of events that beat another row."""
    return (np.cumsum(others) - others / 2) / others.sum(), 1 - (np.cumsum(events) - events / 2) / events.sum()


def _exact_at_the_ends(area: float) -> float:
    """0 or 1 where every pair is in order, whatever rounding says of sums of shares."""
    return round(area) * 1.0 if min(area, 1 - area) < 1e-12 else area


def _worth(weight: Floats, square: Floats) -> float:
    return float(weight.sum() ** 2 / square.sum())


def _variance_of_mean(values: Floats, weight: Floats, square: Floats) -> float:
    """The variance of a weighted mean of independent rows, from sums of weights and squared weights by value."""
    total, size = weight.sum(), _worth(weight, square)
    plug_in = float(square @ (values - weight @ values / total) ** 2 / total**2)
    return plug_in * size / (size - 1) if size > 1 + 1e-9 else 0.0
