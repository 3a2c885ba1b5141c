"""Does a lowered function do what its source does as Python?"""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy as np
import pytest

from goodmeasure.deriving.record import Record
from goodmeasure.formulas.expression import symbols
from goodmeasure.keeping import machine_code
from goodmeasure.kernels import points, rows
from goodmeasure.kernels.layout import CHUNK
from goodmeasure.kernels.layout import points as printed_points
from goodmeasure.kernels.lowering import COLUMNS, LIBRARY, lowering
from goodmeasure.kernels.printer import with_whole_exponents
from goodmeasure.kernels.statistics import Asked
from goodmeasure.kernels.sums import STATE
from goodmeasure.losses import catalogue

DTYPES = ("float32", "float64")


def as_python(source: str, *given: Any) -> None:
    """Run a printed source as what it is; its arrays are those of NumPy, which keep their types."""
    space: dict[str, Any] = {"np": np, "math": math, "carray": lambda array, _: array, "across": across, "back": back}
    exec(source, space)
    with np.errstate(all="ignore"):
        space["run"](*given)


def across(lines: Any, width: int, rows: Any, classes: int) -> None:
    """What the statement of this name does, in words of Python."""
    for r in range(64 // rows.itemsize):
        for k in range(COLUMNS):
            lines[k * width + r] = rows[r * classes + k]


def back(rows: Any, classes: int, lines: Any, width: int) -> None:
    """The same of the other statement."""
    for r in range(64 // rows.itemsize):
        for k in range(COLUMNS):
            rows[r * classes + k] = lines[k * width + r]


def as_machine_code(source: str, *given: Any) -> None:
    kinds = [
        ctypes.c_void_p if isinstance(g, np.ndarray) else ctypes.c_double if isinstance(g, float) else ctypes.c_int64
        for g in given
    ]
    run = ctypes.CFUNCTYPE(None, *kinds)(machine_code.address(source, lowering()))
    run(*(g.ctypes.data if isinstance(g, np.ndarray) else g for g in given))


def both(source: str, *given: Any) -> list[tuple[Any, Any]]:
    """Each array as Python leaves it, and as machine code does."""
    there = [[g.copy() if isinstance(g, np.ndarray) else g for g in given] for _ in range(2)]
    as_python(source, *there[0])
    as_machine_code(source, *there[1])
    return [pair for pair in zip(*there, strict=True) if isinstance(pair[0], np.ndarray)]


# What one number x, or two, are made into; `y` is of x's type, `k` a whole number as wide. One line each, so that no product
# meets a sum, which may be fused.
OF_NUMBERS = [
    "x + y", "x - y", "x * y", "x / y", "-x", "abs(x)", "np.floor(x)", "np.rint(x)", "np.sqrt(x)", "math.copysign(x, y)",
    "x if x < y else y", "x if x <= y else 1", "x if x > y else 0.5", "x if x >= y else -y", "x if x == y else ONE",
    "x if x != y else FLOAT(np.nan)", "x if (x < y) & (y > 0) else y", "x if (x < y) | (y == 0.0) else y",
    "x if not x < y else y", "x if x < y and y < 1 else y", "x if x < y or y < 1 else y", "FLOAT(np.float64(x) * 0.1)",
    "FLOAT(np.float32(x))", "x * 2**-3", "FLOAT(3) * x", "FLOAT(True)", "x + 1 / 4", "INF if x > y else -INF",
]  # fmt: skip
OF_WHOLE = [
    "k + BITS", "k - BITS", "k * BITS", "k & BITS", "k | BITS", "k ^ BITS", "k << SHIFT", "k >> SHIFT", "-k",
    "WHOLE(np.int64(k) >> 3)", "WHOLE(np.int64(k) << 40)", "k if k > BITS else BITS", "min(k, BITS)", "max(k, BITS)",
    "WHOLE(abs(FLOAT(k)))", "WHOLE(7 // 2)", "WHOLE(np.int64(FLOAT(np.rint(FLOAT(k) / FLOAT(3)))))",
]  # fmt: skip
TYPED = """
FLOAT = np.{dtype}
WHOLE = np.{whole}
ONE, INF = np.{dtype}(1), np.{dtype}(np.inf)
BITS, SHIFT = np.{whole}(1234567), np.{whole}(5)
"""


def typed(dtype: str) -> str:
    lines = TYPED.format(dtype=dtype, whole=dtype.replace("float", "int"))
    pairs = (line.split(" = ") for line in lines.split("\n") if line)
    return "\n".join(
        f"{a.strip()} = {b.strip()}"
        for left, right in pairs
        for a, b in zip(left.split(","), _parts(right), strict=True)
    )


def _parts(text: str) -> list[str]:
    return text.replace("), np", ")\nnp").split("\n")


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_operation_gives_the_bits_of_numpy(dtype: str) -> None:
    whole = dtype.replace("float", "int")
    x = np.array([-math.inf, -3.5, -0.0, 0.0, 0.3, 0.5, 1, 2.5, 1e30, math.inf, math.nan], dtype)
    k = np.array([-(2**31), -123456789, -1, 0, 5, 1234567, 2**31 - 1], whole)
    lines = [
        typed(dtype),
        f"def run(x_: '*{dtype}', k_: '*{whole}', out_: '*{dtype}', wholes_: '*{whole}', bits_: '*{whole}'):",
    ]
    lines += [f"    for i in range({x.size}):", f"        for j in range({x.size}):", "            x, y = x_[i], x_[j]"]
    for n, text in enumerate(OF_NUMBERS):
        lines.append(f"            out_[({n} * {x.size} + i) * {x.size} + j] = {text}")
    lines += [f"        bits_[i] = {dtype_bits(dtype)}", f"    for i in range({k.size}):", "        k = k_[i]"]
    lines += [f"        wholes_[{n} * {k.size} + i] = {text}" for n, text in enumerate(OF_WHOLE)]
    out = np.zeros(len(OF_NUMBERS) * x.size**2, dtype)
    found = both("\n".join(lines), x, k, out, np.zeros(len(OF_WHOLE) * k.size, whole), np.zeros(x.size, whole))
    for text, a, b in zip(OF_NUMBERS, *(each.reshape(len(OF_NUMBERS), -1) for each in found[2]), strict=True):
        np.testing.assert_array_equal(a, b, text)
        there = ~np.isnan(a)
        np.testing.assert_array_equal(np.signbit(a[there]), np.signbit(b[there]), text)
    for text, a, b in zip(OF_WHOLE, *(each.reshape(len(OF_WHOLE), -1) for each in found[3]), strict=True):
        np.testing.assert_array_equal(a, b, text)
    np.testing.assert_array_equal(*found[4])


def dtype_bits(dtype: str) -> str:
    return f"np.{dtype}(x_[i] * HALF).view(WHOLE)".replace("HALF", "ONE")


@pytest.mark.parametrize("word", LIBRARY)
def test_functions_of_the_c_library_are_those_of_python(word: str) -> None:
    x = np.array([0.1, 0.5, 1.5, 3, 17.25, 100])
    (_, (truth, found)) = both(
        f"def run(x: '*float64', out: '*float64'):\n    for i in range(6):\n        out[i] = math.{word}(x[i])\n",
        x,
        np.zeros(6),
    )
    np.testing.assert_allclose(found, truth, rtol=4e-16, atol=4e-16)


@pytest.mark.parametrize("classes", [2, 3, 4, 7])
@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_are_laid_across_and_back(dtype: str, classes: int) -> None:
    lanes, width = 64 // np.dtype(dtype).itemsize, 17
    source = f"""
def run(rows: '*{dtype}', lines: '*{dtype}', rows_again: '*{dtype}', classes: 'int64', width: 'int64'):
    across(lines[1:], width, rows[2:], classes)
    back(rows_again[1:], classes, lines[1:], width)
"""
    given = [
        np.arange(1, lanes * classes + COLUMNS + 2),
        np.zeros(COLUMNS * width + 1),
        np.zeros(lanes * classes + COLUMNS + 2),
    ]
    for plain, found in both(source, *(each.astype(dtype) for each in given), classes, width):
        np.testing.assert_array_equal(plain, found)


STATEMENTS = {
    "a range of two": "for i in range(2, n):\n    out[i] = x[i]",
    "a range with steps": "for i in range(1, n, 3):\n    out[i] = x[i]",
    "an empty range": "out[0] = 1.0\nfor i in range(n, 2):\n    out[i] = x[i]",
    "loops in loops": "for i in range(n):\n    s = 0.0\n    for j in range(i):\n        s += x[j]\n    out[i] = s",
    "the same name in two loops": "for i in range(2):\n    out[i] = x[i]\nfor i in range(2, 4):\n    out[i] = -x[i]",
    "a name of two types": "a = 1\nout[a] = x[0]\na = 2.5\nout[0] = a",
    "two names at once": "a, b = x[0], x[1]\na, b = b, a\nout[0], out[1] = a, b",
    "one value for two names": "a = b = x[3]\na += 1.0\nout[0], out[1] = a, b",
    "while": "i = 0\nwhile i * i < n:\n    i += 1\nout[0] = i",
    "if and else": "for i in range(n):\n    if x[i] > 0:\n        out[i] = 1.0\n    else:\n        out[i] = x[i]",
    "a name that is given in an if": "a = 0.5\nfor i in range(n):\n    if x[i] > 0:\n        a = x[i]\n    out[i] = a",
    "parts of parts": "a = x[2:n]\nb = a[1:]\nfor i in range(n - 3):\n    out[i] = b[i] + a[i]",
    "an array by another name": "a = x\na = out\na[1] = 4.0",
    "places from numbers": "for i in range(n):\n    out[np.int64(abs(x[i]))] += 1.0",
    "sums of truths": "for i in range(n):\n    out[0] += 1.0 if x[i] > 0 else 0.0",
    "and so on": "found = False\nfor i in range(n):\n    found |= x[i] > 2\nout[0] = found",
    "plain conditions": "a = True\nif a:\n    out[0] = 2.0 if a else 3.0\nif False:\n    out[1] = 1.0",
    "nothing": "pass",
}  # fmt: skip


@pytest.mark.parametrize("what", STATEMENTS)
def test_every_statement_does_what_it_does_in_python(what: str) -> None:
    body = "\n".join(f"    {line}" for line in STATEMENTS[what].splitlines())
    source = f"def run(x: '*float64', out: '*float64', n: 'int64'):\n{body}\n"
    x = np.array([3.0, -1.5, 0.25, 7, -2, 4, 6, 1])
    for n in (4, 8):
        np.testing.assert_array_equal(*both(source, x, np.zeros(8), n)[1])


@pytest.mark.parametrize(
    "body",
    ["x[0] = y", "for i in x:\n        pass", "x[0] = i", "return", "x[0] = x", "x[0] = sum(x)", "x[0] = 1 < 2 < 3"],
)
def test_what_is_not_of_the_language_is_not_lowered(body: str) -> None:
    with pytest.raises((AssertionError, AttributeError, KeyError, ValueError)):
        lowering().write(f"def run(x: '*float64'):\n    {body}\n", "run")


def source_of(loss: Record, dtype: str) -> str:
    value, first, second = (with_whole_exponents(f, loss.values) for f in points.formulas(loss, "value+signal", False))
    return printed_points(
        value,
        first,
        second,
        raws=loss.raw_names,
        parameters=list(loss.values),
        dtype=dtype,
        weighted=False,
        whole=False,
    )


POINTWISE = sorted(name for name, make in catalogue().items() if not make().is_classwise)
CLASSWISE = sorted(name for name, make in catalogue().items() if make().is_classwise)
DIGITS = {"float32": 2e-6, "float64": 2e-14}


def test_of_every_loss_the_kernel_does_what_its_source_does() -> None:
    """To a few units in the last place, as sums of products are fused in machine code alone."""
    assert POINTWISE
    for number, name in enumerate(POINTWISE):
        loss, dtype = catalogue()[name](), DTYPES[number % 2]
        m, r = len(loss.activation), np.random.default_rng(number)
        # Few numbers, many times over: plain Python takes a millisecond for each.
        z = np.tile(r.normal(0, 2, 8 * m), CHUNK // 8).astype(dtype)
        y = np.clip(np.tile([0.0, 1.0], CHUNK // 2), *points.bounds(loss, np.dtype(dtype))).astype(dtype)
        parameters = np.array([*loss.values.values(), 0.0], dtype)
        source = source_of(loss, dtype).replace(f"for i in range({CHUNK}):", "for i in range(8):")
        out = both(source, y, z, np.zeros(1), parameters, points.bounds(loss, np.dtype(dtype)), np.zeros(CHUNK, dtype),
                   np.zeros(CHUNK * m, dtype), np.zeros(1, dtype), np.zeros(STATE), CHUNK, 8, 1, 0.5)  # fmt: skip
        for plain, found in (out[5], out[6]):
            np.testing.assert_allclose(found, plain, rtol=DIGITS[dtype], atol=DIGITS[dtype], err_msg=name)


@pytest.mark.parametrize("name", CLASSWISE)
def test_of_every_loss_of_classes_the_kernel_does_what_its_source_does(name: str) -> None:
    loss, dtype = catalogue()[name](), "float64"
    if not rows.speaks(loss):
        pytest.skip("no kernel")
    assert symbols(loss.composed)
    classes, n, r = 3, 2, np.random.default_rng(0)
    # Plain Python is slow: a loss goes through two of the four, few classes or many, and its neighbour through the others.
    for (is_few, of_shares), printed in list(rows._PRINTED.items())[CLASSWISE.index(name) % 2 :: 2]:
        asked = Asked(*rows._formulas(loss, True), tuple(loss.values), dtype, False)
        y = r.dirichlet(np.ones(classes), n).reshape(-1) if of_shares else r.integers(0, classes, n)
        out = both(printed(asked), y, r.normal(0, 2, n * classes), np.ones(n), np.array([*loss.values.values(), 0.0]),
                   np.ones(classes), np.zeros(n), np.zeros(n * classes), np.zeros(rows._SCRATCH),
                   np.zeros(8 * rows.TILE * classes if is_few else 16 * (classes + rows.WIDTH)), np.zeros(rows._STATE),
                   n, classes, 1, 0.5)  # fmt: skip
        for plain, found in (out[5], out[6]):
            np.testing.assert_allclose(found, plain, rtol=1e-13, atol=1e-13, err_msg=f"{is_few} {of_shares}")
