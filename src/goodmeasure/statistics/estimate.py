"""A number that was estimated, with everything that is needed to read it honestly."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class Estimate:
    """An estimated number with its interval, how many rows stand behind it, and how the interval was made.

    ``effective_n`` is the number of independent, equally weighted rows that would carry as much information.
    ``standard_error`` is the plug-in one; small-sample corrections are in the interval. ``grid_error`` bounds how
    far the value can lie from the one computed on rows, where it was read off a grid. ``cautions`` are sentences to
    print with it.
    """

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


@dataclass(frozen=True)
class Difference(Estimate):
    """An estimated difference of two costs or losses, first minus second: below zero the first is better."""

    @property
    def verdict(self) -> str:
        """ "better" or "worse" where the interval excludes zero; otherwise that this many rows cannot tell."""
        if unknown := not_known(difference=self):
            return unknown
        if self.high < 0:
            return "better"
        if self.low > 0:
            return "worse"
        return f"cannot tell at this n (difference in [{self.low:.4g}, {self.high:.4g}])"

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON, with the verdict."""
        return super().to_dict() | {"verdict": self.verdict}


def as_difference(estimate: Estimate) -> Difference:
    """An estimate of a paired difference, able to give a verdict."""
    return Difference(**{f.name: getattr(estimate, f.name) for f in fields(Estimate)})


def times(estimate: Estimate, factor: float) -> Estimate:
    """The estimate in another unit, ``factor`` of which are one of its own."""
    return replace(
        estimate,
        value=estimate.value * factor,
        low=estimate.low * factor,
        high=estimate.high * factor,
        standard_error=estimate.standard_error * factor,
    )
