"""Products of a table with one vector, compiled: as fast as memory is read, where BLAS takes twice as long; and of the columns of
one of mostly zeros with each other, where SciPy makes tables of what it multiplies."""

from __future__ import annotations

from typing import Any

import numpy as np

from goodmeasure.keeping.compiling import loop
from goodmeasure.kernels.layout import CHUNK

# Sums may be taken in any order: a processor adds several numbers at a time.
_LOOSE = {"reassoc", "contract", "nsz"}
# What is left of a table after whole chunks is not worth a compilation.
_FEWEST = 1 << 18


def _forth_plain(features: Any, slopes: Any, out: Any) -> None:
    out[:] = features @ slopes


@loop(plain=_forth_plain, fewest=_FEWEST, nogil=True, fastmath=_LOOSE)
def forth(features: Any, slopes: Any, out: Any) -> None:
    """Write ``features @ slopes``."""
    for i in range(features.shape[0]):
        total = 0.0
        for j in range(features.shape[1]):
            total += features[i, j] * slopes[j]
        out[i] = total


def _back_plain(features: Any, signal: Any, out: Any) -> None:
    out += signal @ features


@loop(plain=_back_plain, fewest=_FEWEST, nogil=True, fastmath=_LOOSE)
def back(features: Any, signal: Any, out: Any) -> None:
    """Add ``signal @ features``, two rows at a time: of more, memory is read out of order."""
    n, width = features.shape
    even = n - n % 2
    for i in range(0, even, 2):
        a, b = signal[i], signal[i + 1]
        for j in range(width):
            out[j] += a * features[i, j] + b * features[i + 1, j]
    for i in range(even, n):
        for j in range(width):
            out[j] += signal[i] * features[i, j]


@loop(nogil=True, fastmath=_LOOSE)
def through(
    features: Any, slopes: Any, constant: Any, offset: Any, raw: Any, signal: Any, out: Any, sizes: Any,
    kernel: Any, y: Any, weight: Any, parameters: Any, limits: Any, scale: Any, state: Any,
) -> None:  # fmt: skip
    """Rows go forth to raw outputs, through a kernel to signals, and back, as many at a time as ``raw`` has room for.

    Added are signals as one of each slope, and then of the constant; to ``sizes`` the sum of the sizes of signals, and kept the
    largest size of a raw output. Rows and room are whole chunks of the kernel; an ``offset`` of no rows is none.
    """
    (rows, width), values = features.shape, np.empty(CHUNK)
    total, size, far = 0.0, 0.0, 0.0
    for start in range(0, rows, raw.shape[0]):
        count = min(raw.shape[0], rows - start)
        for i in range(count):
            z = constant
            for j in range(width):
                z += features[start + i, j] * slopes[j]
            raw[i] = z + offset[start + i] if len(offset) else z
        kernel(
            y[start:].ctypes, raw.ctypes, weight[start:].ctypes, parameters.ctypes, limits.ctypes,
            values.ctypes, signal.ctypes, values.ctypes, state.ctypes, count, count, 0, scale,
        )  # fmt: skip
        for i in range(0, count, 2):  # as `back`: whole chunks are even
            a, b = signal[i], signal[i + 1]
            for j in range(width):
                out[j] += a * features[start + i, j] + b * features[start + i + 1, j]
        for i in range(count):
            total += signal[i]
            size += abs(signal[i])
            far = max(far, abs(raw[i]))
    out[width] += total
    sizes[0], sizes[1] = sizes[0] + size, max(sizes[1], far)


def _moments_plain(features: Any, sums: Any, squares: Any) -> None:
    sums += features.sum(axis=0)
    squares += (features**2).sum(axis=0)


@loop(plain=_moments_plain, nogil=True, fastmath=_LOOSE)
def moments(features: Any, sums: Any, squares: Any) -> None:
    """Add each column's sum and sum of squares."""
    n, width = features.shape
    even = n - n % 2
    for i in range(0, even, 2):
        for j in range(width):
            x, z = features[i, j], features[i + 1, j]
            sums[j] += x + z
            squares[j] += x * x + z * z
    for i in range(even, n):
        for j in range(width):
            sums[j] += features[i, j]
            squares[j] += features[i, j] * features[i, j]


def _weighed_moments_plain(features: Any, weight: Any, sums: Any, squares: Any) -> None:
    sums += weight @ features
    squares += weight @ features**2


@loop(plain=_weighed_moments_plain, nogil=True, fastmath=_LOOSE)
def weighed_moments(features: Any, weight: Any, sums: Any, squares: Any) -> None:
    """Add each column's weighed sum and sum of squares."""
    n, width = features.shape
    even = n - n % 2
    for i in range(0, even, 2):
        a, b = weight[i], weight[i + 1]
        for j in range(width):
            x, z = a * features[i, j], b * features[i + 1, j]
            sums[j] += x + z
            squares[j] += x * features[i, j] + z * features[i + 1, j]
    for i in range(even, n):
        for j in range(width):
            x = weight[i] * features[i, j]
            sums[j] += x
            squares[j] += x * features[i, j]


def _crossed_plain(starts: Any, columns: Any, cells: Any, by_row: Any, out: Any) -> None:
    from scipy.sparse import csr_array

    table = csr_array((cells, columns, starts), shape=(len(by_row), len(out)))
    out += (table.T @ table.multiply(by_row[:, None])).toarray()


@loop(plain=_crossed_plain, nogil=True, fastmath=_LOOSE)
def crossed(starts: Any, columns: Any, cells: Any, by_row: Any, out: Any) -> None:
    """Add the products of columns with each other, of a table whose rows hold their cells from one start to the next (CSR)."""
    for i in range(len(by_row)):
        for a in range(starts[i], starts[i + 1]):
            x, j = by_row[i] * cells[a], columns[a]
            for b in range(starts[i], starts[i + 1]):
                out[j, columns[b]] += x * cells[b]
