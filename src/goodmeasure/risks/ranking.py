"""Whether the training loss ranks models as the metric that is reported and the costs that are paid do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.formulas.domains import Level
from goodmeasure.statistics.estimate import Difference
from goodmeasure.statistics.row_arguments import Floats, present, raw_outputs
from goodmeasure.statistics.sample import Sample
from goodmeasure.statistics.weights import WeightsMean
from goodmeasure.strict.calls import strict_keywords


@dataclass(frozen=True)
class Disagreement:
    """Two models that two measures rank in opposite order, each surely."""

    models: tuple[str, str]
    measures: tuple[str, str]
    differences: tuple[Difference, Difference]

    def __str__(self) -> str:
        (a, b), (x, y), (by_x, by_y) = self.models, self.measures, self.differences
        return f"by {x}, {a} is {by_x.verdict} than {b}; by {y}, it is {by_y.verdict}"


@dataclass(frozen=True)
class ModelRanking(Displayed):
    """How measures rank models: mean of each measure, rank correlation of each pair of measures, and disagreements.

    ``agreement`` is Kendall's tau-b over models; ``disagreements`` counts only pairs that both measures tell apart.
    """

    means: dict[str, dict[str, float]]
    agreement: dict[tuple[str, str], float]
    disagreements: tuple[Disagreement, ...]

    @property
    def verdict(self) -> str:
        """Whether any two models are surely ranked in opposite order."""
        return (
            f"ranked apart: {self.disagreements[0]}" if self.disagreements else "no two models are surely ranked apart"
        )

    def _display(self) -> Display:
        rows = [(name, model, mean) for name, of in self.means.items() for model, mean in of.items()]
        agreement = [f"{x} and {y} rank alike by {tau:.3g} (Kendall)" for (x, y), tau in self.agreement.items()]
        return Display(
            "How measures rank models", columns_of(("measure", "model", "mean"), rows), (self.verdict, *agreement)
        )


@strict_keywords
def rank_models(
    measures: Mapping[str, Mapping[str, ArrayLike]],
    *,
    sample_weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    time: ArrayLike | None = None,
    level: Level = 0.95,
    weights_mean: WeightsMean = "importance",
) -> ModelRanking:
    """Compare how measures rank models on the same rows.

    ``measures[name][model]`` holds one number a row, smaller being better: per-row losses, errors of 0 and 1, costs
    of the decisions taken. ``cluster`` or ``time`` says which rows go together. Rows of weight zero are not there;
    ``weights_mean="frequency"`` says that weights count copies.
    """
    columns = {f"{name} of {model}": values for name, of in measures.items() for model, values in of.items()}
    rows = present(sample_weight, weights_mean, **columns, cluster=cluster, time=time)
    tables = {name: {m: rows.read(raw_outputs, f"{name} of {m}") for m in of} for name, of in measures.items()}
    sample = Sample.of(rows, level)
    means = {name: {model: sample.mean(values).value for model, values in of.items()} for name, of in tables.items()}

    def between(of: dict[str, Floats], models: tuple[str, str]) -> Difference:
        with np.errstate(invalid="ignore"):
            return sample.difference(of[models[0]] - of[models[1]])

    pairs = list(combinations(tables, 2))
    found = [
        Disagreement(models, (x, y), (by_x, by_y))
        for x, y in pairs
        for models in combinations(tables[x], 2)
        if _opposite(by_x := between(tables[x], models), by_y := between(tables[y], models))
    ]
    return ModelRanking(means, {(x, y): _tau(means[x], means[y]) for x, y in pairs}, tuple(found))


def _opposite(a: Difference, b: Difference) -> bool:
    return {a.verdict, b.verdict} == {"better", "worse"}


def _tau(a: dict[str, float], b: dict[str, float]) -> float:
    from scipy.stats import kendalltau

    return float(kendalltau(list(a.values()), [b[model] for model in a]).statistic) if len(a) > 1 else float("nan")
