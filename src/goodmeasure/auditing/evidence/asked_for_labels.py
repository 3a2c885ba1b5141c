"""How a program asks its model for what it is judged by: in which mode, and over which axis it makes shares of it."""

from __future__ import annotations

from dataclasses import dataclass

from goodmeasure.auditing.case import Dossier


@dataclass
class AskedForLabels:
    """Labels that a program compares with the truth, and what stands between them and the examples of their own."""

    at_work: tuple[str, ...] = ()  # the layers that were at work as in training
    across: str = ""  # the line of a softmax that runs over the examples

    @classmethod
    def gather(cls, dossier: Dossier) -> AskedForLabels:
        (seen,) = dossier.case.need("judged")
        return seen  # type: ignore[no-any-return]
