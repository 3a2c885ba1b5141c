"""Where numbers stand along an axis, and the round numbers that are written beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from goodmeasure.drawing.cells import Floats

Ends = tuple[float | None, float | None]
_ROUND = (1.0, 2.0, 5.0, 10.0)
# Axes are divided into about so many parts, and reach so far beyond what is shown.
_PARTS = 5
_BEYOND = 0.04
# Numbers up to so many are written in full.
_LONGEST = 1e7


@dataclass(frozen=True)
class Scale:
    """An axis from ``low`` to ``high`` with a text at each tick; logarithmic if it says so."""

    low: float
    high: float
    ticks: Mapping[float, str]
    is_log: bool = False

    def __call__(self, values: Floats) -> Floats:
        """How far along the axis values stand: 0 at its beginning, 1 at its end."""
        ends = np.array([self.low, self.high])
        found, (low, high) = (np.log10(values), np.log10(ends)) if self.is_log else (values, ends)
        # Halves, because a difference may leave the range of numbers where both ends do not.
        return np.asarray((found / 2 - low / 2) / (high / 2 - low / 2))


def scale_of(values: Floats, ends: Ends = (None, None), ticks: Mapping[float, str] | None = None) -> Scale:
    """The axis on which these values stand; ends that are given stay as they are, others lie a little beyond."""
    low, high = _reach(values)
    pad = _BEYOND * (high / 2 - low / 2) * 2
    low, high = (low - pad if ends[0] is None else ends[0]), (high + pad if ends[1] is None else ends[1])
    return Scale(low, high, round_ticks(low, high) if ticks is None else ticks)


def logarithmic(values: Floats, ticks: Mapping[float, str]) -> Scale:
    """The logarithmic axis on which these positive values stand."""
    low, high = values.min(), values.max()
    pad = (high / low) ** _BEYOND
    return Scale(float(low / pad), float(high * pad), ticks, is_log=True)


def _reach(values: Floats) -> tuple[float, float]:
    """From the least to the greatest finite value; where they hardly differ, some room around them."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    size = max(abs(low), abs(high))
    if high - low > max(1e-9 * size, 1e-290):
        return low, high
    room = 0.05 * size if size > 1e-280 else 0.5
    return low - room, high + room


def round_ticks(low: float, high: float) -> dict[float, str]:
    """Round numbers between two, about five, with the text of each."""
    part = (high / 2 - low / 2) * 2 / _PARTS
    power = math.floor(math.log10(part))
    step = next(each for unit in _ROUND if (each := unit * 10.0**power) >= part * (1 - 1e-9))
    found = [step * k for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    return {tick: _written(tick, step) for tick in found}


def _written(tick: float, step: float) -> str:
    power = math.floor(math.log10(step) + 1e-9)
    if step >= 1e-5 and abs(tick) < _LONGEST:
        return f"{tick:,.{max(0, -power)}f}"
    digits = 1 if tick == 0 else max(1, math.floor(math.log10(abs(tick)) + 1e-9) - power + 1)
    return f"{tick:.{digits}g}"
