"""Value and gradient of the mean in one call, beside torch, torch.compile, JAX, scikit-learn, NumPy and a streaming pass.

Run it as ``python -m benchmarks.kernels [quick]``. Answers are compared before anything is timed; the columns of a row are
timed in turns, and the medians printed. A full run writes its table into ``docs/performance.md``.
"""

from __future__ import annotations

import datetime
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np
import torch

from benchmarks.peers import Work, peers, works
from goodmeasure import kernels, losses
from goodmeasure.kernels import threads

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"
COLUMNS = ("torch", "torch.compile", "jax", "sklearn", "numpy")
PAUSE = 0.05  # seconds until the threads of the column before, which wait for more work by spinning, have gone to sleep
ROWS = ((1 << 20, 10), (65536, 256), (8192, 4096), (2048, 32000))


def main() -> None:
    quick = "quick" in sys.argv[1:]
    jax.config.update("jax_enable_x64", True)
    torch.set_num_threads(threads.get_threads())
    lines = [_machine(), ""]
    print(lines[0] + "\n", flush=True)
    for dtype in ("float32", "float64"):
        lines += _table(
            dtype, 1 if quick else 8, tuple((max(n // 64, 16), k) for n, k in ROWS) if quick else ROWS, quick
        )
    lines += [_small_calls(), ""]
    print(lines[-2])
    if not quick and PAGE.exists():
        before, rest = PAGE.read_text("utf-8").split(BEGIN, 1)
        PAGE.write_text(before + BEGIN + "\n\n" + "\n".join(lines) + "\n" + END + rest.split(END, 1)[1], "utf-8")


def _table(dtype: str, millions: int, rows: tuple[tuple[int, int], ...], quick: bool) -> list[str]:
    """One row of milliseconds a piece of work."""
    heads = ["work", *COLUMNS, "goodmeasure", "stream", "x fastest peer", "x stream"]
    lines = [
        f"### {dtype}, milliseconds",
        "",
        "| " + " | ".join(heads) + " |",
        "|" + "---|" + "---:|" * (len(heads) - 1),
    ]
    print("\n".join(lines), flush=True)
    for work in works(millions, rows):
        found = measured(work, dtype, rounds=3 if quick else 9)
        fastest = min(found[name] for name in COLUMNS if name in found)
        numbers = [f"{found[name]:.1f}" if name in found else "-" for name in (*COLUMNS, "goodmeasure", "stream")]
        ratios = [f"{fastest / found['goodmeasure']:.2f}", f"{found['goodmeasure'] / found['stream']:.2f}"]
        lines.append("| " + " | ".join([work.title, *numbers, *ratios]) + " |")
        print(lines[-1], flush=True)
    return [*lines, ""]


def measured(work: Work, dtype: str, rounds: int) -> dict[str, float]:
    """Median milliseconds of each column, timed in turns, after their answers were found to agree."""
    r = np.random.default_rng(0)
    z = r.normal(0, 2, work.shape).astype(dtype)
    y = work.targets(r, work.shape)
    y = y.astype(np.int64 if work.classes else dtype)
    torch._dynamo.reset()  # each row is compiled as if it were the only one
    loss = getattr(losses, work.name)(**work.hyperparameters)
    out = np.empty_like(z)
    columns: dict[str, Callable[[], Any]] = dict(peers(work, y, z))
    columns["goodmeasure"] = lambda: kernels.value_and_gradient(loss, y, z, out=out)
    _agree(work, columns)
    columns["stream"] = _stream(y, z, out)
    return _timed(columns, rounds)


def _agree(work: Work, columns: Mapping[str, Callable[[], Any]]) -> None:
    """Every column has the same mean and gradient, as far as its precision goes."""
    value, gradient = columns["goodmeasure"]()
    gradient = gradient.copy()
    size = float(np.abs(gradient).max())
    for name, column in columns.items():
        other, other_gradient = column()
        # scikit-learn leaves out what y alone decides of some losses, and so may differ by a constant.
        if name != "sklearn":
            np.testing.assert_allclose(float(other), value, rtol=2e-4, atol=1e-5, err_msg=f"{work.name}: {name}")
        gap = float(np.abs(np.asarray(other_gradient) - gradient).max())
        assert gap <= 2e-3 * size, f"{work.name}: the gradient of {name} differs by {gap / size:.2g} of the largest"


def _stream(y: Any, z: Any, out: Any) -> Callable[[], None]:
    """One pass over the same bytes on the same threads: each input read once, the output written once."""
    import numba

    @numba.njit(nogil=True)  # type: ignore[untyped-decorator]
    def pass_over(y: Any, z: Any, out: Any) -> Any:
        total = y.dtype.type(0)
        for i in range(y.size):
            total ^= y[i]
        for i in range(z.size):
            out[i] = z[i]
        return total

    @numba.njit(nogil=True)  # type: ignore[untyped-decorator]
    def pass_over_both(y: Any, z: Any, out: Any) -> None:
        for i in range(z.size):
            out[i] = z[i] + y[i]

    work = pass_over_both if y.size == z.size else pass_over
    labels, flat_z, flat = (
        (y if y.size == z.size else y.view(np.int64 if y.itemsize == 8 else np.int32)),
        z.reshape(-1),
        out.reshape(-1),
    )
    block, width = 1 << 17, z.size // y.size
    rows = max(block // width, 1)
    count = -(-y.size // rows)

    def one(i: int) -> None:
        part = slice(i * rows * width, (i + 1) * rows * width)
        work(labels[i * rows : (i + 1) * rows], flat_z[part], flat[part])

    return lambda: threads.for_each(count, one) and None


def _timed(columns: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in columns}
    for _ in range(rounds):
        for name, column in columns.items():
            time.sleep(PAUSE)
            start = time.perf_counter()
            column()
            taken[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(times) for name, times in taken.items()}


def _small_calls() -> str:
    """How long a call on 1,000 examples takes, checks included."""
    r = np.random.default_rng(0)
    y, z = (r.random(1000) < 0.3).astype(np.float32), r.normal(0, 2, 1000).astype(np.float32)
    out, loss = np.empty_like(z), losses.binary_cross_entropy()
    kernels.value_and_gradient(loss, y, z, out=out)
    taken = []
    for _ in range(200):
        start = time.perf_counter()
        for _ in range(20):
            kernels.value_and_gradient(loss, y, z, out=out)
        taken.append((time.perf_counter() - start) / 20)
    return f"A call on 1,000 examples (binary cross-entropy, float32) takes {statistics.median(taken) * 1e6:.1f} microseconds."


def _machine() -> str:
    names = ("numpy", "numba", "torch", "jax", "optax", "scikit-learn", "scipy")
    found = ", ".join(f"{name} {version(name)}" for name in names)
    return (
        f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}, {_processor()}, {threads.get_threads()} threads of "
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {found}."
    )


def _processor() -> str:
    try:
        shown = subprocess.run(["lscpu"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return platform.processor() or platform.machine()
    lines = dict(line.split(":", 1) for line in shown.splitlines() if ":" in line)
    names = [lines.get(key, "").strip() for key in ("Model name", "L3 cache")]
    return f"{names[0]} (last-level cache {names[1]})"


if __name__ == "__main__":
    main()
