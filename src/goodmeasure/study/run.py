"""The main job: from a table and a question to a trained model, an honest risk, and a decision."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from typing import Any

import numpy as np

from goodmeasure import __version__
from goodmeasure.choosing.plan import Plan
from goodmeasure.choosing.revisiting import revisit
from goodmeasure.decisions.costs import Costs, UnderOverCosts
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
from goodmeasure.study.training import Tick, Trained, native, train, weighted

Source = Any


def run(
    data: Source, target: str, *, test: Source = None, where: str | None = None, tick: Tick | None = None, **asked: Any
) -> Study:
    """Do the whole main job on a table: choose a loss, train on it, judge the model on rows it never saw, and decide.

    ``data`` is a path (CSV, Parquet, a pattern) or a frame (pandas, Polars, Arrow, a dict of columns). ``test`` is another
    such table whose rows are reported. Keywords are the fields of `Question`: ``costs``, ``ask``, ``positive``, ``metric``,
    ``weights``, ``exposure``, ``group``, ``time``, ``exclude``, ``model``, ``seed``. Errors: GM201 to GM206 for files, GM220
    to GM242 for rows and columns, those of `choose` for the target.
    """
    question = Question(target=target, **asked)
    told = tick or (lambda _: None)
    told("read the table")
    rows = open_table(data, question, where)
    other = None if test is None else open_table(test, question, where, like=rows)
    study = Run(question, told).on(rows, other)
    return replace(study, where=where, test=None if other is None else other.source)


def open_table(data: Source, question: Question, where: str | None = None, like: Table | None = None) -> Table:
    """The table behind a path or a frame; ``like`` is a table whose kinds of columns it must share."""
    if not isinstance(data, str | PathLike):
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
            judged=judged,
            decided=decided,
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
        if again.loss == plan.loss or (self.question.model == "boosting" and native(again.loss) is None):
            return (again if again.loss == plan.loss else plan), trained
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
