"""The elementary words in float64, built like those of :mod:`goodmeasure.kernels.float32` with longer polynomials.

The logarithms use the series of the inverse hyperbolic tangent (one division, half the terms).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Scalar = Any
FLOAT, BITS = np.float64, np.int64

ZERO, HALF, ONE, TWO, FOUR = np.float64(0), np.float64(0.5), np.float64(1), np.float64(2), np.float64(4)
INF, LARGEST = np.float64(np.inf), np.float64(1.7976931348623157e308)
LN2, LOG2E = np.float64(0.6931471805599453), np.float64(1.4426950408889634)
LN2_HIGH, LN2_LOW = np.float64(6.93147180369123816490e-01), np.float64(1.90821492927058770002e-10)
TO_INTEGER, TO_INTEGER_BITS = np.float64(6755399441055744.0), np.int64(0x4338000000000000)
ONE_BITS, MANTISSA, EXPONENT_MASK = np.int64(0x3FF0000000000000), np.int64(52), np.int64(-(1 << 52))
ROOT_HALF_BITS, FOUR_BITS = np.int64(0x3FE6A09E667F3BCD), np.int64(0x4010000000000000)
LOWEST_NORMAL, SUBNORMAL_SCALE, SUBNORMAL_EXPONENT = np.float64(2.0**-1022), np.float64(2.0**54), np.float64(54)
EXP_HIGHEST, EXP_LOWEST, EXPM1_LOWEST = np.float64(710), np.float64(-746), np.float64(-40)
LEADING_HALF = np.int64(-(1 << 27))
E0, E1, E2 = np.float64(0.5), np.float64(0.1666666666666666825), np.float64(0.04166666666666761732)
E3, E4, E5 = (
    np.float64(0.008333333333332509334),
    np.float64(0.001388888888857734389),
    np.float64(0.0001984126984265547352),
)
E6, E7 = np.float64(0.00002480158773409819755), np.float64(2.755731825394855681e-6)
E8, E9 = np.float64(2.755702895032542334e-7), np.float64(2.505236791473211494e-8)
E10, E11 = np.float64(2.096995340044734601e-9), np.float64(1.606034290355951384e-10)
L0, L1, L2 = np.float64(0.666666666666673442), np.float64(0.3999999999941464284), np.float64(0.2857142874239313685)
L3, L4 = np.float64(0.2222219857279546265), np.float64(0.1818356433974446315)
L5, L6 = np.float64(0.1531405032702270995), np.float64(0.1479595102924347229)
T0, T1, T2 = np.float64(-0.3333333333333329613), np.float64(0.1333333333332620472), np.float64(-0.05396825396350250601)
T3, T4, T5 = (
    np.float64(0.02186948837802144935),
    np.float64(-0.008863232466118744477),
    np.float64(0.003592090596351446493),
)
T6, T7, T8 = (
    np.float64(-0.001455533196738958889),
    np.float64(0.0005884031452432342943),
    np.float64(-0.0002332723493857290033),
)
T9, T10 = np.float64(0.00008315433323614587167), np.float64(-0.0000193912792952464479)
TANH_NEAR = np.float64(0.55)


def power_of_two(k: Scalar) -> Scalar:
    """2**k for an integer k from -1022 to 1023."""
    return np.int64((np.int64(k) << MANTISSA) + ONE_BITS).view(np.float64)


def exp_tail(r: Scalar) -> Scalar:
    """exp(r) - 1 - r for |r| <= 1/2."""
    q = (((((E11 * r + E10) * r + E9) * r + E8) * r + E7) * r + E6) * r + E5
    q = ((((q * r + E4) * r + E3) * r + E2) * r + E1) * r + E0
    return r * r * q


def exp(x: Scalar) -> Scalar:
    """e**x; the scaling takes two factors, so that results reach infinity and the subnormal numbers rounded once."""
    x = EXP_HIGHEST if x > EXP_HIGHEST else x
    x = EXP_LOWEST if x < EXP_LOWEST else x
    t = x * LOG2E + TO_INTEGER
    n = t - TO_INTEGER
    k = np.int64(np.float64(t).view(np.int64) - TO_INTEGER_BITS)
    a = x - n * LN2_HIGH
    r = a - n * LN2_LOW
    lost = (a - r) - n * LN2_LOW
    half = np.int64(k >> np.int64(1))
    near = ONE + r
    rest = ((ONE - near) + r) + (exp_tail(r) + lost)
    return ((near + rest) * power_of_two(half)) * power_of_two(k - half)


def expm1(x: Scalar) -> Scalar:
    """e**x - 1, as accurate near zero as far from it."""
    y = EXP_HIGHEST if x > EXP_HIGHEST else x
    y = EXPM1_LOWEST if y < EXPM1_LOWEST else y
    t = y * LOG2E + TO_INTEGER
    t = TO_INTEGER if abs(y) < HALF else t
    n = t - TO_INTEGER
    half = power_of_two(np.int64(np.float64(t).view(np.int64) - TO_INTEGER_BITS) - np.int64(1))
    r = (y - n * LN2_HIGH) - n * LN2_LOW
    z = ((exp_tail(r) + r) * half + (half - HALF)) * TWO
    return x if x == ZERO else z


def log_of_parts(k: Scalar, f: Scalar) -> Scalar:
    """k*log(2) + log(1 + f) for sqrt(1/2) - 1 <= f <= sqrt(2) - 1 and a little beyond."""
    s = f / (TWO + f)
    t = s * s
    r = t * ((((((L6 * t + L5) * t + L4) * t + L3) * t + L2) * t + L1) * t + L0)
    h = HALF * f * f
    return k * LN2_HIGH - ((h - (s * (h + r) + k * LN2_LOW)) - f)


def log(x: Scalar) -> Scalar:
    """Natural logarithm: -inf at zero, NaN below."""
    small = x < LOWEST_NORMAL
    y = x * SUBNORMAL_SCALE if small else x
    e = np.int64(np.int64(np.float64(y).view(np.int64) - ROOT_HALF_BITS) & EXPONENT_MASK)
    k = np.int64(np.int64(e >> MANTISSA) + TO_INTEGER_BITS).view(np.float64) - TO_INTEGER
    k = k - SUBNORMAL_EXPONENT if small else k
    f = np.int64(np.float64(y).view(np.int64) - e).view(np.float64) - ONE
    z = log_of_parts(k, f)
    z = z if x < INF else x
    z = z if x > ZERO else np.float64(np.nan)
    return -INF if x == ZERO else z


def log1p(x: Scalar) -> Scalar:
    """log(1 + x), as accurate near zero as far from it: 1 + x is split by its exponent but never formed."""
    e = np.int64(np.int64(np.float64(x + ONE).view(np.int64) - ROOT_HALF_BITS) & EXPONENT_MASK)
    down = np.int64(FOUR_BITS - e).view(np.float64)
    f = np.int64(np.float64(x).view(np.int64) - e).view(np.float64) + (down * np.float64(0.25) - ONE)
    f = x if e == np.int64(0) else f
    k = np.int64(np.int64(e >> MANTISSA) + TO_INTEGER_BITS).view(np.float64) - TO_INTEGER
    z = log_of_parts(k, f)
    z = z if x < INF else x
    z = z if x > -ONE else np.float64(np.nan)
    z = -INF if x == -ONE else z
    return x if x == ZERO else z


def leading(x: Scalar) -> Scalar:
    """The leading half of the significand, so that products of two such halves are exact."""
    return np.int64(np.float64(x).view(np.int64) & LEADING_HALF).view(np.float64)


def exp_of_sum(high: Scalar, low: Scalar) -> Scalar:
    """e**(high + low) for a low part that is small against the high one."""
    x = EXP_HIGHEST if high > EXP_HIGHEST else high
    x = EXP_LOWEST if x < EXP_LOWEST else x
    y = low if x == high else ZERO
    t = (x + y) * LOG2E + TO_INTEGER
    n = t - TO_INTEGER
    k = np.int64(np.float64(t).view(np.int64) - TO_INTEGER_BITS)
    r = (x - n * LN2_HIGH) + (y - n * LN2_LOW)
    half = np.int64(k >> np.int64(1))
    return ((exp_tail(r) + r + ONE) * power_of_two(half)) * power_of_two(k - half)


def positive_power(x: Scalar, a: Scalar) -> Scalar:
    """x**a for x > 0: the logarithm and its product with ``a`` are carried in two parts, so that their size costs no digits."""
    small = x < LOWEST_NORMAL
    y = x * SUBNORMAL_SCALE if small else x
    e = np.int64(np.int64(np.float64(y).view(np.int64) - ROOT_HALF_BITS) & EXPONENT_MASK)
    k = np.int64(np.int64(e >> MANTISSA) + TO_INTEGER_BITS).view(np.float64) - TO_INTEGER
    k = k - SUBNORMAL_EXPONENT if small else k
    f = np.int64(np.float64(y).view(np.int64) - e).view(np.float64) - ONE
    s = f / (TWO + f)
    t = s * s
    r = t * ((((((L6 * t + L5) * t + L4) * t + L3) * t + L2) * t + L1) * t + L0)
    h = HALF * f * f
    high = k * LN2_HIGH + f
    low = ((f - (high - k * LN2_HIGH)) + (s * (h + r) + k * LN2_LOW)) - h
    first, second = leading(high), leading(a)
    rest = (second * (high - first) + (a - second) * high) + a * low
    return exp_of_sum(second * first, rest)


def power(x: Scalar, a: Scalar) -> Scalar:
    """x**a as IEEE 754 defines pow; a negative base needs a whole exponent."""
    size = abs(x)
    z = positive_power(size, a)
    z = (INF if a > ZERO else ZERO) if size == INF else z
    z = (ZERO if a > ZERO else INF) if size == ZERO else z
    whole = np.rint(a) == a
    odd = np.rint(a * HALF) != a * HALF
    z = ((-z if odd else z) if whole else (z if size == INF else np.float64(np.nan))) if x < ZERO else z
    z = np.float64(np.nan) if x != x else z
    return ONE if a == ZERO else z


def sin(x: Scalar) -> Scalar:
    """Sine, from the C library."""
    return math.sin(x)


def cos(x: Scalar) -> Scalar:
    """Cosine, from the C library."""
    return math.cos(x)


def lgamma(x: Scalar) -> Scalar:
    """Logarithm of the absolute value of the gamma function, from the C library."""
    return math.lgamma(x)


def digamma(x: Scalar) -> Scalar:
    """Derivative of `lgamma` for x > 0: eight steps of its recurrence, then the asymptotic series; NaN elsewhere."""
    below = ((ONE / x + ONE / (x + 1.0)) + (ONE / (x + 2.0) + ONE / (x + 3.0))) + (
        (ONE / (x + 4.0) + ONE / (x + 5.0)) + (ONE / (x + 6.0) + ONE / (x + 7.0))
    )
    w = x + 8.0
    q = ONE / (w * w)
    series = q * (1 / 12 - q * (1 / 120 - q * (1 / 252 - q * (1 / 240 - q * (1 / 132 - q * (691 / 32760 - q / 12))))))
    return (log(w) - HALF / w) - series - below if x > ZERO else np.float64(np.nan)


def trigamma(x: Scalar) -> Scalar:
    """Derivative of `digamma` for x > 0, in the same way."""
    below = ((square_inverse(x) + square_inverse(x + 1.0)) + (square_inverse(x + 2.0) + square_inverse(x + 3.0))) + (
        (square_inverse(x + 4.0) + square_inverse(x + 5.0)) + (square_inverse(x + 6.0) + square_inverse(x + 7.0))
    )
    w = x + 8.0
    q = ONE / (w * w)
    series = q * (1 / 6 - q * (1 / 30 - q * (1 / 42 - q * (1 / 30 - q * (5 / 66 - q * (691 / 2730 - q * 7 / 6))))))
    return ((ONE + series) / w + HALF * q) + below if x > ZERO else np.float64(np.nan)


def square_inverse(x: Scalar) -> Scalar:
    """1 / x**2."""
    return ONE / (x * x)


def sigmoid(x: Scalar) -> Scalar:
    """1 / (1 + e**-x), from the exponential of a number that is not positive; sigmoid(-x) shares the one division."""
    size = abs(x)
    down = -size
    e = exp(down)
    whole = ONE + e
    t = e / whole
    below = e - e * t if e < HALF else t
    return ONE - t if x >= ZERO else below


def tanh(x: Scalar) -> Scalar:
    """Hyperbolic tangent: a polynomial near zero, and one minus what is left of it far away."""
    t = x * x
    q = ((((T10 * t + T9) * t + T8) * t + T7) * t + T6) * t + T5
    q = ((((q * t + T4) * t + T3) * t + T2) * t + T1) * t + T0
    e = exp(-(abs(x) + abs(x)))
    far = ONE - (e + e) / (ONE + e)
    return x * t * q + x if abs(x) < TANH_NEAR else (-far if x < ZERO else far)
