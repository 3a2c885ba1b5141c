"""Losses for what happened: yes or no, one of several classes, several labels. ``p`` is the probability given to it."""

from goodmeasure.formulas.domains import (
    AboveMinusOne,
    Binary,
    Classes,
    Fraction,
    Level,
    NonNegative,
    Outcome,
    Part,
    Positive,
)
from goodmeasure.formulas.words import either, exp, log, log1p, minimum, parabola_above, where
from goodmeasure.making.definition import loss


@loss(
    target=Outcome,
    asks_for="probability",
    also=("ce", "nll", "softmax_cross_entropy", "categorical_crossentropy", "sparse_categorical_crossentropy"),
    also_binary=("bce", "log_loss", "logistic", "sigmoid_cross_entropy"),
    nearly={
        "kl_div": "it is cross-entropy minus the entropy of the targets",
        "kl_divergence": "it is cross-entropy minus the entropy of the targets",
        "label_smoothing": "it is cross_entropy(smoothing=0.1)",
        "perplexity": "it is the exponential of its mean",
    },
)
def cross_entropy(p, mean_log_p, *, smoothing: Fraction = 0.0):
    """Surprise at what happened: minus the logarithm of the probability that was given to it.

    Reach for it first whenever probabilities are wanted; one certain and wrong answer costs without limit, which brier and
    generalized_cross_entropy do not.
    """
    return -(1 - smoothing) * log(p) - smoothing * mean_log_p


@loss(target=Classes, asks_for="probability", also=("quadratic_score",))
def brier(p, rest_p2):
    """The squared distance between the probabilities and what happened, summed over all classes.

    Reach for it when probabilities are wanted and some labels are wrong; far on the wrong side its signal vanishes, so
    begin with cross_entropy.
    """
    return (1 - p) ** 2 + rest_p2


@loss(target=Binary, asks_for="probability", also=("brier_score",))
def binary_brier(p):
    """The squared distance between the probability and what happened; half of the two-class Brier score.

    Reach for it when probabilities are wanted and some labels are wrong; far on the wrong side its signal vanishes, so
    begin with binary_cross_entropy.
    """
    return (1 - p) ** 2


@loss(target=Outcome, asks_for="probability", also_binary=("sigmoid_focal",))
def focal(p, *, gamma: NonNegative = 2.0):
    """Surprise, discounted where the prediction is already good.

    Reach for it when easy examples are so many that they drown the hard ones; read probabilities through predict, since
    the sigmoid of its raw outputs shrinks them toward one half. Lin et al. 2017.
    """
    return -((1 - p) ** gamma) * log(p)


@loss(target=Outcome, asks_for="probability", also=("poly1",), also_binary=("binary_poly1",))
def poly(p, *, epsilon: AboveMinusOne = 2.0):
    """Surprise plus epsilon times the probability that went elsewhere.

    Reach for it to pull harder (epsilon above 0) or softer on what is not yet certain. Leng et al. 2022.
    """
    return -log(p) + epsilon * (1 - p)


@loss(target=Outcome, asks_for="probability", also=("gce",), also_binary=("binary_gce",))
def generalized_cross_entropy(p, *, q: Part = 0.7):
    """Between surprise (q near 0) and one minus the probability (q of 1): never more than 1/q for one example.

    Reach for it when labels are noisy; a badly wrong example pulls little, so learning starts slowly. Zhang and Sabuncu 2018.
    """
    return (1 - p**q) / q


@loss(target=Outcome, asks_for="probability", also=("sce",))
def symmetric_cross_entropy(p, *, alpha: Positive = 0.1, beta: NonNegative = 1.0):
    """Surprise both ways: alpha times cross-entropy plus beta times its reverse, where the log of 0 counts as -4.

    Reach for it when labels are noisy and generalized_cross_entropy learns too slowly. Wang et al. 2019.
    """
    return -alpha * log(p) + 4 * beta * (1 - p)


@loss(target=Outcome, asks_for="probability")
def spherical(p, log_p2):
    """One minus the probability given to what happened over the length of the whole vector of probabilities.

    Reach for it as a bounded proper score besides brier, to see whether a comparison of models depends on the score.
    Roby 1965.
    """
    return 1 - exp(log_p2 / 2)


@loss(target=Binary, asks_for="probability", also=("asl",))
def asymmetric(y, mu, *, gamma_positive: NonNegative = 0.0, gamma_negative: NonNegative = 4.0, margin: Fraction = 0.05):
    """For many labels at once: focal with its own discount for present and absent labels, and easy absences left out.

    Reach for it for multi-label rows where nearly every label is absent. Below its margin every raw output stands for zero, and
    none for more than .96 as it is given; with gamma_negative near zero it implies no probability: rank by it or
    recalibrate. Ridnik et al. 2021.
    """
    over, kept = mu - margin, 1 - mu + margin
    absent = -(over**gamma_negative) * where(mu <= 0.5, log1p(-over), log(kept))
    return either(y, -((1 - mu) ** gamma_positive) * log(mu), where(mu <= margin, 0, absent))


@loss(target=Binary, asks_for="probability")
def tailored(y, mu, *, threshold: Level = 0.2, spread: Part = 1.0, outside: Part = 0.1):
    """Surprise that counts most where costs decide: a mixture of cost-weighted errors over a range of thresholds.

    Reach for it when costs are known and the model is too simple to be right everywhere (gm.tailored makes it of them); where it
    may be right, binary_cross_entropy learns more from each row. The range is threshold, give or take spread times its distance
    to 0 or 1; beyond it thresholds count outside times as much. Buja, Stuetzle and Shen 2005.
    """
    half = spread * minimum(threshold, 1 - threshold)
    from_middle = where(threshold <= 0.5, mu - threshold, (1 - threshold) - (1 - mu)) / half
    yes = parabola_above(from_middle, (1 - threshold) / half - 1)
    no = parabola_above(-from_middle, threshold / half - 1)
    inside = half**2 / (threshold * (1 - threshold)) * either(y, yes, no)
    return outside * either(y, -log(mu), -log1p(-mu)) + (1 - outside) * inside
