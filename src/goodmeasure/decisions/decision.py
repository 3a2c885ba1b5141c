"""From probabilities and costs to a rule: what it costs, how surely, and whether theory or practice should set it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.decisions.bayes import PrevalenceShift, bayes_rule
from goodmeasure.decisions.costs import ClassCosts as ClassCosts
from goodmeasure.decisions.costs import Costs as Costs
from goodmeasure.decisions.costs import UnderOverCosts as UnderOverCosts
from goodmeasure.decisions.costs import bayes_act as bayes_act
from goodmeasure.decisions.pricing import Policy, Prices
from goodmeasure.decisions.rules import ActDecision, Decision, PricedRule
from goodmeasure.decisions.thresholds import Cuts, Threshold, best_threshold, cuts, threshold_estimate
from goodmeasure.errors import Problem, UsageError
from goodmeasure.formulas.domains import Level, Seed
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.arrays import column_of
from goodmeasure.statistics.estimate import Difference, Estimate
from goodmeasure.statistics.intervals import normal_quantile, parts_of
from goodmeasure.statistics.quantiles import weighted_quantile
from goodmeasure.statistics.row_arguments import Floats, PresentRows, TooFewRows
from goodmeasure.statistics.sample import Sample
from goodmeasure.statistics.weights import WeightsMean
from goodmeasure.strict.calls import strict_keywords

# Each threshold is chosen on four fifths of the rows, which is close to all, and judged on the fifth that is left.
FOLDS = 5
# Copies of rows that are dealt to folds one by one.
MOST_DEALT = 10_000_000


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
    weights_mean: WeightsMean


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
    level: Level = 0.95,
    seed: Seed = 0,
    weights_mean: WeightsMean = "importance",
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
        weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.

    Returns:
        A `Decision` for `Costs`, else an `ActDecision`; costs are means a row, in your own unit.

    Raises:
        GM003: the columns differ in length, or class probabilities are no table.
        GM005: there are no rows, or all weights are zero.
        GM006: a weight is negative or not finite, or counts copies and is no whole number.
        GM009: ``cluster`` and ``time`` are both given, or a prevalence or a budget does not go with these costs.
        GM701: a probability lies outside [0, 1].
        GM702: a prediction or an amount is not a finite number.
        GM703: a target is none of the labels.
        GM704: all targets of a yes/no question are the same.
        GM705: there are fewer than five rows, or fewer than two clusters.
        GM706: amounts are so large or so small that their squares are not numbers.
        GM711: the costs are for another number of classes than p has columns.
        GM712: a row stands in ``trained_on``.

    Source:
        Elkan 2001, The foundations of cost-sensitive learning.

    Example:
        >>> import goodmeasure as gm
        >>> y, p = [0, 1] * 80, [0.2, 0.8] * 60 + [0.6, 0.4] * 20
        >>> found = gm.decide(y, p, gm.Costs(false_negative=40, false_positive=5))
        >>> found.best.name, round(found.best.threshold, 3)
        ('practice', 0.3)
        >>> print(found.rule("never").cost)
        20 [16.8, 23.2] · n=160
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
        weights_mean=weights_mean,
    )
    rows = row_arguments.present(
        sample_weight, where.weights_mean, y=y, p=p, cluster=where.cluster, time=where.time, ids=where.ids
    )
    _unseen(rows, where)
    if where.budget is not None and not where.budget >= 0:
        raise UsageError(f"budget={where.budget:g} is no number of rows", fix="budget=100 acts on 100 of these rows")
    if isinstance(costs, Costs):
        return _decide_outcomes(rows, costs, where)
    if where.prevalence is not None or where.budget is not None:
        raise UsageError("prevalence= and budget= are for yes/no decisions", fix="leave them out for these costs")
    if isinstance(costs, ClassCosts):
        return _decide_classes(rows, costs, where)
    return _decide_amounts(rows, costs, where)


def _unseen(rows: PresentRows, where: Circumstances) -> None:
    if where.ids is None or where.trained_on is None:
        return
    seen = np.isin(rows["ids"], column_of(where.trained_on, "trained_on"))
    if seen.any():
        first = int(np.argmax(seen))
        raise SeenInTraining(
            f"{int(seen.sum()):,} of {seen.size:,} rows were used to train the model",
            where=row_arguments.place("ids", first, rows.at),
            seen=f"id {rows['ids'][first]}",
            fix="score rows that the model never saw",
        )


def _decide_outcomes(rows: PresentRows, said: Costs, where: Circumstances) -> Decision:
    """The yes/no decision; ``said`` are the costs as they were given, those of absent rows among them."""
    rows, fold = dealt(rows, where.seed)
    costs = said.of_rows(rows.at, rows.given)
    y, p = rows.read(row_arguments.outcomes, "y", both=True), rows.read(row_arguments.probabilities, "p")
    sample, shift = Sample.of(rows, where.level), PrevalenceShift.to(where.prevalence, y, rows.weight)
    sample = replace(sample, weight=sample.weight * np.where(y == 1, shift.yes, shift.no))
    w, prices = sample.weight, Prices(costs, y.astype(np.intp), sample)
    acting, leaving = costs.of_acting(y), costs.of_leaving(y)
    share = 1.0 if where.budget is None else where.budget / rows.n
    practice = cross_fitted(p, acting, leaving, w, fold, share)
    threshold, act = bayes_rule(p, costs, shift, w, share)
    if costs.per_row:  # each row has its own, and none stands for all
        threshold = math.nan
    theory = Policy(act.astype(np.intp), None if math.isnan(threshold) else (threshold, threshold))

    def judged(name: str, threshold: float, rule: Policy) -> PricedRule:
        return PricedRule(name, threshold, prices.cost(rule), prices.extra(rule, practice))

    rules = [
        judged(name, at, Policy.from_(at, p)) for name, at in (("half", 0.5), ("always", 0.0), ("never", math.inf))
    ]
    if costs.ask is not None:
        rules.append(judged("theory, asking", threshold, Policy(bayes_act(shift.of(p), costs))))
    found = cuts(p, acting, leaving, w, sample.square, sample.together)
    return Decision(
        said,
        _threshold(found, sample, share),
        prices.cost(practice, _cross_fitted_in(fold)),
        judged("theory", threshold, theory),
        tuple(rules),
    )


def _threshold(found: Cuts, sample: Sample, share: float) -> Threshold:
    known = "" if sample.together is None else f", {sample.name}"
    best = threshold_estimate(found, sample.n, sample.effective_n, share=share, level=sample.level, known=known)
    return replace(best, cautions=sample.few(sample.together))


def cross_fitted(
    p: Floats, acting: Floats, leaving: Floats, w: Floats, fold: NDArray[np.intp], share: float = 1.0
) -> Policy:
    """What is done in each row by the threshold that the other folds would choose."""
    threshold = np.array(
        [best_threshold(p[rest], acting[rest], leaving[rest], w[rest], share) for rest in _others(fold)]
    )
    return Policy(np.asarray(p >= threshold[fold], dtype=np.intp), (float(threshold.min()), float(threshold.max())))


def _others(fold: NDArray[np.intp]) -> Iterator[NDArray[np.bool_]]:
    """For each fold the rows of the others."""
    return (fold != k for k in range(int(fold.max()) + 1))


def _cross_fitted_in(fold: NDArray[np.intp]) -> str:
    return f"cross-fitted in {int(fold.max()) + 1} parts, "


def dealt(rows: PresentRows, seed: int) -> tuple[PresentRows, NDArray[np.intp]]:
    """The rows, and a fold for each; copies of a row are dealt out as rows are, so that it may stand in several folds."""
    together, copies = parts_of(rows)[0], rows.copies
    if together is not None or rows.weights_mean != "frequency" or not (copies == np.round(copies)).all():
        return rows, folds(len(rows), together, seed)
    cell, count = _dealt_copies(copies.astype(np.int64), seed)
    at = cell // FOLDS
    columns = {name: values[at] for name, values in rows.columns.items()}
    return replace(rows, columns=columns, weight=count.astype(np.float64), at=rows.at[at]), cell % FOLDS


def _dealt_copies(copies: NDArray[np.int64], seed: int) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Each row's cells (FOLDS a row) that hold copies of it, and how many they hold."""
    total = sum(copies.tolist())
    if (
        total > MOST_DEALT
    ):  # one by one they would fill the memory; folds of so many are as large to a part in thousands
        held = np.random.default_rng(seed).multinomial(copies, np.full(FOLDS, 1 / FOLDS)).ravel()
        return np.flatnonzero(held), held[held > 0]
    place = np.repeat(np.arange(len(copies)), copies) * FOLDS + folds(total, None, seed)
    return np.unique(place, return_counts=True)


def folds(n: int, together: NDArray[np.intp] | None, seed: int, count: int = FOLDS) -> NDArray[np.intp]:
    """A fold for each row: rows shuffled, or whole clusters, of which a few make as many folds.

    Folds are not balanced by target: that would tell the folds that choose how many events are in the fold that
    judges.
    """
    units = n if together is None else int(together.max()) + 1
    if together is not None:
        count = min(count, units)
    if units < max(count, 2):
        raise TooFewRows(
            f"{max(count, 2)} folds need at least {max(count, 2)} {'rows' if together is None else 'clusters'}",
            seen=f"there {'is' if units == 1 else 'are'} {units}",
            fix="give more of them",
        )
    fold = np.asarray(np.random.default_rng(seed).permutation(units) % count, dtype=np.intp)
    return fold if together is None else fold[together]


@strict_keywords
def expected_cost(
    y: ArrayLike,
    p: ArrayLike,
    costs: Costs,
    threshold: float,
    *,
    sample_weight: ArrayLike | None = None,
    weights_mean: WeightsMean = "importance",
    level: Level = 0.95,
) -> Estimate:
    """What acting at ``p >= threshold`` costs on average: right for a threshold that these rows did not choose."""
    target, scores, costs, sample = _yes_no(y, p, costs, sample_weight, weights_mean, level)
    return Prices(costs, target.astype(np.intp), sample).cost(Policy.from_(threshold, scores))


@strict_keywords
def regret(
    y: ArrayLike,
    p: ArrayLike,
    believed: Costs,
    true: Costs,
    *,
    sample_weight: ArrayLike | None = None,
    weights_mean: WeightsMean = "importance",
    level: Level = 0.95,
) -> Difference:
    """What deciding by ``believed`` costs loses against deciding by the ``true`` ones, in true costs."""
    target, scores, true, sample = _yes_no(y, p, true, sample_weight, weights_mean, level)
    believed = _yes_no(y, p, believed, sample_weight, weights_mean, level)[2]
    rules = [_by_costs(costs, scores) for costs in (believed, true)]
    return Prices(true, target.astype(np.intp), sample).extra(*rules)


def _by_costs(costs: Costs, p: Floats) -> Policy:
    """Act where the costs say so: from one probability on, unless they differ from row to row."""
    if not costs.per_row:
        return Policy.from_(costs.threshold, p)
    return Policy(np.asarray(p >= costs.thresholds, dtype=np.intp))


def _yes_no(
    y: ArrayLike,
    p: ArrayLike,
    costs: Costs,
    sample_weight: ArrayLike | None,
    weights_mean: WeightsMean,
    level: float,
) -> tuple[Floats, Floats, Costs, Sample]:
    """Checked yes/no targets, probabilities and costs of the rows that are there."""
    rows = row_arguments.present(sample_weight, weights_mean, y=y, p=p)
    target, scores = rows.read(row_arguments.outcomes, "y"), rows.read(row_arguments.probabilities, "p")
    return target, scores, costs.of_rows(rows.at, rows.given), Sample.of(rows, level)


def _decide_classes(rows: PresentRows, costs: ClassCosts, where: Circumstances) -> ActDecision:
    table = rows.read(row_arguments.class_probabilities, "p")
    acts = bayes_act(table, costs)
    target = rows.read(row_arguments.classes, "y", k=table.shape[1])
    prices, bayes = Prices(costs, target, Sample.of(rows, where.level)), Policy(acts)

    def judged(name: str, rule: Policy) -> PricedRule:
        return PricedRule(name, math.nan, prices.cost(rule), prices.extra(rule, bayes))

    others = [judged(f"always act {act}", Policy.always(act, len(target))) for act in range(costs.matrix.shape[1])]
    if costs.matrix.shape[0] == costs.matrix.shape[1]:
        others.insert(0, judged("most likely class", Policy(np.argmax(table, axis=1))))
    return ActDecision(costs, prices.cost(bayes), (judged("theory", bayes), *others))


def _decide_amounts(rows: PresentRows, costs: UnderOverCosts, where: Circumstances) -> ActDecision:
    """The amount to provide: the prediction as it is, or moved by the quantile of the misses that the costs ask
    for."""
    rows, fold = dealt(rows, where.seed)
    target, amount = rows.read(row_arguments.target_amounts, "y"), rows.read(row_arguments.amounts, "p")
    sample, w = Sample.of(rows, where.level), rows.weight
    miss = target - amount
    moved = amount.copy()
    for k, rest in enumerate(_others(fold)):
        moved[fold == k] += weighted_quantile(miss[rest], w[rest], costs.level)
    practice, predicted = costs.of(target, moved), costs.of(target, amount)
    cost = sample.mean(practice, _cross_fitted_in(fold))
    as_predicted = PricedRule("as predicted", math.nan, sample.mean(predicted), sample.difference(predicted - practice))
    shift = quantile_estimate(miss, sample, costs.level)
    return ActDecision(costs, cost, (as_predicted, PricedRule("moved", math.nan, cost)), shift=shift)


def quantile_estimate(values: Floats, sample: Sample, quantile: float) -> Estimate:
    """A quantile with the interval of the order statistics around it (binomial, normal approximation)."""
    value = weighted_quantile(values, sample.weight, quantile)
    below = sample.mean(np.asarray(values <= value, dtype=np.float64))
    rows = min(sample.effective_n, below.effective_n) if sample.together is not None else sample.effective_n
    half = normal_quantile(sample.level) * math.sqrt(quantile * (1 - quantile) / rows)
    low, high = (
        weighted_quantile(values, sample.weight, min(max(q, 0.0), 1.0)) for q in (quantile - half, quantile + half)
    )
    method = "order statistics" if sample.together is None else f"order statistics, {sample.name}"
    return Estimate(value, low, high, sample.n, rows, method, sample.level, cautions=below.cautions)
