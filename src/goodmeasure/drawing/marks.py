"""Marks on axes: lines, points, bands, bars and guides, each with its SVG and its numbers as texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from goodmeasure.drawing.cells import Floats, number

# Colours by their roles, which the style of the page fills.
# Where no style does (a notebook), each is what it is on a light page, and ink is the colour of the text.
INK, QUIET = "var(--ink, currentColor)", "var(--quiet, #808388)"
LOSS, PREDICTION = "var(--loss, #b4490b)", "var(--prediction, #3b7dd8)"
SIGNAL, BAND = "var(--signal, #a055c4)", "var(--band, #b9c6d6)"
SOLID, DASHED, DOTTED = "", "6 3", "1.5 2.5"

Place = Callable[[Floats, Floats], tuple[Floats, Floats]]
# The name of a mark, where it stands, and how high: for those who read numbers.
Rows = list[tuple[str, str, str]]
# The texts that stand on both axes for some numbers.
Texts = tuple[Mapping[float, str], Mapping[float, str]]

KEY = 18.0  # how long a piece of a mark is beside its name, in points


class Mark(Protocol):
    """Something that is drawn on axes."""

    @property
    def label(self) -> str: ...
    @property
    def reach(self) -> tuple[Floats, Floats]: ...

    def rows(self, texts: Texts) -> Rows: ...

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

    @property
    def end(self) -> Floats | None:
        """The last of its points that can be drawn, (2,)."""
        known = np.flatnonzero(np.isfinite(self.x) & np.isfinite(self.y))
        return np.array([self.x[known[-1]], self.y[known[-1]]]) if len(known) else None

    def rows(self, texts: Texts) -> Rows:
        """Its points as texts."""
        return _told(self.label, texts, self.x, self.y)

    def drawn(self, at: Place) -> str:
        """The line as SVG."""
        return self._path(*at(self.x, self.y))

    def key(self, x: float, y: float) -> str:
        """A piece of the line, for the legend."""
        return self._path(np.array([x, x + KEY]), np.array([y, y]))

    def _path(self, x: Floats, y: Floats) -> str:
        line = f'stroke="{self.colour}" stroke-width="{self.width:g}"{_dashes(self.dash)}'
        return f'<path d="{through(x, y)}" fill="none" {line}/>'


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

    def rows(self, texts: Texts) -> Rows:
        """Its points as texts."""
        return _told(self.label, texts, self.x, self.y)

    def drawn(self, at: Place) -> str:
        """The points as SVG."""
        places = zip(*at(self.x, self.y), strict=True)
        shown = "".join(self._one(x, y) for x, y in places if np.isfinite([x, y]).all())
        return f'<g fill="{self.colour}" opacity="{self.opacity:g}">{shown}</g>'

    def key(self, x: float, y: float) -> str:
        """One point, for the legend."""
        return f'<g fill="{self.colour}">{self._one(x + KEY / 2, y)}</g>'

    def _one(self, x: float, y: float) -> str:
        r = self.size
        if self.shape == "circle":
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:g}"/>'
        turned = f' transform="rotate(45 {x:.1f} {y:.1f})"' if self.shape == "diamond" else ""
        return box(x - r, y - r, 2 * r, 2 * r, turned)


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

    def rows(self, texts: Texts) -> Rows:
        """From where to where it reaches, as texts."""
        low, high = (_told(self.label, texts, self.x, ends) for ends in (self.low, self.high))
        return [(name, x, f"{a} to {b}") for (name, x, a), (_, _, b) in zip(low, high, strict=True)]

    def drawn(self, at: Place) -> str:
        """The band as SVG."""
        x, y = at(np.concatenate([self.x, self.x[::-1]]), np.concatenate([self.low, self.high[::-1]]))
        return f'<path d="{through(x, y)}Z" fill="{self.colour}" opacity="0.45"/>'

    def key(self, x: float, y: float) -> str:
        """A piece of the band, for the legend."""
        return box(x, y - 4, KEY, 8, f' fill="{self.colour}" opacity="0.45"')


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

    def rows(self, texts: Texts) -> Rows:
        """From where to where each stands, and how high, as texts."""
        left, right = (_told(self.label, texts, ends, self.height) for ends in (self.left, self.right))
        return [(name, f"{a} to {b}", height) for (name, a, height), (_, b, _) in zip(left, right, strict=True)]

    def drawn(self, at: Place) -> str:
        """The bars as SVG."""
        left, top = at(self.left, self.height)
        right, foot = at(self.right, np.zeros(len(self.right)))
        sides = zip(left, top, right - left, foot - top, strict=True)
        return f'<g fill="{self.colour}">{"".join(box(x, y, wide, tall) for x, y, wide, tall in sides)}</g>'

    def key(self, x: float, y: float) -> str:
        """One bar, for the legend."""
        return box(x, y - 4, KEY, 8, f' fill="{self.colour}"')


@dataclass(frozen=True)
class Guide:
    """A thin line from edge to edge: across at a height, or up at a place."""

    at: float
    colour: str = INK
    up: bool = False
    label: str = ""
    dash: str = SOLID
    width: float = 0.8

    @property
    def reach(self) -> tuple[Floats, Floats]:
        """What the axes must show."""
        here, nothing = np.array([self.at]), np.empty(0)
        return (here, nothing) if self.up else (nothing, here)

    def rows(self, texts: Texts) -> Rows:
        """A line that helps to read the others is no number; one that has a name is."""
        if not self.label:
            return []
        return [(self.label, number(self.at), "") if self.up else (self.label, "", number(self.at))]

    def drawn(self, at: Place) -> str:
        """The rule as SVG."""
        x, y = at(np.array([self.at]), np.array([self.at]))
        way = f"M{x[0]:.1f},0V9999" if self.up else f"M0,{y[0]:.1f}H9999"
        return self._path(way)

    def key(self, x: float, y: float) -> str:
        """A piece of the rule, for the legend."""
        return self._path(f"M{x:.1f},{y:.1f}h{KEY:g}")

    def _path(self, way: str) -> str:
        return f'<path d="{way}" stroke="{self.colour}" stroke-width="{self.width:g}"{_dashes(self.dash)}/>'


def _dashes(dash: str) -> str:
    return f' stroke-dasharray="{dash}"' if dash else ""


def _told(label: str, texts: Texts, x: Floats, y: Floats) -> Rows:
    """Points as texts: by the names that the axes have for them, else as numbers."""
    across, up = texts
    pairs = zip(x.tolist(), y.tolist(), strict=True)
    return [(label, across.get(a) or number(a), up.get(b) or number(b)) for a, b in pairs]


def box(x: float, y: float, wide: float, tall: float, more: str = "") -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{max(tall, 0):.1f}"{more}/>'


def through(x: Floats, y: Floats) -> str:
    """A path through points, that begins anew after each that is not finite."""
    found, goes_on = [], False
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        is_there = abs(a) < 1e6 and abs(b) < 1e6
        if is_there:
            found.append(f"{'L' if goes_on else 'M'}{a:.1f},{b:.1f}")
        goes_on = is_there
    return "".join(found)
