"""What a loss asks for: the one number that four losses are least at, on the same days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure import losses
from goodmeasure.drawing.axes import Axes
from goodmeasure.drawing.cells import Floats
from goodmeasure.drawing.marks import DASHED, INK, LOSS, PREDICTION, Guide, Points, Stroke
from goodmeasure.drawing.picture import Picture
from goodmeasure.lab.hosts import handed_over, spelled
from goodmeasure.lab.page import LabPage
from goodmeasure.lab.picture import LabelledPoints, Named
from goodmeasure.making.loss import Loss

# How many days so many parcels took.
_TOOK = {1: 2, 2: 6, 3: 4, 4: 3, 5: 2, 6: 2, 8: 2, 9: 1, 12: 1, 14: 1, 19: 1}
DAYS = np.repeat([*_TOOK], [*_TOOK.values()]).astype(np.float64)
LEVEL = 0.9
NUMBER = 8.0
_NUMBERS = np.arange(201) / 10


@dataclass(frozen=True)
class AskedLoss:
    """A loss on the page: what it asks for, which number that is, and what is so of the days there."""

    name: str
    title: str
    asks: str
    loss: Loss | None  # none for a hit or a miss, which has no slope to learn from
    so: str
    top: float
    foot: float = 0.0

    def cost(self, numbers: Any) -> Floats:
        """The mean price of saying a number, (k,)."""
        numbers = np.asarray(numbers, dtype=np.float64)
        shape = (numbers.size, DAYS.size)
        days, said = np.broadcast_to(DAYS, shape), np.broadcast_to(numbers[:, None], shape)
        return np.asarray((days != said if self.loss is None else self.loss.value(days, said)).mean(axis=1))

    @property
    def best(self) -> float:
        """The number that costs least."""
        return float(_NUMBERS[np.argmin(self.cost(_NUMBERS))])

    def picture(self) -> Picture:
        """What every number costs, where the one that is said stands, and where the least lies."""
        axes = Axes(across="days that are said", up="cost", x_ends=(0.0, 20.0), y_ends=(self.foot, self.top))
        axes.add(Stroke(_NUMBERS, self.cost(_NUMBERS), LOSS, width=2.2))
        axes.add(Named(Guide(self.best, PREDICTION, up=True, dash=DASHED, width=2), "answer-best"))
        axes.add(Named(Points(np.array([NUMBER]), self.cost([NUMBER]), INK, size=4.2), "here"))
        said = f"{self.title}: what is said costs least at {self.best:g} days, {self.asks}."
        return Picture(f"cost-{self.name}", self.title, (axes,), (300, 150), said)


def asked() -> tuple[AskedLoss, ...]:
    """The losses of the page."""
    return (
        AskedLoss(
            "squared_error",
            "squared error",
            "the mean",
            losses.squared_error(),
            "misses above and below add up to the same",
            150.0,
        ),
        AskedLoss(
            "absolute_error",
            "absolute error",
            "the median",
            losses.absolute_error(),
            "no side has more than half of the parcels",
            16.0,
        ),
        AskedLoss(
            "pinball",
            f"pinball at {LEVEL:g}",
            f"the {LEVEL:.0%} quantile".replace("%", " %"),
            losses.pinball(level=LEVEL),
            f"{LEVEL:.0%} of the parcels, or just more, are there by then".replace("%", " %"),
            5.0,
        ),
        AskedLoss("hit", "a hit or a miss", "the mode", None, "no other number of days is as common", 1.03, 0.7),
    )


def sample() -> Picture:
    """The parcels by the days that they took, and the number that is said."""
    height = np.concatenate([np.arange(1.0, count + 1) for count in _TOOK.values()])
    axes = Axes(across="days", x_ends=(0.0, 20.0), y_ends=(0.0, 7.0), y_ticks={})
    axes.add(Named(LabelledPoints(DAYS, height, [True] * len(DAYS), [False] * len(DAYS), size=3.6), "parcels"))
    for each in asked():
        best = Guide(each.best, PREDICTION, up=True, dash=DASHED, width=1.6)
        axes.add(Named(best, f"answer-{each.name}"))
    axes.add(Named(Guide(NUMBER, INK, up=True, width=2.4), "answer-said"))
    most = max(_TOOK, key=lambda day: _TOOK[day])
    said = f"{len(DAYS)} parcels: most took {most} days, one took {DAYS.max():g}; a line at the {NUMBER:g} days that are said."
    return Picture("sample", "How long did they take?", (axes,), (460, 130), said)


def told() -> str:
    """Why the quantile is promised: what a day more and a day less come to."""
    best = asked()[2].best
    early, late = ([int(beside(DAYS, best - k).sum()) for k in (0, 1)] for beside in (np.less_equal, np.greater))
    times = round(LEVEL / (1 - LEVEL))
    return (
        f"{best:g}: the day from {best - 1:g} to {best:g} still pays, as {early[1]} parcels are a day further ahead and "
        f"{late[1]} a day less late, at {times} times the price. The next does not: {early[0]} against {times} times {late[0]}."
    )


def shown() -> Mapping[str, Any]:
    """What the page shows, computed."""
    found = asked()
    hit = np.equal(DAYS, found[3].best)
    pinball, share = losses.pinball(level=LEVEL), float(hit.mean())
    calls = spelled(pinball)
    entropy = losses.binary_cross_entropy()
    said = float(entropy.predict(np.array([entropy.best_constant(hit.astype(float))]))[0])
    return {
        "sample": sample(),
        "losses": found,
        "parcels": len(DAYS),
        "ends": (float(DAYS.min()), float(DAYS.max())),
        "number": NUMBER,
        "level": LEVEL,
        "above": {"count": int((DAYS > NUMBER).sum()), "sum": float((DAYS - NUMBER)[DAYS > NUMBER].sum())},
        "below": {"count": int((DAYS < NUMBER).sum()), "sum": float((NUMBER - DAYS)[DAYS < NUMBER].sum())},
        "share": share,
        "said": said,
        "told": told(),
        "guesses": [(each.name, f"{each.best:g}, {each.asks}") for each in sorted(found, key=lambda it: it.best)],
        "code": {**calls, **handed_over(pinball), **calls},
    }


def given() -> Mapping[str, Any]:
    """The numbers that the script begins from."""
    return {"days": DAYS.tolist(), "level": LEVEL, "told": told()}


asking: LabPage = LabPage(5, "asking", "Which number does a loss ask for?", shown, given)
