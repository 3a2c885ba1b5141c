"""Tables of pairs, examples of one kind against examples of another, and which column each row is told to choose."""

from __future__ import annotations

from dataclasses import dataclass

from goodmeasure.auditing.case import Dossier


@dataclass
class Partners:
    """A table of as many columns as rows, all of whose rows are told the same column."""

    where: str  # of the loss, empty where there is no such table
    rows: int = 0
    column: int = 0

    @classmethod
    def gather(cls, dossier: Dossier) -> Partners:
        (seen,) = dossier.case.need("partners")
        return seen  # type: ignore[no-any-return]
