"""What each outcome of a decision costs, in the user's own money, and the act that costs least on average."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.errors import Problem, ShapeMismatch, UsageError
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.weights import unit_of

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


@dataclass(frozen=True, kw_only=True, eq=False)
class Costs:
    """What the four outcomes of a yes/no decision cost; each a number, or one number a row. Gains are negative costs.

    Only the differences between acting and not acting move the decision (Elkan 2001). ``ask`` is the price of
    passing the row to a person who answers rightly (Chow 1970).
    """

    false_negative: float | Floats
    false_positive: float | Floats
    true_positive: float | Floats = 0.0
    true_negative: float | Floats = 0.0
    ask: float | None = None

    def __post_init__(self) -> None:
        for name in OUTCOMES:
            value = np.asarray(getattr(self, name), dtype=np.float64)
            if not np.isfinite(value).all():
                raise DegenerateCosts(f"{name} is not finite", seen=f"{name} = {getattr(self, name)}")
            object.__setattr__(self, name, float(value) if value.ndim == 0 else value)
        if self.ask is not None and not (math.isfinite(self.ask) and self.ask >= 0):
            raise DegenerateCosts(f"the price of asking is {self.ask:g}; it is finite and not negative")
        self._checked()

    def _checked(self) -> None:
        with np.errstate(over="ignore"):
            miss, alarm = np.asarray(self.miss), np.asarray(self.alarm)
            both = np.add(miss, alarm)
        if not np.isfinite(both).all():
            raise DegenerateCosts(
                "the costs lie further apart than numbers can hold", fix="give them in another unit: thousands"
            )
        if (miss < 0).any() or (alarm < 0).any() or (both <= 0).any():
            raise DegenerateCosts(
                "these costs leave nothing to decide",
                seen=f"a miss costs {miss.min():g} more than a catch, a false alarm {alarm.min():g} more than leaving",
                fix="costs of errors above those of right answers, e.g. Costs(false_negative=40, false_positive=5)",
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
        """The probability from which acting costs less on average (Elkan 2001); of the average costs if they are
        per row."""
        return self.average_threshold(None)

    def average_threshold(self, w: Floats | None) -> float:
        """The threshold of the average costs, which are those of weighted rows if they are per row."""
        alarm, miss = (_average(each, w) for each in (self.alarm, self.miss))
        return alarm / (alarm + miss)

    def of_rows(self, at: NDArray[np.intp], n: int) -> Costs:
        """The costs of some of ``n`` rows."""
        four = {name: np.asarray(getattr(self, name)) for name in OUTCOMES}
        for name, each in four.items():
            if each.ndim and len(each) != n:
                raise ShapeMismatch(f"{name} has {len(each):,} costs for {n:,} rows", fix="one cost, or one a row")
        picked: dict[str, Any] = {name: each[at] if each.ndim else float(each) for name, each in four.items()}
        return replace(self, **picked)

    @property
    def thresholds(self) -> float | Floats:
        """The Bayes threshold of each row: one number unless the costs are per row."""
        return self.alarm / (self.alarm + self.miss)

    @property
    def matrix(self) -> Floats:
        """Costs by truth (rows: no, yes) and act (columns: leave, act, and ask where it is offered)."""
        if self.per_row:
            raise CostsDoNotFit(
                "costs that differ by row have no one matrix", fix="use .of_acting(y) and .of_leaving(y)"
            )
        table = np.array(
            [[self.true_negative, self.false_positive], [self.false_negative, self.true_positive]], dtype=np.float64
        )
        return table if self.ask is None else np.column_stack([table, np.full(2, self.ask)])

    def of_acting(self, y: Floats) -> Floats:
        """What acting costs in each row."""
        return np.where(y == 1, self.true_positive, self.false_positive)

    def of_leaving(self, y: Floats) -> Floats:
        """What leaving alone costs in each row."""
        return np.where(y == 1, self.false_negative, self.true_negative)

    def to_dict(self) -> dict[str, Any]:
        """The costs as plain values, ready for JSON."""
        return {
            name: np.asarray(getattr(self, name)).tolist()
            for name in (*OUTCOMES, "ask")
            if getattr(self, name) is not None
        }

    @staticmethod
    def from_matrix(matrix: ArrayLike) -> Costs | ClassCosts:
        """Costs from a table by truth (rows) and act (columns): ``Costs`` if it is 2 x 2, else ``ClassCosts``."""
        table = np.asarray(matrix, dtype=np.float64)
        if table.shape != (2, 2):
            return ClassCosts(table)
        (tn, fp), (fn, tp) = table.tolist()
        return Costs(false_negative=fn, false_positive=fp, true_positive=tp, true_negative=tn)


def _average(costs: float | Floats, w: Floats | None) -> float:
    """The mean cost, in a unit in which no sum leaves the range of numbers."""
    values = np.atleast_1d(costs)
    unit = unit_of(values)
    return float(np.average(values / unit, weights=w if len(values) > 1 else None)) * unit


@dataclass(frozen=True, eq=False)
class ClassCosts:
    """What each act costs under each true class: a table with a row a class and a column an act."""

    matrix: Floats

    def __post_init__(self) -> None:
        table = np.array(self.matrix, dtype=np.float64)
        if table.ndim != 2 or min(table.shape) < 2 or not np.isfinite(table).all():
            raise DegenerateCosts("class costs are a finite table, a row a class and a column an act", seen=f"{table}")
        table.setflags(write=False)
        object.__setattr__(self, "matrix", table)

    def __eq__(self, other: object) -> bool:
        return np.array_equal(self.matrix, other.matrix) if isinstance(other, ClassCosts) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.matrix.shape, self.matrix.tobytes()))

    def with_asking(self, price: float) -> ClassCosts:
        """The same costs with one more act: a person who answers rightly, at a price."""
        return ClassCosts(np.column_stack([self.matrix, np.full(len(self.matrix), price)]))

    def to_dict(self) -> dict[str, Any]:
        """The costs as plain values, ready for JSON."""
        return {"matrix": self.matrix.tolist()}


@dataclass(frozen=True, kw_only=True)
class UnderOverCosts:
    """What one unit too little and one unit too much of an amount cost; the best amount is a quantile."""

    under: float
    over: float

    def __post_init__(self) -> None:
        if not (self.under > 0 and self.over > 0 and math.isfinite(self.under + self.over)):
            raise DegenerateCosts(
                "both unit costs are positive and finite", seen=f"under={self.under}, over={self.over}"
            )

    @property
    def level(self) -> float:
        """The quantile that costs least: under / (under + over)."""
        return self.under / (self.under + self.over)

    def of(self, y: Floats, amount: Floats) -> Floats:
        """What providing ``amount`` costs in each row where ``y`` was needed; error: GM706."""
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


def bayes_act(p: ArrayLike, costs: Costs | ClassCosts) -> Acts:
    """The act of least expected cost for each row of probabilities; equal costs go to acting, else to the first act.

    For ``Costs``, ``p`` holds one probability a row and acts are 0 (leave), 1 (act) and 2 (ask, where it has a
    price). For ``ClassCosts``, ``p`` has shape (rows, classes) and acts are columns of the cost table.
    """
    if isinstance(costs, ClassCosts):
        table = row_arguments.class_probabilities(p)
        if table.shape[1] != len(costs.matrix):
            raise CostsDoNotFit(f"costs are for {len(costs.matrix)} classes, the scores have {table.shape[1]}")
        return np.asarray(np.argmin(table @ costs.matrix, axis=1), dtype=np.intp)
    scores = row_arguments.probabilities(p)
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
        raise UsageError("thresholds lie strictly between 0 and 1", seen=f"wanted={wanted}, used={used}")
    return wanted / (1 - wanted) * (1 - used) / used
