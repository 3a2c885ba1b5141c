"""Losses whose error is measured by straight lines on the scale of the prediction, as rows of lines in the raw output."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from goodmeasure.deriving import class_statistics
from goodmeasure.fitting import design
from goodmeasure.fitting.interior import Lines
from goodmeasure.fitting.objective import Objective
from goodmeasure.formulas.activations import Activation, linear
from goodmeasure.formulas.evaluation import on_arrays
from goodmeasure.formulas.expression import Expr, derivative, symbol
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.traits.curvature_class import CurvatureClass, Kinks, curvature_class, kinks


@dataclass(frozen=True)
class PiecewiseLinear:
    """The kinks of a loss in its prediction, and the activation between raw output and prediction (None: they are one)."""

    kinks: Kinks
    activation: Activation | None

    def prediction(self, z: Floats) -> tuple[Floats, Floats]:
        """Predictions at raw outputs, and their derivatives."""
        found, slope, _ = self.bent(z)
        return found, slope

    def bent(self, z: Floats) -> tuple[Floats, Floats, Floats]:
        """Predictions at raw outputs, and their first and second derivatives."""
        if self.activation is None:
            return z, np.ones_like(z), np.zeros_like(z)
        found, slope, bend = on_arrays(_derived(self.activation), {"z": z}, z)
        return found, slope, bend


@cache
def _derived(activation: Activation) -> list[Expr]:
    """An activation's formula with its first and second derivatives."""
    formula = activation(symbol("z"))
    slope = derivative(formula, "z")
    return [formula, slope, derivative(slope, "z")]


def piecewise_linear(objective: Objective, curvature: CurvatureClass) -> PiecewiseLinear | None:
    """The lines of the objective's loss if it is made of them, straight away or behind its activation."""
    loss = objective.loss
    if objective.outputs > 1 or objective.y.dtype.kind not in "biuf":
        return None
    y = objective.y.astype(np.float64)
    if curvature.piecewise_linear and curvature.convex:
        found = kinks(loss, y)
        return None if found is None else PiecewiseLinear(found, None)
    if (
        not curvature.jumps
        or loss.is_binary
        or class_statistics.speaks_of_outcomes(loss.predictions)
        or loss.activation == (linear,)
    ):
        return None
    plain = loss.with_activation(linear)
    there = curvature_class(plain, y, 1)
    found = kinks(plain, y) if there.piecewise_linear and there.convex else None
    return None if found is None else PiecewiseLinear(found, loss.activation[0])


def at_raw(objective: Objective, lines: PiecewiseLinear, z: Floats) -> Lines:
    """The lines as functions of theta, the predictions being replaced by their tangents at raw outputs ``z``."""
    row, at = lines.kinks.row, lines.kinks.at
    scale = objective.share[row]
    if lines.activation is not None:
        there, slope = lines.prediction(z)
        scale = scale * slope[row]
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            at = z[row] + (at - there[row]) / slope[row]
    if objective.offset is not None:
        at = at - objective.offset[row]
    keep = (scale > 0) & (lines.kinks.right > lines.kinks.left)
    every = len(row) == len(z) and bool(keep.all() and (row[1:] > row[:-1]).all())
    return Lines(
        features=objective.features if every else design.rows_of(objective.features, row[keep]),
        at=at[keep],
        left=(lines.kinks.left * scale)[keep],
        right=(lines.kinks.right * scale)[keep],
        penalty=objective.penalty[:, 0],
        ones=objective.intercept,
    )
