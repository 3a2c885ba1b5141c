"""Keys of rows as small codes and their names: of few different ones in a few nanoseconds a row, without a sort."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.keeping.compiling import loop
from goodmeasure.statistics.arrays import column_of
from goodmeasure.statistics.keys import missing
from goodmeasure.statistics.texts import coded_texts

# More different words than these are told apart by a sort.
MOST_WORDS = 64
# The first rows hold nearly always all words there are, or too many.
_FIRST = 1024
# Codes of so many values are sorted by counting.
_MOST_COUNTED = 1 << 16
# Rows that are compared at a time: they stay in a core's cache.
_NEAR = 1 << 14


@dataclass(frozen=True)
class Coded:
    """The key of each row as a place in a list of names, in their order; of some of the rows, a name may be of none."""

    codes: NDArray[Any]
    names: NDArray[np.str_]

    @staticmethod
    def of(codes: NDArray[Any], names: list[str]) -> Coded:
        """Of places in a list of names in any order."""
        return _told_apart(codes, np.array(names, dtype=np.str_))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: slice | NDArray[Any]) -> Coded:
        whole = isinstance(rows, slice) and rows == slice(0, len(self))
        return self if whole else Coded(self.codes[rows], self.names)

    @cached_property
    def counts(self) -> NDArray[np.intp]:
        """How many rows have each name."""
        return np.bincount(self.codes, minlength=len(self.names))

    @property
    def values(self) -> NDArray[np.str_]:
        """The name of each row."""
        return np.asarray(self.names[self.codes])

    def in_runs(self) -> tuple[NDArray[np.intp], list[tuple[int, slice]]]:
        """An order in which equal keys stand together, and of each key that is there its place and its run."""
        ends = np.cumsum(self.counts).tolist()
        there = np.flatnonzero(self.counts).tolist()
        runs = [(k, slice(ends[k] - int(self.counts[k]), ends[k])) for k in there]
        order = np.empty(len(self), dtype=np.intp)
        _order(self.codes, np.cumsum(self.counts) - self.counts, order)
        return order, runs


def _order_plain(codes: Any, starts: Any, out: Any) -> None:
    """What `_order` gives, by a sort."""
    out[:] = np.argsort(codes, kind="stable")


@loop(plain=_order_plain, whole=True, nogil=True)
def _order(codes: Any, starts: Any, out: Any) -> None:
    """The places of the rows of each code, one code after the other, from where each starts on."""
    for i in range(len(codes)):
        k = codes[i]
        out[starts[k]] = i
        starts[k] += 1


def coded(keys: ArrayLike | Coded, name: str) -> Coded:
    """Keys of any type, one a row; they are the same where they are the same as texts, and one that is missing is an empty one.

    Errors: GM003.
    """
    if isinstance(keys, Coded):
        if keys.counts.all():
            return keys
        there, narrowed = _without_gaps(keys.codes)
        return Coded(narrowed, keys.names[there])
    if (found := _categories(keys)) is not None:
        return found
    hidden, there = _given(keys, name)
    if not hidden.any() and (words := _of_texts(there)) is not None:
        return words  # of which none is missing: not asked one by one
    lost, values = _without_missing(hidden, there)
    found = _present(values)
    if not lost.any():
        return found
    places = np.zeros(len(lost), np.intp)
    places[~lost] = found.codes + np.intp(1)
    return _told_apart(places, np.concatenate([[""], found.names]))


def _present(values: NDArray[Any]) -> Coded:
    """Keys of which none is missing."""
    if values.dtype.kind == "O" and (words := _of_texts(values)) is not None:
        return words
    codes = _codes(values)
    if codes is None:
        # Of other numbers than whole ones different ones may be the same text, and the other way round.
        texts = values if values.dtype.kind in "biuU" else _as_texts(values)
        distinct, inverse = np.unique(texts, return_inverse=True)
        return _told_apart(inverse, distinct.astype(str))
    there, places = _without_gaps(codes)
    return _told_apart(places, _as_texts(values[_first(places, len(there))]))


# What columns of pandas, Arrow and Polars call the question which cells are missing, and the others alone.
_LACKING = (("isna", "dropna"), ("is_null", "drop_null"), ("is_null", "drop_nulls"))


def apart(keys: Any, name: str) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Which keys are missing, and the others; among whole numbers one that is missing would make the others broken ones.

    Errors: GM003.
    """
    return _without_missing(*_given(keys, name))


def _given(keys: Any, name: str) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Which keys their column says are missing, and what it holds of others."""
    keys = _copied(keys)
    if getattr(keys, "nlevels", 1) > 1:  # pairs of an index of pandas, which does not say which are missing
        keys = np.asarray(keys)
    asked = next((each for each in _LACKING if all(hasattr(keys, method) for method in each)), None)
    if isinstance(keys, np.ma.MaskedArray) and keys.ndim == 1:
        return np.ma.getmaskarray(keys).copy(), keys.compressed()
    if asked is not None:
        return np.array(getattr(keys, asked[0])(), bool), column_of(getattr(keys, asked[1])(), name)
    there = column_of(keys, name)
    return np.zeros(len(there), bool), there


def _without_missing(hidden: NDArray[np.bool_], there: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """The same with what is missing among the cells that are there."""
    lost = missing(there)
    hidden[~hidden] = lost
    return hidden, there[~lost] if lost.any() else there


def _copied(keys: Any) -> Any:
    """A column of views of texts, which Arrow cannot pick from, as one of texts; others as they are."""
    kind = str(getattr(keys, "type", ""))
    return keys.cast(f"large_{kind.removesuffix('_view')}") if kind in ("string_view", "binary_view") else keys


def _as_texts(values: NDArray[Any]) -> NDArray[np.str_]:
    """Values as texts: of objects pairs, lists and arrays too, and bytes whatever they hold."""
    if values.dtype.kind not in "OS":
        return values.astype(str)
    cells = values.tolist()
    plain = {*map(type, cells)}.isdisjoint((bytes, np.ndarray))
    return np.array([*map(str if plain else _as_text, cells)], dtype=np.str_)


def _as_text(cell: Any) -> str:
    if isinstance(cell, bytes):
        return cell.decode(errors="backslashreplace")
    return str(cell.tolist() if isinstance(cell, np.ndarray) else cell)


def _first(places: NDArray[Any], count: int) -> NDArray[np.intp]:
    """Where each place stands first: nearly always among the first rows."""
    some = places[:_FIRST]
    first = np.full(count, -1, dtype=np.intp)
    first[some[::-1]] = np.arange(len(some) - 1, -1, -1)
    if first.min(initial=0) < 0:
        first[places[::-1]] = np.arange(len(places) - 1, -1, -1)
    return first


def _without_gaps(codes: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """The codes that are there, and each as its place among these."""
    counts = np.bincount(codes)
    there = np.flatnonzero(counts)
    if len(there) == len(counts):
        return there, codes
    return there, _narrow(np.cumsum(counts > 0) - 1, len(there))[codes]


def _told_apart(codes: NDArray[Any], names: NDArray[np.str_]) -> Coded:
    """Codes whose names may be the same: NaN is, however it is stored."""
    distinct, place = np.unique(names, return_inverse=True)
    if len(distinct) == len(names) and (place[1:] > place[:-1]).all():
        return Coded(_narrow(codes, len(names)), names)
    return Coded(_narrow(place, len(distinct))[codes], distinct)


def _narrow(codes: NDArray[Any], count: int) -> NDArray[Any]:
    """Codes as narrow as their number allows: those of 16 bits are sorted by counting."""
    return codes.astype(np.uint16 if count <= _MOST_COUNTED else np.intp, copy=False)


def _categories(keys: Any) -> Coded | None:
    """A categorical column of pandas by the codes that it has; None of anything else."""
    if not hasattr(getattr(keys, "dtype", None), "categories"):
        return None
    held = getattr(keys, "array", keys)
    codes, categories = getattr(held, "codes", None), getattr(held, "categories", None)
    if codes is None or categories is None or not hasattr(type(held), "from_codes"):
        return None
    places = np.asarray(codes)
    # One that is missing is told last: its code becomes the number of the others.
    there, found = _without_gaps(np.where(places < 0, len(categories), places) if (places < 0).any() else places)
    return _told_apart(found, np.array([*_as_texts(np.asarray(categories)), ""])[there])


def _of_texts(keys: NDArray[Any]) -> Coded | None:
    """Texts that are objects; None where something else is among them, or nothing."""
    found = coded_texts(keys)
    # An array of texts drops what ends in NUL.
    return Coded.of(*found) if found and len(keys) else None


def _codes(values: NDArray[Any]) -> NDArray[Any] | None:
    """Which rows hold the same bytes; None of objects, of no rows, and where there are many different ones."""
    if not len(values):
        return None
    if values.dtype.kind in "biu":
        return _from_the_least(values)
    found = np.zeros(len(values), dtype=np.uint16)
    count = 1
    for word in _words(values):
        more = _few(word)
        if more is None or count * (len(more[0])) > _MOST_COUNTED:
            return None
        count *= len(more[0])
        found = found * np.uint16(len(more[0])) + more[1]
    return found if values.dtype.kind in "fmMU" else None


def _from_the_least(values: NDArray[Any]) -> NDArray[Any] | None:
    """Whole numbers less their least, which are codes where they lie close together; else those of few words."""
    if values.dtype.kind == "b":
        return values.view(np.uint8)
    low, high = int(values.min()), int(values.max())
    if high - low < _MOST_COUNTED:
        # Differences of whole numbers without a sign are right whatever they wrap around.
        unsigned = np.dtype(f"u{values.dtype.itemsize}").type
        least = unsigned(low % (1 << 8 * values.dtype.itemsize))
        native = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
        return np.asarray(native.view(unsigned) - least).astype(np.uint16)
    found = _few(values)
    return None if found is None else found[1]


def _words(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The bytes of each value, some at a time: of a text three letters, which have 21 bits each."""
    if values.dtype.kind == "U" and values.dtype.itemsize:
        letters = np.ascontiguousarray(values).view(np.uint32).reshape(len(values), -1).T
        for k in range(0, len(letters), 3):
            word = letters[k].astype(np.uint64)
            for more in letters[k + 1 : k + 3]:
                word <<= np.uint64(21)
                word |= more
            yield word
    elif values.dtype.kind in "fmM" and values.dtype.itemsize in (2, 4, 8):
        yield np.ascontiguousarray(values).view(f"u{values.dtype.itemsize}")


def _few(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.uint16]] | None:
    """The different values of a column and which of them each row has; None where there are many, or one is of later rows."""
    known = np.unique(values[:_FIRST])
    if len(known) > MOST_WORDS:
        return None
    codes, seen = np.zeros(len(values), dtype=np.uint16), 0
    for start in range(0, len(values), _NEAR):
        some, found = values[start : start + _NEAR], codes[start : start + _NEAR]
        for k, value in enumerate(known):
            equal = some == value
            seen += int(np.count_nonzero(equal))
            found += equal.view(np.uint8) * np.uint8(k)
    return (known, codes) if seen == len(values) else None
