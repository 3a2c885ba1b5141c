"""Losses for a real number, on the scale of the target."""

from goodmeasure.definition import loss
from goodmeasure.domains import Level, Positive, Real
from goodmeasure.words import abs, log_cosh as log_cosh_of, where


@loss(target=Real, asks_for="mean", also=("mse", "l2", "rmse"))
def squared_error(y, mu):
    """The squared miss: an error of 10 costs a hundred times one of 1."""
    return (y - mu) ** 2


@loss(target=Real, asks_for="median", also=("mae", "l1"))
def absolute_error(y, mu):
    """The size of the miss: an error of 10 costs ten times one of 1."""
    return abs(mu - y)


@loss(target=Real, also=("smooth_l1",))
def huber(y, mu, *, delta: Positive = 1.0):
    """Squared near (with a half), absolute far: a mean that outliers cannot drag."""
    miss = abs(mu - y)
    return where(miss <= delta, miss**2 / 2, delta * (miss - delta / 2))


@loss(target=Real)
def log_cosh(y, mu):
    """The logarithm of the hyperbolic cosine of the miss: half its square near zero, its size far away."""
    return log_cosh_of(mu - y)


@loss(target=Real, asks_for="quantile", also=("quantile",))
def pinball(y, mu, *, level: Level = 0.5):
    """The miss, where falling short costs level and exceeding costs one minus level for each unit."""
    return where(mu < y, level * (y - mu), (1 - level) * (mu - y))
