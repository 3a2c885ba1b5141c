"""The loss as a black box: called again with other outputs and other targets."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from ..case import Dossier, Unavailable
from ..isolate import untouched
from .keras_fit import KerasFit
from .leaves import leaves, mapped
from .wiring import Wiring, World


@dataclass
class LossProbe:
    """``loss(output, targets)`` with the one output that carries gradient replaced."""

    call: Callable[[Any, Any], Any]
    output: Any
    targets: Any
    path: str
    subject: torch.Tensor

    @classmethod
    def gather(cls, dossier: Dossier) -> LossProbe:
        if dossier.find(KerasFit):
            raise Unavailable("the loss is Keras's own")
        loss, targets = dossier.case.need("loss", "targets")
        wiring = dossier.get(Wiring)
        if wiring.crash or wiring.loss is None:
            raise Unavailable("the loss could not be computed")
        world = dossier.get(World)
        live = [(path, tensor) for path, tensor in leaves(wiring.output) if tensor.requires_grad and tensor.dim() > 0]
        if len(live) != 1:
            raise Unavailable("the loss takes several outputs")
        targets = world.given["targets"]
        if not isinstance(targets, torch.Tensor):
            raise Unavailable("the target is not one tensor")
        probe = cls(world.given["loss"], wiring.output, targets, live[0][0], live[0][1].detach())
        probe._verify(float(wiring.loss.value.sum()))
        return probe

    def _verify(self, expected: float) -> None:
        again = self.value(self.subject, self.targets)
        if again is None or abs(again - expected) > 1e-4 * max(1.0, abs(expected)):
            raise Unavailable("the loss is not a function of the output and the targets alone")

    def tensor(self, output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor | None:
        """The loss as a scalar tensor, or ``None`` where the program refuses these arguments."""

        def swap(part: torch.Tensor) -> torch.Tensor:
            return output if part.requires_grad and part.dim() > 0 else part

        with untouched(self.call), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                value = self.call(mapped(self.output, swap), targets)
            except Exception:  # the program refuses a probe: not evidence of a fault
                return None
        return value.sum() if isinstance(value, torch.Tensor) else None

    def value(self, output: torch.Tensor, targets: torch.Tensor) -> float | None:
        """The loss as a number."""
        with torch.no_grad():
            found = self.tensor(output, targets)
        return None if found is None else float(found)

    def signal(self, output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor | None:
        """The gradient of the loss with respect to the output."""
        leaf = output.detach().clone().requires_grad_()
        found = self.tensor(leaf, targets)
        if found is None or not found.requires_grad:
            return None
        grad = torch.autograd.grad(found, leaf, allow_unused=True)[0]
        return torch.zeros_like(leaf) if grad is None else grad
