"""The options that say how the cells of a table are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command that takes them."""
    decimal = click.option(
        "--decimal",
        type=click.Choice(["point", "comma"]),
        help="What stands before decimals, where the cells do not tell.",
    )
    dates = click.option(
        "--dates",
        type=click.Choice(["day-first", "month-first"]),
        help="How 01/02/2024 is meant, where the cells do not tell.",
    )
    return decimal(dates(command))
