"""What a formula of ``p``, the probability given to what happened, may speak of: one row a statistic of the raw outputs.

For yes/no each statistic is a formula of the one raw output. For K classes a row of raw outputs is summarised by accurate sums
(nothing is obtained by subtracting from one), and each statistic says how it moves with the raw output of the true class and of
the others. A loss with another need extends the table by a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from goodmeasure.formulas import words
from goodmeasure.formulas.evaluation import Array, namespace
from goodmeasure.formulas.expression import Expr, derivative, log, nodes, simplify, symbol, symbols

LOG_P = symbol("log_p")
REST = symbol("rest")


@dataclass(frozen=True)
class Row:
    """Sums over a row of K raw outputs, for every example and one class ``of`` interest (a one-hot table).

    ``p`` and ``rest`` are the probabilities and one minus them, each accurate even next to 1. ``weights`` say how much each
    class counts, all alike without.
    """

    z: Array
    of: Array
    weights: tuple[float, ...] = ()

    @property
    def xp(self) -> Any:
        return namespace(self.z)

    def pick(self, table: Array) -> Array:
        """The entry of the class of interest."""
        xp = self.xp
        return xp.sum(xp.where(self.of, table, xp.zeros_like(table)), axis=-1)

    def others(self, table: Array) -> Array:
        """The sum over the classes other than the one of interest."""
        xp = self.xp
        return xp.sum(xp.where(self.of, xp.zeros_like(table), table), axis=-1)

    @cached_property
    def top(self) -> Array:
        """Where each row's largest raw output stands, once a row."""
        xp = self.xp
        return xp.arange(self.z.shape[-1]) == xp.argmax(self.z, axis=-1)[..., None]

    @cached_property
    def fall(self) -> Array:
        """How far each raw output lies below the largest; NaN where no limit exists (two infinite ones, or none finite)."""
        xp = self.xp
        largest = xp.max(self.z, axis=-1, keepdims=True)
        with np.errstate(invalid="ignore"):
            fall = xp.where(self.z == largest, xp.zeros_like(self.z), self.z - largest)
        tied = xp.sum(xp.astype(self.z == largest, xp.int64), axis=-1, keepdims=True) > 1
        return xp.where(xp.isinf(largest) & (tied | (largest < 0)), xp.full_like(self.z, xp.nan), fall)

    @cached_property
    def grown(self) -> Array:
        """exp(z - largest), with 0 in place of the largest itself, so that sums of it lose nothing next to 1."""
        xp = self.xp
        return xp.where(self.top, xp.zeros_like(self.z), xp.exp(self.fall))

    @cached_property
    def excess(self) -> Array:
        """The sum of ``grown``: the softmax denominator is 1 + excess."""
        return self.xp.sum(self.grown, axis=-1)[..., None]

    @cached_property
    def log_p(self) -> Array:
        return self.fall - self.xp.log1p(self.excess)

    @cached_property
    def p(self) -> Array:
        one = self.xp.ones_like(self.z)
        return self.xp.where(self.top, one, self.grown) / (1 + self.excess)

    @cached_property
    def rest(self) -> Array:
        xp = self.xp
        return xp.where(self.top, xp.broadcast_to(self.excess, self.z.shape), 1 + (self.excess - self.grown)) / (
            1 + self.excess
        )

    @cached_property
    def rest_p2(self) -> Array:
        """The sum of the squared probabilities of the others."""
        return self.others(self.p**2)

    @cached_property
    def lead(self) -> Array:
        """p_j - (the sum of the others' squares), for j among the others, without cancellation."""
        xp = self.xp
        squares = xp.where(self.of, xp.zeros_like(self.p), self.p**2)
        below = xp.where(self.top, xp.zeros_like(squares), squares)
        top_square = squares - below
        apart = xp.sum(below, axis=-1)[..., None] - below + (xp.sum(top_square, axis=-1)[..., None] - top_square)
        return self.p * self.rest - apart

    @cached_property
    def counts(self) -> Array:
        """How much each class counts."""
        return self.xp.asarray(self.weights or (1.0,) * self.z.shape[-1], dtype=self.z.dtype)

    @cached_property
    def doubled(self) -> Row:
        """The row with its raw outputs doubled, whose probabilities are in proportion to the squares of these."""
        return Row(2 * self.z, self.of)

    @cached_property
    def rival(self) -> Array:
        """Which other class has the largest raw output, once a row."""
        xp = self.xp
        # Also where no other is larger than -inf, it is another.
        least = xp.full_like(self.z, xp.finfo(self.z.dtype).min)
        others = xp.where(self.of, xp.full_like(self.z, -xp.inf), xp.where(self.z < least, least, self.z))
        return xp.arange(self.z.shape[-1]) == xp.argmax(others, axis=-1)[..., None]


@dataclass(frozen=True)
class Statistic:
    """A number that a row of raw outputs gives to what happened.

    ``share`` is it for yes/no, as a formula of the probability given to what happened; ``value`` for a row; ``slope`` its
    derivative by each raw output, and ``second_derivative(row, j)`` those of the slopes by raw output j (a one-hot table).
    ``share`` is also given how much what happened counts, and what did not. ``book(f, z, y, w)`` is its definition for raw
    outputs z, what happened y and class weights w, with the functions of ``f``: the truth in tests.
    """

    name: str
    value: Callable[[Row], Array]
    slope: Callable[[Row], Array]
    second_derivative: Callable[[Row, Array], Array]
    book: Callable[[Any, Any, int, Any], Any]
    share: Callable[[Expr, Any, Any], Any] | None = None


def _mask(row: Row, of: Array) -> Array:
    return row.xp.astype(of, row.z.dtype)


def _shifted(row: Row, j: Array) -> Array:
    """d p_k / d z_j = p_k * ((k is j) - p_j)."""
    xp = row.xp
    p_j = xp.sum(xp.where(j, row.p, xp.zeros_like(row.p)), axis=-1)[..., None]
    return row.p * xp.where(j, row.rest, -p_j)


def _at(row: Row, j: Array, table: Array) -> Array:
    xp = row.xp
    return xp.sum(xp.where(j, table, xp.zeros_like(table)), axis=-1)[..., None]


def _square_slope(row: Row) -> Array:
    xp = row.xp
    return 2 * row.p * xp.where(row.of, -row.rest_p2[..., None], row.lead)


def _square_second(row: Row, j: Array) -> Array:
    xp = row.xp
    moved = _shifted(row, j)
    other = xp.where(row.of, xp.zeros_like(row.p), xp.ones_like(row.p))
    inner = xp.where(row.of, -row.rest_p2[..., None], row.lead)
    return 2 * moved * inner + 2 * row.p * (other * moved - _at(row, j, _square_slope(row)))


log_p: Statistic = Statistic(
    "log_p",
    value=lambda row: row.pick(row.log_p),
    slope=lambda row: row.xp.where(row.of, row.rest, -row.p),
    second_derivative=lambda row, j: -_shifted(row, j),
    book=lambda f, z, y, w: f.log(f.exp(z[y]) / sum(map(f.exp, z))),
    share=lambda p, own, other: log(p),
)
rest_p2: Statistic = Statistic(
    "rest_p2",
    value=lambda row: row.rest_p2,
    slope=_square_slope,
    second_derivative=_square_second,
    book=lambda f, z, y, w: sum((f.exp(a) / sum(map(f.exp, z))) ** 2 for k, a in enumerate(z) if k != y),
    share=lambda p, own, other: (1 - p) ** 2,
)
mean_log_p: Statistic = Statistic(
    "mean_log_p",
    value=lambda row: row.xp.mean(row.fall, axis=-1) - row.xp.log1p(row.excess)[..., 0],
    slope=lambda row: 1 / row.z.shape[-1] - row.p,
    second_derivative=lambda row, j: -_shifted(row, j),
    book=lambda f, z, y, w: sum(f.log(f.exp(a) / sum(map(f.exp, z))) for a in z) / len(z),
    share=lambda p, own, other: (log(p) + log(1 - p)) / 2,
)
# What smoothing adds where classes count differently: the term of each class has its own weight, whatever happened.
mean_weighted_log_p: Statistic = Statistic(
    "mean_weighted_log_p",
    value=lambda row: (
        row.xp.mean(row.counts * row.fall, axis=-1) - row.xp.mean(row.counts) * row.xp.log1p(row.excess)[..., 0]
    ),
    slope=lambda row: row.counts / row.z.shape[-1] - row.xp.mean(row.counts) * row.p,
    second_derivative=lambda row, j: -row.xp.mean(row.counts) * _shifted(row, j),
    book=lambda f, z, y, w: sum(b * f.log(f.exp(a) / sum(map(f.exp, z))) for a, b in zip(z, w, strict=True)) / len(z),
    share=lambda p, own, other: (own * log(p) + other * log(1 - p)) / 2,
)
# The logarithm of what happened's share of the squared probabilities: log p of the doubled raw outputs.
log_p2: Statistic = Statistic(
    "log_p2",
    value=lambda row: log_p.value(row.doubled),
    slope=lambda row: 2 * log_p.slope(row.doubled),
    second_derivative=lambda row, j: 4 * log_p.second_derivative(row.doubled, j),
    book=lambda f, z, y, w: f.log(f.exp(z[y]) ** 2 / sum(f.exp(a) ** 2 for a in z)),
    share=lambda p, own, other: -words.log1p(((1 - p) / p) ** 2),
)
log_z: Statistic = Statistic(
    "log_z",
    value=lambda row: row.xp.max(row.z, axis=-1) + row.xp.log1p(row.excess)[..., 0],
    slope=lambda row: row.p,
    second_derivative=_shifted,
    book=lambda f, z, y, w: f.log(sum(map(f.exp, z))),
)
margin: Statistic = Statistic(
    "margin",
    # Zero times the excess is NaN for a row that has no limit.
    value=lambda row: (
        (row.pick(row.z) - row.xp.sum(row.xp.where(row.rival, row.z, row.xp.zeros_like(row.z)), axis=-1))
        + 0 * row.excess[..., 0]
    ),
    slope=lambda row: _mask(row, row.of) - _mask(row, row.rival) + 0 * row.excess,
    second_derivative=lambda row, j: row.xp.zeros_like(row.z),
    book=lambda f, z, y, w: z[y] - max(a for k, a in enumerate(z) if k != y),
    share=lambda p, own, other: log(p) - log(1 - p),
)
# How much the class that happened counts: a number that does not move with the raw outputs. Its values are given.
WEIGHT = "weight"


@cache
def statistics() -> dict[str, Statistic]:
    """Every statistic by its name."""
    return {s.name: s for s in globals().values() if isinstance(s, Statistic)}


def speaks_of_outcomes(names: tuple[str, ...]) -> bool:
    """Whether a formula's parameters are what an outcome was given, rather than targets and predictions."""
    return bool(names) and all(n == "p" or n in statistics() for n in names)


def weighed(book: Expr) -> Expr:
    """A formula in which the term of each class counts as much as its class does.

    What a smoothed formula says of all classes alike holds a term of each, which keeps the weight of its own class.
    """
    shared = derivative(book, "mean_log_p")
    if shared.number == 0 or symbols(shared) & {"p", *statistics()}:
        return symbol(WEIGHT) * book
    return symbol(WEIGHT) * simplify(book, {"mean_log_p": 0}) + shared * symbol("mean_weighted_log_p")


def yes_no(book: Expr, yes: Expr, no: Expr, weights: tuple[Any, Any]) -> Expr:
    """A formula of p as one of y, given the probabilities of yes and of no and how much each counts."""

    def side(p: Expr, weight: Any, other: Any) -> Expr:
        given = {name: s.share(p, weight, other) for name, s in statistics().items() if s.share is not None}
        return simplify(book, {**given, "p": p, WEIGHT: weight})

    return simplify(words.either(symbol("y"), side(yes, *weights), side(no, *weights[::-1])))


def class_formula(book: Expr) -> Expr:
    """A formula of p as one of the row statistics: log_p, rest = 1 - p_y, and those it names itself."""
    p = symbol("p")
    one_less = simplify(1 - p)
    done: dict[Expr, Expr] = {}
    for node in nodes(book):
        if node is one_less:
            done[node] = REST
        elif node.word is None:
            done[node] = words.exp(LOG_P) if node is p else node
        else:
            done[node] = simplify(node.word(*(done[a] for a in node.args)))
    return done[book]


@cache
def by_statistic(formula: Expr) -> dict[str, Expr]:
    """The derivative of a class formula by each statistic that it speaks of; ``rest`` moves with ``log_p``."""
    found: dict[str, Expr] = {}
    for name in statistics():
        slope = derivative(formula, name)
        if name == "log_p":
            slope = simplify(slope - derivative(formula, "rest") * words.exp(LOG_P))
        if slope.number != 0:
            found[name] = slope
    return found


def row_values(row: Row, names: set[str]) -> dict[str, Array]:
    """The values of the statistics of these names, and of ``rest``."""
    known = {name: s.value(row) for name, s in statistics().items() if name in names}
    return {**known, "rest": row.pick(row.rest)} if "rest" in names else known
