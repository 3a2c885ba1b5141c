"""A linear fit without an estimator: from rows that are known to be sound to the scorer that a study keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.fitting.certificate import Certificate
from goodmeasure.fitting.linear import Monitor, SolverSettings, fit, prepare, start_at
from goodmeasure.fitting.objective import Objective
from goodmeasure.fitting.scorers import LinearScorer
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.traits.curvature_class import curvature_class


@dataclass(frozen=True)
class PlainFit:
    """A fitted scorer, how surely it is the best, and the objective from the start on."""

    scorer: LinearScorer
    certificate: Certificate
    curve: tuple[float, ...]


def linear_model(objective: Objective) -> PlainFit:
    """The linear model at the least of an objective, found as the estimators find it."""
    watch = Monitor()
    theta, certificate, _ = fit(objective, SolverSettings(watch=watch))
    slopes, constants = objective.coefficients(theta)
    return PlainFit(LinearScorer(slopes.T, constants), certificate, tuple(map(float, watch.loss_curve)))


def linear_models(objective: Objective, alphas: Sequence[float]) -> Callable[[float], PlainFit]:
    """From a penalty to the linear model at the least of an objective, which is found of all these penalties together."""
    prepared = False

    def model(alpha: float) -> PlainFit:
        nonlocal prepared
        if not prepared:
            prepare(objective, alphas, SolverSettings())
            prepared = True
        return linear_model(objective.penalised(alpha))

    return model


def best_constant(loss: Loss, y: NDArray[Any], weight: Floats | None, outputs: int) -> Floats:
    """The raw outputs that every row could share, as a fit begins at them: exact to twelve digits, in a few steps."""
    alone = Objective(loss, np.empty((len(y), 0)), y, weight, outputs=outputs)
    return start_at(alone, curvature_class(loss, y, outputs))
