"""Marks of pictures that a script moves: drawn as all others are, and found again by their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from goodmeasure.drawing.axes import Axes, are_told_at_their_ends
from goodmeasure.drawing.cells import Floats
from goodmeasure.drawing.marks import Mark, Place, Rows, Texts, box
from goodmeasure.drawing.picture import Picture

_HEAD = 6.0  # of an arrow, in points


@dataclass(frozen=True)
class _Around:
    """A mark that is drawn as another is."""

    mark: Mark

    @property
    def label(self) -> str:
        """The name of the mark in the legend."""
        return self.mark.label

    @property
    def reach(self) -> tuple[Floats, Floats]:
        """What the axes must show."""
        return self.mark.reach

    def rows(self, texts: Texts) -> Rows:
        """Its numbers as texts."""
        return self.mark.rows(texts)

    def drawn(self, at: Place) -> str:
        """The mark as SVG."""
        return self.mark.drawn(at)

    def key(self, x: float, y: float) -> str:
        """A piece of the mark, for the legend."""
        return self.mark.key(x, y)


@dataclass(frozen=True)
class Named(_Around):
    """A mark that a script finds by this name."""

    name: str

    def drawn(self, at: Place) -> str:
        """The mark as SVG, in a group of this name."""
        return f'<g data-mark="{self.name}">{self.mark.drawn(at)}</g>'


@dataclass(frozen=True)
class KeyedBeside(_Around):
    """A mark whose name stands beside the picture: there it can be read at any width."""

    @property
    def label(self) -> str:
        """None in the picture."""
        return ""


class ToldInWords:
    """A mark that no legend and no table names: what it shows stands in words beside the picture."""

    @property
    def label(self) -> str:
        """None."""
        return ""

    def rows(self, texts: Texts) -> Rows:
        """None."""
        return []

    def key(self, x: float, y: float) -> str:
        """Nothing."""
        return ""


@dataclass(frozen=True)
class AnswerMarks(ToldInWords):
    """Answers of a model: full where they are right, and rings where they are wrong."""

    x: Floats
    y: Floats
    wrong: Sequence[bool]

    @property
    def reach(self) -> tuple[Floats, Floats]:
        """What the axes must show."""
        return self.x, self.y

    def drawn(self, at: Place) -> str:
        """The answers as SVG, whose style says what is wrong."""
        places = zip(*at(self.x, self.y), self.wrong, strict=True)
        return "".join(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" class="{"wrong" if wrong else "right"}"/>'
            for x, y, wrong in places
        )


@dataclass(frozen=True)
class LabelledPoints(ToldInWords):
    """Points of yes, full, and of no, rings; those whose label is a mistake stand out."""

    x: Floats
    y: Floats
    yes: Sequence[bool]
    mistaken: Sequence[bool]
    size: float = 2.7

    @property
    def reach(self) -> tuple[Floats, Floats]:
        """What the axes must show."""
        return self.x, self.y

    def drawn(self, at: Place) -> str:
        """The points as SVG, whose style says which is which."""
        places = zip(*at(self.x, self.y), self.yes, self.mistaken, strict=True)
        return "".join(
            self._one(x, y, f"{'yes' if yes else 'no'}{' mistaken' * mistaken}") for x, y, yes, mistaken in places
        )

    def _one(self, x: float, y: float, name: str) -> str:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{self.size:g}" class="{name}"/>'


@dataclass(frozen=True)
class Coins(ToldInWords):
    """Coins in a row, so many of which are full; the last of these in part."""

    full: float
    count: int

    @property
    def reach(self) -> tuple[Floats, Floats]:
        """What the axes must show."""
        return np.array([0.0, float(self.count)]), np.array([0.0, 1.0])

    def drawn(self, at: Place) -> str:
        """The coins as SVG."""
        middles = np.arange(0.5, self.count, dtype=np.float64)
        places = zip(*at(middles, np.full(self.count, 0.5)), strict=True)
        return "".join(self._one(x, y, min(max(self.full - k, 0.0), 1.0)) for k, (x, y) in enumerate(places))

    def _one(self, x: float, y: float, part: float) -> str:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="12" class="coin" fill-opacity="{part:.3f}"/>'


@dataclass(frozen=True)
class Square(ToldInWords):
    """A square that stands on both axes."""

    side: float
    colour: str
    opacity: float

    @property
    def reach(self) -> tuple[Floats, Floats]:
        """What the axes must show."""
        return np.array([0.0, self.side]), np.array([0.0, self.side])

    def drawn(self, at: Place) -> str:
        """The square as SVG."""
        (left, right), (foot, top) = at(np.array([0.0, self.side]), np.array([0.0, self.side]))
        return box(left, top, right - left, foot - top, f' fill="{self.colour}" fill-opacity="{self.opacity:g}"')


@dataclass(frozen=True)
class Arrow(ToldInWords):
    """An arrow from a place to the right, of a length in points; to the left where that is negative."""

    x: float
    y: float
    length: float
    colour: str

    @property
    def reach(self) -> tuple[Floats, Floats]:
        """What the axes must show."""
        return np.array([self.x]), np.array([self.y])

    def drawn(self, at: Place) -> str:
        """The arrow as SVG."""
        x, y = (float(place[0]) for place in at(np.array([self.x]), np.array([self.y])))
        head = float(np.sign(self.length)) * min(_HEAD, abs(self.length))
        way = f"M{x:.1f},{y:.1f}H{x + self.length:.1f}m{-head:.1f},-4l{head:.1f},4l{-head:.1f},4"
        return f'<path d="{way}" fill="none" stroke="{self.colour}" stroke-width="2.6"/>'


def ends(axes: Axes) -> str:
    """From where to where both axes reach, for the script."""
    return " ".join(f"{end:g}" for scale in axes.scales for end in (scale.low, scale.high))


def keyed(picture: Picture) -> list[Mark]:
    """The marks of a picture whose names stand beside it: all that have one, unless they are told where lines end."""
    if are_told_at_their_ends(picture.axes[0], picture.size[0]):
        return []
    return [mark for mark in picture.axes[0].marks if mark.label]


def without_keys(picture: Picture) -> Picture:
    """The picture without the names that stand beside it."""
    if not keyed(picture):
        return picture
    return replace(picture, axes=tuple(replace(each, marks=[*map(KeyedBeside, each.marks)]) for each in picture.axes))


def stacked(y: Floats, room: float = 0.06) -> Floats:
    """How far each of many answers is moved off its line, so that neighbours do not hide each other."""
    return np.asarray(room * (np.arange(len(y)) % 3 - 1))
