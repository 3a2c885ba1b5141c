"""The shape of losses of several raw outputs, by trial: what many random points do not refute is said to be just that.

A counterexample is a pair of raw outputs at which the property fails, given as numbers that anyone can put into the loss.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from goodmeasure.deriving import numbers
from goodmeasure.deriving.record import Record
from goodmeasure.formulas.domains import OutcomeDomain
from goodmeasure.traits.trait import SHOWN, TRIED, Trait

_TRIALS = 4000
_SCALES = (0.3, 3.0, 30.0)


@cache
def _points(loss: Record) -> tuple[Any, Any, Any]:
    """Targets with pairs of raw outputs, near and far."""
    random = np.random.default_rng(7)
    n = _TRIALS
    scale = np.repeat(_SCALES, n // 3 + 1)[:n]
    if loss.is_classwise:
        k = len(loss.class_weight) or 3
        y: Any = random.integers(0, k, n)
        a, b = (random.normal(size=(n, k)) * scale[:, None] for _ in range(2))
        b[::7] = a[::7] + random.normal(size=(len(a[::7]), 1))
        return y, a, b
    y = _targets(loss, random, n)
    m = len(loss.activation)
    shape = (n,) if m == 1 else (n, m)
    spread = scale if m == 1 else scale[:, None]
    a, b = (random.normal(size=shape) * np.minimum(spread, 8.0) for _ in range(2))
    return y, a, b


def _targets(loss: Record, random: Any, n: int) -> Any:
    if isinstance(loss.target, OutcomeDomain):
        return random.integers(0, 2, n).astype(float)
    if loss.target.low == 0:
        drawn = random.gamma(1.0, 3.0, n) + 1e-3
        return np.round(drawn) if loss.target.whole else drawn
    return random.normal(size=n) * 3


def _gap(loss: Record) -> tuple[Any, Any]:
    """How far the middle lies below the chord, and by what rounding alone could do."""
    y, a, b = _points(loss)
    ends = numbers.value(loss, y, a), numbers.value(loss, y, b)
    with np.errstate(over="ignore", invalid="ignore"):
        gap = ends[0] / 2 + ends[1] / 2 - numbers.value(loss, y, (a + b) / 2)
    slack = 1e-12 * (1 + np.abs(ends[0]) + np.abs(ends[1]))
    return np.where(np.isfinite(gap), gap, 0.0), slack


def _pair(loss: Record, at: int) -> str:
    y, a, b = _points(loss)
    return f"y = {np.round(y[at], 4)}, between z = {np.round(a[at], 3).tolist()} and {np.round(b[at], 3).tolist()}"


def convex(loss: Record) -> Trait:
    """The middle of any two points lies below the chord."""
    gap, slack = _gap(loss)
    above = np.flatnonzero(gap < -slack)
    if above.size:
        _, a, b = _points(loss)
        # Of all that refute it, the one with the most handy numbers.
        at = int(above[np.argmin((_lengths(a) + _lengths(b))[above])])
        return Trait("convex", False, SHOWN, f"{_pair(loss, at)} the loss rises {-gap[at]:.3g} above the chord")
    return Trait("convex", True, TRIED, "midpoints lie on or below chords", tried=len(gap))


def _curved(loss: Record, name: str, least: float) -> Trait:
    first = convex(loss)
    if not first.holds:
        return Trait(name, False, SHOWN, first.seen)
    gap, slack = _gap(loss)
    _, a, b = _points(loss)
    apart = (a - b) ** 2 if a.ndim == 1 else ((a - b) ** 2).sum(axis=-1)
    curvature = 8 * gap / apart
    worst = int(np.argmin(np.where(gap <= slack, -1.0, curvature)))
    if gap[worst] <= slack[worst] or curvature[worst] < least:
        return Trait(name, False, SHOWN, f"{_pair(loss, worst)} the loss is straight to {max(gap[worst], 0):.1g}")
    return Trait(name, True, TRIED, "midpoints lie below chords", tried=len(gap))


def strictly_convex(loss: Record) -> Trait:
    """The middle of any two points lies strictly below the chord."""
    return _curved(loss, "strictly convex", 0.0)


def strongly_convex(loss: Record) -> Trait:
    """The curvature is at least a fixed amount everywhere."""
    return _curved(loss, "strongly convex", 1e-6)


def _lengths(table: Any) -> Any:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.abs(table) if table.ndim == 1 else np.sqrt((table**2).sum(axis=-1))


def lipschitz(loss: Record) -> Trait:
    """The signal stays bounded as raw outputs grow."""
    y, a, _ = _points(loss)
    largest = [float(np.max(_lengths(numbers.gradient(loss, y, a * grow)))) for grow in (1.0, 10.0, 100.0)]
    if not np.isfinite(largest).all() or largest[2] > 1.5 * largest[0]:
        shown = [f"{x:.3g}" for x in largest]
        return Trait(
            "Lipschitz", False, SHOWN, f"the largest signal is {shown[0]}, and {shown[2]} a hundred times further out"
        )
    seen = f"the signal is at most {max(largest):.4g} long"
    return Trait("Lipschitz", True, TRIED, seen, tried=3 * len(y), constant=max(largest))


def smooth(loss: Record) -> Trait:
    """The signal moves in proportion to the raw output, however near or far."""
    y, a, b = _points(loss)
    with np.errstate(over="ignore", invalid="ignore"):
        return _smooth(loss, y, a, b)


def _smooth(loss: Record, y: Any, a: Any, b: Any) -> Trait:
    ratios = []
    for step in (0.3, 1e-2, 1e-4):
        moved = a + step * (b - a) / np.maximum(_lengths(b - a), 1e-9)[(...,) + (None,) * (a.ndim - 1)]
        ratios.append(
            float(np.nanmax(_lengths(numbers.gradient(loss, y, moved) - numbers.gradient(loss, y, a)) / step))
        )
    outward = float(
        np.max(_lengths(numbers.gradient(loss, y, 10 * a) - numbers.gradient(loss, y, 10 * a + 1e-3)) / 1e-3)
    )
    outward = np.inf if np.isnan(outward) else outward
    if max(ratios[1:]) > 5 * ratios[0] or not np.isfinite(outward) or outward > 5 * ratios[0] + 1:
        return Trait(
            "smooth", False, SHOWN, f"the signal moves {max(*ratios, outward):.3g} times as far as the raw output"
        )
    seen = f"the signal moves at most {max(ratios):.4g} times as far as the raw output"
    return Trait("smooth", True, TRIED, seen, tried=3 * len(y), constant=max(ratios))


def robust(loss: Record) -> Trait:
    """One target's pull stays bounded, however far it lies."""
    if isinstance(loss.target, OutcomeDomain):
        return Trait("bounded in y", True, TRIED, "there are finitely many targets", tried=_TRIALS)
    y, a, _ = _points(loss)
    near, far = (float(np.max(_lengths(numbers.gradient(loss, np.abs(y) * grow + 1e-3, a)))) for grow in (1.0, 1e6))
    if far > 1.5 * near:
        return Trait(
            "bounded in y", False, SHOWN, f"the largest pull is {near:.3g}, and {far:.3g} with targets 1e6 times larger"
        )
    return Trait("bounded in y", True, TRIED, f"the pull is at most {far:.3g}", tried=2 * len(y), constant=far)


def redescending(loss: Record) -> None:
    """Asked of losses of a single miss only."""


def dead_zones(loss: Record) -> Trait:
    """Whether the signal is exactly zero on a whole neighbourhood somewhere."""
    y, a, _ = _points(loss)
    still = _lengths(numbers.gradient(loss, y, a)) + _lengths(numbers.gradient(loss, y, a + 1e-3)) == 0
    # A softmax that is sure to the last bit has no signal either: that is rounding, so only moderate raw outputs count.
    still &= (np.abs(a) if a.ndim == 1 else np.abs(a).max(axis=-1)) < 20
    if still.any():
        at = int(np.argmax(still))
        return Trait(
            "free of dead zones", False, SHOWN, f"at y = {y[at]}, z = {np.round(a[at], 3).tolist()} the signal is 0"
        )
    return Trait("free of dead zones", True, TRIED, "the signal is never zero twice in a row", tried=len(y))
