"""How many new rows lie between quantiles that conformal prediction moved, and where they are not as many as is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

import goodmeasure as gm
from goodmeasure.statistics.conformal import conformal_bound
from goodmeasure.study.covering import Coverage
from goodmeasure.study.split import FEW_ROWS, FOLDS, SHARES
from simulations.sections import Row, Section, share

Floats = np.ndarray
Rows = tuple[Floats, Floats]
Raw = Callable[[Floats], Floats]
Judged = tuple[Raw, Floats]
SIZES, LEVELS, LATER = (100, 300, 1000, 5000), (0.05, 0.95), 2000
# Folds are judged where rows are few; each of their runs makes eleven fits.
FITS, REPORTS, FITS_OF_FOLDS = 12, 5, 6
LOSS = gm.losses.quantiles(levels=LEVELS)
GROUP = 10


@dataclass(frozen=True)
class World:
    """Rows to learn from and later ones: what the target is beside its columns, and what later rows have more of it."""

    target: Callable[[np.random.Generator, Floats], Floats]
    drift: float = 0.0
    group: int = 1

    def rows(self, rng: np.random.Generator, n: int) -> Rows:
        """So many rows of five columns."""
        x = rng.normal(size=(n, 5))
        return x, self.target(rng, x)

    def later(self, rng: np.random.Generator) -> Rows:
        """Later rows."""
        x, y = self.rows(rng, LATER)
        return x, y + self.drift


def _line(rng: np.random.Generator, x: Floats) -> Floats:
    return x[:, 0] + rng.normal(size=len(x))


def _fan(rng: np.random.Generator, x: Floats) -> Floats:
    return x[:, 0] + np.exp(0.7 * x[:, 1]) * rng.standard_t(3, len(x))


def _curve(rng: np.random.Generator, x: Floats) -> Floats:
    return 2 * x[:, 0] ** 2 + rng.normal(size=len(x))


def _counts(rng: np.random.Generator, x: Floats) -> Floats:
    return rng.poisson(np.exp(0.5 * x[:, 0])).astype(float)


def _groups(rng: np.random.Generator, x: Floats) -> Floats:
    """Rows of ten in a group, which share nine tenths of the variance of their errors."""
    shared = rng.normal(size=len(x) // GROUP + 1)[np.arange(len(x)) // GROUP]
    return x[:, 0] + np.sqrt(0.9) * shared + np.sqrt(0.1) * rng.normal(size=len(x))


WORLDS = {
    "a line, normal errors": World(_line),
    "spread that grows with a column, heavy tails": World(_fan),
    "a curve that the line misses": World(_curve),
    "counts, most of them equal": World(_counts),
    "groups of ten rows that go together": World(_groups, group=GROUP),
    "later rows higher by half a standard error": World(_line, drift=0.5),
}


def fitted(x: Floats, y: Floats) -> Raw:
    """The raw outputs that a linear fit of both quantiles gives."""
    model = gm.LossRegressor(loss=LOSS, alpha=1e-4).fit(x, y)
    return lambda rows: rows @ model.coef_.T + model.intercept_


def bounds(misses: Floats, group: int) -> Floats:
    """By how much each raw output is moved, where there are enough rows, or groups of so many, to say."""
    count = len(misses)
    found = [
        conformal_bound(miss, np.ones(count), level, count / group)
        for miss, level in zip(misses.T, LEVELS, strict=True)
    ]
    return np.where(np.isfinite(found), found, 0.0)


def held_out(rng: np.random.Generator, world: World, n: int) -> Iterator[Judged]:
    """The model of the rows to fit and to tune, and what its quantiles miss on rows to report, which are drawn a few times."""
    report = round(SHARES[2] * n)
    raw = fitted(*world.rows(rng, n - report))
    for _ in range(REPORTS):
        x, y = world.rows(rng, report)
        yield raw, y[:, None] - raw(x)


def in_folds(rng: np.random.Generator, world: World, n: int) -> Iterator[Judged]:
    """The model of all rows, and what the quantiles of models of folds miss."""
    x, y = world.rows(rng, n)
    fold = (rng.permutation(-(-n // world.group)) % FOLDS)[np.arange(n) // world.group]
    misses = np.empty((n, len(LEVELS)))
    for k in range(FOLDS):
        misses[fold == k] = y[fold == k, None] - fitted(x[fold != k], y[fold != k])(x[fold == k])
    yield fitted(x, y), misses


def _inside(raw: Floats, y: Floats) -> float:
    low, high = np.sort(raw, axis=1).T
    return float(np.mean((low <= y) & (y <= high)))


def covered() -> Iterator[Row]:
    for name, world in WORLDS.items():
        for n in SIZES:
            kinds = {"held out": (held_out, FITS), "folds": (in_folds, FITS_OF_FOLDS if n < FEW_ROWS else 0)}
            for told, (judge, fits) in kinds.items():
                if not fits:
                    continue
                plain, moved, stated, loss = [], [], [], []
                for seed in range(fits):
                    rng = np.random.default_rng((n, seed))
                    x, y = world.later(np.random.default_rng((seed, n)))
                    for raw, misses in judge(rng, world, n):
                        said = raw(x)
                        widened = said + bounds(misses, world.group)
                        plain.append(_inside(said, y))
                        moved.append(_inside(widened, y))
                        loss.append(LOSS(y, np.sort(widened, axis=1)) / LOSS(y, np.sort(said, axis=1)))
                        least = Coverage(LEVELS, (0.0, 0.0), len(misses), 0.9).least
                        assert least is not None
                        stated.append(moved[-1] >= least)
                each = (float(np.mean(plain)), float(np.std(plain)), float(np.mean(moved)), float(np.std(moved)))
                within = share(stated)[0] if judge is held_out and world.group == 1 else "not said"
                yield name, n, told, *each, within, float(np.mean(loss))


SECTIONS = (
    Section(
        "New rows between quantiles 0.05 and 0.95 moved by conformal prediction: of rows held out 90 % or more are promised",
        (
            "rows",
            "n",
            "judged by",
            "between as fitted",
            "spread over runs",
            "between as moved",
            "spread over runs",
            "runs with at least what 19 in 20 are said to hold",
            "loss as moved, of the loss as fitted",
        ),
        covered,
    ),
)
