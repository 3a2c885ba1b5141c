"""What torch's own losses take when they are made, for every loss: weights of classes and of a yes, and smoothed labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch

from goodmeasure.deriving.algebra import weighted
from goodmeasure.deriving.mending import stand_for_each_other
from goodmeasure.errors import HyperparameterError, TargetOutsideDomain, UsageError, shorter
from goodmeasure.formulas.domains import OutcomeDomain
from goodmeasure.frameworks.torch_derivatives import Program
from goodmeasure.frameworks.torch_formulas import constants
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.arrays import numbers_of

Weights: TypeAlias = torch.Tensor | Sequence[float] | float | None


def buffer(given: Weights) -> torch.Tensor | None:
    """Weights as a module keeps them."""
    if given is None:
        return None
    if not isinstance(given, torch.Tensor):
        return torch.tensor(numbers_of(given, "weight", HyperparameterError), dtype=torch.get_default_dtype())
    if given.is_complex() or given.dtype == torch.bool:
        raise HyperparameterError(
            f"a weight holds {given.dtype}, and weights are positive numbers", fix="to_torch(loss, weight=[1.0, 3.0])"
        )
    return given


@dataclass(frozen=True)
class Read:
    """A weight that a module keeps, and the numbers that were read of it; on the meta device there are none."""

    kept: torch.Tensor
    copy: torch.Tensor
    numbers: tuple[float, ...]
    version: int

    @staticmethod
    def of(kept: torch.Tensor) -> Read:
        copy = kept.detach().clone()
        return Read(kept, copy, () if kept.is_meta else tuple(copy.flatten().tolist()), _version(kept))

    def holds(self, kept: torch.Tensor) -> bool:
        """Whether these are still the numbers. Those of an accelerator are not waited for: torch counts what it writes."""
        if kept is not self.kept or _version(kept) != self.version:
            return False
        return bool(kept.is_cuda or kept.is_meta or torch.equal(kept, self.copy))

    def unless_changed(self, kept: torch.Tensor, result: torch.Tensor) -> torch.Tensor:
        """A result in a graph, which keeps the numbers that it was made with: NaN if the weight holds others by now."""
        if kept.is_meta or result.is_meta:
            return result
        there = kept.detach().flatten().double()
        same = (there == constants(self.numbers, there)).all()
        return result * torch.where(same, 1.0, torch.nan).to(result.dtype)


def _version(kept: torch.Tensor) -> int:
    """How often torch has written into a tensor; in inference mode it does not count."""
    return 0 if kept.is_inference() else kept._version


def with_weights(loss: Loss, weight: torch.Tensor | None = None, pos_weight: torch.Tensor | None = None) -> Loss:
    """The loss with a weight for each class, and one for a yes (or one a label)."""
    try:
        if weight is not None:
            loss = weighted(loss, classes=weight.tolist())
        if pos_weight is not None:
            loss = weighted(loss, positive=pos_weight.item() if pos_weight.numel() == 1 else pos_weight.tolist())
    except (HyperparameterError, UsageError) as problem:
        raise problem.mended_by(_weighing(loss, weight)) from None
    return loss


def _weighing(loss: Loss, weight: torch.Tensor | None) -> str:
    """How outcomes of a loss weigh in torch, or examples where it has none."""
    if loss.is_binary:
        return "to_torch(loss, pos_weight=3.0)"
    if not loss.is_classwise:
        return "to_torch(loss)(input, target, weight)  # one weight an example"
    nothing = [] if weight is None or weight.ndim != 1 else (weight == 0).nonzero().flatten().tolist()
    return (
        f"to_torch(loss, ignore_index={nothing[0]})" if nothing else "to_torch(loss, weight=[1.0, 3.0])  # one a class"
    )


def told(
    problem: TargetOutsideDomain,
    loss: Loss,
    raw: torch.Tensor,
    target: torch.Tensor,
    ignoring: str = "criterion = gm.to_torch(loss, ignore_index={})",
) -> TargetOutsideDomain:
    """A target outside the domain, with what torch has for such targets. Classes are on the last axis.

    ``ignoring`` is the call that leaves out a target of some value.
    """
    if stand_for_each_other(loss, target, raw):
        return problem.mended_by("input, target = target, input  # raw outputs first")
    if loss.is_classwise and target.ndim == raw.ndim > 2 and _are_shares(target.transpose(-1, -2)):
        return problem.mended_by("input, target = input.movedim(-1, 1), target.movedim(-1, 1)  # classes on axis 1")
    if target.isnan().any():
        return problem.mended_by("criterion(input, target, mask=target.isfinite())")
    if loss.is_binary and bool((target.abs() == 1).all()):
        return problem.mended_by("target = (target > 0).float()")
    below = target[target < 0].unique().tolist() if isinstance(loss.target, OutcomeDomain) else []
    if len(below) == 1 and below[0] == int(below[0]):
        return problem.mended_by(f"{ignoring.format(int(below[0]))}  # such rows do not count then")
    return problem.mended_by("mend them, or leave such rows out: False in mask=, or weight 0")


def _are_shares(table: torch.Tensor) -> bool:
    totals = table.double().sum(-1)
    return bool(torch.allclose(totals, torch.ones_like(totals)))


def check_smoothing(loss: Loss, amount: float) -> None:
    """Refuse smoothing that is no share, or of targets that are no outcomes."""
    if not 0 <= amount < 1:
        raise UsageError(f"label_smoothing={shorter(amount)} is no share of the labels", fix="label_smoothing=0.1")
    if amount and not isinstance(loss.target, OutcomeDomain):
        raise UsageError(f"{loss} has no labels to smooth", seen=f"its target is {loss.target}", fix="to_torch(loss)")


def smoothed_loss(loss: Loss, amount: float) -> tuple[Loss, float]:
    """The loss with smoothing in its formula where it has a place for it, and what is left to do to the targets."""
    if loss.is_classwise and loss.values.get("smoothing") == 0 and amount:
        return replace(loss, hyperparameters=tuple({**loss.values, "smoothing": amount}.items())), 0.0
    return loss, amount


def smoothed(
    program: Program, raw: torch.Tensor, target: torch.Tensor, present: torch.Tensor | None, amount: float
) -> torch.Tensor:
    """Targets of which a part is spread over all outcomes alike: shares of classes, or of yes and no."""
    if not program.classwise:
        return target.to(raw.dtype) * (1 - amount) + amount / 2
    if target.ndim < raw.ndim:
        index = target.long() if present is None else torch.where(present, target, 0).long()
        target = (index[..., None] == torch.arange(raw.shape[-1], device=raw.device)).to(raw.dtype)
    return target * (1 - amount) + amount / raw.shape[-1]
