"""Raise one, lower the others, or both: what three losses do to the raw outputs of three classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure import losses
from goodmeasure.drawing.axes import Axes
from goodmeasure.drawing.cells import Floats
from goodmeasure.drawing.marks import INK, PREDICTION, QUIET, SIGNAL, Guide, Points, Stroke
from goodmeasure.drawing.picture import Picture
from goodmeasure.lab.hosts import spelled
from goodmeasure.lab.page import LabPage
from goodmeasure.lab.picture import Arrow, Named

CLASSES, TRUTH = ("cat", "dog", "fox"), 1
RAW = (2.0, 1.0, 0.0)
REACH = 46.0  # a pull of one, in points
STEPS, RATE = 200, 0.5
# The classes from above to below.
_HEIGHTS = (3.0, 2.0, 1.0)
_GUESSES = (("raise", "raise dog"), ("lower", "lower the others"), ("same", "both alike"))


@dataclass(frozen=True)
class Way:
    """A loss of several classes: a name to read, how it pulls each raw output, and what that does."""

    name: str
    title: str
    pull: Callable[[Any], Floats]
    does: str

    def trained(self) -> Floats:
        """The raw outputs after some steps along the pull."""
        z = np.asarray(RAW)
        for _ in range(STEPS):
            z = z + RATE * self.pull(z)
        return z

    def picture(self) -> Picture:
        """The raw outputs, and how each is pulled."""
        names = {
            y: f"{name}, true" if k == TRUTH else name
            for k, (y, name) in enumerate(zip(_HEIGHTS, CLASSES, strict=True))
        }
        axes = Axes(across="raw output", x_ends=(-5.0, 7.0), y_ends=(0.4, 3.6), y_ticks=names)
        axes.add(Guide(0.0, QUIET, up=True))
        for name, y, z, pull in zip(CLASSES, _HEIGHTS, RAW, self.pull(RAW), strict=True):
            axes.add(Named(Arrow(z, y, REACH * float(pull), SIGNAL), f"answer-pull-{name}"))
            axes.add(Named(Points(np.array([z]), np.array([y]), INK, size=4.4), f"at-{name}"))
        said = f"{self.title}: {self.does}."
        return Picture(f"way-{self.name}", self.title, (axes,), (280, 140), said)


def ways() -> tuple[Way, ...]:
    """The losses of the page."""
    softmax, hinge, each = losses.cross_entropy(), losses.multiclass_hinge(), losses.binary_cross_entropy()
    truth = np.arange(len(CLASSES)) == TRUTH

    def of_classes(loss: Any) -> Callable[[Any], Floats]:
        return lambda z: 0.0 - np.asarray(loss.gradient([TRUTH], np.asarray(z)[None])[0])

    return (
        Way(
            "softmax",
            "softmax and cross-entropy",
            of_classes(softmax),
            "both, and as much down as up; each of the others by its share",
        ),
        Way(
            "each",
            "a yes or no for each class",
            lambda z: 0.0 - np.asarray(each.gradient(truth.astype(float), np.asarray(z))),
            "both, and each on its own: what the others say does not matter",
        ),
        Way("hinge", "multiclass hinge", of_classes(hinge), "dog and its best rival, and none once dog is 1 ahead"),
    )


def shares(z: Any) -> Floats:
    """The probability of each class, by softmax."""
    return np.asarray(losses.cross_entropy().predict(np.asarray(z, dtype=np.float64)[None])[0])


def says() -> Picture:
    """The probabilities, as bars that lie."""
    axes = Axes(across="probability, by softmax", x_ends=(0.0, 1.0), y_ends=(0.4, 3.6))
    axes.y_ticks = dict(zip(_HEIGHTS, CLASSES, strict=True))
    for k, (name, y, p) in enumerate(zip(CLASSES, _HEIGHTS, shares(RAW), strict=True)):
        colour = PREDICTION if k == TRUTH else QUIET
        axes.add(Named(Stroke(np.array([0.0, p]), np.array([y, y]), colour, width=18), f"share-{name}"))
    told = ", ".join(f"{name} {p:.0%}" for name, p in zip(CLASSES, shares(RAW), strict=True))
    return Picture("says", "What does the model say?", (axes,), (400, 170), f"{told}. It was a dog.")


def pulled(pull: float) -> str:
    """A pull, with its sign."""
    return f"{pull:+.3f}" if abs(pull) >= 0.0005 else "0"


def shown() -> Mapping[str, Any]:
    """What the page shows, computed."""
    return {
        "says": says(),
        "ways": ways(),
        "classes": list(zip(CLASSES, RAW, shares(RAW).tolist(), strict=True)),
        "truth": CLASSES[TRUTH],
        "pulls": {way.name: way.pull(RAW).tolist() for way in ways()},
        "pulled": pulled,
        "guesses": _GUESSES,
        "told": told(),
        "trained": [(way.title, way.trained().tolist()) for way in ways()],
        "share": lambda z: float(shares(z)[TRUTH]),
        "steps": STEPS,
        "code": spelled(losses.cross_entropy()),
    }


def told() -> str:
    """What both ways come to."""
    up = np.arange(len(CLASSES)) == TRUTH
    share = 100 * shares(np.asarray(RAW) + up)[TRUTH]
    return f"Both alike: {share:.1f} % either way. Softmax sees only how far each is ahead of the others."


def given() -> Mapping[str, Any]:
    """The numbers that the script begins from."""
    return {"classes": CLASSES, "truth": TRUTH, "heights": _HEIGHTS, "reach": REACH, "told": told()}


raising: LabPage = LabPage(8, "raising", "Raise one, lower the others, or both?", shown, given)
