"""Losses for a real number, or for one between known bounds, on the scale of the target.

The first paragraph of a docstring says what the loss is, the second when to reach for it and what to take instead.
"""

from math import tau

from goodmeasure.formulas.activations import between, shares_of
from goodmeasure.formulas.domains import Bounds, Level, NonNegative, NonZero, Positive, Real, bounded
from goodmeasure.formulas.words import (
    abs,
    abs_less_log1p,
    biweight,
    cos,
    exp,
    expm1mx,
    hypot1m1,
    log1p,
    log1psq,
    maximum,
    pow1psqm1,
    sin,
    sqrt,
    square_share,
    times,
    versin,
    where,
    xlogy,
)
from goodmeasure.formulas.words import log_cosh as log_cosh_of
from goodmeasure.making.definition import loss


@loss(
    target=Real,
    asks_for="mean",
    also=("mse", "l2", "mean_squared_error", "quadratic"),
    nearly={
        "rmse": "the root is taken of the mean",
        "root_mean_squared_error": "the root is taken of the mean",
        "r2": "one minus its mean over the variance of the targets",
    },
)
def squared_error(y, mu):
    """The squared miss: an error of 10 costs a hundred times one of 1.

    Reach for it when the mean is wanted and large misses are real and matter; with outliers take huber or absolute_error.
    """
    return (y - mu) ** 2


@loss(
    target=Real,
    asks_for="median",
    also=("mae", "l1", "mean_absolute_error"),
    nearly={
        "wape": "its sum over the sum of the targets",
        "mase": "its mean over that of a naive forecast",
        "median_absolute_error": "its median in place of its mean",
    },
)
def absolute_error(y, mu):
    """The size of the miss: an error of 10 costs ten times one of 1.

    Reach for it when a typical value is wanted that outliers cannot move; for totals and budgets take squared_error.
    """
    return abs(mu - y)


@loss(target=Real, asks_for="centre", nearly={"smooth_l1": "it is Huber divided by beta, with beta as delta"})
def huber(y, mu, *, delta: Positive = 1.0):
    """Squared near (with a half), absolute beyond delta: a mean that outliers cannot drag.

    Reach for it when most misses are ordinary and a few are wild; set delta to the size of an ordinary miss. Where the
    spread is skewed the answer is neither mean nor median: take one of those losses. Huber 1964.
    """
    return where(abs(mu - y) <= delta, (mu - y) ** 2 / 2, delta * (abs(mu - y) - delta / 2))


@loss(target=Real, asks_for="centre", also=("charbonnier",))
def pseudo_huber(y, mu, *, delta: Positive = 1.0):
    """Half the squared miss near zero, delta times its size far away, smooth throughout.

    Reach for it in place of huber where the optimiser uses curvature. Charbonnier et al. 1994.
    """
    return delta**2 * hypot1m1((mu - y) / delta)


@loss(target=Real, asks_for="centre", also=("logcosh",))
def log_cosh(y, mu):
    """The logarithm of the hyperbolic cosine of the miss: half its square near zero, its size far away.

    Reach for it as a huber without a corner and without a setting; rescale the target if misses are far from size one.
    """
    return log_cosh_of(mu - y)


@loss(target=Real, asks_for="centre")
def fair(y, mu, *, scale: Positive = 1.0):
    """Half the squared miss near zero, then ever closer to its size.

    Reach for it where the pull of a miss should level off slowly; huber levels off at once. Fair 1974.
    """
    return scale**2 * abs_less_log1p((mu - y) / scale)


@loss(target=Real, asks_for="quantile", also=("quantile", "check", "tilted"))
def pinball(y, mu, *, level: Level = 0.5):
    """The miss, where falling short costs level and exceeding costs one minus level for each unit.

    Reach for it when being short and being over cost differently, or for the ends of a prediction interval; for both ends
    at once take interval. Koenker and Bassett 1978.
    """
    return where(mu < y, level * (y - mu), (1 - level) * (mu - y))


@loss(target=Real, asks_for="smooth quantile", also=("quantile_huber",))
def smooth_pinball(y, mu, *, level: Level = 0.5, delta: Positive = 1.0):
    """The pinball loss with its corner rounded off within delta of the target.

    Reach for it where an optimiser needs curvature; the answer is a little off the quantile, less so for a small delta.
    """
    size = where(abs(mu - y) <= delta, (mu - y) ** 2 / (2 * delta), abs(mu - y) - delta / 2)
    return where(mu < y, level, 1 - level) * size


@loss(target=Real, asks_for="expectile", also=("asymmetric_least_squares",))
def expectile(y, mu, *, level: Level = 0.5):
    """The squared miss, weighted level where it falls short and one minus level where it exceeds.

    Reach for it when being short and being over cost differently and large misses matter more; level one half is the mean.
    Newey and Powell 1987.
    """
    return where(mu < y, level, 1 - level) * (mu - y) ** 2


@loss(target=Real, asks_for="band", also=("svr",))
def epsilon_insensitive(y, mu, *, epsilon: NonNegative = 0.1):
    """Nothing within epsilon of the target, and beyond it the rest of the miss.

    Reach for it where misses below a known tolerance do not matter; otherwise absolute_error. Vapnik 1995.
    """
    return maximum(0, abs(mu - y) - epsilon)


@loss(target=Real, asks_for="bulk", also=("lorentzian",))
def cauchy(y, mu, *, scale: Positive = 1.0):
    """Half the squared miss near zero, growing like its logarithm far away: the pull of an outlier fades.

    Reach for it when gross errors should stop mattering; start from the huber answer, since far starts pull little.
    Zhang 1997, Parameter estimation techniques.
    """
    return scale**2 / 2 * log1psq((mu - y) / scale)


@loss(target=Real, asks_for="bulk")
def geman_mcclure(y, mu, *, scale: Positive = 1.0):
    """Half the squared miss near zero, never more than half the squared scale: far outliers are ignored.

    Reach for it when many rows are plainly wrong; it has several minima, so start near. Geman and McClure 1987.
    """
    return scale**2 / 2 * square_share((mu - y) / scale)


@loss(target=Real, asks_for="bulk", also=("leclerc",))
def welsch(y, mu, *, scale: Positive = 1.0):
    """Half the squared miss near zero, flat beyond a few scales: outliers have no pull at all.

    Reach for it as geman_mcclure with a faster cut; a start far from the data gets no signal. Dennis and Welsch 1978.
    """
    return scale**2 / 2 * (1 - exp(-(((mu - y) / scale) ** 2)))


@loss(target=Real, asks_for="bulk", also=("biweight", "bisquare"))
def tukey_biweight(y, mu, *, c: Positive = 4.685):
    """Half the squared miss near zero, exactly constant beyond c: those rows are left out.

    Reach for it to finish a robust fit that huber began; c of 4.685 spreads keeps 95 % of the efficiency of the mean on
    normal misses. Beaton and Tukey 1974.
    """
    return c**2 / 6 * biweight((mu - y) / c)


@loss(target=Real, asks_for="centre", also=("general_robust",))
def barron(y, mu, *, alpha: Real = 1.0, scale: Positive = 1.0):
    """One family of robust losses: alpha 2 is half the square, 1 pseudo-Huber, 0 Cauchy, -2 Geman-McClure.

    Reach for it when how far outliers should count is itself to be tuned; convex from alpha 1 up. Barron 2019.
    """
    u, bend = (mu - y) / scale, abs(alpha - 2)
    general = bend / alpha * pow1psqm1(u / sqrt(bend), alpha / 2)
    return where(abs(alpha) <= 0, log1psq(u / sqrt(2)), where(bend <= 0, u**2 / 2, general))


@loss(target=Real, asks_for="bulk")
def student_t(y, mu, *, df: Positive = 4.0, scale: Positive = 1.0):
    """The surprise of Student's distribution around the prediction: the fewer degrees of freedom, the less outliers pull.

    Reach for it when misses are heavy-tailed and their scale is known; to learn the scale too take student_t_nll.
    """
    return (df + 1) / 2 * log1psq((mu - y) / (scale * sqrt(df)))


@loss(target=Real, asks_for="entropic mean")
def linex(y, mu, *, k: NonZero = 1.0):
    """Exponential on one side and linear on the other: for positive k, exceeding by much is a catastrophe.

    Reach for it when overrunning (k above 0) or falling short (k below 0) gets worse faster than in proportion; for a fixed
    price a unit on each side take pinball. Varian 1975, Zellner 1986.
    """
    return expm1mx(k * (mu - y))


@loss(target=Real, asks_for="mean direction", also=("von_mises", "periodic", "angular"))
def circular(y, mu, *, period: Positive = tau):
    """One minus the cosine of the difference of two angles: a full turn costs nothing.

    Reach for it for directions, hours, days of the year (period 360, 24, 365; radians unless said), and not on a line.
    """
    return versin(tau / period * (mu - y))


@loss(target=Real, activation=("linear", "linear"), asks_for="mean direction")
def arrow_error(y, along, across, *, period: Positive = tau):
    """The squared distance between an arrow and the one of length one that points where the target does.

    Reach for it first for directions, hours and months: what it fits is convex, and its arrow points in the mean direction, the
    longer the surer. Mardia and Jupp 2000.
    """
    angle = tau / period * y
    return (cos(angle) - along) ** 2 + (sin(angle) - across) ** 2


@loss(target=bounded, activation=between, asks_for="mean")
def fractional_logit(y, mu, *, bounds: Bounds = (0.0, 1.0)):
    """Surprise at how far an amount is on the way from one bound to the other, as if that share of it had happened.

    Reach for it for percentages, marks and shares of a known most, the bounds included. Papke and Wooldridge 1996.
    """
    (gone, left), (share, _) = shares_of(y, *bounds), shares_of(mu, *bounds)
    return -xlogy(gone, share) - times(left, log1p(-share))
