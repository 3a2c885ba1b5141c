"""What the reported rows say: risk and gap, the metric beside it, calibration before and after, and the learning signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.calibrating.calibration import Calibration, calibration
from goodmeasure.calibrating.recalibration import Method, Recalibration, recalibrate
from goodmeasure.decisions.decision import folds
from goodmeasure.deriving.predictions import is_arrow
from goodmeasure.drawing.display import Display
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.drawing.picture import Picture
from goodmeasure.drawing.pictures import risks
from goodmeasure.errors import Problem
from goodmeasure.losses.real import circular, pinball
from goodmeasure.making.loss import Loss
from goodmeasure.reading.remarks import Remark
from goodmeasure.risks.metrics import Metric
from goodmeasure.risks.outputs import row_losses
from goodmeasure.risks.rare import RareOutcomes
from goodmeasure.risks.risk import Risk, averaged, compare, gap
from goodmeasure.signals.observed import Signal
from goodmeasure.statistics.estimate import Difference, Estimate, display_of, within
from goodmeasure.statistics.multinomial import hit_share
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.cases import Cases
from goodmeasure.study.dependence import known, parts, sample
from goodmeasure.study.folds import first_deal, over_folds
from goodmeasure.study.split import Split

FOLDS = 5


class NotRecalibrated(Remark):
    """The probabilities could not be recalibrated on the rows to tune, and are as the model gives them.

    This happens where scores separate the classes perfectly: every steeper map would fit better, without end.
    """

    code = "GM250"


@dataclass(frozen=True)
class Recalibrated:
    """A recalibration fitted on the rows to tune, and whether it is used.

    ``gain`` is what it changes in the mean loss there, cross-fitted: it is used only if that is surely better.
    """

    map: Recalibration
    gain: Difference

    @property
    def used(self) -> bool:
        """Whether recalibrated probabilities are surely better."""
        return self.gain.verdict == "better"

    def to_dict(self) -> dict[str, Any]:
        """The recalibration as plain values, ready for JSON."""
        return {"map": self.map.to_dict(), "gain_on_rows_to_tune": self.gain.to_dict(), "used": self.used}


@dataclass(frozen=True)
class Measured:
    """A metric on the fitted and the reported rows, and what the best constant reaches on the latter."""

    metric: Metric
    fit: Estimate
    report: Estimate
    constant: float

    def to_dict(self) -> dict[str, Any]:
        """The metric as plain values, ready for JSON."""
        return {
            "name": self.metric.name,
            "higher_is_better": self.metric.higher_is_better,
            "fit": self.fit.to_dict(),
            "report": self.report.to_dict(),
            "constant": self.constant,
        }


@dataclass(frozen=True)
class Judged(Displayed):
    """Everything that was read off the reported rows, and beside it what the fitted rows said.

    ``constant`` is the raw output (of one unit of exposure) that fits the fitted rows best without any feature. ``raw``
    and ``prediction`` are what models that never saw the reported rows say of them, in the first deal of several. ``shares``
    say of several quantiles how many targets lie at or below each.
    """

    fit: Risk
    report: Risk
    gap: Difference
    constant: Any
    metrics: tuple[Measured, ...]
    before: Calibration
    after: Calibration | None
    recalibrated: Recalibrated | None
    signal: Signal
    raw: Floats = field(repr=False)
    prediction: Floats = field(repr=False)
    shares: dict[str, Estimate] = field(default_factory=dict)

    @property
    def calibration(self) -> Calibration:
        """The calibration of the predictions that are handed over."""
        used = self.recalibrated is not None and self.recalibrated.used
        return self.after if used and self.after is not None else self.before

    @property
    def estimates(self) -> dict[str, Estimate | None]:
        """Every estimate of the reported rows by its name, and those of the fitted rows beside them."""
        metrics = {measured.metric.name.replace("_", " "): measured.report for measured in self.metrics}
        return {
            "mean loss": self.report,
            "mean loss on fitted rows": self.fit,
            "gap between them": self.gap,
            "best constant": self.report.constant_risk,
            "minus the best constant": self.report.versus_constant,
            **metrics,
            "calibration error": self.calibration.error,
            **self.shares,
        }

    def _display(self) -> Display:
        return display_of("What the reported rows say", self.estimates)

    def _picture(self) -> Picture:
        assert self.report.constant_risk is not None
        rows = (
            ("rows to report", self.report),
            ("rows to fit", self.fit),
            ("best constant", self.report.constant_risk),
        )
        return risks([(name, each.interval) for name, each in rows])


def constant_for(loss: Loss, cases: Cases) -> Any:
    """The raw output that fits best if it is the same for all rows (for one unit of exposure)."""
    if cases.exposure is None:
        return loss.best_constant(cases.y, cases.weight)
    from scipy.optimize import brentq

    offset = np.log(cases.exposure)

    def slope(z: float) -> float:
        return float(cases.weights @ np.asarray(loss.gradient(cases.y, z + offset)))

    start = float(np.log(max(np.average(cases.y, weights=cases.weights), 1e-12) / np.average(cases.exposure)))
    low, high = start - 1.0, start + 1.0
    while slope(low) > 0:
        low -= 2.0
    while slope(high) < 0:
        high += 2.0
    return float(brentq(slope, low, high))


def judged_risk(loss: Loss, cases: Cases, each: Sequence[Floats], constant: Any) -> Risk:
    """The risk on these rows, beside the constant; ``each`` holds the raw outputs of one model, or of one deal of folds."""
    found = averaged(loss, cases.y, each, sample_weight=cases.weight, constant=constant, **known(cases))
    if cases.exposure is None:
        return found
    # The constant of a rate is a constant times each row's exposure.
    alike = constant + np.log(cases.exposure)
    against = row_losses(loss, cases.y, alike)
    values, rows = np.mean([row_losses(loss, cases.y, raw) for raw in each], axis=0), sample(cases)
    rare = RareOutcomes.of(loss, cases.y, None, rows)

    def extra(y: Floats) -> Floats:
        models = np.mean([row_losses(loss, y, raw) for raw in each], axis=0)
        return np.asarray(models - row_losses(loss, y, alike))

    versus = rows.difference(values - against)
    versus = versus if rare is None else rare.widened(versus, extra)
    return replace(found, constant_risk=rows.mean(against), versus_constant=versus, skill=None)


def try_recalibration(
    loss: Loss, tune: Cases, raw: Floats, seed: int
) -> tuple[Recalibrated | None, tuple[Remark, ...]]:
    """A map for the probabilities, fitted on the rows to tune and judged there by cross-fitting. None for amounts."""
    if not (loss.is_binary or loss.is_classwise) or not np.isin(tune.y, np.round(tune.y)).all():
        return None, ()
    if loss.is_classwise and (raw.argmax(axis=1) == tune.y).all():
        what = "the probabilities were not recalibrated: every row to tune is classified rightly"
        return None, (NotRecalibrated(what, seen=f"{len(tune):,} rows: no finite temperature fits them best"),)
    method: Method = "temperature" if loss.is_classwise else "platt"
    together, _ = parts(tune)
    fold = folds(len(tune), together, seed, FOLDS)
    mapped = np.empty_like(raw)
    try:
        for k in range(int(fold.max()) + 1):
            held = fold == k
            weight = None if tune.weight is None else tune.weight[~held]
            mapped[held] = recalibrate(tune.y[~held], raw[~held], method, sample_weight=weight, raw=True)(raw[held])
        final = recalibrate(tune.y, raw, method, sample_weight=tune.weight, raw=True)
    except Problem as error:
        return None, (NotRecalibrated(f"the probabilities were not recalibrated: {error.what}", seen=error.seen),)
    gain = compare(loss, tune.y, loss.raw(mapped), raw, sample_weight=tune.weight, **known(tune))
    return Recalibrated(final, gain), ()


def measured(
    metric: Metric, fit: tuple[Cases, Floats], report: tuple[Cases, Floats], constant: Any, split: Split
) -> Measured:
    """A metric on both kinds of rows; ``constant`` is the prediction of the best constant for each reported row."""
    (fitted, p_fit), (cases, p) = fit, report
    flat = metric.estimate(cases.y, constant, cases.weights) if metric.each else None
    value = flat.value if flat is not None else _overall(metric, cases, constant)
    found = over_folds(metric.estimate(cases.y, p, cases.weights, parts(cases)[0]), first_deal(split))
    fit_rows = metric.estimate(fitted.y, p_fit, fitted.weights, parts(fitted)[0])
    return Measured(metric, fit_rows, within(found, *metric.limits), value)


def _overall(metric: Metric, cases: Cases, constant: NDArray[Any]) -> float:
    assert metric.overall is not None
    return metric.overall(cases.y, constant, cases.weights)


def judge_calibration(loss: Loss, cases: Cases, prediction: Floats, seed: int) -> Calibration:
    """Whether predictions mean what they say on these rows; shares between 0 and 1 are amounts, of which the mean is asked.

    Of several quantiles the one nearest to the median is judged by its size, each by its share of rows: see `shares_below`. Of
    an arrow its direction is.
    """
    if loss.levels:
        k = int(np.argmin(np.abs(np.array(loss.levels) - 0.5)))
        loss, prediction = pinball(level=loss.levels[k]), prediction[:, k]
    if is_arrow(loss):
        loss = circular(period=float(loss.values["period"]))
    shares = loss.is_binary and not np.isin(cases.y, (0, 1)).all()
    loss_asked = None if shares else loss
    return calibration(cases.y, prediction, loss_asked, cases.weight, cluster=parts(cases)[0], seed=seed)


def shares_below(loss: Loss, cases: Cases, prediction: Floats, split: Split) -> dict[str, Estimate]:
    """How many targets lie at or below each quantile, and between the outer two, beside the levels that were asked for."""
    if not loss.levels:
        return {}
    low, high = loss.levels[0], loss.levels[-1]
    held = {
        f"at or below the {level:g} quantile": cases.y <= q for level, q in zip(loss.levels, prediction.T, strict=True)
    }
    inside = (prediction[:, 0] <= cases.y) & (cases.y <= prediction[:, -1])
    held |= {f"from the {low:g} to the {high:g} quantile": inside}
    rows, first = sample(cases), first_deal(split)
    shares = {name: over_folds(hit_share(rows, hit.astype(np.float64)), first) for name, hit in held.items()}
    return {name: within(found, 0.0, 1.0) for name, found in shares.items()}


def judged_gap(fit: Risk, report: Risk) -> Difference:
    """What reported rows cost more than fitted ones."""
    return replace(gap(fit, report), method=f"unpaired, {report.method}")
