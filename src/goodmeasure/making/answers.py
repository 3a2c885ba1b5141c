"""Losses that people ask for and that have no entry in the catalogue: which of ours each is, or why none is, and what to use.

A row without a reason is a loss of the catalogue under another name, or on other rows. A row with one is not here. The lines of
each compute it, or what serves in its place; docs/not_here.md prints them, and the tests hold them to the numbers of others.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Counterpart:
    """What is said to somebody who asks for a loss by one of these names.

    ``ours`` is the loss of the catalogue that it is, or that comes nearest; ``how`` says how theirs follows from it, or what to
    do in its place; ``why`` is the reason why it is not here, empty where it is.
    """

    title: str
    names: tuple[str, ...]
    ours: str
    how: str
    lines: str
    why: str = ""
    source: str = ""


NO_ENTROPY = "ours on soft targets, less the entropy of the targets"

# --- here, under another name ---

DIVERGENCE = Counterpart(
    "Kullback-Leibler divergence",
    ("kl", "kullback_leibler", "kullback_leibler_divergence", "relative_entropy"),
    "cross_entropy",
    NO_ENTROPY,
    """
    entropy = scipy.special.entr(teacher).sum(axis=1)  # the targets alone decide it: signals and fits are the same
    gm.losses.cross_entropy().value(teacher, table) - entropy
    """,
)
DISTILLATION = Counterpart(
    "Distillation",
    ("distillation", "knowledge_distillation"),
    "cross_entropy",
    "the square of the temperature times ours, on the teacher's probabilities at this temperature and raw outputs divided by it",
    """
    soft = scipy.special.softmax(taught / 2, axis=1)  # at temperature 2
    2**2 * gm.losses.cross_entropy().value(soft, table / 2)
    """,
    source="Hinton, Vinyals and Dean 2015",
)
CONTRAST = Counterpart(
    "InfoNCE, CLIP",
    ("info_nce", "clip", "n_pair", "multiple_negatives_ranking", "in_batch_negatives"),
    "cross_entropy",
    "ours on the similarities to all candidates over the temperature, where the class is the match; both ways, their mean",
    """
    similar, match = left @ right.T / 0.07, np.arange(len(left))
    (gm.losses.cross_entropy().value(match, similar) + gm.losses.cross_entropy().value(match, similar.T)) / 2
    """,
    source="van den Oord, Li and Vinyals 2018; Radford et al. 2021",
)
SUPERVISED_CONTRAST = Counterpart(
    "Supervised contrast",
    ("supcon", "supervised_contrastive"),
    "cross_entropy",
    "ours on similarities over the temperature, to itself minus infinity, with soft targets that all matches share alike",
    """
    alike = (of_kind[:, None] == of_kind) & ~np.eye(len(left), dtype=bool)
    others = np.where(np.eye(len(left), dtype=bool), -np.inf, left @ left.T / 0.07)
    gm.losses.cross_entropy().value(alike / alike.sum(axis=1, keepdims=True), others)
    """,
    source="Khosla et al. 2020",
)
LISTNET = Counterpart(
    "ListNet",
    ("listnet", "softmax_ranking"),
    "cross_entropy",
    "ours on a row of scores for each list, with the softmax of the relevances as soft targets; minus infinity fills short lists",
    """
    lists = np.where(missing, -np.inf, scores)
    shares = scipy.special.softmax(np.where(missing, -np.inf, relevance), axis=1)
    gm.losses.cross_entropy().value(shares, lists)
    """,
    source="Cao et al. 2007",
)
LISTMLE = Counterpart(
    "ListMLE, Plackett-Luce",
    ("listmle", "plackett_luce", "exploded_logit", "rank_ordered_logit"),
    "cross_entropy",
    "the sum of ours over choices of the next from those that are left of a list, which gm.choice_sets makes",
    """
    sets = gm.choice_sets(place, group=query)  # place 1 is the best
    gm.losses.cross_entropy().value(sets.y, sets.table(z)).sum()
    """,
    source="Plackett 1975; Xia et al. 2008",
)
CHOICE = Counterpart(
    "Conditional logit",
    ("conditional_logit", "mcfadden", "clogit", "discrete_choice"),
    "cross_entropy",
    "ours on choices of one row of each group, which gm.choice_sets makes",
    """
    sets = gm.choice_sets(1 - took, happened=took, group=query)
    gm.losses.cross_entropy().value(sets.y, sets.table(z)).sum()
    """,
    source="McFadden 1974",
)
COX = Counterpart(
    "Cox's partial likelihood",
    ("cox", "cox_ph", "partial_likelihood", "proportional_hazards", "deepsurv", "survival:cox"),
    "cross_entropy",
    "the sum of ours over events, each a choice from the rows at risk, which gm.choice_sets makes; ties as in Breslow",
    """
    sets = gm.choice_sets(time, happened=died)
    gm.losses.cross_entropy().value(sets.y, sets.table(z)).sum()
    """,
    source="Cox 1972; Breslow 1974",
)
HAZARD = Counterpart(
    "Discrete-time survival",
    ("discrete_time_survival", "discrete_hazard", "logistic_hazard", "nnet_survival"),
    "binary_cross_entropy",
    "ours on a row for each period in which somebody was at risk: did it happen in this one; the sum over these rows",
    """
    row, period = np.nonzero(np.arange(12) < period_of_end[:, None])  # periods are numbered from 0
    ended_here = died[row] * (period == period_of_end[row] - 1)
    gm.losses.binary_cross_entropy().value(ended_here, hazard_scores[row, period]).sum()
    """,
    source="Singer and Willett 1993",
)
PAIRS = Counterpart(
    "RankNet, Bradley-Terry, BPR, reward models",
    ("ranknet", "bradley_terry", "bpr", "pairwise_logistic", "reward_model", "rank:pairwise"),
    "binary_cross_entropy",
    "ours with every label yes, of the score that should be higher less the other; gm.choice_sets with most=2 draws pairs",
    """
    gm.losses.binary_cross_entropy().value(np.ones(len(better)), better - worse)
    """,
    source="Bradley and Terry 1952; Burges et al. 2005",
)
PREFERENCE = Counterpart(
    "DPO",
    ("dpo", "direct_preference_optimization"),
    "binary_cross_entropy",
    "ours with every label yes, of beta times the log ratio of the answer that was preferred less that of the other",
    """
    gm.losses.binary_cross_entropy().value(np.ones(len(better)), 0.1 * (better - worse))  # log ratios; beta is 0.1
    """,
    source="Rafailov et al. 2023",
)
TRIPLET = Counterpart(
    "Triplet loss",
    ("triplet",),
    "hinge",
    "margin times ours with every label yes, of how much further off the other is than the match, divided by margin",
    """
    0.2 * gm.losses.hinge().value(np.ones(len(near)), (far - near) / 0.2)
    """,
    source="Schroff, Kalenichenko and Philbin 2015",
)

# --- not here ---

OVERLAPS = Counterpart(
    "Dice, Tversky, Jaccard",
    ("dice", "soft_dice", "tversky", "focal_tversky", "iou", "jaccard", "lovasz", "lovasz_softmax", "soft_f1"),
    "binary_cross_entropy",
    "train with binary_cross_entropy and act from the threshold with the best overlap on, which is half of the best Dice; where "
    "misses and false alarms have a price, gm.decide finds it",
    """
    alarm, miss = 0.5, 0.5  # how much a false alarm and a miss count: one half each is Dice, one each Jaccard
    falling = np.argsort(-p)
    hits, said = np.cumsum(bits[falling]), np.arange(1, n + 1)
    overlap = hits / (hits + alarm * (said - hits) + miss * (bits.sum() - hits))
    best = overlap.max()
    threshold = p[falling][overlap.argmax()]  # of true probabilities: alarm * best / (1 + (alarm + miss - 1) * best)
    best
    """,
    why="it is of a whole set at once, and a loss here is a mean over examples; what is best for it is no probability",
    source="Lipton, Elkan and Naryanaswamy 2014; Bertels et al. 2019",
)
METRICS = Counterpart(
    "Metrics of a whole set",
    (
        *("auc", "roc_auc", "average_precision", "f1", "f1_score", "fbeta", "precision", "recall"),
        *("mcc", "balanced_accuracy", "c_index", "concordance"),
    ),
    "binary_cross_entropy",
    "train with binary_cross_entropy; gm.signal says whether lowering it improves the metric, and gm.decide finds the threshold",
    """
    found = gm.signal(gm.losses.binary_cross_entropy(), bits, z, metric="auc")
    found.aligned.difference.value  # the AUC of a constant less that of these scores; found.aligned.verdict is its word
    """,
    why="it is of a whole set at once, and a loss here is a mean over examples",
)
ORDERS = Counterpart(
    "Metrics of an order, LambdaRank",
    ("ndcg", "approx_ndcg", "lambdarank", "lambdamart", "rank_xendcg", "yetirank", "mrr", "rank:ndcg", "rank:map"),
    "cross_entropy",
    "cross_entropy on lists is ListNet, and on the choices that gm.choice_sets makes of them ListMLE",
    """
    sets = gm.choice_sets(-graded, group=query)  # the most relevant come first
    gm.losses.cross_entropy()(sets.y, sets.table(z))
    """,
    why="it is of the order of a whole list, and a loss here is a mean over examples",
    source="Burges 2010",
)
BETA_NLL = Counterpart(
    "Beta NLL",
    ("beta_nll",),
    "gaussian_crps",
    "gaussian_crps learns the mean and the scale together, and no row that is sure of a wrong answer can rule it",
    """
    gm.losses.gaussian_crps()(z, moments)
    """,
    why="a part of it is held still while the rest is differentiated, so that its signal is the derivative of no loss",
    source="Seitzer et al. 2022",
)
MIXTURES = Counterpart(
    "CRPS and likelihood of mixtures",
    ("crps_mixture", "mixture_crps", "mdn", "mixture_density", "gaussian_mixture", "mixture_nll"),
    "quantiles",
    "quantiles says a spread of any form, many tops included, each level by a convex fit",
    """
    gm.losses.quantiles(levels=(0.05, 0.25, 0.5, 0.75, 0.95))(z, five)
    """,
    why="the parts of a mixture may change places, so that no fit is the best, and its CRPS subtracts nearly equal numbers",
    source="Grimit et al. 2006; Bishop 1994",
)
ENSEMBLES = Counterpart(
    "CRPS of an ensemble",
    ("crps_ensemble", "ensemble_crps", "fair_crps"),
    "quantiles",
    "gm.ensemble_crps judges ensembles, with an interval; to learn a spread of any form, train with quantiles",
    """
    gm.ensemble_crps(amounts, five).value  # fair=True where the members are a draw from what is forecast
    """,
    why="its members are equally likely draws in any order, and each raw output of a loss here has a meaning of its own",
    source="Gneiting and Raftery 2007; Ferro 2014",
)
CENSORED = Counterpart(
    "Censored amounts",
    ("aft", "accelerated_failure_time", "weibull", "tobit", "censored", "survival:aft", "survival"),
    "binary_cross_entropy",
    "binary_cross_entropy on a row for each period at risk gives probabilities of survival, and cross_entropy on the sets that "
    "gm.choice_sets makes Cox's partial likelihood",
    """
    gm.losses.binary_cross_entropy().predict(hazard_scores)  # of each period; survival is np.cumprod(1 - these, axis=1)
    """,
    why="its target is an interval, and a target here is one number, class or share",
    source="Singer and Willett 1993",
)
SEQUENCES = Counterpart(
    "Losses of sequences",
    ("ctc", "rnnt", "rnn_transducer"),
    "cross_entropy",
    "cross_entropy of each step, where it is known which output belongs to it",
    """
    gm.losses.cross_entropy()(labels, table)
    """,
    why="it compares sequences, and a loss here is of one example",
)
EMBEDDINGS = Counterpart(
    "Losses of representations",
    (
        "contrastive",
        "cosine",
        "cosine_embedding",
        "hinge_embedding",
        "arcface",
        "center_loss",
        "barlow_twins",
        "vicreg",
    ),
    "cross_entropy",
    "cross_entropy of the similarities to all candidates is InfoNCE, and hinge of two distances the triplet loss",
    CONTRAST.lines,
    why="it compares representations of two or three inputs, and a loss here is of one prediction and its target",
)
SPARSE = Counterpart(
    "Sparsemax and entmax",
    ("sparsemax", "entmax", "multiclass_sparsemax"),
    "cross_entropy",
    "cross_entropy is the nearest that is proper, binary_cross_entropy for yes and no",
    """
    gm.losses.cross_entropy()(labels, table)
    """,
    why="its probabilities may be exactly zero",
    source="Martins and Astudillo 2016",
)
LARGEST = Counterpart(
    "The largest miss",
    ("max_error", "largest_error"),
    "linex",
    "linex grows fast with the size of a miss, expectile and squared_error more slowly",
    """
    gm.losses.linex(k=2.0)(amounts, z)
    """,
    why="it is the largest of all misses, and a loss here is a mean over examples",
)
NO_MARGIN = Counterpart(
    "Perceptron of several classes",
    ("multiclass_perceptron",),
    "multiclass_hinge",
    "multiclass_hinge has a margin of 1",
    """
    gm.losses.multiclass_hinge()(labels, table)
    """,
    why="it has no margin, so that equal scores are best",
)
OF_ONES_OWN = Counterpart(
    "What makes losses",
    ("fenchel_young",),
    "cross_entropy",
    "a loss of your own is @gm.loss over its formula",
    """
    @gm.loss(target=gm.Outcome)
    def surprise(p):
        "Minus the logarithm of the probability of what happened."
        return -gm.words.log(p)


    surprise()(labels, table)
    """,
    why="it makes losses, and is none",
)
SQUARED_BEYOND = Counterpart(
    "Squared beyond a band",
    ("squared_epsilon_insensitive",),
    "epsilon_insensitive",
    "epsilon_insensitive is the nearest, which grows less with a miss",
    """
    @gm.loss(target=gm.Real)
    def beyond(y, mu, *, epsilon: gm.NonNegative = 0.1):
        "The square of what a miss exceeds epsilon by."
        return gm.words.maximum(0, gm.words.abs(mu - y) - epsilon) ** 2


    beyond()(amounts, z)
    """,
    why="it is maximum(0, abs(mu - y) - epsilon) ** 2, which @gm.loss takes as it stands",
)


def answers() -> tuple[Counterpart, ...]:
    """Every row, those that are here first."""
    found = [each for each in globals().values() if isinstance(each, Counterpart)]
    return tuple(sorted(found, key=lambda each: bool(each.why)))
