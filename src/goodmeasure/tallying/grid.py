"""The fixed grids that scores and predictions are counted on: fine near the ends, the same on every machine."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.keeping.compiling import loop
from goodmeasure.statistics.row_arguments import Floats

OCTAVES = 31
PER_OCTAVE = 64
HALF = 1 + OCTAVES * PER_OCTAVE  # cells below one half; the first holds everything below 2**-32
SCORE_CELLS = 2 * HALF + 1
QUANTUM = 2.0**-32  # scores are summed in whole multiples of it

AMOUNT_OCTAVES = 64  # from 2**-32 to 2**32, either sign, with a cell for what is smaller and one for what is larger
AMOUNT_STEPS = 32
AMOUNT_HALF = AMOUNT_OCTAVES * AMOUNT_STEPS + 1
AMOUNT_CELLS = 2 * AMOUNT_HALF + 1


FIRST = ((1023 - 32) << 6) - 1  # the upper bits of 2**-32, less one: what lies below goes to cell 0
MAGIC = 1.5 * 2.0**20  # adding it rounds to whole quanta, which then stand in the low bits
CHUNK = 1024
# A row adds one number to its cell: 1 in the upper bits for the count, its quanta (at most 2**32) in the lower ones. That many
# rows fit before both are taken apart.
COUNT = 48
MOST_ROWS = ((1 << (64 - COUNT)) // CHUNK - 1) * CHUNK
QUANTA = (1 << COUNT) - 1
_ONE_ROW = (1 << COUNT) - int(np.array([MAGIC]).view(np.int64)[0])


def _cells_plain(p: Any, out: Any) -> None:
    """What `_cells` gives, all rows at once."""
    k = np.maximum((np.minimum(p, 1.0 - p).view(np.int64) >> 46) - FIRST, 0)
    out[:] = np.where(p < 0.5, k, SCORE_CELLS - 1 - k)


@loop(nogil=True)
def cell_of(p: Any) -> Any:
    """The cell of a probability: six bits of significand in each octave of it or its complement."""
    k: Any = max((np.float64(min(p, 1.0 - p)).view(np.int64) >> 46) - FIRST, 0)
    return k if p < 0.5 else SCORE_CELLS - 1 - k


@loop(plain=_cells_plain, whole=True, nogil=True)
def _cells(p: Any, out: Any) -> None:
    """The cell of each probability."""
    for i in range(len(p)):
        out[i] = cell_of(p[i])


def _count_scores_plain(p: Any, labels: Any, counts: Any, places: Any) -> None:
    """What `_count_scores` gives, all rows at once."""
    cells = np.empty(len(p), np.int64)
    _cells_plain(p, cells)
    at = 2 * cells + labels
    counts += np.bincount(at, minlength=len(counts))
    np.add.at(places, at, (p + MAGIC).view(np.int64) - np.array([MAGIC]).view(np.int64))


@loop(nogil=True)
def packed(p: Any) -> Any:
    """What a row adds to its cell."""
    return np.float64(p + MAGIC).view(np.int64) + _ONE_ROW


@loop(nogil=True)
def add_rows(at: Any, each: Any, n: int, table: Any) -> None:
    """Add rows to a table of cells by label: their places in it, and what each of them adds."""
    for i in range(n):
        table[at[i]] += each[i]


@loop(nogil=True)
def unpack(table: Any, counts: Any, places: Any) -> None:
    """Take what rows added apart, at most so many as `MOST_ROWS`, and empty the table."""
    for at in range(len(table)):
        counts[at] += np.int64(np.uint64(table[at]) >> np.uint64(COUNT))
        places[at] += table[at] & QUANTA
        table[at] = 0


@loop(plain=_count_scores_plain, whole=True, nogil=True)
def _count_scores(p: Any, labels: Any, counts: Any, places: Any) -> None:
    table, at, each = np.zeros(len(counts), np.int64), np.empty(CHUNK, np.int64), np.empty(CHUNK, np.int64)
    for first in range(0, len(p), MOST_ROWS):
        end = min(first + MOST_ROWS, len(p))
        for start in range(first, end, CHUNK):
            part, label = p[start : min(start + CHUNK, end)], labels[start : min(start + CHUNK, end)]
            for i in range(len(part)):
                at[i] = 2 * cell_of(part[i]) + label[i]
                each[i] = packed(part[i])
            add_rows(at, each, len(part), table)
        unpack(table, counts, places)


def count_scores(p: Floats, labels: NDArray[np.int8], counts: NDArray[np.int64], places: NDArray[np.int64]) -> None:
    """Count probabilities by cell and label (0 or 1), and sum them in whole quanta."""
    _count_scores(np.ascontiguousarray(p, dtype=np.float64), labels, counts.reshape(-1), places.reshape(-1))


def score_cells(p: Floats) -> NDArray[np.intp]:
    """The cell of each probability; cells ascend with the probability."""
    cells = np.empty(len(p), dtype=np.int64)
    _cells(np.ascontiguousarray(p, dtype=np.float64), cells)
    return cells


@cache
def score_edges() -> Floats:
    """The smallest probability of each cell: exact doubles, so that cutting at them is exact."""
    steps = np.arange(OCTAVES * PER_OCTAVE)
    lower = np.ldexp(1 + (steps % PER_OCTAVE) / PER_OCTAVE, steps // PER_OCTAVE - 32)
    # Above one half a cell holds 1 - q for q in [a, b): its smallest member is just above 1 - b.
    upper = np.nextafter(1 - np.append(lower[1:], 0.5)[::-1], 2)
    last = np.nextafter(1 - 2.0**-32, 2)
    edges = np.concatenate([[0.0], lower, [0.5], upper, [last]])
    edges.setflags(write=False)
    return edges


def amount_cells(values: Floats) -> NDArray[np.intp]:
    """The cell of each real number on a grid of its sign, exponent and five bits of significand; cells ascend."""
    size = np.abs(np.ascontiguousarray(values, dtype=np.float64))
    key = (size.view(np.int64) >> 47) - ((1023 - 32) << 5) + 1
    rank = np.clip(key, 0, AMOUNT_HALF)
    return np.asarray(np.where(values < 0, AMOUNT_HALF - rank, AMOUNT_HALF + rank), dtype=np.intp)
