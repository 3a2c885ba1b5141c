"""How many digits a signal keeps in single precision, however its loss is spelled: against the truth at 50 digits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath
import numpy as np

import goodmeasure as gm

# Errors up to so many units in the last place are no loss of digits.
_ULPS = 8
_EPS = float(np.finfo(np.float32).eps)
# Raw outputs from nearly nothing to where a probability is all but certain, on both sides.
RAW = np.concatenate([side * np.geomspace(1e-6, 80, 60) for side in (-1.0, 1.0)]).astype(np.float32)
Spelling = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True)
class Spelled:
    """A loss as people type it: its name, the way of writing, and the formula in the functions of some library."""

    loss: str
    how: str
    formula: Spelling


def _happened(m: Any, y: Any, z: Any) -> Any:
    """The probability that was given to what happened."""
    p = m.sigmoid(z)
    return m.where(y > 0.5, p, 1 - p)


def _log_likelihood(m: Any, y: Any, p: Any) -> Any:
    return y * m.log(p) + (1 - y) * m.log(1 - p)


def _softplus_of_miss(m: Any, y: Any, z: Any) -> Any:
    return m.where(y > 0.5, m.softplus(-z), m.softplus(z))


def _focal(m: Any, q: Any) -> Any:
    return -((1 - q) ** 2) * m.log(q)


def _focal_of_both(m: Any, y: Any, p: Any) -> Any:
    return -y * (1 - p) ** 2 * m.log(p) - (1 - y) * p**2 * m.log(1 - p)


SPELLINGS = (
    Spelled("cross-entropy", "-(y log p + (1-y) log(1-p))", lambda m, y, z: -_log_likelihood(m, y, m.sigmoid(z))),
    Spelled("cross-entropy", "-log(where(y, p, 1-p))", lambda m, y, z: -m.log(_happened(m, y, z))),
    Spelled("cross-entropy", "-log p((2y-1) z)", lambda m, y, z: -m.log(m.sigmoid((2 * y - 1) * z))),
    Spelled("cross-entropy", "where(y, softplus(-z), softplus(z))", _softplus_of_miss),
    Spelled("Brier", "(p - y)^2", lambda m, y, z: (m.sigmoid(z) - y) ** 2),
    Spelled("Brier", "(1 - where(y, p, 1-p))^2", lambda m, y, z: (1 - _happened(m, y, z)) ** 2),
    Spelled("focal", "-(1-q)^2 log q, q = where(y, p, 1-p)", lambda m, y, z: _focal(m, _happened(m, y, z))),
    Spelled("focal", "-y (1-p)^2 log p - (1-y) p^2 log(1-p)", lambda m, y, z: _focal_of_both(m, y, m.sigmoid(z))),
)
OURS = {
    "cross-entropy": gm.losses.binary_cross_entropy(),
    "Brier": gm.losses.binary_brier(),
    "focal": gm.losses.binary_focal(gamma=2.0),
}
_BOOK: Mapping[str, Callable[[Any], Any]] = {
    "cross-entropy": lambda q: -mpmath.log(q),
    "Brier": lambda q: (1 - q) ** 2,
    "focal": lambda q: -((1 - q) ** 2) * mpmath.log(q),
}


@cache
def truth(loss: str, y: float) -> list[Any]:
    """The slope of the formula of the book along the raw output, at each of them, to 50 digits."""
    with mpmath.workdps(120):

        def cost(z: Any) -> Any:
            return _BOOK[loss](1 / (1 + mpmath.exp(-z if y else z)))

        return [+mpmath.diff(cost, mpmath.mpf(float(z)), h=mpmath.mpf(10) ** -50) for z in RAW]


def ours(loss: str, y: float) -> Any:
    """What the formula of this package gives."""
    return OURS[loss].gradient(np.full(RAW.shape, y, dtype=np.float32), RAW)


def verdict(loss: str, signal: Callable[[float], Any]) -> str:
    """How many of the seven digits are kept at the worst raw output, and from which size on any are lost."""
    errors = list(_errors(loss, signal))
    lost = [(abs(z), error) for error, z in errors if error > _ULPS * _EPS]
    if not lost:
        return "holds"
    worst = max(error for _, error in lost)
    kept = "no number" if math.isinf(worst) else f"{max(0, math.floor(-math.log10(worst)))} digits"
    return f"{kept} at the worst, lost from {min(lost)[0]:.2g} on"


def _errors(loss: str, signal: Callable[[float], Any]) -> Iterator[tuple[float, float]]:
    """The relative error at each raw output; what is no number is infinitely wrong, what underflows is left out."""
    for y in (1.0, 0.0):
        for z, true, found in zip(RAW, truth(loss, y), np.asarray(signal(y), dtype=float), strict=True):
            if abs(true) > np.finfo(np.float32).tiny:
                is_number = math.isfinite(found)
                yield (float(abs((mpmath.mpf(found) - true) / true)) if is_number else math.inf), float(z)
