"""The words of formulas for misses and for distributions, in which the obvious spelling would cancel or overflow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from goodmeasure.formulas import expression
from goodmeasure.formulas.elementary_words import (
    abs,
    cos,
    exp,
    expm1,
    lgamma,
    log1p,
    log1pmx,
    maximum,
    minimum,
    sigmoid,
    sin,
    softplus,
    sqrt,
    tanh,
    where,
)
from goodmeasure.formulas.expression import Word, less, less_equal, log, sign

if TYPE_CHECKING:
    from goodmeasure.formulas.expression import Expr


def polynomial(x: Expr, coefficients: tuple[float, ...]) -> Expr:
    """Horner's scheme, the constant first."""
    total = expression.expression(coefficients[-1])
    for c in coefficients[-2::-1]:
        total = c + x * total
    return total


# (exp(x) - 1 - x) / x**2 as its series; erf(x) / x by x**2 up to 1, and erfc(x) * exp(x**2) by (x - 2.5) / (x + 2.5)
# from 1 to 6.2: Chebyshev fits at 60 digits, good to 5e-17.
_EXPM1MX = tuple(1 / math.factorial(k) for k in range(2, 17))
_ERF_NEAR = (
    1.1283791670955126, -0.37612638903183543, 0.11283791670945006, -0.02686617064323777, 0.0052239776071164225,
    -0.0008548325975389692, 0.00012055294904839707, -1.492473690741966e-05, 1.6447424703317362e-06,
    -1.6208483801871705e-07, 1.3720064546777686e-08, -7.795898827002142e-10,
)  # fmt: skip
_ERF_FAR = (
    0.2108063640611436, -0.3717367339489726, 0.25171319321745067, -0.12503305237897716, 0.03992253907522874,
    -0.003993701157076458, -0.0026423659415133354, 0.0008759152213733864, 0.0002283797594118714,
    -0.00012887413890093975, -3.417371019872897e-05, 1.8593299382649276e-05, 7.490139768236747e-06,
    -2.2262911253248643e-06, -1.5699260294957462e-06,
)  # fmt: skip

expm1mx: Word = Word(
    "expm1mx",
    (lambda x: expm1(x),),
    book=lambda x: exp(x) - 1 - x,
    meaning=lambda x: where(less_equal(abs(x), 0.5), x * x * polynomial(x, _EXPM1MX), expm1(x) - x),
)

# --- misses: sums of 1 and a square, which neither cancel nor overflow where they themselves do not -------------------

_VAST = 1e9  # from here on, 1 + x**2 is x**2 in double precision
_FARTHER = 1e18  # from here on, x - log(x) is x in double precision, and x**2 still a number in single
_GONE = 1000  # from here on, exp(-x) is zero, also times infinity
_STEEP = 40  # from here on, exp(-x**2) is

hypot1: Word = Word(
    "hypot1",
    (lambda x: isru(x),),
    book=lambda x: sqrt(1 + x**2),
    meaning=lambda x: where(less(abs(x), _VAST), sqrt(1 + x * x), abs(x)),
)
hypot1m1: Word = Word(
    "hypot1m1",
    (lambda x: isru(x),),
    book=lambda x: sqrt(1 + x**2) - 1,
    meaning=lambda x: where(less(abs(x), 1), x * x / (1 + hypot1(x)), hypot1(x) - 1),
)
# The inverse square root unit, x / sqrt(1 + x**2), and below it its like: x / (1 + |x|).
isru: Word = Word(
    "isru", (lambda x: hypot1(x) ** -3,), book=lambda x: x / sqrt(1 + x**2), meaning=lambda x: x / hypot1(x)
)
softsign: Word = Word("softsign", (lambda x: (1 + abs(x)) ** -2,), book=lambda x: x / (1 + abs(x)))
abs_less_log1p: Word = Word(
    "abs_less_log1p",
    (lambda x: softsign(x),),
    book=lambda x: abs(x) - log(1 + abs(x)),
    # Far out the logarithm is nothing beside x, and at infinity the two would be subtracted.
    meaning=lambda x: where(less(abs(x), _FARTHER), -log1pmx(abs(x)), abs(x)),
)
log1psq: Word = Word(
    "log1psq",
    (lambda x: 2 * log1psq_pull(x),),
    book=lambda x: log(1 + x**2),
    meaning=lambda x: where(less(abs(x), _VAST), log1p(x * x), 2 * log(abs(x))),
)
inv1psq: Word = Word("inv1psq", (lambda x: -2 * (log1psq_pull(x) * inv1psq(x)),), book=lambda x: 1 / (1 + x * x))
log1psq_pull: Word = Word(
    "log1psq_pull",
    (lambda x: ((1 - x) * inv1psq(x)) * ((1 + x) * inv1psq(x)),),
    book=lambda x: x / (1 + x**2),
    meaning=lambda x: where(less(abs(x), _VAST), x / (1 + x * x), 1 / x),
    rise=lambda x: 2 * inv1psq(x),
)
square_share: Word = Word(
    "square_share",
    (lambda x: 2 * (log1psq_pull(x) * inv1psq(x)),),
    book=lambda x: x**2 / (1 + x**2),
    meaning=lambda x: where(less(abs(x), _VAST), x * x / (1 + x * x), 1),
)


def _flat(a: Expr) -> Expr:
    """Whether a power of a is so nearly 1 that a - 1 would round what is left of it."""
    return less(abs(a), 0.25)


def _a_power_less(x: Expr, a: Expr) -> Expr:
    """(1 + x**2)**(a - 1)."""
    return pow1psq(x, where(_flat(a), a, a - 1)) * where(_flat(a), inv1psq(x), 1)


# (1 + x**2)**a, the same less 1, and x * (1 + x**2)**(a - 1).
pow1psq: Word = Word(
    "pow1psq",
    (lambda x, a: 2 * a * pow1psq_pull(x, a), None),
    book=lambda x, a: (1 + x**2) ** a,
    meaning=lambda x, a: where(
        less(abs(x), 1),
        exp(a * log1p(x * x)),
        where(less(abs(x), _VAST), (1 + x * x) ** a, abs(x) ** (2 * a)),
    ),
)
pow1psqm1: Word = Word(
    "pow1psqm1",
    (lambda x, a: 2 * a * pow1psq_pull(x, a), None),
    book=lambda x, a: (1 + x**2) ** a - 1,
    meaning=lambda x, a: where(
        less(minimum(abs(x) - 0.5, abs(a * log1psq(x))), 0.5), expm1(a * log1psq(x)), pow1psq(x, a) - 1
    ),
)
pow1psq_pull: Word = Word(
    "pow1psq_pull",
    (lambda x, a: _a_power_less(x, a) * (inv1psq(x) + (2 * a - 1) * square_share(x)), None),
    book=lambda x, a: x * (1 + x**2) ** (a - 1),
    meaning=lambda x, a: where(
        less(abs(x), _VAST),
        x * _a_power_less(x, a),
        abs(x) ** where(_flat(a), 2 * a, 2 * a - 1) * where(_flat(a), 1 / x, sign(x)),
    ),
    rise=lambda x, a: 2 * (inv1psq(x) + a * square_share(x)),
)
# Tukey's: 1 - (1 - x**2)**3 up to x = 1, and 1 beyond.
biweight: Word = Word(
    "biweight",
    (lambda x: where(less_equal(abs(x), 1), 6 * x * ((1 - x) * (1 + x)) ** 2, 0),),
    book=lambda x: where(less_equal(abs(x), 1), 1 - (1 - x**2) ** 3, 1),
    meaning=lambda x: where(less_equal(abs(x), 1), x * x * (3 + x * x * (x * x - 3)), 1),
)
# The parabola 1 - x**2 between -1 and 1, and what of it lies above x, each part times how far below 1 + a it lies.
parabola: Word = Word(
    "parabola",
    (lambda x: where(less_equal(abs(x), 1), -2 * x, 0),),
    book=lambda x: where(less_equal(abs(x), 1), 1 - x**2, 0),
    meaning=lambda x: where(less_equal(abs(x), 1), (1 - x) * (1 + x), 0),
)


def _within_one(x: Expr) -> Expr:
    return maximum(minimum(x, 1), -1)


def _parabola_above(x: Expr, a: Expr) -> Expr:
    below = 1 - _within_one(x)
    return below * below * (a * (3 - below) / 3 + below * (8 - 3 * below) / 12)


def _antiderivative(x: Expr, a: Expr) -> Expr:
    return (1 + a) * (x - x**3 / 3) - (x**2 / 2 - x**4 / 4)


parabola_above: Word = Word(
    "parabola_above",
    (lambda x, a: -((a + (1 - x)) * parabola(x)), None),
    book=lambda x, a: _antiderivative(expression.expression(1), a) - _antiderivative(_within_one(x), a),
    meaning=_parabola_above,
)
# Welsch's: 1 - exp(-x**2), and what falls off like it. Far out the exponential is nothing, also times what is infinite.
gauss_rise: Word = Word(
    "gauss_rise",
    (lambda x: 2 * gauss_pull(x),),
    book=lambda x: 1 - exp(-(x**2)),
    meaning=lambda x: where(less(abs(x), _STEEP), -expm1(-(x * x)), 1),
)
gauss_pull: Word = Word(
    "gauss_pull",
    (lambda x: gauss_pull_slope(x),),
    book=lambda x: x * exp(-(x**2)),
    meaning=lambda x: where(less(abs(x), _STEEP), x * exp(-(x * x)), 0),
)
gauss_pull_slope: Word = Word(
    "gauss_pull_slope",
    (None,),
    book=lambda x: (1 - 2 * x**2) * exp(-(x**2)),
    meaning=lambda x: where(less(abs(x), _STEEP), (1 - 2 * (x * x)) * exp(-(x * x)), 0),
)
versin: Word = Word(
    "versin", (lambda x: sin(x),), book=lambda x: 1 - cos(x), meaning=lambda x: 2 * (sin(x / 2) * sin(x / 2))
)

# --- distributions: of each law, twice the distribution function less 1 is its pull ---------------------------------


def _erf(x: Expr) -> Expr:
    far = where(less(abs(x), 6.2), abs(x), 6.2)
    tail = exp(-far * far) * polynomial((far - 2.5) / (far + 2.5), _ERF_FAR)
    return where(less(abs(x), 1), x * polynomial(x * x, _ERF_NEAR), sign(x) * (1 - tail))


erf: Word = Word("erf", (lambda x: 2 / math.sqrt(math.pi) * exp(-(x**2)),), meaning=_erf)
normal_pdf: Word = Word(
    "normal_pdf", (lambda x: -x * normal_pdf(x),), book=lambda x: exp(-(x * x) / 2) / math.sqrt(2 * math.pi)
)
normal_pull: Word = Word(
    "normal_pull",
    (lambda x: 2 * normal_pdf(x),),
    book=lambda x: erf(x / sqrt(2)),
    meaning=lambda x: erf(x / math.sqrt(2)),
)
logit_entropy: Word = Word(
    "logit_entropy",
    (lambda x: -x * (sigmoid(x) * sigmoid(-x)),),
    book=lambda x: -sigmoid(x) * log(sigmoid(x)) - sigmoid(-x) * log(sigmoid(-x)),
    meaning=lambda x: softplus(-abs(x)) + minimum(abs(x), _GONE) * sigmoid(-abs(x)),
)
laplace_pull: Word = Word(
    "laplace_pull",
    (lambda x: exp(-abs(x)),),
    book=lambda x: sign(x) * (1 - exp(-abs(x))),
    meaning=lambda x: -sign(x) * expm1(-abs(x)),
)
laplace_tail: Word = Word(
    "laplace_tail",
    (lambda x: -x * exp(-abs(x)),),
    book=lambda x: (1 + abs(x)) * exp(-abs(x)),
    meaning=lambda x: (1 + minimum(abs(x), _GONE)) * exp(-abs(x)),
)

# The continuous ranked probability score of a law around a miss: twice the distribution function less 1 is how it moves
# with the miss, and its meaning is regrouped by that into two parts that do not cancel (Euler: it grows with its scale).
crps_normal: Word = Word(
    "crps_normal",
    (lambda r, s: normal_pull(r / s), lambda r, s: 2 * normal_pdf(r / s) - 1 / math.sqrt(math.pi)),
    book=lambda r, s: s * (r / s * erf(r / s / sqrt(2)) + 2 * normal_pdf(r / s) - 1 / sqrt(math.pi)),
    meaning=lambda r, s: r * normal_pull(r / s) + s * (2 * normal_pdf(r / s) - 1 / math.sqrt(math.pi)),
)
crps_logistic: Word = Word(
    "crps_logistic",
    (lambda r, s: tanh(r / s / 2), lambda r, s: 2 * logit_entropy(r / s) - 1),
    book=lambda r, s: s * (r / s - 2 * log(sigmoid(r / s)) - 1),
    meaning=lambda r, s: r * tanh(r / s / 2) + s * (2 * logit_entropy(r / s) - 1),
)
crps_laplace: Word = Word(
    "crps_laplace",
    (lambda r, s: laplace_pull(r / s), lambda r, s: laplace_tail(r / s) - 3 / 4),
    book=lambda r, s: s * (abs(r / s) + exp(-abs(r / s)) - 3 / 4),
    meaning=lambda r, s: r * laplace_pull(r / s) + s * (laplace_tail(r / s) - 3 / 4),
)


def _log_gamma_step(x: Expr) -> Expr:
    up = x + 10
    product = expression.expression(1)
    for k in range(10):
        product = product * ((x + k) / (x + k + 0.5))
    inverse = 1 / (up * up)
    series = (
        -1 / 8
        + inverse
        * (1 / 192 + inverse * (-1 / 640 + inverse * (17 / 14336 + inverse * (-31 / 18432 + inverse * 691 / 180224))))
    ) / up
    return log(product * sqrt(up)) + series


log_gamma_step: Word = Word(
    "log_gamma_step", (None,), book=lambda x: lgamma(x + 0.5) - lgamma(x), meaning=_log_gamma_step
)
