"""Fits of the same rows with several strengths of a penalty, side by side: each look at the rows is one for all of them.

Rows on their way through the core serve several parameters in less time than one after the other. What all rows say besides
a part of them is nearly the same at one strength as at the next, so every other strength leads, and the rest follow by the
part alone (as distributed fits correct the objective of one share of the rows: Jordan, Lee and Yang 2019); where the leaders are
near their least, all look at the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from goodmeasure.fitting import sampled
from goodmeasure.fitting.objective import Objective, look
from goodmeasure.fitting.sampled import Bend
from goodmeasure.statistics.row_arguments import Floats

# All look at the rows where the leaders' next step leaves no more than this part of the objective.
_NEAR = 1e-6
# After so many steps from one strength to the next, the last of which moves nothing, the part still bends as it did.
_HARDLY = 2
# Strengths tell each other of their steps where they differ by no more than this factor.
_ALIKE = 20.0
# A look that leaves more than this part of what was left shows that the part tells little; a strength goes on by itself then, and
# after so many looks.
_SLOW = 0.25
_LOOKS = 8


@dataclass(eq=False)
class _Side:
    """One strength: its objective on all rows and on a part of them, where it is to look next, and how the rows bend there.

    ``stood`` is where it looked at all rows last, with the objective and its slope there, and ``moved`` how it came there, with
    the change of the slope. There no more than ``left`` is to gain.
    """

    whole: Objective
    part: Objective
    theta: Floats
    bend: Bend
    stood: Floats = field(init=False)
    slope: Floats = field(init=False)
    left: float = np.inf
    value: float = np.inf
    moved: tuple[Floats, Floats] | None = None

    def arrive(self) -> bool:
        """All rows were looked at: whether the objective is lower than where it stood."""
        value, slope = self.whole.value_and_gradient(self.theta)
        if not value < self.value:
            return False
        if self.known:
            self.moved = self.theta - self.stood, slope - self.slope
        self.stood, self.value, self.slope = self.theta, value, slope
        return True

    @property
    def known(self) -> bool:
        """Whether there is a place where it stood."""
        return bool(np.isfinite(self.value))

    def learn(self, other: _Side) -> None:
        """What a step of another strength tells of how the rows bend."""
        if other.moved is not None and 1 / _ALIKE < self.whole.alpha / other.whole.alpha < _ALIKE:
            moved, changed = other.moved
            self.bend.learn(moved.ravel(), (changed + (self.whole.penalty - other.whole.penalty) * moved).ravel())

    def step(self, here: Floats, slope: Floats) -> float:
        """From here to where nothing is left of this slope by how the rows bend: what that gains."""
        wanted = self.bend(slope.ravel()).reshape(here.shape)
        self.theta = here - wanted
        return float(np.sum(slope * wanted)) / 2

    @property
    def beside(self) -> Floats:
        """What all rows add to the slope that the part says, where it stood."""
        return self.slope - self.part.value_and_gradient(self.stood)[1]


def suits(objective: Objective, alphas: Sequence[float]) -> bool:
    """Whether looks for several of these penalties at once save time."""
    return len(alphas) > 1 and min(alphas) > 0 and objective.is_swept_through and sampled.suits(objective)


def prepare(objective: Objective, alphas: Sequence[float], start: Floats, *, tol: float) -> None:
    """Lead fits with these penalties to their least, or near it, from where each goes on by itself.

    Nothing is known of them where a part of the rows does not tell.
    """
    first = objective.penalised(alphas[0])
    constant = first.value(start)
    if not np.isfinite(constant):  # which is told of by each fit
        return
    first.looked()
    wholes = [objective.penalised(alpha) for alpha in sorted(alphas)]
    for side in _parabolas(wholes, start) or _walked(_on_part(wholes, start), tol):
        if side.value <= constant:
            side.whole.foreseen(sampled.NAME, side.stood, side.bend.at(-side.whole.penalty.ravel()))


def _parabolas(wholes: list[Objective], start: Floats) -> list[_Side]:
    """Each strength at its least, where every row bends everywhere as at the start; none where that is not so."""
    weakest = wholes[0]  # which bends least
    found = sampled.of_parabola(weakest, start)
    if found is None:
        return []
    near, bend = found
    slope = bend.matrix @ (start - near).ravel()
    sides = [_Side(whole, whole, start, bend.at((whole.penalty - weakest.penalty).ravel())) for whole in wholes]
    if any(side.bend.factor is None for side in sides):
        return []
    for side in sides:
        side.step(start, slope)
    _look(sides)
    return sides


def _on_part(wholes: list[Objective], start: Floats) -> list[_Side]:
    """Each strength where a part of the rows has its least, one after the other; none where the part does not tell."""
    part = wholes[0].part(sampled.spread(len(wholes[0].y), sampled.part_size(wholes[0])))
    sides: list[_Side] = []
    for whole in wholes:
        if sides:
            before, part = sides[-1], part.penalised(whole.alpha)
            more = (whole.penalty - before.whole.penalty).ravel()
            reached = sampled.by_bend(part, before.theta, before.bend.at(more), tol=sampled.ROUGH)
            known = before.bend.at(more) if reached.steps <= _HARDLY else None
        else:
            reached, known = sampled.of_part(part, start), None
        bend = (known or sampled.bend_of(part, reached.theta)) if reached.converged else None
        if bend is None or bend.factor is None:
            return []
        sides.append(_Side(whole, part, reached.theta, bend))
    return sides


def _walked(sides: list[_Side], tol: float) -> list[_Side]:
    """Each strength as near its least as looks of all together lead."""
    leaders, followers = sides[1::2], sides[::2]
    active = leaders
    for _ in range(_LOOKS):
        if not active:
            break
        before = [side.left for side in active]
        _look(active)
        active = [
            side
            for side, left in zip(active, before, strict=True)
            if side.known and tol / 2 * abs(side.value) < side.left <= _SLOW * left
        ]
        if followers and all(side.known for side in leaders):
            _follow(followers, leaders)
            share = sides[0].whole.count / len(sides[0].part.y)
            if all(side.left * share <= _NEAR * abs(side.value) for side in leaders):
                active, followers = active + followers, []
    return [side for side in sides if side.known]


def _look(sides: list[_Side]) -> None:
    """All these look at the rows at once; those for whom the objective fell tell each other of their steps, and make the next."""
    look([side.whole for side in sides], [side.theta for side in sides])
    found = [side for side in sides if side.arrive()]
    for side in found:
        # What tells most comes last: its own step.
        for other in sorted(found, key=lambda other: other is side):
            side.learn(other)
        side.left = side.step(side.stood, side.slope)


def _follow(followers: list[_Side], leaders: list[_Side]) -> None:
    """A step of those who have not looked at all rows, by what the leaders have seen there."""
    look([side.part for side in followers], [side.theta for side in followers])
    look([side.part for side in leaders], [side.stood for side in leaders])
    for side in followers:
        for leader in leaders:
            side.learn(leader)
        side.step(side.theta, side.part.value_and_gradient(side.theta)[1] + _beside(side, leaders))


def _beside(side: _Side, leaders: list[_Side]) -> Floats:
    """What all rows add to the slope here: on the line through where the two nearest leaders stood, as they say of its ends."""
    near, *others = sorted(leaders, key=lambda other: abs(np.log(other.whole.alpha / side.whole.alpha)))
    if not others:
        return near.beside
    way, here = (others[0].stood - near.stood).ravel(), (side.theta - near.stood).ravel()
    bent = side.bend.matrix @ way
    length = float(way @ bent)
    return near.beside + (float(here @ bent) / length if length > 0 else 0.0) * (others[0].beside - near.beside)
