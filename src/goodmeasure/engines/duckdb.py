"""DuckDB reads, our kernels sum: CSV, Parquet, globs and frames in memory, larger than memory if need be."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import reduce
from operator import add
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goodmeasure.choosing.spelling import MOST_LABELS, spellings, ways
from goodmeasure.drawing.terminal import word
from goodmeasure.engines.pointing import as_asked, first_refused, in_order, in_table, of_frame, point
from goodmeasure.engines.request import Request, Taking
from goodmeasure.engines.shard import Origin, Partition, Shard
from goodmeasure.engines.taking_turns import Stretches, Take, shared
from goodmeasure.errors import Problem
from goodmeasure.kernels.threads import get_threads
from goodmeasure.reading.blocks import (
    Block,
    CodedTexts,
    Stretch,
    WantedColumns,
    counted_labels,
    first_cells,
    labels_in,
    stretches,
)
from goodmeasure.reading.connection import IN_ANY_ORDER, Reader
from goodmeasure.reading.files import held
from goodmeasure.reading.inspection import filtered, inspected, refuse_unknown, sniffed, weighed
from goodmeasure.reading.moments import refuse_texts
from goodmeasure.reading.paths import Place, Places, places_of
from goodmeasure.reading.rows_read import NO_SCORE, NO_TARGET, NO_WEIGHT, RowsRead
from goodmeasure.reading.sources import Files, alone, cast, refuse_other_columns, together
from goodmeasure.reading.sql import sql
from goodmeasure.reading.tables import no_rows, refuse_none
from goodmeasure.reading.writing import csv_line
from goodmeasure.statistics.coded_keys import Coded, coded
from goodmeasure.statistics.row_arguments import CELL, UnknownLabel, like_probabilities
from goodmeasure.statistics.weights import are_tame, refuse_far_apart, unit_of
from goodmeasure.tallying.accumulate import kind_of
from goodmeasure.tallying.shards import Part
from goodmeasure.tallying.tally import Tally

Source = str | PathLike[str] | Places
Blocks = Iterator[tuple[Place, Block]]

NEAR, BLOCK = 1 << 17, 1 << 20
"""Rows that stay in a core's cache with what is made of them; and rows of several groups, each of which has many of them."""

MOST_THREADS = 8  # each holds blocks of its own
KEPT = 31 << 20  # bytes; beyond 32 MiB glibc no longer learns from what is freed
FRAME_NAME = "frame"
MOST_BYTES = 200_000_000  # of files whose rows are held in memory at once


def tally_files(source: Source, request: Request, *, threads: int | None = None) -> Tally:
    """The tally of all rows of a file, or of all files that a pattern matches. Errors: GM201 to GM206, GM724, and those of
    rows."""
    with places_of(source) as places, _reader(places, threads) as reader:
        settled = _settled(request, reader, places)
        made, _ = _summed(_stretches(reader, places, settled), settled, 1 if threads == 1 else _threads())
        return with_losses(made, request, places.source)


def part_of(shard: Shard, request: Request) -> Part:
    """The part of a file or of a partition; its bytes depend on its rows alone."""
    with _opened(shard, request) as (read, settled):
        made, rows = _summed(read, settled, 1)
    return Part(shard.name if isinstance(shard, Partition) else shard, rows, made.to_bytes())


def blocks_of(shard: Shard, request: Request) -> Iterator[Block]:
    """The columns of a file or of a partition, block by block. Errors: GM202, GM203, GM206, and those of rows."""
    with _opened(shard, request) as (read, _):
        for _, stretch in read:
            yield from stretch.blocks


def tally_frame(frame: Any, request: Request) -> Tally:
    """The tally of a frame in memory: anything that DuckDB reads as Arrow (pyarrow, polars, pandas by
    ``pyarrow``)."""
    with _opened(Partition(FRAME_NAME, frame), request, threads=None) as (read, settled):
        made, _ = _summed(read, settled, _threads())
    return with_losses(made, replace(request, where=settled.where), FRAME_NAME)


@contextmanager
def _opened(shard: Shard, request: Request, threads: int | None = 1) -> Iterator[tuple[Stretches, Request]]:
    """The stretches of a shard, and the request held against it."""
    if isinstance(shard, Partition):
        with Reader(frame=shard.rows, **{**IN_ANY_ORDER, "threads": threads}) as reader, _naming(shard.name):
            files = of_frame(reader, shard.rows, request)
            settled = request if request.ways else _spelled(request, files)
            yield ((shard, each) for each in _stretches_of(files, settled)), settled
    else:
        with places_of(shard) as places, _reader(places, threads) as reader:
            settled = _settled(request, reader, places)
            yield _stretches(reader, places, settled), settled


class HeldRows(NamedTuple):
    """The columns of the rows that count, the column that orders them, and how many rows were read.

    ``at`` says which rows those are of all that were read, of which each file had so many.
    """

    columns: Block
    order: NDArray[Any] | None
    rows: RowsRead
    at: NDArray[np.intp]
    read: dict[Place, int]
    request: Request

    @contextmanager
    def pointing(self) -> Iterator[None]:
        """Problems with a row that is told by its index say where it stands in its file."""
        try:
            yield
        except Problem as problem:
            column = in_table(problem.where, self.request)
            if column in self.request.columns:
                problem.where = f"{next(iter(self.read)).name}, column {column!r}"
            if (cell := CELL.fullmatch(problem.where)) and int(cell[2]) < len(self.at):
                place, row = self._origin(int(self.at[int(cell[2])]))
                point(problem, place, row, self.request)
            raise

    def _origin(self, row: int) -> tuple[Place, int]:
        """The file of a row that was read, and the how-many-th it is there."""
        for place, rows in self.read.items():
            if row < rows:
                return place, row
            row -= rows
        raise IndexError(row)


def rows_of(source: Source, request: Request, time: str | None = None) -> HeldRows:
    """The rows of all files in memory, but for those without weight, target or score.

    Errors: those of `tally_files`.
    """
    with places_of(source) as places, Reader(places.paths, threads=None) as reader:
        settled = _settled(request, reader, places)
        found = list(_read(reader, places, settled))
        order = None if time is None else _ordering(reader, places, settled, time)
        for place, block in found:
            with _pointing(place, settled, Request.check):
                settled.check(block)
    parts = [block for _, block in found]
    if not parts:
        raise no_rows(places.source, request.where)
    columns = {name: np.concatenate([_plain(part[name]) for part in parts]) for name in request.columns}
    scores = [np.isnan(columns[name]) for _, names in request.scores for name in names]
    lost = {} if request.weight is None else {NO_WEIGHT: columns[request.weight] == 0}
    lost |= {NO_TARGET: np.isnan(columns[request.target]), NO_SCORE: np.any(scores, axis=0)}
    rows, keep = RowsRead.of(len(columns[request.target]), lost)
    refuse_none(rows, places.source)
    counting = {name: values[keep] for name, values in columns.items()}
    in_order = None if order is None else _in_time(order[keep], str(time))
    read = dict.fromkeys(places.files, 0)
    for place, block in found:
        read[place] += len(block[request.target])
    return HeldRows(counting, in_order, rows, np.flatnonzero(keep), read, settled)


def _plain(column: NDArray[Any] | Coded) -> NDArray[Any]:
    """A column of a block as an array."""
    return column.values if isinstance(column, Coded) else column


def _ordering(reader: Reader, places: Places, request: Request, time: str) -> NDArray[Any]:
    """A column by which rows are ordered, as what it holds."""
    files = as_asked(together(reader, places), request)
    refuse_unknown([time], files)
    files = sniffed(files, [time], request.written)
    kind = inspected(files, [time])[1][time].sure_kind
    column = sql("SELECT {time} FROM {rows}", time=cast(time, kind), rows=files.rows())
    (values,) = files.ask_arrays(column)
    return held(values, kind)


def _in_time(values: NDArray[Any], name: str) -> NDArray[Any]:
    """A column that orders rows. Error: GM247."""
    refuse_texts(values, name)
    return values


def mistaken(source: Source, request: Request) -> Iterator[str]:
    """A sentence for each model whose raw outputs are probabilities, as the first rows look."""
    if kind_of(request.losses[0]) == "amount":
        return
    with places_of(source) as places, _reader(places, None) as reader:
        _, block = next(_read(reader, places, _settled(request, reader, places)), (None, None))
    if block is None:
        return
    for name, columns in request.scores:
        z = np.column_stack([block[column] for column in columns]).astype(np.float64)
        known = z[~np.isnan(z).any(axis=1)]
        shaped = known if len(columns) > 1 else known[:, 0]
        yield from like_probabilities(shaped, f"the values of {name}", "leave --raw out if they are")


def with_losses(made: Tally, request: Request, source: str) -> Tally:
    """The tally with the losses that it is of; errors: GM205 if there are no rows, GM703 if none has the label that means
    yes."""
    if not made.n and not made.excluded:
        raise no_rows(source, request.where)
    if request.positive is not None and made.n:
        counts = next(iter(made.state.scores.values())).counts
        if not counts[:, 1].any():
            raise UnknownLabel(
                f"no row of {request.target} is {request.positive!r}",
                where=request.target,
                fix="--positive with a label that the target holds",
            )
    return Tally(made.schema, made.groups, request.losses)


def in_one_unit(request: Request, source: Source) -> Request:
    """The request with the unit in which the squares of its weights are numbers, if they are vast or tiny. Error: GM006."""
    with places_of(source) as places, _reader(places, None) as reader:
        parts = (block[str(request.weight)] for _, block in _read(reader, places, _settled(request, reader, places)))
        ends = [(held.min(), held.max()) for w in parts if len(held := w[(w > 0) & np.isfinite(w)])]
    held = np.array(ends)
    if are_tame(held):
        return request
    refuse_far_apart(held)
    # In the middle between the ends, so that both are as far from the limits as can be.
    middle = math.sqrt(held.min()) * math.sqrt(held.max())
    return replace(request, weight_unit=unit_of(np.array([middle])))


# --- reading ---


def _reader(places: Places, threads: int | None) -> Reader:
    return Reader(places.paths, **{**IN_ANY_ORDER, "threads": threads})


def settled(request: Request, source: Source) -> Request:
    """The request with its condition and its labels held against all files of the source, so that each is read alike."""
    with places_of(source) as places, _reader(places, None) as reader:
        return _settled(request, reader, places)


def _settled(request: Request, reader: Reader, places: Places) -> Request:
    if not isinstance(request.where, str) and len(request.ways) == len(request.labels):
        return request
    files = weighed(together(reader, places), request.weight, request.written)
    if isinstance(request.where, str):
        files = filtered(files, request.where)
        request = replace(request, where=files.filter)
    return _spelled(request, files.filtered(request.filter))


def labels_of(files: Files, name: str, known: Sequence[str] = ()) -> list[str]:
    """The different labels of a column, each as it is ``known`` or else as most are written. Error: GM009 for too many."""
    counts = counted_labels(files, name, MOST_LABELS)
    usual = spellings(counts) | {way: label for label in known for way in ways(label, counts)}
    return list(dict.fromkeys(usual.get(label, label) for label in labels_in(files, name)))


def _spelled(request: Request, files: Files) -> Request:
    """The request with all ways in which its labels are written: blanks and capitals make no other label."""
    if not request.labels or request.target not in files.types:
        return request
    counts = counted_labels(files, request.target, MOST_LABELS)
    return replace(request, ways=tuple(ways(label, counts) for label in request.labels))


def _read(reader: Reader, places: Places, request: Request) -> Blocks:
    """The rows of all files, block by block, with the name of the file."""
    return ((place, block) for place, stretch in _stretches(reader, places, request) for block in stretch.blocks)


def _stretches(reader: Reader, places: Places, request: Request) -> Iterator[tuple[Place, Stretch]]:
    """The stretches of all files, one after another."""
    first = None
    for place in places.files:
        with _naming(place.name):
            files = alone(reader, place)
            if first is not None:
                refuse_other_columns({name for name in request.columns if name not in files.types}, files, first)
            first = first or files
            found = _stretches_of(as_asked(files, request), request)
        for stretch in found:
            yield place, Stretch(_named(place.name, stretch.blocks), stretch.beside)


def _named(file: str, blocks: Iterator[Block]) -> Generator[Block, None, None]:
    with _naming(file):
        yield from blocks


def _stretches_of(files: Files, request: Request) -> list[Stretch]:
    """Stretches of the columns of a request."""
    refuse_unknown(request.columns, files)
    files = sniffed(files, (request.target, *request.numbers), request.written)
    found = stretches(files, _wanted(files, request), BLOCK if request.keys else NEAR)
    return [Stretch((_as_counted(block, request) for block in each.blocks), each.beside) for each in found]


def _blocks(files: Files, request: Request) -> Generator[Block, None, None]:
    for stretch in _stretches_of(files, request):
        yield from stretch.blocks


def _as_counted(block: Block, request: Request) -> Block:
    """A block whose target is 1 where it is the label that means yes, and 0 where it is another, and whose keys are coded."""
    if request.positive is not None:
        block[request.target] = block[request.target] + 1
    for name in request.keys:
        keys = block[name]
        block[name] = coded(Coded.of(*keys) if isinstance(keys, CodedTexts) else keys, name)
    return block


def _wanted(files: Files, request: Request) -> WantedColumns:
    """What a request wants of its columns."""
    target = request.target
    if request.labels:
        return WantedColumns(request.numbers, request.keys, labels=((target, request.ways),))
    held = first_cells(files, target)
    if held == "texts":
        raise UnknownLabel(f"column {target} holds texts", where=target, fix=_labels_told(files, request))
    if held == "truths":
        return WantedColumns(request.numbers, request.keys, truths=(target,))
    return WantedColumns((target, *request.numbers), request.keys)


def _labels_told(files: Files, request: Request) -> str:
    """How to say what the labels of the target are."""
    if len(request.scores[0][1]) > 1:
        return "say whose columns these are: --classes LABEL,LABEL,..."
    if kind_of(request.losses[0]) == "amount":
        return "name a column of numbers, or a loss of yes and no: --loss binary_brier --positive LABEL"
    labels = labels_of(files, request.target)
    if len(labels) < 3:
        return f"say which means yes: {' or '.join(f'--positive {word(label)}' for label in labels)}"
    named = set(labels) <= set(files.types)
    columns = word(csv_line(labels)) if named else "COLUMN,COLUMN,..."
    return f"say which label means yes: --positive LABEL; or score a column for each label: goodmeasure score ... --p {columns}"


@contextmanager
def _naming(file: str) -> Iterator[None]:
    """Errors name the file that they are of, if it is one."""
    try:
        yield
    except Problem as problem:
        if file and file not in problem.where:
            problem.where = f"{file}: {problem.where}" if problem.where else file
        raise


@contextmanager
def _pointing(origin: Origin, request: Request, taking: Taking) -> Iterator[None]:
    """Problems with rows say where the first that is refused stands, which takes another reading in order."""
    try:
        yield
    except Problem as problem:
        with in_order(origin, request) as files, closing(_blocks(files, request)) as blocks:
            found = first_refused(blocks, request, taking)
        if found is None:
            raise
        row, first = found
        point(first, origin, row, request)
        raise first from problem


def _summed(read: Stretches, request: Request, threads: int) -> tuple[Tally, int]:
    """Sum blocks on threads; the tally, and how many rows were read.

    Each thread has an accumulator of its own: the sums do not depend on who took which block.
    """

    def work(take: Callable[[Take], None]) -> tuple[Tally, int]:
        made, rows = request.accumulator(), 0

        def add_block(origin: Origin, columns: Block) -> None:
            nonlocal rows
            with _pointing(origin, request, Request.tally):
                request.add(made, columns)
            rows += len(columns[request.target])

        take(add_block)
        return made.finish(), rows

    _keep_freed_memory()
    done = shared(read, work, threads)
    return reduce(add, (tally for tally, _ in done)), sum(rows for _, rows in done)


def _threads() -> int:
    """How many threads read and count; two at least, of which one reads where the database does."""
    return max(2, min(get_threads(), MOST_THREADS))


def _keep_freed_memory() -> None:
    """Let the memory of one block serve the next: free a large piece, which is never touched.

    glibc gives memory back to the system as soon as twice the largest piece freed so far lies idle (mallopt(3)), and every
    block would have its pages faulted in anew.
    """
    np.empty(KEPT, dtype=np.uint8)
