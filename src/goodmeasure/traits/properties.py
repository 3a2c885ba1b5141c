"""The three properties of a learning signal, read from the formula: directional, sensitive, aligned with accuracy."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from goodmeasure.deriving import numbers
from goodmeasure.deriving.best_constant import best_constant
from goodmeasure.deriving.predictions import predict
from goodmeasure.deriving.record import Record
from goodmeasure.formulas.domains import OrderDomain, OutcomeDomain
from goodmeasure.traits import trait
from goodmeasure.traits.influence import Influence, sides
from goodmeasure.traits.outcome import expected
from goodmeasure.traits.targets import members
from goodmeasure.traits.trait import SHOWN, TRIED, Trait

_WAY = np.concatenate([-np.geomspace(40, 1e-3, 800), [0.0], np.geomspace(1e-3, 40, 800)])


@cache
def directional(loss: Record) -> Trait:
    """Whether the expected loss falls all the way toward what the loss asks for, from wherever one starts."""
    convex = trait(loss, "convex")
    if convex is not None and convex.holds:
        return Trait("directional", True, convex.evidence, "convex: every way toward the best goes down", convex.tried)
    if loss.is_classwise or len(loss.activation) > 1:
        return _directional_rows(loss)
    if loss.is_binary:
        return _directional_yes_no(loss)
    return _directional_numbers(loss)


def _minima(values: Any) -> list[int]:
    """Where a row of numbers turns upward after having fallen; a flat bottom counts once."""
    steps = np.diff(values)
    steps = np.where(np.abs(steps) <= 1e-12 * (1 + np.abs(values[:-1])), 0, np.sign(steps))
    moves = np.flatnonzero(steps)
    turns = np.flatnonzero((steps[moves[:-1]] < 0) & (steps[moves[1:]] > 0))
    return [int(moves[t + 1]) for t in turns]


def _directional_yes_no(loss: Record) -> Trait:
    shares = np.linspace(0.01, 0.99, 99)
    for eta in shares:
        found = expected(loss, float(eta), _WAY)
        if len(_minima(found)) > 1:
            first, second = (_WAY[i] for i in _minima(found)[:2])
            seen = f"when yes has probability {eta:.2g} there are two low points, z = {first:.3g} and {second:.3g}"
            return Trait("directional", False, SHOWN, seen)
        if float(np.ptp(numbers.gradient(loss, np.ones_like(_WAY), _WAY))) == 0:
            return Trait("directional", False, SHOWN, "there is no signal anywhere, so nothing is pulled")
    seen = "the expected loss has one low point for every probability"
    return Trait("directional", True, TRIED, seen, tried=len(shares))


def _directional_numbers(loss: Record) -> Trait:
    random = np.random.default_rng(5)
    trials = 200
    for trial in range(trials):
        spread = (3.0, 30.0)[trial % 2]
        sizes = random.exponential(spread, 5) + 0.1 if loss.target.low == 0 else random.normal(size=5) * spread
        y = members(loss.target, sizes)
        w = random.dirichlet(np.ones(5))
        way = np.linspace(-8, 8, 801) if loss.target.low == 0 else np.linspace(y.min() - 1, y.max() + 1, 801)
        found = sum(w[i] * numbers.value(loss, np.full(way.shape, y[i]), way) for i in range(5))
        low = _minima(found)
        if len(low) > 1:
            seen = f"targets {np.round(y, 1).tolist()} make low points at z = {way[low[0]]:.3g} and {way[low[1]]:.3g}"
            return Trait("directional", False, SHOWN, seen)
    return Trait("directional", True, TRIED, "the expected loss of random targets has one low point", tried=trials)


def _directional_rows(loss: Record) -> Trait:
    """From random raw outputs the signal must not point away from the best ones."""
    random = np.random.default_rng(6)
    trials = 300 if loss.is_classwise else 40
    for y, q, best in (_rows if loss.is_classwise else _samples)(loss, random, trials):
        start = best + random.normal(size=best.shape) * 3
        pull = (numbers.gradient(loss, y, np.tile(start, (len(y), 1))) * q[:, None]).sum(axis=0)
        if float(pull @ (start - best)) < -1e-9:
            seen = f"at z = {np.round(start, 2).tolist()} the expected signal points away from {np.round(best, 2).tolist()}"
            return Trait("directional", False, SHOWN, seen)
    return Trait("directional", True, TRIED, "the expected signal points toward the best raw outputs", tried=trials)


def _rows(loss: Record, random: Any, trials: int) -> Iterator[tuple[Any, Any, Any]]:
    """Classes, their probabilities, and the raw outputs that are best for these."""
    best = random.normal(size=(trials, len(loss.class_weight) or 3))
    shares = predict(loss, best)
    for row, q in zip(best, shares, strict=True):
        yield np.arange(len(q)), q, row


def _samples(loss: Record, random: Any, trials: int) -> Iterator[tuple[Any, Any, Any]]:
    """A few targets and equal shares of them, or every grade with any share, and the raw outputs that are best for these."""
    for _ in range(trials):
        y, q = members(loss.target, random.gamma(2.0, 2.0, 4)), np.full(4, 0.25)
        if isinstance(loss.target, OrderDomain):
            y = np.arange(loss.target.high + 1)
            q = random.dirichlet(np.ones(len(y)))
        yield y, q, np.asarray(best_constant(loss, y, q))


def sensitive(loss: Record) -> tuple[Influence, ...]:
    """How the pull grows with the distance on each side, in units of that at a slight error."""
    if loss.is_classwise:
        y: Any = np.arange(3)
        return sides(loss, y, 0.3 * np.eye(len(loss.class_weight) or 3)[:3])
    if len(loss.activation) > 1:
        return ()
    if loss.is_binary:
        return sides(loss, np.asarray([0.0, 1.0, 1.0]), np.asarray([0.3, -0.2, 0.5]))
    return sides(loss, members(loss.target, np.asarray([1.0, 2.0, 3.0])), np.asarray([0.5, 0.5, 1.0]))


@cache
def aligned(loss: Record) -> Trait | None:
    """Aligned with accuracy: how much excess loss an accuracy lost on average must cost (Bartlett, Jordan, McAuliffe 2006)."""
    if not isinstance(loss.target, OutcomeDomain):
        return None
    if not loss.is_binary:
        return _breaking_pair(loss)
    lost = {theta: _excess(loss, theta) for theta in (0.1, 0.5)}
    if min(lost.values()) > 1e-9:
        seen = ", ".join(
            f"accuracy {theta:g} below the best costs at least {x:.3g} of loss" for theta, x in lost.items()
        )
        return Trait("aligned with accuracy", True, TRIED, seen, tried=2 * len(_WAY))
    seen = "where the two answers' probabilities differ by 0.5 or 0.1, answering wrongly may cost no loss at all"
    return Trait("aligned with accuracy", False, SHOWN, seen)


def _excess(loss: Record, theta: float) -> float:
    """The least excess loss of deciding wrongly where the two answers' probabilities differ by theta."""
    found = []
    for eta in ((1 + theta) / 2, (1 - theta) / 2):
        risk = expected(loss, eta, _WAY)
        wrong = risk[(_WAY <= 0) if eta > 0.5 else (_WAY >= 0)].min()
        found.append(float(wrong - risk.min()))
    return min(found)


def _breaking_pair(loss: Record) -> Trait | None:
    """Two models, the one with the lower loss having the lower accuracy."""
    lead, y = np.eye(len(loss.class_weight) or 3)[0], np.zeros(3, dtype=int)
    timid, bold = (
        numbers.total(loss, y, np.stack([lead * m for m in leads])).mean
        for leads in ((0.1, 0.1, 0.1), (-0.1, 9.0, 9.0))
    )
    if bold >= timid:
        return None
    seen = (
        f"of two models on three rows, leads of 0.1, 0.1, 0.1 and of -0.1, 9, 9, the second has the lower loss "
        f"({bold:.3g} below {timid:.3g}) and one more row wrong"
    )
    return Trait("aligned with accuracy row by row", False, SHOWN, seen)
