"""The shape of a loss in its raw output: convex, strictly, strongly, Lipschitz, smooth.

A claim about a loss of one raw output is proved by bounding the derived signal and curvature in boxes that cover the line from
-1e12 to 1e12, or further where a hyperparameter is larger, and by looking at every point where a choice in the formula may
jump. What refutes a claim is confirmed in arbitrary precision before it is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from goodmeasure.deriving.record import Record
from goodmeasure.formulas.expression import Expr
from goodmeasure.formulas.interval_arithmetic import Box
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.traits.line import Kink, Line, lines
from goodmeasure.traits.trait import PROVED, SHOWN, Trait

# How far above the largest size that was seen a proved bound may lie.
_TIGHT, _LOOSE = 1e-12, 1.02
# Below this a bound in double precision says nothing of the sign: numbers end there.
_TINY = 1e-290
# Far out, where what grows or fades without end has shown it: beyond the end of any line.
_FURTHEST = (1e100, 1e130)
# Toward zero, where what grows without end has shown it too.
_NEAR = (1e-3, 1e-20, 1e-40, 1e-60)
_CONFIRMED = 12


def _covered(loss: Record) -> str:
    return f"for raw outputs up to {lines(loss)[0].end:g}"


# --- convex, strictly, strongly ---


def convex(loss: Record) -> Trait | None:
    """Convex in the raw output, if it can be proved or a counterexample stands on a line."""
    if not lines(loss):
        return None
    for each in lines(loss):
        seen = _falling(each) or _bent_down(each)
        if seen:
            return Trait("convex", False, SHOWN, f"{each.view.name}, the {seen}")
    if not all((bounds_of_convexity(each)[1].low >= 0).all() for each in lines(loss)):
        return None
    return Trait("convex", True, PROVED, f"the curvature is nowhere negative {_covered(loss)}, and no jump falls")


def bounds_of_convexity(each: Line) -> tuple[Box, Box]:
    """Boxes that cover the line and bounds of the curvature in them, none below zero where that can be shown."""
    return each.refined(each.view.curvature, lambda found: -found.low)


def _falling(each: Line) -> str:
    falls = [k for k in each.kinks if k.signal < 0 or k.value]
    return _jumping(falls[0], "falls") if falls else ""


def _jumping(k: Kink, how: str) -> str:
    what = f"value jumps by {k.value:.3g}" if k.value else f"signal {how} by {abs(k.signal):.3g}"
    return f"{what} at u = {k.at:.4g}"


def _bent_down(each: Line) -> str:
    """Where the curvature is below zero, beyond all doubt of rounding."""
    for u in _lowest(each):
        exact = each.exactly(each.view.curvature, u)
        if exact < 0:
            return f"curvature at u = {u:.4g} is {float(exact):.3g}"
    return ""


def _lowest(each: Line) -> Iterator[float]:
    """Points at which the curvature looks negative, those near zero first, and of these the lowest."""
    points = np.concatenate([each.boxes.low, (each.boxes.low + each.boxes.high) / 2])
    found = each.at(each.view.curvature, points)
    below = np.flatnonzero(np.isfinite(found) & (found < 0))
    order = sorted(below.tolist(), key=lambda i: (abs(points[i]) > 12, found[i]))
    yield from (float(points[i]) for i in order[:_CONFIRMED])


def parts_add(loss: Record) -> bool:
    return any(each.view.scaled for each in lines(loss))


def strictly_convex(loss: Record) -> Trait | None:
    """Strictly convex wherever the curvature is a normal number."""
    first = convex(loss)
    if first is None or not first.holds:
        return first and Trait("strictly convex", False, SHOWN, first.seen)
    if parts_add(loss):
        return _strict_sum(loss)
    for each in lines(loss):
        where = _flat(each)
        if where is not None:
            return Trait(
                "strictly convex", False, SHOWN, f"{each.view.name}, the curvature is 0 around u = {where:.4g}"
            )
    if all(map(_bends, lines(loss))):
        return Trait("strictly convex", True, PROVED, "the curvature is positive wherever it is a normal number")
    return None


def _strict_sum(loss: Record) -> Trait | None:
    """A(z) + y B(z): one part that bends is enough if it is there for every target."""
    free, held = lines(loss)
    if _bends(free) or (_bends(held) and loss.target.low not in loss.target):
        return Trait("strictly convex", True, PROVED, "the curvature is positive for every target")
    if loss.target.low in loss.target and _flat(free) is not None:
        seen = f"at y = {loss.target.low:g} the curvature is 0 around u = {_flat(free):.4g}"
        return Trait("strictly convex", False, SHOWN, seen)
    return None


def _bends(each: Line) -> bool:
    """Whether the curvature is above zero in every box, but for those where it is too small for a number."""
    _, found = each.refined(
        each.view.curvature, lambda found: np.where((found.low <= 0) & (found.high > _TINY), 1.0, 0.0)
    )
    return _flat(each) is None and bool(((found.low > 0) | (found.high <= _TINY)).all())


def _flat(each: Line) -> float | None:
    """The middle of an interval on which the curvature is exactly zero, the one nearest to zero; None if none is found."""
    zero = (each.curvature.low == 0) & (each.curvature.high == 0)
    middles = each.boxes.low[zero] / 2 + each.boxes.high[zero] / 2
    tried = middles[np.argsort(np.abs(middles))]
    for u in tried[np.linspace(0, len(tried) - 1, min(_CONFIRMED, len(tried))).astype(int)]:
        if each.exactly(each.view.curvature, u) == 0:
            return float(u)
    return None


def strongly_convex(loss: Record) -> Trait | None:
    """Convex with a curvature above some positive number everywhere."""
    first = convex(loss)
    if first is None or not first.holds:
        return first and Trait("strongly convex", False, SHOWN, first.seen)
    if not parts_add(loss):
        least = min(float(each.curvature.low.min()) for each in lines(loss))
        if least > 0 and not _fading(lines(loss)):
            seen = f"the curvature is at least {least:.4g} {_covered(loss)}"
            return Trait("strongly convex", True, PROVED, seen, constant=least)
    where = _fading(lines(loss)[:1]) if parts_add(loss) else _fading(lines(loss))
    return Trait("strongly convex", False, SHOWN, where) if where else None


def _fading(found: tuple[Line, ...]) -> str:
    """Where the curvature fades to nothing far out, in words; empty where it does not."""
    for each in found:
        for way in (1.0, -1.0):
            near, far = each.at(each.view.curvature, [way * u for u in (each.end, _FURTHEST[0])])
            if far < 1e-3 * near or (near == 0 and far == 0):
                return f"{each.view.name}, the curvature is {near:.3g} at u = {way * each.end:g}, and {far:.3g} further out"
    return ""


# --- Lipschitz, smooth ---


def lipschitz(loss: Record) -> Trait | None:
    """A bounded signal and no jump of the value: the constant is a bound of every pull."""
    for each in lines(loss):
        jumps = [k for k in each.kinks if k.value]
        if jumps:
            return Trait("Lipschitz", False, SHOWN, f"{each.view.name}, the {_jumping(jumps[0], '')}")
    return sized(loss, "Lipschitz", "signal")


def smooth(loss: Record) -> Trait | None:
    """A bounded curvature and no jump of the signal: the constant is a bound of every curvature."""
    for each in lines(loss):
        if each.kinks:
            return Trait("smooth", False, SHOWN, f"{each.view.name}, the {_jumping(each.kinks[0], 'jumps')}")
    return sized(loss, "smooth", "curvature")


def sized(loss: Record, name: str, what: str) -> Trait | None:
    """Whether the signal or the curvature is bounded, with a bound that is proved; None where neither can be shown."""
    if not lines(loss):
        return None
    largest = bound = 0.0
    for each in lines(loss):
        formula: Expr = getattr(each.view, what)
        grown = _grown(each, formula)
        if each.view.scaled and _somewhere(each, formula):
            seen = f"the {what} is in proportion to the target, {grown or 'which has no bound'}"
            return Trait(name, False, SHOWN, seen)
        if grown:
            return Trait(name, False, SHOWN, f"{each.view.name}, the {what} {grown}")
        largest, bound = max(largest, observed(each, formula)), max(bound, bound_of(each, formula))
        if not np.abs(each.at(formula, [way * u for u in _FURTHEST for way in (1, -1)])).max() <= _LOOSE * bound:
            return None
    if not bound <= _LOOSE * largest or any(each.is_cut_short for each in lines(loss)):
        return None
    seen = f"the {what} reaches {largest:.4g} in size, and exceeds {bound:.4g} nowhere {_covered(loss)}"
    return Trait(name, True, PROVED, seen, constant=bound)


def _somewhere(each: Line, formula: Expr) -> bool:
    """Whether a formula is anything but zero at one of some points."""
    points = each.boxes.low[np.abs(each.boxes.low) <= 20][::40]
    return any(each.exactly(formula, u) != 0 for u in points if each.at(formula, u)[0] != 0)


def bound_of(each: Line, formula: Expr) -> float:
    """A size that a formula exceeds nowhere on the line, close to the largest that is seen where it can be."""
    return sizes(bounds_of_size(each, formula)[1])


def bounds_of_size(each: Line, formula: Expr) -> tuple[Box, Box]:
    """Boxes that cover the line and bounds of a formula in them, halved until they are close to the largest size seen."""
    allowed = observed(each, formula) * (1 + _TIGHT)
    return each.refined(formula, lambda found: np.maximum(np.abs(found.low), np.abs(found.high)) - allowed)


def sizes(found: Box) -> float:
    return float(max(np.abs(found.low).max(), np.abs(found.high).max()))


def observed(each: Line, formula: Expr) -> float:
    """The largest size that is reached, found by looking ever closer around it."""
    points = np.concatenate([each.boxes.low, (each.boxes.low + each.boxes.high) / 2])
    largest = 0.0
    near = _looked(each, formula, points)
    step = np.sort(np.abs(np.unique(points) - points[near[1]]))[1:3].max()
    for _ in range(6):
        largest = max(largest, near[0])
        points, step = points[near[1]] + step * np.linspace(-1, 1, 201), step / 50
        near = _looked(each, formula, points)
    return max(largest, near[0])


def _looked(each: Line, formula: Expr, points: Floats) -> tuple[float, int]:
    found = np.abs(each.at(formula, points))
    found = np.where(np.isfinite(found), found, -1.0)
    at = int(np.argmax(found))
    return float(found[at]), at


def _grown(each: Line, formula: Expr) -> str:
    """How the size grows without end, far out or toward zero, in words; empty if it does not."""
    return _grown_outward(each, formula) or _grown_inward(each, formula)


def _grown_outward(each: Line, formula: Expr) -> str:
    for way in (1.0, -1.0):
        tried = way * np.asarray([*np.geomspace(1e-6, each.end, 200), *_FURTHEST])
        found = np.abs(each.at(formula, tried))
        sizes_far = float(np.fmax.reduce(found[:-2])), *found[-2:].tolist()
        if np.isfinite(sizes_far).all() and _keeps_growing(each.end, *sizes_far):
            return _from_to(tried, found, -3, -2)
        if np.isinf(found).any():
            last = int(np.argmax(np.isinf(found)))
            # The first that is lost may be lost on the way to it; what grows without end is lost at the end of the line too.
            exact: Any = [each.exactly(formula, tried[at]) for at in (last, len(tried) - 3)]
            if last and any(abs(number) > 1e300 for number in exact):
                return (
                    f"is {found[last - 1]:.3g} at u = {tried[last - 1]:.3g} and leaves the range of numbers further out"
                )
    return ""


def _keeps_growing(end: float, near: float, far: float, furthest: float) -> bool:
    """Whether a size grows twice, and no slower with each factor of ten the second time: a logarithm does, at a constant rate.

    A wave was as large before, a straight part that begins far out ends there, and what tends to a bound grows ever slower.
    """
    tens = np.log10([end, *_FURTHEST])
    first, second = (far - near) / (tens[1] - tens[0]), (furthest - far) / (tens[2] - tens[1])
    return bool(furthest > 1.2 * far > 1.44 * near and second > 0.9 * first)


def _grown_inward(each: Line, formula: Expr) -> str:
    """The same toward zero, where powers below one have slopes without bound."""
    for way in (1.0, -1.0):
        tried = way * np.asarray(_NEAR)
        found = np.abs(each.at(formula, tried))
        if not found[-1] > 1.5 * found[:-1].max() and not np.isinf(found[-1]):
            continue
        exact = [abs(each.exactly(formula, u)) for u in tried]
        if all(b > 1.5 * a for a, b in pairwise(exact)):
            return _from_to(tried, np.asarray([float(x) for x in exact]), -2, -1)
    return ""


def _from_to(tried: Floats, found: Floats, a: int, b: int) -> str:
    return f"is {found[a]:.3g} at u = {tried[a]:g} and {found[b]:.3g} at u = {tried[b]:g}"
