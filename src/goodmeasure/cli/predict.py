"""Predict and decide for new rows with a model that a run saved."""

from __future__ import annotations

import click


@click.command
@click.argument("model")
@click.argument("data")
@click.option("--out", metavar="FILE", help="Where the CSV goes; standard output if not given.")
@click.option("--keep", multiple=True, metavar="COLUMN", help="Copy this column of DATA beside the predictions.")
@click.option("--where", metavar="SQL", help="Use only rows that fit this condition.")
@click.option("--for-spreadsheets", is_flag=True, help="Put an apostrophe before texts that a spreadsheet would run.")
def command(
    model: str, data: str, out: str | None, keep: tuple[str, ...], where: str | None, for_spreadsheets: bool
) -> None:
    """Write predictions as CSV, one line for each row of DATA, in its order.

    MODEL is the model.json of a run. DATA is a file of CSV, Parquet or lines of JSON, a pattern in quotes, or -. Any
    number of rows: they are read, predicted and written in parts. Texts are written as they are; where some begin as
    formulas do, it is said. --out takes the place of a table with the same header, or of an empty file, and of no other.

    \b
    goodmeasure predict goodmeasure-out/model.json new.csv --keep id --out predicted.csv
    """
    from goodmeasure.cli import _predicting

    _predicting.predicted(model, data, out, keep, where, for_spreadsheets=for_spreadsheets)
