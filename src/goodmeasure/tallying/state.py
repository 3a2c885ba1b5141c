"""The small monoids that a tally is made of: sums of a column, counts on a grid, sums by cluster."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.errors import strict_class
from goodmeasure.statistics.exact_sums import ExactSums
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.tallying.grid import AMOUNT_CELLS, QUANTUM, SCORE_CELLS, amount_cells, count_scores, score_cells

Arrays = dict[str, NDArray[Any]]


class Power(NamedTuple):
    """The sums over rows from which a weighted mean and its variance are read: w, w², w v, w² v, w² v²."""

    w: float
    w2: float
    wv: float
    w2v: float
    w2v2: float


class Moments:
    """Exact sums of one column of numbers; of the weights too where there are any. Infinite values are counted."""

    def __init__(self, weighted: bool, n: int = 0, infinite: int = 0, sums: ExactSums | None = None) -> None:
        self.weighted, self.n, self.infinite = weighted, n, infinite
        self.sums = ExactSums(5 if weighted else 2) if sums is None else sums

    def add(self, values: Floats, w: Floats | None) -> None:
        """Add a column of values, with its weights if this tally has any."""
        self.n += len(values)
        if w is None and self.sums.add_moments(values, 0):
            return
        finite = np.isfinite(values)
        if not finite.all():
            self.infinite += int((~finite).sum())
            values, w = values[finite], None if w is None else w[finite]
        columns = [values, values * values]
        if w is not None:
            columns = [w, w * w, *(w * column for column in (values, w * values, w * values * values))]
        for cell, column in enumerate(columns):
            self.sums.add_column(column, cell)

    def merge(self, other: Moments) -> Moments:
        """The moments of both sets of rows."""
        infinite = self.infinite + other.infinite
        return Moments(self.weighted, self.n + other.n, infinite, self.sums.merge(other.sums))

    def totals(self) -> Power:
        """The sums over the finite rows, each rounded once."""
        found = self.sums.totals().tolist()
        if self.weighted:
            return Power(*found)
        finite = float(self.n - self.infinite)
        return Power(finite, finite, found[0], found[0], found[1])


class ScoreCounts:
    """Rows by cell of their probability and by label, with their summed scores, and their weights if there are
    any."""

    def __init__(
        self,
        weighted: bool,
        counts: NDArray[np.int64] | None = None,
        places: NDArray[np.int64] | None = None,
        sums: ExactSums | None = None,
    ) -> None:
        self.weighted = weighted
        self.counts = np.zeros((SCORE_CELLS, 2), dtype=np.int64) if counts is None else counts
        self.places = np.zeros((SCORE_CELLS, 2), dtype=np.int64) if places is None else places
        self.sums = ExactSums(4 * SCORE_CELLS if weighted else 0) if sums is None else sums

    def add(self, p: Floats, labels: NDArray[np.int8], w: Floats | None) -> None:
        """Count probabilities with labels 0 and 1."""
        count_scores(p, labels, self.counts, self.places)
        if w is not None:
            at = score_cells(p) * 2 + labels
            self.sums.add(w, at)
            self.sums.add(w * w, at + 2 * SCORE_CELLS)

    def merge(self, other: ScoreCounts) -> ScoreCounts:
        """The counts of both sets of rows."""
        counts, places = self.counts + other.counts, self.places + other.places
        return ScoreCounts(self.weighted, counts, places, self.sums.merge(other.sums))

    def table(self) -> tuple[Floats, Floats, Floats]:
        """By cell: the mean score; and by cell and label: weight and squared weight."""
        held = self.counts.sum(axis=1)
        mean = np.divide(self.places.sum(axis=1) * QUANTUM, held, out=np.zeros(SCORE_CELLS), where=held > 0)
        if not self.weighted:
            weight = self.counts.astype(np.float64)
            return mean, weight, weight
        totals = self.sums.totals().reshape(2, SCORE_CELLS, 2)
        return mean, totals[0], totals[1]


class AmountSums:
    """Rows by cell of their predicted amount: sums of w, w², w·prediction, w·v, w²·v, w²·v², v the identification."""

    def __init__(self, counts: NDArray[np.int64] | None = None, sums: ExactSums | None = None) -> None:
        self.counts = np.zeros(AMOUNT_CELLS, dtype=np.int64) if counts is None else counts
        self.sums = ExactSums(6 * AMOUNT_CELLS) if sums is None else sums

    def add(self, prediction: Floats, v: Floats, w: Floats | None) -> None:
        """Add predictions with their identification values (for a mean, prediction minus target)."""
        cell = amount_cells(prediction)
        self.counts += np.bincount(cell, minlength=AMOUNT_CELLS)
        one = np.ones(len(v)) if w is None else w
        columns = [one, one * one, one * prediction, one * v, one * one * v, one * one * v * v]
        for place, column in enumerate(columns):
            self.sums.add(column, cell + place * AMOUNT_CELLS)

    def merge(self, other: AmountSums) -> AmountSums:
        """The sums of both sets of rows."""
        return AmountSums(self.counts + other.counts, self.sums.merge(other.sums))

    def table(self) -> Floats:
        """The six sums (rows) by cell (columns), each rounded once."""
        return self.sums.totals().reshape(6, AMOUNT_CELLS)


class ClusterSums:
    """Weight and weighted values of each column, summed by cluster; clusters are known by a hash of their key."""

    def __init__(self, columns: int, keys: NDArray[np.uint64] | None = None, sums: ExactSums | None = None) -> None:
        self.columns = columns
        self.keys = np.zeros(0, dtype=np.uint64) if keys is None else keys
        self.sums = ExactSums(0) if sums is None else sums

    @staticmethod
    def of(keys: NDArray[np.uint64], w: Floats, columns: list[Floats]) -> ClusterSums:
        """The sums of one part of the rows; infinite values are left out of them."""
        known, cell = np.unique(keys, return_inverse=True)
        width = len(columns) + 1
        sums = ExactSums(len(known) * width)
        sums.add(w, cell * width)
        for k, column in enumerate(columns, start=1):
            finite = np.isfinite(column)
            sums.add((w * column)[finite], (cell * width + k)[finite])
        return ClusterSums(len(columns), known, sums)

    def merge(self, other: ClusterSums) -> ClusterSums:
        """The sums of both sets of rows: clusters of the same key are one."""
        keys = np.concatenate([self.keys, other.keys])
        keys.sort(kind="stable")  # both are sorted, which this sort makes use of
        keys = keys[np.diff(keys, prepend=~keys[:1]) != 0]
        width = self.columns + 1

        def placed(part: ClusterSums) -> ExactSums:
            at = (np.searchsorted(keys, part.keys)[:, None] * width + np.arange(width)).ravel()
            return part.sums.placed(at, len(keys) * width)

        return ClusterSums(self.columns, keys, placed(self).merge(placed(other)))

    def table(self) -> Floats:
        """By cluster: its weight and its weighted sum of each column."""
        return self.sums.totals().reshape(len(self.keys), self.columns + 1)


def hashed(keys: ArrayLike) -> NDArray[np.uint64]:
    """Keys of any type as 64-bit hashes that are the same on every machine."""
    distinct, inverse = np.unique(np.asarray(keys), return_inverse=True)
    digests = [hashlib.blake2b(str(key).encode(), digest_size=8).digest() for key in distinct.tolist()]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)[inverse.ravel()]


@strict_class
@dataclass
class State:
    """Everything that one group of rows contributes, for every model and loss.

    Attributes:
        rows: how many rows were counted.
        excluded: how many rows were left out, by reason.
        moments: sums of each column of losses, without rounding.
        scores: counts of each model's scores on the grid.
        amounts: sums of each model's amounts on the grid.
        clusters: sums by cluster; None where none were given.

    Example:
        >>> import goodmeasure as gm
        >>> state = gm.tally(gm.losses.squared_error(), [1.0, float("nan")], [1.5, 2.0]).state
        >>> state.rows, state.excluded
        (1, {'missing target': 1})
    """

    rows: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    moments: dict[str, Moments] = field(default_factory=dict)
    scores: dict[str, ScoreCounts] = field(default_factory=dict)
    amounts: dict[str, AmountSums] = field(default_factory=dict)
    clusters: ClusterSums | None = None

    def merge(self, other: State) -> State:
        """The state of both sets of rows.

        Args:
            other: what other rows contributed, counted alike.

        Returns:
            The same as if all rows had been counted together, bit for bit.
        """
        reasons = sorted({*self.excluded, *other.excluded})
        clusters = self.clusters or other.clusters
        if self.clusters is not None and other.clusters is not None:
            clusters = self.clusters.merge(other.clusters)
        return State(
            self.rows + other.rows,
            {reason: self.excluded.get(reason, 0) + other.excluded.get(reason, 0) for reason in reasons},
            _merged(self.moments, other.moments),
            _merged(self.scores, other.scores),
            _merged(self.amounts, other.amounts),
            clusters,
        )


def _merged(mine: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Each part merged with its namesake."""
    both = {name: part.merge(theirs[name]) if name in theirs else part for name, part in mine.items()}
    return both | {name: part for name, part in theirs.items() if name not in mine}
