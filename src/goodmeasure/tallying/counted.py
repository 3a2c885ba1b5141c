"""How a tally is read, and its scores as they are read: what weights mean is said here, not where rows are counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goodmeasure.errors import NothingToAverage, WeightError
from goodmeasure.statistics.row_arguments import Floats, OneClassOnly
from goodmeasure.statistics.weights import AS_IMPORTANCE, WeightsMean, check_meaning, counted, few_enough
from goodmeasure.tallying.state import ScoreCounts, State


@dataclass(frozen=True)
class Reading:
    """How a tally is read: the level of intervals, the seed of what is drawn, and what weights mean."""

    level: float = 0.95
    seed: int = 0
    weights_mean: WeightsMean = "importance"

    def __post_init__(self) -> None:
        check_meaning(self.weights_mean)

    @property
    def copies(self) -> bool:
        """Whether weights count copies of rows."""
        return self.weights_mean == "frequency"


def refuse_parts(state: State) -> None:
    """Refuse to read weights as copies where they are no whole numbers, which their sums tell. Error: GM006.

    The sum of whole weights is whole, and so is that of their squares, which is no smaller and odd where the first is.
    """
    for w, square in _weights(state):
        odd = (w != np.rint(w)) | (square != np.rint(square)) | (square < w) | ((square - w) % 2 == 1)
        if odd.any():
            raise WeightError(
                "weights that count copies are whole numbers, and some that were tallied are not",
                seen=f"weights that add up to {w[odd][0]:.17g}, and their squares to {square[odd][0]:.17g}",
                fix=AS_IMPORTANCE,
            )


def _weights(state: State) -> Iterator[tuple[Floats, Floats]]:
    """Sums of weights, and of their squares, of all rows, or of those in each cell of a grid."""
    for moments in state.moments.values():
        total = moments.totals()
        yield np.array([total.w]), np.array([total.w2])
    for counts in state.scores.values():
        yield counts.table()[1:]
    for sums in state.amounts.values():
        w, square, *_ = sums.table()
        yield w, square


class Counted(NamedTuple):
    """Scores by cell: where they lie, weight, squared weight and rows by label, how many rows, and what those are worth."""

    place: Floats
    weight: Floats
    square: Floats
    rows: NDArray[np.int64]
    n: int

    @property
    def effective_n(self) -> float:
        """How many independent rows of equal weight carry as much information."""
        return float(self.weight.sum() ** 2 / self.square.sum())

    @staticmethod
    def of(counts: ScoreCounts, how: Reading) -> Counted:
        """The counts as weights are meant."""
        (place, weight, square), rows = counts.table(), counts.counts
        if not weight.sum():
            raise NothingToAverage("no rows were tallied", fix="tally rows that have a weight, a target and a score")
        if how.copies:
            return Counted(place, weight, weight, rows, counted(few_enough(weight.sum(axis=1))))
        return Counted(place, weight, square, rows, int(rows.sum()))

    def of_cells(self, some: slice) -> Counted:
        """The same of some of the cells; how many rows there are at all is as before."""
        return self._replace(
            place=self.place[some], weight=self.weight[some], square=self.square[some], rows=self.rows[some]
        )

    def both(self) -> None:
        """Refuse a tally of one label alone."""
        if not self.weight.sum(axis=0).all():
            raise OneClassOnly(
                "all tallied targets are the same", fix="rows of both kinds: other rows, or more of them"
            )
