"""The card of a loss: what it asks for, its formulas, what errors cost, its traits with evidence, and how to spell it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.deriving import numbers
from goodmeasure.deriving.best_constant import best_constant
from goodmeasure.deriving.class_statistics import by_statistic
from goodmeasure.deriving.predictions import raw
from goodmeasure.deriving.record import Record
from goodmeasure.drawing.cells import Cell, Code, Formula, text
from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.drawing.picture import Picture
from goodmeasure.drawing.pictures import loss_and_signal
from goodmeasure.drawing.sketches import blocks
from goodmeasure.errors import Problem
from goodmeasure.formulas.expression import Expr
from goodmeasure.formulas.latex import latex
from goodmeasure.making.host_names import own_names
from goodmeasure.traits import traits
from goodmeasure.traits.certificate import LineCertificate, certificates
from goodmeasure.traits.influence import Influence
from goodmeasure.traits.properties import aligned, directional, sensitive
from goodmeasure.traits.trait import Trait

# Losses beyond this would flatten what happens near the target.
_MOST = 20.0
# A title, raw outputs, and values and signals at them.
Plotted = tuple[str, Any, Any, Any]

# What a loss asks for, in one plain sentence; ``{level}`` and the like are its hyperparameters.
ASKS_FOR = {
    "mean": "the mean of what may happen",
    "median": "the median: as often too low as too high",
    "quantile": "the {level:g} quantile: the target lies below it {percent:g} % of the time",
    "smooth quantile": "nearly the {level:g} quantile, rounded off within {delta:g}",
    "expectile": "the {level:g} expectile: a mean where falling short counts {level:g} and exceeding {rest:g}",
    "centre": "a centre between the mean and the median that far targets move little",
    "bulk": "where the bulk of the targets lies; far targets stop counting",
    "band": "a middle that is right for as many as possible within a tolerance",
    "entropic mean": "a mean on an exponential scale, pushed away from the costly side",
    "mean direction": "the mean direction of angles",
    "log mean": "the mean on the scale of log(1 + y), which lies below the mean",
    "weighted median": "a median where small targets count more, which lies below the median",
    "distribution": "the whole distribution of what may happen",
    "quantiles": "the quantiles {levels}, in rising order",
    "interval": "the ends of the central {percent:g} % interval",
    "probability": "the probability of each outcome",
    "grades": "the probability of each grade or more",
    "class": "only the most likely answer, no probability",
    "": "nothing in particular",
}


def asks_for(loss: Record) -> str:
    """What the loss asks for in one plain phrase."""
    level = loss.values.get("level", 0.5)
    levels = ", ".join(f"{each:g}" for each in loss.levels)
    known = {"delta": 1.0, **loss.values, "level": level, "percent": 100 * level, "rest": 1 - level, "levels": levels}
    return ASKS_FOR.get(loss.facts.asks_for, f"the {loss.facts.asks_for}").format(**known)


@dataclass(frozen=True)
class Card(Displayed):
    """Facts about a loss, each derived from its formula or held against it by a test.

    Attributes:
        loss: the loss.
        asks_for: what its best prediction is, in a phrase.
        activation: how raw outputs become predictions.
        target: what targets it takes.
        costs: what errors of some sizes cost, in words.
        traits: convex, Lipschitz, smooth, ..., each with its evidence.
        directional: whether the signal points toward what happened.
        sides: how the pull grows with the distance from what happened, on each side.
        aligned: how it goes with accuracy; None where there is none.
        spelled: what the loss is called elsewhere, by host.
        curve: the curve of value and signal, as arrays; None where there is none to draw.

    Example:
        >>> import goodmeasure as gm
        >>> card = gm.losses.poisson().card()
        >>> card.asks_for, str(card.formulas["signal"])
        ('the mean of what may happen', 'exp(z) - y')
    """

    loss: Record
    asks_for: str
    activation: str
    target: str
    costs: str
    traits: tuple[Trait, ...]
    directional: Trait
    sides: tuple[Influence, ...]
    aligned: Trait | None
    spelled: dict[str, str]
    curve: Plotted | None

    @property
    def formulas(self) -> dict[str, Expr]:
        """The book form, the derived form, and the signals and curvatures by raw output."""
        loss = self.loss
        if loss.is_classwise:
            slopes = by_statistic(loss.composed)
            return {"book": loss.book, "derived": loss.composed, **{f"signal by {n}": s for n, s in slopes.items()}}
        names = [""] if len(loss.raw_names) == 1 else [f" by {n}" for n in loss.raw_names]
        signals = {f"signal{n}": s for n, s in zip(names, loss.signal, strict=True)}
        curvatures = {f"curvature{n}": loss.curvature[i][i] for i, n in enumerate(names)}
        return {"book": loss.book, "derived": loss.composed, **signals, **curvatures}

    def certificates(self) -> tuple[LineCertificate, ...]:
        """Give the proofs behind the traits as data that anyone can replay, with interval arithmetic and nothing of ours.

        Returns:
            A `LineCertificate` for each formula of a trait that was proved: convex, Lipschitz, smooth. Empty where none was.

        Example:
            >>> import goodmeasure as gm
            >>> [each.claim for each in gm.losses.huber().card().certificates()]
            ['convex', 'Lipschitz (1)', 'smooth (1)']
        """
        return certificates(self.loss.released)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return {
            "loss": str(self.loss),
            "sentence": self.loss.facts.sentence,
            "asks_for": self.asks_for,
            "also": list(self.loss.facts.also),
            "nearly": dict(self.loss.facts.nearly),
            "advice": self.loss.facts.advice,
            "activation": self.activation,
            "target": self.target,
            "formulas": {name: str(formula) for name, formula in self.formulas.items()},
            "latex": {name: latex(formula) for name, formula in self.formulas.items()},
            "costs": self.costs,
            "traits": [each.to_dict() for each in self.traits],
            "directional": self.directional.to_dict(),
            "sensitive": [
                {"side": s.side, "name": s.name, "distances": s.distances, "sizes": s.sizes} for s in self.sides
            ],
            "aligned": None if self.aligned is None else self.aligned.to_dict(),
            "spelled": self.spelled,
        }

    def __str__(self) -> str:
        facts = self.loss.facts
        lines = [str(self.loss), f"  {facts.sentence}", ""]
        lines += [_row(label, text(cell)) for label, cell in self._facts()]
        lines += ["", *(f"  {each}" for each in _telling(self.traits)), ""]
        lines += ["  learning signal", *(f"    {said}" for _, said in self._signal())]
        if self.curve is not None:
            lines += ["", *(f"  {line}" for line in _blocks(self.curve))]
        lines += ["", f"  {facts.advice}", ""] if facts.advice else [""]
        lines += [_row(host, call) for host, call in self.spelled.items()]
        return "\n".join(lines)

    def _facts(self) -> list[tuple[str, Cell]]:
        """What it asks for and of what, and its formulas."""
        rows: list[tuple[str, Cell]] = [("asks for", self.asks_for), ("activation", self.activation)]
        rows += [("target", self.target)]
        rows += [("also called", ", ".join(self.loss.facts.also))] if self.loss.facts.also else []
        rows += [("nearly", f"{name}: {how}") for name, how in self.loss.facts.nearly]
        rows += [(name, Formula(str(formula), latex(formula))) for name, formula in self.formulas.items()]
        return rows + ([("costs", self.costs)] if self.costs else [])

    def _signal(self) -> list[tuple[str, str]]:
        """The three properties of the learning signal, and what is said of each."""
        rows = [("directional", str(self.directional)), *(("sensitive", _side(each)) for each in self.sides)]
        return rows + ([] if self.aligned is None else [("aligned", str(self.aligned))])

    def _display(self) -> Display:
        facts = self.loss.facts
        rows: list[tuple[str, Cell]] = [("says", facts.sentence), *self._facts()]
        rows += [(each.name, str(each)) for each in _telling(self.traits)]
        rows += self._signal()
        rows += [("advice", facts.advice)] if facts.advice else []
        rows += [(host, Code(call)) for host, call in self.spelled.items()]
        return Display(str(self.loss), columns_of(("what", "said"), rows))

    def _picture(self) -> Picture | None:
        if self.curve is None:
            return None
        title, z, value, slope = self.curve
        kept = value <= _MOST
        return loss_and_signal(z[kept], [(title, value[kept], slope[kept])], "raw output")


def card(loss: Record) -> Card:
    """The card of a loss, your own included."""
    one = loss.one_label
    return Card(
        loss=loss,
        asks_for=asks_for(loss),
        activation=", ".join(a.name for a in loss.activation),
        target=str(loss.target),
        costs=_costs(one),
        traits=traits(one),
        directional=directional(one),
        sides=sensitive(one),
        aligned=aligned(one),
        spelled=spelled(loss),
        curve=_curve(one),
    )


def _telling(found: tuple[Trait, ...]) -> list[Trait]:
    """The traits without those that fail for the very reason given just before (not convex, so not strictly)."""
    before = [None, *found]
    return [t for t, last in zip(found, before, strict=False) if last is None or t.holds or t.seen != last.seen]


def _row(label: str, text: str) -> str:
    return f"  {label:<22} {text}"


def _side(side: Influence) -> str:
    shown = ", ".join(f"{p:.3g} at {d:.3g}" for d, p in list(zip(side.distances, side.sizes, strict=True))[::3])
    return f"{side.side}: the pull is {side.name} ({shown}; in units of the pull at a slight error)"


def spelled(loss: Record) -> dict[str, str]:
    """How each host spells it: its own name where it has one, and ours."""
    factory = loss.spelling.factory
    weighted = bool(loss.class_weight) or "positive_weight" in loss.values
    elsewhere = bool(factory) and not weighted and loss.activation == loss.spelling.activation
    ours = f"gm.losses.{loss}" if factory else str(loss)
    return {"goodmeasure": ours, **(own_names(factory, loss.values) if elsewhere else {})}


def _excess(loss: Record, y: float, z: Any) -> Any:
    """What raw outputs cost above the least that this target can cost."""
    at = np.asarray(z, dtype=np.float64)
    best = np.asarray(best_constant(loss, np.asarray([y])), dtype=np.float64)
    return numbers.value(loss, np.full(at.shape, y), at) - numbers.value(loss, np.asarray([y]), best[None])


def _costs(loss: Record) -> str:
    """What one large error costs against a small one, in words."""
    if loss.is_classwise or len(loss.activation) > 1:
        return ""
    if loss.is_binary:
        z = np.asarray([-np.log(99.0), -np.log(1.5)])
        sure, unsure = numbers.value(loss, np.ones(2), z)
        return f"a raw output of -4.6 where yes happened costs {_times(sure, unsure)} one of -0.41"
    if loss.activation[0].name != "linear":
        if np.isfinite(loss.target.high):
            return ""  # between bounds there is no ten times too much
        try:
            over, under, slight = _excess(loss, 10.0, raw(loss, np.asarray([100.0, 1.0, 11.0])))
        except Problem:
            return ""
        return f"ten times too much costs {_times(over, slight)} a tenth too much, ten times too little {_times(under, slight)}"
    y = _target(loss, 0.0)
    if y is None:
        return ""
    found = numbers.value(loss, np.full(4, y), y + np.asarray([10.0, 1.0, -10.0, -1.0]))
    if not np.isfinite(found).all():
        return ""
    high, one, low, below = found
    first = f"one error of 10 costs {_times(high, one)} one of 1"
    other = _times(low, below)
    return first if other == _times(high, one) else f"{first} where it is too high, {other} where it is too low"


def _times(large: float, small: float) -> str:
    return f"{large / small:.3g} times" if small > 0 else "any number of times" if large > 0 else "no more than"


def _target(loss: Record, first: float) -> float | None:
    """One target that the loss takes: the first choice where it does, else some number of the domain."""
    low, high = loss.target.low, loss.target.high
    return next((y for y in (first, 1.0, low + 1, high - 1, (low + high) / 2) if y in loss.target), None)


# --- value and signal, plotted ---


def _curve(loss: Record) -> Plotted | None:
    """Raw outputs with values and signals at one target: yes, a miss of zero, or an amount of 1, where it takes that."""
    if loss.is_classwise or len(loss.activation) > 1:
        return None
    z = np.linspace(-4, 4, 65)
    y = _target(loss, 1.0 if loss.is_binary or loss.target.low == 0 else 0.0)
    if y is None:
        return None
    value, slope = numbers.value(loss, np.full(z.shape, y), z), numbers.gradient(loss, np.full(z.shape, y), z)
    return f"y = {y:g}", z, value, slope


def _blocks(curve: Plotted) -> list[str]:
    title, z, value, slope = curve
    return blocks(z, {"value": value, "signal": slope}, f"at {title}")
