"""The shape of a loss: what it does far out, and on the way."""

from __future__ import annotations

import numpy as np

from goodmeasure import losses
from goodmeasure.choosing.tails import tails
from goodmeasure.drawing.sketches import bars, lines
from goodmeasure.explaining.page import Shown, page

_MISS = np.linspace(-6, 6, 25)
_WAITS = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 49.0])


@page(
    "Tukey 1960, A survey of sampling from contaminated distributions",
    "goodmeasure choose DATA.csv --target AMOUNT --outliers errors",
    also=("extreme value", "gross error", "far out"),
    near=("robustness", "residual", "quantile"),
)
def outlier() -> Shown:
    """A value far from the others: a mistake that should not decide, or the very thing that is asked about.

    The values alone cannot say which. Mistakes call for a loss whose pull stops growing; real ones belong to the mean.
    """
    seen = tails(_WAITS)
    kinds = {
        "squared error": losses.squared_error(),
        "huber": losses.huber(),
        "absolute error": losses.absolute_error(),
    }
    moved = {name: float(kind.best_constant(_WAITS) - kind.best_constant(_WAITS[:-1])) for name, kind in kinds.items()}
    said = f"Of the waits 1 to 6 and 49, {seen.far} lies beyond 5 robust standard deviations ({seen.scale:.3g}) and carries"
    return Shown(f"{said} {100 * seen.carried:.0f} % of the squares. It moves the best constant by:", bars(moved))


@page(
    "Huber 1964, Robust estimation of a location parameter",
    "goodmeasure choose DATA.csv --target AMOUNT --outliers errors",
    also=("robust", "robust loss", "resistance", "breakdown point"),
    near=("outlier", "lipschitz", "convexity"),
)
def robustness() -> Shown:
    """A loss is robust when a few gross errors cannot move the answer far: its pull is bounded, or fades far out.

    The price is paid where errors are light: a little efficiency, and another answer than the mean where they are lopsided.
    """
    zero = np.zeros(len(_MISS))
    kinds = {"squared": losses.squared_error(), "huber": losses.huber(), "cauchy": losses.cauchy()}
    pulls = {name: np.asarray(kind.gradient(zero, _MISS)) for name, kind in kinds.items()}
    said = ", ".join(f"{name} with {value[-1]:.3g}" for name, value in pulls.items())
    return Shown(f"How hard a row pulls at a miss of 6: {said}.", lines(_MISS, pulls, "miss"))


@page(
    "Boyd and Vandenberghe 2004, Convex Optimization, chapter 3",
    "goodmeasure choose DATA.csv --target AMOUNT",
    also=("convex", "strictly convex", "strongly convex", "nonconvex"),
    near=("gradient", "robustness", "lipschitz"),
)
def convexity() -> Shown:
    """A loss is convex in the raw output when no chord lies below it: then a linear model has one valley and no false ones.

    Strictly convex losses have one best answer; strongly convex ones pull back in proportion to the distance.
    """
    zero, curves = np.zeros(len(_MISS)), {}
    for name in ("huber", "welsch"):
        curves[name] = np.asarray(losses.find(name)().value(zero, _MISS))
    bend = {name: float(value[18] - (value[12] + value[24]) / 2) for name, value in curves.items()}
    said = " and ".join(f"{name} {value:+.2g}" for name, value in bend.items())
    return Shown(f"Halfway from a miss of 0 to one of 6, the loss minus the chord is {said}: above 0 is not convex.",
                 lines(_MISS, curves, "miss"))  # fmt: skip


@page(
    "Hampel 1974, The influence curve and its role in robust estimation",
    "goodmeasure choose DATA.csv --target AMOUNT --outliers errors",
    also=("lipschitz constant", "bounded gradient", "influence"),
    near=("robustness", "learning signal", "gradient"),
)
def lipschitz() -> Shown:
    """A bound on the signal: no row can pull harder than this, whatever it holds.

    Squared error has none, so one gross outlier can rule a fit; the bound of Huber's loss is its delta.
    """
    pulls = {
        f"delta {delta:g}": float(losses.huber(delta=delta).gradient([0.0], [100.0])[0]) for delta in (1.0, 2.0, 4.0)
    }
    free = float(losses.squared_error().gradient([0.0], [100.0])[0])
    said = ", ".join(f"{value:g} for {name}" for name, value in pulls.items())
    return Shown(f"At a miss of 100 squared error pulls with {free:g}, huber with {said}.", bars(pulls))
