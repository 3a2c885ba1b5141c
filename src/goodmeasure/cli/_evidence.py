"""What the commands that read evidence have in common: options, the request, and how estimates are shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import click

from goodmeasure.errors import UsageError

_CALL = re.compile(r"\s*([a-z_0-9]+)\s*(?:\(\s*(.*?)\s*\))?\s*")


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of both commands."""
    for option in reversed(
        [
            click.option(
                "--target", "--y", required=True, metavar="COLUMN", help="The column that says what happened."
            ),
            click.option("--positive", metavar="LABEL", help="The label that means yes."),
            click.option("--by", metavar="COLUMN", help="Tell each group apart as well."),
            click.option("--where", metavar="SQL", help='Use only rows that fit this condition, e.g. "age >= 18".'),
            click.option("--weights", metavar="COLUMN", help="How much each row counts."),
            click.option("--cluster", metavar="COLUMN", help="Rows of one cluster go together (a person, a day)."),
            click.option(
                "--engine", type=click.Choice(["duckdb", "dask"]), default="duckdb", help="Who reads the files."
            ),
            click.option("--scheduler", metavar="ADDRESS", help="The Dask scheduler to use."),
            click.option("--level", type=click.FloatRange(0.5, 0.999), default=0.95, help="Of the intervals."),
            click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
        ]
    ):
        command = option(command)
    return command


def losses_from(given: Sequence[str]) -> tuple[Any, ...]:
    """Losses by their call in the catalogue: ``huber``, or ``pinball(level=0.9)``. Error: GM009."""
    return tuple(_loss(text) for text in given)


def _loss(text: str) -> Any:
    from goodmeasure.losses import catalogue

    match = _CALL.fullmatch(text)
    name = match[1] if match else text
    if match is None or name not in catalogue():
        raise UsageError(f"there is no loss {text!r}", fix="goodmeasure losses")
    pairs = [part.partition("=") for part in (match[2] or "").split(",") if part.strip()]
    try:
        return catalogue()[name](**{key.strip(): float(value) for key, _, value in pairs})
    except ValueError as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"--loss {text}: hyperparameters are numbers", fix=f"--loss '{name}(...=1)'") from error


def request_of(losses: tuple[Any, ...], scores: Sequence[str], given: dict[str, Any]) -> Any:
    """What is asked of the table; a score is a column, or several joined by commas (one a class)."""
    from goodmeasure.engines.request import Request

    return Request(
        losses,
        given["target"],
        tuple((score, tuple(score.split(","))) for score in scores),
        weight=given["weights"],
        group=given["by"],
        cluster=given["cluster"],
        where=given["where"],
        on_predictions=not given.get("raw", False),
        positive=given["positive"],
    )


def tallied(data: str, request: Any, given: dict[str, Any]) -> Any:
    """The tally of the files, by the engine that was chosen."""
    if given["engine"] == "dask":
        from goodmeasure.engines import dask

        return dask.tally_files(data, request, scheduler=given["scheduler"])
    if given["scheduler"] is not None:
        raise UsageError("--scheduler goes with --engine dask", fix="--engine dask --scheduler tcp://host:8786")
    from goodmeasure.engines import duckdb

    return duckdb.tally_files(data, request)


def plain(value: Any) -> Any:
    """Values that JSON has: infinities and NaN as null, tuples as lists."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return value
