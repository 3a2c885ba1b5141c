"""The main job: from a table and a question to a trained model, an honest risk, and a decision."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from typing import Any

import numpy as np

from goodmeasure import __version__
from goodmeasure.choosing.plan import Outliers, Plan
from goodmeasure.choosing.revisiting import revisit
from goodmeasure.decisions.costs import Costs, UnderOverCosts
from goodmeasure.errors import UsageError, shorter, strict_keywords
from goodmeasure.losses.real import pinball
from goodmeasure.reading.files import read
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.tables import Table, table
from goodmeasure.risks.metrics import METRICS, Metric, Scale, metric
from goodmeasure.signals.observed import signal
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.cases import Cases, Prepared, exposure_fits, prepared
from goodmeasure.study.columns import nearly_perfect
from goodmeasure.study.deciding import Decided, decide_amount, decide_outcome, weigh
from goodmeasure.study.dependence import told
from goodmeasure.study.judging import (
    Judged,
    Recalibrated,
    constant_for,
    judge_calibration,
    judged_gap,
    judged_risk,
    measured,
    try_recalibration,
)
from goodmeasure.study.model import Model
from goodmeasure.study.question import Question
from goodmeasure.study.study import Study
from goodmeasure.study.training import Tick, Trained, train, weighted

Source = Any


@strict_keywords
def run(
    data: Source,
    target: str,
    *,
    positive: str | None = None,
    costs: Costs | UnderOverCosts | None = None,
    ask: str | None = None,
    represents: str | None = None,
    outliers: Outliers | None = None,
    metric: str | None = None,
    weights: str | None = None,
    exposure: str | None = None,
    group: str | None = None,
    time: str | None = None,
    exclude: str | Sequence[str] = (),
    model: str = "linear",
    seed: int = 0,
    test: Source = None,
    where: str | None = None,
    tick: Tick | None = None,
) -> Study:
    """Go from a table to a trained model, an honest measure of its risk, and a decision, in one call.

    It chooses a loss for the target, splits the rows into three kinds (to fit, to tune, to report), trains, and judges the
    model on the rows to report, which are used for nothing else.

    Args:
        data: a path (CSV or Parquet, a pattern in quotes) or a frame (pandas, Polars, Arrow, a dict of columns).
        target: the column to predict.
        positive: the label that means yes, of a target of two labels.
        costs: what errors cost, in your own unit: `Costs` of yes and no, or `UnderOverCosts` of an amount. Unless given,
            nothing is decided.
        ask: "mean", "median" or "quantile=0.9" of an amount; the usual one unless given.
        represents: what the target is, if its values do not tell: "count", "positive", "classes", ...
        outliers: whether values far out are "errors" or "real".
        metric: what to report beside the loss: "accuracy", "auc", "rmse", "mae", ...
        weights: the column that says how much each row counts; all rows count alike unless given.
        exposure: the column of how much time, area or sum insured a count or amount belongs to.
        group: the column whose equal values stay in one part of the split.
        time: the column by which the earliest rows are fitted and the latest reported.
        exclude: a column that must not be learned from, or several.
        model: "linear" or "boosting".
        seed: for the split and the bootstrap; the same seed gives the same study.
        test: a table like ``data`` whose rows are reported, in place of a part of ``data``.
        where: an SQL condition that rows of a file must fit, such as "age >= 18".
        tick: called with a sentence whenever a step begins.

    Returns:
        A `Study`: print it for the verdict; it holds the plan, the model, the risk and the decision.

    Raises:
        GM201 to GM206: a file or a cell cannot be read, a column is missing or doubled, or no row is left.
        GM220: too few rows for three parts.
        GM231: no column is left to learn from.
        GM241, GM242: an exposure is not positive, or a row has no time.
        GM601 to GM605: the target holds nothing to learn, or nothing that a loss can measure.
        GM004, GM006, GM703: a target, a weight or a label cannot be used.
        GM711: the costs answer another question than the target asks.
        GM009: a keyword or its value is unknown, or two do not fit together.

    Example:
        >>> import goodmeasure as gm
        >>> hours = [i % 12 for i in range(240)]
        >>> passed = ["yes" if 2 * h + i % 7 > 12 else "no" for i, h in enumerate(hours)]
        >>> study = gm.run({"hours": hours, "passed": passed}, "passed", positive="yes")
        >>> study.plan.loss, study.verdict.word
        (binary_cross_entropy(), 'use')
    """
    question = Question(
        target=target,
        positive=positive,
        costs=costs,
        ask=ask,
        represents=represents,
        outliers=outliers,
        metric=metric,
        weights=weights,
        exposure=exposure,
        group=group,
        time=time,
        exclude=_names(exclude),
        model=model,
        seed=seed,
    )
    told = tick or (lambda _: None)
    told("read the table")
    rows = open_table(data, question, where)
    other = None if test is None else open_table(test, question, where, like=rows)
    study = Run(question, told).on(rows, other)
    return replace(study, where=where, test=None if other is None else other.source)


def _names(exclude: str | Sequence[str]) -> tuple[str, ...]:
    """The columns to leave out; one name is a list of one."""
    found = (exclude,) if isinstance(exclude, str) else tuple(exclude) if isinstance(exclude, Iterable) else (exclude,)
    if not all(isinstance(name, str) for name in found):
        raise UsageError(
            f"run takes no exclude={shorter(exclude)}", seen="columns have texts as names", fix="exclude=[]"
        )
    return found


def open_table(data: Source, question: Question, where: str | None = None, like: Table | None = None) -> Table:
    """The table behind a path or a frame; ``like`` is a table whose kinds of columns it must share."""
    if not isinstance(data, str | PathLike):
        if where is not None:
            raise UsageError("where= is for files: a frame has rows of its own", fix="run(data[data.age >= 18], ...)")
        return table(data)
    if like is None:
        return read(data, where=where, numbers=question.number_columns)
    kinds = {name: kind for name, kind in like.kinds.items() if name not in question.exclude}
    return read(data, where=where, kinds=kinds)


@dataclass
class Run:
    """One run: its question, and whom it tells how far it has come."""

    question: Question
    tick: Tick

    def on(self, rows: Table, test: Table | None = None) -> Study:
        """The study of a table."""
        began = time.perf_counter()
        question = self.question
        self.tick("look at the columns")
        given = prepared(rows, question, test)
        exposure_fits(given.plan, question)
        chosen_metric = _metrics(given.plan, question)
        outcome = bool(given.plan.labels)
        known = nearly_perfect(given.fit.table, given.columns.features, given.fit.y, outcome, question.seed)
        plan, trained = self._trained(given)
        trained, weighing = self._weighed(plan, trained, given)
        self.tick("judge it on rows it never saw")
        model, recalibrated, remarks = self._settled(plan, trained, given.tune)
        decided = self._decided(plan, model, given)
        if decided is not None:
            decided = replace(decided, weighing=weighing)
            model = model.using(threshold=decided.threshold, shift=decided.shift)
        judged = self._judged(plan, model, given, recalibrated, chosen_metric)
        model = model.using(facts=_facts(given, question))
        return Study(
            question=question,
            source=rows.source,
            rows=rows.rows_in_source,
            plan=plan,
            prepared=given,
            trained=trained,
            model=model,
            judged=told(judged, given.report),
            decided=told(decided, given.report),
            remarks=tuple(dict.fromkeys((*given.remarks, *known, *remarks))),
            seconds=time.perf_counter() - began,
            frame=rows.frame,
        )

    def _train(self, plan: Plan, given: Prepared) -> Callable[[Cases, Cases], Trained]:
        question = self.question
        return partial(
            train, plan.loss, question.model, features=given.columns.features, seed=question.seed, tick=self.tick
        )

    def _trained(self, given: Prepared) -> tuple[Plan, Trained]:
        """A model for the plan; where the plan asks about tails, its residuals may change the loss, and it is trained again."""
        plan, trained = given.plan, self._train(given.plan, given)(given.fit, given.tune)
        if plan.tails is None:
            return plan, trained
        prediction = np.asarray(plan.loss.predict(trained.raw(given.fit.table, given.fit.exposure)))
        again = revisit(plan, given.fit.y - prediction)
        if again.loss == plan.loss:
            return again, trained
        self.tick(f"the errors of a first fit ask for {again.loss}")
        return again, self._train(again, given)(given.fit, given.tune)

    def _weighed(self, plan: Plan, trained: Trained, given: Prepared) -> tuple[Trained, Any]:
        """With costs, the same model trained with class weights, if that decides surely better on the rows to tune."""
        costs = self.question.costs
        if not isinstance(costs, Costs) or not 0 < costs.threshold < 1 or costs.threshold == 0.5:
            return trained, None
        ratio = (1 - costs.threshold) / costs.threshold
        self.tick(f"try class weights of {ratio:.3g} to 1")
        other = weighted(ratio, self._train(plan, given), given.fit, given.tune)
        plain, leaning = (np.asarray(plan.loss.predict(t.raw(given.tune.table))) for t in (trained, other))
        weighing = weigh(costs, ratio, given.tune, plain, leaning)
        return (other if weighing.taken else trained), weighing

    def _settled(
        self, plan: Plan, trained: Trained, tune: Cases
    ) -> tuple[Model, Recalibrated | None, tuple[Remark, ...]]:
        """The model to hand over, recalibrated if the rows to tune say that this is surely better."""
        question = self.question
        model = Model.of(
            trained,
            target=question.target,
            asks_for=plan.asks_for,
            labels=plan.labels,
            exposure=question.exposure,
            costs=question.costs,
        )
        found, remarks = try_recalibration(plan.loss, tune, trained.raw(tune.table, tune.exposure), question.seed)
        if found is not None and found.used:
            model = model.using(recalibration=found.map)
        return model, found, remarks

    def _decided(self, plan: Plan, model: Model, given: Prepared) -> Decided | None:
        costs = self.question.costs
        p_tune, p = (model.predictions(_raw(model, cases)) for cases in (given.tune, given.report))
        if isinstance(costs, Costs):
            return decide_outcome(costs, given.tune, p_tune, given.report, p)
        if isinstance(costs, UnderOverCosts):
            constant = float(pinball(level=costs.level).best_constant(given.fit.y, given.fit.weight))
            return decide_amount(costs, given.tune, p_tune, given.report, p, constant)
        return None

    def _judged(
        self, plan: Plan, model: Model, given: Prepared, recalibrated: Recalibrated | None, metrics: tuple[Metric, ...]
    ) -> Judged:
        loss, seed = plan.loss, self.question.seed
        plain, raw = _raw(model, given.report), model.settled(_raw(model, given.report))
        raw_fit = model.settled(_raw(model, given.fit))
        constant = constant_for(loss, given.fit)
        fit, report = (
            judged_risk(loss, cases, z, constant) for cases, z in ((given.fit, raw_fit), (given.report, raw))
        )
        offset = 0.0 if given.report.exposure is None else np.log(given.report.exposure)
        shape = (len(given.report), *np.shape(constant))
        flat_raw = np.broadcast_to(constant, shape) + offset
        flat = np.asarray(loss.predict(flat_raw))
        pairs = ((given.fit, np.asarray(loss.predict(raw_fit))), (given.report, np.asarray(loss.predict(raw))))
        after = None
        if recalibrated is not None:
            after = judge_calibration(loss, given.report, recalibrated.map(plain), seed)
        return Judged(
            fit,
            report,
            judged_gap(fit, report),
            constant,
            tuple(measured(m, *pairs, flat) for m in metrics),
            judge_calibration(loss, given.report, np.asarray(loss.predict(plain)), seed),
            after,
            recalibrated,
            signal(loss, given.report.y, raw, given.report.weight, metric=metrics[0], before=flat_raw),
        )


def _raw(model: Model, cases: Cases) -> Floats:
    raw = model.scorer(model.encoding(cases.table))
    return raw if cases.exposure is None else raw + np.log(cases.exposure)


def _metrics(plan: Plan, question: Question) -> tuple[Metric, ...]:
    """The metric that was asked for, or the usual one; for yes/no also the area under the curve."""
    scale: Scale = "outcome" if plan.labels else "amount"
    first = metric(question.metric, scale, len(plan.labels), plan.asks_for)
    if question.metric is None and len(plan.labels) == 2:
        return first, METRICS["auc"]
    return (first,)


def _facts(given: Prepared, question: Question) -> dict[str, Any]:
    import sklearn

    return {
        "goodmeasure": __version__,
        "scikit-learn": sklearn.__version__,
        "model": question.model,
        "seed": question.seed,
        "rows": {name: len(rows) for name, rows in given.split.parts.items()},
    }
