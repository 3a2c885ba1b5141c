"""What turns encoded rows into raw outputs, once it is trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from goodmeasure.fitting.openmp import threads_for
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.row_arguments import Floats


class Scorer(Protocol):
    """What turns an encoded row into raw outputs."""

    def __call__(self, matrix: Floats) -> Floats: ...

    def shifted(self, by: float) -> Scorer: ...


@dataclass(frozen=True)
class LinearScorer:
    """Raw outputs that are weighted sums of the columns: one weight vector, or one a class."""

    coefficients: Floats
    intercepts: Floats

    def __call__(self, matrix: Floats) -> Floats:
        raw = matrix @ self.coefficients.T + self.intercepts
        return raw[:, 0] if raw.shape[1] == 1 else raw

    def shifted(self, by: float) -> LinearScorer:
        """The same scorer with so much added to its raw outputs."""
        return replace(self, intercepts=self.intercepts + by)


@dataclass(frozen=True)
class TreeScorer:
    """Raw outputs of scikit-learn's histogram gradient boosting."""

    estimator: Any
    loss: Loss
    shift: float = 0.0

    def __call__(self, matrix: Floats) -> Floats:
        with threads_for(matrix.size):
            if hasattr(self.estimator, "decision_function"):
                return np.asarray(self.estimator.decision_function(matrix), dtype=np.float64) + self.shift
            return np.asarray(self.loss.raw(self.estimator.predict(matrix)), dtype=np.float64)

    def shifted(self, by: float) -> TreeScorer:
        """The same scorer with so much added to its raw outputs."""
        return replace(self, shift=self.shift + by)
