"""Quantiles that are moved until they hold the share of new rows that they say: split conformal prediction.

The rows to report move them: neither the fit nor the choice of its strength has seen these. What is then said of the same rows
is said by models that others of them moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.decisions.decision import folds
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.conformal import conformal_bound
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.weights import effective, equal_parts
from goodmeasure.study.cases import Cases, Prepared
from goodmeasure.study.covering import Coverage
from goodmeasure.study.dependence import parts
from goodmeasure.study.model import Model
from goodmeasure.study.predicted import Predicted, Speaker
from goodmeasure.study.split import FOLDS

# Equal targets stand at a bound together, and no rounding may put them beyond it, in whatever language: by so much of the
# largest number it is moved further.
BEYOND = 1e-12


def covering(
    model: Model, said: Sequence[Predicted], given: Prepared, seed: int
) -> tuple[Model, tuple[Predicted, ...]]:
    """The model with its quantiles moved by the rows to report, and what models that others of these moved say of each."""
    report = given.report
    goals = raw_targets(model.loss, report.y)
    misses = np.stack([goals - one.plain for one in said])
    sizes = np.abs([goals, *(one.plain for one in said)])
    beyond = BEYOND * float(sizes[np.isfinite(sizes)].max(initial=0))
    moving = _Moving(model.loss.levels, misses, report.weights, report.together, beyond)
    every = np.ones(len(report), dtype=bool)
    moves = moving(range(len(said)), every)
    coverage = Coverage(
        model.loss.levels,
        tuple(float(move) if np.isfinite(move) else None for move in moves),
        int(effective(report.weights, np.ones(len(report))) + 0.5),
        _between(said[0].prediction, report),
        tuple(_doubts(given)),
    )
    dealt = given.split.deals or (folds(len(report), parts(report)[0], seed, FOLDS),)
    others = [_by_others(model, one, fold, moving, k) for k, (one, fold) in enumerate(zip(said, dealt, strict=True))]
    return shifted(model, moves).using(coverage=coverage), tuple(others)


def raw_targets(loss: Loss, y: Floats) -> Floats:
    """The raw output at which each prediction would be the target, (n, K); infinite where none can be."""
    ends = [(a.reaches.low, a.reaches.high) for a in loss.activation]
    within = np.column_stack([np.clip(y, low, high) for low, high in ends])
    with np.errstate(divide="ignore"):
        return np.asarray(loss.raw(within), dtype=np.float64)


def shifted(model: Model, moves: Floats) -> Model:
    """The model with so much added to each raw output; nothing where there is no finite bound."""
    return model.using(scorer=model.scorer.shifted(np.where(np.isfinite(moves), moves, 0.0)))


@dataclass(frozen=True)
class _Moving:
    """By how much each raw output is moved, from what it misses on some rows in each deal of folds."""

    levels: tuple[float, ...]
    misses: Floats
    weight: Floats
    together: Any
    beyond: float

    def independent(self, taken: Any) -> float:
        """As many rows of equal weight as these tell as much as: where rows go together, as there are groups."""
        if self.together is None:
            return effective(self.weight[taken], np.ones(int(taken.sum())))
        codes = np.unique(self.together[taken], return_inverse=True)[1]
        return equal_parts(summed(codes, self.weight[taken]))

    def __call__(self, deals: Sequence[int], taken: Any) -> Floats:
        """What moves each raw output outwards: the bound of its level, and what rounding may take back.

        A median has no side on which it could promise anything, and stays.
        """
        weight, rows = np.tile(self.weight[taken], len(deals)), self.independent(taken)
        each = zip(self.levels, self.misses[list(deals)][:, taken].reshape(-1, len(self.levels)).T, strict=True)
        return np.array(
            [
                0.0 if level == 0.5 else conformal_bound(miss, weight, level, rows) + np.sign(level - 0.5) * self.beyond
                for level, miss in each
            ]
        )


def _by_others(model: Model, one: Predicted, fold: Any, moving: _Moving, deal: int) -> Predicted:
    """What is said of each row by a model that the rows of other folds moved."""
    plain, speakers = one.plain.copy(), []
    for k in np.unique(fold):
        held = fold == k
        moves = moving([deal], ~held)
        speaker = next(each.model for each in one.speakers if held[each.rows].any())
        speaker = shifted(speaker, moves)
        plain[held] += np.where(np.isfinite(moves), moves, 0.0)
        speakers.append(Speaker(speaker, np.flatnonzero(held)))
    return Predicted(plain, model.settled(plain), model.predictions(plain), None, None, tuple(speakers))


def _between(prediction: Floats, report: Cases) -> float:
    """The share of the rows from the lowest to the highest quantile."""
    inside = (prediction[:, 0] <= report.y) & (report.y <= prediction[:, -1])
    return float(np.average(inside, weights=report.weights))


def _doubts(given: Prepared) -> Iterator[str]:
    """Why the rows to report are not exchangeable with new ones, or are not judged by the model that is handed over."""
    report = given.report
    found = {
        "folds": bool(given.split.deals),
        "time": report.when is not None,
        "groups": report.together is not None,
        "weights": report.weight is not None,
    }
    yield from (name for name, there in found.items() if there)
