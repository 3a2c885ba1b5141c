"""Calibration of predicted amounts: which functional a loss asks for, its increasing fit, and the split of the
loss."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.calibrating.decomposition import Decomposition, PointLoss, parts
from goodmeasure.calibrating.isotonic import increasing, pool
from goodmeasure.deriving.predictions import identification_formula
from goodmeasure.formulas.expression import derivative
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.quantiles import weighted_quantile, weighted_quantiles
from goodmeasure.statistics.rounded_sums import rounded_sum
from goodmeasure.statistics.row_arguments import Floats, OutOfRange
from goodmeasure.statistics.sample import Sample

EXACT_ROWS = 5_000
GRID = 256
CELLS = 48
DRAWS = 60


class Target(enum.Enum):
    """What the predictions are about."""

    OUTCOME = enum.auto()
    CLASSES = enum.auto()
    AMOUNT = enum.auto()

    @staticmethod
    def of(loss: Any, p: ArrayLike, y: ArrayLike) -> Target:
        """Read off the loss where there is one, else off the shape of the scores and the values of the target."""
        if np.ndim(p) == 2:
            return Target.CLASSES
        if hasattr(loss, "is_binary"):
            return Target.OUTCOME if loss.is_binary else Target.AMOUNT
        values = np.asarray(y)
        return Target.OUTCOME if np.isin(values, (0, 1)).all() else Target.AMOUNT


@dataclass(frozen=True)
class AmountFunctional:
    """What a loss asks for, read off its identification function: the mean, a quantile, or something of its own.

    A mean is asked for where that function is prediction minus target; a quantile (``level``) where it takes two
    values.
    """

    loss: Any = None
    level: float | None = None

    @property
    def is_mean(self) -> bool:
        """Whether the mean is asked for."""
        return self.loss is None

    def identify(self, y: Floats, place: float) -> Floats:
        """The identification function of every target at one prediction."""
        if self.level is not None:
            return np.asarray((y <= place) - self.level, dtype=np.float64)
        raw = np.asarray(self.loss.raw(np.array([place])), dtype=np.float64)
        return np.asarray(self.loss.identification(y, np.repeat(raw, len(y))), dtype=np.float64)

    def misses(self, y: Floats, p: Floats) -> Floats:
        """Target minus prediction, or what takes its place: zero on average where the predictions are right."""
        if self.is_mean:
            return y - p
        return -np.asarray(self.loss.identification(y, self.loss.raw(p)), dtype=np.float64)

    def constant(self, y: Floats, w: Floats) -> float:
        """The best constant prediction."""
        if self.is_mean:
            return float(w @ y / w.sum())
        if self.level is not None:
            return weighted_quantile(y, w, self.level)
        return float(np.asarray(self.loss.predict(np.array([self.loss.best_constant(y, w)])))[0])


def asked(loss: Any) -> AmountFunctional:
    """What the loss asks for: a fact of the loss alone, the same for whatever targets it is used on."""
    if not hasattr(loss, "identification"):
        return AmountFunctional()
    by_target = derivative(identification_formula(loss), "y").number
    if by_target == -1 and _predicts_its_mean(loss):
        return AmountFunctional()
    if by_target == 0 and len(two := _steps(loss)) == 2:
        return AmountFunctional(loss, level=float(-two[0] / (two[1] - two[0])))
    return AmountFunctional(loss)


def _predicts_its_mean(loss: Any) -> bool:
    """Whether identification is prediction minus target, where it is something minus target."""
    raw = np.array([-1.0, 0.0, 1.0])
    return bool(np.allclose(loss.identification(np.ones(3), raw) + 1, loss.predict(raw)))


def _steps(loss: Any) -> Floats:
    """The values of a step function of the target, from next to the prediction to far from it."""
    centre = float(np.asarray(loss.predict(np.zeros(1)))[0])
    y = centre + np.multiply.outer([-1.0, 1.0], 10.0 ** np.arange(-6, 13)).ravel()
    y = y[~loss.target.outside(y)]
    return np.unique(np.asarray(loss.identification(y, np.zeros(len(y)))))


@dataclass(frozen=True)
class AmountSplit:
    """The split of the loss, and each row's miss: minus its identification function (for a mean, target -
    prediction)."""

    parts: Decomposition
    misses: Floats


@dataclass(frozen=True)
class AmountCurves:
    """The increasing fit at cells of about equal weight, and the fits of resampled rows."""

    prediction: Floats
    seen: Floats
    drawn: Floats
    weight: Floats


def amount_split(y: Floats, p: Floats, w: Floats, loss: Any, point: PointLoss) -> AmountSplit:
    """The plug-in split for amounts: exact for means, and for quantiles up to 5,000 rows; else on a fine grid."""
    ask = asked(loss)
    exact = ask.level is not None and _few(y, p)
    grid = _Grid(ask, y, p, w, (len(p), 0 if exact else GRID))
    return AmountSplit(grid.split(y, w, point, point(y, p)), ask.misses(y, p))


def _few(y: Floats, p: Floats) -> bool:
    """Whether there are few different rows: copies of a row make none more."""
    return len(y) <= EXACT_ROWS or len(np.unique(np.column_stack([y, p]), axis=0)) <= EXACT_ROWS


def amount_curve(
    y: Floats, p: Floats, sample: Sample, loss: Any, point: PointLoss, how: tuple[int, int]
) -> tuple[Floats, AmountCurves]:
    """The splits and curves of resampled rows or clusters, on cells of predictions; ``how`` is (most cells, seed)."""
    ask, w = asked(loss), sample.weight
    grid = _Grid(ask, y, p, w, (how[0] if ask.is_mean else CELLS, CELLS))
    losses, rng, draw = point(y, p), np.random.default_rng(how[1]), sample.drawing()
    splits, curves = [], []
    for _ in range(DRAWS):
        counts = draw(rng)
        splits.append(grid.split(y, counts, point, losses))
        curves.append(grid.fitted(y, counts))
    weight = summed(grid.cell, w)
    seen = AmountCurves(summed(grid.cell, w * p) / weight, grid.fitted(y, w), np.array(curves), weight)
    return np.array(splits), seen


class _Grid:
    """Rows by cell of prediction, and the identification function at a grid of values that the fit may take."""

    def __init__(self, ask: AmountFunctional, y: Floats, p: Floats, w: Floats, sizes: tuple[int, int]) -> None:
        self.ask, self.cell = ask, _cells(p, w, sizes[0])
        self.count = int(self.cell.max()) + 1
        self.places: Floats = np.empty(0)
        self.above: list[Floats] = []
        if not ask.is_mean and sizes[1]:
            self.places = np.unique(weighted_quantiles(y, w, np.linspace(0, 1, sizes[1])))
            self.above = [ask.identify(y, place) for place in self.places]
            if not np.isfinite(self.above).all():
                raise OutOfRange(
                    f"{ask.loss} leaves the range of numbers between these amounts",
                    seen=f"predictions and targets from {self.places[0]:g} to {self.places[-1]:g}",
                    fix="give the amounts in another unit: y = y / 1000",
                )

    def fitted(self, y: Floats, w: Floats) -> Floats:
        """The increasing fit of each cell; a cell without weight takes its left neighbour's."""
        weight = summed(self.cell, w, self.count)
        held = weight > 0
        if self.ask.is_mean:
            fit = self._means(w * y, weight, held)
        elif self.above:
            fit = np.full(int(held.sum()), self.places[0])
            for place, column in zip(self.places[1:], self.above[1:], strict=True):
                # A value is reached where too little still lies below it: the sign of an increasing fit of means.
                fit[self._means(-w * column, weight, held) >= 0] = place
        else:
            fit = self._quantiles(y, w)
        return np.asarray(fit[np.maximum(np.cumsum(held) - 1, 0)], dtype=np.float64)

    def _means(self, sums: Floats, weight: Floats, held: NDArray[np.bool_]) -> Floats:
        return pool(summed(self.cell, sums, self.count)[held], weight[held]).fit(int(held.sum()))

    def _quantiles(self, y: Floats, w: Floats) -> Floats:
        order = np.argsort(self.cell, kind="stable")
        order = order[w[order] > 0]
        first = np.unique(self.cell[order], return_index=True)[1]
        assert self.ask.level is not None
        level = self.ask.level
        groups = [(y[part], w[part]) for part in np.split(order, first[1:])]
        return increasing(groups, lambda values, weights: weighted_quantile(values, weights, level))

    def _constant(self, y: Floats, w: Floats) -> float:
        """The best constant, on the grid of values where resampling asks for it again and again."""
        if not self.above or len(self.places) > CELLS:
            held = w > 0
            return self.ask.constant(y[held], w[held])
        reached = [float(w @ column) <= 0 for column in self.above]
        return float(self.places[max(int(np.sum(reached)) - 1, 0)])

    def split(self, y: Floats, w: Floats, point: PointLoss, losses: Floats) -> Decomposition:
        """The plug-in split under these weights."""
        held, total = w > 0, rounded_sum(w)
        recalibrated = point(y[held], self.fitted(y, w)[self.cell][held])
        constant = point(y[held], np.full(int(held.sum()), self._constant(y, w)))
        return parts(*(float(w[held] @ column) / total for column in (losses[held], recalibrated, constant)))


def _cells(p: Floats, w: Floats, most: int) -> NDArray[np.intp]:
    """A code for each row by ascending prediction: equal predictions share one; at most so many."""
    distinct, cell = np.unique(p, return_inverse=True)
    if len(distinct) <= most:
        return cell.astype(np.intp)
    weight = summed(cell, w)
    place = np.minimum((np.cumsum(weight) - weight / 2) / weight.sum() * most, most - 1).astype(np.intp)
    return np.unique(place[cell], return_inverse=True)[1].astype(np.intp)
