"""Groups of nothing, and groups that are worse: how often each is named."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from goodmeasure.risks.segment_rates import segment_rates
from goodmeasure.risks.segments import weak_segments
from simulations.sections import Row, Section


def skewed(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Losses with a heavy tail: lognormal, or the cross-entropy of calibrated probabilities of rare events."""
    if kind == "lognormal, sd 1.5":
        return rng.lognormal(0, 1.5, n)
    p = rng.beta(0.3, 6, n)
    return -np.log(np.where(rng.random(n) < p, p, 1 - p))


def unequal(count: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Groups of which the first are several times as large as the last."""
    size = np.arange(1, count + 1) ** -0.7
    return rng.choice(count, n, p=size / size.sum())


def weak() -> Iterator[Row]:
    for kind in ("lognormal, sd 1.5", "cross-entropy, 5 % events"):
        for n, counts, runs in (
            (113, (2, 10, 50), 50),
            (300, (2, 10, 50), 50),
            (1000, (2, 10), 40),
            (5000, (10,), 20),
        ):
            for count in counts:
                rng, named, found, cheap = np.random.default_rng(0), 0, 0, 0
                for _ in range(runs):
                    group, losses = unequal(count, n, rng), skewed(kind, n, rng)
                    said = weak_segments(losses, group)
                    named += said[0].verdict == "weak"
                    cheap += said[-1].verdict == "cheaper"
                    worst = weak_segments(np.where(group == 1, 2, 1) * losses, group)[0]
                    found += worst.verdict == "weak" and worst.name == "1"
                yield kind, n, count, named / runs, cheap / runs, found / runs, runs


def rates(runs: int = 100) -> Iterator[Row]:
    for n in (300, 1000, 5000):
        for count in (2, 20):
            rng, named, found = np.random.default_rng(0), 0, 0
            for _ in range(runs):
                group, p = unequal(count, n, rng), rng.beta(0.5, 5, n)
                y = (rng.random(n) < p) * 1.0
                named += segment_rates(y, p, group)[0].p_value <= 0.05
                first = segment_rates(y, np.where(group == 1, p / 2, p), group)[0]
                found += first.verdict == "more events than promised" and first.name == "1"
            yield n, count, named / runs, found / runs, runs


SECTIONS = (
    Section(
        "Weak segments of skewed losses: how often one is named where all groups are alike, and where one costs twice as much",
        ("losses", "n", "groups", "falsely weak", "falsely cheaper", "found", "runs"),
        weak,
    ),
    Section(
        "Segments whose rate is not the promised one: of calibrated groups, and of one that is promised half its events",
        ("n", "groups", "falsely named", "found", "runs"),
        rates,
    ),
)
