"""Hold numbers of every loss, at hyperparameters and points drawn anywhere, to the truth of 50 digits, and write docs/truth.md.

    python scripts/nightly_truth.py                # every loss: about an hour
    python scripts/nightly_truth.py huber focal    # these, without writing the page
    python scripts/nightly_truth.py --seed 1       # other draws

Hyperparameters lie anywhere in their domains, next to the ends too; every activation that a loss admits is tried; targets and
raw outputs go from next to nothing to where exponentials leave the numbers; classes are 2, 3 and 10.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from goodmeasure import losses
from goodmeasure.checking.checks import Asking, Held, Point
from goodmeasure.checking.truth import Clock
from goodmeasure.making.loss import Loss

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from catalogue_losses import drawn, scales_of  # noqa: E402, how the tests draw them

PAGE = ROOT / "docs" / "truth.md"
SECONDS = 20.0  # that the points of one loss may take


@dataclass
class Tally:
    """What was tried of one definition."""

    losses: int = 0
    comparisons: int = 0
    faults: list[str] = field(default_factory=list)
    left_out: int = 0


def points(loss: Loss, count: int, random: np.random.Generator) -> list[Point]:
    """Targets of the domain with raw outputs of every size, exact in single precision."""
    return [_point(loss, random) for _ in range(count)]


def _point(loss: Loss, random: np.random.Generator) -> Point:
    if loss.is_classwise:
        k = len(loss.class_weight) or int(random.choice([2, 3, 10]))
        return int(random.integers(k)), [_size(random) for _ in range(k)]
    rest = [_size(random, 1.0) for _ in loss.activation[1:]]
    if loss.is_binary:
        return float(random.choice([0.0, 1.0, np.float32(random.random())])), [_size(random), *rest]
    y = _target(loss, random)
    near = loss.activation[0].name == "linear" and random.random() < 0.7
    return y, [float(np.float32(near * y + _size(random))), *rest]


def _size(random: np.random.Generator, top: float = 2.4) -> float:
    return float(np.float32(random.choice([-1, 1]) * 10.0 ** random.uniform(-8, top)))


def _target(loss: Loss, random: np.random.Generator) -> float:
    while True:
        y = float(np.float32(random.choice([-1, 0, 1], p=[0.3, 0.1, 0.6]) * 10.0 ** random.uniform(-6, 4)))
        for tried in (y, float(round(y)), abs(y), float(round(abs(y))), float(np.float32(random.random()))):
            if tried in loss.target:
                return tried


def _groups(loss: Loss, tried: list[Point]) -> Iterator[list[Point]]:
    """Points that a single call can hold: as many classes in each."""
    by_size: dict[int, list[Point]] = defaultdict(list)
    for point in tried:
        by_size[len(point[1])].append(point)
    yield from by_size.values()


def tried(job: tuple[str, int, int, int, float]) -> tuple[str, Tally]:
    """One definition, so many times drawn, at so many points each, in so many seconds a group of points."""
    name, draws, count, seed, seconds = job
    random = np.random.default_rng([seed, *name.encode()])
    definition, tally = losses.catalogue()[name], Tally()
    for k in range(draws):
        first = definition() if k == 0 else drawn(definition, random)
        for loss in scales_of(first):
            tally.losses += 1
            # Next to zero, predictions of class losses, of several raw outputs, and on another scale are rounded at size one.
            least = float(loss.is_classwise or len(loss.activation) > 1 or loss.activation != first.activation)
            for group in _groups(loss, points(loss, count, random)):
                _hold(loss, group, tally, least, seconds)
    return name, tally


def _hold(loss: Loss, group: list[Point], tally: Tally, least: float, seconds: float) -> None:
    asked = Asking(False, Clock(seconds), lambda _: None, seconds)
    held = Held(loss, asked, group, least)
    answers = list(held.answers())
    outputs = len(group[0][1])
    tally.comparisons += 2 * (held.looked["values"] + 2 * outputs * held.looked["signals and curvatures"])
    tally.left_out += bool(asked.left_out)
    tally.faults += [f"`{loss!r}` ({loss.activation[0].name}): {a.question} {a.seen}" for a in answers if a.passed is False]


HEAD = """# Numbers held to the truth, drawn at random

Written by `scripts/nightly_truth.py` (seed {seed}) in {minutes:.0f} min on a machine that others used too. Value, signal and
curvature of every loss in float32 and float64 (arrays of NumPy), beside its book form at 50 digits and more. Hyperparameters are
drawn from their domains, next to the ends too (exponents up to a million); each activation that a loss admits is tried; raw
outputs go from 1e-8 to 250 in size, targets from 1e-6 to 1e4; classes are 2, 3 and 10.

A number is off where it misses the truth by more than 8 ulps and more than rounding what it is made of does: an ulp of a raw
output, of the target or of a hyperparameter, times how the truth moves with it. That is its conditioning, and no computation that
rounds its inputs does better. A curvature is a sum of products of such terms: there an input counts four ulps, and as 1 at least.
It counts as 1 at least too where there are several raw outputs, or another scale than the loss's own: predictions next to it are
rounded at that size. {left} groups of points did not fit into {most:g} s each: what was not looked at there is not counted.

| loss | losses drawn | comparisons | readings that are off |
|---|---|---|---|
"""


def page(found: dict[str, Tally], seed: int, seconds: float, most: float) -> str:
    """The table, and each fault."""
    everything = [(name, tally) for name, tally in sorted(found.items())]
    whole = Tally(
        sum(t.losses for t in found.values()),
        sum(t.comparisons for t in found.values()),
        [fault for _, t in everything for fault in t.faults],
        sum(t.left_out for t in found.values()),
    )
    head = HEAD.format(seed=seed, minutes=seconds / 60, left=whole.left_out, most=most)
    rows = [
        f"| {name} | {t.losses} | {t.comparisons:,} | {len(t.faults)} |"
        for name, t in [*everything, ("**all**", whole)]
    ]
    faults = ["", "## What was off", "", *(f"- {fault}" for fault in whole.faults)] if whole.faults else []
    return head + "\n".join([*rows, *faults]) + "\n"


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="definitions; all of the catalogue unless given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    asked = parser.parse_args()
    names = asked.names or list(losses.catalogue())
    begun, found = time.time(), {}
    with get_context("spawn").Pool(asked.processes) as pool:
        jobs = [(name, asked.draws, asked.points, asked.seed, asked.seconds) for name in names]
        for name, tally in pool.imap_unordered(tried, jobs):
            found[name] = tally
            print(
                f"{name}: {tally.comparisons} comparisons, {len(tally.faults)} off",
                *tally.faults,
                sep="\n  ",
                flush=True,
            )
    if not asked.names:
        PAGE.write_text(page(found, asked.seed, time.time() - begun, asked.seconds), encoding="utf-8")
    raise SystemExit(1 if any(t.faults for t in found.values()) else 0)


if __name__ == "__main__":
    main()
