"""The page docs/comparisons/signals.md: learning signals of other libraries in single precision, beside ours and the truth."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax
import torch
from sklearn._loss.loss import HalfBinomialLoss
from spelled_signals import RAW, SPELLINGS, Spelled, ours, verdict

PAGE = Path(__file__).resolve().parent.parent / "docs" / "comparisons" / "signals.md"
LIBRARIES = ("torch", "jax", "optax", "keras", "scikit-learn")
_IN_TORCH = SimpleNamespace(
    sigmoid=torch.sigmoid, log=torch.log, where=torch.where, softplus=torch.nn.functional.softplus
)
_IN_JAX = SimpleNamespace(sigmoid=jax.nn.sigmoid, log=jnp.log, where=jnp.where, softplus=jax.nn.softplus)
HEAD = """# Beside torch, Keras, optax, JAX and scikit-learn

Training follows the signal: the derivative of the loss along the raw output. Here it is held, in single precision, to the truth
at 50 digits at 120 raw outputs from -80 to 80, for yes and for no. "Holds" is within 8 units in the last place everywhere;
else the page says how many of the seven digits are left at the worst raw output, and the size of the first at which any are lost.
"""
MORE = """
Each library keeps the digits where the words that keep them were typed. Here they are derived from the formula of the book,
whoever types it.

What their losses answer where a value, a label or a shape is odd stands in [hosts](../hosts.md), how long they take in
[performance](../performance.md), and where each of their options went in [migrating](../migrating.md). PyTensor's rewrites have
[a page of their own](pytensor.md).
"""
Signal = Callable[[float], Any]


def page() -> str:
    """The page."""
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return "\n".join([HEAD, f"Asked of {versions}.", "", *_own(), *_typed(), MORE])


def in_torch(criterion: Callable[[Any, Any], Any]) -> Signal:
    """The derivative that torch takes of a criterion of raw outputs and targets."""

    def signal(y: float) -> Any:
        z = torch.tensor(RAW, requires_grad=True)
        return torch.autograd.grad(criterion(z, torch.full(RAW.shape, y)).sum(), z)[0].numpy()

    return signal


def in_jax(criterion: Callable[[Any, Any], Any]) -> Signal:
    """The derivative that JAX takes of a criterion of raw outputs and targets."""

    def signal(y: float) -> Any:
        target = jnp.full(RAW.shape, y, dtype=jnp.float32)
        return np.asarray(jax.grad(lambda z: criterion(z, target).sum())(jnp.asarray(RAW)))

    return signal


def in_keras(made: Any) -> Signal:
    """The derivative of a loss of Keras, on torch; a row a batch of one output."""
    return in_torch(lambda z, y: made(y[:, None], z[:, None]))


def in_scikit_learn(y: float) -> Any:
    """The gradient that scikit-learn's boosting and logistic regression take."""
    return HalfBinomialLoss().gradient(y_true=np.full(RAW.shape, y, dtype=np.float32), raw_prediction=RAW)


OWN: dict[tuple[str, str], Signal] = {
    ("cross-entropy", "torch.nn.BCEWithLogitsLoss"): in_torch(torch.nn.BCEWithLogitsLoss(reduction="none")),
    ("cross-entropy", "optax.sigmoid_binary_cross_entropy"): in_jax(optax.losses.sigmoid_binary_cross_entropy),
    ("cross-entropy", "keras.losses.BinaryCrossentropy(from_logits=True)"): in_keras(
        keras.losses.BinaryCrossentropy(from_logits=True, reduction="none")
    ),
    ("cross-entropy", "sklearn._loss.HalfBinomialLoss"): in_scikit_learn,
    ("focal", "optax.sigmoid_focal_loss(gamma=2)"): in_jax(
        lambda z, y: optax.losses.sigmoid_focal_loss(z, y, gamma=2.0)
    ),
    ("focal", "keras.losses.BinaryFocalCrossentropy(from_logits=True)"): in_keras(
        keras.losses.BinaryFocalCrossentropy(from_logits=True, gamma=2.0, reduction="none")
    ),
}


def _own() -> Iterator[str]:
    """The losses that libraries bring."""
    yield from (
        "## The losses that they bring",
        "",
        "| loss | made by | its signal | goodmeasure |",
        "|---|---|---|---|",
    )
    for (loss, name), signal in OWN.items():
        yield f"| {loss} | `{name}` | {verdict(loss, signal)} | {_ours(loss)} |"
    yield ""


def _typed() -> Iterator[str]:
    """The losses that people type where a library brings none."""
    yield from ("## The losses that people type", "", "Differentiated by each library; `p` is its sigmoid of z.", "")
    yield from ("| loss | spelled | torch | JAX | goodmeasure |", "|---|---|---|---|---|")
    for each in SPELLINGS:
        found = [verdict(each.loss, made(_spelled(each, words))) for made, words in _LIBRARIES]
        yield f"| {each.loss} | `{each.how}` | {' | '.join(found)} | {_ours(each.loss)} |"


_LIBRARIES = ((in_torch, _IN_TORCH), (in_jax, _IN_JAX))


def _spelled(each: Spelled, words: Any) -> Callable[[Any, Any], Any]:
    return lambda z, y: each.formula(words, y, z)


def _ours(loss: str) -> str:
    return verdict(loss, lambda y: ours(loss, y))


if __name__ == "__main__":
    print(page())
