"""Loops that Numba compiles where it is installed, the extra ``fast``; where it is not, plain code gives the same answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

from goodmeasure.strict.extras import needed


@cache
def compiles() -> bool:
    """Whether Numba is here. One that is installed and does not start is told of: nobody chose to do without. Error: GM008."""
    return find_spec("numba") is not None and bool(needed("numba", "what is compiled"))


def loop(*, plain: Callable[..., Any] | None = None, **options: Any) -> Callable[[Any], Any]:
    """Compile a loop, with the options that Numba takes. Without Numba ``plain`` stands in its place, or the loop as it is."""

    def decorate(function: Any) -> Any:
        if not compiles():
            return plain or function
        from goodmeasure.keeping.compiled import compiled

        return compiled(**options)(function)

    return decorate
