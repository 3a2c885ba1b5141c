"""Honest forecasts: what four losses charge for saying otherwise than one believes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from goodmeasure import losses
from goodmeasure.drawing.axes import Axes
from goodmeasure.drawing.cells import Floats
from goodmeasure.drawing.marks import DASHED, DOTTED, INK, LOSS, PREDICTION, QUIET, SIGNAL, SOLID, Guide, Points, Stroke
from goodmeasure.drawing.picture import Picture
from goodmeasure.lab.hosts import handed_over
from goodmeasure.lab.page import LabPage
from goodmeasure.lab.picture import LabelledPoints, Named
from goodmeasure.making.loss import Loss

BELIEF = 0.7
DAYS = 100
_ROW = 20  # days beside each other
_FORECASTS = np.linspace(0.001, 0.999, 500)
_OFFERED = (50, 70, 100)  # percent


def compared() -> dict[str, tuple[str, Loss, tuple[str, str]]]:
    """The losses of the page by their names in the catalogue: a name to read, the loss, and how it is drawn."""
    return {
        "binary_cross_entropy": ("cross-entropy", losses.binary_cross_entropy(), (LOSS, SOLID)),
        "binary_brier": ("squared error", losses.binary_brier(), (PREDICTION, DASHED)),
        "absolute_error": ("absolute error", losses.absolute_error(), (SIGNAL, DOTTED)),
        "zero_one": ("the count", losses.zero_one(), (QUIET, SOLID)),
    }


def is_linked(loss: Loss) -> bool:
    """Whether its raw output is the log odds of the forecast; else it is the forecast itself."""
    return loss.is_binary


def _raw(loss: Loss, p: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.log(p) - np.log1p(-p) if is_linked(loss) else p


def expected(loss: Loss, belief: float, forecast: Any) -> Floats:
    """What forecasts cost on average, (n,), where the probability of yes is the belief."""
    p = np.atleast_1d(np.asarray(forecast, dtype=np.float64))
    yes, no = (loss.value(np.full(p.shape, y), _raw(loss, p)) for y in (1.0, 0.0))
    return np.asarray(belief * yes + (1 - belief) * no)


def balance(loss: Loss, belief: float, forecast: float) -> tuple[float, float]:
    """What a point more saves over a hundred days where yes happens, and what it costs where no does, at this rate."""
    z = _raw(loss, np.array([forecast]))
    a_point = forecast * (1 - forecast) if is_linked(loss) else 1.0  # of the forecast, for one of the raw output
    saves, costs = (float(loss.gradient([y], z)[0]) / a_point for y in (1.0, 0.0))
    return -belief * saves + 0.0, (1 - belief) * costs + 0.0


def days() -> Picture:
    """A hundred days, on so many of which yes happens."""
    place = np.arange(float(DAYS))
    axes = Axes(x_ends=(-0.7, _ROW - 0.3), y_ends=(-4.6, 0.6), x_ticks={}, y_ticks={}, is_framed=False)
    rain = (place < BELIEF * DAYS).tolist()
    axes.add(Named(LabelledPoints(place % _ROW, -(place // _ROW), rain, [False] * DAYS, size=6.0), "days"))
    said = f"A hundred dots, a day each: it rains on {sum(rain)} of them."
    return Picture("days", "On how many days does it rain?", (axes,), (420, 150), said)


def curves() -> Picture:
    """What every forecast costs on average, and where each loss charges least."""
    axes = Axes(across="the forecast you give", up="cost a day", x_ends=(0.0, 1.0), y_ends=(0.0, 1.4))
    axes.add(Named(Guide(BELIEF, INK, up=True), "now"))
    for name, (title, loss, (colour, dash)) in compared().items():
        axes.add(
            Named(
                Stroke(_FORECASTS, expected(loss, BELIEF, _FORECASTS), colour, dash, title, width=2.4), f"cost-{name}"
            )
        )
    for name, best in {"binary_cross_entropy": BELIEF, "binary_brier": BELIEF, "absolute_error": 1.0}.items():
        _, loss, (colour, _) = compared()[name]
        axes.add(Named(Points(np.array([best]), expected(loss, BELIEF, best), colour, size=5.0), f"lowest-{name}"))
    said = (
        f"Cross-entropy and squared error are lowest at {BELIEF:.0%}; absolute error falls all the way to 100%, and the count is "
        "the same for every forecast above a half."
    )
    return Picture("curves", "What does each forecast cost?", (axes,), (380, 250), said)


def shown() -> Mapping[str, Any]:
    """What the page shows, computed."""
    absolute = losses.absolute_error()
    return {
        "days": days(),
        "curves": curves(),
        "belief": BELIEF,
        "count": DAYS,
        "guesses": [(percent, f"{percent} %") for percent in _OFFERED],
        "certain": float(expected(absolute, BELIEF, 1.0)[0]),
        "honest": float(expected(absolute, BELIEF, BELIEF)[0]),
        "table": [
            (name, title, float(expected(loss, BELIEF, BELIEF)[0]), balance(loss, BELIEF, BELIEF))
            for name, (title, loss, _) in compared().items()
        ],
        "code": handed_over(losses.binary_brier()),
    }


def given() -> Mapping[str, Any]:
    """The numbers that the script begins from."""
    return {"linked": {name: is_linked(loss) for name, (_, loss, _) in compared().items()}, "days": DAYS, "row": _ROW}


forecasts: LabPage = LabPage(6, "forecasts", "Does it pay to say what you believe?", shown, given)
