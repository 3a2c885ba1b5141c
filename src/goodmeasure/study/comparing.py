"""Models beside each other on the same rows: each by every loss, by the metrics, and by what their decisions cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np

from goodmeasure.decisions.costs import ClassCosts, Costs, UnderOverCosts
from goodmeasure.decisions.pricing import Prices
from goodmeasure.deriving.arguments import outside
from goodmeasure.deriving.predictions import arrows, is_arrow, middle, turn
from goodmeasure.drawing.display import Display
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.making.card import asks_for
from goodmeasure.making.loss import Loss
from goodmeasure.risks.areas import pulls
from goodmeasure.risks.metrics import Metric
from goodmeasure.risks.outputs import row_losses
from goodmeasure.risks.standings import Standing, standing
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.sample import Sample
from goodmeasure.study.cases import Cases
from goodmeasure.study.deciding import Decided, Weighing, amount_costs, policy_of
from goodmeasure.study.dependence import sample
from goodmeasure.study.folds import widening_of
from goodmeasure.study.predicted import Predicted
from goodmeasure.study.split import Split


def model_name(model: str, loss: Loss, weighing: Weighing | None) -> str:
    """What a model is called beside others: what it is, what it was trained on, and class weights if it has some."""
    weighted = f", weights {weighing.ratio:.3g} to 1" if weighing is not None and weighing.used else ""
    return f"{model} on {loss}{weighted}"


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names with a number behind those that were there before."""
    seen = Counter[str]()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(found)


@dataclass(frozen=True)
class Contender:
    """A model by its name, with the loss it was trained on, what it says of the reported rows, and how it decides."""

    name: str
    loss: Loss
    said: tuple[Predicted, ...]
    decided: Decided | None


@dataclass(frozen=True)
class Comparison(Displayed):
    """Models by every measure, on rows that none of them saw: what was trained on a loss, judged by the others.

    Attributes:
        models: what is compared, by name.
        standings: how the models stand by each measure; first by the one that decides.
        chosen: the model that was handed over, and how it was chosen; empty where none was.
        left_out: why models are not compared by a loss or a metric.

    Example:
        >>> import goodmeasure as gm
        >>> x = [i % 20 - 9.5 for i in range(400)]
        >>> y = [2 * a + (i * 7 % 11) - 5 for i, a in enumerate(x)]
        >>> linear, trees = (gm.run({"x": x, "y": y}, "y", model=model) for model in ("linear", "boosting"))
        >>> found = linear.compare(trees)
        >>> found.standings[0].kept
        ('linear on squared_error()',)
    """

    models: tuple[str, ...]
    standings: tuple[Standing, ...]
    chosen: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What may be said: by each measure, and where two of them surely disagree."""
        said = [f"by {each.measure}, {each.sentence}" for each in self.standings]
        return (*said, *_disagreements(self.standings), *self.left_out)

    def _display(self) -> Display:
        columns: dict[str, list[Any]] = {"model": [*self.models]}
        for each in self.standings:
            columns[each.measure] = [each.values[n].interval if n in each.values else None for n in self.models]
        return Display("Models on the same rows", columns, tuple(filter(None, (self.chosen, *self.sentences))))

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values, ready for JSON."""
        return {
            "models": list(self.models),
            "chosen": self.chosen,
            "standings": [each.to_dict() for each in self.standings],
            "sentences": list(self.sentences),
        }


def _disagreements(standings: Sequence[Standing]) -> list[str]:
    """Pairs of models that two measures surely rank in opposite order, as far as the best by each tells."""
    found = []
    for x, y in permutations([each for each in standings if each.values], 2):
        if x.measure < y.measure and _is_worse(x.best, y) and _is_worse(y.best, x):
            found.append(f"{x.measure} and {y.measure} disagree, each surely: {x.best} against {y.best}")
    return found


def _is_worse(name: str, by: Standing) -> bool:
    return name in by.values and name not in by.kept


def comparison(
    contenders: Sequence[Contender],
    report: Cases,
    split: Split,
    losses: Sequence[Loss],
    metrics: Sequence[Metric],
    *,
    chosen: str = "",
) -> Comparison:
    """How contenders stand on the reported rows: by cost where they decide, by each loss, and by each metric of rows."""
    names = tuple(one.name for one in contenders)
    wide = widening_of(split)
    judge = _Judge(tuple(contenders), report, sample(report), wide)
    known = [metric for metric in metrics if metric.each is not None or metric.name == "auc"]
    taken = [loss for loss in dict.fromkeys(losses) if takes(loss, report)]
    standings = (*judge.by_costs(), *map(judge.by_loss, taken), *map(judge.by_metric, known))
    # A metric may be a loss under another name.
    different = {tuple(v.value for v in each.values.values()): each for each in reversed(standings)}
    left_out = [f"{loss} does not take all reported targets" for loss in dict.fromkeys(losses) if loss not in taken]
    left_out += [f"{one.name} is no mean of rows: models are not compared by it" for one in metrics if one not in known]
    return Comparison(names, tuple(reversed(different.values())), chosen, tuple(left_out))


def takes(loss: Loss, cases: Cases) -> bool:
    """Whether all targets lie in the domain of a loss."""
    y = cases.y.astype(np.float64)
    return loss.is_classwise or not outside(y, y, loss.target, None)[0].any()


@dataclass(frozen=True)
class _Judge:
    """What contenders are judged on."""

    contenders: tuple[Contender, ...]
    report: Cases
    sample: Sample
    widening: float

    def by_costs(self) -> Iterator[Standing]:
        """How they stand by what their decisions cost, where all of them decide for the same costs."""
        decided = [one.decided for one in self.contenders]
        costs = None if decided[0] is None else decided[0].costs
        if any(one is None or one.costs != costs for one in decided):
            return
        if isinstance(costs, Costs | ClassCosts):
            yield self._by_prices(Prices(costs, self.report.y.astype(np.intp), self.sample))
        elif isinstance(costs, UnderOverCosts):
            yield self._standing(
                "cost a row", {name: amount_costs(one, self.report, *said) for name, one, said in self._decisions()}
            )

    def _decisions(self) -> Iterator[tuple[str, Decided, tuple[list[Floats], list[Floats]]]]:
        """Names and decisions with the predictions, and what was tuned with each of them."""
        for one in self.contenders:
            assert one.decided is not None
            practice = [each.practice for each in one.said if each.practice is not None]
            yield one.name, one.decided, ([each.prediction for each in one.said], practice)

    def _by_prices(self, prices: Prices) -> Standing:
        """By the costs of two kinds of mistakes; one that is dear and rarely seen counts with what it may be."""
        rules = {name: policy_of(one, *said) for name, one, said in self._decisions()}
        return self._standing(
            "cost a row",
            {name: np.asarray(prices.rows(rule).mean(axis=0)) for name, rule in rules.items()},
            valued=lambda sample, name: replace(prices, sample=sample).cost(rules[name]),
            paired=lambda sample, name, best: replace(prices, sample=sample).extra(rules[name], rules[best]),
        )

    def by_loss(self, loss: Loss) -> Standing:
        """How they stand by a loss, whatever they were trained on: a prediction outside its range cannot be judged."""
        rows, unjudged = {}, {}
        for one in self.contenders:
            found = [raw_for(loss, one.loss, said.settled, said.prediction) for said in one.said]
            raws = [raw for raw in found if raw is not None]
            if not raws:
                unjudged[one.name] = f"it does not predict {asks_for(loss)}"
            elif strange := int(np.sum([np.isnan(raw).reshape(len(raw), -1).any(axis=1) for raw in raws])):
                unjudged[one.name] = f"{strange:,} predictions lie outside what {loss} takes"
            else:
                with np.errstate(all="ignore"):
                    rows[one.name] = np.mean([row_losses(loss, self.report.y, raw) for raw in raws], axis=0)
        return self._standing(str(loss), rows, unjudged=unjudged)

    def by_metric(self, metric: Metric) -> Standing:
        """How they stand by a metric; where more of it is better, by what is missing to 1."""
        rows = {one.name: _metric_rows(metric, self.report, one, self.sample) for one in self.contenders}
        name = metric.name.replace("_", " ")
        if metric.higher_is_better:
            return self._standing(f"1 - {name}", {each: 1 - values for each, values in rows.items()})
        return self._standing(f"{name} squared" if metric.finish else name, rows)

    def _standing(self, measure: str, rows: Mapping[str, Floats], **more: Any) -> Standing:
        return standing(measure, rows, self.sample, widening=self.widening, **more)


def raw_for(loss: Loss, other: Loss, settled: Floats, prediction: Floats) -> Floats | None:
    """What a model of another loss says, as raw outputs of this one: NaN outside its range; None where it says no such thing.

    A loss of one amount judges the middle one of several quantiles; other levels than were asked for cannot be judged.
    """
    if means_alike(loss, other):
        return settled
    if loss.levels and loss.levels != other.levels:
        return None
    if is_arrow(loss):
        return np.asarray(arrows(loss, prediction)) if turn(other) is not None else None
    with np.errstate(all="ignore"):
        return np.asarray(loss.raw(prediction if loss.levels else middle(other, prediction)), dtype=np.float64)


def means_alike(loss: Loss, other: Loss) -> bool:
    """Whether raw outputs mean the same for both: those of as many grades do, whatever the loss."""
    return loss == other or (loss.is_graded and loss.target == other.target)


def _metric_rows(metric: Metric, report: Cases, contender: Contender, sample: Sample) -> Floats:
    """What each row adds to a metric, averaged over the models that speak of it."""
    each = metric.each or (lambda y, p: pulls(y, p, sample.weight))
    amounts = [middle(contender.loss, one.prediction) for one in contender.said]
    return np.asarray(np.mean([each(report.y, amount) for amount in amounts], axis=0))
