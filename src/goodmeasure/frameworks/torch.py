"""Losses as torch modules: the fused kernel on the CPU, the derived formula everywhere else.

The gradient that torch sees is the derived signal, not what differentiating the value's operations would give, so it is exact
in the tails and has no NaN where an unused branch overflows. It can be differentiated again, mapped and compiled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from goodmeasure import kernels
from goodmeasure.arrays import check_targets
from goodmeasure.errors import ShapeMismatch, UsageError
from goodmeasure.frameworks.torch_derivatives import Program, mixed_values, of_target, signals, spread, values_of

if TYPE_CHECKING:
    from goodmeasure.loss import Loss


def to_torch(loss: Loss, *, reduction: str = "mean", denominator: float | None = None) -> TorchLoss:
    """The loss as a torch module: ``forward(input, target)``, with raw outputs first, as every torch loss has it.

    ``reduction`` is ``mean``, ``sum`` or ``none``. The mean divides by the number of examples that are present, never by
    their weights (a batch that did would undo them); ``denominator`` replaces it by a constant of the run. Classes lie on
    axis 1 of ``input``, as in torch, and the raw outputs of a loss with several on the last axis.
    """
    return TorchLoss(loss, reduction, denominator)


class TorchLoss(torch.nn.Module):  # type: ignore[misc]
    """A loss of goodmeasure as a torch module; see `to_torch`."""

    def __init__(self, loss: Loss, reduction: str = "mean", denominator: float | None = None) -> None:
        super().__init__()
        if reduction not in ("mean", "sum", "none"):
            raise UsageError(f"reduction={reduction!r} is none of mean, sum and none", fix="reduction='mean'")
        if denominator is not None and not (denominator > 0 and reduction == "mean"):
            raise UsageError(
                f"denominator={denominator!r} with reduction={reduction!r}: a mean divides by a positive number",
                fix="to_torch(loss, denominator=batch_size)",
            )
        self.loss, self.reduction, self.denominator = loss, reduction, denominator
        self._program = Program(loss)

    def extra_repr(self) -> str:
        shown = "" if self.denominator is None else f", denominator={self.denominator}"
        return f"{self.loss}, reduction={self.reduction!r}{shown}"

    def __getstate__(self) -> dict[str, Any]:
        """Without the printed functions, which are printed again."""
        return {k: v for k, v in self.__dict__.items() if k != "_program"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._program = Program(self.loss)

    def forward(
        self,
        input: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The reduced loss. ``weight`` multiplies the loss of each example; where ``mask`` is False, an example is absent.

        What is absent contributes nothing to value and gradient, whatever it holds; over nothing at all the mean is 0.
        """
        raw = input.movedim(1, -1) if self.loss.is_classwise and input.ndim > 1 else input
        _check(self.loss, raw, target, weight, mask)
        half = raw.dtype in (torch.float16, torch.bfloat16)
        raw = raw.float() if half else raw
        present = _present(weight, mask)
        if self._fuses(raw, target):
            result = self._fused(raw, target, weight, present)
        else:
            result = self._reduced(raw, target, weight, present)
        autocast = torch.is_autocast_enabled(input.device.type)
        return result.to(input.dtype) if half and not autocast else result

    def _fuses(self, raw: torch.Tensor, target: torch.Tensor) -> bool:
        if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
            return False
        plain = type(raw) in (torch.Tensor, torch.nn.Parameter) and type(target) in (torch.Tensor, torch.nn.Parameter)
        on_cpu = raw.device.type == "cpu" and target.device.type == "cpu"
        known = raw.dtype in (torch.float32, torch.float64)
        hard = target.ndim < raw.ndim if self.loss.is_classwise else True
        return self.reduction != "none" and plain and on_cpu and known and hard and target.numel() > 0

    def _fused(
        self, raw: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None, present: torch.Tensor | None
    ) -> torch.Tensor:
        count = target.numel() if present is None else int(present.sum())
        if count == 0:
            return torch.where(torch.zeros_like(raw, dtype=torch.bool), raw, 0.0).sum()
        given = weight
        if present is not None:
            given = torch.where(present, 1.0 if weight is None else weight.double(), 0.0)
        scale = 1.0 if self.reduction == "sum" else 1.0 / (self.denominator or count)
        result: torch.Tensor = _Fused.apply(self._program, raw, target, given, scale)
        return result

    def _reduced(
        self, raw: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None, present: torch.Tensor | None
    ) -> torch.Tensor:
        soft = self.loss.is_classwise and target.ndim == raw.ndim
        if present is not None:
            rows = present[..., None]
            raw = torch.where(rows if raw.ndim > present.ndim else present, raw, 0.0)
            target = torch.where(rows if soft else present, target, _harmless(self.loss, raw, soft))
        if not torch.compiler.is_compiling() and not torch._C._are_functorch_transforms_active():
            check_targets(target.detach(), raw.detach(), self.loss.target, present, self.loss)
        values = mixed_values(self._program, raw, target) if soft else values_of(self._program, target, raw)
        if weight is not None:
            values = values * weight.to(values.dtype)
        if present is not None:
            values = torch.where(present, values, 0.0)
        if self.reduction == "none":
            return values
        if self.reduction == "sum":
            return values.sum()
        count = values.numel() if present is None else present.sum().clamp(min=1)
        return values.sum() / (self.denominator or (max(count, 1) if isinstance(count, int) else count))


def _present(weight: torch.Tensor | None, mask: torch.Tensor | None) -> torch.Tensor | None:
    if weight is None:
        return mask
    return weight > 0 if mask is None else mask & (weight > 0)


def _harmless(loss: Loss, raw: torch.Tensor, soft: bool) -> float:
    if loss.is_classwise:
        return 1 / raw.shape[-1] if soft else 0
    return 1.0 if 1.0 in loss.target else 0.0


def _check(
    loss: Loss, raw: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None, mask: torch.Tensor | None
) -> None:
    """Shapes match, and nothing is broadcast."""
    wide = loss.is_classwise or len(loss.activation) > 1
    rows = tuple(raw.shape)[:-1] if wide else tuple(raw.shape)
    if wide and (raw.ndim == 0 or (raw.shape[-1] < 2 if loss.is_classwise else raw.shape[-1] != len(loss.activation))):
        _refuse_width(loss, tuple(raw.shape), tuple(target.shape))
    soft = loss.is_classwise and tuple(target.shape) == tuple(raw.shape)
    if tuple(target.shape) != rows and not soft:
        _refuse_target(loss, tuple(raw.shape), rows, tuple(target.shape))
    for name, given in (("weight", weight), ("mask", mask)):
        if given is not None and tuple(given.shape) != rows:
            raise ShapeMismatch(
                f"{name} has shape {tuple(given.shape)}, and the examples {rows}",
                fix=f"give one {name} for each example",
            )


def _refuse_width(loss: Loss, raw: tuple[int, ...], target: tuple[int, ...]) -> None:
    if loss.is_classwise:
        raise ShapeMismatch(
            f"{loss} compares classes and needs at least 2 raw outputs an example",
            seen=f"input of shape {raw} (classes last); with one, the loss is zero whatever it is",
            fix="use the binary_ form of the loss for one output",
        )
    raise ShapeMismatch(
        f"{loss} takes {len(loss.activation)} raw outputs an example, on the last axis",
        seen=f"input of shape {raw}",
        fix=f"give input of shape {(*target, len(loss.activation))}",
    )


def _refuse_target(loss: Loss, raw: tuple[int, ...], rows: tuple[int, ...], target: tuple[int, ...]) -> None:
    raise ShapeMismatch(
        f"target has shape {target} where {rows} is needed: nothing is broadcast",
        seen=f"raw outputs of shape {raw}{' (classes last)' if loss.is_classwise else ''}",
        fix=f"target = target.reshape({rows})  # if the order of the rows is the same",
    )


# --- the fused kernel ---


class _Fused(torch.autograd.Function):  # type: ignore[misc]
    """The sum of weighted values times a scale: value and gradient in one pass of the compiled kernel, without a copy."""

    @staticmethod
    def forward(
        ctx: Any, program: Program, z: torch.Tensor, y: torch.Tensor, weight: torch.Tensor | None, scale: float
    ) -> torch.Tensor:
        raws, targets = z.detach().numpy(), y.detach().numpy()
        weights = None if weight is None else weight.detach().double().numpy()
        wanted = z.requires_grad
        total, gradient = kernels.total(program.loss, targets, raws, weights, scale if wanted else None)
        ctx.program, ctx.scale, ctx.weighted = program, scale, weight is not None
        ctx.save_for_backward(z, y, weight, torch.from_numpy(gradient) if wanted else None)
        return torch.tensor(total * scale, dtype=z.dtype)

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        z, y, weight, gradient = ctx.saved_tensors
        if not torch.is_grad_enabled():
            return None, upstream * gradient, None, None, None
        # To be differentiated again, the signal has to be the formula.
        signal = signals(ctx.program, of_target(ctx.program, y, z), z)
        if weight is None:
            return None, upstream * ctx.scale * signal, None, None, None
        share = spread((weight * ctx.scale).to(z.dtype), signal)
        return None, torch.where(share > 0, upstream * share * signal, 0.0), None, None, None
