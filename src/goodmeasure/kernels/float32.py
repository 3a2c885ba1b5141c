"""The elementary words in pure float32: polynomial and free of branches, so that loops over them become vector code.

Each function is ordinary Python on NumPy scalars; the printer copies the source of those that a kernel needs into the
kernel's own file. Coefficients (a letter and the power) are the minimax fits that ``scripts/minimax.py`` prints; the
argument reductions are Cody and Waite's (Software Manual for the Elementary Functions, 1980). Arithmetic may be contracted to
fused multiply-adds, never reassociated: the order of the terms is what makes them accurate.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from goodmeasure.kernels import float64 as wide

# Words that need no digits of their own stand there once; the printer puts the types and the constants of this module in.
from goodmeasure.kernels.float64 import (  # noqa: F401
    exp,
    exp_down,
    exp_minus_twice,
    exp_of_sum,
    expm1,
    leading,
    log1p_gap,
    log1p_unit,
    log1psq_pull,
    log_cosh,
    power,
    power_in,
    power_of_two,
    scaled,
    sigmoid,
    softplus,
    tanh,
    tanh_lack,
)

Scalar = Any
FLOAT = np.float32

ZERO, HALF, ONE, TWO = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)
INF = np.float32(np.inf)
LOG2E = np.float32(1.4426950408889634)
LN2_HIGH, LN2_LOW = np.float32(0.693145751953125), np.float32(1.42860682030941723212e-6)
TO_INTEGER, TO_INTEGER_BITS = np.float32(12582912.0), np.int32(0x4B400000)
TO_POWER, TO_SMALL_POWER = np.float32(12582912.0 + 127), np.float32(12582912.0 + 127 + 64)
ONE_BITS, MANTISSA, EXPONENT_MASK = np.int32(0x3F800000), np.int32(23), np.int32(-8388608)
TWO_THIRDS_BITS, FOUR_BITS = np.int32(0x3F2AAAAB), np.int32(0x40800000)
LOWEST_NORMAL, SUBNORMAL_SCALE, SUBNORMAL_EXPONENT = np.float32(2.0**-126), np.float32(2.0**24), np.float32(24)
EXP_HIGHEST, EXP_LOWEST, EXPM1_LOWEST = np.float32(89), np.float32(-105), np.float32(-20)
ULP_OF_EXPONENT = np.float32(2.0**-23)
# Powers of two are made of 2**64 or 2**-64 and the rest, so that the rest never leaves the normal numbers.
LARGE_STEP, SMALL_STEP = np.float32(2.0**64), np.float32(2.0**-64)
AFTER_LARGE, AFTER_SMALL = np.int32((127 - 64) << 23), np.int32((127 + 64) << 23)
VAST, VAST_SCALE, VAST_EXPONENT = np.float32(2.0**32), np.float32(2.0**-80), np.float32(160)
LEADING_HALF = np.int32(-(1 << 12))
M0, M1, M2 = np.float32(0.5000000596046448), np.float32(0.16666680574417114), np.float32(0.04166494309902191)
M3, M4, M5 = np.float32(0.008331229910254478), np.float32(0.0014010908780619502), np.float32(0.00020565278828144073)
E0, E1, E2 = np.float32(0.4999999403953552), np.float32(0.16666516661643982), np.float32(0.04166810214519501)
E3, E4 = np.float32(0.008369192481040955), np.float32(0.0013838910963386297)
L0, L1, L2 = np.float32(0.3333321511745453), np.float32(-0.2499980330467224), np.float32(0.20010456442832947)
L3, L4, L5 = np.float32(-0.16680194437503815), np.float32(0.1400499790906906), np.float32(-0.12188813835382462)
L6, L7 = np.float32(0.13988885283470154), np.float32(-0.12869897484779358)
T0, T1, T2 = np.float32(0.822467029094696), np.float32(0.0043459488078951836), np.float32(-0.000168108512298204)
U0, U1, U2 = np.float32(0.16666662693023682), np.float32(-0.03333211690187454), np.float32(0.007131051272153854)
U3, U4 = np.float32(-0.0015372165944427252), np.float32(0.0002614442491903901)
V0, V1, V2 = np.float32(0.16666637361049652), np.float32(-0.033317092806100845), np.float32(0.006860682740807533)
H0, H1, H2 = np.float32(0.5), np.float32(-0.083333320915699), np.float32(0.022221639752388)
H3, H4, H5 = np.float32(-0.006737112067639828), np.float32(0.0021265654359012842), np.float32(-0.0005468017188832164)
HYPERBOLIC_NEAR = np.float32(0.55)
TANH_POLE = np.float32(math.pi**2 / 4)


def expm1_tail(r: Scalar) -> Scalar:
    """exp(r) - 1 - r for |r| <= 1/2."""
    q = ((((M5 * r + M4) * r + M3) * r + M2) * r + M1) * r + M0
    return r * r * q


def exp_tail(r: Scalar) -> Scalar:
    """e**r - 1 for |r| <= log(2) / 2, as a part of e**r."""
    q = (((E4 * r + E3) * r + E2) * r + E1) * r + E0
    return r * r * q + r


def log1p_reduced(f: Scalar) -> Scalar:
    """log(1 + f) for |f| <= 1/3."""
    q = ((((((L7 * f + L6) * f + L5) * f + L4) * f + L3) * f + L2) * f + L1) * f + L0
    s = f * f
    return (s * f * q - HALF * s) + f


def log(x: Scalar) -> Scalar:
    """Natural logarithm: -inf at zero, NaN below."""
    small = x < LOWEST_NORMAL
    y = x * SUBNORMAL_SCALE if small else x
    e = np.int32(np.int32(np.float32(y).view(np.int32) - TWO_THIRDS_BITS) & EXPONENT_MASK)
    k = np.float32(e) * ULP_OF_EXPONENT
    k = k - SUBNORMAL_EXPONENT if small else k
    f = np.int32(np.float32(y).view(np.int32) - e).view(np.float32) - ONE
    z = k * LN2_HIGH + (k * LN2_LOW + log1p_reduced(f))
    z = z if x < INF else x
    z = z if x > ZERO else np.float32(np.nan)
    return -INF if x == ZERO else z


def log1p(x: Scalar) -> Scalar:
    """log(1 + x), as accurate near zero as far from it: 1 + x is split by its exponent but never formed."""
    e = np.int32(np.int32(np.float32(x + ONE).view(np.int32) - TWO_THIRDS_BITS) & EXPONENT_MASK)
    down = np.int32(FOUR_BITS - e).view(np.float32)
    f = np.int32(np.float32(x).view(np.int32) - e).view(np.float32) + (down * np.float32(0.25) - ONE)
    f = x if e == np.int32(0) else f
    k = np.float32(e) * ULP_OF_EXPONENT
    z = k * LN2_HIGH + (k * LN2_LOW + log1p_reduced(f))
    z = z if x < INF else x
    return z if x > -ONE else (-INF if x == -ONE else np.float32(np.nan))


def log1p_part(z: Scalar) -> Scalar:
    """(1 - x / sinh(x)) / z for x = log(1 + e), of z = 4 sinh(x / 2)**2 = e**2 / (1 + e)."""
    return (((U4 * z + U3) * z + U2) * z + U1) * z + U0


def log1psq(x: Scalar) -> Scalar:
    """log(1 + x**2); where the square would overflow, that of a part of x, and the rest as an exponent."""
    size = abs(x)
    vast = size > VAST
    scale = VAST_SCALE if vast else ONE
    y = x * scale
    one = ZERO if vast else ONE
    s = y * y
    e = np.int32(np.int32(np.float32(s + one).view(np.int32) - TWO_THIRDS_BITS) & EXPONENT_MASK)
    down = np.int32(ONE_BITS - e).view(np.float32)
    f = np.int32(np.float32(s).view(np.int32) - e).view(np.float32) + (one * down - ONE)
    f = s if e == np.int32(0) else f
    k = np.float32(e) * ULP_OF_EXPONENT
    k = k + VAST_EXPONENT if vast else k
    z = k * LN2_HIGH + (k * LN2_LOW + log1p_reduced(f))
    return z if s < INF else s


def sin(x: Scalar) -> Scalar:
    """Sine, through float64."""
    return np.float32(wide.sin(np.float64(x)))


def cos(x: Scalar) -> Scalar:
    """Cosine, through float64."""
    return np.float32(wide.cos(np.float64(x)))


def lgamma(x: Scalar) -> Scalar:
    """Logarithm of the absolute value of the gamma function, through float64."""
    return np.float32(wide.lgamma(np.float64(x)))


def digamma(x: Scalar) -> Scalar:
    """Derivative of `lgamma` for x > 0, through float64."""
    return np.float32(wide.digamma(np.float64(x)))


def trigamma(x: Scalar) -> Scalar:
    """Derivative of `digamma` for x > 0, through float64."""
    return np.float32(wide.trigamma(np.float64(x)))


def positive_power(x: Scalar, a: Scalar) -> Scalar:
    """x**a for x > 0: the logarithm and its product with ``a`` are carried in two parts, so that their size costs no digits.

    Within 2 ulps, and a quarter of one for each unit of ``a``.
    """
    small = x < LOWEST_NORMAL
    y = x * SUBNORMAL_SCALE if small else x
    e = np.int32(np.int32(np.float32(y).view(np.int32) - TWO_THIRDS_BITS) & EXPONENT_MASK)
    k = np.float32(e) * ULP_OF_EXPONENT
    k = k - SUBNORMAL_EXPONENT if small else k
    f = np.int32(np.float32(y).view(np.int32) - e).view(np.float32) - ONE
    q = ((((((L7 * f + L6) * f + L5) * f + L4) * f + L3) * f + L2) * f + L1) * f + L0
    first = leading(f)
    rest = f - first
    square = HALF * first * first
    cross = (first + f) * (HALF * rest)
    parts = k * LN2_HIGH + f
    low = ((f - (parts - k * LN2_HIGH)) + ((f * f * f * q + k * LN2_LOW) - cross)) - square
    high = parts + low
    low = (parts - high) + low
    top, factor = leading(high), leading(a)
    remains = (factor * (high - top) + (a - factor) * high) + a * low
    return exp_of_sum(factor * top, remains)


def tanh_part(u: Scalar) -> Scalar:
    """(x - tanh(x)) / x**3 * (x**2 + pi**2 / 4) near zero, of u = x**2."""
    return (T2 * u + T1) * u + T0


def log_cosh_part(u: Scalar) -> Scalar:
    """log(cosh(x)) / x**2 near zero, of u = x**2."""
    return ((((H5 * u + H4) * u + H3) * u + H2) * u + H1) * u + H0


def log1p_third_part(z: Scalar) -> Scalar:
    """`log1p_part` for the e <= 1/3, thus z <= 1/12, of `log_cosh`."""
    return (V2 * z + V1) * z + V0
