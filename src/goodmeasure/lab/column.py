"""A column as a page of the lab shows it: binned, with the number that each plan for it would say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from goodmeasure.choosing.choose import choose
from goodmeasure.choosing.observed import Observed, observe
from goodmeasure.choosing.plan import Plan
from goodmeasure.drawing.axes import Axes
from goodmeasure.drawing.cells import Floats
from goodmeasure.drawing.marks import BAND, DASHED, DOTTED, LOSS, PREDICTION, SIGNAL, SOLID, Bars, Guide
from goodmeasure.drawing.picture import Picture
from goodmeasure.lab.picture import Named

# What can be asked of an amount, beside its mean.
ASKS = {"mean": "the mean", "median": "the median", "quantile=0.9": "the 90 % quantile"}
_LOOKS = dict(zip(ASKS, ((LOSS, SOLID), (PREDICTION, DASHED), (SIGNAL, DOTTED)), strict=True))
_MOST_BARS, _MOST_LABELS, _LONGEST, _LONGEST_NAME = 24, 8, 12, 32


@dataclass(frozen=True, eq=False)
class LabColumn:
    """A target: a word for it in addresses, what it is called and what it holds."""

    key: str
    title: str
    name: str
    values: Any
    represents: str | None = None

    @cached_property
    def seen(self) -> Observed:
        """The values that are there."""
        return observe(self.values, self.name)

    @cached_property
    def plans(self) -> Mapping[str, Plan]:
        """A plan for each thing that can be asked: of an amount three, of what has one answer that one."""
        usual = self._plan(None)
        if usual.asks_for != "mean":
            return {"usual": usual}
        return {ask: self._plan(ask) for ask in ASKS}

    def _plan(self, ask: str | None) -> Plan:
        return choose(self.values, ask=ask, name=self.name, represents=self.represents)

    def says(self, plan: Plan) -> float | None:
        """What the loss of a plan predicts for an amount of which nothing else is known; None for labels."""
        if plan.asks_for not in ("mean", "median", "quantile") or self.seen.numbers is None:
            return None
        return float(plan.loss.predict(plan.loss.best_constant(self.seen.numbers)))

    def picture(self, name: str) -> Picture:
        """How many of the rows hold what, and what each plan would say."""
        axes = _of_amounts(self.seen.numbers) if self._is_amount else _of_labels(self.seen)
        axes.across = self._across
        for ask, plan in self.plans.items():
            number = self.says(plan)
            if number is not None:
                colour, dash = _LOOKS[ask]
                axes.add(Named(Guide(number, colour, True, ASKS[ask], dash, 2.4), f"answer-{ask}"))
        said = f"{self.seen.rows.read} rows. {self.plans_said}"
        return Picture(f"{name}-{self.key}", f"What does the column {self.name} hold?", (axes,), (420, 230), said)

    @property
    def plans_said(self) -> str:
        """The numbers of the plans as a sentence; what is predicted where no number is."""
        pairs = [(ASKS.get(ask, ask), self.says(plan)) for ask, plan in self.plans.items()]
        told = [f"{name} is {number:.4g}" for name, number in pairs if number is not None]
        return f"As one number for all, {', '.join(told)}." if told else "A model predicts a probability."

    @property
    def _across(self) -> str:
        """The name as an axis has room for it, and how many labels are left out of the picture."""
        name = self.name if len(self.name) <= _LONGEST_NAME else f"{self.name[: _LONGEST_NAME - 1]}\u2026"
        found = len(self.seen.distinct)
        return (
            name if self._is_amount or found <= _MOST_LABELS else f"{name}: the {_MOST_LABELS} most frequent of {found}"
        )

    @property
    def _is_amount(self) -> bool:
        return "usual" not in self.plans


def _of_amounts(numbers: Floats | None) -> Axes:
    """Bars of an amount: one a whole number where these are few, else so many of the same width."""
    assert numbers is not None
    edges = _edges(numbers)
    counts = np.histogram(numbers, edges)[0] / len(numbers)
    axes = Axes(up="% of rows", x_ends=(float(edges[0]), float(edges[-1])))
    axes.add(Bars(edges[:-1], edges[1:], 100.0 * counts, BAND))
    return axes


def _edges(numbers: Floats) -> Floats:
    low, high = float(numbers.min()), float(numbers.max())
    if (numbers == np.round(numbers)).all() and high - low < _MOST_BARS:
        return np.arange(low - 0.5, high + 1.0)
    return np.linspace(low, high, _MOST_BARS + 1)


def _of_labels(seen: Observed) -> Axes:
    """Bars of labels, the most frequent ones in their order."""
    counts = Counter(seen.original.ravel().tolist())
    most = {label for label, _ in counts.most_common(_MOST_LABELS)}
    labels = [label for label in seen.distinct if label in most]
    places = np.arange(float(len(labels)))
    ticks = {float(k): str(label)[:_LONGEST] for k, label in enumerate(labels)}
    shares = np.array([100.0 * counts[label] / counts.total() for label in labels])
    axes = Axes(up="% of rows", x_ends=(-0.6, len(labels) - 0.4), x_ticks=ticks)
    axes.add(Bars(places - 0.4, places + 0.4, shares, BAND))
    return axes
