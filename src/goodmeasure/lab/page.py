"""What a page of the lab is, and which there are."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from goodmeasure.errors import UsageError
from goodmeasure.lab import pages as shelf
from goodmeasure.lab.column import LabColumn


@dataclass(frozen=True)
class LabPage:
    """A page: its number in the lab, a word that names its template and its script, its question, and what it shows.

    ``shown`` computes what the template is filled with, and ``given`` the numbers that its script begins from. A page that
    can carry a column of the reader's own says in ``with_column`` how.
    """

    number: int
    name: str
    title: str
    shown: Callable[[], Mapping[str, Any]] = field(repr=False)
    given: Callable[[], Mapping[str, Any]] = field(repr=False)
    with_column: Callable[[LabColumn], LabPage] | None = field(default=None, repr=False)


@cache
def lab_pages() -> tuple[LabPage, ...]:
    """Every page, by its number."""
    modules = (import_module(f"{shelf.__name__}.{module.name}") for module in pkgutil.iter_modules(shelf.__path__))
    found = [each for module in modules for each in vars(module).values() if isinstance(each, LabPage)]
    return tuple(sorted(found, key=lambda page: page.number))


def numbered(number: int) -> LabPage:
    """The page of a number. Error: GM009."""
    found = {page.number: page for page in lab_pages()}
    if number not in found:
        raise UsageError(
            f"the lab has no page {number}",
            seen=", ".join(f"{page.number}: {page.title}" for page in lab_pages()),
            fix=f"--page {next(iter(found))}",
        )
    return found[number]


def carriers(pages: Sequence[LabPage]) -> tuple[LabPage, ...]:
    """Those of these pages that can carry a reader's own column. Error: GM009 if none can."""
    found = tuple(page for page in pages if page.with_column)
    if not found:
        able = carriers(lab_pages())
        raise UsageError(
            f"page {pages[0].number} carries no column",
            seen=f"those that do: {', '.join(f'{page.number}: {page.title}' for page in able)}",
            fix=f"--page {able[0].number}",
        )
    return found


def with_own_column(pages: Sequence[LabPage], own: LabColumn) -> tuple[LabPage, ...]:
    """These pages, of which the carriers carry a column of the reader's own."""
    return tuple(page.with_column(own) if page.with_column else page for page in pages)
