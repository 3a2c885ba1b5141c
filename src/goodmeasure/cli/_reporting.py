"""How ``goodmeasure report`` makes a page of scored rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from goodmeasure.cli import _elsewhere, _places
from goodmeasure.cli._evidence import (
    TallyQuestion,
    evidence,
    question_of,
    sorted_out,
    tell_remarks,
    with_predictions,
)
from goodmeasure.cli._next import again, columns, is_spent, line
from goodmeasure.cli._spoken import costs_typed, spoken
from goodmeasure.decisions.costs import Costs
from goodmeasure.drawing.terminal import json_text, printable, word
from goodmeasure.errors import UsageError
from goodmeasure.reading.paths import refuse_onto
from goodmeasure.reading.tables import listed
from goodmeasure.reading.writing import refuse_other_kind, write_whole
from goodmeasure.report import MARKS
from goodmeasure.report.scored import ScoredRows, page
from goodmeasure.study.column_costs import COLUMN, ColumnCosts
from goodmeasure.study.question import cost_words
from goodmeasure.tallying.saved import Saved
from goodmeasure.tallying.tally import Tally

MARK = MARKS["report.html"]
KINDS = {"classes": "classes", "amount": "amounts"}


def reported(
    data: tuple[str, ...],
    scores: tuple[str, ...],
    losses: tuple[str, ...],
    raw: bool,
    costs: tuple[str, ...],
    out: str,
    given: dict[str, Any],
) -> int:
    """Tally the rows, write the page, and print its verdict."""
    refuse_onto(out, list(data), "--out")
    refuse_other_kind(Path(out), MARK)
    asked = costs_typed(costs)
    with sorted_out(data) as (table, kept), spoken(raw=True):
        question = TallyQuestion(with_predictions(question_of(scores, given), table), losses, raw)
        if _places.asks(given):
            _elsewhere.refuse_without_rows(table, kept, given)
        saved, counted = evidence(table, kept, question, given)
        tell_remarks(table, saved.question)
    elsewhere = [*again(saved.question, data, kept, given), *([] if kept else ["--p", saved.tally.schema.models[0]])]
    by_row = line("decide", *elsewhere, *(part for cost in costs for part in ("--cost", cost)))
    found = _scored(saved, data, kept, _priced(asked, saved.tally, by_row), losses, given)
    if counted is not None:
        told = _elsewhere.told(counted.reweighed, given)
        found = replace(found, rows=counted.held.rows, told=told, reweighed=counted.reweighed)
    write_whole({Path(out): page(found).encode(errors="backslashreplace")}, [MARK])
    if given["as_json"]:
        click.echo(json_text(found.to_dict()))
    else:
        click.echo(
            printable(f"{found.over}\n{found.verdict[0]}\n{found.sentence}\n\nwrote {out}\nnext: open {word(out)}")
        )
    return 0


def _priced(costs: Any, tally: Tally, by_row: str) -> Costs | None:
    """The costs of the page, where it can be decided by them; else ``by_row`` is what can. Errors: GM009, GM704."""
    if costs is None:
        return None
    if tally.schema.kind != "outcome":
        raise UsageError(
            f"a page of scored rows decides on yes and no, and these are {KINDS[tally.schema.kind]}",
            fix="leave --cost out; goodmeasure decide takes it",
        )
    if isinstance(costs, ColumnCosts):
        raise UsageError(
            "a page of scored rows is of their tally, which holds no costs that differ by row",
            seen=f"costs in {listed([COLUMN + name for name in costs.columns])}",
            fix=f"{by_row}, which decides row by row; or one cost for all: --cost fn=40 --cost fp=5",
        )
    if not isinstance(costs, Costs):
        raise UsageError("yes and no are decided by costs of misses and false alarms", fix="--cost fn=40 --cost fp=5")
    tally.curves()  # says of rows of one answer that nothing can be decided by them
    return costs


def _scored(
    saved: Saved,
    data: tuple[str, ...],
    kept: list[str],
    costs: Costs | None,
    losses: tuple[str, ...],
    given: dict[str, Any],
) -> ScoredRows:
    question = saved.question
    found = ScoredRows(
        saved.tally,
        question["target"],
        ", ".join(data),
        costs,
        question["positive"] or "yes",
        question["by"],
        given["level"],
        following="goodmeasure explain calibration",
    )
    if is_spent(data):
        return found
    rows = again(question, data, kept, given)
    prices = [part for cost in cost_words(costs) for part in ("--cost", cost)]
    asked_of = [] if kept else columns(question, losses, raw=not saved.tally.schema.on_predictions)
    shown = line("report", *rows, *asked_of, *prices)
    if not found.is_cut or not saved.tally.schema.on_predictions:
        return replace(found, command=shown)
    asked = prices or ["--cost", "fn=40", "--cost", "fp=5"]
    return replace(found, command=shown, following=line("decide", *rows, "--p", _elsewhere.plain(found.lead), *asked))
