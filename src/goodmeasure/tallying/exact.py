"""Sums of doubles without rounding, in many cells at once: any partition and any order give the same integers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from goodmeasure.rows import Floats

LIMB = 32
LOWEST = 1074  # doubles are whole multiples of 2**-1074
MOST_ADDED = 1 << 28  # additions that int64 limbs take between two carries


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _exponents(bits: Any) -> Any:
    """The smallest and largest biased exponent of values that are not zero (1 for subnormals); (0, 0) if there are
    none."""
    low, high = 0, 0
    for i in range(len(bits)):
        if (bits[i] << 1) == 0:
            continue
        e = (bits[i] >> 52) & 0x7FF
        e = 1 if e == 0 else e
        if low == 0 or e < low:
            low = e
        high = max(high, e)
    return low, high


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _add(limbs: Any, first: int, cells: Any, bits: Any) -> None:
    """Add each value, given by its bits, to its cell: 53 bits of significand spread over three limbs of 32."""
    mask = np.int64(0xFFFFFFFF)
    for i in range(len(bits)):
        b = bits[i]
        e = (b >> 52) & 0x7FF
        m = b & 0xFFFFFFFFFFFFF
        if e == 0:
            e = 1
        else:
            m |= 1 << 52
        if m == 0:
            continue
        place = e - 1
        k, shift = (place >> 5) - first, place & 31
        low, high = (m & mask) << shift, (m >> 32) << shift
        sign = np.int64(-1) if b < 0 else np.int64(1)
        c = cells[i]
        limbs[c, k] += sign * (low & mask)
        limbs[c, k + 1] += sign * (((low >> 32) & mask) + (high & mask))
        limbs[c, k + 2] += sign * (high >> 32)


# Adding 1.5 * 2**52 quanta rounds a number to whole quanta, which then stand in the low bits of the sum: a whole number
# without a conversion, and what is left over is exact. Four such steps take all of any value from 2**-57 to 2**31.
STEPS = (-20, -50, -80, -110)
MAGIC_0, MAGIC_1, MAGIC_2, MAGIC_3 = (1.5 * 2.0 ** (52 + step) for step in STEPS)
TOO_LARGE = 0x41E0000000000000  # the bits of 2**31
CHUNK = 1024  # whole numbers below 2**51 of which int64 holds the sum


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _split(x: Any, n: int, t0: Any, t1: Any, t2: Any, t3: Any, rest: Any) -> None:
    for i in range(n):
        left = x[i]
        t0[i] = left + MAGIC_0
        left -= t0[i] - MAGIC_0
        t1[i] = left + MAGIC_1
        left -= t1[i] - MAGIC_1
        t2[i] = left + MAGIC_2
        left -= t2[i] - MAGIC_2
        t3[i] = left + MAGIC_3
        rest[i] = left - (t3[i] - MAGIC_3)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _sum(bits: Any, n: int) -> Any:
    total = np.int64(0)
    for i in range(n):
        total += bits[i]
    return total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _any(bits: Any, n: int) -> Any:
    seen = np.int64(0)
    for i in range(n):
        seen |= bits[i]
    return seen << 1  # the sign of a zero does not count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _largest(bits: Any, n: int) -> Any:
    most = np.int64(0)
    for i in range(n):
        most = max(most, bits[i] & 0x7FFFFFFFFFFFFFFF)
    return most


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _add_column(x: Any, sums: Any, slow: Any, magic: Any) -> Any:
    """Sum the chunks of a column in whole quanta of each step; chunks that do not fit are listed in ``slow``."""
    t0, t1, t2, t3, rest = (np.empty(CHUNK), np.empty(CHUNK), np.empty(CHUNK), np.empty(CHUNK), np.empty(CHUNK))
    bits = x.view(np.int64)
    b0, b1, b2, b3 = t0.view(np.int64), t1.view(np.int64), t2.view(np.int64), t3.view(np.int64)
    refused = 0
    for chunk in range(len(slow)):
        start = chunk * CHUNK
        n = min(CHUNK, len(x) - start)
        _split(x[start : start + n], n, t0, t1, t2, t3, rest)
        if _any(rest.view(np.int64), n) != 0 or _largest(bits[start : start + n], n) >= TOO_LARGE:
            slow[refused] = chunk
            refused += 1
            continue
        part = (_sum(b0, n) - n * magic[0], _sum(b1, n) - n * magic[1], _sum(b2, n) - n * magic[2])
        last = _sum(b3, n) - n * magic[3]
        for step, whole in enumerate((part[0], part[1], part[2], last)):
            sums[step, 0] += whole & 0xFFFFFFFF
            sums[step, 1] += whole >> 32
    return refused


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _carry(limbs: Any) -> None:
    """Bring every limb but the last into [0, 2**32)."""
    for c in range(limbs.shape[0]):
        for k in range(limbs.shape[1] - 1):
            limbs[c, k + 1] += limbs[c, k] >> 32
            limbs[c, k] &= 0xFFFFFFFF


_MAGIC_BITS = np.array([MAGIC_0, MAGIC_1, MAGIC_2, MAGIC_3]).view(np.int64)


class ExactSums:
    """Exact sums of finite doubles in ``cells`` cells: a commutative monoid under ``merge``.

    A sum is kept as limbs of 32 bits in int64, from the exponent of the smallest value on (an exponent-limb
    accumulator in the manner of Kulisch's long accumulator, only as long as the data need).
    """

    def __init__(self, cells: int, first: int = 0, limbs: NDArray[np.int64] | None = None) -> None:
        self.first = first
        self.limbs = np.zeros((cells, 0), dtype=np.int64) if limbs is None else limbs
        self._added = 0

    @property
    def cells(self) -> int:
        """How many sums there are."""
        return len(self.limbs)

    def add(self, values: Floats, cells: NDArray[np.intp] | None = None) -> None:
        """Add finite values, each to its cell (to cell 0 where none are given)."""
        bits = np.ascontiguousarray(values, dtype=np.float64).view(np.int64)
        low, high = _exponents(bits)
        if high == 0:
            return
        if high == 0x7FF:
            raise OverflowError("only finite values have an exact sum")
        self._cover((int(low) - 1) // LIMB, (int(high) - 1) // LIMB + 3)
        places = np.zeros(len(bits), dtype=np.intp) if cells is None else cells
        for start in range(0, len(bits), MOST_ADDED):
            part = slice(start, start + MOST_ADDED)
            self._count(len(bits[part]))
            _add(self.limbs, self.first, places[part], bits[part])

    def add_column(self, values: Floats, cell: int) -> None:
        """Add finite values, all to one cell: the same sum as by ``add``, several times faster."""
        x = np.ascontiguousarray(values, dtype=np.float64)
        slow = np.empty(-(-len(x) // CHUNK), dtype=np.int64)
        sums = np.zeros((len(STEPS), 2), dtype=np.int64)
        refused = _add_column(x, sums, slow, _MAGIC_BITS)
        for step, (low, high) in zip(STEPS, sums.tolist(), strict=True):
            self._add_whole((high << LIMB) + low, step, cell)
        for chunk in slow[:refused]:
            part = x[chunk * CHUNK : (chunk + 1) * CHUNK]
            self.add(part, np.full(len(part), cell, dtype=np.intp))

    def _add_whole(self, whole: int, exponent: int, cell: int) -> None:
        """Add ``whole * 2**exponent`` to a cell."""
        if not whole:
            return
        place, sign = exponent + LOWEST, 1 if whole > 0 else -1
        shifted, k = abs(whole) << place % LIMB, place // LIMB
        self._cover(k, k + 5)
        self._count(1)
        for i in range(5):
            self.limbs[cell, k - self.first + i] += sign * (shifted >> LIMB * i & 0xFFFFFFFF)

    def _count(self, more: int) -> None:
        """Carry before the limbs could overflow."""
        if self._added + more > MOST_ADDED * 4:
            self._cover(self.first, self.first + self.limbs.shape[1] + 1)
            _carry(self.limbs)
            self._added = 1
        self._added += more

    def _cover(self, first: int, end: int) -> None:
        """Make room for limbs from ``first`` to before ``end``."""
        width = self.limbs.shape[1]
        if width == 0:
            self.first, self.limbs = first, np.zeros((self.cells, end - first), dtype=np.int64)
            return
        before, after = max(0, self.first - first), max(0, end - self.first - width)
        if before or after:
            self.limbs = np.pad(self.limbs, ((0, 0), (before, after)))
            self.first -= before

    def merge(self, other: ExactSums) -> ExactSums:
        """The sums of both."""
        return self.placed(np.arange(self.cells), self.cells)._with(other, np.arange(other.cells))

    def placed(self, at: NDArray[np.intp], cells: int) -> ExactSums:
        """The same sums as some of the cells of a larger table."""
        limbs = np.zeros((cells, self.limbs.shape[1]), dtype=np.int64)
        np.add.at(limbs, at, self.limbs)
        return ExactSums(cells, self.first, limbs)

    def _with(self, other: ExactSums, at: NDArray[np.intp]) -> ExactSums:
        if other.limbs.shape[1]:
            mine, theirs = self.canonical(), other.canonical()
            mine._cover(theirs.first, theirs.first + theirs.limbs.shape[1])
            start = theirs.first - mine.first
            view = mine.limbs[:, start : start + theirs.limbs.shape[1]]
            np.add.at(view, at, theirs.limbs)
            mine._added = 2
            return mine
        return self

    def canonical(self) -> ExactSums:
        """The same sums in the one form that they alone determine: carried, and as short as they allow."""
        if self.limbs.shape[1] == 0:
            return ExactSums(self.cells)
        limbs = np.pad(self.limbs, ((0, 0), (0, 2)))
        _carry(limbs)
        while limbs.shape[1] > 1 and np.abs(limbs[:, -1]).max(initial=0) < 1 << 30:
            limbs[:, -2] += limbs[:, -1] << LIMB
            limbs = limbs[:, :-1]
        used = np.flatnonzero(limbs.any(axis=0))
        if not used.size:
            return ExactSums(self.cells)
        return ExactSums(self.cells, self.first + int(used[0]), limbs[:, used[0] :].copy())

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
