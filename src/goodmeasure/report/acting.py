"""What acting by the model would do to a thousand rows, at costs that a reader can move."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.decisions.costs import Costs
from goodmeasure.decisions.curves import Curves, curves
from goodmeasure.drawing.axes import Axes
from goodmeasure.drawing.marks import INK, LOSS, QUIET, Guide, Stroke
from goodmeasure.drawing.picture import Picture
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.names import plain_label
from goodmeasure.study.study import Study
from goodmeasure.study.verdict import number

PEOPLE = 1000
_ACROSS, _CELL, _SIDE = 40, 9, 7
_POINTS = 1001
# Costs are drawn as parts of what the better of always and never acting costs, up to this.
_TOP = 1.6
NAMES = ("reached", "missed", "called for nothing", "left alone, rightly")


@dataclass(frozen=True)
class Acting:
    """Shares of rows by threshold, and what a miss and a false alarm cost beyond a right decision.

    Attributes:
        event: what a row is called that is one to act on.
        threshold: ascending thresholds, the last never reached, (m,).
        hit: the share of all rows that are events at or above each, (m,).
        alarm: the share of all rows that are others at or above each, (m,).
        miss_cost: what a miss costs.
        alarm_cost: what a false alarm costs.
        given: whether these costs were given; else they are one each.
    """

    event: str
    threshold: Floats
    hit: Floats
    alarm: Floats
    miss_cost: float
    alarm_cost: float
    given: bool

    @property
    def cut(self) -> float:
        """The probability from which these costs ask to act."""
        return self.alarm_cost / (self.alarm_cost + self.miss_cost)

    @property
    def shares(self) -> tuple[float, float, float, float]:
        """The parts of all rows that are reached, missed, called for nothing, and left alone rightly."""
        at = int(np.searchsorted(self.threshold, self.cut, side="left"))
        hit, alarm = float(self.hit[at]), float(self.alarm[at])
        return hit, float(self.hit[0]) - hit, alarm, float(self.alarm[0]) - alarm

    @property
    def people(self) -> tuple[int, ...]:
        """The same of a thousand rows."""
        return apportioned(self.shares, PEOPLE)

    @property
    def sentence(self) -> str:
        """What happens to a thousand rows, in whole numbers."""
        reached, missed, called, _ = self.people
        return (
            f"Of {PEOPLE:,} rows like these, {reached + missed} are {self.event}. Acting from {number(self.cut)} on "
            f"calls {reached + called}: {reached} are {self.event}, {called} are not; {missed} are missed."
        )

    @property
    def relative(self) -> Floats:
        """The cost of each threshold, as a part of what the better of always and never acting costs."""
        missed = self.hit[0] - self.hit
        least = min(self.alarm_cost * float(self.alarm[0]), self.miss_cost * float(self.hit[0]))
        return np.asarray((self.miss_cost * missed + self.alarm_cost * self.alarm) / least)

    def picture(self) -> Picture:
        """The relative cost by threshold, with the one that the costs ask for."""
        ticks = {0.0: "0", 0.5: "50 %", 1.0: "100 %", 1.5: "150 %"}
        axes = Axes(across="act from this probability on", up="cost", x_ends=(0, 1), y_ends=(0, _TOP), y_ticks=ticks)
        axes.x_ticks = {k / 5: f"{k / 5:.1f}" for k in range(6)}
        place = np.minimum(self.threshold, 1.0)
        steps = np.repeat(np.append(0.0, place), 2)[1:-1], np.repeat(self.relative, 2)
        axes.add(Guide(1.0, QUIET), Stroke(*steps, LOSS), Guide(self.cut, INK, up=True))
        return Picture("acting", "Where do I cut, given my costs?", (axes,), (400, 210), self.sentence)

    def grid(self) -> list[str]:
        """A mark for each of a thousand rows, as the paths of the four kinds."""
        ends = np.cumsum((0, *self.people)).tolist()
        return [_squares(range(start, end)) for start, end in pairwise(ends)]

    def data(self) -> str:
        """What the page's script needs, as JSON in which nothing can end the element that holds it."""
        found: dict[str, Any] = {
            "threshold": np.minimum(self.threshold, 2.0).tolist(),
            "hit": _short(self.hit),
            "alarm": _short(self.alarm),
            "miss": self.miss_cost,
            "false_alarm": self.alarm_cost,
            "event": self.event,
            "people": PEOPLE,
            "grid": [_ACROSS, _CELL, _SIDE],
            "top": _TOP,
        }
        return in_page(json.dumps(found, allow_nan=False))


def acting(event: str, found: Curves, costs: Costs | None) -> Acting | None:
    """What acting by a score does, at these costs or at one each; None where one mistake costs nothing: no score decides then."""
    at = costs or Costs(false_negative=1, false_positive=1)
    if not (at.miss and at.alarm):
        return None
    kept = _kept(found, at.threshold)
    shares = found.threshold[kept], found.true_positive[kept], found.false_positive[kept]
    return Acting(event, *shares, float(at.miss), float(at.alarm), costs is not None)


def _kept(found: Curves, cut: float) -> NDArray[np.intp]:
    """Thresholds between which hardly a row in a thousand lies, both ends, and the one from which the costs ask to act."""
    acted = found.true_positive + found.false_positive
    near = np.searchsorted(-acted, -np.linspace(acted[0], 0.0, _POINTS))
    own = np.searchsorted(found.threshold, [cut])
    return np.unique(np.minimum(np.concatenate([[0], near, own, [len(acted) - 1]]), len(acted) - 1))


def of_study(study: Study, found: Curves | None) -> Acting | None:
    """What acting does to the reported rows of a study; None where there is nothing to act on."""
    decided = study.decided
    if found is None:
        return None
    costs = decided.costs if decided is not None and isinstance(decided.costs, Costs) else None
    costs = costs if costs is None or not costs.per_row else _averaged(costs)
    return acting(plain_label(study.plan.labels[1]), found, costs)


def _averaged(costs: Costs) -> Costs:
    """The mean costs of a miss and of a false alarm, where they differ by row."""
    return Costs(false_negative=float(np.mean(costs.miss)), false_positive=float(np.mean(costs.alarm)))


def yes_no_curves(study: Study) -> Curves | None:
    """The curves of the reported rows of yes and no; None of other targets, and where one label alone was seen."""
    cases = study.prepared.report
    if len(study.plan.labels) != 2 or len(np.unique(cases.y)) < 2:
        return None
    return curves(cases.y, study.judged.prediction, sample_weight=cases.weight)


def apportioned(shares: Sequence[float], whole: int) -> tuple[int, ...]:
    """Whole numbers that add up, as near to the shares as can be: the largest remainders are rounded up."""
    exact = np.array(shares) / sum(shares) * whole
    found = np.floor(exact).astype(int)
    found[np.argsort(found - exact, kind="stable")[: whole - int(found.sum())]] += 1
    return tuple(found.tolist())


def in_page(text: str) -> str:
    """JSON in which nothing is markup."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _squares(places: range) -> str:
    return "".join(f"M{_CELL * (k % _ACROSS)},{_CELL * (k // _ACROSS)}h{_SIDE}v{_SIDE}h-{_SIDE}z" for k in places)


def _short(values: Floats) -> list[float]:
    return [float(f"{value:.6g}") for value in values.tolist()]
