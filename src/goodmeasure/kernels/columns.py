"""Arrays as kernels see them: where the numbers of a block stand, copied only where a kernel could not read them."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

_first_byte = ctypes.c_char.from_buffer


def address(array: Any) -> int:
    """Where an array's first number stands."""
    try:
        return ctypes.addressof(_first_byte(array))  # a third of what asking the array for its interface takes
    except (TypeError, ValueError):  # an array that is not to be written to, or is empty
        found: int = array.__array_interface__["data"][0]
        return found


class Column:
    """An array that holds so many numbers an example, of which kernels are given a block at a time."""

    def __init__(self, array: Any, count: int, dtype: Any) -> None:
        self.array = array.reshape(-1) if array.flags.c_contiguous else array
        self.count, self.dtype = count, dtype

    def part(self, start: int, stop: int) -> Any:
        """The numbers of examples ``start`` to ``stop``, as a vector that a kernel can read: where they lie, or copied."""
        a, b = start * self.count, stop * self.count
        flat = self.array[a:b] if self.array.ndim == 1 else self.array.flat[a:b]
        return np.ascontiguousarray(flat, dtype=self.dtype)
