"""The rows that evidence is made of: the one door they pass, what they must look like, and how it is said when they do not."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.errors import (
    NothingToAverage,
    Problem,
    ShapeMismatch,
    TargetOutsideDomain,
    UsageError,
    WeightError,
)
from goodmeasure.statistics.arrays import array_of, numbers_of, one_a_row, same_order
from goodmeasure.statistics.rounded_rows import divided_by_sums
from goodmeasure.statistics.weights import Floats as Floats
from goodmeasure.statistics.weights import (
    WeightsMean,
    check_weights,
    comparable,
    copies_of,
    counted,
    effective,
    unit_of,
    worth,
)

# Where each row stood among those given; None: they are all there, in their order.
Places = NDArray[np.intp] | None
# Squares of sizes between these, weighted and summed over any table, are numbers of double precision.
SMALLEST, LARGEST = 1e-140, 1e140
# What to do about scores that are no probabilities.
LOGITS = "if they are logits, apply the sigmoid (softmax for classes) first"
STRAY = "mend or leave out the rows that hold them"
SUMS = "divide each row by its sum"
# With fewer scores outside [0, 1] than this share, they are mistakes and no logits.
_FEW_STRAY = 0.05


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
    rows yourself, with a ``mask``, a weight of zero or ``--where``, so that the number of rows says so.
    """

    code = "GM702"


class UnknownLabel(TargetOutsideDomain):
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


class OutOfRange(Problem, ValueError):
    """Numbers are so large or so small that their squares or products leave the range of double precision.

    An answer would be infinite, or zero where it is not. Give the numbers in another unit: in thousands, or in
    thousandths. Weights need no unit, because only their ratios count; but those of a tally, to which others are
    added, lie in one unit for all parts, between 1e-100 and 1e+100.
    """

    code = "GM706"


# --- the door ---


@dataclass(frozen=True, eq=False)
class PresentRows:
    """The rows that count: whatever a row of weight zero holds, nothing behind this door sees it.

    ``weight`` is what was given divided by ``unit``, a power of two, which moves no digit of a mean; weights that count
    copies stay as they are.
    ``at`` says where each row stood among the ``given``, so that errors speak of rows as the caller numbers them. Where a
    value itself depends on how many rows there are, they are worth ``worth``: a whole weight stands for so many.
    """

    columns: dict[str, NDArray[Any]]
    weight: Floats
    at: NDArray[np.intp]
    worth: float
    unit: float = 1.0
    weights_mean: WeightsMean = "importance"
    given: int = 0

    @staticmethod
    def of(n: int, **columns: Any) -> PresentRows:
        """So many rows of equal weight, all of them there."""
        same_order(**columns)
        given = {name: array_of(values, name) for name, values in columns.items() if values is not None}
        same_length(rows=range(n), **given)
        return PresentRows(given, np.ones(n), np.arange(n), float(n), given=n)

    def __len__(self) -> int:
        return len(self.weight)

    def __getitem__(self, name: str) -> Any:
        """The column as it came; None if none was given."""
        return self.columns.get(name)

    def read(self, check: Callable[..., Any], name: str, **how: Any) -> Any:
        """The column as one of the checks below leaves it."""
        if name not in self.columns:
            raise UsageError(f"{name} is None, a column is needed", where=name, fix=f"give {name}, one value a row")
        return check(self.columns[name], name, at=self.at, **how)

    @property
    def copies(self) -> Floats:
        """How many rows each stands for in what is uncertain."""
        return copies_of(self.weight, self.weights_mean)

    @property
    def n(self) -> int:
        """How many rows these are, with their copies."""
        return counted(self.copies)

    @property
    def effective_n(self) -> float:
        """How many independent rows of equal weight carry as much information."""
        return effective(self.weight, self.copies)


def present(sample_weight: ArrayLike | None, weights_mean: WeightsMean = "importance", **columns: Any) -> PresentRows:
    """The rows of these columns whose weight is not zero, taken out before anything looks at what they hold."""
    same_order(**columns, sample_weight=sample_weight)
    given = {name: array_of(values, name) for name, values in columns.items() if values is not None}
    same_length(**given)
    w = weights(sample_weight, len(next(iter(given.values()))))
    at, n = np.flatnonzero(w), len(w)
    if len(at) < len(w):
        w, given = w[at], {name: values[at] for name, values in given.items()}
    unit = 1.0 if weights_mean == "frequency" else unit_of(w)
    return PresentRows(given, comparable(w, weights_mean, at), at, worth(w), unit, weights_mean, n)


# --- columns ---


def column(values: ArrayLike, name: str, *, at: Places = None, kind: type[Problem] = MissingScore) -> Floats:
    """One column of numbers as float64, or an error that names the cell that is not one."""
    array = numbers_of(values, name, kind)
    one_a_row(array, name)
    return array.astype(np.float64, copy=False)


# How functions that know no names of columns name a cell: `place` writes it so.
CELL = re.compile(r"(.*)\[(\d+)(?:, \d+)*\]")


def place(name: str, row: int, at: Places) -> str:
    """A row of a column, as the caller numbers it."""
    return f"{name}[{row if at is None else at[row]}]"


def finite(values: Floats, name: str, *, at: Places = None, kind: type[Problem] = MissingScore) -> Floats:
    """The values, of which none is missing or infinite; or an error that names the first that is."""
    table = _by_row(values)
    lost = ~np.isfinite(table)
    if lost.any():
        row = int(np.argmax(lost.any(axis=1)))
        value = table[row][lost[row]][0]
        raise kind(
            f"{name} holds {value:g}, a finite number is needed",
            where=place(name, row, at),
            seen=f"{int(lost.any(axis=1).sum()):,} of {len(values):,} rows",
            fix="leave such rows out, or give them a weight of zero",
        )
    return values


def _by_row(values: NDArray[Any]) -> NDArray[Any]:
    """The numbers of each row in a line, of no rows too."""
    return values.reshape(len(values), math.prod(values.shape[1:]))


def raw_outputs(values: ArrayLike, name: str = "z", *, at: Places = None) -> NDArray[Any]:
    """Raw outputs, of which none is missing; an infinite one is as sure as can be."""
    found = numbers_of(values, name, MissingScore)
    equal_length({name: found})
    lost = np.isnan(_by_row(found)).any(axis=1)
    if lost.any():
        raise MissingScore(
            f"{name} holds nan, a number is needed",
            where=place(name, int(np.argmax(lost)), at),
            seen=f"{int(lost.sum()):,} of {len(found):,} rows",
            fix="leave such rows out, or give them a weight of zero",
        )
    return found


def amounts(values: ArrayLike, name: str, *, at: Places = None, kind: type[Problem] = MissingScore) -> Floats:
    """One amount a row, finite, of a size whose squares can be multiplied."""
    return in_range(column(values, name, kind=kind), name, at=at, kind=kind)


def in_range(values: Floats, name: str, *, at: Places = None, kind: type[Problem] = MissingScore) -> Floats:
    """Finite numbers of a size whose squares can be multiplied."""
    found = finite(values, name, at=at, kind=kind)
    sizes = np.abs(found)
    largest = float(sizes.max(initial=0.0))
    if largest and not SMALLEST < largest < LARGEST:
        raise OutOfRange(
            f"{name} holds {largest:g} as its largest size: products of its squares leave double precision",
            where=place(name, int(_by_row(sizes).max(axis=1).argmax()), at),
            fix=f"give it in another unit, such as {largest:.0e}",
        )
    return found


def target_amounts(values: ArrayLike, name: str, *, at: Places = None) -> Floats:
    """Targets that are amounts: as `amounts`, refused as targets are."""
    return amounts(values, name, at=at, kind=TargetOutsideDomain)


def same_length(**columns: Any) -> None:
    """Refuse columns that differ in length or hold nothing, naming them."""
    equal_length(**columns)
    if not all(len(values) for values in columns.values() if values is not None):
        raise NothingToAverage("there are no rows", seen=f"{', '.join(columns)} are empty", fix="give at least one row")


def equal_length(named: Mapping[str, Any] = MappingProxyType({}), /, **arguments: Any) -> None:
    """Refuse columns that differ in length, naming them; a shard may be empty.

    Columns that a user named are handed over in ``named``: they may be called as an argument is.
    """
    same_order(**{**named, **arguments})
    columns = [*arguments.items(), *named.items()]
    for name, values in columns:
        if values is not None and (not hasattr(values, "__len__") or getattr(values, "ndim", 1) == 0):
            one_a_row(array_of(values, name), name)
    lengths = [(name, len(values)) for name, values in columns if values is not None]
    if len({length for _, length in lengths}) > 1:
        seen = ", ".join(f"{name} has {length:,}" for name, length in lengths)
        raise ShapeMismatch("the columns have different numbers of rows", seen=seen, fix="give each one value a row")


def weights(sample_weight: ArrayLike | None, n: int) -> Floats:
    """The weights of ``n`` rows as float64: ones where none are given."""
    if sample_weight is None:
        return np.ones(n)
    w = column(sample_weight, "sample_weight", kind=WeightError)
    same_length(rows=range(n), sample_weight=w)
    check_weights(w)
    if not w.any():
        raise NothingToAverage(
            "all weights are zero",
            where="sample_weight",
            fix="give some row a weight above zero, or leave the weights out",
        )
    return w


def probabilities(p: ArrayLike, name: str = "p", *, at: Places = None) -> Floats:
    """One probability a row, in [0, 1], as float64."""
    scores = column(p, name)
    inside_unit_interval(scores, name, at=at)
    return scores


def inside_unit_interval(scores: Floats, name: str = "p", *, at: Places = None) -> None:
    """Refuse scores that are not finite or outside [0, 1], naming and counting them."""
    if scores.size and scores.min() >= 0 and scores.max() <= 1:  # neither is true of NaN
        return
    finite(scores, name, at=at)
    outside = _by_row((scores < 0) | (scores > 1))
    if outside.any():
        row = int(np.argmax(outside.any(axis=1)))
        raise ScoreOutsideUnitInterval(
            f"{name} holds {_by_row(scores)[row][outside[row]][0]:g}; probabilities lie in [0, 1]",
            where=place(name, row, at),
            seen=f"{int(outside.sum()):,} of {outside.size:,} scores are outside",
            fix=LOGITS if outside.mean() > _FEW_STRAY else STRAY,
        )


# So many raw outputs between 0 and 1 are no accident.
_LEAST_ALIKE = 20
# So many targets show in which codes they stand.
_LOOKED_AT = 100_000


def like_probabilities(z: NDArray[Any], name: str, fix: str) -> tuple[str, ...]:
    """A sentence where raw outputs of yes/no, (n,), or of classes, (n, K), lie as probabilities do; else none."""
    if len(z) < _LEAST_ALIKE or not (z.min() >= 0 and z.max() <= 1) or (z.ndim == 2 and divided_by_sums(z)[1].any()):
        return ()
    one = "sum to 1 in all" if z.ndim == 2 else "lie in [0, 1] in all"
    return (f"{name} {one} {len(z):,} rows looked at, as probabilities do, and were read as raw outputs: {fix}",)


def outcomes(y: ArrayLike, name: str = "y", *, both: bool = False, at: Places = None) -> Floats:
    """A yes/no target as float64 zeros and ones; ``both`` asks for at least one of each."""
    given = numbers_of(
        y, name, TargetOutsideDomain
    )  # labels are often narrow: they are looked at before they are widened
    target = column(given, name)
    _known_labels((given == 0) | (given == 1), target, name, at, "a yes/no target is 0 or 1", _two_codes)
    if both and target.size and (target[0] == target).all():
        raise OneClassOnly(
            f"all {target.size:,} targets are {target[0]:g}",
            where=name,
            fix="rows of both kinds: other rows, or more of them",
        )
    return target


def classes(y: ArrayLike, name: str = "y", *, k: int, at: Places = None) -> NDArray[np.intp]:
    """Class indices between 0 and ``k - 1``."""
    target = column(y, name, kind=TargetOutsideDomain)
    known = (target >= 0) & (target < k) & (target == np.floor(target))
    _known_labels(known, target, name, at, f"the classes are 0 to {k - 1}")
    return target.astype(np.intp)


def _left_out(target: Floats) -> str:
    return "mend or leave out such rows; for amounts take a loss of amounts, such as squared_error"


def _two_codes(target: Floats) -> str:
    """What to do with a yes/no target in other codes, such as 1 and 2: rows of the second are no mistake."""
    found = np.unique(target[:_LOOKED_AT])
    if len(found) != 2:
        return _left_out(target)
    return f"positive={found[1]:g} if that means yes; for amounts take a loss of amounts"


def _known_labels(
    known: NDArray[np.bool_],
    target: Floats,
    name: str,
    at: Places,
    allowed: str,
    fix: Callable[[Floats], str] = _left_out,
) -> None:
    """Refuse labels that are missing, and then those that are unknown; ``fix`` says what to do about these."""
    if known.all():
        return
    finite(target, name, at=at, kind=TargetOutsideDomain)
    row = int(np.argmin(known))
    raise UnknownLabel(
        f"{name} holds {target[row]:g}; {allowed}",
        where=place(name, row, at),
        seen=f"{int((~known).sum()):,} of {known.size:,} rows",
        fix=fix(target),
    )


def class_probabilities(p: ArrayLike, name: str = "p", *, at: Places = None) -> Floats:
    """Rows of class probabilities (N, K), each in [0, 1] and summing to one but for the rounding of what was written."""
    table = numbers_of(p, name, MissingScore).astype(np.float64, copy=False)
    if table.ndim != 2 or table.shape[1] < 2:
        if table.shape[1:] == (1,):
            one_a_row(table, name)
        raise ShapeMismatch(
            f"class probabilities have shape (rows, classes), not {table.shape}",
            where=name,
            fix=f"{name} = numpy.column_stack([1 - {name}, {name}])",
        )
    inside_unit_interval(table, name, at=at)
    divided, off = divided_by_sums(table)
    bad = np.flatnonzero(off)
    if bad.size:
        raise ScoreOutsideUnitInterval(
            f"{bad.size:,} of {len(table):,} rows of class probabilities do not sum to one",
            where=place(name, int(bad[0]), at),
            seen=f"the sum is {table[bad[0]].sum():g}",
            fix=SUMS,
        )
    return np.asarray(divided, dtype=np.float64)
