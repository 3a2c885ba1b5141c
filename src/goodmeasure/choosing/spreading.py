"""Whether errors grow with the mean: what a loss of amounts supposes of them, held against the residuals of a first fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from goodmeasure.statistics.intervals import normal_quantile
from goodmeasure.statistics.row_arguments import Floats

# Of counts the variance goes with the mean itself; Tweedie's loss supposes the power 1.5, gamma's 2, the squared error 0.
GROWS = 1.0
# A slope of logarithms, whatever the tails, that is nearer to an even spread than to this growth by half as much again.
NEARER = 0.75
LEVEL = 0.95
_POWERS = (-20.0, 20.0)
_HALVINGS = 60
_MOST_DISPERSION = 1e6


@dataclass(frozen=True)
class Dispersion:
    """How much of the squared mean the variance holds beyond the mean itself, with its interval (95 %)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3g} ({self.low:.2g} to {self.high:.2g})"


@dataclass(frozen=True)
class Spread:
    """How the variance of ``n`` errors goes with the mean: as its ``power``, at most ``high`` (95 %).

    ``slope`` is that of the logarithms of squared errors (Park 1966), which heavy tails do not move. ``dispersion`` is that
    of counts, where the variance is the mean and so many times its square.
    """

    n: int
    power: float
    low: float
    high: float
    slope: float
    dispersion: Dispersion

    def is_even(self, supposed: float) -> bool:
        """Whether the variance surely does not grow as fast as the mean, where a loss supposes that it grows with this power.

        Where the loss supposes no more than that, half of it is the limit: what is nearer to an even spread.
        """
        limit, nearer = (GROWS, NEARER) if supposed > GROWS else (GROWS / 2, GROWS / 2)
        return self.high < limit and self.slope < nearer

    def __str__(self) -> str:
        return f"their variance goes with the mean to the power of {self.power:.2g} ({self.low:.2g} to {self.high:.2g})"


def spread(residuals: ArrayLike, predictions: ArrayLike, weights: ArrayLike | None = None) -> Spread | None:
    """How squared residuals go with predictions above zero; None where these are all alike, or nearly no row misses."""
    squares, mean = np.square(np.asarray(residuals, dtype=np.float64)), np.asarray(predictions, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.log(mean)
    shares = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=np.float64)
    counts = (squares > 0) & np.isfinite(x) & np.isfinite(squares) & (shares > 0)
    squares, x, shares = squares[counts], x[counts], shares[counts] / max(float(shares[counts].sum()), 1e-300)
    if len(x) < 3 or float(np.ptp(x)) <= 1e-9:
        return None
    beyond = _dispersion(squares, mean[counts], shares)
    x = x - shares @ x
    power = _power(squares, x, shares)
    wide = normal_quantile(LEVEL) * _error(power, squares, x, shares)
    slope = float(shares @ (x * np.log(squares)) / (shares @ x**2))
    return Spread(len(x), power, power - wide, power + wide, slope, beyond)


def _dispersion(squares: Floats, mean: Floats, shares: Floats) -> Dispersion:
    """The dispersion with which squared errors are one on average, in units of the variance (Breslow 1984); at least none."""

    def relative(dispersion: float) -> Floats:
        return squares / (mean * (1 + dispersion * mean))

    low, high = 0.0, _MOST_DISPERSION
    for _ in range(2 * _HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if shares @ relative(middle) > 1 else (low, middle)
    value = (low + high) / 2 if shares @ relative(0.0) > 1 else 0.0
    seen = relative(value)
    falls = float(shares @ (seen * mean / (1 + value * mean)))
    wide = normal_quantile(LEVEL) * float(np.sqrt(((shares * (seen - 1)) ** 2).sum())) / max(falls, 1e-300)
    return Dispersion(value, max(value - wide, 0.0), value + wide)


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
