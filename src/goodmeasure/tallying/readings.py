"""What is read from a tally: each number an estimate, with the most that the grid can have moved it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from goodmeasure.calibrating.calibration import TALLIED_TOGETHER, Basis, Calibration, is_off, judged
from goodmeasure.calibrating.calibration import of_cells as calibration_of_cells
from goodmeasure.calibrating.decomposition import Cells, PointLoss
from goodmeasure.calibrating.miscalibration import bins_for, from_bin_sums
from goodmeasure.calibrating.significance import chance_of_misses, ranked
from goodmeasure.decisions.costs import Costs, CostsDoNotFit
from goodmeasure.decisions.curves import Curves, of_sums
from goodmeasure.decisions.decision import FOLDS
from goodmeasure.decisions.pricing import mistakes, never_seen
from goodmeasure.decisions.rules import Decision, PricedRule
from goodmeasure.decisions.thresholds import Threshold, from_cells, threshold_estimate
from goodmeasure.drawing.cells import intervals
from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.errors import NoSuchReading, NothingToAverage
from goodmeasure.statistics.estimate import Difference, Estimate, as_difference, not_known, times, within
from goodmeasure.statistics.intervals import (
    CLUSTERED,
    cost_infinity,
    equal_by,
    from_moments,
    normal_quantile,
    of_equal,
    skewness,
)
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.multinomial import METHOD, Multinomial
from goodmeasure.statistics.row_arguments import Floats, OutOfRange
from goodmeasure.statistics.sample import TAKEN_AS_INDEPENDENT, few_parts
from goodmeasure.statistics.weights import counted, equal_parts, few_enough, unit_of
from goodmeasure.tallying.counted import Counted, Reading
from goodmeasure.tallying.grid import SCORE_CELLS, score_edges
from goodmeasure.tallying.rare import RareAnswer
from goodmeasure.tallying.schema import column
from goodmeasure.tallying.state import OLDER, AmountSums, Power, ScoreCounts, State

Judged = TypeVar("Judged", Calibration, "Bias")

Seeds = int | list[int]

# So many deals of rows to folds tell how far apart two of them are: of such differences, one in some hundreds is longer than
# so many of their standard deviations.
DEALS, MOST_SPREADS = 20, 4.0
# A cut that costs so many standard deviations of a deal more than the best one is chosen by no deal of many rows.
FAR, MANY = 10.0, 50_000
# The smallest sum of squares that has all its digits.
TINY = 1e-290


def risk(state: State, name: str, names: list[str], how: Reading) -> Estimate:
    """The mean of a summed column with its interval."""
    if name not in state.moments or not state.moments[name].n:
        raise NothingToAverage(
            "no rows were tallied",
            seen=f"excluded: {state.excluded or 'none'}",
            fix="tally rows that have a weight, a target and a score",
        )
    moments = state.moments[name]
    total, n = moments.totals(), moments.n
    if how.copies:
        total, n = total.of_copies, counted(few_enough(np.array([total.w])))
    cautions = tuple(f"{count:,} rows left out: {reason}" for reason, count in state.excluded.items())
    if moments.infinite:
        why = (*cautions, cost_infinity(moments.infinite))
        return Estimate(math.inf, math.inf, math.inf, n, 0.0, "exact sums", how.level, math.inf, cautions=why)
    if total.wv and total.w2v2 < TINY:
        raise OutOfRange("losses are so small that their squares are not numbers", fix="give them in another unit")
    mean = total.wv / total.w
    parts, method, skew = _spread(state, name, names, total, mean)
    # Rows of equal weight have sum(w v²) = sum(w² v²) · w / w²; in general this is close and serves effective_n alone.
    variance = _scatter(total, mean) / total.w2
    if state.clusters is not None:
        cautions = (*cautions, *few_parts(len(state.clusters.table()), parts[1], "groups"))
    return replace(from_moments(mean, parts, n, variance, how.level, method, skew), cautions=cautions)


def mean_loss(
    state: State, name: str, names: list[str], how: Reading, limits: tuple[float, float], rare: RareAnswer | None = None
) -> Estimate:
    """The mean of a column of losses, each within ``limits``, with its interval within them."""
    found = risk(state, name, names, how)
    moments = state.moments[name].totals()
    total = moments.of_copies if how.copies else moments
    if math.isfinite(found.value) and equal_by(math.sqrt(_scatter(total, found.value) / total.w2), abs(found.value)):
        found = of_equal(found, _independent(state, total), limits)
    found = found if rare is None else rare.of_mean(found, how.level)
    return within(found, *limits)


def _scatter(total: Power, mean: float) -> float:
    """The sum of the squared weighted distances to the mean."""
    return max(total.w2v2 - 2 * mean * total.w2v + mean**2 * total.w2, 0.0)


def _independent(state: State, total: Power) -> float:
    """How many independent parts of equal weight the rows are: rows, or clusters."""
    if state.clusters is None:
        return total.w**2 / total.w2
    return equal_parts(state.clusters.table()[:, 0])


def _spread(
    state: State, name: str, names: list[str], total: Power, mean: float
) -> tuple[tuple[float, float], str, float | None]:
    """The variance of the mean, how many equal parts tell it, what to call that, and the skewness.

    A state holds the third power of clusters' sums and not of rows, of which there are many where it is needed.
    """
    if state.clusters is None:
        return (_scatter(total, mean) / total.w**2, total.w**2 / total.w2), "exact sums, normal", None
    table = state.clusters.table()
    miss = table[:, 1 + names.index(name)] - mean * table[:, 0]
    return (float(miss @ miss) / total.w**2, equal_parts(table[:, 0])), f"exact sums, {CLUSTERED}", skewness(miss, miss)


def difference(
    state: State,
    models: tuple[str, str],
    at: int,
    names: list[str],
    how: Reading,
    sign: int,
    rare: RareAnswer | None = None,
) -> Difference:
    """How much more the first of two models costs by a loss, turned round for ``sign`` -1.

    The column of differences does not tell which of the two costs infinity: the columns of the models do.
    """
    found = as_difference(risk(state, column(" - ".join(models), at), names, how))
    found = replace(found, method=f"paired, {found.method}")
    if math.isinf(found.value):
        return _infinite(found, *(sign * state.moments[column(model, at)].infinite for model in models))
    found = found if rare is None else rare.of_difference(found, how.level)
    low, high = sorted((sign * found.low, sign * found.high))
    return replace(found, value=sign * found.value, low=low, high=high)


def _infinite(found: Difference, first: int, second: int) -> Difference:
    """The difference of means of which one is infinite, or both: then it is no number."""
    if first and second:
        why = (*found.cautions[:-1], "both means are infinite, which have no difference")
        return replace(found, value=math.nan, low=math.nan, high=math.nan, cautions=why)
    value = math.inf * (first - second)
    return replace(found, value=value, low=value, high=value)


def cells(held: Counted) -> Cells:
    """The tallied scores as cells, each at its mean score."""
    total = held.weight.sum(axis=1)
    some = total > 0
    return Cells(held.place[some], held.weight[some, 1], total[some], held.square.sum(axis=1)[some])


def curves(counts: ScoreCounts, how: Reading) -> Curves:
    """All curves, with the cells' lower edges as thresholds: there the counts are exact."""
    held = Counted.of(counts, how)
    held.both()
    some = held.weight.sum(axis=1) > 0
    return of_sums(score_edges()[some], held.weight[some], held.square[some], held.n, on_grid=True)


def calibration(counts: ScoreCounts, loss: PointLoss, exact: Estimate | None, how: Reading) -> Calibration:
    """The split of the loss on cells, the debiased and the smooth error; the mean loss itself is the exact one."""
    counted_scores = Counted.of(counts, how)
    settings = Basis(how.level, how.seed, counted_scores.n, counted_scores.effective_n)
    held = cells(counted_scores)
    found = calibration_of_cells(held, loss, settings, _squared_error(counted_scores, how.level))
    share = held.events / held.weight
    # The increasing fit of cells costs at most this much more Brier score than that of rows: the mean of the finer fit
    # within a cell is an increasing fit too.
    bound = float((2 * held.weight * share * (1 - share)).max() / held.weight.sum())
    lost, known = (_bounded(part, bound, loss) for part in (found.miscalibration, found.discrimination))
    if exact is None:
        return judged(replace(found, miscalibration=lost, discrimination=known), found.p_value)
    moved = exact.value - found.loss.value
    lost = replace(lost, value=lost.value + moved, low=max(0.0, lost.low + moved), high=lost.high + moved)
    return judged(replace(found, loss=exact, miscalibration=lost, discrimination=known), found.p_value)


def as_rows(found: Judged) -> Judged:
    """The same without a chance, and with a caution: the tally knows of clusters, not which scores belong to them."""
    caution = "rows of one cluster are taken as independent: calibration(cluster=) of the rows knows better"
    names = [name for name in ("error", "squared_error") if hasattr(found, name)]
    told: dict[str, Any] = {name: _cautioned(getattr(found, name), caution) for name in names}
    return replace(found, **told, p_value=math.nan)


def _cautioned(estimate: Estimate, caution: str) -> Estimate:
    return replace(estimate, cautions=(*estimate.cautions, caution))


def _bounded(part: Estimate, bound: float, loss: PointLoss) -> Estimate:
    """The bound is proved for the Brier score; other losses say that it is not known."""
    at = np.array([0.3, 0.6])
    if np.allclose(loss(np.ones(2), at), (1 - at) ** 2) and np.allclose(loss(np.zeros(2), at), at**2):
        return replace(part, grid_error=bound)
    return replace(part, method=f"{part.method}; on a grid, whose effect is bounded for the Brier score only")


def _squared_error(held: Counted, level: float) -> Estimate:
    """The debiased squared error of cells put together into bins of about equal weight."""
    total = held.weight.sum(axis=1)
    count = bins_for(held.n)
    bins = np.minimum((np.cumsum(total) - total / 2) / total.sum() * count, count - 1).astype(np.intp)
    sums = np.zeros((5, count))
    for label in (0, 1):
        w, w2, v = held.weight[:, label], held.square[:, label], label - held.place
        for row, values in enumerate((w, w * v, w2, w2 * v, w2 * v * v)):
            sums[row] += summed(bins, values, count)
    least = summed(bins, held.square.sum(axis=1) * held.place * (1 - held.place), count)
    return from_bin_sums(sums, held.n, level, least)


def decide(counts: ScoreCounts, costs: Costs, how: Reading, *, clustered: bool = False) -> Decision:
    """The decision from counts: cross-fitted by dealing the rows of each cell out to folds, as one deals rows.

    Rows themselves fall into other folds, which choose other thresholds: how far that moves the cost is told by dealing often.

    Counts do not tell which rows go together: where they are ``clustered``, estimates say so.
    """
    if costs.per_row:
        raise CostsDoNotFit("costs that differ by row need the rows", fix="goodmeasure.decide(y, p, costs)")
    held = Counted.of(counts, how)
    held.both()
    cautions = (TAKEN_AS_INDEPENDENT,) if clustered else ()
    priced = _Priced(held, costs, _Prices.of(costs), how.level, cautions)
    practice = priced.practice(how.seed)
    bound = _certificate(held.weight, costs)
    apart = bound + MOST_SPREADS * priced.spread_of_deals(how.seed)

    def rule(name: str, threshold: float) -> PricedRule:
        cut, off = _Cut.at(threshold), _cut_error(held.weight, threshold, costs)
        extra = replace(priced.extra(cut, practice), grid_error=off + apart)
        return PricedRule(name, threshold, replace(priced.cost(cut), grid_error=off), extra)

    return Decision(
        costs,
        replace(_threshold(held, priced.price, how.level, bound), cautions=cautions),
        replace(priced.cost(practice, f"dealt to {FOLDS} parts, cross-fitted, "), grid_error=apart),
        rule("theory", costs.threshold),
        (rule("half", 0.5), rule("always", 0.0), rule("never", math.inf)),
    )


class _Cut(NamedTuple):
    """The part of each cell (rows) and label (columns) that is acted on, and the first and last cut that this comes from."""

    acted: Floats
    first: int
    last: int

    @staticmethod
    def at(threshold: float) -> _Cut:
        cut = int(np.searchsorted(score_edges(), threshold))
        return _Cut(np.repeat(_acts(cut, SCORE_CELLS)[:, None], 2, axis=1), cut, cut)


@dataclass(frozen=True, eq=False)
class _Priced:
    """Counted scores, and what acting and leaving cost there."""

    held: Counted
    costs: Costs
    price: _Prices
    level: float
    cautions: tuple[str, ...] = ()

    def practice(self, seed: Seeds) -> _Cut:
        """Each part of the rows cut where the others cost least."""
        weight = self.held.weight
        dealt = _dealt(self.held, seed)
        chosen = [_best(weight - part, self.price) for part in dealt]
        acted = sum(part * _acts(cut, len(weight))[:, None] for part, cut in zip(dealt, chosen, strict=True))
        share = np.divide(acted, weight, out=np.zeros_like(weight), where=weight > 0)
        # Parts are sums that round: a cell that is acted on altogether, or not at all, is known to be.
        whole = np.abs(share - np.rint(share)) < 1e-9
        return _Cut(np.where(whole, np.rint(share), share), min(chosen), max(chosen))

    def spread_of_deals(self, seed: int) -> float:
        """The standard deviation, over ways to deal the rows to folds, of what the threshold of the others costs."""
        some = replace(self, held=self.held.of_cells(_in_doubt(self.held, self.price)))
        cuts = (some.practice([seed, deal]) for deal in range(1, DEALS + 1))
        each = [some.held.weight * (self.price.leaving + cut.acted * self.price.change) for cut in cuts]
        return float(np.std(np.sum(each, axis=(1, 2)), ddof=1) / self.held.weight.sum() * self.price.unit)

    def cost(self, cut: _Cut, prefix: str = "") -> Estimate:
        """The mean cost a row, which says so where a kind of mistake was not seen once."""
        can = np.array([cut.last > 0, cut.first < SCORE_CELLS])
        done = np.stack([1 - cut.acted, cut.acted], axis=-1)
        found = self._mean(np.stack([self.price.leaving, self.price.acting], axis=-1), done, can, prefix)
        return replace(found, cautions=(*found.cautions, *self._unseen(done, can)))

    def extra(self, cut: _Cut, other: _Cut) -> Difference:
        """How much more one costs than another: only rows where they differ say anything."""
        more = cut.acted - other.acted
        done = np.stack([1 - np.abs(more), np.maximum(more, 0), np.maximum(-more, 0)], axis=-1)
        can = np.array([True, cut.first < other.last, cut.last > other.first])
        step = np.stack([np.zeros(2), self.price.change, -self.price.change], axis=-1)
        return as_difference(self._mean(step, done, can, "paired, "))

    def _mean(self, value: Floats, done: Floats, can: NDArray[np.bool_], prefix: str) -> Estimate:
        """The mean of values by label and deed, each done in a part of every cell and label, of the deeds that can be."""
        weight, square = (
            np.einsum("ij,ijk->jk", sums, done)[:, can].ravel() for sums in (self.held.weight, self.held.square)
        )
        found = Multinomial.of(value[:, can].ravel(), weight, square, self.held.n, self.level)
        return replace(times(found.mean(f"counts, {prefix}{METHOD}"), self.price.unit), cautions=self.cautions)

    def _unseen(self, done: Floats, can: NDArray[np.bool_]) -> Iterator[str]:
        """A sentence for each kind of mistake that can be made, that costs something, and that no count shows."""
        for one in mistakes(self.costs):
            weight, square = self.held.weight[:, one.label], self.held.square[:, one.label]
            if one.extra and can[one.act] and not weight @ done[:, one.label, one.act]:
                independent = float(weight.sum() ** 2 / square.sum())
                yield never_seen(one, f"{independent:,.0f} {one.among}", independent, self.level)


class _Prices(NamedTuple):
    """What acting and leaving cost by label, in a unit of money that keeps squares in the range of numbers."""

    acting: Floats
    leaving: Floats
    unit: float

    @property
    def change(self) -> Floats:
        return self.acting - self.leaving

    @staticmethod
    def of(costs: Costs) -> _Prices:
        acting = np.array([costs.false_positive, costs.true_positive], dtype=np.float64)
        leaving = np.array([costs.true_negative, costs.false_negative], dtype=np.float64)
        unit = unit_of(np.concatenate([acting, leaving]))
        return _Prices(acting / unit, leaving / unit, unit)


def _acts(cut: int, cells: int) -> Floats:
    """Which cells are acted on: those from ``cut`` on."""
    return (np.arange(cells) >= cut).astype(np.float64)


def _in_doubt(held: Counted, price: _Prices) -> slice:
    """The cells between the first and the last cut that a deal of the rows may find best: all deals treat the others alike."""
    if held.rows.sum() < MANY:
        return slice(0, SCORE_CELLS)
    squares = np.divide(held.weight**2, held.rows, out=np.zeros_like(held.weight), where=held.rows > 0)
    saved, spread = (
        np.append(0.0, np.cumsum(sums @ change))
        for sums, change in ((held.weight, price.change), (squares, price.change**2))
    )
    best = int(np.argmax(saved))
    # A fold is a part of the rows, and the others choose: their mean and their variance are those of a binomial.
    share = 1 / FOLDS
    deviation = np.sqrt(share * (1 - share) * np.abs(spread - spread[best]))
    near = np.flatnonzero((1 - share) * (saved[best] - saved) <= FAR * deviation)
    return slice(int(near[0]), int(near[-1]))


def _best(weight: Floats, price: _Prices) -> int:
    """The first cell to act on at least cost."""
    change = weight @ price.change
    return int(np.argmin(np.append(np.cumsum(change[::-1])[::-1], 0.0)))


def _dealt(held: Counted, seed: Seeds) -> list[Floats]:
    """The weight of each cell and label, its rows dealt out to folds at random; rows of one cell are taken as alike."""
    rng = np.random.default_rng(seed)
    left = held.rows
    each = np.divide(held.weight, left, out=np.zeros_like(held.weight), where=left > 0)
    parts: list[Floats] = []
    for k in range(FOLDS, 1, -1):
        drawn = rng.binomial(left, 1 / k)
        parts.append(np.asarray(drawn * each, dtype=np.float64))
        left = left - drawn
    return [*parts, np.asarray(left * each, dtype=np.float64)]


def _cut_error(weight: Floats, threshold: float, costs: Costs) -> float:
    """How much the rows that share a cell with a threshold, not on its edge, can change the cost at most."""
    above = int(np.searchsorted(score_edges(), threshold))
    if not 0 < threshold <= 1 or (above < SCORE_CELLS and score_edges()[above] == threshold):
        return 0.0
    others, events = weight[above - 1]
    return float(max(others * costs.alarm, events * costs.miss) / weight.sum())


def _certificate(weight: Floats, costs: Costs) -> float:
    """How much cheaper the best cut between rows can be than the best edge of the grid, at most."""
    events, others = weight[:, 1] * costs.miss, weight[:, 0] * costs.alarm
    return float(np.minimum(events, others).max() / weight.sum())


def _threshold(held: Counted, price: _Prices, level: float, bound: float) -> Threshold:
    """The best edge of the grid, with its interval."""
    change, spread = held.weight @ price.change, held.square @ price.change**2
    never = float((held.weight @ price.leaving).sum())
    weight, effective = held.weight.sum(axis=1), held.effective_n
    found = from_cells(score_edges(), change, spread, weight, never, effective_n=effective, unit=price.unit)
    made = threshold_estimate(found, held.n, effective, share=1.0, level=level)
    # Cutting at the edge itself is exact; halfway to the last cell would be the same cut, but not of the grid.
    edge = float(np.append(score_edges(), math.inf)[found.best])
    return replace(made, value=edge, low=min(made.low, edge), high=max(made.high, min(edge, 1.0)), grid_error=bound)


@dataclass(frozen=True)
class Bias(Displayed):
    """How far predicted amounts are from right on average, by cell of the prediction.

    Attributes:
        prediction: the mean prediction of each cell, (m,).
        bias: the mean identification value, (m,), zero where the model is calibrated; for a mean, prediction - target.
        low: where the intervals begin, (m,).
        high: where they end, (m,).
        weight: the weight of the rows in each cell, (m,).
        squared_error: the mean squared calibration error without the bias of squaring noise.
        p_value: how often right predictions would look as far off, by a test of a level, a slope and a bend of the bias;
            NaN where clusters were tallied, for the tally does not know which scores belong to them.

    Example:
        >>> import goodmeasure as gm
        >>> tally = gm.tally(gm.losses.squared_error(), [1.0, 2.0, 4.0, 5.0] * 2, [1.5, 1.5, 4.0, 4.0] * 2)
        >>> found = tally.bias()
        >>> found.prediction.round(2), found.bias.round(2)
        (array([1.5, 4. ]), array([ 0. , -0.5]))
    """

    prediction: Floats
    bias: Floats
    low: Floats
    high: Floats
    weight: Floats
    squared_error: Estimate
    p_value: float

    @property
    def verdict(self) -> str:
        """Whether these rows show that the predictions are off: said falsely no more often than the level allows."""
        if unknown := not_known(error=self.squared_error):
            return unknown
        if math.isnan(self.p_value):
            return TALLIED_TOGETHER
        return "miscalibrated" if is_off(self.p_value, self.squared_error.level) else "not shown to be off"

    def _display(self) -> Display:
        rows = zip(self.prediction, intervals(self.bias, self.low, self.high), self.weight, strict=True)
        note = f"squared error {self.squared_error}; {self.verdict}"
        columns = columns_of(("prediction", "bias", "weight"), rows)
        return Display("Bias by cell of the prediction", columns, (note,), is_curve=True)


def bias(sums: AmountSums, how: Reading) -> Bias:
    """The mean identification value by bin of about equal weight of the prediction."""
    w, w2, place, first, square_first, square_second, *of_copies = sums.table()
    if not w.sum():
        raise NothingToAverage("no rows were tallied", fix="tally rows that have a weight, a target and a score")
    n = int(sums.counts.sum())
    if how.copies:
        n = counted(few_enough(w))
        w2, square_first, square_second = w, first, _of_copies(of_copies)
    chance = _chance_of_bias(np.array([w, place, first, square_second, w2]), n)
    count = bins_for(n)
    bins = np.minimum((np.cumsum(w) - w / 2) / w.sum() * count, count - 1).astype(np.intp)
    binned = np.array([summed(bins, column, count) for column in (w, first, w2, square_first, square_second)])
    held = binned[0] > 0
    # Misses are squared twice on the way: in a unit of their size they stay in the range of numbers.
    unit = unit_of(np.sqrt(binned[4][held] / binned[2][held]))
    binned /= np.array([1, unit, 1, unit, unit**2])[:, None]
    weight, mean = binned[0][held], binned[1][held] / binned[0][held]
    spread = np.maximum(binned[4][held] - 2 * mean * binned[3][held] + mean**2 * binned[2][held], 0) / weight**2
    half = normal_quantile(how.level) * np.sqrt(spread)
    low, mean, high = ((mean + reach) * unit for reach in (-half, 0.0, half))
    error = times(times(from_bin_sums(binned, n, how.level), unit), unit)
    if not is_off(chance, how.level):
        error = replace(error, low=min(error.low, 0.0))
    return Bias(summed(bins, place, count)[held] / weight, mean, low, high, weight, error, chance)


def _chance_of_bias(table: Floats, n: int) -> float:
    """The p-value of the biases by cell: ``table`` has weights, summed predictions, misses and their squares, w²."""
    w, place, first, second, square = table[:, table[0] > 0]
    # Misses are squared on the way: in a unit of their size they stay in the range of numbers.
    unit = unit_of(np.sqrt(second / square))
    ranks = ranked(place / w, w)
    return chance_of_misses(first / unit, second / unit / unit, ranks, (float(n), float(w.sum() ** 2 / square.sum())))


def _of_copies(column: list[Floats]) -> Floats:
    """The sums of w v², which tallies of earlier releases lack."""
    if not column:
        raise NoSuchReading(OLDER, fix="make it again from its rows")
    return column[0]
