"""How often a threshold that surely keeps a floor misses it among all rows there could be, and what the safety costs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from goodmeasure.decisions.floors import Floor
from goodmeasure.statistics.sample import Sample
from simulations.sections import Row, Section, share

SIZES, RUNS, ALL = (100, 300, 1000, 5000), 120, 100_000
EVENTS = {"common events (40 %)": 0.4, "rare events (5 %)": 0.05}
# How far the scores of events lie from those of others, in standard deviations; of heavy tails both are Student's with 2.
SCORES = {"light tails": np.inf, "heavy tails": 2.0}


def drawn(rng: np.random.Generator, n: int, events: float, tails: float) -> tuple[np.ndarray, np.ndarray]:
    """Events, and scores between 0 and 1 that rise with their probability."""
    y = (rng.random(n) < events) * 1.0
    noise = rng.normal(size=n) if np.isinf(tails) else rng.standard_t(tails, n)
    return y, 0.5 + np.arctan(noise + 1.5 * y) / np.pi


def reached(floor: Floor, at: float, y: np.ndarray, p: np.ndarray) -> tuple[float, float]:
    """The share that the floor is of, and the other, where one acts from a threshold on."""
    acts, event = p >= at, y == 1
    recall, precision = (acts & event).sum() / event.sum(), (acts & event).sum() / max(acts.sum(), 1)
    return (recall, precision) if floor.share == "recall" else (precision, recall)


def kept() -> Iterator[Row]:
    for text in ("recall=0.9", "precision=0.5", "precision=0.1"):
        floor = Floor.of(text)
        for name, events in EVENTS.items():
            for told, tails in SCORES.items():
                every = drawn(np.random.default_rng(1), ALL, events, tails)
                for n in SIZES:
                    missed, other, gave_up = [], [], []
                    for seed in range(RUNS):
                        y, p = drawn(np.random.default_rng((2, seed)), n, events, tails)
                        at = floor.threshold(y, p, Sample(np.ones(n), np.ones(n))) if 0 < y.sum() < n else np.inf
                        gave_up.append(at in (0.0, np.inf))
                        if not gave_up[-1]:
                            found = reached(floor, at, *every)
                            missed.append(found[0] < floor.least)
                            other.append(found[1])
                    mean = float(np.mean(other)) if other else "-"
                    yield str(floor), name, told, n, *(share(missed) if missed else ("-", 0)), mean, share(gave_up)[0]


SECTIONS = (
    Section(
        "Floors: how often does a threshold that surely keeps one miss it?",
        (
            "floor",
            "events",
            "scores",
            "rows to tune",
            "missed",
            "tables with a threshold",
            "the other share",
            "none found",
        ),
        kept,
    ),
)
