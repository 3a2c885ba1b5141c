"""The derived formula of a loss in torch, with derivatives that torch does not have to find.

Differentiating the value's operations would lose the tails and make NaN where an unused branch overflows; here the derivative
of the value is the derived signal, and the derivative of the signal the derived curvature.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from goodmeasure.frameworks import torch_formulas as printed
from goodmeasure.pointwise import less_huge

if TYPE_CHECKING:
    from goodmeasure.loss import Loss


class Program:
    """The functions of one loss in torch operations, printed when they are first needed."""

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        classes = loss.is_classwise
        self.value = (
            printed.classwise(loss, signal=False) if classes else printed.pointwise(loss, [loss.composed], "value")
        )
        self.signal = (
            printed.classwise(loss, signal=True) if classes else printed.pointwise(loss, loss.signal, "signal")
        )
        self.smooth = printed.smooth(loss) if classes else None
        self.leaves_no_number = not classes and _leaves_no_number(loss)

    @cached_property
    def curvature(self) -> Any:
        bends = [bend for row in self.loss.curvature for bend in row]
        return printed.pointwise(self.loss, bends, "curvature")

    def at_limits(self, function: Any, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """A function's result; where a huge raw output leaves no number (inf - inf), what a less huge one gives."""
        found: torch.Tensor = function(y, z)
        for most in less_huge(torch.finfo(z.dtype).max) if self.leaves_no_number else ():
            found = torch.where(torch.isnan(found), function(y, z.clamp(-most, most)), found)
        if self.loss.is_classwise:
            return found
        lost = torch.isnan(z)
        if len(self.loss.activation) > 1:
            lost = lost.any(-1, keepdim=True) if found.ndim == z.ndim else lost.any(-1)
        return torch.where(lost, torch.nan, found)


def _leaves_no_number(loss: Loss) -> bool:
    """Whether a formula of the loss is NaN at some raw output that is a number."""
    m = len(loss.activation)
    ends = np.array([-np.inf, -1e300, -1e30, -800, -1, 0, 1, 800, 1e30, 1e300, np.inf])
    y = np.array([v for v in (0, 0.5, 1, 2, -3, 7) if v in loss.target])
    grid = np.meshgrid(y, *[ends] * m)
    target, raws = torch.tensor(grid[0].ravel()), torch.tensor(np.stack([g.ravel() for g in grid[1:]], -1))
    raw = raws if m > 1 else raws[:, 0]
    found = [printed.pointwise(loss, [f], "value")(target, raw) for f in (loss.composed, *loss.signal)]
    return any(bool(torch.isnan(f).any()) for f in found)


class _Value(torch.autograd.Function):  # type: ignore[misc]
    """The value of each example, whose derivative is the derived signal."""

    generate_vmap_rule = True

    @staticmethod
    def forward(program: Program, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return program.at_limits(program.value, y, z)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.program, y, z = inputs
        ctx.save_for_backward(y, z)

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        y, z = ctx.saved_tensors
        signal = _Signal.apply(ctx.program, y, z)
        return None, None, spread(upstream, signal) * signal


class _Signal(torch.autograd.Function):  # type: ignore[misc]
    """The signal of each example, whose derivative is the derived curvature."""

    generate_vmap_rule = True

    @staticmethod
    def forward(program: Program, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return program.at_limits(program.signal, y, z)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.program, y, z = inputs
        ctx.save_for_backward(y, z)

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        (y, z), program = ctx.saved_tensors, ctx.program
        if program.smooth is not None:
            slope = torch.func.grad(lambda raw: program.smooth(y, raw).sum())
            return None, None, torch.func.vjp(slope, z)[1](upstream)[0]
        bends = program.at_limits(program.curvature, y, z)
        m = len(program.loss.activation)
        if m == 1:
            return None, None, upstream * bends
        matrix = bends.reshape(*z.shape, m)
        return None, None, (upstream[..., :, None] * matrix).sum(-2)


def spread(upstream: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return upstream[..., None] if upstream.ndim < like.ndim else upstream


def of_target(program: Program, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """Targets as the formulas take them: indices of classes, or numbers of the dtype of computing."""
    return y.long() if program.loss.is_classwise else y.to(z.dtype)


def values_of(program: Program, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """The value of each example."""
    found: torch.Tensor = _Value.apply(program, of_target(program, y, z), z)
    return found


def signals(program: Program, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """The signal of each example."""
    found: torch.Tensor = _Signal.apply(program, y, z)
    return found


def mixed_values(program: Program, z: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """The value of rows of class probabilities: what each class would cost, times its share."""
    total = torch.zeros_like(z[..., 0])
    for k in range(z.shape[-1]):
        share = shares[..., k]
        cost = values_of(program, torch.full_like(share, k, dtype=torch.long), z)
        total = total + torch.where(share > 0, share.to(z.dtype) * cost, 0.0)
    return total
