"""What few rows of a rare outcome, and parts of unequal size, leave of an interval and of the words that rest on it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import goodmeasure as gm
from goodmeasure.risks.areas import of_rows
from goodmeasure.risks.risk import compare, risk
from goodmeasure.statistics.estimate import Estimate
from goodmeasure.statistics.intervals import mean_estimate, student_quantile
from goodmeasure.statistics.multinomial import hit_share
from goodmeasure.statistics.row_arguments import PresentRows
from goodmeasure.statistics.sample import Sample
from simulations.sections import Row, Section

Floats = np.ndarray
LOSS = gm.losses.binary_cross_entropy()
RATES = (0.005, 0.02, 0.1)
SIZES = (100, 300, 1000, 5000)
# Spread of the logarithm of the chance of an event.
SPREAD = 1.0


def chances(rng: np.random.Generator, n: int, rate: float) -> Floats:
    """The true chance of an event in each row, which is ``rate`` on average."""
    return np.minimum(rate * np.exp(rng.normal(0, SPREAD, n) - SPREAD**2 / 2), 0.9)


def rare_words(runs: int = 40) -> Iterator[Row]:
    """The true model beside one that promises a tenth of the events, and beside the best constant of the same rows."""
    for rate in RATES:
        for n in SIZES:
            rng, said = np.random.default_rng(n), np.zeros(7)
            q = chances(rng, 400_000, rate)
            truth = float(-(q * np.log(q) + (1 - q) * np.log1p(-q)).mean())
            for _ in range(runs):
                p = chances(rng, n, rate)
                y = (rng.random(n) < p) * 1.0
                low = compare(LOSS, y, prediction=(p / 10, p)).verdict
                tallied = gm.tally(LOSS, y, prediction={"low": p / 10, "true": p}).compare("low", "true").verdict
                found = risk(LOSS, y, prediction=p)
                assert found.versus_constant is not None
                constant = found.versus_constant.verdict
                covers = found.low <= truth <= found.high
                said += low == "better", low != "worse", tallied == "better", tallied != "worse", False, False, covers
                said[4:6] += constant == "worse", constant != "better"
            yield rate, n, *(float(each) for each in said / runs)


def _sizes(rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    return {
        "equal": np.full(count, 8),
        "geometric": rng.geometric(1 / 8, count),
        "lognormal, 1.2": (1 + rng.lognormal(1.5, 1.2, count)).astype(int),
        "one holds half": np.r_[count - 1, np.ones(count - 1, dtype=int)],
    }


def _numbers(rng: np.random.Generator, cluster: np.ndarray) -> dict[str, tuple[float, Estimate]]:
    """The truth and the estimate of three numbers of rows that share half of their luck with their cluster."""
    count, n = int(cluster.max()) + 1, len(cluster)
    sample = Sample.of(PresentRows.of(n, cluster=cluster), 0.95)
    cost = rng.gamma(2.0, 0.5, count)[cluster] * rng.exponential(1.0, n)
    luck = np.where(rng.random(n) < 0.5, rng.random(count)[cluster], rng.random(n))
    found = {"mean loss": (1.0, sample.mean(cost)), "share of .2": (0.2, hit_share(sample, (luck < 0.2) * 1.0))}
    y = (luck < 0.5) * 1.0
    if 0 < y.sum() < n:
        found["ROC area of .5"] = (0.5, of_rows(y, rng.random(n), sample).estimate(n, n, 0.95, "area"))
    return found


def _as_equal(found: Estimate, count: int) -> tuple[float, float]:
    """The interval that takes the parts as so many of equal size."""
    half = student_quantile(0.95, count - 1) * np.sqrt(count / (count - 1)) * found.standard_error
    return found.value - half, found.value + half


def unequal(runs: int = 150) -> Iterator[Row]:
    """Clusters of unequal size, by how many there are."""
    for count in (12, 50, 200):
        for kind in _sizes(np.random.default_rng(0), 2):
            rng = np.random.default_rng(count)
            inside: dict[str, list[bool]] = {}
            naive: list[bool] = []
            for _ in range(runs):
                cluster = np.repeat(np.arange(count), _sizes(rng, count)[kind])
                for name, (truth, found) in _numbers(rng, cluster).items():
                    inside.setdefault(name, []).append(found.low <= truth <= found.high)
                    if name == "mean loss":
                        low, high = _as_equal(found, count)
                        naive.append(low <= truth <= high)
            yield kind, count, float(np.mean(naive)), *(float(np.mean(each)) for each in inside.values())


def weights(runs: int = 500) -> Iterator[Row]:
    """Weights of independent rows, whose logarithm has this spread."""
    for n in (30, 100, 300, 1000):
        for spread in (0.5, 1.2):
            rng, inside = np.random.default_rng(n), []
            for _ in range(runs):
                found = mean_estimate(rng.exponential(1.0, n), rng.lognormal(0, spread, n))
                low, high = _as_equal(found, n)
                inside.append((low <= 1 <= high, found.low <= 1 <= found.high))
            yield n, spread, *map(float, np.mean(inside, axis=0))


SECTIONS = (
    Section(
        'Few rows of the rarer answer: "better" and "worse" of two models, and coverage of the mean loss, 40 runs',
        (
            "yes",
            "n",
            "a tenth of the events promised: falsely better",
            "worse missed",
            "falsely better, of a tally",
            "worse missed, of a tally",
            "the true model: falsely worse than the constant",
            "better missed",
            "its mean loss covers",
        ),
        rare_words,
    ),
    Section(
        "Clusters of unequal size: coverage, nominal .95, 150 runs",
        (
            "sizes",
            "clusters",
            "mean loss, counted as equal",
            "mean loss",
            "share of .2",
            "ROC area of .5",
        ),
        unequal,
    ),
    Section(
        "Weights of rows that are independent: coverage of a mean of exponential losses, nominal .95, 500 runs",
        ("n", "spread of the logarithm", "rows counted as equal", "covers"),
        weights,
    ),
)
