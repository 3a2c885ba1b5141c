"""What comes out of a decision: rules, what they cost, and which of them is best."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.decisions.costs import ClassCosts, Costs, UnderOverCosts, bayes_act
from goodmeasure.decisions.thresholds import Threshold
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.estimate import Difference, Estimate, not_known


@dataclass(frozen=True)
class PricedRule:
    """A way to decide, its threshold where it has one, what it costs, and its cost minus that of the practice
    rule."""

    name: str
    threshold: float
    cost: Estimate
    versus_practice: Difference | None = None

    def __float__(self) -> float:
        return self.threshold


@dataclass(frozen=True)
class Decision:
    """What to do with these scores under these costs.

    ``threshold`` is the one that costs least on these rows; ``cost`` is what thresholds chosen this way cost on
    rows that did not choose them; ``theory`` is the Bayes rule, right where the scores are calibrated; ``rules``
    are what else one could do. ``best`` is theory unless practice is surely cheaper.
    """

    costs: Costs
    threshold: Threshold
    cost: Estimate
    theory: PricedRule
    rules: tuple[PricedRule, ...]
    cautions: tuple[str, ...] = ()

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
        return unknown or f"act when p >= {self.best.threshold:.4g} ({self.best.name})"

    def rule(self, name: str) -> PricedRule:
        """One of the rules by its name."""
        return next(rule for rule in (self.practice, self.theory, *self.rules) if rule.name == name)

    def act(self, p: ArrayLike) -> NDArray[np.intp]:
        """Which of new rows to act on, by the best rule: 1 to act, 0 to leave, 2 to ask."""
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

    def __str__(self) -> str:
        lines = [
            f"{self.verdict}; theory {self.theory.threshold:.4g}, practice {self.threshold.value:.4g}, "
            f"as good from {self.threshold.flat_low:.4g} to {self.threshold.flat_high:.4g}",
            f"practice, cross-fitted   costs {self.cost}",
        ]
        lines += [f"{rule.name:24} costs {rule.cost}" for rule in (self.theory, *self.rules)]
        return "\n".join([*lines, *self.cautions])


@dataclass(frozen=True)
class ActDecision:
    """Which act costs least for classes (or which amount, under unit costs), beside what else one could do."""

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

    def __str__(self) -> str:
        return "\n".join(f"{rule.name:24} costs {rule.cost}" for rule in self.rules)


def _rule_dict(rule: PricedRule) -> dict[str, Any]:
    versus = None if rule.versus_practice is None else rule.versus_practice.to_dict()
    threshold = rule.threshold if math.isfinite(rule.threshold) else None  # never, or no one threshold
    return {"name": rule.name, "threshold": threshold, "cost": rule.cost.to_dict(), "versus_practice": versus}
