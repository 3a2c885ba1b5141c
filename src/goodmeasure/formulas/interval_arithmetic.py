"""Interval arithmetic on formulas: bounds that hold everywhere in a box, for every word.

Intervals are pairs of arrays, one entry a box. Every bound is widened by a few units in the last place, so that the
rounding of the endpoints cannot make it wrong. Words that rise, fall or turn at zero have bounds of their own; any other is
bounded through its meaning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from goodmeasure.formulas import words
from goodmeasure.formulas.evaluation import evaluate, on_arrays
from goodmeasure.formulas.expression import Expr, symbol, symbols

Floats: TypeAlias = NDArray[np.float64]
_WIDER = 64 * np.finfo(np.float64).eps


@dataclass(frozen=True)
class Box:
    """Numbers between ``low`` and ``high``, entry by entry; for conditions 0 is no, 1 is yes."""

    low: Floats
    high: Floats


def _wide(low: Floats, high: Floats) -> Box:
    """Outward by the rounding of what was computed; one number for all boxes (of hyperparameters alone) stays as it is."""
    most = np.finfo(np.float64).max
    low = np.where(np.isnan(low), -np.inf, np.where(low == np.inf, most, low))
    high = np.where(np.isnan(high), np.inf, np.where(high == -np.inf, -most, high))
    slack = 0.0 if low.size and bool(np.all((low == high) & (low == low.flat[0]))) else _WIDER
    return Box(low - np.abs(low) * slack, high + np.abs(high) * slack)


def _product(a: Floats, b: Floats) -> Floats:
    """Zero times infinity is zero here: the endpoint of a box is not reached at infinity."""
    return np.where((a == 0) | (b == 0), 0.0, a * b)


def _mul(a: Box, b: Box) -> Box:
    corners = [_product(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
    return _wide(np.minimum.reduce(corners), np.maximum.reduce(corners))


def _div(a: Box, b: Box) -> Box:
    crosses = (b.low <= 0) & (b.high >= 0)
    one_side = (b.low == 0) ^ (b.high == 0)
    low = np.where(crosses, np.where(one_side & (b.low == 0), 1 / b.high, -np.inf), 1 / b.high)
    high = np.where(crosses, np.where(one_side & (b.high == 0), 1 / b.low, np.inf), 1 / b.low)
    return _mul(a, Box(low, high))


def _power(a: Box, b: Box) -> Box:
    exponent = b.low
    whole = (b.low == b.high) & (exponent == np.round(exponent))
    ends = [np.power(x, e) for x in (a.low, a.high) for e in (b.low, b.high)]
    positive = Box(np.minimum.reduce(ends), np.maximum.reduce(ends))
    inner = Box(np.where((a.low < 0) & (a.high > 0), 0.0, np.minimum(abs(a.low), abs(a.high))), _largest(a))
    even = Box(
        np.minimum(inner.low**exponent, inner.high**exponent), np.maximum(inner.low**exponent, inner.high**exponent)
    )
    odd = Box(np.power(a.low, exponent), np.power(a.high, exponent))
    negative = a.low < 0
    unknown = negative & (~whole | ((exponent < 0) & (a.high >= 0) & (exponent % 2 == 1)))
    low = np.where(negative, np.where(exponent % 2 == 0, even.low, np.minimum(odd.low, odd.high)), positive.low)
    high = np.where(negative, np.where(exponent % 2 == 0, even.high, np.maximum(odd.low, odd.high)), positive.high)
    return _wide(np.where(unknown, -np.inf, low), np.where(unknown, np.inf, high))


def _largest(a: Box) -> Floats:
    return np.maximum(np.abs(a.low), np.abs(a.high))


def _less(a: Box, b: Box, *, equal: bool) -> Box:
    surely = a.high <= b.low if equal else a.high < b.low
    never = a.low > b.high if equal else a.low >= b.high
    return Box(np.where(surely, 1.0, 0.0), np.where(never, 0.0, 1.0))


def _where(condition: Box, a: Box, b: Box) -> Box:
    yes, no = condition.low == 1, condition.high == 0
    low = np.where(yes, a.low, np.where(no, b.low, np.minimum(a.low, b.low)))
    return Box(low, np.where(yes, a.high, np.where(no, b.high, np.maximum(a.high, b.high))))


def _wave(name: str) -> Callable[[Box], Box]:
    def apply(a: Box) -> Box:
        wide = ~(a.high - a.low < 1.0)
        shift = 0.0 if name == "cos" else np.pi / 2
        ends = [np.cos(np.where(np.isfinite(x), x, 0) - shift) for x in (a.low, a.high)]
        turns = np.floor((a.high - shift) / np.pi) != np.floor((a.low - shift) / np.pi)
        loose = wide | turns
        return _wide(np.where(loose, -1.0, np.minimum(*ends)), np.where(loose, 1.0, np.maximum(*ends)))

    return apply


def _numbers(word: Any, *more: Box) -> Callable[[Floats], Floats]:
    def apply(x: Floats) -> Floats:
        formula = word(symbol("x"), *(symbol(f"a{i}") for i in range(len(more))))
        given = {"x": x, **{f"a{i}": box.low + 0 * x for i, box in enumerate(more)}}
        found: Floats = on_arrays([formula], given, x)[0]
        return found

    return apply


def rising(word: Any) -> Callable[[Box], Box]:
    """Bounds of a word that rises: its values at the ends."""
    return lambda a: _wide(_numbers(word)(a.low), _numbers(word)(a.high))


def falling(word: Any) -> Callable[[Box], Box]:
    """Bounds of a word that falls."""
    return lambda a: _wide(_numbers(word)(a.high), _numbers(word)(a.low))


def turning(word: Any, at: tuple[float, ...] = (0.0,)) -> Callable[..., Box]:
    """Bounds of a word that is monotone between these points."""

    def apply(a: Box, *more: Box) -> Box:
        function = _numbers(word, *more)
        tried = [function(a.low), function(a.high)]
        for point in at:
            inside = (a.low < point) & (a.high > point)
            tried.append(np.where(inside, function(np.full(a.low.shape, point)), tried[0]))
        return _wide(np.minimum.reduce(tried), np.maximum.reduce(tried))

    return apply


def _magnitude(a: Box) -> Box:
    return Box(np.where((a.low <= 0) & (a.high >= 0), 0.0, np.minimum(np.abs(a.low), np.abs(a.high))), _largest(a))


def _log(a: Box) -> Box:
    return _wide(np.log(np.maximum(a.low, 0)), np.log(np.maximum(a.high, 0)))


def _above_zero(bound: Callable[[Box], Box]) -> Callable[[Box], Box]:
    """Bounds of a word that are known above zero; a box that reaches further down has none."""

    def apply(a: Box) -> Box:
        found, unknown = bound(a), a.low <= 0
        return Box(np.where(unknown, -np.inf, found.low), np.where(unknown, np.inf, found.high))

    return apply


def language() -> dict[str, Callable[..., Any]]:
    """How boxes spell words; one that is not here is bounded through its meaning."""
    up = ("exp", "expm1", "softplus", "sigmoid", "tanh", "isru", "softsign", "erf", "normal_pull", "laplace_pull")
    valley = (
        "log_cosh",
        "hypot1",
        "hypot1m1",
        "abs_less_log1p",
        "log1psq",
        "square_share",
        "biweight",
        "expm1mx",
        "gauss_rise",
    )
    hill = ("sech2", "inv1psq", "normal_pdf", "laplace_tail", "logit_entropy", "log1pmx", "i0e")
    known = words.vocabulary()
    return {
        "add": lambda a, b: _wide(a.low + b.low, a.high + b.high),
        "sub": lambda a, b: _wide(a.low - b.high, a.high - b.low),
        "mul": _mul,
        "div": _div,
        "power": _power,
        "neg": lambda a: Box(-a.high, -a.low),
        "less": lambda a, b: _less(a, b, equal=False),
        "less_equal": lambda a, b: _less(a, b, equal=True),
        "where": _where,
        "maximum": lambda a, b: Box(np.maximum(a.low, b.low), np.maximum(a.high, b.high)),
        "logaddexp": lambda a, b: _wide(np.logaddexp(a.low, b.low), np.logaddexp(a.high, b.high)),
        "minimum": lambda a, b: Box(np.minimum(a.low, b.low), np.minimum(a.high, b.high)),
        "abs": _magnitude,
        "sign": lambda a: Box(np.sign(a.low), np.sign(a.high)),
        "log": _log,
        "log1p": lambda a: _wide(np.log1p(np.maximum(a.low, -1)), np.log1p(np.maximum(a.high, -1))),
        "sqrt": lambda a: _wide(np.sqrt(np.maximum(a.low, 0)), np.sqrt(np.maximum(a.high, 0))),
        "lgamma": _above_zero(turning(known["lgamma"], (1.4616321449683622,))),
        "digamma": _above_zero(rising(known["digamma"])),
        "trigamma": _above_zero(falling(known["trigamma"])),
        "sin": _wave("sin"),
        "cos": _wave("cos"),
        **{name: rising(known[name]) for name in (*up, "log_softplus")},
        **{name: turning(known[name]) for name in (*valley, *hill, "pow1psq", "pow1psqm1")},
        **{name: turning(known[name]) for name in ("i0e_pull", "i0e_bend")},
        "gauss_pull": turning(known["gauss_pull"], (-(0.5**0.5), 0.5**0.5)),
        "gauss_pull_slope": turning(known["gauss_pull_slope"], (-(1.5**0.5), 0.0, 1.5**0.5)),
        "i1e": turning(known["i1e"], (-1.5451272579925427, 1.5451272579925427)),
        "i1e_slope": turning(known["i1e_slope"], (-2.781492935347947, 0.0, 2.781492935347947)),
        "softplus_pull": falling(known["softplus_pull"]),
        "log1psq_pull": turning(known["log1psq_pull"], (-1.0, 1.0)),
        "pow1psq_pull": _pull,
    }


def bounds(formula: Expr, boxes: dict[str, Box], values: dict[str, float]) -> Box:
    """Bounds of a formula in boxes of its symbols; hyperparameters have values."""
    shape = next(iter(boxes.values())).low.shape

    def number(value: float) -> Box:
        return Box(np.full(shape, float(value)), np.full(shape, float(value)))

    given = {**{name: number(value) for name, value in values.items()}, **boxes}
    with np.errstate(all="ignore"):
        (found,) = evaluate([formula], given, language(), number)
    return _wide(found.low, found.high)


def span(low: float, high: float) -> Box:
    """One box: the numbers between two."""
    return Box(np.array([low]), np.array([high]))


def sign(formula: Expr, boxes: dict[str, Box]) -> int:
    """The sign that a formula has wherever its symbols lie in their boxes: 1, -1, or 0 where that is not decided."""
    if not symbols(formula):
        boxes = {"": span(0, 0), **boxes}
    found = bounds(formula, boxes, {})
    return 1 if (found.low >= 0).all() else -1 if (found.high <= 0).all() else 0


def _pull(x: Box, power: Box) -> Box:
    """x * (1 + x**2)**(a - 1): it turns where x**2 is 1 / (1 - 2a), if anywhere."""
    a_half = 0.5 - float(power.low.flat[0])
    points = (-((2 * a_half) ** -0.5), (2 * a_half) ** -0.5) if a_half > 0 else ()
    return turning(words.pow1psq_pull, points)(x, power)


def line(pieces: int = 1200, units: tuple[float, ...] = (), end: float = 1e12) -> Box:
    """The line to both ends in boxes: fine near zero and wide far away, and the same on the scale of each unit."""
    near, far = np.geomspace(1e-9, 1e-2, 60), np.geomspace(12, end, 200)
    edges = np.concatenate([[0.0], near, np.linspace(1e-2, 12, pieces)[1:], far[1:]])
    fine = np.concatenate([np.linspace(0, 12, pieces // 4)[1:], np.geomspace(12, 1e6, 100)[1:]])
    edges = np.unique(np.concatenate([edges, *(unit * fine for unit in units)]))
    edges = edges[edges <= far[-1]]
    points = np.concatenate([-edges[::-1], edges[1:]])
    return Box(points[:-1], points[1:])
