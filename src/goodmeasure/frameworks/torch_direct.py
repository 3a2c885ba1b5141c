"""Plain training steps by the shortest way to their kernel: of few examples, calling takes longer than computing.

What is not of the plain kind (one raw output an example or one a class, numbers of one dtype side by side, nothing weighted or
absent), or holds what must be told of or mended, is left to the general way, which gives the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import empty_like, is_grad_enabled, strided
from torch._C import _are_functorch_transforms_active, _get_tracing_state
from torch.autograd import forward_ad

from goodmeasure.deriving.pointwise import takes_double
from goodmeasure.frameworks.torch_derivatives import Program
from goodmeasure.frameworks.torch_fused import PLAIN, handed, number_of
from goodmeasure.keeping.machine_code import compiles
from goodmeasure.kernels import points, rows

_DTYPES: dict[torch.dtype, np.dtype[Any]] = {torch.float32: np.dtype(np.float32), torch.float64: np.dtype(np.float64)}
_MUCH = 1 << 20  # numbers: four megabytes and more


class Direct:
    """What a loss does to batches of the plain kind. A mean divides by the rows, unless by a constant."""

    def __init__(self, program: Program, reduction: str, divisor: float | None) -> None:
        self.program, self.classwise = program, program.classwise
        self.divisor = 1.0 if reduction == "sum" else divisor
        self.each, self.takes_double = reduction == "none", takes_double(program.loss)
        self.placed: dict[object, points.Placed | rows.PlacedRows] = {}

    def __call__(self, raw: torch.Tensor, target: torch.Tensor) -> torch.Tensor | None:
        """The loss of a batch, or None where the general way is needed."""
        if self.takes_double or not _is_plain(raw, target) or not compiles():
            return None
        placed = self._of_classes(raw, target) if self.classwise else self._of_points(raw, target)
        if placed is None:
            return None
        signal, shape = _room(raw), raw.shape if self.classwise else (raw.numel(),)
        if self.each:
            values, scale = raw.new_empty(shape[:1]) if self.classwise else _room(raw), None
            total = placed(target.data_ptr(), raw.data_ptr(), values.data_ptr(), signal.data_ptr(), 1.0, *shape)
        else:
            scale = 1 / (self.divisor or shape[0])
            total = placed(target.data_ptr(), raw.data_ptr(), 0, signal.data_ptr(), scale, *shape)
            values = None if total is None else number_of(signal, total * scale)
        if total is None:
            return None
        found: torch.Tensor = handed(raw, [signal, self.program, scale, None, target, values])
        return found

    def _of_points(self, raw: torch.Tensor, target: torch.Tensor) -> points.Placed | rows.PlacedRows | None:
        """The kernel of raw outputs that have a target each."""
        if target.dtype is not (kind := raw.dtype) or target.shape != (shape := raw.shape) or 0 in shape:
            return None
        found = self.placed.get(kind)
        if found is None:
            found = self.placed[kind] = points.Placed(self.program.loss, _DTYPES[kind])
        return found

    def _of_classes(self, raw: torch.Tensor, target: torch.Tensor) -> points.Placed | rows.PlacedRows | None:
        """The kernel of rows of raw outputs that have a class each, or shares of the classes."""
        kind, shape, program = raw.dtype, raw.shape, self.program
        of_shares = target.dtype is kind and target.shape == shape
        if len(shape) != 2 or shape[0] == 0 or not program.takes(shape[1]):
            return None
        if not of_shares and (target.dtype is not torch.int64 or target.shape != shape[:1]):
            return None
        found = self.placed.get((kind, of_shares))
        if found is None and rows.speaks(program.loss):
            found = self.placed[kind, of_shares] = rows.PlacedRows(program.loss, _DTYPES[kind], of_shares)
        return found


def _room(like: torch.Tensor) -> torch.Tensor:
    """An empty tensor of the same kind. Much room is NumPy's, which asks for large pages: small ones are slower to come."""
    if like.numel() < _MUCH:
        return empty_like(like)
    return torch.from_numpy(np.empty(like.shape, _DTYPES[like.dtype]))


def _is_plain(raw: torch.Tensor, target: torch.Tensor) -> bool:
    """Whether these are numbers on the CPU, side by side, and no transform is around them."""
    return (
        type(raw) in PLAIN
        and type(target) in PLAIN
        and raw.requires_grad
        and raw.layout is target.layout is strided
        and raw.dtype in _DTYPES
        and raw.is_cpu
        and target.is_cpu
        and raw.is_contiguous()
        and target.is_contiguous()
        and not target.requires_grad
        and is_grad_enabled()
        and forward_ad._current_level < 0
        and not _are_functorch_transforms_active()
        and _get_tracing_state() is None
    )
