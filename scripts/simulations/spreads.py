"""Amounts and counts: how often errors are said not to grow with the mean, or to grow faster, and how often that is missed.

And what it brings to know how they grow: of losses that all ask for the mean, how far off the fitted means are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import goodmeasure as gm
from goodmeasure.choosing.spreading import GROWS, Spread, spread
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


def clustered(dispersion: float) -> Draw:
    """Counts that cluster: of variance ``mean + dispersion * mean ** 2``, the negative binomial."""
    return lambda rng, mean: rng.negative_binomial(1 / dispersion, 1 / (1 + dispersion * mean)).astype(float)


def overdispersed(factor: float) -> Draw:
    """Counts of variance ``factor * mean``, which goes with the mean as Poisson's does."""
    return lambda rng, mean: rng.negative_binomial(mean / (factor - 1), 1 / factor).astype(float)


def inflated(share: float) -> Draw:
    """Counts of which a share is zero, whatever their mean, and the others follow Poisson's law."""
    return lambda rng, mean: np.where(rng.random(mean.shape) < share, 0, rng.poisson(mean / (1 - share))).astype(float)


def _gamma(shape: float) -> Draw:
    return lambda rng, mean: rng.gamma(shape, mean / shape)


# What the loss of such amounts supposes that the variance goes with, and laws of which that, or more, is true.
TWEEDIE, GAMMA, POISSON = 1.5, 2.0, 1.0
GROWING: dict[str, Draw] = {
    "Tweedie, no zeros": lambda rng, mean: tweedie(rng, mean, 0.2, 1.5),
    "Tweedie, half zeros": lambda rng, mean: tweedie(rng, mean, 7.6, 1.5),
    "Tweedie of power 1.2": lambda rng, mean: tweedie(rng, mean, 0.3, 1.2),
    "counts": lambda rng, mean: rng.poisson(mean).astype(float),
    "a third zeros, log-normal": lambda rng, mean: np.where(
        rng.random(mean.shape) < 1 / 3, 0.0, mean * np.exp(1.5 * rng.normal(size=mean.shape))
    ),
}
POSITIVE: dict[str, Draw] = {
    "gamma, narrow": _gamma(20.0),
    "gamma, exponential": _gamma(1.0),
    "log-normal": lambda rng, mean: mean * np.exp(0.7 * rng.normal(size=mean.shape)),
    "inverse Gaussian": lambda rng, mean: rng.wald(mean, 10.0),
}
# Counts whose variance goes with the mean itself, and such of which it goes faster.
COUNTS: dict[str, Draw] = {
    "Poisson": lambda rng, mean: rng.poisson(mean).astype(float),
    "Poisson, three times the variance": overdispersed(3.0),
}
CLUSTERED: dict[str, Draw] = {
    "negative binomial, 0.5": clustered(0.5),
    "negative binomial, 2": clustered(2.0),
    "a third more zeros than Poisson": inflated(1 / 3),
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


def _said(laws: dict[str, Draw], word: str, holds: Callable[[Spread], bool]) -> Iterator[Row]:
    """How often something is said of laws of which it is false, or missed of those of which it is true."""
    for name, draw in laws.items():
        for n in SIZES:
            found = [spread(*errors(draw, n, seed)) for seed in range(RUNS)]
            said = [one is not None and holds(one) for one in found]
            yield (name, n, word, *share([not each for each in said] if word == "missed" else said))


def _even() -> Iterator[Row]:
    for supposed, laws in ((TWEEDIE, GROWING), (GAMMA, POSITIVE), (POISSON, COUNTS | CLUSTERED)):
        yield from _said(laws, "falsely", lambda one, supposed=supposed: one.is_even(supposed))
    yield from _said(EVEN, "missed", lambda one: one.is_even(TWEEDIE))
    rounded = {f"{name}, whole": lambda rng, mean, draw=draw: np.round(draw(rng, mean)) for name, draw in EVEN.items()}
    yield from _said(rounded, "missed", lambda one: one.is_even(POISSON))


def _faster() -> Iterator[Row]:
    yield from _said(COUNTS, "falsely", lambda one: one.low > GROWS)
    yield from _said(CLUSTERED, "missed", lambda one: one.low > GROWS)


def _efficiency() -> Iterator[Row]:
    """How far fitted means are off, by their mean squared error relative to the mean; of Poisson's loss 1."""
    for name, draw in (COUNTS | CLUSTERED).items():
        for breadth in (0.35, 1.0):
            off = np.array([_off(draw, breadth, seed) for seed in range(RUNS // 4)])
            poisson, *others = off.mean(axis=0)
            yield (name, breadth, *(f"{each / poisson:.2f}" for each in others), len(off))


def _off(draw: Draw, breadth: float, seed: int) -> list[float]:
    """The mean squared relative errors of means by Poisson's loss, the negative binomial of an estimated dispersion, and of 1."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(500, 3))
    mean = 3 * np.exp(breadth * x[:, 0])
    y, found = draw(rng, mean), list[float]()
    first = gm.LossRegressor(gm.losses.poisson(), alpha=0.0).fit(x, y).predict(x)
    seen = spread(y - first, first)
    assert seen is not None
    learned = gm.losses.negative_binomial(dispersion=max(seen.dispersion.value, 1e-3))
    for loss in (gm.losses.poisson(), learned, gm.losses.negative_binomial()):
        fitted = gm.LossRegressor(loss, alpha=0.0).fit(x, y).predict(x)
        found.append(float(np.mean((fitted / mean - 1) ** 2)))
    return found


SECTIONS = (
    Section(
        'Errors "do not grow" with the mean: falsely, and missed, where most means lie within a factor of two',
        ("amounts", "rows", "word", "how often", "runs"),
        _even,
    ),
    Section(
        'Errors of counts "grow faster" than the mean: falsely, and missed, where most means lie within a factor of two',
        ("counts", "rows", "word", "how often", "runs"),
        _faster,
    ),
    Section(
        "Means of 500 counts by losses that all ask for the mean: squared errors beside those of Poisson's loss, which is 1",
        (
            "counts",
            "spread of log means",
            "negative binomial, dispersion learned",
            "negative binomial, dispersion 1",
            "runs",
        ),
        _efficiency,
    ),
)
