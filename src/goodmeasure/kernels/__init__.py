"""Compiled CPU kernels of any loss: printed from its formula, compiled on first use, kept on disk for the next process.

What a loss asks of them is in this module; each function returns None where the kernels do not apply (without llvmlite, arrays
of other libraries, half precision, shapes that do not match), and the plain evaluation of `deriving` answers or says what is
wrong.
Where single precision would end before the loss does, the kernels of double answer, and the plain evaluation where it ended.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from goodmeasure.deriving import numbers
from goodmeasure.deriving.arguments import presence, weights
from goodmeasure.deriving.pointwise import takes_double
from goodmeasure.deriving.record import Record
from goodmeasure.deriving.totals import rounded
from goodmeasure.errors import Problem
from goodmeasure.keeping.machine_code import compiles
from goodmeasure.kernels import points, rows
from goodmeasure.statistics.weights import unit_of

# Total weights beyond it, or below one over it, are scaled: products with them could leave the range of numbers.
_EVEN = 2.0**400
SMALLEST = 1 << 16  # numbers of raw output from which readings other than the training step are worth a compilation


def value_and_gradient(
    loss: Record, y: Any, z: Any, sample_weight: Any = None, mask: Any = None, out: Any = None
) -> tuple[float, Any] | None:
    """The weighted mean and its derivative by ``z`` in one pass; see `goodmeasure.Loss.value_and_gradient`."""
    if out is not None and not _fits(out, z):
        return None
    if (wide := _widened(loss, y, z)) is not None:
        doubled = value_and_gradient(loss, *wide, sample_weight, mask)
        return doubled and (doubled[0], _narrowed(doubled[1], z, out))
    if not _applies(loss, y, z):
        return None
    found = _weighed(loss, y, z, sample_weight, mask)
    if found is None:
        return None
    weight, total = found
    # A kernel reads and writes in any order it likes, and where it gives up, the plain evaluation reads again.
    table = (
        np.empty(z.shape, _native(z.dtype)) if out is None or _overlaps(out, y, z, weight, sample_weight, mask) else out
    )
    result = _sweep(loss)(loss, "value+signal", y, z, weight=weight, scale=1 / total, tables=(None, table, None))
    if result.bad or _ended(loss, z, result.sum):
        return None
    if out is None or out is table:
        return result.sum / total, table
    out[...] = table
    return result.sum / total, out


def steps(loss: Record, y: Any, weight: Any) -> points.RunSteps | None:
    """Training steps on runs of these rows, whose raw outputs are one each in double; None where the kernels do not apply."""
    if loss.is_classwise or len(loss.activation) > 1 or not _applies(loss, y, np.empty(y.shape)):
        return None
    found = _weighed(loss, y, y, weight, None)
    if found is None:
        return None
    weight, total = found
    weight = None if weight is None else np.ascontiguousarray(weight, dtype=np.float64)
    return points.RunSteps(loss, np.ascontiguousarray(y, dtype=np.float64), weight, total)


def total(loss: Record, y: Any, z: Any, weight: Any, scale: float | None) -> tuple[float, Any]:
    """The weighted sum and its derivative by ``z`` times ``scale`` (None: not wanted); for hosts that checked the shapes.

    Targets outside the domain are an error. Where no kernel knows a statistic of the loss, the plain evaluation answers.
    """
    if (wide := _widened(loss, y, z)) is not None:
        found, slope = total(loss, *wide, weight, scale)
        return found, None if slope is None else _narrowed(slope, z)
    if _applies(loss, y, z):
        gradient = None if scale is None else np.empty(z.shape, z.dtype)
        kind = "value" if scale is None else "value+signal"
        result = _sweep(loss)(loss, kind, y, z, weight=weight, scale=scale or 1.0, tables=(None, gradient, None))
        if not result.bad and not _ended(loss, z, result.sum):
            return result.sum, gradient
    exact = numbers.total(loss, y, z, weight)
    if scale is None:
        return rounded(exact.sum), None
    given = np.asarray(scale if weight is None else weight * scale)
    gradient = numbers.gradient(loss, y, z, mask=None if weight is None else np.asarray(weight) > 0)
    return rounded(exact.sum), gradient * (given[..., None] if 0 < given.ndim < z.ndim else given).astype(z.dtype)


def each(loss: Record, y: Any, z: Any, present: Any, *, signal: bool) -> tuple[Any, Any]:
    """The value of each example and its derivative by ``z`` (None: not wanted), as `total` has their sum."""
    if (wide := _widened(loss, y, z)) is not None:
        found, slope = each(loss, *wide, present, signal=signal)
        return _narrowed(found, z), None if slope is None else _narrowed(slope, z)
    if _applies(loss, y, z):
        values, gradient = np.empty(_rows(loss, y, z), z.dtype), np.empty(z.shape, z.dtype) if signal else None
        kind = "value+signal" if signal else "value"
        result = _sweep(loss)(loss, kind, y, z, weight=present, tables=(values, gradient, None))
        if not result.bad and not _ended(loss, z, result.sum):
            return values, gradient
    values = numbers.value(loss, y, z, mask=present)
    return values, numbers.gradient(loss, y, z, mask=present) if signal else None


def table(loss: Record, kind: str, y: Any, z: Any, mask: Any = None) -> Any:
    """One number an example and raw output: ``value``, ``signal``, or ``curvature`` (not for classes); zero where masked."""
    if np.size(z) < SMALLEST or (loss.is_classwise and kind == "curvature"):  # asked first: it brings no compiler in
        return None
    if (wide := _widened(loss, y, z)) is not None:
        doubled = table(loss, kind, *wide, mask)
        return None if doubled is None else _narrowed(doubled, z)
    if not _applies(loss, y, z):
        return None
    found = _weighed(loss, y, z, None, mask)
    if found is None:
        return None
    result = np.empty(_rows(loss, y, z) if kind == "value" else z.shape, _native(z.dtype))
    tables = tuple(result if kind == k else None for k in ("value", "signal", "curvature"))
    swept = _sweep(loss)(loss, _kind_of_table(loss, kind), y, z, weight=found[0], tables=tables)
    return None if swept.bad or _ended(loss, z, result) else result


def _kind_of_table(loss: Record, kind: str) -> str:
    """The kind of kernel that fills a table."""
    if loss.is_classwise:
        return "value+signal" if kind == "signal" else kind
    return points.EACH if kind == "value" else kind


def outcome_values(loss: Record) -> tuple[int, int, int] | None:
    """The addresses of the kernel that `table` takes for a loss of yes or no in double, of its parameters and its domain.

    For compiled loops that call it as `goodmeasure.kernels.layout.SIGNATURE` says. None where no kernel applies.
    """
    if not loss.is_binary or loss.labels or len(loss.activation) > 1 or not compiles():
        return None
    return points.placed(loss, points.EACH)


def _widened(loss: Record, y: Any, z: Any) -> tuple[Any, Any] | None:
    """Targets and raw outputs in double where they are in single and it may end before the loss does; else None."""
    if type(y) is not np.ndarray or type(z) is not np.ndarray or z.dtype.char != "f" or not takes_double(loss):
        return None
    if y.dtype.kind not in "biuf":
        return None
    with np.errstate(over="ignore"):
        return y.astype(np.float32).astype(np.float64), z.astype(np.float64)


def _narrowed(found: Any, z: Any, out: Any = None) -> Any:
    """Numbers that were found in double, in the dtype of the raw outputs; written to ``out`` if that is given."""
    with np.errstate(over="ignore"):
        narrow = found.astype(_native(z.dtype))
    if out is None:
        return narrow
    out[...] = narrow
    return out


def _ended(loss: Record, z: Any, found: Any) -> bool:
    """Whether single precision has ended, where double may go on."""
    return z.dtype.char == "f" and not loss.is_classwise and not bool(np.isfinite(found).all())


def _sweep(loss: Record) -> Any:
    return rows.sweep if loss.is_classwise else points.sweep


def _applies(loss: Record, y: Any, z: Any) -> bool:
    """Whether these are plain arrays of matching shapes that a kernel can take; anything else is for the plain evaluation."""
    if type(z) is not np.ndarray or type(y) is not np.ndarray or z.dtype.char not in "fd" or y.dtype.kind not in "biuf":
        return False
    if not compiles():
        return False
    if loss.labels:
        return False  # a kernel takes one number for each hyperparameter
    if loss.is_classwise:
        if z.ndim < 1 or y.shape not in (z.shape, z.shape[:-1]) or z.shape[-1] < 2 or y.size == 0:
            return False
        return len(loss.class_weight) in (0, z.shape[-1]) and rows.speaks(loss)
    m = len(loss.activation)
    return y.size > 0 and (
        y.shape == z.shape if m == 1 else z.ndim > 0 and y.shape == z.shape[:-1] and z.shape[-1] == m
    )


def _rows(loss: Record, y: Any, z: Any) -> tuple[int, ...]:
    """The shape of the examples: targets are one number each, or shares of the classes."""
    shape: tuple[int, ...] = z.shape[:-1] if loss.is_classwise else y.shape
    return shape


def _native(dtype: Any) -> Any:
    return dtype if dtype.isnative else dtype.newbyteorder("=")


def _fits(out: Any, z: Any) -> bool:
    flags = out.flags if type(out) is np.ndarray else None
    return bool(
        flags
        and out.shape == z.shape
        and out.dtype == z.dtype
        and flags.c_contiguous
        and flags.writeable
        and out.dtype.isnative
    )


def _overlaps(out: Any, *read: Any) -> bool:
    """Whether what is to be written may lie where something is that is read."""
    return any(np.may_share_memory(out, each) for each in read if isinstance(each, np.ndarray))


def _weighed(loss: Record, y: Any, z: Any, sample_weight: Any, mask: Any) -> tuple[Any, float] | None:
    """The weights in double, zero where masked (None: all one), and their sum; None where there is nothing to average."""
    shape = _rows(loss, y, z)
    if sample_weight is None and mask is None:
        return None, math.prod(shape)
    try:
        weight = weights(sample_weight, shape, np, z)
        present = presence(mask, None, shape, np)
    except Problem:
        return None  # the plain evaluation says what is wrong
    if present is not None:
        weight = np.where(present, 1.0 if weight is None else weight, 0.0)
    assert weight is not None
    total = float(np.sum(weight, dtype=np.longdouble))
    if not 1 / _EVEN < total < _EVEN:
        weight = weight / unit_of(weight)
        total = float(weight.sum())
    return (weight, total) if total > 0 else None


__all__ = ["each", "steps", "table", "total", "value_and_gradient"]
