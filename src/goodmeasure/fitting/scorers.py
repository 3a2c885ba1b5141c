"""What turns encoded rows into raw outputs, once it is trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from goodmeasure.statistics.row_arguments import Floats


class Scorer(Protocol):
    """What turns an encoded row into raw outputs."""

    def __call__(self, matrix: Floats) -> Floats: ...

    def shifted(self, by: float | Floats) -> Scorer: ...


@dataclass(frozen=True)
class LinearScorer:
    """Raw outputs that are weighted sums of the columns: one weight vector, or one a class."""

    coefficients: Floats
    intercepts: Floats

    def __call__(self, matrix: Floats) -> Floats:
        raw = matrix @ self.coefficients.T + self.intercepts
        return raw[:, 0] if raw.shape[1] == 1 else raw

    def shifted(self, by: float | Floats) -> LinearScorer:
        """The same scorer with so much added to all of its raw outputs, or to each."""
        return replace(self, intercepts=self.intercepts + by)
