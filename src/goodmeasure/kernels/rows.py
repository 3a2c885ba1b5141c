"""Kernels of losses over K classes, one row of raw outputs an example."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from goodmeasure.deriving import class_statistics
from goodmeasure.deriving.record import Record
from goodmeasure.formulas.expression import Expr, symbols
from goodmeasure.kernels.columns import Column, address
from goodmeasure.kernels.few import FEW, TILE, few
from goodmeasure.kernels.lowering import COLUMNS
from goodmeasure.kernels.many import GROUP, LANES, WIDTH, many
from goodmeasure.kernels.points import Found, exact, function, sum_of, whole_sum
from goodmeasure.kernels.printer import with_whole_exponents
from goodmeasure.kernels.shares import few_shares, many_shares, tables_of
from goodmeasure.kernels.statistics import STATISTICS, SUMS, Asked
from goodmeasure.kernels.sums import BAD, STATE
from goodmeasure.kernels.threads import block_of, for_each

_ARGUMENTS = [*[ctypes.c_void_p] * 10, *[ctypes.c_int64] * 3, ctypes.c_double]
# More than any kernel's scratch: vectors of a tile for every number of a row; and sums of the lanes beside the state.
_SCRATCH, _STATE = 64 * TILE, STATE + LANES * len(SUMS) + TILE


_LABEL = np.dtype(np.int64)


class RowKernel:
    """A compiled loss of rows with the numbers it takes besides the examples, and scratch memory that waits to be used again.

    It has room for so many ``tables`` of a number a class.
    """

    def __init__(self, run: Callable[..., None], parameters: Any, tables: int) -> None:
        self.run: Callable[..., None] = run
        self.parameters: Any = parameters
        self.tables: int = tables
        self.parameters_place: int = address(parameters)
        self.spare: list[_Scratch] = []

    def scratch(self, classes: int) -> _Scratch:
        """Scratch memory for so many classes that nobody else uses; to be put back to `spare`."""
        try:
            found = self.spare.pop()
        except IndexError:
            return _Scratch(self, classes)
        return found if found.classes == classes else _Scratch(self, classes)


class _Scratch:
    """What a kernel needs for a number of classes besides its arrays."""

    def __init__(self, kernel: RowKernel, classes: int) -> None:
        dtype = kernel.parameters.dtype
        self.classes = classes
        self.vectors, self.state = np.empty(_SCRATCH, dtype), np.zeros(_STATE)
        self.unwanted = np.empty(TILE, dtype)  # where values go that nobody asked for
        self.cells = np.empty(
            kernel.tables * (TILE * max(classes, COLUMNS) if classes <= FEW else classes + WIDTH), dtype
        )
        self.places = [address(a) for a in (self.vectors, self.cells, self.state)]
        self.unwanted_place = address(self.unwanted)


def speaks(loss: Record) -> bool:
    """Whether kernels know every statistic that the loss speaks of."""
    kept: dict[str, Any] = vars(loss)
    if "_spoken" not in kept:
        known = {*STATISTICS, class_statistics.WEIGHT, *loss.values}
        statistics = set(class_statistics.by_statistic(loss.composed))
        value, slopes = _formulas(loss, True)
        kept["_spoken"] = symbols(value, *dict(slopes).values()) <= known and statistics <= set(STATISTICS)
    return bool(kept["_spoken"])


def _formulas(loss: Record, has_signal: bool) -> tuple[Expr, tuple[tuple[str, Expr], ...]]:
    slopes = class_statistics.by_statistic(loss.composed) if has_signal else {}
    value, *rest = with_whole_exponents([loss.composed, *slopes.values()], loss.values)
    return value, tuple(zip(slopes, rest, strict=True))


@lru_cache(maxsize=512)
def _function(asked: Asked, is_few: bool, of_shares: bool) -> Callable[..., None]:
    """The compiled function of these formulas, which losses of equal formulas share."""
    return function(_PRINTED[is_few, of_shares](asked), _ARGUMENTS)


_PRINTED = {(True, False): few, (False, False): many, (True, True): few_shares, (False, True): many_shares}


def compiled(loss: Record, kind: str, dtype: str, weighted: bool, classes: int, of_shares: bool = False) -> RowKernel:
    """The kernel of a loss for this many classes, on indices or shares of them; kept with the loss."""
    kept: dict[Any, Any] = vars(loss).setdefault("_kernels", {})
    key = (kind, dtype, weighted, classes <= FEW, of_shares)
    if key not in kept:
        asked = Asked(*_formulas(loss, "signal" in kind), tuple(loss.values), dtype, weighted)
        parameters = np.array([*loss.values.values(), 0.0], dtype=dtype)
        tables = tables_of(len(asked.derivatives), classes <= FEW) if of_shares else 1
        kept[key] = RowKernel(_function(asked, classes <= FEW, of_shares), parameters, tables)
    found: RowKernel = kept[key]
    return found


class _Labels(Column):
    """Class indices of any dtype; what is not a whole number becomes -1, which no kernel accepts."""

    def part(self, start: int, stop: int) -> Any:
        labels = self.array[start:stop] if self.array.ndim == 1 else self.array.flat[start:stop]
        if labels.dtype.kind != "f":
            return np.ascontiguousarray(labels, dtype=np.int64)
        with np.errstate(invalid="ignore", over="ignore"):
            return np.where((labels == np.floor(labels)) & (np.abs(labels) < 2.0**53), labels, -1).astype(np.int64)


def sweep(
    loss: Record, kind: str, y: Any, z: Any, *, weight: Any = None, scale: float = 1.0, tables: tuple[Any, Any, Any]
) -> Found:  # fmt: skip
    """One pass over all rows; see `goodmeasure.kernels.points.sweep`. The value alone, or the value and the signal.

    ``y`` holds class indices, one axis fewer than ``z``, or shares of the classes, of z's shape.
    """
    dtype = z.dtype if z.dtype.isnative else z.dtype.newbyteorder("=")
    classes, of_shares = z.shape[-1], y.ndim == z.ndim
    n = z.size // classes
    kernel = compiled(loss, kind, dtype.name, weight is not None, classes, of_shares)
    values, signal = (None if t is None else t.reshape(-1) for t in tables[:2])
    table = _class_weights(loss, classes, dtype)
    rows = _rows(n, classes)
    columns = [
        Column(y, classes, dtype) if of_shares else _Labels(y, 1, _LABEL),
        Column(z, classes, dtype),
        None if weight is None else Column(weight, 1, np.dtype(np.float64)),
        None if values is None else Column(values, 1, dtype),
        None if signal is None else Column(signal, classes, dtype),
    ]

    def work(i: int) -> tuple[list[float], bool]:
        start, stop = i * rows, min((i + 1) * rows, n)
        parts = [c and c.part(start, stop) for c in columns]
        places = [None if part is None else address(part) for part in parts]
        return _block(kernel, places, table, stop - start, classes, scale)

    found = for_each(max(-(-n // rows), 1), work)
    bad = any(b for _, b in found)
    return Found(math.nan if bad else exact([x for sums, _ in found for x in sums]), bad)


def _class_weights(loss: Record, classes: int, dtype: Any) -> Any:
    return np.array(loss.class_weight or np.ones(classes), dtype=dtype)


def _rows(n: int, classes: int) -> int:
    """The rows of a block."""
    unit = TILE if classes <= FEW else GROUP
    return max(block_of(n * classes) // classes // unit, 1) * unit


class PlacedRows:
    """The value and the signal of rows that lie at addresses; see `goodmeasure.kernels.points.Placed`."""

    def __init__(self, loss: Record, dtype: Any, of_shares: bool) -> None:
        self.loss, self.dtype, self.of_shares = loss, dtype, of_shares
        self.table = np.empty(0)

    def __call__(self, y: int, z: int, values: int, signal: int, scale: float, n: int, classes: int) -> float | None:
        """The sum. Values (0: not wanted) and signals, times the scale, are written where they belong.

        ``y`` holds whole numbers of 64 bits, or shares. None where a target is none.
        """
        kernel = compiled(self.loss, "value+signal", self.dtype.name, False, classes, self.of_shares)
        table = self.table if len(self.table) == classes else _class_weights(self.loss, classes, self.dtype)
        self.table, rows, size = table, _rows(n, classes), self.dtype.itemsize
        target = classes * size if self.of_shares else _LABEL.itemsize  # bytes of a row

        def work(i: int) -> list[float] | None:
            start = i * rows
            skip = start * classes * size
            places = [y + start * target, z + skip, None, values + start * size if values else None, signal + skip]
            sums, bad = _block(kernel, places, table, min(rows, n - start), classes, scale)
            return None if bad else sums

        return sum_of(for_each(-(-n // rows), work))


def _block(
    kernel: RowKernel, places: list[int | None], table: Any, n: int, classes: int, scale: float
) -> tuple[list[float], bool]:
    """One block of rows: its sums, and whether a present label was outside the classes."""
    scratch = kernel.scratch(classes)
    y, z, weight, values, signal = [scratch.unwanted_place if place is None else place for place in places]
    keep = 0 if places[3] is None else 1
    kernel.run(
        y, z, weight, kernel.parameters_place, address(table), values, signal, *scratch.places,
        n, classes, keep, scale,
    )  # fmt: skip
    high, low, bad = scratch.state[: BAD + 1].tolist()
    scratch.state[:STATE] = 0.0
    kernel.spare.append(scratch)
    return whole_sum([high, low]), bool(bad)
