"""goodmeasure decide: costs in, a rule out, with what it costs."""

from __future__ import annotations

import json
from typing import Any

import click

from goodmeasure.cli._evidence import losses_from, options, plain, request_of, tallied
from goodmeasure.errors import UsageError


@click.command(short_help="The threshold or quantile that your costs ask for, and what it costs.")
@click.argument("data")
@click.option("--p", "score", required=True, metavar="COLUMN", help="The column of predictions.")
@click.option(
    "--cost", "costs", multiple=True, metavar="NAME=COST", help="fn=40 and fp=5 (also tp=, tn=), or under=, over=."
)
@click.option("--ask", type=float, metavar="PRICE", help="What it costs to ask a person instead.")
@click.option("--budget", type=float, metavar="N", help="How many of as many rows can be acted on.")
@click.option("--prevalence", type=float, metavar="SHARE", help="The share of events where the rule will be used.")
@click.option("--time", metavar="COLUMN", help="Rows follow each other in time.")
@options
def command(data: str, score: str, costs: tuple[str, ...], **given: Any) -> int:
    """Decide under costs: theory's threshold, the one tuned here, 0.5, always and never, each with what it costs.

    DATA is a CSV or Parquet file, or a pattern in quotes. Files that fit in memory are decided on their rows; with
    --engine dask, or beyond memory, on the tally's grid, which says how far it can be off.

    \b
    goodmeasure decide held_out.parquet --y churned --p p --cost fn=40 --cost fp=5
    goodmeasure decide sales.csv --y demand --p forecast --cost under=3 --cost over=1
    """
    chosen = _costs(costs, given["ask"])
    request = request_of(losses_from(["binary_brier"]), [score], given)
    found = (
        _on_tally(data, request, chosen, given) if _too_many(data, given) else _on_rows(data, request, chosen, given)
    )
    if given["as_json"]:
        click.echo(json.dumps(plain({key or "all": one.to_dict() for key, one in found.items()}), indent=1))
        return 0
    for key, one in found.items():
        click.echo(f"{given['by']} = {key}" if key else f"on {one.cost.n:,} rows")
        click.echo("\n".join(f"  {line}" for line in str(one).splitlines()))
    click.echo(f"\nnext: goodmeasure score {data} --y {given['target']} --p {score}")
    return 0


def _costs(given: tuple[str, ...], ask: float | None) -> Any:
    from dataclasses import replace

    from goodmeasure.decisions.costs import Costs
    from goodmeasure.study.question import costs_from

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
    from goodmeasure.engines import duckdb

    return bool(given["engine"] == "dask" or duckdb.weigh(data) > duckdb.MOST_BYTES)


def _on_rows(data: str, request: Any, costs: Any, given: dict[str, Any]) -> dict[str, Any]:
    import numpy as np

    from goodmeasure.decisions.decision import decide
    from goodmeasure.engines import duckdb

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


def _on_tally(data: str, request: Any, costs: Any, given: dict[str, Any]) -> dict[str, Any]:
    from goodmeasure.decisions.costs import Costs

    asked = [name for name in ("ask", "budget", "prevalence", "time", "cluster") if given[name] is not None]
    if asked or not isinstance(costs, Costs):
        what = f"--{asked[0]}" if asked else "under= and over="
        raise UsageError(f"{what} needs the rows, and these are too many", fix="take a sample with --where")
    made = tallied(data, request, given)
    groups = {"": made} | ({key: made[key] for key in sorted(made.groups)} if given["by"] else {})
    return {key: part.decide(costs, level=given["level"]) for key, part in groups.items()}
