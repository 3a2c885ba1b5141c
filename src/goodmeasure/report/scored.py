"""The report of scored rows: what each model costs, which is better, whether it means what it says, and where to cut."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import Any

from goodmeasure.calibrating.miscalibration import root
from goodmeasure.decisions.costs import Costs
from goodmeasure.decisions.curves import Curves, priced
from goodmeasure.decisions.rules import Decision
from goodmeasure.drawing import pictures
from goodmeasure.drawing.picture import Picture
from goodmeasure.drawing.plain_values import plain_values
from goodmeasure.errors import Problem
from goodmeasure.reading.rows_read import RowsRead
from goodmeasure.report.acting import acting
from goodmeasure.report.sentences import NAMES, unlike_groups
from goodmeasure.report.tiles import Tile, receipt
from goodmeasure.report.web import AGAIN, CUT, PRICES, rendered
from goodmeasure.risks.least import least_differs
from goodmeasure.statistics.estimate import Difference, Estimate, T
from goodmeasure.statistics.keys import called
from goodmeasure.study.elsewhere import Reweighed
from goodmeasure.study.verdict import interval, number
from goodmeasure.tallying.tally import Tally

# More models or groups than these are told of by their numbers alone.
MOST_CURVES, MOST_LINES = 4, 40
# The rules of a decision, as a reader would name them.
RULES = {**NAMES, "theory": NAMES["costs"], "practice": "at the threshold tuned on these rows"}


@dataclass(frozen=True)
class ScoredRows:
    """Scored rows as their tally, and what is asked of them.

    Attributes:
        tally: what the rows say.
        target: the column that says what happened.
        source: where the rows came from.
        costs: what mistakes cost, of yes and no; None where none were given.
        event: the label that means yes.
        by: the column of groups; None where rows are taken together.
        level: how often intervals cover.
        command: the line that asks the same again.
        following: the next step.
        cost: what the decisions of each model cost a row, each row decided as its costs ask: of classes, of amounts, and of costs
            that differ by row; empty where the tally itself is decided, or no costs were given.
        cost_difference: by how much each two models differ in that.
        rows: how many rows were read; what the tally says unless given.
        told: as what the rows count; empty where they count as they are.
        reweighed: how they are weighed then.
    """

    tally: Tally
    target: str
    source: str
    costs: Costs | None = None
    event: str = "yes"
    by: str | None = None
    level: float = 0.95
    command: str = ""
    following: str = ""
    cost: Mapping[str, Estimate] = field(default_factory=dict)
    cost_difference: Mapping[str, Difference] = field(default_factory=dict)
    rows: RowsRead | None = None
    told: str = ""
    reweighed: Reweighed | None = None

    @property
    def over(self) -> str:
        """How many rows these are, and as what they count."""
        return f"{self.rows or self.tally.rows_read}{self.told and f'; {self.told}'}"

    def _wide(self, found: T) -> T:
        """A result as wide as the weights of the rows ask for."""
        wide: T = found if self.reweighed is None else self.reweighed.wide(found)
        return wide

    @property
    def models(self) -> tuple[str, ...]:
        """The models by name."""
        return tuple(self.tally.schema.models)

    @cached_property
    def risks(self) -> dict[str, dict[str, Estimate]]:
        """The mean loss of each model, by each loss."""
        names = self.tally.schema.losses
        return {
            model: {
                name: self._wide(self.tally.risk(loss, model, level=self.level))
                for name, loss in zip(names, self.tally.losses, strict=True)
            }
            for model in self.models
        }

    @property
    def loss(self) -> str:
        """The loss that decides between models: the first."""
        return self.tally.schema.losses[0]

    @property
    def lead(self) -> str:
        """The model of least mean loss on these rows, surely better or not."""
        return min(self.models, key=lambda model: self.risks[model][self.loss].value)

    @cached_property
    def differences(self) -> dict[str, Difference]:
        """The paired difference of each two models, by the first loss."""
        pairs = combinations(self.models, 2)
        return {f"{a} - {b}": self._compared(a, b, self.level) for a, b in pairs}

    def _compared(self, a: str, b: str, level: float) -> Difference:
        return self._wide(self.tally.compare(a, b, self.tally.losses[0], level=level))

    @cached_property
    def calibrations(self) -> dict[str, Any]:
        """What is said of each model's calibration: a calibration, a bias, or why it is not known."""
        return {model: self._calibration(model) for model in self.models}

    def _calibration(self, model: str) -> Any:
        try:
            if self.tally.schema.kind == "amount":
                return self.tally.bias(model, level=self.level)
            return self.tally.calibration(self.tally.losses[-1], model, level=self.level)
        except Problem as problem:
            return problem.what

    @property
    def error(self) -> dict[str, Estimate]:
        """How far each model is off, where that is known."""
        known = {model: found for model, found in self.calibrations.items() if not isinstance(found, str)}
        return {
            model: found.error if hasattr(found, "error") else root(found.squared_error)
            for model, found in known.items()
        }

    @property
    def _errors(self) -> dict[str, Estimate | None]:
        """How far each model is off; None where that is not known."""
        return {model: self.error.get(model) for model in self.models}

    def said_of(self, model: str) -> str:
        """The verdict on a model's calibration."""
        found = self.calibrations[model]
        return f"not known: {found}" if isinstance(found, str) else str(found.verdict)

    @property
    def is_cut(self) -> bool:
        """Whether there is something to act on: yes and no, and both of them happened."""
        return self.curves is not None

    @cached_property
    def curves(self) -> Curves | None:
        """The curves of the leading model; None where there is nothing to act on."""
        tally = self.tally
        if tally.schema.kind != "outcome" or next(iter(tally.state.scores.values())).is_of_one_answer:
            return None
        return tally.curves(self.lead)

    @cached_property
    def decisions(self) -> dict[str, Decision]:
        """What to do by each model at the costs; nothing without costs."""
        if self.costs is None or not self.is_cut:
            return {}
        return {model: self._wide(self.tally.decide(self.costs, model, level=self.level)) for model in self.models}

    @cached_property
    def groups(self) -> dict[str, Estimate]:
        """The mean loss of the leading model in each group; all intervals together cover at the level."""
        if self.by is None:
            return {}
        names = [name for name in sorted(self.tally.groups) if self.tally[name].n]
        level = 1 - (1 - self.level) / max(len(names), 1)
        found = {
            called(name, names): self._wide(self.tally[name].risk(self.tally.losses[0], self.lead, level=level))
            for name in names
        }
        return dict(sorted(found.items(), key=lambda pair: -pair[1].value))

    @property
    def asked_of_groups(self) -> str:
        """What the mean losses of groups answer: where it is worse only if each could cost as little as any other."""
        return f"What does each {self.by} cost?" if self._depends else f"For which {self.by} is it worse?"

    @property
    def on_groups(self) -> str:
        """What to know of the mean losses of groups; empty where they can be held against each other."""
        return unlike_groups(self.loss) if self.groups and self._depends else ""

    @cached_property
    def _depends(self) -> bool:
        return least_differs(self.tally.losses[0])

    @property
    def verdict(self) -> tuple[str, str]:
        """A word, and the tone in which it is said."""
        if len(self.models) == 1:
            said = self.said_of(self.lead)
            if said.startswith("not known"):
                return "not known", "care"
            return ("no", "care") if said == "miscalibrated" else ("nothing says otherwise", "good")
        return (self.lead, "good") if self._is_surely_best() else ("none surely", "care")

    def _is_surely_best(self) -> bool:
        """Whether the leading model is better than every other, said falsely no oftener than the level allows (Bonferroni)."""
        level = 1 - (1 - self.level) / (len(self.models) - 1)
        others = [model for model in self.models if model != self.lead]
        return all(self._compared(self.lead, other, level).verdict == "better" for other in others)

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        found = self.risks[self.lead][self.loss]
        least = " least" if len(self.models) > 1 else ""
        head = f"by {self.loss}, {self.lead} costs{least}: {number(found.value)} {interval(found)} a row on {found.n:,} rows"
        return f"{head}; its calibration: {self.said_of(self.lead)}"

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for JSON."""
        found: dict[str, Any] = plain_values(
            {
                "format": "goodmeasure report of scored rows",
                "version": 1,
                "source": self.source,
                "target": self.target,
                "rows": self.tally.n,
                "excluded": self.tally.excluded if self.rows is None else dict(self.rows.left_out),
                "weighed": None if self.reweighed is None else self.reweighed.to_dict(),
                "verdict": {"word": self.verdict[0], "sentence": self.sentence, "next": self.following},
                "risk": {
                    model: {loss: one.to_dict() for loss, one in by_loss.items()}
                    for model, by_loss in self.risks.items()
                },
                "difference": {pair: one.to_dict() for pair, one in self.differences.items()},
                "calibration": {
                    model: {"verdict": self.said_of(model), "error": None if error is None else error.to_dict()}
                    for model, error in self._errors.items()
                },
                "decision": {model: one.to_dict() for model, one in self.decisions.items()},
                "cost": {model: one.to_dict() for model, one in self.cost.items()},
                "cost_difference": {pair: one.to_dict() for pair, one in self.cost_difference.items()},
                "groups": {name: one.to_dict() for name, one in self.groups.items()},
            }
        )
        return found


# --- the page ---


def page(scored: ScoredRows) -> str:
    """The page of scored rows."""
    word, tone = scored.verdict
    found = scored.curves
    drawn = _drawn(scored)
    return rendered(
        "scored.html",
        json.dumps(scored.to_dict(), allow_nan=False),
        None if found is None else acting(scored.event, found, scored.costs),
        scored.following,
        title=f"{scored.target}: {word}",
        tone=tone,
        word=word,
        over=f"{scored.source}, {scored.over}",
        lead=scored.sentence,
        tiles=list(_tiles(scored)),
        risk_caption=f"Mean loss ({scored.loss}) with {100 * scored.level:g} % intervals; less is better.",
        pictures=drawn,
        questions=_questions(scored),
        foot="",
        grid=_grid,
        scored=scored,
        rule_names=RULES,
    )


def _grid(found: Estimate) -> str:
    """How far a number that was read off a grid can lie from the one of the rows; empty of one that was not."""
    return f" ± {number(found.grid_error)} grid" if found.grid_error else ""


def _questions(scored: ScoredRows) -> dict[str, str]:
    """The headings of the sections by their names, in order."""
    meant = (
        "Do predictions mean what they say?"
        if scored.tally.schema.kind == "amount"
        else "When it says 70 %, is it 70 %?"
    )
    return {
        "risk": "What does each model cost?" if len(scored.models) > 1 else "What do these predictions cost?",
        "calibration": meant,
        **({"cost": "What do the decisions cost?"} if scored.cost else {}),
        **({"decision": CUT, "prices": PRICES} if scored.is_cut else {}),
        **({"groups": scored.asked_of_groups} if scored.groups else {}),
        "remarks": "What else was noticed?",
        "again": AGAIN,
    }


def _tiles(scored: ScoredRows) -> Iterator[Tile]:
    """Three numbers of the leading model."""
    risk = scored.risks[scored.lead][scored.loss]
    yield Tile("mean loss", number(risk.value), interval(risk), f"of {scored.lead}", receipt(risk, scored.loss))
    if scored.curves is not None:
        area = scored.curves.area(level=scored.level)
        beside = "0.5 would be guessing"
        yield Tile("area under the ROC curve", number(area.value), interval(area), beside, receipt(area))
    if scored.cost:
        cost = scored.cost[scored.lead]
        yield Tile("cost a row", number(cost.value), interval(cost), "each decided as its costs ask", receipt(cost))
    elif scored.decisions:
        cost = scored.decisions[scored.lead].best.cost
        ends = f"{interval(cost)}{_grid(cost)}"
        yield Tile("cost a row", number(cost.value), ends, "of the best rule at your costs", receipt(cost))
    elif scored.lead in scored.error:
        error = scored.error[scored.lead]
        beside = "0 would mean what it says"
        yield Tile("calibration error", number(error.value), interval(error), beside, receipt(error))


def _drawn(scored: ScoredRows) -> dict[str, Picture]:
    rows = [(model, by_loss[scored.loss].interval) for model, by_loss in scored.risks.items()]
    found = {"risks": replace(pictures.risks(rows[:MOST_LINES]), question="What does it cost?", said=scored.sentence)}
    if scored.differences and len(scored.differences) <= MOST_LINES:
        pairs = [(pair, each.interval) for pair, each in scored.differences.items()]
        said = "below zero, the first of a pair is better"
        found["differences"] = pictures.intervals("differences", "Which is better?", pairs, said, zero=True)
    if scored.groups:
        groups = [(name, each.interval) for name, each in list(scored.groups.items())[:MOST_LINES]]
        found["groups"] = pictures.intervals("groups", scored.asked_of_groups, groups, "mean loss")
    if scored.curves is not None:
        mine = None if scored.costs is None else scored.costs.threshold
        found["prices"] = priced(scored.curves, mine, level=scored.level)
    return found | _calibrations(scored)


def _calibrations(scored: ScoredRows) -> dict[str, Picture]:
    """What was seen at each prediction of the first models."""
    known = [(model, found) for model, found in scored.calibrations.items() if not isinstance(found, str)]
    drawn = {}
    for k, (model, found) in enumerate(known[:MOST_CURVES]):
        picture = found._picture()
        drawn[f"calibration of {model}"] = replace(
            picture, name=f"calibration-{k}", question=model, said=f"{model}: {found.verdict}"
        )
    return drawn
