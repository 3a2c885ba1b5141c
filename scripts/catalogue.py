"""The pages of the catalogue, from the losses themselves: the table in docs/catalogue.md, and a page of each loss."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import goodmeasure as gm
from goodmeasure import losses
from goodmeasure.drawing.cells import text
from goodmeasure.errors import NoSuchReading
from goodmeasure.formulas.latex import latex
from goodmeasure.making.card import Card, _telling, asks_for
from goodmeasure.making.definition import Definition
from goodmeasure.making.loss import Loss

PAGE = Path(__file__).resolve().parent.parent / "docs" / "catalogue.md"
# Where the site puts the picture of a loss.
PICTURE = "<!-- picture -->"
_MADE = "<!-- made by make pages: change the losses, not this page -->"
# These import a framework and take every loss (tests/test_conformance.py); the others are asked.
_TAKE_ALL = {"to_jax", "to_keras", "to_torch"}
# What trials saw differs in the last digits from one kind of processor to another.
_NUMBERS = re.compile(r"(?<=[ \[(])-?\d[\d,.e+-]*")


def pages() -> dict[Path, str]:
    """Every page with its text."""
    found = {PAGE: page()}
    return found | {_place(name): loss_page(definition) for name, definition in losses.catalogue().items()}


def folder() -> Path:
    """Where the pages of the losses stand; whatever else stands there is made by nothing."""
    return PAGE.parent / "losses"


def same(old: str, new: str) -> bool:
    """Whether two texts of a page say the same, whatever digits trials ended with."""
    return _without_numbers(old) == _without_numbers(new)


def page() -> str:
    """The table of all losses."""
    return "\n".join([*_table(losses.catalogue()), ""])


def loss_page(definition: Definition) -> str:
    """What is said of one loss."""
    return "\n".join([*_lines(definition), ""])


def _place(name: str) -> Path:
    return folder() / f"{name}.md"


def _without_numbers(page: str) -> list[str]:
    return [_NUMBERS.sub("#", line) if line.startswith("- ") else line for line in page.splitlines()]


def _table(known: Mapping[str, Definition]) -> Iterator[str]:
    yield from ("# The catalogue", "", _MADE, "")
    yield "Every loss with what it asks for. Its page has its formulas, all derived from the book form, its learning signal, its"
    yield "properties with their evidence, and a line for each host; `gm.losses.NAME().card()` and `goodmeasure losses NAME` show"
    yield "the same."
    yield from ("", "| loss | asks for | activation | also called |", "|---|---|---|---|")
    for name, definition in known.items():
        loss = definition()
        activation = ", ".join(a.name for a in loss.activation)
        yield f"| [`{name}`](losses/{name}.md) | {asks_for(loss)} | {activation} | {', '.join(loss.facts.also)} |"


def _lines(definition: Definition) -> Iterator[str]:
    loss = definition()
    card, facts = loss.card(), loss.facts
    yield from (f"# {definition.name}", "", _MADE, "", facts.sentence, "")
    yield from ((f"Also called {', '.join(facts.also)}.", "") if facts.also else ())
    yield from ((f"Nearly: {'; '.join(f'{name}, {how}' for name, how in facts.nearly)}.", "") if facts.nearly else ())
    yield from (PICTURE, "", "## When to take it", "", _linked(facts.advice, definition.name), "")
    yield from _asked(card)
    yield from _formulas(card)
    yield from ("## Its learning signal", "", *(f"- {name}: {said}" for name, said in _signal(card)), "")
    yield from ("## Its properties", "", *(f"- {each}" for each in _telling(card.traits)), "")
    yield from ("What the words of evidence mean is said in [claims](../claims.md).", "")
    yield from _uses(definition, card)


def _linked(said: str, own: str) -> str:
    """A text in which other losses are links; names that are words of English too stay as they are."""
    others = "|".join(name for name in losses.catalogue() if "_" in name and name != own)
    return re.sub(rf"\b({others})\b", r"[`\1`](\1.md)", said)


def _asked(card: Card) -> Iterator[str]:
    yield from (f"- asks for {card.asks_for}", f"- target: {card.target}", f"- activation: {card.activation}")
    yield from ((f"- {card.costs}",) if card.costs else ())
    alike = [f"[`{name}`]({name}.md)" for name in _alike(card.loss)]
    yield from ((f"- asking for the same: {', '.join(alike)}",) if alike else ())
    yield ""


def _alike(loss: Loss) -> Iterator[str]:
    """Other losses that ask for the same of the same target."""
    for name, definition in losses.catalogue().items():
        other = definition()
        same_question = other.facts.asks_for == loss.facts.asks_for and str(other.target) == str(loss.target)
        if same_question and other != loss and loss.facts.asks_for:
            yield name


def _formulas(card: Card) -> Iterator[str]:
    """The formula of the book as mathematics, and all that is derived from it as it is computed."""
    yield from ("## Its formula", "", "```math", latex(card.loss.book), "```", "")
    yield "```text"
    yield from (f"{name:<{max(map(len, card.formulas)) + 2}}{formula}" for name, formula in card.formulas.items())
    yield from ("```", "")


def _signal(card: Card) -> Iterator[tuple[str, str]]:
    return ((name, text(cell)) for name, cell in card._signal())


def _uses(definition: Definition, card: Card) -> Iterator[str]:
    """One line for each host that takes the loss, and the host's own name of it."""
    spelled = card.spelled["goodmeasure"]
    yield from ("## Use it", "", "```python", "import goodmeasure as gm", "", f"loss = {spelled}", "```", "")
    yield from ("| host | with this formula | its own |", "|---|---|---|")
    ours = dict(uses(card.loss))
    theirs = {host: f"`{own}`" for host, own in card.spelled.items() if host != "goodmeasure"}
    for host in dict.fromkeys((*ours, *theirs)):
        yield f"| {host} | {ours.get(host, '')} | {theirs.get(host, '')} |"
    yield from ("", "[What each host is given](../hosts.md), and [from other libraries](../migrating.md).")


def uses(loss: Loss) -> Iterator[tuple[str, str]]:
    """Every host by its name with the line that makes the loss for it, or with why it takes no such loss."""
    for maker in (name for name in dir(gm) if name.startswith("to_")):
        host, given = maker.removeprefix("to_").replace("_", " "), _GIVEN.get(maker, _nothing)(loss)
        try:
            if maker not in _TAKE_ALL:
                getattr(gm, maker)(loss, **given)
        except NoSuchReading as refused:
            yield host, str(refused.what)
        else:
            yield host, f"`gm.{maker}({', '.join(['loss', *(f'{name}={value}' for name, value in given.items())])})`"


def _columns(loss: Loss) -> dict[str, Any]:
    """The columns of the raw outputs, where there are several."""
    several = _CLASSES if loss.is_classwise else len(loss.activation)
    return {"raw": [f"z{k}" for k in range(several)]} if several > 1 else {}


def _classes(loss: Loss) -> dict[str, Any]:
    return {"classes": _CLASSES} if loss.is_classwise else {}


def _nothing(loss: Loss) -> dict[str, Any]:
    return {}


_CLASSES = 3
# What a host must be told beside the loss.
_GIVEN = {"to_polars": _columns, "to_sql": _columns, "to_hist_gradient_boosting": _classes}
