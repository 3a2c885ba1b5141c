"""What each picture shows: the question that it answers, and the marks that answer it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.drawing.axes import Axes
from goodmeasure.drawing.cells import Floats, Interval
from goodmeasure.drawing.display import Display
from goodmeasure.drawing.marks import (
    BAND,
    DASHED,
    DOTTED,
    INK,
    LOSS,
    PREDICTION,
    QUIET,
    SIGNAL,
    SOLID,
    Bars,
    Guide,
    Points,
    Ribbon,
    Stroke,
)
from goodmeasure.drawing.picture import Picture
from goodmeasure.drawing.scales import Ends
from goodmeasure.drawing.terminal import printable

MOST_POINTS = 400
_HALF, _SMALL = 360.0, (260.0, 160.0)
_WHISKER = 0.05  # of a line, where there are three or more
_LONGEST = 32  # letters of a name beside an axis
_BARS = 24
_THIN = 0.8
# Curves that are told apart by colour and by dashes, and points by colour and by shape: twelve of each.
_COLOURS, _DASHES, _SHAPES = (PREDICTION, LOSS, SIGNAL, QUIET), (SOLID, DASHED, DOTTED), ("circle", "square", "diamond")
_LOOKS = [(_COLOURS[k % 4], _DASHES[(k + k // 4) % 3]) for k in range(12)]
# Where intervals lie within so small a part of their height above zero, an axis from zero would show them as one.
_NARROW = 0.25


def thinned(*columns: Floats, most: int = MOST_POINTS) -> list[Floats]:
    """Columns cut down to so many rows, the first and the last kept."""
    n = len(columns[0])
    rows = np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.intp))
    return [column[rows] for column in columns]


def loss_and_signal(
    prediction: Floats, curves: Sequence[tuple[str, Floats, Floats]], across: str = "prediction"
) -> Picture:
    """What a prediction costs, and how hard it is pulled: losses and signals for a few targets, each with its name."""
    losses = Axes(across=across, up="loss")
    signals = Axes(across=across, up="signal on the raw output")
    signals.add(Guide(0.0, QUIET))
    for (name, value, signal), dash in zip(curves, (SOLID, DASHED, DOTTED), strict=False):
        losses.add(Stroke(prediction, value, LOSS, dash, name))
        signals.add(Stroke(prediction, signal, SIGNAL, dash, name))
    return Picture("loss", "What does a prediction cost, and how hard is it pulled?", (losses, signals), (620, 190))


def intervals(
    name: str, question: str, rows: Sequence[tuple[str, Interval]], across: str = "", zero: bool = False
) -> Picture:
    """Numbers with their intervals, one a line from above; with a line at zero where that is what they are held against."""
    ticks = {-float(k): shortened(label) for k, (label, _) in enumerate(rows)}
    axes = Axes(across=across, y_ends=(-len(rows) + 0.5, 0.5), y_ticks=ticks)
    if zero:
        axes.add(Guide(0.0, QUIET, up=True))
    for place, (_, each) in enumerate(rows):
        level, whisker = np.full(2, -float(place)), np.array([-_WHISKER, _WHISKER]) * min(len(rows), 3) - place
        axes.add(Stroke(np.array([each.low, each.high]), level, PREDICTION))
        axes.add(*(Stroke(np.full(2, end), whisker, PREDICTION) for end in (each.low, each.high)))
        axes.add(Points(np.array([each.value]), level[:1], PREDICTION))
    return Picture(name, question, (axes,), (380, 52.0 + 22.0 * len(rows)))


def risks(rows: Sequence[tuple[str, Interval]]) -> Picture:
    """Mean losses with their intervals."""
    found = intervals("risks", "How bad is it on rows it never saw?", rows, "mean loss")
    low, high = min(each.low for _, each in rows), max(each.high for _, each in rows)
    if low >= 0 and not high - low < _NARROW * high:
        found.axes[0].x_ends = (0.0, None)
    return found


def curve(name: str, question: str, x: Floats, band: Sequence[Interval], names: tuple[str, str] = ("", "")) -> Picture:
    """A curve with the band of its intervals."""
    value, low, high = np.array(band, dtype=np.float64).reshape(-1, 3).T
    axes = Axes(across=names[0], up=names[1])
    axes.add(Ribbon(x, low, high), Stroke(x, value, PREDICTION))
    return Picture(name, question, (axes,), (_HALF, 230))


def calibration_curves(curves: Sequence[tuple[Any, str]], unit: bool) -> Picture:
    """What was seen at each prediction, with the band in which calibrated predictions of the last would lie."""
    axes = Axes(across="prediction", up="what was seen")
    for curve, name in curves:
        is_main = curve is curves[-1][0]
        p, seen, low, high = thinned(curve.prediction, curve.seen, curve.low, curve.high)
        if is_main:
            axes.add(Ribbon(p, low, high, label=f"{curve.band} band"))
        axes.add(Stroke(p, seen, PREDICTION if is_main else QUIET, SOLID if is_main else DASHED, name))
    first = curves[0][0].prediction
    ends = (0.0, 1.0) if unit else (float(first.min()), float(first.max()))
    axes.add(_diagonal(*ends))
    question = "When it says 70 %, is it 70 %?" if unit else "Do predictions mean what they say?"
    return Picture("calibration", question, (axes,), (_HALF, 260))


def _diagonal(low: float, high: float, colour: str = INK) -> Stroke:
    return Stroke(np.array([low, high]), np.array([low, high]), colour, width=_THIN)


def spread(prediction: Floats, y: NDArray[Any] | None, names: tuple[str, str] = ("no", "yes")) -> Picture:
    """How predictions are spread; of no and of yes, by their names, apart where the target is one of them."""
    axes = Axes(across="prediction", up="rows", y_ends=(0.0, None))
    edges = np.histogram_bin_edges(prediction, bins=_BARS)
    left, step = edges[:-1], np.diff(edges)
    parts = [("", prediction, PREDICTION)]
    if y is not None:
        parts = [(names[0], prediction[y == 0], BAND), (names[1], prediction[y == 1], PREDICTION)]
    each = 0.9 / len(parts)
    for k, (name, values, colour) in enumerate(parts):
        start = left + step * (0.05 + each * k)
        axes.add(Bars(start, start + step * each, np.histogram(values, edges)[0].astype(float), colour, name))
    return Picture("spread", "How sure does it sound?", (axes,), (_HALF, 170))


def prices(
    ratio: Floats, band: Sequence[Interval], always: Floats, never: Floats, mine: float | None = None
) -> Picture:
    """What acting from p = c on costs at every cost ratio c, beside always and never acting, and the ratio of one's own costs."""
    value, low, high = np.array(band, dtype=np.float64).T
    axes = Axes(across="false alarm / (false alarm + miss)", up="cost a row", x_ends=(0.0, 1.0))
    without = float(np.minimum(always, never).max())
    axes.y_ends = (0.0, 1.25 * without if without > 0 else None)
    axes.add(Ribbon(ratio, low, high))
    axes.add(Stroke(ratio, always, QUIET, DASHED, "always acting"), Stroke(ratio, never, QUIET, DOTTED, "never acting"))
    axes.add(Stroke(ratio, value, LOSS, label="acting by the model"))
    if mine is not None:
        axes.add(Guide(mine, INK, up=True, label=f"your costs ({mine:.3g})"))
    return Picture("prices", "What if the costs are wrong?", (axes,), (400, 230))


def concentration(curves: Sequence[tuple[str, str, Floats]]) -> Picture:
    """Which part of the whole the worst rows carry, by names and colours: a diagonal would mean that all carry alike."""
    axes = Axes(across="worst part of the rows", up="part they carry", x_ends=(0.0, 1.0), y_ends=(0.0, 1.02))
    axes.add(_diagonal(0.0, 1.0, QUIET))
    for name, colour, values in curves:
        ordered = np.sort(values)[::-1]
        total = ordered.sum()
        if not (np.isfinite(total) and total > 0):
            continue
        share = np.concatenate([[0.0], np.cumsum(ordered) / total])
        place, share = thinned(np.linspace(0, 1, len(share)), share)
        axes.add(Stroke(place, share, colour, label=name))
    return Picture("carried", "Who carries the loss?", (axes,), (_HALF, 230))


def choice(
    path: Sequence[tuple[float, float, float]], setting: str, chosen: float, judges: str = "rows to tune"
) -> Picture:
    """The mean loss on rows to fit and on those that judge along what was tried, and what was chosen."""
    values, fit, tune = np.array(path, dtype=np.float64).T
    axes = Axes(across=setting, up="mean loss")
    if values.min() > 0 and values.max() > 100 * values.min():
        axes.is_log, axes.x_ticks = (
            True,
            {value: f"{value:g}" for value in values[:: max(1, len(values) // 6)].tolist()},
        )
    axes.add(Guide(chosen, up=True, label="chosen"))
    axes.add(Stroke(values, fit, QUIET, DASHED, "rows to fit"), Stroke(values, tune, LOSS, label=judges))
    return Picture("choice", f"Which {setting}?", (axes,), (_HALF, 200))


def amounts(prediction: Floats, y: Floats) -> Picture:
    """Predicted against seen amounts, with the diagonal."""
    rows = np.random.default_rng(0).permutation(len(y))[:MOST_POINTS]
    axes = Axes(across="predicted", up="seen")
    axes.add(Points(prediction[rows], y[rows], PREDICTION, size=1.6, opacity=0.5))
    axes.add(_diagonal(float(min(prediction.min(), y[rows].min())), float(max(prediction.max(), y[rows].max()))))
    return Picture("amounts", "How near do predictions come?", (axes,), (_HALF, 260))


def shares(rows: Sequence[tuple[str, float, float]]) -> Picture:
    """How often classes were predicted, on average, beside how often they were seen, one a line from above."""
    ticks = {-float(k): shortened(name) for k, (name, _, _) in enumerate(rows)}
    axes = Axes(across="share of the rows", x_ends=(0.0, None), y_ends=(-len(rows) + 0.5, 0.5), y_ticks=ticks)
    place = -np.arange(len(rows), dtype=np.float64)
    predicted, seen = np.array([[p, share] for _, p, share in rows]).T
    axes.add(*(Stroke(np.array(ends), np.full(2, at), QUIET) for at, *ends in zip(place, predicted, seen, strict=True)))
    axes.add(
        Points(seen, place, INK, "square", size=4.4, label="seen"),
        Points(predicted, place, PREDICTION, label="predicted"),
    )
    return Picture("shares", "How often is each said, and how often seen?", (axes,), (_HALF, 70.0 + 20.0 * len(rows)))


def shortened(name: str, longest: int = _LONGEST) -> str:
    """A name as it stands beside an axis."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def effect(
    number: int, column: str, places: Sequence[Any], means: Floats, names: Sequence[str], ends: Ends = (None, None)
) -> Picture:
    """The mean prediction at values of a column: a line over numbers, points beside texts, one of each for each class."""
    along = [place for place in places if isinstance(place, float)]
    named = len(along) < len(places)
    at = -np.arange(len(places), dtype=np.float64) if named else np.array(along)
    column = printable(column)
    axes = Axes(across=shortened(column), up="mean prediction", y_ends=ends)
    if named:  # one below the other, where their names have room
        ticks = {-float(k): shortened(printable(str(place)), _LONGEST // 2) for k, place in enumerate(places)}
        axes = Axes(across="mean prediction", x_ends=ends, y_ends=(-len(places) + 0.5, 0.5), y_ticks=ticks)
    classes = list(means.T) if means.ndim == 2 else [means]
    for k, mean in enumerate(classes):
        label, (colour, dash) = printable(names[k]) if len(classes) > 1 else "", _LOOKS[k % len(_LOOKS)]
        shape = _SHAPES[k // len(_COLOURS) % len(_SHAPES)]
        axes.add(Points(mean, at, colour, shape, label=label) if named else Stroke(at, mean, colour, dash, label))
    return Picture(f"effect-{number}", f"What if {column} had one value in all rows?", (axes,), _SMALL)


def picture_of(display: Display) -> Picture | None:
    """What a display looks like: the curve that it holds, or its intervals below each other; None where it has neither."""
    held = {name: display.cells(name) for name in display.columns if name not in display.aside}
    banded = next((name for name, cells in held.items() if any(isinstance(cell, Interval) for cell in cells)), None)
    if display.is_curve:
        return _of_curve(display.title, held, banded)
    if banded is None:
        return None
    names = next(
        (cells for cells in held.values() if all(isinstance(cell, str) for cell in cells)), [""] * display.rows
    )
    rows = [(str(name), each) for name, each in zip(names, held[banded], strict=True) if isinstance(each, Interval)]
    return intervals("intervals", display.title, rows, banded)


def _of_curve(title: str, held: dict[str, list[Any]], banded: str | None) -> Picture:
    """A curve with its band, or all columns of numbers over the first."""
    (across, x), *rest = held.items()
    known = np.isfinite(np.array(x, dtype=np.float64))
    place = np.array(x, dtype=np.float64)[known]
    if banded is not None:
        kept = [each for each, there in zip(held[banded], known, strict=True) if there]
        return curve("curve", title, place, kept, (across, banded))
    axes = Axes(across=across)
    for (name, values), (colour, dash) in zip(rest, _LOOKS, strict=False):
        axes.add(Stroke(place, np.array(values, dtype=np.float64)[known], colour, dash, name))
    return Picture("curve", title, (axes,), (_HALF, 230))
