"""The fused kernel as operators of torch, which a compiled graph calls as one node each."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import torch

from goodmeasure.errors import UsageError
from goodmeasure.formulas.expression import spelled
from goodmeasure.formulas.serialise import to_data
from goodmeasure.frameworks.torch_derivatives import spread
from goodmeasure.frameworks.torch_formulas import SPELLING
from goodmeasure.frameworks.torch_fused import Work, swept

if TYPE_CHECKING:
    from goodmeasure.making.loss import Loss

_losses: dict[str, Loss] = {}


def name_of(loss: Loss) -> str:
    """What graphs call a loss, which is known by it from now on.

    They are kept on disk and read by other processes, so it says what is computed, to the last hyperparameter.
    """
    what = (to_data(spelled(loss.composed, SPELLING)), loss.values, loss.class_weight, loss.target)
    name = hashlib.sha256(repr(what).encode()).hexdigest()[:32]
    _losses[name] = loss
    return name


def _known(name: str) -> Loss:
    if name not in _losses:
        raise UsageError(
            "a compiled graph holds a loss that this process does not know",
            fix="call goodmeasure.to_torch(loss) before the graph runs",
        )
    return _losses[name]


def _unknown_values(z: torch.Tensor, y: torch.Tensor, scale: float | None, loss: str) -> torch.Tensor:
    """What the values will be kept in: one number, or one for each example."""
    return z.new_empty(() if scale is not None else z.shape[:-1] if _known(loss).is_classwise else y.shape)


@torch.library.custom_op("goodmeasure::values", mutates_args=(), device_types="cpu")  # type: ignore[untyped-decorator]
def _values(
    z: torch.Tensor, y: torch.Tensor, weight: torch.Tensor | None, scale: float | None, loss: str
) -> torch.Tensor:
    return swept(_known(loss), z, Work(y, weight, scale), signal=False)[0]


@_values.register_fake  # type: ignore[untyped-decorator]
def _(z: Any, y: Any, weight: Any, scale: Any, loss: str) -> Any:
    return _unknown_values(z, y, scale, loss)


@torch.library.custom_op("goodmeasure::values_and_gradient", mutates_args=(), device_types="cpu")  # type: ignore[untyped-decorator]
def _values_and_gradient(
    z: torch.Tensor, y: torch.Tensor, weight: torch.Tensor | None, scale: float | None, loss: str
) -> tuple[torch.Tensor, torch.Tensor]:
    values, gradient = swept(_known(loss), z, Work(y, weight, scale), signal=True)
    assert gradient is not None
    return values, gradient


@_values_and_gradient.register_fake  # type: ignore[untyped-decorator]
def _(z: Any, y: Any, weight: Any, scale: Any, loss: str) -> Any:
    return _unknown_values(z, y, scale, loss), torch.empty_like(z, memory_format=torch.contiguous_format)


def _save(ctx: Any, inputs: Any, output: Any) -> None:
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(output[1])


def _backward(ctx: Any, upstream: Any, of_gradient: Any) -> Any:
    if of_gradient is not None:
        raise UsageError(
            "a second derivative of a compiled loss was asked for, and a graph holds the first alone",
            fix="call the loss outside of torch.compile",
        )
    (gradient,) = ctx.saved_tensors
    return spread(upstream, gradient) * gradient, None, None, None, None


_values_and_gradient.register_autograd(_backward, setup_context=_save)


def operated(raw: torch.Tensor, work: Work, loss: str) -> torch.Tensor:
    """What `goodmeasure.frameworks.torch_fused.fused` gives, as a node of a graph."""
    if not (raw.requires_grad and torch.is_grad_enabled()):
        return _values(raw, *work, loss)
    return _values_and_gradient(raw, *work, loss)[0]
