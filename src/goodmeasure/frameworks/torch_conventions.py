"""What torch's own losses take when they are made, for every loss: weights of classes and of a yes, and smoothed labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import torch

from goodmeasure.deriving.algebra import weighted
from goodmeasure.errors import UsageError, shorter
from goodmeasure.formulas.domains import OutcomeDomain
from goodmeasure.frameworks.torch_derivatives import Program
from goodmeasure.making.loss import Loss

Weights: TypeAlias = torch.Tensor | Sequence[float] | float | None


def buffer(given: Weights) -> torch.Tensor | None:
    """Weights as a module keeps them."""
    if given is None or isinstance(given, torch.Tensor):
        return given
    return torch.tensor(given, dtype=torch.get_default_dtype())


def with_weights(loss: Loss, weight: torch.Tensor | None, pos_weight: torch.Tensor | None) -> Loss:
    """The loss with a weight for each class, and one for a yes (or one a label)."""
    if weight is not None:
        loss = weighted(loss, classes=tuple(weight.tolist()))
    if pos_weight is not None:
        several = pos_weight.numel() > 1
        loss = weighted(loss, positive=pos_weight.tolist() if several else pos_weight.item())
    return loss


def check_smoothing(loss: Loss, amount: float) -> None:
    """Refuse smoothing that is no share, or of targets that are no outcomes."""
    if not 0 <= amount < 1:
        raise UsageError(f"label_smoothing={shorter(amount)} is no share of the labels", fix="label_smoothing=0.1")
    if amount and not isinstance(loss.target, OutcomeDomain):
        raise UsageError(
            f"{loss} has no labels to smooth", seen=f"its target is {loss.target}", fix="to_torch(loss) without it"
        )


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
