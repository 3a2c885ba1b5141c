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
    """Each curve as a line of blocks between its least and its greatest value, and the axis below them."""
    found = []
    for name, y in curves.items():
        low, high = float(y.min()), float(y.max())
        levels = np.round((y - low) / (high - low if high > low else 1.0) * 7).astype(int)
        found.append(f"{name:<7}{''.join(_BLOCKS[level] for level in levels)}  {low:.3g} to {high:.3g}")
    half = len(x) // 2
    return [*found, f"{'z':<7}{x[0]:<{half}g}0{x[-1]:>{half}g}   {said}"]


def polylines(x: Floats, curves: Mapping[str, Floats], said: str, *, most: float = 20.0) -> str:
    """Two curves over one axis as SVG, cut off where they leave ``most``, with a legend in the colour of the page."""
    low = min(float(y.min()) for y in curves.values())
    high = min(max(float(y.max()) for y in curves.values()), most)
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
