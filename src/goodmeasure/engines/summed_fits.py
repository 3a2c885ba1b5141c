"""Linear models of rows that no memory holds: each shard sums value, gradient and curvature, and Newton's steps are made here.

A step reads all rows once: their sums are all that is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from importlib import import_module
from operator import add
from os import PathLike
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from goodmeasure.deriving.arguments import check_targets
from goodmeasure.engines.duckdb import blocks_of
from goodmeasure.engines.request import Columns, Request
from goodmeasure.engines.shard import ENGINES, HERE, Here, Partition, Shard, Shards
from goodmeasure.engines.tallied import names_of, shards_of
from goodmeasure.errors import NothingToAverage, Problem, UsageError, shorter
from goodmeasure.fitting import newton, proximal
from goodmeasure.fitting.certificate import Certificate, Status
from goodmeasure.fitting.linear import CLOSE, FAR, refuse_sizes
from goodmeasure.fitting.newton import Reached
from goodmeasure.fitting.objective import Objective
from goodmeasure.making.loss import Loss
from goodmeasure.reading.connection import kept_open
from goodmeasure.reading.paths import places_of
from goodmeasure.statistics.row_arguments import Floats, MissingScore
from goodmeasure.statistics.weights import check_weights
from goodmeasure.tallying.accumulate import even
from goodmeasure.traits.curvature_class import CurvatureClass, curvature_class

# Rows whose table is made at a time: it stays near the core that sums it.
_ROWS = 1 << 14
# Targets of each shard that tell where to begin.
_SOME = 500


class FitStopped(Problem, RuntimeError):
    """The fit did not reach a minimum in the steps that it was given.

    Separable classes have no finite minimum: give ``alpha`` a small positive value. Otherwise allow more steps.
    """

    code = "GM726"


Row = tuple[Floats, NDArray[Any], Floats]
"""Some rows: features (n, p), targets as the loss takes them (n,), and weights above zero (n,)."""


class Rows(Protocol):
    """What is fitted, and how a shard becomes rows of numbers; it goes to the workers."""

    @property
    def loss(self) -> Loss: ...

    @property
    def width(self) -> int:
        """How many features a row has."""

    @property
    def intercept(self) -> bool: ...

    def of(self, shard: Shard) -> Iterator[Row]:
        """The rows of a shard that count, some at a time."""


@dataclass(frozen=True)
class Spec:
    """What is fitted to which columns."""

    loss: Loss
    target: str
    features: tuple[str, ...]
    weight: str | None
    intercept: bool

    @property
    def request(self) -> Request:
        scores = tuple((name, (name,)) for name in self.features)
        return Request((self.loss,), self.target, scores, weight=self.weight)

    @property
    def width(self) -> int:
        return len(self.features)

    def of(self, shard: Shard) -> Iterator[Row]:
        """Features, targets and weights of the rows of a shard that count, some at a time."""
        for block in blocks_of(shard, self.request):
            yield from self._rows(block)

    def _rows(self, block: Columns) -> Iterator[Row]:
        for part in even(len(block[self.target]), _ROWS):
            y = np.asarray(block[self.target][part], dtype=np.float64)
            w = np.ones(len(y)) if self.weight is None else np.asarray(block[self.weight][part], dtype=np.float64)
            check_weights(w)
            x = np.column_stack([np.asarray(block[name][part], dtype=np.float64) for name in self.features])
            at = w > 0
            if at.any():
                yield self._checked(x[at], y[at]), self._targets(y[at]), w[at]

    def _checked(self, x: Floats, y: Floats) -> Floats:
        for name, column in zip((self.target, *self.features), (y, *x.T), strict=True):
            if not np.isfinite(column).all():
                held = column[~np.isfinite(column)][0]
                raise MissingScore(f"{name} holds {held}", where=name, fix="leave such rows out, or fill them")
        return x

    def _targets(self, y: Floats) -> NDArray[Any]:
        if self.loss.is_classwise:
            if (y < 0).any() or (y != np.floor(y)).any():
                seen = y[(y < 0) | (y != np.floor(y))][0]
                raise MissingScore(
                    f"{self.target} holds {seen:g}", where=self.target, fix="classes coded 0, 1, 2, ... without a gap"
                )
            return y.astype(np.intp)
        check_targets(y, y, self.loss.target, None, self.loss)
        return y


@dataclass(frozen=True)
class _Moments:
    """Of the rows of a shard: their number and weight, each column's mean and summed square about it, and its targets.

    Of amounts these are some; of classes and outcomes the different ones, with what each weighs.
    """

    rows: int
    weight: float
    mean: Floats
    square: Floats
    largest: float
    some: NDArray[Any]
    counts: Floats

    def __add__(self, other: _Moments) -> _Moments:
        """Of both (Chan, Golub and LeVeque 1979)."""
        weight = self.weight + other.weight
        share = other.weight / weight if weight else 0.0
        away = other.mean - self.mean
        return _Moments(
            self.rows + other.rows,
            weight,
            self.mean + share * away,
            self.square + other.square + share * self.weight * away**2,
            max(self.largest, other.largest),
            np.concatenate([self.some, other.some]),
            np.concatenate([self.counts, other.counts]),
        )


@dataclass(frozen=True)
class _Sums:
    """Of the rows of a shard, each weighed: loss, signal and curvature by theta, their rounding, and what signals pull."""

    value: float
    gradient: Floats
    curvature: Floats
    rounding: float
    pulls: Floats

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(*(mine + its for mine, its in zip(vars(self).values(), vars(other).values(), strict=True)))


@dataclass(frozen=True)
class _At:
    """Where shards are asked: the parameters, and the frame of the columns."""

    spec: Rows
    theta: Floats
    centre: Floats
    scale: Floats

    def objective(self, x: Floats, y: NDArray[Any], w: Floats) -> Objective:
        """The mean loss of some rows, without the penalty."""
        features = (x - self.centre) / self.scale
        more = {"weight": w, "intercept": self.spec.intercept, "outputs": self.theta.shape[1]}
        return Objective.in_frame(self.spec.loss, y, features, **more)


# --- tasks ---


@contextmanager
def _naming(shard: Shard) -> Iterator[None]:
    """Problems with rows say of which shard they are."""
    try:
        yield
    except Problem as problem:
        name = shard.name if isinstance(shard, Partition) else shard
        if name not in problem.where:
            problem.where = f"{name}: {problem.where}" if problem.where else name
        raise


@contextmanager
def _asking(shard: Shard) -> Iterator[None]:
    """What rows say of an objective: far steps overflow, and are judged by what comes out."""
    with _naming(shard), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        yield


def _moments(shard: Shard, spec: Rows) -> _Moments:
    none = np.zeros(spec.width)
    found = _Moments(0, 0.0, none, none, 0.0, np.empty(0), np.empty(0))
    with _naming(shard):
        for x, y, w in spec.of(shard):
            mean = w @ x / w.sum()
            some = _some_targets(spec.loss, y, w, enough=len(found.some) >= _SOME)
            found += _Moments(len(y), float(w.sum()), mean, w @ (x - mean) ** 2, float(y.max()), *some)
    return found


def _some_targets(loss: Loss, y: NDArray[Any], w: Floats, *, enough: bool) -> tuple[NDArray[Any], Floats]:
    """Targets that tell where to begin, and what each weighs: all different ones of classes, a few of amounts."""
    if loss.is_classwise or loss.is_binary:
        values, at = np.unique(y, return_inverse=True)
        if len(values) <= _SOME:
            return values, np.bincount(at, weights=w).astype(np.float64)
    few = y[:0] if enough else y[:: max(1, len(y) // _SOME)]
    return few, np.ones(len(few))


def _sums(shard: Shard, at: _At) -> _Sums:
    nothing = np.zeros(at.theta.shape)
    found = _Sums(0.0, nothing, np.zeros((nothing.size, nothing.size)), 0.0, nothing)
    with _asking(shard):
        for rows in at.spec.of(shard):
            objective, weight = at.objective(*rows), float(rows[2].sum())
            value, gradient = objective.value_and_gradient(at.theta)
            found += _Sums(
                weight * value,
                weight * gradient,
                weight * objective.curvature(at.theta),
                weight * objective.rounding(at.theta),
                weight * objective.pulls(at.theta),
            )
    return found


def _size(shard: Shard, at: _At) -> float:
    with _asking(shard):
        return sum(float(rows[2].sum()) * at.objective(*rows).size(at.theta) for rows in at.spec.of(shard))


def _along(shard: Shard, at: _At, ways: Floats) -> tuple[Floats, Floats, Floats]:
    size = ways.shape[1]
    found = np.zeros(size), np.zeros((size, size)), np.zeros(size)
    with _asking(shard):
        for rows in at.spec.of(shard):
            parts = at.objective(*rows).along(at.theta, ways, at.centre / at.scale)
            slope, bend, rounding = (whole + rows[2].sum() * part for whole, part in zip(found, parts, strict=True))
            found = slope, bend, rounding
    return found


def _reach(shard: Shard, at: _At) -> float:
    with _asking(shard):
        return max((at.objective(*rows).reach(at.theta) for rows in at.spec.of(shard)), default=0.0)


# --- the fit ---


@dataclass(eq=False)
class _Merged:
    """The mean loss over all shards plus the penalty, as Newton's method asks for it; shards are added in their order."""

    shards: Shards
    spec: Rows
    alpha: float
    outputs: int
    moments: _Moments
    l1_ratio: float = 0.0
    passes: int = 1
    _known: list[tuple[Floats, _Sums]] = field(default_factory=list)

    def __post_init__(self) -> None:
        spread = np.sqrt(self.moments.square / self.moments.weight)
        middle = self.moments.mean
        size = spread if self.spec.intercept else np.hypot(middle, spread)
        self.centre = middle if self.spec.intercept else np.zeros_like(middle)
        self.scale = np.where(size > 1e-13 * np.abs(middle), size, np.where(middle != 0, np.abs(middle), 1.0))
        self.loss = self.spec.loss
        self.alone = self._at(np.zeros((0, self.outputs))).objective(
            np.empty((0, len(middle))), np.empty(0), np.empty(0)
        )
        self.held = self.alone.held
        self.intercept = self.spec.intercept
        self.penalty, self.l1 = (np.zeros((self.alone.count, self.outputs)) for _ in range(2))
        self.penalty[: len(middle)] = (self.alpha * (1 - self.l1_ratio) / self.scale**2)[:, None]
        self.l1[: len(middle)] = (self.alpha * self.l1_ratio / self.scale)[:, None]

    def _at(self, theta: Floats) -> _At:
        return _At(self.spec, theta, self.centre, self.scale)

    def _sums(self, theta: Floats) -> _Sums:
        """The sums at theta, as a mean; a step asks for those at its two ends more than once."""
        for known, sums in self._known:
            if known is theta:
                return sums
        self.passes += 1
        found = reduce(add, self.shards.map(_sums, self._at(theta)))
        mean = _Sums(*(each / self.moments.weight for each in vars(found).values()))
        self._known = [*self._known[-2:], (theta, mean)]
        return mean

    def value(self, theta: Floats) -> float:
        """The objective."""
        return self.value_and_gradient(theta)[0]

    def value_and_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """The objective and its derivative."""
        sums = self._sums(theta)
        return sums.value + float(np.sum(self.penalty * theta**2)) / 2, sums.gradient + self.penalty * theta

    def curvature(self, theta: Floats) -> Floats:
        """The second derivatives."""
        return np.asarray(self._sums(theta).curvature + np.diag(self.penalty.ravel()))

    def rounding(self, theta: Floats) -> float:
        """How much of the objective is rounding."""
        return self._sums(theta).rounding

    def along(self, theta: Floats, ways: Floats) -> tuple[Floats, Floats, Floats]:
        """The derivative and the curvature along directions, and the bend that rounding alone makes."""
        self.passes += 1
        sums = zip(*self.shards.map(partial(_along, ways=ways), self._at(theta)), strict=True)
        slope, bend, rounding = (sum(parts) / self.moments.weight for parts in sums)
        penalty = self.penalty.ravel()[:, None]
        return slope + ways.T @ (penalty[:, 0] * theta.ravel()), bend + (penalty * ways).T @ ways, rounding

    def pulls(self, theta: Floats) -> Floats:
        """What the derivatives would be if no signal worked against another."""
        return self._sums(theta).pulls + self.penalty * np.abs(theta)

    def pull(self, theta: Floats) -> float:
        """The mean size of the rows' signals, where there is an intercept."""
        return float(self.pulls(theta)[-1].sum())

    def size(self, theta: Floats) -> float:
        """The mean size of a row's loss, and the penalty."""
        self.passes += 1
        found = sum(self.shards.map(_size, self._at(theta))) / self.moments.weight
        return float(found + np.sum(self.penalty * theta**2) / 2)

    def reach(self, direction: Floats) -> float:
        """How far a step moves the raw output that it moves most."""
        self.passes += 1
        return float(max(self.shards.map(_reach, self._at(direction))))

    def start(self) -> Floats:
        """The best constant of some targets."""
        theta = np.zeros(self.penalty.shape)
        if self.spec.intercept:
            some = self.moments.some.astype(np.intp) if self.loss.is_classwise else self.moments.some
            classes = self.outputs if self.loss.is_classwise else None
            best = self.loss.best_constant(some, self.moments.counts, classes=classes)
            theta[-1] = np.nan_to_num(np.atleast_1d(np.asarray(best, dtype=np.float64)), posinf=FAR, neginf=-FAR)
        return theta

    def coefficients(self, theta: Floats) -> tuple[Floats, Floats]:
        """Slopes (features, outputs) and constants (outputs,) for the columns as they came."""
        slopes = theta[: len(self.scale)] / self.scale[:, None]
        return slopes, theta[-1] - self.centre @ slopes if self.spec.intercept else np.zeros(self.outputs)


def several(features: Any) -> tuple[str, ...]:
    """The names of the features. Error: GM009."""
    if not isinstance(features, list | tuple) or not features:
        raise UsageError("features are a list of names of columns", seen=shorter(features), fix="features=['x1', 'x2']")
    return names_of("features", features)


def refuse(spec: Spec, **limits: Any) -> None:
    """Refuse what cannot be fitted. Error: GM009."""
    if not isinstance(spec.loss, Loss):
        raise UsageError(f"loss={spec.loss!r} is no loss", fix="gm.losses.huber(delta=2.0)")
    for name, value in limits.items():
        most = 1 if name == "l1_ratio" else np.inf
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float | np.number)
            or not (0 <= value <= most and value < np.inf)
        ):
            raise UsageError(
                f"{name}={shorter(value)}", fix=f"{name}=1  # a number from 0 {'to 1' if most == 1 else 'on'}"
            )
    if not isinstance(spec.intercept, bool | np.bool_):
        raise UsageError(f"fit_intercept={shorter(spec.intercept)}", fix="fit_intercept=True")
    if not (spec.intercept or all(spec.loss.follows)):
        raise UsageError(f"where the grades of {spec.loss} begin is an intercept each", fix="fit_intercept=True")
    if spec.loss.released is not spec.loss:
        raise UsageError(
            f"nothing is least where the signal of {spec.loss} is zero", fix="a loss without stop_gradient"
        )


def opened(data: Any, spec: Spec, engine: str, scheduler: str | None) -> AbstractContextManager[Shards]:
    """The shards of a frame, or of files where an engine reads them. Errors: GM008, GM009, GM201, GM203, GM725."""
    if not isinstance(data, str | PathLike):
        shards = shards_of(data, spec.request.columns)
        return _frame_here(data) if shards is None else nullcontext(shards)
    return files_by(data, engine, scheduler)


def files_by(data: Any, engine: str, scheduler: str | None) -> AbstractContextManager[Shards]:
    """Files where an engine reads them. Errors: GM008, GM009, GM201, GM725."""
    if not isinstance(engine, str) or engine not in ENGINES:
        raise UsageError(f"engine={shorter(engine)}", fix=f"engine={' or '.join(map(repr, ENGINES))}")
    if scheduler is not None and (not isinstance(scheduler, str) or engine == HERE):
        raise UsageError(f"scheduler={shorter(scheduler)}", fix="engine='dask', scheduler='tcp://host:8786'")
    if engine == HERE:
        return _files_here(data)
    return _files_there(data, partial(import_module(f"goodmeasure.engines.{engine}").files, scheduler=scheduler))


@contextmanager
def _frame_here(data: Any) -> Iterator[Shards]:
    with kept_open():  # each step asks it
        yield Here((Partition("frame", data),))


@contextmanager
def _files_here(data: Any) -> Iterator[Shards]:
    with places_of(data) as places, kept_open():  # each step asks every file
        yield Here(tuple(place.name for place in places.files))


@contextmanager
def _files_there(data: Any, files: Callable[[tuple[str, ...]], AbstractContextManager[Shards]]) -> Iterator[Shards]:
    from goodmeasure.engines.clusters import readable

    with places_of(data) as places, files(readable(places)) as shards:
        yield shards


@dataclass(frozen=True)
class MergedFit:
    """The least of the mean loss of all rows: slopes (features, outputs), constants (outputs,), and how it was found."""

    slopes: Floats
    constants: Floats
    certificate: Certificate
    rows: int
    passes: int
    steps: int


def fit_rows(
    shards: Shards, rows: Rows, alpha: float, max_iter: int = 100, tol: float = 1e-13, *, l1_ratio: float = 0.0
) -> MergedFit:
    """The linear model of the rows of all shards. Errors: those of `fit_linear`."""
    moments = reduce(add, shards.map(_moments, rows))
    if not moments.rows:
        raise NothingToAverage("there are no rows to fit", fix="rows with a weight above zero")
    outputs = int(moments.largest) + 1 if rows.loss.is_classwise else len(rows.loss.activation)
    seen = smooth(rows.loss, moments.some, outputs)
    merged = _Merged(shards, rows, alpha, outputs, moments, l1_ratio)
    if alpha * l1_ratio:
        refuse_sizes(rows.loss, seen)
        reached, certificate = _sparse(merged, seen, max_iter, tol)
    else:
        reached = newton.minimise(merged, merged.start(), tol=tol, max_iter=max_iter, watch=newton.unwatched)
        certificate = _certificate(merged, reached, seen)
    if reached.endless:
        raise FitStopped(
            "there is no best fit: the objective falls however large coefficients become", fix="alpha=1e-6"
        )
    if not reached.converged:
        raise FitStopped(
            f"the fit stopped after {reached.steps} steps",
            seen=f"largest slope {certificate.gradient:.2g}",
            fix=f"max_iter={10 * max_iter}",
        )
    return MergedFit(*merged.coefficients(reached.theta), certificate, moments.rows, merged.passes, reached.steps)


def _sparse(merged: _Merged, seen: CurvatureClass, max_iter: int, tol: float) -> tuple[Reached, Certificate]:
    """The least with a cost of sizes, and how that is known."""
    start = merged.start()
    most = merged.size(start)
    reached = proximal.minimise_whole(
        merged,
        start,
        most=most,
        tol=tol,
        max_iter=max_iter,
        watch=newton.unwatched,
        bend=lambda theta, width: (merged.curvature(theta), True),
    )
    value, (gap, proven) = proximal.value_of(merged, reached.theta), proximal.certified(merged, reached.theta, most)
    close = reached.converged and gap <= CLOSE * abs(value)
    certificate = Certificate(
        status=Status.OPTIMAL,
        objective=value,
        gap=gap,
        proven=proven,
        gradient=float(np.abs(proximal.left_over(merged, reached.theta)).max(initial=0)),
        convex=seen.evidence,
        method=proximal.method(merged),
    )
    return replace(reached, converged=close), certificate


IN_MEMORY = "gm.losses.log_cosh(), gm.losses.huber(); or in memory gm.LossRegressor(loss).fit(X, y)"


def smooth(loss: Loss, some: NDArray[Any], outputs: int, fix: str = IN_MEMORY) -> CurvatureClass:
    """How a loss bends on some targets. Error: GM009 for one that has kinks, or does not bend."""
    seen = curvature_class(loss, some, outputs)
    if seen.flat or seen.jumps or seen.piecewise_linear:
        raise UsageError(
            f"{loss} is not smooth, and steps of all rows at once are for losses that are",
            fix=fix,
        )
    return seen


def _certificate(merged: _Merged, reached: Reached, seen: CurvatureClass) -> Certificate:
    value, gradient = merged.value_and_gradient(reached.theta)
    return Certificate(
        status=Status.OPTIMAL if seen.convex else Status.STATIONARY,
        objective=value,
        gap=reached.gap if seen.convex else None,
        proven=False,
        gradient=float(np.abs(gradient).max()),
        convex=seen.evidence,
        method="half the squared Newton decrement" if seen.convex else "a point where the signals balance",
    )
