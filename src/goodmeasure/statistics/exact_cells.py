"""Sums of doubles without rounding, in many cells at once: any partition and any order give the same integers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from goodmeasure.statistics.row_arguments import Floats

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
def _add_one(limbs: Any, first: int, b: Any) -> None:
    """Add a value, given by its bits, to a row of limbs: 53 bits of significand spread over three of them."""
    mask = np.int64(0xFFFFFFFF)
    e = (b >> 52) & 0x7FF
    m = b & 0xFFFFFFFFFFFFF
    if e == 0:
        e = 1
    else:
        m |= 1 << 52
    if m == 0:
        return
    k, shift = ((e - 1) >> 5) - first, (e - 1) & 31
    low, high = (m & mask) << shift, (m >> 32) << shift
    sign = np.int64(-1) if b < 0 else np.int64(1)
    limbs[k] += sign * (low & mask)
    limbs[k + 1] += sign * (((low >> 32) & mask) + (high & mask))
    limbs[k + 2] += sign * (high >> 32)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _add(limbs: Any, first: int, cells: Any, bits: Any) -> None:
    """Add each value, given by its bits, to its cell."""
    for i in range(len(bits)):
        _add_one(limbs[cells[i]], first, bits[i])


# A column is summed without looking at single values. Adding 1.5 * 2**52 quanta to a number rounds it to whole quanta, which
# then stand in the low bits of the sum: a whole number without a conversion, and what is left over is exact. The quantum
# follows from the largest number of a chunk; two such steps take 103 bits from there on, and what they leave, if anything,
# goes through the same steps again.
CHUNK = 1024  # numbers that stay in the first-level cache; whole numbers up to 2**51, of which int64 holds their sum
LIMBS = 70  # all exponents of a double, and what the carries need
FINEST = -LOWEST
HUGE = 2043  # from this biased exponent on, 1.5 * 2**52 quanta would be infinite
ABSOLUTE = 0x7FFFFFFFFFFFFFFF


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _largest(x: Any, n: int) -> Any:
    """The bits of the largest size among numbers; those of infinity or more if one is not finite."""
    most = np.int64(0)
    for i in range(n):
        most = max(most, np.float64(x[i]).view(np.int64) & ABSOLUTE)
    return most


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _rounder(quantum: Any) -> Any:
    """1.5 * 2**52 quanta, given by their exponent, as bits."""
    return ((np.int64(quantum) + 1075) << 52) | (np.int64(1) << 51)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _split(x: Any, n: int, first: Any, second: Any, rest: Any) -> Any:
    """Round numbers to whole quanta twice: both sums of bits, and what is left over."""
    one, two = np.int64(first).view(np.float64), np.int64(second).view(np.float64)
    ones, twos = np.int64(0), np.int64(0)
    for i in range(n):
        t = x[i] + one
        left = x[i] - (t - one)
        u = left + two
        rest[i] = left - (u - two)
        ones += np.float64(t).view(np.int64)
        twos += np.float64(u).view(np.int64)
    return ones - n * first, twos - n * second


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _add_whole(limbs: Any, whole: Any, quantum: Any) -> None:
    """Add a whole number of quanta, given by their exponent."""
    mask = np.int64(0xFFFFFFFF)
    place = np.int64(quantum) - FINEST
    k, shift = place >> 5, place & 31
    low, high = (whole & mask) << shift, (whole >> 32) << shift
    limbs[k] += low & mask
    limbs[k + 1] += (low >> 32) + (high & mask)
    limbs[k + 2] += high >> 32


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _add_huge(limbs: Any, x: Any, n: int) -> None:
    """Add the numbers that are too large to be rounded one by one, and put zero in their place."""
    for i in range(n):
        bits = np.float64(x[i]).view(np.int64)
        if (bits & ABSOLUTE) >> 52 >= HUGE:
            _add_one(limbs, 0, bits)
            x[i] = 0.0


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _add_chunk(limbs: Any, x: Any, rest: Any, n: int) -> Any:
    """Add a chunk, which is used up, as is the scratch memory ``rest``; False if a number is not finite."""
    most = _largest(x, n)
    if most >> 52 == 0x7FF:
        return False
    if most >> 52 >= HUGE:
        _add_huge(limbs, x, n)
        most = _largest(x, n)
    while most != 0:
        first = max((most >> 52) - 1073, FINEST)
        second = max(first - 52, FINEST)
        ones, twos = _split(x, n, _rounder(first), _rounder(second), rest)
        _add_whole(limbs, ones, first)
        _add_whole(limbs, twos, second)
        x, rest = rest, x
        most = _largest(x, n)
    return True


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _power(x: Any, squared: Any, out: Any) -> None:
    if squared:
        for i in range(len(x)):
            out[i] = x[i] * x[i]
    else:
        for i in range(len(x)):
            out[i] = x[i]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _add_column(limbs: Any, x: Any) -> Any:
    """Add a column to the first row of limbs, and its square to the second if there is one; False if one is not finite."""
    scratch, rest = np.empty(CHUNK), np.empty(CHUNK)
    for start in range(0, len(x), CHUNK):
        part = x[start : start + CHUNK]
        for row in range(len(limbs)):
            _power(part, row, scratch)
            if not _add_chunk(limbs[row], scratch, rest, len(part)):
                return False
    return True


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator,unused-ignore]
def _carry(limbs: Any) -> None:
    """Bring every limb but the last into [0, 2**32)."""
    for c in range(limbs.shape[0]):
        for k in range(limbs.shape[1] - 1):
            limbs[c, k + 1] += limbs[c, k] >> 32
            limbs[c, k] &= 0xFFFFFFFF


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
        """Add finite values, all to one cell: the same sum as by ``add``, many times faster."""
        if not self._add_rows(values, np.zeros((1, LIMBS), dtype=np.int64), cell):
            raise OverflowError("only finite values have an exact sum")

    def add_moments(self, values: Floats, cell: int) -> bool:
        """Add values to one cell and their squares to the next; False, and nothing is added, if one is not finite."""
        return self._add_rows(values, np.zeros((2, LIMBS), dtype=np.int64), cell)

    def _add_rows(self, values: Floats, limbs: NDArray[np.int64], cell: int) -> bool:
        if not _add_column(limbs, np.ascontiguousarray(values, dtype=np.float64)):
            return False
        for at, row in enumerate(limbs, start=cell):
            self._add_limbs(row, at)
        return True

    def _add_limbs(self, limbs: NDArray[np.int64], cell: int) -> None:
        """Add a number that is given as limbs of all exponents."""
        used = np.flatnonzero(limbs)
        if not used.size:
            return
        first, end = int(used[0]), int(used[-1]) + 2
        part = limbs[first:end]
        _carry(part.reshape(1, -1))
        self._cover(first, end)
        self._count(1)
        self.limbs[cell, first - self.first : end - self.first] += part

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
        mine, theirs = self.canonical(), other.canonical()
        width = theirs.limbs.shape[1]
        if width:
            mine._cover(theirs.first, theirs.first + width)
            start = theirs.first - mine.first
            mine.limbs[:, start : start + width] += theirs.limbs
            mine._added = 2
        return mine

    def placed(self, at: NDArray[np.intp], cells: int) -> ExactSums:
        """The same sums as some of the cells, each another one, of a larger table."""
        limbs = np.zeros((cells, self.limbs.shape[1]), dtype=np.int64)
        limbs[at] = self.limbs
        return ExactSums(cells, self.first, limbs)

    def canonical(self) -> ExactSums:
        """The same sums in the one form that they alone determine: carried, and as short as they allow."""
        if self.limbs.shape[1] == 0:
            return ExactSums(self.cells)
        # A limb that the top can always be moved down to: where the limbs end must not depend on the room there was.
        below = min(self.first, 1)
        limbs = np.pad(self.limbs, ((0, 0), (below, 2)))
        _carry(limbs)
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
