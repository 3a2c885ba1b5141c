"""What people report beside the loss: accuracy, area under the curve, root mean squared error and others, with intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.deriving.predictions import shorter_way
from goodmeasure.errors import UsageError
from goodmeasure.formulas.domains import Level
from goodmeasure.risks.areas import of_rows
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.estimate import Estimate, within
from goodmeasure.statistics.intervals import few_quantile, student_quantile
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.multinomial import hit_share
from goodmeasure.statistics.row_arguments import Floats, PresentRows
from goodmeasure.statistics.sample import Sample
from goodmeasure.statistics.weights import WeightsMean, equal_parts

REPLICATES = 500
# Beyond this many rows the bootstrap of a statistic of all rows at once would take long and tell little more.
MOST_ROWS = 50_000
BLOCKS = 50
SHARE, ANY = (0.0, 1.0), (-math.inf, math.inf)

Scale = Literal["outcome", "amount"]


@dataclass(frozen=True)
class Metric:
    """A number people care about: ``each`` gives it row by row if it is a mean of rows, ``overall`` from all rows at once.

    ``interval`` gives the latter with an interval of its own, where there is a better one than resampling rows. ``finish``
    turns the mean of rows into what is shown; a ``signed`` one is best at 0, from wherever. Its values lie within ``limits``,
    and so do its intervals. Predictions are probabilities (of yes, or one column a class) for outcomes, and amounts otherwise.
    """

    name: str
    scale: Scale
    higher_is_better: bool
    each: Callable[[Any, Any], Floats] | None = None
    overall: Callable[[Any, Any, Floats], float] | None = None
    interval: Callable[[Any, Any, Sample], Estimate] | None = None
    finish: Callable[[float], float] | None = None
    binary_only: bool = False
    share: bool = False
    signed: bool = False
    limits: tuple[float, float] = (0.0, math.inf)

    def estimate(
        self,
        y: ArrayLike,
        prediction: ArrayLike,
        w: ArrayLike | None = None,
        together: NDArray[np.intp] | None = None,
        *,
        level: Level = 0.95,
        weights_mean: WeightsMean = "importance",
    ) -> Estimate:
        """The metric with its interval on these rows; ``together`` holds the cluster or block of each row.

        Rows of weight zero are not there; ``weights_mean="frequency"`` says that weights count copies. Errors: GM004,
        GM702, GM706.
        """
        rows = row_arguments.present(w, weights_mean, y=y, p=prediction, cluster=together)
        target, predicted = self._columns(rows)
        return within(self._estimate(target, predicted, Sample.of(rows, level)), *self.limits)

    def _estimate(self, y: Any, prediction: Any, sample: Sample) -> Estimate:
        if self.each is None:
            return self._of_all(y, prediction, sample)
        values = self.each(y, prediction)
        return hit_share(sample, values) if self.share else self._shown(sample.mean(values))

    def _columns(self, rows: PresentRows) -> tuple[Any, Any]:
        """Targets and predictions of the rows that are there: amounts, or classes and probabilities."""
        if self.scale == "amount":
            return rows.read(row_arguments.target_amounts, "y"), rows.read(row_arguments.amounts, "p")
        if rows["p"].ndim == 2:
            predicted = rows.read(row_arguments.class_probabilities, "p")
            return rows.read(row_arguments.classes, "y", k=predicted.shape[1]), predicted
        return rows.read(row_arguments.outcomes, "y"), rows.read(row_arguments.probabilities, "p")

    def _shown(self, found: Estimate) -> Estimate:
        if self.finish is None:
            return found
        value, low, high = (self.finish(max(x, 0.0)) for x in (found.value, found.low, found.high))
        method = f"{found.method}, transformed"
        return replace(found, value=value, low=low, high=high, method=method, standard_error=math.nan)

    def _of_all(self, y: Any, prediction: Any, sample: Sample) -> Estimate:
        assert self.overall is not None
        value, n, effective, level = (
            self.overall(y, prediction, sample.weight),
            sample.n,
            sample.effective_n,
            sample.level,
        )
        if not math.isfinite(value):
            return Estimate(value, math.nan, math.nan, n, effective, "no interval: the metric has no value here", level)
        if self.interval is not None:
            found = self.interval(y, prediction, sample)
            return replace(found, cautions=(*found.cautions, *sample.few(sample.together)))
        if sample.together is not None and (len(y) <= MOST_ROWS or len(np.unique(sample.together)) <= BLOCKS):
            return self._of_clusters(y, prediction, sample, value)
        if len(y) > MOST_ROWS:
            return self._of_blocks(y, prediction, sample, value)
        low, high, error = sample.bootstrap(partial(self.overall, y, prediction), REPLICATES)
        return Estimate(value, low, high, n, effective, f"bootstrap of rows ({REPLICATES})", level, error)

    def _of_clusters(self, y: Any, prediction: Any, sample: Sample, value: float) -> Estimate:
        """An interval from how the metric changes without one cluster or block: few of them tell it, so by Student's."""
        assert self.overall is not None
        assert sample.together is not None
        part = _dealt(sample.together)
        count = int(part.max()) + 1
        without = [part != k for k in range(count)]
        found = np.array([self.overall(y[rest], prediction[rest], sample.weight[rest]) for rest in without])
        error = math.sqrt((count - 1) / count * float(((found - found.mean()) ** 2).sum()))
        half = few_quantile(sample.level, equal_parts(summed(part, sample.weight))) * error
        method = f"jackknife of {count} parts, {sample.name}"
        return Estimate(
            value,
            value - half,
            value + half,
            sample.n,
            sample.effective_n,
            method,
            sample.level,
            error,
            cautions=sample.few(sample.together),
        )

    def _of_blocks(self, y: Any, prediction: Any, sample: Sample, value: float) -> Estimate:
        """An interval from how the metric differs between random blocks: one pass, where the bootstrap takes hundreds."""
        assert self.overall is not None
        found = np.array([self.overall(y[w > 0], prediction[w > 0], w[w > 0]) for w in _blocks(sample)])
        error = float(np.nanstd(found, ddof=1)) / math.sqrt(BLOCKS)
        half = student_quantile(sample.level, BLOCKS - 1) * error
        method = f"{BLOCKS} random blocks, {sample.name}"
        return Estimate(value, value - half, value + half, sample.n, sample.effective_n, method, sample.level, error)


def _dealt(together: NDArray[np.intp]) -> NDArray[np.intp]:
    """The code of each row's cluster, or of a part of several clusters where there are many."""
    code = np.unique(together, return_inverse=True)[1]
    count = int(code.max()) + 1
    if count <= BLOCKS:
        return code
    part = np.random.default_rng(0).permutation(count) % BLOCKS
    return np.asarray(part[code], dtype=np.intp)


def _blocks(sample: Sample) -> Iterator[Floats]:
    """The rows dealt to blocks at random, as what each row weighs in a block: clusters stay whole, copies are dealt singly."""
    rng = np.random.default_rng(0)
    if sample.together is None:
        left = np.rint(sample.copies).astype(np.int64)
        for k in range(BLOCKS, 0, -1):
            dealt = rng.binomial(left, 1 / k)
            left -= dealt
            yield sample.weight * (dealt / sample.copies)
        return
    block = rng.permutation(int(sample.together.max()) + 1) % BLOCKS
    yield from (np.where(block[sample.together] == k, sample.weight, 0.0) for k in range(BLOCKS))


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


def _area(y: Any, prediction: Any, sample: Sample) -> Estimate:
    method = "Newcombe, DeLong" if sample.together is None else f"Newcombe, DeLong, {sample.name}"
    return of_rows(y, prediction, sample).estimate(sample.n, sample.effective_n, sample.level, method)


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
        Metric("accuracy", "outcome", True, each=_right, share=True, limits=SHARE),
        Metric("balanced_accuracy", "outcome", True, overall=_balanced, limits=SHARE),
        Metric("auc", "outcome", True, overall=_auc, interval=_area, binary_only=True, limits=SHARE),
        Metric("f1", "outcome", True, overall=_f1, binary_only=True, limits=SHARE),
        Metric("precision", "outcome", True, overall=_precision, binary_only=True, limits=SHARE),
        Metric("recall", "outcome", True, overall=_recall, binary_only=True, limits=SHARE),
        Metric("log_loss", "outcome", False, each=_surprise),
        Metric("brier", "outcome", False, each=_brier, limits=(0.0, 2.0)),
        Metric("rmse", "amount", False, each=lambda y, p: np.asarray((y - p) ** 2), finish=math.sqrt),
        Metric("mae", "amount", False, each=lambda y, p: np.asarray(np.abs(y - p))),
        Metric("bias", "amount", False, each=lambda y, p: np.asarray(p - y), signed=True, limits=ANY),
        Metric("r2", "amount", True, overall=_r2, limits=(-math.inf, 1.0)),
    )
}


def around(found: Metric, period: float | None) -> Metric:
    """The metric of angles, whose misses are the shorter way round; as it is where there is no period.

    Raises:
        GM009: the metric compares with a spread that angles do not have
    """
    if period is None:
        return found
    each = found.each
    if each is None:
        raise UsageError(f"there is no metric {found.name!r} for angles", fix="one of rmse, mae, bias")

    def of_miss(y: Any, p: Any) -> Floats:
        return each(0.0, shorter_way(p - y, period))

    return replace(found, each=of_miss)


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
