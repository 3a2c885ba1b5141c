"""Losses for positive amounts and counts, on the scale of the target; raw outputs are logarithms unless said otherwise."""

from goodmeasure.definition import loss
from goodmeasure.domains import NonNegative, Positive
from goodmeasure.words import exp, log


@loss(target=NonNegative, activation=exp, asks_for="mean")
def poisson(y, mu):
    """For counts and rates whose variance is their mean: the Poisson likelihood without the part that y alone decides."""
    return mu - y * log(mu)


@loss(target=Positive, activation=exp, asks_for="mean")
def gamma(y, mu):
    """For positive amounts whose spread grows with their mean: the gamma likelihood without the part y alone decides."""
    return y / mu + log(mu)
