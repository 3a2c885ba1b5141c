"""A small network in Keras trained on any loss of the catalogue, saved, and loaded: ``python examples/train_keras.py huber``.

It runs on whatever back end Keras does: ``KERAS_BACKEND=jax python examples/train_keras.py``.
"""

import sys
import tempfile
from pathlib import Path

import keras
import numpy as np

import goodmeasure as gm


def data(loss: gm.Loss, rows: int = 600, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Inputs, and targets of the kind that the loss is about, which depend on them."""
    r = np.random.default_rng(0)
    x = r.normal(size=(rows, 4)).astype("float32")
    score = x[:, 0] - 0.5 * x[:, 1] ** 2 + 0.3 * r.normal(size=rows)
    if loss.is_classwise:
        return x, np.digitize(score, np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1]))
    if loss.is_binary:
        return x, (score > -0.5).astype(float)
    if loss.target.high == 1:
        return x, 1 / (1 + np.exp(-score))
    if loss.target.low == 0:
        return x, r.poisson(np.exp(score)) if loss.target.whole else np.exp(score)
    return x, score


def train(loss: gm.Loss, epochs: int = 30) -> tuple[float, float]:
    """The mean loss on the training rows before training, and of the model that was saved and loaded after it."""
    keras.utils.set_random_seed(0)
    x, y = data(loss)
    outputs = 3 if loss.is_classwise else len(loss.activation)
    network = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(16, "tanh"), keras.layers.Dense(outputs)])
    network.compile(keras.optimizers.Adam(0.02), loss=gm.to_keras(loss))
    before = network.evaluate(x, y, verbose=0)
    network.fit(x, y, epochs=epochs, batch_size=100, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        network.save(Path(folder) / "network.keras")
        kept = keras.models.load_model(Path(folder) / "network.keras")
    return before, kept.evaluate(x, y, verbose=0)


if __name__ == "__main__":
    for name in sys.argv[1:] or ["cross_entropy", "huber", "poisson"]:
        chosen = getattr(gm.losses, name)()
        print("{}: mean loss {:.4f} before, {:.4f} after training".format(chosen, *train(chosen)))
