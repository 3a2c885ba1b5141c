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
def split_powers(x: Any, n: int, firsts: Any, seconds: Any, rests: Any) -> Any:
    """`split` of numbers and of their squares at once: of each the sums of bits, and whether anything is left over."""
    (first, square_first), (second, square_second) = firsts, seconds
    one, two = np.int64(first).view(np.float64), np.int64(second).view(np.float64)
    square_one, square_two = np.int64(square_first).view(np.float64), np.int64(square_second).view(np.float64)
    ones = twos = square_ones = square_twos = left_over = square_left_over = np.int64(0)
    for i in range(n):
        value = x[i]
        t = value + one
        left = value - (t - one)
        u = left + two
        left = left - (u - two)
        rests[0, i] = left
        left_over |= np.float64(left).view(np.int64)
        ones += np.float64(t).view(np.int64)
        twos += np.float64(u).view(np.int64)
        square = value * value
        t = square + square_one
        left = square - (t - square_one)
        u = left + square_two
        left = left - (u - square_two)
        rests[1, i] = left
        square_left_over |= np.float64(left).view(np.int64)
        square_ones += np.float64(t).view(np.int64)
        square_twos += np.float64(u).view(np.int64)
    values = ones - n * first, twos - n * second, left_over != 0
    return values, (square_ones - n * square_first, square_twos - n * square_second, square_left_over != 0)


@loop(nogil=True)
def quanta(most: Any) -> Any:
    """The exponents of the quanta that numbers are rounded to, of the bits of the largest size."""
    first = max((most >> 52) - 1073, FINEST)
    return first, max(first - 52, FINEST)


@loop(nogil=True)
def add_powers(limbs: Any, x: Any, n: int, scratch: Any) -> Any:
    """Add a chunk to the first row of limbs, and its squares to the second; False if one is not finite.

    ``scratch`` is memory for three chunks.
    """
    most = np.int64(largest(x, n)).view(np.float64)
    peaks = np.float64(most).view(np.int64), np.float64(most * most).view(np.int64)
    if peaks[1] >> 52 >= HUGE or peaks[0] >> 52 >= HUGE:
        return add_huge_powers(limbs, x, n, scratch)
    (first, second), (square_first, square_second) = quanta(peaks[0]), quanta(peaks[1])
    firsts = rounder(first), rounder(square_first)
    values, squares = split_powers(x, n, firsts, (rounder(second), rounder(square_second)), scratch)
    add_whole(limbs[0], values[0], first)
    add_whole(limbs[0], values[1], second)
    add_whole(limbs[1], squares[0], square_first)
    add_whole(limbs[1], squares[1], square_second)
    if values[2]:
        add_chunk(limbs[0], scratch[0], scratch[2], n)
    if squares[2]:
        add_chunk(limbs[1], scratch[1], scratch[2], n)
    return True


@loop(nogil=True)
def add_huge_powers(limbs: Any, x: Any, n: int, scratch: Any) -> Any:
    """`add_powers` where numbers or their squares are near the ends of double precision, or beyond."""
    for i in range(n):
        scratch[0, i], scratch[1, i] = x[i], x[i] * x[i]
    return add_chunk(limbs[0], scratch[0], scratch[2], n) and add_chunk(limbs[1], scratch[1], scratch[2], n)


@loop(plain=plain_limbs.add_column, whole=True, nogil=True)
def add_column(limbs: Any, x: Any) -> Any:
    """Add a column to the first row of limbs, and its square to the second if there is one; False if one is not finite."""
    scratch = np.empty((3, CHUNK))
    for start in range(0, len(x), CHUNK):
        part = x[start : start + CHUNK]
        if len(limbs) == 2:
            if not add_powers(limbs, part, len(part), scratch):
                return False
            continue
        scratch[0, : len(part)] = part
        if not add_chunk(limbs[0], scratch[0], scratch[2], len(part)):
            return False
    return True


@loop(plain=plain_limbs.carry, whole=True, nogil=True)
def carry(limbs: Any) -> None:
    """Bring every limb but the last into [0, 2**32)."""
    for c in range(limbs.shape[0]):
        for k in range(limbs.shape[1] - 1):
            limbs[c, k + 1] += limbs[c, k] >> 32
            limbs[c, k] &= 0xFFFFFFFF
