"""Tables with more columns than rows, as tables with as many columns as rows in which the same model is best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.fitting import design
from goodmeasure.statistics.row_arguments import Floats


@dataclass(frozen=True)
class Narrow:
    """Rows in coordinates of their own span: ``X - centre = features @ basis.T``, with orthonormal columns in the basis.

    What lies outside the span of the rows moves no raw output and only costs, so the best coefficients lie in it, and are as
    long as their coordinates (the representer theorem: Kimeldorf and Wahba 1971).
    """

    features: Any
    basis: Floats | None = None
    centre: Floats | None = None

    def widened(self, slopes: Floats, constants: Floats) -> tuple[Floats, Floats]:
        """Coefficients and intercepts for the columns as they came."""
        if self.basis is None:
            return slopes, constants
        wide = self.basis @ slopes
        return wide, constants if self.centre is None else constants - self.centre @ wide


def narrowed(X: Any, *, penalised: bool, intercept: bool) -> Narrow:
    """The rows in their own span where they have more columns than there are rows, and a penalty; else as they are."""
    # Coordinates of mostly zeros would be few zeros.
    if not penalised or design.is_sparse(X) or X.shape[1] <= len(X):
        return Narrow(X)
    # An intercept takes up any centre; far from it, digits would be lost.
    centre = X.mean(axis=0) if intercept else None
    basis, coordinates = np.linalg.qr((X if centre is None else X - centre).T)
    return Narrow(np.ascontiguousarray(coordinates.T), basis, centre)
