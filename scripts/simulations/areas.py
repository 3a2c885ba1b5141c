"""The area under the ROC curve: what its interval covers near 1, for few events, and for rows that go together."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.special import ndtr, ndtri

from goodmeasure.decisions.curves import curves
from goodmeasure.risks.metrics import METRICS
from goodmeasure.statistics.intervals import normal_quantile
from simulations.sections import Row, Section

AREAS = (0.6, 0.9, 0.99, 0.9933, 0.999)
SIZES = ((5, 95), (10, 100), (50, 1000), (500, 500))


def near_one(runs: int = 200) -> Iterator[Row]:
    """Normal scores of both kinds; the events spread once or twice as much."""
    rng = np.random.default_rng(1)
    for truth in AREAS:
        for events, others in SIZES:
            row = []
            for spread in (1, 2):
                y, shift = np.repeat([1.0, 0.0], (events, others)), ndtri(truth) * math.hypot(1, spread)
                inside = []
                for _ in range(runs):
                    p = ndtr(np.append(spread * rng.normal(size=events) + shift, rng.normal(size=others)))
                    found = curves(y, p).area()
                    half = normal_quantile(0.95) * found.standard_error
                    inside.append((abs(found.value - truth) <= half, found.low <= truth <= found.high))
                row += np.mean(inside, axis=0).tolist()
            yield truth, events, others, *row


def rows(clusters: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Ten rows a cluster, whose scores share half of their noise."""
    code = np.repeat(np.arange(clusters), 10)
    y = (rng.random(len(code)) < 0.3) * 1.0
    return y, ndtr(2 * y + rng.normal(size=clusters)[code] + rng.normal(size=len(code))), code


def of_clusters(runs: int = 200) -> Iterator[Row]:
    rng = np.random.default_rng(2)
    metric = METRICS["auc"]
    for clusters in (10, 20, 60):
        # Pairs of one cluster share its noise, and are told apart more often.
        truth = float(ndtr(1) + (ndtr(math.sqrt(2)) - ndtr(1)) * 9 / (10 * clusters - 1))
        inside = []
        for _ in range(runs):
            y, p, code = rows(clusters, rng)
            both = metric.estimate(y, p), metric.estimate(y, p, together=code)
            inside.append([found.low <= truth <= found.high for found in both])
        yield clusters, *np.mean(inside, axis=0).tolist(), runs


SECTIONS = (
    Section(
        "ROC area: coverage, nominal .95",
        (
            "area",
            "events",
            "others",
            "DeLong",
            "`area()`",
            "DeLong, events spread twice",
            "`area()`, events spread twice",
        ),
        near_one,
    ),
    Section(
        "ROC area of rows that go together: coverage, nominal .95",
        ("clusters of 10", "rows as independent", "clusters known", "runs"),
        of_clusters,
    ),
)
