"""Kernels of losses over K classes, one row of raw outputs an example."""

from __future__ import annotations

import ctypes
import math
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from goodmeasure import outcomes
from goodmeasure.formula import Expr, symbols
from goodmeasure.kernels.few import FEW, TILE, few
from goodmeasure.kernels.many import GROUP, LANES, many
from goodmeasure.kernels.points import Found, address, exact, function, part, readable, whole_sum
from goodmeasure.kernels.printer import with_whole_exponents
from goodmeasure.kernels.statistics import STATISTICS, SUMS
from goodmeasure.kernels.sums import BAD, STATE
from goodmeasure.kernels.threads import block_of, for_each

if TYPE_CHECKING:
    from collections.abc import Callable

    from goodmeasure.loss import Loss

_ARGUMENTS = [*[ctypes.c_void_p] * 11, *[ctypes.c_int64] * 3, ctypes.c_double]
# More than any kernel's scratch: vectors of a tile for every number of a row; and sums of the lanes beside the state.
_SCRATCH, _STATE = 64 * TILE, STATE + LANES * len(SUMS) + TILE


class Kernel:
    """A compiled loss of rows with the numbers it takes besides the examples, and scratch memory that waits to be used again."""

    def __init__(self, run: Callable[..., None], parameters: Any) -> None:
        self.run, self.parameters = run, parameters
        self.spare: list[_Scratch] = []


class _Scratch:
    """What a kernel needs for a number of classes besides its arrays."""

    def __init__(self, dtype: Any, classes: int) -> None:
        self.classes = classes
        self.vectors, self.state = np.empty(_SCRATCH, dtype), np.zeros(_STATE)
        self.unwanted = np.empty(TILE, dtype)  # where values go that nobody asked for
        self.cells = np.empty(TILE * classes if classes <= FEW else classes, dtype)
        self.places = _places(classes) if classes <= FEW else self.unwanted


@cache
def _places(classes: int) -> Any:
    """Where a tile's numbers stand when its rows lie side by side, and back."""
    there = np.arange(TILE * classes, dtype=np.uint32).reshape(classes, TILE).T.reshape(-1)
    return np.concatenate([there, np.argsort(there).astype(np.uint32)])


def speaks(loss: Loss) -> bool:
    """Whether kernels know every statistic that the loss speaks of."""
    known = {*STATISTICS, outcomes.WEIGHT, *loss.values}
    return symbols(*_formulas(loss, True)[2]) <= known and set(outcomes.by_statistic(loss.composed)) <= set(STATISTICS)


def _formulas(loss: Loss, has_signal: bool) -> tuple[Expr, dict[str, Expr], list[Expr]]:
    slopes = outcomes.by_statistic(loss.composed) if has_signal else {}
    value, *rest = with_whole_exponents([loss.composed, *slopes.values()], loss.values)
    return value, dict(zip(slopes, rest, strict=True)), [value, *rest]


@lru_cache(maxsize=512)
def _function(
    value: Expr,
    slopes: tuple[tuple[str, Expr], ...],
    parameters: tuple[str, ...],
    dtype: str,
    weighted: bool,
    is_few: bool,
) -> Callable[..., None]:
    """The compiled function of these formulas, which losses of equal formulas share."""
    spoken = sorted(symbols(value, *dict(slopes).values()))
    source = (few if is_few else many)(value, dict(slopes), spoken, parameters, dtype, weighted=weighted)
    return function(source, _ARGUMENTS)


def compiled(loss: Loss, kind: str, dtype: str, weighted: bool, classes: int) -> Kernel:
    """The kernel of a loss for this many classes; kept with the loss."""
    kept: dict[Any, Any] = vars(loss).setdefault("_kernels", {})
    key = (kind, dtype, weighted, classes <= FEW)
    if key not in kept:
        value, slopes, _ = _formulas(loss, "signal" in kind)
        parameters = np.array([*loss.values.values(), 0.0], dtype=dtype)
        run = _function(value, tuple(slopes.items()), tuple(loss.values), dtype, weighted, classes <= FEW)
        kept[key] = Kernel(run, parameters)
    found: Kernel = kept[key]
    return found


def _labels(y: Any, start: int, stop: int) -> Any:
    """Class indices of a block; what is not a whole number becomes -1, which no kernel accepts."""
    labels = part(y, start, stop, y.dtype)
    if labels.dtype.kind != "f":
        return labels.astype(np.int64, copy=False)
    with np.errstate(invalid="ignore"):
        return np.where((labels == np.floor(labels)) & (np.abs(labels) < 2**53), labels, -1).astype(np.int64)


def sweep(
    loss: Loss, kind: str, y: Any, z: Any, *, weight: Any = None, scale: float = 1.0, tables: tuple[Any, Any, Any],
    out_is_ours: bool = True,
) -> Found:  # fmt: skip
    """One pass over all rows; see `goodmeasure.kernels.points.sweep`. The value alone, or the value and the signal.

    ``y`` holds class indices, one axis fewer than ``z``.
    """
    dtype = z.dtype if z.dtype.isnative else z.dtype.newbyteorder("=")
    n, classes = y.size, z.shape[-1]
    kernel = compiled(loss, kind, dtype.name, weight is not None, classes)
    values, signal = (None if t is None else t.reshape(-1) for t in tables[:2])
    z = z.reshape(-1) if readable(z, dtype) else z
    if not out_is_ours and signal is not None and np.may_share_memory(z, signal):
        z = z.copy()
    table = np.array(loss.class_weight or np.ones(classes), dtype=dtype)
    unit = TILE if classes <= FEW else GROUP
    rows = max(block_of(z.size) // classes // unit, 1) * unit

    def work(i: int) -> tuple[list[float], bool]:
        start, stop = i * rows, min((i + 1) * rows, n)
        block = [
            _labels(y, start, stop),
            part(z, start * classes, stop * classes, dtype),
            None if weight is None else part(weight, start, stop, np.float64),
            None if values is None else values[start:stop],
            None if signal is None else signal[start * classes : stop * classes],
        ]
        return _block(kernel, block, table, classes, scale)

    found = for_each(max(-(-n // rows), 1), work)
    bad = any(b for _, b in found)
    return Found(math.nan if bad else exact([x for sums, _ in found for x in sums]), bad)


def _block(kernel: Kernel, block: list[Any], table: Any, classes: int, scale: float) -> tuple[list[float], bool]:
    """One block of rows: its sums, and whether a present label was outside the classes."""
    scratch = kernel.spare.pop() if kernel.spare else None
    if scratch is None or scratch.classes != classes:
        scratch = _Scratch(block[1].dtype, classes)
    unwanted = address(scratch.unwanted)
    y, z, weight, values, signal = [unwanted if a is None else address(a) for a in block]
    mine = (scratch.vectors, scratch.cells, scratch.state)
    kernel.run(
        y, z, weight, address(kernel.parameters), address(table), address(scratch.places), values, signal,
        *map(address, mine), block[0].size, classes, 0 if block[3] is None else 1, scale,
    )  # fmt: skip
    high, low, bad = scratch.state[: BAD + 1].tolist()
    scratch.state[:STATE] = 0.0
    kernel.spare.append(scratch)
    return whole_sum([high, low]), bool(bad)
