"""What sums of losses are divided by: over an example, a micro-batch, and all ranks of a step."""

from __future__ import annotations

from math import inf
from numbers import Real
from typing import Any, Literal, NoReturn

import torch

from goodmeasure.errors import UsageError, shorter
from goodmeasure.frameworks.torch_arguments import known
from goodmeasure.frameworks.torch_derivatives import Program
from goodmeasure.frameworks.torch_formulas import constants
from goodmeasure.strict.calls import strict_keywords

Named = Literal["counted", "rows", "weights"]
NAMED = ("counted", "rows", "weights")
_FIX = "denominator=None  # or criterion.count(target), added up over the whole step"


def number_of(given: object) -> float | None:
    """A denominator as the finite number that it is, NumPy's among them; None of what is none."""
    if isinstance(given, bool) or not isinstance(given, Real):
        return None
    try:
        number = float(given)
    except OverflowError:
        return None
    # A graph looks at comparisons, where it cannot ask whether a number that changes from step to step is finite.
    return number if -inf < number < inf else None


def check_denominator(given: object, reduction: str) -> None:
    """Refuse what no mean divides by in every step."""
    if given is None or (reduction == "mean" and isinstance(given, str) and given in NAMED):
        return
    if reduction != "mean":
        _refuse_any(reduction)
    if not (number_of(given) or 0) > 0:
        raise UsageError(
            f"denominator={shorter(given)}: a mean divides by a positive number, or by one of {', '.join(NAMED)}",
            fix="to_torch(loss, denominator='counted')",
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
    if reduction != "mean":
        return 1 if given is None else _refuse_any(reduction)
    rows = raw.numel() // (raw.shape[-1] if program.wide else 1)
    if given is not None and not (isinstance(given, str) and given in NAMED):
        return _of_step(given, raw, rows > 0 if present is None else present.any() if rows else False)
    if given == "rows" or (given in (None, "counted") and present is None):
        return max(rows, 1)
    by: Any = given or "counted"
    is_shares = program.classwise and target.ndim == raw.ndim
    count = counted(program, target, is_shares, weight, present, by)
    if count.is_floating_point():  # a sum in double, which must not make a mean of singles one of doubles
        count = count.to(torch.promote_types(raw.dtype, torch.float32))
    return torch.where(count == 0, 1, count)  # where nothing counts, the sum is nothing too


def _refuse_any(reduction: str) -> NoReturn:
    raise UsageError(f"a denominator is of a mean, and reduction is {reduction!r}", fix="to_torch(loss)")


def _of_step(given: Any, raw: torch.Tensor, any_counts: bool | torch.Tensor) -> float | torch.Tensor:
    """The count of a whole step: positive, and 0 where none of these examples counts either, which then cost nothing."""
    if isinstance(given, torch.Tensor):
        if given.numel() != 1 or given.dtype == torch.bool or given.is_complex():
            _refuse_number(given)
        given = given.detach().reshape(())
        if not known(raw) or not known(given) or raw.is_cuda or given.is_cuda:
            return _unread(given, raw, any_counts)
    number = number_of(given.item() if isinstance(given, torch.Tensor) else given)
    if number is None or number < 0:
        _refuse_number(given)
    if number == 0 and isinstance(any_counts, torch.Tensor) and (raw.is_cuda or not known(raw)):
        return _unread(torch.zeros((), device=raw.device), raw, any_counts)
    if number == 0 and bool(any_counts):
        raise UsageError("denominator=0, and examples of this batch count", fix=_FIX)
    return number or 1.0


def _unread(given: torch.Tensor, raw: torch.Tensor, any_counts: bool | torch.Tensor) -> torch.Tensor:
    """A count that cannot be looked at without waiting for it: it is asserted on an accelerator, and NaN in a graph."""
    there = torch.as_tensor(any_counts, device=given.device)
    nothing = (given == 0) & ~there
    lawful = nothing | ((given > 0) & given.isfinite())
    if known(raw) and known(given):
        torch._assert_async(lawful, "a denominator is not positive and finite")
    return torch.where(lawful, torch.where(nothing, 1, given), torch.nan)


def _refuse_number(given: object) -> NoReturn:
    raise UsageError(
        f"denominator={shorter(given)}: a mean divides by one positive, finite number",
        fix=_FIX,
    )


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
    """How much the classes count that happened, in double where the device has it; 1 where they count alike."""
    like = target.to(torch.float32 if target.device.type == "mps" else torch.float64)
    given = program.loss.class_weight
    if not given:
        return torch.ones_like(like[..., 0] if is_shares else like)
    weights = constants(given, like)
    if is_shares:
        return (like * weights).sum(-1)
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
    total = _as_count(count)
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return total
    torch.distributed.all_reduce(total, group=group)
    return total / torch.distributed.get_world_size(group)


def _as_count(given: object) -> torch.Tensor:
    """A count as a number in double precision on its device; one on an accelerator is not waited for."""
    if isinstance(given, torch.Tensor) and given.numel() == 1 and given.dtype != torch.bool and not given.is_complex():
        total = given.detach().reshape(()).to(torch.float64, copy=True)
        if total.is_cuda or not known(total):
            return total
    else:
        number = number_of(given)
        if number is None:
            raise UsageError(f"count={shorter(given)} is no finite number", fix="count=criterion.count(target)")
        total = torch.tensor(number, dtype=torch.float64)
    if not 0 <= total.item() < float("inf"):
        raise UsageError(f"count={shorter(given)}: counts are not negative", fix="count=criterion.count(target)")
    return total
