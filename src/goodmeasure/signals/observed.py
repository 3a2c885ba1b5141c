"""The learning signal on given predictions: does it point the right way, how does it grow, who carries it, does it help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.deriving import predictions
from goodmeasure.deriving.arguments import examples
from goodmeasure.deriving.predictions import raw_before_activation
from goodmeasure.drawing.display import Display
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.errors import NothingToAverage, ShapeMismatch, UsageError
from goodmeasure.fitting.linear import start_at
from goodmeasure.fitting.objective import Objective
from goodmeasure.making.loss import Loss
from goodmeasure.risks.concentration import worst_rows, worst_share
from goodmeasure.risks.metrics import Metric, around
from goodmeasure.risks.metrics import metric as named
from goodmeasure.risks.outputs import refuse_labels, refuse_underflow
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.arrays import array_of, numbers_of, same_order
from goodmeasure.statistics.estimate import Difference, Estimate, as_difference, display_of, not_known
from goodmeasure.statistics.multinomial import hit_share
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.sample import Sample
from goodmeasure.statistics.weights import WeightsMean, comparable, copies_of, unit_of
from goodmeasure.strict.calls import strict_keywords
from goodmeasure.traits.curvature_class import curvature_class
from goodmeasure.traits.influence import Influence, sides, slight

# A pull below this part of the one at a slight error has nearly gone.
_FAINT = 0.1
# A metric of all rows at once is bootstrapped: of many more rows than this, only every k-th is looked at.
_ALIGNMENT_ROWS = 20_000
_REPLICATES = 200


@dataclass(frozen=True)
class MetricAlignment(Displayed):
    """Whether lowering the loss helped a metric: both compared between these predictions and those before.

    Attributes:
        metric: the name of the metric.
        before: what the predictions are compared with.
        loss: the mean loss now minus before.
        difference: the metric now minus before, turned so that below zero is better.
    """

    metric: str
    before: str
    loss: Difference
    difference: Difference

    @property
    def verdict(self) -> str:
        """Whether loss and metric went the same way: "aligned", "against", or that these rows cannot tell."""
        if unknown := not_known(loss=self.loss, **{self.metric: self.difference}):
            return unknown
        pair = self.loss.verdict, self.difference.verdict
        if pair in (("better", "better"), ("worse", "worse")):
            return "aligned"
        return "against" if set(pair) == {"better", "worse"} else "cannot tell at this n"

    def __str__(self) -> str:
        return f"lower loss and {self.metric} against {self.before}: {self.verdict}"

    def _display(self) -> Display:
        return display_of(str(self), {"loss": self.loss, f"{self.metric}, less being better": self.difference})


@dataclass(frozen=True)
class Signal(Displayed):
    """What the learning signal is like on given predictions.

    Attributes:
        loss: the loss, as it is spelled.
        n: how many rows were looked at.
        directional: the share of wrong rows that are pulled toward what happened; None for a whole distribution.
        silent: the share of wrong rows with no pull at all; None for a whole distribution.
        faint: of the rows that are off by more than slightly, the share pulled less than a tenth as hard as at a slight
            error.
        worst: on how many rows the worst 1 % of the weight lies.
        carried: the part of the total pull that this 1 % carries.
        effective_rows: how many equally strong rows would carry as much information.
        sides: how the pull grows with the distance from what happened, on each side.
        aligned: whether lowering the loss helped the metric; None where there is no prediction to measure it on.

    Example:
        >>> import goodmeasure as gm
        >>> found = gm.signal(gm.losses.squared_error(), [1.0, 2.0, 3.0, 90.0], [1.5, 2.0, 2.0, 4.0])
        >>> round(found.carried, 2), round(found.effective_rows, 2)
        (0.04, 1.04)
        >>> [(side.side, side.name) for side in found.sides]
        [('prediction too high', 'growing'), ('prediction too low', 'growing')]
    """

    loss: str
    n: int
    directional: Estimate | None
    silent: Estimate | None
    faint: Estimate | None
    worst: int
    carried: float
    effective_rows: float
    sides: tuple[Influence, ...]
    aligned: MetricAlignment | None

    def __str__(self) -> str:
        lines = [self._carried()]
        for what, share in (("pulled toward what happened", self.directional), ("not pulled at all", self.silent)):
            if share is not None:
                lines.append(f"of {share.n:,} rows that are off, {_percent(share)} are {what}")
        if self.faint is not None:
            off = f"of {self.faint.n:,} that are off by more than slightly"
            lines.append(f"{off}, {_percent(self.faint)} are pulled less than a tenth as hard as at a slight error")
        return "\n".join([*lines, *self._growth()])

    def _display(self) -> Display:
        shares = {
            "pulled toward what happened": self.directional,
            "not pulled at all": self.silent,
            "pulled less than a tenth": self.faint,
        }
        return display_of(
            f"Learning signal of {self.loss} on {self.n:,} rows", shares, self._carried(), *self._growth()
        )

    def _carried(self) -> str:
        """How few rows make the signal."""
        return (
            f"the 1 % of {self.n:,} rows that pull hardest carry {100 * self.carried:.0f} % of the signal "
            f"(as much as {self.effective_rows:,.0f} equal rows)"
        )

    def _growth(self) -> list[str]:
        """How the pull grows on each side, and whether following it helped the metric."""
        pulls = {
            side.side: "there is no pull" if side.name == "none" else f"the pull is {side.name}" for side in self.sides
        }
        return [*(f"{side}: {pull}" for side, pull in pulls.items()), *([str(self.aligned)] if self.aligned else [])]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        found = asdict(self)
        if self.aligned is not None:
            both = {"loss": self.aligned.loss.to_dict(), "difference": self.aligned.difference.to_dict()}
            found["aligned"] = {**found["aligned"], **both, "verdict": self.aligned.verdict}
        return found


def _percent(share: Estimate) -> str:
    return f"{100 * share.value:.1f} % [{100 * share.low:.1f}, {100 * share.high:.1f}]"


@strict_keywords
def signal(
    loss: Loss,
    y: Any,
    z: Any = None,
    sample_weight: Any = None,
    *,
    prediction: Any = None,
    metric: Metric | str | None = None,
    before: Any = None,
    weights_mean: WeightsMean = "importance",
) -> Signal:
    """Look at the learning signal of a loss on a model's outputs: where it points, how it grows, and who carries it.

    Args:
        loss: the loss whose signal it is.
        y: targets, (n,), in the domain of the loss; or (n, K) shares of classes.
        z: raw outputs, (n,) or (n, K).
        sample_weight: how much each row counts, (n,); all alike unless given.
        prediction: predictions in place of raw outputs, (n,) or (n, K).
        metric: what people care about: "accuracy", "auc", "f1", "rmse", "mae", ...; the usual one unless given.
        before: raw outputs to compare with, (n,) or (n, K); the best constant unless given.
        weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.

    Returns:
        Shares of rows with intervals, and how the pull grows on each side.

    Raises:
        GM003: the shapes of y and z differ, or a column has another length.
        GM004: a target lies outside the domain of the loss.
        GM005: there are no rows, or all weights are zero.
        GM006: a weight is negative or not finite, or counts copies and is no whole number.
        GM007: labels weigh each for itself in this loss, and a signal is of one label.
        GM009: there is no such metric for this target.
        GM702: a raw output or a prediction is missing.
        GM706: amounts are so small that their losses are not numbers.

    Example:
        >>> import goodmeasure as gm
        >>> found = gm.signal(gm.losses.huber(delta=1.0), [1.0, 2.0, 3.0, 90.0], [1.5, 2.0, 2.0, 4.0])
        >>> round(found.carried, 2), round(found.effective_rows, 2)
        (0.02, 2.78)
    """
    same_order(y=y, z=z, prediction=prediction, sample_weight=sample_weight, before=before)
    rows = _Rows.of(loss, y, _raw(loss, z, prediction, sample_weight), sample_weight, weights_mean)
    refuse_underflow(loss, rows.y, rows.z)
    pull = np.asarray(loss.gradient(rows.y, rows.z), dtype=np.float64)
    size = np.abs(pull) if pull.ndim == 1 else np.sqrt(np.sum(pull**2, axis=1))
    wrong = _Wrong.of(loss, rows.y, rows.z, pull)
    return Signal(
        loss=str(loss),
        n=rows.sample.n,
        directional=None if wrong is None else _share(rows.sample, wrong.toward, wrong.off),
        silent=None if wrong is None else _share(rows.sample, size == 0, wrong.off),
        faint=None if wrong is None else _faint(loss, rows, size, wrong.off),
        worst=worst_rows(size, rows.sample.weight),
        carried=worst_share(size, rows.sample.weight),
        effective_rows=_effective_rows(size, rows.sample),
        sides=sides(loss, rows.y, rows.z, rows.sample.weight),
        aligned=_aligned(loss, rows, metric, before),
    )


def _raw(loss: Loss, z: Any, prediction: Any, sample_weight: Any) -> Floats:
    """The raw outputs, or those behind the predictions that are given in their place."""
    if (z is None) == (prediction is None):
        raise UsageError(f"{loss} takes raw outputs or predictions, one of them", fix="give z, or prediction=p")
    refuse_labels(loss)
    found = z if prediction is None else raw_before_activation(loss, prediction, sample_weight)
    return numbers_of(found, "z", row_arguments.MissingScore).astype(np.float64, copy=False)


def _effective_rows(size: Floats, sample: Sample) -> float:
    pull = size / unit_of(size)
    total, square = float(sample.weight @ pull), float(sample.square @ pull**2)
    return total**2 / square if square > 0 else 0.0


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows that are there: targets, raw outputs, what they weigh, and which of those given they are."""

    y: Any
    z: Floats
    sample: Sample
    there: NDArray[np.bool_]

    @staticmethod
    def of(loss: Loss, y: Any, z: Floats, sample_weight: Any, weights_mean: WeightsMean) -> _Rows:
        given = examples(loss, y, z, sample_weight)
        there = np.ones(given.shape, dtype=bool) if given.present is None else given.present
        targets, raw = given.y[there], given.z[there]
        if not len(targets):
            raise NothingToAverage("there are no rows to look at", fix="check the mask and the weights")
        row_arguments.raw_outputs(raw, at=np.flatnonzero(there))
        w = np.ones(len(targets)) if given.weight is None else np.asarray(given.weight)[there]
        w = comparable(w, weights_mean, np.flatnonzero(there))
        return _Rows(targets, raw, Sample(w, copies_of(w, weights_mean)), there)


@dataclass(frozen=True)
class _Wrong:
    """Which rows are off, and which of them are pulled toward what happened."""

    off: NDArray[np.bool_]
    toward: NDArray[np.bool_]

    @staticmethod
    def of(loss: Loss, y: Any, z: Floats, pull: Floats) -> _Wrong | None:
        """Read off the signs; None where a loss predicts a whole distribution, or all classes by their shares."""
        if loss.is_classwise:
            if y.ndim == 2:
                return None
            true = np.arange(z.shape[1]) == y[:, None]
            return _Wrong(z.argmax(axis=1) != y, pull[true] < 0)
        if z.ndim > 1:
            return None
        if loss.is_binary:
            off = (z <= 0) == (y > 0.5) if np.isin(y, (0, 1)).all() else np.ones(len(y), dtype=bool)
            return _Wrong(off, np.sign(pull) == np.sign(_above(loss, y, z)))
        miss = predictions.shorter_way(np.asarray(loss.predict(z)) - y, predictions.turn(loss))
        return _Wrong(miss != 0, np.sign(pull) == np.sign(miss))


def _above(loss: Loss, y: Floats, z: Floats) -> Floats:
    """How far a prediction lies above a yes/no target: by its probability, or by its sign where it implies none."""
    if np.isin(y, (0, 1)).all() or not predictions.implies_probability(loss):
        return 0.5 - y
    return np.asarray(loss.predict(z)) - y


def _share(sample: Sample, hit: NDArray[np.bool_], among: NDArray[np.bool_]) -> Estimate | None:
    """The share of some rows that are hit; None where there are no such rows."""
    return hit_share(sample.part(among), hit[among].astype(np.float64)) if among.any() else None


def _faint(loss: Loss, rows: _Rows, size: Floats, off: NDArray[np.bool_]) -> Estimate | None:
    """Of the rows that are off by more than a slight error, those pulled less than a tenth as hard as at one."""
    y, z, sample = rows.y, rows.z, rows.sample
    if loss.is_classwise:
        near = np.linalg.norm(np.asarray(loss.gradient(y, np.zeros_like(z))), axis=1)
    elif loss.is_binary:
        near = np.abs(np.asarray(loss.gradient(y, np.zeros_like(z))))
    else:
        reaches, scale = loss.activation[0].reaches, slight(loss, y, z, sample.weight)
        inner = (y > reaches.low) & (y < reaches.high)
        y, z, size, sample = y[inner], z[inner], size[inner], sample.part(inner)
        centre = np.asarray(loss.raw(y), dtype=np.float64)
        away = predictions.shorter_way(z - centre, predictions.turn(loss))
        near = np.abs(np.asarray(loss.gradient(y, centre + np.sign(away) * scale)))
        off = np.abs(away) > scale
    return _share(sample, np.asarray(size < _FAINT * near), off)


# --- does it help what people care about ---


def _aligned(loss: Loss, rows: _Rows, metric: Metric | str | None, before: Any) -> MetricAlignment | None:
    y, z, w = rows.y, rows.z, rows.sample.weight
    if (loss.is_classwise and y.ndim == 2) or (z.ndim > 1 and not loss.is_classwise) or not _predicts(loss):
        return None
    if before is None:
        constant = _constant(loss, y, w, 1 if z.ndim == 1 else z.shape[1])
        past, said = np.broadcast_to(constant if z.ndim > 1 else constant[0], z.shape), "the best constant"
    else:
        given = array_of(before, "before")
        if given.shape != (*rows.there.shape, *z.shape[1:]):
            raise ShapeMismatch(
                f"before has shape {given.shape}: raw outputs of the same rows are needed",
                where="before",
                seen=f"z has shape {(*rows.there.shape, *z.shape[1:])}",
                fix="give one earlier output for each in z",
            )
        given = given[rows.there]
        past = row_arguments.raw_outputs(given, "before", at=np.flatnonzero(rows.there)).astype(np.float64)
        said = "the predictions before"
    some = np.arange(len(y)) % max(1, len(y) // _ALIGNMENT_ROWS) == 0
    y, z, past, sample = y[some], z[some], past[some], rows.sample.part(some)
    outcome = loss.is_classwise or (loss.is_binary and bool(np.isin(y, (0, 1)).all()))
    if isinstance(metric, Metric):
        chosen = metric
    else:
        chosen = named(metric, "outcome" if outcome else "amount", z.shape[1] if z.ndim > 1 else 2, loss.facts.asks_for)
        chosen = around(chosen, predictions.turn(loss))
    with np.errstate(invalid="ignore", over="ignore"):
        change = np.asarray(loss.value(y, z), dtype=np.float64) - np.asarray(loss.value(y, past), dtype=np.float64)
    moved = _moved(chosen, y, np.asarray(loss.predict(z)), np.asarray(loss.predict(past)), sample)
    return MetricAlignment(chosen.name, said, as_difference(sample.mean(change)), moved)


def _predicts(loss: Loss) -> bool:
    return not (loss.is_classwise or loss.is_binary) or predictions.implies_probability(loss)


def _constant(loss: Loss, y: Any, w: Floats, outputs: int) -> Floats:
    alone = Objective(loss, np.empty((len(y), 0)), y, w, outputs=outputs)
    return start_at(alone, curvature_class(loss, y, outputs))


def _moved(metric: Metric, y: Any, now: Floats, past: Floats, sample: Sample) -> Difference:
    """The metric now minus before, turned so that below zero is better."""
    sign = -1.0 if metric.higher_is_better else 1.0
    overall = _size(metric) if metric.signed else metric.overall
    if overall is None:
        assert metric.each is not None
        with np.errstate(invalid="ignore", over="ignore"):
            return as_difference(sample.mean(sign * (metric.each(y, now) - metric.each(y, past))))

    def change(w: Floats) -> float:
        return sign * (overall(y, now, w) - overall(y, past, w))

    low, high, spread = sample.bootstrap(change, _REPLICATES)
    value, method = change(sample.weight), f"bootstrap of rows ({_REPLICATES})"
    return Difference(value, low, high, sample.n, sample.effective_n, method, sample.level, spread)


def _size(metric: Metric) -> Callable[[Any, Any, Floats], float]:
    """How far from 0 the mean of a signed metric lies."""
    each = metric.each
    assert each is not None
    return lambda y, prediction, w: abs(float(w @ each(y, prediction)) / float(w.sum()))
