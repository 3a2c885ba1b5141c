"""A model as every language can write it: cells, what they add to the raw outputs, formulas, and what is shown in the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import numpy as np

from goodmeasure.choosing.affirming import ALIKE, Alike
from goodmeasure.errors import Problem
from goodmeasure.fitting.forest import Forest
from goodmeasure.fitting.network import Layer
from goodmeasure.formulas.expression import Expr
from goodmeasure.reading.notation import Dates, Notation, Numbers
from goodmeasure.reading.tables import ColumnKind

# What stands in a table by labels.
Amount = TypeVar("Amount")
Amounts = tuple[float, ...]
"""A number for each raw output, or for each number that a network takes."""


class NotExportable(Problem, ValueError):
    """The model holds a part that the language cannot say, or that no plain formula says.

    Nothing is written. `goodmeasure predict` and `goodmeasure.load` use the model as it is.
    """

    code = "GM272"
    exit_status = 2


@dataclass(frozen=True)
class Cell:
    """A number or text of a row: of a date the ``part`` (day, month, weekday) of its column.

    Texts in a column of numbers or dates are read as ``notation`` says; labels are ``alike`` in whatever way they are written.
    """

    column: str
    kind: ColumnKind
    part: str = ""
    notation: Notation | None = None
    alike: Alike = "exact"

    def keyed(self, table: Mapping[str, Amount]) -> dict[str, Amount]:
        """A table by labels, by what all ways to write each have in common."""
        return {ALIKE[self.alike](label): value for label, value in table.items()}


@dataclass(frozen=True)
class NumberTerm:
    """What a number adds to each raw output: ``(x - centre) / scale * slopes + present``, or ``absent`` where it is missing."""

    cell: str
    centre: float
    scale: float
    slopes: Amounts
    present: Amounts
    absent: Amounts

    @property
    def width(self) -> int:
        """How many amounts there are."""
        return len(self.slopes)


@dataclass(frozen=True)
class TextTerm:
    """What a text adds to each raw output, ``otherwise`` for a text that no fitted row held."""

    cell: str
    amounts: Mapping[str, Amounts]
    otherwise: Amounts

    @property
    def width(self) -> int:
        """How many amounts there are."""
        return len(self.otherwise)


@dataclass(frozen=True)
class Linear:
    """Raw outputs that are sums of terms."""

    start: Amounts
    terms: tuple[NumberTerm | TextTerm, ...]

    @property
    def outputs(self) -> int:
        """How many raw outputs there are."""
        return len(self.start)


@dataclass(frozen=True)
class Trees:
    """Raw outputs of a forest, which asks for cells in the order of ``columns``; texts stand there as ``codes``."""

    forest: Forest
    columns: tuple[str, ...]
    codes: Mapping[str, Mapping[str, int]]

    @property
    def outputs(self) -> int:
        """How many raw outputs there are."""
        return self.forest.outputs


@dataclass(frozen=True)
class Layered:
    """Raw outputs of a network: its first layer takes what each amount of each term gives, in order, as one number."""

    terms: tuple[NumberTerm | TextTerm, ...]
    layers: tuple[Layer, ...]

    @property
    def outputs(self) -> int:
        """How many raw outputs there are."""
        return len(self.layers[-1].biases)

    @property
    def inputs(self) -> list[tuple[NumberTerm | TextTerm, int]]:
        """What the first layer takes: a term, and which of its amounts."""
        return [(term, k) for term in self.terms for k in range(term.width)]


@dataclass(frozen=True)
class GivenColumn:
    """A column that is given: a number, or the label of the first condition that holds, else the last label."""

    title: str
    number: str = ""
    conditions: tuple[Expr, ...] = ()
    labels: tuple[Any, ...] = ()


@dataclass(frozen=True)
class ModelProgram:
    """A model. Raw outputs are ``raw`` plus the logarithm of the exposure; ``formulas`` use them and one another, in order."""

    cells: Mapping[str, Cell]
    scorer: Linear | Trees | Layered
    raw: tuple[str, ...]
    exposure: Cell | None
    formulas: Mapping[str, Expr]
    shown: tuple[GivenColumn, ...]
    sentence: str

    @property
    def columns(self) -> dict[str, Cell]:
        """The columns that are read, each with one of its cells."""
        cells = [*self.cells.values(), *filter(None, [self.exposure])]
        return {cell.column: cell for cell in cells}

    @property
    def readings(self) -> list[str]:
        """How texts of each column are read; other cells are taken as they stand."""
        told = {name: _reading(cell) for name, cell in self.columns.items()}
        return [f"{name!r}: {text}" for name, text in told.items() if text]

    @property
    def roots(self) -> list[Expr]:
        """Everything that is computed from the raw outputs."""
        return [*self.formulas.values(), *(each for shown in self.shown for each in shown.conditions)]


def _reading(cell: Cell) -> str:
    how = cell.notation
    if isinstance(how, Numbers):
        return f"texts are numbers written like {how.before}1{how.grouping}234{how.decimal}5{how.after}"
    if isinstance(how, Dates):
        return f"texts are dates written like {datetime(2024, 1, 31, 13, 30).strftime(how.form)}"
    return {
        "folded": "labels may differ in capitals and blanks",
        "stripped": "labels may differ in blanks around them",
    }.get(cell.alike, "")


@dataclass(frozen=True)
class TreeSplit:
    """A split of a tree with what is on either side: another split, or the amount of a leaf."""

    cell: str
    limit: float
    codes: tuple[int, ...] | None
    missing_left: bool
    left: TreeSplit | float
    right: TreeSplit | float


def trees(scorer: Trees, output: int) -> Iterator[TreeSplit | float]:
    """The trees that add to a raw output, as nested splits."""
    forest = scorer.forest
    for root, end in zip(forest.roots, [*forest.roots[1:], len(forest.column)], strict=True):
        if int(np.searchsorted(forest.roots, root)) % forest.outputs == output:
            yield _nested(scorer, int(root), int(end))


def _nested(scorer: Trees, root: int, end: int) -> TreeSplit | float:
    """A tree from its root; children come after their parents, so it is put together from the end."""
    forest = scorer.forest
    made: dict[int, TreeSplit | float] = {}
    for k in range(end - 1, root - 1, -1):
        column = int(forest.column[k])
        if column < 0:
            made[k] = float(forest.value[k])
            continue
        which = int(forest.set_of[k])
        codes = None if which < 0 else tuple(int(c) for c in np.flatnonzero(forest.sets[which]))
        left, right = made.pop(int(forest.left[k])), made.pop(int(forest.right[k]))
        made[k] = TreeSplit(
            scorer.columns[column], float(forest.limit[k]), codes, bool(forest.missing_left[k]), left, right
        )
    return made[root]
