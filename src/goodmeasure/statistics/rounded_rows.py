"""Rows of probabilities that were rounded when they were written, and so add up to 1 only nearly."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXACT = 1e-5  # what sums of many probabilities in single precision miss
_DECIMALS = range(9, 1, -1)  # from the finest; with fewer than two, a row tells too little


class RoundedRows(UserWarning):
    """Rows of class probabilities add up to 1 only within what rounding of their decimals allows: each was divided by its
    sum."""


def divided_by_sums(p: Any, xp: Any = np) -> tuple[Any, Any]:
    """Rows of probabilities on the last axis, each divided by its sum where rounding alone moved that; and which rows are off.

    K numbers rounded to d decimals move their sum by at most K half units of the last one.
    """
    total = xp.sum(p, axis=-1)
    off = xp.abs(total - 1) > EXACT
    if not bool(xp.any(off)):
        return p, off
    rounded = off & (xp.abs(total - 1) <= _allowed(p, xp))
    if bool(xp.any(rounded)):
        _tell(np.asarray(total)[np.asarray(rounded)])
        p = xp.where(rounded[..., None], p / xp.where(rounded, total, xp.ones_like(total))[..., None], p)
    return p, off & ~rounded


def _allowed(p: Any, xp: Any) -> Any:
    """How far each row's sum may be from 1, by the decimals that it is written with."""
    precision = float(xp.finfo(p.dtype).eps)
    allowed = xp.zeros_like(xp.sum(p, axis=-1))
    for decimals in _DECIMALS:
        unit = 10.0**-decimals
        if precision > 0.02 * unit:
            continue
        whole = xp.all(xp.abs(p / unit - xp.round(p / unit)) <= precision / unit + 1e-7, axis=-1)
        allowed = xp.where(whole, xp.full_like(allowed, p.shape[-1] * unit * (0.5 + 1e-6)), allowed)
    return allowed


def _tell(sums: NDArray[Any]) -> None:
    warnings.warn(
        f"rows of class probabilities add up to {sums.min():.6g} to {sums.max():.6g} by rounding, and were divided by their "
        "sums",
        RoundedRows,
        stacklevel=4,
    )
