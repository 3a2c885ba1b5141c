"""Loops that Numba compiles where it is installed, the extra ``fast``; where it is not, plain code gives the same answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from goodmeasure.errors import MissingExtra


@cache
def compiles() -> bool:
    """Whether Numba is here. One that is installed and does not start is told of: nobody chose to do without it. Error: GM008."""
    if find_spec("numba") is None:
        return False
    try:
        import_module("numba")
    except ImportError as error:
        raise MissingExtra(
            "numba is installed, and does not start",
            seen=str(error),
            fix="pip install --upgrade 'goodmeasure[fast]'  # or do without: pip uninstall numba",
        ) from error
    return True


def loop(*, plain: Callable[..., Any] | None = None, **options: Any) -> Callable[[Any], Any]:
    """Compile a loop, with the options of ``numba.njit``. Without Numba ``plain`` stands in its place, or the loop as it is."""

    def decorate(function: Any) -> Any:
        if not compiles():
            return plain or function
        from goodmeasure.keeping.compiled import compiled

        return compiled(**options)(function)

    return decorate
