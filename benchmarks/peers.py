"""The work of the kernel benchmark, and the same work as people do it in other libraries.

A peer is a function that returns the mean and its gradient with respect to the raw outputs, both as NumPy arrays or numbers;
what it needs besides is prepared outside the time that is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import sklearn._loss.loss as sk
import torch
import torch.nn.functional as F
from scipy import special

Peer = Callable[[], tuple[Any, Any]]


@dataclass(frozen=True)
class Work:
    """A loss on examples of a size, with its formula in torch and in JAX, and where there are any in other libraries."""

    name: str
    shape: tuple[int, ...]
    targets: Callable[[np.random.Generator, tuple[int, ...]], Any]
    torch: Callable[[Any, Any], Any]
    jax: Callable[[Any, Any], Any] | None = None
    sklearn: Any = None
    numpy: Callable[[Any, Any], tuple[Any, Any]] | None = None
    hyperparameters: Mapping[str, float] = field(default_factory=dict)

    @property
    def classes(self) -> int:
        return self.shape[1] if len(self.shape) == 2 and self.name == "cross_entropy" else 0

    @property
    def title(self) -> str:
        return f"{self.name} {' x '.join(f'{n:,}' for n in self.shape)}"


def _real(r: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return r.normal(0, 2, shape[0])


def _yes(r: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return r.random(shape[0]) < 0.3


def _amount(r: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return np.exp(r.normal(0, 1, shape[0]))


def _count(r: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return r.poisson(2, shape[0])


def _class(r: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return r.integers(0, shape[1], shape[0])


def _numpy_cross_entropy(y: Any, z: Any) -> tuple[Any, Any]:
    value = np.logaddexp(0, z) - y * z
    return value.mean(dtype=np.float64), (special.expit(z) - y) / z.dtype.type(z.size)


def _numpy_squared(y: Any, z: Any) -> tuple[Any, Any]:
    miss = z - y
    return np.mean(miss * miss, dtype=np.float64), miss * z.dtype.type(2 / z.size)


def _numpy_softmax(y: Any, z: Any) -> tuple[Any, Any]:
    rows = np.arange(len(y))
    logs = special.log_softmax(z, axis=1)
    gradient = np.exp(logs)
    gradient[rows, y] -= 1
    gradient /= len(y)
    return -logs[rows, y].mean(dtype=np.float64), gradient


def _softmax_jax(z: Any, y: Any) -> Any:
    return optax.softmax_cross_entropy_with_integer_labels(z, y).mean()


def _focal_torch(z: Any, y: Any) -> Any:
    p = torch.sigmoid(z)
    surprise = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    return (surprise * (1 - (p * y + (1 - p) * (1 - y))) ** 2).mean()


def works(millions: int, rows: tuple[tuple[int, int], ...]) -> list[Work]:
    """All work: pointwise losses of different shapes on ``millions`` of examples, and cross-entropy on tables of ``rows``."""
    n = (millions << 20,)
    pointwise = [
        Work(
            "binary_cross_entropy", n, _yes, F.binary_cross_entropy_with_logits,
            lambda z, y: optax.sigmoid_binary_cross_entropy(z, y).mean(), sk.HalfBinomialLoss, _numpy_cross_entropy,
        ),
        Work(
            "squared_error", n, _real, F.mse_loss, lambda z, y: optax.squared_error(z, y).mean(), None, _numpy_squared
        ),
        Work("absolute_error", n, _real, F.l1_loss, lambda z, y: jnp.abs(z - y).mean(), sk.AbsoluteError),
        Work("huber", n, _real, F.huber_loss, lambda z, y: optax.huber_loss(z, y).mean()),
        Work(
            "log_cosh", n, _real,
            lambda z, y: (torch.abs(z - y) + F.softplus(-2 * torch.abs(z - y)) - np.log(2)).mean(),
            lambda z, y: optax.log_cosh(z, y).mean(),
        ),
        Work("cauchy", n, _real, lambda z, y: (0.5 * torch.log1p((z - y) ** 2)).mean(),
             lambda z, y: (0.5 * jnp.log1p((z - y) ** 2)).mean()),
        Work("poisson", n, _count, F.poisson_nll_loss, lambda z, y: (jnp.exp(z) - y * z).mean(),
             sk.HalfPoissonLoss),
        Work("gamma", n, _amount, lambda z, y: (y * torch.exp(-z) + z).mean(), lambda z, y: (y * jnp.exp(-z) + z).mean(),
             sk.HalfGammaLoss),
        Work(
            "tweedie", n, _amount, lambda z, y: (2 * torch.exp(0.5 * z) + 2 * y * torch.exp(-0.5 * z)).mean(),
            lambda z, y: (2 * jnp.exp(0.5 * z) + 2 * y * jnp.exp(-0.5 * z)).mean(),
        ),
        Work("hinge", n, _yes, lambda z, y: torch.relu(1 - (2 * y - 1) * z).mean(),
             lambda z, y: optax.hinge_loss(z, 2 * y - 1).mean()),
        Work("binary_focal", n, _yes, _focal_torch, lambda z, y: optax.sigmoid_focal_loss(z, y).mean()),
        Work("exponential", n, _yes, lambda z, y: torch.exp(-(2 * y - 1) * z).mean(),
             lambda z, y: jnp.exp(-(2 * y - 1) * z).mean()),
        Work(
            "gaussian_nll", (n[0] // 2, 2), _real,
            lambda z, y: F.gaussian_nll_loss(z[:, 0], y, torch.exp(2 * z[:, 1]), full=True, eps=1e-30),
            lambda z, y: (((y - z[:, 0]) * jnp.exp(-z[:, 1])) ** 2 / 2 + z[:, 1] + 0.9189385332046727).mean(),
        ),
    ]  # fmt: skip
    classes = [
        Work("cross_entropy", shape, _class, F.cross_entropy, _softmax_jax, sk.HalfMultinomialLoss, _numpy_softmax)
        for shape in rows
    ]
    return pointwise[:2] + classes + pointwise[2:]


def peers(work: Work, y: Any, z: Any) -> dict[str, Peer]:
    """The work in every library that has it, in the dtype of ``z``."""
    found: dict[str, Peer] = {"torch": _torch(work, y, z, work.torch)}
    found["torch.compile"] = _torch(work, y, z, torch.compile(work.torch, dynamic=False))
    if work.jax is not None:
        found["jax"] = _jax(work.jax, y, z)
    if work.sklearn is not None:
        found["sklearn"] = _sklearn(work, y, z)
    if work.numpy is not None:
        found["numpy"] = lambda: work.numpy(y, z)  # type: ignore[misc]
    return found


def _torch(work: Work, y: Any, z: Any, formula: Callable[[Any, Any], Any]) -> Peer:
    raw, target = torch.from_numpy(z).requires_grad_(), torch.from_numpy(y)

    def run() -> tuple[Any, Any]:
        raw.grad = None
        value = formula(raw, target)
        value.backward()
        return value.item(), raw.grad.numpy()

    return run


def _jax(formula: Callable[[Any, Any], Any], y: Any, z: Any) -> Peer:
    both = jax.jit(jax.value_and_grad(formula))
    raw, target = jnp.asarray(z), jnp.asarray(y)

    def run() -> tuple[Any, Any]:
        value, gradient = jax.block_until_ready(both(raw, target))
        return value, gradient

    return run


def _sklearn(work: Work, y: Any, z: Any) -> Peer:
    loss = work.sklearn(n_classes=work.classes) if work.classes else work.sklearn()
    target = y.astype(z.dtype)
    value, gradient = np.empty(len(y), z.dtype), np.empty_like(z)
    factor = z.dtype.type(1 / len(y))
    threads = torch.get_num_threads()

    def run() -> tuple[Any, Any]:
        loss.loss_gradient(target, z, loss_out=value, gradient_out=gradient, n_threads=threads)
        np.multiply(gradient, factor, out=gradient)
        return value.mean(dtype=np.float64), gradient

    return run
