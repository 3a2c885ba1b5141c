"""The elementary words in float64, built like those of :mod:`goodmeasure.kernels.float32` with longer polynomials.

Logarithms of numbers of any size use the series of the inverse hyperbolic tangent (one division, half the terms). Coefficients
are those of ``scripts/minimax.py`` here too.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Scalar = Any
FLOAT = np.float64

ZERO, HALF, ONE, TWO = np.float64(0), np.float64(0.5), np.float64(1), np.float64(2)
INF = np.float64(np.inf)
LOG2E = np.float64(1.4426950408889634)
LN2_HIGH, LN2_LOW = np.float64(6.93147180369123816490e-01), np.float64(1.90821492927058770002e-10)
TO_INTEGER, TO_INTEGER_BITS = np.float64(6755399441055744.0), np.int64(0x4338000000000000)
# The same with an exponent's bias on top: the low bits are then the exponent of 2**k, or of 2**k * 2**100.
TO_POWER, TO_SMALL_POWER = np.float64(6755399441055744.0 + 1023), np.float64(6755399441055744.0 + 1023 + 100)
ONE_BITS, MANTISSA, EXPONENT_MASK = np.int64(0x3FF0000000000000), np.int64(52), np.int64(-(1 << 52))
ROOT_HALF_BITS, FOUR_BITS = np.int64(0x3FE6A09E667F3BCD), np.int64(0x4010000000000000)
LOWEST_NORMAL, SUBNORMAL_SCALE, SUBNORMAL_EXPONENT = np.float64(2.0**-1022), np.float64(2.0**54), np.float64(54)
EXP_HIGHEST, EXP_LOWEST, EXPM1_LOWEST = np.float64(710), np.float64(-746), np.float64(-40)
# Powers of two are made of 2**100 or 2**-100 and the rest, so that the rest never leaves the normal numbers.
LARGE_STEP, SMALL_STEP = np.float64(2.0**100), np.float64(2.0**-100)
AFTER_LARGE, AFTER_SMALL = np.int64((1023 - 100) << 52), np.int64((1023 + 100) << 52)
VAST, VAST_SCALE, VAST_EXPONENT = np.float64(2.0**400), np.float64(2.0**-700), np.float64(1400)
LEADING_HALF = np.int64(-(1 << 27))
M0, M1 = np.float64(0.5), np.float64(0.1666666666666672)
M2, M3 = np.float64(0.04166666666666694), np.float64(0.00833333333330262)
M4, M5 = np.float64(0.0013888888888732474), np.float64(0.00019841269897299352)
M6, M7 = np.float64(2.4801587590035823e-05), np.float64(2.755727469684179e-06)
M8, M9 = np.float64(2.7557087223068314e-07), np.float64(2.5068119048217382e-08)
M10, M11 = np.float64(2.0961403287615264e-09), np.float64(1.3942281555949173e-10)
E0, E1 = np.float64(0.5000000000000011), np.float64(0.16666666666666413)
E2, E3 = np.float64(0.04166666666652542), np.float64(0.008333333333491623)
E4, E5 = np.float64(0.0013888888945029617), np.float64(0.00019841269518060966)
E6, E7 = np.float64(2.4801491512513956e-05), np.float64(2.755757134551961e-06)
E8, E9 = np.float64(2.763085682008183e-07), np.float64(2.5006318015652895e-08)
L0, L1 = np.float64(0.6666666666666735), np.float64(0.3999999999940929)
L2, L3 = np.float64(0.28571428743707167), np.float64(0.2222219842641918)
L4, L5 = np.float64(0.18183572503730602), np.float64(0.1531382803758626)
L6 = np.float64(0.14798302855153575)
T0, T1 = np.float64(0.8224670334241172), np.float64(0.004346519963428135)
T2, T3 = np.float64(-0.00017200410670991452), np.float64(7.453836719847758e-06)
T4, T5 = np.float64(-3.311627020647723e-07), np.float64(1.4181063198265399e-08)
U0, U1 = np.float64(0.16666666666666421), np.float64(-0.033333333333093525)
U2, U3 = np.float64(0.007142857134724763), np.float64(-0.001587301450476174)
U4, U5 = np.float64(0.0003607490341683625), np.float64(-8.324209278419968e-05)
U6, U7 = np.float64(1.9394030035157017e-05), np.float64(-4.4926217112975505e-06)
U8, U9 = np.float64(9.577777539937584e-07), np.float64(-1.3790421807020853e-07)
V0, V1 = np.float64(0.16666666666650676), np.float64(-0.033333333307361074)
V2, V3 = np.float64(0.007142855571396972), np.float64(-0.0015872548724388646)
V4, V5 = np.float64(0.00036001600814894517), np.float64(-7.736053054131112e-05)
H0, H1 = np.float64(0.5), np.float64(-0.0833333333333329)
H2, H3 = np.float64(0.022222222222151564), np.float64(-0.006746031742059367)
H4, H5 = np.float64(0.0021869487429353233), np.float64(-0.0007386011850436932)
H6, H7 = np.float64(0.0002565628850154218), np.float64(-9.08762741414249e-05)
H8, H9 = np.float64(3.23083369448603e-05), np.float64(-1.071466963416056e-05)
H10 = np.float64(2.446139072710946e-06)
HYPERBOLIC_NEAR = np.float64(0.55)
TANH_POLE = np.float64(math.pi**2 / 4)  # minus x**2 where tanh has its nearest poles


def power_of_two(k: Scalar) -> Scalar:
    """2**k for an integer k from -1022 to 1023."""
    return np.int64((np.int64(k) << MANTISSA) + ONE_BITS).view(np.float64)


def expm1_tail(r: Scalar) -> Scalar:
    """exp(r) - 1 - r for |r| <= 1/2."""
    q = (((((M11 * r + M10) * r + M9) * r + M8) * r + M7) * r + M6) * r + M5
    q = ((((q * r + M4) * r + M3) * r + M2) * r + M1) * r + M0
    return r * r * q


def exp_tail(r: Scalar) -> Scalar:
    """e**r - 1 for |r| <= log(2) / 2, as a part of e**r."""
    q = (((E9 * r + E8) * r + E7) * r + E6) * r + E5
    q = ((((q * r + E4) * r + E3) * r + E2) * r + E1) * r + E0
    return r * r * q + r


def exp(x: Scalar) -> Scalar:
    """e**x; the scaling takes two factors, so that results reach infinity and the subnormal numbers rounded once."""
    y = EXP_HIGHEST if x > EXP_HIGHEST else x
    y = EXP_LOWEST if y < EXP_LOWEST else y
    t = y * LOG2E + TO_INTEGER
    n = t - TO_INTEGER
    return scaled(exp_tail((y - n * LN2_HIGH) - n * LN2_LOW), t, x > ZERO)


def exp_down(x: Scalar) -> Scalar:
    """e**x for a number that is not positive: one and less."""
    y = EXP_LOWEST if x < EXP_LOWEST else x
    t = y * LOG2E + TO_SMALL_POWER
    n = t - TO_SMALL_POWER
    power = power_in(t)
    return (exp_tail((y - n * LN2_HIGH) - n * LN2_LOW) * power + power) * SMALL_STEP


def exp_minus_twice(x: Scalar) -> Scalar:
    """e**(-2|x|), or where that is nothing beside one, another number that is nothing beside one."""
    y = -(abs(x) + abs(x))
    y = EXPM1_LOWEST if y < EXPM1_LOWEST else y
    t = y * LOG2E + TO_POWER
    n = t - TO_POWER
    power = power_in(t)
    return exp_tail((y - n * LN2_HIGH) - n * LN2_LOW) * power + power


def power_in(t: Scalar) -> Scalar:
    """The power of two whose exponent stands in the low bits of t; those above it are shifted out."""
    return np.int64(np.float64(t).view(np.int64) << MANTISSA).view(np.float64)


def scaled(q: Scalar, t: Scalar, up: Scalar) -> Scalar:
    """(1 + q) * 2**k for the whole number k in the low bits of t; ``up`` if k >= 0, not where k <= 0."""
    exponent = np.int64(np.float64(t).view(np.int64) << MANTISSA)
    power = np.int64(exponent + (AFTER_LARGE if up else AFTER_SMALL)).view(np.float64)
    return (q * power + power) * (LARGE_STEP if up else SMALL_STEP)


def expm1(x: Scalar) -> Scalar:
    """e**x - 1, as accurate near zero as far from it."""
    y = EXP_HIGHEST if x > EXP_HIGHEST else x
    y = EXPM1_LOWEST if y < EXPM1_LOWEST else y
    t = y * LOG2E + TO_INTEGER
    t = TO_INTEGER if abs(y) < HALF else t
    n = t - TO_INTEGER
    half = power_of_two(np.int64(np.float64(t).view(np.int64) - TO_INTEGER_BITS) - np.int64(1))
    r = (y - n * LN2_HIGH) - n * LN2_LOW
    z = ((expm1_tail(r) + r) * half + (half - HALF)) * TWO
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
    return z if x > -ONE else (-INF if x == -ONE else np.float64(np.nan))


def log_chosen(y: Scalar, x: Scalar) -> Scalar:
    """`log` of x where y is above zero, `log1p` of -x where it is not: the same bits, from one polynomial for both."""
    yes = y > ZERO
    w = x + ZERO if yes else ONE - x
    small = (x < LOWEST_NORMAL) & yes
    v = x * SUBNORMAL_SCALE if small else w
    e = np.int64(np.int64(np.float64(v).view(np.int64) - ROOT_HALF_BITS) & EXPONENT_MASK)
    k = np.int64(np.int64(e >> MANTISSA) + TO_INTEGER_BITS).view(np.float64) - TO_INTEGER
    k = k - SUBNORMAL_EXPONENT if small else k
    down = np.int64(FOUR_BITS - e).view(np.float64)
    near = v if yes else -x
    f = np.int64(np.float64(near).view(np.int64) - e).view(np.float64)
    f = f + (-ONE if yes else down * np.float64(0.25) - ONE)
    f = -x if (e == np.int64(0)) & (not yes) else f
    z = log_of_parts(k, f)
    z = z if w < INF else w
    z = z if w > ZERO else np.float64(np.nan)
    return -INF if w == ZERO else z


def log1p_unit(e: Scalar) -> Scalar:
    """log(1 + e) for 0 <= e <= 1, with the division of `sigmoid`."""
    whole = ONE + e
    z = e * (e / whole)
    return e - log1p_gap(e, z, log1p_part(z))


def log1p_gap(e: Scalar, z: Scalar, part: Scalar) -> Scalar:
    """e - log(1 + e) by `log1p_part`: x = log(1 + e) is sinh(x) * (1 - z * part), and sinh(x) is e - z / 2."""
    return z * (HALF + (e - HALF * z) * part)


def log1p_part(z: Scalar) -> Scalar:
    """(1 - x / sinh(x)) / z for x = log(1 + e), of z = 4 sinh(x / 2)**2 = e**2 / (1 + e)."""
    q = (((U9 * z + U8) * z + U7) * z + U6) * z + U5
    return ((((q * z + U4) * z + U3) * z + U2) * z + U1) * z + U0


def softplus(x: Scalar) -> Scalar:
    """log(1 + e**x), from the exponential of a number that is not positive."""
    e = exp_down(-abs(x))
    return (ZERO if x < ZERO else x) + log1p_unit(e)


def log1psq(x: Scalar) -> Scalar:
    """log(1 + x**2); where the square would overflow, that of a part of x, and the rest as an exponent."""
    size = abs(x)
    vast = size > VAST
    scale = VAST_SCALE if vast else ONE
    y = x * scale
    one = ZERO if vast else ONE
    s = y * y
    e = np.int64(np.int64(np.float64(s + one).view(np.int64) - ROOT_HALF_BITS) & EXPONENT_MASK)
    down = np.int64(ONE_BITS - e).view(np.float64)
    f = np.int64(np.float64(s).view(np.int64) - e).view(np.float64) + (one * down - ONE)
    f = s if e == np.int64(0) else f
    k = np.int64(np.int64(e >> MANTISSA) + TO_INTEGER_BITS).view(np.float64) - TO_INTEGER
    k = k + VAST_EXPONENT if vast else k
    z = log_of_parts(k, f)
    return z if s < INF else s


def log1psq_pull(x: Scalar) -> Scalar:
    """x / (1 + x**2), scaled like `log1psq`."""
    size = abs(x)
    vast = size > VAST
    scale = VAST_SCALE if vast else ONE
    y = x * scale
    one = ZERO if vast else ONE
    s = y * y
    q = (ZERO if s == INF else y) / (s + one)
    return q * scale


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
    return scaled(exp_tail((x - n * LN2_HIGH) + (y - n * LN2_LOW)), t, high > ZERO)


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
    e = exp_down(-abs(x))
    whole = ONE + e
    t = e / whole
    below = e - e * t if e < HALF else t
    return ONE - t if x >= ZERO else below


def tanh(x: Scalar) -> Scalar:
    """Hyperbolic tangent: |x| near zero and one far away, less what is lacking, with the sign of x."""
    size = abs(x)
    return FLOAT(math.copysign((size if size < HYPERBOLIC_NEAR else ONE) - tanh_lack(x), x))


def tanh_lack(x: Scalar) -> Scalar:
    """|x| - tanh|x| near zero, smooth but for its nearest poles; far away 1 - tanh|x|."""
    size, u = abs(x), x * x
    near = size < HYPERBOLIC_NEAR
    e = exp_minus_twice(x)
    return (size * u * tanh_part(u) if near else e + e) / (u + TANH_POLE if near else ONE + e)


def log_cosh(x: Scalar) -> Scalar:
    """log(cosh(x)): a polynomial near zero; far away |x| - log(2), which is exact where it cancels, and the rest."""
    size, u = abs(x), x * x
    e = exp_minus_twice(x)
    z = e * (HALF * tanh_lack(x))
    far = (size - LN2_HIGH) + (e - (log1p_gap(e, z, log1p_third_part(z)) + LN2_LOW))
    return u * log_cosh_part(u) if size < HYPERBOLIC_NEAR else far


def tanh_part(u: Scalar) -> Scalar:
    """(x - tanh(x)) / x**3 * (x**2 + pi**2 / 4) near zero, of u = x**2."""
    return ((((T5 * u + T4) * u + T3) * u + T2) * u + T1) * u + T0


def log_cosh_part(u: Scalar) -> Scalar:
    """log(cosh(x)) / x**2 near zero, of u = x**2."""
    q = ((((H10 * u + H9) * u + H8) * u + H7) * u + H6) * u + H5
    return ((((q * u + H4) * u + H3) * u + H2) * u + H1) * u + H0


def log1p_third_part(z: Scalar) -> Scalar:
    """`log1p_part` for the e <= 1/3, thus z <= 1/12, of `log_cosh`."""
    return ((((V5 * z + V4) * z + V3) * z + V2) * z + V1) * z + V0
