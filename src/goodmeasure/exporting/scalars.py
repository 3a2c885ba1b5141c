"""What languages that compute one row at a time have in common: assignments, one operation each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from goodmeasure.errors import FormulaError
from goodmeasure.exporting.program import Linear, ModelProgram, NotExportable, NumberTerm, TextTerm, TreeSplit, trees
from goodmeasure.formulas.expression import Expr, expression, nodes, spelled

# A piece of a program: SQL keeps a type of its own.
Piece = TypeVar("Piece", bound=str)

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
    split, ``code`` the code of a text cell, and ``exposure`` the logarithm of a column.
    """

    number: Callable[[float], str]
    term: Callable[[NumberTerm | TextTerm, int], str]
    choice: Callable[[TreeSplit], tuple[str, str, str]]
    code: Callable[[str], str]
    exposure: Callable[[str], str]


def raw_outputs(program: ModelProgram, words: RowWords) -> tuple[Mapping[str, Any], list[tuple[str, str, str]]]:
    """Tables by cell that stand beside the program, and its assignments: a name, ``=`` or ``+=``, and what."""
    scorer = program.scorer
    if isinstance(scorer, Linear):
        tables: Mapping[str, Any] = {term.cell: term.amounts for term in scorer.terms if isinstance(term, TextTerm)}
        lines = [(z, "=", " + ".join(summands(scorer, k, words.number, words.term))) for k, z in enumerate(program.raw)]
    else:
        tables, lines = scorer.codes, [(cell, "=", words.code(cell)) for cell in scorer.codes]
        for k, z in enumerate(program.raw):
            lines.append((z, "=", words.number(float(scorer.forest.start[k]))))
            lines += [(z, "+=", "".join(walk(tree, words.number, words.choice))) for tree in trees(scorer, k)]
    if program.exposure is not None:
        lines += [(z, "+=", words.exposure(program.exposure)) for z in program.raw]
    return tables, lines


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
