"""All readings of a table that no memory holds, against one number of one reading by others.

Rows of (y, p) in Parquet: log loss, Brier score, cost curve, calibration and the threshold from one pass, beside
DuckDB's and polars' SQL for the log loss alone and scikit-learn's four functions on what fits. Run it as ``python
-m benchmarks.tally [rows]`` (1e8 by default, about 0.8 GB on disk).
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
from typing import Any

import duckdb

SHARDS = 8


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), rows)
        print(f"{rows:,} rows, {SHARDS} files, {size(Path(folder)) / 1e6:,.0f} MB\n")
        print(f"{'what':52}{'s':>8}{'rows/s':>12}{'x DuckDB':>10}{'CPU s':>8}{'peak MiB':>10}")
        base = report("DuckDB SQL: log loss alone", duckdb_log_loss, folder, rows, None)
        report("polars streaming: log loss alone", polars_log_loss, folder, rows, base)
        report("goodmeasure: two losses, curves, calibration, threshold", ours, folder, rows, base)
        some = min(rows, 10_000_000)
        report(f"scikit-learn: four functions, {some:,} rows in memory", sklearn_four, folder, some, base * some / rows)
        one = report("goodmeasure on one Dask worker", dask_one, folder, rows, base)
        two = report("goodmeasure on two Dask workers", dask_two, folder, rows, base)
        print(f"\ntwo workers are {one / two:.2f} times as fast as one")


def quiet() -> duckdb.DuckDBPyConnection:
    """A connection that draws no progress bar."""
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    return connection


def make(folder: Path, rows: int) -> None:
    """Uniform calibrated scores."""
    with quiet() as connection:
        for i in range(SHARDS):
            query = f"SELECT (random() < p)::TINYINT AS y, p FROM (SELECT random() AS p FROM range({rows // SHARDS}))"
            connection.execute(f"COPY ({query}) TO '{folder}/{i}.parquet' (FORMAT parquet)")


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.parquet"))


def report(name: str, work: Callable[[str, int], float], folder: str, rows: int, base: float | None) -> float:
    """Run a piece of work in a process of its own, so that its memory is its own, and print its best of two runs."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        seconds, cpu, peak = pool.submit(timed, work, folder, rows).result()
    ratio = seconds / (seconds if base is None else base)
    print(f"{name:52}{seconds:8.2f}{rows / seconds:12.2e}{ratio:10.2f}{cpu:8.2f}{peak:10,.0f}", flush=True)
    return seconds


def timed(work: Callable[[str, int], float], folder: str, rows: int) -> tuple[float, float, float]:
    """Best seconds of two runs, processor seconds of the second (all cores, this process), and peak memory in MiB."""
    first, start = work(folder, rows), time.process_time()
    second = work(folder, rows)
    return min(first, second), time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def clocked(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def duckdb_log_loss(folder: str, rows: int) -> float:
    query = f"SELECT avg(-ln(CASE WHEN y = 1 THEN p ELSE 1 - p END)) FROM '{folder}/*.parquet'"
    with quiet() as connection:
        return clocked(lambda: connection.execute(query).fetchall())


def polars_log_loss(folder: str, rows: int) -> float:
    import polars as pl

    chance = pl.when(pl.col("y") == 1).then(pl.col("p")).otherwise(1 - pl.col("p"))
    lazy = pl.scan_parquet(f"{folder}/*.parquet").select((-chance.log()).mean())
    return clocked(lambda: lazy.collect(engine="streaming"))


def _request() -> Any:
    from goodmeasure import losses
    from goodmeasure.engines.request import Request

    return Request((losses.binary_cross_entropy(), losses.binary_brier()), "y", (("p", ("p",)),))


def read_everything(tally: Any) -> None:
    """Every reading that the table names."""
    from goodmeasure.decisions.costs import Costs

    for loss in tally.losses:
        tally.risk(loss)
    tally.calibration(tally.losses[1])
    tally.curves().cost([0.1, 0.5, 0.9])
    tally.decide(Costs(false_negative=40, false_positive=5))


def ours(folder: str, rows: int) -> float:
    from goodmeasure.engines.duckdb import tally_files

    return clocked(lambda: read_everything(tally_files(f"{folder}/*.parquet", _request())))


def sklearn_four(folder: str, rows: int) -> float:
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import brier_score_loss, log_loss, roc_curve

    with quiet() as connection:
        held = connection.execute(f"SELECT y, p FROM '{folder}/*.parquet' LIMIT {rows}").fetchnumpy()
    y, p = held["y"], held["p"]
    return clocked(lambda: [f(y, p) for f in (log_loss, brier_score_loss, calibration_curve, roc_curve)])


def dask_one(folder: str, rows: int) -> float:
    return _dask(folder, 1)


def dask_two(folder: str, rows: int) -> float:
    return _dask(folder, 2)


def _dask(folder: str, workers: int) -> float:
    from goodmeasure.engines.dask import started, tally_files
    from goodmeasure.engines.duckdb import part_of

    with started(None, workers) as client:
        client.wait_for_workers(workers)
        client.run(part_of, f"{folder}/0.parquet", _request(), threads=1)  # every worker has loaded its kernels
        return clocked(lambda: tally_files(f"{folder}/*.parquet", _request(), client=client))


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 100_000_000)
