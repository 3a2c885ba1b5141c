"""How often a model confidence set keeps the best model, how large it is, and how often a difference is said falsely."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from goodmeasure.statistics.confidence_set import confidence_set
from goodmeasure.statistics.sample import Sample
from simulations.sections import Row, Section, share

SIZES, RUNS, MODELS = (100, 300, 1000, 5000), 400, 6
# Fifteen differences a table, each twice, take longer.
RUNS_OF_PAIRS = 120
Noise = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]


def _rare(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Losses of 0 but for one row in fifty, where each model pays its own price."""
    return np.where(rng.random((shape[0], 1)) < 0.02, rng.exponential(size=shape) * 7.1, 0.0) - 0.142


NOISES: dict[str, Noise] = {
    "light tails": lambda rng, shape: rng.normal(size=shape),
    "skewed": lambda rng, shape: (rng.lognormal(0, 1, shape) - np.exp(0.5)) / 2.16,
    "heavy tails (t, 3)": lambda rng, shape: rng.standard_t(3, shape) / np.sqrt(3),
    "rare events (2 %)": _rare,
}
# What the others cost more than the best one, in standard errors of a difference of two models.
GAPS = {"all alike": np.zeros(MODELS), "one best by 2": np.array([0.0, *[2.0] * 5]), "spread out": np.arange(6) * 1.5}


def losses(noise: Noise, gaps: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Losses of six models: what is common to a row, what is the model's own, and how much worse it is."""
    rng = np.random.default_rng(seed)
    common = rng.exponential(size=(n, 1))
    return np.asarray(common + noise(rng, (n, len(gaps))) + gaps * np.sqrt(2 / n))


def _sample(n: int) -> Sample:
    return Sample(np.ones(n), np.ones(n))


def kept_and_size() -> Iterator[Row]:
    for name, noise in NOISES.items():
        for told, gaps in GAPS.items():
            for n in SIZES:
                sets = [confidence_set(losses(noise, gaps, n, seed), _sample(n)) for seed in range(RUNS)]
                best = gaps == gaps.min()
                kept = share([bool(one.kept[best].all()) for one in sets])
                others = [float(one.kept[~best].mean()) for one in sets] if not best.all() else []
                size = float(np.mean([one.kept.sum() for one in sets]))
                yield name, told, n, *kept, size, float(np.mean(others)) if others else "-"


def pairs_said_falsely() -> Iterator[Row]:
    for name, noise in NOISES.items():
        for n in SIZES:
            together, alone = [], []
            for seed in range(RUNS_OF_PAIRS):
                found, sample = losses(noise, np.zeros(MODELS), n, seed), _sample(n)
                level = confidence_set(found, sample).pairwise
                apart = [found[:, i] - found[:, j] for i in range(MODELS) for j in range(i)]
                together.append(_any_sure(apart, Sample(sample.weight, sample.copies, level=level)))
                alone.append(_any_sure(apart, sample))
            yield name, n, *share(together), share(alone)[0]


def _any_sure(apart: list[np.ndarray], sample: Sample) -> bool:
    return any(sample.difference(one).verdict in ("better", "worse") for one in apart)


SECTIONS = (
    Section(
        "Model confidence sets: is the best model kept, and are others left out?",
        ("losses", "six models", "rows", "every best one kept", "runs", "models in the set", "worse ones kept"),
        kept_and_size,
    ),
    Section(
        "Six models that are alike: how often is any of fifteen differences said to be sure?",
        ("losses", "rows", "intervals of all pairs together", "runs", "each at its own level"),
        pairs_said_falsely,
    ),
)
