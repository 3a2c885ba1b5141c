"""Pictures as SVG that follow the page: light or dark, with text as text, and nothing that could run."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.drawing.cells import Floats

# Colours that stand for roles; in the SVG they become the variables of the page's style.
INK, QUIET, LOSS, PREDICTION, SIGNAL, BAND = "#101112", "#707172", "#c05010", "#1060c0", "#8030a0", "#a0b0c1"
_ROLES = {
    INK: "--ink",
    QUIET: "--quiet",
    LOSS: "--loss",
    PREDICTION: "--prediction",
    SIGNAL: "--signal",
    BAND: "--band",
}
_STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.8,
}
MOST_POINTS = 400


def picture(draw: Callable[..., None], *given: Any, size: tuple[float, float] = (6.4, 3.2), columns: int = 1) -> str:
    """The SVG of what ``draw(axes, ...)`` draws; with several columns it gets the list of axes."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({**_STYLE, "svg.hashsalt": draw.__name__}), _any_letter():
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(1, columns)
        draw(axes, *given)
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _inline(text.getvalue())


@contextmanager
def _any_letter() -> Any:
    """Letters that matplotlib's own font lacks are drawn by the browser, so their absence is no warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        yield


def _inline(svg: str) -> str:
    """An SVG that stands inside a page: no prologue, no metadata, no style of its own, colours of the page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style[^>]*>.*?</style>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(
        r'<svg[^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" xmlns:xlink="http://www.w3.org/1999/xlink">', svg
    )
    for colour, role in _ROLES.items():
        svg = svg.replace(colour, f"var({role})")
    svg = re.sub(r"\n\s*", "\n", svg)
    width = re.search(r'viewBox="[\d.]+ [\d.]+ ([\d.]+)', svg)
    return svg.replace("<svg ", f'<svg style="max-width:{float(width[1]):.0f}pt" ', 1) if width else svg


def thinned(*columns: Floats, most: int = MOST_POINTS) -> list[Floats]:
    """Columns cut down to so many rows, the first and the last kept."""
    n = len(columns[0])
    rows = np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.intp))
    return [column[rows] for column in columns]


# --- what each picture shows ---


def loss_and_signal(axes: Any, prediction: Floats, curves: Sequence[tuple[str, Floats, Floats]]) -> None:
    """What a prediction costs, and how hard it is pulled: losses and signals for a few targets, each with its name."""
    for (name, value, signal), style in zip(curves, ("-", "--", ":"), strict=False):
        axes[0].plot(prediction, value, color=LOSS, linestyle=style, label=name)
        axes[1].plot(prediction, signal, color=SIGNAL, linestyle=style, label=name)
    axes[0].set(xlabel="prediction", ylabel="loss")
    axes[1].set(xlabel="prediction", ylabel="signal on the raw output")
    axes[1].axhline(0, color=QUIET, linewidth=0.8)
    axes[0].legend()


def risks(axes: Any, rows: Sequence[tuple[str, float, float, float]]) -> None:
    """Mean losses with their intervals, one a line."""
    for place, (_, value, low, high) in enumerate(rows):
        spread = [[max(value - low, 0)], [max(high - value, 0)]] if np.isfinite([low, high]).all() else None
        axes.errorbar([value], [-place], xerr=spread, color=PREDICTION, marker="o", capsize=3)
    axes.set_yticks([-k for k in range(len(rows))], [name for name, *_ in rows])
    axes.set_ylim(-len(rows) + 0.5, 0.5)
    axes.set_xlabel("mean loss")
    axes.grid(axis="x", color=BAND, linewidth=0.5)


def calibration_curves(axes: Any, before: Any, after: Any, unit: bool) -> None:
    """What was seen at each prediction, with the band in which calibrated predictions would lie."""
    for curve, name, colour, style in ((before, "as trained", QUIET, "--"), (after, "recalibrated", PREDICTION, "-")):
        if curve is None:
            continue
        main = after is None or curve is after
        p, seen, low, high = thinned(curve.prediction, curve.seen, curve.low, curve.high)
        if main:
            axes.fill_between(p, low, high, color=BAND, alpha=0.45, linewidth=0, label=f"{curve.band} band")
        axes.plot(p, seen, color=PREDICTION if main else colour, linestyle="-" if main else style, label=name)
    ends = (0.0, 1.0) if unit else (float(before.prediction.min()), float(before.prediction.max()))
    axes.plot(ends, ends, color=INK, linewidth=0.8)
    axes.set(xlabel="prediction", ylabel="what was seen")
    axes.legend(loc="upper left")


def spread(axes: Any, prediction: Floats, y: NDArray[Any] | None) -> None:
    """How predictions are spread; of yes and of no apart where the target is one of them."""
    edges = np.histogram_bin_edges(prediction, bins=24)
    if y is None:
        axes.hist(prediction, bins=edges, color=PREDICTION)
    else:
        axes.hist([prediction[y == 0], prediction[y == 1]], bins=edges, color=[BAND, PREDICTION], label=["no", "yes"])
        axes.legend()
    axes.set(xlabel="prediction", ylabel="rows")


def cost_curve(axes: Any, thresholds: Floats, cost: Floats, marks: Sequence[tuple[str, float, float]]) -> None:
    """What each threshold costs a row, with the rules that were compared."""
    axes.plot(thresholds, cost, color=LOSS, drawstyle="steps-post")
    for (name, threshold, value), marker in zip(marks, "oDs", strict=False):
        axes.plot([threshold], [value], marker=marker, color=INK, linestyle="none", label=f"{name} ({threshold:.3g})")
    inside = cost[(thresholds > 0.01) & (thresholds < 0.99)]
    top = max([*inside, *(value for _, _, value in marks)], default=float(cost.max()))
    axes.set(
        xlabel="act from this probability on",
        ylabel="cost a row",
        xlim=(0, 1),
        ylim=(0 if cost.min() >= 0 else None, 1.15 * top),
    )
    axes.legend()


def concentration(axes: Any, curves: Sequence[tuple[str, Floats]]) -> None:
    """Which part of the whole the worst rows carry: a diagonal would mean that all carry alike."""
    for (name, values), colour in zip(curves, (LOSS, SIGNAL), strict=False):
        ordered = np.sort(values)[::-1]
        total = ordered.sum()
        if not (np.isfinite(total) and total > 0):
            continue
        share = np.concatenate([[0.0], np.cumsum(ordered) / total])
        place, share = thinned(np.linspace(0, 1, len(share)), share)
        axes.plot(place, share, color=colour, label=name)
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8)
    axes.set(xlabel="worst part of the rows", ylabel="part they carry", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(loc="lower right")


def choice(axes: Any, path: Sequence[tuple[float, float, float]], setting: str, chosen: float) -> None:
    """The mean loss on rows to fit and rows to tune along what was tried, and what was chosen."""
    values, fit, tune = np.array(path).T
    axes.plot(values, fit, color=QUIET, linestyle="--", label="rows to fit")
    axes.plot(values, tune, color=LOSS, label="rows to tune")
    axes.axvline(chosen, color=INK, linewidth=0.8)
    axes.set(xlabel=f"{setting} (line: chosen)", ylabel="mean loss")
    if values.max() > 100 * max(values.min(), 1e-12):
        axes.set_xscale("log")
        # Not every letter of matplotlib's own powers of ten is text.
        ticks = values[:: max(1, len(values) // 6)]
        axes.set_xticks(ticks, [f"{value:g}" for value in ticks])
        axes.minorticks_off()
    axes.legend()


def amounts(axes: Any, prediction: Floats, y: Floats) -> None:
    """Predicted against seen amounts, with the diagonal."""
    rows = np.random.default_rng(0).permutation(len(y))[:MOST_POINTS]
    axes.plot(prediction[rows], y[rows], marker="o", markersize=3, alpha=0.5, color=PREDICTION, linestyle="none")
    ends = [float(min(prediction.min(), y[rows].min())), float(max(prediction.max(), y[rows].max()))]
    axes.plot(ends, ends, color=INK, linewidth=0.8)
    axes.set(xlabel="predicted", ylabel="seen")
