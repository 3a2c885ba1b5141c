"""What a page of the lab is, and which there are."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from goodmeasure.errors import UsageError
from goodmeasure.lab import pages as shelf
from goodmeasure.making.loss import Loss

_HOSTS = ("torch", "jax", "keras", "sklearn", "xgboost")


@dataclass(frozen=True)
class LabPage:
    """A page: its number in the lab, a word that names its template and its script, its question, and what it shows.

    ``shown`` computes what the template is filled with, and ``given`` the numbers that its script begins from.
    """

    number: int
    name: str
    title: str
    shown: Callable[[], Mapping[str, Any]] = field(repr=False)
    given: Callable[[], Mapping[str, Any]] = field(repr=False)


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


def handed_over(loss: Loss) -> dict[str, str]:
    """How each host is handed a loss that it has not itself."""
    return {host: f"gm.to_{host}(gm.losses.{loss!r})" for host in _HOSTS}
