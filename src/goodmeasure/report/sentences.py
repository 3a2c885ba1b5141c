"""Sentences that the terminal and the report share, so that both say the same."""

from __future__ import annotations

from typing import Any

from goodmeasure.decisions.costs import ClassCosts, Costs, UnderOverCosts
from goodmeasure.deriving.predictions import turn
from goodmeasure.signals.observed import MetricAlignment, Signal
from goodmeasure.statistics.estimate import Estimate
from goodmeasure.study.deciding import Decided, Priced
from goodmeasure.study.elsewhere import Reweighed
from goodmeasure.study.judging import Measured
from goodmeasure.study.label_costs import example
from goodmeasure.study.study import Study
from goodmeasure.study.verdict import interval, number

# How each word of a verdict sounds: as good news, as a warning, or as bad news.
TONES = {
    "use": "good",
    "use with care": "care",
    "look first": "care",
    "cannot tell yet": "care",
    "do not use": "bad",
}
NAMES = {
    "costs": "at the threshold of the costs",
    "tuned": "at the threshold tuned on the rows to tune",
    "half": "at 0.5",
    "always": "always acting",
    "never": "never acting",
    "as predicted": "providing what is predicted",
    "moved": "moving it by the misses of the rows to tune",
    "one amount for all": "providing one amount for all",
    "least expected cost": "saying the class of least expected cost",
    "likeliest": "saying the likeliest class",
    "one class for all": "saying one class of all",
}


def metric_line(found: Measured) -> str:
    """A metric on the reported rows beside the fitted rows and the best constant."""
    share = found.metric.share
    report, fit, constant = (shown(x, share) for x in (found.report.value, found.fit.value, found.constant))
    low, high = shown(found.report.low, share), shown(found.report.high, share)
    return f"{report} [{low}, {high}]; on fitted rows {fit}; the best constant {constant}"


def unlike_groups(loss: str) -> str:
    """Why the mean losses of groups are not held against each other, by a loss whose least depends on the target."""
    return f"by {loss} rows cost otherwise where amounts are larger, however they are predicted: compare models, not groups"


def skill_line(skill: Estimate) -> str:
    """What part of what could be gained on the constant the model gains."""
    return f"skill {number(skill.value)} {interval(skill)}: 1 is as good as this loss allows, 0 is the best constant"


def shown(value: float, share: bool) -> str:
    """A metric as people read it: a share in percent."""
    return f"{value:.1%}" if share and value == value else number(value)


def signal_line(signal: Signal) -> str:
    """What the learning signal on these predictions is like, in one line."""
    parts = []
    if signal.directional is not None and signal.directional.value < 1:  # that all are is true of nearly every run
        parts.append(f"{signal.directional.value:.1%} of {signal.directional.n:,} wrong rows are pulled the right way")
    if signal.faint is not None and signal.faint.value > 0:
        parts.append(f"{signal.faint.value:.1%} of the badly wrong rows are hardly pulled at all")
    parts.append(f"the 1 % of rows that pull hardest carry {signal.carried:.0%} of the pull")
    if signal.aligned is not None:
        parts.append(f"{signal.aligned.metric.replace('_', ' ')} {_moved(signal.aligned)}")
    return "; ".join([*parts, *_cautions(signal)])


def _moved(aligned: MetricAlignment) -> str:
    """Which way the metric went, and which way the loss."""
    if aligned.verdict not in ("aligned", "against"):
        return "cannot be told to have moved with the loss at this n"
    went = "improved" if aligned.difference.verdict == "better" else "got worse"
    return f"{went} as the loss {'fell' if aligned.loss.verdict == 'better' else 'rose'}"


def _cautions(signal: Signal) -> list[str]:
    """What its estimates say of themselves, each once."""
    moved = () if signal.aligned is None else (signal.aligned.loss, signal.aligned.difference)
    held = [one for one in (signal.directional, signal.faint, *moved) if one is not None]
    return list(dict.fromkeys(caution for one in held for caution in one.cautions))


def takes_costs(study: Study) -> bool:
    """Whether costs make a decision: not of angles, and not of several quantiles at once."""
    return turn(study.plan.loss) is None and not study.plan.loss.levels


def share_lines(study: Study) -> list[str]:
    """How many targets lie at or below each of several quantiles, and between the outer two; and what is promised of it."""
    promised = [] if study.model.coverage is None else [study.model.coverage.sentence]
    return promised + [
        f"{name}: {shown(found.value, True)} [{shown(found.low, True)}, {shown(found.high, True)}] of the reported rows"
        for name, found in study.judged.shares.items()
    ]


def costs_to_name(study: Study) -> str:
    """The options that say what errors cost, as an example."""
    labels = study.plan.labels
    if len(labels) > 2:
        return example(labels)
    return "--cost fn=40 --cost fp=5" if labels else "--cost under=3 --cost over=1"


def decision_lines(study: Study) -> list[tuple[str, str]]:
    """What to do under the costs, what that costs, and what else would."""
    decided = study.decided
    if decided is None:
        return []
    best = decided.best
    lines = [("decision", f"{rule_text(study)}: costs {number(best.cost.value)} a row {interval(best.cost)}")]
    lines += [("", caution) for caution in best.cost.cautions]
    lines += [("", rule_line(rule)) for rule in decided.rules if rule.name != decided.chosen]
    if decided.weighing is not None:
        lines.append(("weights", weighing_text(decided)))
    return lines


def rule_text(study: Study) -> str:
    """The chosen rule in words, with where it comes from."""
    decided = study.decided
    assert decided is not None
    costs = decided.costs
    if decided.by_column is not None and decided.chosen == "costs":
        return decided.by_column.rule
    if isinstance(costs, Costs) and decided.threshold is not None:
        if decided.chosen == "tuned":
            return (
                f"act from {number(decided.threshold)} on (surely cheaper on the rows to tune than {_usual(decided)})"
            )
        alarm, miss = number(float(costs.alarm)), number(float(costs.miss))
        return f"act from {number(decided.threshold)} on ({alarm} / ({alarm} + {miss}))"
    if isinstance(costs, ClassCosts):
        return "say the class of least expected cost"
    assert isinstance(costs, UnderOverCosts)
    level = (
        f"the {number(costs.level)} quantile ({number(costs.under)} / ({number(costs.under)} + {number(costs.over)}))"
    )
    if decided.chosen == "moved":
        return f"provide the prediction {decided.shift:+.4g} ({level} of the misses)"
    return f"provide the prediction, {level}" if study.plan.level is not None else "provide the prediction"


def _usual(decided: Decided) -> str:
    """The threshold that the costs ask for, in words."""
    assert isinstance(decided.costs, Costs)
    return number(decided.costs.threshold) if decided.by_column is None else f"to {decided.by_column.rule}"


def rule_line(rule: Priced) -> str:
    """Another rule, what it costs, and whether that is surely more."""
    versus = rule.versus_chosen
    assert versus is not None
    at = f" ({number(rule.threshold)})" if rule.name == "tuned" and rule.threshold is not None else ""
    text = f"{NAMES[rule.name]}{at} costs {number(rule.cost.value)}"
    return f"{text}: {said(versus)}"


def said(versus: Any) -> str:
    """A paired difference of costs in words."""
    if versus.verdict == "worse":
        return f"{number(versus.value)} {interval(versus)} more"
    if versus.verdict == "better":
        return f"{number(-versus.value)} [{number(-versus.high)}, {number(-versus.low)}] less"
    return f"cannot tell at this n (difference in {interval(versus)})"


def weighing_text(decided: Decided) -> str:
    """What class weights would do instead, on the rows to tune."""
    w = decided.weighing
    assert w is not None
    verbs = {"better": "decide better and were taken: they cost", "worse": "decide worse: they cost"}
    verb = verbs.get(w.difference.verdict, "are not surely better: they cost")
    return (
        f"class weights of {number(w.ratio)} to 1 {verb} {w.difference.value:+.3g} {interval(w.difference)} a row on the rows "
        f"to tune; taken at its word, the weighted model claims {w.says:.1%} on average and the plain one {w.plain_says:.1%}, "
        f"where {w.happened:.1%} happened"
    )


def weighed_line(found: Reweighed) -> str:
    """As what the rows count, and that the model is one of there."""
    return f"{found}: the model, its risk and its decisions are those of there"
