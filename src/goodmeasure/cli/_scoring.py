"""How ``goodmeasure score`` reads a tally and prints what it says."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import click

from goodmeasure.calibrating.calibration import IMPOSSIBLE, calibration
from goodmeasure.calibrating.miscalibration import root
from goodmeasure.cli import _elsewhere, _places
from goodmeasure.cli._elsewhere import CountedElsewhere
from goodmeasure.cli._evidence import (
    TallyQuestion,
    classes_of,
    columns_asked,
    evidence,
    fits_in_memory,
    groups_of,
    parts_of,
    question_of,
    request_of,
    sorted_out,
    tell_remarks,
    with_predictions,
)
from goodmeasure.cli._models import Models
from goodmeasure.cli._next import again, columns, is_spent, next_line
from goodmeasure.cli._pricing import UNPRICED, CostOfModels, Wide, as_it_is, of_amounts, of_angles, priced, refuse_costs
from goodmeasure.cli._spoken import costs_typed, spoken
from goodmeasure.cli._streams import aside
from goodmeasure.decisions.costs import Costs
from goodmeasure.drawing.plain_values import plain_values
from goodmeasure.drawing.terminal import json_text, printable
from goodmeasure.engines import duckdb
from goodmeasure.engines.request import Request
from goodmeasure.errors import Problem, UsageError
from goodmeasure.reading.paths import Places, is_file, refuse_onto
from goodmeasure.report.sentences import unlike_groups
from goodmeasure.risks.least import least_differs
from goodmeasure.tallying.saved import Saved, is_tally, save
from goodmeasure.tallying.tally import Tally


def scored(
    data: tuple[str, ...],
    scores: tuple[str, ...],
    losses: tuple[str, ...],
    raw: bool,
    save: str | None,
    fail_on: str | None,
    given: dict[str, Any],
) -> int:
    """Score predictions in a file: each model's mean loss, the paired difference of each pair, and calibration."""
    if save is not None:
        _refuse_other_files(save, data)
    costs = costs_typed(given["costs"])
    losses = losses or of_amounts(costs)
    with sorted_out(data) as (table, kept), spoken(raw=True):
        if _places.asks(given):
            _elsewhere.refuse_without_rows(table, kept, given | {"save": save})
        if costs is not None:
            refuse_costs(raw=raw, at_hand=save is None and fits_in_memory(table, kept, given))
        saved, counted = evidence(
            table,
            kept,
            TallyQuestion(with_predictions(question_of(scores, given), table), losses, raw),
            given,
            save=save is not None,
        )
        tell_remarks(table, saved.question)
        rows_there = save is None and fits_in_memory(table, kept, given)
        by_rows = _calibrated_by_rows(table, saved, given["level"], counted) if rows_there and table is not None else {}
        prices = {} if costs is None or table is None else priced(table, saved, costs, given["level"], counted)
    try:
        verdict = _said(saved, given, by_rows, counted, prices)
        if not given["as_json"]:
            # What was saved holds the table too, which would count twice beside it.
            same, of = ((save,), [save]) if save is not None else (data, kept)
            if not is_spent(same):
                asked = [] if of else columns(saved.question, losses, raw=raw)
                words = again(saved.question, same, of, given)
                click.echo(_next(saved, words, asked, given["costs"], rows_there=rows_there))
    finally:  # whatever becomes of the output, the work is kept
        if save is not None:
            _keep(save, saved)
    return 1 if fail_on is not None and verdict == "miscalibrated" else 0


def _next(saved: Saved, words: Sequence[str], asked: Sequence[str], named: Sequence[str], *, rows_there: bool) -> str:
    """The line to type next: a decision on the same rows, or where none can be made of them, what to read."""
    schema = saved.tally.schema
    priced = [part for cost in named for part in ("--cost", cost)]
    if schema.kind == "classes" and not named:
        return next_line("explain", "proper")
    if _one_answer(saved):
        return next_line("report", *words, *asked, *(priced if isinstance(costs_typed(named), Costs) else []))
    if not schema.on_predictions or (schema.kind == "amount" and not rows_there) or of_angles(schema.losses):
        return next_line("explain", "decision")
    usual = ("under=3", "over=1") if schema.kind == "amount" else ("fn=40", "fp=5")
    priced = priced or [part for cost in usual for part in ("--cost", cost)]
    return next_line("decide", *words, "--p", saved.question["scores"][0], *priced)


def _one_answer(saved: Saved) -> bool:
    """Whether scores are of yes and no, and one of them never happened."""
    scores = saved.tally.state.scores
    return bool(scores) and next(iter(scores.values())).is_of_one_answer


def _refuse_other_files(place: str, data: Sequence[str]) -> None:
    """A tally may take the place of a tally, and of no other file. Error: GM009."""
    refuse_onto(place, [source for source in data if not is_tally(source)], "--save")
    if is_file(place) and not is_tally(place):
        raise UsageError(
            f"--save {place} would replace a file that is no tally", where=place, fix="--save with another path"
        )


def _keep(path: str, saved: Any) -> None:
    save(path, saved)
    count = len(saved.shards)
    aside(printable(f"wrote {path}: {saved.tally.n:,} rows of {count:,} file{'s' * (count != 1)}"))


def _calibrated_by_rows(
    table: Places, saved: Saved, level: float, counted: CountedElsewhere | None
) -> dict[str, dict[str, Any]]:
    """By group and model the calibration of rows that go together, which a tally cannot tell; empty where it can."""
    asked, schema = saved.question, saved.tally.schema
    if asked["cluster"] is None or schema.kind == "classes" or not schema.on_predictions:
        return {}
    request = request_of(saved.tally.losses, asked, columns_asked(asked, table))
    held = duckdb.rows_of(table, request, None).columns
    scores = {model: held[columns[0]] for model, columns in request.scores} if counted is None else counted.scores
    plain = None if request.weight is None else held[request.weight]
    weight = plain if counted is None else counted.reweighed.weight
    return {
        key: {model: _of_rows(held, at, request, p[at], weight, level) for model, p in scores.items()}
        for key, at in groups_of(held, asked["by"]).items()
    }


def _of_rows(held: dict[str, Any], at: Any, request: Request, p: Any, weight: Any, level: float) -> dict[str, Any]:
    """The calibration of one model on some rows, as plain values; or why it is not known."""
    try:
        found = calibration(
            held[request.target][at],
            p,
            request.losses[-1],
            None if weight is None else weight[at],
            cluster=held[str(request.cluster)][at],
            level=level,
        )
    except Problem as problem:
        return {"verdict": f"not known: {problem.what}"}
    return {name: value for name, value in found.to_dict().items() if name not in ("curve", "classes")}


# All rows and one group: with more, words of groups are false somewhere more often than each of them is.
SEVERAL = 2


def _said(
    saved: Any,
    given: dict[str, Any],
    by_rows: dict[str, dict[str, Any]],
    counted: CountedElsewhere | None,
    prices: dict[str, CostOfModels],
) -> str:
    """Print what the tally says; the worst that is said of the calibration of a model is returned."""
    made, by = saved.tally, saved.question["by"]
    classes = classes_of(saved.question, made.schema)
    whole = document(saved, given["level"], by_rows, counted, classes, prices)
    found = whole["groups"]
    if given["as_json"]:
        click.echo(json_text(plain_values(whole)))
    else:
        click.echo(str(made.rows_read if counted is None else counted.held.rows))
        if counted is not None:
            click.echo(printable(_elsewhere.told(counted.reweighed, given)))
        for line in classes.told() if classes is not None else []:
            click.echo(printable(line))
        for key, part in found.items():
            _show(key and f"{by} = {key}", part)
        for one in filter(least_differs, made.losses if len(found) > SEVERAL else ()):
            click.echo(f"\n{unlike_groups(repr(one))}")
        if len(found) > SEVERAL:
            click.echo(
                f"\neach group is judged by itself: where all are alike, about {1 - given['level']:.2g} of the words are false"
            )
    verdicts = [one.get("verdict") for one in found[""]["calibration"].values()]
    return "miscalibrated" if "miscalibrated" in verdicts else ""


def document(
    saved: Saved,
    level: float,
    by_rows: dict[str, dict[str, Any]],
    counted: CountedElsewhere | None,
    classes: Models | None,
    prices: dict[str, CostOfModels],
) -> dict[str, Any]:
    """Everything that is said of the rows, and of each group of them; calibrations by rows where a tally cannot tell them."""
    made = saved.tally
    wide: Wide = as_it_is if counted is None else counted.reweighed.wide
    parts = parts_of(made, saved.question["by"])
    return {
        "rows": made.n,
        **_left_out(made, counted),
        **_by_label(classes),
        "groups": {
            key: _read(part, level, wide, by_rows.get(key), prices.get(key, UNPRICED)) for key, part in parts.items()
        },
    }


def _left_out(made: Tally, counted: CountedElsewhere | None) -> dict[str, Any]:
    """Which rows do not count, and as what the others do."""
    if counted is None:
        return {"excluded": made.excluded}
    return {"excluded": dict(counted.held.rows.left_out), "weighed": counted.reweighed.to_dict()}


def _by_label(classes: Models | None) -> dict[str, Any]:
    return {} if classes is None else {"classes": classes.by_label()}


def _read(
    part: Tally, level: float, wide: Wide, by_rows: dict[str, Any] | None, priced: CostOfModels
) -> dict[str, Any]:
    """Every reading of one tally as plain values."""
    models, names = part.schema.models, part.schema.losses
    by_name = dict(zip(names, part.losses, strict=True))
    return {
        "rows": part.n,
        "risk": {m: {n: wide(part.risk(by_name[n], m, level=level)).to_dict() for n in names} for m in models},
        "difference": {
            f"{a} - {b}": {n: wide(part.compare(a, b, by_name[n], level=level)).to_dict() for n in names}
            for a, b in combinations(models, 2)
        },
        "calibration": {m: _calibration(part, m, level) for m in models} if by_rows is None else by_rows,
        "cost": {m: one.to_dict() for m, one in priced.cost.items()},
        "cost_difference": {pair: one.to_dict() for pair, one in priced.difference.items()},
    }


def _calibration(part: Tally, model: str, level: float) -> dict[str, Any]:
    if part.schema.kind == "amount":
        found = part.bias(model, level=level)
        return {
            "error": root(found.squared_error).to_dict(),
            "bias": found.bias.tolist(),
            "p_value": found.p_value,
            "verdict": found.verdict,
        }
    try:
        whole: dict[str, Any] = part.calibration(part.losses[-1], model, level=level).to_dict()
    except Problem as problem:
        return {"verdict": f"not known: {problem.what}"}
    return {name: value for name, value in whole.items() if name not in ("curve", "classes")}


def _show(title: str, part: dict[str, Any]) -> None:
    """Print one group as a table."""
    click.echo(printable("\n".join(_lines(title, part))))


def _lines(title: str, part: dict[str, Any]) -> Iterator[str]:
    yield ""
    if title:
        yield f"{title}: {part['rows']:,} rows"
    width = max(len(name) for name in [*part["risk"], *part["difference"], "model"]) + 2
    losses = list(next(iter(part["risk"].values())))
    yield " " * width + "".join(f"{loss:32}" for loss in losses) + "calibration error"
    for model, by_loss in part["risk"].items():
        cells = "".join(f"{_interval(by_loss[loss]):32}" for loss in losses)
        yield f"{model:{width}}{cells}{_error(part['calibration'][model])}"
    for pair, by_loss in part["difference"].items():
        yield f"{pair:{width}}" + "".join(f"{_interval(by_loss[loss]):32}" for loss in losses)
        first = by_loss[losses[0]]
        said = f"{pair.split(' - ')[0]} is {first['verdict']} by {losses[0]}" if _sure(first) else first["verdict"]
        yield f"{'':{width}}{said}"
    yield from _cost_lines(part, width)
    for model, by_loss in part["risk"].items():
        for caution in by_loss[losses[0]]["cautions"]:
            if title or "rows left out: " not in caution:  # of all rows it is said above
                yield f"{model}: {caution}"


def _cost_lines(part: dict[str, Any], width: int) -> Iterator[str]:
    """What decisions cost, and which of each two models decides more cheaply."""
    if not part["cost"]:
        return
    yield f"{'':{width}}cost a row, each decided as its costs ask"
    for model, cost in part["cost"].items():
        yield f"{model:{width}}{_interval(cost)}"
    for pair, difference in part["cost_difference"].items():
        yield f"{pair:{width}}{_interval(difference)}"
        first, said = pair.split(" - ")[0], difference["verdict"]
        yield f"{'':{width}}{f'{first} is {said} by cost' if _sure(difference) else said}"
    for model, cost in part["cost"].items():
        yield from (f"{model}: {caution}" for caution in cost["cautions"])


def _sure(difference: dict[str, Any]) -> bool:
    return difference["verdict"] in ("better", "worse")


def _interval(estimate: dict[str, Any]) -> str:
    return f"{estimate['value']:.4g} [{estimate['low']:.4g}, {estimate['high']:.4g}]"


def _error(calibration: dict[str, Any]) -> str:
    if "error" not in calibration:
        return str(calibration.get("verdict", ""))
    told: str = calibration["verdict"]
    verdict = told if told == "miscalibrated" or told.startswith("not known") else "not shown to be off"
    return f"{_interval(calibration['error'])} {verdict}{_chance(calibration.get('p_value', math.nan))}"


def _chance(p: float | None) -> str:
    """How likely calibrated predictions look at least so far off: the word rests on it, and not on the interval."""
    if p is None or math.isnan(p):
        return ""
    if p == 0:
        return f" ({IMPOSSIBLE})"
    return f" (p {p:.2g})"
