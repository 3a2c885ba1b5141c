"""The decision for the costs: weights or a threshold, chosen on the rows to tune and priced on the rows to report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.choosing.deciding import AnyCosts
from goodmeasure.decisions.costs import ClassCosts, Costs, UnderOverCosts, bayes_act
from goodmeasure.decisions.decision import decide
from goodmeasure.decisions.pricing import Policy, Prices
from goodmeasure.decisions.rules import ActDecision, Decision
from goodmeasure.drawing.cells import Interval
from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.statistics.estimate import Difference, E, Estimate, within
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.cases import Cases
from goodmeasure.study.column_costs import ColumnCosts
from goodmeasure.study.dependence import known, sample
from goodmeasure.study.folds import over_folds
from goodmeasure.study.split import Split

# Predictions of the reported rows, and the threshold or shift that was tuned with the model of each row.
Said = tuple[Floats, Floats]


@dataclass(frozen=True)
class Priced:
    """What a rule costs a row on average on the rows to report, and how that compares with the rule that was chosen."""

    name: str
    threshold: float | None
    cost: Estimate
    versus_chosen: Difference | None = None
    acts: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The rule as plain values, ready for JSON."""
        versus = None if self.versus_chosen is None else self.versus_chosen.to_dict()
        return {
            "name": self.name,
            "threshold": self.threshold,
            "cost": self.cost.to_dict(),
            "versus_chosen": versus,
            "acts_on": self.acts,
        }


@dataclass(frozen=True)
class Weighing:
    """Class weights against the plain loss, on the rows to tune: what each decides, and what each does to probabilities.

    ``difference`` is the cost of the weighted model minus that of the plain one, both deciding as the costs ask.
    ``says`` is the mean probability that the weighted model claims if taken at its word, ``happened`` the share of events,
    ``plain_says`` the mean probability of the plain model. ``asked`` says that weights were to be used whatever they do.
    """

    ratio: float
    difference: Difference
    says: float
    plain_says: float
    happened: float
    asked: bool = False

    @property
    def used(self) -> bool:
        """Whether the weighted model is the one that is judged: it was asked for, or decides surely better."""
        return self.asked or self.taken

    @property
    def taken(self) -> bool:
        """Whether the weighted model decides surely better."""
        return self.difference.verdict == "better"

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values, ready for JSON."""
        return {**vars(self), "difference": self.difference.to_dict(), "taken": self.used}


@dataclass(frozen=True)
class Decided(Displayed):
    """The rule that was chosen on the rows to tune, and what it and the others cost on the rows to report.

    ``by_column`` says of costs that differ by row which columns hold them.
    """

    costs: AnyCosts
    chosen: str
    threshold: float | None
    shift: float
    tuning: Decision | ActDecision
    rules: tuple[Priced, ...]
    weighing: Weighing | None = None
    by_column: ColumnCosts | None = None

    def rule(self, name: str) -> Priced:
        """One of the rules by its name."""
        return next(rule for rule in self.rules if rule.name == name)

    @property
    def best(self) -> Priced:
        """The chosen rule."""
        return self.rule(self.chosen)

    def _tuning(self) -> dict[str, Any]:
        """What was found on the rows to tune; of costs by row their columns, not the cells."""
        found = self.tuning.to_dict()
        return found if self.by_column is None else {**found, "costs": self.by_column.to_dict()}

    def _display(self) -> Display:
        rows = [(r.name, r.threshold, r.cost.interval, _of(r.versus_chosen), r.acts, r.cost.n) for r in self.rules]
        columns = columns_of(("rule", "threshold", "cost", "versus_chosen", "acts_on", "n"), rows)
        return Display(f"Decision, chosen: {self.chosen}", columns, aside=("n",))

    def to_dict(self) -> dict[str, Any]:
        """The decision as plain values, ready for JSON."""
        return {
            "costs": (self.by_column or self.costs).to_dict(),
            "chosen": self.chosen,
            "threshold": self.threshold,
            "shift": self.shift,
            "on_rows_to_tune": self._tuning(),
            "rules": [rule.to_dict() for rule in self.rules],
            "weighting": None if self.weighing is None else self.weighing.to_dict(),
        }


def _of(difference: Difference | None) -> Interval | None:
    return None if difference is None else difference.interval


def weigh(costs: Costs, ratio: float, tune: Cases, plain: Floats, weighted: Floats) -> Weighing:
    """Compare two models' probabilities under the costs on the rows to tune; the weighted ones have been put back."""
    prices = Prices(costs, tune.y.astype(np.intp), sample(tune))
    w, by_costs = tune.weights, [np.asarray(p >= costs.threshold, dtype=np.intp) for p in (weighted, plain)]
    at_its_word = weighted * ratio / (weighted * ratio + 1 - weighted)
    return Weighing(
        ratio,
        prices.extra(*map(Policy, by_costs)),
        says=float(np.average(at_its_word, weights=w)),
        plain_says=float(np.average(plain, weights=w)),
        happened=float(np.average(tune.y, weights=w)),
    )


def tuned(costs: AnyCosts, tune: Cases, p: Floats) -> Decision | ActDecision:
    """The rule that the rows to tune ask for, beside the one that the costs ask for."""
    found = decide(tune.y, p, costs, sample_weight=tune.weight, **known(tune))
    assert isinstance(found, Decision | ActDecision)
    return found


def decide_outcome(
    costs: Costs, tuning: Decision, report: Cases, said: Sequence[Said], split: Split, **more: Any
) -> Decided:
    """The threshold: that of the costs, unless one tuned on the rows to tune is surely cheaper there.

    ``said`` holds probabilities of the reported rows, and the threshold that was tuned with each; where several models
    speak of a row, its cost is their mean.
    """
    theory, practice = tuning.theory.threshold, tuning.threshold.value
    chosen = "tuned" if tuning.best.name == "practice" else "costs"
    thresholds: dict[str, float | None] = {"costs": None if costs.per_row else theory}
    thresholds |= {"tuned": practice, "half": 0.5, "always": 0.0, "never": math.inf}
    prices = Prices(costs, report.y.astype(np.intp), sample(report))
    by_name = {name: _policy(said, None if name == "tuned" else at) for name, at in thresholds.items()}
    if costs.per_row:
        by_name["costs"] = _by_rows(costs, [p for p, _ in said])
    best = by_name[chosen]
    rules = tuple(
        Priced(
            name,
            thresholds[name],
            _possible(over_folds(prices.cost(rule), split), prices, rule),
            None if name == chosen else _possible(over_folds(prices.extra(rule, best), split), prices, rule, best),
            float(np.average(rule.acts.mean(axis=0), weights=report.weights)),
        )
        for name, rule in by_name.items()
    )
    return Decided(costs, chosen, thresholds[chosen], 0.0, tuning, rules, **more)


def decide_class(
    costs: ClassCosts, tuning: ActDecision, report: Cases, said: Sequence[Floats], split: Split, fitted: Cases
) -> Decided:
    """The class of least expected cost, beside the likeliest and the one that would cost the fitted rows least."""
    prices = Prices(costs, report.y.astype(np.intp), sample(report))
    shares = np.bincount(fitted.y.astype(np.intp), fitted.weights, minlength=len(costs.matrix))
    constant = int(np.argmin(shares @ costs.matrix))
    by_name = {
        "least expected cost": class_policy(costs, said),
        "likeliest": Policy(np.stack([np.argmax(p, axis=1) for p in said])),
        "one class for all": Policy.always(constant, len(report)),
    }
    best = by_name["least expected cost"]
    rules = tuple(
        Priced(
            name,
            None,
            _possible(over_folds(prices.cost(rule), split), prices, rule),
            None if rule is best else _possible(over_folds(prices.extra(rule, best), split), prices, rule, best),
        )
        for name, rule in by_name.items()
    )
    return Decided(costs, "least expected cost", None, 0.0, tuning, rules)


def class_policy(costs: ClassCosts, said: Sequence[Floats]) -> Policy:
    """The act of least expected cost in each row, by each model that speaks."""
    return Policy(np.stack([bayes_act(p, costs) for p in said]))


def policy_of(decided: Decided, predictions: Sequence[Floats], practice: Sequence[Floats]) -> Policy:
    """What the chosen rule does in each row, by each model that speaks; ``practice`` holds what was tuned with each."""
    if isinstance(decided.costs, ClassCosts):
        return class_policy(decided.costs, predictions)
    if isinstance(decided.costs, Costs) and decided.costs.per_row and decided.chosen == "costs":
        return _by_rows(decided.costs, predictions)
    said = list(zip(predictions, practice, strict=True))
    return _policy(said, None if decided.chosen == "tuned" else decided.threshold)


def amount_costs(decided: Decided, report: Cases, predictions: Sequence[Floats], practice: Sequence[Floats]) -> Floats:
    """What the chosen rule for amounts costs in each row, averaged over the models that speak."""
    assert isinstance(decided.costs, UnderOverCosts)
    moved = decided.chosen == "moved"
    pairs = zip(predictions, practice, strict=True)
    each = [decided.costs.of(report.y, p + shift if moved else p) for p, shift in pairs]
    return np.asarray(np.mean(each, axis=0))


def _possible(found: E, prices: Prices, *rules: Policy) -> E:
    """The interval, which folds made wider, without what no row can cost."""
    return within(found, *prices.possible(*rules))


def _policy(said: Sequence[Said], threshold: float | None) -> Policy:
    """Act from a threshold on, or where none is given from the one that was tuned with each row's model."""
    p = np.stack([each for each, _ in said])
    at = np.stack([tuned for _, tuned in said]) if threshold is None else np.full_like(p, threshold)
    return Policy(np.asarray(p >= at, dtype=np.intp), (float(at.min()), float(at.max())))


def _by_rows(costs: Costs, predictions: Sequence[Floats]) -> Policy:
    """Act in each row from the threshold of its own costs on."""
    return Policy(np.asarray(np.stack(predictions) >= costs.thresholds, dtype=np.intp))


def decide_amount(
    costs: UnderOverCosts,
    tuning: ActDecision,
    report: Cases,
    said: Sequence[Said],
    split: Split,
    constant: float,
) -> Decided:
    """The amount to provide: as predicted, unless moving it by the misses of the rows to tune is surely cheaper there."""
    assert tuning.shift is not None
    versus = tuning.rules[0].versus_practice
    chosen = "moved" if versus is not None and versus.verdict == "worse" else "as predicted"
    shift = tuning.shift.value
    each = {
        "as predicted": np.mean([costs.of(report.y, p) for p, _ in said], axis=0),
        "moved": np.mean([costs.of(report.y, p + moved) for p, moved in said], axis=0),
        "one amount for all": costs.of(report.y, np.full(len(report), constant)),
    }
    rows = sample(report)
    rules = tuple(
        Priced(
            name,
            None,
            within(over_folds(rows.mean(cost), split), 0.0, math.inf),
            None if name == chosen else over_folds(rows.difference(cost - each[chosen]), split),
        )
        for name, cost in each.items()
    )
    return Decided(costs, chosen, None, shift if chosen == "moved" else 0.0, tuning, rules)
