"""Pairs by turns: what would be asked of each of many things in each of many ways, each thing is asked in some of them.

The ways go round, so that every thing and every way is asked. The other pairs bear the mark ``nightly``, and `make nightly` asks
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from zlib import crc32

import pytest

PRECISIONS = ("float32", "float64")


def precision_of(loss: object) -> str:
    """The precision whose turn it is for a loss, or for the name of one with its defaults.

    Its name alone says so, and a loss that is added moves no other.
    """
    return PRECISIONS[crc32(str(loss).removesuffix("()").encode()) % 2]


def at_night(*values: Any, unless: bool, id: str | None = None) -> Any:
    """The parameters of a test that is asked by `make nightly` alone, unless it is its turn."""
    return pytest.param(*values, marks=() if unless else pytest.mark.nightly, id=id)


def by_turns(things: Iterable[Any], ways: Sequence[Any], *, asked: int = 1) -> list[Any]:
    """All pairs of a thing and a way; so many of each thing are asked in its turn, and the others at night."""
    step = len(ways) / asked
    turns = [{int(k + step * j) % len(ways) for j in range(asked)} for k in range(len(ways))]
    return [
        at_night(thing, way, unless=j in turns[k % len(ways)])
        for k, thing in enumerate(things)
        for j, way in enumerate(ways)
    ]
