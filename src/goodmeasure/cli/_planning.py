"""How ``goodmeasure choose`` makes its plan and prints it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from goodmeasure.choosing.plan import Plan
from goodmeasure.cli._next import is_spent, next_line
from goodmeasure.cli._spoken import costs_typed, in_options, spoken
from goodmeasure.drawing.terminal import json_text, printable
from goodmeasure.reading.files import read
from goodmeasure.reading.recognition import Written
from goodmeasure.reading.remarks import Remark
from goodmeasure.study.cases import as_target
from goodmeasure.study.column_costs import ColumnCosts
from goodmeasure.study.counting import counting, in_table
from goodmeasure.study.label_costs import planned as plan_under
from goodmeasure.study.respelling import one_spelling


def planned(data: str, target: str, asked: dict[str, Any]) -> int:
    """Choose a loss for a column in four steps: what it represents, the activation, the loss, and the costs."""
    with spoken():
        plan, remarks = _planned(data, target, asked)
    if asked["as_json"]:
        click.echo(json_text(document(plan, remarks)))
    elif asked["show_code"]:
        click.echo(plan.code(asked["show_code"]), nl=False)
    else:
        for line in (in_options(str(plan)), *(f"{remark.severity}: {remark.what}" for remark in remarks)):
            click.echo(printable(line))
        if not is_spent([data]):
            click.echo(next_line("run", data, "--target", target, *_repeated(asked)))
    return 0


def document(plan: Plan, remarks: Sequence[Remark]) -> dict[str, Any]:
    """The plan, with what was remarked of the column, as plain values."""
    return {**plan.to_dict(), "remarks": [remark.to_dict() for remark in remarks]}


def _planned(data: str, target: str, asked: dict[str, Any]) -> tuple[Plan, tuple[Remark, ...]]:
    costs = costs_typed(asked["costs"])
    by_row = costs if isinstance(costs, ColumnCosts) else None
    columns = () if by_row is None else by_row.columns
    named = [name for name in (target, asked["weights"], *columns) if name is not None]
    written = Written(asked["decimal"], asked["dates"])
    table = read(data, where=asked["where"], weight=asked["weights"], numbers=named, written=written)
    found = counting(table, target, asked["weights"])
    spelled, alike = one_spelling(found.table, [target])
    with in_table(found.table):
        plan = plan_under(
            as_target(spelled, target),
            costs if by_row is None else by_row.of(found.table),
            asked["positive"],
            ask=asked["ask"],
            represents=asked["represents"],
            activation=asked["activation"],
            outliers=asked["outliers"],
            sample_weight=None if asked["weights"] is None else found.table[asked["weights"]],
            name=target,
        )
    return replace(plan, rows=found.rows.read, left_out=found.rows.left_out), (*table.remarks, *found.remarks, *alike)


def _repeated(asked: dict[str, Any]) -> list[str]:
    """The options of this command that the next one takes as well."""
    names = ("ask", "represents", "activation", "outliers", "positive", "weights", "where", "decimal", "dates")
    pairs = [("--cost", cost) for cost in asked["costs"]]
    pairs += [(f"--{name}", asked[name]) for name in names if asked[name] is not None]
    return [part for pair in pairs for part in pair]
