"""What holds for a loss, each claim with its evidence: proved, tried without a counterexample, or refuted by one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from goodmeasure.traits import outcome, sampled, shape
from goodmeasure.traits.trait import PROVED, SHOWN, TRIED, Trait

if TYPE_CHECKING:
    from goodmeasure.loss import Loss

__all__ = ["PROVED", "SHOWN", "TRIED", "Trait", "trait", "traits"]

_ON_A_LINE = (
    "convex",
    "strictly_convex",
    "strongly_convex",
    "lipschitz",
    "smooth",
    "robust",
    "redescending",
    "dead_zones",
)


@cache
def traits(loss: Loss) -> tuple[Trait, ...]:
    """Every trait that can be asked of a loss, with its evidence."""
    found: list[Trait | None] = []
    for name in _ON_A_LINE:
        prove: Callable[[Loss], Trait | None] = getattr(shape, name)
        tried: Any = getattr(sampled, name)
        found.append(prove(loss) or tried(loss))
    found += [outcome.proper(loss), outcome.calibrated(loss)]
    return tuple(each for each in found if each is not None)


def trait(loss: Loss, name: str) -> Trait | None:
    """The trait of this name (or that begins with it), None where it cannot be asked of the loss."""
    return next((each for each in traits(loss) if each.name.startswith(name)), None)
