"""The words of formulas as JavaScript: what each is, and how it changes with its arguments, printed from its row.

A formula that a reader types is read into a tree of these words and evaluated word by word: it is never run as a program.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product

from goodmeasure.exporting.javascript import SPELLING, literal
from goodmeasure.exporting.scalars import Assignments
from goodmeasure.formulas.expression import Expr, Word, chained, expression, simplify, symbol
from goodmeasure.formulas.words import vocabulary

_ARGUMENTS = "abc"
_CONDITIONS = ("less", "less_equal")
# It chooses by a target, and never changes with it: a formula here has none.
_BY_TARGET = "either"


def offered() -> dict[str, Word]:
    """The words that a formula may be typed in: those whose slopes are known, and conditions, which have none."""
    return {name: word for name, word in vocabulary().items() if _is_known(word) or name in _CONDITIONS}


@cache
def module() -> str:
    """A module that holds words by name: how many arguments one takes, its value, and its slopes by what varies."""
    rows = "".join(f"  {name}: {_row(word)},\n" for name, word in offered().items())
    return f"// Printed from the vocabulary of formulas.\nexport const WORDS = {{\n{rows}}};\n"


def _is_known(word: Word) -> bool:
    return not word.holds and word.name != _BY_TARGET and (word.slope is not None or None not in word.partials)


def _row(word: Word) -> str:
    names = _ARGUMENTS[: len(word.partials)]
    value = _function([*names], word(*map(symbol, names)))
    return f"{{ takes: {len(names)}, value: {value}, slopes: {{ {', '.join(_slopes(word))} }} }}"


def _slopes(word: Word) -> Iterator[str]:
    """A function for each choice of arguments that vary, named by ones and zeros: of the arguments and of their slopes."""
    names = _ARGUMENTS[: len(word.partials)]
    if not _is_known(word):
        return
    for varies in product("01", repeat=len(names)):
        if "1" in varies:
            slopes = {
                symbol(name): symbol(f"d{name}") if sign == "1" else expression(0)
                for name, sign in zip(names, varies, strict=True)
            }
            parameters = [*names, *(f"d{name}" for name in names)]
            slope = simplify(chained(word(*slopes), slopes))
            yield f'"{"".join(varies)}": {_function(parameters, slope)}'


def _function(parameters: list[str], formula: Expr) -> str:
    found = Assignments(SPELLING, literal)
    result = found.of(formula)
    lines = "".join(f"const {name} = {text}; " for name, text in found.lines)
    return f"({', '.join(parameters)}) => {{ {lines}return {result}; }}"
