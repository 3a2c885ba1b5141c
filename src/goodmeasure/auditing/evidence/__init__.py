"""What can be seen of a program: each module gathers one kind of evidence, once, and is named after it."""

from __future__ import annotations

import importlib
import pkgutil
import re

from goodmeasure.auditing.case import Unavailable
from goodmeasure.errors import UsageError


def kind(name: str) -> type:
    """The class of evidence of this name, e.g. ``LossProbe`` of ``loss_probe``; imported on demand, with its framework.

    Error: GM009 where there is none of this name.
    """
    module = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    try:
        found = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    except ModuleNotFoundError as missing:
        if missing.name == f"{__name__}.{module}":
            there = ", ".join(sorted(info.name for info in pkgutil.iter_modules(__path__)))
            raise UsageError(
                f"a rule asks for {name}, and nobody gathers that", seen=there, fix="annotate it with one of these"
            ) from missing
        raise Unavailable(f"{missing.name} is not installed") from missing
    return found  # type: ignore[no-any-return]
