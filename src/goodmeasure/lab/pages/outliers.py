"""Outliers: how far one row that is wrong drags the answer of four losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from goodmeasure import losses
from goodmeasure.drawing.axes import Axes
from goodmeasure.drawing.cells import Floats
from goodmeasure.drawing.marks import DASHED, DOTTED, INK, LOSS, PREDICTION, QUIET, SIGNAL, SOLID, Guide, Points, Stroke
from goodmeasure.drawing.picture import Picture
from goodmeasure.lab.hosts import handed_over
from goodmeasure.lab.page import LabPage
from goodmeasure.lab.picture import LabelledPoints, Named
from goodmeasure.making.loss import Loss

HOURS = (0.6, 0.8, 1.1, 1.2, 1.3, 1.6, 2.2, 2.9, 3.8, 4.5)
TYPED, MEANT = 9.0, 0.9
MOST = 18.0
_PLACES = np.linspace(0.0, MOST, 181)
# Ninety-nine rows gave so much to what their labels say, and a hundredth so much to what its label denies.
_ROWS, _GIVEN = 100, 0.9
_DENIED = (0.6, 0.9, 0.99, 0.999)


def compared() -> dict[str, tuple[str, Loss, tuple[str, str]]]:
    """The losses of the page by their names in the catalogue: a name to read, the loss, and how it is drawn."""
    return {
        "squared_error": ("squared error (the mean)", losses.squared_error(), (LOSS, SOLID)),
        "huber": ("Huber's", losses.huber(), (PREDICTION, DASHED)),
        "absolute_error": ("absolute error (the median)", losses.absolute_error(), (QUIET, SOLID)),
        "cauchy": ("Cauchy's", losses.cauchy(), (SIGNAL, DOTTED)),
    }


def answer(loss: Loss, row: float) -> float:
    """The one number that costs least on all rows, the last of which lies there."""
    return float(loss.best_constant([*HOURS, row]))


def _drawn(loss: Loss) -> Floats:
    """The answer for each place of the last row, as finely as it can be seen."""
    numbers = np.linspace(0.0, 4.0, 801)
    rows = np.broadcast_to(np.array(HOURS)[:, None], (len(HOURS), numbers.size))
    others = loss.value(rows, np.broadcast_to(numbers, rows.shape)).sum(axis=0)
    last = np.broadcast_to(_PLACES[:, None], (_PLACES.size, numbers.size))
    cost = others + loss.value(last, np.broadcast_to(numbers, last.shape))
    return np.asarray(numbers[np.argmin(cost, axis=1)])


def share(loss: Loss, row: float) -> float:
    """The part of the loss that the last row carries at the answer."""
    y = np.array([*HOURS, row])
    cost = loss.value(y, np.full(y.shape, answer(loss, row)))
    return float(cost[-1] / cost.sum())


def row() -> Picture:
    """The rows on a line, and each answer."""
    axes = Axes(across="hours", x_ends=(0.0, MOST), y_ends=(0.0, 1.0), y_ticks={})
    for name, (title, loss, (colour, dash)) in compared().items():
        axes.add(Named(Guide(answer(loss, TYPED), colour, True, title, dash, 2.4), f"stands-{name}"))
    good = np.asarray(HOURS)
    axes.add(Points(good, np.full(good.shape, 0.5), INK, size=4.0, opacity=0.75))
    wrong = LabelledPoints(np.array([TYPED]), np.array([0.5]), [True], [True], size=6.0)
    axes.add(Named(wrong, "wrong"))
    said = (
        f"Ten rows between {HOURS[0]:g} and {HOURS[-1]:g}, and one at {TYPED:g}. The wrong one drags the answer of squared "
        f"error to {answer(losses.squared_error(), TYPED):.2f}; the others move less."
    )
    return Picture("row", "Which number stands for them all?", (axes,), (460, 190), said)


def dragged() -> Picture:
    """Each answer, wherever the wrong row lies."""
    axes = Axes(across="where the wrong row lies", up="answer", x_ends=(0.0, MOST), y_ends=(1.0, 4.0))
    axes.add(Named(Guide(TYPED, INK, up=True), "now"))
    for name, (title, loss, (colour, dash)) in compared().items():
        axes.add(Stroke(_PLACES, _drawn(loss), colour, dash, title, width=2.4))
        here = np.array([answer(loss, TYPED)])
        axes.add(Named(Points(np.array([TYPED]), here, colour, size=4.0), f"at-{name}"))
    said = (
        "The mean follows the wrong row along a straight line. The answers of Huber's loss and of absolute error rise a little "
        "and stand still; that of Cauchy's goes back."
    )
    return Picture("dragged", "Where does each answer go?", (axes,), (420, 250), said)


def _parts(loss: Loss, p: float) -> tuple[float, float]:
    """The parts of the loss and of the pull that a wrong label carries, if its row gave p to the other label."""
    y = np.ones(_ROWS)
    given = np.full(_ROWS, _GIVEN)
    given[-1] = 1 - p
    z = np.log(given) - np.log1p(-given)
    costs, pulls = loss.value(y, z), np.abs(loss.gradient(y, z))
    return float(costs[-1] / costs.sum()), float(pulls[-1] / pulls.sum())


def labels() -> list[tuple[float, tuple[float, float], tuple[float, float]]]:
    """What one wrong label in a hundred carries, of cross-entropy and of squared error."""
    both = losses.binary_cross_entropy(), losses.binary_brier()
    return [(p, _parts(both[0], p), _parts(both[1], p)) for p in _DENIED]


def _line(name: str, title: str, loss: Loss) -> dict[str, Any]:
    without, found = answer(loss, MEANT), answer(loss, TYPED)
    return {
        "name": name,
        "title": title,
        "without": without,
        "answer": found,
        "moved": found - without,
        "share": share(loss, TYPED),
    }


def shown() -> Mapping[str, Any]:
    """What the page shows, computed."""
    rows = [_line(name, title, loss) for name, (title, loss, _) in compared().items()]
    return {
        "row": row(),
        "dragged": dragged(),
        "typed": TYPED,
        "meant": MEANT,
        "twice": 2 * TYPED,
        "further": answer(losses.squared_error(), 2 * TYPED) - answer(losses.squared_error(), TYPED),
        "table": rows,
        "labels": labels(),
        "rows": _ROWS,
        "given": _GIVEN,
        "most": MOST,
        "code": handed_over(losses.cauchy()),
    }


def given() -> Mapping[str, Any]:
    """The numbers that the script begins from."""
    return {"hours": HOURS, "meant": MEANT, "typed": TYPED, "losses": [*compared()]}


outliers: LabPage = LabPage(9, "outliers", "How far can one row drag the answer?", shown, given)
