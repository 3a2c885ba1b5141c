"""Processor seconds of every command that reads a table, beside those of another checkout.

Run it as ``python -m benchmarks.seconds [CHECKOUT]``. Tables have twenty columns of numbers and a yes/no target. "Warm" is the
second time in a row, "first" the first one of a checkout, with nothing compiled for it. The machine may be shared: the least of
three counts.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from benchmarks.main_job import timed

NAMES = [f"x{k}" for k in range(20)]
TABLE = f"""
COPY (SELECT {", ".join(NAMES)}, p, CASE WHEN u < p THEN 'yes' ELSE 'no' END AS y
FROM (SELECT *, 1 / (1 + exp(-(x0 + 2 * x1 - x2))) AS p FROM
(SELECT {", ".join(f"random() * 2 - 1 AS {name}" for name in NAMES)}, random() AS u FROM range({{rows}})))) TO '{{path}}'
"""
RUN = ("--target", "y", "--exclude", "p", "--cost", "fn=40", "--cost", "fp=5")
SCORED = ("--y", "y", "--positive", "yes", "--p", "p")
WORK = {
    "run, 10,000 rows, first": ("run", "10000.parquet", *RUN),
    "run, 10,000 rows, warm": ("run", "10000.parquet", *RUN),
    "run, 1,000,000 rows, warm": ("run", "1000000.parquet", *RUN),
    "choose, 10,000 rows": ("choose", "10000.parquet", "--target", "y"),
    "predict, 10,000 rows": ("predict", "goodmeasure-out/model.json", "10000.parquet", "--out", "predicted.csv"),
    "score, 10,000 rows": ("score", "10000.parquet", *SCORED),
    "decide, 10,000 rows": ("decide", "10000.parquet", *SCORED, "--cost", "fn=40", "--cost", "fp=5"),
}
ROUNDS = 3


@contextmanager
def checkout(path: str) -> Iterator[None]:
    """While it is entered, processes import this checkout, and keep what they compile in a folder of their own."""
    with tempfile.TemporaryDirectory() as cache:
        before = dict(os.environ)
        os.environ |= {"PYTHONPATH": str(Path(path).resolve() / "src"), "GOODMEASURE_CACHE_DIR": cache}
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def measured(path: str) -> dict[str, float]:
    """Processor seconds of each command."""
    found = {}
    with tempfile.TemporaryDirectory() as made, checkout(path):
        for rows in (10_000, 1_000_000):
            duckdb.sql(TABLE.format(rows=rows, path=f"{made}/{rows}.parquet"))
        for name, words in WORK.items():
            rounds = 1 if name.endswith("first") else ROUNDS
            found[name] = min(timed(words, Path(made))[1] for _ in range(rounds))
    return found


def main(paths: list[str]) -> None:
    columns = [measured(path) for path in paths]
    print(f"| command | {' | '.join(['before', 'now'][-len(paths) :])} |\n|---|{'---:|' * len(paths)}")
    for name in WORK:
        print(f"| {name} | {' | '.join(f'{each[name]:.1f}' for each in columns)} |")


if __name__ == "__main__":
    main([*sys.argv[1:2], "."])
