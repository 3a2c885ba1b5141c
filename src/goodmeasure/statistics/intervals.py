"""Intervals for a mean: for rows that are independent, clustered, ordered in time, bounded, or counts of yes and
no."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.errors import NothingToAverage, UsageError
from goodmeasure.statistics import keys, row_arguments
from goodmeasure.statistics.estimate import Estimate, times
from goodmeasure.statistics.rounded_sums import rounded_sum
from goodmeasure.statistics.row_arguments import Floats, Places, PresentRows, TooFewRows
from goodmeasure.statistics.serial import in_blocks, usual_blocks
from goodmeasure.statistics.weights import WeightsMean as WeightsMean
from goodmeasure.statistics.weights import comparable, copies_of, counted, effective, equal_parts, squares, unit_of

# How an interval's method says that rows go together; a method that says none of these takes them as independent.
CLUSTERED, IN_TIME, DEALT_WHOLE = "cluster-robust", "time blocks", "clusters dealt at random"

# Below it the correction for skewness is lost in rounding.
SYMMETRIC = 1e-6
# Values that differ by a smaller part of their size may be the same: the sum of their squares does not tell.
ROUNDING = 1e-7


def normal_quantile(level: float) -> float:
    """How many standard errors a two-sided normal interval of this level reaches."""
    from scipy.special import ndtri

    return float(ndtri(0.5 + level / 2))


def student_quantile(level: float, freedom: float) -> float:
    """How many standard errors a two-sided Student interval of this level reaches."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + level / 2)) if freedom >= 1 else math.inf


def few_quantile(level: float, parts: float) -> float:
    """The quantile where so many equal parts tell the spread; two of unequal size tell it no worse than two."""
    return student_quantile(level, max(parts - 1, 1.0))


def wald(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The textbook interval of a share; it covers .63 instead of .95 at n = 100 and a share of .01."""
    share = successes / n
    half = normal_quantile(level) * math.sqrt(share * (1 - share) / n)
    return share - half, share + half


def wilson(successes: float | Floats, n: float | Floats, level: float = 0.95) -> tuple[Any, Any]:
    """Wilson's score interval of a share (1927): close to its level on average over shares. Counts may be arrays."""
    q = normal_quantile(level)
    share, spread = successes / n, q * q / n
    centre = (share + spread / 2) / (1 + spread)
    half = q / (1 + spread) * np.sqrt(share * (1 - share) / n + spread / (4 * n))
    return np.maximum(0.0, centre - half), np.minimum(1.0, centre + half)


def clopper_pearson(successes: float | Floats, n: float | Floats, level: float = 0.95) -> tuple[Any, Any]:
    """The exact interval of a share (Clopper and Pearson 1934): covers at least its level for every share.

    Counts may be arrays, and need not be whole.
    """
    from scipy.special import betaincinv

    tail, hit, missed = (1 - level) / 2, np.asarray(successes), np.subtract(n, successes)
    low = np.where(hit > 0, betaincinv(np.maximum(hit, 1e-300), missed + 1, tail), 0.0)
    high = np.where(missed > 0, betaincinv(hit + 1, np.maximum(missed, 1e-300), 1 - tail), 1.0)
    return low[()], high[()]


def empirical_bernstein(
    mean: float, variance: float, n: int, span: float = 1.0, level: float = 0.95
) -> tuple[float, float]:
    """An interval without assumptions for independent values that lie within ``span`` (Maurer and Pontil 2009, Thm
    4).

    ``variance`` is the unbiased sample variance. The one-sided bound is used at half the error on each side.
    """
    if n < 2:
        return -math.inf, math.inf
    log_term = math.log(4 / (1 - level))
    half = math.sqrt(2 * variance * log_term / n) + 7 * span * log_term / (3 * (n - 1))
    return mean - half, mean + half


def confidence_sequence(
    mean: float, variance: float, n: int, level: float = 0.95, tightest_at: int = 1000
) -> tuple[float, float]:
    """An interval that stays valid however often one looks (Robbins 1970; Waudby-Smith et al. 2024 for means).

    The width is smallest, relative to a single look, at ``tightest_at`` rows. It needs only n, mean and variance,
    so it can be read from merged states.
    """
    error = 1 - level
    rho2 = (-2 * math.log(error) + math.log(-2 * math.log(error)) + 1) / tightest_at
    half = math.sqrt(variance * (n * rho2 + 1) / (n * n * rho2) * math.log((n * rho2 + 1) / error**2))
    return mean - half, mean + half


def time_blocks(
    time: ArrayLike, n: int, blocks: int | None = None, *, w: Floats | None = None, at: Places = None
) -> NDArray[np.intp]:
    """Cut rows that are ordered in time into consecutive blocks of about equal weight; equal times share a block.

    Blocks are long where no number of them is given, so that they serve whatever is asked of these rows; a mean has
    blocks of its own, which suit its values.
    """
    when = times_of(time, n, at=at)
    count = int(when.max()) + 1
    return in_blocks(
        when, np.ones(n) if w is None else w, usual_blocks(count) if blocks is None else min(blocks, count)
    )


def times_of(time: ArrayLike, n: int, *, at: Places = None) -> NDArray[np.intp]:
    """The code of each row's time, ascending from 0."""
    row_arguments.same_length(rows=range(n), time=np.asarray(time))
    seen, _, when = keys.distinct(time, "time", at=at)
    if len(seen) < 2:
        raise TooFewRows(
            "all rows have the same time, so there are no blocks to compare",
            where="time",
            seen=f"{n:,} rows",
            fix="give rows of two times, or leave time out: then each row stands for itself",
        )
    return when


def knows_groups(method: str) -> bool:
    """Whether an interval that was made so knows which rows go together. Blocks dealt at random are no groups."""
    return any(words in method for words in (CLUSTERED, IN_TIME, DEALT_WHOLE))


def independent_parts(n: int, cluster: ArrayLike | None, time: ArrayLike | None) -> tuple[NDArray[np.intp] | None, str]:
    """Which rows go together, as codes (None: each on its own), and what to call the method."""
    return parts_of(PresentRows.of(n, cluster=cluster, time=time))


def parts_of(rows: PresentRows) -> tuple[NDArray[np.intp] | None, str]:
    """Which rows go together by their column ``cluster`` or ``time``, as codes, and what to call the method."""
    if rows["cluster"] is not None and rows["time"] is not None:
        raise UsageError("cluster= and time= both say which rows go together", fix="give the one that matters more")
    if rows["cluster"] is not None:
        together, distinct = rows.read(keys.codes, "cluster")
        if len(distinct) < 2:
            raise TooFewRows(
                "all rows are in one cluster, so there is nothing to estimate a spread from",
                where="cluster",
                fix="give rows of two clusters, or leave cluster out: then each row stands for itself",
            )
        return together, CLUSTERED
    if rows["time"] is not None:
        return time_blocks(rows["time"], len(rows), w=rows.weight, at=rows.at), IN_TIME
    return None, "normal"


def mean_estimate(
    values: Floats,
    w: Floats | None = None,
    *,
    together: NDArray[np.intp] | None = None,
    method: str = "normal",
    level: float = 0.95,
    weights_mean: WeightsMean = "importance",
    copies: Floats | None = None,
    corrected: bool = True,
) -> Estimate:
    """The weighted mean of values with an interval whose spread and skewness come from independent parts.

    The interval is Student's, and longer on the side where the rare, large values lie (`reach`), unless ``corrected`` is
    False. ``together`` holds the code of each row's cluster or block. Frequency weights count identical rows, so a weight
    of 3 is three rows; importance weights say how much a row matters. Rows of weight zero are not there. ``copies`` says
    how many rows each stands for where its weight alone does not.
    """
    w = np.ones(len(values)) if w is None else w
    if not w.all():
        held = w > 0
        values, w = values[held], w[held]
        together = None if together is None else together[held]
        copies = None if copies is None else copies[held]
    if not len(w):
        raise NothingToAverage("a mean over no rows was asked for", fix="check sample_weight.sum()")
    w = w if copies is not None else comparable(w, weights_mean)
    copies = copies_of(w, weights_mean) if copies is None else copies
    n = counted(copies)
    if not np.isfinite(values).all():
        return _infinite(values[~np.isfinite(values)], n, method, level)
    # The unit is a power of two: it keeps squares in the range of numbers, and moves no digit.
    unit = unit_of(values)
    values = values / unit
    total = rounded_sum(w)
    mean = rounded_sum(w * values) / total
    miss = values - mean
    parts = _part_sums(w, miss, together, copies)
    skew = _skew(w, miss, together, copies) if corrected else None
    return times(from_moments(mean, parts, n, iid_variance(w, miss, total), level, method, skew), unit)


def iid_variance(w: Floats, miss: Floats, total: float) -> float:
    """The weighted plug-in variance of the values themselves."""
    return rounded_sum(w * miss * miss) / total


def _part_sums(w: Floats, miss: Floats, together: NDArray[np.intp] | None, copies: Floats) -> tuple[float, float]:
    """The plug-in variance of the mean, and how many independent parts of equal weight it rests on."""
    total = rounded_sum(w)
    if together is not None:
        sums = np.bincount(together, weights=w * miss)
        return float(sums @ sums) / total**2, equal_parts(keys.summed(together, w))
    return rounded_sum(squares(w, copies) * miss**2) / total**2, effective(w, copies)


def _skew(w: Floats, miss: Floats, together: NDArray[np.intp] | None, copies: Floats) -> float:
    sums: Floats = w * miss if together is None else np.bincount(together, weights=w * miss).astype(np.float64)
    return skewness(sums, sums / copies if together is None else sums)


def skewness(sums: Floats, each: Floats) -> float:
    """The skewness of a mean from what its parts add to it: that of the values over the root of n where all count alike.

    ``each`` is what one copy of a part adds.
    """
    squared = rounded_sum(sums * each)
    return rounded_sum(sums * each**2) / squared / math.sqrt(squared) if squared > 0 else 0.0


def from_moments(
    mean: float,
    parts: tuple[float, float],
    n: int,
    variance: float,
    level: float,
    method: str,
    skew: float | None = None,
) -> Estimate:
    """An estimate from the variance of the mean, how many equal parts tell it, and the variance of the values.

    ``skew`` is the skewness of the mean; None leaves the interval Student's.
    """
    variance_of_mean, count = parts
    error = math.sqrt(variance_of_mean)
    effective = variance / variance_of_mean if variance_of_mean > 0 else float(n)
    below = above = math.inf
    if count > 1:
        quantile, unbiased = few_quantile(level, count), math.sqrt(count / (count - 1)) * error
        below, above = (unbiased * far for far in reach(quantile, skew or 0.0))
    name = method if skew is None else f"{method}, corrected for skewness"
    return Estimate(mean, mean - below, mean + above, n, effective, name, level, error)


def all_equal(values: Floats) -> bool:
    """Whether finite values are the same, but for what rounding can have made of them."""
    return bool(np.isfinite(values).all()) and equal_by(float(np.ptp(values)), float(np.abs(values).max()))


def equal_by(scatter: float, size: float) -> bool:
    """Whether values that differ by so much are the same but for rounding, which their exact sums cannot tell either."""
    return scatter <= ROUNDING * size


def of_equal(found: Estimate, rows: float, limits: tuple[float, float]) -> Estimate:
    """The mean of values that are all equal, each within ``limits``, with what values unlike them may make of it.

    Their spread is not seen. What is known is how large a share of rows can be unlike these and have been missed, of so many
    independent ``rows``: these may hold anything that is possible.
    """
    missed = float(clopper_pearson(0, rows, found.level)[1])
    least, largest = limits
    return replace(
        found,
        low=found.value - missed * max(found.value - least, 0.0),
        high=found.value + missed * max(largest - found.value, 0.0),
        method=f"{found.method}, of equal values by the share of others that can have been missed",
        cautions=(*found.cautions, "all rows cost the same: how much others cost is not known from these rows"),
    )


def reach(quantile: float, skew: float) -> tuple[float, float]:
    """How many standard errors an interval reaches below and above a mean of this skewness, and at least ``quantile``.

    Large values are rare in a sample, and where they are missing both the mean and its error are too small. Hall's cubic
    (1992) turns the studentised mean into one that is nearly normal; here it makes the interval longer on one side, and
    shorter on none, for two heavy tails look like a skewed one by chance.
    """
    if abs(skew) < SYMMETRIC:
        return quantile, quantile
    return max(quantile, _back(quantile, skew)), max(quantile, -_back(-quantile, skew))


def _back(normal: float, skew: float) -> float:
    """The studentised mean that Hall's transformation makes this number of."""
    return 3 / skew * (math.cbrt(1 + skew * (normal - skew / 6)) - 1)


def cost_infinity(count: int) -> str:
    """That so many rows cost infinity, in words."""
    return "1 row costs infinity" if count == 1 else f"{count:,} rows cost infinity"


def _infinite(values: Floats, n: int, method: str, level: float) -> Estimate:
    """What is said of a mean that some rows make infinite (or undefined)."""
    with np.errstate(invalid="ignore"):
        value = float(values.sum())
    caution = (cost_infinity(len(values)),) if not math.isnan(value) else ("some rows are not a number",)
    return Estimate(value, value, value, n, 0.0, method, level, math.inf, cautions=caution)


def bootstrap(
    statistic: Callable[[Floats], float],
    w: Floats,
    *,
    together: NDArray[np.intp] | None = None,
    copies: Floats | None = None,
    replicates: int = 999,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float, float]:
    """The percentile interval and standard error of a statistic of resampled rows.

    ``statistic`` takes what each row weighs in a sample. With ``together`` whole clusters or blocks are drawn. The
    ``copies`` that a row stands for are drawn one by one.
    """
    rng = np.random.default_rng(seed)
    draw = resampling(w, together, copies)
    values = np.array([statistic(draw(rng)) for _ in range(replicates)])
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high), float(values.std())


def resampling(
    w: Floats, together: NDArray[np.intp] | None, copies: Floats | None
) -> Callable[[np.random.Generator], Floats]:
    """What each row weighs in a sample with replacement, of rows and their copies or of whole clusters."""
    if together is not None:
        units = np.ones(int(together.max()) + 1)
        return lambda rng: w * _drawn(rng, units)[together]
    units = np.ones(len(w)) if copies is None else copies
    return lambda rng: w * (_drawn(rng, units) / units)


def _drawn(rng: np.random.Generator, units: Floats) -> Floats:
    """How often each was drawn, in as many draws as there are."""
    return rng.multinomial(counted(units), units / units.sum()).astype(np.float64)
