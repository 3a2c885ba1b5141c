"""What models cost on held-out rows, with intervals, and which is better."""

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
    help="Price each model's decisions: fn=40 and fp=5 (of a column fn=@amount), under=, over=, or cat->dog=3.",
)
@click.option("--save", metavar="FILE", help="Keep the tally; it stands for the table later, alone or with others.")
@click.option("--fail-on", type=click.Choice(["miscalibrated"]), help="Exit with 1 if a model surely is.")
@_places.of_scores
@options
def command(
    data: tuple[str, ...],
    scores: tuple[str, ...],
    losses: tuple[str, ...],
    raw: bool,
    costs: tuple[str, ...],
    save: str | None,
    fail_on: str | None,
    **given: Any,
) -> int:
    """Score predictions in a file: each model's mean loss, the paired difference of each pair, and calibration.

    DATA is a file of CSV, Parquet or lines of JSON, a pattern in quotes, or - for standard input; it may be larger than
    memory. Classes are columns joined by commas: --p p_cat,p_dog,p_fox. Which is whose is told by their names, or by
    --classes. With --cost, each row is decided as its costs ask, and models are compared by what that costs. Tallies
    that --save kept are added up, with a table or without; they know their columns.

    \b
    goodmeasure score held_out.parquet --y churned --p plain --p recalibrated --by region
    goodmeasure score held_out.csv --y fraud --p old --p new --cost fn=@amount --cost fp=5
    goodmeasure score 'data/*.parquet' --y amount --p predicted --loss huber --engine spark
    goodmeasure score so_far.tally tonight.parquet --save so_far.tally
    """
    from goodmeasure.cli import _scoring

    return _scoring.scored(data, scores, losses, raw, save, fail_on, {**given, "costs": costs})
