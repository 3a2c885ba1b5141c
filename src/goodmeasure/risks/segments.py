"""Which groups of rows cost more than the others, told without being fooled by how many were looked at."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.errors import UsageError
from goodmeasure.formulas.domains import Level, Seed
from goodmeasure.statistics import keys, row_arguments
from goodmeasure.statistics.estimate import Difference
from goodmeasure.statistics.rounded_sums import rounded_sum
from goodmeasure.statistics.row_arguments import Floats, TooFewRows
from goodmeasure.statistics.sample import Sample
from goodmeasure.statistics.several import holm
from goodmeasure.statistics.weights import WeightsMean, unit_of
from goodmeasure.strict.calls import strict_keywords

Codes = NDArray[np.intp]
Deal = Callable[[np.random.Generator, int], Codes]
# With fewer deals p-values are coarse; with many groups there are more, so that the least p-value can pass.
DEALS, DEALS_A_GROUP = 1999, 80
# Groups beyond which the deals that could name one take more than minutes.
MOST_GROUPS = 1_000
# Rows dealt in all, beyond which there are only as many deals as a verdict takes.
MOST_DEALT = 100_000_000
DEALT_AT_ONCE = 200_000
# Copies beyond which rows are dealt with all of theirs.
MOST_COPIES = 5_000_000


@dataclass(frozen=True)
class Segment(Displayed):
    """One group: how much more its rows cost than the others, and the chance of so large a difference by luck.

    Attributes:
        name: the group.
        share_of_rows: its share of the weight.
        share_of_loss: its share of the loss, above the smallest where that is negative.
        excess: its mean loss less that of the other rows; intervals of all groups cover together.
        p_value: how often groups dealt at random differ as much, times as many groups as Holm's procedure counts.
        level: how often no group is called weak, where all are alike.
    """

    name: str
    share_of_rows: float
    share_of_loss: float
    excess: Difference
    p_value: float
    level: float

    @property
    def verdict(self) -> str:
        """Whether the group is "weak", that is dearer than the others, or "cheaper", or cannot be told from them.

        It is told where the chance is small and the interval, which holds for all groups together, excludes zero.
        """
        if self.p_value > 1 - self.level + 1e-12 or self.excess.low <= 0 <= self.excess.high:
            return "cannot be told from the others at this n"
        return "weak" if self.excess.value > 0 else "cheaper"

    def _display(self) -> Display:
        row = (self.name, self.share_of_rows, self.share_of_loss, self.excess.interval, self.p_value, self.verdict)
        names = ("segment", "share_of_rows", "share_of_loss", "excess", "p_value", "verdict")
        return Display(f"Segment {self.name}", columns_of(names, [row]), self.excess.cautions)


@strict_keywords
def weak_segments(
    losses: ArrayLike,
    segment: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    weights_mean: WeightsMean = "importance",
    level: Level = 0.95,
    seed: Seed = 0,
) -> list[Segment]:
    """The groups by how much more their rows cost than all others: the surely dearer first, the surely cheaper last.

    Each group is compared with groups of its size dealt at random from the same losses, so skewed losses fool nobody: with
    twenty groups of nothing, none stands out in 95 of 100 tables (p-values are Holm-adjusted, 1979). With ``cluster``
    whole clusters are dealt, and rows within a cluster that holds several groups. Groups of fewer than two rows are left
    out, and more than a thousand groups are refused: so many cannot be told apart. Rows of weight zero are not there;
    ``weights_mean="frequency"`` says that weights count copies. Errors: GM009, GM702, GM705, GM706.

    Source: Janssen 1997, Studentized permutation tests for non-i.i.d. hypotheses.
    """
    rows = row_arguments.present(sample_weight, weights_mean, losses=losses, segment=segment, cluster=cluster)
    values = rows.read(row_arguments.amounts, "losses")
    code, names = rows.read(keys.codes, "segment")
    sample = Sample.of(rows, level)
    copies = np.rint(keys.summed(code, sample.copies))
    kept = np.flatnonzero((copies >= 2) & (copies <= sample.n - 2))
    not_too_many(len(kept))
    if not len(kept):
        raise TooFewRows(
            "no segment has two rows and leaves two others",
            where="segment",
            seen=f"{len(names):,} segments of {sample.n:,} rows",
            fix="give a column whose values repeat: cut numbers into bins",
        )
    dealt = _Dealt.of(values, code, names, sample, seed)
    excess, chances = dealt.compared(kept, 1 - (1 - level) / len(kept))
    above = values - min(float(values.min()), 0.0)
    held, carried = (keys.summed(code, column) for column in (rows.weight, rows.weight * above))
    found = [
        Segment(str(names[k]), held[k] / held.sum(), _share(carried, k), difference, float(p), level)
        for k, difference, p in zip(kept.tolist(), excess, holm(chances), strict=True)
    ]
    return sorted(found, key=_dearest_first)


def not_too_many(groups: int) -> None:
    """Refuse more groups than can be told apart. Error: GM009."""
    if groups > MOST_GROUPS:
        raise UsageError(
            f"segment holds more groups than the {MOST_GROUPS:,} that are compared",
            where="segment",
            seen=f"{groups:,} groups",
            fix="put small groups together, or cut a number into a few ranges",
        )


def _dearest_first(one: Segment) -> tuple[int, float, float]:
    """The surely dear, those that cannot be told, and the surely cheap; the surest of the dear and the cheap outermost."""
    rank = {"weak": 0, "cheaper": 2}.get(one.verdict, 1)
    return rank, -one.p_value if rank == 2 else one.p_value, -one.excess.value


def _share(carried: Floats, k: int) -> float:
    """The part of the loss that a group carries; of no loss at all it carries nothing."""
    total = float(carried.sum())
    return float(carried[k]) / total if total else 0.0


@dataclass(frozen=True, eq=False)
class _Dealt:
    """What each unit adds to its group, the groups as they are, and how groups are dealt at random."""

    columns: Floats
    code: Codes
    deal: Deal
    groups: int
    n: int
    seed: int
    unit: float
    how: str
    cautions: tuple[str, ...]

    @staticmethod
    def of(values: Floats, code: Codes, names: NDArray[np.generic], sample: Sample, seed: int) -> _Dealt:
        """Rows in an order of their own, so that the same rows are dealt alike however they came."""
        w, part = sample.weight, sample.together
        values, unit = _centred(values, w)
        rows, by_name = _units(sample), np.argsort(np.argsort(names.astype(str), kind="stable"))
        values, w, code = (
            values[rows],
            w[rows] / np.where(len(rows) > len(w), sample.copies[rows], 1.0),
            code[rows],
        )
        part = None if part is None else part[rows]
        rank = by_name[code]
        order = np.lexsort((w, values, rank) if part is None else (w, values, rank, _ranked(part, values, rank)))
        values, w, code = values[order], w[order], code[order]
        if (w == w[0]).all():
            columns = np.array([np.ones(len(w)), values, values**2])
        else:
            columns = np.array([w, w * values, (w * values) ** 2, w * w, w * w * values])
        deal, how = (_rows_dealt(code), "rows") if part is None else (_clusters_dealt(code, part[order]), "clusters")
        return _Dealt(columns, code, deal, len(names), sample.n, seed, unit, how, sample.few(part))

    def compared(self, kept: Codes, level: float) -> tuple[list[Difference], Floats]:
        """The excess of each of these groups with its interval, and the chance of as much where groups are dealt."""
        value, error, seen = (each[0, kept] for each in self._welch(self.code[None]))
        least = math.ceil(2 / (1 - level))
        deals = max(min(max(DEALS, DEALS_A_GROUP * len(kept) - 1), MOST_DEALT // len(self.code)), least)
        slack = 1e-9 * np.abs(np.where(np.isfinite(seen), seen, 0.0))
        # Only the ends are kept: of many groups and deals the whole does not fit.
        beyond = int((1 - level) / 2 * (deals - 1)) + 1
        above, below = np.zeros((2, len(kept)))
        ends = np.empty((2, 0, len(kept)))
        for drawn in self._drawn(deals, kept):
            above += np.sum(drawn >= seen - slack, axis=0)
            below += np.sum(drawn <= seen + slack, axis=0)
            both = np.concatenate([ends, [drawn, -drawn]], axis=1)
            ends = np.sort(both, axis=1)[:, :beyond]
        few, many = ends[0, -1], -ends[1, -1]
        tails = [(1 + hits) / (deals + 1) for hits in (above, below)]
        low, high = (self.unit * (value - _times(far, error)) for far in (many, few))
        method = f"{self.how} dealt at random {deals:,} times, simultaneous"
        found = [
            Difference(v * self.unit, a, b, self.n, self.n, method, level, e * self.unit, cautions=self.cautions)
            for v, a, b, e in zip(value, low, high, error, strict=True)
        ]
        return found, np.minimum(2 * np.minimum(*tails), 1.0)

    def _drawn(self, deals: int, kept: Codes) -> Iterator[Floats]:
        """The ratios of `_welch` of these groups for so many deals, some at a time."""
        rng, most = np.random.default_rng(self.seed), max(DEALT_AT_ONCE // max(len(self.code), self.groups), 1)
        for first in range(0, deals, most):
            yield self._welch(self.deal(rng, min(most, deals - first)))[2][:, kept]

    def _welch(self, code: Codes) -> tuple[Floats, Floats, Floats]:
        """For each deal and group its mean less that of the others, the error of that, and their ratio."""
        deals = len(code)
        at = (code + self.groups * np.arange(deals)[:, None]).ravel()
        inside = np.array([keys.summed(at, np.tile(each, deals), deals * self.groups) for each in self.columns])
        inside = inside.reshape(len(self.columns), deals, self.groups)
        outside = self.columns.sum(axis=1)[:, None, None] - inside
        with np.errstate(divide="ignore", invalid="ignore"):
            means, variances = zip(*map(_mean_and_variance, (inside, outside)), strict=True)
            value, error = means[0] - means[1], np.sqrt(variances[0] + variances[1])
            return value, error, np.where(error > 0, value / error, np.where(value == 0, 0.0, np.sign(value) * np.inf))


def _centred(values: Floats, w: Floats) -> tuple[Floats, float]:
    """How far values lie from their mean, and the unit of that: squares about 0 would lose losses that are nearly alike."""
    unit = unit_of(values)
    values = values / unit
    mean = rounded_sum(w * values) / rounded_sum(w)
    values = values - min(max(mean, float(values.min())), float(values.max()))
    finer = unit_of(values)
    return values / finer, unit * finer


def _mean_and_variance(sums: Floats) -> tuple[Floats, Floats]:
    """The mean of each group, and the variance of that, without the bias of so few rows."""
    w, wv, w2v2, w2, w2v = sums if len(sums) == 5 else (*sums, *sums[:2])
    mean, size = wv / w, w * w / w2
    plug_in = np.maximum(w2v2 - 2 * mean * w2v + mean**2 * w2, 0.0) / w**2
    # What is left of values that are all the same is rounding.
    plug_in = np.where(plug_in > 1e-14 * w2v2 / w**2, plug_in, 0.0)
    return mean, plug_in * size / (size - 1)


def _times(far: Floats, error: Floats) -> Floats:
    """So many errors; none where there is no error at all."""
    return np.where(error > 0, far, 0.0) * error


def _units(sample: Sample) -> Codes:
    """The rows that are dealt, copies one by one unless there are too many."""
    copies = np.rint(sample.copies).astype(np.int64)
    single = bool((copies == sample.copies).all()) and int(copies.sum()) <= MOST_COPIES
    return np.repeat(np.arange(len(copies)), copies if single else 1)


def _ranked(part: Codes, values: Floats, code: Codes) -> Codes:
    """Clusters in an order that what they hold decides, not their keys."""
    held = keys.summed(part, values), keys.summed(part, code.astype(np.float64)), keys.summed(part, np.ones(len(part)))
    rank = np.empty(len(held[0]), dtype=np.intp)
    rank[np.lexsort(held)] = np.arange(len(rank))
    return rank[part]


def _rows_dealt(code: Codes) -> Deal:
    return lambda rng, deals: rng.permuted(np.tile(code, (deals, 1)), axis=1)


def _clusters_dealt(code: Codes, part: Codes) -> Deal:
    """Clusters of one group swap groups; rows of a cluster that holds several swap among themselves.

    Rows are in order of their cluster, so that rows shuffled within clusters stay in its place.
    """
    part = np.cumsum(np.diff(part, prepend=part[0]) != 0)
    first = np.flatnonzero(np.diff(part, prepend=-1))
    whole = np.minimum.reduceat(code, first) == np.maximum.reduceat(code, first)
    of_one, of_many, held = np.flatnonzero(whole[part]), np.flatnonzero(~whole[part]), code[first[whole]]
    place = (np.cumsum(whole) - 1)[part[of_one]]

    def deal(rng: np.random.Generator, deals: int) -> Codes:
        dealt = np.empty((deals, len(code)), dtype=np.intp)
        dealt[:, of_one] = rng.permuted(np.tile(held, (deals, 1)), axis=1)[:, place]
        shuffled = np.argsort(part[of_many] + rng.random((deals, len(of_many))), axis=1)
        dealt[:, of_many] = code[of_many[shuffled]]
        return dealt

    return deal
