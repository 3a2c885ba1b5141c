"""How ``goodmeasure decide`` decides on rows or on a tally."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import click
import numpy as np

from goodmeasure.cli._evidence import (
    TallyQuestion,
    evidence,
    losses_from,
    next_step,
    plain,
    question_of,
    request_of,
    sorted_out,
)
from goodmeasure.decisions.costs import Costs
from goodmeasure.decisions.decision import decide
from goodmeasure.engines import duckdb
from goodmeasure.errors import UsageError
from goodmeasure.study.question import costs_from

LOSSES = ("binary_brier",)


def decided(data: tuple[str, ...], score: str | None, costs: tuple[str, ...], given: dict[str, Any]) -> int:
    """Decide under costs: theory's threshold, the one tuned here, 0.5, always and never, each with what it costs."""
    chosen = _costs(costs, given["ask"])
    table, kept = sorted_out(data)
    asked = question_of([] if score is None else [score], given)
    if table is not None and not kept and not _too_many(table, given):
        by, found = given["by"], _on_rows(table, asked, chosen, given)
    else:
        by, found = _on_tally(table, kept, asked, chosen, given)
    if given["as_json"]:
        click.echo(json.dumps(plain({key or "all": one.to_dict() for key, one in found.items()}), indent=1))
        return 0
    for key, one in found.items():
        click.echo(f"{by} = {key}" if key else f"on {one.cost.n:,} rows")
        click.echo("\n".join(f"  {line}" for line in str(one).splitlines()))
    click.echo(f"\n{next_step('score', data, kept, asked)}")
    return 0


def _costs(given: tuple[str, ...], ask: float | None) -> Any:
    costs = costs_from(given)
    if costs is None:
        raise UsageError("a decision needs costs", fix="--cost fn=40 --cost fp=5, or --cost under=3 --cost over=1")
    if ask is None:
        return costs
    if not isinstance(costs, Costs):
        raise UsageError("--ask goes with fn and fp", fix="leave --ask out")
    return replace(costs, ask=ask)


def _too_many(data: str, given: dict[str, Any]) -> bool:
    """Whether the files hold more rows than are held in memory."""
    return bool(given["engine"] == "dask" or duckdb.weigh(data) > duckdb.MOST_BYTES)


def _on_rows(data: str, asked: dict[str, Any], costs: Any, given: dict[str, Any]) -> dict[str, Any]:
    request = request_of(losses_from(LOSSES), asked)
    held = duckdb.rows_of(data, request, also=[given["time"]])
    groups: dict[str, Any] = {"": slice(None)}
    if given["by"]:
        groups |= {str(key): np.flatnonzero(held[given["by"]] == key) for key in np.unique(held[given["by"]])}

    def column(name: str | None, at: Any) -> Any:
        return None if name is None else held[name][at]

    more = {name: given[name] for name in ("budget", "prevalence") if given[name] is not None}
    return {
        key: decide(
            held[request.target][at],
            held[request.scores[0][1][0]][at],
            costs,
            sample_weight=column(request.weight, at),
            cluster=column(request.cluster, at),
            time=column(given["time"], at),
            level=given["level"],
            **more,
        )
        for key, at in groups.items()
    }


def _on_tally(
    table: str | None, kept: list[str], asked: dict[str, Any], costs: Any, given: dict[str, Any]
) -> tuple[str | None, dict[str, Any]]:
    """The column of groups, if there is one, and the decision for all rows and for each group."""
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
    saved = evidence(table, kept, TallyQuestion(wanted, () if kept else LOSSES), given)
    made, by = saved.tally, saved.question["by"]
    if model is None and len(made.schema.models) > 1:
        raise UsageError("the saved tally is of several models", fix=f"--p {made.schema.models[0]}")
    groups = {"": made} | ({key: made[key] for key in sorted(made.groups)} if by else {})
    found = {key: part.decide(costs, model, level=given["level"]) for key, part in groups.items()}
    if not made.schema.clustered:
        return by, found
    caution = "rows of one cluster were taken as independent, so the intervals are too short: give the table for others"
    return by, {key: replace(one, cautions=(*one.cautions, caution)) for key, one in found.items()}
