"""The page of claims: docs/claims.md, every loss by every property, with the evidence for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from goodmeasure import losses
from goodmeasure.traits import traits
from goodmeasure.traits.trait import PROVED, SHOWN, TRIED, Trait

PAGE = Path(__file__).resolve().parent.parent / "docs" / "claims.md"
COLUMNS = {
    "convex": "convex",
    "strictly convex": "strictly",
    "strongly convex": "strongly",
    "Lipschitz": "Lipschitz",
    "smooth": "smooth",
    "bounded in y": "bounded in y",
    "redescending": "redescending",
    "free of dead zones": "no dead zone",
    "proper": "proper",
    "classification-calibrated": "calibrated",
}


def page() -> str:
    """The page."""
    return "\n".join([*lines(), ""])


def lines() -> Iterator[str]:
    """What the marks mean, the table, and how many claims rest on what."""
    yield from ("# What is claimed of each loss, and by which evidence", "")
    yield from ("<!-- made by make pages: change the losses, not this page -->", "")
    yield "Of each loss with its defaults. **yes** is proved from the formula (`card().certificates()` gives the proof as data"
    yield "for convex, Lipschitz and smooth), *yes* was tried and not refuted, no has a counterexample on the card. A constant"
    yield "that was proved bounds what it speaks of; one that was only seen is marked: at least. Where a cell is empty there is"
    yield "no question."
    yield from ("", f"| loss | {' | '.join(COLUMNS.values())} |", f"|---|{'---|' * len(COLUMNS)}")
    claims = {name: traits(definition()) for name, definition in losses.catalogue().items()}
    for name, found in claims.items():
        yield f"| `{name}` | {' | '.join(cell(found, column) for column in COLUMNS)} |"
    counts = Counter(each.evidence for found in claims.values() for each in found)
    yield ""
    yield f"{counts[PROVED]} claims are proved, {counts[TRIED]} were tried, and {counts[SHOWN]} have a counterexample."


def cell(found: tuple[Trait, ...], name: str) -> str:
    """One property of one loss."""
    each = next((t for t in found if t.name.startswith(name)), None)
    if each is None:
        return ""
    if not each.holds:
        return "no"
    size = f" {each.size}" if each.size else ""
    link = f" {each.name.removeprefix('proper ')}" if name == "proper" else ""
    return f"**yes**{size}{link}" if each.evidence == PROVED else f"*yes*{size}{link}"
