"""A small network in JAX trained on any loss of the catalogue, with optax: ``python examples/train_jax.py huber``."""

import sys

import jax
import jax.numpy as jnp
import optax

import goodmeasure as gm


def data(loss: gm.Loss, rows: int = 600, classes: int = 3) -> tuple[jax.Array, jax.Array]:
    """Inputs, and targets of the kind that the loss is about, which depend on them."""
    inputs, noise, counts = jax.random.split(jax.random.key(0), 3)
    x = jax.random.normal(inputs, (rows, 4))
    score = x[:, 0] - 0.5 * x[:, 1] ** 2 + 0.3 * jax.random.normal(noise, (rows,))
    if loss.is_classwise:
        return x, jnp.digitize(score, jnp.quantile(score, jnp.linspace(0, 1, classes + 1)[1:-1]))
    if loss.is_binary:
        return x, score > -0.5
    if loss.target.high == 1:
        return x, jax.nn.sigmoid(score)
    if loss.target.low == 0:
        return x, jax.random.poisson(counts, jnp.exp(score)) if loss.target.whole else jnp.exp(score)
    return x, score


def network(parameters: dict[str, jax.Array], x: jax.Array) -> jax.Array:
    """Raw outputs: a row of them, or one number where the loss takes one."""
    out = jnp.tanh(x @ parameters["hidden"] + parameters["shift"]) @ parameters["out"]
    return out[:, 0] if out.shape[1] == 1 else out


def train(loss: gm.Loss, epochs: int = 200) -> tuple[float, float]:
    """The mean loss on the training rows before and after."""
    x, y = data(loss)
    outputs = 3 if loss.is_classwise else len(loss.activation)
    hidden, out = jax.random.split(jax.random.key(1))
    parameters = {"hidden": jax.random.normal(hidden, (4, 16)) / 2, "shift": jnp.zeros(16)}
    parameters["out"] = jax.random.normal(out, (16, outputs)) / 8
    criterion, optimizer = gm.to_jax(loss, reduction="mean"), optax.adam(0.02)
    state = optimizer.init(parameters)

    def mean(parameters: dict[str, jax.Array]) -> jax.Array:
        return criterion(network(parameters, x), y)

    @jax.jit
    def step(parameters, state):
        updates, state = optimizer.update(jax.grad(mean)(parameters), state)
        return optax.apply_updates(parameters, updates), state

    before = float(mean(parameters))
    for _ in range(epochs):
        parameters, state = step(parameters, state)
    return before, float(mean(parameters))


if __name__ == "__main__":
    for name in sys.argv[1:] or ["cross_entropy", "huber", "poisson"]:
        chosen = getattr(gm.losses, name)()
        print("{}: mean loss {:.4f} before, {:.4f} after training".format(chosen, *train(chosen)))
