"""The derived formula of a loss in torch, with derivatives that torch does not have to find.

Differentiating the value's operations would lose the tails and make NaN where an unused branch overflows; here the derivative
of the value is the derived signal, and the derivative of the signal the derived curvature.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from goodmeasure.deriving.pointwise import less_huge, limit
from goodmeasure.frameworks.torch_classes import Classwise, classwise
from goodmeasure.frameworks.torch_formulas import pointwise

if TYPE_CHECKING:
    from goodmeasure.making.loss import Loss


class Program:
    """The functions of one loss in torch operations, and what there is to know of it without asking again."""

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        self.classwise: bool = loss.is_classwise
        self.labels: int = loss.labels
        self.wide: bool = (
            self.classwise or len(loss.activation) > 1
        )  # raw outputs of an example have an axis of their own
        self.harmless: float = 1.0 if 1.0 in loss.target else 0.0  # a target that goes with any raw output
        if self.classwise:
            self.indexed: Classwise = classwise(loss, soft=False)
            self.shared: Classwise = classwise(loss, soft=True)
        else:
            bends = [bend for row in loss.curvature for bend in row]
            named = (("value", [loss.composed]), ("signal", loss.signal), ("curvature", bends))
            self.formulas: list[Callable[..., Any]] = [pointwise(loss, formulas, name) for name, formulas in named]
            self.without_number: set[Callable[..., Any]] = {f for f in self.formulas if _leaves_no_number(loss, f)}

    def takes(self, width: int) -> bool:
        """Whether an example can have so many raw outputs."""
        if self.classwise:
            return width == len(self.loss.class_weight) if self.loss.class_weight else width > 1
        return width == len(self.loss.activation)

    def value(self, y: torch.Tensor, z: torch.Tensor, classes: torch.Tensor | None) -> torch.Tensor:
        """The value of each example."""
        if classes is not None:
            return self._of_classes(y, z).value(y, z, classes)
        return self._at_limits(self.formulas[0], y, z)

    def signal(self, y: torch.Tensor, z: torch.Tensor, classes: torch.Tensor | None) -> torch.Tensor:
        """The derivative of the value by each raw output."""
        if classes is not None:
            return self._of_classes(y, z).signal(y, z, classes)
        return self._at_limits(self.formulas[1], y, z)

    def turned(self, y: torch.Tensor, z: torch.Tensor, classes: torch.Tensor | None, v: torch.Tensor) -> torch.Tensor:
        """The derivative of the signal along ``v``, of the shape of ``z``: second derivatives times it."""
        if classes is not None:
            return self._of_classes(y, z).turned(y, z, classes, v)
        bends, m = self._at_limits(self.formulas[2], y, z), len(self.loss.activation)
        return v * bends if m == 1 else (v[..., :, None] * bends.reshape(*z.shape, m)).sum(-2)

    def _of_classes(self, y: torch.Tensor, z: torch.Tensor) -> Classwise:
        return self.shared if y.ndim == z.ndim else self.indexed

    def _at_limits(self, function: Any, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """A formula's result; where a huge raw output leaves no number (inf - inf), what a less huge one gives."""
        found: torch.Tensor = function(y, z)
        for bounds in less_huge(torch.finfo(z.dtype).max) if function in self.without_number else ():
            there, before = (function(y, z.clamp(-bound, bound)) for bound in bounds)
            found = torch.where(found != found, limit(there, before, torch), found)
        lost = z != z  # as ``isnan``, which inductor does not vectorise
        if len(self.loss.activation) > 1:
            lost = lost.any(-1, keepdim=True) if found.ndim == z.ndim else lost.any(-1)
        return torch.where(lost, torch.nan, found)


@lru_cache(maxsize=128)
def program_of(loss: Loss) -> Program:
    """The functions of a loss, printed and looked through once: programs make the same criterion again and again."""
    return Program(loss)


def _leaves_no_number(loss: Loss, function: Any) -> bool:
    """Whether a formula of the loss is NaN at some raw output that is a number."""
    m = len(loss.activation)
    ends = np.array([-np.inf, -1e300, -1e30, -800, -1, 0, 1, 800, 1e30, 1e300, np.inf])
    y = np.array([v for v in (0, 0.5, 1, 2, -3, 7) if v in loss.target])
    grid = np.meshgrid(y, *[ends] * m)
    target, raws = torch.tensor(grid[0].ravel()), torch.tensor(np.stack([g.ravel() for g in grid[1:]], -1))
    if loss.labels:
        target, raws = target[:, None].repeat(1, loss.labels), raws.repeat(1, loss.labels)
    return bool(torch.isnan(function(target, raws if m > 1 or loss.labels else raws[:, 0])).any())


class _Formula(torch.autograd.Function):  # type: ignore[misc]
    """A formula of targets and raw outputs that can be differentiated by the latter, mapped and compiled."""

    generate_vmap_rule = True

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.program, *tensors = inputs
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)


class _Value(_Formula):
    """The value of each example, whose derivative is the derived signal."""

    @staticmethod
    def forward(program: Program, y: Any, z: Any, classes: Any) -> torch.Tensor:
        return program.value(y, z, classes)

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        signal = _signal(ctx.program, *ctx.saved_tensors)
        return None, None, spread(upstream, signal) * signal, None


class _Signal(_Formula):
    """The signal of each example, whose derivative is the derived curvature."""

    @staticmethod
    def forward(program: Program, y: Any, z: Any, classes: Any) -> torch.Tensor:
        return program.signal(y, z, classes)

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        return None, None, ctx.program.turned(*ctx.saved_tensors, upstream), None


# The same with forward mode, which torch.compile refuses to look at.


class _DualValue(_Value):
    @staticmethod
    def jvp(ctx: Any, _program: Any, _y: Any, v: Any, _classes: Any) -> Any:
        moved = _signal(ctx.program, *ctx.saved_tensors) * v
        return moved.sum(-1) if ctx.program.wide else moved


class _DualSignal(_Signal):
    @staticmethod
    def jvp(ctx: Any, _program: Any, _y: Any, v: Any, _classes: Any) -> Any:
        return ctx.program.turned(*ctx.saved_tensors, v)  # second derivatives are symmetric


def spread(upstream: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """One number an example beside a table of them."""
    return upstream[..., None] if upstream.ndim < like.ndim else upstream


def without_absent(
    program: Program, z: torch.Tensor, y: torch.Tensor, present: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Raw outputs and targets with harmless ones where an example is absent."""
    harmless = (1 / z.shape[-1] if y.ndim == z.ndim else 0) if program.classwise else program.harmless
    return torch.where(spread(present, z), z, 0.0), torch.where(spread(present, y), y, harmless)


def values_of(program: Program, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """The value of each example."""
    formula = _Value if torch.compiler.is_compiling() else _DualValue
    found: torch.Tensor = formula.apply(program, *_examples(program, y, z))
    return found


def signals_of(program: Program, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """The signal of each example."""
    return _signal(program, *_examples(program, y, z))


def _signal(program: Program, y: torch.Tensor, z: torch.Tensor, classes: torch.Tensor | None) -> torch.Tensor:
    formula = _Signal if torch.compiler.is_compiling() else _DualSignal
    found: torch.Tensor = formula.apply(program, y, z, classes)
    return found


def _examples(
    program: Program, y: torch.Tensor, z: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """What formulas take: indices of classes or numbers of the dtype of computing; raw outputs; and the classes, if any."""
    if not program.classwise:
        return y.to(z.dtype), z, None
    return y.long() if y.ndim < z.ndim else y.to(z.dtype), z, torch.arange(z.shape[-1], device=z.device)
