"""What people report beside the loss: accuracy, area under the curve, root mean squared error and others, with intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from goodmeasure.errors import UsageError
from goodmeasure.statistics.estimate import Estimate
from goodmeasure.statistics.intervals import bootstrap, clopper_pearson, mean_estimate, student_quantile
from goodmeasure.statistics.row_arguments import Floats

REPLICATES = 500
# Beyond this many rows the bootstrap of a statistic of all rows at once would take long and tell little more.
MOST_ROWS = 50_000
BLOCKS = 50

Scale = Literal["outcome", "amount"]


@dataclass(frozen=True)
class Metric:
    """A number people care about: ``each`` gives it row by row if it is a mean of rows, ``overall`` from all rows at once.

    ``finish`` turns the mean of rows into what is shown. Predictions are probabilities (of yes, or one column a class)
    for outcomes, and amounts otherwise.
    """

    name: str
    scale: Scale
    higher_is_better: bool
    each: Callable[[Any, Any], Floats] | None = None
    overall: Callable[[Any, Any, Floats], float] | None = None
    finish: Callable[[float], float] | None = None
    binary_only: bool = False
    share: bool = False

    def estimate(self, y: Any, prediction: Any, w: Floats, together: NDArray[np.intp] | None = None) -> Estimate:
        """The metric with its interval on these rows; ``together`` holds the cluster or block of each row."""
        if self.each is not None:
            return self._of_rows(self.each(y, prediction), w, together)
        assert self.overall is not None
        return self._of_all(y, prediction, w, together)

    def _of_rows(self, values: Floats, w: Floats, together: NDArray[np.intp] | None) -> Estimate:
        plain = together is None and bool((w == w[0]).all())
        if self.share and plain:
            right, n = int(values.sum()), len(values)
            return Estimate(right / n, *clopper_pearson(right, n), n, n, "exact (Clopper and Pearson)")
        found = mean_estimate(values, w, together=together)
        if self.finish is None:
            return found
        value, low, high = (self.finish(max(x, 0.0)) for x in (found.value, found.low, found.high))
        return Estimate(value, low, high, found.n, found.effective_n, f"{found.method}, transformed")

    def _of_all(self, y: Any, prediction: Any, w: Floats, together: NDArray[np.intp] | None) -> Estimate:
        assert self.overall is not None
        value, n = self.overall(y, prediction, w), len(w)
        effective = float(w.sum() ** 2 / (w @ w))
        if not math.isfinite(value):
            return Estimate(value, math.nan, math.nan, n, effective, "no interval: the metric has no value here")
        if n > MOST_ROWS:
            return self._of_blocks(y, prediction, w, together, value)
        low, high, spread = bootstrap(
            lambda counts: self.overall(y, prediction, w * counts),  # type: ignore[misc]
            n,
            together=together,
            replicates=REPLICATES,
        )
        return Estimate(value, low, high, n, effective, f"bootstrap of rows ({REPLICATES})", standard_error=spread)

    def _of_blocks(
        self, y: Any, prediction: Any, w: Floats, together: NDArray[np.intp] | None, value: float
    ) -> Estimate:
        """An interval from how the metric differs between random blocks: one pass, where the bootstrap takes hundreds."""
        assert self.overall is not None
        block = _blocks(len(w), together)
        found = np.array([self.overall(y[b], prediction[b], w[b]) for b in (block == k for k in range(BLOCKS))])
        error = float(np.nanstd(found, ddof=1)) / math.sqrt(BLOCKS)
        half = student_quantile(0.95, BLOCKS - 1) * error
        effective = float(w.sum() ** 2 / (w @ w))
        method = f"{BLOCKS} random blocks"
        return Estimate(value, value - half, value + half, len(w), effective, method, standard_error=error)


def _blocks(n: int, together: NDArray[np.intp] | None) -> NDArray[np.intp]:
    """A block for each row at random; clusters stay whole."""
    units = n if together is None else int(together.max()) + 1
    block = np.random.default_rng(0).permutation(units) % BLOCKS
    return block if together is None else block[together]


def _chosen(prediction: Any) -> Any:
    return prediction >= 0.5 if prediction.ndim == 1 else prediction.argmax(axis=1)


def _right(y: Any, prediction: Any) -> Floats:
    return np.asarray(_chosen(prediction) == y, dtype=np.float64)


def _balanced(y: Any, prediction: Any, w: Floats) -> float:
    """The mean over classes of the share that was recognised."""
    right = _right(y, prediction)
    shares = [_mean(right[y == k], w[y == k]) for k in np.unique(y)]
    return float(np.nanmean(shares))


def _mean(values: Floats, w: Floats) -> float:
    return float(w @ values / w.sum()) if w.sum() else math.nan


def _auc(y: Any, prediction: Any, w: Floats) -> float:
    """The chance that a row of yes has a higher prediction than a row of no, ties counted half."""
    distinct, cell = np.unique(prediction, return_inverse=True)
    yes = np.bincount(cell, weights=w * (y == 1), minlength=len(distinct))
    no = np.bincount(cell, weights=w * (y == 0), minlength=len(distinct))
    below = np.cumsum(no) - no
    pairs = yes.sum() * no.sum()
    return float(yes @ (below + no / 2) / pairs) if pairs else math.nan


def _counted(y: Any, prediction: Any, w: Floats) -> tuple[float, float, float]:
    """The weight of events caught, of events missed, and of false alarms."""
    act = _chosen(prediction)
    return float(w @ (act & (y == 1))), float(w @ (~act & (y == 1))), float(w @ (act & (y == 0)))


def _f1(y: Any, prediction: Any, w: Floats) -> float:
    caught, missed, false = _counted(y, prediction, w)
    return 2 * caught / (2 * caught + missed + false) if caught + missed + false else math.nan


def _precision(y: Any, prediction: Any, w: Floats) -> float:
    caught, _, false = _counted(y, prediction, w)
    return caught / (caught + false) if caught + false else math.nan


def _recall(y: Any, prediction: Any, w: Floats) -> float:
    caught, missed, _ = _counted(y, prediction, w)
    return caught / (caught + missed) if caught + missed else math.nan


def _surprise(y: Any, prediction: Any) -> Floats:
    table = prediction if prediction.ndim == 2 else np.column_stack([1 - prediction, prediction])
    with np.errstate(divide="ignore"):
        return np.asarray(-np.log(table[np.arange(len(y)), np.asarray(y, dtype=np.intp)]))


def _brier(y: Any, prediction: Any) -> Floats:
    if prediction.ndim == 1:
        return np.asarray((y - prediction) ** 2)
    return np.asarray(((prediction - (np.arange(prediction.shape[1]) == np.asarray(y)[:, None])) ** 2).sum(axis=1))


def _r2(y: Any, prediction: Any, w: Floats) -> float:
    spread = _mean((y - _mean(y, w)) ** 2, w)
    return 1 - _mean((y - prediction) ** 2, w) / spread if spread > 0 else math.nan


METRICS = {
    m.name: m
    for m in (
        Metric("accuracy", "outcome", True, each=_right, share=True),
        Metric("balanced_accuracy", "outcome", True, overall=_balanced),
        Metric("auc", "outcome", True, overall=_auc, binary_only=True),
        Metric("f1", "outcome", True, overall=_f1, binary_only=True),
        Metric("precision", "outcome", True, overall=_precision, binary_only=True),
        Metric("recall", "outcome", True, overall=_recall, binary_only=True),
        Metric("log_loss", "outcome", False, each=_surprise),
        Metric("brier", "outcome", False, each=_brier),
        Metric("rmse", "amount", False, each=lambda y, p: np.asarray((y - p) ** 2), finish=math.sqrt),
        Metric("mae", "amount", False, each=lambda y, p: np.asarray(np.abs(y - p))),
        Metric("bias", "amount", False, each=lambda y, p: np.asarray(p - y)),
        Metric("r2", "amount", True, overall=_r2),
    )
}


def metric(name: str | None, scale: Scale, classes: int, asks_for: str) -> Metric:
    """The metric of this name, or the usual one: accuracy for outcomes, RMSE for a mean, MAE for a median or quantile."""
    if name is None:
        usual = "accuracy" if scale == "outcome" else "rmse" if asks_for == "mean" else "mae"
        return METRICS[usual]
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    fitting = [m for m in METRICS.values() if m.scale == scale and not (m.binary_only and classes > 2)]
    for m in fitting:
        if m.name == key:
            return m
    what = {"outcome": f"{classes} classes" if classes > 2 else "a yes/no target", "amount": "an amount"}[scale]
    raise UsageError(
        f"there is no metric {name!r} for {what}", fix=f"--metric one of {', '.join(m.name for m in fitting)}"
    )
