"""Whether errors grow with the mean: what a loss of amounts supposes of them, held against the residuals of a first fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from goodmeasure import losses
from goodmeasure.choosing.plan import Plan, Rejected
from goodmeasure.statistics.intervals import normal_quantile
from goodmeasure.statistics.row_arguments import Floats

# Of counts the variance goes with the mean itself; Tweedie's loss supposes the power 1.5, gamma's 2, the squared error 0.
GROWS = 1.0
# A slope of logarithms, whatever the tails, that is nearer to an even spread than to this growth by half as much again.
NEARER = 0.75
LEVEL = 0.95
_POWERS = (-20.0, 20.0)
_HALVINGS = 60


@dataclass(frozen=True)
class Spread:
    """How the variance of ``n`` errors goes with the mean: as its ``power``, at most ``high`` (95 %).

    ``slope`` is that of the logarithms of squared errors (Park 1966), which heavy tails do not move.
    """

    n: int
    power: float
    low: float
    high: float
    slope: float

    @property
    def is_even(self) -> bool:
        """Whether the variance surely does not grow as fast as the mean."""
        return self.high < GROWS and self.slope < NEARER

    def __str__(self) -> str:
        return f"their variance goes with the mean to the power of {self.power:.2g} ({self.low:.2g} to {self.high:.2g})"


def spread(residuals: ArrayLike, predictions: ArrayLike, weights: ArrayLike | None = None) -> Spread | None:
    """How squared residuals go with predictions above zero; None where these are all alike, or nearly no row misses."""
    squares, x = np.square(np.asarray(residuals, dtype=np.float64)), np.log(np.asarray(predictions, dtype=np.float64))
    shares = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=np.float64)
    counts = (squares > 0) & np.isfinite(x) & np.isfinite(squares) & (shares > 0)
    squares, x, shares = squares[counts], x[counts], shares[counts] / max(float(shares[counts].sum()), 1e-300)
    if len(x) < 3 or float(np.ptp(x)) <= 1e-9:
        return None
    x = x - shares @ x
    power = _power(squares, x, shares)
    wide = normal_quantile(LEVEL) * _error(power, squares, x, shares)
    slope = float(shares @ (x * np.log(squares)) / (shares @ x**2))
    return Spread(len(x), power, power - wide, power + wide, slope)


def _relative(power: float, squares: Floats, x: Floats, shares: Floats) -> Floats:
    """Squared errors in units of what this power foresees; one on average."""
    logs = np.log(squares) - power * x
    found = np.exp(logs - logs.max())
    return np.asarray(found / (shares @ found))


def _power(squares: Floats, x: Floats, shares: Floats) -> float:
    """The power after which no trend is left in the squared errors (quasi-likelihood, Davidian and Carroll 1987)."""
    low, high = _POWERS
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if shares @ (_relative(middle, squares, x, shares) * x) > 0 else (low, middle)
    return (low + high) / 2


def _error(power: float, squares: Floats, x: Floats, shares: Floats) -> float:
    """The standard error of the power, whatever the law of the errors (Huber's sandwich)."""
    relative = _relative(power, squares, x, shares)
    pulls = shares * (relative - 1) * x
    curvature = float(shares @ (relative * x**2))
    return float(np.sqrt((pulls**2).sum() * len(x) / (len(x) - 2)) / curvature)


def evened(plan: Plan, seen: Spread | None) -> Plan:
    """The plan with the squared error where it supposes errors that grow with the mean, and those of a first fit do not."""
    if seen is None or not seen.is_even:
        return plan
    first, second, third, fourth = plan.steps
    loss = losses.squared_error()
    before = Rejected(plan.activation.name, "errors that do not grow with the mean leave no need to multiply")
    activate = replace(
        second,
        answer=loss.activation[0].name,
        reason="squared errors are counted in units of the target; a prediction may fall below its range",
        rejected=(before, *_without(second.rejected, loss.activation[0].name)),
    )
    supposes = Rejected(
        str(plan.loss), "it supposes errors that grow with the mean, and would count small amounts most"
    )
    measure = replace(
        third,
        answer=str(loss),
        reason=f"it asks for the mean, and the errors of a first fit do not grow with it: {seen} on {seen.n:,} rows left out",
        rejected=(supposes, *_without(third.rejected, str(loss))),
    )
    return replace(plan, loss=loss, steps=(first, activate, measure, fourth))


def _without(rejected: tuple[Rejected, ...], name: str) -> tuple[Rejected, ...]:
    """What was rejected besides this."""
    return tuple(each for each in rejected if each.alternative != name)
