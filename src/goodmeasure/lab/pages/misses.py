"""A miss of ten beside a miss of one: what four losses make of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from goodmeasure import losses
from goodmeasure.drawing.axes import Axes
from goodmeasure.drawing.cells import Floats
from goodmeasure.drawing.marks import DASHED, DOTTED, INK, LOSS, PREDICTION, QUIET, SIGNAL, SOLID, Points, Stroke
from goodmeasure.drawing.picture import Picture
from goodmeasure.lab.hosts import spelled
from goodmeasure.lab.page import LabPage
from goodmeasure.lab.picture import Named, Square
from goodmeasure.making.loss import Loss

MISS = 10.0
_MISSES = np.linspace(0.0, 10.0, 101)


def compared() -> dict[str, tuple[str, Loss, tuple[str, str]]]:
    """The losses of the page by their names in the catalogue: a name to read, the loss, and how it is drawn."""
    return {
        "squared_error": ("squared error", losses.squared_error(), (LOSS, SOLID)),
        "log_cosh": ("log-cosh", losses.log_cosh(), (SIGNAL, DOTTED)),
        "huber": ("Huber's", losses.huber(), (PREDICTION, DASHED)),
        "absolute_error": ("absolute error", losses.absolute_error(), (QUIET, SOLID)),
    }


def price(loss: Loss, misses: Any) -> Floats:
    """What predictions cost that are too high by so much."""
    misses = np.asarray(misses, dtype=np.float64)
    return np.asarray(loss.value(np.zeros(misses.shape), misses))


def _times(loss: Loss, misses: Any) -> Floats:
    """The same as multiples of a miss of one."""
    return np.asarray(price(loss, misses) / price(loss, [1.0]))


def tiles() -> Picture:
    """A miss as a length and as the area of a square."""
    ends: dict[str, Any] = {"x_ends": (0.0, 10.5), "y_ends": (0.0, 10.5)}
    axes = Axes(across="the miss as a length", up="and as the side of a square", **ends)
    axes.add(Named(Square(MISS, LOSS, 0.25), "square"), Square(1.0, LOSS, 1.0))
    axes.add(Named(Stroke(np.array([0.0, MISS]), np.zeros(2), INK, width=4.5), "length"))
    said = "A square with a side of ten holds a hundred squares with a side of one; its side is ten times as long."
    return Picture("tiles", "How large is the miss?", (axes,), (300, 290), said)


def lines() -> Picture:
    """What each loss charges for a miss, as multiples of a miss of one."""
    axes = Axes(across="miss", up="times the price of 1", x_ends=(0.0, 10.0), y_ends=(0.0, 100.0))
    for name, (title, loss, (colour, dash)) in compared().items():
        axes.add(Named(Stroke(_MISSES, _times(loss, _MISSES), colour, dash, title, width=2.4), f"answer-{name}"))
        here = np.array([MISS])
        axes.add(Named(Points(here, _times(loss, here), INK, size=3.6), f"answer-at-{name}"))
    ends = "; ".join(f"{title} {_times(loss, [MISS])[0]:.3g}" for title, loss, _ in compared().values())
    return Picture(
        "lines", "How many times as bad is it?", (axes,), (420, 230), f"A miss of ten, in misses of one: {ends}."
    )


def shown() -> Mapping[str, Any]:
    """What the page shows, computed."""
    pinball = losses.pinball(level=0.9)
    rows = [(name, price(loss, [1.0, MISS])) for name, loss, _ in compared().values()]
    rows += [
        ("pinball at 0.9, too high", price(pinball, [1.0, MISS])),
        ("pinball at 0.9, too low", price(pinball, [-1.0, -MISS])),
    ]
    return {
        "tiles": tiles(),
        "lines": lines(),
        "miss": MISS,
        "losses": {name: title for name, (title, _, _) in compared().items()},
        "at": {name: float(_times(loss, [MISS])[0]) for name, (_, loss, _) in compared().items()},
        "table": [(name, float(one), float(ten), float(ten / one)) for name, (one, ten) in rows],
        "code": spelled(losses.huber()),
    }


def given() -> Mapping[str, Any]:
    """The numbers that the script begins from."""
    return {"losses": [*compared()]}


misses: LabPage = LabPage(1, "misses", "How bad is a miss of 10, beside one of 1?", shown, given)
