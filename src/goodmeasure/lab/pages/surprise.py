"""The price of surprise: what cross-entropy charges for the probability that was given to what happened, in nats and in coins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from goodmeasure import losses
from goodmeasure.drawing.axes import Axes
from goodmeasure.drawing.marks import INK, LOSS, QUIET, Guide, Points, Stroke
from goodmeasure.drawing.picture import Picture
from goodmeasure.lab.hosts import spelled
from goodmeasure.lab.page import LabPage
from goodmeasure.lab.picture import Coins, Named

START = 0.9
COINS = 10
_SHOWN = (0.999, 0.9, 0.5, 0.1, 0.01, 0.001)
_PROBABILITIES = np.concatenate([np.geomspace(0.0009, 0.05, 60), np.linspace(0.055, 0.999, 120)])


def price(p: Any) -> Any:
    """What cross-entropy charges where p was given to what happened."""
    p = np.asarray(p, dtype=np.float64)
    return losses.binary_cross_entropy().value(np.ones(p.shape), np.log(p / (1 - p)))


def curve() -> Picture:
    """The price at every probability."""
    axes = Axes(across="probability given to what happened", up="price", x_ends=(0.0, 1.0), y_ends=(0.0, 7.0))
    here = np.array([START])
    axes.add(Named(Guide(START, QUIET, up=True), "now"))
    axes.add(
        Stroke(_PROBABILITIES, price(_PROBABILITIES), LOSS, width=2.4),
        Named(Points(here, price(here), INK, size=4.4), "here"),
    )
    said = "The price is nothing at a probability of one, 0.69 at a half, and grows without end toward zero."
    return Picture("curve", "What does it cost?", (axes,), (420, 220), said)


def coins() -> Picture:
    """The price as coins that all come up heads."""
    axes = Axes(
        across="coins that all come up heads",
        x_ends=(0.0, float(COINS)),
        y_ends=(0.0, 1.0),
        y_ticks={},
        is_framed=False,
    )
    bits = float(price(START)) / np.log(2)
    axes.add(Named(Coins(bits, COINS), "coins"))
    said = f"{START:.0%} is as surprising as {bits:.2f} coins that come up heads: one coin is a half."
    return Picture("coins", "How surprising is that, in coins?", (axes,), (420, 76), said)


def shown() -> Mapping[str, Any]:
    """What the page shows, computed."""
    prices = [(p, float(price(p))) for p in _SHOWN]
    return {
        "curve": curve(),
        "coins": coins(),
        "start": START,
        "price": float(price(START)),
        "bits": float(price(START)) / float(np.log(2)),
        "times": float(price(0.01) / price(0.9)),
        "table": [(p, cost, cost / float(np.log(2)), cost / float(price(START))) for p, cost in prices],
        "code": spelled(losses.binary_cross_entropy()),
    }


def given() -> Mapping[str, Any]:
    """The numbers that the script begins from."""
    return {"start": START}


surprise: LabPage = LabPage(2, "surprise", "What does a surprise cost?", shown, given)
