"""The learning signal: which way each loss pulls the raw output of one example, and how hard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure import losses
from goodmeasure.drawing.axes import Axes
from goodmeasure.drawing.marks import DASHED, DOTTED, INK, LOSS, PREDICTION, QUIET, SIGNAL, SOLID, Guide, Points, Stroke
from goodmeasure.drawing.picture import Picture
from goodmeasure.lab.hosts import spelled
from goodmeasure.lab.page import LabPage
from goodmeasure.lab.picture import Arrow, Named
from goodmeasure.making.loss import Loss

_OF_YES = 4  # so many are of yes and no
RAW = -4.6  # a yes that was given one percent
REACH = 40.0  # a pull of one, in points
_RAWS = np.linspace(-6.0, 6.0, 241)
_PROBABILITIES = (0.9, 0.01)


@dataclass(frozen=True)
class Pulled:
    """A loss on the page: its name there, the target of the example, and what is to be seen on its curve."""

    loss: Loss
    name: str
    y: float
    said: str
    look: tuple[str, str]

    @property
    def key(self) -> str:
        """The name of the loss in the catalogue."""
        return str(self.loss.spelling.factory)

    def value(self, z: Any) -> Any:
        """What raw outputs cost."""
        return self.loss.value(np.full(np.shape(z), self.y), z)

    def pull(self, z: float) -> float:
        """How hard the raw output is pulled, to the right where it is above zero: downhill."""
        return -float(self.loss.gradient([self.y], [z])[0]) + 0.0

    def picture(self) -> Picture:
        """The curve of the loss, and the pull at a raw output."""
        axes = Axes(across="raw output z", x_ends=(-6.0, 6.0), y_ends=(-0.4, 6.4))
        here = np.array([RAW])
        cost = self.value(here)
        axes.add(Guide(0.0, QUIET, up=True))  # where the answer changes, or the target lies
        axes.add(Stroke(_RAWS, self.value(_RAWS), LOSS, width=2.2))
        axes.add(Named(Arrow(RAW, float(cost[0]), REACH * self.pull(RAW), SIGNAL), "answer-pull"))
        axes.add(Named(Points(here, cost, INK, size=4.2), "here"))
        return Picture(f"loss-{self.key}", self.name, (axes,), (250, 150), f"{self.name}: {self.said}")

    @property
    def words(self) -> tuple[str, str, str]:
        """Whether its signal is directional, how its pull grows, and whether it is aligned with accuracy."""
        card = self.loss.card()
        aligned = "an amount has none" if card.aligned is None else "yes" if card.aligned.holds else "no"
        return "yes" if card.directional.holds else "no", card.sides[0].name, aligned


def pulled() -> tuple[Pulled, ...]:
    """The losses of the page; the last two are of an amount, whose target is zero."""
    return (
        Pulled(
            losses.binary_cross_entropy(), "cross-entropy", 1.0, "the more wrong, the steeper, up to one", (LOSS, SOLID)
        ),
        Pulled(
            losses.binary_brier(),
            "squared error of the probability",
            1.0,
            "steep near the border, flat where it is badly wrong",
            (PREDICTION, DASHED),
        ),
        Pulled(losses.hinge(), "hinge", 1.0, "one slope, and none where the answer is clear", (SIGNAL, DOTTED)),
        Pulled(losses.zero_one(), "zero-one, the count", 1.0, "flat on both sides of a jump", (QUIET, SOLID)),
        Pulled(
            losses.absolute_error(),
            "absolute error of an amount",
            0.0,
            "as hard everywhere, with a kink at its target",
            (QUIET, DASHED),
        ),
        Pulled(
            losses.huber(),
            "Huber's, of an amount",
            0.0,
            "as absolute error far off, and round at its target",
            (QUIET, DASHED),
        ),
    )


def pulls(found: tuple[Pulled, ...]) -> Picture:
    """How hard each loss of yes and no pulls at each raw output."""
    axes = Axes(across="raw output z", up="pull toward yes", x_ends=(-6.0, 6.0), y_ends=(-0.1, 1.1))
    axes.add(Named(Guide(RAW, INK, up=True), "now"))
    for each in found[:_OF_YES]:
        colour, dash = each.look
        slopes = -each.loss.gradient(np.ones(len(_RAWS)), _RAWS)
        axes.add(Stroke(_RAWS, slopes, colour, dash, each.name.partition(",")[0], width=2.4))
    said = "Far on the wrong side cross-entropy and hinge pull with one, squared error hardly, and the count never."
    return Picture("pulls", "How hard do they pull?", (axes,), (620, 230), said)


def shown() -> Mapping[str, Any]:
    """What the page shows, computed."""
    found = pulled()
    at = {p: float(np.log(p / (1 - p))) for p in _PROBABILITIES}
    return {
        "losses": found,
        "pulls": pulls(found),
        "table": [(each.name, [each.pull(z) for z in at.values()]) for each in found[:_OF_YES]],
        "probabilities": _PROBABILITIES,
        "raw": RAW,
        "percent": 100 * float(losses.binary_cross_entropy().predict(np.array([RAW]))[0]),
        "code": spelled(losses.binary_cross_entropy()),
    }


def given() -> Mapping[str, Any]:
    """The numbers that the script begins from."""
    return {"losses": {each.key: each.y for each in pulled()}, "reach": REACH}


signal: LabPage = LabPage(3, "signal", "Which way, and how hard?", shown, given)
