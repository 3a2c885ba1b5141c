"""How a loss is written in Python, so that its repr is code that makes it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from goodmeasure.formulas.activations import Activation

Kind = Literal["call", "multiple", "sum"]


@dataclass(frozen=True)
class Spelling:
    """The code of a loss before any ``with_activation``: what its outermost step is, and which activation it has as written.

    ``factory`` is the name that is called, where the loss is one call of a factory and nothing else.
    """

    text: str
    activation: tuple[Activation, ...]
    kind: Kind = "call"
    factory: str = ""

    def on(self, activation: tuple[Activation, ...]) -> Spelling:
        """The spelling of the same loss with an activation, said only where it is another than the one as written."""
        if activation == self.activation:
            return self
        names = tuple(each.name for each in activation)
        said = repr(names[0] if len(names) == 1 else names)
        return Spelling(f"{self._within('call')}.with_activation({said})", activation)

    def times(self, factor: float) -> Spelling:
        """The spelling of a multiple. Two factors keep apart: 2 * (3 * loss) is not the loss times 6 to the last bit."""
        return Spelling(f"{factor!r} * {self._within('call')}", self.activation, "multiple")

    def plus(self, other: Spelling) -> Spelling:
        """The spelling of a sum; Python adds from the left."""
        return Spelling(f"{self.text} + {other._within('multiple')}", self.activation, "sum")

    def _within(self, least: Kind) -> str:
        """The text with parentheses if it binds less than what it is put in needs."""
        binds: list[Kind] = ["sum", "multiple", "call"]
        return self.text if binds.index(self.kind) >= binds.index(least) else f"({self.text})"
