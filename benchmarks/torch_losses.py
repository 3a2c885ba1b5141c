"""Forward and backward of a loss in torch on the CPU: `goodmeasure.to_torch` beside the torch loss that it replaces.

Run it as ``python -m benchmarks.torch_losses [quick | small]``. Both are called as modules, eager and under ``torch.compile``;
values and gradients are compared before anything is timed, and the columns of a row are timed in turns. A full run writes its
table into ``docs/performance.md``, and one of ``small`` calls the rows of its table. Those take one thread, are timed by the
processor, and the least of many is taken: on a busy machine the clock on the wall says how long others took, and others empty
the caches.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.kernels import PAGE, _machine
from goodmeasure import losses
from goodmeasure.frameworks.torch import to_torch
from goodmeasure.kernels import threads
from goodmeasure.making.loss import Loss

BEGIN, END = "<!-- measured in torch -->", "<!-- end of measured in torch -->"
HEADS = ("work", "torch", "goodmeasure", "x", "torch compiled", "goodmeasure compiled", "x")
SIZES = (1000, 100_000, 1 << 23)
ROWS = (
    (1000, 10), (10_000, 10), (1 << 20, 10), (1000, 256), (32_768, 256), (25, 4096), (2048, 4096), (256, 32_000)
)  # fmt: skip
Clock = Callable[[], float]
Pick = Callable[[list[float]], float]
LEAST = 2e-3  # seconds that one measurement takes, so that small calls are many


@dataclass(frozen=True)
class Work:
    """A loss, the torch loss it replaces, and how examples of a shape are made."""

    loss: Loss
    theirs: torch.nn.Module
    examples: Callable[[tuple[int, ...]], tuple[torch.Tensor, torch.Tensor]]
    shapes: tuple[tuple[int, ...], ...]


class GaussianNLL(torch.nn.Module):
    """torch's Gaussian loss on two raw outputs, as a network gives them: the mean, and the logarithm of the scale."""

    reduction = "mean"

    def forward(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        variance = torch.exp(2 * input[:, 1])
        return torch.nn.functional.gaussian_nll_loss(input[:, 0], target, variance, full=True, eps=1e-30)


def _real(shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(shape), torch.randn(shape[0])


def _yes(shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(shape), (torch.rand(shape) < 0.3).float()


def _count(shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(shape), torch.poisson(torch.full(shape, 2.0))


def _class(shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(shape), torch.randint(0, shape[1], shape[:1])


def _shares(shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(shape), torch.softmax(torch.randn(shape), 1)


def works(quick: bool) -> list[Work]:
    """Every torch loss that is one of ours on raw outputs; the others mean something else."""
    points = tuple((n,) for n in SIZES[: 2 if quick else None])
    rows = tuple((n, k) for n, k in ROWS if not quick or n * k <= 100_000)
    return [
        Work(losses.binary_cross_entropy(), torch.nn.BCEWithLogitsLoss(), _yes, points),
        Work(losses.squared_error(), torch.nn.MSELoss(), _real, points),
        Work(losses.absolute_error(), torch.nn.L1Loss(), _real, points),
        Work(losses.huber(delta=1.5), torch.nn.HuberLoss(delta=1.5), _real, points),
        Work(losses.huber(), torch.nn.SmoothL1Loss(), _real, points),
        Work(losses.poisson(), torch.nn.PoissonNLLLoss(), _count, points),
        Work(losses.gaussian_nll(), GaussianNLL(), _real, tuple((n // 2, 2) for (n,) in points)),
        Work(losses.cross_entropy(), torch.nn.CrossEntropyLoss(), _class, rows),
        Work(losses.cross_entropy(smoothing=0.1), torch.nn.CrossEntropyLoss(label_smoothing=0.1), _class, rows[:2]),
        Work(losses.cross_entropy(), torch.nn.CrossEntropyLoss(), _shares, rows),
        Work(losses.binary_cross_entropy(), torch.nn.BCEWithLogitsLoss(reduction="none"), _yes, points),
        Work(losses.cross_entropy(), torch.nn.CrossEntropyLoss(reduction="none"), _class, rows[:3]),
    ]


def main() -> None:
    quick, small = "quick" in sys.argv[1:], "small" in sys.argv[1:]
    clock = time.process_time if small else time.perf_counter
    torch.set_num_threads(threads.get_threads())
    torch.manual_seed(0)
    lines = [_machine(), "", "| " + " | ".join(HEADS) + " |", "|---|" + "---:|" * (len(HEADS) - 1)]
    print("\n".join(lines), flush=True)
    for work in works(quick):
        for shape in work.shapes[:1] if small else work.shapes:
            lines.append(
                _row(work, shape, 5 if quick else 41 if small else 9, clock, min if small else statistics.median)
            )
            print(lines[-1], flush=True)
    if not quick:
        _write(lines, small)


def _write(lines: list[str], small: bool) -> None:
    """Put a table into the page, or into the table that stands there the rows that were measured again."""
    before, rest = PAGE.read_text("utf-8").split(BEGIN, 1)
    table, after = rest.split(END, 1)
    if small:
        again = {line.split(" | ")[0]: line for line in lines[4:]}
        lines = [again.get(line.split(" | ")[0], line) for line in table.strip().splitlines()]
    PAGE.write_text(before + BEGIN + "\n\n" + "\n".join(lines) + "\n\n" + END + after, "utf-8")


def _row(work: Work, shape: tuple[int, ...], rounds: int, clock: Clock, pick: Pick) -> str:
    """One row of microseconds a call, and how many times faster ours is."""
    found = measured(work, shape, rounds, clock, pick)
    name = type(work.theirs).__name__ + (" of shares" if work.examples is _shares else "")
    name += " of each" if work.theirs.reduction == "none" else ""
    cells = [f"{work.loss}, {name}, {' x '.join(f'{n:,}' for n in shape)}"]
    for how in ("", " compiled"):
        theirs, ours = found[f"torch{how}"], found[f"goodmeasure{how}"]
        cells += [f"{theirs:,.0f}", f"{ours:,.0f}", f"{theirs / ours:.2f}"]
    return "| " + " | ".join(cells) + " |"


def measured(
    work: Work, shape: tuple[int, ...], rounds: int, clock: Clock = time.perf_counter, pick: Pick = statistics.median
) -> dict[str, float]:
    """Microseconds of each column, timed in turns, after their answers were found to agree: the median, or what else to pick."""
    torch._dynamo.reset()  # each row is compiled as if it were the only one
    z, y = work.examples(shape)
    z.requires_grad_()
    modules = {"torch": work.theirs, "goodmeasure": to_torch(work.loss, reduction=work.theirs.reduction)}
    modules |= {f"{name} compiled": torch.compile(module, dynamic=False) for name, module in modules.items()}
    calls = {name: _call(module, z, y) for name, module in modules.items()}
    _agree(calls)
    return {name: pick(found) for name, found in _timed(calls, rounds, clock).items()}


def _call(module: torch.nn.Module, z: torch.Tensor, y: torch.Tensor) -> Callable[[], tuple[Any, Any]]:
    def run() -> tuple[Any, Any]:
        z.grad = None
        value = module(z, y)
        (value.sum() if value.ndim else value).backward()
        return value, z.grad

    return run


def _agree(calls: Mapping[str, Callable[[], Any]]) -> None:
    """Every column has the same value and gradient, as far as single precision goes."""
    value, gradient = calls["goodmeasure"]()
    for call in calls.values():
        other, other_gradient = call()
        torch.testing.assert_close(other, value, rtol=1e-4, atol=1e-5)
        assert (other_gradient - gradient).abs().max() <= 1e-3 * gradient.abs().max()


def _timed(calls: Mapping[str, Callable[[], Any]], rounds: int, clock: Clock) -> dict[str, list[float]]:
    start = clock()
    calls["torch"]()
    times = max(round(LEAST / (clock() - start)), 1)
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = clock()
            for _ in range(times):
                call()
            taken[name].append((clock() - start) / times * 1e6)
    return taken


if __name__ == "__main__":
    main()
