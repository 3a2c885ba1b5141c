"""What lies between quantiles that were fitted, how sure shares of rows below them are, and what costs by row save."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

import goodmeasure as gm
from goodmeasure.statistics.multinomial import hit_share
from goodmeasure.statistics.sample import Sample
from simulations.sections import Row, Section, share

SIZES = (100, 300, 1000, 5000)
LEVELS, LATER, FITS, TABLES, DECISIONS = (0.1, 0.5, 0.9), 5000, 8, 300, 40
TAILS = {"normal errors": stats.norm(), "Student's errors, 3 degrees": stats.t(3)}
EVENTS = {"common events (40 %)": -0.5, "rare events (3 %)": -4.2}
# What scores say beside the true log-odds, and how the costs of misses are spread: the spread of their logarithm.
SAID = {"right scores": 0.0, "scores too low by a factor of 8": -np.log(8)}
SPREADS = (0.5, 1.5)


def between() -> Iterator[Row]:
    for told, errors in TAILS.items():
        for n in SIZES:
            found, crossed = [], []
            for seed in range(FITS):
                rng = np.random.default_rng(seed)
                x, later = rng.normal(size=(n, 5)), rng.normal(size=(LATER, 5))
                y, after = (each[:, 0] + errors.rvs(len(each), random_state=rng) for each in (x, later))
                fitted = gm.LossRegressor(loss=gm.losses.quantiles(levels=LEVELS), alpha=0.0).fit(x, y)
                low, _, high = fitted.predict(later).T
                found.append(np.mean((low <= after) & (after <= high)))
                raw = later @ fitted.coef_.T + fitted.intercept_
                crossed.append(np.mean((np.diff(raw, axis=1) < 0).any(axis=1)))
            yield told, n, float(np.mean(found)), float(np.min(found)), float(np.max(found)), float(np.mean(crossed))


def shares() -> Iterator[Row]:
    for told, errors in TAILS.items():
        for level in LEVELS:
            for n in SIZES:
                rng = np.random.default_rng(n)
                y = errors.rvs((TABLES, n), random_state=rng)
                right, off = (y <= errors.ppf(level + by) for by in (0.0, 0.05))
                false, missed = (
                    [not low <= level <= high for low, high in map(_ends, table)] for table in (right, off)
                )
                yield told, level, n, share(false)[0], share([not one for one in missed])[0]


def _ends(hit: np.ndarray) -> tuple[float, float]:
    sample = Sample(np.ones(len(hit)), np.ones(len(hit)))
    found = hit_share(sample, hit.astype(np.float64))
    return found.low, found.high


def by_row() -> Iterator[Row]:
    for events, middle in EVENTS.items():
        for told, off in SAID.items():
            for spread in SPREADS:
                for n in SIZES:
                    found = [_decided(n, middle, off, spread, seed) for seed in range(DECISIONS)]
                    taken = [one for one, _, _ in found]
                    own, one = (float(np.mean(costs)) for costs in list(zip(*found, strict=True))[1:])
                    yield events, told, spread, n, share(taken)[0], own, one


def _decided(n: int, middle: float, off: float, spread: float, seed: int) -> tuple[bool, float, float]:
    """Whether one tuned threshold is said to cost less than each row's own, and what both cost, as parts of never acting."""
    rng = np.random.default_rng(seed)
    odds = middle + 1.5 * rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(-odds))) * 1.0
    y[:2] = 0.0, 1.0
    p = 1 / (1 + np.exp(-odds - off))
    costs = gm.Costs(false_negative=np.exp(spread * rng.normal(size=n)) * 20, false_positive=5)
    found = gm.decide(y, p, costs)
    never = found.rule("never").cost.value
    return found.best.name == "practice", found.theory.cost.value / never, found.cost.value / never


SECTIONS = (
    Section(
        "Rows between the outer two quantiles of a linear fit (levels 0.1, 0.5, 0.9; five columns, 80 % are asked for)",
        ("errors", "rows to fit", "later rows between", "least", "most", "rows on which lines cross"),
        between,
    ),
    Section(
        "The share of rows at or below a quantile: intervals at 95 %",
        ("errors", "level", "rows", "said to be off, falsely", "quantile of 0.05 more, missed"),
        shares,
    ),
    Section(
        "Costs of misses by row, false alarms of 5: one tuned threshold in place of each row's own",
        (
            "events",
            "scores",
            "spread of log cost",
            "rows",
            "one threshold is taken",
            "cost by row, of never acting's",
            "cost of one threshold",
        ),
        by_row,
    ),
)
