"""How ``goodmeasure monitor`` reads a model and later rows, and prints what they say."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import click

from goodmeasure.cli._next import is_spent, next_line
from goodmeasure.cli._spoken import spoken
from goodmeasure.cli._streams import aside, tell
from goodmeasure.cli._tally_options import LEVEL
from goodmeasure.drawing.terminal import json_text, printable
from goodmeasure.errors import UsageError
from goodmeasure.monitoring import kept
from goodmeasure.monitoring.monitor import monitor
from goodmeasure.monitoring.monitored import Monitored, later, lines
from goodmeasure.reading.paths import names_of, refuse_onto
from goodmeasure.reading.writing import refuse_other_kind, write_whole
from goodmeasure.report import MARKS
from goodmeasure.report.later import page
from goodmeasure.report.summary import labelled

MARK = MARKS["report.html"]
SAVE = "so_far.json"
# What --fail-on takes for a finding.
FOUND = {"worse": ("worse",), "moved": ("worse", "moved")}
COLOURS = {"worse": "red", "moved": "yellow", "no change shown": "green"}


def monitored(
    model: str,
    data: Sequence[str],
    where: str | None,
    save: str | None,
    out: str | None,
    *,
    level: float,
    as_json: bool,
    fail_on: str | None,
) -> int:
    """Count the rows, keep the counts if that was asked, and say what they show."""
    tables, earlier = _sorted_out(data)
    _refuse_places(model, tables, save, out)
    with spoken():
        found = monitor(model, tables[0] if tables else None, so_far=earlier, save=save, where=where, level=level)
    tell(vast.remark(name) for name, vast in found.counts.vast.items() if vast.large)
    if out is not None:
        write_whole({Path(out): page(found, model).encode(errors="backslashreplace")}, [MARK])
    if as_json:
        click.echo(json_text(found.to_dict()))
    else:
        _say(found, model)
        for path in filter(None, (out, save)):
            aside(printable(f"wrote {path}"))
        if not is_spent(data):
            click.echo(_next(model, data, where, save, level))
    return 1 if found.word in FOUND.get(fail_on or "", ()) else 0


def _sorted_out(data: Sequence[str]) -> tuple[list[str], list[str]]:
    """The tables among what was given, and what was kept of earlier rows. Error: GM009."""
    earlier = [path for source in data if source != "-" for path in names_of(source) if kept.is_kept(path)]
    tables = [source for source in data if source == "-" or not {*names_of(source)} & {*earlier}]
    mixed = [
        source for source in data if source != "-" and 0 < len({*names_of(source)} & {*earlier}) < len(names_of(source))
    ]
    if mixed:
        raise UsageError(f"{mixed[0]} matches kept counts and other files", fix="name the two apart")
    if len(tables) > 1:
        raise UsageError(
            "several tables were given", seen=", ".join(tables[:5]), fix="one pattern in quotes, e.g. 'data/*.parquet'"
        )
    return tables, earlier


def _refuse_places(model: str, tables: Sequence[str], save: str | None, out: str | None) -> None:
    """Refuse to write where something is read, or where a file of another kind stands. Error: GM009."""
    for option, path, mark in (("--save", save, kept.MARK), ("--out", out, MARK)):
        if path is not None:
            refuse_onto(path, [model, *tables], option)
            refuse_other_kind(Path(path), mark)


def _say(found: Monitored, model: str) -> None:
    width = min(shutil.get_terminal_size((100, 24)).columns, 120)
    title = f"goodmeasure monitor: {model}, {later(found.rows)}"
    click.echo(click.style(printable(title), bold=True) + "\n")
    for label, text in lines(found):
        shown = labelled(label, text, width)
        if label == "verdict":
            shown[0] = shown[0].replace(text, click.style(text, fg=COLOURS[text], bold=True))
        click.echo("\n".join(shown))


def _next(model: str, data: Sequence[str], where: str | None, save: str | None, level: float) -> str:
    """The line that keeps the counts, or that looks at them once more."""
    more = [] if level == LEVEL else ["--level", f"{level:.15g}"]
    if save is not None:
        return next_line("monitor", model, save, *more)
    condition = [] if where is None else ["--where", where]
    return next_line("monitor", model, *data, *condition, *more, "--save", SAVE)
