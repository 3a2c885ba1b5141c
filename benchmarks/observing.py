"""What observation costs a training step once the first steps were looked at: the same loop, plain and under observation.

    PYTHONPATH=src python -m benchmarks.observing

Each model trains in blocks of steps, plain and observed in turn, in one process; the figure is the median of the ratios of
neighbouring blocks. Observation is that of a program that runs whole (``--all``): one that is cut makes no later steps.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import torch

from goodmeasure.auditing.observing.running import Hosts
from goodmeasure.auditing.observing.stopping import Cut, Limits

STEPS, BLOCKS = 200, 15


def tiny() -> torch.nn.Module:
    """Three layers of a few units: nearly all of a step is overhead of Python."""
    return torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))


def deep() -> torch.nn.Module:
    """Forty small modules, each of which is a call that is observed."""
    layers = [torch.nn.Sequential(torch.nn.Linear(32, 32), torch.nn.ReLU()) for _ in range(20)]
    return torch.nn.Sequential(torch.nn.Linear(8, 32), *layers, torch.nn.Linear(32, 1))


def wide() -> torch.nn.Module:
    """Layers of 512 units on 256 examples: a step of some milliseconds."""
    return torch.nn.Sequential(
        torch.nn.Linear(8, 512), torch.nn.ReLU(), torch.nn.Linear(512, 512), torch.nn.ReLU(), torch.nn.Linear(512, 1)
    )


def training(make: Callable[[], torch.nn.Module], rows: int) -> Callable[[int], float]:
    """A function that makes so many training steps and returns the seconds that one takes."""
    torch.manual_seed(0)
    model, x = make(), torch.randn(rows, 8)
    y, optimizer = x.sum(1, keepdim=True), torch.optim.SGD(model.parameters(), lr=1e-3)

    def steps(number: int) -> float:
        started = time.perf_counter()
        for _ in range(number):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
        return (time.perf_counter() - started) / number

    return steps


def ratios(make: Callable[[], torch.nn.Module], rows: int, number: int) -> Iterator[tuple[float, float]]:
    """Seconds of a plain step, and of an observed one, block by block."""
    steps = training(make, rows)
    steps(number)
    for _ in range(BLOCKS):
        plain = steps(number)
        with Hosts(Limits(all=True), Cut()).observing():
            steps(20)  # those that are looked at
            yield plain, steps(number)


def main() -> None:
    """Print a table."""
    torch.set_num_threads(1)
    print("| model | a plain step | an observed one | ratio |\n|---|---|---|---|")
    for make, rows, number in ((tiny, 32, STEPS), (deep, 32, STEPS // 4), (wide, 256, STEPS // 10)):
        pairs = list(ratios(make, rows, number))
        plain, seen = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(two / one for one, two in pairs)
        print(f"| {make.__name__} | {plain * 1e6:.0f} us | {seen * 1e6:.0f} us | {ratio:.2f} |")


if __name__ == "__main__":
    main()
