"""Columns of texts, which hold few different ones many times: each is looked at once, and no column is sorted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def by_value(answer: Callable[[Any], Any], values: NDArray[Any], dtype: Any = object) -> NDArray[Any]:
    """What is answered of each value, (n,); asked once of each different one.

    Args:
        answer: what to ask; values that are equal have one answer.
        values: hashable values, (n,).
        dtype: the type of the answers.

    Returns:
        The answers, (n,).

    Raises:
        TypeError: a value has no hash.
    """
    cells = values.tolist()
    answers = {value: answer(value) for value in set(cells)}
    return np.fromiter(map(answers.__getitem__, cells), dtype, len(cells))


def factorised(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """The different values in order, and the place of each row's among them.

    Args:
        values: texts as objects, or an array of any other type, (n,).

    Returns:
        What ``np.unique(values, return_inverse=True)`` returns, of texts in a tenth of its time.

    Raises:
        TypeError: objects have no order.
    """
    if (coded := coded_texts(values)) is None:
        found, place = np.unique(values, return_inverse=True)
        return found, place.astype(np.intp, copy=False)
    codes, names = coded
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(names), np.intp)
    rank[order] = np.arange(len(names))
    return np.array(names, dtype=object)[order], rank[codes]


def different(values: NDArray[Any]) -> NDArray[Any]:
    """The different values in order: what ``np.unique(values)`` returns.

    Args:
        values: texts as objects, or an array of any other type.

    Returns:
        The values, each once.

    Raises:
        TypeError: objects have no order.
    """
    cells = _texts(values)
    return np.unique(values) if cells is None else np.array(sorted({*cells}), dtype=object)


def coded_texts(values: NDArray[Any]) -> tuple[NDArray[np.intp], list[str]] | None:
    """The different texts of a column of objects as they come, and the place of each row's among them, (n,).

    Args:
        values: an array of any type.

    Returns:
        The places and the texts, each once; None where the column has another type, or holds anything else.
    """
    cells = _texts(values)
    if cells is None:
        return None
    # A new text gets the next place: one look into the dictionary for a row.
    place = defaultdict[str, int]()
    place.default_factory = place.__len__
    return np.fromiter(map(place.__getitem__, cells), np.intp, len(cells)), [*place]


def _texts(values: NDArray[Any]) -> list[str] | None:
    """The cells of a column of objects that are all texts, and none that only equal one: these may be another when written."""
    if values.dtype != object or values.ndim != 1:
        return None
    cells = values.tolist()
    return cells if {*map(type, cells)} <= {str} else None
