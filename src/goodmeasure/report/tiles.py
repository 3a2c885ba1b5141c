"""The three numbers of the first screen, each with its interval and its receipt."""

from __future__ import annotations

from dataclasses import dataclass

from goodmeasure.report.sentences import shown
from goodmeasure.statistics.estimate import Estimate
from goodmeasure.study.study import Study
from goodmeasure.study.verdict import interval, number


@dataclass(frozen=True)
class Tile:
    """A number with its interval, what it is held against, and where it comes from."""

    name: str
    value: str
    interval: str
    beside: str
    receipt: str


def tiles(study: Study) -> list[Tile]:
    """The risk, the metric that people care about, and what decisions cost, or else how far probabilities are off."""
    return [_risk(study), *_metric(study), _last(study)]


def _risk(study: Study) -> Tile:
    found = study.judged.report
    assert found.constant_risk is not None
    beside = f"the best constant has {number(found.constant_risk.value)}"
    return Tile("mean loss", number(found.value), interval(found), beside, receipt(found, str(study.plan.loss)))


def _metric(study: Study) -> list[Tile]:
    if not study.judged.metrics:
        return []
    first = study.judged.metrics[0]
    found, share = first.report, first.metric.share
    ends = f"[{shown(found.low, share)}, {shown(found.high, share)}]"
    beside = f"the best constant has {shown(first.constant, share)}"
    return [Tile(first.metric.name.replace("_", " "), shown(found.value, share), ends, beside, receipt(found))]


def _last(study: Study) -> Tile:
    if study.decided is not None:
        cost = study.decided.best.cost
        return Tile(
            "cost a row", number(cost.value), interval(cost), "of the decisions that it asks for", receipt(cost)
        )
    error = study.judged.calibration.error
    return Tile("calibration error", number(error.value), interval(error), "0 would mean what it says", receipt(error))


def receipt(found: Estimate, loss: str = "") -> str:
    """How many rows stand behind a number, by which loss, and how its interval was made."""
    said = f"{found.n:,} rows; {100 * found.level:g} % interval: {found.method}"
    return f"{loss}; {said}" if loss else said
