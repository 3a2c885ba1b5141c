"""Doubles added to limbs without rounding, by NumPy alone: what `compiled_limbs` gives, where nothing is compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from goodmeasure.statistics.limbs import LIMB, MOST_ADDED

_MASK = (1 << LIMB) - 1
_SPARE = 2  # limbs at the top that no double reaches: a sum below zero keeps its sign under them
_PART = 1 << 20  # values at a time: what is known of each takes ten numbers


def exponents(bits: Any) -> tuple[int, int]:
    """The smallest and largest biased exponent of values that are not zero (1 for subnormals); (0, 0) if there are
    none."""
    found = _exponents(bits[(bits << 1) != 0])
    return (int(found.min()), int(found.max())) if found.size else (0, 0)


def _exponents(bits: Any) -> Any:
    return np.maximum((bits >> 52) & 0x7FF, 1)


def add(limbs: Any, first: int, cells: Any, bits: Any) -> None:
    """Add each value, given by its bits, to its cell: 53 bits of significand spread over three limbs."""
    for start in range(0, len(bits), _PART):
        _add_part(limbs, first, cells[start : start + _PART], bits[start : start + _PART])


def _add_part(limbs: Any, first: int, cells: Any, bits: Any) -> None:
    present = (bits << 1) != 0
    cells, bits = cells[present], bits[present]
    exponent = _exponents(bits)
    significand = (bits & ((1 << 52) - 1)) | np.where((bits >> 52) & 0x7FF, 1 << 52, 0)
    k, shift = ((exponent - 1) >> 5) - first, (exponent - 1) & 31
    low, high = (significand & _MASK) << shift, (significand >> 32) << shift
    sign = np.where(bits < 0, -1, 1)
    for at, part in enumerate((low & _MASK, ((low >> 32) & _MASK) + (high & _MASK), high >> 32)):
        np.add.at(limbs, (cells, k + at), sign * part)


def add_column(limbs: Any, x: Any) -> bool:
    """Add a column to the first row of limbs, and its square to the second if there is one; False if one is not finite."""
    for row, limb in enumerate(limbs):
        with np.errstate(over="ignore", under="ignore"):
            values = x * x if row else x
        if not np.isfinite(values).all():
            return False
        for start in range(0, len(x), MOST_ADDED):
            if start:
                carry(limb[None, :-_SPARE])
            bits = np.ascontiguousarray(values[start : start + MOST_ADDED]).view(np.int64)
            add(limb[None], 0, np.zeros(len(bits), np.intp), bits)
    return True


def carry(limbs: Any) -> None:
    """Bring every limb but the last into [0, 2**32)."""
    for k in range(limbs.shape[1] - 1):
        limbs[:, k + 1] += limbs[:, k] >> LIMB
        limbs[:, k] &= _MASK
