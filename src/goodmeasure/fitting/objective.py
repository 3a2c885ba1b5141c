"""What a linear model minimises: the weighted mean loss plus what its coefficients cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from goodmeasure import kernels
from goodmeasure.deriving import numbers
from goodmeasure.fitting import design
from goodmeasure.fitting.passing import abreast, through
from goodmeasure.keeping.compiling import address_of_gemm, compiles
from goodmeasure.kernels.layout import CHUNK
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.row_arguments import Floats

# A fit of at most so many raw outputs takes less time by plain evaluation than a compiler takes to start: few steps are made,
# each of at most some milliseconds. Kernels are for what is larger, whether or not they are compiled already.
_PLAIN = 1 << 15
# Columns are put on a common scale where their scales differ by more than this, or one lies this many away from zero.
_UNEVEN = 30.0
_OFF_CENTRE = 3.0

_EPS = float(np.finfo(np.float64).eps)
# By what name the last sweeps stand beside where fits ended.
_SEEN = "seen"
# And by what name the mean size of a row's loss, with where it was asked for last, among what fits with any penalty share.
_SIZE = "size"

T = TypeVar("T")


class Smooth(Protocol):
    """What Newton's method asks of an objective, wherever its rows are."""

    @property
    def loss(self) -> Loss:
        """The loss whose mean it is."""

    @property
    def held(self) -> NDArray[np.bool_]:
        """Which parameters are zero and stay so."""

    def value(self, theta: Floats) -> float:
        """The objective; infinite where the loss is."""

    def value_and_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """The objective and its derivative by theta."""

    def curvature(self, theta: Floats) -> Floats:
        """The second derivatives by theta, flattened row by row."""

    def rounding(self, theta: Floats) -> float:
        """How much of the objective is rounding."""

    def pulls(self, theta: Floats) -> Floats:
        """What the derivatives by theta would be if no signal of a row worked against another."""

    def reach(self, direction: Floats) -> float:
        """How far a step moves the raw output that it moves most."""

    def along(self, theta: Floats, ways: Floats) -> tuple[Floats, Floats, Floats]:
        """The derivative and the curvature along directions of theta (its columns), and the bend that rounding alone makes."""


@dataclass(frozen=True)
class _Swept:
    """What a sweep over the rows found, whatever the penalty: the mean loss, its slope, and how raw outputs are pulled.

    ``far`` is the largest size of the raw outputs of a unit, ``pulled`` the sum of the sizes of their signals; ``signals`` of
    the rows are kept where there are few.
    """

    theta: Floats
    mean: float
    slope: Floats
    far: Floats
    pulled: Floats
    signals: Floats | None

    def beside(self, mean: float, slope: Floats, pulled: float, far: float) -> _Swept:
        """The same with what a loop found of other rows."""
        return replace(
            self,
            mean=self.mean + mean,
            slope=self.slope + slope,
            far=np.maximum(self.far, far),
            pulled=self.pulled + pulled,
        )


@dataclass(eq=False)
class Objective:
    """The mean of ``loss`` over rows plus ``alpha / 2 * sum(coefficients**2)``, as a function of theta.

    With an ``l1_ratio`` that part of alpha is the cost of ``sum(abs(coefficients))`` instead; it is kept apart, in ``l1``.

    ``theta`` has a row for each feature, then one for the intercept if there is one, and a column for each raw output. It
    speaks of columns that are centred and scaled where that helps the arithmetic; the penalty is on the coefficients of
    the columns as they came, so the minimum is the same. The intercept is not penalised. Raw outputs that do not follow the
    features (the steps between grades) have coefficients of zero, which nothing moves.
    """

    loss: Loss
    features: Any
    y: NDArray[Any]
    weight: Floats | None = None
    offset: Floats | None = None
    alpha: float = 0.0
    intercept: bool = True
    outputs: int = 1
    l1_ratio: float = 0.0
    # Whether kernels are used for few raw outputs too, as of some of the rows of an objective that uses them anyway.
    served: bool = False
    centre: Floats = field(init=False)
    scale: Floats = field(init=False)
    # The last theta with its raw outputs, its mean loss, what a sweep found at it, and the objective: a step asks more than once.
    _raw_at: tuple[Floats, Floats] | None = field(init=False, default=None)
    _alone_at: tuple[Floats, float] | None = field(init=False, default=None)
    _swept_at: _Swept | None = field(init=False, default=None)
    _value_at: tuple[Floats, float, Floats] | None = field(init=False, default=None)
    # What follows from the targets alone, and where fits ended, shared by objectives that differ in the penalty.
    _settled: dict[Any, Any] = field(init=False, default_factory=dict)
    ends: dict[Any, Any] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        # Of columns that are not finite the scale is not, which is told by who asked.
        with np.errstate(over="ignore", invalid="ignore"):
            self.centre, self.scale = _frame(self.features, self.weight, self.intercept)
            if self.centre.any() or (self.scale != 1).any():
                self.features = design.scaled(self.features, self.centre, self.scale)

    def penalised(self, alpha: float) -> Objective:
        """The same rows with this penalty; what is known of their targets is kept, and where a fit ended."""
        found = self._framed_alike(self.features, alpha=alpha)
        found._settled, found.ends = self._settled, self.ends
        found._alone_at, found._swept_at = found.last(_SEEN) or (None, None)
        return found

    def ended(self, name: str, *where: Any) -> None:
        """A fit of this name ended so: one with another penalty goes on from there, and knows what was found last."""
        self.ends[name] = where
        self.looked()

    def looked(self) -> None:
        """One with another penalty knows what was found last."""
        self.ends[_SEEN] = self._alone_at, self._swept_at

    def foreseen(self, name: str, *where: Any) -> None:
        """A fit of this name with this penalty is to go on from there."""
        self.ends[name, self.alpha] = where
        self.ends[_SEEN, self.alpha] = self._alone_at, self._swept_at

    def last(self, name: str) -> tuple[Any, ...] | None:
        """Where a fit of this name is to go on from: what was foreseen of this penalty, or where the last one ended."""
        return self.ends.get((name, self.alpha)) or self.ends.get(name)

    def settled(self, name: str, find: Callable[[], T]) -> T:
        """What is found of the targets, whatever the penalty: once."""
        if name not in self._settled:
            self._settled[name] = find()
        found: T = self._settled[name]
        return found

    def of_one(self, loss: Loss) -> Objective:
        """The same rows and columns with a loss of one raw output."""
        found = self._framed_alike(self.features, loss=loss, outputs=1)
        found._settled = self._settled.setdefault(loss, {})
        return found

    def part(self, rows: NDArray[np.intp]) -> Objective:
        """The objective of some of the rows, as a function of the same theta."""
        return self._framed_alike(design.rows_of(self.features, rows), **self._targets(rows))

    def without_features(self, rows: NDArray[np.intp]) -> Objective:
        """The objective of constants alone, on some of the rows."""
        return Objective(self.loss, np.empty((len(rows), 0)), outputs=self.outputs, **self._targets(rows))

    def _targets(self, rows: NDArray[np.intp]) -> dict[str, Any]:
        """Some of the rows, but for their features."""
        weight, offset = (None if each is None else each[rows] for each in (self.weight, self.offset))
        return {"y": self.y[rows], "weight": weight, "offset": offset, "served": not self._is_plain}

    def columns(self, kept: NDArray[np.intp]) -> Objective:
        """The objective of some of the features, as if the coefficients of the others were zero."""
        found = self._framed_alike(self.features[:, kept])
        found.centre, found.scale = self.centre[kept], self.scale[kept]
        return found

    @classmethod
    def in_frame(cls, loss: Loss, y: NDArray[Any], features: Any, **more: Any) -> Objective:
        """The objective of columns that are centred and scaled already, and whose penalty is counted elsewhere."""
        found = cls(loss, np.empty((0, 0)), y, **more)
        found.features, found.centre, found.scale = features, np.zeros(features.shape[1]), np.ones(features.shape[1])
        return found

    def _framed_alike(self, features: Any, **changes: Any) -> Objective:
        found = replace(self, features=np.empty((0, 0)), **changes)
        found.features, found.centre, found.scale = features, self.centre, self.scale
        return found

    @property
    def count(self) -> int:
        """How many parameters there are for each raw output."""
        return int(self.features.shape[1]) + int(self.intercept)

    @cached_property
    def penalty(self) -> Floats:
        """What half the square of each parameter costs."""
        zero = np.zeros(int(self.intercept))
        squared = self.alpha * (1 - self.l1_ratio)
        return np.concatenate([squared / self.scale**2, zero])[:, None] * np.ones(self.outputs)

    @cached_property
    def l1(self) -> Floats:
        """What the size of each parameter costs."""
        zero = np.zeros(int(self.intercept))
        return np.concatenate([self.alpha * self.l1_ratio / self.scale, zero])[:, None] * np.ones(self.outputs)

    @cached_property
    def held(self) -> NDArray[np.bool_]:
        """Which parameters are zero and stay so."""
        found = np.zeros((self.count, self.outputs), dtype=bool)
        if not all(self.loss.follows):
            found[: self.features.shape[1]] = ~np.array(self.loss.follows)
        return found

    @cached_property
    def share(self) -> Floats:
        """What part of the mean each row is."""
        return np.full(len(self.y), 1 / len(self.y)) if self.weight is None else self.weight / self.weight.sum()

    def raw(self, theta: Floats) -> Floats:
        """The raw outputs of the rows: of shape (rows,), or (rows, outputs) where there are several."""
        if self._raw_at is None or self._raw_at[0] is not theta:
            z = np.empty((len(self.y), self.outputs))
            for rows, _ in self._blocks:
                self._forth(theta, rows, z[rows])
            self._raw_at = theta, z
        return self._each(self._raw_at[1])

    def value(self, theta: Floats) -> float:
        """The objective; infinite where the loss is."""
        if self._swept_at is not None and self._swept_at.theta is theta:
            return self._swept_at.mean + self._cost(theta)
        if self._alone_at is None or self._alone_at[0] is not theta:
            if self._is_plain:
                mean = float(self.loss(self.y, self.raw(theta), self.weight))
            else:
                mean = sum(self._step(*block) for block in self._raw_of_blocks(theta))
            self._alone_at = theta, mean
        return self._alone_at[1] + self._cost(theta)

    def value_and_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """The objective and its derivative by theta."""
        if self._value_at is None or self._value_at[0] is not theta:
            found = self._sweep(theta)
            self._value_at = theta, found.mean + self._cost(theta), found.slope + self.penalty * theta
        return self._value_at[1:]

    @property
    def is_compiled(self) -> bool:
        """Whether compiled code is at work."""
        return not self._is_plain and compiles()

    @property
    def _is_plain(self) -> bool:
        """Whether raw outputs are too few for a kernel to pay."""
        return not self.served and len(self.y) * self.outputs <= _PLAIN

    def _sweep(self, theta: Floats) -> _Swept:
        """The mean loss and its derivative: a block of rows goes forth and back while it is near the core."""
        if self._swept_at is None or self._swept_at.theta is not theta:
            by_loop = self._swept_through(theta)
            self._swept_at = by_loop[0] if by_loop else self._swept_by_blocks(theta)
        return self._swept_at

    def _swept_by_blocks(self, theta: Floats) -> _Swept:
        slope, mean = np.zeros(theta.shape), 0.0
        far, pulled = np.zeros(1), np.zeros(1)
        for rows, share, raw, signal in self._raw_of_blocks(theta):
            mean += self._step(rows, share, raw, signal)
            slope += self._back(signal, rows)
            far = np.maximum(far, design.largest(raw.reshape(-1, self._units)))
            pulled = pulled + design.sizes(signal.reshape(-1, self._units))
        kept = signal if len(self._blocks) == 1 else None
        return _Swept(theta, mean, np.where(self.held, 0.0, slope), far, pulled, kept)

    def _swept_through(self, *thetas: Floats) -> list[_Swept] | None:
        """The same of each by one compiled loop over whole chunks of rows, and what is left; None where there is no such loop."""
        known = self._raw_at is not None and any(self._raw_at[0] is theta for theta in thetas)
        if known or not self.is_swept_through:
            return None
        n, width = self.features.shape
        whole, many = n - n % CHUNK, len(thetas)
        slopes = np.ascontiguousarray(np.hstack(thetas)[:width])
        constants = np.array([theta[-1, 0] if self.intercept else 0.0 for theta in thetas])
        offset = np.empty(0) if self.offset is None else self.offset
        room = design.room(width, many)
        raw, signals = np.empty(room), np.empty(many * room)
        out, sizes = np.zeros((many, width + 1)), np.zeros((many, 2))
        features, run = self.features[:whole], self._steps.through
        if many == 1:
            means = run(through, features, slopes[:, 0], constants[0], offset, raw, signals, out[0], sizes[0], many=1)
        else:
            table = np.empty((room, many))
            # What BLAS reads lives here as long as the loop takes its addresses.
            asked = np.array([ord("N")], np.uint8), np.array([1.0, 1.0, 0.0]), np.zeros(3, np.int32)
            more = features, slopes, constants, offset, table, raw, signals, out, sizes
            means = run(abreast, address_of_gemm(), *asked, *more, many=many)
        rest = self._swept_rest(thetas, slice(whole, n))
        if means is None or rest is None:
            return None
        return [
            last.beside(mean, np.where(self.held, 0.0, slope), *by)
            for mean, slope, by, last in zip(means, out[:, : self.count, None], sizes, rest, strict=True)
        ]

    def _swept_rest(self, thetas: Sequence[Floats], rows: slice) -> list[_Swept] | None:
        """The same of a few rows; None where the kernel cannot tell."""
        raw, signals = np.empty((2, len(thetas), rows.stop - rows.start))
        part, lines = self.features[rows], np.hstack(thetas).T
        raw[:] = lines[:, : part.shape[1]] @ part.T
        if self.intercept:
            raw += lines[:, -1:]
        if self.offset is not None:
            raw += self.offset[rows]
        means = [self._steps(rows, *each) for each in zip(raw, signals, strict=True)] if len(part) else [0.0] * len(raw)
        if None in means:
            return None
        slopes = np.where(self.held, 0.0, self._back(signals.T, rows)).T
        return [
            _Swept(theta, mean, slope[:, None], design.largest(z[:, None]), design.sizes(push[:, None]), None)
            for theta, mean, slope, z, push in zip(thetas, means, slopes, raw, signals, strict=True)
        ]

    def is_known(self, theta: Floats) -> bool:
        """Whether the rows were looked at there last."""
        return self._swept_at is not None and self._swept_at.theta is theta

    @property
    def is_swept_through(self) -> bool:
        """Whether a compiled loop takes rows forth and back."""
        return self._by_loops and self._steps is not None and compiles()

    def _raw_of_blocks(self, theta: Floats) -> Iterator[tuple[slice, float, Floats, Floats]]:
        """The rows of each block, what part of the mean they are, their raw outputs, (rows, outputs), and room for signals."""
        if len(self._blocks) == 1 or (self._raw_at is not None and self._raw_at[0] is theta):
            z = self.raw(theta).reshape(-1, self.outputs)
            yield from ((rows, share, z[rows], np.empty_like(z[rows])) for rows, share in self._blocks)
            return
        # The same memory for each block: to get new takes as long as to fill it.
        longest = max(rows.stop - rows.start for rows, _ in self._blocks)
        raw, signal = np.empty((longest, self.outputs)), np.empty((longest, self.outputs))
        for rows, share in self._blocks:
            count = rows.stop - rows.start
            self._forth(theta, rows, raw[:count])
            yield rows, share, raw[:count], signal[:count]

    def _step(self, rows: slice, share: float, raw: Floats, signal: Floats) -> float:
        """What rows add to the mean loss; what they add to its derivative by their raw outputs is written."""
        found: float | None = None if self._steps is None else self._steps(rows, raw[:, 0], signal[:, 0])
        if found is not None:
            return found
        weight = None if self.weight is None else self.weight[rows]
        step = numbers.value_and_gradient if self._is_plain else Loss.value_and_gradient
        mean, _ = step(self.loss, self.y[rows], self._each(raw), weight, out=self._each(signal))
        if share < 1:
            signal *= share
        return share * float(mean)

    @cached_property
    def _steps(self) -> Any:
        """The loss as kernels take it a block at a time, where they do."""
        return None if self._is_plain or self.outputs > 1 else kernels.steps(self.loss, self.y, self.weight)

    def _each(self, table: Floats) -> Floats:
        """A table of raw outputs as a loss takes it: of one alone without an axis for it."""
        return table[:, 0] if self.outputs == 1 else table

    @cached_property
    def _blocks(self) -> list[tuple[slice, float]]:
        """The rows in blocks, and what part of the mean each is; in one if a block of them would not count."""
        counts = np.broadcast_to(1.0, len(self.y)) if self.weight is None else self.weight
        found = [(rows, float(counts[rows].sum())) for rows in design.blocks(self.features)]
        if not all(count > 0 for _, count in found):
            return [(slice(0, len(self.y)), 1.0)]
        total = sum(count for _, count in found)
        return [(rows, count / total) for rows, count in found]

    def _forth(self, theta: Floats, rows: slice, out: Floats) -> None:
        """Write the raw outputs of rows."""
        slopes = theta[: self.features.shape[1]]
        if slopes.any():
            design.forth(design.run_of(self.features, rows), slopes, out, compiled=self._by_loops)
        else:
            out[:] = 0
        if self.intercept:
            out += theta[-1]
        if self.offset is not None:
            out += self.offset[rows, None]

    @cached_property
    def _by_loops(self) -> bool:
        return design.by_loops(self.features, loaded=self.served)

    def rounding(self, theta: Floats) -> float:
        """How much of the objective is rounding: its own, and what that of the raw outputs does to it."""
        (value, _), found = self.value_and_gradient(theta), self._sweep(theta)
        return float(_EPS * (abs(value) + found.far @ found.pulled))

    def reach(self, direction: Floats) -> float:
        """How far a step moves the raw output that it moves most."""
        found = self.features @ direction[: self.features.shape[1]] + (direction[-1] if self.intercept else 0.0)
        return float(np.abs(found).max(initial=0))

    def pull(self, theta: Floats) -> float:
        """The mean size of the rows' signals."""
        return float(self._sweep(theta).pulled.sum())

    def size(self, theta: Floats) -> float:
        """The mean size of a row's loss, and the penalty: what is a little or much of the objective."""
        at, mean = self._settled.get(_SIZE, (None, 0.0))
        if at is not theta:
            found = kernels.table(self.loss, "value", self.y, self.raw(theta))
            each = np.abs(self.loss.value(self.y, self.raw(theta)) if found is None else found)
            mean = float(each.mean() if self.weight is None else each @ self.share)
            self._settled[_SIZE] = theta, mean
        return float(mean + self._cost(theta))

    def pulls(self, theta: Floats) -> Floats:
        """What the derivatives by theta would be if no signal of a row worked against another."""
        kept = self._sweep(theta).signals
        found = np.zeros(theta.shape)
        for rows, signal in self._signals(theta) if kept is None else [(slice(0, len(kept)), kept)]:
            found += self._back(np.abs(signal), rows, abs(design.run_of(self.features, rows)))
        return found + self.penalty * np.abs(theta)

    @property
    def _units(self) -> int:
        """How many units raw outputs have: classes have one; a mean of millions and the logarithm of its scale are far apart."""
        return 1 if self.loss.is_classwise else self.outputs

    def _signals(self, theta: Floats) -> Iterator[tuple[slice, Floats]]:
        """The rows of each block, and their signals."""
        for rows, share, raw, signal in self._raw_of_blocks(theta):
            self._step(rows, share, raw, signal)
            yield rows, signal

    def _back(self, signal: Floats, rows: slice, features: Any = None) -> Floats:
        """A signal of some rows as one of theta, of whatever features they have."""
        found = np.empty((self.count, signal.shape[1]))
        part = design.run_of(self.features, rows) if features is None else features
        found[: part.shape[1]] = design.back(part, signal, compiled=self._by_loops)
        if self.intercept:
            # Of one raw output a sum takes a fiftieth of what a product with ones does, which BLAS deals to threads.
            found[-1] = signal[:, 0].sum() if signal.shape[1] == 1 else np.ones(len(signal)) @ signal
        return found

    def _cost(self, theta: Floats) -> float:
        return float(np.sum(self.penalty * theta**2)) / 2 if self.alpha else 0.0

    def curvature(self, theta: Floats, *, single: bool = False) -> Floats:
        """The second derivatives by theta, flattened row by row; curvature of a row below zero counts as none.

        Those of one raw output may be found to six digits, in less time.
        """
        if self.outputs == 1:
            found = self.products(self.bends(theta), single=single)
        else:
            found = self._crossed(self._bends_of_outputs(theta))
            found[self.held.ravel()], found[:, self.held.ravel()] = 0.0, 0.0
            found[np.diag_indices_from(found)] += self.held.ravel()
        found[np.diag_indices_from(found)] += self.penalty.ravel()
        return found

    def along(self, theta: Floats, ways: Floats, away: Floats | None = None) -> tuple[Floats, Floats, Floats]:
        """The derivative and the curvature along directions of theta (its columns), and the bend that rounding alone makes.

        Found of the raw outputs that each direction moves, which keep the digits that products of columns lose. ``away`` is
        what was taken from each column, in its scale.
        """
        each = ways.reshape(self.count, self.outputs, -1)
        slope = ways.T @ (self.penalty * theta).ravel()
        bend = (ways * self.penalty.ravel()[:, None]).T @ ways
        rounding = np.zeros(ways.shape[1])
        bends = self._bends_of_outputs(theta)
        signals = np.concatenate([signal.copy() for _, signal in self._signals(theta)])
        away = np.abs(self.centre / self.scale if away is None else away)
        for rows in design.runs(self.features):
            part = self.features[rows]
            moved = [self._moved(part, each[:, k]) for k in range(self.outputs)]
            for k, here in enumerate(moved):
                sizes = np.abs(each[:, k])
                off = _EPS * (self._moved(abs(part), sizes) + away @ sizes[: len(away)])
                slope += here.T @ signals[rows, k]
                rounding += np.maximum(bends[rows, k, k], 0) @ off**2
                for j, there in enumerate(moved):
                    bend += here.T @ (bends[rows, k, j, None] * there)
        return slope, bend, rounding

    def _moved(self, features: Any, ways: Floats) -> Floats:
        """How far raw outputs of rows move in each direction of one raw output's parameters."""
        found = np.asarray(features @ ways[: features.shape[1]])
        return found + ways[-1] if self.intercept else found

    def _bends_of_outputs(self, theta: Floats) -> Floats:
        """What each row adds to the second derivative by its raw outputs, (rows, outputs, outputs)."""
        if self.outputs == 1:
            return self.bends(theta)[:, None, None]
        found = self.loss.hessian(self.y, self.raw(theta), full=True)
        return np.asarray(found * self.share[:, None, None])

    def mean_curvature(self, theta: Floats, width: float) -> Floats:
        """The second derivatives of one raw output's objective, those of each row averaged over a width of it."""
        found = self.products(self.bends(theta, width))
        found[np.diag_indices_from(found)] += self.penalty.ravel()
        return found

    def spread(self, theta: Floats) -> float:
        """How far apart the targets lie, and the raw outputs."""
        return float(np.ptp(self.y)) + float(np.ptp(self.raw(theta)))

    def _bend(self, theta: Floats) -> Floats:
        """The second derivative of each row by each of its raw outputs, compiled where there are many rows."""
        z = self.raw(theta)
        found = kernels.table(self.loss, "curvature", self.y, z)
        return np.asarray(self.loss.hessian(self.y, z) if found is None else found, dtype=np.float64)

    def diagonal(self, theta: Floats) -> Floats:
        """The second derivatives by each parameter alone, of theta's shape; curvature of a row below zero counts as none."""
        bend = np.maximum(self._bend(theta), 0).reshape(-1, self.outputs)
        weighed = bend * self.share[:, None]
        found = design.squares(self.features).T @ weighed + self.held[: self.features.shape[1]]
        return (np.concatenate([found, weighed.sum(axis=0)[None]]) if self.intercept else found) + self.penalty

    def parabola(self, theta: Floats, bend: float, *, single: bool) -> tuple[Floats, Floats]:
        """The curvature and the derivative at theta, whose slopes are zero, where each row bends by this much everywhere.

        Both by one table of products of the columns with each other and with signals; to six digits in half the time.
        """
        size = self.count
        found = np.zeros((size + 1, size + 1))
        total = len(self.y) if self.weight is None else self.weight.sum()
        for rows, signal in self._signals(theta):
            weight = None if self.weight is None else self.weight[rows]
            pull = signal[:, 0] * total
            if weight is not None:
                np.divide(pull, weight, out=pull, where=weight > 0)
            beside = [*[1.0] * self.intercept, pull]
            found += design.gram(design.run_of(self.features, rows), weight, beside, single=single) / total
        curvature = found[:size, :size] * bend
        curvature[np.diag_indices_from(curvature)] += self.penalty.ravel()
        return curvature, found[:size, -1:] + self.penalty * theta

    def bends(self, theta: Floats, width: float = 0.0) -> Floats:
        """What each row adds to the second derivative by the one raw output, or to its mean over a width; 0 if less."""
        if not width:
            return np.maximum(self._bend(theta), 0) * self.share
        z = self.raw(theta)
        change = self.loss.gradient(self.y, z + width / 2) - self.loss.gradient(self.y, z - width / 2)
        return np.asarray(np.maximum(change / width, 0) * self.share)

    def products(self, by_row: Floats, some: NDArray[np.intp] | None = None, *, single: bool = False) -> Floats:
        """X' diag(by_row) X, with the intercept's column of ones, for weights that are not negative; or some of its rows."""
        if some is None:
            return design.gram(self.features, by_row, [1.0] * self.intercept, single=single)
        inner = design.between(self.features, some, by_row)
        if not self.intercept:
            return inner
        return np.column_stack([inner, design.back(self.features[:, some], by_row[:, None], compiled=False)])

    def _bordered(self, inner: Floats, by_row: Floats) -> Floats:
        """Products of columns, with those of the intercept's column of ones."""
        if not self.intercept:
            return inner
        edge = design.back(self.features, by_row[:, None], compiled=self._by_loops)[:, 0]
        return np.block([[inner, edge[:, None]], [edge, by_row.sum()]])

    def _crossed(self, bend: Floats) -> Floats:
        """All second derivatives, of those of each row by each pair of its raw outputs."""
        k, q = self.outputs, self.count
        found = np.zeros((q, k, q, k))
        for i in range(k):
            for j in range(i + 1):
                block = self._bordered(design.crossed(self.features, bend[:, i, j]), bend[:, i, j])
                found[:, i, :, j] = block
                found[:, j, :, i] = block.T
        return found.reshape(q * k, q * k)

    def coefficients(self, theta: Floats) -> tuple[Floats, Floats]:
        """Coefficients (features, outputs) and intercepts (outputs,) for the columns as they came."""
        slopes = theta[: self.features.shape[1]] / self.scale[:, None]
        if not self.intercept:
            return slopes, np.zeros(self.outputs)
        return slopes, theta[-1] - self.centre @ slopes


def look(objectives: Sequence[Objective], thetas: Sequence[Floats]) -> None:
    """Sweep over the rows, which are the same for all objectives, at a place for each: as many at a time as rows meet at once."""
    size = design.together(objectives[0].features.shape[1])
    asked = [(each, theta) for each, theta in zip(objectives, thetas, strict=True) if not each.is_known(theta)]
    for k in range(0, len(asked), size):
        some = asked[k : k + size]
        found = objectives[0]._swept_through(*[theta for _, theta in some])
        for (objective, _), swept in zip(some, found or (), strict=False):
            objective._swept_at = swept


def _frame(features: Any, weight: Floats | None, intercept: bool) -> tuple[Floats, Floats]:
    """Centres and scales of the columns: zeros and ones where the columns are even as they are."""
    width = features.shape[1]
    centre, scale = np.zeros(width), np.ones(width)
    if not width:
        return centre, scale
    middle, spread = design.moments(features, weight)
    # A table of mostly zeros would not stay one if something were taken from each cell.
    centred = design.may_move(features) & intercept
    size = np.where(centred, spread, np.hypot(middle, spread))
    size = np.where(size > 0, size, np.where(middle != 0, np.abs(middle), 1.0))
    uneven = size.max() > _UNEVEN * size.min() or not 1 / _UNEVEN < size.max() < _UNEVEN
    if (centred & (np.abs(middle) > _OFF_CENTRE * size)).any():
        uneven, centre = True, np.where(centred, middle, 0.0)
    return centre, size if uneven else scale
