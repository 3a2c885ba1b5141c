"""How ``goodmeasure decide`` decides on rows or on a tally."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import click
import numpy as np

from goodmeasure.cli import _elsewhere
from goodmeasure.cli._evidence import (
    TallyQuestion,
    columns_asked,
    evidence,
    fits_in_memory,
    groups_of,
    losses_from,
    parts_of,
    question_of,
    request_of,
    settled,
    sorted_out,
    tell_remarks,
    with_predictions,
)
from goodmeasure.cli._models import Models
from goodmeasure.cli._next import again, is_spent, next_line
from goodmeasure.cli._pricing import of_amounts, of_labels, of_rows, with_costs
from goodmeasure.cli._spoken import costs_typed, spoken
from goodmeasure.decisions.costs import Costs, UnderOverCosts
from goodmeasure.decisions.decision import decide
from goodmeasure.decisions.rules import ActDecision
from goodmeasure.drawing.plain_values import plain_values
from goodmeasure.drawing.terminal import json_text, printable
from goodmeasure.engines import duckdb
from goodmeasure.engines.duckdb import HeldRows
from goodmeasure.engines.request import Request
from goodmeasure.errors import UsageError
from goodmeasure.reading.paths import Places
from goodmeasure.reading.rows_read import RowsRead
from goodmeasure.statistics.row_arguments import UnknownLabel
from goodmeasure.study.column_costs import ColumnCosts
from goodmeasure.study.elsewhere import Reweighed
from goodmeasure.study.label_costs import LabelCosts

LOSSES, OF_CLASSES = ("binary_brier",), ("brier",)


def decided(data: tuple[str, ...], score: str | None, costs: tuple[str, ...], given: dict[str, Any]) -> int:
    """Decide under costs: theory's threshold, the one tuned here, 0.5, always and never, each with what it costs."""
    chosen = _costs(costs, given["ask"])
    asked = question_of([] if score is None else [score], given)
    _refuse_labels_of_amounts(chosen, asked)
    with spoken(), sorted_out(data) as (table, kept):
        asked = with_predictions(asked, table)
        at_hand = table is not None and fits_in_memory(table, kept, given)
        if table is not None and at_hand:
            found = _on_rows(table, asked, chosen, given)
        else:
            found = _on_tally(table, kept, asked, chosen, given)
        tell_remarks(table, asked)
    if given["as_json"]:
        click.echo(json_text(plain_values(_document(found.decisions))))
        return 0
    if found.told:
        click.echo(printable(found.told))
    for key, one in found.decisions.items():
        click.echo(printable(f"{found.by} = {key}" if key else f"by {found.column}, on {found.rows}"))
        click.echo("\n".join(f"  {line}" for line in str(one).splitlines()))
    if not is_spent(data):
        priced = [part for cost in costs for part in ("--cost", cost)] if at_hand else []
        click.echo(_next(data, kept, asked, chosen, given, priced))
    return 0


def _document(decisions: dict[str, Any]) -> dict[str, Any]:
    """The decision for all, and for each group; "all" is in brackets where a group is called so."""
    others = [key for key in decisions if key]
    name = "all"
    while name in others:
        name = f"({name})"
    return {name: decisions[""].to_dict()} | {key: decisions[key].to_dict() for key in others}


class Answered(NamedTuple):
    """The column of groups, if there is one, the column decided on, the rows, and the decision for all and for each group.

    ``told`` says as what the rows count, where that is not as they are.
    """

    by: str | None
    column: str
    rows: RowsRead
    decisions: dict[str, Any]
    told: str = ""


def _next(
    data: Sequence[str],
    kept: list[str],
    asked: dict[str, Any],
    costs: Any,
    given: dict[str, Any],
    priced: Sequence[str],
) -> str:
    """The line that scores what was decided, and prices it; of amounts, by the loss that these costs ask for."""
    score = [] if kept else ["--p", asked["scores"][0]]
    losses = [part for loss in of_amounts(costs) for part in ("--loss", loss)]
    return next_line("score", *again(asked, data, kept, given), *score, *losses, *priced)


def _costs(given: tuple[str, ...], ask: float | None) -> Any:
    costs = costs_typed(given)
    if costs is None:
        raise UsageError("a decision needs costs", fix="--cost fn=40 --cost fp=5, or --cost under=3 --cost over=1")
    if ask is None:
        return costs
    if not isinstance(costs, Costs | ColumnCosts):
        raise UsageError("--ask goes with fn and fp", fix="leave --ask out")
    return replace(costs, ask=ask)


def _refuse_labels_of_amounts(costs: Any, asked: dict[str, Any]) -> None:
    """Refuse a label that means yes where the costs are of amounts. Error: GM009."""
    if isinstance(costs, UnderOverCosts) and asked["positive"] is not None:
        raise UsageError(
            "under= and over= are costs of amounts, and --positive says which label means yes",
            fix="--cost fn=3 --cost fp=1; for amounts leave --positive out, and name a column of numbers",
        )


@contextmanager
def _without_a_loss(costs: Any) -> Iterator[None]:
    """Texts where costs are of amounts, with what this command can do about it: it takes no loss. Error: GM703."""
    try:
        yield
    except UnknownLabel as problem:
        if isinstance(costs, UnderOverCosts):
            problem.fix = (
                "name a column of numbers, or say what mistakes cost: --cost fn=3 --cost fp=1 --positive LABEL"
            )
        raise


def _on_rows(table: Places, asked: dict[str, Any], costs: Any, given: dict[str, Any]) -> Answered:
    found = columns_asked(asked, table)
    costs = of_labels(costs, found, table, asked)
    losses = losses_from(OF_CLASSES if found.classes > 1 else of_amounts(costs) or LOSSES)
    request = settled(with_costs(request_of(losses, asked, found), costs), table)
    with _without_a_loss(costs):
        held = duckdb.rows_of(table, request, given["time"])

    def column(name: str | None, at: Any) -> Any:
        return None if name is None else held.columns[name][at]

    more = {name: given[name] for name in ("budget", "prevalence", "level") if given[name] is not None}
    how = _reweighed(table, request, asked, held, given)
    weight = column(request.weight, slice(None)) if how is None else how.weight

    def scores(at: Any) -> Any:
        columns = [column(name, at) for name in request.scores[0][1]]
        return columns[0] if len(columns) == 1 else np.column_stack(columns)

    with held.pointing():
        decided = {
            key: decide(
                column(request.target, at),
                scores(at),
                of_rows(costs, held.columns, at),
                sample_weight=None if weight is None else weight[at],
                cluster=column(request.cluster, at),
                time=None if held.order is None else held.order[at],
                **more,
            )
            for key, at in groups_of(held.columns, given["by"]).items()
        }
    if found.labels:
        decided = {key: _by_label(one, found.labels) for key, one in decided.items()}
    if how is not None:
        decided = {key: how.wide(one) for key, one in decided.items()}
    return Answered(given["by"], asked["scores"][0], held.rows, decided, _told(how, given))


def _reweighed(
    table: Places, request: Request, asked: dict[str, Any], held: HeldRows, given: dict[str, Any]
) -> Reweighed | None:
    """How rows are weighed that count as elsewhere; a prevalence alone is known to the decision itself."""
    if not (given["shift"] or given["like"]):
        return None
    found = _elsewhere.weighed(table, request, asked, held, _elsewhere.place_of(given))
    if given["prevalence"] is None:
        return found
    # The decision weighs rows of yes and no to the prevalence, and turns scores by it: these weights leave that to it.
    y = held.columns[request.target]
    here = np.average(y, weights=None if request.weight is None else held.columns[request.weight])
    there = given["prevalence"]
    return replace(found, weight=found.weight * np.where(y == 1, here / there, (1 - here) / (1 - there)))


def _told(how: Reweighed | None, given: dict[str, Any]) -> str:
    """As what the rows count; empty where they count as they are."""
    parts = [] if how is None else [how.told]
    if given["prevalence"] is not None:
        parts += [] if parts else [f"rows count as where {given['prevalence']:g} are yes"]
        parts.append("thresholds are of the scores as they stand, which Bayes' rule turns to that share to decide")
    return "; ".join(parts)


def _by_label(found: Any, labels: tuple[str, ...]) -> ActDecision:
    """The decision of classes, whose acts are called by what is said."""
    names = {f"always act {act}": f"always {label}" for act, label in enumerate(labels)}
    named: ActDecision = replace(
        found, rules=tuple(replace(rule, name=names.get(rule.name, rule.name)) for rule in found.rules)
    )
    return named


def _one_column(asked: dict[str, Any], table: Places) -> Models:
    """The model to decide by, which has one column. Error: GM009."""
    found = columns_asked(asked, table)
    if found.classes > 1:
        raise UsageError(
            "a decision from here takes one column of predictions",
            seen=f"--p {asked['scores'][0]}",
            fix="give the table, and the rows fit in memory: --where",
        )
    return found


def _on_tally(
    table: Places | None, kept: list[str], asked: dict[str, Any], costs: Any, given: dict[str, Any]
) -> Answered:
    options = [
        name for name in ("ask", "budget", "prevalence", "shift", "like", "time") if given[name] not in (None, ())
    ]
    options += ["cluster"] if given["cluster"] is not None and not kept else []
    if options or not isinstance(costs, Costs):
        by_row = isinstance(costs, ColumnCosts)
        kinds = (
            "costs of labels"
            if isinstance(costs, LabelCosts)
            else "a column of costs"
            if by_row
            else "under= and over="
        )
        what = f"--{options[0]}" if options else kinds
        why, fix = (
            ("a saved tally holds sums", "give the table") if kept else ("these are too many", "a sample: --where")
        )
        raise UsageError(f"{what} needs the rows, and {why}", fix=fix)
    # Which of a saved tally's models to decide by is no other question.
    model, wanted = (asked["scores"] or [None])[0], asked | {"scores": [] if kept else asked["scores"]}
    if table is not None and not kept:
        _one_column(asked, table)
    saved, _ = evidence(table, kept, TallyQuestion(wanted, () if kept else LOSSES), given)
    made, by = saved.tally, saved.question["by"]
    if model is None and len(made.schema.models) > 1:
        raise UsageError("the saved tally is of several models", fix=f"--p {made.schema.models[0]}")
    found = {key: part.decide(costs, model, level=given["level"]) for key, part in parts_of(made, by).items()}
    return Answered(by, model or made.schema.models[0], made.rows_read, found)
