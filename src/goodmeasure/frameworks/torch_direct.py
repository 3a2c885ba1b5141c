"""Training steps whose computing takes no longer than calling: the kernel by the shortest way.

What is not of the plain kind (one raw output an example, numbers of one dtype side by side, nothing weighted or absent), or holds
what must be told of or mended, is left to the general way, which gives the same numbers.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import empty_like, is_grad_enabled, strided
from torch._C import _are_functorch_transforms_active, _get_tracing_state
from torch.autograd import forward_ad

from goodmeasure.deriving.pointwise import takes_double
from goodmeasure.frameworks.torch_derivatives import Program
from goodmeasure.frameworks.torch_fused import PLAIN, handed, number_of
from goodmeasure.keeping.machine_code import compiles
from goodmeasure.kernels import points
from goodmeasure.kernels.threads import BLOCK

_DTYPES = {torch.float32: np.dtype(np.float32), torch.float64: np.dtype(np.float64)}


class Direct:
    """What a loss does to batches of one block. A mean divides by the rows, unless by a constant."""

    def __init__(self, program: Program, reduction: str, divisor: float | None) -> None:
        self.program, self.divisor = program, 1.0 if reduction == "sum" else divisor
        self.each, self.takes_double = reduction == "none", takes_double(program.loss)
        self.placed: dict[torch.dtype, points.Placed] = {}

    def __call__(self, raw: torch.Tensor, target: torch.Tensor) -> torch.Tensor | None:
        """The loss of a batch, or None where the general way is needed."""
        if self.takes_double or not _is_plain(raw, target) or not 0 < (n := raw.numel()) <= BLOCK or not compiles():
            return None
        placed = self.placed.get(raw.dtype) or self._place(raw.dtype)
        signal = empty_like(raw)
        if self.each:
            values, scale = empty_like(raw), None
            total = placed(target.data_ptr(), raw.data_ptr(), values.data_ptr(), signal.data_ptr(), n, 1.0)
        else:
            scale = 1 / (self.divisor or n)
            total = placed(target.data_ptr(), raw.data_ptr(), 0, signal.data_ptr(), n, scale)
            values = None if total is None else number_of(signal, total * scale)
        if total is None:
            return None
        found: torch.Tensor = handed(raw, [signal, self.program, scale, None, target, values])
        return found

    def _place(self, dtype: torch.dtype) -> points.Placed:
        found = self.placed[dtype] = points.Placed(self.program.loss, _DTYPES[dtype])
        return found


def _is_plain(raw: torch.Tensor, target: torch.Tensor) -> bool:
    """Whether these are numbers of one dtype on the CPU, side by side, and no transform is around them."""
    return (
        type(raw) in PLAIN
        and type(target) in PLAIN
        and raw.requires_grad
        and raw.layout is target.layout is strided
        and raw.dtype in _DTYPES
        and target.dtype is raw.dtype
        and raw.shape == target.shape
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
