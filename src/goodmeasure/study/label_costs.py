"""What it costs to say one label where another is true, by the names of labels: ``cat->dog`` costs 3."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from goodmeasure.choosing.choose import choose
from goodmeasure.choosing.plan import Plan
from goodmeasure.decisions.costs import ClassCosts, Costs, DegenerateCosts
from goodmeasure.drawing.terminal import word
from goodmeasure.errors import UsageError, nearest, shorter
from goodmeasure.reading.files import read
from goodmeasure.reading.tables import listed
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.names import plain_label

ARROW = "->"
ANY = "*"


@dataclass(frozen=True)
class LabelCosts:
    """Costs by the label that is true and the one that is said; ``*`` stands for every label. To be right costs nothing,
    unless it is named."""

    pairs: tuple[tuple[str, str, float], ...]

    def __post_init__(self) -> None:
        for true, said, cost in self.pairs:
            if not math.isfinite(cost):
                pair = f"{true}{ARROW}{said}"
                raise DegenerateCosts(f"the cost of {pair} is not finite", fix=f"--cost {word(f'{pair}=3')}")

    @staticmethod
    def of(given: Mapping[tuple[Any, Any], float]) -> LabelCosts:
        """Costs by pairs of labels, true and said."""
        for pair, cost in given.items():
            if not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(cost, int | float | np.number):
                raise UsageError(
                    "costs of labels are numbers by pairs of labels, the true one and the one that is said",
                    seen=shorter({pair: cost}),
                    fix="costs={('cat', 'dog'): 3, ('*', '*'): 1}",
                )
        return LabelCosts(tuple((plain_label(true), plain_label(said), float(c)) for (true, said), c in given.items()))

    def settled(self, labels: tuple[Any, ...]) -> Costs | ClassCosts:
        """The same as costs of the labels of a target, in their order. Error: GM009."""
        names = [plain_label(label) for label in labels]
        self._refuse_strange(names)
        matrix = np.array([[self._of(true, said) for said in names] for true in names], dtype=np.float64)
        if np.isnan(matrix).any():
            lost = [
                f"{true}{ARROW}{said}"
                for (true, said), c in zip(product(names, names), matrix.flat, strict=True)
                if np.isnan(c)
            ]
            raise UsageError(
                f"no cost is named of {listed(lost, most=6)}",
                fix=f"--cost {word(f'{lost[0]}=1')}, or --cost '*->*=1' for all others",
            )
        _refuse_gains_of_errors(matrix, names)
        if len(labels) > 2:
            return ClassCosts(matrix)
        (true_negative, false_positive), (false_negative, true_positive) = matrix.tolist()
        return Costs(
            false_negative=false_negative,
            false_positive=false_positive,
            true_positive=true_positive,
            true_negative=true_negative,
        )

    def _of(self, true: str, said: str) -> float:
        """The cost of a pair: what was said of it itself, of all that is said of a label, of all who are one, or of all."""
        held = {(a, b): cost for a, b, cost in self.pairs}
        right = ((true, said),) if true == said else ((true, said), (true, ANY), (ANY, said), (ANY, ANY))
        return next((held[pair] for pair in right if pair in held), 0.0 if true == said else float("nan"))

    def _refuse_strange(self, names: list[str]) -> None:
        for name in {each for true, said, _ in self.pairs for each in (true, said)} - {ANY, *names}:
            close = nearest(name, names)
            raise UsageError(
                f"costs are of {name!r}, which is no label of the target",
                seen=f"its labels are {listed(names)}",
                fix=f"did you mean {close[0]!r}?" if close else example(names),
            )

    def to_dict(self) -> dict[str, Any]:
        """The costs as plain values, ready for JSON."""
        return {f"{true}{ARROW}{said}": cost for true, said, cost in self.pairs}


def example(labels: Sequence[Any]) -> str:
    """The options that say what mistakes among these labels cost: one costs more, as an example.

    A label that the notation would read otherwise is said in a table.
    """
    plain = [name for name in map(plain_label, labels) if name == name.strip() and ARROW not in name and name != ANY]
    if len(plain) < 2:
        return "--cost costs.csv, a table with a row for each label that is true and a column for each that is said"
    return f"--cost {word(f'{plain[0]}{ARROW}{plain[1]}=3')} --cost '*->*=1'"


def _refuse_gains_of_errors(matrix: Floats, names: list[str]) -> None:
    """Being wrong costs no less than being right, and somewhere more; gains, which are negative costs, may be anywhere."""
    extra = matrix - np.diag(matrix)[:, None]
    if (extra < 0).any():
        true, said = np.argwhere(extra < 0)[0].tolist()
        pair, right = f"{names[true]}{ARROW}{names[said]}", f"{names[true]}{ARROW}{names[true]}"
        raise DegenerateCosts(
            f"it costs less to say {names[said]!r} where {names[true]!r} is true than to be right",
            seen=f"{pair} = {matrix[true, said]:g}, {right} = {matrix[true, true]:g}, which is negative where it gains",
            fix=f"--cost {word(f'{pair}={matrix[true, true] + abs(extra[true, said]):g}')}",
        )
    if not extra.any():
        raise DegenerateCosts(
            "these costs leave nothing to decide",
            seen="no mistake costs more than being right",
            fix=example(names),
        )


def planned(values: Any, costs: Any, positive: Any, **asked: Any) -> Plan:
    """The plan of a target; costs by label are those of the labels that it turns out to have. Error: GM009."""
    if not isinstance(costs, LabelCosts):
        return choose(values, costs=costs, positive=positive, **asked)
    labels = choose(values, costs=None, positive=positive, **asked).labels
    if len(labels) < 2:
        raise UsageError("costs of labels are for classes, and the target is none", fix="--cost under=3 --cost over=1")
    yes = labels[1] if positive is None and len(labels) == 2 else positive
    return choose(values, costs=costs.settled(labels), positive=yes, **asked)


def label_costs(given: Iterable[str]) -> LabelCosts:
    """Costs from ``true->said=cost``, or from a table with a row for each label that is true and a column for each that is
    said. Error: GM009."""
    return LabelCosts(tuple(pair for part in given for pair in (_pair(part) if ARROW in part else _table(part))))


def _pair(part: str) -> list[tuple[str, str, float]]:
    pair, _, cost = part.rpartition("=")
    true, _, said = pair.partition(ARROW)
    try:
        return [(true.strip(), said.strip(), float(cost))]
    except ValueError:
        raise UsageError(
            f"--cost {part} is no cost of a pair", fix=f"--cost {word(f'{true.strip()}{ARROW}{said.strip()}=3')}"
        ) from None


def _table(path: str) -> list[tuple[str, str, float]]:
    """The pairs of a table of costs, whose first column holds the labels that are true."""
    table = read(path)
    first, *others = table.columns
    if not others or any(table[name].dtype.kind != "f" or np.isnan(table[name]).any() for name in others):
        raise UsageError(
            f"{path} is no table of costs",
            seen=f"its columns are {listed(table.columns)}",
            fix="a first column of labels that are true, and a column of numbers for each label that is said",
        )
    trues = [plain_label(label) for label in table[first].tolist()]
    return [(true, said, float(cost)) for said in others for true, cost in zip(trues, table[said], strict=True)]


def is_of_labels(given: Iterable[str]) -> bool:
    """Whether what was typed names labels, or a table of them, rather than kinds of mistakes."""
    return any(ARROW in part or ("=" not in part and Path(part).suffix) for part in given)
