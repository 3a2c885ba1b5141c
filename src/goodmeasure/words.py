"""The vocabulary of formulas: one row a word, and the exact identities among words.

A row says how the word is differentiated, what it is in a book (``book``, which arbitrary precision evaluates as the truth),
and what it means in more elementary words (``meaning``, accurate over the whole range of floating-point numbers). How a language
spells the elementary words stands with that language.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

from goodmeasure import formula
from goodmeasure.formula import Word, identity, less, less_equal, log, magnitude, power, sign

if TYPE_CHECKING:
    from goodmeasure.formula import Expr

__all__ = ["abs", "less", "less_equal", "log", "power", "sign", "vocabulary"]

abs = magnitude

# --- elementary words: every language spells these ------------------------------------------------------------------

exp = Word("exp", (lambda x: exp(x),))
expm1 = Word("expm1", (lambda x: exp(x),))
log1p = Word("log1p", (lambda x: 1 / (1 + x),))
sqrt = Word("sqrt", (lambda x: 1 / (2 * sqrt(x)),))
sin = Word("sin", (lambda x: cos(x),))
cos = Word("cos", (lambda x: -sin(x),))
where = Word("where", (None, None, None), slope=lambda args, slopes: where(args[0], slopes[1], slopes[2]))
maximum = Word(
    "maximum", (None, None), fold=max, slope=lambda args, slopes: where(less_equal(args[1], args[0]), *slopes)
)
minimum = Word(
    "minimum", (None, None), fold=min, slope=lambda args, slopes: where(less_equal(args[0], args[1]), *slopes)
)
trigamma = Word("trigamma", (None,))
digamma = Word("digamma", (lambda x: trigamma(x),))
lgamma = Word("lgamma", (lambda x: digamma(x),))

# --- choices ---------------------------------------------------------------------------------------------------------

either = Word(
    "either",
    (None, None, None),
    # Selected at 0 and 1, not multiplied: 0 * inf never happens. Between them, the mixture.
    meaning=lambda y, a, b: where(less_equal(1, y), a, where(less_equal(y, 0), b, y * a + (1 - y) * b)),
    slope=lambda args, slopes: either(args[0], slopes[1], slopes[2]),
)
times = Word(
    "times",
    (None, None),
    meaning=lambda y, x: where(less_equal(abs(y), 0), 0, y * x),
    slope=lambda args, slopes: times(args[0], slopes[1]),
)
xlogy = Word("xlogy", (None, lambda y, x: y / x), meaning=lambda y, x: times(y, log(x)))

# --- the logistic family ---------------------------------------------------------------------------------------------

softplus = Word(
    "softplus",
    (lambda x: sigmoid(x),),
    book=lambda x: log(1 + exp(x)),
    meaning=lambda x: maximum(x, 0) + log1p(exp(-abs(x))),
)
sigmoid = Word(
    "sigmoid",
    (lambda x: sigmoid(x) * sigmoid(-x),),
    book=lambda x: 1 / (1 + exp(-x)),
    meaning=lambda x: where(less_equal(0, x), 1, exp(-abs(x))) / (1 + exp(-abs(x))),
)
log1mexp = Word(
    "log1mexp",
    (lambda x: -exp(x - log1mexp(x)),),
    book=lambda x: log(1 - exp(x)),
    meaning=lambda x: where(less(x, -math.log(2)), log1p(-exp(x)), log(-expm1(x))),
)

_FAR = -37  # below this, exp(x) is less than half an ulp of 1 in double precision


def _log1pmx_series(x: Expr) -> Expr:
    s = x / (2 + x)
    square, tail = s * s, formula.expression(0)
    for k in range(13, -1, -1):
        tail = 1 / (2 * k + 3) + square * tail
    return 2 * s * square * tail - x * s


log1pmx = Word(
    "log1pmx",
    (lambda x: -x / (1 + x),),
    book=lambda x: log(1 + x) - x,
    meaning=lambda x: where(less_equal(abs(x), 0.5), _log1pmx_series(x), log1p(x) - x),
)
log_softplus = Word(
    "log_softplus",
    (lambda x: softplus_pull(x),),
    book=lambda x: log(log(1 + exp(x))),
    meaning=lambda x: where(less_equal(x, _FAR), x, log(softplus(x))),
)
# d log(softplus(x)) / dx = sigmoid(x) / softplus(x), which tends to 1 where both underflow.
softplus_pull = Word(
    "softplus_pull",
    (lambda x: softplus_pull_slope(x),),
    book=lambda x: sigmoid(x) / softplus(x),
    meaning=lambda x: where(less_equal(x, _FAR), 1, sigmoid(x) / softplus(x)),
)


def _softplus_pull_slope(x: Expr) -> Expr:
    e = exp(minimum(x, 0))
    near = softplus_pull(x) * log1pmx(e) / ((1 + e) * log1p(e))
    side = softplus_pull(x) * (sigmoid(-x) - softplus_pull(x))
    return where(less_equal(x, _FAR), -exp(x) / 2, where(less_equal(x, 0), near, side))


softplus_pull_slope = Word(
    "softplus_pull_slope",
    (None,),
    book=lambda x: softplus_pull(x) * (sigmoid(-x) - softplus_pull(x)),
    meaning=_softplus_pull_slope,
)

# --- the hyperbolic family -------------------------------------------------------------------------------------------

tanh = Word(
    "tanh",
    (lambda x: sech2(x),),
    book=lambda x: (exp(x) - exp(-x)) / (exp(x) + exp(-x)),
    meaning=lambda x: sign(x) * (-expm1(-2 * abs(x)) / (2 + expm1(-2 * abs(x)))),
)
sech2 = Word(
    "sech2",
    (lambda x: -2 * (sech2(x) * tanh(x)),),
    book=lambda x: 4 / (exp(x) + exp(-x)) ** 2,
    meaning=lambda x: 4 * exp(-2 * abs(x)) / (1 + exp(-2 * abs(x))) ** 2,
)


def _log_cosh(x: Expr) -> Expr:
    grown = expm1(minimum(abs(x), 1) / 2)
    half_sinh = (grown + grown / (1 + grown)) / 2
    far = abs(x) + (log1p(exp(-2 * abs(x))) - math.log(2))
    return where(less_equal(abs(x), 1), log1p(2 * half_sinh**2), far)


log_cosh = Word("log_cosh", (lambda x: tanh(x),), book=lambda x: log((exp(x) + exp(-x)) / 2), meaning=_log_cosh)
sqrt1pm1 = Word(
    "sqrt1pm1",
    (lambda x: 1 / (2 * sqrt(1 + x)),),
    book=lambda x: sqrt(1 + x) - 1,
    meaning=lambda x: x / (1 + sqrt(1 + x)),
)

# --- exact identities: left becomes right ----------------------------------------------------------------------------

# Ones, zeros and signs. A term whose coefficient is exactly zero is absent.
identity(lambda x: (x + 0, x))
identity(lambda x: (0 + x, x))
identity(lambda x: (x - 0, x))
identity(lambda x: (0 - x, -x))
identity(lambda x: (x * 1, x))
identity(lambda x: (1 * x, x))
identity(lambda x: (x * 0, 0))
identity(lambda x: (0 * x, 0))
identity(lambda x: (0 / x, 0))
identity(lambda x: (x / 1, x))
identity(lambda x: (x * formula.expression(-1), -x))
identity(lambda x: (formula.expression(-1) * x, -x))
identity(lambda x: (x**1, x))
identity(lambda x: (x**0, 1))
identity(lambda x: (-(-x), x))
identity(lambda x, y: (-(x - y), y - x))
identity(lambda x, y: (x + -y, x - y))
identity(lambda x, y: (-x + y, y - x))
identity(lambda x, y: (x - -y, x + y))
identity(lambda x, y: (-x * y, -(x * y)))
identity(lambda x, y: (x * -y, -(x * y)))
identity(lambda x, y: (-x / y, -(x / y)))
identity(lambda x, y: (x / -y, -(x / y)))
identity(lambda x: (abs(-x), abs(x)))
identity(lambda x: ((-x) ** 2, x**2))
identity(lambda x, a: ((x * a) / a, x))
identity(lambda x, a: ((a * x) / a, x))
identity(lambda y, x, a: ((y * (x * a)) / a, y * x))
identity(lambda x, y: ((1 / x) * y, y / x))
identity(lambda x, y: (y * (1 / x), y / x))
identity(lambda y, x: (where(y, x, x), x))
identity(lambda y, x: (either(y, x, x), x))
identity(lambda y: (times(y, 0), 0))
identity(lambda y: (times(y, 1), y))
identity(lambda y, x: (times(y, -x), -times(y, x)))
identity(lambda y, x: (xlogy(y, x), times(y, log(x))))

# Exponentials and logarithms.
identity(lambda x: (log(exp(x)), x))
identity(lambda x: (exp(log(x)), x))
identity(lambda x: (log(sigmoid(x)), -softplus(-x)))
identity(lambda x: (log(softplus(x)), log_softplus(x)))
identity(lambda x: (softplus(x) - softplus(-x), x))
identity(lambda x: (softplus(-x) - softplus(x), -x))
identity(lambda x: (1 - sigmoid(x), sigmoid(-x)))
identity(lambda x: (1 - exp(x), -expm1(x)))
identity(lambda x, a: (1 - x**a, -expm1(a * log(x))))
identity(lambda x: (exp(x) - 1, expm1(x)))
identity(lambda x: (log(1 + exp(x)), softplus(x)))
identity(lambda x: (log1p(exp(x)), softplus(x)))
identity(lambda x: (log(-expm1(x)), log1mexp(x)))
identity(lambda x: (log(1 + x), log1p(x)))
identity(lambda x: (log(1 - x), log1p(-x)))
identity(lambda x: (sqrt(1 + x) - 1, sqrt1pm1(x)))
identity(lambda x, a: (exp(x) ** a, exp(a * x)))
identity(lambda x, a: (softplus(x) ** a, exp(a * log_softplus(x))))
identity(lambda x, c: (c / exp(x), c * exp(-x)))
identity(lambda x, c: (c / softplus(x), c * exp(-log_softplus(x))))


@cache
def vocabulary() -> dict[str, Word]:
    """Every word by its name."""
    found: list[Any] = [*vars(formula).values(), *globals().values()]
    return {word.name: word for word in found if isinstance(word, Word)}
