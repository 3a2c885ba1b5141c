"""The shape of a loss in its raw output: convex, strictly, strongly, Lipschitz, smooth.

A claim about a loss of one raw output is proved by bounding the derived signal and curvature in boxes that cover the line from
-1e12 to 1e12, and by looking at every point where a choice in the formula may jump.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from goodmeasure.deriving.record import Record
from goodmeasure.formulas.evaluation import on_arrays
from goodmeasure.formulas.expression import Expr
from goodmeasure.formulas.interval_arithmetic import Box, bounds, line
from goodmeasure.traits.trait import PROVED, SHOWN, Trait
from goodmeasure.traits.views import View, kinks, views

_NEAR = 1e-9
_INNER = 1e6
# How far the curvature must still be a number that is not rounded away for strictness.
_STRICT = 12.0


@dataclass(frozen=True)
class Kink:
    """A point where the value or the signal jumps, and by how much."""

    at: float
    value: float
    signal: float


@dataclass(frozen=True)
class Line:
    """A view of a loss on the line, with the loss's hyperparameters."""

    view: View
    hyperparameters: tuple[tuple[str, float], ...]

    @cached_property
    def boxes(self) -> Box:
        return line()

    def bounded(self, formula: Expr) -> Box:
        return bounds(formula, {"u": self.boxes}, dict(self.hyperparameters))

    @cached_property
    def signal(self) -> Box:
        return self.bounded(self.view.signal)

    @cached_property
    def curvature(self) -> Box:
        return self.bounded(self.view.curvature)

    def at(self, formula: Expr, u: Any) -> Any:
        """A formula at points."""
        points = np.atleast_1d(np.asarray(u, dtype=np.float64))
        return on_arrays([formula], {**dict(self.hyperparameters), "u": points}, points)[0]

    @cached_property
    def kinks(self) -> tuple[Kink, ...]:
        """Every jump of the value or of the signal, where a choice in the formula changes."""
        points: set[float] = set()
        for each in kinks(self.view):
            points.update(self._roots(each))
        found = [self._jump(at) for at in sorted(points)]
        return tuple(k for k in found if abs(k.value) > 1e-6 or abs(k.signal) > 1e-6)

    def _roots(self, formula: Expr) -> list[float]:
        where = self.bounded(formula)
        low, high = (x[(where.low <= 0) & (where.high >= 0)] for x in (self.boxes.low, self.boxes.high))
        found = []
        for a, b in zip(low, high, strict=True):
            at_a, at_b = self.at(formula, [a, b])
            if at_a == 0 or at_b == 0:
                found.append(float(a if at_a == 0 else b))
            elif at_a * at_b < 0:
                found.append(self._bisected(formula, float(a), float(b)))
        return found

    def _bisected(self, formula: Expr, a: float, b: float) -> float:
        below = self.at(formula, a)[0] < 0
        for _ in range(60):
            middle = (a + b) / 2
            a, b = (middle, b) if (self.at(formula, middle)[0] < 0) == below else (a, middle)
        return b

    def _jump(self, at: float) -> Kink:
        side = _NEAR * max(1.0, abs(at))
        (v0, v1), (s0, s1) = (self.at(f, [at - side, at + side]) for f in (self.view.value, self.view.signal))
        return Kink(at + 0.0, float(v1 - v0), float(s1 - s0))


@cache
def lines(loss: Record) -> tuple[Line, ...]:
    """The views of a loss on the line."""
    return tuple(Line(view, loss.hyperparameters) for view in views(loss))


def _inner(box: Box, boxes: Box, limit: float = _INNER) -> Box:
    near = (np.abs(boxes.low) <= limit) & (np.abs(boxes.high) <= limit)
    return Box(box.low[near], box.high[near])


# --- convex, strictly, strongly ---


def convex(loss: Record) -> Trait | None:
    """Convex in the raw output, if it can be proved or a counterexample stands on a line."""
    if not lines(loss):
        return None
    for each in lines(loss):
        falls = [k for k in each.kinks if k.signal < -1e-6 or abs(k.value) > 1e-6]
        if falls:
            k = falls[0]
            what = f"value jumps by {k.value:.3g}" if abs(k.value) > 1e-6 else f"signal falls by {-k.signal:.3g}"
            return Trait("convex", False, SHOWN, f"{each.view.name}, the {what} at u = {k.at:.4g}")
        if not each.view.scaled or "y" not in str(loss.target):
            worst = _lowest_curvature(each)
            if worst[0] < 0:
                return Trait(
                    "convex", False, SHOWN, f"{each.view.name}, the curvature at u = {worst[1]:.4g} is {worst[0]:.3g}"
                )
    proved = all(bool((each.curvature.low >= 0).all()) for each in lines(loss))
    return Trait("convex", True, PROVED, "the curvature is nowhere negative, and no jump falls") if proved else None


def _lowest_curvature(each: Line) -> tuple[float, float]:
    """The lowest curvature near zero, or if none is negative there the lowest anywhere, and where it is."""
    points = np.concatenate([each.boxes.low, (each.boxes.low + each.boxes.high) / 2])
    for limit in (_STRICT, _INNER):
        tried = points[np.abs(points) <= limit]
        found = each.at(each.view.curvature, tried)
        at = int(np.nanargmin(np.where(np.isfinite(found), found, np.inf)))
        if found[at] < 0:
            break
    return float(found[at]), float(tried[at])


def parts_add(loss: Record) -> bool:
    return any(each.view.scaled for each in lines(loss))


def strictly_convex(loss: Record) -> Trait | None:
    """Strictly convex wherever the curvature is a normal number."""
    first = convex(loss)
    if first is None or not first.holds:
        return first and Trait("strictly convex", False, SHOWN, first.seen)
    flat = [_flat(each) for each in lines(loss)]
    if parts_add(loss):
        # A(z) + y B(z): one part that bends is enough if it is there for every target.
        free = flat[0] is None or (
            flat[1] is None and not loss.target.outside(np.asarray(1e-300)) and 0 not in loss.target
        )
        if free:
            return Trait("strictly convex", True, PROVED, "the curvature is positive for every target")
        return (
            Trait("strictly convex", False, SHOWN, "at y = 0 the loss is a straight line") if 0 in loss.target else None
        )
    stuck = [(each, where) for each, where in zip(lines(loss), flat, strict=True) if where is not None]
    if not stuck:
        return Trait("strictly convex", True, PROVED, "the curvature is positive wherever it is a normal number")
    each, where = stuck[0]
    seen = f"{each.view.name}, the curvature is 0 at u = {where:.4g}"
    return Trait("strictly convex", False, SHOWN, seen)


def _flat(each: Line) -> float | None:
    """A point within 12 of zero where the curvature is exactly zero, None if its lower bound is above zero there."""
    near = (np.abs(each.boxes.low) <= _STRICT) & (np.abs(each.boxes.high) <= _STRICT)
    if (each.curvature.low[near] > 0).all():
        return None
    middles = (each.boxes.low + each.boxes.high)[near] / 2
    found = each.at(each.view.curvature, middles)
    zero = np.flatnonzero(found == 0)
    return float(middles[zero[len(zero) // 2]]) if zero.size else None


def strongly_convex(loss: Record) -> Trait | None:
    """Convex with a curvature above some positive number everywhere."""
    first = convex(loss)
    if first is None or not first.holds:
        return first and Trait("strongly convex", False, SHOWN, first.seen)
    if parts_add(loss):
        return _fading(loss)
    least = min(float(each.curvature.low.min()) for each in lines(loss))
    if least > 1e-6:
        return Trait("strongly convex", True, PROVED, f"the curvature is at least {least:.4g}", constant=least)
    return _fading(loss)


def _fading(loss: Record) -> Trait | None:
    for each in lines(loss):
        points = np.concatenate([np.geomspace(0.01, 1e6, 400), -np.geomspace(0.01, 1e6, 400)])
        found = each.at(each.view.curvature, points)
        small = np.flatnonzero(found < 1e-6)
        if small.size:
            at = small[int(np.argmin(np.abs(points[small])))]
            seen = f"{each.view.name}, the curvature at u = {points[at]:.4g} is {found[at]:.3g}"
            return Trait("strongly convex", False, SHOWN, seen)
    return None


# --- Lipschitz, smooth ---


def lipschitz(loss: Record) -> Trait | None:
    """A bounded signal and no jump of the value: the constant is the largest pull."""
    for each in lines(loss):
        jumps = [k for k in each.kinks if abs(k.value) > 1e-6]
        if jumps:
            return Trait(
                "Lipschitz",
                False,
                SHOWN,
                f"{each.view.name}, the value jumps by {jumps[0].value:.3g} at u = {jumps[0].at:.4g}",
            )
    return sized(loss, "Lipschitz", "signal")


def smooth(loss: Record) -> Trait | None:
    """A bounded curvature and no jump of the signal: the constant is the largest curvature."""
    for each in lines(loss):
        jumps = [k for k in each.kinks if abs(k.signal) > 1e-6 or abs(k.value) > 1e-6]
        if jumps:
            k = jumps[0]
            what = f"value jumps by {k.value:.3g}" if abs(k.value) > 1e-6 else f"signal jumps by {k.signal:.3g}"
            return Trait("smooth", False, SHOWN, f"{each.view.name}, the {what} at u = {k.at:.4g}")
    return sized(loss, "smooth", "curvature")


def sized(loss: Record, name: str, what: str) -> Trait | None:
    largest = bound = 0.0
    for each in lines(loss):
        formula: Expr = getattr(each.view, what)
        box: Box = getattr(each, what)
        grown = _grown(each, formula)
        if each.view.scaled and bool((box.high - box.low > 0).any() or (np.abs(box.high) > 0).any()):
            seen = f"the {what} is in proportion to the target, {grown or 'which has no bound'}"
            return Trait(name, False, SHOWN, seen)
        if grown:
            return Trait(name, False, SHOWN, f"{each.view.name}, the {what} {grown}")
        inner = _inner(box, each.boxes)
        reach, near = (float(max(np.abs(b.low).max(), np.abs(b.high).max())) for b in (box, inner))
        if not np.isfinite(reach) or reach > 1.02 * near:
            return None
        largest, bound = max(largest, observed(each, formula)), max(bound, reach)
    if not lines(loss):
        return None
    seen = f"the {what} reaches {largest:.4g} in size, and exceeds {bound:.4g} nowhere"
    return Trait(name, True, PROVED, seen, constant=largest)


def observed(each: Line, formula: Expr) -> float:
    """The largest size that is reached, found by looking ever closer around it."""
    points = np.concatenate([each.boxes.low, (each.boxes.low + each.boxes.high) / 2])
    largest, width = 0.0, 0.02
    for _ in range(6):
        found = np.abs(each.at(formula, points))
        found = np.where(np.isfinite(found), found, -1.0)
        at = int(np.argmax(found))
        largest = max(largest, float(found[at]))
        points, width = points[at] + width * np.linspace(-1, 1, 201) * max(1.0, abs(points[at])), width / 50
    return largest


def _grown(each: Line, formula: Expr) -> str:
    """How the size grows without end, in words; empty if it does not."""
    for sign in (1.0, -1.0):
        for a, b in ((1e4, 1e8), (50.0, 400.0)):
            small, large = np.abs(each.at(formula, [sign * a, sign * b]))
            if large > 1.5 * small and large > 10:
                return f"is {small:.3g} at u = {sign * a:g} and {large:.3g} at u = {sign * b:g}"
    return ""
