"""Targets that were drawn at random while a program ran, and what else has seen the draw."""

from __future__ import annotations

from dataclasses import dataclass

from goodmeasure.auditing.case import Dossier


@dataclass
class Drawn:
    """A target that is a draw of its own, while the input was blurred with another draw of the same kind and shape.

    Or a target that is the blurred input itself.
    """

    where: str  # of the comparison, empty where there is no such target
    shape: tuple[int, ...] = ()
    other: str = ""  # the line of the other draw
    repeats: bool = False  # the target is the blurred input

    @classmethod
    def gather(cls, dossier: Dossier) -> Drawn:
        (seen,) = dossier.case.need("drawn")
        return seen  # type: ignore[no-any-return]
