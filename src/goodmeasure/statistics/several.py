"""Several looks at once: p-values that allow for how many there are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from goodmeasure.statistics.row_arguments import Floats


def holm(p: ArrayLike) -> Floats:
    """P-values such that one at or below the level is false no more often than that, however many there are (Holm 1979)."""
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
