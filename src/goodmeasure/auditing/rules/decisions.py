"""What a fitted model's output is taken for, and the decision made from it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:
    from goodmeasure.auditing.evidence.fitted import Fitted


@rule(
    "GM510",
    "warning",
    "accuracy is reported on a rare event",
    why=(
        "With 2 % positives a model that never predicts the event is 98 % accurate: the number says nothing about "
        "what matters."
    ),
    fix="report average_precision_score or a cost: goodmeasure score ... --costs",
)
def accuracy_on_imbalance(fitted: Fitted) -> Iterator[Seen]:
    """The metric behaves like accuracy (a constant answer scores the share of the majority), and one class is rarer
    than one in ten.

    Example: ``accuracy_score`` on a 2 % event. Ignore it where both mistakes cost the same and the base rate is
    quoted beside it.
    """
    if fitted.metric is None or fitted.kind != "label" or not fitted.binary:
        return
    rate = float(fitted.positives.mean())
    labels = [fitted.y[fitted.positives == side][:1] for side in (0, 1)]
    majority = labels[rate > 0.5]
    constant = called(fitted.metric, fitted.y, fitted.y * 0 + majority)
    if min(rate, 1 - rate) <= 0.1 and constant is not None and abs(constant - max(rate, 1 - rate)) < 1e-9:
        yield Seen(
            f"{min(rate, 1 - rate):.1%} of the rows are the rare class; a constant answer scores {constant:.3f}",
            where="metric",
        )


def called(function: Any, *args: Any) -> float | None:
    """A user's metric as a number, or ``None`` where it does not take these arguments."""
    try:
        return float(function(*args))
    except (TypeError, ValueError):
        return None


@rule(
    "GM511",
    "error",
    "what is used as a probability is none",
    why=(
        "Labels, margins and raw scores are not probabilities: thresholds, costs and log-loss computed from them "
        "are meaningless."
    ),
    fix="predict_proba(X)[:, 1]; for raw scores 1 / (1 + exp(-score)); calibrate margins with CalibratedClassifierCV",
)
def not_a_probability(fitted: Fitted) -> Iterator[Seen]:
    """The output is declared a probability and lies outside [0, 1], takes the values of labels only, or its rows do
    not sum to one.

    Example: ``predict()`` of a booster with a custom objective (raw scores), ``predict()`` of a classifier (labels),
    ``decision_function``. Ignore it never.
    """
    out = fitted.output
    if fitted.kind != "probability" or out is None or out.dtype.kind not in "fiub" or not out.size:
        if fitted.kind == "probability" and out is not None and out.size:
            yield Seen(f"the output holds {out.dtype.kind!r} values such as {out.reshape(-1)[0]!r}", where="output")
        return
    values = out.astype(float)
    low, high = float(values.min()), float(values.max())
    if low < -1e-9 or high > 1 + 1e-9 or not math.isfinite(low + high):
        yield Seen(f"values from {low:.3g} to {high:.3g}", where="output")
    elif len(values) >= 20 and low >= 0.5 and high <= 0.7311 and values.ndim == 1:
        yield Seen(f"all values lie in [{low:.3f}, {high:.3f}]: a sigmoid of a probability", where="output")
    elif len(values) >= 20 and values.ndim == 1 and set(values.tolist()) <= {0.0, 1.0}:
        yield Seen("all values are 0 or 1: these are labels", where="output")
    elif (
        values.ndim == 2
        and values.shape[1] > 1
        and fitted.task != "multilabel"
        and float(abs(values.sum(1) - 1).max()) > 1e-3
    ):
        yield Seen(f"rows sum to {float(values.sum(1).min()):.3g} .. {float(values.sum(1).max()):.3g}", where="output")


@rule(
    "GM512",
    "error",
    "the output ranks the classes the wrong way round",
    why=(
        "A score that falls where the event is more likely is the probability of the other class, or has the wrong "
        "sign."
    ),
    fix="take the column of the event: predict_proba(X)[:, list(clf.classes_).index(event)]",
)
def wrong_column(fitted: Fitted) -> Iterator[Seen]:
    """The area under the ROC curve on the fitted rows is far below one half.

    Example: ``predict_proba(X)[:, 0]``. Ignore it where a low score is meant to say yes.
    """
    area = fitted.auc() if fitted.kind in ("probability", "score", "label") else None
    if area is not None and area[0] < 0.5 - max(0.1, 5 * area[1]):
        yield Seen(f"the area under the ROC curve is {area[0]:.2f}", where="output")


@rule(
    "GM513",
    "warning",
    "probabilities are too high or too low on average",
    why=(
        "Class weights, resampling or a missing start score shift every probability: with balanced weights a 10 % "
        "event is given 50 % on average, "
        "and every threshold, cost and expected count inherits it."
    ),
    fix="train without class weights and move the threshold, or calibrate (CalibratedClassifierCV) before deciding",
    follows=("GM511", "GM512"),
)
def shifted_probability(fitted: Fitted) -> Iterator[Seen]:
    """The mean of the probabilities differs from the share of events on the rows of the fit by far more than chance.

    Example: ``LogisticRegression(class_weight="balanced").predict_proba``. Judged for outputs declared as
    probabilities, and for
    probabilities behind a decision by costs. Ignore it where only the ranking is used.
    """
    if not fitted.binary:
        return
    rate, n = float(fitted.positives.mean()), len(fitted.y)
    candidates = [
        fitted.numbers if fitted.kind == "probability" else None,
        fitted.probability if fitted.costs else None,
    ]
    for values in candidates:
        if values is None or values.shape != fitted.y.shape or float(values.min()) < 0 or float(values.max()) > 1:
            continue
        mean = float(values.mean())
        error = math.sqrt(max(float((values * (1 - values)).mean()), rate * (1 - rate)) / n)
        if abs(mean - rate) > 5 * error and abs(mean - rate) > 0.25 * min(rate, 1 - rate):
            cause = f" ({fitted.balanced_by()})" if fitted.balanced_by() else ""
            yield Seen(f"probabilities average {mean:.3f}, events are {rate:.3f} of {n} rows{cause}", where="output")
            return


@rule(
    "GM526",
    "warning",
    "probabilities are far too sure of themselves",
    why="What is called 99 % happens far less often: costs, log-loss and expected counts all inherit it.",
    fix="1 / (1 + np.exp(-margin)) of a margin as the model gives it, or CalibratedClassifierCV",
    follows=("GM511", "GM512"),
)
def stretched_probability(fitted: Fitted) -> Iterator[Seen]:
    """The log-odds of the events rise less than a third as fast as those of the probabilities, which chance does not explain.

    Example: ``1 / (1 + np.exp(-8 * margin))``. Judged on 200 rows or more, by a logistic regression on the log-odds, which
    outputs of exactly 0 and 1 do not have. Ignore it where only the ranking is used.
    """
    found = fitted.stretch()
    if found is not None and found[0] + 5 * found[1] < 1 / 3:
        yield Seen(f"log-odds of {len(fitted.y)} events rise by {found[0]:.2f} for each 1 that is said", where="output")


@rule(
    "GM514",
    "warning",
    "the threshold does not follow from the costs",
    why=(
        "The cheapest decision acts where the probability exceeds fp / (fp + fn). One half is right only for equal "
        "costs: at 1 to 9 it pays up to several "
        "times what the right threshold costs."
    ),
    fix="labels = p >= costs['fp'] / (costs['fp'] + costs['fn'])",
)
def threshold_against_costs(fitted: Fitted) -> Iterator[Seen]:
    """The labels turn at another probability than the declared costs ask for.

    Example: ``clf.predict(X)`` (one half) when a missed event costs nine times a false alarm. Ignore it where the
    probabilities are not
    calibrated and the threshold was chosen on held-out costs.
    """
    fp, fn = (float(fitted.costs.get(name, 0)) for name in ("fp", "fn"))
    if fitted.kind != "label" or fp <= 0 or fn <= 0 or not fitted.binary:
        return
    wanted, used = fp / (fp + fn), fitted.switch()
    if used is None or not 0 < used < 1:
        return
    if abs(math.log(used / (1 - used)) - math.log(wanted / (1 - wanted))) > 0.7:
        yield Seen(f"labels turn at p = {used:.2f}; costs of {fp:g} and {fn:g} ask for {wanted:.2f}", where="output")


@rule(
    "GM515",
    "warning",
    "what is used as a mean is not one",
    why=(
        "A model of the logarithm, or of the median, is off by a factor on the original scale: sums, budgets and "
        "expected counts are wrong by it."
    ),
    fix=(
        "undo the transformation and its bias: np.exp(prediction) * np.mean(y / np.exp(prediction)); or fit the "
        "mean (Poisson, gamma, squared error)"
    ),
    follows=("GM517",),
)
def not_a_mean(fitted: Fitted) -> Iterator[Seen]:
    """The output is declared a mean and its average is far from that of the target on the rows of the fit.

    Example: ``LinearRegression().fit(X, np.log(y)).predict(X)`` used as y. Ignore it for strongly regularised or
    barely trained models.
    """
    bias = fitted.bias() if fitted.kind == "mean" else None
    out = fitted.numbers
    if bias is None or out is None or abs(bias[1]) < 4.5:
        return
    mean, wanted = float(out.mean()), float(fitted.y.astype(float).mean())
    ratio = mean / wanted if abs(wanted) > 0.2 * float(fitted.y.astype(float).std()) else 1.0
    if abs(bias[0]) > 0.5 or not 0.75 < ratio < 1.33:
        yield Seen(
            f"the output averages {mean:.4g}, the target {wanted:.4g} ({bias[1]:+.0f} standard errors)", where="output"
        )


@rule(
    "GM516",
    "error",
    "a quantile covers the wrong share of the targets",
    why=(
        "A 90 % quantile has nine targets in ten below it. Where it is one in ten the level was swapped; where it "
        "is half, the model gives the median or mean."
    ),
    fix="pass the level that is meant (alpha=0.9), and check the share of y <= prediction",
)
def coverage(fitted: Fitted) -> Iterator[Seen]:
    """The share of targets below a declared quantile differs from its level by far more than chance.

    Example: levels of the lower and upper bound exchanged, or a squared-error model read as a quantile. Ignore it
    never.
    """
    names = ("alpha", "quantile", "quantile_alpha", "level", "q")
    level = next(
        (float(v) for name in names if isinstance(v := fitted.params.get(name), (int, float)) and 0 < float(v) < 1),
        None,
    )
    out = fitted.numbers
    if fitted.kind != "quantile" or level is None or out is None:
        return
    share = float((fitted.y.astype(float) <= out).mean())
    error = math.sqrt(level * (1 - level) / len(out))
    if abs(share - level) > max(0.2, 5 * error):
        yield Seen(f"{share:.0%} of the targets lie below the {level:.0%} quantile", where="output")


@rule(
    "GM517",
    "warning",
    "the exposure is missing from the output",
    why=(
        "Counts grow with exposure. A model that was fitted with an offset must add it when it predicts: boosters "
        "drop the start score, and a rate is not a count."
    ),
    fix="prediction = np.exp(raw_score + np.log(exposure))",
)
def exposure_lost(fitted: Fitted) -> Iterator[Seen]:
    """The ratio of target to output rises with the exposure from one third of the rows to the next.

    Example: LightGBM with ``init_score=np.log(exposure)`` and a plain ``predict``. Ignore it where exposure has a
    true effect of its own.
    """
    out = fitted.numbers
    if fitted.offset is None or out is None or fitted.offset.shape != out.shape or len(out) < 60:
        return
    order = fitted.offset.argsort()
    parts = [order[: len(order) // 3], order[len(order) // 3 : 2 * len(order) // 3], order[2 * len(order) // 3 :]]
    sums = [(float(fitted.y[p].sum()), float(out[p].sum())) for p in parts]
    if min(min(pair) for pair in sums) <= 0:
        return
    ratios = [observed / said for observed, said in sums]
    steady = ratios[0] < ratios[1] < ratios[2] or ratios[0] > ratios[1] > ratios[2]
    error = math.sqrt(1 / max(sums[0][0], 1) + 1 / max(sums[2][0], 1))
    if steady and abs(math.log(ratios[2] / ratios[0])) > max(math.log(1.5), 4 * error):
        yield Seen("target / output by thirds of exposure: " + ", ".join(f"{r:.2f}" for r in ratios), where="output")


@rule(
    "GM518",
    "error",
    "the output holds labels that the targets do not know",
    why="Every such prediction is an error by definition, usually from a coding that differs between training and use.",
    fix="map back with the encoder that was fitted: encoder.inverse_transform(labels)",
)
def unknown_labels(fitted: Fitted) -> Iterator[Seen]:
    """The output is declared a label and takes values that never occur among the targets.

    Example: labels 0..K-1 from the booster against targets 1..K. Ignore it never.
    """
    if fitted.kind != "label" or fitted.output is None or fitted.output.ndim != 1 or fitted.y.ndim != 1:
        return
    known = set(fitted.y.tolist())
    said = set(fitted.output.tolist())
    if len(known) <= 50 and said - known:
        yield Seen(
            f"output {sorted(map(str, said - known))[:5]}, targets {sorted(map(str, known))[:5]}", where="output"
        )


@rule(
    "GM519",
    "warning",
    "the weight of the positive class is inverted",
    why=(
        "scale_pos_weight is negatives / positives. The inverse damps the rare class further, until it is never "
        "predicted."
    ),
    fix="scale_pos_weight = (y == 0).sum() / (y == 1).sum()",
)
def inverted_option(fitted: Fitted) -> Iterator[Seen]:
    """``scale_pos_weight``, ``class_weight`` or ``sample_weight`` favours the frequent class.

    Example: ``scale_pos_weight=positives / negatives``, ``sample_weight=np.where(y == 1, y.mean(), 1 - y.mean())``. Sample
    weights are judged where they follow from the class alone.
    Ignore it where the frequent class is the costly one.
    """
    if not fitted.binary or len(fitted.y) < 20:
        return
    rate = float(fitted.positives.mean())
    table = fitted.params.get("class_weight")
    weight = fitted.params.get("scale_pos_weight")
    if isinstance(table, dict) and len(table) == 2:
        low, high = sorted(table)
        weight = float(table[high]) / float(table[low])
    weight = class_ratio(fitted) if weight is None else weight
    if isinstance(weight, (int, float)) and ((rate < 0.35 and weight < 0.75) or (rate > 0.65 and weight > 1.33)):
        yield Seen(
            f"positives are {rate:.1%} of the rows and weigh {float(weight):.3g} times a negative", where="estimator"
        )


def class_ratio(fitted: Fitted) -> float | None:
    """The weight of a positive over that of a negative, where every example of a class weighs the same."""
    if fitted.weight is None or fitted.weight.shape != fitted.positives.shape:
        return None
    each = [fitted.weight[fitted.positives == side] for side in (1, 0)]
    if any(not len(part) or part.min() <= 0 or part.max() > part.min() * (1 + 1e-6) for part in each):
        return None
    return float(each[0][0] / each[1][0])


@rule(
    "GM520",
    "warning",
    "a metric of scores is given labels",
    why=(
        "Ranking metrics and log-loss judge scores. On labels the area under the curve has a single threshold, and "
        "log-loss charges 36 for every mistake."
    ),
    fix="metric(y, predict_proba(X)[:, 1])",
)
def metric_on_labels(fitted: Fitted) -> Iterator[Seen]:
    """The metric responds only to the order of scores, or is log-loss, and the output is a label.

    Example: ``roc_auc_score(y, clf.predict(X))``. The metric is recognised by what it does to scores, not by its name.
    Ignore it never.
    """
    if fitted.metric is None or not fitted.says_labels or not fitted.binary or fitted.y.dtype.kind not in "iub":
        return
    scores = fitted.positives * 0.2 + (fitted.y * 0 + range(len(fitted.y))) % 7 / 20 + 0.2
    one, two = called(fitted.metric, fitted.y, scores), called(fitted.metric, fitted.y, scores**3)
    half = called(fitted.metric, fitted.y, scores * 0 + 0.5)
    if one is not None and one == two and one not in (0.0, 1.0):
        yield Seen("the metric depends only on the order of scores, and gets labels", where="metric")
    elif half is not None and abs(half - math.log(2)) < 1e-9:
        yield Seen("the metric is log-loss, and gets labels", where="metric")


@rule(
    "GM521",
    "warning",
    "classes are reweighted twice",
    why=(
        "Weights multiply: balanced class weights times balanced sample weights square the correction, and the "
        "rare class is over-predicted."
    ),
    fix="use class_weight or sample_weight, not both",
)
def weighted_twice(fitted: Fitted) -> Iterator[Seen]:
    """The estimator reweights classes, and the sample weights do so too.

    Example: ``LogisticRegression(class_weight="balanced").fit(X, y, sample_weight=balanced)``. Ignore it where the
    product is meant.
    """
    option = fitted.option_weights()
    if option and fitted.weights_by_class():
        yield Seen(f"{option}, and sample weights that follow the class", where="estimator")
