"""Seconds and peak memory of the two commands that read tables, by the number of rows.

Run it as ``python -m benchmarks.main_job [rows ...]`` (1e4, 1e5, 1e6 and 1e7 by default). The table has ten columns: six
numbers, two of texts, a prediction and a yes/no target, in Parquet; ``run`` is asked from the same rows in CSV too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb

COLUMNS = ", ".join([*(f"random() * 2 - 1 AS x{i}" for i in range(6)), "random() AS u"])
TABLE = """
SELECT x0, x1, x2, x3, x4, x5, 'region ' || CAST(floor(abs(x5) * 8) AS INT) AS region,
    CASE WHEN x4 > 0 THEN 'a' ELSE 'b' END AS plan, p, CASE WHEN u < p THEN 'yes' ELSE 'no' END AS churned
FROM (SELECT *, 1 / (1 + exp(-(x0 + 2 * x1 - x2))) AS p FROM (SELECT {columns} FROM range({rows})))
"""
ASKED = ("--target", "churned", "--exclude", "p")
COSTS = ("--cost", "fn=40", "--cost", "fp=5")
SCORED = ("--y", "churned", "--positive", "yes", "--p", "p", "--by", "plan")
WORK = {
    "score, Parquet": ("score", "t.parquet", *SCORED),
    "score, CSV": ("score", "t.csv", *SCORED),
    "run, Parquet": ("run", "t.parquet", *ASKED, *COSTS),
    "run, CSV": ("run", "t.csv", *ASKED, *COSTS),
    "run --model boosting, Parquet": ("run", "t.parquet", *ASKED, "--model", "boosting"),
}


def make(folder: Path, rows: int) -> None:
    """Write the table in both forms."""
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"CREATE TABLE t AS {TABLE.format(columns=COLUMNS, rows=rows)}")
        connection.execute(f"COPY t TO '{folder}/t.parquet' (FORMAT parquet)")
        connection.execute(f"COPY t TO '{folder}/t.csv' (FORMAT csv)")


def timed(words: Sequence[str], folder: Path) -> tuple[float, float, float]:
    """Seconds on the clock, seconds of processors, and peak memory in MiB of a command in a process of its own."""
    program = "from goodmeasure.cli import main; main()"
    start = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-c", program, *words], cwd=folder, stdout=subprocess.DEVNULL)
    _, ended, used = os.wait4(child.pid, 0)
    if ended:
        raise SystemExit(f"{' '.join(words)}: exit status {os.waitstatus_to_exitcode(ended)}")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main(sizes: Sequence[int]) -> None:
    print("| work | rows | s | CPU s | peak MiB |\n|---|---:|---:|---:|---:|")
    for rows in sizes:
        with tempfile.TemporaryDirectory() as made:
            make(Path(made), rows)
            for name, words in WORK.items():
                seconds, processor, memory = timed(words, Path(made))
                print(f"| {name} | {rows:,} | {seconds:.1f} | {processor:.1f} | {memory:,.0f} |", flush=True)


if __name__ == "__main__":
    main([int(float(word)) for word in sys.argv[1:]] or [10_000, 100_000, 1_000_000, 10_000_000])
