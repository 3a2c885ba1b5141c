"""Intervals of a mean: shares, rows that go together, looking again, cross-validation."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.stats import binom, norm

from goodmeasure.risks.crossvalidation import naive, nested
from goodmeasure.statistics.intervals import (
    clopper_pearson,
    confidence_sequence,
    empirical_bernstein,
    mean_estimate,
    normal_quantile,
    time_blocks,
    wald,
    wilson,
)
from simulations.sections import Row, Section, covered, share


def bernstein(k: int, n: int) -> tuple[float, float]:
    return empirical_bernstein(k / n, k / n * (1 - k / n) * n / (n - 1), n)


def shares() -> Iterator[Row]:
    for n, p in [(17, 0.5), (18, 0.5), (50, 0.1), (100, 0.01), (1000, 0.002), (10_000, 0.01)]:
        chance = binom.pmf(np.arange(n + 1), n, p)
        row: list[object] = [n, p]
        for interval in (wald, wilson, clopper_pearson, bernstein):
            ends = np.array([interval(k, n) if chance[k] > 1e-13 else (0.0, 1.0) for k in range(n + 1)])
            row.append(float(chance[(ends[:, 0] <= p) & (p <= ends[:, 1])].sum()))
        yield tuple(row)


def copies() -> Iterator[Row]:
    for k in (1, 2, 4, 10):
        plain, robust = [], []
        for seed in range(1000):
            values = np.random.default_rng(seed).normal(size=200)
            rows, ids = np.repeat(values, k), np.repeat(np.arange(200), k)
            for kept, together in ((plain, None), (robust, ids)):
                one = mean_estimate(rows, together=together)
                kept.append((one.low, one.high))
        yield k, 2 * norm.cdf(1.959964 / math.sqrt(k)) - 1, covered(plain, 0), covered(robust, 0)


def autocorrelated() -> Iterator[Row]:
    from scipy.signal import lfilter

    for phi in (0.0, 0.5, 0.8):
        plain, blocks = [], []
        for seed in range(1000):
            x = lfilter([1], [1, -phi], np.random.default_rng(seed).normal(size=5200))[200:]
            for kept, together in ((plain, None), (blocks, time_blocks(np.arange(5000), 5000))):
                one = mean_estimate(x, together=together)
                kept.append((one.low, one.high))
        ratio = math.sqrt((1 + phi) / (1 - phi))
        yield phi, ratio, 2 * norm.cdf(1.959964 / ratio) - 1, covered(plain, 0), covered(blocks, 0)


def peeking(runs: int = 20_000) -> Iterator[Row]:
    known = {1: 0.05, 2: 0.083, 5: 0.142, 10: 0.193, 20: 0.248, 50: 0.320, 100: 0.374, 1000: 0.530}
    rng, n = np.random.default_rng(0), np.arange(1, 1001)
    bound = np.array([confidence_sequence(0.0, 1.0, int(t))[1] for t in n])
    crossed, wrong = dict.fromkeys(known, 0), 0
    for _ in range(runs // 500):
        mean = np.cumsum(rng.normal(size=(500, 1000)), axis=1) / n
        z = np.abs(mean) * np.sqrt(n)
        wrong += int((np.abs(mean) > bound).any(axis=1).sum())
        for looks in known:
            at = np.linspace(1000 / looks, 1000, looks).round().astype(int) - 1
            crossed[looks] += int((z[:, at] > 1.959964).any(axis=1).sum())
    for looks, published in known.items():
        yield looks, published, crossed[looks] / runs
    yield "confidence sequence, 1000 looks", "at most 0.05", wrong / runs


def cross_validation(runs: int = 10_000, nested_runs: int = 1000) -> Iterator[Row]:
    """Least squares, n = 50, p = 20, 10 folds, nominal 90 %: the risk of the fit on all rows is 1 + |error of b|²."""
    published, student, wide, misses, believed = [], [], [], [], []
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(50, 20)), rng.normal(size=50)

        def losses_of(train: np.ndarray, test: np.ndarray, x: np.ndarray = x, y: np.ndarray = y) -> np.ndarray:
            b = np.linalg.lstsq(x[train], y[train], rcond=None)[0]
            return (y[test] - x[test] @ b) ** 2

        truth = 1 + float(np.sum(np.linalg.lstsq(x, y, rcond=None)[0] ** 2))
        one = naive(losses_of, 50, level=0.9, seed=seed)
        half = normal_quantile(0.9) * one.standard_error * math.sqrt(50 / 49)  # the deviation with n - 1
        published.append(abs(one.value - truth) <= half)
        student.append(one.low <= truth <= one.high)
        misses.append(one.value - truth)
        believed.append(one.standard_error)
        if seed < nested_runs:
            one = nested(losses_of, 50, repeats=10, level=0.9, seed=seed)
            wide.append(one.low <= truth <= one.high)
    yield "losses as independent, normal quantile (as published)", "0.63 ± 0.05", *share(published)
    yield "losses as independent, Student's quantile (`naive`)", "", *share(student)
    yield "`nested`", "0.90 ± 0.04", *share(wide)
    told = f"{np.mean(misses):.3f}, {np.std(misses):.3f}, {np.mean(believed):.3f}"
    yield "mean of held-out losses less the risk: mean, deviation, deviation believed", "", told, runs


SECTIONS = (
    Section(
        "Intervals of a share: exact coverage, nominal .95",
        ("n", "p", "Wald", "Wilson", "Clopper-Pearson", "empirical Bernstein"),
        shares,
    ),
    Section(
        "k copies of each row: coverage, nominal .95",
        ("k", "theory, rows as independent", "rows as independent", "cluster-robust"),
        copies,
    ),
    Section(
        "Autoregressive rows, n = 5000: coverage, nominal .95",
        ("φ", "ratio of standard errors", "theory, as independent", "as independent", "time blocks"),
        autocorrelated,
    ),
    Section(
        "Chance of a false alarm when a .05 test is looked at again and again", ("looks", "published", "found"), peeking
    ),
    Section(
        "Cross-validation, 50 rows and 20 features: coverage, nominal .90",
        ("interval", "published", "found, with its standard error", "runs"),
        cross_validation,
    ),
)
