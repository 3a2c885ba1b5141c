"""How ``goodmeasure report`` makes a page of scored rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from goodmeasure.cli import _elsewhere, _places
from goodmeasure.cli._evidence import (
    TallyQuestion,
    columns_asked,
    evidence,
    fits_in_memory,
    question_of,
    sorted_out,
    tell_remarks,
    with_predictions,
)
from goodmeasure.cli._next import again, columns, is_spent, line
from goodmeasure.cli._pricing import UNPRICED, of_amounts, of_labels, priced, refuse_costs
from goodmeasure.cli._spoken import costs_typed, spoken
from goodmeasure.decisions.costs import Costs
from goodmeasure.drawing.terminal import json_text, printable, word
from goodmeasure.errors import UsageError
from goodmeasure.reading.paths import Places, refuse_onto
from goodmeasure.reading.writing import refuse_other_kind, write_whole
from goodmeasure.report import MARKS
from goodmeasure.report.scored import ScoredRows, page
from goodmeasure.study.label_costs import LabelCosts
from goodmeasure.tallying.saved import Saved

MARK = MARKS["report.html"]


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
        losses = losses or (of_amounts(asked) if table is not None else ())
        question = TallyQuestion(with_predictions(question_of(scores, given), table), losses, raw)
        if _places.asks(given):
            _elsewhere.refuse_without_rows(table, kept, given)
        saved, counted = evidence(table, kept, question, given)
        tell_remarks(table, saved.question)
        of_tally = _of_tally(asked, table, saved)
        decided = UNPRICED
        if asked is not None and of_tally is None:
            refuse_costs(raw=raw, at_hand=fits_in_memory(table, kept, given))
            decided = UNPRICED if table is None else priced(table, saved, asked, given["level"], counted)[""]
    found = _scored(saved, data, kept, of_tally, losses, given | {"costs": costs})
    found = replace(found, cost=decided.cost, cost_difference=decided.difference)
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


def _of_tally(costs: Any, table: Places | None, saved: Saved) -> Costs | None:
    """Costs by which the tally itself is decided, those of yes and no; None of others. Errors: GM009, GM704."""
    if saved.tally.schema.kind != "outcome":
        return None
    if isinstance(costs, LabelCosts):
        if table is None:
            raise UsageError("a tally does not hold the labels that these costs name", fix="--cost fn=40 --cost fp=5")
        costs = of_labels(costs, columns_asked(saved.question, table), table, saved.question)
    if not isinstance(costs, Costs):
        return None
    saved.tally.curves()  # says of rows of one answer that nothing can be decided by them
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
    prices = [part for cost in given["costs"] for part in ("--cost", cost)]
    asked_of = [] if kept else columns(question, losses, raw=not saved.tally.schema.on_predictions)
    shown = line("report", *rows, *asked_of, *prices)
    if not (found.is_cut or prices) or not saved.tally.schema.on_predictions:
        return replace(found, command=shown)
    asked = prices or ["--cost", "fn=40", "--cost", "fp=5"]
    return replace(found, command=shown, following=line("decide", *rows, "--p", _elsewhere.plain(found.lead), *asked))
