"""What decisions cost in the rows of a table: costs of labels and of columns, held against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, NamedTuple, Protocol

from goodmeasure.cli._elsewhere import CountedElsewhere, joined
from goodmeasure.cli._evidence import columns_asked, groups_of, request_of, written_in
from goodmeasure.cli._models import Models, labels_there
from goodmeasure.decisions.comparing import compare_costs, decision_cost
from goodmeasure.decisions.costs import CostsDoNotFit, UnderOverCosts
from goodmeasure.engines import duckdb
from goodmeasure.engines.request import Request
from goodmeasure.errors import UsageError
from goodmeasure.losses import catalogue
from goodmeasure.reading.paths import Places
from goodmeasure.reading.tables import Table
from goodmeasure.statistics.estimate import Difference, Estimate, T
from goodmeasure.study.column_costs import ColumnCosts
from goodmeasure.study.label_costs import LabelCosts, example
from goodmeasure.tallying.saved import Saved


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


def of_angles(losses: Sequence[str]) -> bool:
    """Whether a loss asks for a direction: angles are not too little or too much."""
    known = (catalogue().get(each.partition("(")[0]) for each in losses)
    return any(each is not None and each.facts.asks_for == "mean direction" for each in known)


class Wide(Protocol):
    """What makes a result as wide as the weights of its rows ask for."""

    def __call__(self, found: T, /) -> T: ...


def as_it_is(found: T) -> T:
    """A result of rows that count as they are."""
    return found


class CostOfModels(NamedTuple):
    """What the decisions of each model cost a row, and by how much each pair differs; nothing where no costs were given."""

    cost: dict[str, Estimate]
    difference: dict[str, Difference]


UNPRICED = CostOfModels({}, {})


def refuse_costs(*, raw: bool, at_hand: bool) -> None:
    """Refuse costs where there is nothing that they could price. Error: GM009."""
    if raw:
        raise UsageError(
            "--cost decides by probabilities or amounts, and --raw says that scores are neither",
            fix="leave --raw out, and give a column of predictions",
        )
    if not at_hand:
        raise UsageError(
            "--cost needs the rows, and these are a tally's sums, or too many",
            fix="give the table alone, without --save and --engine; of many rows a sample: --where",
        )


def priced(
    table: Places, saved: Saved, costs: Any, level: float, counted: CountedElsewhere | None
) -> dict[str, CostOfModels]:
    """By group what the decisions of each model cost, each row decided as its costs ask. Errors: those of `decision_cost`."""
    asked, found = saved.question, columns_asked(saved.question, table)
    _refuse_another_question(costs, saved)
    costs = of_labels(costs, found, table, asked)
    request = with_costs(request_of(saved.tally.losses, asked, found), costs)
    held = duckdb.rows_of(table, request)
    wide: Wide = as_it_is if counted is None else counted.reweighed.wide
    if counted is None:
        scores = {name: joined(held, columns) for name, columns in request.scores}
        weight = None if request.weight is None else held.columns[request.weight]
    else:
        scores, weight = counted.scores, counted.reweighed.weight

    def of(at: Any) -> CostOfModels:
        y, own = held.columns[request.target][at], of_rows(costs, held.columns, at)
        more: dict[str, Any] = {
            "sample_weight": None if weight is None else weight[at],
            "cluster": None if request.cluster is None else held.columns[request.cluster][at],
            "level": level,
        }
        return CostOfModels(
            {model: wide(decision_cost(y, p[at], own, **more)) for model, p in scores.items()},
            {
                f"{a} - {b}": wide(compare_costs(y, scores[a][at], scores[b][at], own, **more))
                for a, b in combinations(scores, 2)
            },
        )

    with held.pointing():
        return {key: of(at) for key, at in groups_of(held.columns, asked["by"]).items()}


def _refuse_another_question(costs: Any, saved: Saved) -> None:
    """Refuse costs of amounts for yes and no or classes, the other way round, and all of angles. Errors: GM009, GM711."""
    if of_angles(saved.tally.schema.losses):
        raise CostsDoNotFit(
            f"costs are of amounts or outcomes, and {saved.tally.schema.losses[0]} is of angles: not too little or too much",
            fix="leave --cost out",
        )
    are_amounts, kind = isinstance(costs, UnderOverCosts), saved.tally.schema.kind
    if are_amounts != (kind == "amount"):
        raise UsageError(
            f"these costs are of {'amounts' if are_amounts else 'labels'}, and {saved.tally.schema.losses[0]} is not",
            fix="--cost under=3 --cost over=1" if kind == "amount" else "--cost fn=40 --cost fp=5",
        )
