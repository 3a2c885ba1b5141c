"""What does not stop a run but must be known to whoever reads its numbers: a remark has a code and a page like an error."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from goodmeasure.errors import Problem

Severity = Literal["error", "warning", "note"]


class Remark(Problem):
    """Something that was noticed and treated, or that only you can judge. It is reported, not raised.

    A note says what was done to the table; a warning says why a number may not mean what it seems to mean.
    """

    code = "GM200"
    severity: ClassVar[Severity] = "note"

    def to_dict(self) -> dict[str, str]:
        """The remark as plain values, ready for JSON."""
        found = {"code": self.code, "severity": self.severity, "what": self.what, **dict(self.lines())}
        return {name: str(value) for name, value in found.items()}


def at_least(remarks: tuple[Remark, ...], severity: Any) -> list[Remark]:
    """The remarks that are as severe as this, or more."""
    order = ("error", "warning", "note")
    return [r for r in remarks if order.index(r.severity) <= order.index(severity)]
