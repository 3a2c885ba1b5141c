"""What is read from a tally: each number an estimate, with the most that the grid can have moved it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from goodmeasure.calibrating.calibration import Basis, Calibration
from goodmeasure.calibrating.calibration import of_cells as calibration_of_cells
from goodmeasure.calibrating.decomposition import Cells, PointLoss
from goodmeasure.calibrating.miscalibration import bins_for, from_bin_sums, smooth_estimate
from goodmeasure.calibrating.smoothing import on_grid
from goodmeasure.decisions.costs import Costs, CostsDoNotFit
from goodmeasure.decisions.curves import Curves, of_sums
from goodmeasure.decisions.decision import FOLDS
from goodmeasure.decisions.rules import Decision, PricedRule
from goodmeasure.decisions.thresholds import Threshold, from_cells, threshold_estimate
from goodmeasure.drawing.cells import intervals
from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.errors import NoSuchReading, NothingToAverage
from goodmeasure.statistics.estimate import Difference, Estimate, as_difference, times
from goodmeasure.statistics.intervals import from_moments, normal_quantile, skewness
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.row_arguments import Floats, OutOfRange
from goodmeasure.statistics.weights import comparable, counted, unit_of
from goodmeasure.tallying.counted import Counted, Reading
from goodmeasure.tallying.grid import SCORE_CELLS, score_edges
from goodmeasure.tallying.state import OLDER, AmountSums, Power, ScoreCounts, State

# The smallest sum of squares that has all its digits.
TINY = 1e-290


def risk(state: State, name: str, names: list[str], how: Reading) -> Estimate:
    """The mean of a summed column with its interval."""
    if name not in state.moments or not state.moments[name].n:
        raise NothingToAverage("no rows were tallied", seen=f"excluded: {state.excluded or 'none'}")
    moments = state.moments[name]
    total, n = moments.totals(), moments.n
    if how.copies:
        total, n = total.of_copies, counted(comparable(np.array([total.w]), how.weights_mean))
    cautions = tuple(f"{count:,} rows left out: {reason}" for reason, count in state.excluded.items())
    if moments.infinite:
        why = (*cautions, f"{moments.infinite:,} rows cost infinity")
        return Estimate(math.inf, math.inf, math.inf, n, 0.0, "exact sums", how.level, math.inf, cautions=why)
    if total.wv and total.w2v2 < TINY:
        raise OutOfRange("losses are so small that their squares are not numbers", fix="give them in another unit")
    mean = total.wv / total.w
    parts, method, skew = _spread(state, name, names, total, mean, n)
    # Rows of equal weight have sum(w v²) = sum(w² v²) · w / w²; in general this is close and serves effective_n alone.
    variance = max(total.w2v2 - 2 * mean * total.w2v + mean**2 * total.w2, 0.0) / total.w2
    return replace(from_moments(mean, parts, n, variance, how.level, method, skew), cautions=cautions)


def _spread(
    state: State, name: str, names: list[str], total: Power, mean: float, n: int
) -> tuple[tuple[float, int], str, float | None]:
    """The variance of the mean, on how many independent parts it rests, what to call that, and the skewness.

    A state holds the third power of clusters' sums and not of rows, of which there are many where it is needed.
    """
    if state.clusters is None:
        variance = max(total.w2v2 - 2 * mean * total.w2v + mean**2 * total.w2, 0.0) / total.w**2
        return (variance, n), "exact sums, normal", None
    table = state.clusters.table()
    miss = table[:, 1 + names.index(name)] - mean * table[:, 0]
    return (float(miss @ miss) / total.w**2, len(table)), "exact sums, cluster-robust", skewness(miss, miss)


def difference(state: State, name: str, names: list[str], how: Reading, sign: int) -> Difference:
    """The mean of a column of differences, turned round for ``sign`` -1."""
    found = as_difference(risk(state, name, names, how))
    low, high = sorted((sign * found.low, sign * found.high))
    return replace(found, value=sign * found.value, low=low, high=high, method=f"paired, {found.method}")


def cells(held: Counted) -> Cells:
    """The tallied scores as cells, each at its mean score."""
    total = held.weight.sum(axis=1)
    some = total > 0
    return Cells(held.place[some], held.weight[some, 1], total[some])


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
    errors = (_squared_error(counted_scores, how.level), _smooth(counted_scores, settings))
    scale = float(counted_scores.square.sum() / counted_scores.weight.sum())
    found = calibration_of_cells(held, loss, scale, settings, errors)
    share = held.events / held.weight
    # The increasing fit of cells costs at most this much more Brier score than that of rows: the mean of the finer fit
    # within a cell is an increasing fit too.
    bound = float((2 * held.weight * share * (1 - share)).max() / held.weight.sum())
    lost, known = (_bounded(part, bound, loss) for part in (found.miscalibration, found.discrimination))
    if exact is None:
        return replace(found, miscalibration=lost, discrimination=known)
    moved = exact.value - found.loss.value
    lost = replace(lost, value=lost.value + moved, low=max(0.0, lost.low + moved), high=lost.high + moved)
    return replace(found, loss=exact, miscalibration=lost, discrimination=known)


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
        for row, column in enumerate((w, w * v, w2, w2 * v, w2 * v * v)):
            sums[row] += summed(bins, column, count)
    return from_bin_sums(sums, held.n, level)


def _smooth(held: Counted, settings: Basis) -> Estimate:
    place, weight = held.place, held.weight
    misses = np.array([on_grid(place, weight[:, 1] * (1 - place)), on_grid(place, weight[:, 0] * place)])
    mass = np.array([on_grid(place, weight[:, 1]), on_grid(place, weight[:, 0])])
    total = float(weight.sum())
    return smooth_estimate(misses, mass, total, held.n, held.effective_n, (settings.level, settings.seed))


def decide(counts: ScoreCounts, costs: Costs, how: Reading) -> Decision:
    """The decision from counts: cross-fitted by dealing the rows of each cell out to folds, as one deals rows."""
    if costs.per_row:
        raise CostsDoNotFit("costs that differ by row need the rows", fix="goodmeasure.decide(y, p, costs)")
    held = Counted.of(counts, how)
    held.both()
    weight, square, n = held.weight, held.square, held.n
    scale = float(square.sum() / weight.sum())
    price = _Prices.of(costs)
    dealt = [part * scale for part in _dealt(weight / scale, how.seed)]
    chosen = [_best(weight - part, price) for part in dealt]
    # How each cell and label is decided, as the share of its weight that is acted on.
    practice = sum(part * _acts(cut)[:, None] for part, cut in zip(dealt, chosen, strict=True))
    shares = {"practice": np.divide(practice, weight, out=np.zeros_like(weight), where=weight > 0)}
    for name, threshold in (("theory", costs.threshold), ("half", 0.5), ("always", 0.0), ("never", math.inf)):
        shares[name] = np.repeat(_acts(int(np.searchsorted(score_edges(), threshold)))[:, None], 2, axis=1)

    def mean(each: Floats, each_square: Floats) -> Estimate:
        total = weight.sum()
        value = float((weight * each).sum() / total)
        spread = float((square * (each_square - 2 * value * each + value**2)).sum())
        variance = float((weight * (each_square - 2 * value * each + value**2)).sum() / total)
        parts = (max(spread, 0.0) / total**2, n)
        return times(from_moments(value, parts, n, max(variance, 0.0), how.level, "counts, normal"), price.unit)

    def cost(share: Floats) -> Estimate:
        return mean(
            share * price.acting + (1 - share) * price.leaving,
            share * price.acting**2 + (1 - share) * price.leaving**2,
        )

    def rule(name: str, threshold: float) -> PricedRule:
        step = (shares[name] - shares["practice"]) * price.change
        squared = np.abs(shares[name] - shares["practice"]) * price.change**2
        found = replace(cost(shares[name]), grid_error=_cut_error(weight, threshold, costs))
        return PricedRule(name, threshold, found, as_difference(mean(step, squared)))

    bound = _certificate(weight, costs)
    return Decision(
        costs,
        _threshold(held, price, how.level, bound),
        replace(cost(shares["practice"]), method=f"counts dealt to {FOLDS} parts, cross-fitted", grid_error=bound),
        rule("theory", costs.threshold),
        (rule("half", 0.5), rule("always", 0.0), rule("never", math.inf)),
    )


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


def _acts(cut: int) -> Floats:
    """Which cells are acted on: those from ``cut`` on."""
    return (np.arange(SCORE_CELLS) >= cut).astype(np.float64)


def _best(weight: Floats, price: _Prices) -> int:
    """The first cell to act on at least cost."""
    change = weight @ price.change
    return int(np.argmin(np.append(np.cumsum(change[::-1])[::-1], 0.0)))


def _dealt(weight: Floats, seed: int) -> list[Floats]:
    """The rows of each cell and label dealt out to folds at random (weights as that many rows, to the nearest)."""
    rng = np.random.default_rng(seed)
    left = np.rint(weight).astype(np.int64)
    fraction = np.divide(weight, left, out=np.zeros_like(weight), where=left > 0)
    parts: list[Floats] = []
    for k in range(FOLDS, 0, -1):
        drawn = rng.binomial(left, 1 / k)
        parts.append(np.asarray(drawn * fraction, dtype=np.float64))
        left = left - drawn
    return parts


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

    def _display(self) -> Display:
        rows = zip(self.prediction, intervals(self.bias, self.low, self.high), self.weight, strict=True)
        note = f"squared error {self.squared_error}"
        columns = columns_of(("prediction", "bias", "weight"), rows)
        return Display("Bias by cell of the prediction", columns, (note,), is_curve=True)


def bias(sums: AmountSums, how: Reading) -> Bias:
    """The mean identification value by bin of about equal weight of the prediction."""
    w, w2, place, first, square_first, square_second, *of_copies = sums.table()
    if not w.sum():
        raise NothingToAverage("no rows were tallied")
    n = int(sums.counts.sum())
    if how.copies:
        n = counted(comparable(w, how.weights_mean))
        w2, square_first, square_second = w, first, _of_copies(of_copies)
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
    return Bias(summed(bins, place, count)[held] / weight, mean, low, high, weight, error)


def _of_copies(column: list[Floats]) -> Floats:
    """The sums of w v², which tallies of earlier releases lack."""
    if not column:
        raise NoSuchReading(OLDER, fix="make it again from its rows")
    return column[0]
