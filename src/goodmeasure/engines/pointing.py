"""Which row of which file or frame a problem is of, under the names that its columns have there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from goodmeasure.engines.request import Columns, Request, Taking
from goodmeasure.engines.shard import Origin, Partition
from goodmeasure.errors import Problem
from goodmeasure.reading.connection import Reader
from goodmeasure.reading.inspection import filtered, weighed
from goodmeasure.reading.sources import Files, alone, framed
from goodmeasure.statistics.row_arguments import CELL


@contextmanager
def in_order(origin: Origin, request: Request) -> Iterator[Files]:
    """The rows that a request counts, which come in their order."""
    if isinstance(origin, Partition):
        with Reader(frame=origin.rows, threads=1) as reader:
            yield of_frame(reader, origin.rows, request)
    else:
        with Reader([origin.path], threads=1) as reader:
            yield as_asked(alone(reader, origin), request)


def point(problem: Problem, origin: Origin, row: int, request: Request) -> None:
    """Say of a problem with a row, counted from 0 among those that fit, where it stands in its file or frame."""
    with in_order(origin, request) as files:
        at = files.at(row)
        where = f"row {at:,}" if isinstance(origin, Partition) else files.line(origin, at + 2)
    cell = CELL.fullmatch(problem.where)
    if cell and isinstance(origin, Partition):
        where = f"{cell[1]}[{at}]"
    elif cell:
        column = in_table(cell[1], request)
        problem.what = re.sub(rf"^{re.escape(cell[1])} (?=holds)", lambda _: f"{column} ", problem.what)
        where = f"{where}, column {column!r}"
    problem.where = where


def in_table(name: str, request: Request) -> str:
    """What an argument is called in the table; other names are those of columns."""
    target, score = request.target, request.scores[0][0]
    named = {"y": target, "target": target, "p": score, "prediction": score, "sample_weight": str(request.weight)}
    return named.get(name, name)


def of_frame(reader: Reader, frame: Any, request: Request) -> Files:
    """The frame that a reader knows, with the rows that a request counts."""
    import narwhals as nw

    files = weighed(framed(reader, nw.from_native(frame).columns), request.weight, request.written)
    return filtered(files, request.where) if isinstance(request.where, str) else files


def as_asked(files: Files, request: Request) -> Files:
    """The files with the rows that a request counts."""
    return weighed(files, request.weight, request.written).filtered(request.filter)


def first_refused(blocks: Iterable[Columns], request: Request, taking: Taking) -> tuple[int, Problem] | None:
    """The first row with which rows in their order cannot be taken, and what is said of them."""
    start = 0
    for block in blocks:
        rows = len(block[request.target])
        if (problem := _refusal(block, request, taking, rows)) is not None:
            return start + _first(block, request, taking, rows, problem.code), problem
        start += rows
    return None


def _first(block: Columns, request: Request, taking: Taking, rows: int, code: str) -> int:
    """The least number of rows, less one, that are refused together for this reason, found by halves.

    Rows before those may be refused alone for another one: vast amounts, beside one that is infinite.
    """
    fine, bad = 0, rows
    while bad - fine > 1:
        middle = (fine + bad) // 2
        found = _refusal(block, request, taking, middle)
        fine, bad = (fine, middle) if found is not None and found.code == code else (middle, bad)
    return bad - 1


def _refusal(block: Columns, request: Request, taking: Taking, rows: int) -> Problem | None:
    try:
        taking(request, {name: values[:rows] for name, values in block.items()})
    except Problem as problem:
        return problem
    return None
