"""The numbers of a loss by plain evaluation of its formulas: one an example, sums and means, and a training step.

Their bits depend on nothing but the example. The compiled kernels, which give the same numbers faster, stand above.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from goodmeasure.deriving import classwise, pointwise
from goodmeasure.deriving.arguments import examples
from goodmeasure.deriving.record import Record
from goodmeasure.deriving.totals import Total, finished, shares, total_of
from goodmeasure.errors import UsageError
from goodmeasure.formulas.evaluation import Array


def _numbers(loss: Record) -> ModuleType:
    return classwise if loss.is_classwise else pointwise


def value(loss: Record, y: Any, z: Any, *, mask: Any = None) -> Array:
    """The loss of each example, in the dtype of ``z``; 0 where masked."""
    given = examples(loss, y, z, mask=mask)
    return finished(given, _numbers(loss).numbers(loss, given, 0)[0])


def gradient(loss: Record, y: Any, z: Any, *, mask: Any = None) -> Array:
    """The derivative of each example's loss by its raw outputs, of z's shape and dtype."""
    given = examples(loss, y, z, mask=mask)
    return finished(given, _numbers(loss).signal(loss, given))


def hessian(loss: Record, y: Any, z: Any, *, mask: Any = None, full: bool = False) -> Array:
    """The second derivatives of each example's loss by its raw outputs: the diagonal, or (``full``) the whole matrix."""
    given = examples(loss, y, z, mask=mask)
    return finished(given, _numbers(loss).second_derivatives(loss, given, full=full))


def total(loss: Record, y: Any, z: Any, sample_weight: Any = None, *, mask: Any = None) -> Total:
    """The sum of weight times loss, and of the weights."""
    given = examples(loss, y, z, sample_weight, mask)
    return total_of(given, _numbers(loss).numbers(loss, given, 0)[0])


def value_and_gradient(
    loss: Record, y: Any, z: Any, sample_weight: Any = None, *, mask: Any = None, out: Any = None
) -> tuple[float, Array]:
    """The weighted mean and its derivative by ``z``, which goes to ``out`` if that is given."""
    given = examples(loss, y, z, sample_weight, mask)
    each, slope = _numbers(loss).numbers(loss, given, 1)
    whole = total_of(given, each)
    share = shares(given, whole)
    slope = finished(given, slope * (share if slope.ndim == share.ndim else share[..., None]))
    mean = whole.mean
    if out is None:
        return mean, slope
    if not isinstance(out, np.ndarray) or out.shape != slope.shape or out.dtype != slope.dtype:
        raise UsageError(
            "out does not fit the gradient",
            seen=f"out of shape {getattr(out, 'shape', None)} and dtype {getattr(out, 'dtype', None)}",
            fix=f"out = numpy.empty({slope.shape}, dtype='{slope.dtype}')",
        )
    out[...] = slope
    return mean, out
