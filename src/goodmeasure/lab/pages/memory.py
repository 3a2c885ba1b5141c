"""Learning against memorising: what curves with more and more coefficients cost on rows they were fitted to, and on others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.polynomial.chebyshev import chebfit, chebval

from goodmeasure import losses
from goodmeasure.drawing.axes import Axes
from goodmeasure.drawing.cells import Floats
from goodmeasure.drawing.marks import DASHED, INK, LOSS, PREDICTION, QUIET, SOLID, Guide, Points, Stroke
from goodmeasure.drawing.picture import Picture
from goodmeasure.lab.page import LabPage
from goodmeasure.lab.picture import LabelledPoints, Named

MOST = 12  # coefficients of a curve
SAMPLES = (12, 30, 100)  # rows that a curve is fitted to
ROWS, NOISE = 160, 0.3
_SHOWN = (1, 2, 4, 6, 8, 10, MOST)
_FEATURES = np.linspace(-1.0, 1.0, 201)
_AWAY = 1.5  # beyond the picture, where rows stand that it does not show


@cache
def rows() -> tuple[Floats, Floats]:
    """Features and targets: a wave and noise. The last are kept aside."""
    random = np.random.default_rng(5)
    x = random.uniform(-1, 1, ROWS)
    x[:MOST] = np.linspace(-0.95, 0.95, MOST) + random.normal(0, 0.02, MOST)  # the first cover the whole width
    x = x.round(3)
    return x, (np.sin(3 * x) + NOISE * random.normal(size=ROWS)).round(3)


@cache
def fitted(n: int, count: int) -> tuple[float, ...]:
    """The curve of so many coefficients with the least squared error on the first rows, as a sum of Chebyshev's polynomials."""
    x, y = rows()
    return tuple(chebfit(x[:n], y[:n], count - 1).tolist())


def costs(n: int, count: int) -> tuple[float, float]:
    """The mean squared error on the rows that a curve was fitted to, and on those kept aside."""
    x, y = rows()
    cost = losses.squared_error().value(y, chebval(x, fitted(n, count)))
    return float(cost[:n].mean()), float(cost[SAMPLES[-1] :].mean())


def curve() -> Picture:
    """The first rows, the curve that passes through all of them, and rows that it never saw."""
    n, (x, y) = SAMPLES[0], rows()
    is_seen, is_aside = np.arange(ROWS) < n, np.arange(ROWS) >= SAMPLES[-1]
    axes = Axes(across="feature x", up="target y", x_ends=(-1.0, 1.0), y_ends=(-2.2, 2.2))
    drawn = np.where(is_aside, x, _AWAY)
    axes.add(Named(LabelledPoints(drawn, y, [False] * ROWS, [False] * ROWS), "answer-aside"))
    axes.add(
        Named(
            Stroke(_FEATURES, np.asarray(chebval(_FEATURES, fitted(n, MOST)), np.float64), PREDICTION, width=2.4),
            "curve",
        )
    )
    drawn = np.where(is_seen, x, _AWAY)
    axes.add(Named(LabelledPoints(drawn, y, [True] * ROWS, [False] * ROWS, size=4.2), "seen"))
    said = (
        f"{n} rows along a wave. A curve with {MOST} coefficients passes through every one of them, swings far between, and "
        f"misses many of the {int(is_aside.sum())} rows that were kept aside."
    )
    return Picture("curve", "What does the curve say?", (axes,), (420, 240), said)


def progress() -> Picture:
    """Both losses by how many coefficients the curve has."""
    counts = np.arange(1.0, MOST + 1)
    seen, aside = np.array([costs(SAMPLES[0], int(k)) for k in counts]).T
    axes = Axes(
        across="coefficients of the curve", up="mean squared error", x_ends=(1.0, float(MOST)), y_ends=(0.0, 1.0)
    )
    axes.add(Named(Guide(float(MOST), INK, up=True, label="the curve above", width=1.6), "now"))
    axes.add(Named(Stroke(counts, seen, PREDICTION, DASHED, "rows it was fitted to", width=2.4), "seen"))
    axes.add(Named(Stroke(counts, aside, LOSS, SOLID, "rows kept aside", width=2.4), "aside"))
    for name, cost in (("seen", seen), ("aside", aside)):
        axes.add(Named(Points(counts[-1:], cost[-1:], INK, size=3.6), f"at-{name}"))
    axes.add(Guide(NOISE**2, QUIET, label="noise, which no curve can know"))
    said = (
        f"On the rows that curves were fitted to the loss falls from {seen[0]:.2f} to 0. On the others it falls to "
        f"{aside.min():.2f} and then rises, far out of the picture, to {aside[-1]:.0f}."
    )
    return Picture("progress", "What does it cost?", (axes,), (460, 165), said)


def told() -> str:
    """What the curve through every point costs elsewhere."""
    aside, flat = costs(SAMPLES[0], MOST)[1], costs(SAMPLES[0], 1)[1]
    return f"{aside:.0f} on the rows kept aside, where a flat line costs {flat:.2f}: {aside / flat:.0f} times as much."


def shown() -> Mapping[str, Any]:
    """What the page shows, computed."""
    first = SAMPLES[0]
    by_aside = {n: min(range(1, MOST + 1), key=lambda k: costs(n, k)[1]) for n in SAMPLES}
    return {
        "curve": curve(),
        "progress": progress(),
        "first": first,
        "most": MOST,
        "samples": SAMPLES,
        "aside": ROWS - SAMPLES[-1],
        "noise": NOISE**2,
        "told": told(),
        "now": costs(first, MOST),
        "best": by_aside[first],
        "table": [(k, *(costs(n, k) for n in SAMPLES)) for k in _SHOWN],
        "guesses": (
            ("nothing", "about 0, as on the others"),
            ("noise", f"about {NOISE**2:.2f}, the noise"),
            ("more", "more than a flat line"),
        ),
        "code": {
            "goodmeasure": "goodmeasure run table.csv --target y",
            "sklearn": "sklearn.model_selection.cross_val_score(model, x, y, cv=5)",
            "torch": "torch.utils.data.random_split(rows, [0.8, 0.2])",
            "keras": "model.fit(x, y, validation_split=0.2)",
            "lightgbm": "lightgbm.cv(params, rows, nfold=5)",
            "xgboost": "xgboost.cv(params, rows, nfold=5)",
        },
    }


def given() -> Mapping[str, Any]:
    """The numbers that the script begins from."""
    x, y = rows()
    fits = {n: [fitted(n, k) for k in range(1, MOST + 1)] for n in SAMPLES}
    return {"x": x.tolist(), "y": y.tolist(), "fits": fits, "aside": SAMPLES[-1], "away": _AWAY, "told": told()}


memory: LabPage = LabPage(10, "memory", "Has it learned, or memorised?", shown, given)
