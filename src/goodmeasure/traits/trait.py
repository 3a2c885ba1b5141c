"""What is claimed of a loss, and on what evidence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

PROVED = "proved"
TRIED = "no counterexample"
SHOWN = "counterexample"


@dataclass(frozen=True)
class Trait:
    """Whether a loss has a property, and the evidence: a proof from the formula, trials without a counterexample, or one.

    ``tried`` counts the trials, ``constant`` is the size of what is bounded (a Lipschitz constant), and ``seen`` says what the
    evidence is in words.
    """

    name: str
    holds: bool
    evidence: str
    seen: str
    tried: int = 0
    constant: float | None = None

    def __str__(self) -> str:
        how = f"{self.evidence} in {self.tried:,}" if self.evidence == TRIED else self.evidence
        size = f" ({self.constant:.4g})" if self.constant is not None and self.holds else ""
        return f"{'is' if self.holds else 'is not'} {self.name}{size}: {how}; {self.seen}"

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return asdict(self)
