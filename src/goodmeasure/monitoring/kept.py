"""Counts kept on disk, for the next rows to be added to."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import Any

from goodmeasure.errors import Problem
from goodmeasure.monitoring.counts import Counts
from goodmeasure.reading.documents import Mismatch, exactly, fields, mapping, must, number, row, sequence, text, whole
from goodmeasure.reading.paths import told
from goodmeasure.reading.writing import write_whole
from goodmeasure.study.seen import SeenRows

FORMAT = "goodmeasure monitor"
MARK = f'{{\n "format": "{FORMAT}"'.encode()
AGAIN = "count the rows anew, without this file"


class NoCounts(Problem, ValueError):
    """The file holds no counts of later rows, or those of another model, or it is damaged.

    What ``--save`` of ``goodmeasure monitor`` kept is of one model, and can be added to with that model alone.
    """

    code = "GM284"


_COUNTS = sequence(number(low=0), least=1, most=10_000)
_DOCUMENT = fields(
    {
        "format": exactly(FORMAT),
        "version": exactly(1),
        "model": text(most=200),
        "counts": fields(
            {
                "columns": mapping(_COUNTS),
                "predictions": _COUNTS,
                "bins": _COUNTS,
                "expected": number(),
                "labelled": whole(0, 2**53),
                "total": number(),
                "squares": number(low=0),
                "infinite": whole(0, 2**53),
                "rows": whole(0, 2**53),
                "shards": sequence(row(text(most=100_000), text(most=200))),
            }
        ),
    }
)


def is_kept(path: str | PathLike[str]) -> bool:
    """Whether a file begins as kept counts do. A pipe is none: to look into it is to empty it."""
    place = Path(path)
    with told(str(path)):
        if not place.is_file():
            return False
        with place.open("rb") as file:
            return file.read(len(MARK)) == MARK


def save(path: str | PathLike[str], counts: Counts, model: str) -> None:
    """Write counts of the later rows of a model, in the place of such a file or of none. Errors: GM009, GM012."""
    document = {"format": FORMAT, "version": 1, "model": model, "counts": counts.to_dict()}
    write_whole({Path(path): json.dumps(document, allow_nan=False, indent=1).encode(errors="backslashreplace")}, [MARK])


def load(path: str | PathLike[str], seen: SeenRows, model: str) -> Counts:
    """The counts that `save` wrote for this model. Error: GM284."""
    with told(str(path)):
        data = Path(path).read_bytes()
    try:
        state: Any = json.loads(data)
        _DOCUMENT(state, "")
        counts = Counts.from_dict(state["counts"])
        if state["model"] == model:
            _fits(counts, Counts.none(seen))
    except (ValueError, RecursionError) as error:
        seen_as = f"{error.where} is not {error.needed}" if isinstance(error, Mismatch) else "it is not a JSON document"
        raise NoCounts(f"{path} holds no counts of later rows", seen=seen_as, fix=AGAIN) from error
    if state["model"] != model:
        raise NoCounts(f"{path} is of another model", seen="the two were not made by one run", fix=AGAIN)
    return counts


def _fits(counts: Counts, empty: Counts) -> None:
    """Refuse counts of other columns or marks than the model has, or that do not add up."""
    must(counts.columns.keys() == empty.columns.keys(), "counts.columns", "the columns of the model")
    for name, marks in empty.columns.items():
        must(len(counts.columns[name]) == len(marks), f"counts.columns.{name}", "a count for each mark")
        must(max(counts.columns[name]) <= counts.rows, f"counts.columns.{name}", "counts of these rows")
    must(len(counts.predictions) == len(empty.predictions), "counts.predictions", "a count for each mark")
    must(max(counts.predictions) <= counts.rows, "counts.predictions", "counts of these rows")
    must(len(counts.bins) == len(empty.bins), "counts.bins", "a count for each bin")
    must(sum(counts.bins) == counts.rows >= counts.labelled >= counts.infinite, "counts.bins", "counts of these rows")
