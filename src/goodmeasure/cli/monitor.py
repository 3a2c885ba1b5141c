"""Hold later rows against those that a model was made for, as they come."""

from __future__ import annotations

import click

from goodmeasure.cli._tally_options import LEVEL


@click.command
@click.argument("model")
@click.argument("data", nargs=-1, required=True)
@click.option("--where", metavar="SQL", help='Use only rows that fit this condition, e.g. "age >= 18".')
@click.option("--save", metavar="FILE", help="Keep the counts; they stand for these rows later, beside new ones.")
@click.option("--out", metavar="FILE", help="Write the record as a page.")
@click.option("--level", type=click.FloatRange(0.5, 0.999), default=LEVEL, help="Of all intervals together.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--fail-on",
    type=click.Choice(["moved", "worse"]),
    help="Exit with 1 if the model surely costs more, or also if anything surely moved.",
)
def command(
    model: str,
    data: tuple[str, ...],
    where: str | None,
    save: str | None,
    out: str | None,
    level: float,
    as_json: bool,
    fail_on: str | None,
) -> int:
    """Say whether columns, predictions and losses of later rows are what they were when a model was made.

    MODEL is the model.json of a run. DATA is a file of CSV, Parquet or lines of JSON, a pattern in quotes, or -, and what
    --save kept of earlier rows. Targets need not be known; where some are, their losses are held against the risk that was
    reported. However often you look, all words together are false as rarely as --level says.

    \b
    goodmeasure monitor goodmeasure-out/model.json monday.parquet --save so_far.json
    goodmeasure monitor goodmeasure-out/model.json so_far.json tuesday.parquet --save so_far.json --fail-on worse
    """
    from goodmeasure.cli import _monitoring

    return _monitoring.monitored(model, data, where, save, out, level=level, as_json=as_json, fail_on=fail_on)
