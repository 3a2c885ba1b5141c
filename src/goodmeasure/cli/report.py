"""A page about predictions that exist: what they cost, which are better, and where to cut."""

from __future__ import annotations

from typing import Any

import click

from goodmeasure.cli import _places
from goodmeasure.cli._tally_options import options


@click.command
@click.option("--p", "scores", multiple=True, metavar="COLUMN", help="A model's predictions; repeatable.")
@click.option(
    "--loss", "losses", multiple=True, metavar="LOSS", help="A loss of the catalogue, e.g. pinball(level=0.9)."
)
@click.option("--classes", metavar="LABELS", help="The labels of a model's columns, in their order: cat,dog,fox.")
@click.option("--raw", is_flag=True, help="The columns hold raw outputs, not predictions.")
@click.option(
    "--cost",
    "costs",
    multiple=True,
    metavar="NAME=COST",
    help="fn=40 and fp=5 (of a column fn=@amount), under=, over=, or cat->dog=3.",
)
@click.option("--out", default="report.html", show_default=True, metavar="FILE", help="Where the page goes.")
@_places.of_scores
@options
def command(
    data: tuple[str, ...],
    scores: tuple[str, ...],
    losses: tuple[str, ...],
    raw: bool,
    costs: tuple[str, ...],
    out: str,
    **given: Any,
) -> int:
    """Write one page about predictions in a file, of any number of rows: readable offline, of the same small size.

    DATA is a file of CSV, Parquet or lines of JSON, a pattern in quotes, - for standard input, or what goodmeasure score
    --save kept. It is read as goodmeasure score reads it.

    \b
    goodmeasure report held_out.parquet --y churned --p plain --p recalibrated --cost fn=40 --cost fp=5
    goodmeasure report 'data/*.parquet' --y amount --p predicted --loss huber --by region --out huber.html
    """
    from goodmeasure.cli import _reporting

    return _reporting.reported(data, scores, losses, raw, costs, out, given)
