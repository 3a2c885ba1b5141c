"""The exercise: three losses on one neuron from the same start, predicted first, then watched, raced and explained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from goodmeasure import losses
from goodmeasure.drawing.axes import Axes
from goodmeasure.drawing.cells import Floats
from goodmeasure.drawing.marks import DASHED, DOTTED, INK, LOSS, PREDICTION, QUIET, SOLID, Guide, Points, Stroke
from goodmeasure.drawing.picture import Picture
from goodmeasure.explaining.exercise import RATE, SHOWN, START, STEPS, Training, points, runs, train, twins
from goodmeasure.lab.hosts import spelled
from goodmeasure.lab.page import LabPage
from goodmeasure.lab.pages.surprise import price
from goodmeasure.lab.picture import AnswerMarks, Named, stacked
from goodmeasure.making.loss import Loss

STEP = 20
NAMES = ("count", "cross-entropy", "squared error")
_LOOKS = ((QUIET, DOTTED), (LOSS, SOLID), (PREDICTION, DASHED))
_FEATURES = np.linspace(-4.0, 4.0, 121)
_WEIGHTS = np.linspace(-4.0, 4.0, 801)
_NEURON_ENDS = {"x_ends": (-4.0, 4.0), "y_ends": (-0.12, 1.12), "y_ticks": {0.0: "0", 0.5: "0.5", 1.0: "1"}}


def _curve(weights: Any) -> Floats:
    """The probability of yes that a neuron gives to each feature of the picture."""
    return np.asarray(losses.binary_cross_entropy().predict(weights[0] * _FEATURES + weights[1]))


def _answers(weights: Any) -> Named:
    x, y = points()
    return Named(AnswerMarks(x[:, 0], y + stacked(y), _wrong(weights).tolist()), "answers")


def _wrong(weights: Any) -> Any:
    x, y = points()
    return (x @ weights > 0) != (y > 0)


def _neuron_axes() -> Axes:
    return Axes(across="feature x", up="probability of yes", **_NEURON_ENDS)  # type: ignore[arg-type]


def neuron() -> Picture:
    """The neuron at its start: the points, the curve of its probabilities, and the border where it changes its answer."""
    start, axes, (_, y) = np.asarray(START), _neuron_axes(), points()
    axes.add(Guide(0.5, QUIET), Named(Guide(-start[1] / start[0], INK, up=True), "border"))
    axes.add(Named(Stroke(_FEATURES, _curve(start), PREDICTION, width=2.4), "curve"), _answers(start))
    return Picture(
        "neuron",
        "What does the neuron say?",
        (axes,),
        (400, 210),
        f"{len(y)} points along a feature, noes at the bottom and yeses at the top. The curve of probabilities falls where it "
        f"should rise: {int(_wrong(start).sum())} of the {len(y)} are on the wrong side.",
    )


def over_weights(loss: Loss, scale: float = 1.0) -> Floats:
    """What each weight of the picture costs with the bias of the start, as a mean times a scale."""
    x, y = points()
    z = _WEIGHTS[:, None] * x[:, 0] + START[1]
    return np.asarray(scale * loss.value(np.broadcast_to(y, z.shape), z).mean(axis=1))


def _over_weights(name: str, question: str, up: str, cost: Floats, top: float, said: str) -> Picture:
    axes = Axes(across="weight w", up=up, x_ends=(-4.0, 4.0), y_ends=(0.0, top))
    here = int(np.argmin(abs(_WEIGHTS - START[0])))
    axes.add(Stroke(_WEIGHTS, cost, QUIET if name == "stairs" else LOSS, width=2.2))
    axes.add(Named(Points(_WEIGHTS[[here]], cost[[here]], INK, size=4.4), "here"))
    return Picture(name, question, (axes,), (300, 190), said)


def stairs() -> Picture:
    """The count of wrong answers at every weight."""
    count = over_weights(losses.zero_one(), len(points()[1]))
    said = f"The count goes down in steps from {count[0]:.0f} to {count.min():.0f}; between two steps it is flat."
    return _over_weights("stairs", "The count at every weight", "wrong answers", count, 40.0, said)


def slope() -> Picture:
    """Cross-entropy at every weight."""
    cost = over_weights(losses.binary_cross_entropy())
    said = f"Cross-entropy falls without a break from {cost[0]:.2f} to {cost.min():.2f}, and rises a little after that."
    return _over_weights("slope", "Cross-entropy at every weight", "cross-entropy", cost, 5.0, said)


def sweeps() -> list[tuple[str, int, float, int]]:
    """Two ways through the weights: how many values the count takes, at which part of the steps it changes, and the same of
    cross-entropy."""
    x, y = points()
    weights = np.linspace(-2.0, 4.0, 601)[:, None] * x[:, 0]
    biases = np.linspace(-3.0, 3.0, 601)[:, None] + x[:, 0]
    ways = {"the weight from -2 to 4, bias 0": weights, "the bias from -3 to 3, weight 1": biases}
    return [(name, *_sweep(y, z)) for name, z in ways.items()]


def _sweep(y: Floats, z: Floats) -> tuple[int, float, int]:
    wrong = ((z > 0) != (y > 0)).sum(axis=1)
    mean = losses.binary_cross_entropy().value(np.broadcast_to(y, z.shape), z).mean(axis=1)
    return len(np.unique(wrong)), float((np.diff(wrong) != 0).mean()), len(np.unique(mean))


def race(found: tuple[Training, ...]) -> Picture:
    """Wrong answers at each step of training on each loss."""
    axes = Axes(across="step", up="wrong answers", x_ends=(0.0, float(STEPS)), y_ends=(0.0, 40.0))
    axes.add(Named(Guide(float(STEP), INK, up=True), "now"))
    for name, (colour, dash), run in zip(NAMES, _LOOKS, found, strict=True):
        axes.add(Stroke(np.arange(STEPS + 1.0), np.asarray(run.wrong, dtype=np.float64), colour, dash, name, width=2.4))
    ways = "; ".join(f"{name} {run.wrong[0]} to {run.wrong[-1]}" for name, run in zip(NAMES, found, strict=True))
    return Picture("race", "How many are wrong after each step?", (axes,), (400, 230), f"Wrong answers: {ways}.")


def runners(found: tuple[Training, ...]) -> Picture:
    """The three neurons after some steps."""
    axes = _neuron_axes()
    axes.add(Guide(0.5, QUIET))
    for name, (colour, dash), run in zip(("count", "entropy", "squared"), _LOOKS, found, strict=True):
        weights = train(run.loss, steps=STEP - 1).weights
        axes.add(Named(Stroke(_FEATURES, _curve(weights), colour, dash, width=2.4), name))
    x, y = points()
    axes.add(Points(x[:, 0], y + stacked(y), INK, size=2.4, opacity=0.55))
    said = f"After {STEP} steps the curve of cross-entropy rises from no to yes; that of the count still falls."
    return Picture("runners", "What does each neuron say then?", (axes,), (400, 230), said)


def shown() -> Mapping[str, Any]:
    """What the page shows, computed."""
    found = runs()
    entropy = found[1]
    return {
        "neuron": neuron(),
        "stairs": stairs(),
        "slope": slope(),
        "sweeps": sweeps(),
        "race": race(found),
        "runners": runners(found),
        "table": [(name, [run.wrong[step] for step in SHOWN]) for name, run in zip(NAMES, found, strict=True)],
        "steps": SHOWN,
        "step": STEP,
        "last": STEPS,
        "start": START,
        "at_start": float(losses.binary_cross_entropy()(points()[1], points()[0] @ np.asarray(START))),
        "pulls": [run.signal[STEP] for run in found],
        "first_pulls": [run.signal[0] for run in found],
        "wrong": [run.wrong[STEP] for run in found],
        "at_end": [run.wrong[-1] for run in found],
        "twins": twins(entropy),
        "prices": {p: float(price(p)) for p in (0.49, 0.51, 0.99)},
        "code": spelled(losses.binary_cross_entropy()),
    }


def given() -> Mapping[str, Any]:
    """The numbers that the script begins from."""
    x, y = points()
    return {"rows": x.tolist(), "y": y.tolist(), "start": START, "steps": STEPS, "rate": RATE, "step": STEP}


exercise: LabPage = LabPage(4, "exercise", "Why not train on the count of wrong answers?", shown, given)
