"""Constants, and sums over classes in which nothing cancels, in any array library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from goodmeasure.formulas.evaluation import Array

Words = Mapping[str, Callable[..., Any]]


def dtype_of(like: Array) -> np.dtype[Any]:
    """The dtype of a host's array in NumPy's words: ``torch.float32`` is float32."""
    return np.dtype(str(like.dtype).rsplit(".", 1)[-1])


def constant(xp: Any, value: Any, like: Array) -> Array:
    """A number, or a row of them, in the dtype of an array; one beyond its range is infinite."""
    dtype = dtype_of(like)
    with np.errstate(all="ignore"):
        return xp.asarray(np.asarray(value, dtype=dtype), dtype=dtype.name)


class Sums:
    """Sums over the last axis in a namespace; it stays, with one number."""

    def __init__(self, xp: Any) -> None:
        self.xp = xp

    def zeros(self, x: Array) -> Array:
        return self.xp.zeros_like(x)

    def times(self, x: Array, y: Array) -> Array:
        """A product that is 0 where ``x`` is, whatever ``y`` is there."""
        return self.xp.where(x == 0, self.xp.zeros_like(x * y), x * y)

    def total(self, x: Array) -> Array:
        return self.xp.sum(x, axis=-1, keepdims=True)

    def most(self, x: Array) -> Array:
        return self.xp.max(x, axis=-1, keepdims=True)

    def place(self, x: Array) -> Array:
        """Where the largest stands, the first of them."""
        return self.xp.argmax(x, axis=-1)[..., None]

    def others(self, x: Array) -> Array:
        """For each class the sum over the others. The largest are left out of the sum and added, so that nothing cancels."""
        where, none = self.xp.where, self.zeros(x)
        size = self.xp.abs(x)
        top = size == self.most(size)
        below, above = where(top, none, x), self.total(where(top, x, none))
        alone = self.total(where(top, none + 1, none)) == 1
        return where(top, where(alone, none, above - x) + self.total(below), above + (self.total(below) - below))

    def pairs(self, x: Array, q: Array, top: Array) -> Array:
        """For each class j the sum over the others k of x_k times the sum of ``q`` over all but j and k.

        ``top`` is where the largest q stands.
        """
        where, none = self.xp.where, self.zeros(q)
        below, rest = where(top, none, q), where(top, none, x)
        q_top, x_top = self.total(where(top, q, none)), self.total(where(top, x, none))
        left = self.total(below) - below
        without_top = where(top, left, q_top + left) * self.others(rest) - self.others(rest * below)
        return where(top, none, x_top * left) + without_top

    @property
    def scope(self) -> dict[str, Callable[..., Array]]:
        """The sums by the names that lines of tables call them."""
        return {name: getattr(self, name) for name in ("zeros", "times", "total", "most", "place", "others", "pairs")}
