"""Whether the training loss ranks models as the metric that is reported and the costs that are paid do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.statistics.estimate import Difference, as_difference
from goodmeasure.statistics.intervals import mean_estimate
from goodmeasure.statistics.row_arguments import Floats, equal_length


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
class RankAlignment(Displayed):
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
            f"not aligned: {self.disagreements[0]}" if self.disagreements else "no two models are surely ranked apart"
        )

    def _display(self) -> Display:
        rows = [(name, model, mean) for name, of in self.means.items() for model, mean in of.items()]
        agreement = [f"{x} and {y} rank alike by {tau:.3g} (Kendall)" for (x, y), tau in self.agreement.items()]
        return Display(
            "How measures rank models", columns_of(("measure", "model", "mean"), rows), (self.verdict, *agreement)
        )


def align(measures: Mapping[str, Mapping[str, ArrayLike]], *, level: float = 0.95) -> RankAlignment:
    """Compare how measures rank models on the same rows.

    ``measures[name][model]`` holds one number a row, smaller being better: per-row losses, errors of 0 and 1, costs
    of the decisions taken.
    """
    tables = {name: {m: np.asarray(v, dtype=np.float64) for m, v in of.items()} for name, of in measures.items()}
    equal_length(**{f"{name} of {model}": values for name, of in tables.items() for model, values in of.items()})
    means = {name: {model: float(values.mean()) for model, values in of.items()} for name, of in tables.items()}
    pairs = list(combinations(tables, 2))
    found = [
        Disagreement(models, (x, y), (by_x, by_y))
        for x, y in pairs
        for models in combinations(tables[x], 2)
        if _opposite(by_x := _between(tables[x], models, level), by_y := _between(tables[y], models, level))
    ]
    return RankAlignment(means, {(x, y): _tau(means[x], means[y]) for x, y in pairs}, tuple(found))


def _between(of: dict[str, Floats], models: tuple[str, str], level: float) -> Difference:
    return as_difference(mean_estimate(of[models[0]] - of[models[1]], method="paired, normal", level=level))


def _opposite(a: Difference, b: Difference) -> bool:
    return {a.verdict, b.verdict} == {"better", "worse"}


def _tau(a: dict[str, float], b: dict[str, float]) -> float:
    from scipy.stats import kendalltau

    return float(kendalltau(list(a.values()), [b[model] for model in a]).statistic) if len(a) > 1 else float("nan")
