"""Labels as names, and names of columns as users give them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from goodmeasure.errors import UsageError, shorter


def plain_label(label: Any) -> str:
    """A label as a name of a column holds it: whole numbers without a point."""
    whole = isinstance(label, float | np.floating) and float(label).is_integer()
    return str(int(label)) if whole else str(label)


def names_of(exclude: str | Sequence[str], function: str) -> tuple[str, ...]:
    """The columns to leave out; one name is a list of one."""
    # An array without an axis is called iterable and is not.
    alone = isinstance(exclude, str) or not isinstance(exclude, Iterable) or getattr(exclude, "shape", None) == ()
    found: tuple[Any, ...] = (exclude,) if alone else tuple(exclude)
    if not all(isinstance(name, str) for name in found):
        raise UsageError(
            f"{function} takes no exclude={shorter(exclude)}", seen="columns have texts as names", fix="exclude=[]"
        )
    return found
