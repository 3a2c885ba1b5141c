"""Which loss and activation a target asks for, and why."""

from __future__ import annotations

import json
import shlex
from typing import Any

import click

from goodmeasure.choosing.choose import choose
from goodmeasure.reading.files import read
from goodmeasure.study.cases import as_target
from goodmeasure.study.question import costs_from


@click.command
@click.argument("data")
@click.option("--target", required=True, metavar="COLUMN", help="The column to predict.")
@click.option("--ask", metavar="WHAT", help="mean, median, quantile=0.9, probability, ...")
@click.option(
    "--cost", "costs", multiple=True, metavar="NAME=COST", help="fn=40 and fp=5 (also tp=, tn=), or under=3 and over=1."
)
@click.option(
    "--represents", metavar="WHAT", help="What the target is, if its values do not tell: count, positive, classes, ..."
)
@click.option("--outliers", type=click.Choice(["errors", "real"]), help="What values far out are.")
@click.option("--positive", metavar="LABEL", help="The label that means yes.")
@click.option("--weights", metavar="COLUMN", help="How much each row counts.")
@click.option("--where", metavar="SQL", help='Use only rows that fit this condition, e.g. "age >= 18".')
@click.option("--show-code", metavar="FRAMEWORK", help="Print the code for numpy, sklearn or torch instead.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def command(data: str, target: str, **asked: Any) -> int:
    """Choose a loss for a column in four steps: what it represents, the activation, the loss, and the costs.

    DATA is a CSV or Parquet file, a pattern in quotes, or - for standard input.

    \b
    goodmeasure choose customers.csv --target churned --cost fn=40 --cost fp=5
    goodmeasure choose claims.parquet --target amount --ask mean
    """
    plan, remarks = _planned(data, target, asked)
    if asked["as_json"]:
        said = [remark.to_dict() for remark in remarks]
        click.echo(json.dumps({**plan.to_dict(), "remarks": said}, allow_nan=False, indent=1, ensure_ascii=False))
    elif asked["show_code"]:
        click.echo(plan.code(asked["show_code"]), nl=False)
    else:
        for line in (str(plan), *(f"{remark.severity}: {remark.what}" for remark in remarks)):
            click.echo(line)
        click.echo(f"\nnext: goodmeasure run {_quoted(data)} --target {_quoted(target)}{_repeated(asked)}")
    return 0


def _planned(data: str, target: str, asked: dict[str, Any]) -> tuple[Any, Any]:
    named = [name for name in (target, asked["weights"]) if name is not None]
    table = read(data, where=asked["where"], numbers=named)
    plan = choose(
        as_target(table[target]),
        ask=asked["ask"],
        costs=costs_from(asked["costs"]),
        represents=asked["represents"],
        outliers=asked["outliers"],
        sample_weight=None if asked["weights"] is None else table[asked["weights"]],
        name=target,
        positive=asked["positive"],
    )
    return plan, table.remarks


def _repeated(asked: dict[str, Any]) -> str:
    """The options of this command that the next one takes as well."""
    names = ("ask", "represents", "outliers", "positive", "weights", "where")
    costs = [f" --cost {cost}" for cost in asked["costs"]]
    return "".join([*costs, *(f" --{name} {_quoted(asked[name])}" for name in names if asked[name] is not None)])


def _quoted(text: str) -> str:
    return shlex.quote(text)
