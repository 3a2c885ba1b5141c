"""The fourth step: what errors cost in the world, and the decision that follows from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from goodmeasure import losses
from goodmeasure.choosing.functionals import Functional
from goodmeasure.choosing.meanings import Meaning
from goodmeasure.choosing.observed import Observed
from goodmeasure.choosing.plan import Rejected, Step
from goodmeasure.decisions.costs import ClassCosts, Costs, UnderOverCosts
from goodmeasure.making.loss import Loss

AnyCosts = Costs | ClassCosts | UnderOverCosts

QUESTION = "What do errors cost in the world, and what follows for the decision?"
# A class of at most this share of the rows is rare.
_RARE = 0.2
_MOST_CLASSES = 100
_ALIKE = "right only if every mistake costs the same"
_HALF = "right only if a miss and a false alarm cost the same"


def weighted(loss: Loss, costs: AnyCosts | None) -> Loss | None:
    """The same loss with the costs as class weights: at threshold one half it decides as the costs do, in theory."""
    if not isinstance(costs, Costs) or costs.per_row or not loss.is_binary:
        return None
    ratio = (1 - costs.threshold) / costs.threshold if costs.threshold > 0 else float("inf")
    return losses.binary_cross_entropy(positive_weight=ratio) if 0 < ratio < float("inf") and ratio != 1 else None


def decide(meaning: Meaning, asked: Functional, costs: AnyCosts | None, seen: Observed) -> Step:
    """The decision that the costs ask for; without costs, what is missing for one."""
    if isinstance(costs, Costs):
        step = _by_threshold(costs)
    elif isinstance(costs, ClassCosts):
        step = _step(
            "the act of least expected cost",
            "the class probabilities and the cost table decide it row by row",
            ("the likeliest class", _ALIKE),
        )
    elif isinstance(costs, UnderOverCosts):
        step = _by_level(asked, costs)
    else:
        step = _without_costs(meaning, asked, seen)
    return replace(step, rejected=(*step.rejected, *_imbalance(meaning, seen)))


def _step(answer: str, reason: str, *rejected: tuple[str, str]) -> Step:
    return Step(QUESTION, answer, reason, tuple(Rejected(*pair) for pair in rejected))


def costs_of_labels(meaning: Meaning, seen: Observed) -> str:
    """The argument that says what each mistake among these labels costs, and a pair of them that may cost more."""
    labels = meaning.order or (range(seen.original.shape[1]) if seen.table else seen.distinct)
    return f"costs=gm.ClassCosts(1 - numpy.eye({len(labels)})), with more for a pair such as {(labels[0], labels[1])!r}"


def _without_costs(meaning: Meaning, asked: Functional, seen: Observed) -> Step:
    if meaning.period is not None:
        return _step(f"provide the predicted {asked}", "no costs were given, and angles are not too little or too much")
    if not meaning.is_outcome:
        return _step(
            f"provide the predicted {asked}",
            "no costs were given; if a unit too little costs more than one too much, the best amount is a quantile",
            ("a quantile", "say costs=gm.UnderOverCosts(under=3, over=1) and its level is under / (under + over)"),
        )
    if meaning.is_graded:
        return _step(
            "predict the probability of each grade or more",
            "no costs were given, so nothing says from which grade on it pays to act",
            ("the likeliest grade", f"{_ALIKE}; say {costs_of_labels(meaning, seen)}"),
        )
    if meaning.name == "classes":
        return _step(
            "predict the probabilities",
            "no costs were given, so nothing says which mistakes are worse",
            ("the likeliest class", f"{_ALIKE}; say {costs_of_labels(meaning, seen)}"),
        )
    return _step(
        "predict the probability",
        "no costs were given, so no threshold follows",
        ("threshold 0.5", f"{_HALF}; say costs=gm.Costs(false_negative=40, false_positive=5)"),
    )


def _by_level(asked: Functional, costs: UnderOverCosts) -> Step:
    under, over, level = costs.under, costs.over, costs.level
    reason = f"a unit too little costs {under:g}, one too much {over:g}: {under:g} / ({under:g} + {over:g})"
    if asked == Functional("quantile", level):
        why = "even where both cost the same it is the median that costs least"
        return _step(f"provide the {level:.4g} quantile", reason, ("the mean", why))
    return _step(
        f"the {asked} that you asked for is not the amount that costs least: that is the {level:.4g} quantile",
        reason,
        (f"pinball(level={level:.4g})", f"you asked for the {asked}; leave ask out and this is the loss"),
    )


def _by_threshold(costs: Costs) -> Step:
    miss, alarm = float(np.mean(costs.miss)), float(np.mean(costs.alarm))
    on_average = "on average " if costs.per_row else ""
    return _step(
        "act in each row from its own threshold on"
        if costs.per_row
        else f"act from probability {costs.threshold:.4g} on",
        f"{on_average}a miss costs {miss:g} more than a catch, a false alarm {alarm:g} more than leaving alone: "
        f"{alarm:g} / ({alarm:g} + {miss:g})",
        ("threshold 0.5", _HALF),
        (
            "class weights",
            "they distort the probabilities and moving the threshold does not; a model that cannot fit the "
            "probabilities may still decide better when weighted, so measure both on rows kept for tuning",
        ),
    )


def _imbalance(meaning: Meaning, seen: Observed) -> tuple[Rejected, ...]:
    if not (meaning.name == "binary" or meaning.is_named) or seen.table or len(seen.distinct) > _MOST_CLASSES:
        return ()
    rarest = min(seen.share(seen.original == label) for label in seen.distinct)
    if rarest > _RARE:
        return ()
    share = f"one class holds {100 * rarest:.2g} % of the rows"
    why = f"{share}, but imbalance alone is no reason: weights only move the probabilities"
    return (Rejected("weights because a class is rare", why),)
