"""How sure it is that a fit is the best there is."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from goodmeasure.drawing.display import Display
from goodmeasure.drawing.displayed import Displayed


class Status(enum.Enum):
    """What a fit reached."""

    OPTIMAL = "optimal"
    STATIONARY = "stationary"
    FLAT = "no signal"
    STOPPED_EARLY = "stopped early"
    UNFINISHED = "not converged"
    UNCERTAIN = "not certified"
    ENDLESS = "without a least"


@dataclass(frozen=True)
class Certificate(Displayed):
    """What a fit reached, how far its objective can still be from the best (None: unknown), and how that is known.

    ``gap`` is in units of the objective. ``proven`` gaps are bounds by duality or strong convexity; others are estimates.
    ``convex`` is the evidence that the loss is convex in the raw output, without which a fit is at best stationary.
    """

    status: Status
    objective: float
    gap: float | None
    proven: bool
    gradient: float
    convex: str
    method: str

    def __str__(self) -> str:
        if self.status is Status.ENDLESS:
            return f"{self.status.value}: {self.method}"
        if self.gap is None:
            return f"{self.status.value}: {self.method}; largest derivative {self.gradient:.2g}"
        known = f"{'proven' if self.proven else 'estimated'}; {self.method}; convex: {self.convex}"
        return f"{self.status.value}: within {self.gap:.2g} of the least objective ({known})"

    def _display(self) -> Display:
        columns = {name: [value] for name, value in self.to_dict().items()}
        return Display("What the fit reached", columns, under={"convex": "status", "method": "status"})

    def to_dict(self) -> dict[str, Any]:
        """The certificate as plain values, ready for JSON."""
        return {**vars(self), "status": self.status.value}
