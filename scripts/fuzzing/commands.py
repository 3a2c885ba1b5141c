"""Command lines: what each command needs, and every option that its own parser knows."""

from __future__ import annotations

import random
from collections.abc import Iterator

import click

from fuzzing.damage import TEXTS
from goodmeasure.cli import goodmeasure

# What makes each command run on the plain table; {} stands for its file.
NEEDS: dict[str, tuple[str, ...]] = {
    "audit": ("program.py:build",),
    "choose": ("{}", "--target", "yes"),
    "decide": ("{}", "--y", "yes", "--p", "p", "--cost", "fn=4", "--cost", "fp=1"),
    "demo": ("--out", "out"),
    "export": ("model.json", "out.sql"),
    "explain": ("GM003", "--no-input"),
    "lab": ("--export", "lab.html"),
    "losses": ("huber",),
    "monitor": ("model.json", "{}"),
    "predict": ("model.json", "{}", "--out", "out.csv"),
    "report": ("{}", "--y", "yes", "--p", "p", "--out", "out.html"),
    "run": ("{}", "--target", "yes", "--exclude", "p", "--exclude", "z", "--out", "out"),
    "score": ("{}", "--y", "yes", "--p", "p"),
}
READERS = tuple(name for name, words in NEEDS.items() if "{}" in words)
SLOW = ("run", "demo", "audit")
# What such options often take, beside what no option should be given.
USUAL = (
    "yes",
    "p",
    "z",
    "amount",
    "mu",
    "w",
    "region",
    "day",
    "0.5",
    "3",
    "fn=4",
    "under=2",
    "p > 0.2",
    "mean",
    "out2",
)
CONDITIONS = (
    "1=1)); COPY (SELECT 1 AS y) TO 't.csv' (FORMAT csv); --",
    "p > (SELECT count(*) FROM t)",
    "read_csv('t.csv') IS NOT NULL",
    "p > 0.2 OR",
    "p > 0.2; DROP TABLE t",
    "getenv('HOME') <> ''",
    "\"p\" > 0.2 AND region LIKE '%o%'",
    "p BETWEEN 0.1 AND 0.9",
    "CASE WHEN p > .5 THEN true ELSE NULL END",
    "p",
    "region",
    "(((((((p > 0",
    "p > 1e400",
    "-- nothing",
    "/* open",
)


def options(command: str) -> list[click.Parameter]:
    """The options of a command, as its parser has them."""
    found = goodmeasure.get_command(click.Context(goodmeasure), command)
    return [each for each in found.params if isinstance(each, click.Option)] if found is not None else []


def values(option: click.Parameter) -> Iterator[str]:
    """What an option may be given: what it asks for, what belongs to others, and what nobody should give it."""
    if isinstance(option.type, click.Choice):
        yield from map(str, option.type.choices)
    if option.name == "where":
        yield from CONDITIONS
    yield from USUAL
    yield from TEXTS


def given(command: str, option: click.Parameter, value: str) -> list[str]:
    """The words of an option, as they are typed."""
    name = option.opts[0]
    if getattr(option, "is_flag", False):
        return [name]
    return [f"{name}={value}"] if value.startswith("-") else [name, value]


def sweep() -> Iterator[tuple[str, list[str]]]:
    """Every option of every command with every value."""
    for command in NEEDS:
        for option in options(command):
            each = [""] if getattr(option, "is_flag", False) else values(option)
            for value in each:
                yield command, given(command, option, value)


def some(command: str, chance: random.Random) -> list[str]:
    """A few options of a command with values that they may be given."""
    known = options(command)
    chosen = chance.sample(known, min(len(known), chance.choice((0, 0, 1, 2, 3))))
    return [word for each in chosen for word in given(command, each, chance.choice(list(values(each))))]


def line(command: str, data: str, more: list[str]) -> list[str]:
    """A whole command line."""
    return [command, *(data if word == "{}" else word for word in NEEDS[command]), *more]
