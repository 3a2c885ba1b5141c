"""Losses as pure functions of JAX, in the order of optax's arguments, with derivatives from the formula.

What ``jax.grad`` finds is the derived signal, and what it finds of that the derived curvature; both are exact in the tails.
Nothing looks at a value, so the functions trace, map and run on any device.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero

from goodmeasure.deriving.arguments import check_labels, check_together
from goodmeasure.errors import UsageError, WeightError
from goodmeasure.formulas.evaluation import language
from goodmeasure.frameworks.arrays import ArrayProgram, arrays_of, check_batch, check_beside, made, refuse_exchanged
from goodmeasure.frameworks.arrays_sums import Words
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.arrays import array_of, numbers_of
from goodmeasure.strict.calls import strict_class, strict_keywords

# How JAX spells the elementary words: as every array namespace, and what the array API lacks.
SPELLING: Words = {
    **language(jnp),
    "lgamma": jax.scipy.special.gammaln,
    "digamma": jax.scipy.special.digamma,
    "trigamma": lambda x: jax.scipy.special.polygamma(1, x),
    "stop_gradient": jax.lax.stop_gradient,
}
_NAMES = ("labels", "predictions")
_HALF = (jnp.float16, jnp.bfloat16)
_COMPUTED = (*_HALF, jnp.float32, jnp.float64)


@strict_keywords
def to_jax(loss: Loss, *, reduction: str = "none") -> JaxLoss:
    """Use a loss in JAX: a pure function that is called like those of optax, with raw outputs first.

    The gradient is the derived signal, exact in the tails. It can be differentiated again, mapped and compiled.

    Args:
        loss: the loss, such as ``gm.losses.focal(gamma=2.0)``.
        reduction: "none" for one loss an example, as in optax; "sum"; or "mean", which divides by the number of
            examples that are present, never by their weights.

    Returns:
        A function, called as ``f(predictions, labels, *, where=None, weights=None)``.

    Raises:
        GM009: there is no such reduction.

    Example:
        >>> import goodmeasure as gm
        >>> import jax
        >>> loss = gm.to_jax(gm.losses.huber(delta=2.0), reduction="mean")
        >>> jax.grad(loss)(jax.numpy.array([1.5, 2.0]), jax.numpy.array([1.0, 30.0])).tolist()
        [0.25, -1.0]
    """
    return JaxLoss(loss, reduction)


def _check_dtypes(z: jax.Array, y: jax.Array, weights: Any) -> None:
    """Refuse predictions of no precision that losses compute in, and complex numbers, of which half would be lost."""
    for name, each in (("predictions", z), ("labels", y), ("weights", weights)):
        if each is not None and jnp.iscomplexobj(each):
            raise UsageError(
                f"{name} hold complex numbers, which losses do not read", fix=f"{name} = numpy.real({name})"
            )
    if z.dtype not in _COMPUTED:
        raise UsageError(
            f"predictions hold {z.dtype}, and losses compute in half, single or double",
            fix="predictions = jax.numpy.asarray(predictions, float)",
        )


def _is_at_hand(array: jax.Array) -> bool:
    """Whether numbers are there and on the CPU: there are none while a step is traced, and elsewhere a look would wait."""
    return not isinstance(array, jax.core.Tracer) and all(device.platform == "cpu" for device in array.devices())


@strict_class
@dataclass(frozen=True)
class JaxLoss:
    """A loss as a function of JAX arrays; `to_jax` makes it.

    Two of the same loss and reduction are equal and hash alike, so it can be a static argument.

    Attributes:
        loss: the loss.
        reduction: "none", "sum" or "mean".

    Raises:
        GM009: there is no such reduction.

    Example:
        >>> import goodmeasure as gm
        >>> gm.to_jax(gm.losses.huber(delta=2.0))
        JaxLoss(loss=huber(delta=2.0), reduction='none')
    """

    loss: Loss
    reduction: str = "none"

    def __post_init__(self) -> None:
        if self.reduction not in ("none", "sum", "mean"):
            raise UsageError(f"reduction={self.reduction!r} is none of none, sum and mean", fix="reduction='mean'")

    def __call__(self, predictions: Any, labels: Any, *, where: Any = None, weights: Any = None) -> jax.Array:
        """Measure a batch.

        A traced program cannot stop: where a label lies outside the domain of the loss, or a weight is negative or no
        number, the loss is NaN, and so is its gradient; `check` says why. What is absent contributes nothing to either,
        whatever it holds.

        Args:
            predictions: raw outputs, (n,) or any shape; (n, K) with classes, or the parameters of a distribution, last.
            labels: targets, (n,); for classes (n,) whole numbers or (n, K) probabilities.
            where: True where an example counts, (n,); all count unless given.
            weights: what multiplies the loss of each example, (n,); 1 unless given. One of weight 0 is absent.

        Returns:
            The loss of each example, (n,), 0 where it is absent; or their sum or mean. Of predictions in half precision
            it is computed in single and rounded once.

        Raises:
            GM003: the shapes of predictions, labels, where or weights do not go together; nothing is broadcast.
            GM004: the labels are texts, dates or other things that are no numbers.
            GM006: where does not hold True and False, or weights are no numbers.
            GM009: the predictions hold whole numbers, labels were given for predictions, or a gradient by the labels is
                asked for.
        """
        y, z = arrays_of(self.loss, labels, predictions, jnp.asarray, _NAMES)
        check_together(self.loss, y.shape, z.shape, _NAMES)
        check_labels(self.loss, z)
        if self.loss.is_binary and _is_at_hand(y) and _is_at_hand(z):
            refuse_exchanged(self.loss, np.asarray(y), np.asarray(z), _NAMES)
        if weights is not None:
            weights = made(jnp.asarray, weights, partial(numbers_of, weights, "weights", WeightError))
        _check_dtypes(z, y, weights)
        raw = z.astype(jnp.float32) if z.dtype in _HALF else z
        if not self.loss.is_classwise or y.ndim == z.ndim:
            y = y.astype(raw.dtype)
        present, factor = self._present(raw, where), self._factors(raw, weights)
        if factor is not None:
            present = present & (factor != 0)
        return self._reduced(self._weighted(raw, y, present, factor), present).astype(z.dtype)

    def check(self, predictions: Any, labels: Any, *, where: Any = None, weights: Any = None) -> None:
        """Refuse a batch that would be NaN in a traced program, which cannot say why: call it on the batch itself.

        Args:
            predictions: raw outputs, as in a call.
            labels: targets, as in a call.
            where: True where an example counts, (n,); all count unless given.
            weights: what multiplies the loss of each example, (n,); 1 unless given.

        Raises:
            GM003: the shapes of predictions, labels, where or weights do not go together.
            GM004: a label lies outside the domain of the loss, or is no number.
            GM006: where does not hold True and False, or a weight is negative or not finite.
            GM009: labels or predictions are complex or None.

        Example:
            >>> import goodmeasure as gm
            >>> import jax
            >>> loss = gm.to_jax(gm.losses.binary_cross_entropy())
            >>> bool(jax.numpy.isnan(loss(jax.numpy.zeros(2), jax.numpy.array([1.0, 2.0]))[1]))
            True
            >>> loss.check(jax.numpy.zeros(2), jax.numpy.array([1.0, 2.0]))
            Traceback (most recent call last):
            ...
            goodmeasure.errors.TargetOutsideDomain: GM004 ...
        """
        y, z = arrays_of(self.loss, labels, predictions, jnp.asarray, _NAMES)
        _check_dtypes(z, y, None)
        check_batch(self.loss, y, z.astype(float), weights, where)

    def _weighted(self, z: jax.Array, y: jax.Array, present: jax.Array, factor: jax.Array | None) -> jax.Array:
        """The weighted loss of each example, 0 where it is absent."""
        program, value = _functions(self.loss)
        values = value(*program.without_absent(y, z, present))
        return jnp.where(present, values if factor is None else values * factor, 0)

    def _present(self, z: jax.Array, where: Any) -> jax.Array:
        """Which examples count."""
        rows = _functions(self.loss)[0].rows(z)
        if where is None:
            return jnp.ones(rows, bool)
        if not isinstance(where, jax.Array):
            where = array_of(where, "where", WeightError)
        check_beside("where", where.shape, rows)
        if where.dtype != bool:
            raise WeightError(
                f"where holds True where an example counts, not {where.dtype}", fix="where = numpy.asarray(where, bool)"
            )
        return jnp.asarray(where)

    def _factors(self, z: jax.Array, weights: Any) -> jax.Array | None:
        """What multiplies the loss of each example; NaN where it is no weight, so that it is seen."""
        if weights is None:
            return None
        weights = weights.astype(z.dtype)
        check_beside("weights", weights.shape, _functions(self.loss)[0].rows(z))
        return jnp.where((weights >= 0) & jnp.isfinite(weights), weights, jnp.nan)

    def _reduced(self, values: jax.Array, present: jax.Array) -> jax.Array:
        if self.reduction == "none":
            return values
        total = jnp.sum(values)
        if self.reduction == "sum":
            return total
        return total / jnp.maximum(jnp.sum(present), 1).astype(values.dtype)


@lru_cache(maxsize=256)
def _functions(loss: Loss) -> tuple[ArrayProgram, Callable[[Any, Any], Any]]:
    """A loss in JAX, and the value of each example as a function of labels and raw outputs.

    Its derivative is the derived signal, whose derivative is the derived curvature.
    """
    program = ArrayProgram(loss, jnp, SPELLING)

    value, signal = jax.custom_jvp(program.value), jax.custom_jvp(program.signal)

    def of_value(primals: Any, tangents: Any) -> Any:
        moved = signal(*primals) * _along(loss, primals, tangents)
        return value(*primals), moved.sum(-1) if program.wide else moved

    def of_signal(primals: Any, tangents: Any) -> Any:
        y, z = primals
        return signal(y, z), program.turned(y, z, _along(loss, primals, tangents))

    value.defjvp(of_value, symbolic_zeros=True)
    signal.defjvp(of_signal, symbolic_zeros=True)
    return program, value


def _along(loss: Loss, primals: Any, tangents: Any) -> Any:
    """How the raw outputs move; labels do not."""
    by_label, v = tangents
    if not isinstance(by_label, SymbolicZero):
        raise UsageError(
            f"a gradient by the labels is asked for, which {loss} has by its raw outputs alone",
            fix="labels = jax.lax.stop_gradient(labels)",
        )
    return jnp.zeros_like(primals[1]) if isinstance(v, SymbolicZero) else v
