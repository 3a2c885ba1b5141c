"""Axes with marks on them, as SVG that follows the page: light or dark, with text as text."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any
from zlib import crc32

import numpy as np

from goodmeasure.drawing.cells import Floats
from goodmeasure.drawing.marks import INK, KEY, QUIET, Mark, Place, Rows, Stroke, box
from goodmeasure.drawing.scales import Ends, Scale, logarithmic, scale_of

# Numbers of one mark, that a reader or one who hears the page can take in.
MOST_ROWS = 24

# In points, of which a picture of the usual width has 460.
_FONT, _SMALL = 9.5, 8.5
_TOP, _RIGHT, _BELOW, _GAP = 8.0, 8.0, 32.0, 14.0
_LEGEND_LINE = 13.0
_OVER, _BESIDE = 4.0, 6.0  # how far marks may leave the axes, and where the names of lines begin
_LONGEST_NAME = 60
# Lines are named where they end if so few have a name, which takes at most such a part of the width, and if they end there.
_MOST_DIRECT, _MOST_OF_WIDTH, _RIGHTMOST = 6, 0.3, 0.9
_LINE = 10.5
_WIDE, _NARROW = "mwMW%@…", "iIjlrtf.,:;|!'()[]-/ "


@dataclass
class Axes:
    """What is drawn, the names of both axes, and their ends and ticks where they are not those of what is drawn.

    Axes that measure nothing are not framed: they only lend their marks a place.
    """

    across: str = ""
    up: str = ""
    x_ends: Ends = (None, None)
    y_ends: Ends = (None, None)
    x_ticks: Mapping[float, str] | None = None
    y_ticks: Mapping[float, str] | None = None
    is_log: bool = False
    is_framed: bool = True
    marks: list[Mark] = field(default_factory=list)

    @property
    def rows(self) -> Rows:
        """The numbers of all marks as texts, thinned where a mark has many."""
        texts = self.x_ticks or {}, self.y_ticks or {}
        return [row for mark in self.marks for row in _thinned(mark.rows(texts))]

    def add(self, *marks: Mark) -> None:
        """Draw these on top of what there is."""
        self.marks += marks

    @property
    def scales(self) -> tuple[Scale, Scale]:
        """Both axes, so long that every mark has its place."""
        x, y = (np.concatenate(each) for each in zip(*(mark.reach for mark in self.marks), strict=True))
        first = logarithmic(x, self.x_ticks or {}) if self.is_log else scale_of(x, self.x_ends, self.x_ticks)
        return first, scale_of(y, self.y_ends, self.y_ticks)


def svg(name: str, each: Sequence[Axes], size: tuple[float, float]) -> str:
    """The picture of axes side by side, in points; its name sets its parts apart from those of other pictures of a page."""
    wide, tall = size
    part = (wide - _GAP * (len(each) - 1)) / len(each)
    drawn = "".join(
        f'<g transform="translate({k * (part + _GAP):.1f} 0)">{_drawn(axes, f"{name}-{k}", part, tall)}</g>'
        for k, axes in enumerate(each)
    )
    style = f'style="max-width:{wide:g}pt" font-size="{_FONT}" fill="{INK}"'
    return f'<svg {style} viewBox="0 0 {wide:g} {tall:g}">{drawn}</svg>'


def _drawn(axes: Axes, name: str, wide: float, tall: float) -> str:
    scales = axes.scales
    left = 10 + max(map(_width, scales[1].ticks.values()), default=0.0) + (_FONT + 6 if axes.up else 0)
    is_direct = are_told_at_their_ends(axes, wide)
    direct = [mark for mark in axes.marks if is_direct and isinstance(mark, Stroke) and mark.label]
    right = _RIGHT + max((_BESIDE + _width(mark.label, _SMALL) for mark in direct), default=0.0)
    legend, height = _legend([] if direct else axes.marks, left, wide - left - _RIGHT)
    top = _TOP + height
    inner, deep = wide - left - right, tall - top - _BELOW

    def at(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        return left + scales[0](x) * inner, top + (1 - scales[1](y)) * deep

    cut = box(left - _OVER, top - _OVER, inner + 2 * _OVER, deep + 2 * _OVER)
    # A notebook is one page: pictures of the same name stand on it, and each is cut by its own box.
    name = f"{name}-{crc32(cut.encode()):08x}"
    clip = f'<clipPath id="{name}">{cut}</clipPath>'
    marks = "".join(mark.drawn(at) for mark in axes.marks)
    frame = _frame(left, top, inner, deep) if axes.is_framed else ""
    titles = _text(left + inner / 2, tall - 4, axes.across, "middle")
    middle = top + deep / 2
    titles += _text(_FONT, middle, axes.up, "middle", f' transform="rotate(-90 {_FONT:g} {middle:.1f})"')
    labels = _end_labels(direct, at, (top, top + deep), left + inner + _BESIDE)
    return f'{clip}{_ticks(scales, at)}<g clip-path="url(#{name})">{marks}</g>{frame}{titles}{legend}{labels}'


def _frame(left: float, top: float, inner: float, deep: float) -> str:
    """A line down the left side and along the foot."""
    return f'<path d="M{left:.1f},{top:.1f}v{deep:.1f}h{inner:.1f}" fill="none" stroke="{QUIET}" stroke-width="0.8"/>'


def _thinned(rows: Rows) -> Rows:
    """So many rows from end to end."""
    if len(rows) <= MOST_ROWS:
        return rows
    step = (len(rows) - 1) / (MOST_ROWS - 1)
    return [rows[round(k * step)] for k in range(MOST_ROWS)]


def are_told_at_their_ends(axes: Axes, wide: float) -> bool:
    """Whether what has a name is lines only, few, of short names, that end at the right of axes so wide."""
    named = [mark for mark in axes.marks if mark.label]
    lines = [mark for mark in named if isinstance(mark, Stroke)]
    if not 0 < len(lines) == len(named) <= _MOST_DIRECT:
        return False
    ends = [line.end for line in lines]
    across = axes.scales[0]
    to_the_right = all(end is not None and across(end[:1])[0] > _RIGHTMOST for end in ends)
    return to_the_right and all(_width(line.label, _SMALL) <= _MOST_OF_WIDTH * wide for line in lines)


def _end_labels(lines: Sequence[Stroke], at: Place, room: tuple[float, float], beside: float) -> str:
    """The names of lines at the height of their ends, beside the axes, where no mark crosses them, and pushed apart."""
    ends = [at(end[:1], end[1:]) for line in lines if (end := line.end) is not None]
    heights = _apart([float(y[0]) for _, y in ends], room)
    return "".join(
        _text(beside, height + 3, line.label, "start", f' font-size="{_SMALL}" fill="{line.colour}"')
        for line, height in zip(lines, heights, strict=True)
    )


def _apart(heights: Sequence[float], room: tuple[float, float]) -> list[float]:
    """These heights, moved as little as keeps a line of text between each two, from the top downwards and back."""
    order = np.argsort(heights, kind="stable")
    found = np.clip(np.array(heights, dtype=np.float64)[order], *room)
    for k in range(1, len(found)):
        found[k] = max(found[k], found[k - 1] + _LINE)
    if len(found) and found[-1] > room[1]:
        found[-1] = room[1]
        for k in range(len(found) - 2, -1, -1):
            found[k] = min(found[k], found[k + 1] - _LINE)
    moved = np.empty_like(found)
    moved[order] = found
    return [float(height) for height in moved]


def _ticks(scales: tuple[Scale, Scale], at: Place) -> str:
    x, y = (np.array([*scale.ticks], dtype=np.float64) for scale in scales)
    across, foot = at(x, np.full(len(x), scales[1].low))
    side, up = at(np.full(len(y), scales[0].low), y)
    short = "".join(f"M{a:.1f},{b:.1f}v3.5" for a, b in zip(across, foot, strict=True))
    short += "".join(f"M{a:.1f},{b:.1f}h-3.5" for a, b in zip(side, up, strict=True))
    below = zip(across, foot, scales[0].ticks.values(), strict=True)
    beside = zip(side, up, scales[1].ticks.values(), strict=True)
    texts = "".join(_text(a, b + 13, text, "middle") for a, b, text in below)
    texts += "".join(_text(a - 6, b + 3.2, text, "end") for a, b, text in beside)
    return f'<path d="{short}" stroke="{QUIET}" stroke-width="0.8"/>{texts}'


def _legend(marks: Sequence[Mark], left: float, wide: float) -> tuple[str, float]:
    """The names of the marks that have one, in lines above the axes, and how much room they take."""
    named = [mark for mark in marks if mark.label]
    x, y, found = left, _TOP + 2, ""
    for mark in named:
        name = _cut(mark.label)
        room = KEY + 5 + _width(name, _SMALL) + 12
        if x > left and x + room > left + wide:
            x, y = left, y + _LEGEND_LINE
        found += mark.key(x, y) + _text(x + KEY + 5, y + 3, name, "start", f' font-size="{_SMALL}"')
        x += room
    return found, y - _TOP + _LEGEND_LINE if named else 0.0


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _width(text: str, size: float = _FONT) -> float:
    """About how wide a text is, rather too wide than too narrow."""
    return size * sum(map(_letter, text))


def _letter(letter: str) -> float:
    """How wide a letter is in parts of its height; those of the Far East are as wide as they are high."""
    if unicodedata.east_asian_width(letter) in "WF" or letter in _WIDE:
        return 1.0
    return 0.4 if letter in _NARROW else 0.7 if letter.isupper() else 0.6


def _text(x: Any, y: Any, text: str, anchor: str, more: str = "") -> str:
    """A text; characters that no XML may hold are shown as the sign for such."""
    kept = "".join(letter if letter.isprintable() or letter == " " else "\ufffd" for letter in text)
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(kept)}</text>' if text else ""
