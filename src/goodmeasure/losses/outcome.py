"""Losses for what happened: yes or no, one of several classes, several labels. ``p`` is the probability given to it."""

from goodmeasure.definition import loss
from goodmeasure.domains import Binary, Classes, Fraction, Outcome
from goodmeasure.words import log


@loss(target=Outcome, asks_for="probability", also=("log_loss", "nll", "ce", "bce"))
def cross_entropy(p, mean_log_p, *, smoothing: Fraction = 0.0):
    """Surprise at what happened: minus the logarithm of the probability that was given to it."""
    return -(1 - smoothing) * log(p) - smoothing * mean_log_p


@loss(target=Classes, asks_for="probability")
def brier(p, rest_p2):
    """The squared distance between the probabilities and what happened, summed over all classes."""
    return (1 - p) ** 2 + rest_p2


@loss(target=Binary, asks_for="probability")
def binary_brier(p):
    """The squared distance between the probability and what happened; half of the two-class Brier score."""
    return (1 - p) ** 2
