"""A fit to shards that no memory holds: does it take passes x bytes / bandwidth, and how much memory?

Rows of 20 numbers and a yes or no in Parquet, as files that one process reads in turn. The bandwidth is that of one reading of
all columns without any sums; the model is ``passes * bytes / bandwidth``. Run it as ``python -m benchmarks.clusters [rows ...]``
(1e6 and 1e7 by default, about 1.7 GB on disk).
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import duckdb

import goodmeasure as gm

COLUMNS, SHARD = 20, 250_000
NAMES = [f"x{j}" for j in range(COLUMNS)]


def main(sizes: list[int]) -> None:
    print(
        f"{'rows':>12}{'GB':>8}{'read s':>9}{'GB/s':>7}{'passes':>8}{'model s':>9}{'fit s':>8}{'fit/model':>11}{'MiB':>7}"
    )
    for rows in sizes:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), rows)
            size = rows * (COLUMNS + 1) * 8 / 1e9
            read, _, _ = alone(reading, folder)
            seconds, passes, peak = alone(fitting, folder)
            model = passes * read
            print(
                f"{rows:12,}{size:8.2f}{read:9.2f}{size / read:7.2f}{passes:8}{model:9.1f}{seconds:8.1f}"
                f"{seconds / model:11.2f}{peak:7,.0f}",
                flush=True,
            )


def make(folder: Path, rows: int) -> None:
    """Uniform features, and outcomes whose log-odds are a sum of them."""
    features = ", ".join(f"random() AS {name}" for name in NAMES)
    odds = " + ".join(f"{(-1) ** j * j / 10} * {name}" for j, name in enumerate(NAMES))
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        for i in range(-(-rows // SHARD)):
            some = f"(SELECT {features} FROM range({min(SHARD, rows - i * SHARD)}))"
            query = f"SELECT *, (random() < 1 / (1 + exp(-({odds}))))::DOUBLE AS y FROM {some}"
            connection.execute(f"COPY ({query}) TO '{folder}/{i:04}.parquet' (FORMAT parquet)")


def alone(work: Callable[[str], int], folder: str) -> tuple[float, int, float]:
    """Seconds, what the work returns, and the peak of its memory in MiB, in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(timed, work, folder).result()


def timed(work: Callable[[str], int], folder: str) -> tuple[float, int, float]:
    start = time.perf_counter()
    found = work(folder)
    return time.perf_counter() - start, found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def reading(folder: str) -> int:
    """All columns as arrays, once."""
    from goodmeasure.engines.duckdb import blocks_of
    from goodmeasure.engines.request import Request

    request = Request((gm.losses.binary_cross_entropy(),), "y", tuple((name, (name,)) for name in NAMES))
    files = sorted(map(str, Path(folder).glob("*.parquet")))
    return sum(len(block["y"]) for file in files for block in blocks_of(file, request))


def fitting(folder: str) -> int:
    """The fit; how many times it read all rows."""
    return gm.fit_linear(gm.losses.binary_cross_entropy(), "y", NAMES, data=f"{folder}/*.parquet").n_passes_


if __name__ == "__main__":
    main([int(float(rows)) for rows in sys.argv[1:]] or [1_000_000, 10_000_000])
