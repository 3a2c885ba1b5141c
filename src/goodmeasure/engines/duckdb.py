"""DuckDB reads, our kernels sum: CSV, Parquet, globs and frames in memory, larger than memory if need be."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from glob import glob, has_magic
from operator import add
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from goodmeasure.engines.request import Columns, Request, ShardUnreadable
from goodmeasure.errors import Problem
from goodmeasure.tables import NoSuchFile
from goodmeasure.tallying.shards import Part, collect
from goodmeasure.tallying.tally import Tally

BLOCK = 1 << 20
MEMORY = "512MB"


def shards(source: str) -> list[str]:
    """The files that a path or pattern names, in order; errors: GM201."""
    # Path.glob takes no pattern that begins at the root.
    found = sorted(glob(source, recursive=True)) if has_magic(source) else [source]  # noqa: PTH207
    if not found or not all(Path(each).is_file() for each in found):
        raise NoSuchFile(f"no file is named {source}", where=source, fix="check the path, and put patterns in quotes")
    return found


def tally_files(source: str, request: Request, *, threads: int | None = None) -> Tally:
    """The tally of all rows of a file, or of all files that a pattern matches. Errors: GM201, GM724, and those of
    rows."""
    files = shards(source)
    return _with_losses(collect([part_of(file, request, threads=threads) for file in files], files), request)


def part_of(file: str, request: Request, *, threads: int | None = None) -> Part:
    """The part of one file; its bytes depend on its rows alone."""
    with _connected(threads) as connection:
        reader = "read_parquet" if Path(file).suffix in (".parquet", ".pq") else "read_csv"
        try:
            relation = connection.sql(f"SELECT * FROM {reader}(?)", params=[file])
            return _summed(file, relation, request)
        except duckdb.Error as error:
            raise _unreadable(file, error) from error
        except Problem as problem:
            problem.where = f"{file}: {problem.where}" if problem.where else file
            raise


def tally_frame(frame: Any, request: Request) -> Tally:
    """The tally of a frame in memory (pandas, polars, pyarrow, a DuckDB relation)."""
    with _connected(None) as connection:
        given = frame if isinstance(frame, duckdb.DuckDBPyRelation) else connection.from_arrow(frame)
        return _with_losses(collect([_summed("frame", given, request)], ["frame"]), request)


def _with_losses(made: Tally, request: Request) -> Tally:
    return Tally(made.schema, made.groups, request.losses)


def _connected(threads: int | None) -> duckdb.DuckDBPyConnection:
    config: dict[str, Any] = {"memory_limit": MEMORY, "preserve_insertion_order": False}
    return duckdb.connect(config=config | ({} if threads is None else {"threads": threads}))


def _unreadable(file: str, error: duckdb.Error) -> ShardUnreadable:
    said = str(error).split("\n")[0]
    return ShardUnreadable(f"{Path(file).name} cannot be read", where=file, seen=said, fix="mend or remove the file")


def _summed(shard: str, relation: duckdb.DuckDBPyRelation, request: Request) -> Part:
    """Read the columns of a relation block by block and sum the blocks on two threads while the next ones are
    read."""
    missing = [name for name in request.columns if name not in relation.columns]
    if missing:
        raise ShardUnreadable(
            f"there is no column {missing[0]!r}", where=shard, seen=f"columns: {', '.join(relation.columns)}"
        )
    picked = [
        f"CAST({_quoted(name)} AS DOUBLE) AS {_quoted(name)}" if name in request.numbers else _quoted(name)
        for name in request.columns
    ]
    chosen = relation if request.where is None else relation.filter(request.where)
    made = list(_tallied(_blocks(chosen.project(", ".join(picked)), request), request))
    total = reduce(add, (tally for tally, _ in made), request.accumulator().finish())
    return Part(shard, sum(rows for _, rows in made), total.to_bytes())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _blocks(relation: duckdb.DuckDBPyRelation, request: Request) -> Iterator[Columns]:
    """Blocks of rows as NumPy columns; a missing number is NaN, a missing key its own key."""
    for batch in relation.to_arrow_reader(BLOCK):
        columns = {}
        for name in request.columns:
            values = batch.column(name)
            if name in request.numbers:
                columns[name] = values.to_numpy(zero_copy_only=False)
            else:
                columns[name] = np.array(["" if key is None else str(key) for key in values.to_pylist()])
        yield columns


def _tallied(blocks: Iterator[Columns], request: Request, workers: int = 2) -> Iterator[tuple[Tally, int]]:
    """Each worker sums blocks into an accumulator of its own: the sums do not depend on who took which block."""
    turn = threading.Lock()

    def next_block() -> Columns | None:
        with turn:
            return next(blocks, None)

    def work() -> tuple[Tally, int]:
        made, rows = request.accumulator(), 0
        while (block := next_block()) is not None:
            rows += len(block[request.target])
            request.add(made, block)
        return made.finish(), rows

    with ThreadPoolExecutor(workers) as pool:
        running = [pool.submit(work) for _ in range(workers)]
        yield from [each.result() for each in running]
