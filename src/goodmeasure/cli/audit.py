"""What is wrong between a model, its loss, its targets and its training step."""

from __future__ import annotations

import json

import click

from goodmeasure.auditing.engine import audit
from goodmeasure.auditing.finding import SEVERITIES, Audit, Severity
from goodmeasure.auditing.observing.launching import launch
from goodmeasure.auditing.observing.running import Ending, Invocation
from goodmeasure.auditing.program import load
from goodmeasure.cli._programs import OfAProgram, nothing_seen, stopped


@click.command(cls=OfAProgram)
@click.argument("program", metavar="PROGRAM")
@click.argument("arguments", metavar="[-- ARGS]", nargs=-1, type=click.UNPROCESSED)
@click.option("-m", "module", is_flag=True, help="PROGRAM is a module, as of python -m.")
@click.option(
    "--steps", type=click.IntRange(1), default=3, show_default=True, help="Training steps to run and look at."
)
@click.option("--all", "whole", is_flag=True, help="Run the program to its end; it may then write its files.")
@click.option("--stop", is_flag=True, help="End the program at the last of these steps.")
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default="error", show_default=True, help="Exit with 1 from here."
)
@click.option("--ignore", "ignored", multiple=True, metavar="CODE", help="Leave out findings of this code; repeatable.")
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True)
@click.option(
    "--budget",
    "budget_s",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Time to spend: on FUNCTION 10 or what it says, on a program 60, unless given.",
)
def command(
    program: str,
    arguments: tuple[str, ...],
    module: bool,
    steps: int,
    whole: bool,
    stop: bool,
    fail_on: Severity,
    ignored: tuple[str, ...],
    form: str,
    budget_s: float | None,
) -> int:
    """Run PROGRAM as it is, under observation, and say what is wrong in what it does.

    PROGRAM is a script, a notebook, or a module with -m; its own arguments come after --. It runs in a process of its own.
    After a few training steps its loaders of batches and its loops end, as if the data were over, and from then on the program is
    ended where it is about to write a file: nothing half-trained overwrites anything. What it prints goes to standard error.

    FILE.py:FUNCTION names a function that returns a dict of model, loss, inputs, targets and what else there is; everything
    then runs on copies. Findings name the line, the evidence and the line that fixes them.

    \b
    goodmeasure audit train.py -- --epochs 3
    goodmeasure audit -m package.train
    goodmeasure audit analysis.ipynb
    goodmeasure audit train.py:build --fail-on warning --ignore GM312 --format sarif > audit.sarif
    """
    if ":" in program and not module:
        report = _built(program, budget_s).without(ignored)
        click.echo(_written(report, form))
    else:
        request = Invocation(program, arguments, module, steps, whole, stop, budget_s or 60.0)
        outcome = launch(request)
        report = outcome.audit.without(ignored)
        if report.looked_at:
            click.echo(_written(report, form))
        _ended(outcome, request)
    return 1 if report.at_least(fail_on) else 0


def _built(program: str, budget_s: float | None) -> Audit:
    given = load(program)
    return audit(**(given | ({} if budget_s is None else {"budget_s": budget_s})))


_OPEN = "open for writing by then (Python writes there no more; what other code writes is not stopped):"


def _ended(outcome: Ending, request: Invocation) -> None:
    """Say how the program ended; where it stopped by itself, or nothing was seen, that is an error."""
    if outcome.ended:
        click.echo(outcome.ended, err=True)
    if outcome.left_open:
        click.echo(f"{_OPEN} {', '.join(outcome.left_open)}", err=True)
    if outcome.raised and outcome.after_cut:
        click.echo(f"then it stopped: {outcome.raised} ({outcome.raised_at})", err=True)
    elif outcome.raised:
        raise stopped(outcome, request)
    if not outcome.audit.looked_at:
        raise nothing_seen(outcome, request)


def _written(report: Audit, form: str) -> str:
    if form == "json":
        return report.to_json()
    return json.dumps(report.to_sarif(), indent=2) if form == "sarif" else str(report)
