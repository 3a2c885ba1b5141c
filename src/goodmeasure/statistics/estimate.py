"""A number that was estimated, with everything that is needed to read it honestly."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from statistics import NormalDist
from typing import Any, TypeVar

from goodmeasure.drawing.cells import Interval
from goodmeasure.drawing.display import Display
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.drawing.picture import Picture
from goodmeasure.drawing.pictures import intervals
from goodmeasure.errors import UsageError
from goodmeasure.strict.calls import strict_class

E = TypeVar("E", bound="Estimate")
T = TypeVar("T")
# What is said of an interval that does not know which rows go together.
TAKEN_AS_INDEPENDENT = "takes rows that go together as independent: the interval can be too short"


@strict_class
@dataclass(frozen=True)
class Estimate(Displayed):
    """An estimated number with its interval, how many rows stand behind it, and how the interval was made.

    Attributes:
        value: the number; ``float(estimate)`` gives it too.
        low: where the interval begins.
        high: where it ends.
        n: how many rows were counted.
        effective_n: how many independent, equally weighted rows would carry as much information.
        method: how the interval was made.
        level: how often such an interval covers.
        standard_error: the plug-in one; small-sample corrections are in the interval.
        grid_error: how far the value can lie from the one computed on rows, where it was read off a grid. Of what is dealt
            to folds it holds what other folds move, too.
        cautions: sentences to print with it.

    Example:
        >>> import goodmeasure as gm
        >>> found = gm.risk(gm.losses.absolute_error(), [1.0, 2.0, 3.0, 4.0], [1.5, 2.0, 2.5, 5.0])
        >>> print(found)
        0.5 [0, 1.15] · n=4
        >>> float(found), found.method
        (0.5, 'normal, corrected for skewness')
    """

    _called = "an estimate, such as gm.risk(loss, y, z)"

    value: float
    low: float
    high: float
    n: int
    effective_n: float
    method: str
    level: float = 0.95
    standard_error: float = float("nan")
    grid_error: float = 0.0
    cautions: tuple[str, ...] = ()

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        text = f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"
        if self.grid_error:
            text += f" ± {self.grid_error:.1g} grid"
        return f"{text} · n={self.n:,}" + "".join(f" · {caution}" for caution in self.cautions)

    def _display(self) -> Display:
        name = type(self).__name__
        return display_of(name, {name.lower(): self})

    def _picture(self) -> Picture:
        return intervals("intervals", type(self).__name__, [(type(self).__name__.lower(), self.interval)], "value")

    @property
    def interval(self) -> Interval:
        """The value with its interval, as a cell of a display."""
        return Interval(self.value, self.low, self.high)

    @property
    def is_known(self) -> bool:
        """Whether the value and the ends of the interval are numbers, or infinite."""
        return not any(map(math.isnan, (self.value, self.low, self.high)))

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return asdict(self)


def not_known(**estimates: Estimate) -> str:
    """What takes the place of a verdict where an estimate is not a number; empty where all of them are."""
    lost = [name.replace("_", " ") for name, estimate in estimates.items() if not estimate.is_known]
    return f"not known: the {' and the '.join(lost)} cannot be told from these rows" if lost else ""


@strict_class
@dataclass(frozen=True)
class Difference(Estimate):
    """An estimated difference of two costs or losses, first minus second: below zero the first is better.

    Example:
        >>> import goodmeasure as gm
        >>> y = [1.0, 2.0, 3.0, 4.0]
        >>> found = gm.compare(gm.losses.squared_error(), y, [1.1, 2.1, 2.9, 4.2], [2.0, 1.0, 2.0, 5.0])
        >>> found.verdict
        'better'
    """

    def _picture(self) -> Picture:
        rows = [("first minus second", self.interval)]
        return intervals("intervals", "Is the first better?", rows, "difference", zero=True)

    @property
    def verdict(self) -> str:
        """Whether the first is "better" or "worse", said only where the interval excludes zero."""
        if unknown := not_known(difference=self):
            return unknown
        if TAKEN_AS_INDEPENDENT in self.cautions:
            return "not known: rows that go together are taken as independent"
        if self.high < 0:
            return "better"
        if self.low > 0:
            return "worse"
        return f"cannot tell at this n (difference in [{self.low:.4g}, {self.high:.4g}])"

    def rows_to_tell(self, power: float = 0.8) -> float:
        """How many rows would tell which is better, were the true difference the one that was seen.

        Their interval would exclude zero as often as ``power`` says. The difference that was seen is itself uncertain:
        within two standard errors of zero this is an order of magnitude. Clusters are taken as large as those at hand. What
        the interval at hand reaches towards zero beyond a normal one, few rows or skewed ones make: it falls as the root of
        the rows. So where nothing is told yet, more rows are named than there are.

        Args:
            power: how often that many rows tell, between 0 and 1; four times in five unless given.

        Returns:
            A whole number of rows, of which those at hand are a part; infinite where the difference is zero.

        Raises:
            GM009: the power is no share.

        Example:
            >>> import goodmeasure as gm
            >>> y = [1.0, 2.0, 3.0, 4.0]
            >>> found = gm.compare(gm.losses.squared_error(), y, [1.1, 2.3, 2.9, 4.2], [1.2, 2.1, 2.8, 4.4])
            >>> found.rows_to_tell()
            87
        """
        distance, normal = abs(self.value), self._errors(power) * self.standard_error
        if not distance:
            return math.inf
        # Of s times the root of the rows at hand: distance = normal / s + beyond / s**2.
        root = (normal + math.sqrt(normal**2 + 4 * distance * self._beyond)) / (2 * distance)
        needed = self.n * root * root
        return math.ceil(needed) if math.isfinite(needed) else needed

    def smallest_told(self, n: float | None = None, power: float = 0.8) -> float:
        """The smallest true difference that so many rows tell from zero.

        Args:
            n: how many rows like these there are; as many as there are unless given.
            power: how often they tell, between 0 and 1; four times in five unless given.

        Returns:
            The size of the difference, in its own unit.

        Raises:
            GM009: the power is no share, or there is no row.

        Example:
            >>> import goodmeasure as gm
            >>> y = [1.0, 2.0, 3.0, 4.0]
            >>> found = gm.compare(gm.losses.squared_error(), y, [1.1, 2.3, 2.9, 4.2], [1.2, 2.1, 2.8, 4.4])
            >>> round(found.smallest_told(), 4), round(found.smallest_told(40), 4)
            (0.1791, 0.0394)
        """
        rows = self.n if n is None else n
        if not rows > 0:
            raise UsageError(f"{rows} rows tell nothing", fix="difference.smallest_told(1000)")
        share = self.n / rows
        return self._errors(power) * self.standard_error * math.sqrt(share) + self._beyond * share

    @property
    def outlook(self) -> str:
        """What it would take to tell the two apart; empty where that is told already, or the difference is no number."""
        if self.verdict in ("better", "worse") or not math.isfinite(self.value + self.standard_error + self._beyond):
            return ""
        if abs(self.value) > self.standard_error:
            groups = " in groups" if "cluster" in self.method else ""
            return (
                f"about {rounded(self.rows_to_tell()):,} rows{groups} like these (now {self.n:,}) would tell a difference as "
                "large as the one seen, four times in five"
            )
        return (
            f"{self.n:,} rows tell a difference of {self.smallest_told():.2g} four times in five, ten times as many one of "
            f"{self.smallest_told(10 * self.n):.2g}"
        )

    def _errors(self, power: float) -> float:
        """How many standard errors the true difference must lie from zero, to be told as often as ``power`` says."""
        if not 0 < power < 1:
            raise UsageError(f"a power of {power}", seen="it is how often a difference is told", fix="power=0.8")
        unit = NormalDist()
        return unit.inv_cdf(0.5 + self.level / 2) + unit.inv_cdf(power)

    @property
    def _beyond(self) -> float:
        """What the interval reaches towards zero beyond one of so many standard errors as a normal one."""
        towards = self.value - self.low if self.value > 0 else self.high - self.value
        return max(towards - NormalDist().inv_cdf(0.5 + self.level / 2) * self.standard_error, 0.0)

    def _display(self) -> Display:
        notes = filter(None, (self.verdict, self.outlook))
        return display_of("Difference, the first minus the second", {"difference": self}, *notes)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON, with the verdict."""
        return super().to_dict() | {"verdict": self.verdict, "outlook": self.outlook}


def rounded(rows: float) -> int:
    """A number of rows to two digits, because the third is not known."""
    return int(float(f"{rows:.1e}"))


def display_of(title: str, estimates: Mapping[str, Estimate | None], *notes: str) -> Display:
    """Estimates by their names as rows of a display (None is left out), with what must be printed beside them."""
    held = {name: each for name, each in estimates.items() if each is not None}
    each = list(held.values())
    levels = ", ".join(dict.fromkeys(f"{100 * one.level:g} %" for one in each))
    cautions = dict.fromkeys(caution for one in each for caution in one.cautions)
    grid = max((one.grid_error for one in each), default=0.0)
    read = [f"read off a grid, which moves a value by {grid:.1g} at most"] if grid else []
    return Display(
        title,
        {
            "what": list(held),
            "value": [one.interval for one in each],
            "n": [one.n for one in each],
            "method": [one.method for one in each],
            "level": [one.level for one in each],
            "effective_n": [one.effective_n for one in each],
            "standard_error": [one.standard_error for one in each],
        },
        notes=(*notes, *cautions, *read, *([f"intervals of {levels}"] if levels else [])),
        aside=("level", "effective_n", "standard_error"),
    )


def as_difference(estimate: Estimate) -> Difference:
    """An estimate of a paired difference, able to give a verdict."""
    return Difference(**{f.name: getattr(estimate, f.name) for f in fields(Estimate)})


def each_estimate(found: T, change: Callable[[Any], Any]) -> T:
    """The same result with every estimate in it changed, however deep it lies in tuples and records."""
    if type(found) is tuple:
        olds: Any = found
        each: Any = tuple(each_estimate(one, change) for one in olds)
        return found if all(new is old for new, old in zip(each, olds, strict=True)) else each
    if not is_dataclass(found) or isinstance(found, type):
        return found
    changed = {
        f.name: new
        for f in fields(found)
        if f.init and (new := each_estimate(old := getattr(found, f.name), change)) is not old
    }
    inner: T = replace(found, **changed) if changed else found
    return change(inner) if isinstance(inner, Estimate) else inner


def widened(estimate: E, factor: float, why: str) -> E:
    """The estimate with an interval ``factor`` times as long on each side."""
    return replace(
        estimate,
        low=estimate.value - factor * (estimate.value - estimate.low),
        high=estimate.value + factor * (estimate.high - estimate.value),
        standard_error=estimate.standard_error * factor,
        effective_n=estimate.effective_n / factor**2,
        method=f"{estimate.method}, {why}",
    )


def within(estimate: E, least: float, largest: float) -> E:
    """The estimate without the part of its interval that cannot be: below the least or above the largest value."""
    low, high = max(estimate.low, min(least, estimate.value)), min(estimate.high, max(largest, estimate.value))
    return replace(estimate, low=low, high=high)


def times(estimate: Estimate, factor: float) -> Estimate:
    """The estimate in another unit, ``factor`` of which are one of its own."""
    return replace(
        estimate,
        value=estimate.value * factor,
        low=estimate.low * factor,
        high=estimate.high * factor,
        standard_error=estimate.standard_error * factor,
    )
