"""Small curves that need no plotting library: rows of blocks for a terminal, two lines as SVG for a page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np

from goodmeasure.drawing.cells import Floats

_BLOCKS = "▁▂▃▄▅▆▇█"
# Blue and red that can be told apart on white and on black.
_COLOURS = ("#3b8ad9", "#e0605a")
_WIDE, _TALL = 320.0, 160.0


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


def polylines(x: Floats, curves: Mapping[str, Floats], said: str, *, most: float = 20.0) -> str:
    """Two curves over one axis as SVG, cut off where they leave ``most``, with a legend in the colour of the page.

    Only finite points are drawn; without any there is no picture.
    """
    finite = [float(value) for y in curves.values() for value in y[np.isfinite(y)]]
    if not finite:
        return ""
    low, high = min(finite), min(max(finite), most)
    tall = high - low if high > low else 1.0

    def path(y: Floats) -> str:
        across, up = (x - x[0]) / (x[-1] - x[0]) * _WIDE, _TALL - (y - low) / tall * 150
        kept = (y >= low) & (y <= high)
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across[kept], up[kept], strict=True))

    drawn = "".join(
        f'<polyline points="{path(y)}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for y, colour in zip(curves.values(), _COLOURS, strict=False)
    )
    legend = "".join(
        f'<tspan fill="{colour}"> {escape(name)}</tspan>' for name, colour in zip(curves, _COLOURS, strict=False)
    )
    return (
        f'<svg viewBox="0 0 {_WIDE:g} {_TALL + 15:g}" width="{_WIDE:g}" role="img" aria-label="{escape(said)}">{drawn}'
        f'<text x="4" y="{_TALL + 12:g}" font-size="10" fill="currentColor">{escape(said)}:{legend}</text></svg>'
    )
