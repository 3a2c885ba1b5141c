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
    several = isinstance(exclude, Iterable) and not isinstance(exclude, str) and np.shape(exclude) != ()
    found = tuple(exclude) if several else (exclude,)
    if not all(isinstance(name, str) for name in found):
        raise UsageError(
            f"{function} takes no exclude={shorter(exclude)}", seen="columns have texts as names", fix="exclude=[]"
        )
    return found
