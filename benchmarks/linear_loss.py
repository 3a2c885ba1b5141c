"""A linear layer and its loss in one: `goodmeasure.linear_loss` beside torch's undivided loss and its `linear_cross_entropy`.

Run it as ``python -m benchmarks.linear_loss [quick]``. Values and gradients are compared before anything is timed; the columns
are timed in turns, in seconds of the processor over all threads. Memory is the most that a process of its own came to hold beyond
that before its first step, gradients included. A full run writes its table into ``docs/performance.md``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from benchmarks.kernels import PAGE, _machine
from goodmeasure import losses
from goodmeasure.frameworks.torch_linear import linear_loss
from goodmeasure.kernels import threads

BEGIN, END = "<!-- measured linear -->", "<!-- end of measured linear -->"
HEADS = ("work", "column", "processor seconds", "extra MB", "time / undivided", "undivided memory / its")
SHAPE, QUICK = (4096, 256, 32_000), (512, 64, 8000)
MB = 1 << 20

Step = Callable[[], tuple[torch.Tensor, ...]]


def columns(n: int, features: int, classes: int) -> dict[str, Step]:
    """Each way to the same loss and gradients."""
    noise = torch.Generator().manual_seed(0)
    hidden = torch.randn(n, features, generator=noise).requires_grad_()
    weight = (torch.randn(classes, features, generator=noise) / features**0.5).requires_grad_()
    targets = torch.randint(0, classes, (n,), generator=noise)
    targets[::7] = -100
    given = hidden, weight, targets
    functional, options = torch.nn.functional, torch.nn.LinearCrossEntropyOptions()
    ways: dict[str, Callable[..., torch.Tensor]] = {
        "torch, undivided": lambda h, w, y: functional.cross_entropy(functional.linear(h, w), y),
        "torch, linear_cross_entropy": lambda h, w, y: functional.linear_cross_entropy(h, w, y, options=options),
        "goodmeasure, cross_entropy": lambda h, w, y: linear_loss(losses.cross_entropy(), h, w, y, ignore_index=-100),
        "goodmeasure, focal": lambda h, w, y: linear_loss(losses.focal(), h, w, y, ignore_index=-100),
        "goodmeasure, with z_loss and softcap": lambda h, w, y: linear_loss(
            losses.cross_entropy(), h, w, y, ignore_index=-100, z_loss=1e-4, softcap=30.0
        ),
    }
    return {name: _step(way, given) for name, way in ways.items()}


def _step(way: Callable[..., torch.Tensor], given: tuple[torch.Tensor, ...]) -> Step:
    hidden, weight, targets = given

    def run() -> tuple[torch.Tensor, ...]:
        hidden.grad = weight.grad = None
        value = way(hidden, weight, targets)
        value.backward()
        return value.detach(), hidden.grad, weight.grad

    return run


def main() -> None:
    shape = QUICK if "quick" in sys.argv[1:] else SHAPE
    torch.set_num_threads(threads.get_threads())
    steps = columns(*shape)
    _agree(steps)
    memory = {name: _peak(name, shape) for name in steps}
    seconds = _timed(steps, rounds=2)
    lines = [_machine(), "", "| " + " | ".join(HEADS) + " |", "|---|---|" + "---:|" * (len(HEADS) - 2)]
    lines += _table(shape, seconds, memory)
    print("\n".join(lines), flush=True)
    if shape != QUICK:
        before, rest = PAGE.read_text("utf-8").split(BEGIN, 1)
        PAGE.write_text(before + BEGIN + "\n\n" + "\n".join(lines) + "\n\n" + END + rest.split(END, 1)[1], "utf-8")


def _table(shape: tuple[int, ...], seconds: Mapping[str, float], memory: Mapping[str, float]) -> list[str]:
    work = " x ".join(f"{size:,}" for size in shape)
    base = next(iter(seconds))
    return [
        f"| {work} | {name} | {taken:.2f} | {memory[name] / MB:,.0f} | {taken / seconds[base]:.2f} | "
        f"{memory[base] / memory[name]:.1f} |"
        for name, taken in seconds.items()
    ]


def _agree(steps: Mapping[str, Step]) -> None:
    """The ways to cross-entropy have the same value and gradients, as far as single precision goes."""
    names = [name for name in steps if "cross_entropy" in name or "undivided" in name]
    value, *gradients = (each.clone() for each in steps[names[0]]())
    for name in names[1:]:
        other, *others = steps[name]()
        torch.testing.assert_close(other, value, rtol=1e-5, atol=1e-6)
        for ours, theirs in zip(gradients, others, strict=True):
            assert (ours - theirs).abs().max() <= 1e-4 * ours.abs().max(), name


def _timed(steps: Mapping[str, Step], rounds: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.process_time()
            step()
            taken[name].append(time.process_time() - start)
    return {name: statistics.median(found) for name, found in taken.items()}


def _peak(name: str, shape: tuple[int, ...]) -> int:
    """The most resident memory of a first step beyond that before it, in bytes, in a process of its own."""
    found = subprocess.run(
        [sys.executable, "-m", "benchmarks.linear_loss", "peak", name, *map(str, shape)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return int(found.stdout)


def _show_peak(name: str, shape: tuple[int, ...]) -> None:
    torch.set_num_threads(threads.get_threads())
    columns(40, 8, 100)[name]()  # what is loaded and compiled at the first call
    step, before = columns(*shape)[name], _peak_so_far()
    step()
    print(_peak_so_far() - before)


def _peak_so_far() -> int:
    """The most that this process ever held. What `resource` tells would begin with the most that its parent held."""
    (line,) = (line for line in Path("/proc/self/status").read_text("ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["peak"]:
        _show_peak(sys.argv[2], tuple(map(int, sys.argv[3:])))
    else:
        main()
