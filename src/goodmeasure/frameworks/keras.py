"""Losses as losses of Keras 3, on whatever back end it runs, with derivatives from the formula.

The gradient that a back end sees is the derived signal, and what it finds of that the derived curvature.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import keras
import numpy as np
from keras import ops
from keras.src.backend.common.masking import get_keras_mask, set_keras_mask

from goodmeasure.deriving.arguments import check_labels, check_together
from goodmeasure.errors import ShapeMismatch, UsageError, WeightError
from goodmeasure.formulas.evaluation import language
from goodmeasure.frameworks.arrays import ArrayProgram, arrays_of, check_batch, refuse_exchanged
from goodmeasure.frameworks.arrays_sums import Words
from goodmeasure.making.as_data import loss_from_dict, loss_to_dict
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.arrays import numbers_of
from goodmeasure.statistics.weights import check_weights
from goodmeasure.strict.calls import strict_class, strict_keywords

_NAMES = ("y_true", "y_pred")
REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none")
PRECISIONS = ("float16", "bfloat16", "float32", "float64")


class _Namespace:
    """The operations of Keras under the names of the array API."""

    asarray = staticmethod(ops.convert_to_tensor)

    def __getattr__(self, name: str) -> Any:
        return getattr(ops, name)

    @staticmethod
    def isdtype(dtype: Any, kind: str) -> bool:
        return kind == "real floating"  # Keras hands over nothing else

    @staticmethod
    def finfo(dtype: Any) -> Any:
        return np.finfo(str(dtype).rsplit(".", 1)[-1])


_XP = _Namespace()
# How Keras spells the elementary words. Unless its floatx is "float64", it rounds tanh and the larger and smaller of two numbers
# (and on JAX, sine and cosine) to single precision; the gamma functions it lacks. Where there is another way, it is taken.
SPELLING: Words = {
    **{k: v for k, v in language(_XP).items() if k not in ("tanh", "lgamma", "digamma", "trigamma")},
    "maximum": lambda a, b: ops.where(a < b, b, a),
    "minimum": lambda a, b: ops.where(b < a, b, a),
    "stop_gradient": ops.stop_gradient,
}


@strict_keywords
def to_keras(
    loss: Loss, *, reduction: str | None = "sum_over_batch_size", name: str | None = None, dtype: str | None = None
) -> KerasLoss:
    """Use a loss in Keras: what ``model.compile(loss=...)`` takes, for models that give raw outputs.

    The gradient is the derived signal, exact in the tails. A saved model keeps the loss with all its parameters; import
    goodmeasure and name ``gm.to_keras`` before one is loaded.

    Args:
        loss: the loss, such as ``gm.losses.focal(gamma=2.0)``.
        reduction: as in Keras: "sum_over_batch_size" (or "mean") divides by the number of examples, whatever they weigh;
            "mean_with_sample_weight" by the sum of the weights; "sum", "none".
        name: what the loss is called in logs; the name of its class unless given.
        dtype: the precision to compute in; Keras' own unless given.

    Returns:
        A ``keras.losses.Loss``, called as ``criterion(y_true, y_pred, sample_weight=None)``.

    Raises:
        GM009: there is no such reduction, or no such precision.

    Example:
        >>> import goodmeasure as gm
        >>> criterion = gm.to_keras(gm.losses.huber(delta=2.0))
        >>> round(float(criterion([1.0, 30.0], [1.5, 2.0])), 4)
        27.0625
    """
    return KerasLoss(loss, reduction, name, dtype)


@keras.saving.register_keras_serializable(package="goodmeasure")
@strict_class
class KerasLoss(keras.losses.Loss):  # type: ignore[misc]
    """A loss as a loss of Keras; `to_keras` makes it.

    Attributes:
        loss: the loss.
        reduction: how the losses of the examples become one number.
        name: what the loss is called in logs.
        dtype: the precision to compute in.

    Raises:
        GM009: there is no such reduction, or no such precision.

    Example:
        >>> import goodmeasure as gm
        >>> gm.to_keras(gm.losses.huber(delta=2.0), reduction="sum")
        KerasLoss(huber(delta=2.0), reduction='sum')
    """

    def __init__(
        self,
        loss: Loss,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        if reduction is not None and reduction not in REDUCTIONS:
            raise UsageError(
                f"reduction={reduction!r} is no reduction of Keras", seen=", ".join(REDUCTIONS), fix="reduction='sum'"
            )
        if dtype is not None and dtype not in PRECISIONS:
            raise UsageError(f"dtype={dtype!r} is no precision", seen=", ".join(PRECISIONS), fix="dtype='float32'")
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.loss = loss

    def __repr__(self) -> str:
        return f"KerasLoss({self.loss}, reduction={self.reduction!r})"

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Measure a batch by Keras' conventions.

        What is absent, by a mask or the weight 0, contributes nothing, whatever it holds. Elsewhere the loss is NaN,
        and so is its gradient, where a target lies outside the domain of the loss, or a weight that a compiled step cannot
        look at is negative or not finite: it cannot stop, and `check` says why.

        Args:
            y_true: targets, (n,) or (n, 1); for classes (n,) whole numbers or (n, K) probabilities.
            y_pred: raw outputs, (n,) or (n, 1); (n, K) with classes, or the parameters of a distribution, last.
            sample_weight: what multiplies the loss of each example, (n,); 1 unless given.

        Returns:
            The reduced loss; with reduction "none" one number an example, (n,).

        Raises:
            GM003: the shapes of y_true, y_pred or sample_weight do not go together; nothing is broadcast.
            GM004: the targets are texts, dates or other things that are no numbers.
            GM006: a weight is negative or not finite.
            GM009: targets or raw outputs are complex or None, or were given for each other.
        """
        mask = get_keras_mask(y_pred)
        y, z = self._together(y_true, y_pred)
        if sample_weight is not None:
            sample_weight = _lawful(sample_weight)
            sample_weight = self._beside("sample_weight", ops.convert_to_tensor(sample_weight, dtype=self.dtype), z)
            sample_weight = ops.where((sample_weight >= 0) & ops.isfinite(sample_weight), sample_weight, np.nan)
        if mask is not None or sample_weight is not None:
            y, z = self._without_absent(y, z, mask, sample_weight)
            set_keras_mask(z, mask)
        return super().__call__(y, z, sample_weight)

    def check(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Refuse a batch that would be NaN in a compiled step, or that Keras refuses without a reason, as texts for targets.

        Args:
            y_true: targets, as in a call.
            y_pred: raw outputs, as in a call: ``model(x)``.
            sample_weight: what multiplies the loss of each example, (n,); 1 unless given.

        Raises:
            GM003: the shapes of y_true, y_pred or sample_weight do not go together.
            GM004: a target lies outside the domain of the loss, or is a text, a date or else no number.
            GM006: a weight is negative or not finite.
            GM009: targets or raw outputs are complex or None.

        Example:
            >>> import goodmeasure as gm
            >>> gm.to_keras(gm.losses.cross_entropy()).check(["cat", "dog"], [[0.0, 1.0], [1.0, 0.0]])
            Traceback (most recent call last):
            ...
            goodmeasure.errors.TargetOutsideDomain: GM004 ...
        """
        y, z = map(_in_double, self._together(y_true, y_pred))
        check_batch(self.loss, y, z, sample_weight, None)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Give the loss of each example; of several numbers an example it is their mean, as in Keras.

        Args:
            y_true: targets, (n,) or (n, 1); for classes (n,) whole numbers or (n, K) probabilities.
            y_pred: raw outputs, (n,) or (n, 1); (n, K) with classes, or the parameters of a distribution, last.

        Returns:
            A number an example, (n,).

        Raises:
            GM003: the shapes of y_true and y_pred do not go together; nothing is broadcast.
            GM004: the targets are texts, dates or other things that are no numbers.
            GM009: targets or raw outputs are complex or None, or were given for each other.
        """
        y, z = self._together(y_true, y_pred)
        self._refuse_exchanged(y, z)
        half = self.dtype in ("float16", "bfloat16")
        if half:
            y, z = ops.cast(y, "float32"), ops.cast(z, "float32")
        program, value = _functions(self.loss)
        found = value(y, z)
        if not program.wide and len(z.shape) > 1:  # its own mean is rounded to single precision
            found = ops.sum(found, axis=-1) / found.shape[-1]
        return ops.cast(found, self.dtype) if half else found

    def get_config(self) -> dict[str, Any]:
        """Give everything that makes the loss again, as plain values.

        Returns:
            What `from_config` takes, the formula of the loss and its parameters included.
        """
        return {**super().get_config(), "dtype": self.dtype, "loss": loss_to_dict(self.loss)}

    @staticmethod
    @strict_keywords
    def from_config(config: dict[str, Any]) -> KerasLoss:
        """Make the loss again from what `get_config` gave; its formula is read word by word, never evaluated.

        Args:
            config: what `get_config` gave.

        Returns:
            The same loss.

        Raises:
            GM009: the config is none that `get_config` gave.
        """
        try:
            loss = loss_from_dict(config["loss"])
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(
                "a config is what get_config gives, and this one describes no loss",
                seen=f"{type(error).__name__}: {error}",
                fix="config = criterion.get_config()",
            ) from error
        return KerasLoss(**{**config, "loss": loss})

    def _together(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """Targets and raw outputs whose shapes go together; (n,) goes with (n, 1), as in Keras."""
        for name, given in zip(_NAMES, (y_true, y_pred), strict=True):
            _refuse_complex(given, name)
        y, z = arrays_of(self.loss, y_true, y_pred, partial(ops.convert_to_tensor, dtype=self.dtype), _NAMES)
        program = _functions(self.loss)[0]
        rows = program.rows(z)
        if tuple(y.shape) == (*rows, 1) and len(rows):
            y = ops.squeeze(y, axis=-1)
        elif not program.wide and tuple(z.shape) == (*y.shape, 1):
            z = ops.squeeze(z, axis=-1)
        check_together(self.loss, tuple(y.shape), tuple(z.shape), _NAMES)
        check_labels(self.loss, z)
        return y, z

    def _refuse_exchanged(self, y: Any, z: Any) -> None:
        """Refuse targets and raw outputs that were given for each other, where they can be looked at without waiting."""
        if self.loss.is_binary and _is_at_hand(y) and _is_at_hand(z):
            targets, outputs = (each.detach() if hasattr(each, "detach") else np.asarray(each) for each in (y, z))
            refuse_exchanged(self.loss, targets, outputs, _NAMES)

    def _beside(self, name: str, given: Any, z: Any) -> Any:
        """Numbers that multiply those of `call`: one for each, or one for several on the axes that follow."""
        program = _functions(self.loss)[0]
        rows = program.rows(z)
        rows = rows[:-1] if not program.wide and len(rows) > 1 else rows
        shape = tuple(given.shape)
        if shape == (*rows, 1):
            given, shape = ops.squeeze(given, axis=-1), shape[:-1]
        if len(shape) > len(rows) or any(size not in (1, n) for size, n in zip(shape, rows, strict=False)):
            raise ShapeMismatch(
                f"{name} has shape {shape}, and the examples {rows}", fix=f"give one {name} for each example"
            )
        return ops.reshape(given, (*shape, *[1] * (len(rows) - len(shape))))

    def _without_absent(self, y: Any, z: Any, mask: Any, weight: Any) -> tuple[Any, Any]:
        """Targets and raw outputs with harmless ones where an example is absent."""
        program = _functions(self.loss)[0]
        rows = program.rows(z)
        present = ops.ones(rows, dtype="bool")
        for given in (mask, weight):
            if given is not None:
                counts = self._beside("mask", ops.convert_to_tensor(given), z) != 0
                counts = ops.reshape(counts, (*counts.shape, *[1] * (len(rows) - len(counts.shape))))
                present = ops.logical_and(present, counts)
        return program.without_absent(y, z, present)


def _in_double(tensor: Any) -> Any:
    """The numbers of a tensor of any back end, on this machine and in double precision."""
    held = tensor.detach().double().cpu().numpy() if hasattr(tensor, "detach") else tensor
    return np.asarray(held, dtype=np.float64)


def _refuse_complex(given: Any, name: str) -> None:
    """Refuse complex numbers, of which the host would drop half."""
    kind = keras.backend.standardize_dtype(given.dtype) if ops.is_tensor(given) else str(getattr(given, "dtype", ""))
    if kind.startswith("complex"):
        raise UsageError(f"{name} holds complex numbers, which losses do not read", fix=f"{name} = numpy.real({name})")


def _lawful(weight: Any) -> Any:
    """The weights, refused where they can be looked at without waiting and are none."""
    if not ops.is_tensor(weight):
        check_weights(numbers_of(weight, "sample_weight", WeightError).astype(np.float64))
    elif _is_at_hand(weight):
        check_weights(np.asarray(ops.convert_to_numpy(weight), dtype=np.float64))
    return weight


def _is_at_hand(tensor: Any) -> bool:
    """Whether numbers are there and on the CPU: there are none while a step is traced."""
    if keras.backend.backend() == "torch":
        import torch

        transformed = torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active()
        return bool(tensor.is_cpu) and not transformed
    if keras.backend.backend() == "jax":
        import jax

        return not isinstance(tensor, jax.core.Tracer) and all(d.platform == "cpu" for d in tensor.devices())
    return False


@lru_cache(maxsize=256)
def _functions(loss: Loss) -> tuple[ArrayProgram, Callable[[Any, Any], Any]]:
    """A loss in operations of Keras, and the value of each example as a function of targets and raw outputs.

    Its derivative by the latter is the derived signal, whose derivative is the derived curvature; targets are constants.
    """
    program = ArrayProgram(loss, _XP, SPELLING)

    def signal(y: Any, z: Any) -> Any:
        def grad(*given: Any, upstream: Any = None) -> Any:
            v = given[0] if upstream is None else upstream
            return ops.zeros_like(y), program.turned(y, z, v)

        return program.signal(y, z), grad

    def value(y: Any, z: Any) -> Any:
        def grad(*given: Any, upstream: Any = None) -> Any:
            share = given[0] if upstream is None else upstream
            share = ops.expand_dims(share, -1) if program.wide else share
            return ops.zeros_like(y), share * of_signal(y, z)

        return program.value(y, z), grad

    of_signal = ops.custom_gradient(signal)
    found: Callable[[Any, Any], Any] = ops.custom_gradient(value)
    return program, found
