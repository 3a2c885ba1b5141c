"""Rows as choices from sets: lists in their order, times of events and searches become targets of a loss of classes.

Which row was chosen among those that were there is a class among several, and a row that was not there is a class whose raw
output is minus infinity: it has no part in value, signal or curvature of any loss of classes. So the partial likelihood of a
proportional hazard, the likelihood of an order, and a softmax over a list are the cross-entropy of such sets, and no losses of
their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.deriving.arguments import raw_outputs
from goodmeasure.errors import NothingToAverage, ShapeMismatch, UsageError
from goodmeasure.formulas.domains import Domain, Seed
from goodmeasure.formulas.evaluation import Array, namespace
from goodmeasure.statistics import keys
from goodmeasure.statistics.arrays import array_of, column_of, numbers_of, one_a_row
from goodmeasure.statistics.row_arguments import Floats, MissingScore, outcomes, same_length
from goodmeasure.strict.calls import strict_class, strict_keywords

SetSize: TypeAlias = Annotated[int, Domain("a number of rows", low=2, whole=True)]
# So many cells fill a quarter of a gigabyte with raw outputs in double precision, and four times that while they are laid out.
MOST_CELLS = 2**25


@strict_class
@dataclass(frozen=True, eq=False, repr=False)
class ChoiceSets:
    """Choices of one row each from a set of rows: what a loss of classes takes for them.

    Attributes:
        rows: which of the n rows each of m sets holds, (m, K): the chosen one first, and -1 where a set is smaller than K.
        given: how many rows there are, n.

    Example:
        >>> import goodmeasure as gm
        >>> sets = gm.choice_sets([1, 2, 2])
        >>> sets, sets.sizes
        (<3 choices among 3 rows, 3 at most>, array([3, 2, 2]))
    """

    rows: NDArray[np.intp]
    given: int

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"<{len(self):,} choices among {self.given:,} rows, {self.sizes.max():,} at most>"

    @property
    def y(self) -> NDArray[np.intp]:
        """The targets, (m,): the chosen row stands first."""
        return np.zeros(len(self), dtype=np.intp)

    @property
    def chosen(self) -> NDArray[np.intp]:
        """Which row was chosen in each set, (m,): its weight or its cluster is that of the choice."""
        return self.rows[:, 0]

    @cached_property
    def sizes(self) -> NDArray[np.intp]:
        """How many rows each set holds, (m,)."""
        return np.asarray((self.rows >= 0).sum(axis=1), dtype=np.intp)

    def table(self, z: Array) -> Array:
        """Lay out the raw outputs of rows as those of classes.

        Args:
            z: the raw output of each row, (n,), an array of NumPy, torch or JAX; gradients pass through.

        Returns:
            The raw outputs of each set, (m, K), minus infinity where a set is smaller.

        Raises:
            GM003: there is not one raw output a row.

        Example:
            >>> import goodmeasure as gm
            >>> gm.choice_sets([2, 1]).table([0.5, 3.0])
            array([[ 0.5, -inf],
                   [ 3. ,  0.5]])
        """
        raw, xp = _column(z), namespace(z)
        self._check(raw.shape, (self.given,), "z")
        there, rows = self.rows >= 0, np.maximum(self.rows, 0)
        if xp is not np:
            # What JAX traces is on no device.
            there, rows = (xp.asarray(each, device=getattr(raw, "device", None)) for each in (there, rows))
        found = xp.reshape(xp.take(raw, xp.reshape(rows, (-1,)), axis=0), self.rows.shape)
        return xp.where(there, found, xp.full_like(found, -xp.inf))

    def summed(self, cells: ArrayLike) -> Floats:
        """Add up the cells of each row over all sets that hold it, such as the signals of `Loss.gradient`.

        Args:
            cells: one number for each raw output of `table`, (m, K).

        Returns:
            Their sums, (n,): the derivative by a row's raw output, where the cells are derivatives by those of the table.

        Raises:
            GM003: the cells have another shape.

        Example:
            >>> import goodmeasure as gm
            >>> sets, loss = gm.choice_sets([1, 2, 3]), gm.losses.cross_entropy()
            >>> sets.summed(loss.gradient(sets.y, sets.table([0.0, 0.0, 0.0]))).round(4)
            array([-0.6667, -0.1667,  0.8333])
        """
        values = numbers_of(cells, "cells")
        self._check(values.shape, self.rows.shape, "cells")
        there = self.rows >= 0
        return keys.summed(self.rows[there], values[there], self.given)

    def _check(self, shape: tuple[int, ...], wanted: tuple[int, ...], name: str) -> None:
        if tuple(shape) != wanted:
            fix = (
                "one raw output for each row that choice_sets was given"
                if name == "z"
                else "loss.gradient(sets.y, sets.table(z))"
            )
            raise ShapeMismatch(f"{name} has shape {tuple(shape)}, {wanted} is needed", where=name, fix=fix)


def _column(z: Array) -> Array:
    """Raw outputs in a type that has an infinity; those of other libraries as they are, with what they remember."""
    xp = namespace(z)
    if xp is np:
        found, dtype = raw_outputs(z)
        return found.astype(dtype)
    return xp.astype(z, xp.float64) if xp.isdtype(z.dtype, ("bool", "integral")) else z


@strict_keywords
def choice_sets(
    order: ArrayLike,
    *,
    happened: ArrayLike | None = None,
    group: ArrayLike | None = None,
    most: SetSize | None = None,
    seed: Seed = 0,
) -> ChoiceSets:
    """Read an order of rows as choices: each row was chosen among those of its group that stood there or later.

    The sum of their cross-entropy is minus the log-likelihood of Plackett and Luce (ListMLE) where ``order`` is the place
    in a list; of Cox, ties as Breslow has them, where it is a time, and ``happened`` says whether the event ended it; of
    McFadden's conditional logit where it is 0 for what was chosen, which ``happened``, and 1 for what was not.

    Args:
        order: where each row stands in its group, (n,): numbers or times, the first is the least.
        happened: which rows were chosen at their place, (n,), 0 or 1; others only are there up to it, as somebody who was
            lost then. All were chosen unless given.
        group: which list, search or stratum each row belongs to, (n,); all to one unless given.
        most: how many rows a set holds at most, the others drawn at random; 2 compares pairs. The value is another then,
            and the scores at which it is least are the same on average, where such scores can be right.
        seed: of what is drawn.

    Returns:
        The sets in the order of the rows that were chosen; ``loss(sets.y, sets.table(z))`` is the mean loss a choice.

    Raises:
        GM003: the columns differ in length, or are no columns.
        GM005: no row happened.
        GM009: ``most`` is below 2, or the sets are too large to be laid out.
        GM702: a row has no place, or no group.
        GM703: what happened is neither 0 nor 1.

    Source:
        McFadden 1974; Cox 1972 and Breslow 1974; Plackett 1975; sets that are drawn: Goldstein and Langholz 1992.

    Example:
        >>> import goodmeasure as gm
        >>> sets = gm.choice_sets([3, 1, 2, 2], happened=[1, 1, 0, 1])
        >>> sets.rows
        array([[ 0, -1, -1, -1],
               [ 1,  2,  3,  0],
               [ 3,  2,  0, -1]])
        >>> gm.losses.cross_entropy()(sets.y, sets.table([0.1, 1.0, 0.3, -0.4]))
        0.7682...
    """
    places = _places(order)
    events = np.ones(len(places)) if happened is None else outcomes(happened, "happened")
    groups = (
        np.zeros(len(places), dtype=np.intp) if group is None else keys.codes(column_of(group, "group"), "group")[0]
    )
    same_length(order=places, happened=events, group=groups)
    chosen = np.flatnonzero(events)
    if not len(chosen):
        raise NothingToAverage("no row happened", where="happened", fix="some rows with happened = 1")
    return ChoiceSets(_sets(places, groups, chosen, most, seed), len(places))


def _places(order: ArrayLike) -> NDArray[np.intp]:
    """Places in an order as whole numbers from zero; rows that are tied have the same."""
    given = array_of(order, "order")
    if given.dtype.kind == "O" and all(isinstance(each, date) and not _zone(each) for each in given.ravel().tolist()):
        given = given.astype("M8[us]")
    if given.dtype.kind not in "mM":
        given = numbers_of(order, "order", MissingScore)
    one_a_row(given, "order")
    return keys.distinct(given, "order")[2]


def _zone(day: date) -> Any:
    return getattr(day, "tzinfo", None)


def _sets(
    places: NDArray[np.intp], groups: NDArray[np.intp], chosen: NDArray[np.intp], most: int | None, seed: int
) -> NDArray[np.intp]:
    """The rows of each set, the chosen one first: sorted by group and place, from its first tie to the end of its group."""
    span = int(places.max()) + 1
    key = groups * span + places
    by = np.argsort(key, kind="stable")
    stands, ordered = np.empty_like(by), key[by]
    stands[by] = np.arange(len(by))
    start = np.searchsorted(ordered, key[chosen])
    sizes = np.searchsorted(ordered, (groups[chosen] + 1) * span) - start
    others = _others(sizes - 1, most, seed)
    own = (stands[chosen] - start)[:, None]
    rows = by[start[:, None] + np.maximum(others + (others >= own), 0)]
    return np.column_stack([chosen, np.where(others >= 0, rows, -1)])


def _others(counts: NDArray[np.intp], most: int | None, seed: int) -> NDArray[np.intp]:
    """Which of so many others each set holds, -1 where there are fewer; of more than ``most`` less one, those that are drawn."""
    widest = max(int(counts.max()), 1)
    width = widest if most is None else min(widest, most - 1)
    if len(counts) * width > MOST_CELLS:
        raise UsageError(
            "the sets are too large to be laid out",
            seen=f"{len(counts):,} choices among up to {widest + 1:,} rows",
            fix=f"gm.choice_sets(order, most={max(2, min(100, MOST_CELLS // len(counts)))}), which draws so many rows for each",
        )
    others = np.tile(np.arange(width), (len(counts), 1))
    others[others >= counts[:, None]] = -1
    rng = np.random.default_rng(seed)
    for i in np.flatnonzero(counts > width):
        others[i] = rng.choice(counts[i], width, replace=False)
    return others
