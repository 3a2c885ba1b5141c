"""How ``goodmeasure predict`` reads, predicts and writes in parts."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from goodmeasure.cli._streams import aside
from goodmeasure.drawing.terminal import printable
from goodmeasure.errors import UsageError
from goodmeasure.reading.files import parts
from goodmeasure.reading.paths import refuse_onto
from goodmeasure.reading.spreadsheets import RunsInSpreadsheets, disarmed, runs
from goodmeasure.reading.tables import Values
from goodmeasure.reading.writing import CsvLines, csv_line, refuse_other_kind, whole_file
from goodmeasure.study.later_cells import LaterCells
from goodmeasure.study.model import answered, load


def predicted(
    model: str, data: str, out: str | None, keep: tuple[str, ...], where: str | None, *, for_spreadsheets: bool
) -> None:
    """Write predictions as CSV, one line for each row of DATA, in its order."""
    if out is not None:
        refuse_onto(out, [model, data])
    trained = load(model)
    noticed: dict[str, str] = {}
    seen: LaterCells | None = None
    count = formulas = 0
    with _sink(out) as lines:
        for part in parts(data, kinds=trained.columns, keep=keep, where=where, notations=trained.notations):
            shown, cells = answered(trained, part)
            seen = cells if seen is None else seen + cells
            columns = _beside({name: part.kept.get(name, part[name]).tolist() for name in keep}, shown)
            rows: list[Sequence[Any]] = [*([] if count else [tuple(columns)]), *zip(*columns.values(), strict=True)]
            formulas += sum(runs(cell) for row in rows for cell in row)
            rows = [[disarmed(cell) for cell in row] for row in rows] if for_spreadsheets else rows
            if not count:
                _refuse_other_file(out, rows[0])
            lines.rows(rows)
            noticed |= {f"{r.code} {r.what}": r.code for r in part.remarks}
            count += len(part)
    if trained.coverage is not None:
        aside(printable(trained.coverage.sentence))
    noticed |= {f"{r.code} {r.what}": r.code for r in (() if seen is None else seen.remarks())}
    if formulas and not for_spreadsheets:
        noticed |= {str(_formulas(formulas)): RunsInSpreadsheets.code}
    _say(noticed, count, out)


def _beside(kept: dict[str, list[Any]], shown: dict[str, Values]) -> dict[str, list[Any]]:
    """Kept columns and predictions, each under its own name. Error: GM009."""
    twice = sorted(kept.keys() & shown.keys())
    if twice:
        raise UsageError(
            f"--keep {twice[0]} has the name of a column that is predicted", fix="rename the column in DATA"
        )
    return {**kept, **{name: values.tolist() for name, values in shown.items()}}


def _refuse_other_file(out: str | None, header: Sequence[Any]) -> None:
    """Predictions take the place of a table with their own header, and of no other file. Errors: GM009, GM012."""
    if out is not None:
        refuse_other_kind(Path(out), f"{csv_line(header)}\n".encode())


def _formulas(count: int) -> RunsInSpreadsheets:
    return RunsInSpreadsheets(
        f"{count:,} cells begin as formulas do, and a spreadsheet may run them",
        fix="--for-spreadsheets writes them as texts",
    )


class _Output:
    """Standard output as UTF-8, whatever the locale says: predictions are a file like any other."""

    def write(self, text: str) -> None:
        """Write a text."""
        sys.stdout.buffer.write(text.encode())


@contextmanager
def _sink(out: str | None) -> Iterator[CsvLines]:
    """A CSV writer to a file that appears when it is whole, or to standard output."""
    if out is None:
        yield CsvLines(_Output())
        return
    with whole_file(Path(out)) as file:
        yield CsvLines(file)


def _say(noticed: dict[str, str], count: int, out: str | None) -> None:
    """What must be known beside the predictions goes to standard error, so that a pipe carries predictions alone."""
    for text in list(noticed)[:8]:
        aside(printable(text))
    if out is not None:
        aside(printable(f"wrote {out}: {count:,} rows"))
