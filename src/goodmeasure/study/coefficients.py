"""The coefficients of a linear model, of columns of spread one, with intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.fitting.scorers import LinearScorer
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.estimate import Estimate
from goodmeasure.statistics.intervals import student_quantile
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.cases import Cases
from goodmeasure.study.dependence import sample
from goodmeasure.study.encoding import Encoding

SANDWICH = "sandwich of curvature and signal, at the penalty that was chosen"


@dataclass(frozen=True)
class Coefficient:
    """What a raw output changes by where a column of the matrix is one standard deviation higher, or a category is there."""

    feature: str
    name: str
    value: Estimate
    per: str

    @property
    def sentence(self) -> str:
        """The coefficient in words."""
        return f"coefficient {self.value.value:+.3g}{self.interval or ', no interval'} {self.per}"

    @property
    def interval(self) -> str:
        """Its interval, with a space before it; empty where there is none."""
        return f" [{self.value.low:+.3g}, {self.value.high:+.3g}]" if self.value.is_known else ""

    def to_dict(self) -> dict[str, Any]:
        """The coefficient as plain values, ready for JSON."""
        return {"feature": self.feature, "name": self.name, "per": self.per, **self.value.to_dict()}


def coefficients(
    loss: Loss, encoding: Encoding, scorer: Any, fitted: Cases, penalty: float, of: int | None = None
) -> tuple[Coefficient, ...]:
    """The coefficients of a linear model with one raw output; none of other models.

    Where the model is ``of`` more rows, of which the fitted ones are a sample, intervals are as narrow as those make them; not so
    where rows go together, as more rows of the same groups tell less.

    Their spread is that of a penalised estimate around what it estimates, which the penalty draws towards zero. Where the loss
    has no curvature, as the absolute error, no interval is made.

    Source: Huber 1967, The behavior of maximum likelihood estimates under nonstandard conditions; MacKinnon and White 1985,
    whose third correction for leverage is taken.
    """
    if not isinstance(scorer, LinearScorer) or len(scorer.coefficients) != 1 or encoding.scaling is None:
        return ()
    matrix = encoding(fitted.table)
    errors, freedom = _errors(loss, matrix, scorer, fitted, penalty)
    rows = sample(fitted)
    if of is not None and rows.together is None:
        errors = errors * math.sqrt(len(fitted) / of)
    reach = student_quantile(rows.level, freedom) if freedom >= 1 else math.nan
    numbers = len(encoding.scaling.centre)
    found = []
    for feature in encoding.features:
        for k in encoding.columns_of(feature):
            value, error = float(scorer.coefficients[0, k]), float(errors[k])
            held = Estimate(
                value,
                value - reach * error,
                value + reach * error,
                rows.n,
                rows.effective_n,
                SANDWICH,
                rows.level,
                error,
            )
            per = "a standard deviation" if k < numbers else "where it is so"
            found.append(Coefficient(feature, encoding.names[k], held, per))
    return tuple(found)


def _errors(loss: Loss, matrix: Floats, scorer: LinearScorer, fitted: Cases, penalty: float) -> tuple[Floats, float]:
    """The standard errors of the coefficients, NaN where there is no curvature, and the degrees of freedom."""
    raw = scorer(matrix) if fitted.exposure is None else scorer(matrix) + np.log(fitted.exposure)
    weight = fitted.weights / fitted.weights.sum()
    full = np.column_stack([matrix, np.ones(len(matrix))])
    bend = np.asarray(loss.hessian(fitted.y, raw), dtype=np.float64)
    hessian = (full * (weight * bend)[:, None]).T @ full
    hessian[np.arange(matrix.shape[1]), np.arange(matrix.shape[1])] += penalty
    pull = full * (weight * np.asarray(loss.gradient(fitted.y, raw), dtype=np.float64))[:, None]
    size = np.abs(hessian).max(initial=0.0)
    if not np.isfinite(hessian).all() or np.linalg.eigvalsh(hessian)[0] <= 1e-10 * size:
        return np.full(matrix.shape[1], np.nan), math.nan
    inverse = np.linalg.inv(hessian)
    # Rows that pull the fit to themselves leave less of a signal than others would.
    leverage = weight * bend * ((full @ inverse) * full).sum(axis=1)
    pull /= np.clip(1 - leverage, 0.1, None)[:, None]
    together = sample(fitted).together
    parts = pull if together is None else np.stack([summed(together, column) for column in pull.T], axis=1)
    count = len(parts)
    spread = inverse @ (parts.T @ parts) @ inverse
    return np.sqrt(np.clip(np.diag(spread)[:-1], 0, None)), count - 1.0
