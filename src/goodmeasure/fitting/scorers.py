"""What turns encoded rows into raw outputs, once it is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from goodmeasure.fitting.openmp import threads_for
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
    shift: float = 0.0

    def __call__(self, matrix: Floats) -> Floats:
        with threads_for(matrix.size):
            return _one_column(self.estimator._raw_predict(matrix)) + self.shift

    def shifted(self, by: float) -> TreeScorer:
        """The same scorer with so much added to its raw outputs."""
        return replace(self, shift=self.shift + by)


def staged(estimator: Any, matrix: Floats) -> Iterator[Floats]:
    """The raw outputs of a boosted estimator after each of its rounds."""
    return map(_one_column, estimator._staged_raw_predict(matrix))


def without_loss(estimator: Any) -> Any:
    """A fitted boosted estimator that has forgotten its loss: to walk its trees and add them up needs none, nor does a file."""
    from sklearn._loss.loss import HalfSquaredError

    estimator.loss, estimator._loss = "squared_error", HalfSquaredError()
    return estimator


def _one_column(raw: Any) -> Floats:
    found = np.asarray(raw, dtype=np.float64)
    return found[:, 0] if found.shape[1] == 1 else found
