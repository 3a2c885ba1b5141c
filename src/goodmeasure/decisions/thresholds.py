"""What every cut of a score costs, the best one, and how surely it is known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from goodmeasure.drawing.display import Display
from goodmeasure.statistics.estimate import Estimate, display_of
from goodmeasure.statistics.intervals import few_quantile, normal_quantile
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.rounded_sums import rounded_sum
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.weights import equal_parts, unit_of


@dataclass(frozen=True)
class Cuts:
    """The total cost of acting from each distinct score on, and of never acting (the last).

    ``scores`` are ascending; ``cost[j]`` is the weighted mean cost of acting at ``score >= scores[j]``. ``change``
    and ``change_squared`` are the sums, by score, of what acting instead of leaving adds, and of its weighted
    square, in a ``unit`` of money that keeps squares in the range of numbers.
    """

    scores: Floats
    cost: Floats
    acted: Floats
    change: Floats
    change_squared: Floats
    weight: float
    effective_n: float
    unit: float = 1.0

    @property
    def best(self) -> int:
        """The cut of least cost; the first of equals."""
        return int(np.argmin(self.cost))

    def threshold(self, cut: int) -> float:
        """A number that separates the scores at this cut: halfway between neighbours, 0 for always, inf for never."""
        if cut == 0:
            return 0.0
        if cut == len(self.scores):
            return math.inf
        low, high = self.scores[cut - 1], self.scores[cut]
        middle = low + (high - low) / 2
        return float(middle if low < middle else high)

    def within(self, share: float) -> int:
        """The best cut among those that act on at most this share of the weight."""
        allowed = np.flatnonzero(self.acted <= share * self.weight * (1 + 1e-12))
        return int(allowed[np.argmin(self.cost[allowed])])

    def not_worse(self, noises: float, best: int | None = None) -> tuple[float, float]:
        """The range of thresholds whose paired extra cost over the best is within so many of its standard errors."""
        j = self.best if best is None else best
        sums = np.concatenate([[0.0], np.cumsum(self.change)])
        extra = (self.cost - self.cost[j]) / self.unit
        centred = self._squares_from(j) - (sums - sums[j]) ** 2 / self.independent
        good = np.flatnonzero(extra * self.weight <= noises * np.sqrt(np.maximum(centred, 0)))
        return self.threshold(int(good[0])), min(self.threshold(int(good[-1])), 1.0)

    @property
    def independent(self) -> float:
        """On how many independent parts a paired difference of two cuts rests."""
        return self.effective_n

    def reach(self, level: float) -> float:
        """How many standard errors a paired test of this level allows."""
        return normal_quantile(level)

    def _squares_from(self, cut: int) -> Floats:
        """The squared changes of the rows between this cut and each other."""
        squares = np.concatenate([[0.0], np.cumsum(self.change_squared)])
        return np.asarray(np.abs(squares - squares[cut]), dtype=np.float64)


@dataclass(frozen=True)
class ClusteredCuts(Cuts):
    """The same where rows go together: the noise between two cuts is that of whole clusters.

    ``cell`` is the place of each row's score, ``moved`` what acting instead of leaving adds there, ``part`` its cluster.
    """

    cell: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    moved: Floats = field(default_factory=lambda: np.empty(0))
    part: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, dtype=np.intp))

    @property
    def independent(self) -> float:
        """How many clusters of equal size there are, or as good as are."""
        return equal_parts(np.bincount(self.part).astype(np.float64))

    def reach(self, level: float) -> float:
        """How many standard errors a paired test of this level allows, that so many clusters tell."""
        parts = self.independent
        return few_quantile(level, parts) * math.sqrt(parts / (parts - 1)) if parts > 1 else math.inf

    def _squares_from(self, cut: int) -> Floats:
        """The squared sums, by cluster, of the changes between this cut and each other."""
        above = self.cell >= cut
        up = self._grown(above, self.cell)
        down = self._grown(~above, -self.cell)
        return np.concatenate([np.cumsum(down[:cut][::-1])[::-1], [0.0], np.cumsum(up[cut:])])

    def _grown(self, rows: NDArray[np.bool_], away: NDArray[np.intp]) -> Floats:
        """By how much the sum of squares grows with each cell, when rows join their cluster's sum from the cut outward."""
        order = np.lexsort((away[rows], self.part[rows]))
        part, moved, cell = self.part[rows][order], self.moved[rows][order], self.cell[rows][order]
        before = np.cumsum(moved) - moved
        first = np.flatnonzero(np.diff(part, prepend=-1))
        before = before - np.repeat(before[first], np.diff(np.append(first, len(part))))
        return summed(cell, moved * (moved + 2 * before), len(self.scores))


def cuts(
    score: Floats,
    acting: Floats,
    leaving: Floats,
    w: Floats,
    square: Floats | None = None,
    together: NDArray[np.intp] | None = None,
) -> Cuts:
    """What every cut of these scores costs, from what acting and leaving cost in each row.

    ``square`` holds the squared weights, or what copies of rows have in their place; ``together`` the code of each row's
    cluster or block.
    """
    distinct, cell = np.unique(score, return_inverse=True)
    square = w * w if square is None else square
    unit = unit_of(acting - leaving)
    change = (acting - leaving) / unit
    found = from_cells(
        distinct,
        summed(cell, w * change),
        summed(cell, square * change * change),
        summed(cell, w),
        float(w @ (leaving / unit)),
        effective_n=float(w.sum() ** 2 / square.sum()),
        unit=unit,
    )
    return found if together is None else ClusteredCuts(**vars(found), cell=cell, moved=w * change, part=together)


def from_cells(
    scores: Floats,
    change: Floats,
    change_squared: Floats,
    weight: Floats,
    never: float,
    *,
    effective_n: float,
    unit: float = 1.0,
) -> Cuts:
    """What every cut costs, from sums by score (or by cell of a grid, whose lower edges are the scores), in a unit."""
    total = rounded_sum(weight)

    def from_here_on(sums: Floats) -> Floats:
        return np.append(np.cumsum(sums[::-1])[::-1], 0.0)

    cost = (never + from_here_on(change)) / total * unit
    return Cuts(scores, cost, from_here_on(weight), change, change_squared, total, effective_n, unit)


def best_threshold(score: Floats, acting: Floats, leaving: Floats, w: Floats, share: float = 1.0) -> float:
    """The threshold of least cost on these rows that acts on at most a share of them."""
    found = cuts(score, acting, leaving, w)
    return found.threshold(found.within(share))


@dataclass(frozen=True)
class Threshold(Estimate):
    """The threshold that costs least on these rows, with its interval and the zone in which others are as good.

    The interval holds all thresholds that a paired test cannot tell from the best; in the flat zone the extra cost is
    within one standard error, so there is no need to tune further.

    Attributes:
        flat_low: where the flat zone begins, a probability.
        flat_high: where it ends.
    """

    flat_low: float = 0.0
    flat_high: float = 1.0

    @property
    def as_good(self) -> str:
        """The flat zone in words."""
        return f"as good: {self.flat_low:.4g} to {self.flat_high:.4g}"

    def __str__(self) -> str:
        return f"{super().__str__()} · {self.as_good}"

    def _display(self) -> Display:
        return display_of("Threshold", {"threshold": self}, self.as_good)


def threshold_estimate(
    found: Cuts, n: int, effective_n: float, *, share: float, level: float, known: str = ""
) -> Threshold:
    """The best of these cuts that acts on at most a share of the rows, with its interval.

    The best threshold moves with the cube root of n: the bootstrap fails for it, and resampling fewer rows than
    there are covers too rarely at usual n. Inverting the paired test of each threshold against the best needs
    neither. ``known`` says how rows depend on each other.
    """
    best = found.within(share)
    low, high = found.not_worse(found.reach(level), best)
    flat = found.not_worse(1.0, best)
    return Threshold(
        found.threshold(best),
        low,
        high,
        n,
        effective_n,
        f"paired test of each threshold against the best, inverted{known}",
        level,
        flat_low=flat[0],
        flat_high=flat[1],
    )
