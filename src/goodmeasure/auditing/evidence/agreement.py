"""A loss that compares outputs with each other alone: is saying the same about everything its best answer?"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import torch

from ..case import Dossier, Unavailable
from ..isolate import untouched
from .leaves import leaves, mapped
from .wiring import Wiring, World

_SEVERAL = 3


@dataclass
class Agreement:
    """The loss now, at outputs that are one constant row, and at outputs that agree and differ from row to row."""

    now: float
    constant: list[float]
    varied: list[float]

    @classmethod
    def gather(cls, dossier: Dossier) -> Agreement:
        wiring, loss = dossier.get(Wiring), dossier.get(World).given.get("loss")
        if wiring.crash or wiring.loss is None or dossier.case.framework != "torch" or not callable(loss):
            raise Unavailable("the loss could not be computed")
        if any(part.depends_on("target") for part in [wiring.loss]):
            raise Unavailable("the loss reads targets")
        live = {id(t): t for _, t in leaves(wiring.output) if t.requires_grad}
        moved = _felt(wiring, loss)
        shape = moved[0].shape if moved else torch.Size()
        if len(moved) < 2 or len(moved) != len(live) or len(shape) != 2 or any(t.shape != shape for t in moved):
            raise Unavailable("the loss does not compare several trainable outputs of one shape")
        draw = torch.Generator().manual_seed(3)
        rows = [torch.randn(shape, generator=draw).to(moved[0].dtype) * scale for scale in (1.0, 3.0, 10.0)]
        at = [_value(wiring, loss, row) for row in rows]
        constant = [_value(wiring, loss, row[:1].expand(shape)) for row in rows]
        return cls(float(wiring.loss.value.sum()), constant, at)

    @property
    def collapses(self) -> bool:
        """Whether every constant costs the same, less than now, and no more than outputs that tell examples apart."""
        values = [*self.constant, *self.varied]
        if not all(map(math.isfinite, values)) or len(self.constant) < _SEVERAL:
            return False
        slack = 1e-5 * max(1.0, abs(self.now))
        same = max(self.constant) - min(self.constant) <= slack
        return same and max(self.constant) <= min(self.varied) + slack and max(self.constant) < self.now - 10 * slack


def _felt(wiring: Wiring, loss: Any) -> list[torch.Tensor]:
    """The outputs on which the loss itself pulls, apart from what one output is to another inside the model."""
    twins: list[torch.Tensor] = []

    def replaced(tensor: torch.Tensor) -> torch.Tensor:
        if not tensor.requires_grad:
            return tensor
        twins.append(tensor.detach().clone().requires_grad_())
        return twins[-1]

    with untouched(loss), warnings.catch_warnings(), torch.enable_grad():
        warnings.simplefilter("ignore")
        try:
            value = loss(mapped(wiring.output, replaced), None)
            pulls = torch.autograd.grad(value.sum(), twins, allow_unused=True)
        except Exception as error:  # the program refuses a probe: no reading
            raise Unavailable(f"the loss refuses other outputs ({type(error).__name__})") from error
    return [twin for twin, pull in zip(twins, pulls, strict=True) if pull is not None and bool(pull.any())]


def _value(wiring: Wiring, loss: Any, rows: torch.Tensor) -> float:
    def replaced(tensor: torch.Tensor) -> torch.Tensor:
        return rows.clone() if tensor.requires_grad else tensor

    with untouched(loss), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            value = loss(mapped(wiring.output, replaced), None)
        except Exception as error:  # the program refuses a probe: no reading
            raise Unavailable(f"the loss refuses other outputs ({type(error).__name__})") from error
    return float(value.double().sum()) if isinstance(value, torch.Tensor) else math.nan
