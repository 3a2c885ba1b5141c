"""Pictures by matplotlib: the same marks on the same axes as on a page."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np

from goodmeasure.drawing.axes import Axes, are_told_at_their_ends
from goodmeasure.drawing.marks import (
    BAND,
    INK,
    LOSS,
    PREDICTION,
    QUIET,
    SIGNAL,
    Bars,
    Guide,
    Points,
    Ribbon,
    Stroke,
)
from goodmeasure.drawing.picture import Picture
from goodmeasure.drawing.terminal import printable
from goodmeasure.errors import UsageError
from goodmeasure.strict.extras import needed

# The colours of a page on white.
_COLOURS = {
    INK: "#1b1c1e",
    QUIET: "#63666b",
    LOSS: "#b4490b",
    PREDICTION: "#1259b3",
    SIGNAL: "#7a2a9c",
    BAND: "#b9c6d6",
}
_SHAPES = {"circle": "o", "square": "s", "diamond": "D"}
_POINTS_AN_INCH = 72.0
# A picture of a page is read at about this size of a figure.
_LARGER = 1.25


def plot(picture: Picture, ax: Any = None) -> Any:
    """Draw a picture with matplotlib: on ``ax``, which its parts share, or on a figure of its own.

    Returns the axes that were drawn on: one, or an array of several. Errors: GM008 without matplotlib, GM009.
    """
    plt = needed("matplotlib.pyplot", "plot()")
    if not (ax is None or isinstance(ax, plt.Axes)):
        raise UsageError(f"ax is {type(ax).__name__}, not axes of matplotlib", fix="plot(plt.gca())")
    count = len(picture.axes)
    if ax is not None:
        each = [ax] if count == 1 else _parts(ax, count)
    else:
        size = tuple(_LARGER * length / _POINTS_AN_INCH for length in picture.size)
        _, grid = plt.subplots(1, count, figsize=size, layout="constrained", squeeze=False)
        each = list(grid[0])
    for axes, one in zip(picture.axes, each, strict=True):
        _draw(axes, one)
    (ax or each[0]).set_title(_text(picture.question), loc="left", fontsize="medium")
    return each[0] if count == 1 else np.array(each, dtype=object)


def _parts(ax: Any, count: int) -> list[Any]:
    """Axes side by side within given ones, which then show nothing of their own."""
    ax.set_axis_off()
    wide = 1 / (count + 0.25 * (count - 1))
    return [ax.inset_axes([k * 1.25 * wide, 0, wide, 1]) for k in range(count)]


def _draw(axes: Axes, ax: Any) -> None:
    for mark in axes.marks:
        draw(mark, ax)
    ax.set_xlabel(_text(axes.across))
    ax.set_ylabel(_text(axes.up))
    ax.spines[["top", "right"]].set_visible(False)
    if axes.is_log:
        ax.set_xscale("log")
    ax.set_xlim(*axes.x_ends)
    ax.set_ylim(*axes.y_ends)
    if axes.x_ticks is not None:
        ax.set_xticks([*axes.x_ticks], [*map(_text, axes.x_ticks.values())])
        ax.minorticks_off()
    if axes.y_ticks is not None:
        ax.set_yticks([*axes.y_ticks], [*map(_text, axes.y_ticks.values())])
    _name(axes, ax)


def _name(axes: Axes, ax: Any) -> None:
    """The names of the marks: of lines at their ends where they fit there, else in a legend."""
    named = [mark for mark in axes.marks if mark.label]
    if len(named) == 1 and are_told_at_their_ends(axes, 400.0):
        line = named[0]
        assert isinstance(line, Stroke)
        assert line.end is not None
        place = {"xytext": (4, 0), "textcoords": "offset points", "va": "center", "color": _COLOURS[line.colour]}
        ax.annotate(_text(line.label), line.end, annotation_clip=False, **place)
    elif named:
        ax.legend(frameon=False, fontsize="small")


@singledispatch
def draw(mark: Any, ax: Any) -> None:
    """Draw one mark."""
    raise TypeError(f"matplotlib has no drawing of {type(mark).__name__}")


@draw.register
def _stroke(mark: Stroke, ax: Any) -> None:
    dashes = tuple(map(float, mark.dash.split()))
    style: Any = (0, tuple(each / mark.width for each in dashes)) if dashes else "solid"
    ax.plot(
        *_known(mark.x, mark.y), color=_COLOURS[mark.colour], linestyle=style, linewidth=mark.width, label=_label(mark)
    )


@draw.register
def _points(mark: Points, ax: Any) -> None:
    look = {"color": _COLOURS[mark.colour], "alpha": mark.opacity, "marker": _SHAPES[mark.shape]}
    ax.plot(*_known(mark.x, mark.y), linestyle="none", markersize=2 * mark.size, label=_label(mark), **look)


@draw.register
def _ribbon(mark: Ribbon, ax: Any) -> None:
    color = _COLOURS[mark.colour]
    ax.fill_between(mark.x, *_known(mark.low, mark.high), color=color, alpha=0.45, linewidth=0, label=_label(mark))


@draw.register
def _bars(mark: Bars, ax: Any) -> None:
    wide = mark.right - mark.left
    ax.bar(mark.left, mark.height, wide, align="edge", color=_COLOURS[mark.colour], label=_label(mark))


@draw.register
def _guide(mark: Guide, ax: Any) -> None:
    line = ax.axvline if mark.up else ax.axhline
    line(mark.at, color=_COLOURS[mark.colour], linewidth=0.8, label=_label(mark))


def _known(x: Any, y: Any) -> tuple[Any, Any]:
    """Both columns, with nothing where either is not a finite number."""
    lost = ~(np.isfinite(x) & np.isfinite(y))
    return np.where(lost, np.nan, x), np.where(lost, np.nan, y)


def _label(mark: Any) -> str:
    """What a legend calls it: what begins with an underscore would be left out of it."""
    return _text(mark.label).lstrip("_") or "_nothing"


def _text(given: str) -> str:
    """A text as it is: a dollar would begin a formula, and what cannot be printed steers something."""
    return printable(given).replace("$", r"\$")
