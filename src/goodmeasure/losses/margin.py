"""Losses on raw scores. ``margin`` is how far the score of what happened leads: positive is right."""

from goodmeasure.definition import loss
from goodmeasure.domains import Binary
from goodmeasure.words import maximum, where


@loss(target=Binary, asks_for="class")
def hinge(margin):
    """Nothing where the score is right by at least 1, and the shortfall otherwise."""
    return maximum(0, 1 - margin)


@loss(target=Binary, asks_for="class")
def zero_one(margin):
    """One for a wrong answer (or a tie), nothing for a right one: what accuracy counts, and no signal at all."""
    return where(0 < margin, 0, 1)
