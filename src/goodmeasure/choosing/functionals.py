"""What is asked for (mean, median, a quantile, a probability), and which losses of the catalogue ask for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from goodmeasure import losses
from goodmeasure.choosing.meanings import Meaning
from goodmeasure.choosing.observed import Observed
from goodmeasure.errors import Problem, UsageError, nearest, with_article
from goodmeasure.formulas.activations import linear, natural
from goodmeasure.formulas.domains import Domain, Level, Levels, OrderDomain, OutcomeDomain, domain
from goodmeasure.making.definition import Definition
from goodmeasure.making.loss import Loss
from goodmeasure.traits.curvature_class import curvature_class

# What people say for it besides.
_ALSO = {"typical": "median", "average": "mean", "expected": "mean"}


class AskDoesNotFit(Problem, ValueError):
    """What was asked for is not something that this target has.

    A probability is asked of yes/no or of classes, a mean, median or quantile of a number. If the target is a number and
    you want the probability that it exceeds a limit, make the target yes/no first: ``y > limit``.
    """

    code = "GM605"


@dataclass(frozen=True)
class Functional:
    """A functional of what may happen: its name, and its level or levels where it has some."""

    name: str
    level: float | tuple[float, ...] | None = None

    @property
    def is_several(self) -> bool:
        """Whether it is several quantiles at once."""
        return isinstance(self.level, tuple)

    def __str__(self) -> str:
        if isinstance(self.level, tuple):
            return f"{self.name} {', '.join(f'{each:g}' for each in self.level)}"
        return self.name if self.level is None else f"{self.level:g} {self.name}"


def functional_of(given: str | None) -> Functional | None:
    """Read "mean", "median" (or "typical"), "quantile=0.9", "quantiles=0.1,0.5,0.9", "probability" or what else a loss asks
    for. Error: GM009."""
    if given is None:
        return None
    said, _, level = str(given).strip().lower().replace(":", "=").partition("=")
    name = said.strip().replace("_", " ").replace("-", " ")
    name = _ALSO.get(name, name)
    known = sorted({d.facts.asks_for for d in losses.catalogue().values() if d.facts.asks_for})
    leveled = {n: shown for n in known for d in _asking(n) if (shown := _levels_of(d))}
    read = _levels(level)
    if name == "quantile" and read is not None and len(read) > 1:
        name = "quantiles"
    if name not in known:
        close = [_ALSO.get(each, each) for each in nearest(name, [*known, *_ALSO])]
        ways = {n: f"{n}={leveled[n]}" if n in leveled else n for n in known}
        fix = f"ask={ways[close[0]]!r}" if close else f"one of {', '.join(ways.values())}"
        raise UsageError(f"ask={given!r} is nothing that a loss asks for", fix=fix)
    if name not in leveled and level:
        raise UsageError(f"{with_article(name)} has no level", seen=f"ask={given!r}", fix=f"ask={name!r}")
    if name in leveled and (not read or not _allowed(name, read)):
        meant = _meant(name, level) or f"{name}={leveled[name]}"
        has = "quantiles have several levels, each" if name == "quantiles" else f"{with_article(name)} has one level,"
        raise UsageError(
            f"{has} strictly between 0 and 1",
            seen=f"ask={given!r}",
            fix=f"ask={meant!r}",
        )
    return Functional(name, read if name == "quantiles" else next(iter(read or ()), None))


def refuse_another(ask: str | None, loss: Loss) -> None:
    """Refuse a loss that was named beside something else that was asked for: one of the two would not be heard. Error: GM009."""
    asked, of = functional_of(ask), loss.facts.asks_for
    outcome = ("probability", "grades")
    if asked is None or not of or (of in outcome and asked.name in (*outcome, "mean", "class")):
        return
    level = loss.values.get("level") or loss.levels or None
    found = Functional(of, level)
    halves = {Functional("median"), Functional("quantile", 0.5)}
    if asked not in (found, Functional(of)) and not {asked, found} <= halves:
        raise UsageError(
            f"{loss} asks for the {found}, and the {asked} was asked for", fix=f"leave out ask={ask!r}, or the loss"
        )


def _meant(name: str, text: str) -> str:
    """What percents and decimal commas stand for, as it is asked; empty where they stand for no levels."""
    parts = re.split(r"[;,\s]+", re.sub(r"(?<![\d.])0,(\d+)", r"0.\1", text.strip("()[] ")))
    try:
        read = {part: float(part.rstrip("%")) for part in parts if part}
    except ValueError:
        return ""
    whole = 1 if max(read.values(), default=0) > 1 else 2  # 1 is a percent beside others
    levels = tuple(sorted({v / 100 if part.endswith("%") or v >= whole else v for part, v in read.items()}))
    name = "quantiles" if len(levels) > 1 else "quantile" if name == "quantiles" else name
    return f"{name}={','.join(f'{level:.12g}' for level in levels)}" if levels and _allowed(name, levels) else ""


def _levels(text: str) -> tuple[float, ...] | None:
    """The numbers of a text, from the lowest up; None where something else stands there."""
    try:
        return tuple(sorted(float(part) for part in text.strip("()[] ").split(",") if part.strip()))
    except ValueError:
        return None


def _allowed(name: str, levels: tuple[float, ...]) -> bool:
    """Whether a functional can have these levels: none at all, one, or of quantiles several."""
    if name == "quantiles":
        return levels in domain(Levels)
    return len(levels) <= 1 and all(level in domain(Level) for level in levels)


def _asking(name: str) -> Iterator[Definition]:
    return (d for d in losses.catalogue().values() if d.facts.asks_for == name)


def _levels_of(definition: Definition) -> str:
    """How the levels of a loss are said, by an example; empty where it has none."""
    names = dict(definition.domains)
    return "0.9" if "level" in names else "0.1,0.5,0.9" if "levels" in names else ""


def usual(meaning: Meaning) -> Functional:
    """What is asked for when nothing is said: a probability of what happened, the mean of a number."""
    if meaning.period is not None:
        return Functional("mean direction")
    if meaning.is_graded:
        return Functional("grades")
    return Functional("probability" if meaning.is_outcome else "mean")


def _preferred(meaning: Meaning, ask: Functional) -> Callable[..., Loss] | None:
    """The founding choices; what is not here is found in the catalogue."""
    share = losses.binary_cross_entropy
    table: dict[tuple[str, str], Callable[..., Loss]] = {
        ("real", "mean"): losses.squared_error,
        ("positive", "mean"): losses.gamma,
        ("non_negative", "mean"): losses.tweedie,
        ("count", "mean"): losses.poisson,
        ("unit_interval", "mean"): share,
        ("unit_interval", "probability"): share,
        **{(name, asked): share for name in ("binary", "multilabel") for asked in ("probability", "mean", "class")},
        **{("classes", asked): losses.cross_entropy for asked in ("probability", "class")},
    }
    if meaning.period is not None and ask.name == "mean direction":
        return partial(losses.arrow_error, period=meaning.period)
    if meaning.name == "bounded" and ask.name == "mean":
        return partial(losses.fractional_logit, bounds=(meaning.domain.low, meaning.domain.high))
    if meaning.is_graded and ask.name in ("grades", "probability", "class"):
        return partial(losses.proportional_odds, grades=len(meaning.order))
    return table.get((meaning.name, ask.name))


def loss_for(meaning: Meaning, ask: Functional) -> Loss:
    """The loss that measures error on the scale of the target, for what is asked. Error: GM605."""
    found = _preferred(meaning, ask)
    turns = ask.name == "mean direction" and not meaning.is_outcome
    if found is None and not meaning.is_outcome and meaning.period is None and not turns:
        able = (d for d in _asking(ask.name) if _single(d) or d().levels)
        found = next((d for d in able if _holds(d().target, meaning.domain)), None)
    if found is None:
        asked = sorted({d.facts.asks_for for d in losses.catalogue().values() if fits(d, meaning)} - {"", ask.name})
        circle = "represents='angle=360' if its values run in a circle, of which a full turn measures 360"
        raise AskDoesNotFit(
            f"{meaning.domain.name} has no {ask}",
            seen=f"what can be asked of it: {', '.join(asked)}",
            fix=circle
            if turns
            else f"ask={usual(meaning).name!r}, or another target (y > limit makes yes/no of a number)",
        )
    given = {} if ask.level is None else {"levels" if ask.is_several else "level": ask.level}
    return on_scale(found(**given), meaning)


def on_scale(loss: Loss, meaning: Meaning) -> Loss:
    """The loss on raw outputs whose activation reaches what the target represents, and nothing else."""
    fitting = natural(meaning.domain)
    count, plain = len(loss.activation), set(loss.activation) == {linear}
    return loss.with_activation((fitting,) * count) if plain and fitting is not linear else loss


def _single(definition: Definition) -> bool:
    return len(definition.activation) == 1


def _holds(outer: Domain, inner: Domain) -> bool:
    """Whether every target of the inner domain is one of the outer."""
    low = outer.low < inner.low or (outer.low == inner.low and outer.low_open <= inner.low_open)
    high = outer.high > inner.high or (outer.high == inner.high and outer.high_open <= inner.high_open)
    return low and high and not isinstance(outer, OutcomeDomain) and (inner.whole or not outer.whole)


def fits(definition: Definition, meaning: Meaning) -> bool:
    """Whether a loss of the catalogue measures one prediction of a target with this meaning."""
    target = definition().target
    if meaning.is_graded:
        return isinstance(target, OrderDomain)
    if not _single(definition):
        return False
    if meaning.period is not None:
        return definition.facts.asks_for == "mean direction"
    if isinstance(meaning.domain, OutcomeDomain):
        classes = isinstance(target, OutcomeDomain) and target.classes
        return isinstance(target, OutcomeDomain) and (classes == meaning.domain.classes)
    return _holds(target, meaning.domain)


def others(meaning: Meaning, ask: Functional, chosen: Loss, seen: Observed) -> tuple[tuple[str, str], ...]:
    """Every other loss of the catalogue that could be thought of for this target, with why it is not the choice.

    Those that ask for the same come first, then those that ask for something else, then those of another domain.
    """
    found = []
    for name, definition in losses.catalogue().items():
        if name == chosen.spelling.factory or not (_single(definition) or fits(definition, meaning)):
            continue
        rank, why = _why_not(definition, meaning, ask, seen)
        if why:
            found.append((rank, name, why))
    return tuple((name, why) for _, name, why in sorted(found, key=lambda row: row[0]))


def _why_not(definition: Definition, meaning: Meaning, ask: Functional, seen: Observed) -> tuple[int, str]:
    asks, target = definition.facts.asks_for, definition().target
    if not fits(definition, meaning):
        if isinstance(target, OutcomeDomain) or meaning.is_outcome or seen.numbers is None:
            return 2, ""
        outside = target.outside(seen.numbers)
        return 2, f"its target is {target}; {int(outside.sum())} values lie outside" if outside.any() else ""
    if asks == ask.name or (asks in ("probability", "grades") and ask.name in ("mean", "class")):
        bent = f"also asks for the {asks}, but is not convex in the raw output: a fit may stop short of the best"
        return 0, f"also asks for the {asks}: {definition.facts.sentence}" if _convex(
            definition, meaning, seen
        ) else bent
    return (
        1,
        f"asks for the {asks}, not for the {ask.name}" if asks else f"asks for its own: {definition.facts.sentence}",
    )


def _convex(definition: Definition, meaning: Meaning, seen: Observed) -> bool:
    """Whether no counterexample to convexity is seen on these targets."""
    loss = on_scale(definition(), meaning)
    if loss.is_graded:
        return curvature_class(loss, np.arange(loss.target.high + 1), len(loss.activation)).convex
    if loss.is_classwise:
        classes = max(2, min(len(seen.distinct), 5))
        return curvature_class(loss, np.arange(classes), classes).convex
    targets = np.array([0.0, 1.0]) if meaning.is_outcome else np.asarray(seen.numbers)
    return curvature_class(loss, targets, 1).convex
