"""The threshold or quantile that your costs ask for, and what it costs."""

from __future__ import annotations

from typing import Any

import click

from goodmeasure.cli import _places
from goodmeasure.cli._tally_options import options


@click.command
@click.option("--p", "score", metavar="COLUMN", help="The column of predictions.")
@click.option(
    "--cost",
    "costs",
    multiple=True,
    metavar="NAME=COST",
    help="fn=40 and fp=5 (also tp=, tn=; of a column fn=@amount), under=, over=, or cat->dog=3.",
)
@click.option("--ask", type=float, metavar="PRICE", help="What it costs to ask a person instead.")
@click.option("--budget", type=float, metavar="N", help="How many of as many rows can be acted on.")
@click.option("--time", metavar="COLUMN", help="Rows follow each other in time.")
@_places.of_scores
@options
def command(data: tuple[str, ...], score: str | None, costs: tuple[str, ...], **given: Any) -> int:
    """Decide under costs: theory's threshold, the one tuned here, 0.5, always and never, each with what it costs.

    DATA is a file of CSV, Parquet or lines of JSON, a pattern in quotes, or - for standard input. Files that fit in
    memory are decided on their rows; with another --engine, or beyond memory, on the tally's grid, which says how far it can
    be off. So are tallies that goodmeasure score --save kept.

    \b
    goodmeasure decide held_out.parquet --y churned --p p --cost fn=40 --cost fp=5
    goodmeasure decide held_out.csv --y animal --p p_cat,p_dog,p_fox --cost 'fox->cat=9' --cost '*->*=1'
    goodmeasure decide sales.csv --y demand --p forecast --cost under=3 --cost over=1
    """
    from goodmeasure.cli import _deciding

    return _deciding.decided(data, score, costs, given)
