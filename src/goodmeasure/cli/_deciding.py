"""How ``goodmeasure decide`` decides on rows or on a tally."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import click

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
from goodmeasure.decisions.costs import Costs, UnderOverCosts
from goodmeasure.decisions.decision import decide
from goodmeasure.drawing.plain_values import plain_values
from goodmeasure.drawing.terminal import json_text, printable
from goodmeasure.engines import duckdb
from goodmeasure.errors import UsageError
from goodmeasure.reading.paths import Places
from goodmeasure.reading.rows_read import RowsRead
from goodmeasure.study.question import costs_from

LOSSES = ("binary_brier",)


def decided(data: tuple[str, ...], score: str | None, costs: tuple[str, ...], given: dict[str, Any]) -> int:
    """Decide under costs: theory's threshold, the one tuned here, 0.5, always and never, each with what it costs."""
    chosen = _costs(costs, given["ask"])
    asked = question_of([] if score is None else [score], given)
    with sorted_out(data) as (table, kept):
        asked = with_predictions(asked, table)
        if table is not None and fits_in_memory(table, kept, given):
            found = _on_rows(table, asked, chosen, given)
        else:
            found = _on_tally(table, kept, asked, chosen, given)
        tell_remarks(table)
    if given["as_json"]:
        click.echo(json_text(plain_values({key or "all": one.to_dict() for key, one in found.decisions.items()})))
        return 0
    for key, one in found.decisions.items():
        click.echo(printable(f"{found.by} = {key}" if key else f"by {found.column}, on {found.rows}"))
        click.echo("\n".join(f"  {line}" for line in str(one).splitlines()))
    if not is_spent(data):
        click.echo(_next(data, kept, asked, chosen, given))
    return 0


class Answered(NamedTuple):
    """The column of groups, if there is one, the column decided on, the rows, and the decision for all and for each group."""

    by: str | None
    column: str
    rows: RowsRead
    decisions: dict[str, Any]


def _next(data: Sequence[str], kept: list[str], asked: dict[str, Any], costs: Any, given: dict[str, Any]) -> str:
    """The line that scores what was decided; of amounts, by the loss that these costs ask for."""
    score = [] if kept else ["--p", asked["scores"][0]]
    loss = ["--loss", f"pinball(level={costs.level:.12g})"] if isinstance(costs, UnderOverCosts) else []
    return next_line("score", *again(asked, data, kept, given), *score, *loss)


def _costs(given: tuple[str, ...], ask: float | None) -> Any:
    costs = costs_from(given)
    if costs is None:
        raise UsageError("a decision needs costs", fix="--cost fn=40 --cost fp=5, or --cost under=3 --cost over=1")
    if ask is None:
        return costs
    if not isinstance(costs, Costs):
        raise UsageError("--ask goes with fn and fp", fix="leave --ask out")
    return replace(costs, ask=ask)


def _on_rows(table: Places, asked: dict[str, Any], costs: Any, given: dict[str, Any]) -> Answered:
    request = settled(request_of(losses_from(LOSSES), asked, _one_column(asked, table)), table)
    held = duckdb.rows_of(table, request, given["time"])

    def column(name: str | None, at: Any) -> Any:
        return None if name is None else held.columns[name][at]

    more = {name: given[name] for name in ("budget", "prevalence", "level") if given[name] is not None}
    with held.pointing():
        found = {
            key: decide(
                column(request.target, at),
                column(request.scores[0][1][0], at),
                costs,
                sample_weight=column(request.weight, at),
                cluster=column(request.cluster, at),
                time=None if held.order is None else held.order[at],
                **more,
            )
            for key, at in groups_of(held.columns, given["by"]).items()
        }
    return Answered(given["by"], asked["scores"][0], held.rows, found)


def _one_column(asked: dict[str, Any], table: Places) -> Models:
    """The model to decide by, which has one column. Error: GM009."""
    found = columns_asked(asked, table)
    if found.classes > 1:
        raise UsageError(
            "a decision from here takes one column of predictions",
            seen=f"--p {asked['scores'][0]}",
            fix="in Python: gm.decide(y, p, gm.ClassCosts(...))",
        )
    return found


def _on_tally(
    table: Places | None, kept: list[str], asked: dict[str, Any], costs: Any, given: dict[str, Any]
) -> Answered:
    options = [name for name in ("ask", "budget", "prevalence", "time") if given[name] is not None]
    options += ["cluster"] if given["cluster"] is not None and not kept else []
    if options or not isinstance(costs, Costs):
        what = f"--{options[0]}" if options else "under= and over="
        why, fix = (
            ("a saved tally holds sums", "give the table") if kept else ("these are too many", "a sample: --where")
        )
        raise UsageError(f"{what} needs the rows, and {why}", fix=fix)
    # Which of a saved tally's models to decide by is no other question.
    model, wanted = (asked["scores"] or [None])[0], asked | {"scores": [] if kept else asked["scores"]}
    if table is not None and not kept:
        _one_column(asked, table)
    saved = evidence(table, kept, TallyQuestion(wanted, () if kept else LOSSES), given)
    made, by = saved.tally, saved.question["by"]
    if model is None and len(made.schema.models) > 1:
        raise UsageError("the saved tally is of several models", fix=f"--p {made.schema.models[0]}")
    found = {key: part.decide(costs, model, level=given["level"]) for key, part in parts_of(made, by).items()}
    return Answered(by, model or made.schema.models[0], made.rows_read, found)
