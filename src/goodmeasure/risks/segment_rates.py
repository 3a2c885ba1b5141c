"""In which groups of rows probabilities promise another share of events than came, told for all groups together."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.formulas.domains import Level, Seed
from goodmeasure.risks.segments import not_too_many
from goodmeasure.statistics import keys, row_arguments
from goodmeasure.statistics.estimate import Estimate
from goodmeasure.statistics.multinomial import hit_share
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.sample import Sample
from goodmeasure.statistics.several import holm
from goodmeasure.statistics.weights import WeightsMean
from goodmeasure.strict.calls import strict_keywords

# Rows up to which the number of events is counted exactly.
MOST_COUNTED = 2**17
# A sum is normal, but for its skewness, where no row adds more than this part of its spread.
NEARLY_NORMAL = 0.05
# Draws of every group, and the p-value up to which they leave it so near the level that more are needed.
DRAWS, NEAR = 999, 0.05
# Where fewer clusters than these hold an event (or a row without one) their spread does not tell how rows go together.
FEW_CLUSTERS = 5
DRAWN_AT_ONCE = 2**20


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
    level: float

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
    seed: Seed = 0,
) -> list[SegmentRate]:
    """The groups whose share of events is least like what their probabilities promise, the surest first.

    If the probabilities are right, events come as independent throws of so many coins: the chance of as many or as few is
    counted exactly where rows count alike, and drawn where their weights differ. With ``cluster`` it comes from how whole
    clusters differ, and is never less than that of independent rows; where fewer than five clusters hold an event, or a row
    without one, that cannot be seen, and each cluster is one throw. Of twenty calibrated groups none is named in 95 of 100
    tables. More than a thousand groups are refused. Rows of weight zero are not there; ``weights_mean="frequency"`` says
    that weights count copies. Errors: GM009, GM701, GM702, GM703, GM705.
    """
    rows = row_arguments.present(sample_weight, weights_mean, y=y, p=p, segment=segment, cluster=cluster)
    target, scores = rows.read(row_arguments.outcomes, "y"), rows.read(row_arguments.probabilities, "p")
    code, names = rows.read(keys.codes, "segment")
    sample = Sample.of(rows, level)
    apart = replace(sample, level=1 - (1 - level) / len(names))
    not_too_many(len(names))
    members = np.split(np.argsort(code, kind="stable"), np.cumsum(np.bincount(code))[:-1])
    # The least p-value that draws give is 2 in so many: enough for all groups together.
    draws = max(DRAWS, math.ceil(4 * len(names) / (1 - level)))
    chances = holm([_chance(target[held], scores[held], sample.part(held), draws, seed) for held in members])
    found = [
        SegmentRate(
            str(name),
            float(np.average(scores[held], weights=rows.weight[held])),
            hit_share(apart.part(held), target[held]),
            float(chance),
            level,
        )
        for name, held, chance in zip(names, members, chances, strict=True)
    ]
    return sorted(found, key=lambda one: (one.p_value, one.name))


def _chance(y: Floats, p: Floats, sample: Sample, draws: int, seed: int) -> float:
    """The two-sided chance of as many events as came, if the probabilities are right."""
    if sample.together is None:
        return _of_rows(y, p, sample, draws, seed)
    held, events, promised = (keys.summed(sample.together, sample.weight * each) for each in (np.ones_like(y), y, p))
    if min(np.sum(events > 0), np.sum(events < held * (1 - 1e-12))) < FEW_CLUSTERS:
        return _drawn(events / held, promised / held, Sample(held, np.ones(len(held))), draws, seed)
    return max(_of_clusters(y - p, p, sample), _of_rows(y, p, replace(sample, together=None), draws, seed))


def _of_rows(y: Floats, p: Floats, sample: Sample, draws: int, seed: int) -> float:
    """That chance of independent rows: counted, nearly normal, or drawn."""
    p = np.clip(p, 0.0, 1.0)
    if sample.is_counted and sample.n <= MOST_COUNTED:
        copies = np.rint(sample.copies).astype(np.int64)
        return _counted(round(float(copies @ y)), np.repeat(p, copies))
    each = sample.weight / sample.copies
    if float(each.max()) <= NEARLY_NORMAL * math.sqrt(float(sample.square @ (p * (1 - p)))):
        return _nearly_normal(y, p, sample)
    chance = _drawn(y, p, sample, DRAWS, seed)
    # More draws only where they matter: the first ones decide of most groups.
    return _drawn(y, p, sample, draws, seed + 1) if chance <= NEAR and draws > DRAWS else chance


def _counted(events: int, p: Floats) -> float:
    """From the distribution of the number of events (Poisson's binomial): rows are put together in pairs, then pairs of these."""
    chance = np.stack([1 - p, p], axis=1)
    while len(chance) > 1:
        if len(chance) % 2:
            none = np.eye(1, chance.shape[1])
            chance = np.concatenate([chance, none])
        size = 2 * chance.shape[1] - 1
        first, second = (np.fft.rfft(half, size, axis=1) for half in (chance[::2], chance[1::2]))
        chance = np.fft.irfft(first * second, size, axis=1)
    tails = float(chance[0, : events + 1].sum()), float(chance[0, events:].sum())
    return min(1.0, max(0.0, 2 * min(tails)))


def _nearly_normal(y: Floats, p: Floats, sample: Sample) -> float:
    """From the normal distribution with the skewness of so many throws (Volkova 1996)."""
    from scipy.special import ndtr

    w, each, spread = sample.weight, sample.weight / sample.copies, p * (1 - p)
    variance = float(w * each @ spread)
    skew = float(w * each**2 @ (spread * (1 - 2 * p))) / math.pow(variance, 1.5)
    step = 0.5 * float(each.max()) if sample.is_counted else 0.0
    below, above = ((float(w @ (y - p)) + side) / math.sqrt(variance) for side in (step, -step))

    def up_to(z: float) -> float:
        return float(ndtr(z)) + skew * (1 - z * z) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / 6

    return min(1.0, max(0.0, 2 * min(up_to(below), 1 - up_to(above))))


def _drawn(y: Floats, p: Floats, sample: Sample, draws: int, seed: int) -> float:
    """From draws in which each copy of a row happens with its probability.

    Of a row that stands for two and a half, two are drawn: of the same mean and variance.
    """
    rng, at_once = np.random.default_rng(seed), max(DRAWN_AT_ONCE // len(p), 1)
    copies = np.maximum(sample.copies.astype(np.int64), 1)
    each = np.sqrt(sample.square / copies)
    # The events that came, above the mean of all draws as they are above what was promised.
    came = float(sample.weight @ (y - p)) + float(each * copies @ p)
    slack = 1e-9 * float(sample.weight.sum())
    more = fewer = 0
    for first in range(0, draws, at_once):
        shape = min(at_once, draws - first), len(p)
        happened = rng.random(shape) < p if (copies == 1).all() else rng.binomial(copies, p, shape)
        drawn = happened @ each
        more, fewer = more + int(np.sum(drawn >= came - slack)), fewer + int(np.sum(drawn <= came + slack))
    return min(1.0, 2 * (1 + min(more, fewer)) / (draws + 1))


def _of_clusters(miss: Floats, p: Floats, sample: Sample) -> float:
    """From Student's test of the summed misses of whole clusters, whose spread is at least that of independent rows.

    Where clusters miss alike by luck, their own spread is 0 and tells nothing.
    """
    from scipy.special import stdtr

    assert sample.together is not None
    sums = keys.summed(sample.together, sample.weight * miss)
    if len(sums) < 2:
        return 1.0
    promised = float(sample.square @ (p * (1 - p))) / len(sums)
    error = math.sqrt(len(sums) * max(float(sums.var(ddof=1)), promised))
    total = abs(float(sums.sum()))
    return 2 * float(stdtr(len(sums) - 1, -total / error)) if error > 0 else float(total == 0)
