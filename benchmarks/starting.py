"""What the first call of a loss costs: compiling its kernel, and loading it from the disk in another process.

Run it as ``python -m benchmarks.starting``. Kernels go to a folder of their own, which is empty at first. A process compiles one
loss; another, started with LLVM by one kernel, then loads those of 15 losses in both precisions, formula and printing included.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

from goodmeasure import kernels
from goodmeasure.losses import catalogue

FIRST = ("binary_cross_entropy", "cross_entropy", "cross_entropy of shares", "brier of shares")
LOADED = (
    "absolute_error", "binary_cross_entropy", "binary_focal", "brier", "cross_entropy", "exponential", "focal", "gamma",
    "gaussian_nll", "hinge", "huber", "log_cosh", "poisson", "squared_error", "tweedie",
)  # fmt: skip
ROUNDS = 5


def main() -> None:
    if sys.argv[1:]:
        print(json.dumps([_called(name, dtype) for name, dtype in (arg.split(":") for arg in sys.argv[1:])]))
        return
    asked = [f"{name}:{dtype}" for dtype in ("float32", "float64") for name in LOADED]
    for name in FIRST:
        with tempfile.TemporaryDirectory() as folder:
            print(f"First call of {name} in a process, compiled: {_process(folder, [f'{name}:float32'])[0]:.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        _process(folder, ["cauchy:float32", *asked])
        rounds = [_process(folder, ["cauchy:float32", *asked]) for _ in range(ROUNDS)]
    starts, *loads = [min(times) * 1e3 for times in zip(*rounds, strict=True)]
    print(f"First call in a process, loaded: {starts:.0f} ms, LLVM's start included")
    print(
        f"Each further kernel, least of {ROUNDS} processes: {statistics.mean(loads):.1f} ms on average, "
        f"{statistics.median(loads):.1f} in the middle, at most {max(loads):.1f}"
    )


def _process(folder: str, asked: list[str]) -> list[float]:
    """The seconds of each first call, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.starting", *asked]
    there = {**os.environ, "GOODMEASURE_CACHE_DIR": folder}
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=there).stdout
    times: list[float] = json.loads(found)
    return times


def _called(name: str, dtype: str) -> float:
    loss, r = catalogue()[name.removesuffix(" of shares")](), np.random.default_rng(0)
    width = 5 if loss.is_classwise else len(loss.activation)
    z = r.normal(size=(10, width) if width > 1 else 10).astype(dtype)
    y = r.integers(0, width, 10) if loss.is_classwise else np.ones(10, dtype)
    y = np.eye(width, dtype=dtype)[y] if name.endswith(" of shares") else y
    start = time.perf_counter()
    assert kernels.value_and_gradient(loss, y, z) is not None
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
