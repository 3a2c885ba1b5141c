"""What holds for a loss whatever the data, each claim with its evidence: proved, tried, or refuted by a counterexample.

What a signal does on given predictions is in `signals`; whether numbers are true, in `checking`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from goodmeasure.deriving.record import Record
from goodmeasure.traits import outcome, sampled, shape, single_target
from goodmeasure.traits.trait import PROVED, SHOWN, TRIED, Trait

__all__ = ["PROVED", "SHOWN", "TRIED", "Trait", "asked", "trait", "traits"]

# Each is a function of `shape` or `single_target`, which prove or refute it, and of `sampled`, which tries.
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


def asked(loss: Record, name: str) -> Trait | None:
    """One of the traits of shape and of a single target: proved or refuted from the formula if that can be, else tried."""
    prove: Callable[[Record], Trait | None] = getattr(shape, name, None) or getattr(single_target, name)
    tried: Callable[[Record], Trait | None] = getattr(sampled, name)
    return prove(loss) or tried(loss)


@cache
def traits(loss: Record) -> tuple[Trait, ...]:
    """Every trait that can be asked of a loss, with its evidence."""
    loss = loss.one_label
    # What is claimed of the shape is claimed of the value; what its best raw output tells is where the signal is balanced.
    found = [asked(loss.released, name) for name in _ON_A_LINE]
    found += [outcome.proper(loss), outcome.calibrated(loss.released)]
    return tuple(each for each in found if each is not None)


def trait(loss: Record, name: str) -> Trait | None:
    """The trait of this name (or that begins with it), None where it cannot be asked of the loss."""
    return next((each for each in traits(loss) if each.name.startswith(name)), None)
