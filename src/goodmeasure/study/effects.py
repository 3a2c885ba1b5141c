"""What the model does: which columns it lives on, in units of the loss and of cost, which way they push, and how far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.deriving.predictions import foreseen
from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.reading.tables import ColumnKind, Table, Values, counted
from goodmeasure.risks.outputs import row_losses
from goodmeasure.statistics.estimate import Difference, Estimate
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.sample import Sample
from goodmeasure.study.cases import Cases
from goodmeasure.study.coefficients import Coefficient
from goodmeasure.study.dependence import sample
from goodmeasure.study.folds import first_deal, over_folds
from goodmeasure.study.model import Model
from goodmeasure.study.predicted import Speaker
from goodmeasure.study.split import Split
from goodmeasure.study.verdict import interval, number

# Each column is shuffled so often, among so many rows at most.
SHUFFLES, MOST_ROWS = 5, 5_000
# Curves are drawn of the columns that matter most, at so many places, from the predictions of so many rows.
CURVES, PLACES, ROWS_OF_A_CURVE = 6, 9, 300
ROUNDING = 1e-9
Costs = Callable[[Floats], Floats]
"""What predictions of the reported rows cost, row by row."""


@dataclass(frozen=True)
class EffectCurve:
    """The mean prediction if a column held one value in all rows: of the event, of the amount, or of each class."""

    places: tuple[Any, ...]
    means: Floats

    def to_dict(self) -> dict[str, Any]:
        """The curve as plain values, ready for JSON."""
        return {"places": list(self.places), "means": self.means.tolist()}


@dataclass(frozen=True)
class Effect:
    """What one column does for the model.

    ``loss`` is what the mean loss of the reported rows rises by if the column is shuffled among them, ``cost`` what decisions
    then cost more. ``coefficients`` are those of a linear model, one for each column of numbers that it became.
    """

    feature: str
    loss: Difference
    cost: Difference | None
    coefficients: tuple[Coefficient, ...] = ()
    curve: EffectCurve | None = None

    @property
    def word(self) -> str:
        """Whether the model surely lives on the column, or surely does better without it."""
        return {"worse": "matters", "better": "harms"}.get(self.loss.verdict, "cannot be told to matter at this n")

    @property
    def sentence(self) -> str:
        """What it does, in one line."""
        found = [f"{self.feature} {self.word}: shuffled, the loss rises by {_shown(self.loss)}"]
        if self.cost is not None:
            found.append(f"the cost a row by {_shown(self.cost)}")
        found += [
            f"{one.name} {one.sentence}" if one.name != self.feature else one.sentence for one in self.coefficients[:2]
        ]
        return "; ".join(found)

    def to_dict(self) -> dict[str, Any]:
        """The effect as plain values, ready for JSON."""
        return {
            "feature": self.feature,
            "word": self.word,
            "loss": self.loss.to_dict(),
            "cost": None if self.cost is None else self.cost.to_dict(),
            "coefficients": [one.to_dict() for one in self.coefficients],
            "curve": None if self.curve is None else self.curve.to_dict(),
        }


def _shown(found: Estimate) -> str:
    """A rise with its interval; what is nothing but rounding is none."""
    if abs(found.value) < ROUNDING * (found.high - found.low):
        found = replace(found, value=0.0)
    return f"{number(found.value)} {interval(found)}"


@dataclass(frozen=True)
class Effects(Displayed):
    """What each column does for the model, the most important first.

    Attributes:
        each: the effects. The intervals of all columns hold together as often as their level says.
        rows: how many of the reported rows were shuffled.

    Source:
        Breiman 2001, Random forests; Fisher, Rudin and Dominici 2019, All models are wrong, but many are useful.

    Example:
        >>> import goodmeasure as gm
        >>> x = [i % 20 - 9.5 for i in range(600)]
        >>> z = [i * 37 % 101 for i in range(600)]
        >>> y = [2 * a + (i * 7 % 11) - 5 for i, a in enumerate(x)]
        >>> study = gm.run({"x": x, "z": z, "y": y}, "y")
        >>> [(effect.feature, effect.word) for effect in study.effects.each]
        [('x', 'matters'), ('z', 'cannot be told to matter at this n')]
    """

    each: tuple[Effect, ...]
    rows: int = field(default=0)

    def _display(self) -> Display:
        rows = [
            (one.feature, one.word, one.loss.interval, None if one.cost is None else one.cost.interval)
            for one in self.each
        ]
        columns = columns_of(("column", "word", "loss", "cost"), rows)
        return Display("What the loss and the cost rise by if a column is shuffled", columns)

    def to_dict(self) -> dict[str, Any]:
        """The effects as plain values, ready for JSON."""
        return {"rows": self.rows, "columns": [one.to_dict() for one in self.each]}


def effects(
    speakers: Sequence[Speaker],
    report: Cases,
    split: Split,
    costs: Costs | None,
    coefficients: Sequence[Coefficient],
    seed: int,
) -> Effects:
    """What each column does, on reported rows, by the models that never saw them."""
    report, speakers = _sampled(report, speakers, seed)
    shuffling = _Shuffling(tuple(speakers), report, np.random.default_rng(seed))
    features = speakers[0].model.encoding.features
    rows = sample(report)
    together = replace(rows, level=1 - (1 - rows.level) / max(1, len(features)))
    judged = _Judged(shuffling, together, split, costs)
    found = sorted((judged.effect(name) for name in features), key=lambda one: -one.loss.value)
    of = {name: tuple(one for one in coefficients if one.feature == name) for name in features}
    drawn = [
        replace(
            one,
            coefficients=of[one.feature],
            curve=_curve(speakers[0].model, report, one.feature) if k < CURVES else None,
        )
        for k, one in enumerate(found)
    ]
    return Effects(tuple(drawn), len(report))


def sampled(rows: int, seed: int) -> NDArray[np.intp]:
    """The places of the reported rows that are shuffled: all, or a random part of many."""
    if rows <= MOST_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).permutation(rows)[:MOST_ROWS])


def _sampled(report: Cases, speakers: Sequence[Speaker], seed: int) -> tuple[Cases, list[Speaker]]:
    """The rows that are shuffled, and the speakers of them."""
    taken = sampled(len(report), seed)
    kept = [Speaker(one.model, np.flatnonzero(np.isin(taken, one.rows))) for one in speakers]
    return report.take(taken), [one for one in kept if len(one.rows)]


# --- shuffling ---


@dataclass(frozen=True)
class _Shuffling:
    """Predictions of the reported rows with a column shuffled among the rows of each speaker."""

    speakers: tuple[Speaker, ...]
    report: Cases
    rng: np.random.Generator

    @cached_property
    def matrices(self) -> list[Floats]:
        """The encoded rows of each speaker."""
        return [one.model.encoding(self.report.table.take(one.rows)) for one in self.speakers]

    @cached_property
    def plain(self) -> Floats:
        """The raw outputs of the rows as they are."""
        return self.raws(None)

    def raws(self, feature: str | None) -> Floats:
        """Settled raw outputs: of the rows as they are, or with one column shuffled."""
        found: list[Floats] = []
        for one, encoded in zip(self.speakers, self.matrices, strict=True):
            matrix = encoded
            if feature is not None:
                columns, matrix = one.model.encoding.columns_of(feature), encoded.copy()
                matrix[:, columns] = matrix[self.rng.permutation(len(matrix))][:, columns]
            raw = one.model.scorer(matrix)
            exposure = self.report.exposure
            raw = raw if exposure is None else raw + np.log(exposure[one.rows])
            found.append(one.model.settled(raw))
        order = np.argsort(np.concatenate([one.rows for one in self.speakers]), kind="stable")
        return np.asarray(np.concatenate(found)[order])


@dataclass(frozen=True)
class _Judged:
    """What shuffled rows cost more than the rows as they are."""

    shuffling: _Shuffling
    sample: Sample
    split: Split
    costs: Costs | None

    def effect(self, feature: str) -> Effect:
        """What a column does, averaged over a few shuffles."""
        plain = self.shuffling.plain
        shuffled = [self.shuffling.raws(feature) for _ in range(SHUFFLES)]
        loss = self._rise(self._losses, plain, shuffled)
        return Effect(feature, loss, None if self.costs is None else self._rise(self._costs, plain, shuffled))

    def _rise(self, of: Callable[[Floats], Floats], plain: Floats, shuffled: Sequence[Floats]) -> Difference:
        rise = np.mean([of(raw) for raw in shuffled], axis=0) - of(plain)
        return over_folds(self.sample.difference(rise), first_deal(self.split))

    def _losses(self, raw: Floats) -> Floats:
        with np.errstate(all="ignore"):
            return row_losses(self.shuffling.speakers[0].model.loss, self.shuffling.report.y, raw)

    def _costs(self, raw: Floats) -> Floats:
        assert self.costs is not None
        return self.costs(foreseen(self.shuffling.speakers[0].model.loss, raw))


# --- curves ---


def _curve(model: Model, report: Cases, feature: str) -> EffectCurve:
    """The mean prediction of the first rows with the column set to one of its values after another."""
    rows = report.take(np.arange(min(len(report), ROWS_OF_A_CURVE)))
    places = _places(report.table[feature])
    means = [_mean_with(model, rows, feature, place) for place in places.tolist()]
    return EffectCurve(tuple(map(_plain, places.tolist())), np.array(means))


def _mean_with(model: Model, rows: Cases, feature: str, place: Any) -> Any:
    values = rows.table[feature]
    held = np.full(len(rows), place, dtype=values.dtype)
    table = Table({**rows.table.columns, feature: held}, rows.table.source, len(rows))
    raw = model.scorer(model.encoding(table))
    raw = raw if rows.exposure is None else raw + np.log(rows.exposure)
    return np.average(model.predictions(raw), axis=0, weights=rows.weights)


def _places(values: Values) -> Values:
    """Quantiles of numbers and of dates, or the most common texts."""
    if ColumnKind.of(values) is ColumnKind.TEXT:
        counts = counted(values)
        return np.array(sorted(counts, key=lambda name: (-counts[name], name))[:PLACES], dtype=object)
    known = np.sort(values[~(np.isnat(values) if values.dtype.kind == "M" else np.isnan(values))])
    if not len(known):
        return known
    return np.unique(known[np.linspace(0.02 * (len(known) - 1), 0.98 * (len(known) - 1), PLACES).round().astype(int)])


def _plain(place: Any) -> Any:
    return place if isinstance(place, float | str) else str(place)
