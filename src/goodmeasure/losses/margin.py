"""Losses on raw scores. ``margin`` is how far the score of what happened leads: positive is right."""

from goodmeasure.formulas.domains import Binary, Classes
from goodmeasure.formulas.words import exp, maximum, where
from goodmeasure.making.definition import loss


@loss(target=Binary, asks_for="probability", also=("adaboost",))
def exponential(margin):
    """The exponential of the shortfall: what boosting by reweighting descends.

    Reach for it to reproduce AdaBoost; one wrong label far from the boundary can rule it: binary_cross_entropy.
    """
    return exp(-margin)


@loss(target=Binary, asks_for="class", also=("svm", "binary_hinge", "l1_hinge"))
def hinge(margin):
    """Nothing where the score is right by at least 1, and the shortfall otherwise.

    Reach for it when only the yes or no is wanted and most rows should have no say; it implies no probability.
    """
    return maximum(0, 1 - margin)


@loss(target=Binary, asks_for="probability", also=("l2_hinge",))
def squared_hinge(margin):
    """The squared shortfall from a lead of 1.

    Reach for it as a hinge whose scores imply probabilities, (1 + score) / 2 between -1 and 1.
    """
    return maximum(0, 1 - margin) ** 2


@loss(target=Binary, asks_for="probability", also=("rennie_hinge",))
def smooth_hinge(margin):
    """The hinge with its corner rounded off: half the squared shortfall between 0 and 1, a straight line below.

    Reach for it as a hinge for optimisers that use curvature. Rennie and Srebro 2005.
    """
    return where(margin <= 0, 0.5 - margin, maximum(0, 1 - margin) ** 2 / 2)


@loss(target=Binary, asks_for="probability")
def modified_huber(margin):
    """The squared shortfall near the boundary, a straight line where it is badly wrong.

    Reach for it as a squared_hinge that outliers cannot drag. Zhang 2004.
    """
    return where(margin <= -1, -4 * margin, maximum(0, 1 - margin) ** 2)


@loss(target=Binary, asks_for="")
def perceptron(margin):
    """The score's size where it is wrong, nothing where it is right.

    Reach for it to reproduce the perceptron; a score of zero everywhere is already best, so take hinge for anything else.
    """
    return maximum(0, -margin)


@loss(
    target=Binary,
    asks_for="class",
    also=("misclassification", "error_rate", "0_1"),
    nearly={"accuracy": "it is one minus the mean"},
)
def zero_one(margin):
    """One for a wrong answer (or a tie), nothing for a right one: what accuracy counts, and no signal at all.

    Reach for it to report, never to train: its signal is zero everywhere. Train with binary_cross_entropy or hinge.
    """
    return where(margin > 0, 0, 1)


@loss(
    target=Classes,
    asks_for="class",
    also=("crammer_singer",),
    nearly={"categorical_hinge": "it takes zero for the best other score where that is negative"},
)
def multiclass_hinge(margin):
    """The shortfall of the true class's score from a lead of 1 over the best other class.

    Reach for it when only the class is wanted and one class mostly has more than half of the chance; where none has, its
    answer may be wrong: cross_entropy. Crammer and Singer 2001.
    """
    return maximum(0, 1 - margin)
