"""The rule that is right where probabilities are: its threshold and its acts, where events are as common as here or not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goodmeasure.calibrating.base_rates import prior_shift
from goodmeasure.decisions.costs import Costs
from goodmeasure.errors import UsageError
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.row_arguments import Floats


@dataclass(frozen=True)
class PrevalenceShift:
    """From the share of events here to that where the rule is used, and what a row of each kind weighs there."""

    here: float = 0.5
    there: float = 0.5

    @staticmethod
    def to(prevalence: float | None, y: Floats, w: Floats) -> PrevalenceShift:
        """From these rows to another share of events; None: it stays as it is."""
        if prevalence is None:
            return PrevalenceShift()
        if not 0 < prevalence < 1:
            raise UsageError(
                f"a prevalence lies strictly between 0 and 1, not {prevalence:g}",
                fix="prevalence=0.1, the share of events where the rule will be used",
            )
        return PrevalenceShift(float(w @ y / w.sum()), prevalence)

    @property
    def yes(self) -> float:
        """What an event weighs."""
        return self.there / self.here

    @property
    def no(self) -> float:
        """What another row weighs."""
        return (1 - self.there) / (1 - self.here)

    def of(self, p: Floats) -> Floats:
        """Probabilities as they would be there."""
        return p if self.here == self.there else prior_shift(p, trained_at=self.here, used_at=self.there)

    def back(self, threshold: float) -> float:
        """The score here that stands for a probability there."""
        no, yes = threshold * self.no, (1 - threshold) * self.yes
        return no / (no + yes)


def bayes_rule(
    p: Floats, costs: Costs, shift: PrevalenceShift, w: Floats, share: float
) -> tuple[float, NDArray[np.bool_]]:
    """The Bayes threshold on the scale of the scores given, and the rows it acts on within the budget."""
    shifted = shift.of(p)
    act = np.asarray(shifted >= costs.thresholds)
    threshold = costs.average_threshold(w)
    threshold = threshold if shift.here == shift.there else shift.back(threshold)
    if share < 1 and float(w @ act) > share * float(w.sum()):
        act = _most_gainful(shifted * costs.miss - (1 - shifted) * costs.alarm, w, share)
        threshold = float(p[act].min()) if act.any() and not costs.per_row else math.nan
    return threshold, act


def _most_gainful(gain: Floats, w: Floats, share: float) -> NDArray[np.bool_]:
    """The rows of largest gain that weigh no more than this share; rows of equal gain are in or out together."""
    distinct, cell = np.unique(-gain, return_inverse=True)
    reached = np.cumsum(summed(cell, w, len(distinct)))
    return np.asarray((reached <= share * float(w.sum()) * (1 + 1e-12))[cell])
