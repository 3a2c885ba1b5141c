"""Probabilities moved exactly from one share of events, or one weighting of the classes, to another."""

from __future__ import annotations

import math

from numpy.typing import ArrayLike

from goodmeasure.errors import UsageError
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.row_arguments import Floats


def prior_shift(p: ArrayLike, *, trained_at: float, used_at: float) -> Floats:
    """Probabilities learned at one share of events, corrected exactly to another (Elkan 2001, Thm 2).

    It holds where the rows of each kind look alike in both places, which is what changing the share by sampling does.
    """
    scores = row_arguments.probabilities(p)
    _check_shares(trained_at, used_at)
    up, down = scores * used_at * (1 - trained_at), (1 - scores) * (1 - used_at) * trained_at
    return up / (up + down)


def odds_shift(*, trained_at: float, used_at: float) -> float:
    """The same correction of raw outputs: what is added to log-odds."""
    _check_shares(trained_at, used_at)
    return math.log(used_at / (1 - used_at)) - math.log(trained_at / (1 - trained_at))


def _check_shares(trained_at: float, used_at: float) -> None:
    if not (0 < trained_at < 1 and 0 < used_at < 1):
        raise UsageError(
            "shares of events lie strictly between 0 and 1",
            seen=f"{trained_at} and {used_at}",
            fix="trained_at=0.5, used_at=0.1, as the shares are",
        )


def undo_weights(p: ArrayLike, *, positive: float = 1.0, negative: float = 1.0) -> Floats:
    """Probabilities of a model trained with class weights (or resampled in that ratio), put back exactly.

    Holds for losses that ask for the probability (cross-entropy, Brier with enough capacity); a sampled-down class
    has a weight below one.
    """
    if not (positive > 0 and negative > 0):
        raise UsageError(
            "class weights are positive",
            seen=f"positive={positive}, negative={negative}",
            fix="positive=19.0, negative=1.0, as the model was trained",
        )
    scores = row_arguments.probabilities(p)
    return scores * negative / (scores * negative + (1 - scores) * positive)
