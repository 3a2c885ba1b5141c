"""What boosters ask of a loss at each round: the signal and a curvature of every row, with the rows' weights in both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.deriving.arguments import raw_outputs
from goodmeasure.deriving.best_constant import present_targets
from goodmeasure.errors import NoSuchReading, ShapeMismatch, WeightError
from goodmeasure.fitting import majoriser
from goodmeasure.fitting.majoriser import Widening
from goodmeasure.formulas.expression import derivative
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.arrays import array_of, one_a_row
from goodmeasure.statistics.row_arguments import Floats, column, equal_length
from goodmeasure.statistics.weights import check_weights

# Where the best constant is infinite: there float32 rounds a probability to 0 or 1.
_FAR = 30.0
# So many targets tell where to begin; of more, means of neighbours stand for them.
_ENOUGH = 1 << 14


@dataclass(frozen=True)
class SecondOrder:
    """A loss as boosters take it: rows of targets and raw outputs in, rows of signals and curvatures out.

    ``widening`` is what the host makes of the curvature of one class among several.
    """

    loss: Loss
    widening: Widening = lambda classes: 2.0

    def __post_init__(self) -> None:
        if not self.loss.is_classwise and not _pulls(self.loss):
            raise NoSuchReading(
                f"{self.loss} has no learning signal: its derivative is zero wherever there is one",
                fix="train on gm.losses.binary_cross_entropy(), and judge by it",
            )

    @property
    def outputs(self) -> int | None:
        """How many raw outputs an example has; None where the number of classes decides."""
        return None if self.loss.is_classwise else len(self.loss.activation)

    def step(self, y: Any, z: Any, weight: Any = None) -> tuple[Floats, Floats]:
        """The signal and the curvature of each raw output, of z's shape; rows of weight zero have neither."""
        y = _column(y)
        raw = self.rows(z, len(y))
        weight = None if weight is None else column(weight, "weight", kind=WeightError)
        if weight is None or not len(weight):
            target = self.targets(y)
            pull = majoriser.signal(self.loss, target, raw)
            return pull, self._curvature(target, raw, pull)
        equal_length(y=y, weight=weight)
        weight = weight.astype(raw.dtype, copy=False)
        check_weights(weight)
        held = weight > 0
        found = np.zeros_like(raw), np.zeros_like(raw)
        target = self.targets(array_of(y, "y")[held])
        pull = majoriser.signal(self.loss, target, raw[held])
        for whole, part in zip(found, (pull, self._curvature(target, raw[held], pull)), strict=True):
            whole[held] = part * (weight[held] if raw.ndim == 1 else weight[held, None])
        return found

    def _curvature(self, target: Any, raw: Floats, pull: Floats) -> Floats:
        return majoriser.curvature(self.loss, target, raw, pull, self.widening)

    def mean(self, y: Any, z: Any, weight: Any = None) -> float:
        """The weighted mean loss at raw outputs."""
        y = _column(y)
        weight = None if weight is None or not len(weight) else weight
        return self.loss(self.targets(y), self.rows(z, len(y)), weight)

    def start(self, y: Any, weight: Any = None, classes: int | None = None) -> Any:
        """The raw output that is best for all rows together: a number, or a list of one for each raw output.

        Where only an infinite one is best, as of targets that are all yes, it is as far as a float32 takes seriously. Of very
        many targets it is that of means of neighbours: the first trees correct what that leaves.
        """
        targets = self.targets(y)
        numbers = targets.ndim == 1 and targets.dtype.kind == "f" and not self.loss.target.whole
        if numbers and len(targets) > 4 * _ENOUGH:
            targets, weight = _means_of_neighbours(*present_targets(self.loss, targets, weight, classes))
        best = np.asarray(self.loss.best_constant(targets, weight, classes=classes), dtype=np.float64)
        return np.nan_to_num(best, posinf=_FAR, neginf=-_FAR).tolist()

    def targets(self, y: Any) -> Any:
        """Targets as the loss takes them: boosters hand over the numbers of classes as floating-point numbers."""
        target = array_of(y, "y")
        if self.loss.is_classwise and target.ndim == 1 and target.dtype.kind == "f":
            with np.errstate(invalid="ignore"):
                whole = target.astype(np.intp)
            # A share or NaN is no class, and is refused as it is.
            return whole if np.array_equal(whole, target) else target
        return target

    def rows(self, z: Any, n: int) -> Floats:
        """Raw outputs as the loss takes them: (n,), or (n, K) of several."""
        raw = array_of(z, "z")
        if raw.dtype.kind != "f":
            raw = raw_outputs(raw)[0]
        if self.outputs == 1:
            if raw.size != n:
                raise ShapeMismatch(
                    f"{self.loss} takes one raw output an example",
                    seen=f"{raw.shape} for {n:,} rows",
                    fix=f"a raw output of shape ({n},)",
                )
            return np.ascontiguousarray(raw.reshape(n))
        if raw.ndim != 2 or len(raw) != n:
            raise ShapeMismatch(
                f"{self.loss} takes several raw outputs an example",
                seen=f"raw outputs of shape {raw.shape} for {n:,} rows",
                fix="set the number of classes or targets of the booster",
            )
        return np.ascontiguousarray(raw)


def _column(y: Any) -> Any:
    """Targets, which have a row for each raw output."""
    found = array_of(y, "y")
    if not found.ndim:
        one_a_row(found, "y")
    return found


def _means_of_neighbours(y: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Targets in order, as many together as leaves a few thousand: their means, and the weights of all that each stands for."""
    order = np.argsort(y, kind="stable")
    order = order[w[order] > 0]
    cells = np.linspace(0, len(order), min(_ENOUGH, len(order)) + 1).astype(np.intp)[:-1]
    weights = np.add.reduceat(w[order], cells)
    return np.add.reduceat(y[order] * w[order], cells) / weights, weights


def holds_targets(rows: Any) -> bool:
    """Whether these are the rows of a booster's own table, which holds targets and weights."""
    return hasattr(rows, "get_label")


def in_order(first: Any, second: Any, weight: Any) -> tuple[Any, Any, Any]:
    """Targets, raw outputs and weights, as a model calls (targets first) or as a booster trains (raw outputs, its table)."""
    if holds_targets(second):
        return second.get_label(), first, second.get_weight()
    return first, second, weight


def _pulls(loss: Loss) -> bool:
    """Whether the signal of a loss differs from zero anywhere."""
    halves = (loss.half(0), loss.half(1)) if loss.is_binary else (loss.composed,)
    return any(derivative(half, raw).number != 0 for half in halves for raw in loss.raw_names)
