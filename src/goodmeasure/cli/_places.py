"""The options that say where else scored rows are to count: what they are called, and whether they were given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

NAMES = ("prevalence", "shift", "like")


def _options(used: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    each = (
        click.option(
            "--prevalence", type=float, metavar="SHARE", help=f"The share of yes where the {used} will be used."
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
    )

    def taking(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(each):
            command = option(command)
        return command

    return taking


# What a command about scores takes, and one that trains a model.
of_scores, of_a_model = _options("scores"), _options("model")


def asks(given: Mapping[str, Any]) -> bool:
    """Whether rows are to count as elsewhere."""
    return any(given.get(name) not in (None, ()) for name in NAMES)


def words(given: Mapping[str, Any]) -> list[str]:
    """The options as they were given."""
    prevalence = given.get("prevalence")
    found = [] if prevalence is None else ["--prevalence", f"{prevalence:.15g}"]
    found += [part for shift in given.get("shift") or () for part in ("--shift", shift)]
    return found + ([] if given.get("like") is None else ["--like", given["like"]])
