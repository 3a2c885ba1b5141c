"""Classes and grades: what was taken for what, and how often each was said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.names import plain_label
from goodmeasure.study.study import Study

# More classes than these are shown by the most common alone.
MOST = 12


@dataclass(frozen=True)
class Taken:
    """What was taken for what: rows by what happened, and of it the shares by the likeliest class.

    Attributes:
        labels: the classes, (k,): grades from the lowest on, others the most common first.
        rows: how many rows of each happened, (k,).
        shares: of each that happened, the part for which each is the likeliest, (k, k).
        predicted: the mean probability of each, (k,).
        seen: the part of all rows in which each happened, (k,).
        left_out: how many classes are not among these.
    """

    labels: tuple[str, ...]
    rows: tuple[int, ...]
    shares: Floats
    predicted: Floats
    seen: Floats
    left_out: int


def taken(study: Study) -> Taken | None:
    """What the reported rows were taken for; None where the target is no class of several."""
    labels, report, prediction = study.plan.labels, study.prepared.report, study.judged.prediction
    if prediction.ndim < 2 or len(labels) != prediction.shape[1]:
        return None
    y, weights = report.y.astype(np.intp), report.weights
    counts = np.zeros((len(labels), len(labels)))
    np.add.at(counts, (y, prediction.argmax(axis=1)), weights)
    seen, rows = counts.sum(axis=1), np.bincount(y, minlength=len(labels))
    order = np.arange(len(labels)) if study.plan.loss.is_graded else np.argsort(-seen, kind="stable")
    kept = order[np.isin(order, np.argsort(-seen, kind="stable")[:MOST])]
    of_each = np.divide(counts, seen[:, None], out=np.zeros_like(counts), where=seen[:, None] > 0)
    return Taken(
        tuple(plain_label(labels[k]) for k in kept),
        tuple(rows[kept].tolist()),
        of_each[np.ix_(kept, kept)],
        np.average(prediction, axis=0, weights=weights)[kept],
        (seen / seen.sum())[kept],
        len(labels) - len(kept),
    )
