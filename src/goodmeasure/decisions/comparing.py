"""What decisions by a model's predictions cost, and which of two models decides more cheaply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from goodmeasure.decisions.costs import ClassCosts, Costs, UnderOverCosts, bayes_act
from goodmeasure.decisions.pricing import Policy, Prices
from goodmeasure.formulas.domains import Level
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.estimate import Difference, Estimate
from goodmeasure.statistics.row_arguments import Floats, PresentRows
from goodmeasure.statistics.sample import Sample
from goodmeasure.statistics.weights import WeightsMean
from goodmeasure.strict.calls import strict_keywords

AnyCosts = Costs | ClassCosts | UnderOverCosts


@strict_keywords
def decision_cost(
    y: ArrayLike,
    p: ArrayLike,
    costs: AnyCosts,
    *,
    sample_weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    time: ArrayLike | None = None,
    level: Level = 0.95,
    weights_mean: WeightsMean = "importance",
) -> Estimate:
    """Tell what a model's predictions cost where each row is decided as the costs ask, by its own costs if these differ.

    Yes or no is acted on from the probability on that the costs ask for, of classes the one of least expected cost is said,
    and an amount is provided as predicted. Nothing is tuned on these rows; `decide` tells what tuning would save.

    Args:
        y: held-out targets, (n,): 0 or 1 for `Costs`, class indices for `ClassCosts`, amounts for `UnderOverCosts`.
        p: predictions of a model that never saw these rows: probabilities of yes, (n,), or of each class, (n, K), or
            amounts, (n,).
        costs: what right and wrong decisions cost; those of `Costs` may be arrays, a number a row.
        sample_weight: how much each row counts, (n,); all alike unless given.
        cluster: keys of rows that go together, (n,); rows are independent unless given.
        time: when each row was, (n,), for rows that depend on their neighbours in time; in place of ``cluster``.
        level: how often the interval covers.
        weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.

    Returns:
        The mean cost a row, in your own unit.

    Raises:
        GM003: the columns differ in length, or class probabilities are no table.
        GM005: there are no rows, or all weights are zero.
        GM006: a weight is negative or not finite, or counts copies and is no whole number.
        GM009: ``cluster`` and ``time`` are both given.
        GM701: a probability lies outside [0, 1].
        GM702: a prediction or an amount is not a finite number.
        GM703: a target is none of the labels.
        GM705: all rows are in one cluster, or have the same time.
        GM706: amounts are so large or so small that their costs are not numbers.
        GM711: the costs are for another number of classes than p has columns.

    Example:
        >>> import goodmeasure as gm
        >>> y, p, amount = [0, 1, 0, 1] * 50, [0.1, 0.3, 0.6, 0.02] * 50, [10.0, 90.0, 5.0, 30.0] * 50
        >>> print(gm.decision_cost(y, p, gm.Costs(false_negative=amount, false_positive=5)))
        8.75 [7.011, 10.59] · n=200
    """
    rows = row_arguments.present(sample_weight, weights_mean, y=y, p=p, cluster=cluster, time=time)
    return _Priced.of(rows, costs, level).cost("p")


@strict_keywords
def compare_costs(
    y: ArrayLike,
    p_a: ArrayLike,
    p_b: ArrayLike,
    costs: AnyCosts,
    *,
    sample_weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    time: ArrayLike | None = None,
    level: Level = 0.95,
    weights_mean: WeightsMean = "importance",
) -> Difference:
    """Tell which of two models decides the same rows more cheaply, the first minus the second.

    Each row is decided as the costs ask, as `decision_cost` says; only rows where the two decide differently say anything.

    Args:
        y: held-out targets, (n,): 0 or 1 for `Costs`, class indices for `ClassCosts`, amounts for `UnderOverCosts`.
        p_a: predictions of the first model: probabilities of yes, (n,), or of each class, (n, K), or amounts, (n,).
        p_b: predictions of the second model, of the same shape.
        costs: what right and wrong decisions cost; those of `Costs` may be arrays, a number a row.
        sample_weight: how much each row counts, (n,); all alike unless given.
        cluster: keys of rows that go together, (n,); rows are independent unless given.
        time: when each row was, (n,), for rows that depend on their neighbours in time; in place of ``cluster``.
        level: how often the interval covers.
        weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.

    Returns:
        The difference of the mean costs a row; below zero the first model is cheaper.

    Raises:
        GM003: the columns differ in length, or class probabilities are no table.
        GM005: there are no rows, or all weights are zero.
        GM006: a weight is negative or not finite, or counts copies and is no whole number.
        GM009: ``cluster`` and ``time`` are both given.
        GM701: a probability lies outside [0, 1].
        GM702: a prediction or an amount is not a finite number.
        GM703: a target is none of the labels.
        GM705: all rows are in one cluster, or have the same time.
        GM706: amounts are so large or so small that their costs are not numbers.
        GM711: the costs are for another number of classes than p has columns.

    Example:
        >>> import goodmeasure as gm
        >>> y, amount = [0, 1, 0, 1] * 50, [10.0, 90.0, 5.0, 30.0] * 50
        >>> costs = gm.Costs(false_negative=amount, false_positive=5)
        >>> gm.compare_costs(y, [0.1, 0.3, 0.2, 0.9] * 50, [0.5, 0.6, 0.6, 0.1] * 50, costs).verdict
        'better'
    """
    rows = row_arguments.present(sample_weight, weights_mean, y=y, p_a=p_a, p_b=p_b, cluster=cluster, time=time)
    return _Priced.of(rows, costs, level).extra("p_a", "p_b")


@dataclass(frozen=True, eq=False)
class _Priced:
    """Rows with the costs that are theirs."""

    rows: PresentRows
    costs: AnyCosts
    sample: Sample

    @staticmethod
    def of(rows: PresentRows, costs: AnyCosts, level: float) -> _Priced:
        """The rows that are there, with their own costs of those that were given."""
        own = costs.of_rows(rows.at, rows.given) if isinstance(costs, Costs) else costs
        return _Priced(rows, own, Sample.of(rows, level))

    def cost(self, name: str) -> Estimate:
        """What decisions by this column cost a row."""
        if isinstance(self.costs, UnderOverCosts):
            return self.sample.mean(self._of_amounts(name))
        return self._prices(name).cost(self._policy(name))

    def extra(self, name: str, other: str) -> Difference:
        """How much more decisions by one column cost than by another."""
        if isinstance(self.costs, UnderOverCosts):
            return self.sample.difference(self._of_amounts(name) - self._of_amounts(other))
        return self._prices(name).extra(self._policy(name), self._policy(other))

    def _of_amounts(self, name: str) -> Floats:
        assert isinstance(self.costs, UnderOverCosts)
        needed = self.rows.read(row_arguments.target_amounts, "y")
        return self.costs.of(needed, self.rows.read(row_arguments.amounts, name))

    def _prices(self, name: str) -> Prices:
        assert not isinstance(self.costs, UnderOverCosts)
        truth: Any
        if isinstance(self.costs, ClassCosts):
            truth = self.rows.read(row_arguments.classes, "y", k=np.shape(self.rows[name])[-1])
        else:
            truth = self.rows.read(row_arguments.outcomes, "y").astype(np.intp)
        return Prices(self.costs, truth, self.sample)

    def _policy(self, name: str) -> Policy:
        """What the costs ask for in each row."""
        if isinstance(self.costs, ClassCosts):
            return Policy(bayes_act(self.rows.read(row_arguments.class_probabilities, name), self.costs))
        assert isinstance(self.costs, Costs)
        p = self.rows.read(row_arguments.probabilities, name)
        if self.costs.per_row or self.costs.ask is not None:
            return Policy(bayes_act(p, self.costs))
        return Policy.from_(self.costs.threshold, p)
