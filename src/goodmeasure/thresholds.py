"""What every cut of a score costs, the best one, and how surely it is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goodmeasure.estimate import Estimate
from goodmeasure.intervals import normal_quantile
from goodmeasure.rows import Floats, summed


@dataclass(frozen=True)
class Cuts:
    """The total cost of acting from each distinct score on, and of never acting (the last).

    ``scores`` are ascending; ``cost[j]`` is the weighted mean cost of acting at ``score >= scores[j]``. ``change``
    and ``change_squared`` are the sums, by score, of what acting instead of leaving adds, and of its weighted
    square.
    """

    scores: Floats
    cost: Floats
    acted: Floats
    change: Floats
    change_squared: Floats
    weight: float

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

    def flat_zone(self, level: float = 0.95, best: int | None = None) -> tuple[float, float]:
        """The thresholds whose paired extra cost over the best is within its own noise."""
        j = self.best if best is None else best
        sums = np.concatenate([[0.0], np.cumsum(self.change)])
        squares = np.concatenate([[0.0], np.cumsum(self.change_squared)])
        extra = self.cost - self.cost[j]
        noise = np.sqrt(np.maximum(np.abs(squares - squares[j]) - (sums - sums[j]) ** 2 / max(self.weight, 1), 0))
        good = np.flatnonzero(extra * self.weight <= normal_quantile(level) * noise)
        ends = (self.threshold(int(good[0])), self.threshold(int(good[-1])))
        return ends[0], min(ends[1], 1.0)


def cuts(score: Floats, acting: Floats, leaving: Floats, w: Floats) -> Cuts:
    """What every cut of these scores costs, from what acting and leaving cost in each row."""
    distinct, cell = np.unique(score, return_inverse=True)
    change = w * (acting - leaving)
    return from_cells(
        distinct,
        summed(cell, change),
        summed(cell, change * change),
        summed(cell, w),
        float(w @ leaving),
    )


def from_cells(scores: Floats, change: Floats, change_squared: Floats, weight: Floats, never: float) -> Cuts:
    """What every cut costs, from sums by score (or by cell of a grid, whose lower edges are the scores)."""
    total = math.fsum(weight)

    def from_here_on(sums: Floats) -> Floats:
        return np.append(np.cumsum(sums[::-1])[::-1], 0.0)

    cost = (never + from_here_on(change)) / total
    return Cuts(scores, cost, from_here_on(weight), change, change_squared, total)


def best_threshold(score: Floats, acting: Floats, leaving: Floats, w: Floats, share: float = 1.0) -> float:
    """The threshold of least cost on these rows that acts on at most a share of them."""
    found = cuts(score, acting, leaving, w)
    return found.threshold(found.within(share))


@dataclass(frozen=True)
class Threshold(Estimate):
    """The threshold that costs least on these rows, with its interval and the zone in which others are as good."""

    flat_low: float = 0.0
    flat_high: float = 1.0

    def __str__(self) -> str:
        return f"{super().__str__()} · as good: {self.flat_low:.4g} to {self.flat_high:.4g}"


def threshold_estimate(
    score: Floats, acting: Floats, leaving: Floats, w: Floats, *, share: float, level: float, seed: int
) -> Threshold:
    """The best threshold on these rows with an interval by resampling fewer rows than there are.

    The best threshold moves with the cube root of n, where resampling n of n rows is wrong; m of n rows with the
    matching scaling is right (Abrevaya and Huang 2005; Politis, Romano and Wolf 1999).
    """
    found = cuts(score, acting, leaving, w)
    best = found.within(share)
    value = found.threshold(best)
    moved = _resampled(score, acting, leaving, w, share, seed) - min(value, 1.0)
    n = len(score)
    m = _draws(n)
    low, high = np.quantile(moved * (m / n) ** (1 / 3), [(1 - level) / 2, (1 + level) / 2])
    flat = found.flat_zone(level, best)
    centre = min(value, 1.0)
    return Threshold(
        value,
        max(0.0, centre - float(high)),
        min(1.0, centre - float(low)),
        n,
        float(w.sum() ** 2 / (w @ w)),
        f"{m:,} of {n:,} rows resampled, cube-root scaling",
        level,
        float(moved.std() * (m / n) ** (1 / 3)),
        flat_low=flat[0],
        flat_high=flat[1],
    )


def _draws(n: int) -> int:
    return max(2, int(n**0.75))


def _resampled(
    score: Floats, acting: Floats, leaving: Floats, w: Floats, share: float, seed: int, replicates: int = 200
) -> Floats:
    """The best thresholds of resampled rows, never counted as 1."""
    rng = np.random.default_rng(seed)
    m, chance = _draws(len(score)), np.cumsum(w) / w.sum()
    found = np.empty(replicates)
    for b in range(replicates):
        drawn: NDArray[np.intp] = np.minimum(np.searchsorted(chance, rng.random(m), side="right"), len(w) - 1)
        found[b] = best_threshold(score[drawn], acting[drawn], leaving[drawn], np.ones(m), share)
    return np.minimum(found, 1.0)
