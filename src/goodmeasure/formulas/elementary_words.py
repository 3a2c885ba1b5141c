"""The words of formulas that most losses need: elementary ones, choices, and the logistic and hyperbolic families.

One row a word (see `goodmeasure.formulas.expression.Word`). Where the book's own form cancels or overflows, a meaning says how
the word is computed, accurately over the whole range of floating-point numbers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from goodmeasure.formulas import expression
from goodmeasure.formulas.expression import Word, less, less_equal, log, magnitude, sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from goodmeasure.formulas.expression import Expr

abs: Word = magnitude

# --- elementary words: every language spells these ------------------------------------------------------------------

exp: Word = Word("exp", (lambda x: exp(x),), positive=True)
expm1: Word = Word("expm1", (lambda x: exp(x),))
log1p: Word = Word("log1p", (lambda x: 1 / (1 + x),))
sqrt: Word = Word("sqrt", (lambda x: 1 / (2 * sqrt(x)),))
sin: Word = Word("sin", (lambda x: cos(x),))
cos: Word = Word("cos", (lambda x: -sin(x),))
where: Word = Word("where", (None, None, None), slope=lambda args, slopes: where(args[0], slopes[1], slopes[2]))
maximum: Word = Word(
    "maximum", (None, None), fold=max, slope=lambda args, slopes: where(less_equal(args[1], args[0]), *slopes)
)
minimum: Word = Word(
    "minimum", (None, None), fold=min, slope=lambda args, slopes: where(less_equal(args[0], args[1]), *slopes)
)
# Its argument, which the signal takes for a constant: a weight that depends on the prediction and is not learned from.
stop_gradient: Word = Word("stop_gradient", (None,), book=lambda x: x, fold=lambda x: x, holds=True)

# --- the gamma function, above zero: languages that do not spell these step up until the series of Stirling holds ---------


def _stepped(x: Expr, far: Callable[[Expr], Expr], step: Callable[[Expr], Expr]) -> Expr:
    """``far`` of numbers from 10 on; of those below, that of ten more and what ten steps come to."""
    near = minimum(x, 10)
    return where(less(x, 10), far(near + 10) + step(near), far(maximum(x, 10)))


def _series(x: Expr, coefficients: tuple[float, ...]) -> Expr:
    """A polynomial of 1 / x**2, the constant first."""
    inverse, total = 1 / (x * x), expression.expression(coefficients[-1])
    for c in coefficients[-2::-1]:
        total = c + inverse * total
    return total


def _product(x: Expr) -> Expr:
    total = x
    for k in range(1, 10):
        total = total * (x + k)
    return total


def _sum(x: Expr, term: Callable[[Expr], Expr]) -> Expr:
    total = term(x)
    for k in range(1, 10):
        total = total + term(x + k)
    return total


# Bernoulli's numbers over 2k (2k - 1), over 2k, and as they are (Abramowitz and Stegun 6.1.40, 6.3.18, 6.4.12).
_LGAMMA = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
_DIGAMMA = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
_TRIGAMMA = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)

trigamma: Word = Word(
    "trigamma",
    (None,),
    meaning=lambda x: _stepped(
        x,
        lambda t: 1 / t + 1 / (2 * t * t) + _series(t, _TRIGAMMA) / (t * t) / t,
        lambda t: _sum(t, lambda s: 1 / (s * s)),
    ),
)
digamma: Word = Word(
    "digamma",
    (lambda x: trigamma(x),),
    meaning=lambda x: _stepped(
        x,
        lambda t: log(t) - 1 / (2 * t) - _series(t, _DIGAMMA) / (t * t),
        lambda t: -_sum(t, lambda s: 1 / s),
    ),
)
lgamma: Word = Word(
    "lgamma",
    (lambda x: digamma(x),),
    meaning=lambda x: _stepped(
        x,
        lambda t: (t - 0.5) * log(t) - t + math.log(2 * math.pi) / 2 + _series(t, _LGAMMA) / t,
        lambda t: -log(_product(t)),
    ),
)

# --- choices ---------------------------------------------------------------------------------------------------------

either: Word = Word(
    "either",
    (None, None, None),
    # Selected at 0 and 1, not multiplied: 0 * inf never happens. Between them, the mixture.
    book=lambda y, a, b: where(less_equal(1, y), a, where(less_equal(y, 0), b, y * a + (1 - y) * b)),
    slope=lambda args, slopes: either(args[0], slopes[1], slopes[2]),
)
times: Word = Word(
    "times",
    (None, None),
    book=lambda y, x: where(less_equal(abs(y), 0), 0, y * x),
    slope=lambda args, slopes: slopes[0] * args[1] + times(args[0], slopes[1]),
)
xlogy: Word = Word("xlogy", (None, lambda y, x: y / x), book=lambda y, x: times(y, log(x)))

# --- the logistic family ---------------------------------------------------------------------------------------------

_VAST_ODDS = 1e30  # from here on, 1 + x is x in any precision, and x still a number in single

softplus: Word = Word(
    "softplus",
    (lambda x: sigmoid(x),),
    positive=True,
    book=lambda x: log(1 + exp(x)),
    meaning=lambda x: maximum(x, 0) + log1p(exp(-abs(x))),
)
sigmoid: Word = Word(
    "sigmoid",
    (lambda x: sigmoid(x) * sigmoid(-x),),
    positive=True,
    book=lambda x: 1 / (1 + exp(-x)),
    meaning=lambda x: where(less_equal(0, x), 1, exp(-abs(x))) / (1 + exp(-abs(x))),
)


def _odds(x: Expr, a: Expr) -> Expr:
    """a * exp(x), by halves: it leaves the range of numbers nowhere else than its own value does."""
    half = exp(x / 2)
    return half * (a * half)


# The same of x + log(a), whose sum would be rounded: a times the odds.
softplus_odds: Word = Word(
    "softplus_odds",
    (lambda x, a: sigmoid_odds(x, a), lambda x, a: sigmoid_odds(x, a) / a),
    book=lambda x, a: log(1 + a * exp(x)),
    meaning=lambda x, a: where(less(_odds(x, a), _VAST_ODDS), log1p(_odds(x, a)), x + log(a)),
)
sigmoid_odds: Word = Word(
    "sigmoid_odds",
    (
        lambda x, a: sigmoid_odds(x, a) * sigmoid_odds(-x, 1 / a),
        lambda x, a: sigmoid_odds(x, a) * (sigmoid_odds(-x, 1 / a) / a),
    ),
    book=lambda x, a: a * exp(x) / (1 + a * exp(x)),
    meaning=lambda x, a: where(less(_odds(x, a), 1), _odds(x, a) / (1 + _odds(x, a)), 1 / (1 + _odds(-x, 1 / a))),
)
# Written out, the second derivatives of these are differences of terms of size one.
log1p_sigmoid: Word = Word(
    "log1p_sigmoid",
    (lambda x, a: a / (1 + a) * (sigmoid(-x) * sigmoid_odds(x, 1 + a)), lambda x, a: 1 / (a + (1 + exp(-x)))),
    book=lambda x, a: log(1 + a * sigmoid(x)),
    meaning=lambda x, a: log1p(a * sigmoid(x)),
)
log1p_softplus: Word = Word(
    "log1p_softplus",
    (lambda x, a: log1p_softplus_pull(x, a), lambda x, a: softplus(x) / (1 + a * softplus(x))),
    book=lambda x, a: log(1 + a * softplus(x)),
    meaning=lambda x, a: log1p(a * softplus(x)),
)
log1p_softplus_pull: Word = Word(
    "log1p_softplus_pull",
    (
        lambda x, a: (
            log1p_softplus_pull(x, a)
            * ((sigmoid(-x) + a * (softplus(x) / softplus_pull(x) * softplus_pull_slope(x))) / (1 + a * softplus(x)))
        ),
        lambda x, a: sigmoid(x) / (1 + a * softplus(x)) ** 2,
    ),
    book=lambda x, a: a * sigmoid(x) / (1 + a * softplus(x)),
)
log1mexp: Word = Word(
    "log1mexp",
    (lambda x: -exp(x - log1mexp(x)),),
    book=lambda x: log(1 - exp(x)),
    meaning=lambda x: where(less(x, -math.log(2)), log1p(-exp(x)), log(-expm1(x))),
)

_FAR = -37  # below this, exp(x) is less than half an ulp of 1 in double precision


def _log1pmx_series(x: Expr) -> Expr:
    s = x / (2 + x)
    square, tail = s * s, expression.expression(0)
    for k in range(13, -1, -1):
        tail = 1 / (2 * k + 3) + square * tail
    return 2 * s * square * tail - x * s


log1pmx: Word = Word(
    "log1pmx",
    (lambda x: -x / (1 + x),),
    book=lambda x: log(1 + x) - x,
    meaning=lambda x: where(less_equal(abs(x), 0.5), _log1pmx_series(x), log1p(x) - x),
)
log_softplus: Word = Word(
    "log_softplus",
    (lambda x: softplus_pull(x),),
    book=lambda x: log(log(1 + exp(x))),
    meaning=lambda x: where(less_equal(x, _FAR), x, log(softplus(x))),
)
# d log(softplus(x)) / dx = sigmoid(x) / softplus(x), which tends to 1 where both underflow.
softplus_pull: Word = Word(
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


softplus_pull_slope: Word = Word(
    "softplus_pull_slope",
    (None,),
    book=lambda x: softplus_pull(x) * (sigmoid(-x) - softplus_pull(x)),
    meaning=_softplus_pull_slope,
)

# The logarithm of a sum of exponentials: of more than two terms, one inside another.
logaddexp: Word = Word(
    "logaddexp",
    (lambda a, b: sigmoid(a - b), lambda a, b: sigmoid(b - a)),
    book=lambda a, b: log(exp(a) + exp(b)),
    # Equal terms stand apart, so that two infinite ones are never subtracted.
    meaning=lambda a, b: where(
        less(a, b), b + log1p(exp(a - b)), where(less(b, a), a + log1p(exp(b - a)), a + math.log(2))
    ),
)

# --- the hyperbolic family -------------------------------------------------------------------------------------------

tanh: Word = Word(
    "tanh",
    (lambda x: sech2(x),),
    book=lambda x: (exp(x) - exp(-x)) / (exp(x) + exp(-x)),
    meaning=lambda x: sign(x) * (-expm1(-2 * abs(x)) / (2 + expm1(-2 * abs(x)))),
)
sech2: Word = Word(
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


log_cosh: Word = Word("log_cosh", (lambda x: tanh(x),), book=lambda x: log((exp(x) + exp(-x)) / 2), meaning=_log_cosh)
sqrt1pm1: Word = Word(
    "sqrt1pm1",
    (lambda x: 1 / (2 * sqrt(1 + x)),),
    book=lambda x: sqrt(1 + x) - 1,
    meaning=lambda x: x / (1 + sqrt(1 + x)),
)
