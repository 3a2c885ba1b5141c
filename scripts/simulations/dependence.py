"""Rows that go together: in time, and in few or many groups."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from goodmeasure.decisions.costs import Costs
from goodmeasure.decisions.pricing import Policy, Prices
from goodmeasure.risks.metrics import METRICS
from goodmeasure.statistics.intervals import mean_estimate
from goodmeasure.statistics.row_arguments import PresentRows
from goodmeasure.statistics.sample import Sample
from simulations.sections import Row, Section


def in_time(runs: int = 500) -> Iterator[Row]:
    """Skewed losses that remember, each as likely as the one before."""
    from scipy.signal import lfilter

    for n in (113, 300, 1000, 5000):
        for phi in (0.0, 0.5, 0.8, 0.95):
            rng, inside, plain, few, width = np.random.default_rng(0), 0, 0, 0, 0.0
            for _ in range(runs):
                x = lfilter([1], [1, -phi], rng.standard_exponential(n + 300) - 1)[300:]
                found, naive = Sample.of(PresentRows.of(n, time=np.arange(n)), 0.95).mean(x), mean_estimate(x)
                inside += found.low <= 0 <= found.high
                plain += naive.low <= 0 <= naive.high
                few += bool(found.cautions)
                width += (found.high - found.low) * (1 - phi) * np.sqrt(n) / 2 / 1.96 / runs
            yield n, phi, inside / runs, plain / runs, float(width), few / runs


COSTS = Costs(false_negative=10, false_positive=1)


def clustered(groups: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Groups of twenty rows that share half of what moves their events; the score knows the other half."""
    group = np.repeat(np.arange(groups), 20)
    seen, shared = rng.normal(size=20 * groups), rng.normal(size=groups)[group]
    y = (rng.random(20 * groups) < 1 / (1 + np.exp(1 - seen - shared))) * 1.0
    return y, 1 / (1 + np.exp(1 - seen)), group


def numbers(y: np.ndarray, p: np.ndarray, group: np.ndarray | None) -> dict[str, tuple[float, float, float]]:
    rows = PresentRows.of(len(y), **({} if group is None else {"cluster": group}))
    sample = Sample.of(rows, 0.95)
    found = {
        "mean loss": sample.mean((p - y) ** 2),
        "accuracy": METRICS["accuracy"].estimate(y, p, together=group),
        "recall": METRICS["recall"].estimate(y, p, together=group),
        "cost": Prices(COSTS, y.astype(np.intp), sample).cost(Policy.from_(0.1, p)),
    }
    return {name: (one.value, one.low, one.high) for name, one in found.items()}


def in_groups(runs: int = 200) -> Iterator[Row]:
    truth = {name: one[0] for name, one in numbers(*clustered(20_000, np.random.default_rng(1))[:2], None).items()}
    for groups in (5, 10, 30, 100):
        rng, inside, plain = np.random.default_rng(0), dict.fromkeys(truth, 0), dict.fromkeys(truth, 0)
        for _ in range(runs):
            y, p, group = clustered(groups, rng)
            for counts, found in ((inside, numbers(y, p, group)), (plain, numbers(y, p, None))):
                for name, (_, low, high) in found.items():
                    counts[name] += low <= truth[name] <= high
        for name in truth:
            yield groups, name, inside[name] / runs, plain[name] / runs


SECTIONS = (
    Section(
        "Rows in time, AR(1) with skewed steps, 500 runs: coverage, nominal .95, and how often few blocks are warned of",
        ("n", "memory", "blocks from the data", "rows taken as independent", "width, of what is needed", "warned"),
        in_time,
    ),
    Section(
        "Groups of twenty rows: coverage, nominal .95; below ten groups the estimate says so",
        ("groups", "number", "groups known", "rows taken as independent"),
        in_groups,
    ),
)
