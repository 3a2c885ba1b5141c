"""Small curves for a terminal: rows of blocks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from goodmeasure.drawing.cells import Floats

_BLOCKS = "▁▂▃▄▅▆▇█"


def blocks(x: Floats, curves: Mapping[str, Floats], said: str) -> list[str]:
    """Each curve as a line of blocks between its least and its greatest value, and the axis below them.

    Where a value is not finite there is no block, and a curve of such values alone is left out.
    """
    found = [f"{name:<7}{_line(y)}" for name, y in curves.items() if np.isfinite(y).any()]
    half = len(x) // 2
    return [*found, f"{'z':<7}{x[0]:<{half}g}0{x[-1]:>{half}g}   {said}"]


def lines(x: Floats, curves: Mapping[str, Floats], axis: str) -> list[str]:
    """Each curve as a line of blocks after its name, and below them what runs from left to right."""
    wide = max(len(name) for name in (*curves, axis)) + 2
    found = [f"{name:<{wide}}{_line(y)}" for name, y in curves.items()]
    return [*found, f"{axis:<{wide}}{x[0]:<{len(x) - len(f'{x[-1]:.3g}')}.3g}{x[-1]:.3g}"]


def bars(values: Mapping[str, float], *, wide: int = 24) -> list[str]:
    """Each number as a bar after its name, the largest as long as ``wide``."""
    name, most = max(map(len, values)) + 2, max(map(abs, values.values())) or 1.0
    return [f"{each:<{name}}{'█' * round(wide * abs(value) / most)} {value:.3g}" for each, value in values.items()]


def _line(y: Floats) -> str:
    kept = np.isfinite(y)
    low, high = float(y[kept].min()), float(y[kept].max())
    levels = np.round((np.where(kept, y, low) - low) / (high - low if high > low else 1.0) * 7).astype(int)
    drawn = "".join(_BLOCKS[level] if there else " " for level, there in zip(levels, kept, strict=True))
    return f"{drawn}  {low:.3g} to {high:.3g}"
