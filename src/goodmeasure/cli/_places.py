"""The options that say where else scored rows are to count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command that takes them."""
    for option in reversed(
        [
            click.option(
                "--prevalence", type=float, metavar="SHARE", help="The share of yes where the scores will be used."
            ),
            click.option(
                "--shift",
                multiple=True,
                metavar="COLUMN=...",
                help="What a column is there: age=45, or region=north:0.3,south:0.7.",
            ),
            click.option(
                "--like", metavar="FILE", help="Rows as they are there: rows of DATA count as often as such rows occur."
            ),
        ]
    ):
        command = option(command)
    return command
