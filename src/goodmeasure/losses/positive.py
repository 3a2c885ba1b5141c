"""Losses for positive amounts and counts, on the scale of the target; raw outputs are logarithms unless said otherwise.

``.with_activation(softplus)`` gives each of them raw outputs that are amounts themselves wherever they are well above zero.
"""

from goodmeasure.formulas.domains import NonNegative, Positive, TweediePower
from goodmeasure.formulas.words import abs, exp, log, log1p, times, where, xlogy
from goodmeasure.making.definition import loss


@loss(
    target=NonNegative,
    activation=exp,
    asks_for="mean",
    also=("count", "poisson_nll"),
    nearly={"poisson_deviance": "twice it, and what the targets alone decide"},
)
def poisson(y, mu):
    """For counts and rates whose variance is their mean: the Poisson likelihood without the part that y alone decides.

    Reach for it for counts, rates and any amount that may be zero; where the spread exceeds it take negative_binomial.
    """
    return mu - xlogy(y, mu)


@loss(
    target=Positive,
    activation=exp,
    asks_for="mean",
    nearly={"gamma_deviance": "twice it, and what the targets alone decide"},
)
def gamma(y, mu):
    """For positive amounts whose spread grows with their mean: the gamma likelihood without the part y alone decides.

    Reach for it for prices, durations and claim sizes, where being off by 10 % matters alike at every size.
    """
    return y / mu + log(mu)


@loss(target=NonNegative, activation=exp, asks_for="mean", also=("exponential_likelihood",))
def exponential_nll(y, mu):
    """The surprise of the exponential distribution of this mean: the gamma loss, where zero may happen.

    Reach for it for waiting times; where times pile up around a value take gamma or lognormal_nll.
    """
    return times(y, 1 / mu) + log(mu)


@loss(
    target=lambda power: NonNegative if power < 2 else Positive,
    activation=exp,
    asks_for="mean",
    nearly={"tweedie_deviance": "twice it, and what the targets alone decide"},
)
def tweedie(y, mu, *, power: TweediePower = 1.5):
    """For amounts whose variance follows a power of their mean: 1 is Poisson, 2 gamma, between them zeros and amounts.

    Reach for it for totals that are often exactly zero, such as claims or rain, with a power between 1 and 2; the mean is
    what it asks for at every power. Jorgensen 1987.
    """
    ours = where(abs(2 - power) <= 0, log(mu), mu ** (2 - power) / (2 - power))
    theirs = where(abs(1 - power) <= 0, log(mu), mu ** (1 - power) / (1 - power))
    # Outside of 1 to 2 both terms grow at the same end with opposite signs: there they are multiplied, not subtracted.
    below = mu ** (1 - power) * (mu / (2 - power) - y / (1 - power))
    above = mu ** (2 - power) * (1 / (2 - power) - y / mu / (1 - power))
    return where(power < 1, below, where(power > 2, above, ours - times(y, theirs)))


@loss(target=Positive, activation=exp, asks_for="mean", also=("wald",))
def inverse_gaussian(y, mu):
    """For positive amounts with a very long tail, whose variance follows the cube of their mean.

    Reach for it for first-passage times and severe right skew; it is not convex, so start from the gamma answer.
    """
    return 1 / mu * (y * (1 / mu) / 2 - 1)


@loss(target=NonNegative, activation=exp, asks_for="mean", also=("negbin",))
def negative_binomial(y, mu, *, dispersion: Positive = 1.0):
    """For counts that spread more than Poisson: their variance is the mean plus dispersion times its square.

    Reach for it when counts cluster; a wrong dispersion costs efficiency and leaves the mean right. Cameron and Trivedi 1986.
    """
    return times(y, log1p(1 / (dispersion * mu))) + log1p(dispersion * mu) / dispersion


@loss(
    target=NonNegative,
    activation=exp,
    asks_for="log mean",
    also=("msle", "mean_squared_log_error", "mean_squared_logarithmic_error"),
    nearly={"rmsle": "the root is taken of the mean"},
)
def squared_log_error(y, mu):
    """The squared difference of the logarithms of one plus the amount: ratios count, and zero is allowed.

    Reach for it when being off by a factor is what matters; it answers below the mean, so totals come out short: for those
    take poisson or gamma.
    """
    return (log1p(mu) - log1p(y)) ** 2


@loss(
    target=Positive,
    activation=exp,
    asks_for="weighted median",
    also=("mape", "mean_absolute_percentage_error"),
    nearly={"smape": "the miss is divided by the mean of target and prediction, so that answering too much costs less"},
)
def absolute_percentage_error(y, mu):
    """The size of the miss as a share of the target.

    Reach for it when a report is judged by it; it answers well below the median, and small targets decide: gamma is the
    sounder choice for relative accuracy. Gneiting 2011.
    """
    return abs(mu - y) / y
