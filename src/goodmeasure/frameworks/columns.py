"""A loss as formulas of columns: what languages of tables share, in which a row holds a target and its raw outputs by name.

The formulas are those of the loss. Of several classes, of which a row has a column each, the sums over them are written out.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np

from goodmeasure.decisions.costs import ClassCosts, Costs
from goodmeasure.deriving import class_statistics
from goodmeasure.deriving.implied_probability import log_odds_formula, log_odds_reach, needs_probability
from goodmeasure.deriving.predictions import on_predictions, prediction_formulas
from goodmeasure.errors import NoSuchReading, ShapeMismatch, UsageError, shorter
from goodmeasure.formulas import words
from goodmeasure.formulas.domains import OutcomeDomain
from goodmeasure.formulas.evaluation import evaluate
from goodmeasure.formulas.expression import Expr, derivative, expression, simplify, symbol, symbols
from goodmeasure.frameworks.arrays_classes import STATISTICS
from goodmeasure.making.loss import Loss
from goodmeasure.strict.calls import strict_class

_MOST = sys.float_info.max


@dataclass(frozen=True)
class Language:
    """How a language of tables spells what formulas need.

    ``any_of`` joins conditions, ``floor`` is the whole number below, ``number`` a constant, and ``missing(parts, x)`` is x, and
    missing where one of the parts is. ``said`` is what is handed over in the end.
    """

    name: str
    words: Mapping[str, Callable[..., Any]]
    number: Callable[[float], Any]
    floor: Callable[[Any], Any]
    any_of: Callable[[Sequence[Any]], Any]
    missing: Callable[[Sequence[Any], Any], Any]
    said: Callable[[Any], Any] = lambda found: found


@strict_class
@dataclass(frozen=True)
class TableLoss:
    """A loss as expressions of the columns of a table; `to_sql` and `to_polars` make it.

    A row whose target or raw output is missing costs nothing known (NULL); one whose target lies outside the domain of the
    loss, or whose prediction lies beyond what the activation reaches, costs NaN, so that no mean passes over it.

    Attributes:
        loss: the loss.
        language: how the table's language spells formulas.
        target: the column of targets in that language.
        given: the columns of raw outputs, or of predictions, in that language.
        of_predictions: whether they are predictions.

    Raises:
        GM003: the loss takes another number of columns.
        GM009: the loss is one of classes, and predictions were named.

    Example:
        >>> import goodmeasure as gm
        >>> gm.to_sql(gm.losses.absolute_error())
        TableLoss(absolute_error(), 'duckdb')
    """

    loss: Loss
    language: Language
    target: Any
    given: tuple[Any, ...]
    of_predictions: bool = False

    def __post_init__(self) -> None:
        wanted = len(self.loss.class_weight) if self.loss.is_classwise else len(self.loss.activation)
        if (
            self.loss.labels
            or (len(self.given) < 2 and self.loss.is_classwise)
            or (wanted and len(self.given) != wanted)
        ):
            raise ShapeMismatch(
                f"{self.loss} takes {wanted or 'at least 2'} columns of raw outputs and was given {len(self.given)}",
                seen="labels that weigh each for itself are a loss each" if self.loss.labels else "",
                fix="loss.of_label(0)" if self.loss.labels else "name one column for each raw output",
            )
        if self.of_predictions and self.loss.is_classwise:
            raise UsageError(f"{self.loss} takes columns of raw outputs, one a class", fix="raw=['z0', 'z1', 'z2']")

    def __repr__(self) -> str:
        return f"TableLoss({self.loss}, {self.language.name!r})"

    # --- what is asked for ---

    @cached_property
    def value(self) -> Any:
        """What a row costs.

        Returns:
            One expression.
        """
        return self._row([self._values])[0]

    @cached_property
    def signal(self) -> tuple[Any, ...]:
        """The derivative of what a row costs by each column of raw outputs, or of predictions.

        Returns:
            One expression a column.
        """
        return tuple(self._row(self._signals))

    @cached_property
    def prediction(self) -> tuple[Any, ...]:
        """What the raw outputs predict: amounts, or probabilities without what weights, focus or smoothing did to them.

        Returns:
            One expression a column.

        Raises:
            GM007: the loss implies no probability, or one that has no formula.
        """
        return tuple(map(self.language.said, self._told))

    def decision(self, costs: Costs | ClassCosts) -> Any:
        """Say the act of least expected cost: 1 to act and 0 to leave it; of classes, the column of the table of costs.

        Where the raw outputs give no probability, as NaN does, there is no act: it is NaN.

        Args:
            costs: what each act costs when it was right, and when it was not.

        Returns:
            One expression, a number.

        Raises:
            GM003: the costs are for another number of classes.
            GM007: the loss implies no probability, or one that has no formula.
            GM009: the loss predicts no outcomes.
            GM711: the costs differ from row to row.

        Source:
            Elkan 2001, The foundations of cost-sensitive learning.
        """
        p, matrix = self._probabilities, costs.matrix
        if len(p) != len(matrix):
            raise ShapeMismatch(
                f"the costs are for {len(matrix)} outcomes, and the loss has {len(p)}",
                fix=f"costs for {len(p)} outcomes, a row of gm.ClassCosts for each",
            )
        found = self._act(p[1], costs) if isinstance(costs, Costs) else self._cheapest(p, matrix)
        # Of one raw output every number gives a probability; several that are infinite may give none.
        told = self.given if len(self.given) == 1 else p
        return self.language.said(self.language.missing(self.given, self._unless_lost(found, told)))

    def _act(self, p: Any, costs: Costs) -> Any:
        """Whether to act at a probability of yes; equal costs go to acting."""
        spell, number = self.language.words, self.language.number
        act = spell["where"](spell["less_equal"](number(costs.threshold), p), number(1), number(0))
        if costs.ask is None:
            return act
        leaving, acting = (_price(column) for column in costs.matrix.T[:2])
        (least,) = self._evaluated([words.minimum(leaving, acting)], {"p0": self._no(p), "p1": p})
        return spell["where"](spell["less"](number(costs.ask), least), number(2), act)

    def _cheapest(self, p: Sequence[Any], matrix: Any) -> Any:
        """The column of the table of costs that costs least, the first of equal ones."""
        spell, number = self.language.words, self.language.number
        prices = self._evaluated([_price(column) for column in matrix.T], {f"p{k}": each for k, each in enumerate(p)})
        best, act = prices[0], number(0)
        for a, price in enumerate(prices[1:], start=1):
            wins = spell["less"](price, best)
            act, best = spell["where"](wins, number(a), act), spell["where"](wins, price, best)
        return act

    # --- formulas ---

    @property
    def _names(self) -> list[str]:
        """The symbols of the columns in the formulas."""
        return [f"z{i}" for i in range(len(self.given))] if self.loss.is_classwise else list(self._written.raw_names)

    @cached_property
    def _written(self) -> Loss:
        return on_predictions(self.loss) if self.of_predictions else self.loss

    @cached_property
    def _classes(self) -> list[HappenedClass]:
        return [HappenedClass(self.loss, len(self.given), k) for k in range(len(self.given))]

    @property
    def _values(self) -> Expr:
        if self.loss.is_classwise:
            return _chosen([each.value for each in self._classes])
        return self._written.composed

    @property
    def _signals(self) -> list[Expr]:
        if self.loss.is_classwise:
            return [_chosen([each.signal[j] for each in self._classes]) for j in range(len(self.given))]
        return [derivative(self._written.composed, name) for name in self._names]

    @property
    def _predictions(self) -> list[Expr]:
        if self.loss.is_classwise:
            return _class_probabilities(self.loss, len(self.given))
        if self.loss.is_binary:
            return [_probability(self.loss)]
        return prediction_formulas(self.loss)

    @cached_property
    def _told(self) -> tuple[Any, ...]:
        """Predictions, before they are handed over."""
        if self.of_predictions:
            return self.given
        found = self._evaluated(self._predictions, self._known)
        return tuple(self.language.missing(self.given, self._unless_lost(f, self.given)) for f in found)

    @property
    def _probabilities(self) -> list[Any]:
        """The probability of each outcome; of yes or no, that of no first."""
        if not isinstance(self.loss.target, OutcomeDomain):
            raise UsageError(
                f"{self.loss} predicts no outcomes, so costs of outcomes say no act", fix="use .prediction"
            )
        if self.loss.is_classwise:
            return list(self._told)
        (yes,) = self._told
        return [self._no(yes), yes]

    def _no(self, yes: Any) -> Any:
        return self.language.words["sub"](self.language.number(1), yes)

    # --- rows ---

    @property
    def _known(self) -> dict[str, Any]:
        numbers = {name: self.language.number(value) for name, value in self.loss.values.items()}
        return {**numbers, "y": self.target, **dict(zip(self._names, self.given, strict=True))}

    def _row(self, formulas: list[Expr]) -> list[Any]:
        """Formulas of a row; no number where it lies outside the domain or a column holds none; missing where one is."""
        nan, pick = self.language.number(math.nan), self.language.words["where"]
        lost, parts = self.language.any_of(self._outside()), (self.target, *self.given)
        found = [
            pick(lost, nan, self._unless_lost(each, self.given)) for each in self._evaluated(formulas, self._known)
        ]
        return [self.language.said(self.language.missing(parts, each)) for each in found]

    def _evaluated(self, formulas: list[Expr], known: Mapping[str, Any]) -> list[Any]:
        return evaluate(formulas, known, self.language.words, self.language.number)

    def _unless_lost(self, found: Any, parts: Sequence[Any]) -> Any:
        """What was found where all parts are numbers; NaN is above infinity in every language of tables."""
        less, number = self.language.words["less"], self.language.number
        lost = self.language.any_of([less(number(math.inf), each) for each in parts])
        return self.language.words["where"](lost, number(math.nan), found)

    def _outside(self) -> list[Any]:
        """Conditions, one of which holds where the target is outside the domain, or a prediction is none that could be made."""
        domain, y = self.loss.target, self.target
        less, number = self.language.words["less"], self.language.number
        at_most = self.language.words["less_equal"]
        low, high = max(domain.low, -_MOST), min(domain.high, _MOST)
        if self.loss.is_classwise:
            low, high = 0, len(self.given) - 1
        found = [(at_most if domain.low_open else less)(y, number(low))]
        found.append((at_most if domain.high_open else less)(number(high), y))
        if domain.whole or self.loss.is_classwise:
            found.append(less(self.language.floor(y), y))
        return [*found, *(self._unreached() if self.of_predictions else [])]

    def _unreached(self) -> Iterator[Any]:
        """Conditions, one of which holds where a prediction lies beyond what its activation reaches."""
        less, number = self.language.words["less"], self.language.number
        for column, activation in zip(self.given, self.loss.activation, strict=True):
            low, high = activation.reaches.low, activation.reaches.high
            yield from [less(column, number(low))] if math.isfinite(low) else []
            yield from [less(number(high), column)] if math.isfinite(high) else []


def named_columns(raw: Any, prediction: Any) -> tuple[str, ...]:
    """The names of the columns that were given, of raw outputs or of predictions."""
    for given in (raw, prediction):
        names = [given] if isinstance(given, str) else given
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            raise UsageError(f"{shorter(given)} names no columns", fix="raw=['z0', 'z1']")
    if raw and prediction:
        raise UsageError("raw outputs and predictions were named: give one of them", fix="raw='z'")
    given = prediction or raw or "z"
    return (given,) if isinstance(given, str) else tuple(given)


def _chosen(branches: Sequence[Expr]) -> Expr:
    """The formula of the class that happened."""
    found = branches[-1]
    for k in range(len(branches) - 2, -1, -1):
        found = words.where(words.less_equal(symbol("y"), k), branches[k], found)
    return found


def _sum(terms: Sequence[Expr]) -> Expr:
    return reduce(lambda a, b: a + b, terms, expression(0)) if len(terms) != 1 else terms[0]


def _price(column: Any) -> Expr:
    """What an act costs, as a formula of the probabilities of the outcomes."""
    return simplify(_sum([symbol(f"p{k}") * float(c) for k, c in enumerate(column)]))


@dataclass(frozen=True)
class HappenedClass:
    """The formulas of a row in which the class ``k`` of several happened, with its sums over them written out."""

    loss: Loss
    count: int
    k: int

    @cached_property
    def _z(self) -> list[Expr]:
        return [symbol(f"z{i}") for i in range(self.count)]

    @cached_property
    def _p(self) -> list[Expr]:
        return probabilities(self._z)

    @cached_property
    def _p2(self) -> list[Expr]:
        """The probabilities of doubled raw outputs."""
        return probabilities([2 * z for z in self._z])

    @cached_property
    def _scope(self) -> dict[str, Any]:
        """What the lines of the statistics speak of, for a row and for the class that happened."""
        weights, k = self.loss.class_weight or (1.0,) * self.count, self.k
        largest = reduce(words.maximum, self._z)
        falls = [z - largest for z in self._z]
        return {
            "ZERO": expression(0),
            "ONE": expression(1),
            "each": 1 / self.count,
            "excess": expression(0),  # a row has a limit wherever its raw outputs are finite
            "largest": largest,
            "log_whole": words.log(_sum([words.exp(f) for f in falls])),
            "falls": _sum(falls),
            "z_of": self._z[k],
            "rival": reduce(words.maximum, [z for j, z in enumerate(self._z) if j != k]),
            "p_of": self._p[k],
            "rest": self._left(self._p, k),
            "rest2": self._left(self._p2, k),
            "others2": self._left([p * p for p in self._p], k),
            "weight_of": weights[k],
            "middle_weight": math.fsum(weights) / self.count,
            "weighted_falls": _sum([w * f for w, f in zip(weights, falls, strict=True)]),
        }

    def _left(self, table: Sequence[Expr], *without: int) -> Expr:
        return _sum([each for j, each in enumerate(table) if j not in without])

    def _log(self, z: Sequence[Expr], p: Sequence[Expr]) -> Expr:
        """The logarithm of the probability of what happened: of what is left of one where it is large, else of the sum."""
        largest = reduce(words.maximum, z)
        small = (z[self.k] - largest) - words.log(_sum([words.exp(each - largest) for each in z]))
        return words.where(words.less(0.5, p[self.k]), words.log1p(-self._left(p, self.k)), small)

    @cached_property
    def _statistics(self) -> dict[str, Expr]:
        """The statistics of the row by name."""
        own = {"log_p": self._log(self._z, self._p), "log_p2": self._log([2 * z for z in self._z], self._p2)}
        rest = {name: _line(moves.value, self._scope) for name, moves in STATISTICS.items() if name not in own}
        return {**own, **rest, class_statistics.WEIGHT: expression(self._scope["weight_of"])}

    def _at(self, formula: Expr) -> Expr:
        return simplify(formula, {name: each for name, each in self._statistics.items() if name in symbols(formula)})

    @cached_property
    def value(self) -> Expr:
        """The loss of the row."""
        return self._at(self.loss.composed)

    @cached_property
    def signal(self) -> list[Expr]:
        """The derivative of the loss by each raw output."""
        slopes = {name: self._at(s) for name, s in class_statistics.by_statistic(self.loss.composed).items()}
        return [
            _sum([simplify(slope * self._move(name, j)) for name, slope in slopes.items()]) for j in range(self.count)
        ]

    def _move(self, name: str, j: int) -> Expr:
        """How a statistic moves with the raw output of class ``j``."""
        moves = STATISTICS[name]
        if j == self.k:
            return _line(moves.of, self._scope)
        weights = self.loss.class_weight or (1.0,) * self.count
        of_j = {"p": self._p[j], "p2": self._p2[j], "rest_j": self._left(self._p, j), "weights": weights[j]}
        of_j["apart"] = self._left([p * p for p in self._p], self.k, j)
        other = _line(moves.other, {**self._scope, **of_j})
        if not moves.rival:
            return other
        found = _line(moves.rival, {**self._scope, **of_j})
        # Of equal ones the first is the rival.
        for i, z in enumerate(self._z):
            if i not in (j, self.k):
                found = words.where((words.less if i < j else words.less_equal)(z, self._z[j]), found, other)
        return simplify(found)


def _line(text: str, scope: Mapping[str, Any]) -> Expr:
    """A line of the statistics on formulas."""
    return simplify(expression(eval(text, {}, dict(scope))))


def probabilities(z: Sequence[Expr]) -> list[Expr]:
    """The softmax of raw outputs, each accurate however small."""
    return [1 / (1 + _sum([words.exp(a - b) for i, a in enumerate(z) if i != j])) for j, b in enumerate(z)]


def _probability(loss: Loss) -> Expr:
    """The probability of yes that a raw output stands for."""
    needs_probability(loss)
    low, high = log_odds_reach(loss)
    odds = log_odds_formula(loss)[0]
    z = words.maximum(words.minimum(symbol("z"), high), low)
    return simplify(words.sigmoid(odds), {"z": z})


def _class_probabilities(loss: Loss, count: int) -> list[Expr]:
    """The probabilities of classes, where they are those of the raw outputs less what weights did."""
    shifts = [math.log(w) for w in loss.class_weight or (1.0,) * count]
    rows = np.random.default_rng(0).normal(0, 3, (16, count))
    plain = np.exp(rows - np.array(shifts))
    if not np.allclose(loss.predict(rows), plain / plain.sum(-1, keepdims=True), rtol=1e-9):
        raise NoSuchReading(
            f"the probabilities that {loss} implies have no formula",
            seen="they are found by a search for each row",
            fix="take loss.predict(z), or train with cross_entropy()",
        )
    return probabilities([symbol(f"z{i}") - shift if shift else symbol(f"z{i}") for i, shift in enumerate(shifts)])
