"""From rows to a model that is ready for use: training, class weights or not, recalibration, and the rule that decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from goodmeasure import losses
from goodmeasure.choosing.plan import Plan
from goodmeasure.choosing.revisiting import revisit
from goodmeasure.choosing.supposing import kept, supposing
from goodmeasure.decisions.costs import Costs
from goodmeasure.decisions.rules import ActDecision, Decision
from goodmeasure.reading.remarks import Remark
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.cases import Cases
from goodmeasure.study.column_costs import ColumnCosts
from goodmeasure.study.deciding import Weighing, tuned, weigh
from goodmeasure.study.judging import Recalibrated, try_recalibration
from goodmeasure.study.label_costs import LabelCosts
from goodmeasure.study.linking import is_open, linked
from goodmeasure.study.model import Model
from goodmeasure.study.question import Question
from goodmeasure.study.spreads import is_doubtful, is_supposed, misses, predictions_of, spread_left_out
from goodmeasure.study.training import LinearFit, Tick, Trained, fit_here, refitted, train, weighted

ClassWeights = Literal["tried", "never", "always"]


@dataclass(frozen=True)
class Made:
    """A model with how it came about; ``tuning`` is the decision on the rows to tune, None where nothing is decided."""

    plan: Plan
    trained: Trained
    weighing: Weighing | None
    model: Model
    recalibrated: Recalibrated | None
    remarks: tuple[Remark, ...]
    tuning: Decision | ActDecision | None

    @property
    def practice(self) -> float | None:
        """The threshold, or the shift of amounts, that was tuned."""
        if isinstance(self.tuning, Decision):
            return self.tuning.threshold.value
        return None if self.tuning is None or self.tuning.shift is None else self.tuning.shift.value


@dataclass(frozen=True)
class Procedure:
    """How the models of a study are made, from whatever rows; where it is settled, the loss of the plan stays."""

    question: Question
    features: tuple[str, ...]
    tick: Tick
    weights: ClassWeights = "tried"
    is_settled: bool = False

    def __call__(self, plan: Plan, fit: Cases, tune: Cases) -> Made:
        """A model fitted on some rows, with everything that is chosen chosen on others."""
        plan, trained = self._trained(plan, fit, tune)
        trained, weighing = self._weighed(plan, trained, fit, tune)
        model, recalibrated, remarks = self._settled(plan, trained, tune)
        costs = tune.costs or self.question.costs
        assert not isinstance(costs, LabelCosts | ColumnCosts)  # settled by then: the labels and the rows are known
        tuning = None if costs is None else tuned(costs, tune, model.predictions(raw_of(model, tune)))
        return Made(plan, trained, weighing, model, recalibrated, remarks, tuning)

    def on_all(self, made: Made, cases: Cases, linear: LinearFit = fit_here) -> Made:
        """The same choices, with the coefficients or trees fitted again to all rows; linear models as is said."""
        ratio = made.weighing.ratio if made.weighing is not None and made.weighing.used else 1.0
        trained = refitted(
            made.trained, self.question.model, cases, seed=self.question.seed, ratio=ratio, linear=linear
        )
        model = made.model.using(encoding=trained.encoding, scorer=trained.scorer)
        return replace(made, trained=trained, model=model)

    def _train(self, plan: Plan) -> Callable[[Cases, Cases], Trained]:
        return partial(
            train,
            plan.loss,
            self.question.model,
            features=self.features,
            seed=self.question.seed,
            tick=self.tick,
            by_folds=not self.is_settled,
        )

    def _trained(self, plan: Plan, fit: Cases, tune: Cases) -> tuple[Plan, Trained]:
        """A model for the plan. Unless all is settled, effects may turn out to add, and residuals may change the loss: by their
        tails where the plan asks about these, or by how they grow. Then it is trained again."""
        trained = self._train(plan)(fit, tune)
        if self.is_settled:
            return plan, trained
        if is_open(plan, self.question):
            plan, trained = linked(plan, trained, fit, lambda other: self._train(other)(fit, tune))
        revisited = plan if plan.tails is None else revisit(plan, fit.y - predictions_of(trained, fit))
        again = self._supposing(revisited, trained, fit, tune)
        if again.loss == plan.loss:
            return again, trained
        self.tick(f"the errors of a first fit ask for {again.loss}")
        second = self._train(again)(fit, tune)
        if again.loss == losses.squared_error() and misses(again.loss, second, tune) > misses(
            again.loss, trained, tune
        ):
            why = "errors do not grow with the mean, but a sum of effects is further off on the rows to tune"
            return kept(revisited, again, why), trained
        return again, second

    def _supposing(self, plan: Plan, trained: Trained, fit: Cases, tune: Cases) -> Plan:
        """The plan with a loss that supposes of errors what those of a first fit say."""
        if not is_doubtful(plan, self.question):
            return plan
        seen = spread_left_out(trained, self.question, fit, tune)
        return supposing(plan, seen, is_open=is_supposed(plan, self.question))

    def _weighed(self, plan: Plan, trained: Trained, fit: Cases, tune: Cases) -> tuple[Trained, Weighing | None]:
        """With costs, the same model trained with class weights: tried, and taken if it decides surely better on the rows to
        tune; or as was said."""
        costs = self.question.costs
        if self.weights == "never" or not weights_differ(costs):
            return trained, None
        assert isinstance(costs, Costs)
        ratio = (1 - costs.threshold) / costs.threshold
        self.tick(f"try class weights of {ratio:.3g} to 1")
        other = weighted(ratio, self._train(plan), fit, tune)
        plain, leaning = (np.asarray(plan.loss.predict(t.raw(tune.table))) for t in (trained, other))
        weighing = replace(weigh(costs, ratio, tune, plain, leaning), asked=self.weights == "always")
        return (other if weighing.used else trained), weighing

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


def weights_differ(costs: Any) -> bool:
    """Whether costs ask for class weights: of two kinds of mistakes, one dearer than the other."""
    return isinstance(costs, Costs) and 0 < costs.threshold < 1 and costs.threshold != 0.5


def raw_of(model: Model, cases: Cases) -> Floats:
    """The raw outputs of cases, before any recalibration."""
    raw = model.scorer(model.encoding(cases.table))
    return raw if cases.exposure is None else raw + np.log(cases.exposure)
