"""What weights mean: how much a row matters, or how many copies of it there are; and how they stay in the range of numbers."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from goodmeasure.errors import UsageError, WeightError
from goodmeasure.statistics.rounded_sums import rounded_sum

Floats = NDArray[np.float64]
WeightsMean = Literal["importance", "frequency"]
# Rows up to so many are still counted one by one in double precision.
MOST_COPIES = 2.0**53
# Weights between one part in so much and so much are taken as they are: their products with squares are numbers.
MOST_WEIGHT = 1e100
AS_IMPORTANCE = "leave weights_mean out if weights say how much a row matters"
# Beside the largest, weights smaller by more than this vanish.
MOST_APART = 1e190


def check_weights(w: NDArray[Any]) -> None:
    """Refuse weights that are negative or not finite, naming the first and counting them."""
    bad = ~(np.isfinite(w) & (w >= 0))
    if bad.any():
        at = tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))
        raise WeightError(
            f"{int(bad.sum()):,} of {bad.size:,} weights are negative or not finite",
            where=f"sample_weight[{', '.join(map(str, at))}]",
            seen=f"{w[at]}",
            fix="leave the rows out, or give them a weight of zero",
        )


def check_meaning(weights_mean: str) -> None:
    """Refuse a word that says nothing of weights."""
    if weights_mean not in get_args(WeightsMean):
        raise UsageError(f"weights_mean={weights_mean!r}", fix=f"one of {', '.join(get_args(WeightsMean))}")


def comparable(w: Floats, weights_mean: WeightsMean, at: NDArray[np.intp] | None = None) -> Floats:
    """Positive weights whose squares and sums stay in the range of numbers: scaled, unless they count copies.

    ``at`` says where each stood among those given; None: they are all there.
    """
    check_meaning(weights_mean)
    return _countable(w, at) if weights_mean == "frequency" else scaled(w)


def scaled(w: Floats) -> Floats:
    """Weights divided by a power of two, the largest to between 1 and 2: no digit of a weighted mean moves."""
    refuse_far_apart(w)
    return w / unit_of(w)


def tame(w: Floats) -> Floats:
    """The same weights, but for vast and tiny ones, which are `scaled`: their sums stay in the range of numbers."""
    held = w[w > 0]
    if are_tame(held):
        return w
    refuse_far_apart(held)
    return w / unit_of(held)


def are_tame(held: Floats) -> bool:
    """Whether positive weights can be squared and summed as they are."""
    return bool(held.min(initial=1.0) > 1 / MOST_WEIGHT and held.max(initial=1.0) < MOST_WEIGHT)


def refuse_far_apart(held: Floats) -> None:
    """Refuse positive weights of which some vanish beside others. Error: GM006."""
    smallest, largest = held.min(initial=math.inf), held.max(initial=0.0)
    if smallest < largest / MOST_APART:
        raise WeightError(
            "the weights differ by more than numbers can hold",
            seen=f"they lie between {smallest:g} and {largest:g}",
            fix="leave out the rows whose weights are next to nothing",
        )


def _countable(w: Floats, at: NDArray[np.intp] | None) -> Floats:
    parts = np.flatnonzero(w != np.rint(w))
    if parts.size:
        first = int(parts[0])
        raise WeightError(
            f"weights that count copies are whole numbers, and {parts.size:,} of {len(w):,} are not",
            where=f"sample_weight[{first if at is None else at[first]}]",
            seen=f"{w[first]:.17g}",
            fix=AS_IMPORTANCE,
        )
    return few_enough(w)


def few_enough(w: Floats) -> Floats:
    """Weights that count copies, of no more rows than are still counted one by one. Error: GM006."""
    total = exact_total(w)
    if not 1 <= total <= MOST_COPIES:
        raise WeightError(f"weights that count copies add up to {total:g} rows", fix=AS_IMPORTANCE)
    return w


def unit_of(values: Floats) -> float:
    """The power of two at or below the largest size: dividing by it moves no digit, and squares stay in range."""
    largest = float(np.abs(values).max(initial=0.0))
    return math.ldexp(1.0, math.frexp(largest)[1] - 1) if 0 < largest < math.inf else 1.0


def exact_total(values: Floats) -> float:
    """The sum, rounded once; infinite where it leaves the range of numbers."""
    unit = unit_of(values)
    return rounded_sum(values / unit) * unit


def worth(w: Floats) -> float:
    """How many rows these stand for where that moves a value: whole weights are copies, others say how much a row matters."""
    total = exact_total(w)
    return total if 1 <= total <= MOST_COPIES and bool((w == np.round(w)).all()) else float(len(w))


def copies_of(w: Floats, weights_mean: WeightsMean) -> Floats:
    """How many rows each stands for in what is uncertain: for itself, or for as many as its weight says."""
    return w if weights_mean == "frequency" else np.ones(len(w))


def squares(w: Floats, copies: Floats) -> Floats:
    """The sum of the squared weights of each row's copies, as variances take it."""
    return w * (w / copies)


def counted(copies: Floats) -> int:
    """How many rows these are, with their copies."""
    return round(rounded_sum(copies))


def effective(w: Floats, copies: Floats) -> float:
    """How many independent rows of equal weight carry as much information."""
    return float(w.sum() ** 2 / squares(w, copies).sum())


def equal_parts(held: Floats) -> float:
    """How many parts of equal weight tell a spread as well as these: their number where none weighs more than another.

    Where few parts hold most of the weight, the spread is as badly known as that of few.

    Source: Kish 1965, Survey Sampling; Carter, Schnepel and Steigerwald 2017, Asymptotic behavior of a t-test robust to
    cluster heterogeneity.
    """
    held = held / unit_of(held)
    found = float(held.sum() ** 2 / (held @ held))
    # Rounding of equal weights is not unequal weight.
    return float(round(found)) if abs(found - round(found)) < 1e-9 * found else found
