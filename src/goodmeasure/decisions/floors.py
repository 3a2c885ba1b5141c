"""Thresholds that keep a floor: the best precision where recall surely is 0.9, or the reverse."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from goodmeasure.errors import UsageError
from goodmeasure.statistics.estimate import Estimate
from goodmeasure.statistics.multinomial import hit_share
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.sample import Sample

Share = Literal["recall", "precision"]
# Where thresholds are tried for a precision, which need not rise with them: each bears its part of the risk of error.
TRIED = (*(k / 20 for k in range(20)), 0.97, 0.98, 0.99, 0.995)


@dataclass(frozen=True)
class Floor:
    """A share that must be kept: of events that are caught (recall), or of acts that are right (precision)."""

    share: Share
    least: float

    @staticmethod
    def of(text: str) -> Floor:
        """Read "recall=0.9" or "precision=0.8". Error: GM009."""
        name, _, value = text.replace(">", "").partition("=")
        try:
            least = float(value)
        except ValueError:
            least = math.nan
        if name.strip() not in get_args(Share) or not 0 < least < 1:
            raise UsageError(f"{text!r} is no floor", fix="recall=0.9, or precision=0.8")
        return Floor("recall" if name.strip() == "recall" else "precision", least)

    def __str__(self) -> str:
        return f"{self.share} >= {self.least:g}"

    def threshold(self, y: Floats, p: Floats, sample: Sample) -> float:
        """From which probability to act so that the floor surely holds, and the other share is as large as it can be.

        It is wrong about that in one of twenty tables, or as the level of the sample says. Zero, to act always, where
        nothing else surely keeps a recall; infinite, to act never, where nothing surely keeps a precision.

        Source: Angelopoulos, Bates, Candès, Jordan and Lei 2021, Learn then test.
        """
        return self._of_recall(y, p, sample) if self.share == "recall" else self._of_precision(y, p, sample)

    def _of_recall(self, y: Floats, p: Floats, sample: Sample) -> float:
        """Recall falls from threshold to threshold, so the last that surely keeps it is found by halving."""
        places = np.unique(p[y == 1])
        low, high = 0, len(places)
        while low < high:
            middle = (low + high) // 2
            keeps = self._surely(p >= places[middle], y, sample, 1 - sample.level)
            low, high = (middle + 1, high) if keeps else (low, middle)
        return float(places[low - 1]) if low else 0.0

    def _of_precision(self, y: Floats, p: Floats, sample: Sample) -> float:
        """The lowest of a few thresholds that surely keep it."""
        tried = np.unique(np.quantile(p, TRIED, method="higher"))
        risk = (1 - sample.level) / len(tried)
        return next((float(at) for at in tried if self._surely(p >= at, y, sample, risk)), math.inf)

    def _surely(self, acts: NDArray[np.bool_], y: Floats, sample: Sample, risk: float) -> bool:
        """Whether the share is above the floor but for so much risk on one side."""
        found = shares(acts, y, replace(sample, level=1 - 2 * risk))[self.share]
        return bool(found.low >= self.least)

    def said(self, found: Estimate, threshold: float) -> str:
        """Whether the floor held on rows that did not choose the threshold."""
        if threshold in (0.0, math.inf):
            return "no threshold surely keeps it on the rows to tune"
        if found.low >= self.least:
            return "it holds on the reported rows"
        if found.high < self.least:
            return "it does not hold on the reported rows"
        return "the reported rows do not contradict it"


def shares(acts: NDArray[np.bool_], y: Floats, sample: Sample) -> dict[Share, Estimate]:
    """Precision and recall of acts with their intervals; without an act, or an event, one of them is not known."""
    event = y == 1
    return {"precision": _share(event, acts, sample), "recall": _share(acts, event, sample)}


def _share(hit: NDArray[np.bool_], among: NDArray[np.bool_], sample: Sample) -> Estimate:
    if not among.any():
        return Estimate(math.nan, 0.0, 1.0, 0, 0.0, "no rows", sample.level)
    return hit_share(sample.part(among), hit[among].astype(np.float64))
