"""A linear fit without an estimator: from rows that are known to be sound to the scorer that a study keeps."""

from __future__ import annotations

from dataclasses import dataclass

from goodmeasure.fitting.certificate import Certificate
from goodmeasure.fitting.linear import Monitor, SolverSettings, fit
from goodmeasure.fitting.objective import Objective
from goodmeasure.fitting.scorers import LinearScorer


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
