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


def names_of(given: str | Sequence[str], function: str, keyword: str = "exclude") -> tuple[str, ...]:
    """The columns that a keyword names; one name is a list of one."""
    # An array without an axis is called iterable and is not.
    alone = isinstance(given, str) or not isinstance(given, Iterable) or getattr(given, "shape", None) == ()
    found: tuple[Any, ...] = (given,) if alone else tuple(given)
    if not all(isinstance(name, str) for name in found):
        raise UsageError(
            f"{function} takes no {keyword}={shorter(given)}", seen="columns have texts as names", fix=f"{keyword}=[]"
        )
    return found
