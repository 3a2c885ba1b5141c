"""Formulas as plain data, for JSON and for pickle, and back."""

from __future__ import annotations

import copyreg
from collections.abc import Iterable
from typing import Any

from goodmeasure.errors import FormulaError
from goodmeasure.formulas.expression import Expr, expression, nodes, symbol
from goodmeasure.formulas.words import vocabulary


def to_data(root: Expr) -> list[Any]:
    """The expression as plain lists, numbers and strings, shared parts once; for JSON and pickle."""
    place: dict[Expr, int] = {}
    rows: list[Any] = []
    for node in nodes(root):
        place[node] = len(rows)
        rows.append([node.word.name, *(place[a] for a in node.args)] if node.word else list(node.args))
    return rows


def from_data(rows: Iterable[Any]) -> Expr:
    """An expression from `to_data`; a word that is not in the vocabulary is an error, and nothing is evaluated."""
    known = vocabulary()
    built: list[Expr] = []
    for row in rows:
        head, *rest = row
        if not rest or rest == ["positive"]:
            built.append(symbol(head, positive=bool(rest)) if isinstance(head, str) else expression(head))
        elif head in known:
            built.append(known[head](*(built[i] for i in rest)))
        else:
            raise FormulaError(
                f"{head} is not a word of formulas", fix="read the vocabulary: goodmeasure.words.vocabulary()"
            )
    return built[-1]


def _reduced(root: Expr) -> tuple[Any, ...]:
    return from_data, (to_data(root),)


# An expression cannot say by itself how it is pickled: only the vocabulary, which is made of expressions, reads it back.
copyreg.pickle(Expr, _reduced)
