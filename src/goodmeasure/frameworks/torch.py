"""Losses as torch modules: the fused kernel on the CPU, the derived formula everywhere else.

The gradient that torch sees is the derived signal, not what differentiating the value's operations would give, so it is exact
in the tails and has no NaN where an unused branch overflows. It can be differentiated again, mapped and compiled.
"""

from __future__ import annotations

from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor

from goodmeasure.deriving.arguments import check_labels, check_targets, presence, weights
from goodmeasure.errors import ShapeMismatch, UsageError, WeightError
from goodmeasure.formulas.evaluation import namespace
from goodmeasure.frameworks.torch_derivatives import Program, values_of, without_absent
from goodmeasure.frameworks.torch_fused import HALF, Work, fused, fuses, work_on
from goodmeasure.frameworks.torch_operators import name_of, operated
from goodmeasure.making.loss import Loss
from goodmeasure.strict.calls import strict_keywords


@strict_keywords
def to_torch(loss: Loss, *, reduction: str = "mean", denominator: float | None = None) -> TorchLoss:
    """Use a loss in torch: a module that is called like every torch loss, with raw outputs first.

    The gradient is the derived signal, exact in the tails, and can be differentiated again.

    Args:
        loss: the loss, such as ``gm.losses.focal(gamma=2.0)``.
        reduction: "mean", "sum" or "none". The mean divides by the number of examples that are present, never by their
            weights: a batch that did would undo them.
        denominator: a constant of the run that the sum is divided by in place of that number.

    Returns:
        A module, called as ``criterion(input, target, weight=None, mask=None)``.

    Raises:
        GM009: there is no such reduction, or the denominator is not positive or not of a mean.

    Example:
        >>> import goodmeasure as gm
        >>> import torch
        >>> criterion = gm.to_torch(gm.losses.huber(delta=2.0))
        >>> z = torch.tensor([1.5, 2.0], requires_grad=True)
        >>> criterion(z, torch.tensor([1.0, 30.0])).backward()
        >>> z.grad  # the far one pulls by delta and no more
        tensor([ 0.2500, -1.0000])
    """
    return TorchLoss(loss, reduction, denominator)


class TorchLoss(torch.nn.Module):  # type: ignore[misc]
    """A loss as a torch module; `to_torch` makes it.

    Attributes:
        loss: the loss.
        reduction: "mean", "sum" or "none".
        denominator: what the sum is divided by in place of the number of examples; None for that number.

    Raises:
        GM009: there is no such reduction, or the denominator is not positive or not of a mean.

    Example:
        >>> import goodmeasure as gm
        >>> gm.to_torch(gm.losses.huber(delta=2.0), reduction="sum")
        TorchLoss(huber(delta=2.0), reduction='sum')
    """

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
        self._program, self._name = Program(loss), name_of(loss)

    def extra_repr(self) -> str:
        shown = "" if self.denominator is None else f", denominator={self.denominator}"
        return f"{self.loss}, reduction={self.reduction!r}{shown}"

    def __getstate__(self) -> dict[str, Any]:
        """Without the printed functions, which are printed again."""
        return {k: v for k, v in self.__dict__.items() if k not in ("_program", "_name")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._program, self._name = Program(self.loss), name_of(self.loss)

    def forward(
        self,
        input: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Measure a batch.

        What is absent contributes nothing to value and gradient, whatever it holds; over nothing at all the mean is 0.

        Args:
            input: raw outputs, (n,) or (n, K, ...) with classes on axis 1 as in torch, or (n, outputs) of a loss with
                several; half, single or double.
            target: targets, (n,), (n, ...) class indices, or (n, K, ...) class probabilities.
            weight: what multiplies the loss of each example, (n,) or (n, ...).
            mask: True where an example counts, (n,) or (n, ...).

        Returns:
            The reduced loss, a scalar; with reduction "none" one loss an example, (n,) or (n, ...).

        Raises:
            GM003: the shapes of input, target, weight or mask do not go together; nothing is broadcast.
            GM004: a target lies outside the domain of the loss.
            GM006: a weight is negative or not finite, or a mask does not hold True and False.
            GM009: the input holds whole numbers, or the target requires a gradient.
        """
        raw = input
        if self._program.classwise and input.ndim > 2:
            raw = input.movedim(1, -1)
            target = target.movedim(1, -1) if target.ndim == input.ndim else target
        present = None
        rows = _check(self._program, raw, target)
        if weight is not None or mask is not None:
            present = _present(raw, rows, weight, mask)
        # Half precision is computed in single and rounded once; under autocast it stays single, as torch's own losses do.
        if raw.dtype not in HALF:
            return self._reduced(raw, target, weight, present)
        result = self._reduced(raw.float(), target, weight, present)
        return result if torch.is_autocast_enabled(input.device.type) else result.to(input.dtype)

    def _reduced(
        self, raw: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None, present: torch.Tensor | None
    ) -> torch.Tensor:
        kernel = fuses(self._program, raw, target)
        if self.reduction == "none":
            return self._values(raw, target, weight, present, kernel)
        count = self._count(raw, present)
        # The kernel knows no derivative by the weights.
        if not kernel or (weight is not None and weight.requires_grad):
            return self._values(raw, target, weight, present, kernel).sum() / count
        # In a graph the count is no number yet, and the kernel takes numbers: it is divided by afterwards.
        if torch.compiler.is_compiling() and isinstance(count, torch.Tensor):
            return self._fused(*work_on(raw, target, weight, present, 1.0)) / count
        return self._fused(*work_on(raw, target, weight, present, 1 / float(count)))

    def _count(self, raw: torch.Tensor, present: torch.Tensor | None) -> float | torch.Tensor:
        """What the sum is divided by; at least one, so that nothing at all costs nothing."""
        if self.reduction == "sum":
            return 1
        if self.denominator is not None:
            return self.denominator
        if present is not None:
            return present.sum().clamp(min=1)
        return max(raw.numel() // (raw.shape[-1] if self._program.wide else 1), 1)

    def _fused(self, raw: torch.Tensor, work: Work) -> torch.Tensor:
        """What the kernel finds."""
        if torch.compiler.is_compiling():
            return operated(raw, work, self._name)
        return fused(self._program, raw, work)

    def _values(
        self,
        raw: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None,
        present: torch.Tensor | None,
        kernel: bool,
    ) -> torch.Tensor:
        """The weighted loss of each example, by the kernel or the formula."""
        values = (
            self._fused(*work_on(raw, target, None, present, None))
            if kernel
            else self._by_formula(raw, target, present)
        )
        if weight is not None:
            values = values * weight.to(values.dtype)
        return values if present is None else torch.where(present, values, 0.0)

    def _by_formula(self, raw: torch.Tensor, target: torch.Tensor, present: torch.Tensor | None) -> torch.Tensor:
        if self._program.classwise and target.ndim == raw.ndim:
            target = target.to(raw.dtype)
        if _known(raw):
            check_targets(target, raw.detach(), self.loss.target, present, self.loss)
        if present is not None:
            raw, target = without_absent(self._program, raw, target, present)
        return values_of(self._program, target, raw)


def _known(x: torch.Tensor) -> bool:
    """Whether numbers can be looked at: there are none while a graph is traced or mapped, nor on the meta device."""
    transformed = torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active()
    return not (transformed or x.is_meta or isinstance(x, FakeTensor))


def _present(
    raw: torch.Tensor, rows: tuple[int, ...], weight: torch.Tensor | None, mask: torch.Tensor | None
) -> torch.Tensor | None:
    """Which examples count (None: all). Weights are finite and not negative, wherever they can be looked at."""
    for name, given in (("weight", weight), ("mask", mask)):
        if given is not None and given.shape != rows:
            raise ShapeMismatch(
                f"{name} has shape {tuple(given.shape)}, and the examples {tuple(rows)}",
                fix=f"give one {name} for each example",
            )
    if mask is not None and mask.dtype != torch.bool:
        raise WeightError(f"a mask holds True where an example counts, not {mask.dtype}", fix="mask = mask.bool()")
    if _known(raw):
        xp = namespace(raw)
        return presence(
            mask, weights(None if weight is None else weight.detach(), tuple(rows), xp, raw), tuple(rows), xp
        )
    positive = None if weight is None else weight > 0
    return positive if mask is None else mask if positive is None else mask & positive


def _check(program: Program, raw: torch.Tensor, target: torch.Tensor) -> tuple[int, ...]:
    """The shape of the examples. Shapes match, and nothing is broadcast; what no gradient is derived for is refused."""
    check_labels(program.loss, raw)
    shape, given = raw.shape, target.shape
    rows: tuple[int, ...] = shape[:-1] if program.wide else shape
    if program.wide and (not shape or not program.takes(shape[-1])):
        _refuse_width(program.loss, tuple(shape), tuple(given))
    if given != rows and not (program.classwise and given == shape):
        _refuse_target(program.loss, tuple(shape), tuple(rows), tuple(given))
    if not raw.dtype.is_floating_point:
        raise UsageError(f"input holds {raw.dtype}, and raw outputs are floating-point numbers", fix="input.float()")
    if target.requires_grad:
        raise UsageError(
            f"target requires a gradient, which {program.loss} has by its raw outputs alone", fix="target.detach()"
        )
    return rows


def _refuse_width(loss: Loss, raw: tuple[int, ...], target: tuple[int, ...]) -> None:
    if loss.class_weight and raw:
        raise ShapeMismatch(
            f"{loss} has {len(loss.class_weight)} class weights, and input {raw[-1]} classes",
            seen=f"input of shape {raw} (classes last)",
            fix="give one weight a class",
        )
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
