"""How ``goodmeasure score`` reads a tally and prints what it says."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import click

from goodmeasure.calibrating.miscalibration import root
from goodmeasure.cli._evidence import TallyQuestion, evidence, next_step, plain, question_of, sorted_out
from goodmeasure.errors import Problem
from goodmeasure.tallying.saved import save


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
    table, kept = sorted_out(data)
    asked = question_of(scores, given)
    ask = TallyQuestion(asked, losses or (() if kept else _default(scores)), raw)
    saved = evidence(table, kept, ask, given, save=save is not None)
    try:
        verdict = _said(saved, given)
        if not given["as_json"]:
            # What was saved holds the table too, which would count twice beside it.
            again, of = ((save,), [save]) if save is not None else (data, kept)
            click.echo(f"\n{next_step('decide', again, of, saved.question)} --cost fn=40 --cost fp=5")
    finally:  # whatever becomes of the output, the work is kept
        if save is not None:
            _keep(save, saved)
    return 1 if fail_on is not None and verdict == "miscalibrated" else 0


def _keep(path: str, saved: Any) -> None:
    save(path, saved)
    count = len(saved.shards)
    click.echo(f"wrote {path}: {saved.tally.n:,} rows of {count:,} file{'s' * (count != 1)}", err=True)


def _said(saved: Any, given: dict[str, Any]) -> str:
    """Print what the tally says; the worst that is said of the calibration of a model is returned."""
    made, by = saved.tally, saved.question["by"]
    groups = {"": made} | ({key: made[key] for key in sorted(made.groups)} if by else {})
    found = {key: _read(part, given["level"]) for key, part in groups.items()}
    if given["as_json"]:
        click.echo(json.dumps(plain({"rows": made.n, "excluded": made.excluded, "groups": found}), indent=1))
    else:
        click.echo(f"{made.n:,} rows" + "".join(f", {n:,} left out: {why}" for why, n in made.excluded.items()))
        for key, part in found.items():
            _show(key and f"{by} = {key}", part)
    verdicts = [one.get("verdict") for one in found[""]["calibration"].values()]
    return "miscalibrated" if "miscalibrated" in verdicts else ""


def _default(scores: tuple[str, ...]) -> tuple[str, ...]:
    return ("cross_entropy", "brier") if scores and "," in scores[0] else ("binary_cross_entropy", "binary_brier")


def _read(part: Any, level: float) -> dict[str, Any]:
    """Every reading of one tally as plain values."""
    models, names = part.schema.models, part.schema.losses
    by_name = dict(zip(names, part.losses, strict=True))
    return {
        "rows": part.n,
        "risk": {m: {n: part.risk(by_name[n], m, level=level).to_dict() for n in names} for m in models},
        "difference": {
            f"{a} - {b}": {n: part.compare(a, b, by_name[n], level=level).to_dict() for n in names}
            for a, b in combinations(models, 2)
        },
        "calibration": {m: _calibration(part, m, level) for m in models},
    }


def _calibration(part: Any, model: str, level: float) -> dict[str, Any]:
    if part.schema.kind == "amount":
        found = part.bias(model, level=level)
        return {
            "error": root(found.squared_error).to_dict(),
            "bias": found.bias.tolist(),
            "verdict": "miscalibrated" if found.squared_error.low > 0 else "not shown to be off",
        }
    try:
        whole: dict[str, Any] = part.calibration(part.losses[-1], model, level=level).to_dict()
    except Problem as problem:
        return {"verdict": f"not known: {problem.what}"}
    return {name: value for name, value in whole.items() if name not in ("curve", "classes")}


def _show(title: str, part: dict[str, Any]) -> None:
    """Print one group as a table."""
    click.echo("")
    if title:
        click.echo(f"{title}: {part['rows']:,} rows")
    width = max(len(name) for name in [*part["risk"], *part["difference"], "model"]) + 2
    losses = list(next(iter(part["risk"].values())))
    click.echo(" " * width + "".join(f"{loss:32}" for loss in losses) + "calibration error")
    for model, by_loss in part["risk"].items():
        cells = "".join(f"{_interval(by_loss[loss]):32}" for loss in losses)
        click.echo(f"{model:{width}}{cells}{_error(part['calibration'][model])}")
    for pair, by_loss in part["difference"].items():
        click.echo(f"{pair:{width}}" + "".join(f"{_interval(by_loss[loss]):32}" for loss in losses))
        first = by_loss[losses[0]]
        click.echo(
            f"{'':{width}}{pair.split(' - ')[0]} is {first['verdict']} by {losses[0]}"
            if _sure(first)
            else f"{'':{width}}{first['verdict']}"
        )
    for model, by_loss in part["risk"].items():
        for caution in by_loss[losses[0]]["cautions"]:
            click.echo(f"{model}: {caution}")


def _sure(difference: dict[str, Any]) -> bool:
    return difference["verdict"] in ("better", "worse")


def _interval(estimate: dict[str, Any]) -> str:
    return f"{estimate['value']:.4g} [{estimate['low']:.4g}, {estimate['high']:.4g}]"


def _error(calibration: dict[str, Any]) -> str:
    if "error" not in calibration:
        return str(calibration.get("verdict", ""))
    verdict = calibration["verdict"] if calibration["verdict"] == "miscalibrated" else "not shown to be off"
    return f"{_interval(calibration['error'])} {verdict}"
