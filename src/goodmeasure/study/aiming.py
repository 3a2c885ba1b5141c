"""Rules that keep a floor or a capacity, chosen on the rows to tune and judged on the rows to report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.decisions.decision import folds
from goodmeasure.decisions.floors import Floor, shares
from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.statistics.estimate import Estimate, within
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.cases import Cases
from goodmeasure.study.dependence import parts, sample
from goodmeasure.study.folds import first_deal, over_folds
from goodmeasure.study.split import Split

FOLDS = 5


@dataclass(frozen=True)
class Aim(Displayed):
    """What acting catches, where a share must be kept or only so many rows can be acted on.

    Attributes:
        name: the floor or the capacity.
        threshold: the probability from which to act on new rows; 0 acts always, infinity never.
        acts_on: the share of the reported rows that are acted on.
        precision: the share of these that are events.
        recall: the share of the events that are acted on.
        said: what may be said of it.

    Example:
        >>> import goodmeasure as gm
        >>> hours = [i % 12 for i in range(240)]
        >>> passed = ["yes" if 2 * h + i % 7 > 12 else "no" for i, h in enumerate(hours)]
        >>> study = gm.run({"hours": hours, "passed": passed}, "passed", positive="yes", floors="recall=0.9")
        >>> study.aims[0].name, study.aims[0].recall.value > 0.9
        ('recall >= 0.9', True)
    """

    name: str
    threshold: float
    acts_on: float
    precision: Estimate
    recall: Estimate
    said: str

    @property
    def sentence(self) -> str:
        """What it catches, in one line."""
        rule = {0.0: "act always", math.inf: "never act"}.get(self.threshold, f"act from {self.threshold:.4g} on")
        precision, recall = (_percent(one) for one in (self.precision, self.recall))
        return (
            f"{self.name}: {rule}: on {self.acts_on:.1%} of rows; precision {precision}, recall {recall}; {self.said}"
        )

    def _display(self) -> Display:
        rows = [("precision", self.precision.interval), ("recall", self.recall.interval)]
        return Display(self.name, columns_of(("what", "value"), rows), (self.sentence,))

    def to_dict(self) -> dict[str, Any]:
        """The aim as plain values, ready for JSON."""
        known = {"precision": self.precision.to_dict(), "recall": self.recall.to_dict()}
        return {"name": self.name, "threshold": self.threshold, "acts_on": self.acts_on, **known, "said": self.said}


def _percent(found: Estimate) -> str:
    if not found.is_known:
        return "not known"
    return f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}]"


@dataclass(frozen=True)
class Aiming:
    """Probabilities of the rows to tune and to report, which aims are chosen and judged by."""

    tune: Cases
    on_tune: Floats
    report: Cases
    on_report: Floats
    split: Split
    seed: int

    def aims(self, floors: Sequence[Floor], budget: int | None) -> tuple[Aim, ...]:
        """An aim for each floor, and one for the capacity."""
        capacity = () if budget is None else (self.of_budget(budget),)
        return (*map(self.of_floor, floors), *capacity)

    def of_floor(self, floor: Floor) -> Aim:
        """The threshold that surely keeps a floor on the rows to tune; of folds, each row by one that others chose."""
        if not self.split.deals:
            at = floor.threshold(self.tune.y, self.on_tune, sample(self.tune))
            return self._judged(str(floor), at, self.on_report >= at, floor)
        at = floor.threshold(self.report.y, self.on_report, sample(self.report))
        fold, limits = folds(len(self.report), parts(self.report)[0], self.seed, FOLDS), np.empty(len(self.report))
        for k in np.unique(fold):
            rest = self.report.take(np.flatnonzero(fold != k))
            limits[fold == k] = floor.threshold(rest.y, self.on_report[fold != k], sample(rest))
        return self._judged(str(floor), at, self.on_report >= limits, floor)

    def of_budget(self, budget: int) -> Aim:
        """The reported rows of highest probability, so many at most, and the threshold that takes as large a share to tune."""
        order = np.sort(self.on_report)[::-1]
        acts = self.on_report >= order[budget - 1] if budget <= len(order) else np.ones(len(order), dtype=bool)
        if acts.sum() > budget:  # rows that share the last probability cannot be told apart, and are left
            acts = self.on_report > order[budget - 1]
        scores = self.on_report if self.split.deals else self.on_tune
        at = float(np.quantile(scores, max(0.0, 1 - budget / len(order)), method="higher"))
        return self._judged(f"at most {budget:,} of {len(order):,} rows", at, acts, None)

    def _judged(self, name: str, threshold: float, acts: NDArray[np.bool_], floor: Floor | None) -> Aim:
        found = shares(acts, self.report.y, sample(self.report))
        wide = {key: within(over_folds(one, first_deal(self.split)), 0.0, 1.0) for key, one in found.items()}
        share = float(np.average(acts, weights=self.report.weights))
        event = float(np.average(self.report.y, weights=self.report.weights))
        said = f"{event:.1%} of all rows are events" if floor is None else floor.said(wide[floor.share], threshold)
        return Aim(name, threshold, share, wide["precision"], wide["recall"], said)
