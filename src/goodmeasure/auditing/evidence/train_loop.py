"""What a training loop in plain NumPy returns: its loss curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence.array_code import Array, called


@dataclass
class TrainLoop:
    """The list of numbers that ``train()`` returns, alone, in a tuple, or under a name of its own."""

    curve: Array

    @classmethod
    def gather(cls, dossier: Dossier) -> TrainLoop:
        if dossier.case.framework != "numpy":
            raise Unavailable("not plain NumPy code")
        (train,) = dossier.case.need("train")
        found = called(train)
        parts: list[Any] = [found]
        if isinstance(found, (dict, tuple)):
            parts = list(found.values()) if isinstance(found, dict) else list(found)
        for part in parts:  # arrays are weights; a curve is collected in a list
            if isinstance(part, list) and len(part) >= 3 and all(np.ndim(one) == 0 for one in part):
                return cls(np.asarray(part, dtype=float))
        raise Unavailable("train() returns no list of losses")

    @property
    def may_be_a_score(self) -> bool:
        """Whether a rise may be an improvement: an accuracy, or a log-likelihood."""
        return bool((self.curve <= 0).all()) or bool(((self.curve >= 0) & (self.curve <= 1)).all())
