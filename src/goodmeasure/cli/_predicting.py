"""How ``goodmeasure predict`` reads, predicts and writes in parts."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from goodmeasure.drawing.terminal import printable
from goodmeasure.reading.files import parts
from goodmeasure.reading.writing import whole_file
from goodmeasure.study.model import load


def predicted(model: str, data: str, out: str | None, keep: tuple[str, ...], where: str | None) -> None:
    """Write predictions as CSV, one line for each row of DATA, in its order."""
    trained = load(model)
    others = tuple(dict.fromkeys(name for name in keep if name not in trained.columns))
    noticed: dict[str, str] = {}
    count = 0
    with _sink(out) as lines:
        for part in parts(data, kinds=trained.columns, keep=others, where=where):
            shown, remarks = trained.answers(part)
            columns = {**{name: part[name].tolist() for name in keep}, **{k: v.tolist() for k, v in shown.items()}}
            if not count:
                lines.writerow(columns)
            lines.writerows(zip(*columns.values(), strict=True))
            noticed |= {f"{r.code} {r.what}": r.code for r in (*part.remarks, *remarks)}
            count += len(part)
    _say(noticed, count, out)


@contextmanager
def _sink(out: str | None) -> Iterator[Any]:
    """A CSV writer to a file that appears when it is whole, or to standard output."""
    if out is None:
        yield csv.writer(sys.stdout, lineterminator="\n")
        return
    with whole_file(Path(out)) as file:
        yield csv.writer(file, lineterminator="\n")


def _say(noticed: dict[str, str], count: int, out: str | None) -> None:
    """What must be known beside the predictions goes to standard error, so that a pipe carries predictions alone."""
    for text in list(noticed)[:8]:
        click.echo(printable(text), err=True)
    if out is not None:
        click.echo(f"wrote {out}: {count:,} rows", err=True)
