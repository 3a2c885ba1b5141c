"""What is wrong between a model, its loss, its targets and its training step."""

from __future__ import annotations

import json

import click

from goodmeasure.auditing.engine import audit
from goodmeasure.auditing.finding import SEVERITIES, Audit, Severity
from goodmeasure.auditing.program import load


@click.command
@click.argument("program", metavar="FILE.py:FUNCTION")
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default="error", show_default=True, help="Exit with 1 from here."
)
@click.option("--ignore", "ignored", multiple=True, metavar="CODE", help="Leave out findings of this code; repeatable.")
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True)
@click.option(
    "--budget",
    "budget_s",
    type=float,
    metavar="SECONDS",
    help="Time to spend; what FUNCTION says, or 10, unless given.",
)
def command(program: str, fail_on: Severity, ignored: tuple[str, ...], form: str, budget_s: float | None) -> int:
    """Run FUNCTION of FILE.py, which returns a dict of model, loss, inputs, targets and what else there is.

    Everything runs on copies. Findings name the line, the evidence and the line that fixes them.

    \b
    goodmeasure audit train.py:build
    goodmeasure audit train.py:build --fail-on warning --ignore GM312 --format sarif > audit.sarif
    """
    given = load(program)
    budget = {} if budget_s is None else {"budget_s": budget_s}
    report = audit(**(given | budget)).without(ignored)
    click.echo(_written(report, form))
    return 1 if report.at_least(fail_on) else 0


def _written(report: Audit, form: str) -> str:
    if form == "json":
        return report.to_json()
    return json.dumps(report.to_sarif(), indent=2) if form == "sarif" else str(report)
