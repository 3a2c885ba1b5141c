"""What a linear model minimises: the weighted mean loss plus alpha / 2 times the squared coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from goodmeasure import kernels
from goodmeasure.deriving import numbers
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.row_arguments import Floats

# A fit of at most so many raw outputs takes less time by plain evaluation than a compiler takes to start: few steps are made,
# each of at most some milliseconds. Kernels are for what is larger, whether or not they are compiled already.
_PLAIN = 1 << 15
# Rows whose outer products are summed at a time: they fit in a core's cache.
_ROWS = 2048
# Columns are put on a common scale where their scales differ by more than this, or one lies this many away from zero.
_UNEVEN = 30.0
_OFF_CENTRE = 3.0
# Where the mean square of a column about its middle is less than this part of that of the middle, a difference loses digits.
_CANCELS = 1e-6

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


@dataclass(eq=False)
class Objective:
    """The mean of ``loss`` over rows plus ``alpha / 2 * sum(coefficients**2)``, as a function of theta.

    ``theta`` has a row for each feature, then one for the intercept if there is one, and a column for each raw output. It
    speaks of columns that are centred and scaled where that helps the arithmetic; the penalty is on the coefficients of
    the columns as they came, so the minimum is the same. The intercept is not penalised. Raw outputs that do not follow the
    features (the steps between grades) have coefficients of zero, which nothing moves.
    """

    loss: Loss
    features: Floats
    y: NDArray[Any]
    weight: Floats | None = None
    offset: Floats | None = None
    alpha: float = 0.0
    intercept: bool = True
    outputs: int = 1
    centre: Floats = field(init=False)
    scale: Floats = field(init=False)
    # The last theta with its raw outputs, and with its value and gradient: a step asks for them more than once.
    _raw_at: tuple[Floats, Floats] | None = field(init=False, default=None)
    _value_at: tuple[Floats, float, Floats] | None = field(init=False, default=None)
    _signal: Floats | None = field(init=False, default=None)
    # What follows from the targets alone, shared by objectives that differ in the penalty.
    _settled: dict[Any, Any] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.centre, self.scale = _frame(self.features, self.weight, self.intercept)
        if self.centre.any() or (self.scale != 1).any():
            self.features = (self.features - self.centre) / self.scale

    def penalised(self, alpha: float) -> Objective:
        """The same rows with this penalty; what is known of their targets is kept."""
        found = self._framed_alike(self.features, alpha=alpha)
        found._settled = self._settled
        return found

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
        weight, offset = (None if each is None else each[rows] for each in (self.weight, self.offset))
        return self._framed_alike(self.features[rows], y=self.y[rows], weight=weight, offset=offset)

    @classmethod
    def in_frame(cls, loss: Loss, y: NDArray[Any], features: Floats, **more: Any) -> Objective:
        """The objective of columns that are centred and scaled already, and whose penalty is counted elsewhere."""
        found = cls(loss, np.empty((0, 0)), y, **more)
        found.features, found.centre, found.scale = features, np.zeros(features.shape[1]), np.ones(features.shape[1])
        return found

    def _framed_alike(self, features: Floats, **changes: Any) -> Objective:
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
        return np.concatenate([self.alpha / self.scale**2, zero])[:, None] * np.ones(self.outputs)

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
            slopes = theta[: self.features.shape[1]]
            z = self.features @ slopes if slopes.any() else np.zeros((len(self.y), self.outputs))
            if self.intercept:
                z += theta[-1]
            if self.offset is not None:
                z += self.offset[:, None]
            self._raw_at = theta, z[:, 0] if self.outputs == 1 else z
        return self._raw_at[1]

    def value(self, theta: Floats) -> float:
        """The objective; infinite where the loss is."""
        return self.loss(self.y, self.raw(theta), self.weight) + self._cost(theta)

    def value_and_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """The objective and its derivative by theta."""
        if self._value_at is None or self._value_at[0] is not theta:
            mean, signal = self._mean_and_signal(self.raw(theta))
            self._value_at = theta, mean + self._cost(theta), self.back(signal) + self.penalty * theta
            self._signal = signal
        return self._value_at[1:]

    def _mean_and_signal(self, z: Floats) -> tuple[float, Floats]:
        """The mean loss and its derivative by the raw outputs: plainly where they are too few for a kernel to pay."""
        step = numbers.value_and_gradient if z.size <= _PLAIN else Loss.value_and_gradient
        return step(self.loss, self.y, z, self.weight)

    def rounding(self, theta: Floats) -> float:
        """How much of the objective is rounding: its own, and what that of the raw outputs does to it."""
        value, _ = self.value_and_gradient(theta)
        assert self._signal is not None
        # Raw outputs may be in units far apart, such as a mean of millions and the logarithm of its scale.
        raw, signal = (each.reshape(-1, self.outputs) for each in (self.raw(theta), self._signal))
        moved = np.abs(raw).max(axis=0, initial=0) @ np.abs(signal).sum(axis=0)
        return float(np.finfo(np.float64).eps * (abs(value) + moved))

    def reach(self, direction: Floats) -> float:
        """How far a step moves the raw output that it moves most."""
        found = self.features @ direction[: self.features.shape[1]] + (direction[-1] if self.intercept else 0.0)
        return float(np.abs(found).max(initial=0))

    def pull(self, theta: Floats) -> float:
        """The mean size of the rows' signals."""
        self.value_and_gradient(theta)
        assert self._signal is not None
        return float(np.abs(self._signal).sum())

    def size(self, theta: Floats) -> float:
        """The mean size of a row's loss, and the penalty: what is a little or much of the objective."""
        found = kernels.table(self.loss, "value", self.y, self.raw(theta))
        each = np.abs(self.loss.value(self.y, self.raw(theta)) if found is None else found)
        return float(each.mean() if self.weight is None else each @ self.share) + self._cost(theta)

    def pulls(self, theta: Floats) -> Floats:
        """What the derivatives by theta would be if no signal of a row worked against another."""
        self.value_and_gradient(theta)
        assert self._signal is not None
        size = np.abs(self._signal).reshape(-1, self.outputs)
        found = np.abs(self.features).T @ size
        found = np.concatenate([found, size.sum(axis=0)[None]]) if self.intercept else found
        return np.asarray(found + self.penalty * np.abs(theta))

    def back(self, signal: Floats) -> Floats:
        """A signal of the rows as one of theta."""
        signal = signal.reshape(-1, self.outputs)
        parts = [self.features.T @ signal]
        found = np.concatenate([*parts, signal.sum(axis=0)[None]]) if self.intercept else parts[0]
        return np.where(self.held, 0.0, found)

    def _cost(self, theta: Floats) -> float:
        return float(np.sum(self.penalty * theta**2)) / 2 if self.alpha else 0.0

    def curvature(self, theta: Floats) -> Floats:
        """The second derivatives by theta, flattened row by row; curvature of a row below zero counts as none."""
        if self.outputs == 1:
            found = self._gram(np.maximum(self._bend(theta), 0) * self.share)
        else:
            bend = self.loss.hessian(self.y, self.raw(theta), full=True)
            found = self._blocks(bend * self.share[:, None, None])
            found[self.held.ravel()], found[:, self.held.ravel()] = 0.0, 0.0
            found[np.diag_indices_from(found)] += self.held.ravel()
        found[np.diag_indices_from(found)] += self.penalty.ravel()
        return found

    def mean_curvature(self, theta: Floats, width: float) -> Floats:
        """The second derivatives of one raw output's objective, those of each row averaged over a width of it."""
        z = self.raw(theta)
        change = self.loss.gradient(self.y, z + width / 2) - self.loss.gradient(self.y, z - width / 2)
        found = self._gram(np.maximum(change / width, 0) * self.share)
        found[np.diag_indices_from(found)] += self.penalty.ravel()
        return found

    def _bend(self, theta: Floats) -> Floats:
        """The second derivative of each row by each of its raw outputs, compiled where there are many rows."""
        z = self.raw(theta)
        found = kernels.table(self.loss, "curvature", self.y, z)
        return np.asarray(self.loss.hessian(self.y, z) if found is None else found, dtype=np.float64)

    def diagonal(self, theta: Floats) -> Floats:
        """The second derivatives by each parameter alone, of theta's shape; curvature of a row below zero counts as none."""
        bend = np.maximum(self._bend(theta), 0).reshape(-1, self.outputs)
        weighed = bend * self.share[:, None]
        found = (self.features**2).T @ weighed + self.held[: self.features.shape[1]]
        return (np.concatenate([found, weighed.sum(axis=0)[None]]) if self.intercept else found) + self.penalty

    def _gram(self, by_row: Floats) -> Floats:
        """X' diag(by_row) X, with the intercept's column of ones, for weights that are not negative."""
        width = self.features.shape[1]
        found = np.zeros((self.count, self.count))
        for start in range(0, len(by_row), _ROWS):
            part, h = self.features[start : start + _ROWS], by_row[start : start + _ROWS]
            rooted = part * np.sqrt(h)[:, None]
            found[:width, :width] += rooted.T @ rooted
            if self.intercept:
                found[-1, :width] += h @ part
        if self.intercept:
            found[:width, -1] = found[-1, :width]
            found[-1, -1] = by_row.sum()
        return found

    def _blocks(self, bend: Floats) -> Floats:
        k, q = self.outputs, self.count
        columns = np.ones((len(bend), 1)) if self.intercept else np.empty((len(bend), 0))
        design = np.hstack([self.features, columns])
        found = np.zeros((q, k, q, k))
        for i in range(k):
            for j in range(i + 1):
                block = design.T @ (bend[:, i, j, None] * design)
                found[:, i, :, j] = block
                found[:, j, :, i] = block.T
        return found.reshape(q * k, q * k)

    def coefficients(self, theta: Floats) -> tuple[Floats, Floats]:
        """Coefficients (features, outputs) and intercepts (outputs,) for the columns as they came."""
        slopes = theta[: self.features.shape[1]] / self.scale[:, None]
        if not self.intercept:
            return slopes, np.zeros(self.outputs)
        return slopes, theta[-1] - self.centre @ slopes


def _frame(features: Floats, weight: Floats | None, intercept: bool) -> tuple[Floats, Floats]:
    """Centres and scales of the columns: zeros and ones where the columns are even as they are."""
    width = features.shape[1]
    centre, scale = np.zeros(width), np.ones(width)
    if not width:
        return centre, scale
    share = np.full(len(features), 1 / len(features)) if weight is None else weight / weight.sum()
    middle = np.average(features, axis=0, weights=weight)  # exact of a constant column, as a product is not
    spread = np.sqrt(_squares(features, middle, share, even=weight is None))
    size = spread if intercept else np.sqrt(middle**2 + spread**2)
    size = np.where(size > 0, size, np.where(middle != 0, np.abs(middle), 1.0))
    uneven = size.max() > _UNEVEN * size.min() or not 1 / _UNEVEN < size.max() < _UNEVEN
    if intercept and (np.abs(middle) > _OFF_CENTRE * size).any():
        uneven, centre = True, middle
    return centre, size if uneven else scale


def _squares(features: Floats, middle: Floats, share: Floats, *, even: bool) -> Floats:
    """The mean square of each column about its middle: of all at once, unless rows count unevenly or digits would be lost."""
    if even:
        found: Floats = np.einsum("ij,ij->j", features, features) / len(features) - middle**2
        if (found > _CANCELS * middle**2).all():
            return found
    found = np.zeros(features.shape[1])
    for start in range(0, len(features), _ROWS):
        away = features[start : start + _ROWS] - middle
        away *= away
        found += share[start : start + _ROWS] @ away
    return found
