"""Curves over all thresholds of a yes/no score, from what each cell of equal scores holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from goodmeasure import rows
from goodmeasure.calibrating.decomposition import Cells, cells
from goodmeasure.rows import Floats


@dataclass(frozen=True)
class Curves:
    """Shares of events and others above each threshold, and the curves that follow from them.

    ``threshold`` ascends; acting means a score at or above it, and the last threshold is never reached.
    """

    threshold: Floats
    true_positive: Floats
    false_positive: Floats
    prevalence: float

    @property
    def roc_area(self) -> float:
        """The chance that an event scores above another row (ties count half)."""
        hits, alarms = self.true_positive / self.prevalence, self.false_positive / (1 - self.prevalence)
        return float(-np.trapezoid(hits, alarms))

    @property
    def precision(self) -> Floats:
        """The share of events among rows at or above each threshold (1 where there are none)."""
        acted = self.true_positive + self.false_positive
        return np.divide(self.true_positive, acted, out=np.ones_like(acted), where=acted > 0)

    @property
    def recall(self) -> Floats:
        """The share of all events that lie at or above each threshold."""
        return np.asarray(self.true_positive / self.prevalence, dtype=np.float64)

    @property
    def average_precision(self) -> float:
        """The mean precision over the events in falling order of score."""
        return float(np.sum(-np.diff(self.recall) * self.precision[:-1]))

    def at(self, thresholds: ArrayLike) -> tuple[Floats, Floats]:
        """The shares of all rows that are events, and others, at or above these thresholds."""
        place = np.searchsorted(self.threshold, np.asarray(thresholds, dtype=np.float64), side="left")
        return self.true_positive[place], self.false_positive[place]

    def cost(self, ratios: ArrayLike) -> Floats:
        """The cost curve: mean cost of acting from p = c on, where a false alarm costs c and a miss 1 - c."""
        c = np.asarray(ratios, dtype=np.float64)
        hits, alarms = self.at(c)
        return np.asarray((1 - c) * (self.prevalence - hits) + c * alarms, dtype=np.float64)

    def murphy(self, ratios: ArrayLike) -> Floats:
        """The Murphy curve: twice the cost curve; its integral over (0, 1) is the Brier score (Ehm et al. 2016)."""
        return 2 * self.cost(ratios)

    def net_benefit(self, thresholds: ArrayLike) -> Floats:
        """The decision curve: hits less alarms, an alarm weighed by the odds of the threshold (Vickers and Elkin
        2006)."""
        t = np.asarray(thresholds, dtype=np.float64)
        hits, alarms = self.at(t)
        return np.asarray(hits - alarms * t / (1 - t), dtype=np.float64)

    def treat_all(self, thresholds: ArrayLike) -> Floats:
        """The net benefit of acting on every row."""
        t = np.asarray(thresholds, dtype=np.float64)
        return np.asarray(self.prevalence - (1 - self.prevalence) * t / (1 - t), dtype=np.float64)

    @property
    def brier(self) -> float:
        """The Brier score as twice the integral of the cost curve: exact, for the curve is linear between scores."""
        low, high = np.append(0.0, self.threshold[:-1]), np.minimum(self.threshold, 1.0)
        missed, alarms = self.prevalence - self.true_positive, self.false_positive
        return float(2 * np.sum(missed * ((high - low) - (high**2 - low**2) / 2) + alarms * (high**2 - low**2) / 2))

    @property
    def log_loss(self) -> float:
        """Cross-entropy as the integral of the cost curve over c (1 - c); infinite if a certain score was wrong."""
        low, high = np.append(0.0, self.threshold[:-1]), np.minimum(self.threshold, 1.0)
        missed, alarms = self.prevalence - self.true_positive, self.false_positive
        with np.errstate(divide="ignore", invalid="ignore"):
            misses = np.where(missed > 0, missed * (np.log(high) - np.log(low)), 0.0)
            calls = np.where(alarms > 0, alarms * (np.log1p(-low) - np.log1p(-high)), 0.0)
        return float(np.sum(np.where(high > low, misses + calls, 0.0)))

    def to_dict(self) -> dict[str, Any]:
        """The curves' points as plain values; the threshold that is never reached is null."""
        return {
            "threshold": [t if math.isfinite(t) else None for t in self.threshold.tolist()],
            "true_positive": self.true_positive.tolist(),
            "false_positive": self.false_positive.tolist(),
            "prevalence": self.prevalence,
        }


def curves(y: ArrayLike, p: ArrayLike, *, sample_weight: ArrayLike | None = None) -> Curves:
    """All curves of a yes/no score, exact on rows. Errors: GM701 to GM704."""
    target, scores = rows.outcomes(y, both=True), rows.probabilities(p)
    rows.same_length(y=target, p=scores)
    return of_cells(cells(target, scores, rows.weights(sample_weight, len(target))))


def of_cells(found: Cells) -> Curves:
    """All curves from weights of events and rows by ascending score."""
    total = math.fsum(found.weight)

    def above(sums: Floats) -> Floats:
        return np.append(np.cumsum(sums[::-1])[::-1], 0.0) / total

    thresholds = np.append(found.p, math.inf)
    return Curves(thresholds, above(found.events), above(found.weight - found.events), math.fsum(found.events) / total)
