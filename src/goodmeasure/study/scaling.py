"""Numbers for a linear model: those that are missing filled in and flagged, all of one spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.statistics.row_arguments import Floats


@dataclass(frozen=True)
class Scaling:
    """What fills the gaps of each column, which columns have a flag beside them, and the mean and spread of all of these.

    Flags are 1 where a number is missing; they stand after the numbers, for columns that missed some in the fitted rows.
    """

    fill: Floats
    flagged: tuple[int, ...]
    centre: Floats
    spread: Floats

    def __call__(self, block: Floats) -> Floats:
        """The scaled matrix of a block of numbers, NaN where one is missing."""
        found = _filled(block, self.fill, self.flagged)
        found -= self.centre
        found /= self.spread
        return found

    def to_dict(self) -> dict[str, Any]:
        """The scaling as plain values, ready for JSON."""
        numbers = {"fill": self.fill.tolist(), "centre": self.centre.tolist(), "spread": self.spread.tolist()}
        return {**numbers, "flagged": list(self.flagged)}

    @staticmethod
    def from_dict(state: dict[str, Any]) -> Scaling:
        """The scaling that `to_dict` described."""
        fill, centre, spread = (np.array(state[name], dtype=np.float64) for name in ("fill", "centre", "spread"))
        return Scaling(fill, tuple(state["flagged"]), centre, spread)


def scaling(block: Floats) -> Scaling:
    """Learn it from the fitted rows: gaps take the median, or 0 where a column has no number at all."""
    lost = np.isnan(block)
    flagged = tuple(np.flatnonzero(lost.any(axis=0)).tolist())
    fill = np.array([_median(column[~gone]) for column, gone in zip(block.T, lost.T, strict=True)])
    return Scaling(fill, flagged, *_mean_and_spread(_filled(block, fill, flagged)))


def _median(known: Floats) -> float:
    return float(np.median(known)) if len(known) else 0.0


def _filled(block: Floats, fill: Floats, flagged: tuple[int, ...]) -> Floats:
    lost = np.isnan(block)
    return np.hstack([np.where(lost, fill, block), lost[:, list(flagged)]])


def _mean_and_spread(block: Floats) -> tuple[Floats, Floats]:
    """The mean and the standard deviation of each column; 1 for one whose numbers differ by no more than rounding does.

    Source: Chan, Golub and LeVeque (1983), "Algorithms for Computing the Sample Variance".
    """
    n = len(block)
    mean = block.sum(axis=0) / n
    apart = block - mean
    # In a unit of its size, a power of two, a column so small that its squares vanish has a spread like any other.
    unit = np.ldexp(1.0, np.frexp(np.abs(apart).max(axis=0, initial=0.0))[1])
    apart /= unit
    left = apart.sum(axis=0)
    apart **= 2
    variance = (apart.sum(axis=0) - left**2 / n) / n
    rounding = n * np.finfo(np.float64).eps
    constant = variance <= rounding * variance + (rounding * (mean / unit)) ** 2
    return mean, np.where(constant, 1.0, np.sqrt(np.maximum(variance, 0)) * unit)
