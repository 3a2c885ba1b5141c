"""The catalogue: every `Definition` that the modules of this package hold, by its name. There is no other list."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import Any

from goodmeasure.definition import Definition


@cache
def catalogue() -> dict[str, Definition]:
    """Every loss of the catalogue by its name; a formula that serves yes/no and classes stands under both names."""
    found: dict[str, Definition] = {}
    for module in pkgutil.iter_modules(__path__):
        for each in vars(import_module(f"{__name__}.{module.name}")).values():
            if isinstance(each, Definition):
                for definition in (each, each.binary):
                    if definition is not None:
                        found[definition.name] = definition
    return found


def __getattr__(name: str) -> Any:
    try:
        return catalogue()[name]
    except KeyError:
        raise AttributeError(f"there is no loss named {name}; see goodmeasure.losses.catalogue()") from None


def __dir__() -> list[str]:
    return sorted(catalogue())
