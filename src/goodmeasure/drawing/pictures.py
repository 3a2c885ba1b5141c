"""What each picture of a report shows, as SVG that follows the page and holds nothing that could run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.drawing.axes import (
    BAND,
    DASHED,
    DOTTED,
    INK,
    LOSS,
    PREDICTION,
    QUIET,
    SIGNAL,
    SOLID,
    Axes,
    Bars,
    Guide,
    Points,
    Ribbon,
    Stroke,
    svg,
)
from goodmeasure.drawing.cells import Floats

MOST_POINTS = 400
_WIDE = 460.0
_BARS = 24
_THIN = 0.8


def thinned(*columns: Floats, most: int = MOST_POINTS) -> list[Floats]:
    """Columns cut down to so many rows, the first and the last kept."""
    n = len(columns[0])
    rows = np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.intp))
    return [column[rows] for column in columns]


def loss_and_signal(prediction: Floats, curves: Sequence[tuple[str, Floats, Floats]]) -> str:
    """What a prediction costs, and how hard it is pulled: losses and signals for a few targets, each with its name."""
    losses = Axes(across="prediction", up="loss")
    signals = Axes(across="prediction", up="signal on the raw output")
    signals.add(Guide(0.0, QUIET))
    for (name, value, signal), dash in zip(curves, (SOLID, DASHED, DOTTED), strict=False):
        losses.add(Stroke(prediction, value, LOSS, dash, name))
        signals.add(Stroke(prediction, signal, SIGNAL, dash, name))
    return svg("loss", [losses, signals], (_WIDE, 230))


def risks(rows: Sequence[tuple[str, float, float, float]]) -> str:
    """Mean losses with their intervals, one a line."""
    axes = Axes(
        across="mean loss", y_ends=(-len(rows) + 0.5, 0.5), y_ticks={-float(k): row[0] for k, row in enumerate(rows)}
    )
    for place, (_, value, low, high) in enumerate(rows):
        level, whisker = np.full(2, -float(place)), np.array([-0.15, 0.15]) - place
        axes.add(Stroke(np.array([low, high]), level, PREDICTION))
        axes.add(*(Stroke(np.full(2, end), whisker, PREDICTION) for end in (low, high)))
        axes.add(Points(np.array([value]), level[:1], PREDICTION))
    return svg("risks", [axes], (_WIDE, 122))


def calibration_curves(before: Any, after: Any, unit: bool) -> str:
    """What was seen at each prediction, with the band in which calibrated predictions would lie."""
    axes = Axes(across="prediction", up="what was seen")
    for curve, name, is_main in ((before, "as trained", after is None), (after, "recalibrated", True)):
        if curve is None:
            continue
        p, seen, low, high = thinned(curve.prediction, curve.seen, curve.low, curve.high)
        if is_main:
            axes.add(Ribbon(p, low, high, label=f"{curve.band} band"))
        axes.add(Stroke(p, seen, PREDICTION if is_main else QUIET, SOLID if is_main else DASHED, name))
    ends = (0.0, 1.0) if unit else (float(before.prediction.min()), float(before.prediction.max()))
    axes.add(_diagonal(*ends))
    return svg("calibration", [axes], (360, 250))


def _diagonal(low: float, high: float, colour: str = INK) -> Stroke:
    return Stroke(np.array([low, high]), np.array([low, high]), colour, width=_THIN)


def spread(prediction: Floats, y: NDArray[Any] | None) -> str:
    """How predictions are spread; of yes and of no apart where the target is one of them."""
    axes = Axes(across="prediction", up="rows", y_ends=(0.0, None))
    edges = np.histogram_bin_edges(prediction, bins=_BARS)
    left, step = edges[:-1], np.diff(edges)
    parts = [("", prediction, PREDICTION)]
    if y is not None:
        parts = [("no", prediction[y == 0], BAND), ("yes", prediction[y == 1], PREDICTION)]
    each = 0.9 / len(parts)
    for k, (name, values, colour) in enumerate(parts):
        start = left + step * (0.05 + each * k)
        axes.add(Bars(start, start + step * each, np.histogram(values, edges)[0].astype(float), colour, name))
    return svg("spread", [axes], (360, 160))


def cost_curve(thresholds: Floats, cost: Floats, marks: Sequence[tuple[str, float, float]]) -> str:
    """What each threshold costs a row, with the rules that were compared."""
    inside = cost[(thresholds > 0.01) & (thresholds < 0.99)]
    top = max([*inside, *(value for _, _, value in marks)], default=float(cost.max()))
    axes = Axes(across="act from this probability on", up="cost a row", x_ends=(0.0, 1.0))
    axes.y_ends = (0.0 if cost.min() >= 0 else None, 1.15 * top if top > 0 else None)
    axes.add(Stroke(np.repeat(thresholds, 2)[1:], np.repeat(cost, 2)[:-1], LOSS))
    for (name, threshold, value), shape in zip(marks, ("circle", "diamond", "square"), strict=False):
        place = np.array([threshold]), np.array([value])
        axes.add(Points(*place, INK, shape, label=f"{name} ({threshold:.3g})"))
    return svg("costs", [axes], (_WIDE, 230))


def concentration(curves: Sequence[tuple[str, Floats]]) -> str:
    """Which part of the whole the worst rows carry: a diagonal would mean that all carry alike."""
    axes = Axes(across="worst part of the rows", up="part they carry", x_ends=(0.0, 1.0), y_ends=(0.0, 1.02))
    axes.add(_diagonal(0.0, 1.0, QUIET))
    for (name, values), colour in zip(curves, (LOSS, SIGNAL), strict=False):
        ordered = np.sort(values)[::-1]
        total = ordered.sum()
        if not (np.isfinite(total) and total > 0):
            continue
        share = np.concatenate([[0.0], np.cumsum(ordered) / total])
        place, share = thinned(np.linspace(0, 1, len(share)), share)
        axes.add(Stroke(place, share, colour, label=name))
    return svg("carried", [axes], (360, 216))


def choice(path: Sequence[tuple[float, float, float]], setting: str, chosen: float) -> str:
    """The mean loss on rows to fit and rows to tune along what was tried, and what was chosen."""
    values, fit, tune = np.array(path, dtype=np.float64).T
    axes = Axes(across=f"{setting} (line: chosen)", up="mean loss")
    if values.min() > 0 and values.max() > 100 * values.min():
        axes.is_log, axes.x_ticks = (
            True,
            {value: f"{value:g}" for value in values[:: max(1, len(values) // 6)].tolist()},
        )
    axes.add(Guide(chosen, up=True))
    axes.add(Stroke(values, fit, QUIET, DASHED, "rows to fit"), Stroke(values, tune, LOSS, label="rows to tune"))
    return svg("choice", [axes], (360, 187))


def amounts(prediction: Floats, y: Floats) -> str:
    """Predicted against seen amounts, with the diagonal."""
    rows = np.random.default_rng(0).permutation(len(y))[:MOST_POINTS]
    axes = Axes(across="predicted", up="seen")
    axes.add(Points(prediction[rows], y[rows], PREDICTION, size=1.6, opacity=0.5))
    axes.add(_diagonal(float(min(prediction.min(), y[rows].min())), float(max(prediction.max(), y[rows].max()))))
    return svg("amounts", [axes], (360, 250))


def effect(number: int, column: str, places: Sequence[Any], means: Floats, names: Sequence[str]) -> str:
    """The mean prediction at values of a column: a line over numbers, points over texts, one of each for each class."""
    along = [place for place in places if isinstance(place, float)]
    named = len(along) < len(places)
    x = np.arange(len(places), dtype=np.float64) if named else np.array(along)
    axes = Axes(across=_cut(column, 60), up="mean prediction")
    if named:
        axes.x_ends = (-0.5, len(places) - 0.5)
        axes.x_ticks = {float(k): _cut(str(place), 12) for k, place in enumerate(places)}
    classes = list(means.T) if means.ndim == 2 else [means]
    for k, y in enumerate(classes):
        label, colour = names[k] if len(classes) > 1 else "", (PREDICTION, LOSS, SIGNAL)[k % 3]
        axes.add(Points(x, y, colour, label=label) if named else Stroke(x, y, colour, label=label))
    return svg(f"effect-{number}", [axes], (360, 187))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}\u2026"
