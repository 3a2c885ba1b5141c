"""Doubles added to limbs without rounding, compiled.

`exact_sums` is what others call; it brings this in with the first sum of many cells.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from goodmeasure.keeping.compiling import loop
from goodmeasure.statistics import plain_limbs
from goodmeasure.statistics.limbs import LOWEST


@loop(plain=plain_limbs.exponents, whole=True, nogil=True)
def exponents(bits: Any) -> Any:
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


@loop(nogil=True)
def add_one(limbs: Any, first: int, b: Any) -> None:
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


@loop(plain=plain_limbs.add, whole=True, nogil=True)
def add(limbs: Any, first: int, cells: Any, bits: Any) -> None:
    """Add each value, given by its bits, to its cell."""
    for i in range(len(bits)):
        add_one(limbs[cells[i]], first, bits[i])


# A column is summed without looking at single values. Adding 1.5 * 2**52 quanta to a number rounds it to whole quanta, which
# then stand in the low bits of the sum: a whole number without a conversion, and what is left over is exact. The quantum
# follows from the largest number of a chunk; two such steps take 103 bits from there on, and what they leave, if anything,
# goes through the same steps again.
CHUNK = 1024  # numbers that stay in the first-level cache; whole numbers up to 2**51, of which int64 holds their sum
FINEST = -LOWEST
HUGE = 2043  # from this biased exponent on, 1.5 * 2**52 quanta would be infinite
ABSOLUTE = 0x7FFFFFFFFFFFFFFF


@loop(nogil=True)
def largest(x: Any, n: int) -> Any:
    """The bits of the largest size among numbers; those of infinity or more if one is not finite."""
    most = np.int64(0)
    for i in range(n):
        most = max(most, np.float64(x[i]).view(np.int64) & ABSOLUTE)
    return most


@loop(nogil=True)
def rounder(quantum: Any) -> Any:
    """1.5 * 2**52 quanta, given by their exponent, as bits."""
    return ((np.int64(quantum) + 1075) << 52) | (np.int64(1) << 51)


@loop(nogil=True)
def split(x: Any, n: int, first: Any, second: Any, rest: Any) -> Any:
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


@loop(nogil=True)
def add_whole(limbs: Any, whole: Any, quantum: Any) -> None:
    """Add a whole number of quanta, given by their exponent."""
    mask = np.int64(0xFFFFFFFF)
    place = np.int64(quantum) - FINEST
    k, shift = place >> 5, place & 31
    low, high = (whole & mask) << shift, (whole >> 32) << shift
    limbs[k] += low & mask
    limbs[k + 1] += (low >> 32) + (high & mask)
    limbs[k + 2] += high >> 32


@loop(nogil=True)
def add_huge(limbs: Any, x: Any, n: int) -> None:
    """Add the numbers that are too large to be rounded one by one, and put zero in their place."""
    for i in range(n):
        bits = np.float64(x[i]).view(np.int64)
        if (bits & ABSOLUTE) >> 52 >= HUGE:
            add_one(limbs, 0, bits)
            x[i] = 0.0


@loop(nogil=True)
def add_chunk(limbs: Any, x: Any, rest: Any, n: int) -> Any:
    """Add a chunk, which is used up, as is the scratch memory ``rest``; False if a number is not finite."""
    most = largest(x, n)
    if most >> 52 == 0x7FF:
        return False
    if most >> 52 >= HUGE:
        add_huge(limbs, x, n)
        most = largest(x, n)
    while most != 0:
        first = max((most >> 52) - 1073, FINEST)
        second = max(first - 52, FINEST)
        ones, twos = split(x, n, rounder(first), rounder(second), rest)
        add_whole(limbs, ones, first)
        add_whole(limbs, twos, second)
        x, rest = rest, x
        most = largest(x, n)
    return True


@loop(nogil=True)
def power(x: Any, squared: Any, out: Any) -> None:
    if squared:
        for i in range(len(x)):
            out[i] = x[i] * x[i]
    else:
        for i in range(len(x)):
            out[i] = x[i]


@loop(plain=plain_limbs.add_column, whole=True, nogil=True)
def add_column(limbs: Any, x: Any) -> Any:
    """Add a column to the first row of limbs, and its square to the second if there is one; False if one is not finite."""
    scratch, rest = np.empty(CHUNK), np.empty(CHUNK)
    for start in range(0, len(x), CHUNK):
        part = x[start : start + CHUNK]
        for row in range(len(limbs)):
            power(part, row, scratch)
            if not add_chunk(limbs[row], scratch, rest, len(part)):
                return False
    return True


@loop(plain=plain_limbs.carry, whole=True, nogil=True)
def carry(limbs: Any) -> None:
    """Bring every limb but the last into [0, 2**32)."""
    for c in range(limbs.shape[0]):
        for k in range(limbs.shape[1] - 1):
            limbs[c, k + 1] += limbs[c, k] >> 32
            limbs[c, k] &= 0xFFFFFFFF
