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


def rare_rates(runs: int = 100) -> Iterator[Row]:
    """Twenty groups of equal size whose rare events come as promised, and one of them with ten times as many."""
    for weights in ("equal", "from .5 to 1.5"):
        for share in (0.001, 0.01):
            for n in (100, 300, 1000, 5000):
                rng, named, found, group = np.random.default_rng(0), 0, 0, np.arange(n) % 20
                for _ in range(runs):
                    weight = None if weights == "equal" else rng.uniform(0.5, 1.5, n)
                    p, luck = np.full(n, share), rng.random(n)
                    named += segment_rates((luck < p) * 1.0, p, group, sample_weight=weight)[0].p_value <= 0.05
                    y = (luck < np.where(group == 1, 10 * p, p)) * 1.0
                    first = segment_rates(y, p, group, sample_weight=weight)[0]
                    found += first.verdict == "more events than promised" and first.name == "1"
                yield weights, share, n, named / runs, found / runs, runs


def cluster_rates(runs: int = 300) -> Iterator[Row]:
    """One group of clusters of ten rows: on their own, four in ten with the luck of their cluster, or all of them."""
    for share in (0.02, 0.3):
        for count in (3, 6, 20, 60):
            for alike in (0.0, 0.4, 1.0):
                rng, named, found = np.random.default_rng(0), 0, 0
                cluster = np.repeat(np.arange(count), 10)
                for _ in range(runs):
                    p, own = rng.beta(2, 2 / share - 2, len(cluster)), rng.random(len(cluster))
                    luck = np.where(rng.random(len(cluster)) < alike, rng.random(count)[cluster], own)
                    y = (luck < p) * 1.0
                    for promised in (p, p / 2):
                        said = segment_rates(y, promised, np.zeros(len(y)), cluster=cluster)[0].p_value <= 0.05
                        named, found = named + (said and promised is p), found + (said and promised is not p)
                yield share, count, alike, named / runs, found / runs, runs


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
    Section(
        "Segments of rare events, twenty groups: calibrated ones, and one with ten times the events that it is promised",
        ("weights", "promised", "n", "falsely named", "found", "runs"),
        rare_rates,
    ),
    Section(
        "One segment of clusters of ten rows: calibrated, and promised half its events",
        ("mean probability", "clusters", "rows that go together", "falsely named", "found", "runs"),
        cluster_rates,
    ),
)
