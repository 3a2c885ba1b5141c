"""goodmeasure score: the risk of one or several models on held-out rows, with intervals."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import click

from goodmeasure.cli._evidence import losses_from, options, plain, request_of, tallied


@click.command(short_help="What models cost on held-out rows, with intervals, and which is better.")
@click.argument("data")
@click.option(
    "--p", "scores", multiple=True, required=True, metavar="COLUMN", help="A model's predictions; repeatable."
)
@click.option(
    "--loss", "losses", multiple=True, metavar="LOSS", help="A loss of the catalogue, e.g. pinball(level=0.9)."
)
@click.option("--raw", is_flag=True, help="The columns hold raw outputs, not predictions.")
@click.option("--fail-on", type=click.Choice(["miscalibrated"]), help="Exit with 1 if a model surely is.")
@options
def command(data: str, scores: tuple[str, ...], losses: tuple[str, ...], fail_on: str | None, **given: Any) -> int:
    """Score predictions in a file: each model's mean loss, the paired difference of each pair, and calibration.

    DATA is a CSV or Parquet file, or a pattern in quotes; it may be larger than memory. Classes are columns joined by
    commas: --p p_cat,p_dog,p_fox.

    \b
    goodmeasure score held_out.parquet --y churned --p plain --p recalibrated --by region
    goodmeasure score 'data/*.parquet' --y amount --p predicted --loss huber --engine dask
    """
    chosen = losses_from(losses or _default(scores))
    made = tallied(data, request_of(chosen, scores, given), given)
    groups = {"": made} | ({key: made[key] for key in sorted(made.groups)} if given["by"] else {})
    found = {key: _read(part, given["level"]) for key, part in groups.items()}
    if given["as_json"]:
        click.echo(json.dumps(plain({"rows": made.n, "excluded": made.excluded, "groups": found}), indent=1))
    else:
        click.echo(f"{made.n:,} rows" + "".join(f", {n:,} left out: {why}" for why, n in made.excluded.items()))
        for key, part in found.items():
            _show(key and f"{given['by']} = {key}", part)
        click.echo(f"\nnext: goodmeasure decide {data} --y {given['target']} --p {scores[0]} --cost fn=40 --cost fp=5")
    bad = any(one.get("verdict") == "miscalibrated" for one in found[""]["calibration"].values())
    return 1 if fail_on is not None and bad else 0


def _default(scores: tuple[str, ...]) -> tuple[str, ...]:
    return ("cross_entropy", "brier") if "," in scores[0] else ("binary_cross_entropy", "binary_brier")


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
    from goodmeasure.calibrating.miscalibration import root
    from goodmeasure.errors import Problem

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
