"""Formulas printed in torch operations: straight-line functions that compile, differentiate and map like any other."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from goodmeasure import outcomes
from goodmeasure.formula import Expr, expression, nodes, spelled, symbols
from goodmeasure.kernels.statistics import CLASS, ROW, STATISTICS, plan_for

if TYPE_CHECKING:
    from goodmeasure.loss import Loss

# How torch spells the elementary words; a constant is a Python number, which takes the dtype and device of its neighbour.
SPELLING: Mapping[str, Callable[..., str]] = {
    "add": lambda a, b: f"{a} + {b}",
    "sub": lambda a, b: f"{a} - {b}",
    "mul": lambda a, b: f"{a} * {b}",
    "div": lambda a, b: f"{a} / {b}",
    "power": lambda a, b: f"torch.pow({a}, {b})",
    "neg": lambda a: f"-({a})",
    "less": lambda a, b: f"({a} < {b})",
    "less_equal": lambda a, b: f"({a} <= {b})",
    "where": lambda c, a, b: f"torch.where({c}, {a}, {b})",
    "maximum": lambda a, b: f"torch.maximum({a}, {b})",
    "minimum": lambda a, b: f"torch.minimum({a}, {b})",
    "trigamma": lambda x: f"torch.polygamma(1, {x})",
    **{
        word: (lambda name: lambda x: f"torch.{name}({x})")(word)
        for word in ("abs", "sign", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tanh", "lgamma", "digamma")
    },
}


def _statements(formulas: Sequence[Expr], place: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Assignments that compute formulas, and the names of their results; ``place`` says where each symbol stands."""
    formulas = [spelled(expression(f), SPELLING) for f in formulas]
    names: dict[Expr, str] = {}
    lines: list[str] = []
    for node in nodes(*formulas):
        if node.word is None:
            number = node.number
            names[node] = place[node.args[0]] if number is None else f"c{len(names)}"
            source = None if number is None else f"torch.full((), {float(number)!r}, dtype=z.dtype, device=z.device)"
        else:
            names[node] = f"t{len(names)}"
            source = SPELLING[node.word.name](*(names[a] for a in node.args))
        if source is not None:
            lines.append(f"{names[node]} = {source}")
    return lines, [names[f] for f in formulas]


def _function(name: str, arguments: str, lines: Sequence[str], result: str) -> Callable[..., Any]:
    import torch

    source = f"def {name}({arguments}):\n" + "\n".join(f"    {line}" for line in [*lines, f"return {result}"])
    scope: dict[str, Any] = {"torch": torch}
    exec(compile(source, f"<{name} in torch>", "exec"), scope)
    function: Callable[..., Any] = scope[name]
    return function


def _parameters(loss: Loss) -> tuple[list[str], dict[str, str]]:
    """Lines that round the hyperparameters to the dtype of computing, and where each stands."""
    lines = [
        f"h{i} = torch.full((), {value!r}, dtype=z.dtype, device=z.device)"
        for i, value in enumerate(loss.values.values())
    ]
    return lines, {name: f"h{i}" for i, name in enumerate(loss.values)}


# --- losses whose examples have a fixed number of raw outputs ---


def pointwise(loss: Loss, formulas: Sequence[Expr], name: str) -> Callable[..., Any]:
    """A function of (y, z) that returns the formulas, stacked on a last axis if the loss has several raw outputs."""
    lines, place = _parameters(loss)
    several = len(loss.activation) > 1
    raws = {raw: (f"z[..., {i}]" if several else "z") for i, raw in enumerate(loss.raw_names)}
    body, results = _statements(formulas, {**place, **raws, "y": "y"})
    shaped = [f"{r} + torch.zeros_like(y)" for r in results]
    result = (
        shaped[0]
        if len(shaped) == 1 and not (several and name != "value")
        else f"torch.stack([{', '.join(shaped)}], -1)"
    )
    return _function(name, "y, z", [*lines, *body], result)


# --- losses of classes: the lines of the kernels' statistics on whole tables ---


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
        if isinstance(node.func, ast.Name):
            node.func = ast.Attribute(ast.Name("torch", ast.Load()), node.func.id, ast.Load())
        return node


def _table(text: str) -> str:
    return ast.unparse(_Tables().visit(ast.parse(text, mode="eval").body))


_HEAD = [
    "ZERO, ONE, NAN, INF = (torch.full((), v, dtype=z.dtype, device=z.device) for v in (0.0, 1.0, float('nan'), float('inf')))",
    "each = 1.0 / z.shape[-1]",
    "of = torch.arange(z.shape[-1], device=z.device) == y[..., None]",
    "largest = torch.amax(z, -1, keepdim=True)",
    "top = z == largest",
    "fall = torch.where(top, ZERO, z - largest)",
    "e = torch.where(top, ONE, torch.exp(fall))",
    "grown = torch.where(top, ZERO, e)",
    "below = torch.sum(grown, -1, keepdim=True)",
    "squares = torch.sum(grown * grown, -1, keepdim=True)",
    "falls = torch.sum(fall, -1, keepdim=True)",
    "ties = torch.sum(top.to(z.dtype), -1, keepdim=True)",
    "z_of = torch.sum(torch.where(of, z, ZERO), -1, keepdim=True)",
]
_RIVAL = [
    "others = torch.where(of, -INF, z)",
    "rival = torch.amax(others, -1, keepdim=True)",
    "is_rival = torch.arange(z.shape[-1], device=z.device) == torch.argmax(others, -1, keepdim=True)",
]


def classwise(loss: Loss, *, signal: bool) -> Callable[..., Any]:
    """A function of (y, z) for class indices y and classes on the last axis: the value, or the signal."""
    slopes = outcomes.by_statistic(loss.composed)
    formulas = list(slopes.values()) if signal else [loss.composed]
    spoken = symbols(*formulas)
    plan = plan_for([name for name in STATISTICS if name in spoken], list(slopes) if signal else [])
    lines, place = _parameters(loss)
    lines = [*_HEAD, *(_RIVAL if "margin" in {*plan.values, *plan.slopes} else []), *lines]
    lines += [f"{name} = {_table(ROW[name])}" for name in plan.row]
    lines += [f"now_{name} = {_table(STATISTICS[name].value)}" for name in plan.values]
    weight = "h_weight"
    if loss.class_weight:
        lines.append(f"table = torch.tensor({list(loss.class_weight)!r}, dtype=z.dtype, device=z.device)")
        lines.append(f"{weight} = torch.sum(torch.where(of, table, ZERO), -1, keepdim=True)")
    body, results = _statements(formulas, {**place, **{n: f"now_{n}" for n in plan.values}, outcomes.WEIGHT: weight})
    lines += body
    if not signal:
        return _function("value", "y, z", lines, f"({results[0]} + torch.zeros_like(largest))[..., 0]")
    lines += [f"{name} = {_table(CLASS[name])}" for name in plan.classes]
    for name, slope in zip(slopes, results, strict=True):
        moves = STATISTICS[name]
        other = f"torch.where(is_rival, {moves.rival}, {moves.other})" if moves.rival else moves.other
        lines.append(f"move = torch.where(of, {moves.of}, {other})")
        lines.append(f"term_{name} = torch.where(move == 0, ZERO * e, {slope} * move)")
    return _function("signal", "y, z", lines, " + ".join(f"term_{name}" for name in slopes) or "torch.zeros_like(z)")


def smooth(loss: Loss) -> Callable[..., Any]:
    """The value for classes in operations that torch can differentiate twice: what second derivatives are taken of."""
    slopes = symbols(loss.composed)
    lines, place = _parameters(loss)
    found = {
        "log_p": "torch.sum(torch.where(of, logs, 0.0), -1)",
        "rest": "torch.sum(torch.where(of, 0.0, p), -1)",
        "rest_p2": "torch.sum(torch.where(of, 0.0, p * p), -1)",
        "mean_log_p": "torch.mean(logs, -1)",
        "log_p2": "torch.sum(torch.where(of, torch.log_softmax(z + z, -1), 0.0), -1)",
        "log_z": "torch.logsumexp(z, -1)",
        "margin": "torch.sum(torch.where(of, z, 0.0), -1) - torch.amax(torch.where(of, -torch.inf, z), -1)",
    }
    head = [
        "of = torch.arange(z.shape[-1], device=z.device) == y[..., None]",
        "logs = torch.log_softmax(z, -1)",
        "p = torch.exp(logs)",
    ]
    head += [f"now_{name} = {source}" for name, source in found.items() if name in slopes]
    if loss.class_weight:
        head.append(f"h_weight = torch.tensor({list(loss.class_weight)!r}, dtype=z.dtype, device=z.device)[y]")
    spoken = {**place, **{name: f"now_{name}" for name in found}, outcomes.WEIGHT: "h_weight"}
    body, results = _statements([loss.composed], spoken)
    return _function("smooth", "y, z", [*head, *lines, *body], results[0])
