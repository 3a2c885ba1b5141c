"""Rows of the later parts that equal rows to fit: copies of a case, or cases that are alike by chance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.tables import ColumnKind, Table, Values
from goodmeasure.statistics.texts import by_value
from goodmeasure.study.split import Indices, Split

Hashes = NDArray[np.uint64]
# Copies of a smaller part of the later rows than this move no number.
FEW = 0.02
# A table with fewer different rows than this part has few features, not copies.
MANY_ALIKE = 0.2
# Copies are as many equal pairs more than chance makes: so many times, and by so many of the errors that counts have.
TIMES, ERRORS = 1.5, 2.0
# Columns that are compared two by two, those in which most rows differ that are alike otherwise.
MOST_COMPARED = 8


class SharedRows(Remark):
    """Some rows of the later parts are equal, in every feature and the target, to rows that were fitted: too many for chance.

    Cases that are alike by chance have many near them that differ in one column alone; copies have not. If they are copies
    of the same case, the reported risk is too good: remove them, or name what a case is with ``--group``.
    """

    code = "GM222"
    severity = "warning"


class SharedByChance(Remark):
    """Some rows of the later parts are equal to rows that were fitted, no more of them than chance or a few features explain.

    Where a table has many copies of the same case, this is a warning instead.
    """

    code = "GM223"


def shared_rows(tables: Sequence[Table], names: Sequence[str], found: Split) -> tuple[Remark, ...]:
    """A remark on rows to tune or report that equal rows of an earlier part in all these columns; tables are numbered through."""
    keys = row_keys(tables, names)
    if found.deals:
        again, total, met = _in_two_folds(keys, found.deals[0]), len(keys), "rows of one fold equal rows of another"
    else:
        again, total = _in_an_earlier_part(keys, found), len(found.tune) + len(found.report)
        met = "rows to tune or report equal rows of an earlier part"
    if not again:
        return ()
    what = f"{again:,} of the {total:,} {met}"
    seen = f"{len(keys):,} rows, {len(np.unique(keys)):,} of them different"
    if again < FEW * total:
        return (SharedByChance(what, seen=seen),)
    equal, chance = _pairs(keys), _by_chance(keys, tables, names)
    if chance > 0:
        seen = f"{seen}; {equal:,.0f} pairs are equal, where chance makes about {chance:,.0f}"
    few = len(np.unique(keys)) < MANY_ALIKE * len(keys)
    if few or equal <= TIMES * chance + ERRORS * math.sqrt(equal):
        return (SharedByChance(what, seen=seen),)
    fix = "remove copies of the same case, or keep each case in one part: --group COLUMN"
    return (SharedRows(what, seen=seen, fix=fix),)


def row_keys(tables: Sequence[Table], names: Sequence[str]) -> Hashes:
    """A hash of the cells of each row, by that equal rows are found (64 bits: a false match is not to be expected).

    It is the sum of the hashes of its cells, so that a column can be left out by taking its own away.
    """
    keys = np.zeros(sum(map(len, tables)), dtype=np.uint64)
    for column in _columns(tables, names):
        keys += column
    return keys


def _columns(tables: Sequence[Table], names: Sequence[str]) -> Iterator[Hashes]:
    """The hashes of each column, the rows of all tables on end."""
    for place, name in enumerate(names):
        own = _mixed(np.array([place], dtype=np.uint64))
        yield _mixed(np.concatenate([_codes(table[name]) for table in tables]) ^ own)


def _codes(values: Values) -> Hashes:
    kind = ColumnKind.of(values)
    if kind is ColumnKind.TEXT:
        return by_value(hash, values, np.int64).view(np.uint64)
    return values.astype(np.int64).view(np.uint64) if kind is ColumnKind.DATE else (values + 0.0).view(np.uint64)


def _mixed(key: Hashes) -> Hashes:
    """The finalizer of splitmix64 (Steele, Lea and Flood 2014): every bit of the input moves every bit of the output."""
    key = key + np.uint64(0x9E3779B97F4A7C15)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))


def _by_chance(keys: Hashes, tables: Sequence[Table], names: Sequence[str]) -> float:
    """How many pairs of rows would be equal without copies, by those that differ in one column and in two.

    If whether two columns are alike is independent where all others are, so many pairs are alike in both as those that
    differ in the one times those that differ in the other, over those that differ in both. Columns that go together make
    that too few, for some columns less than for others: so the largest of these numbers counts, each less its error. One
    feature and a target go together by their nature: where either is alike in rows that differ, they may all be so by chance.
    """
    equal, columns = _pairs(keys), _columns(tables, names)
    differ = [(_pairs(keys - column) - equal, column) for column in columns]
    if len(differ) <= 2 and any(near for near, _ in differ):
        return equal
    most = sorted(differ, key=lambda each: -each[0])[:MOST_COMPARED]
    found = 0.0
    for (one, first), (other, second) in combinations(most, 2):
        both = _pairs(keys - first - second) - equal - one - other
        if min(one, other, both) > 0:
            found = max(found, one * other / both * math.exp(-math.sqrt(1 / one + 1 / other + 1 / both)))
    return found


def _pairs(keys: Hashes) -> float:
    """How many pairs of equal keys there are."""
    count = np.unique(keys, return_counts=True)[1].astype(np.float64)
    return float(count @ (count - 1) / 2)


def _in_an_earlier_part(keys: Hashes, found: Split) -> int:
    """How many rows to tune equal one to fit, and rows to report one of either, from which the model learns as well."""
    fit, tune, report = (keys[rows] for rows in (found.fit, found.tune, found.report))
    return _found_in(fit, tune) + _found_in(np.concatenate([fit, tune]), report)


def _found_in(known: Hashes, asked: Hashes) -> int:
    """How many keys are among the known ones; both in order, so that neighbours are looked up where the last one was."""
    ordered, asked = np.sort(known), np.sort(asked)
    place = np.searchsorted(ordered, asked)
    return int((ordered[np.minimum(place, len(ordered) - 1)] == asked).sum()) if len(ordered) else 0


def _in_two_folds(keys: Hashes, fold: Indices) -> int:
    """How many rows have a key that rows of another fold have too."""
    distinct, code = np.unique(keys, return_inverse=True)
    first, last = np.full(len(distinct), len(keys)), np.full(len(distinct), -1)
    np.minimum.at(first, code, fold)
    np.maximum.at(last, code, fold)
    return int((first < last)[code].sum())
