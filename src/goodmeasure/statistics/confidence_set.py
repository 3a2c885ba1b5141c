"""Which of several columns have the least mean, as far as their rows can tell: a model confidence set.

Source: Hansen, Lunde and Nason (2011), The model confidence set; with the range statistic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.sample import Sample

DRAWS = 9_999
# Differences smaller than this part of the means are rounding.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class ConfidenceSet:
    """What rows say of which column has the least mean.

    ``p_values`` holds for each column the size of the largest test that keeps it: those above 1 - level are the set, which
    holds a best one as often as ``level`` says. ``pairwise`` is the level of one interval of a difference, so that the
    intervals of all pairs hold together as often as ``level`` says.
    """

    means: Floats
    p_values: Floats
    pairwise: float
    level: float

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which columns cannot be told from the best."""
        return self.p_values > 1 - self.level


def confidence_set(columns: Floats, sample: Sample, *, widening: float = 1.0, seed: int = 0) -> ConfidenceSet:
    """The set of columns of (n, m) finite numbers that may have the least mean.

    The means are drawn from their limit, a normal distribution with the covariance that rows, clusters or blocks of time
    show, and as heavy tails as so few of them ask for. ``widening`` is how much wider than that it is.
    """
    means, spread, freedom = _limit(columns, sample)
    drawn = _drawn(spread * widening**2, freedom, seed)
    errors = _errors_of_pairs(spread) * widening
    gaps = _in_errors(means[:, None] - means[None, :], errors, float(np.abs(means).max()))
    return ConfidenceSet(means, _p_values(gaps, drawn, errors), _pairwise(drawn, errors, sample.level), sample.level)


def _limit(columns: Floats, sample: Sample) -> tuple[Floats, Floats, float]:
    """The weighted means, their covariance, and the degrees of freedom that it rests on."""
    total = sample.weight.sum()
    means = sample.weight @ columns / total
    apart = columns - means
    together = _together(apart, sample)
    if together is None:
        size = sample.effective_n
        return means, (sample.square[:, None] * apart).T @ apart / total**2 * _unbiased(size), size - 1
    parts = np.stack([summed(together, sample.weight * each) for each in apart.T], axis=1) / total
    count = len(parts)
    return means, parts.T @ parts * _unbiased(count), count - 1.0


def _unbiased(size: float) -> float:
    return size / (size - 1) if size > 1 else 1.0


def _together(apart: Floats, sample: Sample) -> NDArray[np.intp] | None:
    """The code of each row's part: of times, the longest blocks that the difference of any column from the first asks for."""
    if sample.when is None:
        return sample.together
    each = [sample.together_for(column - apart[:, 0]) for column in apart.T[1:]]
    known = [one for one in each if one is not None]
    return min(known, key=lambda code: int(code.max()), default=sample.together)


def _drawn(spread: Floats, freedom: float, seed: int) -> Floats:
    """Means around zero, (draws, m): normal ones, divided by the uncertain size of their spread."""
    rng = np.random.default_rng(seed)
    sizes, directions = np.linalg.eigh(spread)
    normal = rng.standard_normal((DRAWS, len(spread))) * np.sqrt(np.clip(sizes, 0, None)) @ directions.T
    freedom = max(freedom, 1.0)
    return np.asarray(normal / np.sqrt(rng.chisquare(freedom, DRAWS) / freedom)[:, None])


def _errors_of_pairs(spread: Floats) -> Floats:
    own = np.diag(spread)
    return np.sqrt(np.clip(own[:, None] + own[None, :] - 2 * spread, 0, None))


def _in_errors(gaps: Floats, errors: Floats, size: float) -> Floats:
    """Gaps in standard errors: without an error they are nothing, or beyond all doubt."""
    known = errors > ROUNDING * size
    sure = np.where(np.abs(gaps) > ROUNDING * size, np.copysign(math.inf, gaps), 0.0)
    return np.divide(gaps, errors, out=sure, where=known)


def _p_values(gaps: Floats, drawn: Floats, errors: Floats) -> Floats:
    """The worst column is left out until those that are left cannot be told apart; a p-value never falls on the way."""
    left, found, reached = list(range(len(gaps))), np.zeros(len(gaps)), 0.0
    while left:
        among = gaps[np.ix_(left, left)]
        worst = left[int(among.max(axis=1).argmax())]
        beyond = _largest(drawn[:, left], errors[np.ix_(left, left)]) >= among.max()
        reached = max(reached, (1 + int(beyond.sum())) / (1 + DRAWS))
        found[worst] = reached
        left.remove(worst)
    return found


def _largest(drawn: Floats, errors: Floats) -> Floats:
    """The largest difference of two of the drawn means, in its standard error, for each draw."""
    most = np.zeros(len(drawn))
    for i in range(drawn.shape[1]):
        for j in range(i):
            if errors[i, j] > 0:
                np.maximum(most, np.abs(drawn[:, i] - drawn[:, j]) / errors[i, j], out=most)
    return most


def _pairwise(drawn: Floats, errors: Floats, level: float) -> float:
    """The level of one interval so that those of all pairs hold at once."""
    reach = float(np.quantile(_largest(drawn, errors), level))
    return max(level, 2 * NormalDist().cdf(reach) - 1) if reach < 8 else 1 - 1e-15
