"""What editors and notebooks show of a factory of losses, put together from the loss that it makes by default."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature
from math import isfinite
from textwrap import fill, indent
from typing import Any

import numpy as np

from goodmeasure.deriving.class_statistics import speaks_of_outcomes
from goodmeasure.errors import Problem
from goodmeasure.formulas.domains import Domain
from goodmeasure.making.card import asks_for
from goodmeasure.making.loss import Loss

_WIDTH = 112
# The last sentence of an advice, where it names a paper: "Lin et al. 2017."
_SOURCE = re.compile(r"(.*?\.) ([A-Z][^.]*?(?: et al\.)? \d{4}[^.]*\.)")


@dataclass(frozen=True)
class Weight:
    """A keyword of a factory that says how much what happened counts."""

    name: str
    annotation: Any
    default: Any
    meaning: str


CLASS_WEIGHT = Weight("class_weight", Sequence[float], (), "how much each class counts, (K,); all alike unless given.")
POSITIVE_WEIGHT = Weight(
    "positive_weight",
    float | Sequence[float],
    1.0,
    "how many times as much as a no a yes counts, or so many numbers, one a label; 1.0 unless given.",
)


def weight_of(loss: Loss) -> Weight | None:
    """The keyword that weights what happened, if the formula of a loss speaks of it."""
    if loss.is_classwise:
        return CLASS_WEIGHT
    return POSITIVE_WEIGHT if loss.is_binary and speaks_of_outcomes(loss.predictions) else None


def signature(loss: Loss, defaults: Sequence[tuple[str, Any]]) -> Signature:
    """The signature of the factory that makes this loss by default: keywords only, each a number or several."""
    weight = weight_of(loss)
    keywords: list[tuple[str, Any, Any]] = [(name, _kind(default), default) for name, default in defaults]
    keywords += [] if weight is None else [(weight.name, weight.annotation, weight.default)]
    made = [Parameter(name, Parameter.KEYWORD_ONLY, default=d, annotation=kind) for name, kind, d in keywords]
    return Signature(made, return_annotation=Loss)


def _kind(default: Any) -> Any:
    """What a keyword takes, by its default."""
    return Sequence[float] if isinstance(default, tuple) else type(default)


def page(loss: Loss, defaults: Sequence[tuple[str, Any]], domains: Mapping[str, Domain], room: str) -> str:
    """The docstring of the factory that makes this loss by default; ``room`` is where it is found: ``gm.losses.``."""
    advice, source = _with_source(loss.facts.advice)
    sections = {
        "Formula": _formula(loss),
        "Args": _arguments(loss, defaults, domains),
        "Returns": ["The loss with these hyperparameters." if loss.hyperparameters else "The loss."],
        "Raises": ["GM002: a hyperparameter lies outside its domain, or there is none of that name."],
        "Source": source,
        "Example": _example(loss, defaults, room),
    }
    told = [_section(name, lines) for name, lines in sections.items() if lines]
    return "\n\n".join([loss.facts.sentence, *advice, *told])


def _section(name: str, lines: list[str]) -> str:
    return "\n".join([f"{name}:", *(indent(line, "    ") for line in lines)])


def _with_source(advice: str) -> tuple[list[str], list[str]]:
    """When to reach for a loss, and the paper that the advice names last, if it names one."""
    found = _SOURCE.fullmatch(advice)
    told, source = found.groups() if found else (advice, "")
    return [fill(told, _WIDTH)] if told else [], [source] if source else []


def _formula(loss: Loss) -> list[str]:
    """The formula as a book prints it, and what it is of."""
    activation = ", ".join(a.name for a in loss.activation)
    facts = [f"target: {loss.target}", f"activation: {activation}", f"asks for: {asks_for(loss)}"]
    return [_wrapped(str(loss.book)), *facts]


def _arguments(loss: Loss, defaults: Sequence[tuple[str, Any]], domains: Mapping[str, Domain]) -> list[str]:
    weight = weight_of(loss)
    told = [f"{name}: {domains[name]}; {value} unless given." for name, value in defaults]
    return told + ([] if weight is None else [f"{weight.name}: {weight.meaning}"])


def _example(loss: Loss, defaults: Sequence[tuple[str, Any]], room: str) -> list[str]:
    """A call of the factory, and the mean loss of two examples, rounded so that it is the same on every machine."""
    keywords = ", ".join(f"{name}={value}" for name, value in defaults)
    begin = [">>> import goodmeasure as gm"] if room else []
    begin += [f">>> loss = {room}{loss.spelling.factory}({keywords})"]
    y, z = _targets(loss), _raw_outputs(loss)
    mean = None if y is None else _mean(loss, y, z)
    return begin if mean is None else [*begin, f">>> round(loss(y={y}, z={z}), 3)", repr(round(mean, 3))]


def _mean(loss: Loss, y: list[Any], z: list[Any]) -> float | None:
    """The mean loss, or None where a formula of a user's own has none at these raw outputs: then there is nothing to show."""
    try:
        with np.errstate(all="ignore"):
            found = loss(y, z)
    except Problem:
        return None
    return found if isfinite(found) else None


def _targets(loss: Loss) -> list[Any] | None:
    """Two targets that the loss takes, or None where its domain holds none that come to mind."""
    tried: list[list[Any]] = [[0, 2]] if loss.is_classwise else [[1.0, 4.0], [1.0, 0.0], [0.25, 0.75]]
    return next((pair for pair in tried if all(y in loss.target for y in pair)), None)


def _raw_outputs(loss: Loss) -> list[Any]:
    if loss.is_classwise:
        return [[2.0, 0.0, -1.0], [0.5, -1.0, 1.0]]
    several = [0.5 + i for i in range(len(loss.activation))]
    return [0.5, -1.0] if len(several) == 1 else [several, several]


def _wrapped(text: str) -> str:
    return fill(text, _WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
