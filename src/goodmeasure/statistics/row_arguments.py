"""The rows that evidence is made of: what they must look like, and how it is said when they do not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.errors import NothingToAverage, Problem, ShapeMismatch, WeightError

Floats = NDArray[np.float64]


class ScoreOutsideUnitInterval(Problem, ValueError):
    """A score that should be a probability lies outside [0, 1].

    Values of both signs and beyond 1 are usually logits: pass them through the sigmoid first, or give them to a
    function that takes raw outputs. Nothing is clipped, because a clipped score has a finite cost that nobody
    stated.
    """

    code = "GM701"


class MissingScore(Problem, ValueError):
    """A score or prediction is not a number.

    A row without a prediction cannot be judged, and leaving it out silently would flatter the model: exclude such
    rows yourself, with a ``mask`` or ``--where``, so that the number of rows says so.
    """

    code = "GM702"


class UnknownLabel(Problem, ValueError):
    """A target is not one of the labels that this question has.

    A yes/no target is 0 or 1; a class is an index between 0 and K - 1 where K is the number of columns of the scores.
    """

    code = "GM703"


class OneClassOnly(Problem, ValueError):
    """All targets are the same, so nothing can be said about telling them apart.

    A threshold, a ranking or a recalibration needs rows of both kinds. Take more rows, or a different part of the
    table.
    """

    code = "GM704"


class TooFewRows(Problem, ValueError):
    """There are fewer rows, groups or blocks than the question needs."""

    code = "GM705"


def column(values: ArrayLike, name: str) -> Floats:
    """One column of numbers as float64, or an error that names the cell that is not one."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise MissingScore(f"{name} holds values of type {array.dtype}, numbers are needed", where=name)
    if array.ndim != 1:
        raise ShapeMismatch(f"{name} has shape {array.shape}, one number a row is needed", fix=f"{name}.reshape(-1)")
    return np.asarray(array, dtype=np.float64)


def same_length(**columns: Any) -> None:
    """Refuse columns that differ in length or hold nothing, naming them."""
    equal_length(**columns)
    if not all(len(values) for values in columns.values() if values is not None):
        raise NothingToAverage("there are no rows", seen=f"{', '.join(columns)} are empty")


def equal_length(**columns: Any) -> None:
    """Refuse columns that differ in length, naming them; a shard may be empty."""
    lengths = {name: len(values) for name, values in columns.items() if values is not None}
    if len(set(lengths.values())) > 1:
        seen = ", ".join(f"{name} has {length:,}" for name, length in lengths.items())
        raise ShapeMismatch("the columns have different numbers of rows", seen=seen)


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


def weights(sample_weight: ArrayLike | None, n: int) -> Floats:
    """The weights of ``n`` rows as float64: ones where none are given."""
    if sample_weight is None:
        return np.ones(n)
    w = column(sample_weight, "sample_weight")
    same_length(rows=range(n), sample_weight=w)
    check_weights(w)
    if not w.any():
        raise NothingToAverage("all weights are zero", where="sample_weight")
    return w


def probabilities(p: ArrayLike, name: str = "p") -> Floats:
    """One probability a row, in [0, 1], as float64."""
    scores = column(p, name)
    inside_unit_interval(scores, name)
    return scores


def inside_unit_interval(scores: Floats, name: str = "p") -> None:
    """Refuse scores that are NaN or outside [0, 1], naming and counting them."""
    if scores.size and scores.min() >= 0 and scores.max() <= 1:  # neither is true of NaN
        return
    lost = np.isnan(scores)
    if lost.any():
        at = int(np.argmax(lost.reshape(len(lost), -1).any(axis=1)))
        raise MissingScore(f"{int(lost.sum()):,} of {lost.size:,} scores are not a number", where=f"{name}[{at}]")
    outside = (scores < 0) | (scores > 1)
    if outside.any():
        worst = scores[outside][np.argmax(np.abs(scores[outside] - 0.5))]
        raise ScoreOutsideUnitInterval(
            f"{name} holds {worst:g}; probabilities lie in [0, 1]",
            seen=f"{outside.mean():.0%} of the scores are outside ({int(outside.sum()):,} of {outside.size:,})",
            fix="if they are logits, apply the sigmoid (softmax for classes) first",
        )


def outcomes(y: ArrayLike, *, both: bool = False) -> Floats:
    """A yes/no target as float64 zeros and ones; ``both`` asks for at least one of each."""
    target, given = column(y, "y"), np.asarray(y)  # labels are often narrow: they are looked at before they are widened
    bad = np.flatnonzero((given != 0) & (given != 1))
    if bad.size:
        raise UnknownLabel(
            f"y holds {target[bad[0]]:g}; a yes/no target is 0 or 1",
            where=f"y[{bad[0]}]",
            seen=f"{bad.size:,} of {target.size:,} rows",
        )
    if both and target.size and (target[0] == target).all():
        raise OneClassOnly(f"all {target.size:,} targets are {target[0]:g}", where="y")
    return target


def classes(y: ArrayLike, k: int) -> NDArray[np.intp]:
    """Class indices between 0 and ``k - 1``."""
    target = column(y, "y")
    bad = np.flatnonzero(~((target >= 0) & (target < k) & (target == np.floor(target))))
    if bad.size:
        raise UnknownLabel(
            f"y holds {target[bad[0]]:g}; the classes are 0 to {k - 1}",
            where=f"y[{bad[0]}]",
            seen=f"{bad.size:,} of {target.size:,} rows",
        )
    return target.astype(np.intp)


def class_probabilities(p: ArrayLike) -> Floats:
    """Rows of class probabilities (N, K), each in [0, 1] and summing to one within 1e-6."""
    table = np.asarray(p, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ShapeMismatch(f"class probabilities have shape (rows, classes), not {table.shape}", where="p")
    inside_unit_interval(table)
    sums = table.sum(axis=1)
    bad = np.flatnonzero(np.abs(sums - 1) > 1e-6)
    if bad.size:
        raise ScoreOutsideUnitInterval(
            f"{bad.size:,} of {len(table):,} rows of class probabilities do not sum to one",
            where=f"p[{bad[0]}]",
            seen=f"the sum is {sums[bad[0]]:g}",
        )
    return table


def summed(codes: NDArray[np.intp], values: Floats, count: int = 0) -> Floats:
    """The sum of values by code."""
    return np.bincount(codes, weights=values, minlength=count).astype(np.float64, copy=False)


def codes(keys: ArrayLike, n: int, name: str) -> tuple[NDArray[np.intp], int]:
    """Group keys of any type as integers from zero, and how many there are."""
    same_length(rows=range(n), **{name: np.asarray(keys)})
    unique, inverse = np.unique(np.asarray(keys), return_inverse=True)
    return inverse.astype(np.intp), len(unique)
