"""Bootstrap replicates that add up: how often a row counts in a replicate follows from its id, not from a
generator."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.keeping.compiling import loop
from goodmeasure.statistics.estimate import Estimate
from goodmeasure.statistics.exact_sums import ExactSums
from goodmeasure.statistics.row_arguments import Floats, equal_length
from goodmeasure.tallying.state import hashed

# The distribution of a Poisson count of mean 1, in units of 2**-64: how often a row counts.
_TABLE = np.array([int(2**64 * share) for share in np.cumsum(np.exp(-1) / np.cumprod([1.0, *range(1, 9)]))], np.uint64)


def _drawn_plain(keys: Any, replicate: int, table: Any, out: Any) -> None:
    """What `_drawn` gives, one step for all rows at a time."""
    x = keys + np.uint64(0x9E3779B97F4A7C15 * (replicate + 1) % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    out[:] = np.searchsorted(table, x ^ (x >> np.uint64(31)), side="right")


@loop(nogil=True)
def _poisson(key: Any, replicate: Any, table: Any) -> Any:
    """A count of mean 1 from the bits of a row's id and a replicate's number (finaliser of SplitMix64)."""
    x = key + np.uint64(0x9E3779B97F4A7C15) * (np.uint64(replicate) + np.uint64(1))
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = x ^ (x >> np.uint64(31))
    count = 0
    while count < len(table) and x >= table[count]:
        count += 1
    return count


@loop(plain=_drawn_plain, nogil=True)
def _drawn(keys: Any, replicate: Any, table: Any, out: Any) -> None:
    for i in range(len(keys)):
        out[i] = _poisson(keys[i], replicate, table)


class Replicates:
    """Bootstrap sums of a column: each row counts a Poisson number of times in each replicate, fixed by its id.

    A commutative monoid: any partition and order of the rows give the same bits (Hanley and MacGibbon 2006 for
    Poisson weights).
    """

    def __init__(self, count: int = 200, rows: NDArray[np.int64] | None = None, sums: ExactSums | None = None) -> None:
        self.rows: NDArray[np.int64] = np.zeros(count, dtype=np.int64) if rows is None else rows
        self.sums: ExactSums = ExactSums(count) if sums is None else sums

    def add(self, ids: ArrayLike, values: Floats) -> None:
        """Add rows by their ids, which must be the rows' own (an index into a part is not)."""
        keys = hashed(ids, "ids")
        equal_length(ids=keys, values=values)
        times = np.empty(len(keys), dtype=np.int64)
        for replicate in range(len(self.rows)):
            _drawn(keys, replicate, _TABLE, times)
            self.rows[replicate] += times.sum()
            self.sums.add_column(times * values, replicate)

    def merge(self, other: Replicates) -> Replicates:
        """The replicates of both sets of rows."""
        return Replicates(len(self.rows), self.rows + other.rows, self.sums.merge(other.sums))

    def means(self) -> Floats:
        """The mean of each replicate."""
        return np.asarray(self.sums.totals() / self.rows, dtype=np.float64)

    def estimate(self, value: float, n: int, level: float = 0.95) -> Estimate:
        """The value with the percentile interval of the replicates."""
        means = self.means()
        low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
        method = f"Poisson bootstrap by id ({len(means)})"
        return Estimate(value, float(low), float(high), n, n, method, level, float(means.std()))
