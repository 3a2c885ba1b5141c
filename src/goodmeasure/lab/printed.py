"""Losses as JavaScript, printed from their formulas: the pages compute with these, and nothing is typed a second time."""

from __future__ import annotations

from collections.abc import Iterable

from goodmeasure.deriving.record import Record
from goodmeasure.exporting.javascript import SPELLING, literal
from goodmeasure.exporting.scalars import Assignments


def function(loss: Record) -> str:
    """A loss of one raw output as a function of a target and a raw output, which gives its value and its signal.

    Its hyperparameters are a third argument, whose defaults are those of the loss.
    """
    found = Assignments(SPELLING, literal)
    found.name("value", loss.composed)
    found.name("signal", loss.signal[0])
    body = "".join(f"    const {name} = {text};\n" for name, text in found.lines)
    settings = ", ".join(f"{name} = {literal(value)}" for name, value in loss.hyperparameters)
    return f"(y, z{f', {{ {settings} }} = {{}}' if settings else ''}) => {{\n{body}    return [value, signal];\n  }}"


def module(losses: Iterable[Record]) -> str:
    """A module that holds losses by their names."""
    rows = "".join(f"  {loss.spelling.factory}: {function(loss)},\n" for loss in losses)
    return f"// Printed from the formulas of the catalogue.\nexport const LOSSES = {{\n{rows}}};\n"
