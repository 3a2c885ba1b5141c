"""A loss as formulas of one number: of the miss, of the raw output for yes and for no, or linear in the target.

What holds for each of these formulas on the whole line holds for the loss: a location loss depends on the miss alone, a
yes/no loss is a mixture of its halves, and a formula A(z) + y B(z) with y from zero up inherits what A and B have in common.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

from goodmeasure.deriving.record import Record
from goodmeasure.formulas import words
from goodmeasure.formulas.domains import Domain
from goodmeasure.formulas.expression import Expr, derivative, expression, nodes, simplify, sub, symbol, symbols

Z, Y, U = symbol("z"), symbol("y"), symbol("u")


# Words that choose by the size of two things, or by the sign of one.
_OF_TWO = ("less", "less_equal", "maximum", "minimum")
_OF_ONE = ("abs", "sign")


@dataclass(frozen=True)
class View:
    """A part of a loss as a formula of ``u``; ``scaled`` if the loss holds any positive multiple of it, with y."""

    name: str
    value: Expr
    scaled: bool = False

    @cached_property
    def signal(self) -> Expr:
        return derivative(self.value, "u")

    @cached_property
    def curvature(self) -> Expr:
        return derivative(self.signal, "u")


def _side(loss: Record, outcome: Literal[0, 1], name: str) -> View:
    return View(f"where {name} happened", simplify(loss.half(outcome), {"z": U}))


@cache
def views(loss: Record) -> tuple[View, ...]:
    """The formulas of one number that make up the loss; empty where there are none."""
    if loss.is_classwise or len(loss.activation) > 1:
        return ()
    composed = loss.composed
    if loss.is_binary:
        return (_side(loss, 1, "yes"), _side(loss, 0, "no"))
    miss = _of_miss(composed)
    if miss is not None:
        return (View("of the miss", miss),)
    return _linear_in_target(loss, simplify(composed))


def _of_miss(composed: Expr) -> Expr | None:
    """The formula with u for z - y, if z and y stand nowhere else."""
    done: dict[Expr, Expr] = {}
    for node in nodes(composed):
        if node.word is sub and node.args == (Z, Y):
            done[node] = U
        elif node.word is sub and node.args == (Y, Z):
            done[node] = -U
        elif node.word is not None and node.word.name in ("less", "less_equal") and set(node.args) == {Z, Y}:
            done[node] = node.word(*((U, 0) if node.args == (Z, Y) else (0, U)))
        elif node.word is None:
            done[node] = node
        else:
            done[node] = node.word(*(done[a] for a in node.args))
    found = simplify(done[composed])
    return None if symbols(found) & {"y", "z"} else found


def _linear_in_target(loss: Record, composed: Expr) -> tuple[View, ...]:
    """The slope A(z) + y B(z) by its parts: from the lowest target up, or at both ends where targets end."""
    low, high = loss.target.low, loss.target.high
    plain = simplify(_undone(derivative(composed, "z"), loss.target))
    by_target = derivative(plain, "y")
    # A choice by the target is flat in it almost everywhere, and still no straight line.
    if "y" in symbols(by_target) or any("y" in symbols(node) for node in nodes(plain) if _chooses(node)):
        return ()
    if not math.isfinite(low):
        return ()
    at_low = _Slope("without the target" if low == 0 else f"at y = {low:g}", simplify(plain, {"y": low, "z": U}))
    if math.isfinite(high):
        return (at_low, _Slope(f"at y = {high:g}", simplify(plain, {"y": high, "z": U})))
    return (at_low, _Slope("times the target", simplify(by_target, {"z": U}), scaled=True))


@dataclass(frozen=True)
class _Slope(View):
    """A view known by its signal: ``value`` holds the signal itself."""

    @property
    def signal(self) -> Expr:
        return self.value


def _undone(formula: Expr, target: Domain) -> Expr:
    """The formula with products by the target written out, and log1p(y) as the target itself where it only relabels it.

    It does so for targets from zero up, and where the target stands nowhere else: that would be another number.
    """
    holding = {node.word for node in nodes(formula) if node.word is not None and Y in node.args}
    relabels = holding == {words.log1p} and (target.low, target.high) == (0, math.inf)
    done: dict[Expr, Expr] = {}
    for node in nodes(formula):
        if relabels and node.word is words.log1p and node.args == (Y,):
            done[node] = Y
        elif node.word is words.times:
            done[node] = done[node.args[0]] * done[node.args[1]]
        else:
            done[node] = node if node.word is None else node.word(*(done[a] for a in node.args))
    return done[formula]


def _chooses(node: Expr) -> bool:
    return node.word is not None and node.word.name in (*_OF_TWO, *_OF_ONE)


def kinks(view: View) -> tuple[Expr, ...]:
    """Differences that are zero where a choice in the view's value, signal or curvature may jump."""
    found: dict[Expr, None] = {}
    for node in nodes(view.value, view.signal, view.curvature):
        if node.word is None:
            continue
        if node.word.name in _OF_TWO:
            found[simplify(node.args[0] - node.args[1])] = None
        elif node.word.name in _OF_ONE:
            found[expression(node.args[0])] = None
    return tuple(each for each in found if "u" in symbols(each))
