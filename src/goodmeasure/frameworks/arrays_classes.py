"""Losses of classes on whole tables, in any array library: the lines of the kernels' statistics, computed when asked for.

A target says which class happened, or gives every class a share. With shares a row number stands for every class k that may
have happened, j runs over the raw outputs, and a sum over pairs of them is regrouped into sums over one: nothing of size K x K
is ever made.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import CodeType
from typing import TYPE_CHECKING, Any

import numpy as np

from goodmeasure.deriving import class_statistics
from goodmeasure.formulas.evaluation import Array, evaluate
from goodmeasure.formulas.expression import Expr, symbols
from goodmeasure.frameworks.arrays_sums import Sums, constant, dtype_of
from goodmeasure.kernels.statistics import CLASS, ROW, STILL, Moves
from goodmeasure.kernels.statistics import STATISTICS as COMPILED

if TYPE_CHECKING:
    from goodmeasure.making.loss import Loss

# --- how statistics move, and how that turns along a direction v ---

# The compiled kernels know the weight of what happened alone; here those of all classes are at hand.
STATISTICS: Mapping[str, Moves] = {
    **COMPILED,
    "mean_weighted_log_p": Moves(
        "weighted_falls * each - middle_weight * log_whole",
        of="weight_of * each - middle_weight * p_of",
        other="weights * each - middle_weight * p",
    ),
}


@dataclass(frozen=True)
class Mix:
    """A statistic's slopes where classes have shares: summed over k with a number x_k each, and for each k along ``v``."""

    summed: str
    along: str


SQUARES = "p * rest_j * others({x}) - pairs({x}, p * p, top) - {x} * others2"

# For statistics whose slope by one raw output depends on which other class happened; for the rest
# `kernels.statistics.Moves` says enough.
MIXED: Mapping[str, Mix] = {
    "rest_p2": Mix(
        f"(p + p) * ({SQUARES})",
        "others(pull * p * rest_j) - pairs(pull, p * p, top) - pull * others2",
    ),
    "margin": Mix(
        "{x} + ZERO * excess - (others({x}) if top else (total({x} if top else ZERO) if second else ZERO))",
        "v + ZERO * excess - (total(v if second else ZERO) if top else total(v if top else ZERO))",
    ),
}

# How slopes turn along v, times x. ``spread`` is how the probabilities move, and ``spread2`` those of doubled raw outputs;
# ``whole`` is the sum of x, and ``aside`` for each class that of the others.
TURN: Mapping[str, str] = {
    "log_p": "-spread * whole_log_p",
    "rest_p2": (
        "(spread + spread) * squares_rest_p2 + (p + p) * (aside_rest_p2 * spread - total(x_rest_p2 * along_rest_p2))"
    ),
    "mean_log_p": "-spread * whole_mean_log_p",
    "mean_weighted_log_p": "-middle_weight * spread * whole_mean_weighted_log_p",
    "log_p2": "-4.0 * spread2 * whole_log_p2",
    "log_z": "spread * whole_log_z",
    "margin": "ZERO * e",
}
ALONG = {
    "spread": "p * (v * rest_j - others(p * v))",
    "rest2_j": "(excess2 if top else ONE + (excess2 - e * e)) * inverse2",
    "spread2": "p2 * (v * rest2_j - others(p2 * v))",
    "pull": "(p + p) * v",
}

# --- lines ---

# One of the largest raw outputs is left out of the sums, not all of them, so that the lines can be differentiated again.
_HEAD = {
    "each": "ONE / count",
    "at_top": "place(z)",
    "top": "classes == at_top",
    "largest": "most(z)",
    "fall": "ZERO if top else z - largest",
    "e": "ONE if top else exp(fall)",
    "grown": "ZERO if top else e",
    "below": "total(grown)",
    "squares": "total(grown * grown)",
    "falls": "total(fall)",
    "ties": "ONE",
    "middle_weight": "total(weights) * each",
    "weighted_falls": "total(weights * fall)",
    f"now_{class_statistics.WEIGHT}": "weight_of",
}
# Also where no other raw output is larger than -inf, one of them is the rival.
_HAPPENED: Mapping[bool, Mapping[str, str]] = {
    False: {
        "at": "y[..., None]",
        "of": "classes == at",
        "of_top": "at_top == at",
        "z_of": "total(z if of else ZERO)",
        "at_rival": "place(-INF if of else (LEAST if z < LEAST else z))",
        "is_rival": "classes == at_rival",
        "rival": "total(z if is_rival else ZERO)",
        "weight_of": "total(weights if of else ZERO)",
    },
    True: {
        "of_top": "top",
        "z_of": "z",
        "at_second": "place(-INF if top else (LEAST if z < LEAST else z))",
        "second": "classes == at_second",
        "rival": "total(z if second else ZERO) if top else largest",
        "weight_of": "weights",
    },
}


def _moves(name: str, soft: bool) -> dict[str, str]:
    """How a statistic moves with each raw output, and along ``v``."""
    moves = STATISTICS[name]
    if soft:
        along = MIXED[name].along if name in MIXED else f"of_{name} * v + others(other_{name} * v)"
        return {f"of_{name}": moves.of, f"other_{name}": moves.other, f"along_{name}": along}
    other = f"(({moves.rival}) if is_rival else ({moves.other}))" if moves.rival else f"({moves.other})"
    return {f"move_{name}": f"({moves.of}) if of else {other}", f"along_{name}": f"total(move_{name} * v)"}


def _aside(name: str, soft: bool) -> dict[str, str]:
    """What `TURN` needs of the numbers that a statistic's slopes are multiplied by."""
    x = f"x_{name}"
    squares = SQUARES.format(x=x) if soft else f"{x} * (-others2 if of else p * rest_j - apart)"
    return {
        f"whole_{name}": f"total({x})" if soft else x,
        f"aside_{name}": f"others({x})" if soft else f"ZERO if of else {x}",
        f"squares_{name}": squares,
    }


def _summed(name: str, x: str, soft: bool) -> str:
    """A statistic's slopes times ``x`` of what happened, summed over it."""
    if not soft:
        return f"times(move_{name}, {x})"
    return (
        MIXED[name].summed.format(x=x) if name in MIXED else f"times(of_{name}, {x}) + times(other_{name}, others({x}))"
    )


class _Choices(ast.NodeTransformer):
    """Turns a line about one number into one about tables: a choice is where, and what has no limit is NaN."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        return ast.Call(ast.Name("where", ast.Load()), [node.test, node.body, node.orelse], [])

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        made = isinstance(node.func, ast.Name) and node.func.id == "FLOAT"
        return ast.Name("NAN", ast.Load()) if made else node


@cache
def _compiled(line: str) -> CodeType:
    tree = _Choices().visit(ast.parse(line, mode="eval"))
    return compile(ast.fix_missing_locations(tree), "<a line of a table>", "eval")


class ClassTable(dict[str, Any]):
    """Numbers of a table by the names of their lines, each computed when it is first asked for."""

    def __init__(self, lines: Mapping[str, str], formulas: Mapping[str, Expr], evaluated: Any, given: Any) -> None:
        super().__init__(given)
        self.lines, self.formulas, self.evaluated = lines, formulas, evaluated

    def __missing__(self, name: str) -> Array:
        if name in self.formulas:
            self[name] = self.evaluated(self.formulas[name], lambda statistic: self[f"now_{statistic}"])
        else:
            self[name] = eval(_compiled(self.lines[name]), {}, self)
        return self[name]


# --- a loss ---


class ArrayClasses:
    """The functions of a loss with classes on the last axis, for targets that are indices, or shares (``soft``)."""

    def __init__(self, loss: Loss, xp: Any, words: Mapping[str, Callable[..., Any]], *, soft: bool) -> None:
        self._loss, self._xp, self._words, self._soft = loss, xp, words, soft
        slopes = class_statistics.by_statistic(loss.composed)
        bends = {
            (a, b): bend for a, slope in slopes.items() for b, bend in class_statistics.by_statistic(slope).items()
        }
        self._formulas = {"each_value": loss.composed, **{f"slope_{name}": slope for name, slope in slopes.items()}}
        self._formulas |= {f"bend_{a}_{b}": bend for (a, b), bend in bends.items()}
        self._lines = self._printed(slopes, list(bends))

    def _printed(self, slopes: Mapping[str, Expr], bends: list[tuple[str, str]]) -> dict[str, str]:
        """Every line that may be asked for."""
        soft = self._soft
        lines = {**_HEAD, **ROW, **_HAPPENED[soft], **CLASS, **ALONG}
        lines |= {f"now_{name}": moves.value for name, moves in STATISTICS.items()}
        lines["value"] = f"total({'y * each_value if y > ZERO else ZERO' if soft else 'each_value + zeros(largest)'})"
        for name, slope in slopes.items():
            share = self._shared(f"slope_{name}")
            spoils = soft and name in STILL and slope.number is None
            lines[f"x_{name}"] = f"ZERO if {STILL[name]} == ZERO else {share}" if spoils else share
            lines |= {**_moves(name, soft), **_aside(name, soft)}
        for a, b in bends:
            lines[f"x_{a}_{b}"] = f"times(along_{b}, {self._shared(f'bend_{a}_{b}')})"
        signal = [_summed(name, f"x_{name}", soft) for name in slopes]
        turned = [TURN[name] for name in slopes] + [_summed(a, f"x_{a}_{b}", soft) for a, b in bends]
        return {**lines, "signal": " + ".join(signal) or "zeros(z)", "turned": " + ".join(turned) or "zeros(z)"}

    def _shared(self, name: str) -> str:
        """What a slope is times the share of what happened."""
        return f"(y * {name} if y > ZERO else ZERO)" if self._soft else name

    def _table(self, y: Array, z: Array, v: Array | None = None) -> ClassTable:
        xp, loss, count = self._xp, self._loss, z.shape[-1]
        numbers = {"ZERO": 0, "ONE": 1, "NAN": np.nan, "INF": np.inf, "LEAST": np.finfo(dtype_of(z)).min}
        numbers |= {"count": count, "weights": loss.class_weight or [1] * count}
        given = {name: constant(xp, value, z) for name, value in numbers.items()}
        given |= {"y": y, "z": z, "v": v, "classes": xp.arange(count)}
        parameters = {name: constant(xp, value, z) for name, value in loss.values.items()}

        def evaluated(formula: Expr, statistic: Callable[[str], Array]) -> Array:
            known = {s: parameters[s] if s in parameters else statistic(s) for s in symbols(formula)}
            return evaluate([formula], known, self._words, lambda value: constant(xp, value, z))[0]

        return ClassTable(self._lines, self._formulas, evaluated, {**self._words, **Sums(xp).scope, **given})

    def value(self, y: Array, z: Array) -> Array:
        """The value of each row."""
        return self._table(y, z)["value"][..., 0]

    def signal(self, y: Array, z: Array) -> Array:
        """The derivative of the value by each raw output."""
        return self._table(y, z)["signal"]

    def turned(self, y: Array, z: Array, v: Array) -> Array:
        """The derivative of the signal along ``v``."""
        return self._table(y, z, v)["turned"]
