"""Products of a table with one vector, compiled: as fast as memory is read, where BLAS takes twice as long; and of the columns of
one of mostly zeros with each other, where SciPy makes tables of what it multiplies."""

from __future__ import annotations

from typing import Any

from goodmeasure.keeping.compiling import loop

# Sums may be taken in any order: a processor adds several numbers at a time.
LOOSE = {"reassoc", "contract", "nsz"}
# What is left of a table after whole chunks is not worth a compilation.
_FEWEST = 1 << 18


def _forth_plain(features: Any, slopes: Any, out: Any) -> None:
    out[:] = features @ slopes


@loop(plain=_forth_plain, fewest=_FEWEST, nogil=True, fastmath=LOOSE)
def forth(features: Any, slopes: Any, out: Any) -> None:
    """Write ``features @ slopes``."""
    for i in range(features.shape[0]):
        total = 0.0
        for j in range(features.shape[1]):
            total += features[i, j] * slopes[j]
        out[i] = total


def _back_plain(features: Any, signal: Any, out: Any) -> None:
    out += signal @ features


@loop(plain=_back_plain, fewest=_FEWEST, nogil=True, fastmath=LOOSE)
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


def _moments_plain(features: Any, sums: Any, squares: Any) -> None:
    sums += features.sum(axis=0)
    squares += (features**2).sum(axis=0)


@loop(plain=_moments_plain, nogil=True, fastmath=LOOSE)
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


@loop(plain=_weighed_moments_plain, nogil=True, fastmath=LOOSE)
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


@loop(plain=_crossed_plain, nogil=True, fastmath=LOOSE)
def crossed(starts: Any, columns: Any, cells: Any, by_row: Any, out: Any) -> None:
    """Add the products of columns with each other, of a table whose rows hold their cells from one start to the next (CSR)."""
    for i in range(len(by_row)):
        for a in range(starts[i], starts[i + 1]):
            x, j = by_row[i] * cells[a], columns[a]
            for b in range(starts[i], starts[i + 1]):
                out[j, columns[b]] += x * cells[b]
