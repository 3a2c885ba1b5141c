"""The page of the catalogue: docs/catalogue.md, from the losses themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from goodmeasure import losses
from goodmeasure.making.card import asks_for
from goodmeasure.making.definition import Definition
from goodmeasure.making.host_names import own_names
from goodmeasure.traits import traits
from goodmeasure.traits.trait import Trait

PAGE = Path(__file__).resolve().parent.parent / "docs" / "catalogue.md"
_SHOWN = ("convex", "strictly", "strongly", "Lipschitz", "smooth", "redescending", "proper", "classification")


def page() -> str:
    """The page."""
    return "\n".join([*lines(), ""])


def lines() -> Iterator[str]:
    """The table of all losses, then a section of each."""
    known = losses.catalogue()
    yield from ("# The catalogue", "", "<!-- made by make docs: change the losses, not this page -->", "")
    yield "Every loss with what it asks for; all formulas below the book form are derived from it. `gm.losses.NAME().card()` and"
    yield "`goodmeasure losses NAME` show more: the learning signal, what errors cost, and the evidence for each trait."
    yield from ("", "| loss | asks for | activation |", "|---|---|---|")
    for name, definition in known.items():
        loss = definition()
        activation = ", ".join(a.name for a in loss.activation)
        yield f"| [`{name}`](#{name}) | {asks_for(loss)} | {activation} |"
    for definition in known.values():
        yield from section(definition)


def section(definition: Definition) -> Iterator[str]:
    """What is said of one loss."""
    loss = definition()
    facts = loss.facts
    yield from ("", f"## {definition.name}", "", facts.sentence, "")
    yield from ((f"Also called {', '.join(facts.also)}.", "") if facts.also else ())
    yield from ((f"Nearly: {'; '.join(f'{name}, {how}' for name, how in facts.nearly)}.", "") if facts.nearly else ())
    yield from (facts.advice, "")
    yield from ("```text", f"{'book':<8} {loss.book}", f"{'derived':<8} {loss.composed}")
    yield from (f"{'signal':<8} {slope}" for slope in loss.signal)
    yield "```"
    yield ""
    yield from (f"- {said(each)}" for each in traits(loss) if each.name.startswith(_SHOWN))
    yield from (f"- {host}: `{spelled}`" for host, spelled in own_names(definition.name, loss.values).items())


def said(trait: Trait) -> str:
    """A trait without the numbers of its evidence, which the card shows."""
    size = f" ({trait.size})" if trait.size else ""
    return f"{'is' if trait.holds else 'is not'} {trait.name}{size}: {trait.evidence}"
