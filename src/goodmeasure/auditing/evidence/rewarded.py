"""What a program calls rewards, and which way its loss pushes the actions that earned them."""

from __future__ import annotations

from dataclasses import dataclass

from goodmeasure.auditing.case import Dossier


@dataclass
class Rewarded:
    """Probabilities of actions that are weighed with rewards so that the best rewarded ones become rarer."""

    where: str  # of the product, empty where there is none
    name: str = ""  # of what the program weighs with
    said: str = ""  # what it weighs, in words

    @classmethod
    def gather(cls, dossier: Dossier) -> Rewarded:
        (seen,) = dossier.case.need("rewarded")
        return seen  # type: ignore[no-any-return]
