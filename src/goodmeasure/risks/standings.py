"""Several models by one measure on the same rows: what each costs, which cannot be told from the best, and by how much others
miss it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.statistics.confidence_set import confidence_set
from goodmeasure.statistics.estimate import Difference, E, Estimate, widened
from goodmeasure.statistics.intervals import cost_infinity
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.sample import Sample

# A sentence names so many models, and how many more there are.
SHOWN = 3


@dataclass(frozen=True)
class Standing(Displayed):
    """How models stand by one measure, of which less is better.

    Attributes:
        measure: what was measured, a mean over rows.
        values: the estimate of each model, by its name; the best first.
        differences: of each model but the best, what it costs more, paired by row. The intervals of all pairs of models hold
            together as often as the level says.
        p_values: of each model, the size of the largest test that keeps it in the set of those that may be the best.
        level: how often that set holds the best one.
        unjudged: models that this measure cannot judge, with the reason.

    Source:
        Hansen, Lunde and Nason 2011, The model confidence set.

    Example:
        >>> import goodmeasure as gm
        >>> x = [i % 20 - 9.5 for i in range(400)]
        >>> y = [2 * a + (i * 7 % 11) - 5 for i, a in enumerate(x)]
        >>> study = gm.run({"x": x, "y": y}, "y", model=["linear", "boosting"])
        >>> standing = study.comparison.standings[0]
        >>> standing.measure, standing.best
        ('squared_error()', 'linear on squared_error()')
    """

    measure: str
    values: Mapping[str, Estimate]
    differences: Mapping[str, Difference]
    p_values: Mapping[str, float]
    level: float
    unjudged: Mapping[str, str]

    @property
    def best(self) -> str:
        """The model that cost least on these rows."""
        return next(iter(self.values))

    @property
    def kept(self) -> tuple[str, ...]:
        """The models that cannot be told from the best, the best first: in the set, or with a difference that may be none."""
        return tuple(name for name, p in self.p_values.items() if p > 1 - self.level or not self._is_surely_worse(name))

    def _is_surely_worse(self, name: str) -> bool:
        return name in self.differences and self.differences[name].verdict == "worse"

    @property
    def sentence(self) -> str:
        """What may be said, in one line."""
        if not self.values:
            return f"no model can be judged: {'; '.join(f'{name} ({why})' for name, why in self.unjudged.items())}"
        kept, others = self.kept[1:], [name for name in self.values if name not in self.kept]
        told = f"; cannot be told from it at this n: {self._few(kept)}" if kept else ""
        worse = f"; surely worse: {self._few(others)}" if others else ""
        lost = "".join(f"; not judged: {name} ({why})" for name, why in self.unjudged.items())
        return f"{self._shown(self.best)} is least{told}{worse}{lost}"

    def _few(self, names: Sequence[str]) -> str:
        more = f"; and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return "; ".join(map(self._shown, names[:SHOWN])) + more

    def _shown(self, name: str) -> str:
        return f"{name} {self.values[name].value:.4g}"

    def _display(self) -> Display:
        rows = [
            (
                name,
                value.interval,
                None if name not in self.differences else self.differences[name].interval,
                self.p_values[name],
                "yes" if name in self.kept else "no",
            )
            for name, value in self.values.items()
        ]
        columns = columns_of(("model", "value", "minus_best", "p_value", "may_be_best"), rows)
        return Display(f"By {self.measure}", columns, (self.sentence,))

    def to_dict(self) -> dict[str, Any]:
        """The standing as plain values, ready for JSON."""
        return {
            "measure": self.measure,
            "level": self.level,
            "best": self.best if self.values else None,
            "kept": list(self.kept),
            "models": {
                name: {
                    "value": value.to_dict(),
                    "minus_best": None if name not in self.differences else self.differences[name].to_dict(),
                    "p_value": self.p_values[name],
                }
                for name, value in self.values.items()
            },
            "unjudged": dict(self.unjudged),
        }


Valued = Callable[[Sample, str], Estimate]
Paired = Callable[[Sample, str, str], Difference]


def standing(
    measure: str,
    rows: Mapping[str, Floats],
    sample: Sample,
    *,
    valued: Valued | None = None,
    paired: Paired | None = None,
    unjudged: Mapping[str, str] | None = None,
    widening: float = 1.0,
) -> Standing:
    """How models stand by a number a row, smaller being better.

    ``valued`` and ``paired`` estimate the mean of a model, and what one costs more than another, where there are better ways
    than from the rows alone. Intervals are ``widening`` times as long as independent rows ask for. A model with infinite
    rows is not judged: no difference from it is known.
    """
    names = [name for name in rows if np.isfinite(rows[name]).all()]
    lost = {name: cost_infinity(int((~np.isfinite(rows[name])).sum())) for name in rows if name not in names}
    lost = {**(unjudged or {}), **lost}
    if not names:
        return Standing(measure, {}, {}, {}, sample.level, lost)
    found = confidence_set(np.stack([rows[name] for name in names], axis=1), sample, widening=widening)
    order = [names[place] for place in np.argsort(found.means, kind="stable")]
    p_values = dict(zip(names, found.p_values.tolist(), strict=True))
    valued = valued or (lambda sample, name: sample.mean(rows[name]))
    paired = paired or (lambda sample, name, best: sample.difference(rows[name] - rows[best]))
    wide = replace(sample, level=found.pairwise)
    return Standing(
        measure,
        {name: _wide(valued(sample, name), widening) for name in order},
        {name: _wide(paired(wide, name, order[0]), widening) for name in order[1:]},
        {name: p_values[name] for name in order},
        sample.level,
        lost,
    )


def _wide(found: E, widening: float) -> E:
    return found if widening == 1 else widened(found, widening, "as folds ask for")
