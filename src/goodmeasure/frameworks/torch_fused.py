"""The fused kernel in torch: value and gradient of a reduced loss in one pass on the CPU, reading tensors where they lie."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import torch
from torch.autograd import forward_ad

from goodmeasure import kernels
from goodmeasure.frameworks.torch_derivatives import Program, signals_of, spread, without_absent

HALF = (torch.float16, torch.bfloat16)
_PLAIN = (torch.Tensor, torch.nn.Parameter)
# Several upstream gradients at once, as `torch.func.vmap` and `torch.autograd.grad(is_grads_batched=True)` hand them over.
_BATCHED = (torch._C._functorch.is_batchedtensor, torch._C._functorch.is_legacy_batchedtensor)


def fuses(raw: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None) -> bool:
    """Whether the kernel applies: ordinary numbers on the CPU, and no transform around them."""
    return (
        raw.is_cpu
        and raw.dtype in (torch.float32, torch.float64)
        and type(raw) in _PLAIN
        and target.is_cpu
        and type(target) in _PLAIN
        and not (weight is not None and weight.requires_grad)
        and not torch.compiler.is_compiling()
        and not torch._C._are_functorch_transforms_active()
        and forward_ad._current_level < 0
        and not torch.jit.is_tracing()
    )


def fused(
    program: Program,
    raw: torch.Tensor,
    target: torch.Tensor,
    weight: torch.Tensor | None,
    present: torch.Tensor | None,
    scale: float,
) -> torch.Tensor:
    """The sum of the weighted values of what is present, times ``scale``."""
    given = weight
    if present is not None:
        given = present if weight is None else torch.where(present, weight, 0.0)
    target = target.to(raw.dtype) if target.dtype in HALF else target
    given = given.to(raw.dtype) if given is not None and given.dtype in HALF else given
    if raw.ndim > 1:
        raw, target = raw.contiguous(), target.contiguous()  # a permuted table is read faster after a copy
    if not (raw.requires_grad and torch.is_grad_enabled()):
        return _number(raw, _swept(raw, (program, target, given, scale), None)[0])
    result: torch.Tensor = _Fused.apply(raw, (program, target, given, scale))
    return result


_Work: TypeAlias = tuple[Program, torch.Tensor, torch.Tensor | None, float]  # the loss, targets, weights and a scale


def _swept(z: torch.Tensor, work: _Work, scale: float | None) -> tuple[float, Any]:
    """The scaled sum of weighted values, and its gradient where there is a ``scale`` for it."""
    program, y, weight, factor = work
    weights = None if weight is None else weight.detach().numpy()
    total, gradient = kernels.total(program.loss, y.numpy(), z.detach().numpy(), weights, scale)
    return total * factor, gradient


def _number(like: torch.Tensor, value: float) -> torch.Tensor:
    """A number in the dtype of a tensor; infinite beyond its range."""
    try:
        return like.new_full((), value)
    except RuntimeError:
        return like.new_full((), math.copysign(math.inf, value))


class _Fused(torch.autograd.Function):  # type: ignore[misc]
    """The scaled sum of weighted values. Its gradient is handed over as it is, so that no other of its size is made."""

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor, work: _Work) -> torch.Tensor:
        value, ctx.gradient = _swept(z, work, work[3])
        ctx.work = work
        ctx.save_for_backward(z)
        return _number(z, value)

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        if torch.is_grad_enabled():
            return _signal(upstream, *ctx.saved_tensors, *ctx.work), None
        gradient, ctx.gradient = ctx.gradient, None
        if gradient is None:  # a graph that is kept is walked again
            (z,) = ctx.saved_tensors
            gradient = _swept(z, ctx.work, ctx.work[3])[1]
        found = torch.from_numpy(gradient)
        if any(is_batched(upstream) for is_batched in _BATCHED):
            return upstream * found, None
        return found if upstream.item() == 1 else found.mul_(upstream), None


def _signal(
    upstream: torch.Tensor,
    z: torch.Tensor,
    program: Program,
    y: torch.Tensor,
    weight: torch.Tensor | None,
    scale: float,
) -> torch.Tensor:
    """The gradient as a formula, which can be differentiated again."""
    if weight is None:
        return upstream * scale * signals_of(program, y, z)
    z, y = without_absent(program, z, y, weight > 0)
    signal = signals_of(program, y, z)
    share = spread((weight * scale).to(z.dtype), signal)
    return torch.where(share > 0, upstream * share * signal, 0.0)
