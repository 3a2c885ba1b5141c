"""Axes with lines, points, bands and bars on them, as SVG that follows the page: light or dark, with text as text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Protocol

import numpy as np

from goodmeasure.drawing.cells import Floats
from goodmeasure.drawing.scales import Ends, Scale, logarithmic, scale_of

# Colours by their roles, which the style of the page fills.
INK, QUIET = "var(--ink)", "var(--quiet)"
LOSS, PREDICTION, SIGNAL, BAND = "var(--loss)", "var(--prediction)", "var(--signal)", "var(--band)"
SOLID, DASHED, DOTTED = "", "6 3", "1.5 2.5"

# In points, of which a picture of the usual width has 460.
_FONT, _SMALL = 9.5, 8.5
_TOP, _RIGHT, _BELOW, _GAP = 8.0, 8.0, 32.0, 14.0
_KEY, _LEGEND_LINE = 18.0, 13.0
_LONGEST_NAME = 60

Place = Callable[[Floats, Floats], tuple[Floats, Floats]]


class Mark(Protocol):
    """Something that is drawn on axes."""

    @property
    def label(self) -> str: ...
    @property
    def reach(self) -> tuple[Floats, Floats]: ...

    def drawn(self, at: Place) -> str: ...

    def key(self, x: float, y: float) -> str: ...


@dataclass(frozen=True)
class Stroke:
    """A line through points, broken where one is not finite."""

    x: Floats
    y: Floats
    colour: str
    dash: str = SOLID
    label: str = ""
    width: float = 1.8

    @property
    def reach(self) -> tuple[Floats, Floats]:
        """What the axes must show."""
        return self.x, self.y

    def drawn(self, at: Place) -> str:
        """The line as SVG."""
        return self._path(*at(self.x, self.y))

    def key(self, x: float, y: float) -> str:
        """A piece of the line, for the legend."""
        return self._path(np.array([x, x + _KEY]), np.array([y, y]))

    def _path(self, x: Floats, y: Floats) -> str:
        dash = f' stroke-dasharray="{self.dash}"' if self.dash else ""
        return f'<path d="{_through(x, y)}" fill="none" stroke="{self.colour}" stroke-width="{self.width:g}"{dash}/>'


@dataclass(frozen=True)
class Points:
    """Points, each with a mark: "circle", "square" or "diamond"."""

    x: Floats
    y: Floats
    colour: str
    shape: str = "circle"
    size: float = 3.2
    label: str = ""
    opacity: float = 1.0

    @property
    def reach(self) -> tuple[Floats, Floats]:
        """What the axes must show."""
        return self.x, self.y

    def drawn(self, at: Place) -> str:
        """The points as SVG."""
        places = zip(*at(self.x, self.y), strict=True)
        shown = "".join(self._one(x, y) for x, y in places if np.isfinite([x, y]).all())
        return f'<g fill="{self.colour}" opacity="{self.opacity:g}">{shown}</g>'

    def key(self, x: float, y: float) -> str:
        """One point, for the legend."""
        return f'<g fill="{self.colour}">{self._one(x + _KEY / 2, y)}</g>'

    def _one(self, x: float, y: float) -> str:
        r = self.size
        if self.shape == "circle":
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:g}"/>'
        turned = f' transform="rotate(45 {x:.1f} {y:.1f})"' if self.shape == "diamond" else ""
        return _box(x - r, y - r, 2 * r, 2 * r, turned)


@dataclass(frozen=True)
class Ribbon:
    """The stretch between two curves."""

    x: Floats
    low: Floats
    high: Floats
    colour: str = BAND
    label: str = ""

    @property
    def reach(self) -> tuple[Floats, Floats]:
        """What the axes must show."""
        return np.concatenate([self.x, self.x]), np.concatenate([self.low, self.high])

    def drawn(self, at: Place) -> str:
        """The band as SVG."""
        x, y = at(np.concatenate([self.x, self.x[::-1]]), np.concatenate([self.low, self.high[::-1]]))
        return f'<path d="{_through(x, y)}Z" fill="{self.colour}" opacity="0.45"/>'

    def key(self, x: float, y: float) -> str:
        """A piece of the band, for the legend."""
        return _box(x, y - 4, _KEY, 8, f' fill="{self.colour}" opacity="0.45"')


@dataclass(frozen=True)
class Bars:
    """Bars that stand on zero."""

    left: Floats
    right: Floats
    height: Floats
    colour: str
    label: str = ""

    @property
    def reach(self) -> tuple[Floats, Floats]:
        """What the axes must show."""
        return np.concatenate([self.left, self.right]), np.append(self.height, 0.0)

    def drawn(self, at: Place) -> str:
        """The bars as SVG."""
        left, top = at(self.left, self.height)
        right, foot = at(self.right, np.zeros(len(self.right)))
        sides = zip(left, top, right - left, foot - top, strict=True)
        return f'<g fill="{self.colour}">{"".join(_box(x, y, wide, tall) for x, y, wide, tall in sides)}</g>'

    def key(self, x: float, y: float) -> str:
        """One bar, for the legend."""
        return _box(x, y - 4, _KEY, 8, f' fill="{self.colour}"')


@dataclass(frozen=True)
class Guide:
    """A thin line from edge to edge: across at a height, or up at a place."""

    at: float
    colour: str = INK
    up: bool = False
    label: str = ""

    @property
    def reach(self) -> tuple[Floats, Floats]:
        """What the axes must show."""
        here, nothing = np.array([self.at]), np.empty(0)
        return (here, nothing) if self.up else (nothing, here)

    def drawn(self, at: Place) -> str:
        """The rule as SVG."""
        x, y = at(np.array([self.at]), np.array([self.at]))
        way = f"M{x[0]:.1f},0V9999" if self.up else f"M0,{y[0]:.1f}H9999"
        return f'<path d="{way}" stroke="{self.colour}" stroke-width="0.8"/>'

    def key(self, x: float, y: float) -> str:
        """A piece of the rule, for the legend."""
        return f'<path d="M{x:.1f},{y:.1f}h{_KEY:g}" stroke="{self.colour}" stroke-width="0.8"/>'


@dataclass
class Axes:
    """What is drawn, the names of both axes, and their ends and ticks where they are not those of what is drawn."""

    across: str = ""
    up: str = ""
    x_ends: Ends = (None, None)
    y_ends: Ends = (None, None)
    x_ticks: Mapping[float, str] | None = None
    y_ticks: Mapping[float, str] | None = None
    is_log: bool = False
    marks: list[Mark] = field(default_factory=list)

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
    style = f'style="max-width:{wide:g}pt" font-size="{_FONT}" fill="var(--ink)"'
    return f'<svg {style} viewBox="0 0 {wide:g} {tall:g}">{drawn}</svg>'


def _drawn(axes: Axes, name: str, wide: float, tall: float) -> str:
    scales = axes.scales
    left = 10 + max(map(_width, scales[1].ticks.values()), default=0.0) + (_FONT + 6 if axes.up else 0)
    legend, height = _legend(axes.marks, left, wide - left - _RIGHT)
    top = _TOP + height
    inner, deep = wide - left - _RIGHT, tall - top - _BELOW

    def at(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        return left + scales[0](x) * inner, top + (1 - scales[1](y)) * deep

    clip = f'<clipPath id="{name}">{_box(left - 4, top - 4, inner + 8, deep + 8)}</clipPath>'
    marks = "".join(mark.drawn(at) for mark in axes.marks)
    frame = f'<path d="M{left:.1f},{top:.1f}v{deep:.1f}h{inner:.1f}" fill="none" stroke="{QUIET}" stroke-width="0.8"/>'
    titles = _text(left + inner / 2, tall - 4, axes.across, "middle")
    middle = top + deep / 2
    titles += _text(_FONT, middle, axes.up, "middle", f' transform="rotate(-90 {_FONT:g} {middle:.1f})"')
    return f'{clip}{_ticks(scales, at)}<g clip-path="url(#{name})">{marks}</g>{frame}{titles}{legend}'


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
        room = _KEY + 5 + _width(name, _SMALL) + 12
        if x > left and x + room > left + wide:
            x, y = left, y + _LEGEND_LINE
        found += mark.key(x, y) + _text(x + _KEY + 5, y + 3, name, "start", f' font-size="{_SMALL}"')
        x += room
    return found, y - _TOP + _LEGEND_LINE if named else 0.0


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _width(text: str, size: float = _FONT) -> float:
    """About how wide a text is; letters of the Far East are as wide as they are high."""
    return size * sum(1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.56 for letter in text)


def _text(x: Any, y: Any, text: str, anchor: str, more: str = "") -> str:
    """A text; characters that no XML may hold are shown as the sign for such."""
    kept = "".join(letter if letter.isprintable() or letter == " " else "\ufffd" for letter in text)
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(kept)}</text>' if text else ""


def _box(x: float, y: float, wide: float, tall: float, more: str = "") -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{max(tall, 0):.1f}"{more}/>'


def _through(x: Floats, y: Floats) -> str:
    """A path through points, that begins anew after each that is not finite."""
    found, goes_on = [], False
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        is_there = abs(a) < 1e6 and abs(b) < 1e6
        if is_there:
            found.append(f"{'L' if goes_on else 'M'}{a:.1f},{b:.1f}")
        goes_on = is_there
    return "".join(found)
