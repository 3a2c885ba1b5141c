"""DuckDB reads, our kernels sum: CSV, Parquet, globs and frames in memory, larger than memory if need be."""

from __future__ import annotations

import math
import threading
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import reduce
from glob import glob, has_magic
from operator import add
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from goodmeasure.engines.request import Columns, Request, ShardUnreadable, quoted
from goodmeasure.errors import MissingExtra, Problem
from goodmeasure.reading.tables import NoSuchFile
from goodmeasure.statistics.row_arguments import MissingScore, UnknownLabel
from goodmeasure.tallying.shards import Part
from goodmeasure.tallying.tally import Tally

Block = tuple[str, Columns]
"""Rows of a file, with its name; of a frame, which has none, with the empty text."""
Blocks = Generator[Block, None, None]

BLOCK = 1 << 20
MEMORY = "512MB"
PLAIN = frozenset({"DOUBLE", "FLOAT", "BOOLEAN", "TINYINT", "UTINYINT", "SMALLINT", "INTEGER", "BIGINT"})
WORKERS = 2  # threads that sum while DuckDB reads
KEPT = 31 << 20  # bytes; beyond 32 MiB glibc no longer learns from what is freed
MOST_BYTES = 200_000_000  # of files whose rows are held in memory at once


def shards(source: str) -> list[str]:
    """The files that a path or pattern names, in order; errors: GM201."""
    # Path.glob takes no pattern that begins at the root.
    found = sorted(glob(source, recursive=True)) if has_magic(source) else [source]  # noqa: PTH207
    if not found or not all(Path(each).is_file() for each in found):
        raise NoSuchFile(f"no file is named {source}", where=source, fix="check the path, and put patterns in quotes")
    return found


def weigh(source: str) -> int:
    """How many bytes the files of a source hold; errors: GM201."""
    return sum(Path(file).stat().st_size for file in shards(source))


def tally_files(source: str, request: Request, *, threads: int | None = None) -> Tally:
    """The tally of all rows of a file, or of all files that a pattern matches. Errors: GM201, GM724, and those of
    rows."""
    files = shards(source)
    with _connected(threads, files) as connection:
        made, _ = _summed(_read(connection, files, request), request, 1 if threads == 1 else WORKERS)
    return with_losses(made, request)


def part_of(file: str, request: Request, *, threads: int | None = None) -> Part:
    """The part of one file; its bytes depend on its rows alone."""
    with _connected(threads, [file]) as connection:
        made, rows = _summed(_read(connection, [file], request), request, 1 if threads == 1 else WORKERS)
    return Part(file, rows, made.to_bytes())


def blocks_of(file: str, request: Request) -> Iterator[Columns]:
    """The columns of a file, block by block. Errors: GM724, and those of rows."""
    with _connected(1, [file]) as connection:
        yield from (block for _, block in _read(connection, [file], request))


def tally_frame(frame: Any, request: Request) -> Tally:
    """The tally of a frame in memory: anything that DuckDB reads as Arrow (pyarrow, polars, pandas by
    ``pyarrow``)."""
    with _connected(None) as connection:
        given = connection.from_arrow(frame)
        _checked("frame", given, request.columns)
        chosen = given if request.where is None else given.filter(request.where)
        made, _ = _summed((("", block) for block in _blocks(chosen, request)), request, WORKERS)
        return with_losses(made, request)


def rows_of(source: str, request: Request, also: Iterable[str | None] = ()) -> dict[str, NDArray[Any]]:
    """The columns of all files in memory, without the rows that miss a target or a score. Errors: GM201, GM724."""
    more = [name for name in also if name is not None and name not in request.columns]
    parts, files = [], shards(source)
    with _connected(None, files) as connection:
        for file in files:
            with _naming(file):
                relation = _opened(connection, file, request, more)
                parts.append(relation.project(", ".join([request.selected(), *map(quoted, more)])).fetchnumpy())
    columns = {name: np.concatenate([_filled(part[name]) for part in parts]) for name in parts[0]}
    needed = [request.target, *(name for _, names in request.scores for name in names)]
    keep = ~np.any([np.isnan(columns[name]) for name in needed], axis=0)
    return {name: values[keep] for name, values in columns.items()}


def _filled(values: Any) -> NDArray[Any]:
    """A column without a mask: missing numbers as NaN, missing keys as the empty text."""
    if not np.ma.isMaskedArray(values):
        return np.asarray(values)
    return np.asarray(values.filled(np.nan if values.dtype.kind == "f" else values.dtype.type()))


def with_losses(made: Tally, request: Request) -> Tally:
    """The tally with the losses that it is of; errors: GM703 if no row has the label that means yes."""
    if request.positive is not None and made.n:
        counts = next(iter(made.state.scores.values())).counts
        if not counts[:, 1].any():
            raise UnknownLabel(f"no row of {request.target} is {request.positive!r}", where=request.target)
    return Tally(made.schema, made.groups, request.losses)


def _connected(threads: int | None, files: Iterable[str] | None = None) -> duckdb.DuckDBPyConnection:
    """A connection in bounded memory; where files are given, with nothing else within reach of a condition."""
    config: dict[str, Any] = {"memory_limit": MEMORY, "preserve_insertion_order": False}
    connection = duckdb.connect(config=config | ({} if threads is None else {"threads": threads}))
    connection.execute("SET enable_progress_bar = false")
    if files is not None:
        paths = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        connection.execute(f"SET allowed_paths = [{paths}]")
        connection.execute("SET enable_external_access = false")
    return connection


@contextmanager
def _naming(file: str) -> Iterator[None]:
    """Errors name the file that they are of, if it is one."""
    try:
        yield
    except duckdb.Error as error:
        said = str(error).split("\n")[0]
        raise ShardUnreadable(
            f"{Path(file).name} cannot be read", where=file, seen=said, fix="mend or remove the file"
        ) from error
    except Problem as problem:
        if file and problem.where != file:
            problem.where = f"{file}: {problem.where}" if problem.where else file
        raise


def _opened(
    connection: duckdb.DuckDBPyConnection, file: str, request: Request, more: Iterable[str] = ()
) -> duckdb.DuckDBPyRelation:
    """The rows of a file that count."""
    parquet = Path(file).suffix in (".parquet", ".pq")
    # Labels such as yes and no would be read as truth values, and no longer be the labels that were asked for.
    labels = "" if request.positive is None else f", types = {{'{request.target}': 'VARCHAR'}}"
    reader = "read_parquet(?)" if parquet else f"read_csv(?{labels})"
    relation = connection.sql(f"SELECT * FROM {reader}", params=[file])
    _checked(file, relation, (*request.columns, *more))
    _numeric(relation, request)
    return relation if request.where is None else relation.filter(request.where)


def _checked(shard: str, relation: duckdb.DuckDBPyRelation, columns: Iterable[str]) -> None:
    missing = [name for name in columns if name not in relation.columns]
    if missing:
        raise ShardUnreadable(
            f"there is no column {missing[0]!r}", where=shard, seen=f"columns: {', '.join(relation.columns)}"
        )


def _numeric(relation: duckdb.DuckDBPyRelation, request: Request) -> None:
    """Refuse texts where numbers are needed, before the first row is read."""
    kinds = dict(zip(relation.columns, map(str, relation.types), strict=True))
    texts = [name for name in request.columns if name in request.numbers and kinds[name] == "VARCHAR"]
    if request.target in texts and request.positive is None:
        raise UnknownLabel(
            f"column {request.target} holds texts",
            where=request.target,
            fix="say which of them means yes: --positive LABEL",
        )
    for name in texts:
        if name != request.target:
            raise MissingScore(f"column {name} holds texts, numbers are needed", where=name)


def _read(connection: duckdb.DuckDBPyConnection, files: Iterable[str], request: Request) -> Blocks:
    """The rows of all files, block by block, with the name of the file. Errors: GM724."""
    for file in files:
        with _naming(file):
            for columns in _blocks(_opened(connection, file, request), request):
                yield file, columns


def _blocks(relation: duckdb.DuckDBPyRelation, request: Request) -> Iterator[Columns]:
    """Blocks of rows as NumPy columns; a missing number is NaN, a missing key the empty text."""
    kinds = zip(relation.columns, map(str, relation.types), strict=True)
    plain = {name for name, kind in kinds if kind in PLAIN}
    try:
        reader = relation.project(request.selected(plain)).to_arrow_reader(BLOCK)
    except ImportError as error:
        raise MissingExtra("reading in blocks needs pyarrow", fix="pip install 'goodmeasure[dask]'") from error
    for batch in reader:
        columns: dict[str, NDArray[Any]] = {}
        for name in request.columns:
            values = batch.column(name)
            if name in request.numbers:
                columns[name] = values.to_numpy(zero_copy_only=False)
            else:
                columns[name] = np.array(["" if key is None else str(key) for key in values.to_pylist()])
        yield columns


def _summed(blocks: Blocks, request: Request, workers: int) -> tuple[Tally, int]:
    """Sum blocks on threads while the next ones are read; the tally, and how many rows were read.

    Each worker has an accumulator of its own: the sums do not depend on who took which block.
    """
    turn = threading.Lock()

    def next_block() -> Block | None:
        with turn:
            return next(blocks, None)

    def work(most: float = math.inf) -> tuple[Tally, int]:
        made, rows, taken = request.accumulator(), 0, 0
        try:
            while taken < most and (block := next_block()) is not None:
                file, columns = block
                with _naming(file):
                    request.add(made, columns)
                rows, taken = rows + len(columns[request.target]), taken + 1
        except BaseException:
            with turn:  # the others need not go on to the end
                blocks.close()
            raise
        return made.finish(), rows

    _keep_freed_memory()
    done = [work(most=1)]  # alone: kernels are compiled by one thread
    with ThreadPoolExecutor(workers) as pool:
        done += [each.result() for each in [pool.submit(work) for _ in range(workers)]]
    return reduce(add, (tally for tally, _ in done)), sum(rows for _, rows in done)


def _keep_freed_memory() -> None:
    """Let the memory of one block serve the next: free a large piece, which is never touched.

    glibc gives memory back to the system as soon as twice the largest piece freed so far lies idle (mallopt(3)), and every
    block would have its pages faulted in anew.
    """
    np.empty(KEPT, dtype=np.uint8)
