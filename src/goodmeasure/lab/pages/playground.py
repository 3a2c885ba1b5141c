"""The playground whose knob is the loss: the same points, model, start and steps, and any three losses of yes and no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from goodmeasure import losses
from goodmeasure.drawing.axes import Axes
from goodmeasure.drawing.cells import Floats
from goodmeasure.drawing.marks import DASHED, DOTTED, INK, LOSS, PREDICTION, SIGNAL, SOLID, Guide, Stroke
from goodmeasure.drawing.picture import Picture
from goodmeasure.lab.hosts import handed_over
from goodmeasure.lab.page import LabPage
from goodmeasure.lab.picture import LabelledPoints, Named
from goodmeasure.making.loss import Loss

STEPS, RATE = 150, 0.5
HIDDEN = 6
# What stands in the line for a formula at first: the focal loss.
FORMULA = "-log(p) * (1 - p)**2"
RACERS = ("exponential", "binary_cross_entropy", "binary_brier")
LOOKS = ((LOSS, SOLID), (PREDICTION, DASHED), (SIGNAL, DOTTED))
_REACH = 3.5
POINTS, _MISTAKES = 200, 12
_START = (-0.5, 0.5, 0.0)
_MIDDLE = np.asarray([1.0, 0.7])


@dataclass(frozen=True)
class PlaySample:
    """Points in a plane, what they truly are, and what their labels say."""

    name: str
    x: Floats
    truth: Floats
    labels: Floats

    @property
    def rows(self) -> Floats:
        """The features, with a constant."""
        return np.column_stack([self.x, np.ones(len(self.x))])


def _clouds() -> tuple[Floats, Floats]:
    truth = np.repeat([0.0, 1.0], POINTS // 2)
    middles = (2 * truth - 1)[:, None] * _MIDDLE
    return (0.8 * np.random.default_rng(1).normal(size=(POINTS, 2)) + middles).round(3), truth


def _mistaken() -> PlaySample:
    """Two clouds, whose noes in the far corner are labelled yes."""
    x, truth = _clouds()
    labels = truth.copy()
    labels[np.argsort(x @ _MIDDLE + 99 * truth)[:_MISTAKES]] = 1.0
    return PlaySample(f"{_MISTAKES} wrong labels", x, truth, labels)


def _ring() -> PlaySample:
    """Yeses in the middle, noes around them: no straight border parts them."""
    random = np.random.default_rng(7)
    truth = np.repeat([0.0, 1.0], POINTS // 2)
    radius = np.where(truth > 0, 0.9 * np.sqrt(random.random(POINTS)), 1.5 + 0.35 * random.normal(size=POINTS))
    angle = 2 * np.pi * random.random(POINTS)
    x = (1.2 * radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])).round(3)
    return PlaySample("a ring", x, truth, truth)


@cache
def samples() -> tuple[PlaySample, ...]:
    """What the models can be trained on; the first is shown at first."""
    return _mistaken(), PlaySample("right labels", *_clouds(), _clouds()[1]), _ring()


def trained(loss: Loss, sample: PlaySample) -> Floats:
    """The weights of a neuron at the start and after each step of gradient descent."""
    found = [np.asarray(_START)]
    for _ in range(STEPS):
        _, slope = loss.value_and_gradient(sample.labels, sample.rows @ found[-1])
        found.append(found[-1] - RATE * (sample.rows.T @ slope))
    return np.asarray(found)


def wrong(weights: Floats, sample: PlaySample) -> Floats:
    """Answers that differ from what points truly are, at each step."""
    answers = weights @ sample.rows.T > 0
    return np.asarray((answers != (sample.truth > 0)).sum(axis=1), dtype=np.float64)


def choices() -> dict[str, str]:
    """Every loss of yes and no on one raw output, with a name to read."""
    found = {name: factory() for name, factory in losses.catalogue().items()}
    names = [name for name, loss in found.items() if loss.is_binary and len(loss.activation) == 1]
    return {name: title(name) for name in sorted(names, key=title)}


def title(name: str) -> str:
    """The name of a loss to read."""
    return {"binary_brier": "squared error (Brier)", "zero_one": "zero-one, the count"}.get(
        name, name.removeprefix("binary_").replace("_", " ").replace("cross entropy", "cross-entropy")
    )


def _border(weights: Floats) -> tuple[Floats, Floats]:
    """Two ends, beyond the picture, of the line where a neuron changes its answer."""
    a, b, c = weights
    middle = -c * np.asarray([a, b]) / (a * a + b * b)
    along = np.asarray([-b, a]) / np.hypot(a, b) * 4 * _REACH
    ends = np.stack([middle - along, middle + along])
    return ends[:, 0], ends[:, 1]


def plane(paths: list[Floats]) -> Picture:
    """The points, and the border of each neuron at the end."""
    sample = samples()[0]
    ends: dict[str, Any] = {"x_ends": (-_REACH, _REACH), "y_ends": (-_REACH, _REACH)}
    axes = Axes(across="first feature", up="second feature", **ends)
    yes, mistaken = (sample.labels > 0).tolist(), (sample.labels != sample.truth).tolist()
    axes.add(Named(LabelledPoints(sample.x[:, 0], sample.x[:, 1], yes, mistaken), "points"))
    for k, ((colour, dash), path) in enumerate(zip(LOOKS, paths, strict=True)):
        axes.add(Named(Stroke(*_border(path[-1]), colour, dash, width=2.8), f"answer-{k}"))
    said = (
        f"Noes below on the left, yeses above on the right, and {_MISTAKES} noes in the far corner that are labelled yes. The "
        "border of the exponential loss lies far into the noes, that of squared error between the clouds."
    )
    return Picture("plane", "Where does each change its answer?", (axes,), (330, 320), said)


def progress(paths: list[Floats]) -> Picture:
    """Truly wrong answers at each step."""
    counts = [wrong(path, samples()[0]) for path in paths]
    axes = Axes(across="step", up="truly wrong", x_ends=(0.0, float(STEPS)), y_ends=(0.0, 120.0))
    axes.add(Named(Guide(float(STEPS), INK, up=True), "now"))
    for k, ((colour, dash), count) in enumerate(zip(LOOKS, counts, strict=True)):
        axes.add(Named(Stroke(np.arange(STEPS + 1.0), count, colour, dash, width=2.4), f"answer-{k}"))
    said = "; ".join(f"{title(name)}: {count[-1]:.0f}" for name, count in zip(RACERS, counts, strict=True))
    return Picture("progress", "How many answers are truly wrong?", (axes,), (330, 190), f"At the end {said}.")


def shown() -> Mapping[str, Any]:
    """What the page shows, computed."""
    paths = [trained(losses.catalogue()[name](), samples()[0]) for name in RACERS]
    sample = samples()[0]
    at_end = [int(wrong(path[-1:], sample)[0]) for path in paths]
    on_labels = [int(((sample.rows @ path[-1] > 0) != (sample.labels > 0)).sum()) for path in paths]
    return {
        "plane": plane(paths),
        "progress": progress(paths),
        "samples": samples(),
        "mistakes": _MISTAKES,
        "choices": choices(),
        "racers": RACERS,
        "guesses": [(name, title(name)) for name in RACERS],
        "title": title,
        "wrong": at_end,
        "on_labels": on_labels,
        "formula": FORMULA,
        "last": STEPS,
        "hidden": HIDDEN,
        "code": handed_over(losses.binary_generalized_cross_entropy()),
    }


def given() -> Mapping[str, Any]:
    """The numbers that the script begins from."""
    inputs = len(_START)
    net = 0.8 * np.random.default_rng(2).normal(size=HIDDEN * inputs + HIDDEN + 1)
    made = [{"rows": each.rows.tolist(), "truth": each.truth.tolist(), "y": each.labels.tolist()} for each in samples()]
    return {
        "samples": made,
        "steps": STEPS,
        "reach": _REACH,
        "models": [
            {"hidden": 0, "start": _START, "rate": RATE},
            {"hidden": HIDDEN, "start": net.round(3).tolist(), "rate": RATE},
        ],
    }


playground: LabPage = LabPage(13, "playground", "Change the loss, and nothing else", shown, given)
