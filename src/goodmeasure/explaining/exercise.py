"""Why is a model trained on cross-entropy and not on the count of wrong answers? One neuron on 40 points, live.

The three losses are those of the catalogue; the neuron sees one feature, and every number is computed when the exercise is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure import losses
from goodmeasure.making.loss import Loss

STEPS, RATE = 100, 1.0
# A weight and a bias that point the wrong way.
START = (-3.0, -1.0)
SHOWN = (0, 5, 10, 20, 50, 100)
QUESTION = """A neuron sees 40 points, 20 of each kind, and starts with 35 wrong answers. It is trained for 100 steps of
gradient descent, once on each of three losses: the count of wrong answers, cross-entropy, and squared error of
the probability. What we want in the end is few wrong answers. How many are left after 20 steps of training on
the count itself?"""


@dataclass(frozen=True)
class Training:
    """A training run: the wrong answers and the length of the signal at each step, and the weights at the end."""

    loss: Loss
    wrong: tuple[int, ...]
    signal: tuple[float, ...]
    weights: Any


def points() -> tuple[Any, Any]:
    """Features (one and a constant) and answers of the 40 points."""
    y = np.repeat([0.0, 1.0], 20)
    x = np.random.default_rng(3).normal(size=40) + 2 * y - 1
    return np.column_stack([x, np.ones(40)]), y


def train(loss: Loss, *, steps: int = STEPS, rate: float = RATE) -> Training:
    """Gradient descent of one neuron on a yes/no loss from a start that points the wrong way."""
    x, y = points()
    weights = np.asarray(START)
    wrong, signal = [], []
    for _ in range(steps + 1):
        z = x @ weights
        _, slope = loss.value_and_gradient(y, z)
        wrong.append(int(((z > 0) != (y > 0)).sum()))
        signal.append(float(np.linalg.norm(x.T @ slope)))
        weights = weights - rate * (x.T @ slope)
    return Training(loss, tuple(wrong), tuple(signal), weights)


def runs() -> tuple[Training, Training, Training]:
    """The count of wrong answers, cross-entropy and squared error, each trained from the same start."""
    return train(losses.zero_one()), train(losses.binary_cross_entropy()), train(losses.binary_brier())


@dataclass(frozen=True)
class Twin:
    """A neuron on the 40 points: its wrong answers, its cross-entropy, and how sure it is of the worst of them."""

    wrong: int
    loss: float
    surest_error: float


def twins(trained: Training) -> tuple[Twin, Twin]:
    """The trained neuron, and the same neuron eight times as sure of itself."""
    x, y = points()
    loss = losses.binary_cross_entropy()

    def twin(weights: Any) -> Twin:
        z = x @ weights
        p, off = loss.predict(z), (z > 0) != (y > 0)
        return Twin(int(off.sum()), loss(y, z), float(np.max(np.abs(y - p), initial=0.0, where=off)))

    return twin(trained.weights), twin(8 * trained.weights)


def told(guess: int | None = None) -> Iterator[str]:
    """The exercise as paragraphs; a guess of the wrong answers after 20 steps on the count is answered first."""
    count, entropy, squared = runs()
    if guess is not None:
        said = "That is right" if guess == count.wrong[20] else f"It is {count.wrong[20]}"
        yield f"Your guess: {guess}. {said}; here is why."
    rows = [f"{'wrong answers after step':<26}{''.join(f'{s:>6}' for s in SHOWN)}"]
    for name, run in (("count of wrong answers", count), ("cross-entropy", entropy), ("squared error", squared)):
        rows.append(f"{name:<26}{''.join(f'{run.wrong[s]:>6}' for s in SHOWN)}")
    yield "\n".join(rows)
    yield (
        f"The count's signal is {max(count.signal):g} at every one of the {STEPS} steps: move the border a little and no answer "
        f"changes, so the count says nothing about which way to go. It stays at {count.wrong[-1]}.\n"
        f"Cross-entropy pulls hardest where the neuron is sure and wrong; its signal starts at {entropy.signal[0]:.2f} and "
        f"{entropy.wrong[20]} wrong answers are left after 20 steps.\n"
        f"Squared error of the probability starts with a signal of {squared.signal[0]:.2f}: where the neuron is sure and "
        f"wrong the sigmoid is flat and the pull nearly vanishes. After 20 steps {squared.wrong[20]} are wrong, and it takes "
        f"{next(s for s, w in enumerate(squared.wrong) if w <= 5)} steps to come to 5 or fewer."
    )
    first, second = twins(entropy)
    yield (
        f"Two neurons with the same {first.wrong} wrong answers can be very different: the one just trained has a "
        f"cross-entropy of {first.loss:.3f}, and the same border with weights eight times as large, with {second.wrong} wrong "
        f"answers, {second.loss:.3f}. The second gives {second.surest_error:.1%} to an answer that is wrong, the first "
        f"{first.surest_error:.1%}; who acts on probabilities pays for that, and the count cannot see it."
    )
    yield (
        "In short: a loss to train on must be directional (lower toward better), sensitive (it says by how much, also far "
        "off) and aligned with what is wanted in the end. The count is what is wanted, but it is flat almost everywhere: "
        "directional nowhere. Cross-entropy is a stand-in with a pull at every point, and its least value is at the true "
        "probabilities, from which the best answers follow: an accuracy short of the best by r costs at least r**2 / 2 of it."
    )
    yield (
        f"And honestly: a stand-in it is. After {STEPS} steps cross-entropy leaves {entropy.wrong[-1]} wrong and squared error "
        f"{squared.wrong[-1]}: once both have arrived, the slower one is no worse. One mislabelled point that the neuron is "
        "sure about can cost cross-entropy more than all others together; there a bounded loss (brier, "
        "generalized_cross_entropy) is steadier. "
        "And to report, or to decide with your own costs, count the errors or price them: goodmeasure decide does."
    )
