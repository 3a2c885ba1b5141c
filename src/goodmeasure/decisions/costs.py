"""What each outcome of a decision costs, in the user's own money, and the act that costs least on average."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.errors import Problem, ShapeMismatch, UsageError, WeightError, shorter
from goodmeasure.formulas.domains import Grades
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.arrays import numbers_of
from goodmeasure.statistics.row_arguments import Floats, column, outcomes
from goodmeasure.statistics.weights import unit_of
from goodmeasure.strict.calls import strict_class, strict_keywords

Acts = NDArray[np.intp]
OUTCOMES = ("false_negative", "false_positive", "true_positive", "true_negative")


class DegenerateCosts(Problem, ValueError):
    """These costs leave nothing to decide.

    A threshold exists where each error costs at least as much as the right answer to the same question, and one of
    them costs more. If missing an event costs no more than catching it, never act; if a false alarm costs no more
    than leaving alone, always act. Check the signs: gains are negative costs.
    """

    code = "GM710"


class CostsDoNotFit(Problem, ValueError):
    """The costs answer another question than the table asks.

    A yes/no score needs ``Costs``; K classes need ``ClassCosts`` with one row a class; amounts need
    ``UnderOverCosts``.
    """

    code = "GM711"


@strict_class
@dataclass(frozen=True, kw_only=True, eq=False)
class Costs:
    """What the four outcomes of a yes/no decision cost, in your own unit.

    Only the differences between acting and not acting move the decision. Gains are negative costs.

    Attributes:
        false_negative: the cost of leaving an event alone; a number, or (n,) one for each row.
        false_positive: the cost of acting where nothing happened; a number, or (n,).
        true_positive: the cost of acting on an event; a number, or (n,); 0 unless given.
        true_negative: the cost of leaving alone where nothing happened; a number, or (n,); 0 unless given.
        ask: the price of passing a row to a person who answers rightly; None where nobody can be asked.

    Raises:
        GM710: a cost is not finite, or an error costs no more than the right answer to the same question.

    Source:
        Elkan 2001, The foundations of cost-sensitive learning; for asking, Chow 1970, On optimum recognition error and
        reject tradeoff.

    Example:
        >>> import goodmeasure as gm
        >>> round(gm.Costs(false_negative=40, false_positive=5).threshold, 3)  # 5 / (5 + 40)
        0.111
    """

    false_negative: float | Floats
    false_positive: float | Floats
    true_positive: float | Floats = 0.0
    true_negative: float | Floats = 0.0
    ask: float | None = None

    def __post_init__(self) -> None:
        for name in OUTCOMES:
            value = numbers_of(getattr(self, name), name, DegenerateCosts).astype(np.float64)
            if value.ndim > 1 or not value.size:
                raise DegenerateCosts(
                    f"{name} has shape {value.shape}: one cost is needed, or one a row",
                    where=name,
                    fix=f"{name}=5.0, or a cost for each row",
                )
            if not np.isfinite(value).all():
                raise DegenerateCosts(
                    f"{name} is not finite",
                    seen=f"{name} = {getattr(self, name)}",
                    fix=f"{name}=5.0, in the unit of the others",
                )
            object.__setattr__(self, name, float(value) if value.ndim == 0 else value)
        if self.ask is not None and not (math.isfinite(self.ask) and self.ask >= 0):
            raise DegenerateCosts(
                f"the price of asking is {self.ask:g}; it is finite and not negative", fix="ask=1.0, or leave it out"
            )
        self._checked()

    def _checked(self) -> None:
        with np.errstate(over="ignore"):
            miss, alarm = np.asarray(self.miss), np.asarray(self.alarm)
            both = np.add(miss, alarm)
        if not np.isfinite(both).all():
            raise DegenerateCosts(
                "the costs, or what two of them add up to, are larger than numbers can be",
                fix="give them in another unit: thousands",
            )
        if (miss < 0).any() or (alarm < 0).any() or (both <= 0).any():
            row = int(np.argmax((miss < 0) | (alarm < 0) | (both <= 0)))
            a_miss, an_alarm = (float(each[row] if each.ndim else each) for each in (miss, alarm))
            raise DegenerateCosts(
                "these costs leave nothing to decide",
                where=f"row {row}" if both.ndim else "",
                seen=f"a miss costs {a_miss:g} more than a catch, a false alarm {an_alarm:g} more than leaving",
                fix="costs of errors above those of right answers: costs=gm.Costs(false_negative=40, false_positive=5)",
            )

    def _key(self) -> tuple[Any, ...]:
        four = (getattr(self, name) for name in OUTCOMES)
        return (*(value if isinstance(value, float) else value.tobytes() for value in four), self.ask)

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Costs) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    @property
    def miss(self) -> float | Floats:
        """How much more it costs to leave an event alone than to act on it."""
        return self.false_negative - self.true_positive

    @property
    def alarm(self) -> float | Floats:
        """How much more it costs to act on a non-event than to leave it alone."""
        return self.false_positive - self.true_negative

    @property
    def per_row(self) -> bool:
        """Whether the costs differ from row to row."""
        return not (isinstance(self.miss, float) and isinstance(self.alarm, float))

    @property
    def threshold(self) -> float:
        """The probability from which acting costs less; of the average costs if they differ from row to row."""
        return self.average_threshold(None)

    def average_threshold(self, w: Floats | None) -> float:
        """The probability from which acting costs less, of average costs.

        Args:
            w: how much each row counts, (n,), where the costs differ from row to row; None if all count alike.

        Returns:
            The threshold of the average costs.
        """
        weights = None if w is None else column(w, "w", kind=WeightError)
        alarm, miss = (_average(each, weights) for each in (self.alarm, self.miss))
        return alarm / (alarm + miss)

    def of_rows(self, at: NDArray[np.intp], n: int) -> Costs:
        """The costs of some rows, where they differ from row to row.

        Args:
            at: the places of these rows, (m,).
            n: how many rows there are in all.

        Returns:
            The costs of these rows; the same costs where they are the same in every row.

        Raises:
            GM003: the costs are for another number of rows.
        """
        four = {name: np.asarray(getattr(self, name)) for name in OUTCOMES}
        for name, each in four.items():
            if each.ndim and len(each) != n:
                raise ShapeMismatch(f"{name} has {len(each):,} costs for {n:,} rows", fix="one cost, or one a row")
        if numbers_of(at, "at").dtype.kind not in "iu":
            raise ShapeMismatch(
                "at holds places of rows, which are whole numbers",
                where="at",
                seen=shorter(at),
                fix="at = numpy.flatnonzero(mask)",
            )
        picked: dict[str, Any] = {name: each[at] if each.ndim else float(each) for name, each in four.items()}
        return replace(self, **picked)

    @property
    def thresholds(self) -> float | Floats:
        """The probability from which acting costs less in each row; one number unless the costs are per row."""
        return self.alarm / (self.alarm + self.miss)

    @property
    def matrix(self) -> Floats:
        """Costs by truth (rows: no, yes) and act (columns: leave, act, and ask where it is offered), (2, 2) or (2, 3).

        Raises:
            GM711: the costs differ from row to row.
        """
        if self.per_row:
            raise CostsDoNotFit(
                "costs that differ by row have no one matrix", fix="use .of_acting(y) and .of_leaving(y)"
            )
        table = np.array(
            [[self.true_negative, self.false_positive], [self.false_negative, self.true_positive]], dtype=np.float64
        )
        return table if self.ask is None else np.column_stack([table, np.full(2, self.ask)])

    def of_acting(self, y: Floats) -> Floats:
        """What acting costs in each row.

        Args:
            y: what happened, 0 or 1, (n,).

        Returns:
            Costs in the unit of these costs, (n,).
        """
        return self._of(outcomes(y), self.true_positive, self.false_positive)

    def of_leaving(self, y: Floats) -> Floats:
        """What leaving alone costs in each row.

        Args:
            y: what happened, 0 or 1, (n,).

        Returns:
            Costs in the unit of these costs, (n,).
        """
        return self._of(outcomes(y), self.false_negative, self.true_negative)

    @staticmethod
    def _of(y: Floats, yes: float | Floats, no: float | Floats) -> Floats:
        for each in (yes, no):
            if np.ndim(each) and np.shape(each) != y.shape:
                raise ShapeMismatch(
                    f"costs of shape {np.shape(each)} for {len(y):,} rows", fix="one cost, or one a row"
                )
        return np.where(y == 1, yes, no)

    def to_dict(self) -> dict[str, Any]:
        """The costs as plain values, ready for JSON."""
        return {
            name: np.asarray(getattr(self, name)).tolist()
            for name in (*OUTCOMES, "ask")
            if getattr(self, name) is not None
        }

    def from_grade(self, grade: int, grades: Grades) -> ClassCosts:
        """Make costs of grades: it is right to act from one of them on, and to leave alone below it.

        Args:
            grade: the lowest one that asks for the act, from 1 on: grades are coded 0, 1, 2, ...
            grades: how many there are.

        Returns:
            Costs whose table is (grades, 2); the acts are to leave alone and to act. `bayes_act` acts where the probability of
            this grade or more is at least `threshold`.

        Raises:
            GM009: there is no such grade.
            GM710: the costs differ by row.

        Example:
            >>> import goodmeasure as gm
            >>> costs = gm.Costs(false_negative=3, false_positive=1)
            >>> gm.bayes_act([[0.5, 0.3, 0.2], [0.9, 0.1, 0.0]], costs.from_grade(1, grades=3))
            array([1, 0])
        """
        if not 1 <= grade < grades:
            raise UsageError(
                f"there is no grade {grade} to act from on", seen=f"{grades} grades", fix=f"grade={grades - 1}"
            )
        if self.per_row:
            raise DegenerateCosts(
                "costs of grades are the same in every row", fix="gm.Costs(false_negative=40, false_positive=5)"
            )
        below = [self.true_negative, self.false_positive]
        table = [below] * grade + [[self.false_negative, self.true_positive]] * (grades - grade)
        return ClassCosts(np.array(table, dtype=np.float64))

    @staticmethod
    def from_matrix(matrix: ArrayLike) -> Costs | ClassCosts:
        """Make costs from a table by truth and act.

        Args:
            matrix: (2, 2) for yes and no (rows: no, yes; columns: leave, act), or (K, A) for K classes and A acts.

        Returns:
            `Costs` of a (2, 2) table, else `ClassCosts`.

        Raises:
            GM710: the table is no table of finite costs, or leaves nothing to decide.

        Example:
            >>> import goodmeasure as gm
            >>> gm.Costs.from_matrix([[0, 5], [40, 0]]) == gm.Costs(false_negative=40, false_positive=5)
            True
        """
        table = numbers_of(matrix, "matrix", DegenerateCosts).astype(np.float64)
        if table.shape != (2, 2):
            return ClassCosts(table)
        (tn, fp), (fn, tp) = table.tolist()
        return Costs(false_negative=fn, false_positive=fp, true_positive=tp, true_negative=tn)


def _average(costs: float | Floats, w: Floats | None) -> float:
    """The mean cost, in a unit in which no sum leaves the range of numbers."""
    values = np.atleast_1d(costs)
    unit = unit_of(values)
    return float(np.average(values / unit, weights=w if len(values) > 1 else None)) * unit


@strict_class
@dataclass(frozen=True, eq=False)
class ClassCosts:
    """What each act costs under each true class: a table with a row a class and a column an act.

    Attributes:
        matrix: (K, A), the cost in your own unit of each of A acts where each of K classes is true. An act need not be
            the name of a class.

    Raises:
        GM710: the table is not finite, has fewer than two rows or columns, or all acts cost the same under each class.

    Source:
        Elkan 2001, The foundations of cost-sensitive learning.

    Example:
        >>> import goodmeasure as gm
        >>> costs = gm.ClassCosts([[0, 1], [20, 0]])
        >>> gm.bayes_act([[0.97, 0.03], [0.90, 0.10]], costs)
        array([0, 1])
    """

    matrix: Floats

    def __post_init__(self) -> None:
        table = numbers_of(self.matrix, "matrix", DegenerateCosts).astype(np.float64)
        if table.ndim != 2 or min(table.shape) < 2 or not np.isfinite(table).all():
            raise DegenerateCosts(
                "class costs are a finite table, a row a class and a column an act",
                seen=f"{table}",
                fix="gm.ClassCosts([[0, 1], [5, 0]])",
            )
        if (table == table[:, :1]).all():
            raise DegenerateCosts(
                "these costs leave nothing to decide",
                where="matrix",
                seen="under each class all acts cost the same",
                fix=f"costs=gm.ClassCosts(1 - numpy.eye({len(table)}))  # every mistake costs 1",
            )
        table.setflags(write=False)
        object.__setattr__(self, "matrix", table)

    def __eq__(self, other: object) -> bool:
        return np.array_equal(self.matrix, other.matrix) if isinstance(other, ClassCosts) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.matrix.shape, self.matrix.tobytes()))

    def with_asking(self, price: float) -> ClassCosts:
        """The same costs with one more act: a person who answers rightly, at a price.

        Args:
            price: what the person costs a row, in the unit of the table.

        Returns:
            Costs whose table is (K, A + 1); the last act is to ask.

        Raises:
            GM710: the price is not finite.
        """
        return ClassCosts(np.column_stack([self.matrix, np.full(len(self.matrix), price)]))

    def to_dict(self) -> dict[str, Any]:
        """The costs as plain values, ready for JSON."""
        return {"matrix": self.matrix.tolist()}


@strict_class
@dataclass(frozen=True, kw_only=True)
class UnderOverCosts:
    """What one unit too little and one unit too much of an amount cost; the best amount is a quantile.

    Attributes:
        under: the cost of each unit that was needed and not there, above zero.
        over: the cost of each unit that was there and not needed, above zero.

    Raises:
        GM710: a cost is not positive or not finite.

    Example:
        >>> import goodmeasure as gm
        >>> gm.UnderOverCosts(under=3, over=1).level
        0.75
    """

    under: float
    over: float

    def __post_init__(self) -> None:
        if not (self.under > 0 and self.over > 0 and math.isfinite(self.under + self.over)):
            raise DegenerateCosts(
                "both unit costs are positive and finite",
                seen=f"under={self.under}, over={self.over}",
                fix="costs=gm.UnderOverCosts(under=3, over=1)",
            )

    @property
    def level(self) -> float:
        """The quantile that costs least: under / (under + over)."""
        return self.under / (self.under + self.over)

    def of(self, y: Floats, amount: Floats) -> Floats:
        """What providing these amounts costs in each row.

        Args:
            y: the amounts that were needed, (n,).
            amount: the amounts that were provided, (n,), in the same unit.

        Returns:
            Costs in the unit of these costs, (n,).

        Raises:
            GM706: amounts times their unit costs leave the range of double precision.
        """
        y, amount = column(y, "y"), column(amount, "amount")
        row_arguments.equal_length(y=y, amount=amount)
        with np.errstate(over="ignore", under="ignore"):
            found = np.where(y > amount, self.under * (y - amount), self.over * (amount - y))
        if not (np.isfinite(found) & ((found > 0) == (y != amount))).all():
            raise row_arguments.OutOfRange(
                "amounts times their unit costs leave the range of double precision",
                seen=f"under={self.under:g}, over={self.over:g}, amounts up to {np.abs(amount).max():g}",
                fix="give amounts or costs in another unit",
            )
        return found

    def to_dict(self) -> dict[str, Any]:
        """The costs as plain values, ready for JSON."""
        return {"under": self.under, "over": self.over}


@strict_keywords
def bayes_act(p: ArrayLike, costs: Costs | ClassCosts) -> Acts:
    """Choose the act of least expected cost for each row of probabilities.

    Equal costs go to acting, else to the first act. It is right where the probabilities are calibrated.

    Args:
        p: probabilities of yes, (n,), for `Costs`; of each class, (n, K), for `ClassCosts`.
        costs: what each act costs when it was right, and when it was not.

    Returns:
        Acts, (n,). For `Costs` 0 is to leave, 1 to act and 2 to ask, where that has a price; for `ClassCosts` they are
        columns of the table.

    Raises:
        GM003: p has another number of axes than these costs need.
        GM701: p holds something outside [0, 1], or a row of class probabilities that does not sum to one.
        GM702: a probability is NaN.
        GM711: the costs are for another number of classes than p has columns.

    Source:
        Elkan 2001, The foundations of cost-sensitive learning.

    Example:
        >>> import goodmeasure as gm
        >>> gm.bayes_act([0.05, 0.2, 0.9], gm.Costs(false_negative=40, false_positive=5))
        array([0, 1, 1])
    """
    if isinstance(costs, ClassCosts):
        table = row_arguments.class_probabilities(p)
        if table.shape[1] != len(costs.matrix):
            raise CostsDoNotFit(
                f"costs are for {len(costs.matrix)} classes, the scores have {table.shape[1]}",
                fix=f"a table of costs with {table.shape[1]} rows, one a class",
            )
        return np.asarray(np.argmin(table @ costs.matrix, axis=1), dtype=np.intp)
    scores = row_arguments.probabilities(p)
    costs = costs.of_rows(np.arange(len(scores)), len(scores))
    acts: Acts = np.asarray(scores >= costs.thresholds, dtype=np.intp)
    if costs.ask is None:
        return acts
    acting = scores * costs.true_positive + (1 - scores) * costs.false_positive
    leaving = scores * costs.false_negative + (1 - scores) * costs.true_negative
    acts[costs.ask < np.minimum(acting, leaving)] = 2
    return acts


def negatives_multiplier(wanted: float, used: float = 0.5) -> float:
    """How to reweight negatives so that deciding at ``used`` after training equals deciding at ``wanted`` (Elkan
    2001, Thm 1)."""
    if not (0 < wanted < 1 and 0 < used < 1):
        raise UsageError(
            "thresholds lie strictly between 0 and 1", seen=f"wanted={wanted}, used={used}", fix="wanted=0.2, used=0.5"
        )
    return wanted / (1 - wanted) * (1 - used) / used
