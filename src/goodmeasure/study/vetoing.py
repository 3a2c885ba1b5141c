"""What speaks against a model although its loss is better than the constant's: its metric, or predictions that run away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.tables import listed
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.cases import Cases
from goodmeasure.study.judging import Judged, Measured
from goodmeasure.study.split import Split

SHOWN = 3


class MetricWorseThanConstant(Remark):
    """By the metric beside the loss, one prediction for all rows is better than the model.

    A loss may hardly feel what the metric feels: gamma and Poisson deviances forgive predictions that are far too large,
    which a squared error does not. Look at the rows named, and at whether the metric or the loss is what you care about.
    """

    code = "GM251"
    severity = "warning"


class RunawayPredictions(Remark):
    """Some predictions lie far outside all targets that were fitted: farther than those reach from end to end.

    Where effects multiply, one unusual value of a feature is enough. Limit or take the logarithm of such a feature, or use
    ``--model boosting``, whose predictions stay among the targets seen.
    """

    code = "GM252"
    severity = "warning"


def vetoes(judged: Judged, fitted: Cases, report: Cases, split: Split, *, outcome: bool) -> tuple[Remark, ...]:
    """Remarks on what was measured that forbids to say "use"."""
    first = judged.metrics[0]
    worse = () if not _worse(first) else (_worse_metric(first, judged, report, split, outcome=outcome),)
    return worse if outcome else (*worse, *_runaway(judged.prediction, fitted, report, split))


def _worse(found: Measured) -> bool:
    """Whether the constant is better by a metric: surely, but of sizes of misses at all, as huge ones make intervals wide."""
    low, high = found.report.low - found.constant, found.report.high - found.constant
    if found.metric.higher_is_better:
        return bool(high < 0)
    if found.metric.signed:
        return bool(max(found.report.low, -found.report.high) > abs(found.constant))
    return bool(low > 0 if found.metric.share else found.report.value > found.constant)


def _surely(found: Measured) -> bool:
    """Whether the interval of the metric says so too."""
    return found.metric.higher_is_better or found.metric.signed or found.report.low > found.constant


def _worse_metric(found: Measured, judged: Judged, report: Cases, split: Split, *, outcome: bool) -> Remark:
    is_better = "is better" if _surely(found) else "did better on these rows, which may be luck"
    what = (
        f"by {found.metric.name.replace('_', ' ')} one prediction for all rows {is_better}: {found.constant:.4g} against "
        f"{found.report.value:.4g}"
    )
    fix = "judge by what you care about: another --ask, or --metric"
    if outcome:
        return MetricWorseThanConstant(what, fix=fix)
    missed = np.argsort(-np.abs(judged.prediction - report.y), kind="stable")
    return MetricWorseThanConstant(
        what, seen=f"the largest misses: {_rows(missed, judged.prediction, report, split)}", fix=fix
    )


def _runaway(prediction: Floats, fitted: Cases, report: Cases, split: Split) -> tuple[Remark, ...]:
    """A remark on predictions (of one unit of exposure) that are farther outside the targets than those reach."""
    seen, said = _rates(fitted.y, fitted), _rates(prediction, report)
    low, high = float(seen.min()), float(seen.max())
    beyond = np.maximum(said - high, low - said)
    rows = np.flatnonzero(~(beyond <= high - low))
    if not len(rows):
        return ()
    worst = rows[np.argsort(-beyond[rows], kind="stable")]
    what = (
        f"{len(rows):,} of {len(said):,} predictions lie far outside the targets that were fitted ({low:.4g} to {high:.4g}): "
        f"{_rows(worst, prediction, report, split)}"
    )
    return (RunawayPredictions(what, fix="look at the features of these rows, or --model boosting"),)


def _rates(values: Floats, cases: Cases) -> Floats:
    return values if cases.exposure is None else values / cases.exposure


def _rows(places: NDArray[np.intp], prediction: Floats, report: Cases, split: Split) -> str:
    """The first of some reported rows, with what was predicted and what happened."""
    numbers = split.report + 1
    said = (f"row {numbers[i]:,} ({prediction[i]:.4g}, was {report.y[i]:.4g})" for i in places[:SHOWN])
    return listed(said)
