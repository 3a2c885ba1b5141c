"""Losses of classes in torch operations: the lines of the kernels' statistics on whole tables.

A target says which class happened, or gives every class a share. With shares a row number stands for every class k that may
have happened, j runs over the raw outputs, and a sum over pairs of them is regrouped into sums over one: nothing of size K x K
is ever made.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from goodmeasure.deriving import class_statistics
from goodmeasure.frameworks.arrays_classes import ALONG, MIXED, SQUARES, STATISTICS, TURN
from goodmeasure.frameworks.torch_formulas import function, parameters, statements
from goodmeasure.kernels.statistics import CLASS, ROW, STILL

if TYPE_CHECKING:
    from goodmeasure.formulas.expression import Expr
    from goodmeasure.making.loss import Loss


# --- sums over classes ---


def times(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """A product that is 0 where ``x`` is, whatever ``y`` is there."""
    return torch.where(x == 0, 0.0, x * y)


def total(x: torch.Tensor) -> torch.Tensor:
    return torch.sum(x, -1, keepdim=True)


def others(x: torch.Tensor) -> torch.Tensor:
    """For each class the sum over the others. The largest are left out of the sum and added, so that nothing cancels."""
    size = torch.abs(x)
    top = size == torch.amax(size, -1, keepdim=True)
    below, above = torch.where(top, 0.0, x), total(torch.where(top, x, 0.0))
    alone = total(top.to(x.dtype)) == 1
    return torch.where(top, torch.where(alone, 0.0, above - x) + total(below), above + (total(below) - below))


def pairs(x: torch.Tensor, q: torch.Tensor, top: torch.Tensor) -> torch.Tensor:
    """For each class j the sum over the others k of x_k times the sum of ``q`` over all but j and k; ``top`` is the largest q."""
    below, rest = torch.where(top, 0.0, q), torch.where(top, 0.0, x)
    q_top, x_top = total(torch.where(top, q, 0.0)), total(torch.where(top, x, 0.0))
    left = total(below) - below
    without_top = torch.where(top, left, q_top + left) * others(rest) - others(rest * below)
    return torch.where(top, 0.0, x_top * left) + without_top


def first_of_largest(x: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Where the first of the largest stands on the last axis, which keeps its place.

    In a compiled graph it is the least of their places, kept as numbers of ``x``: inductor makes vector code of that, and not of
    an argmax, which takes longer there than all the rest of a loss. Beyond the whole numbers of a dtype it is the argmax.
    """
    if not torch.compiler.is_compiling() or x.shape[-1] > 2 / torch.finfo(x.dtype).eps:
        return torch.argmax(x, -1, keepdim=True)
    places = classes.to(x.dtype)
    return torch.amin(torch.where(x == torch.amax(x, -1, keepdim=True), places, places[-1]), -1, keepdim=True).long()


_SCOPE: Mapping[str, Any] = {
    "times": times, "total": total, "others": others, "pairs": pairs, "first_of_largest": first_of_largest
}  # fmt: skip

# --- printing ---

# One of the largest raw outputs is left out of the sums, not all of them, so that the lines can be differentiated again.
_HEAD = [
    "ZERO = torch.zeros((), dtype=z.dtype, device=z.device)",
    "ONE = torch.ones((), dtype=z.dtype, device=z.device)",
    "NAN = torch.full((), torch.nan, dtype=z.dtype, device=z.device)",
    "INF = torch.full((), torch.inf, dtype=z.dtype, device=z.device)",
    "LEAST = torch.finfo(z.dtype).min",
    "each = ONE / (classes[-1] + 1)",
    "at_top = first_of_largest(z, classes)",
    "top = classes == at_top",
    "largest = torch.gather(z, -1, at_top)",
    "fall = torch.where(top, ZERO, z - largest)",
    "e = torch.where(top, ONE, torch.exp(fall))",
    "grown = torch.where(top, ZERO, e)",
    "below = total(grown)",
    "squares = total(grown * grown)",
    "falls = total(fall)",
    "ties = ONE",
]
_HAPPENED = {
    False: [
        "at = y[..., None]",
        "of = classes == at",
        "of_top = at_top == at",
        "z_of = torch.gather(z, -1, at)",
        "at_rival = first_of_largest(torch.where(of, -INF, z.clamp(min=LEAST)), classes)",
        "is_rival = classes == at_rival",
        "rival = torch.gather(z, -1, at_rival)",
    ],
    True: [
        "of_top = top",
        "z_of = z",
        "at_second = first_of_largest(torch.where(top, -INF, z.clamp(min=LEAST)), classes)",
        "second = classes == at_second",
        "rival = torch.where(top, torch.gather(z, -1, at_second), largest)",
    ],
}


class _Tables(ast.NodeTransformer):
    """Turns a line about one number into one about tables: a choice is where, and constants are numbers."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        where = ast.parse("torch.where(c, a, b)", mode="eval").body
        assert isinstance(where, ast.Call)
        where.args = [node.test, node.body, node.orelse]
        return where

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "FLOAT":
            return ast.Name("NAN", ast.Load())
        if isinstance(node.func, ast.Name) and node.func.id not in _SCOPE:
            node.func = ast.Attribute(ast.Name("torch", ast.Load()), node.func.id, ast.Load())
        return node


def _table(text: str) -> str:
    return ast.unparse(_Tables().visit(ast.parse(text, mode="eval").body))


def _move(name: str, soft: bool) -> list[str]:
    """A statistic's slopes, and the numbers that are made of them."""
    moves = STATISTICS[name]
    of, other = _table(moves.of), _table(moves.other)
    if soft:
        along = _table(MIXED[name].along) if name in MIXED else f"of_{name} * v + others(other_{name} * v)"
        return [f"of_{name} = {of}", f"other_{name} = {other}", f"along_{name} = {along}"]
    other = f"torch.where(is_rival, {_table(moves.rival)}, {other})" if moves.rival else other
    return [f"move_{name} = torch.where(of, {of}, {other})", f"along_{name} = total(move_{name} * v)"]


def _summed(name: str, x: str, soft: bool) -> str:
    """A statistic's slopes times ``x`` of what happened, summed over it."""
    if not soft:
        return f"times(move_{name}, {x})"
    return (
        _table(MIXED[name].summed.format(x=x))
        if name in MIXED
        else (f"times(of_{name}, {x}) + times(other_{name}, others({x}))")
    )


def _aside(name: str, soft: bool) -> list[str]:
    """What `TURN` needs of the numbers that a statistic's slopes are multiplied by."""
    x = f"x_{name}"
    squares = SQUARES.format(x=x) if soft else f"{x} * torch.where(of, -others2, p * rest_j - apart)"
    return [
        f"whole_{name} = {f'total({x})' if soft else x}",
        f"aside_{name} = {f'others({x})' if soft else f'torch.where(of, ZERO, {x})'}",
        f"squares_{name} = {squares}",
    ]


@dataclass(frozen=True)
class Classwise:
    """The functions of a loss with classes on the last axis: its value, its signal, and how that turns along a direction.

    They take targets, which are indices of classes or a share of each; raw outputs; the numbers 0 to K - 1, because the backward
    pass of a compiled graph cannot count the classes where their number is not fixed; and the last one the direction.
    """

    value: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
    signal: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
    turned: Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def classwise(loss: Loss, *, soft: bool) -> Classwise:
    """The functions of a loss for targets that are shares (``soft``), or indices."""
    slopes = class_statistics.by_statistic(loss.composed)
    bends = {(a, b): bend for a, slope in slopes.items() for b, bend in class_statistics.by_statistic(slope).items()}
    lines, results = _statistics(loss, [loss.composed, *slopes.values(), *bends.values()], soft)
    value, *numbers = [f"torch.where(y > 0, y * {r}, ZERO)" if soft else r for r in results]
    for (name, slope), x in zip(slopes.items(), numbers, strict=False):
        spoils = soft and name in STILL and slope.number is None
        given = f"torch.where({STILL[name]} == 0, ZERO, {x})" if spoils else x
        lines += [*_move(name, soft), f"x_{name} = {given}", *_aside(name, soft)]
    signal = [_summed(name, f"x_{name}", soft) for name in slopes]
    turned = [TURN[name] for name in slopes]
    for (a, b), x in zip(bends, numbers[len(slopes) :], strict=True):
        lines.append(f"x_{a}_{b} = times(along_{b}, {x})")
        turned.append(_summed(a, f"x_{a}_{b}", soft))

    def printed(name: str, arguments: str, result: str) -> Callable[..., Any]:
        return function(name, arguments, _used(lines, result), result, _SCOPE)

    return Classwise(
        printed(
            "value", "y, z, classes", f"torch.sum({value if soft else f'{value} + torch.zeros_like(largest)'}, -1)"
        ),
        printed("signal", "y, z, classes", " + ".join(signal) or "torch.zeros_like(z)"),
        printed("turned", "y, z, classes, v", " + ".join(turned) or "torch.zeros_like(z)"),
    )


def _statistics(loss: Loss, formulas: Sequence[Expr], soft: bool) -> tuple[list[str], list[str]]:
    """Lines that compute formulas of a row's statistics, and the names of their results."""
    lines, place = parameters(loss)
    lines += [
        *_HEAD,
        *_weights(loss, soft),
        *_HAPPENED[soft],
        *(f"{name} = {_table(text)}" for name, text in ROW.items() if name != "of_top"),
    ]
    lines += [f"now_{name} = {_table(moves.value)}" for name, moves in STATISTICS.items()]
    lines.append(f"now_{class_statistics.WEIGHT} = weight_of")
    place |= {name: f"now_{name}" for name in (*STATISTICS, class_statistics.WEIGHT)}
    body, results = statements(formulas, place, loss.values)
    return [*lines, *body, *(f"{name} = {_table(text)}" for name, text in {**CLASS, **ALONG}.items())], results


def _weights(loss: Loss, soft: bool) -> list[str]:
    """Lines that say how much the classes count, and what happened."""
    given = f"constants({loss.class_weight!r}, z)"
    return [
        f"weights = {given if loss.class_weight else 'torch.ones_like(classes, dtype=z.dtype)'}",
        f"weight_of = {'weights' if soft else 'weights[y][..., None]'}",
        "middle_weight = torch.mean(weights)",
        "weighted_falls = total(weights * fall)",
    ]


def _used(lines: Sequence[str], result: str) -> list[str]:
    """The assignments that a result needs."""
    wanted, kept = _names(result), []
    for line in reversed(lines):
        name, source = line.split(" = ", 1)
        if name in wanted:
            wanted |= _names(source)
            kept.append(line)
    return kept[::-1]


def _names(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source, mode="eval")) if isinstance(node, ast.Name)}
