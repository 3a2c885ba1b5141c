"""Which extra brings a package that is not installed."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires

from goodmeasure.errors import MissingExtra

# What is asked for only because nothing else was chosen.
_CHOSEN = {"tensorflow": "export KERAS_BACKEND=torch  # or jax; unless told, Keras runs on tensorflow"}


def missing_extra(wanted: str, package: str) -> MissingExtra:
    """The error for something public that needs a package which is not there."""
    if package in _CHOSEN:
        return MissingExtra(f"{wanted} needs {package}, which is not installed", fix=_CHOSEN[package])
    extra = _extra_of(package)
    shown = f"'goodmeasure[{extra}]'" if extra else package
    return MissingExtra(f"{wanted} needs {package}, which is not installed", fix=f"pip install {shown}")


def _extra_of(package: str) -> str:
    """The extra of goodmeasure that asks for a package, or for a build of it; empty where none does."""
    try:
        asked = requires("goodmeasure") or []
    except PackageNotFoundError:  # a source tree that is not installed
        asked = []
    for line in asked:
        found = re.match(r"([\w.]+).*extra == ['\"](\w+)['\"]", line)
        if found and found[1].lower() == package:
            return found[2]
    return ""
