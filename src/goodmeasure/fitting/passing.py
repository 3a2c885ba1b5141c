"""A table's rows on their way through the kernel of a loss and back, all while they are near the core."""

from __future__ import annotations

from typing import Any

import numpy as np

from goodmeasure.fitting.loops import LOOSE
from goodmeasure.keeping.compiling import call_at, loop
from goodmeasure.kernels.layout import CHUNK

# All bits of a number but its sign: as whole numbers they are in the order of sizes, and a processor compares several at a time.
_SIZE = np.int64((1 << 63) - 1)


@loop(nogil=True, fastmath=LOOSE)
def _sums(raw: Any, signal: Any) -> Any:
    """The sum of signals, that of their sizes, and the largest size of a raw output."""
    total, size, far, bits = 0.0, 0.0, np.zeros(1, np.int64), raw.view(np.int64)
    for i in range(len(signal)):
        total += signal[i]
        size += abs(signal[i])
    largest = np.int64(0)
    for i in range(len(bits)):
        largest = max(largest, bits[i] & _SIZE)
    far[0] = largest
    return total, size, far.view(np.float64)[0]


@loop(nogil=True, fastmath=LOOSE)
def _signals(
    kernel: Any, y: Any, weight: Any, parameters: Any, limits: Any, scale: Any, state: Any, values: Any, raw: Any, signal: Any,
    start: Any, count: Any,
) -> None:  # fmt: skip
    """So many rows from ``start`` on through the kernel of a loss: from raw outputs to signals."""
    live = np.int64(count)
    call_at(kernel, (
        y[start:].ctypes.data, raw.ctypes.data, weight[start:].ctypes.data, parameters.ctypes.data, limits.ctypes.data,
        values.ctypes.data, signal.ctypes.data, values.ctypes.data, state.ctypes.data, live, live, np.int64(0), scale,
    ))  # fmt: skip


@loop(nogil=True, fastmath=LOOSE)
def _product(gemm: Any, letter: Any, sides: Any, left: Any, right: Any, factors: Any, out: Any) -> None:
    """A product of tables by BLAS, which takes their lines for columns: of ``sides`` m, n and k it is (n, k) times (k, m).

    It asks for all by address: that no table is turned (``letter``), and ``factors`` of the product and of what ``out`` held.
    """
    as_it_is, m, k = letter.ctypes.data, sides.ctypes.data, sides[2:].ctypes.data
    call_at(gemm, (
        as_it_is, as_it_is, m, sides[1:].ctypes.data, k, factors.ctypes.data, left.ctypes.data, m, right.ctypes.data, k,
        factors[1:].ctypes.data, out.ctypes.data, m,
    ))  # fmt: skip


@loop(nogil=True, fastmath=LOOSE)
def through(
    features: Any, slopes: Any, constant: Any, offset: Any, raw: Any, signal: Any, out: Any, sizes: Any,
    kernel: Any, y: Any, weight: Any, parameters: Any, limits: Any, scale: Any, state: Any,
) -> None:  # fmt: skip
    """Rows go forth to raw outputs, through a kernel to signals, and back, as many at a time as ``raw`` has room for.

    Added are signals as one of each slope, and then of the constant; to ``sizes`` the sum of the sizes of signals, and kept the
    largest size of a raw output. Rows and room are whole chunks of the kernel; an ``offset`` of no rows is none.
    """
    (rows, width), values = features.shape, np.empty(CHUNK)
    for start in range(0, rows, raw.shape[0]):
        count = min(raw.shape[0], rows - start)
        for i in range(count):
            z = constant
            for j in range(width):
                z += features[start + i, j] * slopes[j]
            raw[i] = z + offset[start + i] if len(offset) else z
        _signals(kernel, y, weight, parameters, limits, scale, state, values, raw, signal, start, count)
        for i in range(0, count, 2):  # as `goodmeasure.fitting.loops.back`: chunks are even
            a, b = signal[i], signal[i + 1]
            for j in range(width):
                out[j] += a * features[start + i, j] + b * features[start + i + 1, j]
        total, size, far = _sums(raw[:count], signal[:count])
        out[width] += total
        sizes[0], sizes[1] = sizes[0] + size, max(sizes[1], far)


@loop(nogil=True, fastmath=LOOSE)
def abreast(
    gemm: Any, letter: Any, factors: Any, sides: Any, features: Any, slopes: Any, constants: Any, offset: Any, table: Any,
    raw: Any, signals: Any, out: Any, sizes: Any,
    kernel: Any, y: Any, weight: Any, parameters: Any, limits: Any, scale: Any, states: Any,
) -> None:  # fmt: skip
    """The same by several parameters at once, each a column of ``slopes``, and a line of what is added to.

    In ``table`` and in ``signals`` is room for the raw outputs and the signals of all of them. ``gemm`` is where BLAS multiplies
    tables; ``letter``, ``factors`` (one, one and zero: to add, and from the second on to set) and room for ``sides`` are what
    `_product` tells it.
    """
    (rows, width), many, values = features.shape, len(constants), np.empty(CHUNK)
    added = np.zeros((many, width))
    for start in range(0, rows, len(raw)):
        count = min(len(raw), rows - start)
        part, there = features[start : start + count], table[:count]
        back = signals[: many * count].reshape((many, count))
        sides[0], sides[1], sides[2] = many, count, width
        _product(gemm, letter, sides, slopes, part, factors[1:], there)
        for k in range(many):
            for i in range(count):
                raw[i] = there[i, k] + constants[k]
            for i in range(min(count, len(offset))):
                raw[i] += offset[start + i]
            _signals(kernel, y, weight, parameters, limits, scale, states[k], values, raw, back[k], start, count)
            total, size, far = _sums(raw[:count], back[k])
            out[k, width] += total
            sizes[k, 0], sizes[k, 1] = sizes[k, 0] + size, max(sizes[k, 1], far)
        sides[0], sides[1], sides[2] = width, many, count
        _product(gemm, letter, sides, part, back, factors, added)
    for k in range(many):
        for j in range(width):
            out[k, j] += added[k, j]
