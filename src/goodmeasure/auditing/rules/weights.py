"""Weights of classes and labels: their direction, and what they do together with smoothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:
    from goodmeasure.auditing.evidence.contracts import Contracts

FEW = 20  # examples below which a batch says nothing about class frequencies


@rule(
    "GM130",
    "warning",
    "class weights favour the frequent class",
    why=(
        "A weight above one on the frequent class, or below one on the rare, multiplies the imbalance instead of "
        "undoing it: the rare "
        "class is hardly ever predicted."
    ),
    fix="weight = counts.sum() / counts (per class); pos_weight = negatives / positives",
)
def inverted_weights(contracts: Contracts) -> Iterator[Seen]:
    """Weights rise with the frequency of the class in this batch, by a factor that chance does not explain.

    Example: ``pos_weight=positives / negatives``, or two weights listed in the wrong order. Only batches of 20 or
    more with a
    clear imbalance are judged. Ignore it where the frequent class is the costly one.
    """
    for where, weights, counts in contracts.class_weights():
        total = sum(counts)
        frequent, rare = (
            max(range(len(counts)), key=counts.__getitem__),
            min(range(len(counts)), key=counts.__getitem__),
        )
        clear = (
            total >= FEW and counts[frequent] >= 2.5 * max(counts[rare], 1) and counts[frequent] - counts[rare] >= 10
        )
        if clear and weights[frequent] >= 1.5 * weights[rare] and rising(weights, counts):
            yield Seen(
                f"class {frequent} ({counts[frequent]:g} of {total:g}) weighs {weights[frequent]:.3g}, class {rare} "
                f"({counts[rare]:g}) weighs {weights[rare]:.3g}",
                where=where,
            )


def rising(weights: list[float], counts: list[float]) -> bool:
    """Whether weights and counts rise together, pair by pair, more often than not."""
    pairs = [
        (i, j) for i in range(len(counts)) for j in range(i) if counts[i] != counts[j] and weights[i] != weights[j]
    ]
    same = sum((counts[i] > counts[j]) == (weights[i] > weights[j]) for i, j in pairs)
    return bool(pairs) and same >= 0.75 * len(pairs)


@rule(
    "GM131",
    "warning",
    "label smoothing is multiplied by strong class weights",
    why=(
        "cross_entropy weighs the uniform part of the smoothed target too: with weights .01 and .99 and smoothing "
        ".1, an example of the "
        "light class has its smallest loss when the heavy class is predicted."
    ),
    fix=(
        "smooth without weights and multiply by the weight of the example's class: (w[y] * F.cross_entropy(z, y, "
        "label_smoothing=e, reduction='none')).sum() / w[y].sum()"
    ),
)
def smoothing_with_weights(contracts: Contracts) -> Iterator[Seen]:
    """For some class the smoothed and weighted target puts most mass on another class.

    Example: ``nn.CrossEntropyLoss(weight=w, label_smoothing=0.1)`` with weights that differ by more than the
    smoothing allows.
    Ignore it never.
    """
    for call in contracts.of("cross_entropy"):
        smoothing = float(call.options.get("label_smoothing") or 0)
        if smoothing <= 0 or call.weight is None:
            continue
        weights = [float(w) for w in call.weight.value]
        spread = smoothing / len(weights)
        heavy = max(range(len(weights)), key=weights.__getitem__)
        for light, weight in enumerate(weights):
            if light != heavy and weights[heavy] * spread > weight * (1 - smoothing + spread):
                yield Seen(
                    f"weights {weight:.3g} and {weights[heavy]:.3g} with smoothing {smoothing:g}: an example of "
                    f"class {light} is best served by predicting class {heavy}",
                    where=call.where,
                )
                break
