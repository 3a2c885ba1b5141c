"""What can be seen of a program: each module gathers one kind of evidence, once, and is named after it."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from goodmeasure.auditing.case import Unavailable
from goodmeasure.errors import UsageError, nearest


def kind(name: str) -> type:
    """The class of evidence of this name, e.g. ``LossProbe`` of ``loss_probe``; imported on demand, with its framework.

    Error: GM009 where there is none of this name.
    """
    if not is_gathered(name):
        raise UsageError(
            f"a rule asks for {name}, and nobody gathers that",
            seen=", ".join(sorted(_kinds())),
            fix=f"annotate it with {(nearest(name, _kinds()) or ['one of these'])[0]}",
        )
    try:
        found = getattr(importlib.import_module(f"{__name__}.{_kinds()[name]}"), name)
    except ModuleNotFoundError as missing:
        raise Unavailable(f"{missing.name} is not installed") from missing
    return found  # type: ignore[no-any-return]


def is_gathered(name: str) -> bool:
    """Whether there is evidence of this name; nothing is imported to find out."""
    return name in _kinds()


@cache
def _kinds() -> dict[str, str]:
    """The module of each kind of evidence: one that is called as the class is, in small letters."""
    modules = (info.name for info in pkgutil.iter_modules(__path__))
    return {"".join(part.capitalize() for part in module.split("_")): module for module in modules}
