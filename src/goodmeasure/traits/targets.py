"""Targets of any domain, made of plain numbers: what is tried of a loss must be what it takes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from goodmeasure.formulas.domains import Domain, OutcomeDomain


def members(domain: Domain, sizes: Any) -> Any:
    """Numbers as targets: as they are, as distances from the end of a domain that has one, or as shares of it."""
    low, high = domain.low, domain.high
    away = np.abs(sizes)
    if math.isfinite(low) and math.isfinite(high):
        found = low + (high - low) * away / (1 + away)
    elif math.isfinite(low) or math.isfinite(high):
        found = low + away if math.isfinite(low) else high - away
    else:
        found = sizes
    return inside(domain, found)


def inside(domain: Domain, y: Any) -> Any:
    """Targets as the domain has them: whole where it is, and in place of one outside the first that is not."""
    y = np.round(y) if domain.whole else y
    outside = domain.outside(y)
    return np.where(outside, y[np.argmin(outside)], y)


def further(domain: Domain, y: Any, grow: float) -> Any:
    """Targets so many times further out, and where the domain has an end every other one so many times nearer to that."""
    low, high = domain.low, domain.high
    if isinstance(domain, OutcomeDomain) or (domain.whole and math.isfinite(high)):
        return y
    other = np.arange(len(y)) % 2 == 1
    if math.isfinite(low) and math.isfinite(high):
        return inside(domain, np.where(other, low + (y - low) / grow, high - (high - y) / grow))
    times = np.where(other, grow, 1 / grow)
    if math.isfinite(low):
        return inside(domain, low + (y - low) * times)
    return inside(domain, high - (high - y) * times if math.isfinite(high) else y * grow)
