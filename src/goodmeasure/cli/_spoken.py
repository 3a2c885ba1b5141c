"""Fixes that name arguments, in the options of the command line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from goodmeasure.errors import Problem
from goodmeasure.statistics.row_arguments import LOGITS
from goodmeasure.study.label_costs import example
from goodmeasure.study.question import costs_from


@contextmanager
def spoken(*, raw: bool = False) -> Iterator[None]:
    """Problems found on the way name options instead of arguments, because that is what was typed.

    ``raw`` says that the command takes ``--raw``.
    """
    try:
        yield
    except Problem as problem:
        problem.fix = in_options(problem.fix, raw=raw)
        raise


def costs_typed(given: Sequence[str]) -> Any:
    """Costs as they were typed, told of in options where they are none. Errors: GM009, GM710."""
    with spoken():
        return costs_from(given)


def in_options(text: str, *, raw: bool = False) -> str:
    """A text with options in place of arguments."""
    for pattern, option in (*_OPTIONS, *(_RAW if raw else ())):
        text = re.sub(pattern, option, text)
    return text


def _of_labels(found: re.Match[str]) -> str:
    """Costs of labels as they are typed; without labels, of any."""
    return example(ast.literal_eval(found["pair"]) if found["pair"] else ("a", "b"))


_LABEL = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s,'"()]+)"""
_PAIR = rf"(?P<pair>\({_LABEL}, {_LABEL}\))"
_OPTIONS = (
    (r" \(in Python [^)]*\)", ""),
    (r"costs=gm\.UnderOverCosts\([^)]*\)", "--cost under=3 --cost over=1"),
    (r"costs=gm\.Costs\([^)]*\)", "--cost fn=40 --cost fp=5"),
    (rf"costs=gm\.ClassCosts\((?:[^()]|\([^()]*\))*\)(?:, with more for a pair such as {_PAIR})?", _of_labels),
    (r"\bmask=False or weight 0, at the terminal --where", "--where"),
    (r"\bleave (the|such) rows out, or give them a weight of zero", r"leave \1 rows out: --where"),
    (r"(?<!\.)\b(?:loss\.)?with_activation\('(\w+)'\)", r"--activation \1"),
    (r"\btime='day', learn_time=True", "--time day --learn-time"),
    (r"\bprevalence=([\d.]+)", r"--prevalence \1"),
    (r"\brare_classes='(\w+)'", r"--rare-classes \1"),
    (r"\b(ask|positive|represents|activation|outliers|decimal|dates)=('[^']*'|[^\s,']+)", r"--\1 \2"),
)
_RAW = ((rf"^{re.escape(LOGITS)}$", "if they are raw outputs: --raw"),)
