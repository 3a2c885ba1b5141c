"""Sums of doubles without rounding: one as an exact fraction, or many cells that merge; any order and partition give the same."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goodmeasure.statistics.limbs import LIMB, LIMBS, LOWEST, MOST_ADDED
from goodmeasure.statistics.row_arguments import Floats

_HALF = 26  # a 53-bit significand is summed in two halves, so that 2**26 of them still fit a double exactly
_CHUNK = 1 << 25


def exact_sum(values: Any) -> Fraction | float:
    """The sum of an array: exact as a fraction if every value is finite, else the infinity or NaN that it is."""
    flat = np.ascontiguousarray(values, dtype=np.float64).ravel()
    total = Fraction(0)
    for start in range(0, flat.size, _CHUNK):
        part = _chunk_sum(flat[start : start + _CHUNK])
        if part is None:
            with np.errstate(invalid="ignore"):
                return float(flat.sum())
        total += part
    return total


def _chunk_sum(chunk: Any) -> Fraction | None:
    if not np.isfinite(chunk).all():
        return None
    significand, exponent = np.frexp(chunk)
    whole = (significand * 2.0**53).astype(np.int64)
    lowest = int(exponent.min())
    high = np.bincount(exponent - lowest, weights=whole >> _HALF)
    low = np.bincount(exponent - lowest, weights=whole & ((1 << _HALF) - 1))
    digits = sum(
        ((int(h) << _HALF) + int(part)) << shift for shift, (h, part) in enumerate(zip(high, low, strict=True))
    )
    return Fraction(digits) * Fraction(2) ** (lowest - 53)


@cache
def _compiled() -> ModuleType:
    """`compiled_limbs`, loaded for sums of many cells: one sum does not wait for Numba."""
    from goodmeasure.statistics import compiled_limbs

    return compiled_limbs


class _Waiting(NamedTuple):
    """The sums of a column and its powers, as limbs of all exponents that are not carried, and of how many numbers."""

    limbs: NDArray[np.int64]
    added: int


class ExactSums:
    """Exact sums of finite doubles in ``cells`` cells: a commutative monoid under ``merge``.

    A sum is kept as limbs of 32 bits in int64, from the exponent of the smallest value on (an exponent-limb
    accumulator in the manner of Kulisch's long accumulator, only as long as the data need).
    """

    def __init__(self, cells: int, first: int = 0, limbs: NDArray[np.int64] | None = None) -> None:
        self._first: int = first
        self._limbs: NDArray[np.int64] = np.zeros((cells, 0), dtype=np.int64) if limbs is None else limbs
        self._added = 0
        self._waiting: dict[int, _Waiting] = {}

    @property
    def cells(self) -> int:
        """How many sums there are."""
        return len(self._limbs)

    @property
    def first(self) -> int:
        """The limb that stands first."""
        self._settle()
        return self._first

    @property
    def limbs(self) -> NDArray[np.int64]:
        """The limbs of each sum (rows)."""
        self._settle()
        return self._limbs

    def add(self, values: Floats, cells: NDArray[np.intp] | None = None) -> None:
        """Add finite values, each to its cell (to cell 0 where none are given)."""
        bits = np.ascontiguousarray(values, dtype=np.float64).view(np.int64)
        low, high = _compiled().exponents(bits)
        if high == 0:
            return
        if high == 0x7FF:
            raise OverflowError("only finite values have an exact sum")
        self._cover((int(low) - 1) // LIMB, (int(high) - 1) // LIMB + 3)
        places = np.zeros(len(bits), dtype=np.intp) if cells is None else cells
        for start in range(0, len(bits), MOST_ADDED):
            part = slice(start, start + MOST_ADDED)
            self._count(len(bits[part]))
            _compiled().add(self._limbs, self._first, places[part], bits[part])

    def add_column(self, values: Floats, cell: int) -> None:
        """Add finite values, all to one cell: the same sum as by ``add``, many times faster."""
        if not self._add_rows(values, np.zeros((1, LIMBS), dtype=np.int64), cell):
            raise OverflowError("only finite values have an exact sum")

    def add_moments(self, values: Floats, cell: int) -> bool:
        """Add values to one cell and their squares to the next; False, and nothing is added, if one is not finite."""
        return self._add_rows(values, np.zeros((2, LIMBS), dtype=np.int64), cell)

    def _add_rows(self, values: Floats, limbs: NDArray[np.int64], cell: int) -> bool:
        if not _compiled().add_column(limbs, np.ascontiguousarray(values, dtype=np.float64)):
            return False
        self.add_summed(limbs, len(values), cell)
        return True

    def add_summed(self, limbs: NDArray[np.int64], added: int, cell: int) -> None:
        """Add to a cell and the next ones what `compiled_limbs` summed, of so many numbers, as limbs of all exponents."""
        before = self._waiting.pop(cell, None)
        if before is not None and len(before.limbs) == len(limbs) and before.added + added <= MOST_ADDED:
            limbs += before.limbs
            added += before.added
        elif before is not None:
            self._place(cell, before.limbs)
        self._waiting[cell] = _Waiting(limbs, added)

    def _settle(self) -> None:
        """Add the columns that wait: they are put in their place once, and not after each block of a column."""
        waiting, self._waiting = self._waiting, {}
        for cell, column in waiting.items():
            self._place(cell, column.limbs)

    def _place(self, cell: int, limbs: NDArray[np.int64]) -> None:
        """Add numbers that are given as limbs of all exponents to a cell and the next ones."""
        for at, row in enumerate(limbs, start=cell):
            self._add_limbs(row, at)

    def _add_limbs(self, limbs: NDArray[np.int64], cell: int) -> None:
        """Add a number that is given as limbs of all exponents."""
        used = np.flatnonzero(limbs)
        if not used.size:
            return
        first, end = int(used[0]), int(used[-1]) + 2
        part = limbs[first:end]
        _compiled().carry(part.reshape(1, -1))
        self._cover(first, end)
        self._count(1)
        self._limbs[cell, first - self._first : end - self._first] += part

    def _count(self, more: int) -> None:
        """Carry before the limbs could overflow."""
        if self._added + more > MOST_ADDED * 4:
            self._cover(self._first, self._first + self._limbs.shape[1] + 1)
            _compiled().carry(self._limbs)
            self._added = 1
        self._added += more

    def _cover(self, first: int, end: int) -> None:
        """Make room for limbs from ``first`` to before ``end``."""
        width = self._limbs.shape[1]
        if width == 0:
            self._first, self._limbs = first, np.zeros((self.cells, end - first), dtype=np.int64)
            return
        before, after = max(0, self._first - first), max(0, end - self._first - width)
        if before or after:
            self._limbs = np.pad(self._limbs, ((0, 0), (before, after)))
            self._first -= before

    def merge(self, other: ExactSums) -> ExactSums:
        """The sums of both."""
        mine, theirs = self.canonical(), other.canonical()
        width = theirs.limbs.shape[1]
        if width:
            mine._cover(theirs.first, theirs.first + width)
            start = theirs.first - mine.first
            mine._limbs[:, start : start + width] += theirs.limbs
            mine._added = 2
        return mine

    def placed(self, at: NDArray[np.intp], cells: int) -> ExactSums:
        """The same sums as some of the cells, each another one, of a larger table."""
        limbs = np.zeros((cells, self.limbs.shape[1]), dtype=np.int64)
        limbs[at] = self.limbs
        return ExactSums(cells, self.first, limbs)

    def cut(self, cells: int) -> ExactSums:
        """The sums of the first so many cells."""
        return self if cells == self.cells else ExactSums(cells, self.first, self.limbs[:cells].copy())

    def canonical(self) -> ExactSums:
        """The same sums in the one form that they alone determine: carried, and as short as they allow."""
        if self.limbs.shape[1] == 0:
            return ExactSums(self.cells)
        # A limb that the top can always be moved down to: where the limbs end must not depend on the room there was.
        below = min(self.first, 1)
        limbs = np.pad(self.limbs, ((0, 0), (below, 2)))
        _compiled().carry(limbs)
        while limbs.shape[1] > 1 and np.abs(limbs[:, -1]).max(initial=0) < 1 << 30:
            limbs[:, -2] += limbs[:, -1] << LIMB
            limbs = limbs[:, :-1]
        used = np.flatnonzero(limbs.any(axis=0))
        if not used.size:
            return ExactSums(self.cells)
        return ExactSums(self.cells, self.first - below + int(used[0]), limbs[:, used[0] :].copy())

    def totals(self) -> Floats:
        """Each sum, rounded once."""
        form = self.canonical()
        shift = form.first * LIMB - LOWEST
        found = np.zeros(self.cells)
        for c in np.flatnonzero(form.limbs.any(axis=1)):
            whole = sum(int(limb) << (LIMB * k) for k, limb in enumerate(form.limbs[c]))
            found[c] = _rounded(whole, shift)
        return found


def _rounded(whole: int, exponent: int) -> float:
    """``whole * 2**exponent`` as the nearest double; infinite beyond the largest."""
    try:
        return whole / (1 << -exponent) if exponent < 0 else float(whole << exponent)
    except OverflowError:
        return math.inf if whole > 0 else -math.inf
