"""Amounts with zeros: how often errors are said not to grow with the mean, and how often that is missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from goodmeasure.choosing.spreading import spread
from simulations.sections import Row, Section, share

Floats = np.ndarray
Draw = Callable[[np.random.Generator, Floats], Floats]
SIZES, RUNS = (100, 300, 1000, 5000), 400


def tweedie(rng: np.random.Generator, mean: Floats, dispersion: float, power: float) -> Floats:
    """Sums of gamma amounts, as many as a Poisson law says: of variance ``dispersion * mean ** power``."""
    counts = rng.poisson(mean ** (2 - power) / (dispersion * (2 - power)))
    shape, scale = (2 - power) / (power - 1), dispersion * (power - 1) * mean ** (power - 1)
    return np.where(counts > 0, rng.gamma(np.maximum(counts, 1) * shape, scale), 0.0)


def _skewed(rng: np.random.Generator, mean: Floats) -> Floats:
    errors = rng.gamma(2.0, 1.0, mean.shape) - 2.0
    return np.maximum(mean + 0.7 * errors, 0.0)


GROWING: dict[str, Draw] = {
    "Tweedie, no zeros": lambda rng, mean: tweedie(rng, mean, 0.2, 1.5),
    "Tweedie, half zeros": lambda rng, mean: tweedie(rng, mean, 7.6, 1.5),
    "Tweedie of power 1.2": lambda rng, mean: tweedie(rng, mean, 0.3, 1.2),
    "counts": lambda rng, mean: rng.poisson(mean).astype(float),
    "a third zeros, log-normal": lambda rng, mean: np.where(
        rng.random(mean.shape) < 1 / 3, 0.0, mean * np.exp(1.5 * rng.normal(size=mean.shape))
    ),
}
EVEN: dict[str, Draw] = {
    "normal": lambda rng, mean: np.maximum(mean + rng.normal(size=mean.shape), 0.0),
    "skewed": _skewed,
}


def errors(draw: Draw, n: int, seed: int) -> tuple[Floats, Floats]:
    """Residuals and predictions of a line through amounts whose means lie within a factor of two for most rows."""
    rng = np.random.default_rng(seed)
    mean = 7 * np.exp(0.35 * rng.normal(size=n))
    y = draw(rng, mean)
    line = np.column_stack([np.ones(n), mean])
    predictions = np.maximum(line @ np.linalg.lstsq(line, y, rcond=None)[0], 0.05)
    return y - predictions, predictions


def _rows() -> Iterator[Row]:
    for laws, word in ((GROWING, "falsely"), (EVEN, "missed")):
        for name, draw in laws.items():
            for n in SIZES:
                found = [spread(*errors(draw, n, seed)) for seed in range(RUNS)]
                even = [one is not None and one.is_even for one in found]
                yield (name, n, word, *share([not each for each in even] if word == "missed" else even))


SECTIONS = (
    Section(
        'Errors "do not grow" with the mean: falsely, and missed, where most means lie within a factor of two',
        ("amounts", "rows", "word", "how often", "runs"),
        _rows,
    ),
)
