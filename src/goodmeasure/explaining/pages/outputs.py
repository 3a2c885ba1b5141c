"""From a raw output to a prediction."""

from __future__ import annotations

import math

import numpy as np

from goodmeasure import losses
from goodmeasure.drawing.sketches import bars, lines
from goodmeasure.explaining.page import Shown, page
from goodmeasure.formulas.activations import activations

_Z = np.linspace(-4, 4, 25)
_SCORES = {"cat": 2.0, "dog": 1.0, "fox": -1.0}


def _sigmoid(z: float) -> float:
    return float(losses.binary_cross_entropy().predict(np.array([z]))[0])


@page(
    "Shalev-Shwartz and Ben-David 2014, Understanding Machine Learning, chapters 2 and 3",
    "goodmeasure run DATA.csv --target YES",
    near=("activation", "loss", "learning signal", "risk", "decision"),
)
def chain() -> Shown:
    """The whole of supervised learning: meaning -> activation -> loss -> signal -> training -> risk -> decision.

    What the output represents decides the activation; what an error costs decides the loss; its derivative is the signal that
    training follows; the average loss on new rows is the risk; and costs turn a prediction into an act.
    """
    z, loss = 0.4, losses.binary_cross_entropy()
    links = {
        "raw output": z,
        "probability": _sigmoid(z),
        "loss if yes": loss([1.0], [z]),
        "signal if yes": float(loss.gradient([1.0], [z])[0]),
    }
    said = f"One row through it: raw output {z}, probability {links['probability']:.3f}; if it was yes, the loss is"
    return Shown(f"{said} {links['loss if yes']:.3f} and the signal {links['signal if yes']:.3f}.", bars(links))


@page(
    "Bishop 2006, Pattern Recognition and Machine Learning, section 4.3.6",
    "goodmeasure choose DATA.csv --target AMOUNT",
    also=("link function", "inverse link", "output activation"),
    near=("sigmoid", "softmax", "logit"),
)
def activation() -> Shown:
    """What turns a raw output into a prediction that can mean something.

    Nothing for real numbers, exp for positive amounts, the sigmoid for yes or no, the softmax for one of several classes. Loss
    and activation are composed into one formula on raw outputs, so nothing is lost where a probability is next to 0 or 1.
    """
    exp, sigmoid = (activations()[name] for name in ("exp", "sigmoid"))
    grown, sure = math.exp(2.0), _sigmoid(2.0)
    curves = {exp.name: np.exp(_Z), sigmoid.name: np.array([_sigmoid(z) for z in _Z])}
    return Shown(f"The raw output 2 is the amount {grown:.2f} under exp, the probability {sure:.3f} under the sigmoid.",
                 lines(_Z, curves, "z"))  # fmt: skip


@page(
    "Berkson 1944, Application of the logistic function to bio-assay",
    "goodmeasure score DATA.csv --y YES --p Z --raw",
    also=("log odds", "log-odds", "raw score"),
    near=("sigmoid", "margin", "softmax"),
)
def logit() -> Shown:
    """The raw output of a yes or no model: the logarithm of the odds p / (1 - p).

    It runs over all numbers, 0 stands for one half, and each step of 1 multiplies the odds by e.
    """
    p = np.linspace(0.02, 0.98, 25)
    z = np.asarray(losses.binary_cross_entropy().raw(p))
    at = {q: abs(float(losses.binary_cross_entropy().raw(np.array([q]))[0])) for q in (0.5, 0.9, 0.99)}
    said = ", ".join(f"{q:g} is {value:.2f}" for q, value in at.items())
    return Shown(
        f"As a logit the probability {said}: from .9 to .99 is a little farther than from .5 to .9.",
        lines(p, {"logit": z}, "p"),
    )


@page(
    "Verhulst 1838; Cox 1958, The regression analysis of binary sequences",
    "goodmeasure score DATA.csv --y YES --p Z --raw",
    also=("logistic function", "expit", "logistic"),
    near=("logit", "softmax", "log loss"),
)
def sigmoid() -> Shown:
    """The curve 1 / (1 + exp(-z)), which turns any raw output into a probability between 0 and 1."""
    p = np.array([_sigmoid(z) for z in _Z])
    flat = p[-1] * (1 - p[-1])
    said = f"At 0 it is {_sigmoid(0):g} and rises by {_sigmoid(0) ** 2:g} for a step of 1; at 4 it is {p[-1]:.3f} and rises by"
    return Shown(
        f"{said} {flat:.3f}: where it is sure it is flat, and cross-entropy makes up for that.",
        lines(_Z, {"p": p}, "z"),
    )


@page(
    "Bridle 1990, Probabilistic interpretation of feedforward classification network outputs",
    "goodmeasure choose DATA.csv --target CLASS",
    also=("softargmax", "normalised exponential", "multinomial logit"),
    near=("sigmoid", "logit", "log loss"),
)
def softmax() -> Shown:
    """What turns a raw output for each class into probabilities: exp of each, divided by their sum.

    They add up to 1, and only the differences between the raw outputs matter.
    """
    raw = np.array([list(_SCORES.values())])
    p, moved = (np.asarray(losses.cross_entropy().predict(z))[0] for z in (raw, raw + 10))
    said = f"The raw outputs {', '.join(f'{z:g}' for z in raw[0])} become {', '.join(f'{q:.3f}' for q in p)}; ten more on each"
    return Shown(
        f"{said} changes them by {abs(moved - p).max():.0g}.", bars(dict(zip(_SCORES, p.tolist(), strict=True)))
    )


@page(
    "Cortes and Vapnik 1995, Support-vector networks",
    "goodmeasure score DATA.csv --y YES --p Z --raw --loss squared_hinge",
    also=("functional margin",),
    near=("logit", "threshold", "log loss"),
)
def margin() -> Shown:
    """How far a raw output lies on the right side: z for a yes, -z for a no.

    Below 0 the answer is wrong. Hinge asks for a margin of 1 and pulls no more beyond it; cross-entropy always pulls a little.
    """
    yes = np.ones(len(_Z))
    curves = {name: np.asarray(losses.find(name)().value(yes, _Z)) for name in ("hinge", "log loss")}
    ahead = {name: losses.find(name)()([1.0], [1.5]) for name in curves}
    said = f"With a margin of 1.5 hinge costs {ahead['hinge']:g} and log loss {ahead['log loss']:.3f}; with a margin of -1.5"
    wrong = {name: losses.find(name)()([1.0], [-1.5]) for name in curves}
    return Shown(f"{said} {wrong['hinge']:g} and {wrong['log loss']:.2f}.", lines(_Z, curves, "margin"))
