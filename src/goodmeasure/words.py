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
trigamma: Word = Word("trigamma", (None,))
digamma: Word = Word("digamma", (lambda x: trigamma(x),))
lgamma: Word = Word("lgamma", (lambda x: digamma(x),))

# --- choices ---------------------------------------------------------------------------------------------------------

either: Word = Word(
    "either",
    (None, None, None),
    # Selected at 0 and 1, not multiplied: 0 * inf never happens. Between them, the mixture.
    meaning=lambda y, a, b: where(less_equal(1, y), a, where(less_equal(y, 0), b, y * a + (1 - y) * b)),
    slope=lambda args, slopes: either(args[0], slopes[1], slopes[2]),
)
times: Word = Word(
    "times",
    (None, None),
    meaning=lambda y, x: where(less_equal(abs(y), 0), 0, y * x),
    slope=lambda args, slopes: times(args[0], slopes[1]),
)
xlogy: Word = Word("xlogy", (None, lambda y, x: y / x), meaning=lambda y, x: times(y, log(x)))

# --- the logistic family ---------------------------------------------------------------------------------------------

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
log1mexp: Word = Word(
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


def _polynomial(x: Expr, coefficients: tuple[float, ...]) -> Expr:
    """Horner's scheme, the constant first."""
    total = formula.expression(coefficients[-1])
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
    meaning=lambda x: where(less_equal(abs(x), 0.5), x * x * _polynomial(x, _EXPM1MX), expm1(x) - x),
)

# --- misses: sums of 1 and a square, which neither cancel nor overflow where they themselves do not -------------------

_VAST = 1e9  # from here on, 1 + x**2 is x**2 in double precision
_GONE = 1000  # from here on, exp(-x) is zero, also times infinity

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
softsign: Word = Word("softsign", (lambda x: (1 + abs(x)) ** -2,), meaning=lambda x: x / (1 + abs(x)))
abs_less_log1p: Word = Word(
    "abs_less_log1p",
    (lambda x: softsign(x),),
    book=lambda x: abs(x) - log(1 + abs(x)),
    meaning=lambda x: -log1pmx(abs(x)),
)
log1psq: Word = Word(
    "log1psq",
    (lambda x: 2 * log1psq_pull(x),),
    book=lambda x: log(1 + x**2),
    meaning=lambda x: where(less(abs(x), _VAST), log1p(x * x), 2 * log(abs(x))),
)
inv1psq: Word = Word("inv1psq", (lambda x: -2 * (log1psq_pull(x) * inv1psq(x)),), meaning=lambda x: 1 / (1 + x * x))
log1psq_pull: Word = Word(
    "log1psq_pull",
    (lambda x: ((1 - x) * inv1psq(x)) * ((1 + x) * inv1psq(x)),),
    book=lambda x: x / (1 + x**2),
    meaning=lambda x: where(less(abs(x), _VAST), x / (1 + x * x), 1 / x),
)
square_share: Word = Word(
    "square_share",
    (lambda x: 2 * (log1psq_pull(x) * inv1psq(x)),),
    book=lambda x: x**2 / (1 + x**2),
    meaning=lambda x: where(less(abs(x), _VAST), x * x / (1 + x * x), 1),
)
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
    (lambda x, a: pow1psq(x, a - 1) * (inv1psq(x) + (2 * a - 1) * square_share(x)), None),
    book=lambda x, a: x * (1 + x**2) ** (a - 1),
    meaning=lambda x, a: where(less(abs(x), _VAST), x * pow1psq(x, a - 1), sign(x) * abs(x) ** (2 * a - 1)),
)
# Tukey's: 1 - (1 - x**2)**3 up to x = 1, and 1 beyond.
biweight: Word = Word(
    "biweight",
    (lambda x: where(less_equal(abs(x), 1), 6 * x * ((1 - x) * (1 + x)) ** 2, 0),),
    book=lambda x: where(less_equal(abs(x), 1), 1 - (1 - x**2) ** 3, 1),
    meaning=lambda x: where(less_equal(abs(x), 1), x * x * (3 + x * x * (x * x - 3)), 1),
)
versin: Word = Word(
    "versin", (lambda x: sin(x),), book=lambda x: 1 - cos(x), meaning=lambda x: 2 * (sin(x / 2) * sin(x / 2))
)

# --- distributions: of each law, twice the distribution function less 1 is its pull ---------------------------------------------------------------------------------------------------


def _erf(x: Expr) -> Expr:
    far = where(less(abs(x), 6.2), abs(x), 6.2)
    tail = exp(-far * far) * _polynomial((far - 2.5) / (far + 2.5), _ERF_FAR)
    return where(less(abs(x), 1), x * _polynomial(x * x, _ERF_NEAR), sign(x) * (1 - tail))


erf: Word = Word("erf", (lambda x: 2 / math.sqrt(math.pi) * exp(-(x**2)),), meaning=_erf)
normal_pdf: Word = Word(
    "normal_pdf", (lambda x: -x * normal_pdf(x),), meaning=lambda x: exp(-(x * x) / 2) / math.sqrt(2 * math.pi)
)
normal_pull = Word(
    "normal_pull",
    (lambda x: 2 * normal_pdf(x),),
    book=lambda x: erf(x / sqrt(2)),
    meaning=lambda x: erf(x / math.sqrt(2)),
)
logit_entropy = Word(
    "logit_entropy",
    (lambda x: -x * (sigmoid(x) * sigmoid(-x)),),
    book=lambda x: -sigmoid(x) * log(sigmoid(x)) - sigmoid(-x) * log(sigmoid(-x)),
    meaning=lambda x: softplus(-abs(x)) + minimum(abs(x), _GONE) * sigmoid(-abs(x)),
)
laplace_pull = Word(
    "laplace_pull",
    (lambda x: exp(-abs(x)),),
    book=lambda x: sign(x) * (1 - exp(-abs(x))),
    meaning=lambda x: -sign(x) * expm1(-abs(x)),
)
laplace_tail = Word(
    "laplace_tail",
    (lambda x: -x * exp(-abs(x)),),
    book=lambda x: (1 + abs(x)) * exp(-abs(x)),
    meaning=lambda x: (1 + minimum(abs(x), _GONE)) * exp(-abs(x)),
)

# The continuous ranked probability score of a law around a miss: twice the distribution function less 1 is how it moves
# with the miss, and its meaning is regrouped by that into two parts that do not cancel (Euler: it grows with its scale).
crps_normal = Word(
    "crps_normal",
    (lambda r, s: normal_pull(r / s), lambda r, s: 2 * normal_pdf(r / s) - 1 / math.sqrt(math.pi)),
    book=lambda r, s: s * (r / s * erf(r / s / sqrt(2)) + 2 * normal_pdf(r / s) - 1 / sqrt(math.pi)),
    meaning=lambda r, s: r * normal_pull(r / s) + s * (2 * normal_pdf(r / s) - 1 / math.sqrt(math.pi)),
)
crps_logistic = Word(
    "crps_logistic",
    (lambda r, s: tanh(r / s / 2), lambda r, s: 2 * logit_entropy(r / s) - 1),
    book=lambda r, s: s * (r / s - 2 * log(sigmoid(r / s)) - 1),
    meaning=lambda r, s: r * tanh(r / s / 2) + s * (2 * logit_entropy(r / s) - 1),
)
crps_laplace = Word(
    "crps_laplace",
    (lambda r, s: laplace_pull(r / s), lambda r, s: laplace_tail(r / s) - 3 / 4),
    book=lambda r, s: s * (abs(r / s) + exp(-abs(r / s)) - 3 / 4),
    meaning=lambda r, s: r * laplace_pull(r / s) + s * (laplace_tail(r / s) - 3 / 4),
)


def _log_gamma_step(x: Expr) -> Expr:
    up = x + 10
    product = formula.expression(1)
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
identity(lambda x: (abs(x) ** 2, x**2))
identity(lambda x, a: ((x * a) / a, x))
identity(lambda x, a: ((a * x) / a, x))
identity(lambda y, x, a: ((y * (x * a)) / a, y * x))
identity(lambda x, y: ((1 / x) * y, y / x))
identity(lambda x, y: (y * (1 / x), y / x))
identity(lambda y, x: (where(y, x, x), x))
identity(lambda x, y: (where(formula.expression(1), x, y), x))
identity(lambda x, y: (where(formula.expression(0), x, y), y))
identity(lambda x, y: (where(1, x, y), x))
identity(lambda x, y: (where(0, x, y), y))
identity(lambda y, x: (either(y, x, x), x))
identity(lambda x, y: (either(formula.expression(1), x, y), x))
identity(lambda x, y: (either(formula.expression(0), x, y), y))
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
identity(lambda x, a: (1 - x**a, -expm1(a * log(x))), positive=("x",))
identity(lambda x: (exp(x) - 1, expm1(x)))
identity(lambda x: (log(1 + exp(x)), softplus(x)))
identity(lambda x: (log1p(exp(x)), softplus(x)))
identity(lambda x: (log(-expm1(x)), log1mexp(x)))
identity(lambda x: (log1p(-sigmoid(x)), -softplus(x)))
identity(lambda x: (sigmoid(-x) / sigmoid(x), exp(-x)))
identity(lambda x: (sigmoid(x) / sigmoid(-x), exp(x)))
identity(lambda x: (maximum(sigmoid(x), 0), sigmoid(x)))
identity(lambda x, a: (log1p(a * exp(x)), softplus(x + log(a))), positive=("a",))
identity(lambda x, a: (log1p(exp(x) / a), softplus(x - log(a))), positive=("a",))
identity(lambda x: (sigmoid(x) - 1, -sigmoid(-x)))
identity(lambda x, c, a: (c / (a * exp(x)), c / a * exp(-x)))
identity(lambda x, c, a: (c / (a * softplus(x)), c / a * exp(-log_softplus(x))))
identity(lambda x: (log(1 / x), -log(x)))
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
