"""The colours of every page by their roles: light, dark, and on paper."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def palette() -> str:
    """The style that fills the roles that marks are drawn in."""
    return (files("goodmeasure.drawing") / "palette.css").read_text(encoding="utf-8")
