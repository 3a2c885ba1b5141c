"""The fused kernel in torch: values and gradient of a loss in one pass on the CPU, reading tensors where they lie."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import is_grad_enabled
from torch._C._functorch import is_batchedtensor, is_legacy_batchedtensor
from torch.autograd import forward_ad

from goodmeasure import kernels
from goodmeasure.frameworks.torch_derivatives import Program, signals_of, spread, without_absent

if TYPE_CHECKING:
    from goodmeasure.making.loss import Loss

HALF = (torch.float16, torch.bfloat16)
PLAIN = (torch.Tensor, torch.nn.Parameter)
# Raw outputs, one an example or a row of them, from which calling the kernel pays in a compiled graph: a call costs 0.1 ms
# there, and the formula is compiled.
WORTH_A_CALL = {False: 1 << 18, True: 1 << 16}


def fuses(program: Program, raw: torch.Tensor, target: torch.Tensor) -> bool:
    """Whether the kernel applies: ordinary numbers on the CPU, and no transform around them.

    A graph that is exported is the formula, so that it needs nothing but torch.
    """
    if torch.compiler.is_compiling():
        around = torch.compiler.is_exporting() or raw.numel() < WORTH_A_CALL[program.wide]
    else:
        around = raw.numel() == 0 or forward_ad._current_level >= 0 or torch.jit.is_tracing()
    return (
        raw.is_cpu
        and raw.dtype in (torch.float32, torch.float64)
        and type(raw) in PLAIN
        and target.is_cpu
        and type(target) in PLAIN
        and not around
        and not torch._C._are_functorch_transforms_active()
    )


def is_traced() -> bool:
    """Whether a graph is made that is run as it is: none that is exported, and no transform in it."""
    if not torch.compiler.is_compiling() or torch.compiler.is_exporting():
        return False
    return not torch._C._are_functorch_transforms_active()


def is_rounded(given: torch.Tensor) -> bool:
    """Whether an answer is rounded to the half precision that came in: under autocast it stays single."""
    return given.dtype in HALF and (given.is_meta or not torch.is_autocast_enabled(given.device.type))


def as_one_node(method: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """A method that a graph calls as one function, and looks into when the graph is compiled alone.

    Before its arguments it takes a text that says what it computes: graphs look at arguments in every call, and at nothing
    that the function itself reads, so that they would take the graph of one module for those of all others.
    """

    def call(what: str, *given: Any) -> torch.Tensor:
        return method(*given)

    found: Callable[..., torch.Tensor] = torch.compiler.allow_in_graph(call)
    return found


class Work(NamedTuple):
    """What the kernel is given beside raw outputs: targets, weights (or which examples are present), and what sums are times.

    Without a ``scale`` there is no sum: every example has a value, and a weight says no more than whether it is present.
    """

    target: torch.Tensor
    weight: torch.Tensor | None
    scale: float | None


def work_on(
    raw: torch.Tensor,
    target: torch.Tensor,
    weight: torch.Tensor | None,
    present: torch.Tensor | None,
    scale: float | None,
) -> tuple[torch.Tensor, Work]:
    """Raw outputs and the rest as the kernel reads them."""
    given = weight if present is None else present if weight is None else torch.where(present, weight, 0.0)
    target = target.to(raw.dtype) if target.dtype in HALF else target
    given = given.to(raw.dtype) if given is not None and given.dtype in HALF else given
    if raw.ndim > 1:
        raw, target = raw.contiguous(), target.contiguous()  # a permuted table is read faster after a copy
    return raw, Work(target, given, scale)


def swept(loss: Loss, z: torch.Tensor, work: Work, *, signal: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The scaled sum of weighted values, or the value of each example; and the derivative by ``z`` if wanted."""
    y, raw = work.target.numpy(), z.detach().numpy()
    weight = None if work.weight is None else work.weight.detach().numpy()
    if work.scale is None:
        each, gradient = kernels.each(loss, y, raw, weight, signal=signal)
        values = torch.from_numpy(each)
    else:
        total, gradient = kernels.total(loss, y, raw, weight, work.scale if signal else None)
        values = number_of(z, total * work.scale)
    return values, torch.from_numpy(gradient) if signal else None


def number_of(like: torch.Tensor, value: float) -> torch.Tensor:
    """A number in the dtype of a tensor; infinite beyond its range."""
    try:
        return like.new_full((), value)
    except RuntimeError:
        return like.new_full((), math.copysign(math.inf, value))


def fused(program: Program, raw: torch.Tensor, work: Work) -> torch.Tensor:
    """What `swept` finds, with its gradient."""
    if not (raw.requires_grad and is_grad_enabled()):
        return swept(program.loss, raw, work, signal=False)[0]
    values, gradient = swept(program.loss, raw, work, signal=True)
    result: torch.Tensor = handed(raw, [gradient, program, *reversed(work), values])
    return result


class _Found(torch.autograd.Function):  # type: ignore[misc]
    """Values that were found with their gradient, which is handed over as it is, so that no other of its size is made."""

    @staticmethod
    def forward(ctx: Any, raw: torch.Tensor, kept: list[Any]) -> torch.Tensor:
        values: torch.Tensor = kept.pop()
        ctx.save_for_backward(raw, kept.pop(), kept.pop())
        ctx.kept = kept
        return values

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        gradient, program, scale = kept = ctx.kept
        if is_grad_enabled() or gradient is None:  # differentiated again, or a graph that is kept walked again
            raw, target, weight = ctx.saved_tensors
            work = Work(target, weight, scale)
            if is_grad_enabled():
                return signal_of(upstream, raw, program, work), None
            gradient = swept(program.loss, raw, work, signal=True)[1]
        kept[0] = None
        if is_batched(upstream):
            return spread(upstream, gradient) * gradient, None
        if scale is None or upstream.item() != 1:
            gradient.mul_(spread(upstream, gradient))
        return gradient, None


# Of raw outputs and a list: their gradient, the program, the scale, weight and target of the work, and the values, which stand in
# the graph from then on. `torch.autograd.Function.apply` looks once more whether a transform is active.
handed = super(torch.autograd.Function, _Found).apply


def is_batched(upstream: torch.Tensor) -> bool:
    """Whether several gradients come at once, as `torch.func.vmap` and ``torch.autograd.grad(is_grads_batched=True)`` do it."""
    found: bool = is_batchedtensor(upstream) or is_legacy_batchedtensor(upstream)
    return found


def signal_of(upstream: torch.Tensor, z: torch.Tensor, program: Program, work: Work) -> torch.Tensor:
    """The gradient as a formula, which can be differentiated again."""
    y, weight, scale = work
    present = None if weight is None else weight > 0
    if present is not None:
        z, y = without_absent(program, z, y, present)
    signal = signals_of(program, y, z)
    share = (
        upstream if scale is None else upstream * scale if weight is None else upstream * (weight * scale).to(z.dtype)
    )
    found = spread(share, signal) * signal
    return found if present is None else torch.where(spread(present, signal), found, 0.0)
