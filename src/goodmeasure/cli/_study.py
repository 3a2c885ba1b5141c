"""How a study is run from the command line: with a progress bar, files written at once, and a short summary."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from goodmeasure.cli._evidence import losses_from
from goodmeasure.cli._spoken import costs_typed, spoken
from goodmeasure.decisions.costs import Costs
from goodmeasure.drawing.terminal import json_text
from goodmeasure.reading.paths import refuse_onto
from goodmeasure.reading.remarks import at_least
from goodmeasure.report import FILES, located, refuse_others, write
from goodmeasure.report.summary import summary
from goodmeasure.strict.extras import needed
from goodmeasure.study.examples import example
from goodmeasure.study.run import run
from goodmeasure.study.study import Study
from goodmeasure.study.training import STRENGTHS, Tick

FINDINGS = 1


def studied(data: Any, asked: dict[str, Any], out: str) -> Study:
    """Run what the options ask, telling on a terminal how far it has come; the files in ``out`` are none that are read."""
    for name in FILES:
        refuse_onto(
            Path(out) / name, [each for each in (data, asked.get("test"), asked.get("like")) if each is not None]
        )
    refuse_others(out)
    asked = {name: value for name, value in asked.items() if value is not None}
    asked["costs"] = costs_typed(asked.pop("costs", ()))
    asked["exclude"] = tuple(asked.get("exclude", ()))
    asked["by"] = tuple(asked.get("by", ()))
    asked["shift"] = tuple(asked.get("shift", ()))
    asked["loss"] = losses_from(asked["loss"]) or None
    with progress(steps(asked)) as tick, spoken():
        return run(data, tick=tick, **asked)


def demonstrated(task: str, model: str, seed: int, out: str, *, as_json: bool) -> int:
    """Run the question of an example on its table."""
    chosen = example(task)
    refuse_others(out)
    path = chosen.write(out)
    with progress(steps({**chosen.asked, "model": model})) as tick:
        study = run(path, chosen.target, tick=tick, model=model, seed=seed, **chosen.asked)
    if not as_json:
        click.echo(f"{chosen.story}\n")
    return finish(study, out, as_json=as_json, fail_on=None, shown="goodmeasure demo")


def steps(asked: dict[str, Any]) -> int:
    """How many steps a run will tell of, if its first fit does not ask for a second."""
    models = asked.get("model", "linear")
    each = [len(STRENGTHS) if one == "linear" else 2 for one in ([models] if isinstance(models, str) else models)]
    losses = len(asked.get("loss") or (None,))
    weighs = isinstance(asked.get("costs"), Costs)
    return 3 + losses * sum(fits + weighs * (1 + fits) for fits in each)


@contextmanager
def progress(total: int | None = None) -> Iterator[Tick]:
    """A bar on standard error if that is a terminal; otherwise nothing at all."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    rich, console = (needed(f"rich.{part}", "a bar of progress") for part in ("progress", "console"))
    columns = (rich.BarColumn(24), rich.TimeElapsedColumn(), rich.TextColumn("{task.description}", markup=False))
    with rich.Progress(*columns, console=console.Console(stderr=True), transient=True) as bar:
        task = bar.add_task("start", total=total)
        yield lambda step: bar.update(task, description=step, advance=1)


def finish(study: Study, out: str, *, as_json: bool, fail_on: str | None, shown: str = "goodmeasure run") -> int:
    """Write the files, print the summary, and say by the exit status whether something was found."""
    with progress() as tick:
        tick("write the report")
        study = located(study, out)
        written = write(study, out)
    if as_json:
        click.echo(json_text(study.to_dict()))
    else:
        width = min(shutil.get_terminal_size((100, 24)).columns, 120)
        text = summary(study, written, width=width, head=shown)
        click.echo(text.encode(errors="replace").decode())  # names of files need not be UTF-8
    unshown = study.verdict.word in ("do not use", "cannot tell yet")
    found = fail_on is not None and (at_least(study.remarks, fail_on) or unshown)
    return FINDINGS if found else 0
