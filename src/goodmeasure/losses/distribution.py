"""Losses for a whole distribution: several raw outputs an example, on the last axis, in the order of the parameters.

Scales are positive through exp. Likelihoods keep their constants, so that families compare on the same rows.
"""

import math

from goodmeasure.formulas.domains import Level, Levels, Positive, Real
from goodmeasure.formulas.words import (
    abs,
    crps_laplace,
    crps_logistic,
    crps_normal,
    exp,
    log,
    log1psq,
    log_gamma_step,
    maximum,
    sqrt,
    where,
)
from goodmeasure.making.definition import loss

_LOCATED = ("linear", exp)


@loss(target=Real, activation=_LOCATED, asks_for="distribution", also=("normal_nll", "gaussian_likelihood"))
def gaussian_nll(y, mean, scale):
    """The surprise of a normal distribution with this mean and scale: minus the logarithm of its density at the target.

    Reach for it when the spread differs from row to row; one outlier can rule it: then laplace_nll, student_t_nll or the
    bounded pulls of gaussian_crps.
    """
    return ((y - mean) / scale) ** 2 / 2 + log(scale) + math.log(2 * math.pi) / 2


@loss(target=Real, activation=_LOCATED, asks_for="distribution")
def laplace_nll(y, location, scale):
    """The surprise of a Laplace distribution: the size of the miss in scales, and the logarithm of twice the scale.

    Reach for it when the spread is to be learned along with a median that outliers cannot move.
    """
    return abs((y - location) / scale) + log(scale) + math.log(2)


@loss(target=Real, activation=_LOCATED, asks_for="distribution")
def student_t_nll(y, location, scale, *, df: Positive = 4.0):
    """The surprise of Student's distribution with a learned location and scale.

    Reach for it when the spread is to be learned and some rows are wild; with df above 30 take gaussian_nll.
    """
    tails = (df + 1) / 2 * log1psq((y - location) / scale / sqrt(df))
    return tails + log(scale) + (log(df * math.pi) / 2 - log_gamma_step(df / 2))


@loss(target=Positive, activation=_LOCATED, asks_for="distribution")
def lognormal_nll(y, mean, scale):
    """The surprise of a distribution whose logarithm is normal with this mean and scale.

    Reach for it for positive amounts when medians, ranges or ratios are wanted as well as means.
    """
    return ((log(y) - mean) / scale) ** 2 / 2 + log(scale) + log(y) + math.log(2 * math.pi) / 2


@loss(target=Real, activation=_LOCATED, asks_for="distribution", also=("crps",))
def gaussian_crps(y, mean, scale):
    """How far a normal distribution is from a step at the target, in the target's own unit; absolute error if certain.

    Reach for it in place of gaussian_nll when outliers or overconfident rows must not rule the fit. Gneiting and Raftery 2007.
    """
    return crps_normal(y - mean, scale)


@loss(target=Real, activation=_LOCATED, asks_for="distribution")
def logistic_crps(y, location, scale):
    """How far a logistic distribution is from a step at the target, in the target's own unit.

    Reach for it as gaussian_crps with somewhat heavier tails.
    """
    return crps_logistic(y - location, scale)


@loss(target=Real, activation=_LOCATED, asks_for="distribution")
def laplace_crps(y, location, scale):
    """How far a Laplace distribution is from a step at the target, in the target's own unit.

    Reach for it as gaussian_crps where most rows are close and some are far.
    """
    return crps_laplace(y - location, scale)


@loss(target=Real, activation=("linear", "linear"), asks_for="interval", also=("winkler",))
def interval(y, low, high, *, level: Level = 0.9):
    """The width of an interval, plus what the target lies outside of it times two over one minus level.

    Reach for it to learn a prediction interval of this coverage; both ends are quantiles. Raw outputs may cross, predictions
    do not: of two ends the lower is the low one. Winkler 1972.
    """
    return high - low + 2 / (1 - level) * (maximum(0, low - y) + maximum(0, y - high))


@loss(
    target=Real,
    activation=lambda levels: ("linear",) * len(levels),
    asks_for="quantiles",
    also=("multi_quantile", "multiquantile"),
    nearly=dict.fromkeys(("wis", "weighted_interval_score"), "it is twice this"),
)
def quantiles(y, *at, levels: Levels = (0.1, 0.5, 0.9)):
    """The mean of the pinball losses of several quantiles, one a level.

    Reach for it to say a whole spread without supposing its form; predictions rise. Koenker and Bassett 1978.
    """
    costs = [where(mu < y, level * (y - mu), (1 - level) * (mu - y)) for mu, level in zip(at, levels, strict=True)]
    return sum(costs[1:], costs[0]) / len(levels)
