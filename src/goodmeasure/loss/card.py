"""The card of a loss: what it asks for, its formulas, what errors cost, its traits with evidence, and how to spell it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from goodmeasure.deriving import numbers
from goodmeasure.deriving.best_constant import best_constant
from goodmeasure.deriving.class_statistics import by_statistic
from goodmeasure.deriving.predictions import raw
from goodmeasure.deriving.record import Record
from goodmeasure.errors import Problem
from goodmeasure.formulas.expression import Expr
from goodmeasure.formulas.latex import latex
from goodmeasure.loss.host_names import own_names
from goodmeasure.traits import traits
from goodmeasure.traits.influence import Influence
from goodmeasure.traits.properties import aligned, directional, sensitive
from goodmeasure.traits.trait import Trait

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
    "interval": "the ends of the central {percent:g} % interval",
    "probability": "the probability of each outcome",
    "class": "only the most likely answer, no probability",
    "": "nothing in particular",
}


def asks_for(loss: Record) -> str:
    """What the loss asks for in one plain phrase."""
    level = loss.values.get("level", 0.5)
    known = {"delta": 1.0, **loss.values, "level": level, "percent": 100 * level, "rest": 1 - level}
    return ASKS_FOR.get(loss.facts.asks_for, f"the {loss.facts.asks_for}").format(**known)


@dataclass(frozen=True)
class Card:
    """Facts about a loss, each derived from its formula or held against it by a test."""

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
    curve: tuple[str, Any, Any, Any] | None

    @property
    def formulas(self) -> dict[str, Expr]:
        """The book form, the derived form, and the signals and curvatures by raw output."""
        loss = self.loss
        if loss.is_classwise:
            slopes = by_statistic(loss.composed)
            return {"book": loss.book, "derived": loss.composed, **{f"signal by {n}": s for n, s in slopes.items()}}
        names = [""] if len(loss.raw_names) == 1 else [f" by {n}" for n in loss.raw_names]
        signals = {f"signal{n}": s for n, s in zip(names, loss.signal, strict=True)}
        bends = {f"curvature{n}": loss.curvature[i][i] for i, n in enumerate(names)}
        return {"book": loss.book, "derived": loss.composed, **signals, **bends}

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return {
            "loss": str(self.loss),
            "sentence": self.loss.facts.sentence,
            "asks_for": self.asks_for,
            "also": list(self.loss.facts.also),
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
        rows = [("asks for", self.asks_for), ("activation", self.activation), ("target", self.target)]
        rows += [("also called", ", ".join(facts.also))] if facts.also else []
        rows += [(name, str(formula)) for name, formula in self.formulas.items()]
        rows += [("costs", self.costs)] if self.costs else []
        lines += [_row(label, text) for label, text in rows]
        lines += [
            "",
            *(f"  {each}" for each in _telling(self.traits)),
            "",
            "  learning signal",
            f"    {self.directional}",
        ]
        lines += [f"    {_side(each)}" for each in self.sides]
        lines += [f"    {self.aligned}"] if self.aligned is not None else []
        if self.curve is not None:
            lines += ["", *(f"  {line}" for line in _plot(self.curve))]
        lines += ["", f"  {facts.advice}", ""] if facts.advice else [""]
        lines += [_row(host, call) for host, call in self.spelled.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        facts = self.loss.facts
        rows = [
            ("asks for", self.asks_for),
            ("activation", self.activation),
            ("target", self.target),
            ("costs", self.costs),
        ]
        formulas = "".join(
            f"<tr><th>{escape(n)}</th><td>${escape(latex(f))}$</td></tr>" for n, f in self.formulas.items()
        )
        table = "".join(f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in rows if b)
        points = [*map(str, _telling(self.traits)), str(self.directional), *map(_side, self.sides)]
        points += [str(self.aligned)] if self.aligned is not None else []
        said = "".join(f"<li>{escape(text)}</li>" for text in points)
        hosts = "".join(
            f"<tr><th>{escape(h)}</th><td><code>{escape(c)}</code></td></tr>" for h, c in self.spelled.items()
        )
        return (
            f"<h3><code>{escape(str(self.loss))}</code></h3><p>{escape(facts.sentence)}</p><table>{table}{formulas}</table>"
            f"{'' if self.curve is None else _svg(self.curve)}<ul>{said}</ul><p>{escape(facts.advice)}</p><table>{hosts}</table>"
        )


def card(loss: Record) -> Card:
    """The card of a loss, your own included."""
    aim = aligned(loss)
    return Card(
        loss=loss,
        asks_for=asks_for(loss),
        activation=", ".join(a.name for a in loss.activation),
        target=str(loss.target),
        costs=_costs(loss),
        traits=traits(loss),
        directional=directional(loss),
        sides=sensitive(loss),
        aligned=aim,
        spelled=_spelled(loss),
        curve=_curve(loss),
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


def _spelled(loss: Record) -> dict[str, str]:
    """How each host spells it: its own name where it has one, and ours."""
    name = str(loss).split("(", 1)[0]
    plain = str(loss).count("(") == 1 and "weight" not in str(loss)
    return {"goodmeasure": f"gm.losses.{loss}", **(own_names(name, loss.values) if plain else {})}


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
        try:
            over, under, slight = _excess(loss, 10.0, raw(loss, np.asarray([100.0, 1.0, 11.0])))
        except Problem:
            return ""
        return f"ten times too much costs {_times(over, slight)} a tenth too much, ten times too little {_times(under, slight)}"
    high, one, low, below = numbers.value(loss, np.zeros(4), np.asarray([10.0, 1.0, -10.0, -1.0]))
    first = f"one error of 10 costs {_times(high, one)} one of 1"
    other = _times(low, below)
    return first if other == _times(high, one) else f"{first} where it is too high, {other} where it is too low"


def _times(large: float, small: float) -> str:
    return f"{large / small:.3g} times" if small > 0 else "any number of times" if large > 0 else "no more than"


# --- value and signal, plotted ---


def _curve(loss: Record) -> tuple[str, Any, Any, Any] | None:
    """Raw outputs with values and signals at one target: yes, a miss of zero, or an amount of 1."""
    if loss.is_classwise or len(loss.activation) > 1:
        return None
    z = np.linspace(-4, 4, 65)
    y = 1.0 if loss.is_binary or 0 not in loss.target or loss.target.low == 0 else 0.0
    value, slope = numbers.value(loss, np.full(z.shape, y), z), numbers.gradient(loss, np.full(z.shape, y), z)
    return f"y = {y:g}", z, value, slope


def _plot(curve: tuple[str, Any, Any, Any]) -> list[str]:
    title, z, value, slope = curve
    lines = []
    for name, data in (("value", value), ("signal", slope)):
        low, high = float(data.min()), float(data.max())
        levels = np.round((data - low) / (high - low if high > low else 1.0) * 7).astype(int)
        lines.append(f"{name:<7}{''.join('▁▂▃▄▅▆▇█'[level] for level in levels)}  {low:.3g} to {high:.3g}")
    return [*lines, f"{'z':<7}{z[0]:<32g}0{z[-1]:>32g}   at {title}"]


def _svg(curve: tuple[str, Any, Any, Any]) -> str:
    title, z, value, slope = curve
    low, high = float(min(value.min(), slope.min())), float(min(max(value.max(), slope.max()), 20.0))
    tall = high - low if high > low else 1.0

    def path(data: Any) -> str:
        kept = [(x, v) for x, v in zip(z, data, strict=True) if low <= v <= high]
        return " ".join(f"{(x + 4) * 40:.1f},{160 - (v - low) / tall * 150:.1f}" for x, v in kept)

    return (
        f'<svg viewBox="0 0 320 175" width="320" role="img" aria-label="value and signal at {escape(title)}">'
        f'<polyline points="{path(value)}" fill="none" stroke="#1f77b4" stroke-width="2"/>'
        f'<polyline points="{path(slope)}" fill="none" stroke="#d62728" stroke-width="2"/>'
        f'<text x="4" y="173" font-size="10">z from -4 to 4 at {escape(title)}: value blue, signal red</text></svg>'
    )
