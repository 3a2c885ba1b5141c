"""In which groups of rows probabilities promise another share of events than came, told for all groups together."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.formulas.domains import Level
from goodmeasure.risks.segments import holm
from goodmeasure.statistics import keys, row_arguments
from goodmeasure.statistics.estimate import Estimate
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.sample import Sample
from goodmeasure.statistics.weights import WeightsMean
from goodmeasure.strict.calls import strict_keywords

# Beyond so many rows the number of events is normal, but for its skewness, to more digits than a verdict takes.
MOST_COUNTED = 5_000


@dataclass(frozen=True)
class SegmentRate(Displayed):
    """One group: the share of events that its probabilities promise, and the share that came.

    Attributes:
        name: the group.
        expected: the mean probability.
        observed: the share of events; intervals of all groups cover together.
        p_value: how often events would be as many or as few if the probabilities were right, times as many groups as Holm's
            procedure counts.
    """

    name: str
    expected: float
    observed: Estimate
    p_value: float
    level: float = 0.95

    @property
    def verdict(self) -> str:
        """Whether more or fewer events came than were promised, or that it cannot be told."""
        if self.p_value > 1 - self.level + 1e-12:
            return "cannot be told from calibrated at this n"
        return "more events than promised" if self.observed.value > self.expected else "fewer events than promised"

    def _display(self) -> Display:
        row = (self.name, self.expected, self.observed.interval, self.observed.n, self.p_value, self.verdict)
        columns = columns_of(("segment", "expected", "observed", "n", "p_value", "verdict"), [row])
        return Display(f"Segment {self.name}", columns, self.observed.cautions)


@strict_keywords
def segment_rates(
    y: ArrayLike,
    p: ArrayLike,
    segment: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    weights_mean: WeightsMean = "importance",
    level: Level = 0.95,
) -> list[SegmentRate]:
    """The groups whose share of events is least like what their probabilities promise, the surest first.

    If the probabilities are right, events come as independent throws of so many coins: the chance of as many or as few is
    counted exactly where rows count alike. With ``cluster`` it comes from how whole clusters differ. Of twenty calibrated
    groups none is named in 95 of 100 tables. Rows of weight zero are not there; ``weights_mean="frequency"`` says that
    weights count copies. Errors: GM701, GM702, GM703, GM705.
    """
    rows = row_arguments.present(sample_weight, weights_mean, y=y, p=p, segment=segment, cluster=cluster)
    target, scores = rows.read(row_arguments.outcomes, "y"), rows.read(row_arguments.probabilities, "p")
    code, names = rows.read(keys.codes, "segment")
    sample = Sample.of(rows, level)
    apart = replace(sample, level=1 - (1 - level) / len(names))
    members = [code == k for k in range(len(names))]
    chances = holm(np.array([_chance(target[held], scores[held], sample.part(held)) for held in members]))
    found = [
        SegmentRate(
            str(name),
            float(np.average(scores[held], weights=rows.weight[held])),
            apart.part(held).share(target[held]),
            float(chance),
            level,
        )
        for name, held, chance in zip(names, members, chances, strict=True)
    ]
    return sorted(found, key=lambda one: (one.p_value, one.name))


def _chance(y: Floats, p: Floats, sample: Sample) -> float:
    """The two-sided chance of as many events as came, if the probabilities are right."""
    if sample.together is not None:
        return _of_clusters(y - p, sample)
    if sample.is_counted and sample.n <= MOST_COUNTED:
        copies = np.rint(sample.copies).astype(np.int64)
        return _counted(round(float(copies @ y)), np.repeat(p, copies))
    return _nearly_normal(y, p, sample)


def _counted(events: int, p: Floats) -> float:
    """From the distribution of the number of events, one throw after the other (Poisson's binomial)."""
    chance = np.zeros(len(p) + 1)
    chance[0] = 1.0
    for one in np.sort(p):
        chance[1:] = chance[1:] * (1 - one) + chance[:-1] * one
        chance[0] *= 1 - one
    return min(1.0, 2 * min(float(chance[: events + 1].sum()), float(chance[events:].sum())))


def _nearly_normal(y: Floats, p: Floats, sample: Sample) -> float:
    """From the normal distribution with the skewness of so many throws (Volkova 1996)."""
    from scipy.special import ndtr

    w, each, spread = sample.weight, sample.weight / sample.copies, p * (1 - p)
    variance = float(w * each @ spread)
    miss = float(w @ (y - p))
    if variance == 0:
        return float(miss == 0)
    skew = float(w * each**2 @ (spread * (1 - 2 * p))) / math.pow(variance, 1.5)
    step = 0.5 * float(each.max()) if sample.is_counted else 0.0
    below, above = ((miss + side) / math.sqrt(variance) for side in (step, -step))

    def up_to(z: float) -> float:
        return float(ndtr(z)) + skew * (1 - z * z) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / 6

    return min(1.0, max(0.0, 2 * min(up_to(below), 1 - up_to(above))))


def _of_clusters(miss: Floats, sample: Sample) -> float:
    """From Student's test of the summed misses of whole clusters."""
    from scipy.special import stdtr

    assert sample.together is not None
    sums = keys.summed(sample.together, sample.weight * miss)[np.unique(sample.together)]
    spread = math.sqrt(float(sums @ sums) * len(sums) / max(len(sums) - 1, 1))
    if len(sums) < 2 or spread == 0:
        return 1.0
    return 2 * float(stdtr(len(sums) - 1, -abs(float(sums.sum())) / spread))
