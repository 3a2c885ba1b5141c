"""The small monoids that a tally is made of: sums of a column, counts on a grid, sums by cluster."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.errors import NoSuchReading
from goodmeasure.statistics.exact_sums import ExactSums
from goodmeasure.statistics.keys import distinct as distinct_keys
from goodmeasure.statistics.row_arguments import Floats, OutOfRange
from goodmeasure.strict.calls import strict_class
from goodmeasure.tallying.grid import AMOUNT_CELLS, QUANTUM, SCORE_CELLS, amount_cells, count_scores, score_cells

Arrays = dict[str, NDArray[Any]]


OLDER = "this tally was saved by a release whose tallies did not tell weights that count copies"


class Power(NamedTuple):
    """The sums over rows from which a weighted mean and its variance are read: w, w², w v, w² v, w² v², w v².

    The last is None in tallies that were saved before it was summed.
    """

    w: float
    w2: float
    wv: float
    w2v: float
    w2v2: float
    wv2: float | None = None

    @property
    def of_copies(self) -> Power:
        """The same where weights count copies: each copy has weight one, whose square is one."""
        if self.wv2 is None:
            raise NoSuchReading(OLDER, fix="make it again from its rows")
        return Power(self.w, self.w, self.wv, self.wv, self.wv2, self.wv2)


class Moments:
    """Exact sums of one column of numbers; of the weights too where there are any. Infinite values are counted."""

    def __init__(self, weighted: bool, n: int = 0, infinite: int = 0, sums: ExactSums | None = None) -> None:
        self.weighted: bool = weighted
        self.n: int = n
        self.infinite: int = infinite
        self.sums: ExactSums = ExactSums(6 if weighted else 2) if sums is None else sums

    def add(self, values: Floats, w: Floats | None) -> None:
        """Add a column of values, with its weights if this tally has any; error: GM706."""
        self.n += len(values)
        if w is None and self.sums.add_moments(values, 0):
            return
        finite = np.isfinite(values)
        if not finite.all():
            self.infinite += int((~finite).sum())
            values, w = values[finite], None if w is None else w[finite]
        with np.errstate(over="ignore"):
            columns = [values, values * values]
            if w is not None:
                products = (w * column for column in (values, w * values, w * values * values, values * values))
                columns = [w, w * w, *products]
        for cell, column in enumerate(columns):
            self.sums.add_column(in_range(column), cell)

    def add_summed(self, n: int, limbs: NDArray[np.int64]) -> None:
        """Add so many finite values without weights whose sum, and that of their squares, are given as limbs."""
        self.n += n
        self.sums.add_summed(limbs, n, 0)

    def merge(self, other: Moments) -> Moments:
        """The moments of both sets of rows."""
        return Moments(
            self.weighted, self.n + other.n, self.infinite + other.infinite, merged_sums(self.sums, other.sums)
        )

    def totals(self) -> Power:
        """The sums over the finite rows, each rounded once."""
        found = self.sums.totals().tolist()
        if self.weighted:
            return Power(*found)
        finite = float(self.n - self.infinite)
        return Power(finite, finite, found[0], found[0], found[1], found[1])


def in_range(column: Floats) -> Floats:
    """Products that are numbers of double precision, which alone have an exact sum; error: GM706."""
    if not np.isfinite(column).all():
        raise OutOfRange(
            "squares of losses, or their products with weights, leave the range of double precision",
            fix="give targets, predictions or weights in another unit",
        )
    return column


def merged_sums(mine: ExactSums, theirs: ExactSums) -> ExactSums:
    """The sums of both; what only one of them holds, because the other was saved before it was summed, is left out."""
    cells = min(mine.cells, theirs.cells)
    return mine.cut(cells).merge(theirs.cut(cells))


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
        self.counts: NDArray[np.int64] = np.zeros((SCORE_CELLS, 2), dtype=np.int64) if counts is None else counts
        self.places: NDArray[np.int64] = np.zeros((SCORE_CELLS, 2), dtype=np.int64) if places is None else places
        self.sums: ExactSums = ExactSums(6 * SCORE_CELLS if weighted else 0) if sums is None else sums

    @property
    def is_of_one_answer(self) -> bool:
        """Whether all targets are yes, or all no: then there is nothing to decide."""
        return not all(self.counts.sum(axis=0))

    def add(self, p: Floats, labels: NDArray[np.int8], w: Floats | None) -> None:
        """Count probabilities with labels 0 and 1."""
        count_scores(p, labels, self.counts, self.places)
        countable(self.places)
        if w is not None:
            at = score_cells(p) * 2 + labels
            # Scores in whole quanta, as those without weights are summed.
            for block, column in enumerate((w, w * w, w * (np.rint(p / QUANTUM) * QUANTUM))):
                self.sums.add(column, at + 2 * SCORE_CELLS * block)

    def merge(self, other: ScoreCounts) -> ScoreCounts:
        """The counts of both sets of rows."""
        counts, places = self.counts + other.counts, countable(self.places + other.places)
        return ScoreCounts(self.weighted, counts, places, merged_sums(self.sums, other.sums))

    def table(self) -> tuple[Floats, Floats, Floats]:
        """By cell: the mean score; and by cell and label: weight and squared weight."""
        weight = self.counts.astype(np.float64)
        # Two numbers of 63 bits add up to one of 64.
        place = _means(self.places.sum(axis=1, dtype=np.uint64) * QUANTUM, self.counts.sum(axis=1))
        if not self.weighted:
            return place, weight, weight
        weight, square, *scores = self.sums.totals().reshape(-1, SCORE_CELLS, 2)
        # In tallies that were saved before scores were weighed, each row counts once where its score stands.
        return _means(scores[0].sum(axis=1), weight.sum(axis=1)) if scores else place, weight, square


def countable(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sums of scores, each of two that were no less than zero; error: GM706 where one left 63 bits, and fell below."""
    if places.min() < 0:
        raise OutOfRange(
            "more rows have one score than a tally can sum: at least two thousand million",
            fix="save a tally of each part, and read them apart",
        )
    return places


def _means(sums: Floats, held: NDArray[Any]) -> Floats:
    """The mean in each cell; 0 where nothing lies."""
    return np.asarray(np.divide(sums, held, out=np.zeros(len(sums)), where=held > 0))


class AmountSums:
    """Rows by cell of their predicted amount, v the identification: sums of w, w², w·prediction, w·v, w²·v, w²·v², w·v²."""

    def __init__(self, counts: NDArray[np.int64] | None = None, sums: ExactSums | None = None) -> None:
        self.counts: NDArray[np.int64] = np.zeros(AMOUNT_CELLS, dtype=np.int64) if counts is None else counts
        self.sums: ExactSums = ExactSums(7 * AMOUNT_CELLS) if sums is None else sums

    def add(self, prediction: Floats, v: Floats, w: Floats | None) -> None:
        """Add predictions with their identification values (for a mean, prediction minus target); error: GM706."""
        cell = amount_cells(prediction)
        self.counts += np.bincount(cell, minlength=AMOUNT_CELLS)
        one = np.ones(len(v)) if w is None else w
        with np.errstate(over="ignore"):
            columns = [one, one * one, one * prediction, one * v, one * one * v, one * one * v * v, one * v * v]
        for place, column in enumerate(columns):
            self.sums.add(in_range(column), cell + place * AMOUNT_CELLS)

    def merge(self, other: AmountSums) -> AmountSums:
        """The sums of both sets of rows."""
        return AmountSums(self.counts + other.counts, merged_sums(self.sums, other.sums))

    def table(self) -> Floats:
        """The sums (rows) by cell (columns), each rounded once; six in tallies saved before w·v² was summed."""
        return self.sums.totals().reshape(-1, AMOUNT_CELLS)


class ClusterSums:
    """Weight and weighted values of each column, summed by cluster; clusters are known by a hash of their key."""

    def __init__(self, columns: int, keys: NDArray[np.uint64] | None = None, sums: ExactSums | None = None) -> None:
        self.columns = columns
        self.keys: NDArray[np.uint64] = np.zeros(0, dtype=np.uint64) if keys is None else keys
        self.sums: ExactSums = ExactSums(0) if sums is None else sums

    @staticmethod
    def of(keys: NDArray[np.uint64], w: Floats, columns: list[Floats]) -> ClusterSums:
        """The sums of one part of the rows; infinite values are left out of them."""
        known, cell = np.unique(keys, return_inverse=True)
        width = len(columns) + 1
        sums = ExactSums(len(known) * width)
        sums.add(w, cell * width)
        for k, column in enumerate(columns, start=1):
            finite = np.isfinite(column)
            with np.errstate(over="ignore"):
                weighed = w[finite] * column[finite]
            sums.add(in_range(weighed), (cell * width + k)[finite])
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


def hashed(keys: ArrayLike, name: str = "cluster") -> NDArray[np.uint64]:
    """Keys of any type as 64-bit hashes that are the same on every machine; errors: GM009, GM702."""
    given = np.asarray(keys)
    if given.dtype.kind == "O":
        distinct, _, inverse = distinct_keys(given, name)
    else:
        distinct, inverse = np.unique(given, return_inverse=True)
    digests = [
        hashlib.blake2b(str(key).encode(errors="surrogatepass"), digest_size=8).digest() for key in distinct.tolist()
    ]
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
