"""Every fitted polynomial of the kernels' words: minimax fits by Remez's exchange, printed as the modules hold them.

    python scripts/minimax.py [NAME ...]     # prints "E", or "E float32", or all
    python scripts/minimax.py --check        # fails if a module holds anything else

Coefficients are rounded to the dtype one after the other, the constant first, and the rest fitted again, so that each makes up
for the rounding of those before it. What is printed beside a name is the largest relative error of the word's result.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from mpmath import MPContext

from goodmeasure.kernels import float32, float64

Function = Callable[[Any], Any]
mp = MPContext()
mp.dps = 50


@dataclass(frozen=True)
class Fit:
    """A polynomial for ``function`` between ``low`` and ``high``; an error e there is an error ``weight * e`` of the word."""

    function: Function
    weight: Function
    low: Any
    high: Any
    terms: int


@cache
def samples(fit: Fit, count: int) -> list[tuple[Any, Any, Any]]:
    """Points, weights and values of a fit at Chebyshev's points, which crowd at the ends as the extrema of an error do."""
    middle, half = (fit.high + fit.low) / 2, (fit.high - fit.low) / 2
    points = [middle - half * mp.cos(mp.pi * (k + mp.mpf(1) / 2) / count) for k in range(count)]
    return [(x, fit.weight(x), fit.function(x)) for x in points]


def worst(fit: Fit, c: Sequence[Any]) -> Any:
    """The largest error of the word's result with these coefficients."""
    return max(abs(w * (mp.polyval(list(c)[::-1], x) - value)) for x, w, value in samples(fit, 997))


def remez(fit: Fit, fixed: Sequence[Any]) -> list[Any]:
    """The coefficients after those that are fixed, by exchange on a fine grid."""
    free = fit.terms - len(fixed)
    table = samples(fit, 40 * fit.terms)
    most = max(w for _, w, _ in table)
    table = [row for row in table if row[1] > most / 1000]  # elsewhere no error can be seen, nor solved for
    points, weight = [x for x, _, _ in table], [w for _, w, _ in table]
    known = [value - mp.polyval(list(fixed)[::-1] or [0], x) for x, _, value in table]
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
    found: list[Any] = []
    rest = remez(fit, [])
    while rest:
        found.append(mp.mpf(float(np.dtype(dtype).type(float(rest[0])))))
        # Where rounding is all that is left, an exchange finds nothing, and the fit before it stays.
        rest = min(rest[1:], remez(fit, found), key=lambda c: worst(fit, [*found, *c])) if rest[1:] else []
    return found


def _exp_tail(x: Any) -> Any:
    return (mp.expm1(x) - x) / x**2 if x else mp.mpf(1) / 2


def _log1p_of(z: Any) -> Any:
    """log(1 + e) of z = e**2 / (1 + e)."""
    return 2 * mp.asinh(mp.sqrt(z) / 2)


def _log1p_part(z: Any) -> Any:
    x = _log1p_of(z)
    return (1 - x / mp.sinh(x)) / z if z else mp.mpf(1) / 6


def _log1p_weight(z: Any) -> Any:
    x = _log1p_of(z)
    return z * mp.sinh(x) / x if z else 0


def _log1p_third(x: Any) -> Any:
    return (mp.log1p(x) - x + x**2 / 2) / x**3 if x else mp.mpf(1) / 3


def _atanh_tail(t: Any) -> Any:
    s = mp.sqrt(t)
    return (2 * mp.atanh(s) - 2 * s) / s**3 if t else mp.mpf(2) / 3


def _tanh_tail(u: Any) -> Any:
    x = mp.sqrt(u)
    return (x - mp.tanh(x)) / x**3 if u else mp.mpf(1) / 3


def _tanh_weight(u: Any) -> Any:
    x = mp.sqrt(u)
    return x**3 / mp.tanh(x) if u else 0


def _log_cosh_near(u: Any) -> Any:
    return mp.log(mp.cosh(mp.sqrt(u))) / u if u else mp.mpf(1) / 2


def _log_cosh_weight(z: Any) -> Any:
    """The same where log(1 + e) is a part of log(cosh(x)), and e = exp(-2 x)."""
    y = _log1p_of(z)
    return z * mp.sinh(y) / (y - mp.log(mp.expm1(y)) / 2 - mp.log(2)) if z else 0


HALF_LN2 = mp.log(2) / 2 * mp.mpf("1.0001")
NEAR = mp.mpf(float(float64.HYPERBOLIC_NEAR))
LEFT = mp.exp(-2 * NEAR)  # at most this is left of the exponential where tanh and log_cosh use it
ROOT = mp.sqrt(2) * mp.mpf("1.0001")  # logarithms are of what lies between sqrt(1/2) and sqrt(2)


def _series(terms: int, function: Function, weight: Function, high: Any, low: Any = 0) -> Fit:
    return Fit(function, weight, mp.mpf(low), mp.mpf(high), terms)


def _relative(function: Function) -> Function:
    return lambda x: 1 / function(x)


def _exp_fit(terms: int) -> Fit:
    return _series(terms, _exp_tail, lambda x: x * x * mp.exp(-x), HALF_LN2, -HALF_LN2)


def _expm1_fit(terms: int) -> Fit:
    return _series(terms, _exp_tail, lambda x: x * x / abs(mp.expm1(x)) if x else 0, mp.mpf(1) / 2, -mp.mpf(1) / 2)


def _tanh_fit(terms: int, module: ModuleType) -> Fit:
    pole = mp.mpf(float(module.TANH_POLE))
    return _series(terms, lambda u: _tanh_tail(u) * (u + pole), lambda u: _tanh_weight(u) / (u + pole), NEAR**2)


def _log_cosh_fit(terms: int) -> Fit:
    return _series(terms, _log_cosh_near, _relative(_log_cosh_near), NEAR**2)


FITS: Mapping[str, Fit] = {
    # exp(r) = 1 + r + r**2 E(r) for what a whole multiple of log(2) leaves.
    "E float32": _exp_fit(5),
    "E float64": _exp_fit(10),
    # exp(r) - 1 = r + r**2 M(r) for |r| <= 1/2.
    "M float32": _expm1_fit(6),
    "M float64": _expm1_fit(12),
    # log(1 + f) = f - f**2 / 2 + f**3 L(f) for |f| <= 1/3.
    "L float32": _series(8, _log1p_third, lambda f: abs(f**3 / mp.log1p(f)) if f else 0, mp.mpf(1) / 3, -mp.mpf(1) / 3),
    # 2 atanh(s) = 2 s + s**3 L(s**2), s = f / (2 + f) for sqrt(1/2) <= 1 + f <= sqrt(2).
    "L float64": _series(7, _atanh_tail, lambda t: t / 2, ((ROOT - 1) / (ROOT + 1)) ** 2),
    # x = sinh(x) * (1 - z U(z)) for x = log(1 + e), 0 <= e <= 1, of z = e**2 / (1 + e).
    "U float32": _series(5, _log1p_part, _log1p_weight, mp.mpf(1) / 2),
    "U float64": _series(10, _log1p_part, _log1p_weight, mp.mpf(1) / 2),
    # The same for the e that tanh and log_cosh have.
    "V float32": _series(3, _log1p_part, _log_cosh_weight, LEFT**2 / (1 + LEFT)),
    "V float64": _series(6, _log1p_part, _log_cosh_weight, LEFT**2 / (1 + LEFT)),
    # tanh(x) = x - x**3 T(x**2) / (x**2 + pi**2 / 4) near zero.
    "T float32": _tanh_fit(3, float32),
    "T float64": _tanh_fit(6, float64),
    # log(cosh(x)) = x**2 H(x**2) near zero.
    "H float32": _log_cosh_fit(6),
    "H float64": _log_cosh_fit(11),
}


def fitted(name: str) -> list[float]:
    """The coefficients of a fit, the constant first."""
    return [float(c) for c in rounded(FITS[name], name.split()[1])]


def held(name: str) -> list[float]:
    """The coefficients that the module of a fit's dtype holds under its letter."""
    letter, dtype = name.split()
    module = {"float32": float32, "float64": float64}[dtype]
    return [float(getattr(module, f"{letter}{k}")) for k in range(FITS[name].terms)]


def assignments(letter: str, dtype: str, c: Sequence[float]) -> list[str]:
    """Three coefficients a line of float32, and two of float64."""
    each = 3 if dtype == "float32" else 2
    parts = [range(k, min(k + each, len(c))) for k in range(0, len(c), each)]
    return [
        f"{', '.join(f'{letter}{k}' for k in part)} = {', '.join(f'np.{dtype}({c[k]!r})' for k in part)}"
        for part in parts
    ]


def check() -> None:
    wrong = [name for name in FITS if fitted(name) != held(name)]
    sys.exit(f"not as fitted: {', '.join(wrong)}" if wrong else 0)


def show(names: Sequence[str]) -> None:
    for name, fit in FITS.items():
        letter, dtype = name.split()
        if not names or letter in names or name in names:
            c = fitted(name)
            print(f"{name}: 2**{float(mp.log(worst(fit, c), 2)):.1f}")
            print("\n".join(assignments(letter, dtype, c)), flush=True)


if __name__ == "__main__":
    check() if sys.argv[1:] == ["--check"] else show(sys.argv[1:])
