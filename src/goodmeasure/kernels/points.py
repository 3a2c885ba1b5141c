"""Kernels of losses whose examples stand for themselves: a fixed number of raw outputs each, on the last axis."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from ctypes import memmove
from functools import cached_property, lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from goodmeasure.deriving.pointwise import less_huge, limit
from goodmeasure.deriving.record import Record
from goodmeasure.formulas.elementary_words import log1p, where
from goodmeasure.formulas.expression import Expr, Word, derivative, less_equal, log, simplify, symbol
from goodmeasure.keeping import machine_code
from goodmeasure.kernels.columns import Column, address
from goodmeasure.kernels.layout import CHUNK, points
from goodmeasure.kernels.lowering import lowering
from goodmeasure.kernels.printer import with_whole_exponents
from goodmeasure.kernels.sums import BAD, HIGH, LOST, LOW, STATE
from goodmeasure.kernels.threads import BLOCK, block_of, for_each

_ARGUMENTS = [*[ctypes.c_void_p] * 9, *[ctypes.c_int64] * 3, ctypes.c_double]


def function(source: str, arguments: Sequence[Any]) -> Callable[..., None]:
    """The compiled function of a printed source; calling it lets other threads run."""
    return ctypes.CFUNCTYPE(None, *arguments)(machine_code.address(source, lowering()))


def place_of(run: Any) -> int:
    """The address of a compiled function."""
    return ctypes.cast(run, ctypes.c_void_p).value or 0


class PointKernel:
    """A compiled formula with the numbers it takes besides the examples, and scratch memory that waits to be used again."""

    def __init__(self, run: Callable[..., None], parameters: Any, domain: Any, columns: tuple[int, ...]) -> None:
        self.run: Callable[..., None] = run
        self.parameters: Any = parameters
        self.domain: Any = domain
        self.fixed: tuple[int, int] = (address(parameters), address(domain))
        self.columns = columns  # of y, z, weight, values, first and second; 0: the kernel has none
        self.inputs, self.outputs = ([(k, columns[k]) for k in of if columns[k]] for of in (range(3), range(3, 6)))
        self.spare: list[_Scratch] = []

    def scratch(self) -> _Scratch:
        """Scratch memory that nobody else uses; to be put back to `spare`."""
        try:
            return self.spare.pop()
        except IndexError:
            return _Scratch(self)


class _Scratch:
    """One chunk of everything a kernel reads and writes, for what is left over after whole chunks, and its sums.

    What fills the chunk up is whatever it held before: good examples.
    """

    def __init__(self, kernel: PointKernel) -> None:
        dtype = kernel.domain.dtype
        kinds = (dtype, dtype, _DOUBLE, dtype, dtype, dtype)
        self.arrays = [np.zeros(CHUNK * max(c, 1), kind) for c, kind in zip(kernel.columns, kinds, strict=True)]
        self.arrays[0][:] = np.clip(1, *kernel.domain)  # a good target, whose raw outputs are zeros
        self.arrays[2][:] = 1.0
        self.state = np.zeros(STATE)
        self.places, self.state_place = [address(a) for a in self.arrays], address(self.state)
        # Making arguments of numbers takes as long as the kernel does: those of the chunk are made once, and two of them set.
        self.live, self.scale = ctypes.c_int64(), ctypes.c_double()
        places = map(ctypes.c_void_p, (*self.places[:3], *kernel.fixed, *self.places[3:], self.state_place))
        self.run = partial(kernel.run, *places, ctypes.c_int64(CHUNK), self.live, ctypes.c_int64(0), self.scale)


def bounds(loss: Record, dtype: Any) -> Any:
    """The lowest and the highest target in a dtype."""
    info, kind = np.finfo(dtype), np.dtype(dtype).type
    low, high = kind(max(loss.target.low, float(info.min))), kind(min(loss.target.high, float(info.max)))
    if loss.target.low_open and math.isfinite(loss.target.low):
        low = np.nextafter(low, kind(np.inf))
    if loss.target.high_open and math.isfinite(loss.target.high):
        high = np.nextafter(high, kind(-np.inf))
    return np.array([low, high], dtype=dtype)


log_chosen: Word = Word("log_chosen", (None, None), meaning=lambda y, x: where(less_equal(y, 0), log1p(-x), log(x)))


def chosen(loss: Record) -> Expr | None:
    """The value of a yes/no loss on targets of which none lies between, where both halves are one formula but for a logarithm."""
    known: dict[str, Any] = vars(loss)
    if "_chosen" not in known:
        known["_chosen"] = _either(loss.half(1), loss.half(0)) if loss.is_binary else None
    found: Expr | None = known["_chosen"]
    return found


def _either(yes: Expr, no: Expr) -> Expr | None:
    """The formula that is the first where y is 1 and the second where it is 0, if that takes one logarithm in place of two."""
    z = symbol("z")
    if yes is log(z) and no is log1p(-z):
        return log_chosen(symbol("y"), z)
    if yes is no or yes.word is None or yes.word is not no.word:
        return yes if yes is no else None
    parts = [part for part in map(_either, yes.args, no.args) if part is not None]
    return yes.word(*parts) if len(parts) == len(yes.args) else None


EACH = "each"
"""The kind of kernel that writes the value of each example and sums none."""

# Kinds of kernel for which half a formula is tried first; curvatures are for fits, which do not live by them.
_TURNED = (EACH, "value", "signal", "value+signal")


def mirrored(loss: Record) -> bool:
    """Whether a no at z costs what a yes costs at -z, so that one half of a yes/no loss serves both."""
    known: dict[str, Any] = vars(loss)
    if "_mirrored" not in known:
        known["_mirrored"] = loss.is_binary and loss.half(1) is simplify(loss.half(0), {"z": -symbol("z")})
    return bool(known["_mirrored"])


def has_sure(loss: Record, kind: str) -> bool:
    """Whether there is a faster kernel for targets of which none lies between yes and no."""
    return (kind in _TURNED and mirrored(loss)) or (kind in (EACH, "value") and chosen(loss) is not None)


def formulas(loss: Record, kind: str, turned: bool) -> tuple[Sequence[Expr], Sequence[Expr], Sequence[Expr]]:
    """The formulas of a kind of kernel: value, first, second.

    It is `EACH`, or ``value``, ``signal``, ``curvature``, ``matrix`` joined by +.
    """
    parts, m = kind.split("+"), len(loss.activation)
    value, signal = loss.composed, list(loss.signal)
    if turned and mirrored(loss):
        value = loss.half(1)
        signal = [derivative(value, "z")]
    elif turned and (found := chosen(loss)) is not None:
        value = found
    second: list[Expr] = []
    if "curvature" in parts:
        second = [loss.curvature[i][i] for i in range(m)]
    elif "matrix" in parts:
        second = [curvature for row in loss.curvature for curvature in row]
    return [value] if {EACH, "value"} & {*parts} else [], signal if "signal" in parts else [], second


@lru_cache(maxsize=512)
def _function(**asked: Any) -> Callable[..., None]:
    """The compiled function of what is asked of `goodmeasure.kernels.layout.points`; losses of equal formulas share it."""
    return function(points(**asked), _ARGUMENTS)


def compiled(loss: Record, kind: str, dtype: Any, weighted: bool, turned: bool = False) -> PointKernel:
    """The kernel of a loss; kept with the loss, because looking it up by the formula would take longer than small calls do.

    ``turned``: of a loss that is `mirrored`, or its value if that is `chosen`, on targets of which none lies between yes and
    no.
    """
    kept: dict[Any, PointKernel] = vars(loss).setdefault("_kernels", {})
    key = (kind, dtype.char, weighted, turned)
    found = kept.get(key)
    if found is None:
        value, first, second = (tuple(with_whole_exponents(f, loss.values)) for f in formulas(loss, kind, turned))
        run = _function(
            value=value, first=first, second=second, raws=loss.raw_names, parameters=tuple(loss.values),
            dtype=dtype.name, weighted=weighted, whole=loss.target.whole, sure=turned,
            turned=turned and mirrored(loss), summed=kind != EACH,
        )  # fmt: skip
        found = kept[key] = PointKernel(
            run,
            np.array([*loss.values.values(), 0.0], dtype=dtype),
            bounds(loss, dtype),
            (1, len(loss.activation), int(weighted), len(value), len(first), len(second)),
        )
    return found


class Found(NamedTuple):
    """What a pass over the examples summed, and whether a present target was outside the domain."""

    sum: float
    bad: bool


def _run(kernel: PointKernel, scratch: _Scratch, arrays: Sequence[Any], n: int, scale: float) -> list[tuple[Any, Any]]:
    """The kernel on ``n`` examples, given their y, z, weight, value, first and second (None: it has or keeps none).

    The whole chunks are read where they lie. What is left over is copied to a chunk of scratch, so that every example meets the
    same code; and copied before it is read, so that nothing is written over it. Its results stay there: returned are the places
    that they belong to, each with what belongs there.
    """
    left, chunk = n % CHUNK, scratch.arrays
    if whole := n - left:
        keep = 0 if arrays[3] is None else 1
        there = [spare if a is None else address(a) for a, spare in zip(arrays, scratch.places, strict=True)]
        kernel.run(*there[:3], *kernel.fixed, *there[3:], scratch.state_place, whole, whole, keep, scale)
        if not left:
            return []
        arrays = [None if a is None else a[whole * c :] for a, c in zip(arrays, kernel.columns, strict=True)]
    for k, c in kernel.inputs:
        chunk[k][: left * c] = arrays[k]
    scratch.live.value, scratch.scale.value = left, scale
    scratch.run()
    return [(arrays[k], chunk[k][: left * c]) for k, c in kernel.outputs if arrays[k] is not None]


def _give(results: list[tuple[Any, Any]]) -> None:
    for place, result in results:
        place[...] = result


def _block(kernel: PointKernel, arrays: Sequence[Any], n: int, scale: float) -> tuple[list[float], bool]:
    """One block of vectors: its sums, and whether a present target was outside the domain."""
    scratch = kernel.scratch()
    results = _run(kernel, scratch, arrays, n, scale)
    state: list[float] = scratch.state.tolist()
    if state[BAD]:
        return state[: LOW + 1], True
    if state[LOST]:  # read again before anything is written over it
        return [_mended(kernel, arrays, n, scale)], False
    _give(results)
    scratch.state.fill(0.0)
    kernel.spare.append(scratch)  # one that met a bad example is not used again: it would fill up the next ones
    return whole_sum(state), False


def whole_sum(state: list[float]) -> list[float]:
    """A sum and what rounding left out of it, which is not a number where the sum is infinite."""
    high, low = state[:2]
    return [high, low] if high - high == 0 else [high]


def placed(loss: Record, kind: str) -> tuple[int, int, int]:
    """Where the kernel of a yes/no loss stands, for targets that are yes or no, and its parameters and domain."""
    kernel = compiled(loss, kind, _DOUBLE, False, has_sure(loss, kind))
    return place_of(kernel.run), *kernel.fixed


class Placed:
    """The value and the signal of examples that lie at addresses.

    For hosts that know their arrays: making views of them, and finding the kernel, takes longer than the kernel does on a few.
    """

    def __init__(self, loss: Record, dtype: Any) -> None:
        self.loss, self.dtype, self.size, self.turns = loss, dtype, dtype.itemsize, mirrored(loss)
        self.number = ctypes.c_float if dtype.char == "f" else ctypes.c_double

    def __call__(self, y: int, z: int, values: int, signal: int, scale: float, n: int) -> float | None:
        """The sum. Values (0: not wanted) and signals, times the scale, are written where they belong.

        None where an example is bad or lost, or the sum is not finite: see `goodmeasure.kernels.total`, which says or mends it.
        """
        kernel = self.turned if self.turns and not 0 < self.number.from_address(y).value < 1 else self.kernel
        if n <= BLOCK:
            sums = self._block(kernel, y, z, values, signal, scale, n)
            return None if sums is None else sums[0] + sums[1]
        rows = block_of(n) // CHUNK * CHUNK

        def work(i: int) -> list[float] | None:
            start = i * rows
            skip = start * self.size
            places = (y + skip, z + skip, values and values + skip, signal + skip)
            return self._block(kernel, *places, scale, min(rows, n - start))

        return sum_of(for_each(-(-n // rows), work))

    def _block(
        self, kernel: PointKernel, y: int, z: int, values: int, signal: int, scale: float, n: int
    ) -> list[float] | None:
        scratch, left = kernel.scratch(), n % CHUNK
        places = scratch.places
        if whole := n - left:
            kernel.run(
                y, z, places[2], *kernel.fixed, values or places[3], signal, places[5], scratch.state_place,
                whole, whole, int(values > 0), scale,
            )  # fmt: skip
        if left:
            size, skip = left * self.size, whole * self.size
            memmove(places[0], y + skip, size)
            memmove(places[1], z + skip, size)
            scratch.live.value, scratch.scale.value = left, scale
            scratch.run()
            memmove(signal + skip, places[4], size)
            if values:
                memmove(values + skip, places[3], size)
        state: list[float] = scratch.state.tolist()
        if state[BAD] or state[LOST] or not math.isfinite(state[HIGH]):
            return None
        scratch.state.fill(0.0)
        kernel.spare.append(scratch)
        return state[: LOW + 1]

    @cached_property
    def kernel(self) -> PointKernel:
        """The kernel for any targets; compiled when it is asked for."""
        return compiled(self.loss, "value+signal", self.dtype, False)

    @cached_property
    def turned(self) -> PointKernel:
        """The kernel for targets of which none lies between yes and no."""
        return compiled(self.loss, "value+signal", self.dtype, False, True)


def _mended(kernel: PointKernel, arrays: Sequence[Any], n: int, scale: float) -> float:
    """A block with numbers that are not; its sum.

    Where an infinite or huge raw output leaves no number (inf - inf), the result at a smaller huge one; NaN stays only
    where a raw output is NaN.
    """
    y, z, weight = arrays[:3]

    def at(raw: Any) -> list[Any]:
        tables = [np.empty(c * n, kernel.domain.dtype) for c in kernel.columns[3:]]
        _give(_run(kernel, _Scratch(kernel), [y, raw, weight, *tables], n, scale))
        return tables

    tables = at(z)
    for far, nearer in less_huge(float(np.finfo(z.dtype).max)):
        if not any(np.isnan(t).any() for t in tables):
            break
        there, before = (at(np.clip(z, -bound, bound)) for bound in (far, nearer))
        tables = [np.where(np.isnan(t), limit(a, b, np), t) for t, a, b in zip(tables, there, before, strict=True)]
    gone = np.isnan(z.reshape(n, -1)).any(axis=1)
    if weight is not None:
        gone &= weight > 0
    for table, columns, out in zip(tables, kernel.columns[3:], arrays[3:], strict=True):
        if columns:
            table.reshape(-1, columns)[gone] = np.nan
        if out is not None:
            out[...] = table
    values = tables[0].astype(np.float64)
    return exact((values if weight is None else values * weight).tolist())


def exact(terms: list[float]) -> float:
    """The sum of numbers, rounded once; infinite or NaN where they are."""
    try:
        total = math.fsum(terms)
    except (OverflowError, ValueError):  # ValueError: inf - inf
        return sum(terms)
    return total


def sum_of(blocks: list[list[float] | None]) -> float | None:
    """The sum of blocks, None where one has none."""
    found = [block for block in blocks if block is not None]
    return exact([x for block in found for x in block]) if len(found) == len(blocks) else None


def sweep(
    loss: Record,
    kind: str,
    y: Any,
    z: Any,
    *,
    weight: Any = None,
    scale: float = 1.0,
    tables: tuple[Any, Any, Any],
) -> Found:
    """One pass over all examples, a block at a time.

    ``z`` is float32 or float64, with the loss's raw outputs on the last axis if they are several; ``y`` any numbers of the
    examples' shape; ``weight`` None or float64. ``tables`` are C-contiguous arrays of z's dtype to fill with the values, the
    signals and the curvatures (the latter two times ``scale`` and weight), or None where they are not wanted; nothing that is
    read shares their memory.
    """
    dtype = z.dtype if z.dtype.isnative else z.dtype.newbyteorder("=")
    arrays = [y, z, weight, *tables]
    if has_sure(loss, kind) and not 0 < y.item(0) < 1:
        sums, bad = _blocks(compiled(loss, kind, dtype, weight is not None, True), arrays, y.size, scale)
        if not bad:
            return Found(exact(sums), False)
    sums, bad = _blocks(compiled(loss, kind, dtype, weight is not None), arrays, y.size, scale)
    return Found(math.nan if bad else exact(sums), bad)


class RunSteps:
    """Training steps on one run of rows after another of the same targets: what stays the same is looked up once."""

    def __init__(self, loss: Record, y: Any, weight: Any, total: float) -> None:
        self.loss, self.y, self.weight, self.total = loss, y, weight, total
        self.turned = mirrored(loss) and not 0 < y.item(0) < 1

    def __call__(self, rows: slice, z: Any, signal: Any) -> float | None:
        """What these rows add to the weighted mean; their signals, times the shares of their weights, are written.

        None where a target is outside the domain.
        """
        weight, kernel = None if self.weight is None else self.weight[rows], self._kernel
        sums, bad = _block(kernel, [self.y[rows], z, weight, None, signal, None], len(z), 1 / self.total)
        if bad and self.turned:
            self.turned = False
            return self(rows, z, signal)
        return None if bad else exact(sums) / self.total

    @property
    def _kernel(self) -> PointKernel:
        return compiled(self.loss, "value+signal", _DOUBLE, self.weight is not None, self.turned)

    def through(self, loop: Callable[..., None], *arrays: Any) -> float | None:
        """What all whole chunks of rows add, by a compiled loop that calls the kernel while rows are near the core.

        The loop takes the arrays, where the kernel stands, and what it takes: targets, weights (any where it has none),
        parameters, limits of targets, the factor of signals, and its sums. None where a target is outside the domain or a
        result is no number.
        """
        kernel, state = self._kernel, np.zeros(STATE)
        weight = self.y if self.weight is None else self.weight
        place = place_of(kernel.run)
        loop(*arrays, place, self.y, weight, kernel.parameters, kernel.domain, 1 / self.total, state)
        if state[BAD] or state[LOST]:
            return None
        return exact(whole_sum(state.tolist())) / self.total


_DOUBLE = np.dtype(np.float64)


def _blocks(kernel: PointKernel, arrays: Sequence[Any], n: int, scale: float) -> tuple[list[float], bool]:
    """All blocks on the threads: their sums in order, and whether a present target was outside the domain."""
    if n < CHUNK:
        return _block(kernel, [a if a is None or a.ndim == 1 else a.reshape(-1) for a in arrays], n, scale)
    width, dtype = kernel.columns[1], kernel.domain.dtype
    rows = max(block_of(n * width) // width // CHUNK, 1) * CHUNK
    columns = [
        None if a is None else Column(a, max(c, 1), kind)
        for a, c, kind in zip(arrays, kernel.columns, (dtype, dtype, _DOUBLE, *[dtype] * 3), strict=True)
    ]

    def work(i: int) -> tuple[list[float], bool]:
        start, stop = i * rows, min((i + 1) * rows, n)
        return _block(kernel, [c and c.part(start, stop) for c in columns], stop - start, scale)

    found = for_each(max(-(-n // rows), 1), work)
    return [x for sums, _ in found for x in sums], any(bad for _, bad in found)
