"""Which rows are counted by one compiled loop, and what it counts of them; all others are counted step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure import kernels
from goodmeasure.keeping.compiling import installed
from goodmeasure.statistics.limbs import LIMBS
from goodmeasure.tallying.compiled_rows import count
from goodmeasure.tallying.schema import Schema
from goodmeasure.tallying.state import ScoreCounts, countable

Whole = NDArray[np.int64]


def kernels_of(losses: Sequence[Any], schema: Schema) -> Whole | None:
    """Where the kernels of losses of probabilities stand; None where rows must be counted step by step."""
    if (schema.kind, len(schema.models), schema.on_predictions) != ("outcome", 1, True):
        return None
    if schema.weighted or schema.clustered or not installed():
        return None
    found = [place for loss in losses if (place := kernels.outcome_values(loss)) is not None]
    return np.array(found, dtype=np.int64) if len(found) == len(losses) else None


def counted(places: Whole, y: NDArray[Any], p: NDArray[Any], scores: ScoreCounts) -> Whole | None:
    """Count rows without weights; of each loss the sum and that of its squares, as limbs.

    None, and nothing is counted, where a row or a loss is not as it should be, or rows are few.
    """
    if y.ndim != 1 or p.ndim != 1 or not (_is_narrow(y.dtype) and _is_narrow(p.dtype)):
        return None
    limbs = np.zeros((len(places), 2, LIMBS), np.int64)
    taken = count(_labels(y), _read(p, np.float64), places, limbs, scores.counts.ravel(), scores.places.ravel())
    if not taken:
        return None
    countable(scores.places)
    return limbs


def _is_narrow(dtype: Any) -> bool:
    """Whether a column holds real numbers that are told apart from 0 and 1 in double precision too."""
    return dtype.kind in "biuf" and dtype.itemsize <= np.dtype(np.float64).itemsize


def _labels(y: NDArray[Any]) -> NDArray[Any]:
    """Labels of one byte as they are, others in double."""
    return _read(y.view(np.int8), np.int8) if y.dtype.kind in "biu" and y.dtype.itemsize == 1 else _read(y, np.float64)


def _read(column: NDArray[Any], dtype: type[Any]) -> NDArray[Any]:
    """A column that is only read, so that one compiled loop serves those that may be written to, and those that may not."""
    found = np.ascontiguousarray(column, dtype=dtype).view()
    found.flags.writeable = False
    return found
