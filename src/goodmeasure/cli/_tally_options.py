"""The options that commands on scored rows have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from goodmeasure.engines.shard import ENGINES, HERE

LEVEL = 0.95  # of intervals, unless another is asked for


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of both commands."""
    for option in reversed(
        [
            click.argument("data", nargs=-1, required=True),
            click.option("--target", "--y", metavar="COLUMN", help="The column that says what happened."),
            click.option("--positive", metavar="LABEL", help="The label that means yes."),
            click.option("--by", metavar="COLUMN", help="Tell each group apart as well."),
            click.option("--where", metavar="SQL", help='Use only rows that fit this condition, e.g. "age >= 18".'),
            click.option(
                "--decimal",
                type=click.Choice(["point", "comma"]),
                help="What stands before decimals, where cells do not tell.",
            ),
            click.option("--weights", metavar="COLUMN", help="How much each row counts."),
            click.option("--cluster", metavar="COLUMN", help="Rows of one cluster go together (a person, a day)."),
            click.option("--engine", type=click.Choice(ENGINES), default=HERE, help="Who reads the files."),
            click.option("--scheduler", metavar="ADDRESS", help="Where the cluster of Dask or Spark is."),
            click.option("--level", type=click.FloatRange(0.5, 0.999), default=LEVEL, help="Of the intervals."),
            click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
        ]
    ):
        command = option(command)
    return command
