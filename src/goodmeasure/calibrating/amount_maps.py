"""Maps that put predicted amounts right, fitted on rows that the model did not see: a line, or any increasing map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from goodmeasure.calibrating.isotonic import pool
from goodmeasure.errors import UsageError
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.strict.calls import strict_class

AmountMethod = Literal["linear", "isotonic"]


@strict_class
@dataclass(frozen=True)
class AmountMap:
    """An increasing map from predicted amounts to what they were on average; call it on new predictions.

    Attributes:
        method: "linear" or "isotonic".
        parameters: slope and intercept of a line, or the places and heights of the steps.

    Example:
        >>> from goodmeasure.calibrating.amount_maps import recalibrate_amounts
        >>> better = recalibrate_amounts([1.0, 3.0, 5.0], [2.0, 4.0, 6.0], "linear")
        >>> better([8.0])
        array([7.])
    """

    method: AmountMethod
    parameters: tuple[tuple[float, ...], ...]

    def __call__(self, prediction: ArrayLike) -> Floats:
        """Put new predictions right.

        Args:
            prediction: amounts that the model predicts, (n,).

        Returns:
            Amounts, (n,). Beyond the steps of an isotonic map they stay at the outermost.

        Raises:
            GM003: the predictions are no single column.
            GM702: a prediction is not a finite number.
        """
        given = row_arguments.amounts(prediction, "prediction")
        first, second = self.parameters
        if self.method == "linear":
            return first[0] * given + second[0]
        return np.interp(given, first, second).astype(np.float64)


def recalibrate_amounts(
    y: ArrayLike, prediction: ArrayLike, method: AmountMethod, sample_weight: ArrayLike | None = None
) -> AmountMap:
    """Fit a map that puts the means of predicted amounts right, on rows that the model was not trained on.

    The line is that of Mincer and Zarnowitz 1969, The evaluation of economic forecasts; it does not fall.
    """
    if method not in get_args(AmountMethod):
        raise UsageError(
            f"{method!r} is no recalibration of amounts", fix=f"one of {', '.join(get_args(AmountMethod))}"
        )
    rows = row_arguments.present(sample_weight, y=y, prediction=prediction)
    target, given = rows.read(row_arguments.target_amounts, "y"), rows.read(row_arguments.amounts, "prediction")
    return AmountMap(method, (_line if method == "linear" else _steps)(target, given, rows.weight))


def _line(y: Floats, p: Floats, w: Floats) -> tuple[tuple[float], tuple[float]]:
    """Slope and intercept of least squares; a slope of zero where the predictions do not differ, or go the wrong way."""
    w = w / w.sum()
    level, centre = float(w @ y), float(w @ p)
    spread = float(w @ (p - centre) ** 2)
    slope = max(float(w @ ((p - centre) * (y - level))) / spread, 0.0) if spread > 0 else 0.0
    return (slope,), (level - slope * centre,)


def _steps(y: Floats, p: Floats, w: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The ends of the steps of the increasing fit; between steps the map is linear."""
    places, cell = np.unique(p, return_inverse=True)
    fit = pool(summed(cell, w * y), summed(cell, w)).fit(len(places))
    ends = np.append(True, np.diff(fit) != 0) | np.append(np.diff(fit) != 0, True)
    return tuple(places[ends].tolist()), tuple(fit[ends].tolist())
