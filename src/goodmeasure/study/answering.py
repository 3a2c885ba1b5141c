"""One question on one table: a model is made, and judged on rows that it never saw."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from goodmeasure import __version__
from goodmeasure.choosing.plan import Plan
from goodmeasure.decisions.costs import ClassCosts, Costs, UnderOverCosts
from goodmeasure.decisions.pricing import Prices
from goodmeasure.decisions.rules import ActDecision, Decision
from goodmeasure.deriving.predictions import foreseen, middle, turn
from goodmeasure.errors import UsageError
from goodmeasure.losses.real import pinball
from goodmeasure.reading.tables import Table
from goodmeasure.risks.metrics import METRICS, Metric, Scale, around, metric
from goodmeasure.risks.outputs import row_losses
from goodmeasure.risks.risk import Risk, in_range
from goodmeasure.signals.observed import Signal, signal
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.aiming import Aim, Aiming
from goodmeasure.study.all_rows import AllRows
from goodmeasure.study.cases import Cases, Prepared, exposure_fits, prepared
from goodmeasure.study.coefficients import Coefficient, coefficients
from goodmeasure.study.column_costs import ColumnCosts
from goodmeasure.study.columns import nearly_perfect
from goodmeasure.study.comparing import model_name
from goodmeasure.study.conformal import covering
from goodmeasure.study.deciding import Decided, amount_costs, decide_amount, decide_class, decide_outcome, policy_of
from goodmeasure.study.dependence import sample, told
from goodmeasure.study.effects import Effects, effects, sampled
from goodmeasure.study.folds import first_deal, over_folds
from goodmeasure.study.judging import (
    Judged,
    constant_for,
    judge_calibration,
    judged_gap,
    judged_risk,
    measured,
    shares_below,
)
from goodmeasure.study.model import Model
from goodmeasure.study.predicted import Predicted, predicted
from goodmeasure.study.procedure import ClassWeights, Made, Procedure, raw_of
from goodmeasure.study.question import Question
from goodmeasure.study.seen import Distribution, SeenRows, costing, place_of, seen
from goodmeasure.study.segmenting import refuse_too_many, segments
from goodmeasure.study.split import Indices
from goodmeasure.study.study import Study
from goodmeasure.study.training import Tick, leaning, natural_strength
from goodmeasure.study.vetoing import vetoes


@dataclass(frozen=True)
class Entry:
    """A model with what it was asked, how it was made, what it says of the rows to tune and to report, and its decision."""

    question: Question
    given: Prepared
    made: Made
    on_tune: Floats
    settled_on_tune: Floats
    said: tuple[Predicted, ...]
    decided: Decided | None

    @property
    def name(self) -> str:
        """What the model is called among others."""
        return model_name(self.question.model, self.made.plan.loss, self.made.weighing)


@dataclass
class Answering:
    """How a question is answered, whom it tells how far it has come, and of which rows beyond those in memory the model is."""

    question: Question
    tick: Tick
    all_rows: AllRows | None = None

    def on(self, rows: Table, test: Table | None = None, like: Table | None = None) -> Study:
        """The study of a table."""
        began = time.perf_counter()
        self.tick("look at the columns")
        given = prepared(rows, self.question, test, like)
        settled = replace(self, question=self.question.settled(given.plan.labels))
        return settled.study(settled.entry(given), rows, began)

    def entry(self, given: Prepared, weights: ClassWeights = "tried") -> Entry:
        """The model that is made of these rows, with what it says of the rows to tune and to report."""
        exposure_fits(given.plan, self.question)
        if self.all_rows is not None:
            self.all_rows.refuse_kinks(given.plan.loss, given)
        refuse_too_many(given.report, self.question.by)
        if self.question.aims and (len(given.plan.labels) != 2 or given.plan.loss.is_classwise):
            raise UsageError(
                f"floors and a budget are for yes and no; {self.question.target} is {given.plan.represents}",
                fix="leave out --floor and --budget",
            )
        procedure = Procedure(self.question, given.columns.features, self.tick, weights)
        made = procedure(given.plan, given.fit, given.tune)
        if self.question.conformal and not made.model.loss.levels:
            raise UsageError(
                "conformal prediction moves several quantiles, or both ends of an interval",
                seen=f"{made.model.loss} asks for the {made.plan.asks_for}",
                fix="--ask quantiles=0.05,0.95",
            )
        raw = raw_of(made.model, given.tune)
        on_tune, settled = made.model.predictions(raw), made.model.settled(raw)
        if self.all_rows is not None:
            self.tick(f"fit it to all rows by {self.all_rows.engine.name}")
            made = procedure.on_all(made, given.fitted, partial(self.all_rows.fit, given, self.question))
        elif given.fitted is not given.fit:
            self.tick("fit it to the rows to tune as well")
            made = procedure.on_all(made, given.fitted)
        said = predicted(procedure, made, given)
        if made.model.loss.levels and self.question.conformal is not False:
            model, said = covering(made.model, said, given, self.question.seed)
            made = replace(made, model=model)
        return Entry(self.question, given, made, on_tune, settled, said, self._decided(made, given, said))

    def study(self, entry: Entry, rows: Table, began: float) -> Study:
        """The study of a model that was made, judged on the rows to report."""
        given, made, question = entry.given, entry.made, self.question
        self.tick("judge it on rows it never saw")
        outcome = bool(given.plan.labels)
        known = nearly_perfect(given.fit.table, given.columns.features, given.fit.y, outcome, question.seed)
        decided, model, aims = entry.decided, made.model, self._aims(entry)
        if decided is None and len(question.floors) == 1 and math.isfinite(aims[0].threshold):
            model = model.using(threshold=aims[0].threshold)
        if decided is not None:
            model = model.using(threshold=decided.threshold, shift=decided.shift)
        judged = self._judged(made, given, entry.said, usual_metrics(given.plan, question))
        amounts = replace(judged, prediction=middle(made.plan.loss, judged.prediction))
        against = vetoes(amounts, given.fitted, given.report, given.split, outcome=outcome)
        notations = {name: how for name, how in rows.notations.items() if name in model.columns}
        model = model.using(facts=_facts(given, question), notations=notations)
        model = model.using(
            seen=_seen(model, given, entry.said[0], judged.report, is_flexible=question.model != "linear")
        )
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
            said=entry.said,
            aims=told(aims, given.report),
            effects=told(self._effects(entry), given.report),
            segments=segments(
                made.plan.loss, entry.said, given.report, given.columns.features, question.by, question.seed
            ),
            frame=rows.frame,
            engine=None if self.all_rows is None else self.all_rows.engine,
        )

    def _effects(self, entry: Entry) -> Effects:
        """What the columns do for the model, by models that never saw the rows; costs are those of the chosen rule."""
        given, made, said = entry.given, entry.made, entry.said[0]
        taken = sampled(len(given.report), self.question.seed)
        costs = None if entry.decided is None else partial(_costs_of_rows, entry.decided, given.report, said, taken)
        fitted, scorer = given.fitted, made.model.scorer
        if made.weighing is not None and made.weighing.used:
            fitted, scorer = leaning(fitted, made.weighing.ratio), scorer.shifted(math.log(made.weighing.ratio))
        known: tuple[Coefficient, ...] = ()
        if self.question.model == "linear":
            penalty = made.trained.chosen * natural_strength(made.plan.loss, fitted)
            known = coefficients(made.plan.loss, made.model.encoding, scorer, fitted, penalty, made.trained.rows)
        return effects(said.speakers, given.report, given.split, costs, known, self.question.seed)

    def _aims(self, entry: Entry) -> tuple[Aim, ...]:
        """What the floors and the capacity of the question lead to."""
        question, given = self.question, entry.given
        if not question.aims:
            return ()
        aiming = Aiming(given.tune, entry.on_tune, given.report, entry.said[0].prediction, given.split, question.seed)
        return aiming.aims(question.floors, question.budget)

    def _decided(self, made: Made, given: Prepared, said: Sequence[Predicted]) -> Decided | None:
        costs, tuning = given.report.costs or self.question.costs, made.tuning
        each = [(one.prediction, one.practice) for one in said if one.practice is not None]
        if isinstance(costs, Costs) and isinstance(tuning, Decision):
            columns = self.question.costs if isinstance(self.question.costs, ColumnCosts) else None
            more: dict[str, Any] = {"weighing": made.weighing, "by_column": columns}
            return decide_outcome(costs, tuning, given.report, each, given.split, **more)
        if isinstance(costs, ClassCosts) and isinstance(tuning, ActDecision):
            spoken = [one.prediction for one in said]
            return decide_class(costs, tuning, given.report, spoken, given.split, given.fitted)
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
        flat = middle(loss, foreseen(loss, flat_raw))
        pairs = (
            (given.fitted, middle(loss, foreseen(loss, raw_fit))),
            (given.report, middle(loss, foreseen(loss, first.settled))),
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
            judge_calibration(loss, given.report, foreseen(loss, first.plain), seed),
            after,
            made.recalibrated,
            _alike(seen, report, given),
            first.settled,
            first.prediction,
            shares_below(loss, given.report, first.prediction, given.split),
        )


def _costs_of_rows(decided: Decided, report: Cases, said: Predicted, taken: Indices, prediction: Floats) -> Floats:
    """What the chosen rule costs in some reported rows, with other predictions than were made of them."""
    rows = report.take(taken)
    decided = decided if rows.costs is None else replace(decided, costs=rows.costs)
    costs = decided.costs
    practice = [] if said.practice is None else [said.practice[taken]]
    if isinstance(costs, UnderOverCosts):
        return amount_costs(decided, rows, [prediction], practice)
    prices = Prices(costs, rows.y.astype(np.intp), sample(rows))
    return np.asarray(prices.rows(policy_of(decided, [prediction], practice)).mean(axis=0))


def _alike(seen: Signal, report: Risk, given: Prepared) -> Signal:
    """The signal, whose change of the loss is what the risk says of the same quantity, and whose metric knows of folds."""
    if seen.aligned is None or report.versus_constant is None:
        return seen
    moved = over_folds(seen.aligned.difference, first_deal(given.split))
    return replace(seen, aligned=replace(seen.aligned, loss=report.versus_constant, difference=moved))


def usual_metrics(plan: Plan, question: Question) -> tuple[Metric, ...]:
    """The metric that was asked for, or the usual one; for yes/no also the area under the curve."""
    scale: Scale = "outcome" if plan.labels else "amount"
    first = around(metric(question.metric, scale, len(plan.labels), plan.asks_for), turn(plan.loss))
    if question.metric is None and len(plan.labels) == 2 and not plan.loss.is_classwise:
        return first, METRICS["auc"]
    return (first,)


def _seen(model: Model, given: Prepared, said: Predicted, found: Risk, *, is_flexible: bool) -> SeenRows | None:
    """What the rows were like and what they cost; None where they cost no finite number, which nothing compares with.

    Where folds judge a linear model, its predictions are those of the one that is handed over: models of folds say nearly, and
    not exactly, the same, which shows where many rows are alike. A flexible model is too sure of rows that it was fitted to.
    """
    report, fitted = given.report, given.fitted
    losses, expected = row_losses(model.loss, report.y, said.settled), model.expected_losses(said.settled)
    place = place_of(said.prediction)
    with np.errstate(all="ignore"):
        costs = costing(losses, expected, place, report.weights)
    if not np.isfinite([found.value, found.low, found.high, *costs.excess, *costs.variance]).all():
        return None
    columns = seen(fitted.table, fitted.weights, model.encoding.features)
    later = place if is_flexible else place_of(model.predictions(raw_of(model, report)))
    predictions = Distribution.of(later, report.weights)
    return SeenRows(columns, predictions, costs, found.value, found.low, found.high, found.level)


def _facts(given: Prepared, question: Question) -> dict[str, Any]:
    return {
        "goodmeasure": __version__,
        "model": question.model,
        "seed": question.seed,
        "rows": {name: len(rows) for name, rows in given.split.parts.items()},
        "protocol": given.split.protocol,
        **({} if given.reweighed is None else {"rows count as": given.reweighed.told}),
    }
