"""What comes out of a decision: rules, what they cost, and which of them is best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.decisions.costs import ClassCosts, Costs, UnderOverCosts, bayes_act
from goodmeasure.decisions.thresholds import Threshold
from goodmeasure.drawing.cells import Cell
from goodmeasure.drawing.display import Display
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.errors import UsageError, nearest
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.estimate import Difference, Estimate, not_known
from goodmeasure.strict.calls import strict_class


@dataclass(frozen=True)
class PricedRule(Displayed):
    """A way to decide, and what it costs.

    Attributes:
        name: "theory", "practice", "half", "always", ...
        threshold: the probability from which it acts; infinite for never, NaN where there is no single one.
        cost: the mean cost a row, in your own unit.
        versus_practice: its cost minus that of the practice rule, row by row; None for that rule itself.

    Example:
        >>> import goodmeasure as gm
        >>> y, p = [0, 1] * 80, [0.2, 0.8] * 60 + [0.6, 0.4] * 20
        >>> found = gm.decide(y, p, gm.Costs(false_negative=40, false_positive=5))
        >>> found.theory.cost.value, found.theory.versus_practice.verdict
        (2.5, 'worse')
    """

    name: str
    threshold: float
    cost: Estimate
    versus_practice: Difference | None = None

    def _display(self) -> Display:
        return _priced(f"Rule {self.name}", [self])

    def __float__(self) -> float:
        return self.threshold


@strict_class
@dataclass(frozen=True)
class Decision(Displayed):
    """What to do with these scores under these costs.

    Attributes:
        costs: what was asked.
        threshold: the one that costs least on these rows, with its interval and the zone that is as good.
        cost: the mean cost a row of thresholds chosen in this way, on rows that did not choose them.
        theory: the rule that the costs alone give, right where the scores are calibrated.
        rules: what else one could do: "half" (act from 0.5 on), "always", "never", and asking where it has a price.
        cautions: sentences to print with the decision.

    Example:
        >>> import goodmeasure as gm
        >>> y, p = [0, 1] * 80, [0.2, 0.8] * 60 + [0.6, 0.4] * 20
        >>> found = gm.decide(y, p, gm.Costs(false_negative=40, false_positive=5))
        >>> found.act([0.25, 0.35])
        array([0, 1])
    """

    costs: Costs
    threshold: Threshold
    cost: Estimate
    theory: PricedRule
    rules: tuple[PricedRule, ...]
    cautions: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "cautions", _cautions([self.practice, self.theory, *self.rules]))

    @property
    def practice(self) -> PricedRule:
        """The rule with the threshold tuned on these rows, at its cross-fitted cost."""
        return PricedRule("practice", self.threshold.value, self.cost)

    @property
    def best(self) -> PricedRule:
        """Theory, unless the paired interval says that the tuned threshold costs less."""
        versus = self.theory.versus_practice
        return self.practice if versus is not None and versus.verdict == "worse" else self.theory

    @property
    def verdict(self) -> str:
        """From which probability on to act, and by which rule; or that it is not known."""
        unknown = not_known(cost=self.cost, cost_of_theory=self.theory.cost)
        return unknown or f"act when p >= {self._from_where}"

    @property
    def _from_where(self) -> str:
        """From which probability on the best rule acts: from one of all rows, or from one of each."""
        if math.isnan(self.best.threshold):
            each = (
                "the row's own false alarm / (false alarm + miss)" if self.costs.per_row else "what the budget leaves"
            )
            return f"{each} ({self.best.name})"
        return f"{self.best.threshold:.4g} ({self.best.name})"

    def rule(self, name: str) -> PricedRule:
        """Look a rule up by its name.

        Args:
            name: "practice", "theory", "half", "always", "never", or "theory, asking" where asking has a price.

        Returns:
            The rule with what it costs.

        Raises:
            GM009: there is no rule of this name.
        """
        known = {rule.name: rule for rule in (self.practice, self.theory, *self.rules)}
        if name not in known:
            close = nearest(name, known)
            raise UsageError(
                f"there is no rule {name!r}",
                seen=f"the rules are {', '.join(known)}",
                fix=f"rule({close[0]!r})" if close else "one of these",
            )
        return known[name]

    def act(self, p: ArrayLike) -> NDArray[np.intp]:
        """Decide new rows by the best rule.

        Args:
            p: probabilities of yes, (n,), of the model whose scores were judged.

        Returns:
            Acts, (n,): 1 to act, 0 to leave, 2 to ask.

        Raises:
            GM003: p is no single column.
            GM009: the costs differ from row to row, and those of new rows are others.
            GM701: a probability lies outside [0, 1].
            GM702: a probability is NaN.
        """
        if self.best is self.theory and self.costs.per_row:
            raise UsageError(
                "costs that differ from row to row are those of the rows that were judged, and new rows have others",
                fix="gm.bayes_act(p, costs_of_these_rows)",
            )
        if self.best is self.theory and not math.isnan(self.theory.threshold) and self.costs.ask is not None:
            return bayes_act(p, self.costs)
        return np.asarray(row_arguments.probabilities(p) >= self.best.threshold, dtype=np.intp)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for JSON."""
        return {
            "costs": self.costs.to_dict(),
            "threshold": self.threshold.to_dict(),
            "cost": self.cost.to_dict(),
            "best": self.best.name,
            "verdict": self.verdict,
            "rules": [_rule_dict(rule) for rule in (self.theory, *self.rules)],
            "cautions": list(self.cautions),
        }

    def _display(self) -> Display:
        title = f"Act when p >= {self._from_where}"
        good = f"thresholds as good as practice: {self._as_good}"
        return _priced(title, [self.practice, self.theory, *self.rules], good, *self.cautions)

    @property
    def _as_good(self) -> str:
        """The flat zone around practice, and of the best rule that lies outside why it is the best."""
        low, high, at = self.threshold.flat_low, self.threshold.flat_high, self.best.threshold
        outside = self.best.name == "theory" and not (math.isnan(at) or low <= at <= high)
        why = f" (theory's {at:.4g} is not shown to cost more)" if outside else ""
        return f"from {low:.4g} to {high:.4g}{why}"

    def __str__(self) -> str:
        lines = [
            f"{self.verdict}; theory {_from(self.theory.threshold)}, practice {self.threshold.value:.4g}, "
            f"as good as practice {self._as_good}",
            f"practice, cross-fitted   costs {_alone(self.cost)}",
        ]
        lines += [f"{rule.name:24} costs {_alone(rule.cost)}" for rule in (self.theory, *self.rules)]
        return "\n".join([*lines, *self.cautions])


def _from(threshold: float) -> str:
    return "row by row" if math.isnan(threshold) else f"{threshold:.4g}"


@dataclass(frozen=True)
class ActDecision(Displayed):
    """Which act costs least for classes (or which amount, under unit costs), beside what else one could do.

    Attributes:
        costs: what was asked.
        cost: the mean cost a row of the rule that was found, in your own unit.
        rules: that rule and the others; of amounts "as predicted" comes first.
        shift: what to provide beyond the predicted amount, in its unit; None for classes.
        theory: the first of the rules.

    Example:
        >>> import goodmeasure as gm
        >>> found = gm.decide([4.0, 6.0, 5.0, 9.0, 7.0], [5.0] * 5, gm.UnderOverCosts(under=3, over=1))
        >>> found.shift.value, found.theory.cost.value
        (2.0, 4.4)
    """

    costs: ClassCosts | UnderOverCosts
    cost: Estimate
    rules: tuple[PricedRule, ...]
    shift: Estimate | None = None
    theory: PricedRule = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "theory", self.rules[0])

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for JSON."""
        shift = None if self.shift is None else self.shift.to_dict()
        return {
            "costs": self.costs.to_dict(),
            "cost": self.cost.to_dict(),
            "shift": shift,
            "rules": [_rule_dict(rule) for rule in self.rules],
        }

    def _display(self) -> Display:
        shift = () if self.shift is None else (f"provide the prediction plus {self.shift}",)
        return _priced("What each rule costs", self.rules, *shift)

    def __str__(self) -> str:
        return "\n".join(f"{rule.name:24} costs {rule.cost}" for rule in self.rules)


def _cautions(rules: Sequence[PricedRule]) -> tuple[str, ...]:
    """What is said of costs, each sentence once, with the rules that it is said of unless these are all."""
    names: dict[str, list[str]] = {}
    for rule in rules:
        for said in dict.fromkeys(rule.cost.cautions):
            names.setdefault(said, []).append(rule.name)
    return tuple(said if len(of) == len(rules) else f"{', '.join(of)}: {said}" for said, of in names.items())


def _alone(cost: Estimate) -> Estimate:
    """The cost without what is printed once below all of them."""
    return replace(cost, cautions=())


def _priced(title: str, rules: Sequence[PricedRule], *notes: str) -> Display:
    """Rules with what they cost and how that compares with the practice rule."""
    columns: dict[str, list[Cell]] = {
        "rule": [rule.name for rule in rules],
        "threshold": [rule.threshold for rule in rules],
        "cost": [rule.cost.interval for rule in rules],
        "versus_practice": [None if rule.versus_practice is None else rule.versus_practice.interval for rule in rules],
        "n": [rule.cost.n for rule in rules],
        "method": [rule.cost.method for rule in rules],
    }
    if all(math.isnan(rule.threshold) for rule in rules):
        del columns["threshold"]
    return Display(title, columns, notes, aside=("n", "method"))


def _rule_dict(rule: PricedRule) -> dict[str, Any]:
    versus = None if rule.versus_practice is None else rule.versus_practice.to_dict()
    threshold = rule.threshold if math.isfinite(rule.threshold) else None  # never, or no one threshold
    return {"name": rule.name, "threshold": threshold, "cost": rule.cost.to_dict(), "versus_practice": versus}
