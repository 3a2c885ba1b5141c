"""Are the kernels' words accurate to 2 ulps wherever floating-point numbers reach?"""

import math
from functools import cache

import mpmath as mp
import numpy as np
import pytest

from goodmeasure import words
from goodmeasure.formulas.expression import symbol
from goodmeasure.kernels import points
from goodmeasure.kernels.layout import CHUNK
from goodmeasure.kernels.layout import points as printed
from goodmeasure.kernels.printer import _Lines

DTYPES = ("float32", "float64")
TRUTH = {
    "exp": mp.exp,
    "expm1": mp.expm1,
    "log": lambda x: mp.log(x) if x > 0 else (-mp.inf if x == 0 else mp.nan),
    "log1p": lambda x: mp.log1p(x) if x > -1 else (-mp.inf if x == -1 else mp.nan),
    "sqrt": lambda x: mp.sqrt(x) if x >= 0 else mp.nan,
    "softplus": lambda x: max(x, 0) + mp.log1p(mp.exp(-abs(x))),
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)) if x > 0 else mp.exp(x) / (1 + mp.exp(x)),
    "tanh": lambda x: mp.tanh(x) if abs(x) < 400 else mp.sign(x),
}
SPECIAL = {  # at -inf, +inf
    "exp": (0, math.inf),
    "expm1": (-1, math.inf),
    "log": (math.nan, math.inf),
    "log1p": (math.nan, math.inf),
    "sqrt": (math.nan, math.inf),
    "softplus": (0, math.inf),
    "sigmoid": (0, 1),
    "tanh": (-1, 1),
}


@cache
def grid(dtype):
    """Both signs of what breaks words: ends of the exponent range, switch points, and everything between."""
    info, r = np.finfo(dtype), np.random.default_rng(0)
    marked = [info.smallest_subnormal, 3e5 * info.smallest_subnormal, info.tiny, 1e-30, 1e-9, 1e-4, 17, 37, 88, 104]
    marked += [709, 745, 1e4, 1e30, info.max, 0.55, 0.5, 1 / 3, 0.41421356, math.log(2), math.log(2) / 2, 1, 2]
    with np.errstate(all="ignore"):
        near = [np.nextafter(np.asarray(v, dtype), side) for v in marked for side in (0, np.inf)]
    spread = np.concatenate([r.uniform(0, 3, 400), r.uniform(0, 110, 200), r.uniform(600, 760, 60)])
    spread = np.concatenate([spread, 2.0 ** r.uniform(-120, 120, 200)])
    size = np.unique(np.concatenate([np.asarray(marked, dtype), np.asarray(near, dtype), spread.astype(dtype)]))
    size = size[np.isfinite(size)]
    return np.concatenate([[0.0, -0.0], size, -size]).astype(dtype)


@cache
def computed(dtype):
    """Every word at every point of the grid and at -inf, inf and NaN, from one compiled kernel."""
    formulas = [getattr(words, name)(symbol("z")) for name in TRUTH]
    x = np.concatenate([grid(dtype), np.array([-np.inf, np.inf, np.nan], dtype)])
    return dict(zip(TRUTH, printed_numbers(formulas, x), strict=True))


def printed_numbers(formulas, x):
    """What a compiled kernel makes of formulas of z, a row each."""
    dtype = str(x.dtype)
    source = printed([], formulas, [], raws=["z"], parameters=[], dtype=dtype, weighted=False, whole=False)
    kernel = points.PointKernel(
        points.function(source, points._ARGUMENTS),
        np.zeros(1, dtype),
        np.array([-1, 1], dtype),
        (1, 1, 0, 0, len(formulas), 0),
    )
    out = np.empty((x.size, len(formulas)), dtype)
    arrays = [np.zeros_like(x), x, None, None, out.reshape(-1), None]
    points._give(points._run(kernel, points._Scratch(kernel), arrays, x.size, 1.0))
    return out.T


def ulps(seen, true, dtype):
    """How far a number is from the truth, in units of its last place; beyond the largest number only infinity is right."""
    info = np.finfo(dtype)
    largest = mp.mpf(float(info.max))
    if math.isinf(seen):
        return 0.0 if true * (1 if seen > 0 else -1) >= largest * (1 - 2 * mp.mpf(float(info.eps))) else math.inf
    unit = float(np.spacing(np.asarray(float(min(abs(true), largest * (1 - mp.mpf(float(info.eps))))), dtype)))
    return float(abs(mp.mpf(seen) - true) / unit)


# What the words are so far out that their truth in many digits would take all day.
FAR = {"exp": (0, math.inf), "expm1": (-1, math.inf), "softplus": (0, None), "sigmoid": (0, 1)}


def true_value(name, x):
    if name in FAR and abs(x) > 1e5:
        limit = FAR[name][x > 0]
        return mp.mpf(x if limit is None else limit)
    return TRUTH[name](mp.mpf(x))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", TRUTH)
def test_within_two_ulps(name, dtype):
    worst = (0.0, 0.0)
    with mp.workdps(60):
        for x, seen in zip(grid(dtype).tolist(), computed(dtype)[name].tolist(), strict=False):
            true = true_value(name, x)
            if mp.isnan(true) or mp.isinf(true):
                assert seen == float(true) or (math.isnan(seen) and mp.isnan(true)), (x, seen, true)
            else:
                worst = max(worst, (ulps(seen, true, dtype), x))
    assert worst[0] <= 2, f"{name} is {worst[0]:.2f} ulps off at {worst[1]!r}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SPECIAL)
def test_infinities_and_nan(name, dtype):
    np.testing.assert_array_equal(computed(dtype)[name][-3:], np.array([*SPECIAL[name], np.nan], dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_sigmoids_of_opposite_sign_add_up_to_one(dtype):
    p, x = computed(dtype)["sigmoid"][:-3], grid(dtype)
    p = dict(zip(x.tolist(), p.tolist(), strict=True))
    assert all(abs(p[v] + p[-v] - 1) <= np.finfo(dtype).eps for v in p if v)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_larger_and_the_smaller_of_two_numbers_are_those_of_numpy(dtype):
    """Where one of them is no number, neither is the answer, whichever it is."""
    z, half = symbol("z"), 0.5
    clipped = words.where(z < 0, z, 0)  # a number even where z is none
    pairs = [(z, half), (half, z), (z, clipped), (clipped, z), (z, -z), (z, z * z)]
    formulas = [word(a, b) for word in (words.maximum, words.minimum) for a, b in pairs]
    x = np.array([-np.inf, -2, -0.5, 0, 0.25, 0.5, 2, np.inf, np.nan], dtype)
    c = np.where(x < 0, x, 0).astype(dtype)
    given = [(x, half), (half, x), (x, c), (c, x), (x, -x), (x, x * x)]
    expected = [function(a, b) for function in (np.maximum, np.minimum) for a, b in given]
    np.testing.assert_array_equal(printed_numbers(formulas, x), np.array(expected, dtype))


def test_the_size_of_a_negated_number_is_that_of_the_number():
    lines = _Lines({}, "t")
    minus = lines.assign("-a")
    lines.assign(f"abs({minus}) * b + abs(c)")
    assert lines.lines == ["t0 = -a", "t1 = abs(a) * b + abs(c)"]


def test_a_chunk_is_whole_vectors():
    assert CHUNK % 64 == 0
