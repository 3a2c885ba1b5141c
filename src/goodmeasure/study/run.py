"""The main job: from a table and a question to a trained model, an honest risk, and a decision."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import numpy as np

from goodmeasure import __version__
from goodmeasure.choosing.plan import Outliers, Plan
from goodmeasure.decisions.costs import Costs, UnderOverCosts
from goodmeasure.decisions.rules import ActDecision, Decision
from goodmeasure.deriving.predictions import turn
from goodmeasure.errors import UsageError, shorter
from goodmeasure.losses.real import pinball
from goodmeasure.reading.files import read
from goodmeasure.reading.frames import named_target, table
from goodmeasure.reading.tables import Table
from goodmeasure.risks.metrics import METRICS, Metric, Scale, around, metric
from goodmeasure.risks.risk import Risk, in_range
from goodmeasure.signals.observed import Signal, signal
from goodmeasure.strict.calls import strict_keywords
from goodmeasure.study.cases import Prepared, exposure_fits, prepared
from goodmeasure.study.columns import nearly_perfect
from goodmeasure.study.deciding import Decided, decide_amount, decide_outcome
from goodmeasure.study.dependence import told
from goodmeasure.study.folds import first_deal, over_folds
from goodmeasure.study.judging import Judged, constant_for, judge_calibration, judged_gap, judged_risk, measured
from goodmeasure.study.predicted import Predicted, predicted
from goodmeasure.study.procedure import Made, Procedure, raw_of
from goodmeasure.study.question import Question
from goodmeasure.study.study import Study
from goodmeasure.study.training import Tick
from goodmeasure.study.vetoing import vetoes

Source = Any


@strict_keywords
def run(
    data: Source,
    target: Any,
    *,
    positive: Any = None,
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
    protocol: str = "auto",
    seed: int = 0,
    test: Source = None,
    where: str | None = None,
    rare_classes: str | None = None,
    decimal: str | None = None,
    dates: str | None = None,
    tick: Tick | None = None,
) -> Study:
    """Go from a table to a trained model, an honest measure of its risk, and a decision, in one call.

    It chooses a loss for the target, splits the rows into three kinds (to fit, to tune, to report), trains, and judges the
    model on the rows to report, which are used for nothing else. Where rows are few, every row is reported, and judged by
    models that were fitted, tuned and recalibrated on other rows; the loss and the columns are chosen on all.

    Args:
        data: a path (CSV or Parquet, a pattern in quotes) or a frame (pandas, Polars, Arrow, a dict of columns).
        target: the column to predict, by its name; or its values, (n,), where ``data`` holds the features, (n, k).
        positive: the label that means yes, of a target of two labels; unless given, the one that is known to mean it.
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
        model: "linear"; "boosting" (scikit-learn's trees); or what an extra brings: "xgboost", "lightgbm", "catboost", or
            "network", a small multilayer one that torch trains.
        protocol: how it is judged: by rows held out ("holdout"), or by ten "folds", after which the model is fitted to all
            rows. "auto" takes folds where a fifth of the rows would tell little: below 500 rows, 100 of a label of two, or
            50 groups.
        seed: for the split and the bootstrap; the same seed gives the same study.
        test: a table like ``data`` whose rows are reported, in place of a part of ``data``.
        where: an SQL condition that rows of a file must fit, such as "age >= 18".
        rare_classes: what becomes of classes of fewer than ten rows: one class "together", or "drop" their rows; an error
            unless given.
        decimal: whether a "point" or a "comma" stands before decimals in texts such as "1,234"; the cells tell
            unless given.
        dates: whether "01/02/2024" is written "day-first" or "month-first"; the cells tell unless given.
        tick: called with a sentence whenever a step begins.

    Returns:
        A `Study`: print it for the verdict; it holds the plan, the model, the risk and the decision.

    Raises:
        GM201 to GM206: a file or a cell cannot be read, a column is missing or doubled, or no row is left.
        GM211: numbers or dates of a column can be read in two ways.
        GM220: too few rows for three parts.
        GM231: no column is left to learn from.
        GM247: the times are texts that are no dates.
        GM241, GM242: an exposure is not positive, or a row has no time.
        GM607: costs are given, and which of two labels means yes is not known.
        GM601 to GM605: the target holds nothing to learn, or nothing that a loss can measure.
        GM004, GM006, GM703: a target, a weight or a label cannot be used.
        GM711: the costs answer another question than the target asks.
        GM008: what trains the model that was asked for is not installed.
        GM009: a keyword or its value is unknown, or two do not fit together.

    Example:
        >>> import goodmeasure as gm
        >>> hours = [i % 12 for i in range(240)]
        >>> passed = ["yes" if 2 * h + i % 7 > 12 else "no" for i, h in enumerate(hours)]
        >>> study = gm.run({"hours": hours, "passed": passed}, "passed", positive="yes")
        >>> study.plan.loss, study.verdict.word
        (binary_cross_entropy(), 'use')
    """
    data, target = named_target(data, target, weights)
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
        protocol=protocol,
        seed=seed,
        rare_classes=rare_classes,
        decimal=decimal,
        dates=dates,
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
    known = None if like is None else like.notations
    if not isinstance(data, str | PathLike):
        if where is not None:
            raise UsageError("where= is for files: a frame has rows of its own", fix="run(data[data.age >= 18], ...)")
        return table(data, written=question.written, notations=known, weight=question.weights)
    asked: dict[str, Any] = {"where": where, "weight": question.weights, "written": question.written}
    if like is None:
        return read(data, numbers=question.number_columns, **asked)
    kinds = {name: kind for name, kind in like.kinds.items() if name not in question.exclude}
    return read(data, kinds=kinds, notations=known, **asked)


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
        procedure = Procedure(question, given.columns.features, self.tick)
        made = procedure(given.plan, given.fit, given.tune)
        if given.split.deals:
            made = procedure.on_all(made, given.report)
        self.tick("judge it on rows it never saw")
        said = predicted(procedure, made, given)
        decided, model = self._decided(made, given, said), made.model
        if decided is not None:
            model = model.using(threshold=decided.threshold, shift=decided.shift)
        judged = self._judged(made, given, said, chosen_metric)
        against = vetoes(judged, given.fitted, given.report, given.split, outcome=outcome)
        notations = {name: how for name, how in rows.notations.items() if name in model.columns}
        model = model.using(facts=_facts(given, question), notations=notations)
        return Study(
            question=question,
            source=rows.source,
            rows=rows.rows_in_source,
            plan=made.plan,
            prepared=given,
            trained=made.trained,
            model=model,
            judged=told(judged, given.report),
            decided=told(decided, given.report),
            remarks=tuple(dict.fromkeys((*given.remarks, *known, *made.remarks, *against))),
            seconds=time.perf_counter() - began,
            frame=rows.frame,
        )

    def _decided(self, made: Made, given: Prepared, said: Sequence[Predicted]) -> Decided | None:
        costs, tuning = self.question.costs, made.tuning
        each = [(one.prediction, one.practice) for one in said if one.practice is not None]
        if isinstance(costs, Costs) and isinstance(tuning, Decision):
            return decide_outcome(costs, tuning, given.report, each, given.split, weighing=made.weighing)
        if isinstance(costs, UnderOverCosts) and isinstance(tuning, ActDecision):
            constant = float(pinball(level=costs.level).best_constant(given.fitted.y, given.fitted.weight))
            return decide_amount(costs, tuning, given.report, each, given.split, constant)
        return None

    def _judged(self, made: Made, given: Prepared, said: Sequence[Predicted], metrics: tuple[Metric, ...]) -> Judged:
        loss, seed, first = made.plan.loss, self.question.seed, said[0]
        raw_fit = made.model.settled(raw_of(made.model, given.fitted))
        constant = constant_for(loss, given.fitted)
        fit = judged_risk(loss, given.fitted, [raw_fit], constant)
        report = over_folds(judged_risk(loss, given.report, [one.settled for one in said], constant), given.split)
        report = in_range(loss, report)
        offset = 0.0 if given.report.exposure is None else np.log(given.report.exposure)
        shape = (len(given.report), *np.shape(constant))
        flat_raw = np.broadcast_to(constant, shape) + offset
        flat = np.asarray(loss.predict(flat_raw))
        pairs = (
            (given.fitted, np.asarray(loss.predict(raw_fit))),
            (given.report, np.asarray(loss.predict(first.settled))),
        )
        measures = tuple(measured(m, *pairs, flat, given.split) for m in metrics)
        after = None
        if made.recalibrated is not None and first.mapped is not None:
            after = judge_calibration(loss, given.report, first.mapped, seed)
        seen = signal(loss, given.report.y, first.settled, given.report.weight, metric=metrics[0], before=flat_raw)
        return Judged(
            fit,
            report,
            judged_gap(fit, report),
            constant,
            measures,
            judge_calibration(loss, given.report, np.asarray(loss.predict(first.plain)), seed),
            after,
            made.recalibrated,
            _alike(seen, report, given),
            first.settled,
            first.prediction,
        )


def _alike(seen: Signal, report: Risk, given: Prepared) -> Signal:
    """The signal, whose change of the loss is what the risk says of the same quantity, and whose metric knows of folds."""
    if seen.aligned is None or report.versus_constant is None:
        return seen
    moved = over_folds(seen.aligned.difference, first_deal(given.split))
    return replace(seen, aligned=replace(seen.aligned, loss=report.versus_constant, difference=moved))


def _metrics(plan: Plan, question: Question) -> tuple[Metric, ...]:
    """The metric that was asked for, or the usual one; for yes/no also the area under the curve."""
    scale: Scale = "outcome" if plan.labels else "amount"
    first = around(metric(question.metric, scale, len(plan.labels), plan.asks_for), turn(plan.loss))
    if question.metric is None and len(plan.labels) == 2 and not plan.loss.is_classwise:
        return first, METRICS["auc"]
    return (first,)


def _facts(given: Prepared, question: Question) -> dict[str, Any]:
    return {
        "goodmeasure": __version__,
        "model": question.model,
        "seed": question.seed,
        "rows": {name: len(rows) for name, rows in given.split.parts.items()},
        "protocol": given.split.protocol,
    }
