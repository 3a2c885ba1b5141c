"""What a number may be: the domains of targets and of hyperparameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, TypeAlias, get_args

from goodmeasure.errors import UsageError, shorter
from goodmeasure.formulas.evaluation import Array, namespace


@dataclass(frozen=True)
class Domain:
    """A set of numbers: an interval, open or closed at each end, of all or only of whole numbers.

    A ``gap`` leaves out the numbers strictly between two, or one number where both are the same.
    """

    name: str
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    whole: bool = False
    gap: tuple[float, float] | None = None

    def outside(self, values: Array, xp: Any = None) -> Array:
        """Which values lie outside, NaN and infinities included; ``xp`` is their namespace, found where it is not given."""
        xp = xp or namespace(values)
        below = values <= self.low if self.low_open else values < self.low
        above = values >= self.high if self.high_open else values > self.high
        out = below | above | ~xp.isfinite(values)
        if self.gap is not None:
            first, last = self.gap
            out = out | ((first < values) & (values < last)) | ((first == last) & (values == first))
        # Whole numbers by their type need no look, and torch rounds no booleans.
        looks = self.whole and not xp.isdtype(values.dtype, ("bool", "integral"))
        return out | (values != xp.round(values)) if looks else out

    def __contains__(self, value: Any) -> bool:
        import numpy as np

        return not bool(self.outside(np.asarray(value, dtype=float)))

    @property
    def interval(self) -> str:
        """The domain as people write it: ``(0, inf)``."""
        left = "(" if self.low_open or math.isinf(self.low) else "["
        right = ")" if self.high_open or math.isinf(self.high) else "]"
        within = f"{left}{self.low:g}, {self.high:g}{right}"
        if self.gap is None:
            return within
        first, last = self.gap
        return f"{within} without {first:g}" if first == last else f"{within} without ({first:g}, {last:g})"

    def __str__(self) -> str:
        return f"{self.name} {self.interval}"


@dataclass(frozen=True)
class OutcomeDomain(Domain):
    """What happened: yes or no, or one of several classes, as a label or as probabilities."""

    classes: bool = False
    binary: bool = False

    def __str__(self) -> str:
        # Which labels there are says the number of outputs, and not the domain.
        return self.name if self.classes and not self.binary else super().__str__()


@dataclass(frozen=True)
class OrderDomain(Domain):
    """Grades that stand in an order, coded 0, 1, 2, ... from the lowest on."""


@dataclass(frozen=True)
class SizeDomain(Domain):
    """How many of something a formula is written for: a number that decides how the formula looks, and is none of its symbols."""


@dataclass(frozen=True)
class RisingDomain(Domain):
    """Several numbers, each above the one before. How many there are decides how a formula looks; each is a symbol of it.

    Those that are ``written`` are numbers of the formula, as the activation has them too, and no symbols.
    """

    most: int = 24
    written: bool = False

    def __contains__(self, value: Any) -> bool:
        rising = all(below < above for below, above in pairwise(value))
        return rising and 2 <= len(value) <= self.most and all(map(super().__contains__, value))


Real: TypeAlias = Annotated[float, Domain("a real number")]
Positive: TypeAlias = Annotated[float, Domain("a positive number", low=0, low_open=True)]
NonNegative: TypeAlias = Annotated[float, Domain("a non-negative number", low=0)]
Count: TypeAlias = Annotated[float, Domain("a count", low=0, whole=True)]
UnitInterval: TypeAlias = Annotated[float, Domain("a share", low=0, high=1)]
NonZero: TypeAlias = Annotated[float, Domain("a number other than zero", gap=(0, 0))]
Level: TypeAlias = Annotated[float, Domain("a level", low=0, high=1, low_open=True, high_open=True)]
Seed: TypeAlias = Annotated[int, Domain("a seed", low=0, whole=True)]
Fraction: TypeAlias = Annotated[float, Domain("a fraction", low=0, high=1, high_open=True)]
Part: TypeAlias = Annotated[float, Domain("a part", low=0, high=1, low_open=True)]
AboveMinusOne: TypeAlias = Annotated[float, Domain("a number above -1", low=-1, low_open=True)]
# The powers of the mean that the variance of a Tweedie law can follow: there is no law between 0 and 1.
TweediePower: TypeAlias = Annotated[float, Domain("a power", low=0, gap=(0, 1))]

Binary: TypeAlias = Annotated[float, OutcomeDomain("yes or no", low=0, high=1, binary=True)]
Classes: TypeAlias = Annotated[int, OutcomeDomain("one of several classes", low=0, classes=True)]
Outcome: TypeAlias = Annotated[int, OutcomeDomain("what happened", low=0, classes=True, binary=True)]

# One level is the pinball loss; formulas grow with each, and 23 are the most that forecasts are commonly asked for.
Levels: TypeAlias = Annotated[
    Sequence[float], RisingDomain("2 to 24 rising levels", low=0, high=1, low_open=True, high_open=True)
]

Bounds: TypeAlias = Annotated[
    Sequence[float], RisingDomain("the least and the most there can be", most=2, written=True)
]

Grade: TypeAlias = Annotated[int, OrderDomain("a grade", low=0, whole=True)]
# Two grades are yes and no; the formula of each grade more is longer, and what has very many of them is an amount.
Grades: TypeAlias = Annotated[int, SizeDomain("a number of grades", low=3, high=16, whole=True)]


def bounded(bounds: Sequence[float]) -> Domain:
    """The amounts between two bounds, both of them included."""
    low, high = bounds
    return Domain("a bounded amount", low=low, high=high)


def span(low: float, high: float) -> float:
    """How wide an interval is: its lower end and this, rounded, are never above the upper one."""
    width = high - low
    return width if low + width <= high else math.nextafter(width, 0.0)


def written(number: float) -> str:
    """A number with as many digits as tell it from all others."""
    short = f"{number:g}"
    return short if float(short) == number else repr(number)


def domain(annotation: Any) -> Domain:
    """The domain behind an annotation such as ``Positive``, or the domain itself."""
    if isinstance(annotation, Domain):
        return annotation
    for argument in get_args(annotation):
        if isinstance(argument, Domain):
            return argument
    if isinstance(annotation, type | str) and annotation in (float, int, "float", "int"):
        return domain(Real)
    raise UsageError(
        f"{shorter(annotation)} is not a domain", fix="gm.Real, Positive, NonNegative, Count, UnitInterval, Binary, ..."
    )
