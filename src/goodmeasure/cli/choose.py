"""Which loss and activation a target asks for, and why."""

from __future__ import annotations

from typing import Any

import click

from goodmeasure.cli._written import options


@click.command
@click.argument("data")
@click.option("--target", required=True, metavar="COLUMN", help="The column to predict.")
@click.option("--ask", metavar="WHAT", help="mean, median, quantile=0.9, quantiles=0.1,0.9, probability, ...")
@click.option(
    "--cost",
    "costs",
    multiple=True,
    metavar="NAME=COST",
    help="fn=40 and fp=5 (also tp=, tn=), under=3 and over=1, cat->dog=3, or a table.",
)
@click.option(
    "--represents", metavar="WHAT", help="What the target is, if its values do not tell: count, bounded=0,100, ..."
)
@click.option("--activation", metavar="NAME", help="exp where effects multiply, softplus where they add, linear, ...")
@click.option("--outliers", type=click.Choice(["errors", "real"]), help="What values far out are.")
@click.option("--positive", metavar="LABEL", help="The label that means yes.")
@click.option("--weights", metavar="COLUMN", help="How much each row counts.")
@click.option("--where", metavar="SQL", help='Use only rows that fit this condition, e.g. "age >= 18".')
@click.option("--show-code", metavar="FRAMEWORK", help="Print the code for numpy, sklearn or torch instead.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@options
def command(data: str, target: str, **asked: Any) -> int:
    """Choose a loss for a column in four steps: what it represents, the activation, the loss, and the costs.

    DATA is a file of CSV, Parquet or lines of JSON, a pattern in quotes, or - for standard input.

    \b
    goodmeasure choose customers.csv --target churned --cost fn=40 --cost fp=5
    goodmeasure choose claims.parquet --target amount --ask mean
    """
    from goodmeasure.cli import _planning

    return _planning.planned(data, target, asked)
