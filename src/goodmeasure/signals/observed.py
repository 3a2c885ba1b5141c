"""The learning signal on given predictions: does it point the right way, how does it grow, who carries it, does it help."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.deriving import predictions
from goodmeasure.deriving.arguments import examples
from goodmeasure.drawing.display import Display
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.errors import NothingToAverage, strict_keywords
from goodmeasure.fitting.linear import start_at
from goodmeasure.fitting.objective import Objective
from goodmeasure.loss.loss import Loss
from goodmeasure.risks.metrics import Metric
from goodmeasure.risks.metrics import metric as named
from goodmeasure.statistics.estimate import Difference, Estimate, as_difference, display_of
from goodmeasure.statistics.intervals import bootstrap, clopper_pearson, mean_estimate
from goodmeasure.statistics.row_arguments import Floats
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
        worst: how many rows are the worst 1 %.
        carried: the part of the total pull that they carry.
        effective_rows: how many equally strong rows would carry as much information.
        sides: how the pull grows with the distance from what happened, on each side.
        aligned: whether lowering the loss helped the metric; None where there is no prediction to measure it on.

    Example:
        >>> import goodmeasure as gm
        >>> found = gm.signal(gm.losses.squared_error(), [1.0, 2.0, 3.0, 90.0], [1.5, 2.0, 2.0, 4.0])
        >>> round(found.carried, 2), round(found.effective_rows, 2)
        (0.98, 1.04)
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
            f"the {self.worst} rows that pull hardest, of {self.n:,}, carry {100 * self.carried:.0f} % of the signal "
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
    loss: Loss, y: Any, z: Any, sample_weight: Any = None, *, metric: Metric | str | None = None, before: Any = None
) -> Signal:
    """Look at the learning signal of a loss on a model's outputs: where it points, how it grows, and who carries it.

    Args:
        loss: the loss whose signal it is.
        y: targets, (n,), in the domain of the loss; or (n, K) shares of classes.
        z: raw outputs, (n,) or (n, K).
        sample_weight: how much each row counts, (n,); all alike unless given.
        metric: what people care about: "accuracy", "auc", "f1", "rmse", "mae", ...; the usual one unless given.
        before: raw outputs to compare with, (n,) or (n, K); the best constant unless given.

    Returns:
        Shares of rows with intervals, and how the pull grows on each side.

    Raises:
        GM003: the shapes of y and z differ, or a column has another length.
        GM004: a target lies outside the domain of the loss.
        GM005: there are no rows, or all weights are zero.
        GM006: a weight is negative or not finite.
        GM009: there is no such metric for this target.

    Example:
        >>> import goodmeasure as gm
        >>> found = gm.signal(gm.losses.huber(delta=1.0), [1.0, 2.0, 3.0, 90.0], [1.5, 2.0, 2.0, 4.0])
        >>> round(found.carried, 2), round(found.effective_rows, 2)
        (0.4, 2.78)
    """
    given = examples(loss, y, np.asarray(z, dtype=np.float64), sample_weight)
    keep = np.ones(given.shape, dtype=bool) if given.present is None else given.present
    targets, raw = given.y[keep], given.z[keep]
    if not len(targets):
        raise NothingToAverage("there are no rows to look at", fix="check the mask and the weights")
    w = np.ones(len(targets)) if given.weight is None else given.weight[keep]
    pull = np.asarray(loss.gradient(targets, raw), dtype=np.float64)
    size = np.abs(pull) if pull.ndim == 1 else np.sqrt(np.sum(pull**2, axis=1))
    rows = _Rows.of(loss, targets, raw, pull)
    worst = max(1, math.ceil(len(size) / 100))
    weighed = np.sort(size * w)[::-1]
    total = float(weighed.sum())
    return Signal(
        loss=str(loss),
        n=len(size),
        directional=None if rows is None else _share(rows.toward[rows.off]),
        silent=None if rows is None else _share(size[rows.off] == 0),
        faint=None if rows is None else _faint(loss, (targets, raw), size, rows.off),
        worst=worst,
        carried=float(weighed[:worst].sum()) / total if total > 0 else 0.0,
        effective_rows=total**2 / float(weighed @ weighed) if total > 0 else 0.0,
        sides=sides(loss, targets, raw),
        aligned=_aligned(loss, (targets, raw, w), metric, before if before is None else np.asarray(before)[keep]),
    )


@dataclass(frozen=True)
class _Rows:
    """Which rows are off, and which of them are pulled toward what happened."""

    off: NDArray[np.bool_]
    toward: NDArray[np.bool_]

    @staticmethod
    def of(loss: Loss, y: Any, z: Floats, pull: Floats) -> _Rows | None:
        """Read off the signs; None where a loss predicts a whole distribution, or all classes by their shares."""
        if loss.is_classwise:
            if y.ndim == 2:
                return None
            true = np.arange(z.shape[1]) == y[:, None]
            return _Rows(z.argmax(axis=1) != y, pull[true] < 0)
        if z.ndim > 1:
            return None
        if loss.is_binary:
            off = (z <= 0) == (y > 0.5) if np.isin(y, (0, 1)).all() else np.ones(len(y), dtype=bool)
            return _Rows(off, np.sign(pull) == np.sign(_above(loss, y, z)))
        miss = np.asarray(loss.predict(z)) - y
        return _Rows(miss != 0, np.sign(pull) == np.sign(miss))


def _above(loss: Loss, y: Floats, z: Floats) -> Floats:
    """How far a prediction lies above a yes/no target: by its probability, or by its sign where it implies none."""
    if np.isin(y, (0, 1)).all() or not predictions.implies_probability(loss):
        return 0.5 - y
    return np.asarray(loss.predict(z)) - y


def _share(where: NDArray[np.bool_]) -> Estimate | None:
    n, k = len(where), int(where.sum())
    if not n:
        return None
    error = math.sqrt(k * (n - k) / n) / n
    return Estimate(k / n, *clopper_pearson(k, n), n, n, "exact (Clopper and Pearson)", standard_error=error)


def _faint(loss: Loss, rows: tuple[Any, Floats], size: Floats, off: NDArray[np.bool_]) -> Estimate | None:
    """Of the rows that are off by more than a slight error, those pulled less than a tenth as hard as at one."""
    y, z = rows
    if loss.is_classwise:
        near = np.linalg.norm(np.asarray(loss.gradient(y, np.zeros_like(z))), axis=1)
    elif loss.is_binary:
        near = np.abs(np.asarray(loss.gradient(y, np.zeros_like(z))))
    else:
        reaches, scale = loss.activation[0].reaches, slight(loss, y, z)
        inside = (y > reaches.low) & (y < reaches.high)
        y, z, size = y[inside], z[inside], size[inside]
        centre = np.asarray(loss.raw(y), dtype=np.float64)
        near = np.abs(np.asarray(loss.gradient(y, centre + np.sign(z - centre) * scale)))
        off = np.abs(z - centre) > scale
    return _share(size[off] < _FAINT * near[off])


# --- does it help what people care about ---


def _aligned(
    loss: Loss, rows: tuple[Any, Floats, Floats], metric: Metric | str | None, before: Any
) -> MetricAlignment | None:
    y, z, w = rows
    if (loss.is_classwise and y.ndim == 2) or (z.ndim > 1 and not loss.is_classwise) or not _predicts(loss):
        return None
    step = max(1, len(y) // _ALIGNMENT_ROWS)
    y, z, w = y[::step], z[::step], w[::step]
    if before is None:
        constant = _constant(loss, y, w, 1 if z.ndim == 1 else z.shape[1])
        past, said = np.broadcast_to(constant if z.ndim > 1 else constant[0], z.shape).copy(), "the best constant"
    else:
        past, said = np.asarray(before, dtype=np.float64)[::step], "the predictions before"
    outcome = loss.is_classwise or (loss.is_binary and bool(np.isin(y, (0, 1)).all()))
    if isinstance(metric, Metric):
        chosen = metric
    else:
        chosen = named(metric, "outcome" if outcome else "amount", z.shape[1] if z.ndim > 1 else 2, loss.facts.asks_for)
    change = mean_estimate(np.asarray(loss.value(y, z)) - np.asarray(loss.value(y, past)), w)
    moved = _moved(chosen, y, np.asarray(loss.predict(z)), np.asarray(loss.predict(past)), w)
    return MetricAlignment(chosen.name, said, as_difference(change), moved)


def _predicts(loss: Loss) -> bool:
    return not (loss.is_classwise or loss.is_binary) or predictions.implies_probability(loss)


def _constant(loss: Loss, y: Any, w: Floats, outputs: int) -> Floats:
    alone = Objective(loss, np.empty((len(y), 0)), y, w, outputs=outputs)
    return start_at(alone, curvature_class(loss, y, outputs))


def _moved(metric: Metric, y: Any, now: Floats, past: Floats, w: Floats) -> Difference:
    """The metric now minus before, turned so that below zero is better."""
    sign = -1.0 if metric.higher_is_better else 1.0
    if metric.each is not None:
        return as_difference(mean_estimate(sign * (metric.each(y, now) - metric.each(y, past)), w))
    overall = metric.overall
    assert overall is not None

    def change(counts: Floats) -> float:
        return sign * (overall(y, now, w * counts) - overall(y, past, w * counts))

    value = change(np.ones(len(y)))
    low, high, spread = bootstrap(change, len(y), replicates=_REPLICATES)
    effective = float(w.sum() ** 2 / (w @ w))
    return Difference(value, low, high, len(y), effective, f"bootstrap of rows ({_REPLICATES})", standard_error=spread)
