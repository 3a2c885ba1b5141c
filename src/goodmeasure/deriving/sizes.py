"""The logarithm of a formula's size, which does not leave the range of numbers where the formula itself does.

Signs are decided by interval arithmetic over the domains of the symbols. Where a sum has terms of different signs, or of signs
that are not decided, the number itself is taken and its logarithm looked up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from goodmeasure.formulas import words
from goodmeasure.formulas.expression import Expr, add, div, expression, log, mul, neg, power, simplify, sub
from goodmeasure.formulas.interval_arithmetic import Box, sign, span

# What the statistics of a class row may be; a symbol that is not here is a raw output, which may be anything.
_DOMAINS = {"log_p": (-math.inf, 0.0), "log_rest": (-math.inf, 0.0), "weight": (0.0, math.inf)}


def domains(names: set[str], values: Mapping[str, Any]) -> dict[str, Box]:
    """Where each symbol lies: hyperparameters at their values (between them where labels differ), others in their domains."""

    def of(name: str) -> Box:
        if name in values:
            given = values[name] if isinstance(values[name], tuple) else (values[name],)
            return span(min(given), max(given))
        return span(*_DOMAINS.get(name, (-math.inf, math.inf)))

    return {name: of(name) for name in names}


def log_size(term: Expr, where: dict[str, Box]) -> Expr:
    """The logarithm of the size of an expression whose symbols lie in these boxes."""
    if term.number is not None:
        return log(expression(abs(term.number)))
    if term.word is neg:
        return log_size(term.args[0], where)
    if term.word is power:
        return expression(term.args[1] * log_size(term.args[0], where))
    if term.word in (mul, div, add, sub):
        a, b = (log_size(arg, where) for arg in term.args)
        if term.word in (mul, div):
            return a + b if term.word is mul else a - b
        if _signs(term, where) == (1 if term.word is add else -1):
            return words.maximum(a, b) + words.log1p(words.exp(-words.abs(a - b)))
    return _log_of_number(term, where)


def _signs(term: Expr, where: dict[str, Box]) -> int:
    """The product of the signs of the two arguments; 0 where one is not decided."""
    first, second = (sign(arg, where) for arg in term.args)
    return first * second


def _log_of_number(term: Expr, where: dict[str, Box]) -> Expr:
    found = sign(term, where)
    if found == 0:
        return log(words.abs(term))
    return log(term) if found > 0 else log(simplify(-term))
