"""Metrics that an evaluation reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:
    from goodmeasure.auditing.evidence.asked_for_labels import AskedForLabels
    from goodmeasure.auditing.evidence.metrics import Metrics


@rule(
    "GM555",
    "error",
    "a metric does not know a perfect output",
    why="It says something else than its name: models are compared, and the best checkpoint is chosen, by that.",
    fix="labels = logits.argmax(-1); kept = targets != -100; accuracy = (labels == targets)[kept].mean()",
)
def perfect_is_not_best(metrics: Metrics) -> Iterator[Seen]:
    """An accuracy, F1, precision or recall is not 1 where every output is right.

    Example: ``logits.argmax(1)`` on scores of (rows, positions, classes), positions with the label -100 counted as wrong, a
    language model's scores compared with the token that was read. Evidence: the metric is asked about outputs made of the
    labels. Ignore it where the name means something else.
    """
    for name, value, meaning in metrics.missed():
        yield Seen(f"where every output is right, {name} is {value:.4g}" + f": {meaning}" * bool(meaning))


@rule(
    "GM556",
    "error",
    "a metric compares mixed pairs",
    why="Shapes such as (n, 1) and (n,) broadcast to a table of n x n pairs: the number says nothing about the model.",
    fix="outputs = outputs.reshape(targets.shape)",
)
def metric_of_mixed_pairs(metrics: Metrics) -> Iterator[Seen]:
    """A metric changes when the same outputs are given the shape of the targets.

    Example: ``((predictions - labels) ** 2).mean()`` of predictions (n, 1). Evidence: the metric is asked again. Ignore it
    never.
    """
    for name, given, paired in metrics.mixed():
        yield Seen(f"of outputs that differ as the targets do, {name} is {given:.4g}; pair by pair it is {paired:.4g}")


@rule(
    "GM557",
    "warning",
    "a model is judged as it trains",
    why=(
        "Dropout goes on leaving units out and batch normalisation takes the statistics of the batch: the score is that of "
        "another model than the one that is used, and changes from call to call."
    ),
    fix="model.eval() before the evaluation, and model.train() behind it",
)
def judged_as_it_trains(judged: AskedForLabels) -> Iterator[Seen]:
    """Without gradient, labels that are compared with the truth are made by a model in training mode that has dropout or
    batch normalisation.

    Example: ``with torch.no_grad(): hits += (model(x).argmax(1) == y).sum()`` where ``model.eval()`` was never called. An
    average over several calls, and a check of the batch on which the model trains, are left alone. Ignore it where the
    randomness is meant.
    """
    if judged.at_work:
        kinds = ", ".join(sorted(set(judged.at_work)))
        yield Seen(f"{len(judged.at_work)} layers are in training mode ({kinds})")


@rule(
    "GM558",
    "error",
    "shares are taken over the examples before a label is chosen",
    why="The label of an example then depends on which others stand in its batch: alone, every class has the share 1.",
    fix="softmax over the class axis, dim=-1, or argmax of the scores themselves",
)
def shares_of_examples(judged: AskedForLabels) -> Iterator[Seen]:
    """Between the output of a model and the labels that are compared with the truth, a softmax runs along the batch.

    Example: ``torch.softmax(model(x), dim=0).argmax(1)``. Ignore it where examples compete with each other.
    """
    if judged.across:
        yield Seen("a softmax over axis 0 stands between the output and its labels", where=judged.across)
