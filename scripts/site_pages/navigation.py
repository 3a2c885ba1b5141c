"""Which pages the site has, in which order: every page stands in one section."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch


@dataclass(frozen=True)
class Section:
    """A part of the site: its name, and its pages in their order."""

    name: str
    pages: tuple[str, ...]


# Patterns of pages, in the order in which they are read; a page belongs to the first section that names it.
_SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Start": ("index.md", "start.md", "chain.md", "installation.md"),
    "Questions": (
        *(f"questions/{name}.md" for name in ("which_loss", "is_it_calibrated", "where_do_i_cut", "how_many_rows")),
        "questions/*.md",
    ),
    "Tutorials": ("tutorials/*.md",),
    "Losses": ("catalogue.md", "losses/*.md", "not_here.md", "claims.md", "probabilities.md", "truth.md"),
    "Tables": ("run.md", "risk.md", "clusters.md", "real_tables.md", "export.md", "risk_coverage.md"),
    "Frameworks": ("hosts.md", "torch.md", "boosters.md", "scikit_learn.md", "migrating.md"),
    "Comparisons": ("comparisons/*.md", "performance.md"),
    "Audit": ("audit.md", "ci.md", "rules/*.md"),
    "Lab": ("lab.md", "lab/*.md"),
    "Reference": ("reference/index.md", "reference/*.md", "glossary.md", "errors.md"),
    "How it is made": ("architecture.md", "contributing.md", "decisions/*.md", "*.md"),
}


def sections(places: Iterable[str]) -> tuple[Section, ...]:
    """The sections of a site with these pages."""
    left, found = sorted(places), []
    for name, patterns in _SECTIONS.items():
        here = list(dict.fromkeys(place for pattern in patterns for place in left if _is(place, pattern)))
        left = [place for place in left if place not in here]
        found += [Section(name, tuple(here))] if here else []
    if left:
        raise ValueError(f"these pages stand in no section: {', '.join(left)}")
    return tuple(found)


def _is(place: str, pattern: str) -> bool:
    return fnmatch(place, pattern) and place.count("/") == pattern.count("/")


def title(page: str) -> str:
    """The first heading of a page, without its marks."""
    found = re.search(r"^# (.*)$", page, re.MULTILINE)
    if found is None:
        raise ValueError(f"a page without a heading: {page[:60]!r}")
    return found[1].replace("`", "").strip()
