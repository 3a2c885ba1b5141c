"""What is said of a program under audit that ended by itself, and of words that are its own."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from goodmeasure.auditing.observing.launching import NothingObserved
from goodmeasure.auditing.observing.running import Ending, Invocation
from goodmeasure.auditing.program import ProgramStops
from goodmeasure.drawing.terminal import word
from goodmeasure.errors import UsageError

# What a host says of a program that would be seen with another setting of its environment.
_SETTING = re.compile(r"set (\w+=\w+) for the audit")


class OfAProgram(click.Command):
    """A command that is given a program: options that it does not know are the program's."""

    def make_parser(self, ctx: click.Context) -> Any:
        parser = super().make_parser(ctx)
        parse = parser.parse_args

        def parse_args(args: list[str]) -> Any:
            given = list(args)
            try:
                return parse(args)
            except click.NoSuchOption as error:
                raise _of_the_program(error, given, self) or error from None

        parser.parse_args = parse_args  # type: ignore[method-assign]
        return parser


def _of_the_program(error: click.NoSuchOption, args: list[str], command: click.Command) -> UsageError | None:
    known = [name for part in command.params if isinstance(part, click.Option) for name in part.opts]
    at = next((k for k, one in enumerate(args) if one.partition("=")[0] == error.option_name), 0)
    named = (one for one in args[:at] if "-m" in args[:at] or Path(one).suffix in (".py", ".ipynb"))
    program = next((one for one in named if not one.startswith("-")), "")
    if not program or difflib.get_close_matches(error.option_name, known, cutoff=0.75):
        return None  # a slip of the pen
    own = [*args[:at], "--", *args[at:]]
    return UsageError(
        f"there is no option {error.option_name}",
        seen=f"what belongs to {program} stands after --",
        fix=f"goodmeasure audit {shlex.join(own)}",
    )


def stopped(outcome: Ending, request: Invocation) -> ProgramStops:
    """The error that says what a program raised, how far it got, and what it may lack."""
    fix = _first_by_itself(request)
    if _RANKS.search(outcome.raised):
        fix = f"{_ALONE} {_again(request)}"
    seen = "; ".join([*_lacking(outcome.raised), _reached(outcome)])
    return ProgramStops(outcome.raised, where=outcome.raised_at or request.program, seen=seen, fix=fix)


_RANKS = re.compile(r"\b(RANK|LOCAL_RANK|WORLD_SIZE|MASTER_ADDR|MASTER_PORT)\b")
_ALONE = "RANK=0 LOCAL_RANK=0 WORLD_SIZE=1 MASTER_ADDR=localhost MASTER_PORT=29500"
_OF_A_GPU = ("cuda", "nvidia", "no gpu", "mps backend")


def _lacking(raised: str) -> Iterator[str]:
    """What a program asks for that is not here, as far as its own words say."""
    if _RANKS.search(raised):
        yield "it is one of several processes of a cluster, and is run alone here"
    elif any(name in raised.lower() for name in _OF_A_GPU):
        yield "it asks for an accelerator that is not here: tell it to use the CPU, or audit it where there is one"
    elif raised.startswith("FileNotFoundError"):
        yield f"files are looked for from {Path.cwd()}"


def _reached(outcome: Ending) -> str:
    """How far a program got."""
    seen = outcome.audit.looked_at
    if not seen:
        return "nothing that is looked at had happened before"
    return f"it got past {seen[-1]}"


def nothing_seen(outcome: Ending, request: Invocation) -> NothingObserved | ProgramStops:
    """The error that says why there is nothing to judge."""
    if outcome.status:
        return ProgramStops(
            f"the program ended by itself with status {outcome.status}",
            where=request.program,
            seen=outcome.refused or "what it said stands above",
            fix=_with_arguments(outcome.refused, request) or _first_by_itself(request),
        )
    elsewhere = [f"it started {one}, in which nothing is observed" for one in outcome.started]
    return NothingObserved(
        "nothing was seen that could be right or wrong",
        where=request.program,
        seen="; ".join([*outcome.audit.not_seen, *elsewhere])
        or "no loss was differentiated, nothing was fitted or scored",
        fix=_on_torch(outcome, request) or _built(request),
    )


def _with_arguments(refused: str, request: Invocation) -> str:
    """The command with the arguments that a program asked for; empty where it asked for none."""
    _, asked, names = refused.partition("arguments are required: ")
    if not asked:
        return ""
    options = (name.rpartition("/")[2] for name in names.split(", "))
    lacking = [f"{one} {one.strip('-').upper()}" if one.startswith("-") else one.upper() for one in options]
    return " ".join([_again(request), "--", *map(word, request.arguments), *lacking])


def _on_torch(outcome: Ending, request: Invocation) -> str:
    """The same command on the back end that is read; empty where another one was not the reason."""
    settings = [found[1] for one in outcome.audit.not_seen if (found := _SETTING.search(one))]
    return f"{settings[0]} {_again(request)}" if settings else ""


def _first_by_itself(request: Invocation) -> str:
    return f"{request.by_itself}   until it runs by itself; then {_again(request)}"


def _built(request: Invocation) -> str:
    """How what is not seen is handed over: to the command where it is a file of Python, else to the function."""
    if request.module or not request.program.endswith(".py"):
        return "gm.audit(model=model, loss=loss, inputs=x, targets=y)"
    made = "def build(): return dict(model=model, loss=loss, inputs=x, targets=y)"
    return f"write {made} into {request.program}; then goodmeasure audit {word(request.program)}:build"


def _again(request: Invocation) -> str:
    return f"goodmeasure audit {'-m ' * request.module}{word(request.program)}"
