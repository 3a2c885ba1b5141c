"""What sums of losses are divided by: over an example, a micro-batch, and all ranks of a step."""

from __future__ import annotations

from typing import Literal

import torch

from goodmeasure.errors import UsageError, shorter
from goodmeasure.frameworks.torch_derivatives import Program
from goodmeasure.frameworks.torch_formulas import constants
from goodmeasure.strict.calls import strict_keywords

Named = Literal["counted", "rows", "weights"]
NAMED = ("counted", "rows", "weights")


def check_denominator(given: object, reduction: str) -> None:
    """Refuse what no mean divides by."""
    if given is None or (reduction == "mean" and given in NAMED):
        return
    is_number = isinstance(given, int | float) and not isinstance(given, bool) and 0 < given < float("inf")
    if not is_number or reduction != "mean":
        raise UsageError(
            f"denominator={shorter(given)} with reduction={reduction!r}: a mean divides by a positive number, or by one "
            f"of {', '.join(NAMED)}",
            fix="to_torch(loss, denominator=batch_size)",
        )


def divisor(
    program: Program,
    raw: torch.Tensor,
    target: torch.Tensor,
    weight: torch.Tensor | None,
    present: torch.Tensor | None,
    reduction: str,
    given: float | torch.Tensor | Named | None,
) -> float | torch.Tensor:
    """What the sum over a batch is divided by: what was given, by number or by name; never nothing."""
    if isinstance(given, int | float | torch.Tensor):
        return _something(given, reduction)
    if reduction != "mean":
        return 1
    if given == "rows" or (given in (None, "counted") and present is None):
        return max(raw.numel() // (raw.shape[-1] if program.wide else 1), 1)
    by: Named = "counted" if given is None else given
    is_shares = program.classwise and target.ndim == raw.ndim
    return _something(counted(program, target, is_shares, weight, present, by), reduction)


def _something(given: float | torch.Tensor, reduction: str) -> float | torch.Tensor:
    """A denominator, at least something: a step in which nothing counts costs nothing."""
    if reduction != "mean":
        raise UsageError(f"a denominator is of a mean, and reduction is {reduction!r}", fix="to_torch(loss)")
    if isinstance(given, torch.Tensor):
        return torch.where(given == 0, 1, given).reshape(())
    if not 0 <= given < float("inf"):
        raise UsageError(
            f"denominator={shorter(given)}: a mean divides by a positive number",
            fix="denominator=criterion.count(all_targets)",
        )
    return given or 1.0


def counted(
    program: Program,
    target: torch.Tensor,
    is_shares: bool,
    weight: torch.Tensor | None,
    present: torch.Tensor | None,
    by: Named,
) -> torch.Tensor:
    """What a mean of these examples divides by, which may be zero. Classes of shares lie on the last axis."""
    rows = target[..., 0] if is_shares else target
    if by == "weights":
        each = _weights(program, target, is_shares, present)
        each = each if weight is None else each * weight.detach().to(each.dtype)
        return (each if present is None else torch.where(present, each, 0.0)).sum()
    if present is None or by == "rows":
        return torch.full((), rows.numel(), dtype=torch.int64, device=target.device)
    return present.sum()


def _weights(program: Program, target: torch.Tensor, is_shares: bool, present: torch.Tensor | None) -> torch.Tensor:
    """How much the classes count that happened; 1 where they count alike."""
    like = target if target.is_floating_point() else target.to(torch.get_default_dtype())
    given = program.loss.class_weight
    if not given:
        return torch.ones_like(like[..., 0] if is_shares else like)
    weights = constants(given, like)
    if is_shares:
        return (target * weights).sum(-1)
    index = target if present is None else torch.where(present, target, 0)
    return weights[index.long()]


@strict_keywords
def global_denominator(count: float | torch.Tensor, *, group: object = None) -> torch.Tensor:
    """Add the counts of all ranks up, and divide by their number: what each rank divides its sum of losses by.

    DDP and FSDP average gradients over ranks. With this denominator that average is the gradient of the undivided batch,
    however uneven the ranks are. Without a process group it is the count itself.

    Args:
        count: how many examples count on this rank in the whole step, a number or a tensor of one, (): what
            ``criterion.count`` says of its micro-batches, added up.
        group: the process group of the ranks; by default all.

    Returns:
        A number on the device of the count, in double precision.

    Raises:
        GM009: the count is negative or no number.

    Example:
        >>> import goodmeasure as gm
        >>> gm.global_denominator(12)
        tensor(12., dtype=torch.float64)
    """
    if isinstance(count, bool) or not isinstance(count, int | float | torch.Tensor):
        raise UsageError(f"count={shorter(count)} is no number", fix="count=criterion.count(target)")
    if not isinstance(count, torch.Tensor) and not 0 <= count < float("inf"):
        raise UsageError(f"count={shorter(count)}: counts are not negative", fix="count=criterion.count(target)")
    total = torch.as_tensor(count).detach().to(torch.float64, copy=True)
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return total
    torch.distributed.all_reduce(total, group=group)
    return total / torch.distributed.get_world_size(group)
