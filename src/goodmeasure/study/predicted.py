"""What is said of reported rows by models that never saw them: one model for held-out rows, ten a deal where folds are made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from goodmeasure.choosing.plan import Plan
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.cases import Cases, Prepared
from goodmeasure.study.model import Model
from goodmeasure.study.procedure import Made, Procedure, raw_of
from goodmeasure.study.split import FIT_AND_TUNE, Indices, split


@dataclass(frozen=True)
class Speaker:
    """A model, and the reported rows that it never saw and speaks of."""

    model: Model
    rows: Indices


@dataclass(frozen=True)
class Predicted:
    """The reported rows' raw outputs, as the model gives them, and after the recalibration that goes with it.

    ``mapped`` are predictions that are recalibrated whether that is used or not; None where there is no map. ``practice``
    is the threshold, or the shift of amounts, that was tuned with the model that speaks; ``speakers`` are the models.
    """

    plain: Floats
    settled: Floats
    prediction: Floats
    mapped: Floats | None
    practice: Floats | None
    speakers: tuple[Speaker, ...]

    @staticmethod
    def by(made: Made, cases: Cases) -> Predicted:
        """What one model says."""
        model, plain = made.model, raw_of(made.model, cases)
        mapped = None if made.recalibrated is None else made.recalibrated.map(plain)
        practice = None if made.practice is None else np.full(len(cases), made.practice)
        return Predicted(
            plain,
            model.settled(plain),
            model.predictions(plain),
            mapped,
            practice,
            (Speaker(model, np.arange(len(cases))),),
        )


def predicted(procedure: Procedure, made: Made, given: Prepared) -> tuple[Predicted, ...]:
    """What is said of the reported rows: once by the model that is handed over, or once for each deal of folds."""
    if not given.split.deals:
        return (Predicted.by(made, given.report),)
    return tuple(_out_of_fold(procedure, made.plan, given.report, fold) for fold in given.split.deals)


def _out_of_fold(procedure: Procedure, plan: Plan, cases: Cases, fold: Indices) -> Predicted:
    """Each row by the model that was fitted, tuned and recalibrated on the rows of other folds.

    The plan is made once, of all rows: which columns are taken, and which loss.
    """
    found, held = [], []
    for k in np.unique(fold):
        procedure.tick(f"judge fold {k + 1} of {int(fold.max()) + 1}")
        rest = cases.take(np.flatnonzero(fold != k))
        parts = split(
            len(rest),
            classes=rest.y if plan.labels else None,
            group=rest.together,
            shares=FIT_AND_TUNE,
            seed=procedure.question.seed,
        )
        quiet = replace(procedure, tick=_silent, is_settled=True)
        # A fit that stops short is judged as it is; the certificate of the model that is handed over speaks for it.
        made = quiet.on_all(quiet(plan, rest.take(parts.fit), rest.take(parts.tune)), rest)
        held.append(np.flatnonzero(fold == k))
        found.append(Predicted.by(made, cases.take(held[-1])))
    return _together(found, held)


def _silent(step: str) -> None:
    """The steps of each fold are not told one by one."""


def _together(found: list[Predicted], held: list[Indices]) -> Predicted:
    """The folds' rows in the order of the table; without a map in one of them, its predictions stay as they are."""

    order = np.argsort(np.concatenate(held), kind="stable")

    def joined(parts: list[Any]) -> Any:
        return np.concatenate(parts)[order]

    maps = [one.prediction if one.mapped is None else one.mapped for one in found]
    practice = None if found[0].practice is None else joined([one.practice for one in found])
    return Predicted(
        joined([one.plain for one in found]),
        joined([one.settled for one in found]),
        joined([one.prediction for one in found]),
        joined(maps) if any(one.mapped is not None for one in found) else None,
        practice,
        tuple(replace(one.speakers[0], rows=rows) for one, rows in zip(found, held, strict=True)),
    )
