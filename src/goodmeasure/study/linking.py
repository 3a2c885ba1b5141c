"""Whether effects on an amount multiply or add: a linear model is fitted either way, and the rows to tune tell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from goodmeasure.choosing.overruling import with_activation
from goodmeasure.choosing.plan import Plan
from goodmeasure.making.loss import Loss
from goodmeasure.study.cases import Cases
from goodmeasure.study.question import Question
from goodmeasure.study.training import Trained

# Over how much of the mean the sum of effects bends towards zero. With a tenth, predictions add over nearly all their range.
BEND = 0.1


def is_open(plan: Plan, question: Question) -> bool:
    """Whether nobody said how effects go together: a linear model of a mean above zero, its loss and activation chosen here."""
    multiplies = plan.activation.name == "exp" and plan.asks_for == "mean"
    return question.model == "linear" and multiplies and question.leaves_form_open


def adding(plan: Plan, fit: Cases) -> Plan:
    """The same plan with effects that add: a sum of them where it is well above zero, and bent so that it stays above."""
    mean = float(np.average(fit.y, weights=fit.weights))
    # A power of two, by which numbers are multiplied without rounding.
    unit = 2.0 ** round(np.log2(BEND * mean))
    reason = "effects add rather than multiply: a linear model of sums costs less on the rows to tune"
    return with_activation(plan, f"softplus({unit:.17g})", reason)


def multiplying(loss: Loss) -> Loss:
    """The loss with effects that multiply, by which models that add are judged beside others."""
    return loss.with_activation("exp") if loss.activation[0].name.startswith("softplus(") else loss


def linked(plan: Plan, trained: Trained, fit: Cases, training: Callable[[Plan], Trained]) -> tuple[Plan, Trained]:
    """The plan and model of less loss on the rows to tune: where effects multiply, or where they add."""
    other = adding(plan, fit)
    second = training(other)
    return (other, second) if _least(second) < _least(trained) else (plan, trained)


def _least(trained: Trained) -> float:
    """The least risk on the rows to tune along the path."""
    return float(np.nanmin([risk for _, _, risk in trained.path], initial=np.inf))
