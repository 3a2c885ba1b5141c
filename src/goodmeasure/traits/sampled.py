"""The shape of losses of several raw outputs, by trial: what many random points do not refute is said to be just that.

A counterexample is a pair of raw outputs at which the property fails, given as numbers that anyone can put into the loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from goodmeasure.deriving import numbers
from goodmeasure.deriving.in_books import value
from goodmeasure.deriving.record import Record
from goodmeasure.errors import Problem
from goodmeasure.formulas.domains import OutcomeDomain
from goodmeasure.traits.targets import further, inside, members
from goodmeasure.traits.trait import SHOWN, TRIED, Trait

_TRIALS = 4000
_SCALES = (0.3, 3.0, 30.0)
# Digits of a counterexample, how many candidates are looked at, and how far beyond rounding one must lie without books.
_DIGITS, _CONFIRMED, _CLEAR = 50, 8, 1e4
# Climbing to the largest size: how often, from how many points, and how many steps are tried from each.
_CLIMBS, _KEPT, _PROPOSED = 12, 24, 12
# How much further out than the points given signals are looked at, and by how little they may still grow at the last.
_FURTHER, _SETTLED = (1.0, 10.0, 100.0, 1e6), 1.05
# How much further out targets are taken while raw outputs stay, and what is no pull worth speaking of.
_TARGETS, _LEAST = (1.0, 1e6, 1e24, 1e48), 1e-6
# What is as large as this is without bound: it is the end of the numbers that was reached.
_MOST = 1e300


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
    domain = loss.target
    if isinstance(domain, OutcomeDomain):
        return random.integers(0, 2, n).astype(float)
    if math.isfinite(domain.low) and math.isfinite(domain.high):
        ends = domain.low, domain.high
        drawn = random.integers(ends[0], ends[1] + 1, n) * 1.0 if domain.whole else random.uniform(*ends, n)
        return inside(domain, drawn)
    ended = math.isfinite(domain.low) or math.isfinite(domain.high)
    return members(domain, random.gamma(1.0, 3.0, n) + 1e-3 if ended else random.normal(size=n) * 3)


# --- chords ---


@cache
def _gap(loss: Record) -> tuple[Any, Any]:
    """How far the middle lies below the chord, and by what rounding alone could do."""
    y, a, b = _points(loss)
    ends = numbers.value(loss, y, a), numbers.value(loss, y, b)
    with np.errstate(over="ignore", invalid="ignore"):
        gap = ends[0] / 2 + ends[1] / 2 - numbers.value(loss, y, (a + b) / 2)
        slack = 1e-12 * (np.abs(ends[0]) + np.abs(ends[1]))
    return np.where(np.isfinite(gap), gap, 0.0), slack


def _exact_gap(loss: Record, at: int) -> tuple[Any, Any] | None:
    """The same at one pair in arbitrary precision, with the sizes of the ends; None where the loss has no books."""
    import mpmath as mp

    y, a, b = (each[at] for each in _points(loss))
    target = int(y) if loss.is_classwise else mp.mpf(float(y))
    with mp.workdps(_DIGITS + int(3 * max(np.abs(a).max(), np.abs(b).max()))):
        first, second = ([mp.mpf(float(x)) for x in np.atleast_1d(each)] for each in (a, b))
        middle = [(p + q) / 2 for p, q in zip(first, second, strict=True)]
        try:
            low, high, between = (value(loss, target, each) for each in (first, second, middle))
        except (Problem, ArithmeticError, ValueError, TypeError):
            return None
        return (low + high) / 2 - between, abs(low) + abs(high)


def _pair(loss: Record, at: int) -> str:
    y, a, b = _points(loss)
    return f"y = {np.round(y[at], 4)}, between z = {np.round(a[at], 3).tolist()} and {np.round(b[at], 3).tolist()}"


def convex(loss: Record) -> Trait:
    """The middle of any two points lies below the chord."""
    gap, slack = _gap(loss)
    above = np.flatnonzero(gap < -slack)
    _, a, b = _points(loss)
    # Of all that refute it, the one with the most handy numbers.
    handy = above[np.argsort((_lengths(a) + _lengths(b))[above])]
    for at in handy[:_CONFIRMED].tolist():
        exact = _exact_gap(loss, at)
        clear = gap[at] < -_CLEAR * slack[at] if exact is None else exact[0] < 0
        if clear:
            rise = -gap[at] if exact is None else float(-exact[0])
            return Trait("convex", False, SHOWN, f"{_pair(loss, at)} the loss rises {rise:.3g} above the chord")
    return Trait("convex", True, TRIED, "midpoints lie on or below chords", tried=len(gap))


def _curved(loss: Record, name: str, least: float) -> Trait:
    import mpmath as mp

    first = convex(loss)
    if not first.holds:
        return Trait(name, False, SHOWN, first.seen)
    gap, slack = _gap(loss)
    _, a, b = _points(loss)
    apart = (a - b) ** 2 if a.ndim == 1 else ((a - b) ** 2).sum(axis=-1)
    curvature = np.where(gap <= slack, -1.0, 8 * gap / apart)
    for at in np.argsort(curvature)[:_CONFIRMED].tolist():
        if curvature[at] > least * curvature.max():
            break
        exact = _exact_gap(loss, at)
        straight = curvature[at] >= 0 or exact is None or exact[0] <= exact[1] * mp.mpf(10) ** (10 - _DIGITS)
        if straight:
            return Trait(name, False, SHOWN, f"{_pair(loss, at)} the loss is straight to {max(gap[at], 0):.1g}")
    return Trait(name, True, TRIED, "midpoints lie below chords", tried=len(gap))


def strictly_convex(loss: Record) -> Trait:
    """The middle of any two points lies strictly below the chord."""
    return _curved(loss, "strictly convex", 0.0)


def strongly_convex(loss: Record) -> Trait:
    """The curvature is at least a fixed amount everywhere: a millionth of the largest that is seen."""
    return _curved(loss, "strongly convex", 1e-6)


def _lengths(table: Any) -> Any:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.abs(table) if table.ndim == 1 else np.sqrt((table**2).sum(axis=-1))


# --- sizes ---


def _climbed(size: Callable[[Any, Any], Any], y: Any, a: Any) -> float:
    """The largest size near the points given, by steps from the largest of them: what points at random miss."""
    random = np.random.default_rng(8)
    found = size(y, a)
    for width in np.geomspace(0.5, 0.01, _CLIMBS):
        best = np.argsort(-np.where(np.isfinite(found), found, -1.0))[:_KEPT]
        y, a, found = y[best], a[best], found[best]
        near_y, near_a = np.repeat(y, _PROPOSED, axis=0), np.repeat(a, _PROPOSED, axis=0)
        near_a = near_a + width * (1 + np.abs(near_a)) * random.normal(size=near_a.shape)
        y, a = np.concatenate([y, near_y]), np.concatenate([a, near_a])
        found = np.concatenate([found, size(near_y, near_a)])
    known = found[~np.isnan(found)]
    return float(known.max()) if known.size else math.nan


def _on_target(loss: Record, grow: float) -> tuple[Any, Any]:
    """Targets of zero with a first raw output on them, in units from tiny to large, and the others as far out as ever.

    What divides the miss by a scale has its longest signals there, where points at random never fall.
    """
    m = len(loss.activation)
    random, n = np.random.default_rng(9), _TRIALS // 4
    if loss.is_classwise or m == 1 or 0.0 not in loss.target or loss.activation[0].name != "linear":
        return np.empty(0), np.empty((0, m))
    first = random.choice([-1.0, 1.0], n) * 10.0 ** random.uniform(max(-10 * grow, -300), 3, n)
    return np.zeros(n), np.column_stack([first, *(8 * grow * random.normal(size=(m - 1, n)))])


def _further_out(loss: Record, grow: float) -> tuple[Any, Any]:
    y, a, _ = _points(loss)
    more = _on_target(loss, grow)
    if not len(more[0]):
        return further(loss.target, y, grow), a * grow
    return np.concatenate([further(loss.target, y, grow), more[0]]), np.concatenate([a * grow, more[1]])


def _end_of_growth(loss: Record, size: Callable[[Any, Any], Any]) -> float | None:
    """The largest size of a loss of one number on its own scale where it has ended to grow, however far out that is."""
    y, a, _ = _points(loss)
    if a.ndim > 1 or loss.activation[0].name != "linear":
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        far, furthest = (float(np.max(size(further(loss.target, y, grow), a * grow))) for grow in (1e100, 1e130))
    return furthest if math.isfinite(furthest) and furthest <= _SETTLED * far else None


def lipschitz(loss: Record) -> Trait | None:
    """The signal stays bounded as raw outputs and targets grow; no claim where it is still growing a little at the end."""

    def size(y: Any, z: Any) -> Any:
        return _lengths(numbers.gradient(loss, y, z))

    tried = [_further_out(loss, grow) for grow in _FURTHER]
    with np.errstate(over="ignore", invalid="ignore"):
        near, between, far, furthest = (_climbed(size, *points) for points in tried)
    if not math.isfinite(near):
        return Trait("Lipschitz", False, SHOWN, "signals leave the range of numbers")
    if not math.isfinite(between + far) or far > 1.5 * max(near, between):
        if (end := _end_of_growth(loss, size)) is not None:
            return Trait("Lipschitz", True, TRIED, _longest([end], "the longest signal"), tried=_TRIALS, constant=end)
        grown = f"{far:.3g}" if math.isfinite(far) else "beyond the range of numbers"
        seen = f"the largest signal seen is {near:.3g}, and {grown} a hundred times further out"
        return Trait("Lipschitz", False, SHOWN, seen)
    if not furthest <= _SETTLED * max(near, between, far):
        return None
    count = sum(len(y) + _CLIMBS * _KEPT * _PROPOSED for y, _ in tried)
    largest = [near, between, far, furthest]
    return Trait("Lipschitz", True, TRIED, _longest(largest, "the longest signal"), tried=count, constant=max(largest))


def _longest(found: list[float], what: str) -> str:
    return f"{what} seen is {max(found):.4g}, and nothing proves that none is longer"


def smooth(loss: Record) -> Trait:
    """The signal moves in proportion to the raw output, however near or far."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _smooth(loss, *_points(loss))


def _smooth(loss: Record, y: Any, a: Any, b: Any) -> Trait:
    toward = (b - a) / np.maximum(_lengths(b - a), 1e-9)[(...,) + (None,) * (a.ndim - 1)]
    way = toward[0]

    def moved(step: float) -> Callable[[Any, Any], Any]:
        def size(y: Any, z: Any) -> Any:
            direction = toward if len(z) == len(toward) else np.broadcast_to(way, z.shape)
            far = numbers.gradient(loss, y, z + step * direction)
            return _lengths(far - numbers.gradient(loss, y, z)) / step

        return size

    ratios = [float(np.nanmax(moved(step)(y, a))) for step in (0.3, 1e-2, 1e-4)]
    outward = [_climbed(moved(1e-3), further(loss.target, y, grow), grow * a) for grow in (1.0, 10.0, 100.0)]
    largest = max(*ratios, *(x for x in outward if not math.isnan(x)))
    if max(ratios[1:]) > 5 * ratios[0] or not max(outward) < _MOST or outward[2] > 1.5 * max(outward[:2]):
        return Trait("smooth", False, SHOWN, f"the signal moves {largest:.3g} times as far as the raw output")
    return Trait(
        "smooth", True, TRIED, _longest([largest], "the largest move of the signal by that of the raw output"),
        tried=3 * len(y), constant=largest,
    )  # fmt: skip


def robust(loss: Record) -> Trait:
    """One target's pull stays bounded, however far it lies."""
    if isinstance(loss.target, OutcomeDomain) or (loss.target.whole and math.isfinite(loss.target.high)):
        return Trait("bounded in y", True, TRIED, "there are finitely many targets", tried=_TRIALS)
    y, a, _ = _points(loss)
    with np.errstate(over="ignore", invalid="ignore"):
        pulls = np.array([_lengths(numbers.gradient(loss, further(loss.target, y, grow), a)) for grow in _TARGETS])
    grows = np.flatnonzero((pulls[1:] > np.maximum(1.5 * pulls[:-1], _LEAST)).all(axis=0))
    if grows.size:
        at = int(grows[np.argmin(_lengths(a)[grows])])
        seen = f"at z = {np.round(a[at], 3).tolist()} the pull is"
        for grow, pull in ((_TARGETS[0], pulls[0, at]), (_TARGETS[-1], pulls[-1, at])):
            seen += f" {pull:.3g} at y = {further(loss.target, y, grow)[at]:.3g} and"
        return Trait("bounded in y", False, SHOWN, seen.removesuffix(" and"))
    largest = float(np.nanmax(pulls))
    seen = _longest([largest], "the longest pull")
    return Trait("bounded in y", True, TRIED, seen, tried=pulls.size, constant=largest)


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
