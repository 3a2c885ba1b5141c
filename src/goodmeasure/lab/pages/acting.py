"""From a probability to an act: where the costs of two errors put the cut, on machines that can be counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.decisions.costs import Costs
from goodmeasure.drawing.axes import Axes
from goodmeasure.drawing.cells import Floats
from goodmeasure.drawing.marks import DASHED, DOTTED, INK, LOSS, PREDICTION, SIGNAL, SOLID, Guide, Points, Stroke
from goodmeasure.drawing.picture import Picture
from goodmeasure.lab.page import LabPage
from goodmeasure.lab.picture import LabelledPoints, Named

ALARM, MISS, CUT = 1.0, 5.0, 0.5
# How many machines have a chance of 5 %, 10 %, and so on, and how many of these fail: just that part of them.
_MACHINES = (40, 40, 40, 25, 24, 20, 20, 20, 20, 18, 20, 15, 20, 10, 8, 10, 20, 10, 20)
CHANCES = np.arange(1, 20) / 20
FAIL = np.rint(CHANCES * _MACHINES)
FINE = np.asarray(_MACHINES) - FAIL
_CUTS = np.arange(401) / 400
_PAIRS = ((1.0, 1.0), (1.0, 5.0), (5.0, 40.0), (1.0, 19.0))
# Dots that stand side by side in a column, and how far apart, in columns.
_WIDE, _APART = 3, 0.27
_GUESSES = (0.17, 0.2, 0.5, 0.83)


@dataclass(frozen=True)
class CountedCut:
    """What becomes of all machines when those from a probability on are checked."""

    costs: Costs
    cut: float

    @property
    def _checked(self) -> Any:
        return self.cut <= CHANCES

    @property
    def reached(self) -> int:
        """Failures that a check prevents."""
        return int(FAIL[self._checked].sum())

    @property
    def missed(self) -> int:
        """Failures that nobody checked for."""
        return int(FAIL.sum()) - self.reached

    @property
    def idle(self) -> int:
        """Checks that find nothing."""
        return int(FINE[self._checked].sum())

    @property
    def hours(self) -> float:
        """What both errors cost."""
        return float(self.missed * self.costs.miss + self.idle * self.costs.alarm)


def costs(alarm: float = ALARM, miss: float = MISS) -> Costs:
    """What a check that finds nothing costs, and a failure that nobody checked for."""
    return Costs(false_positive=alarm, false_negative=miss)


def bills(given: Costs) -> tuple[Floats, Floats]:
    """What the missed failures and the idle checks cost at each cut of the picture."""
    found = [CountedCut(given, cut) for cut in _CUTS]
    parts = [(each.missed * given.miss, each.idle * given.alarm) for each in found]
    missed, idle = np.asarray(parts, dtype=np.float64).T
    return missed, idle


def _stacked(counts: Any, way: int) -> list[tuple[float, float]]:
    """Where the dots of each column stand: above the middle, or below it."""
    return [
        (column + _APART * (k % _WIDE - 1), way * (k // _WIDE + 1.0))
        for column, count in enumerate(counts, start=1)
        for k in range(int(count))
    ]


def between(cut: float) -> float:
    """Where a cut stands among the columns: in the gap before the first that is checked."""
    first = 1 + int((cut > CHANCES).sum())
    return first - 0.5 + 0.2 * (20 * cut - first + 0.5)


def strip() -> Picture:
    """Every machine by its probability: those that fail above the line, the others below it."""
    places = np.asarray(_stacked(FAIL, 1) + _stacked(FINE, -1))
    fails = places[:, 1] > 0
    chances = np.repeat([*CHANCES, *CHANCES], [int(count) for count in (*FAIL, *FINE)])
    ticks: dict[str, Any] = {
        "x_ticks": {float(column): f"{5 * column} %" for column in (1, *range(4, 20, 3))},
        "y_ticks": {4.0: "fails", -6.0: "runs on"},
    }
    axes = Axes(across="probability of a failure", x_ends=(0.0, 20.0), y_ends=(-14.6, 8.0), **ticks)
    wrong = (chances >= CUT) != fails
    axes.add(
        Guide(0.0),
        Named(LabelledPoints(places[:, 0], places[:, 1], fails.tolist(), wrong.tolist(), size=2.1), "machines"),
    )
    axes.add(
        Named(Guide(between(CUT), INK, up=True, label="your cut: machines to its right are checked", width=2), "cut")
    )
    best = Guide(between(costs().threshold), LOSS, up=True, label="where the costs put it", dash=DASHED, width=2.4)
    axes.add(Named(best, "answer-best"))
    said = (
        f"{len(places)} machines in columns by their probability of a failure, {int(FAIL.sum())} that fail above the line and "
        f"the others below it. A cut at {CUT:g} leaves some that fail to its left and has some that run on to its right."
    )
    return Picture("strip", "Which machines are checked?", (axes,), (460, 172), said)


def bill() -> Picture:
    """What each cut costs, as a part of what the dearest costs."""
    missed, idle = bills(costs())
    most, here = (missed + idle).max(), np.array([CUT])
    ticks: dict[str, Any] = {"x_ends": (0.0, 1.0), "y_ends": (0.0, 1.05), "y_ticks": {0.0: "nothing", 1.0: "the most"}}
    axes = Axes(across="cut", up="cost", **ticks)
    axes.add(Named(Guide(costs().threshold, LOSS, up=True, dash=DASHED, width=1.6), "best"))
    for name, label, cost, colour, dash in (
        ("idle", "checks that find nothing", idle, PREDICTION, DASHED),
        ("missed", "failures that nobody checked for", missed, SIGNAL, DOTTED),
        ("all", "both together", missed + idle, LOSS, SOLID),
    ):
        axes.add(Named(Stroke(_CUTS, cost / most, colour, dash, label, width=2.4), name))
    cost = np.array([CountedCut(costs(), CUT).hours / most])
    axes.add(Named(Points(here, cost, INK, size=4.4, label="your cut"), "here"))
    said = f"From left to right missed failures cost more and idle checks less; both cost least at {costs().threshold:.3f}."
    return Picture("bill", "What does each cut cost?", (axes,), (460, 165), said)


def _row(given: Costs) -> dict[str, Any]:
    """What two errors cost, the cut that follows, and what it saves beside a cut at a half."""
    best, half = CountedCut(given, given.threshold), CountedCut(given, 0.5)
    return {"costs": given, "cut": given.threshold, "best": best, "half": half}


def _spelled(threshold: str) -> dict[str, str]:
    return {
        "goodmeasure": f"gm.Costs(false_positive={ALARM:g}, false_negative={MISS:g}).threshold",
        "sklearn": f"sklearn.model_selection.FixedThresholdClassifier(model, threshold={threshold})",
        "torch": f"torch.sigmoid(z) >= {threshold}",
        "keras": f"keras.ops.sigmoid(z) >= {threshold}",
        "jax": f"jax.nn.sigmoid(z) >= {threshold}",
        "xgboost": f"booster.predict(rows) >= {threshold}",
    }


def shown() -> Mapping[str, Any]:
    """What the page shows, computed."""
    return {
        "strip": strip(),
        "bill": bill(),
        "machines": sum(_MACHINES),
        "fail": int(FAIL.sum()),
        "alarm": ALARM,
        "miss": MISS,
        "cut": CUT,
        "best": CountedCut(costs(), costs().threshold),
        "now": CountedCut(costs(), CUT),
        "guesses": [(f"{p:.2f}", f"from {p:.0%} on".replace("%", " %")) for p in _GUESSES],
        "table": [_row(costs(*pair)) for pair in _PAIRS],
        "code": _spelled(f"{ALARM:g} / {ALARM + MISS:g}"),
    }


def given() -> Mapping[str, Any]:
    """The numbers that the script begins from."""
    return {"chances": CHANCES.tolist(), "fail": FAIL.tolist(), "fine": FINE.tolist(), "alarm": ALARM, "miss": MISS}


acting: LabPage = LabPage(7, "acting", "From which probability on does it pay to act?", shown, given)
