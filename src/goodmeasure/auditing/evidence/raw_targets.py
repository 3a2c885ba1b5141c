"""The targets before preprocessing, against those that are trained on."""

from __future__ import annotations

from dataclasses import dataclass

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence.scored import Array, as_array


@dataclass
class RawTargets:
    """The targets before and after preprocessing, as flat arrays."""

    raw: Array
    kept: Array

    @classmethod
    def gather(cls, dossier: Dossier) -> RawTargets:
        raw, targets = dossier.case.need("raw", "targets")
        before, after = as_array(raw).reshape(-1), as_array(targets).reshape(-1)
        if before.shape != after.shape:
            raise Unavailable("raw targets and targets differ in number")
        return cls(before, after)
