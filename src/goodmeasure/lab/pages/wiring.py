"""When activation and loss disagree: the sigmoid and the logarithm in one formula, one after the other, and twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from goodmeasure import losses
from goodmeasure.drawing.axes import Axes
from goodmeasure.drawing.cells import Floats
from goodmeasure.drawing.marks import DASHED, DOTTED, INK, LOSS, PREDICTION, SIGNAL, SOLID, Guide, Stroke
from goodmeasure.drawing.picture import Picture
from goodmeasure.lab.hosts import spelled
from goodmeasure.lab.page import LabPage
from goodmeasure.lab.picture import Named

RAW = 20.0
LEAST, MOST = -6.0, 24.0
_RAWS = np.linspace(LEAST, MOST, 301)
_ENTROPY = losses.binary_cross_entropy()
_ONE_ROUNDING = "p ends one rounding away from 0"
# The least that each library takes for a probability, or for its logarithm.
FLOORS = (
    ("torch, BCELoss", "the logarithm ends at -100", 100.0),
    ("scikit-learn, double precision", _ONE_ROUNDING, -float(np.log(np.finfo(np.float64).eps))),
    ("Keras", "p ends at 0.0000001", -float(np.log(1e-7))),
    ("scikit-learn, single precision", _ONE_ROUNDING, -float(np.log(np.finfo(np.float32).eps))),
)

Parts = tuple[Floats, Floats]


def sigmoid(z: Floats) -> Floats:
    """The probability of yes."""
    return np.asarray(_ENTROPY.predict(z))


def together(z: Floats, y: float = 0.0) -> Parts:
    """What raw outputs cost and how they pull where sigmoid and logarithm are one formula."""
    return _ENTROPY.value(np.full(z.shape, y), z), _ENTROPY.gradient(np.full(z.shape, y), z)


def apart(z: Floats) -> Parts:
    """The same of a no in single precision, step by step: first the sigmoid, then the logarithm, each with its own slope."""
    one = np.float32(1.0)
    p = (one / (one + np.exp(-z).astype(np.float32))).astype(np.float32)
    q = one - p
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.where(q > 0, one / q * (p * q), np.float32(0.0))
        return -np.log(q.astype(np.float64)), slopes.astype(np.float64)


def twice(z: Floats, y: float = 0.0) -> Parts:
    """The same where the model ends in a sigmoid, and the loss takes what it says for a raw output."""
    p = sigmoid(z)
    cost, slope = together(p, y)
    return cost, slope * p * (1 - p)


WAYS = {
    "together": ("one formula on the raw output", together, (LOSS, SOLID)),
    "apart": ("the sigmoid, then the logarithm", apart, (PREDICTION, DASHED)),
    "twice": ("the sigmoid twice", twice, (SIGNAL, DOTTED)),
}


def _drawn(name: str, question: str, up: str, top: float, which: int, said: str) -> Picture:
    axes = Axes(across="raw output z", up=up, x_ends=(LEAST, MOST), y_ends=(0.0, top))
    axes.add(Named(Guide(RAW, INK, up=True), "now"))
    for way, (title, parts, (colour, dash)) in WAYS.items():
        axes.add(Named(Stroke(_RAWS, parts(_RAWS)[which], colour, dash, title, width=2.4), f"{_hidden(way)}{way}"))
    return Picture(name, question, (axes,), (400, 240), said)


def _hidden(way: str) -> str:
    return "" if way == "together" else "answer-"


def costs() -> Picture:
    """What each way charges for a no."""
    end = _RAWS[np.isfinite(apart(_RAWS)[0])].max()
    said = (
        f"In one formula the cost goes up with the raw output. With the sigmoid first the line ends at {end:.1f}. With the "
        "sigmoid twice it stays between 0.69 and 1.31."
    )
    return _drawn("costs", "What does it cost that no happened?", "cost", 24.0, 0, said)


def pulls() -> Picture:
    """How hard each way pulls toward no."""
    said = (
        "In one formula the pull goes up to one and stays there. With the sigmoid first it falls to nothing at once where "
        "the cost ends. With the sigmoid twice it is small, and fades on both sides."
    )
    return _drawn("pulls-of-ways", "How hard does it pull toward no?", "pull", 1.1, 1, said)


def _now() -> list[dict[str, Any]]:
    found = []
    for way, (title, parts, _) in WAYS.items():
        cost, pull = (float(part[0]) for part in parts(np.array([RAW])))
        found.append({"name": way, "title": title, "cost": cost, "pull": pull})
    return found


def shown() -> Mapping[str, Any]:
    """What the page shows, computed."""
    sure = np.array([1e3])
    return {
        "costs": costs(),
        "pulls": pulls(),
        "raw": RAW,
        "least": LEAST,
        "most": MOST,
        "percent": 100 * float(sigmoid(np.array([RAW]))[0]),
        "now": _now(),
        "floors": FLOORS,
        "least_yes": float(twice(sure, 1.0)[0][0]),
        "least_no": float(twice(-sure, 0.0)[0][0]),
        "most_p": float(sigmoid(np.ones(1))[0]),
        "strongest": float(max(np.abs(twice(_RAWS, y)[1]).max() for y in (0.0, 1.0))),
        "code": spelled(_ENTROPY),
    }


def given() -> Mapping[str, Any]:
    """The numbers that the script begins from."""
    return {"ways": [*WAYS]}


wiring: LabPage = LabPage(11, "wiring", "What if sigmoid and loss disagree?", shown, given)
