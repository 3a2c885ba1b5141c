"""From probabilities and costs to a rule: what it costs, how surely, and whether theory or practice should set it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.calibrating.amounts import weighted_quantile
from goodmeasure.calibrating.base_rates import prior_shift
from goodmeasure.decisions.costs import ClassCosts as ClassCosts
from goodmeasure.decisions.costs import Costs as Costs
from goodmeasure.decisions.costs import UnderOverCosts as UnderOverCosts
from goodmeasure.decisions.costs import bayes_act as bayes_act
from goodmeasure.decisions.rules import ActDecision, Decision, PricedRule
from goodmeasure.decisions.thresholds import best_threshold, cuts, threshold_estimate
from goodmeasure.errors import Problem, UsageError, strict_keywords
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.estimate import Difference, Estimate, as_difference
from goodmeasure.statistics.intervals import independent_parts, mean_estimate, normal_quantile
from goodmeasure.statistics.row_arguments import Floats, TooFewRows

# Each threshold is chosen on four fifths of the rows, which is close to all, and judged on the fifth that is left.
FOLDS = 5


class SeenInTraining(Problem, ValueError):
    """Some of these rows were used to train the model, so their scores flatter it.

    A threshold tuned on training scores can lose nearly all of the profit it promises, because a flexible model
    scores its own training rows far too surely. Score rows that the model never saw.
    """

    code = "GM712"


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """Where and how the rule will be used: beside the rows, everything that changes what it costs; see `decide`."""

    cluster: ArrayLike | None
    time: ArrayLike | None
    prevalence: float | None
    budget: float | None
    ids: ArrayLike | None
    trained_on: ArrayLike | None
    level: float
    seed: int


@strict_keywords
def decide(
    y: ArrayLike,
    p: ArrayLike,
    costs: Costs | ClassCosts | UnderOverCosts,
    *,
    sample_weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    time: ArrayLike | None = None,
    prevalence: float | None = None,
    budget: float | None = None,
    ids: ArrayLike | None = None,
    trained_on: ArrayLike | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Decision | ActDecision:
    """Find the rule that costs least on held-out rows, beside acting from 0.5 on, always and never.

    A threshold is never judged on the rows that chose it: five folds each take the threshold of the other four.

    Args:
        y: held-out targets, (n,): 0 or 1 for `Costs`, class indices for `ClassCosts`, amounts for `UnderOverCosts`.
        p: predictions of a model that never saw these rows: probabilities of yes, (n,), or of each class, (n, K), or
            amounts, (n,).
        costs: what right and wrong decisions cost.
        sample_weight: how much each row counts, (n,); all alike unless given.
        cluster: keys of rows that go together, (n,), such as patients; rows are independent unless given.
        time: when each row was, (n,), for rows that depend on their neighbours in time; in place of ``cluster``.
        prevalence: the share of yes where the rule will be used, if it is another than here.
        budget: how many rows can be acted on, of as many as there are here; all unless given.
        ids: a key of each row, (n,), to be looked up in ``trained_on``.
        trained_on: keys of the rows that trained the model, (m,); a row that is among them is refused.
        level: how often the intervals cover.
        seed: for dealing the rows to folds.

    Returns:
        A `Decision` for `Costs`, else an `ActDecision`; costs are means a row, in your own unit.

    Raises:
        GM003: the columns differ in length, or class probabilities are no table.
        GM005: there are no rows, or all weights are zero.
        GM006: a weight is negative or not finite.
        GM009: ``cluster`` and ``time`` are both given, or a prevalence or a budget does not go with these costs.
        GM701: a probability lies outside [0, 1].
        GM702: a prediction or an amount is not a finite number.
        GM703: a target is none of the labels.
        GM704: all targets of a yes/no question are the same.
        GM705: there are fewer than five rows, or clusters.
        GM711: the costs are for another number of classes than p has columns.
        GM712: a row stands in ``trained_on``.

    Source:
        Elkan 2001, The foundations of cost-sensitive learning.

    Example:
        >>> import goodmeasure as gm
        >>> y, p = [0, 1] * 40, [0.2, 0.8] * 30 + [0.6, 0.4] * 10
        >>> found = gm.decide(y, p, gm.Costs(false_negative=40, false_positive=5))
        >>> found.best.name, round(found.best.threshold, 3)
        ('practice', 0.3)
        >>> print(found.rule("never").cost)
        20 [15.52, 24.48] · n=80
    """
    where = Circumstances(
        cluster=cluster,
        time=time,
        prevalence=prevalence,
        budget=budget,
        ids=ids,
        trained_on=trained_on,
        level=level,
        seed=seed,
    )
    _unseen(where)
    if isinstance(costs, Costs):
        return decide_outcomes(
            row_arguments.outcomes(y, both=True), row_arguments.probabilities(p), costs, sample_weight, where
        )
    if isinstance(costs, ClassCosts):
        return _decide_classes(y, p, costs, sample_weight, where)
    return _decide_amounts(y, p, costs, sample_weight, where)


def _unseen(where: Circumstances) -> None:
    if where.ids is None or where.trained_on is None:
        return
    seen = np.isin(np.asarray(where.ids), np.asarray(where.trained_on))
    if seen.any():
        raise SeenInTraining(
            f"{int(seen.sum()):,} of {seen.size:,} rows were used to train the model",
            where=f"ids[{int(np.argmax(seen))}]",
            seen=f"id {np.asarray(where.ids)[int(np.argmax(seen))]}",
            fix="score rows that the model never saw",
        )


def decide_outcomes(
    y: Floats, p: Floats, costs: Costs, sample_weight: ArrayLike | None, where: Circumstances
) -> Decision:
    """The yes/no decision on checked rows."""
    row_arguments.same_length(y=y, p=p)
    w = row_arguments.weights(sample_weight, len(y))
    w, shifted = (w, p) if where.prevalence is None else _at_prevalence(y, p, w, where.prevalence)
    acting, leaving = costs.of_acting(y), costs.of_leaving(y)
    row_arguments.same_length(y=y, costs=acting)
    share = 1.0 if where.budget is None else where.budget / len(y)
    together, method = independent_parts(len(y), where.cluster, where.time)
    mean = partial(mean_estimate, w=w, together=together, level=where.level)
    practice = cross_fitted(p, acting, leaving, w, together=together, share=share, seed=where.seed)

    def judged(name: str, threshold: float, cost: Floats) -> PricedRule:
        difference = mean(cost - practice, method=f"paired, {method}")
        return PricedRule(name, threshold, mean(cost, method=method), as_difference(difference))

    def cut(threshold: float) -> Floats:
        return np.where(p >= threshold, acting, leaving)

    effective = float(w.sum() ** 2 / (w @ w))
    theory = bayes_rule(p, shifted, costs, where.prevalence, y, w, share)
    rules = [judged("half", 0.5, cut(0.5)), judged("always", 0.0, acting), judged("never", math.inf, leaving)]
    if costs.ask is not None:
        rules.append(judged("theory, asking", theory[0], _asking(shifted, costs, acting, leaving)))
    return Decision(
        costs,
        threshold_estimate(cuts(p, acting, leaving, w), len(p), effective, share=share, level=where.level),
        mean(practice, method=f"cross-fitted in {FOLDS} parts, {method}"),
        judged("theory", theory[0], np.where(theory[1], acting, leaving)),
        tuple(rules),
    )


def _at_prevalence(y: Floats, p: Floats, w: Floats, prevalence: float) -> tuple[Floats, Floats]:
    """Weights and probabilities as they would be where the share of events is ``prevalence``."""
    here = float(w @ y / w.sum())
    if not 0 < prevalence < 1:
        raise UsageError(f"a prevalence lies strictly between 0 and 1, not {prevalence:g}")
    factor = np.where(y == 1, prevalence / here, (1 - prevalence) / (1 - here))
    return w * factor, prior_shift(p, trained_at=here, used_at=prevalence)


def bayes_rule(
    p: Floats, shifted: Floats, costs: Costs, prevalence: float | None, y: Floats, w: Floats, share: float
) -> tuple[float, NDArray[np.bool_]]:
    """The Bayes threshold on the scale of the scores given, and the rows it acts on within the budget."""
    act = shifted >= costs.thresholds
    threshold = costs.threshold
    if prevalence is not None:
        counted = np.bincount(y.astype(np.intp), minlength=2)
        # The scores stay as they were given, so the threshold moves instead: the odds of a row change by one factor.
        factors = (np.where(y == 1, w, 0).sum() / counted[1], np.where(y == 0, w, 0).sum() / counted[0])
        threshold = threshold * factors[1] / (threshold * factors[1] + (1 - threshold) * factors[0])
    if share < 1 and act.mean() > share:
        # A budget goes where acting wins most, not where an event is likeliest: costs may differ from row to row.
        gain = shifted * costs.miss - (1 - shifted) * costs.alarm
        keep = np.argsort(-gain, kind="stable")[: int(share * len(p))]
        act = np.isin(np.arange(len(p)), keep)
        threshold = float(p[keep].min()) if len(keep) and not costs.per_row else math.nan
    return float(threshold), act


def _asking(p: Floats, costs: Costs, acting: Floats, leaving: Floats) -> Floats:
    """What the Bayes rule costs in each row when it may ask a person."""
    assert costs.ask is not None
    acts = bayes_act(p, costs)
    return np.choose(acts, [leaving, acting, np.full(len(p), costs.ask)])


def cross_fitted(
    p: Floats,
    acting: Floats,
    leaving: Floats,
    w: Floats,
    *,
    together: NDArray[np.intp] | None = None,
    share: float = 1.0,
    seed: int = 0,
) -> Floats:
    """What each row costs under the threshold that the other folds would choose; clusters stay in one fold."""
    fold = folds(len(p), together, seed)
    cost = np.empty(len(p))
    for k in range(FOLDS):
        held = fold == k
        rest = ~held
        threshold = best_threshold(p[rest], acting[rest], leaving[rest], w[rest], share)
        cost[held] = np.where(p[held] >= threshold, acting[held], leaving[held])
    return cost


def folds(n: int, together: NDArray[np.intp] | None, seed: int, count: int = FOLDS) -> NDArray[np.intp]:
    """A fold for each row: rows shuffled, or whole clusters.

    Folds are not balanced by target: that would tell the folds that choose how many events are in the fold that
    judges.
    """
    units = n if together is None else int(together.max()) + 1
    if units < count:
        raise TooFewRows(
            f"{count} folds need at least {count} {'rows' if together is None else 'clusters'}, there are {units}"
        )
    fold = np.asarray(np.random.default_rng(seed).permutation(units) % count, dtype=np.intp)
    return fold if together is None else fold[together]


def expected_cost(
    y: ArrayLike, p: ArrayLike, costs: Costs, threshold: float, *, sample_weight: ArrayLike | None = None
) -> Estimate:
    """What acting at ``p >= threshold`` costs on average: right for a threshold that these rows did not choose."""
    target, scores = row_arguments.outcomes(y), row_arguments.probabilities(p)
    row_arguments.same_length(y=target, p=scores)
    cost = np.where(scores >= threshold, costs.of_acting(target), costs.of_leaving(target))
    return mean_estimate(cost, row_arguments.weights(sample_weight, len(target)))


def regret(y: ArrayLike, p: ArrayLike, believed: Costs, true: Costs) -> Difference:
    """What deciding by ``believed`` costs loses against deciding by the ``true`` ones, in true costs."""
    target, scores = row_arguments.outcomes(y), row_arguments.probabilities(p)
    row_arguments.same_length(y=target, p=scores)
    acting, leaving = true.of_acting(target), true.of_leaving(target)
    lost = np.where(scores >= believed.thresholds, acting, leaving) - np.where(
        scores >= true.thresholds, acting, leaving
    )
    return as_difference(mean_estimate(lost, method="paired, normal"))


def _decide_classes(
    y: ArrayLike, p: ArrayLike, costs: ClassCosts, sample_weight: ArrayLike | None, where: Circumstances
) -> ActDecision:
    if where.prevalence is not None or where.budget is not None:
        raise UsageError("prevalence= and budget= are for yes/no decisions", fix="leave them out for class costs")
    table = row_arguments.class_probabilities(p)
    acts = bayes_act(table, costs)
    target = row_arguments.classes(y, table.shape[1])
    row_arguments.same_length(y=target, p=table)
    together, method = independent_parts(len(target), where.cluster, where.time)
    w = row_arguments.weights(sample_weight, len(target))
    mean = partial(mean_estimate, w=w, together=together, level=where.level)
    bayes = costs.matrix[target, acts]

    def judged(name: str, chosen: NDArray[np.intp] | int) -> PricedRule:
        cost = costs.matrix[target, chosen]
        versus = as_difference(mean(cost - bayes, method=f"paired, {method}"))
        return PricedRule(name, math.nan, mean(cost, method=method), versus)

    others = [judged(f"always act {act}", act) for act in range(costs.matrix.shape[1])]
    if costs.matrix.shape[0] == costs.matrix.shape[1]:
        others.insert(0, judged("most likely class", np.argmax(table, axis=1)))
    return ActDecision(costs, mean(bayes, method=method), (judged("theory", acts), *others))


def _decide_amounts(
    y: ArrayLike, p: ArrayLike, costs: UnderOverCosts, sample_weight: ArrayLike | None, where: Circumstances
) -> ActDecision:
    """The amount to provide: the prediction as it is, or moved by the quantile of the misses that the costs ask
    for."""
    if where.prevalence is not None or where.budget is not None:
        raise UsageError("prevalence= and budget= are for yes/no decisions", fix="leave them out for unit costs")
    target, amount = row_arguments.column(y, "y"), row_arguments.column(p, "p")
    row_arguments.same_length(y=target, p=amount)
    if not (np.isfinite(target).all() and np.isfinite(amount).all()):
        raise row_arguments.MissingScore("amounts are finite numbers", where="y or p")
    w = row_arguments.weights(sample_weight, len(target))
    together, method = independent_parts(len(target), where.cluster, where.time)
    mean = partial(mean_estimate, w=w, together=together, level=where.level)
    fold = folds(len(target), together, where.seed)
    miss = target - amount
    moved = amount.copy()
    for k in range(FOLDS):
        moved[fold == k] += weighted_quantile(miss[fold != k], w[fold != k], costs.level)
    practice = costs.of(target, moved)

    def judged(name: str, cost: Floats) -> PricedRule:
        versus = as_difference(mean(cost - practice, method=f"paired, {method}"))
        return PricedRule(name, math.nan, mean(cost, method=method), versus)

    cost = mean(practice, method=f"cross-fitted in {FOLDS} parts, {method}")
    rules = (judged("as predicted", costs.of(target, amount)), PricedRule("moved", math.nan, cost))
    return ActDecision(costs, cost, rules, shift=quantile_estimate(miss, w, costs.level, where.level))


def quantile_estimate(values: Floats, w: Floats, quantile: float, level: float) -> Estimate:
    """A quantile with the interval of the order statistics around it (binomial, normal approximation)."""
    effective = float(w.sum() ** 2 / (w @ w))
    half = normal_quantile(level) * math.sqrt(quantile * (1 - quantile) / effective)
    value, low, high = (
        weighted_quantile(values, w, min(max(q, 0.0), 1.0)) for q in (quantile, quantile - half, quantile + half)
    )
    return Estimate(value, low, high, len(values), effective, "order statistics", level)
