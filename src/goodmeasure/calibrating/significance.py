"""How often right predictions look as far off as these do: the test that the word "miscalibrated" rests on."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from goodmeasure.calibrating.decomposition import Cells
from goodmeasure.calibrating.isotonic import increasing_means
from goodmeasure.statistics.drawn_counts import binomials
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.row_arguments import Floats

# A p-value that draws give is a multiple of one over their number and one.
DRAWS, MOST_DRAWS = 999, 4_999
# A p-value up to which the first draws leave one near the level: only there are more taken.
NEAR = 0.05
# The least chance that is told.
LEAST_CHANCE = 1e-300
# Draws times cells: what is held at once, and a quarter of a second.
MOST_DRAWN = 2**19
# Skewness is gone from sums of more parts than these.
MOST_RESAMPLED = 2_000


def draws_for(level: float, looks: int = 1) -> int:
    """How many draws tell at this level, where so many p-values are looked at."""
    return int(min(max(DRAWS, math.ceil(2 * looks / max(1 - level, 1e-9))), MOST_DRAWS))


def drawn_events(cells: Cells, draws: int, seed: int) -> Floats:
    """The events of each cell (columns) in draws (rows) in which each row happens with the probability it was given.

    A cell is drawn as so many equal rows as its weights are worth. Mean and variance of the weight of its events are exact,
    for which it may lie a little outside of what is possible.
    """
    # The square of a weight that is next to nothing is nothing: such a cell is drawn as one row.
    held = cells.square > 0
    worth = np.divide(cells.weight**2, cells.square, out=np.ones_like(cells.square), where=held)
    # Rounded twice, so that a half is a half in whatever unit the weights are.
    worth = np.maximum(np.rint(worth.round(9)), 1)
    counts = binomials(np.random.default_rng(seed), worth.astype(np.int64), cells.p, draws)
    return np.asarray(cells.weight * cells.p + np.sqrt(cells.square / worth) * (counts - worth * cells.p))


def drawn_chance(cells: Cells, null: Floats, draws: int, seed: int) -> float:
    """The chance of events so far from their probabilities: of these draws, or of so many others where those leave it near."""
    chance = chance_of_events(cells, null)
    return chance if chance > NEAR or draws <= len(null) else chance_of_events(cells, drawn_events(cells, draws, seed))


def chance_of_events(cells: Cells, drawn: Floats) -> float:
    """The chance of events so far from their probabilities, on cells and draws of them under calibration.

    Two statistics are asked, and the smaller of their p-values is compared with that of each draw, so that together they
    keep the size of one test: Cox's (intercept and slope of the log-odds, by the score test), and the likelihood ratio of
    the best increasing curve, which sees shapes. Variances are those of the probabilities.
    """
    open_ended = (cells.p > 0) & (cells.p < 1)
    if not open_ended.any():
        return 1.0
    p, weight, square = (column[open_ended] for column in (cells.p, cells.weight, cells.square))
    events = np.vstack([cells.events, drawn])[:, open_ended]
    statistics = _cox(p, weight, square, events), _increasing(p, weight, events)
    return float(_shares_beyond(-np.minimum(*map(_shares_beyond, statistics)))[0])


def is_impossible(cells: Cells) -> bool:
    """Whether something happened that was given the probability 0, or did not though it was given 1."""
    others = cells.weight - cells.events
    return bool(((cells.p == 0) & (cells.events > 0)).any() or ((cells.p == 1) & (others > 1e-12 * cells.weight)).any())


def _cox(p: Floats, weight: Floats, square: Floats, events: Floats) -> Floats:
    """The score test of an intercept and a slope of the log-odds (Cox 1958), for each row of events."""
    odds, variance = np.log(p) - np.log1p(-p), np.maximum(square * p * (1 - p), 1e-300)
    odds = odds - variance @ odds / variance.sum()
    off = events - weight * p
    level = (off.sum(axis=1)) ** 2 / variance.sum()
    spread = float(variance @ odds**2)
    return np.asarray(level + (off @ odds) ** 2 / spread if spread > 0 else level, dtype=np.float64)


def _increasing(p: Floats, weight: Floats, events: Floats) -> Floats:
    """How much likelier each row of events is under its best increasing curve than under the probabilities given."""
    events = np.clip(events, 0, weight)
    fits = increasing_means(events, np.broadcast_to(weight, events.shape))
    # A sum of weights may round to a little less than all of them; and where no event happened, its chance does not count.
    yes = np.log(np.maximum(fits, LEAST_CHANCE)) - np.log(p)
    no = np.log(np.maximum(1 - fits, 1e-16)) - np.log1p(-p)
    return np.asarray((events * yes + (weight - events) * no).sum(axis=1), dtype=np.float64)


def _shares_beyond(values: Floats) -> Floats:
    """The share of values that are at least as large as each; sums in another order count as equal."""
    ordered = np.sort(values)
    reached = values - 1e-9 * np.maximum(np.abs(values), 1)
    below = np.searchsorted(ordered, reached, side="left")
    return np.asarray((len(values) - below) / len(values), dtype=np.float64)


def chance_of_misses(misses: Floats, squares: Floats, ranks: Floats, parts: tuple[float, float]) -> float:
    """The chance of misses so far from zero, by Hotelling's test of a level, a slope and a bend over ranks of predictions.

    ``misses`` and ``squares`` are sums, by cell, of weighted misses and of their squares; ``parts`` is how many independent
    rows they come from, and how many those are worth. The spread is taken from the misses: they need follow no law.
    """
    shapes = _shapes(ranks, parts[1])
    return _hotelling(misses @ shapes, (shapes * squares[:, None]).T @ shapes, parts)


def chance_of_parts(misses: Floats, ranks: Floats, together: NDArray[np.intp], seed: int) -> float:
    """The same from the weighted miss of each row and the code of the part of the table that it belongs to.

    Misses may be skewed, and few parts do not hide that: so the statistic is compared with that of resampled parts
    (the bootstrap of a Studentised statistic), where there are not many.
    """
    count = int(together.max()) + 1
    shapes = _shapes(ranks, count)
    each = np.column_stack([summed(together, misses * shape, count) for shape in shapes.T])
    if count > MOST_RESAMPLED:
        return _hotelling(each.sum(axis=0), each.T @ each, (count, count))
    counts = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), DRAWS).astype(np.float64)
    off = each - each.mean(axis=0)
    products = (off[:, :, None] * off[:, None, :]).reshape(count, -1)
    # A resample is Studentised by its own spread, around its own mean.
    drawn = counts @ off
    spread = (counts @ products).reshape(-1, *(off.T @ off).shape) - drawn[:, :, None] * drawn[:, None, :] / count
    totals, spreads = np.vstack([each.sum(axis=0), drawn]), np.concatenate([(off.T @ off)[None], spread])
    return float(_shares_beyond(_studentised(totals, spreads, float((each**2).sum())))[0])


def _studentised(totals: Floats, spreads: Floats, size: float) -> Floats:
    """The squared length of each of several sums (rows), in units of its spread; misses that are all alike are far off."""
    if not size > 0:
        return np.zeros(len(totals))
    ridge = 1e-12 * size * np.eye(totals.shape[1])
    return np.asarray((totals * np.linalg.solve(spreads + ridge, totals[:, :, None])[:, :, 0]).sum(axis=1))


def _hotelling(total: Floats, spread: Floats, parts: tuple[float, float]) -> float:
    from scipy.special import fdtrc

    # What does not vary (predictions that are all the same have no slope) is left out.
    value = float(total @ np.linalg.pinv(spread, rcond=1e-10, hermitian=True) @ total)
    largest = float(np.abs(spread).max())
    free = int(np.linalg.matrix_rank(spread, tol=1e-10 * largest, hermitian=True)) if largest > 0 else 0
    count, worth = parts
    if not free or worth <= free:
        return 1.0
    ratio = value * (worth - free) / (free * max(count - value, 1e-300))
    # A chance that is no longer a number is small, and not zero: that is said of what is impossible alone.
    return max(float(fdtrc(free, worth - free, max(ratio, 0.0))), LEAST_CHANCE)


def _shapes(ranks: Floats, worth: float) -> Floats:
    """A level, a slope and a bend over ranks between -1 and 1; fewer where few parts would have to tell them."""
    shapes = [np.ones_like(ranks), ranks, ranks**2]
    return np.column_stack(shapes[: max(1, int(worth) // 5)])


def ranked(place: Floats, mass: Floats) -> Floats:
    """Where each place stands among all of them, from -1 to 1, half of the mass on either side of 0."""
    distinct, cell = np.unique(place, return_inverse=True)
    held = summed(cell, mass, len(distinct))
    total = held.sum()
    if not total > 0:
        return np.zeros_like(place)
    return np.asarray((2 * (np.cumsum(held) - held / 2) / total - 1)[cell], dtype=np.float64)
