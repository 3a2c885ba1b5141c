"""The losses of torch, Keras, optax and scikit-learn by their names there: which of ours each is, and what stands between them.

A row leads to the name of our loss and to a phrase that says how theirs follows from ours on each example; the phrase is empty
where the two are equal on raw outputs. What has no like here leads to the answer that says why, and what to use instead.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from functools import cache
from re import sub

from goodmeasure.errors import NoSuchLoss
from goodmeasure.making import answers, host_names
from goodmeasure.making.answers import Counterpart
from goodmeasure.making.definition import Definition

Row = tuple[str, str] | Counterpart

_PROBABILITIES = "ours, of probabilities in place of raw outputs"
_AMOUNTS = "ours, of amounts in place of raw outputs"
_NO_ENTROPY = answers.NO_ENTROPY
_SUMS_TOO = f"{_NO_ENTROPY}, plus the sum of their predictions less that of the targets; of logarithms of probabilities"
_DEVIANCE = "twice ours, less what the targets alone decide; of amounts in place of raw outputs"
_SIGNS = "ours, with labels -1 and 1"
_TO_A_MATCH = "ours with every label yes, of how much further off the other is than the match, while margin=1"

TORCH: Mapping[str, Row] = {
    "MSELoss": ("squared_error", ""),
    "L1Loss": ("absolute_error", ""),
    "HuberLoss": ("huber", ""),
    "SmoothL1Loss": ("huber", "ours with delta=beta, divided by beta"),
    "BCEWithLogitsLoss": ("binary_cross_entropy", ""),
    "binary_cross_entropy_with_logits": ("binary_cross_entropy", ""),
    "BCELoss": ("binary_cross_entropy", _PROBABILITIES),
    "binary_cross_entropy": ("binary_cross_entropy", _PROBABILITIES),
    "SoftMarginLoss": ("binary_cross_entropy", _SIGNS),
    "MultiLabelSoftMarginLoss": ("binary_cross_entropy", "the mean of ours over the labels of a row"),
    "CrossEntropyLoss": ("cross_entropy", ""),
    "LinearCrossEntropyLoss": ("cross_entropy", "ours, of the raw outputs of a linear layer that it holds"),
    "NLLLoss": ("cross_entropy", "ours, of logarithms of probabilities in place of raw outputs"),
    "KLDivLoss": ("cross_entropy", f"{_NO_ENTROPY}; of logarithms of probabilities, and a sum over classes"),
    "PoissonNLLLoss": ("poisson", "ours, while log_input=True and full=False"),
    "GaussianNLLLoss": (
        "gaussian_nll",
        "ours less log(2 pi) / 2 unless full=True; of the variance, which is exp(2 z1), in place of the raw output z1",
    ),
    "MultiMarginLoss": ("multiclass_hinge", "no factor: it adds the shortfalls to all other classes and divides by K"),
    "MarginRankingLoss": ("perceptron", "ours, of the difference of the two inputs, with labels -1 and 1, while margin=0"),
    "MultiLabelMarginLoss": answers.ORDERS,
    "HingeEmbeddingLoss": answers.EMBEDDINGS,
    "CosineEmbeddingLoss": answers.EMBEDDINGS,
    "TripletMarginLoss": ("hinge", _TO_A_MATCH),
    "TripletMarginWithDistanceLoss": ("hinge", _TO_A_MATCH),
    "CTCLoss": answers.SEQUENCES,
    "AdaptiveLogSoftmaxWithLoss": ("cross_entropy", "ours, of raw outputs that it makes by clusters of classes"),
}  # fmt: skip
KERAS: Mapping[str, Row] = {
    "MeanSquaredError": ("squared_error", ""),
    "MeanAbsoluteError": ("absolute_error", ""),
    "MeanAbsolutePercentageError": ("absolute_percentage_error", "100 times ours, of amounts in place of raw outputs"),
    "MeanSquaredLogarithmicError": ("squared_log_error", _AMOUNTS),
    "Huber": ("huber", ""),
    "LogCosh": ("log_cosh", ""),
    "Poisson": ("poisson", _AMOUNTS),
    "BinaryCrossentropy": ("binary_cross_entropy", "ours, where from_logits=True"),
    "BinaryFocalCrossentropy": ("binary_focal", "ours, where from_logits=True"),
    "CategoricalCrossentropy": ("cross_entropy", "ours, where from_logits=True"),
    "SparseCategoricalCrossentropy": ("cross_entropy", "ours, where from_logits=True"),
    "CategoricalFocalCrossentropy": ("focal", "alpha times ours, where from_logits=True; alpha is 0.25 unless given"),
    "CategoricalGeneralizedCrossEntropy": ("generalized_cross_entropy", _PROBABILITIES),
    "KLDivergence": ("cross_entropy", f"{_NO_ENTROPY}; of probabilities"),
    "Hinge": ("hinge", ""),
    "SquaredHinge": ("squared_hinge", ""),
    "CategoricalHinge": (
        "multiclass_hinge",
        "ours where another class scores above zero; else it takes zero for the best other score",
    ),
    "CosineSimilarity": answers.EMBEDDINGS,
    "Circle": answers.EMBEDDINGS,
    "CTC": answers.SEQUENCES,
    "Dice": answers.OVERLAPS,
    "Tversky": answers.OVERLAPS,
}
OPTAX: Mapping[str, Row] = {
    "squared_error": ("squared_error", ""),
    "l2_loss": ("squared_error", "half of ours"),
    "huber_loss": ("huber", ""),
    "log_cosh": ("log_cosh", ""),
    "sigmoid_binary_cross_entropy": ("binary_cross_entropy", ""),
    "sigmoid_focal_loss": ("binary_focal", "ours, while alpha is not given"),
    "softmax_cross_entropy": ("cross_entropy", ""),
    "softmax_cross_entropy_with_integer_labels": ("cross_entropy", ""),
    "safe_softmax_cross_entropy": ("cross_entropy", ""),
    "poly_loss_cross_entropy": ("poly", ""),
    "hinge_loss": ("hinge", _SIGNS),
    "perceptron_loss": ("perceptron", _SIGNS),
    "multiclass_hinge_loss": ("multiclass_hinge", ""),
    "kl_divergence": ("cross_entropy", f"{_NO_ENTROPY}; of logarithms of probabilities"),
    "kl_divergence_with_log_targets": ("cross_entropy", f"{_NO_ENTROPY}; both as logarithms of probabilities"),
    "convex_kl_divergence": ("cross_entropy", _SUMS_TOO),
    "generalized_kl_divergence": ("cross_entropy", _SUMS_TOO),
    "multiclass_perceptron_loss": answers.NO_MARGIN,
    "sparsemax_loss": answers.SPARSE,
    "multiclass_sparsemax_loss": answers.SPARSE,
    "make_fenchel_young_loss": answers.OF_ONES_OWN,
    "cosine_distance": answers.EMBEDDINGS,
    "cosine_similarity": answers.EMBEDDINGS,
    "ntxent": (
        "cross_entropy",
        "ours on the similarities of a pair and of all that do not match, divided by the temperature; a row each",
    ),
    "triplet_margin_loss": ("hinge", _TO_A_MATCH),
    "dice_loss": answers.OVERLAPS,
    "binary_dice_loss": answers.OVERLAPS,
    "multiclass_generalized_dice_loss": answers.OVERLAPS,
    "ctc_loss": answers.SEQUENCES,
    "ctc_loss_with_forward_probs": answers.SEQUENCES,
    "ranking_softmax_loss": ("cross_entropy", "ours on soft targets, the labels over their sum; times that sum"),
}
SKLEARN: Mapping[str, Row] = {
    # metrics
    "mean_squared_error": ("squared_error", ""),
    "root_mean_squared_error": ("squared_error", "the root of the mean of ours"),
    "mean_absolute_error": ("absolute_error", ""),
    "median_absolute_error": ("absolute_error", "the median of ours in place of the mean"),
    "mean_absolute_percentage_error": ("absolute_percentage_error", _AMOUNTS),
    "mean_squared_log_error": ("squared_log_error", _AMOUNTS),
    "root_mean_squared_log_error": ("squared_log_error", f"the root of the mean of {_AMOUNTS}"),
    "mean_pinball_loss": ("pinball", "ours with level=alpha"),
    "mean_poisson_deviance": ("poisson", _DEVIANCE),
    "mean_gamma_deviance": ("gamma", _DEVIANCE),
    "mean_tweedie_deviance": ("tweedie", _DEVIANCE),
    "log_loss": ("binary_cross_entropy", "ours, in sklearn.metrics of probabilities; of several classes, cross_entropy"),
    "brier_score_loss": ("binary_brier", f"{_PROBABILITIES}; brier where there are several classes"),
    "hinge_loss": ("hinge", "ours; multiclass_hinge where there are several classes"),
    "zero_one_loss": ("zero_one", "ours, of answers in place of raw outputs"),
    "hamming_loss": ("zero_one", "the mean of ours over the labels of a row, of answers in place of raw outputs"),
    "max_error": answers.LARGEST,
    "coverage_error": answers.ORDERS,
    "label_ranking_loss": answers.ORDERS,
    # what estimators take as loss=
    "squared_error": ("squared_error", "half of ours in SGDRegressor and HistGradientBoostingRegressor"),
    "absolute_error": ("absolute_error", ""),
    "huber": ("huber", "ours, with delta=epsilon in SGDRegressor, and a quantile of the misses in boosting"),
    "epsilon_insensitive": ("epsilon_insensitive", ""),
    "squared_epsilon_insensitive": answers.SQUARED_BEYOND,
    "quantile": ("pinball", "ours with level=alpha or level=quantile"),
    "poisson": ("poisson", ""),
    "gamma": ("gamma", ""),
    "hinge": ("hinge", _SIGNS),
    "squared_hinge": ("squared_hinge", _SIGNS),
    "modified_huber": ("modified_huber", _SIGNS),
    "perceptron": ("perceptron", _SIGNS),
    "exponential": ("exponential", ""),
}  # fmt: skip
HOSTS = {"torch": TORCH, "keras": KERAS, "optax": OPTAX, "sklearn": SKLEARN}


@dataclass(frozen=True)
class Elsewhere:
    """A loss by a name that is not ours: the loss of ours that it is, or comes nearest; what stands between them, or why not."""

    name: str
    ours: str
    how: str
    why: str = ""

    @property
    def note(self) -> str:
        """What stands between the two, with the name of theirs; empty where they are equal."""
        return f"{self.name}: {self.how}" if self.how else ""

    @property
    def leads_to(self) -> str:
        """The name of ours; where there is none, the error says why, and what to use instead."""
        if self.why:
            seen = f"{self.why}; instead: {self.how}"
            raise NoSuchLoss(f"no loss here is {self.name}", seen=seen, fix=f"goodmeasure losses {self.ours}")
        return self.ours

    def called(self, definition: Definition) -> Definition:
        """Our loss under this name: its note and its card say what stands between the two."""
        between = ((self.name, self.how),) if self.how else ()
        facts = replace(definition.facts, nearly=(*definition.facts.nearly, *between))
        return replace(definition, note=self.note, facts=facts)


def elsewhere(name: str) -> Elsewhere | None:
    """The loss by its name elsewhere; with the name of a library in front, the one of that library alone.

    Classes and functions of one library are the same loss: ``torch.nn.HuberLoss`` and ``torch.nn.functional.huber_loss``.
    """
    host = name.split(".")[0]
    tables = [*HOSTS.values(), _said(), _objectives()]
    for table in [HOSTS[host]] if host in HOSTS and "." in name else tables:
        for theirs, row in table.items():
            if _bare(theirs) == _bare(name):
                return (
                    Elsewhere(theirs, row.ours, row.how, row.why)
                    if isinstance(row, Counterpart)
                    else Elsewhere(theirs, *row)
                )
    return None


@cache
def _said() -> dict[str, Row]:
    """What people ask for by names of no library in particular."""
    return {name: each for each in answers.answers() for name in each.names}


@cache
def _objectives() -> dict[str, Row]:
    """What boosters call our losses, with what is remarked there: ``binary:logistic``, ``regression_l1``."""
    found: dict[str, Row] = {}
    for ours, spelled in (*host_names.XGBOOST.items(), *host_names.LIGHTGBM.items()):
        _, theirs, rest = spelled.split('"', 2)
        found[theirs] = ours, rest.partition("  # ")[2]
    return found


def plain(name: str) -> str:
    """A name as it is looked for: case, spaces, hyphens and underscores do not matter, nor where in a package it stands."""
    return sub("[^a-z0-9]", "", name.rsplit(".", 1)[-1].lower())


def named(name: str, known: Container[str]) -> str:
    """The one of these plain names that is meant, without the endings that libraries add; empty where there is none."""
    wanted = plain(name)
    for ending in ("", "loss", "withlogits", "error"):
        wanted = wanted.removesuffix(ending)
        if wanted in known:
            return wanted
    return ""


def _bare(name: str) -> str:
    return plain(name).removesuffix("loss")
