"""Counts that are drawn: exactly where few are expected, and as normal numbers with the skewness of counts where many are.

A normal number with the skewness of a count (Cornish and Fisher 1938) is drawn in a tenth of the time. The chance to stay below
a bound is off by about a fortieth of one over the variance: by 1e-5 for the least large ones, where a share of 999 draws has a
standard error of up to 1e-2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goodmeasure.statistics.row_arguments import Floats

LARGE = 2_000.0
"""From this variance on a count is drawn as a normal number."""


def binomials(rng: np.random.Generator, n: NDArray[np.int64], p: Floats, draws: int) -> Floats:
    """How many of ``n`` happen with the probability ``p``: a column for each of these, a row for each draw."""
    variance = n * p * (1 - p)
    large = variance >= LARGE
    if not large.any():
        return rng.binomial(n, p, (draws, len(n))).astype(np.float64)
    found = np.empty((draws, len(n)))
    found[:, ~large] = rng.binomial(n[~large], p[~large], (draws, int((~large).sum())))
    found[:, large] = np.rint(_skewed(rng, variance[large], 1 - 2 * p[large], draws) + (n * p)[large])
    return found


def multinomials(rng: np.random.Generator, size: int, chance: Floats, draws: int) -> Floats:
    """How many of ``size`` fall to each of several kinds, which have these chances: a row for each draw."""
    large = size * chance >= LARGE
    if not large.any():
        return rng.multinomial(size, chance, draws).astype(np.float64)
    # How many fall to the large ones together is drawn with the small ones, and is then dealt out: the counts depend on one
    # another by their sum alone.
    share = chance[large].sum()
    few = rng.multinomial(size, [*chance[~large], min(share, 1.0)], draws)
    found = np.empty((draws, len(chance)))
    found[:, ~large], together = few[:, :-1], few[:, -1:]
    share = chance[large] / share
    off = _skewed(rng, size * chance[large], 1.0, draws)
    found[:, large] = together * share + off - off.sum(axis=1, keepdims=True) * share
    return found


def _skewed(rng: np.random.Generator, variance: Floats, third: Floats | float, draws: int) -> Floats:
    """Numbers around zero with these variances, whose third moment is ``third`` times the variance."""
    normal = rng.standard_normal((draws, len(variance)))
    return np.asarray(normal * np.sqrt(variance) + (normal * normal - 1) * (third / 6))
