"""Sums without rounding: an array of doubles as one exact fraction, whatever the order and the partition."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

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
