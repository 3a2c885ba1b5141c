"""What a booster is asked when a study grows trees: one question, whichever host answers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.making.loss import Loss
from goodmeasure.statistics.row_arguments import Floats

# Growing ends where so many rounds in a row cost the rows held out no less than the round before them.
PATIENCE = 30


@dataclass(frozen=True)
class BoosterRows:
    """Rows as boosters take them: numbers, NaN where one is missing, and codes of categories in the columns that say so."""

    x: Floats
    y: Any
    weight: Floats | None

    @property
    def in_single_precision(self) -> Any:
        """The numbers as boosters keep them, none of which is infinite."""
        most = np.finfo(np.float32).max
        return np.clip(self.x, -most, most).astype(np.float32)


@dataclass(frozen=True)
class Growing(BoosterRows):
    """Rows to fit trees to; where rows are held out, trees that come after what is best for these may be left out."""

    loss: Loss
    categorical: Sequence[bool]
    rounds: int
    rate: float
    seed: int
    held: BoosterRows | None = None

    @property
    def classes(self) -> int | None:
        """How many classes there are, where the loss is of classes."""
        return len(np.unique(self.y)) if self.loss.is_classwise else None

    @property
    def most_codes(self) -> int:
        """How many codes the column with the most categories has."""
        coded = self.x[:, np.flatnonzero(self.categorical)]
        return int(np.nanmax(coded, initial=-1)) + 1 if coded.size else 0
