"""How the errors of a first fit spread, on rows that it did not learn from."""

from __future__ import annotations

import numpy as np

from goodmeasure.choosing.plan import Plan
from goodmeasure.choosing.spreading import Spread, spread
from goodmeasure.choosing.supposing import is_unsaid
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.cases import Cases
from goodmeasure.study.linking import multiplying
from goodmeasure.study.question import Question
from goodmeasure.study.training import Trained, refitted
from goodmeasure.study.turns import turns


def is_doubtful(plan: Plan, question: Question) -> bool:
    """Whether errors say more of the loss: they were supposed to grow with the mean, or nobody said how they do."""
    return is_unsaid(plan.loss) or is_supposed(plan, question)


def is_supposed(plan: Plan, question: Question) -> bool:
    """Whether nobody said that errors grow with the mean: the loss of a mean above zero was chosen here."""
    above = multiplying(plan.loss).activation[0].name == "exp"
    return question.leaves_form_open and plan.asks_for == "mean" and above


def misses(loss: Loss, trained: Trained, cases: Cases) -> float:
    """What a model costs by a loss of predictions on these cases."""
    return loss(cases.y, predictions_of(trained, cases), cases.weight)


def spread_left_out(trained: Trained, question: Question, fit: Cases, tune: Cases) -> Spread | None:
    """How errors go with predictions: on the rows to tune, or where they are few on folds of those to fit and to tune."""
    pairs = turns(trained.loss, fit, tune, question.seed)
    if len(pairs) == 1:
        return _spread([(trained, tune)])
    return _spread(
        [(refitted(trained, question.model, learns, seed=question.seed), judges) for learns, judges in pairs]
    )


def _spread(judged: list[tuple[Trained, Cases]]) -> Spread | None:
    predicted = [predictions_of(trained, rows) for trained, rows in judged]
    y, weights = (np.concatenate([getattr(rows, name) for _, rows in judged]) for name in ("y", "weights"))
    return spread(y - np.concatenate(predicted), np.concatenate(predicted), weights)


def predictions_of(trained: Trained, cases: Cases) -> Floats:
    """What a model predicts of cases."""
    return np.asarray(trained.loss.predict(trained.raw(cases.table, cases.exposure)))
