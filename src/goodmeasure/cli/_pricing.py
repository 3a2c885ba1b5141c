"""What decisions cost in the rows of a table: costs of labels and of columns, held against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from goodmeasure.cli._evidence import written_in
from goodmeasure.cli._models import Models, labels_there
from goodmeasure.decisions.costs import UnderOverCosts
from goodmeasure.engines.request import Request
from goodmeasure.errors import UsageError
from goodmeasure.reading.paths import Places
from goodmeasure.reading.tables import Table
from goodmeasure.study.column_costs import ColumnCosts
from goodmeasure.study.label_costs import LabelCosts, example


def with_costs(request: Request, costs: Any) -> Request:
    """The request, which reads the columns that hold costs too."""
    return replace(request, costs=costs.columns if isinstance(costs, ColumnCosts) else ())


def of_amounts(costs: Any) -> tuple[str, ...]:
    """The loss that costs of amounts ask for; none of other costs."""
    return (f"pinball(level={costs.level:.12g})",) if isinstance(costs, UnderOverCosts) else ()


def of_labels(costs: Any, found: Models, table: Places, asked: Mapping[str, Any]) -> Any:
    """Costs as they are, those of labels by the labels of the table. Error: GM009."""
    if found.classes > 1:
        _refuse_kinds_of_mistakes(costs, asked["scores"], found.labels)
    return costs.settled(found.labels or _two_labels(table, asked)) if isinstance(costs, LabelCosts) else costs


def of_rows(costs: Any, columns: Mapping[str, Any], at: Any) -> Any:
    """The costs of some rows, of which columns may hold some. Error: GM713."""
    if not isinstance(costs, ColumnCosts):
        return costs
    cells = {name: columns[name][at] for name in costs.columns}
    return costs.of(Table(cells, "", len(cells[costs.columns[0]])))


def _two_labels(table: Places, asked: Mapping[str, Any]) -> tuple[Any, Any]:
    """The label that means no, and the one that means yes. Error: GM009."""
    known = [asked["positive"]] if asked["positive"] else []
    labels = labels_there(table, asked["target"], known, asked["where"], asked["weights"], written_in(dict(asked)))
    if len(labels) != 2 or asked["positive"] not in labels:
        raise UsageError(
            "costs of labels and one column of predictions ask which label means yes",
            seen=f"{asked['target']} holds {', '.join(labels[:6])}",
            fix=f"--positive {labels[-1]}" if labels else "--positive LABEL",
        )
    return next(label for label in labels if label != asked["positive"]), asked["positive"]


def _refuse_kinds_of_mistakes(costs: Any, scores: Sequence[str], labels: Sequence[str]) -> None:
    if not isinstance(costs, LabelCosts):
        raise UsageError(
            "a column for each class takes costs of labels",
            seen=f"--p {scores[0]}",
            fix=example(labels),
        )
