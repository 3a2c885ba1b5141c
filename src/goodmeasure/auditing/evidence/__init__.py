"""What can be seen of a program: each module gathers one kind of evidence, once, and is named after it."""

from __future__ import annotations

import importlib
import re

from goodmeasure.auditing.case import Unavailable


def kind(name: str) -> type:
    """The class of evidence of this name, e.g. ``LossProbe`` of ``loss_probe``; imported on demand, with its
    framework."""
    module = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    try:
        found = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    except ModuleNotFoundError as missing:
        raise Unavailable(f"{missing.name} is not installed") from missing
    return found  # type: ignore[no-any-return]
