"""Several losses and models on the same rows: the rows to tune choose one, and the rows to report compare all."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from goodmeasure.choosing.overruling import with_loss
from goodmeasure.decisions.rules import ActDecision, Decision
from goodmeasure.deriving.predictions import middle
from goodmeasure.making.loss import Loss
from goodmeasure.reading.tables import Table
from goodmeasure.risks.metrics import Metric
from goodmeasure.risks.outputs import row_losses
from goodmeasure.study.all_rows import AllRows
from goodmeasure.study.answering import Answering, Entry, usual_metrics
from goodmeasure.study.cases import Cases, Prepared, prepared
from goodmeasure.study.comparing import Comparison, Contender, comparison, raw_for, takes
from goodmeasure.study.deciding import Decided
from goodmeasure.study.linking import multiplying
from goodmeasure.study.procedure import ClassWeights, weights_differ
from goodmeasure.study.question import Question
from goodmeasure.study.study import Study
from goodmeasure.study.training import Tick


def contested(
    questions: Sequence[Question],
    rows: Table,
    test: Table | None,
    like: Table | None,
    tick: Tick,
    all_rows: AllRows | None = None,
) -> Study:
    """The study of the model that costs least on the rows to tune, with a comparison of all on the rows to report.

    Questions differ in the loss and the model alone. Where costs ask for class weights, each model is trained with and
    without them.
    """
    began = time.perf_counter()
    tick("look at the columns")
    # Trees take long, and all are dealt to the same folds.
    slowest = next((one for one in questions if one.model != "linear"), questions[0])
    given = prepared(rows, replace(slowest, loss=None), test, like, [question.loss for question in questions])
    questions = [question.settled(given.plan.labels) for question in questions]
    entries = [entry for question in questions for entry in _entries(Answering(question, tick, all_rows), given, tick)]
    metrics = usual_metrics(given.plan, questions[0])
    losses = _measures(entries, given)
    best = min(entries, key=lambda entry: _on_tune(entry, losses[0], metrics[0]))
    study = Answering(best.question, tick, all_rows).study(best, rows, began)
    return replace(study, comparison=_compared(entries, best, losses, metrics), asked=tuple(questions))


def _entries(answering: Answering, given: Prepared, tick: Tick) -> list[Entry]:
    """The models of one question: with class weights and without, where the costs ask for some."""
    question = answering.question
    plan = given.plan if question.loss is None else with_loss(given.plan, question.loss)
    kinds: tuple[ClassWeights, ...] = ("never", "always") if weights_differ(question.costs) else ("tried",)
    found = []
    for weights in kinds:
        tick(f"{question.model} on {plan.loss}")
        found.append(answering.entry(replace(given, plan=plan), weights))
    return found


def _measures(entries: Sequence[Entry], given: Prepared) -> list[Loss]:
    """The losses that judge: the one that the target asks for, if it takes those to tune, and those that were trained on."""
    usual = [given.plan.loss] if takes(given.plan.loss, given.tune) else []
    return list(dict.fromkeys([*usual, *(multiplying(entry.made.plan.loss) for entry in entries)]))


def _on_tune(entry: Entry, loss: Loss, metric: Metric) -> float:
    """What a model costs on the rows to tune: by the costs, by the metric that was asked for, or by a loss."""
    tune = entry.given.tune
    if entry.decided is not None:
        return _tuned_cost(entry.decided)
    if entry.question.metric is not None and metric.each is not None:
        value = float(
            np.average(metric.each(tune.y, middle(entry.made.plan.loss, entry.on_tune)), weights=tune.weights)
        )
        return -value if metric.higher_is_better else value
    return _mean_loss(loss, tune, entry)


def _tuned_cost(decided: Decided) -> float:
    """The cost of the chosen rule on the rows that chose it, cross-fitted."""
    tuning = decided.tuning
    if isinstance(tuning, Decision):
        return tuning.best.cost.value
    assert isinstance(tuning, ActDecision)
    return tuning.cost.value if decided.chosen == "moved" else tuning.rules[0].cost.value


def _mean_loss(loss: Loss, tune: Cases, entry: Entry) -> float:
    """The mean loss of predictions; infinite where the loss cannot take them."""
    raw = raw_for(loss, entry.made.plan.loss, entry.settled_on_tune, entry.on_tune)
    if raw is None or np.isnan(raw).any():
        return float("inf")
    with np.errstate(all="ignore"):
        return float(np.average(row_losses(loss, tune.y, raw), weights=tune.weights))


def _compared(entries: Sequence[Entry], best: Entry, losses: Sequence[Loss], metrics: Sequence[Metric]) -> Comparison:
    """All models on the reported rows, by losses and metrics, and which was chosen."""
    contenders = [Contender(entry.name, entry.made.plan.loss, entry.said, entry.decided) for entry in entries]
    by = "cost" if best.decided is not None else best.question.metric or str(losses[0])
    chosen = f"{best.name} is handed over: of {len(entries)} it has the least {by} on the rows to tune"
    return comparison(contenders, best.given.report, best.given.split, losses, metrics, chosen=chosen)
