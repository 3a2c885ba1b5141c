"""All readings of a table that no memory holds, against one number of one reading by others.

Rows of (y, p) in Parquet: log loss, Brier score, cost curve, calibration and the threshold from one pass, beside
DuckDB's and polars' log loss alone and scikit-learn's four functions on what fits. The unit is ``SELECT sum(y), sum(p)`` in
DuckDB, which reads the same columns and does next to nothing with them. All give the same log loss, which is compared first;
then ten groups are told apart, by whole numbers and by texts. Run it as ``python -m benchmarks.tally [rows]`` (2e7 by default,
about 0.2 GB on disk).
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
from typing import Any, NamedTuple

import duckdb

SHARDS = 8


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), rows)
        print(f"{rows:,} rows, {SHARDS} files, {size(Path(folder)) / 1e6:,.0f} MB\n")
        agree(folder)
        print(f"{'what':56}{'s':>8}{'rows/s':>12}{'units':>8}{'CPU s':>8}{'units':>8}{'peak MiB':>10}")
        unit = report("DuckDB: sum(y), sum(p), the unit", duckdb_sums, folder, rows, None)
        others = [
            report("DuckDB: log loss alone", duckdb_log_loss, folder, rows, unit),
            report("polars streaming: log loss alone", polars_log_loss, folder, rows, unit),
        ]
        all_readings = report("goodmeasure: two losses, curves, calibration, threshold", ours, folder, rows, unit)
        by_whole = report("goodmeasure: the same by ten groups, whole numbers", by_number, folder, rows, unit)
        by_texts = report("goodmeasure: the same by ten groups, texts", by_text, folder, rows, unit)
        some = min(rows, 10_000_000)
        part = Taken(*(each * some / rows for each in unit))
        report(f"scikit-learn: four functions, {some:,} rows in memory", sklearn_four, folder, some, part)
        one = report("goodmeasure on one Dask worker", dask_one, folder, rows, unit)
        two = report("goodmeasure on two Dask workers", dask_two, folder, rows, unit)
        fastest = Taken(*map(min, *others))
        for name, at in (("seconds", 0), ("seconds of processors", 1)):
            print(
                f"\nin {name} all readings take {all_readings[at] / unit[at]:.2f} units, and"
                f" {all_readings[at] / fastest[at]:.2f} times the fastest log loss alone"
            )
        for name, found in (("whole numbers", by_whole), ("texts", by_texts)):
            more = (found.cpu - all_readings.cpu) / rows * 1e9
            print(f"groups of {name} take {more:.1f} ns of processors a row, with reading the column")
        print(f"two workers are {one.seconds / two.seconds:.2f} times as fast as one")


class Taken(NamedTuple):
    """Seconds on the clock, and of all processors in this process."""

    seconds: float
    cpu: float


def agree(folder: str) -> None:
    """Refuse to measure what does not give the same answer."""
    from goodmeasure.engines.duckdb import tally_files

    made = tally_files(f"{folder}/*.parquet", _request())
    loss = made.risk(made.losses[0]).value
    with quiet() as connection:
        ((plain,),) = connection.execute(_log_loss(folder)).fetchall()
    others = {"DuckDB": plain, "polars": polars_frame(folder).collect(engine="streaming").item()}
    for name, other in others.items():
        if abs(other - loss) > 1e-12 * loss:
            raise SystemExit(f"{name} has a log loss of {other!r}, and goodmeasure of {loss!r}")
    print(f"the log loss is {loss:.15f} in all three, to 1e-12\n")


def quiet() -> duckdb.DuckDBPyConnection:
    """A connection that draws no progress bar."""
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    return connection


def make(folder: Path, rows: int) -> None:
    """Uniform calibrated scores."""
    with quiet() as connection:
        for i in range(SHARDS):
            drawn = f"(SELECT random() AS p, floor(10 * random())::TINYINT AS k FROM range({rows // SHARDS}))"
            query = f"SELECT (random() < p)::TINYINT AS y, p, k, 'region ' || k AS region FROM {drawn}"
            connection.execute(f"COPY ({query}) TO '{folder}/{i}.parquet' (FORMAT parquet)")


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.parquet"))


def report(name: str, work: Callable[[str, int], float], folder: str, rows: int, unit: Taken | None) -> Taken:
    """Run a piece of work in a process of its own, so that its memory is its own, and print its best of two runs."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        seconds, cpu, peak = pool.submit(timed, work, folder, rows).result()
    of = Taken(seconds, cpu) if unit is None else unit
    units = seconds / of.seconds, cpu / of.cpu
    print(
        f"{name:56}{seconds:8.2f}{rows / seconds:12.2e}{units[0]:8.2f}{cpu:8.2f}{units[1]:8.2f}{peak:10,.0f}",
        flush=True,
    )
    return Taken(seconds, cpu)


def timed(work: Callable[[str, int], float], folder: str, rows: int) -> tuple[float, float, float]:
    """Of four runs the least seconds, and the least processor seconds (all cores, this process); and peak memory in MiB."""
    seconds, cpu = [], []
    for _ in range(4):
        start = time.process_time()
        seconds.append(work(folder, rows))
        cpu.append(time.process_time() - start)
    return min(seconds), min(cpu), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def clocked(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def duckdb_sums(folder: str, rows: int) -> float:
    with quiet() as connection:
        return clocked(lambda: connection.execute(f"SELECT sum(y), sum(p) FROM '{folder}/*.parquet'").fetchall())


def _log_loss(folder: str) -> str:
    return f"SELECT avg(-ln(CASE WHEN y = 1 THEN p ELSE 1 - p END)) FROM '{folder}/*.parquet'"


def duckdb_log_loss(folder: str, rows: int) -> float:
    with quiet() as connection:
        return clocked(lambda: connection.execute(_log_loss(folder)).fetchall())


def polars_frame(folder: str) -> Any:
    import polars as pl

    chance = pl.when(pl.col("y") == 1).then(pl.col("p")).otherwise(1 - pl.col("p"))
    return pl.scan_parquet(f"{folder}/*.parquet").select((-chance.log()).mean())


def polars_log_loss(folder: str, rows: int) -> float:
    lazy = polars_frame(folder)
    return clocked(lambda: lazy.collect(engine="streaming"))


def _request(group: str | None = None) -> Any:
    from goodmeasure import losses
    from goodmeasure.engines.request import Request

    return Request((losses.binary_cross_entropy(), losses.binary_brier()), "y", (("p", ("p",)),), group=group)


def read_everything(tally: Any) -> None:
    """Every reading that the table names."""
    from goodmeasure.decisions.costs import Costs

    for loss in tally.losses:
        tally.risk(loss)
    tally.calibration(tally.losses[1])
    tally.curves().cost([0.1, 0.5, 0.9])
    tally.decide(Costs(false_negative=40, false_positive=5))


def ours(folder: str, rows: int) -> float:
    return _all_readings(folder, None)


def by_number(folder: str, rows: int) -> float:
    return _all_readings(folder, "k")


def by_text(folder: str, rows: int) -> float:
    return _all_readings(folder, "region")


def _all_readings(folder: str, group: str | None) -> float:
    from goodmeasure.engines.duckdb import tally_files

    return clocked(lambda: read_everything(tally_files(f"{folder}/*.parquet", _request(group))))


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
        client.run(part_of, f"{folder}/0.parquet", _request())  # every worker has loaded its kernels
        return clocked(lambda: tally_files(f"{folder}/*.parquet", _request(), client=client))


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 20_000_000)
