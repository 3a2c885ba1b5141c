"""The catalogue: every `Definition` that the modules of this package hold, by its name. There is no other list.

Modules of other packages join it by entry points of the group ``goodmeasure.losses``. A module here holds book formulas and
nothing else: what is derived from them is in the rooms below.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from goodmeasure.errors import NoSuchLoss, nearest, shorter
from goodmeasure.making.definition import Definition
from goodmeasure.making.elsewhere import elsewhere, named, plain
from goodmeasure.strict.additions import LOSSES, blamed, gathered

if TYPE_CHECKING:
    # What `__getattr__` below finds, for editors and type checkers: made by make pages.
    from goodmeasure.losses.signatures import *


@cache
def catalogue() -> dict[str, Definition]:
    """Every loss of the catalogue by its name; a formula that serves yes/no and classes stands under both names."""
    return gathered(sys.modules[__name__], LOSSES, _defined, "two losses are named", Definition.__call__)


def _defined(module: ModuleType) -> Iterator[tuple[str, Definition]]:
    """The losses that a module holds, by name."""
    for each in vars(module).values():
        if isinstance(each, Definition):
            yield from ((one.name, one) for one in (each, each.binary) if one is not None)


def find(name: str) -> Definition:
    """The loss of this name, or that people call so (``mse``, ``BCEWithLogitsLoss``, ``log loss``, ``optax.l2_loss``, ...).

    Where a name means something close (``rmse``, ``torch.nn.SmoothL1Loss``), the note of what comes back says how it differs
    and by which factor. The error names what comes near, or says why a loss of another library has no like here.
    """
    if not isinstance(name, str):
        raise NoSuchLoss("a loss is found by its name, a text", seen=shorter(name), fix="losses.find('mse')")
    known = names()
    ours, theirs = named(name, known), elsewhere(name)
    if theirs is not None and ("." in name or not ours):
        return theirs.called(catalogue()[theirs.leads_to])
    if ours:
        return replace(known[ours][1], note=known[ours][2])
    close = [known[each][0] for each in nearest(plain(name), known)]
    there_is_none = f"there is no loss named {name!r}"
    if close:
        raise NoSuchLoss(there_is_none, seen=f"close to it: {', '.join(close)}", fix=f"goodmeasure losses {close[0]}")
    lists_all = NoSuchLoss(there_is_none, seen="goodmeasure losses lists all of them", fix="goodmeasure losses")
    raise blamed(lists_all, LOSSES)


def names() -> dict[str, tuple[str, Definition, str]]:
    """By plain name: the name as it is spelled, the loss it leads to, and how that differs from what it means."""
    found: dict[str, tuple[str, Definition, str]] = {}
    for each in catalogue().values():
        for other, how in (*((also, "") for also in (each.name, *each.facts.also)), *each.facts.nearly):
            found[plain(other)] = (other, each, f"{other}: {how}" if how else "")
    return found


if not TYPE_CHECKING:  # a type checker would take any name for a loss

    def __getattr__(name: str) -> Definition:
        if name.startswith("__"):
            raise AttributeError(name)
        known = catalogue()
        return known[name] if name in known else find(name)


def __dir__() -> list[str]:
    return sorted({*catalogue(), "catalogue", "find"})
