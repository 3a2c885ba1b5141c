"""Calibration errors, and what is said of calibrated scores."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtr

from goodmeasure.calibrating.calibration import calibration
from goodmeasure.calibrating.decomposition import cells
from goodmeasure.calibrating.miscalibration import debiased_squared_error
from goodmeasure.calibrating.significance import chance_of_events, chance_of_parts, drawn_events, ranked
from goodmeasure.calibrating.smoothing import on_grid, smooth_error
from simulations.sections import Row, Section, calibrated, covered, share


def binned_error(y: np.ndarray, p: np.ndarray, bins: int) -> tuple[float, float]:
    """The plug-in errors that most tools print: mean absolute and mean squared, in bins of equal width."""
    cell = np.minimum((p * bins).astype(int), bins - 1)
    size = np.bincount(cell, minlength=bins)
    gap = np.divide(np.bincount(cell, weights=y - p, minlength=bins), size, out=np.zeros(bins), where=size > 0)
    return float(size @ np.abs(gap) / len(y)), float(size @ gap**2 / len(y))


def bias_of_errors() -> Iterator[Row]:
    for n, bins in ((1000, 15), (1000, 100), (10_000, 15)):
        plug = np.array([binned_error(*calibrated(n, seed), bins) for seed in range(200)])
        fair = np.array(
            [
                debiased_squared_error(y - p, p, np.ones(n), bins=bins).value
                for y, p in map(calibrated, [n] * 200, range(200))
            ]
        )
        absolute = math.sqrt(2 * bins / (math.pi * n)) * math.pi / 8
        told = f"{fair.mean():.1e} ± {fair.std() / math.sqrt(200):.1e}"
        yield n, bins, absolute, float(plug[:, 0].mean()), bins / (6 * n), float(plug[:, 1].mean()), told


def smooth() -> Iterator[Row]:
    for n, known in ((1000, 0.0303), (10_000, 0.0141), (100_000, 0.0066)):
        found = [smooth_error(on_grid(p, y - p), n) for y, p in map(calibrated, [n] * 20, range(20))]
        yield n, known, float(np.mean(found))


def scores(rng: np.random.Generator, n: int, rate: float, spread: float) -> np.ndarray:
    """Probabilities with normal log-odds of this spread, so many events in expectation."""
    odds = spread * rng.normal(size=n)
    return expit(odds + brentq(lambda level: expit(level + odds).mean() - rate, -60, 20))


def chance(y: np.ndarray, p: np.ndarray, seed: int) -> float:
    """The p-value that `calibration` gives, from fewer draws: its size is the same, its power a little less."""
    rough = cells(y, p, np.ones(len(y))).coarse(512)
    return chance_of_events(rough, drawn_events(rough, 99, seed))


def falsely(runs: int = 150) -> Iterator[Row]:
    rng = np.random.default_rng(1)
    for n in (100, 300, 1000, 5000):
        for rate in (0.5, 0.1, 0.01, 0.002):
            found = []
            for seed in range(runs):
                p = scores(rng, n, rate, rng.uniform(0.2, 2.5))
                found.append(chance((rng.random(n) < p) * 1.0, p, seed) <= 0.05)
            yield n, rate, *share(found)


OFF = {
    "log-odds times 1.5": lambda z: 1.5 * z,
    "log-odds over 1.5": lambda z: z / 1.5,
    "odds times 1.5": lambda z: z + math.log(1.5),
    "too sure at the ends (overfit)": lambda z: z + 0.25 * z * np.abs(z),
    "a wave of .15": lambda z: logit(np.clip(expit(z) + 0.15 * np.sin(4 * np.pi * expit(z)), 0.001, 0.999)),
}


def missed(runs: int = 30) -> Iterator[Row]:
    rng = np.random.default_rng(2)
    for n in (100, 300, 500, 1000, 5000):
        for rate in (0.5, 0.01):
            row = []
            for bend in OFF.values():
                found = []
                for seed in range(runs):
                    q = scores(rng, n, rate, 1.5)
                    found.append(chance((rng.random(n) < q) * 1.0, expit(bend(logit(q))), seed) > 0.05)
                row.append(float(np.mean(found)))
            yield n, rate, *row


def gathered(clusters: int, size: int, rate: float, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Calibrated scores whose outcomes go together: a normal copula of correlation .3 within clusters."""
    code = np.repeat(np.arange(clusters), size)
    p = expit(logit(rate) + 0.7 * rng.normal(size=len(code)) + 0.7 * rng.normal(size=clusters)[code])
    pull = math.sqrt(0.3) * rng.normal(size=clusters)[code] + math.sqrt(0.7) * rng.normal(size=len(code))
    return (ndtr(pull) < p) * 1.0, p, code


def of_clusters(runs: int = 30) -> Iterator[Row]:
    rng = np.random.default_rng(3)
    for clusters, size, rate in ((20, 10, 0.5), (20, 10, 0.05), (100, 10, 0.05)):
        alone, known = [], []
        for seed in range(runs):
            y, p, code = gathered(clusters, size, rate, rng)
            alone.append(chance(y, p, seed) <= 0.05)
            known.append(calibration(y, p, cluster=code, seed=seed).verdict == "miscalibrated")
        yield clusters, size, rate, float(np.mean(alone)), float(np.mean(known)), runs


NOISE = {
    "normal": lambda rng, n: rng.normal(size=n),
    "exponential": lambda rng, n: rng.exponential(size=n) - 1,
    "lognormal": lambda rng, n: rng.lognormal(size=n) - math.exp(0.5),
}


def of_amounts(runs: int = 100) -> Iterator[Row]:
    rng = np.random.default_rng(4)
    for n in (100, 300, 1000):
        for name, noise in NOISE.items():
            right, off = [], []
            for seed in range(runs):
                x = rng.normal(size=n)
                ranks, miss = ranked(x, np.ones(n)), noise(rng, n)
                right.append(chance_of_parts(miss, ranks, np.arange(n), seed) <= 0.05)
                off.append(chance_of_parts(miss - 0.3 * x, ranks, np.arange(n), seed) > 0.05)
            yield n, name, float(np.mean(right)), float(np.mean(off)), runs


def of_classes(runs: int = 20) -> Iterator[Row]:
    rng = np.random.default_rng(5)
    for n in (300,):
        said: dict[float, list[bool]] = {1.0: [], 1.5: []}
        single = []
        for seed in range(runs):
            p = rng.dirichlet(np.ones(3), n)
            y = (rng.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1)
            for power, told in said.items():
                found = calibration(y, p**power / (p**power).sum(axis=1, keepdims=True), seed=seed)
                told.append(found.verdict == "miscalibrated")
                if power == 1:
                    single.append(any(one.verdict == "miscalibrated" for one in found.classes))
        yield n, float(np.mean(said[1.0])), float(np.mean(single)), 1 - float(np.mean(said[1.5])), runs


def of_intervals(runs: int = 40) -> Iterator[Row]:
    truths = {"miscalibration": (0, 1 / 30), "squared_error": (0, 1 / 30), "smooth_error": (0, 1 / 6)}
    for n in (113, 1000):
        for at, bend in enumerate((lambda q: q, lambda q: q**2)):
            found = [
                calibration(y, bend(q), seed=i) for i, (y, q) in enumerate(map(calibrated, [n] * runs, range(runs)))
            ]
            held = []
            for name, truth in truths.items():
                held.append(covered([(getattr(c, name).low, getattr(c, name).high) for c in found], truth[at]))
            known = covered([(c.discrimination.low, c.discrimination.high) for c in found], 1 / 12)
            yield n, ("q", "q²")[at], *held, known


SECTIONS = (
    Section(
        "Calibration errors of calibrated scores",
        ("n", "bins", "theory of mean absolute gap", "plug-in", "theory of mean gap²", "plug-in", "debiased"),
        bias_of_errors,
    ),
    Section("Smooth calibration error of calibrated scores", ("n", "published", "found"), smooth),
    Section(
        "How often calibrated scores are said to be miscalibrated, nominal .05",
        ("n", "rate of events", "said falsely", "runs"),
        falsely,
    ),
    Section(
        "How often miscalibrated scores are not said to be, log-odds of spread 1.5",
        ("n", "rate of events", *OFF),
        missed,
    ),
    Section(
        "How often calibrated scores of rows that go together are said to be miscalibrated, nominal .05",
        ("clusters", "rows each", "rate of events", "rows as independent", "clusters known", "runs"),
        of_clusters,
    ),
    Section(
        "How often amounts are said to be miscalibrated, nominal .05, and slopes of 1.3 are missed",
        ("n", "noise", "said falsely", "missed", "runs"),
        of_amounts,
    ),
    Section(
        "How often three classes are said to be miscalibrated, nominal .05, and log-odds times 1.5 are missed",
        ("n", "said falsely", "of any single class", "missed", "runs"),
        of_classes,
    ),
    Section(
        "Intervals of calibration: coverage, nominal .95, events with probability q",
        ("n", "score", "miscalibration", "squared error", "smooth error", "discrimination"),
        of_intervals,
    ),
)
