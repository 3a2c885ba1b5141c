"""Formulas printed in torch operations: straight-line functions that compile, differentiate and map like any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

from goodmeasure.formulas.expression import Expr, expression, nodes, power, spelled

if TYPE_CHECKING:
    from goodmeasure.making.loss import Loss

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
    "stop_gradient": lambda x: f"{x}.detach()",
    **{
        word: (lambda name: lambda x: f"torch.{name}({x})")(word)
        for word in ("abs", "sign", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tanh", "lgamma", "digamma")
    },
}


def statements(
    formulas: Sequence[Expr], place: Mapping[str, str], values: Mapping[str, float]
) -> tuple[list[str], list[str]]:
    """Assignments that compute formulas, and the names of their results.

    ``place`` says where each symbol stands, and ``values`` what the hyperparameters among them are.
    """
    formulas = [spelled(expression(f), SPELLING) for f in formulas]
    names: dict[Expr, str] = {}
    lines: list[str] = []
    for node in nodes(*formulas):
        if node.word is None:
            number = node.number
            names[node] = place[node.args[0]] if number is None else f"c{len(names)}"
            source = None if number is None else f"torch.full((), {float(number)!r}, dtype=z.dtype, device=z.device)"
        else:
            arguments = [names[a] for a in node.args]
            if node.word is power:
                arguments[1] = _number(node.args[1], values) or arguments[1]
            names[node] = f"t{len(names)}"
            source = SPELLING[node.word.name](*arguments)
        if source is not None:
            lines.append(f"{names[node]} = {source}")
    return lines, [names[f] for f in formulas]


def _number(exponent: Expr, values: Mapping[str, float]) -> str:
    """An exponent as a number that torch knows beforehand, so that a square is a product; empty where it varies."""
    number = exponent.number if exponent.number is not None else values.get(str(exponent.args[0]))
    return "" if number is None or exponent.word is not None else repr(float(number))


def constants(values: tuple[float, ...], like: torch.Tensor) -> torch.Tensor:
    """Numbers in the dtype and on the device of a tensor. On an accelerator they are kept: bringing them there waits for it."""
    if torch.compiler.is_compiling() or not like.is_cuda or type(like) not in (torch.Tensor, torch.nn.Parameter):
        return torch.tensor(values, dtype=like.dtype, device=like.device)
    return _kept_on(values, like.dtype, like.device)


@lru_cache(maxsize=64)
def _kept_on(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    with torch.inference_mode(False):  # else no gradient could be taken of what they are used for later
        return torch.tensor(values, dtype=dtype, device=device)


def function(
    name: str, arguments: str, lines: Sequence[str], result: str, scope: Mapping[str, Any] | None = None
) -> Callable[..., Any]:
    """A printed function; ``scope`` holds the functions that its lines call besides torch's."""
    source = f"def {name}({arguments}):\n" + "\n".join(f"    {line}" for line in [*lines, f"return {result}"])
    known: dict[str, Any] = {"torch": torch, "constants": constants, **(scope or {})}
    exec(compile(source, f"<{name} in torch>", "exec"), known)
    found: Callable[..., Any] = known[name]
    return found


def parameters(loss: Loss) -> tuple[list[str], dict[str, str]]:
    """Lines that round the hyperparameters to the dtype of computing, and where each stands."""
    # A tuple of numbers is one a label, on the last axis.
    lines = [
        f"h{i} = constants({value!r}, z)"
        if isinstance(value, tuple)
        else f"h{i} = torch.full((), {value!r}, dtype=z.dtype, device=z.device)"
        for i, value in enumerate(loss.values.values())
    ]
    return lines, {name: f"h{i}" for i, name in enumerate(loss.values)}


def pointwise(loss: Loss, formulas: Sequence[Expr], name: str) -> Callable[..., Any]:
    """A function of (y, z) that returns the formulas, stacked on a last axis if the loss has several raw outputs."""
    lines, place = parameters(loss)
    several = len(loss.activation) > 1
    raws = {raw: (f"z[..., {i}]" if several else "z") for i, raw in enumerate(loss.raw_names)}
    body, results = statements(formulas, {**place, **raws, "y": "y"}, loss.values)
    shaped = [f"{r} + torch.zeros_like(y)" for r in results]
    result = (
        shaped[0]
        if len(shaped) == 1 and not (several and name != "value")
        else f"torch.stack([{', '.join(shaped)}], -1)"
    )
    return function(name, "y, z", [*lines, *body], result)
