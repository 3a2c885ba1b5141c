"""Polynomials of the kernels' words (E, U and H there): minimax fits by Remez's exchange, printed as the modules hold them.

    python scripts/minimax.py [NAME ...]

Coefficients are rounded to the dtype one after the other, the constant first, and the rest fitted again, so that each makes up
for the rounding of those before it. What is printed beside a name is the largest relative error of the word's result.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath as mp
import numpy as np

Function = Callable[[Any], Any]
mp.mp.dps = 50


@dataclass(frozen=True)
class Fit:
    """A polynomial for ``function`` between ``low`` and ``high``; an error e there is an error ``weight * e`` of the word."""

    function: Function
    weight: Function
    low: Any
    high: Any
    terms: int


def errors(fit: Fit, c: Sequence[Any], points: Sequence[Any]) -> list[Any]:
    return [fit.weight(x) * (mp.polyval(list(c)[::-1], x) - fit.function(x)) for x in points]


def grid(fit: Fit, count: int) -> list[Any]:
    """Chebyshev's points, which crowd at the ends as the extrema of an error do."""
    middle, half = (fit.high + fit.low) / 2, (fit.high - fit.low) / 2
    return [middle - half * mp.cos(mp.pi * (k + mp.mpf(1) / 2) / count) for k in range(count)]


def remez(fit: Fit, fixed: Sequence[Any]) -> list[Any]:
    """The coefficients after those that are fixed, by exchange on a fine grid."""
    free = fit.terms - len(fixed)
    points = grid(fit, 40 * fit.terms)
    most = max(fit.weight(x) for x in points)
    points = [x for x in points if fit.weight(x) > most / 1000]  # elsewhere no error can be seen, nor solved for
    known = [fit.function(x) - mp.polyval(list(fixed)[::-1] or [0], x) for x in points]
    weight = [fit.weight(x) for x in points]
    chosen = [round((len(points) - 1) * (1 - mp.cos(mp.pi * k / free)) / 2) for k in range(free + 1)]
    for _ in range(30):
        rows = [
            [points[i] ** (len(fixed) + k) for k in range(free)] + [(-1) ** n / weight[i]] for n, i in enumerate(chosen)
        ]
        c = list(mp.lu_solve(mp.matrix(rows), mp.matrix([known[i] for i in chosen])))[:free]
        left = [
            w * (sum(ck * x ** (len(fixed) + k) for k, ck in enumerate(c)) - g)
            for x, w, g in zip(points, weight, known, strict=True)
        ]
        again = _alternating(left, free + 1)
        if again == chosen or len(again) < free + 1:
            break
        chosen = again
    return c


def _alternating(left: Sequence[Any], count: int) -> list[int]:
    """The extrema of the error between its changes of sign; the largest in a row of ``count``."""
    runs: list[int] = []
    for i, e in enumerate(left):
        if runs and (left[runs[-1]] > 0) == (e > 0):
            runs[-1] = i if abs(e) > abs(left[runs[-1]]) else runs[-1]
        else:
            runs.append(i)
    while len(runs) > count:
        runs.pop(0 if abs(left[runs[0]]) < abs(left[runs[-1]]) else -1)
    return runs


def rounded(fit: Fit, dtype: str) -> list[Any]:
    """The coefficients in a dtype."""
    points = grid(fit, 997)

    def worst(c: Sequence[Any]) -> Any:
        return max(abs(e) for e in errors(fit, c, points))

    found: list[Any] = []
    rest = remez(fit, [])
    while rest:
        found.append(mp.mpf(float(np.dtype(dtype).type(float(rest[0])))))
        # Where rounding is all that is left, an exchange finds nothing, and the fit before it stays.
        rest = min(rest[1:], remez(fit, found), key=lambda c: worst([*found, *c])) if rest[1:] else []
    return found


def _exp_tail(x: Any) -> Any:
    return (mp.expm1(x) - x) / x**2 if x else mp.mpf(1) / 2


def _log1p_tail(x: Any) -> Any:
    return (x - mp.log1p(x)) / x**2 if x else mp.mpf(1) / 2


def _atanh_tail(t: Any) -> Any:
    s = mp.sqrt(t)
    return (2 * mp.atanh(s) - 2 * s) / s**3 if t else mp.mpf(2) / 3


def _log_cosh_near(u: Any) -> Any:
    return mp.log(mp.cosh(mp.sqrt(u))) / u if u else mp.mpf(1) / 2


HALF_LN2 = mp.log(2) / 2 * mp.mpf("1.0001")
NEAR = mp.mpf("0.3025")  # 0.55**2: where tanh and log_cosh change from their series to exponentials


def _series(terms: int, function: Function, weight: Function, high: Any, low: Any = 0) -> Fit:
    return Fit(function, weight, mp.mpf(low), mp.mpf(high), terms)


def _relative(function: Function) -> Function:
    return lambda x: 1 / function(x)


FITS: Mapping[str, tuple[str, Fit]] = {
    # exp(r) = 1 + r + r**2 E(r) for what a whole multiple of log(2) leaves.
    "E float32": ("float32", _series(5, _exp_tail, lambda x: x * x * mp.exp(-x), HALF_LN2, -HALF_LN2)),
    "E float64": ("float64", _series(10, _exp_tail, lambda x: x * x * mp.exp(-x), HALF_LN2, -HALF_LN2)),
    # log(1 + e) = e - e**2 U(e) for 0 <= e <= 1, an exponential of a number that is not positive.
    "U float32": ("float32", _series(9, _log1p_tail, lambda x: x * x / mp.log1p(x) if x else 0, 1)),
    # 2 atanh(s) = 2 s + s**3 U(s**2), s = e / (2 + e) <= 1/3.
    "U float64": ("float64", _series(10, _atanh_tail, lambda t: t / 2, mp.mpf(1) / 9)),
    # log(cosh(x)) = x**2 H(x**2) near zero.
    "H float32": ("float32", _series(6, _log_cosh_near, _relative(_log_cosh_near), NEAR)),
    "H float64": ("float64", _series(11, _log_cosh_near, _relative(_log_cosh_near), NEAR)),
}


def main(names: Sequence[str]) -> None:
    for name, (dtype, fit) in FITS.items():
        if not names or name.split()[0] in names or name in names:
            c = rounded(fit, dtype)
            worst = max(abs(e) for e in errors(fit, c, grid(fit, 997)))
            print(f"{name}: 2**{float(mp.log(worst, 2)):.1f}")
            for k, value in enumerate(c):
                print(f"  {name[0]}{k} = np.{dtype}({float(value)!r})")


if __name__ == "__main__":
    main(sys.argv[1:])
