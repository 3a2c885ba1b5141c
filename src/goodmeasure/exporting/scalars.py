"""What languages that compute one row at a time have in common: assignments, one operation each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from goodmeasure.errors import FormulaError
from goodmeasure.exporting.program import (
    Cell,
    Layered,
    Linear,
    ModelProgram,
    NotExportable,
    NumberTerm,
    TextTerm,
    Trees,
    TreeSplit,
    trees,
)
from goodmeasure.formulas.expression import Expr, expression, nodes, spelled

# A piece of a program: SQL keeps a type of its own.
Piece = TypeVar("Piece", bound=str)

# What Python takes for blank.
SPACES = "".join(letter for letter in map(chr, range(0x3001)) if letter.isspace())
Spelling = Mapping[str, Callable[..., str]]


def in_words_of(spelling: Spelling, formula: Expr) -> Expr:
    """A formula in the words of a language. Error: GM272."""
    try:
        return spelled(expression(formula), spelling)
    except FormulaError as error:
        raise NotExportable(
            f"this language has no word for a part of the formula: {error.what}", fix="another ending"
        ) from error


class Assignments:
    """Lines that compute formulas, each part once; ``names`` says what stands where."""

    def __init__(self, spelling: Spelling, number: Callable[[float], str]) -> None:
        self.spelling, self.number = spelling, number
        self.names: dict[Expr, str] = {}
        self.lines: list[tuple[str, str]] = []

    def name(self, name: str, formula: Expr) -> None:
        """Give a formula a name."""
        self.lines.append((name, self.of(formula)))

    def of(self, formula: Expr) -> str:
        """Where the value of a formula stands; lines for its parts are added where there are none yet."""
        root = in_words_of(self.spelling, formula)
        for node in nodes(root):
            if node not in self.names:
                self.names[node] = self._made(node)
        return self.names[root]

    def _made(self, node: Expr) -> str:
        if node.word is None:
            return str(node.args[0]) if node.number is None else self.number(float(node.number))
        name = f"t{len(self.lines)}"
        self.lines.append((name, self.spelling[node.word.name](*(self.names[arg] for arg in node.args))))
        return name


@dataclass(frozen=True)
class RowWords:
    """How a language says what raw outputs are made of.

    ``number`` is a constant, ``term`` what a cell adds to the k-th raw output, ``choice`` the pieces around the sides of a
    split, ``code`` the code of a text cell, ``layer`` what the k-th layer of a network makes of a list, and ``exposure`` the
    logarithm of a column.
    """

    number: Callable[[float], str]
    term: Callable[[NumberTerm | TextTerm, int], str]
    choice: Callable[[TreeSplit], tuple[str, str, str]]
    code: Callable[[str], str]
    layer: Callable[[int, str], str]
    exposure: Callable[[Cell], str]


def raw_outputs(program: ModelProgram, words: RowWords) -> tuple[Mapping[str, Any], list[tuple[str, str, str]]]:
    """Tables by cell that stand beside the program, and its assignments: a name, ``=`` or ``+=``, and what."""
    scorer = program.scorer
    if isinstance(scorer, Trees):
        tables: dict[str, Any] = dict(scorer.codes)
        lines = [(cell, "=", words.code(cell)) for cell in scorer.codes]
        for k, z in enumerate(program.raw):
            lines.append((z, "=", words.number(float(scorer.forest.start[k]))))
            lines += [(z, "+=", "".join(walk(tree, words.number, words.choice))) for tree in trees(scorer, k)]
    else:
        tables = {term.cell: term.amounts for term in scorer.terms if isinstance(term, TextTerm)}
        lines = (
            [*_linear(program.raw, scorer, words)]
            if isinstance(scorer, Linear)
            else [*_layered(program.raw, scorer, words)]
        )
    if program.exposure is not None:
        lines += [(z, "+=", words.exposure(program.exposure)) for z in program.raw]
    return {cell: program.cells[cell].keyed(table) for cell, table in tables.items()}, lines


def _linear(raw: Iterable[str], scorer: Linear, words: RowWords) -> Iterator[tuple[str, str, str]]:
    for k, z in enumerate(raw):
        yield z, "=", " + ".join(summands(scorer, k, words.number, words.term))


def _layered(raw: Iterable[str], scorer: Layered, words: RowWords) -> Iterator[tuple[str, str, str]]:
    """A list of what the first layer takes, a list for each layer, and the names of what the last one gives."""
    yield "given0", "=", f"[{', '.join(words.term(term, k) for term, k in scorer.inputs)}]"
    for k in range(len(scorer.layers)):
        yield f"given{k + 1}", "=", words.layer(k, f"given{k}")
    for k, z in enumerate(raw):
        yield z, "=", f"given{len(scorer.layers)}[{k}]"


def layer_rows(scorer: Layered) -> list[list[list[float]]]:
    """Each layer as a row for each of its sums: what it begins from, and its weights."""
    return [np.column_stack([layer.biases, layer.weights]).tolist() for layer in scorer.layers]


def summands(
    scorer: Linear, k: int, number: Callable[[float], Piece], term: Callable[[NumberTerm | TextTerm, int], Piece]
) -> list[Piece]:
    """What adds up to one raw output of a linear scorer."""
    return [number(scorer.start[k]), *(term(each, k) for each in scorer.terms)]


def walk(
    tree: TreeSplit | float, number: Callable[[float], Piece], choice: Callable[[TreeSplit], tuple[Piece, Piece, Piece]]
) -> list[Piece]:
    """A tree as nested choices, piece by piece: each has one before, between and after its sides."""
    written: list[Piece] = []
    waiting: list[TreeSplit | float | Piece] = [tree]
    while waiting:
        at = waiting.pop()
        if isinstance(at, str):
            written.append(at)
        elif isinstance(at, float):
            written.append(number(at))
        else:
            before, between, after = choice(at)
            written.append(before)
            waiting += [after, at.right, between, at.left]
    return written
