"""What is claimed of a loss, and on what evidence."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

PROVED = "proved"
TRIED = "no counterexample"
SHOWN = "counterexample"


@dataclass(frozen=True)
class Trait:
    """Whether a loss has a property, and the evidence: a proof from the formula, trials without a counterexample, or one.

    ``tried`` counts the trials, ``constant`` is the size of what is bounded (a Lipschitz constant), and ``seen`` says what the
    evidence is in words. A constant that was proved bounds what it speaks of; one that was only tried is the largest that was
    seen, so the true one is at least that.
    """

    name: str
    holds: bool
    evidence: str
    seen: str
    tried: int = 0
    constant: float | None = None

    @property
    def size(self) -> str:
        """The constant in words: as it is where it was proved, else what it is at least; empty where there is none."""
        if self.constant is None or not self.holds:
            return ""
        # Rounded so that what is said stays true: up where it bounds from above, down where it is the largest seen.
        return (
            f"{_digits(self.constant)}" if self.evidence == PROVED else f"at least {_digits(self.constant, down=True)}"
        )

    def __str__(self) -> str:
        how = f"{self.evidence} in {self.tried:,}" if self.evidence == TRIED else self.evidence
        size = f" ({self.size})" if self.size else ""
        # What no trial contradicts may still be false: it is said to seem so.
        verb = "is not" if not self.holds else "seems" if self.evidence == TRIED else "is"
        return f"{verb} {self.name}{size}: {how}; {self.seen}"

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return {**asdict(self), "size": self.size}


def _digits(x: float, *, down: bool = False) -> str:
    """Four digits, rounded up or down; what is within a hundred thousandth of four digits is those."""
    if x == 0 or not math.isfinite(x):
        return f"{x:.4g}"
    step = 10.0 ** (math.floor(math.log10(abs(x))) - 3)
    kept = math.floor(x / step * (1 + 1e-5)) if down else math.ceil(x / step * (1 - 1e-5))
    return f"{kept * step:.4g}"
