"""The loss as a black box: called again with other outputs and other targets."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence.contracts import Contracts, log_simplex, simplex
from goodmeasure.auditing.evidence.keras_fit import KerasFit
from goodmeasure.auditing.evidence.leaves import leaves, mapped
from goodmeasure.auditing.evidence.trace import Trace
from goodmeasure.auditing.evidence.wiring import World
from goodmeasure.auditing.isolate import untouched


@dataclass
class LossProbe:
    """``loss(output, targets)`` with the one output that carries gradient replaced."""

    call: Callable[[Any, Any], Any]
    output: Any
    targets: Any
    subject: torch.Tensor
    task: str
    bounded: bool  # an activation keeps the output in [0, 1]
    free: bool  # the output can take any value
    scores: bool  # its own entries are what is scored: it is no embedding that the loss compares
    follows_targets: bool  # the loss reads the targets that it is given, not others that it holds
    alone: bool  # nothing that could be a weight or a mask stands beside the targets

    @classmethod
    def gather(cls, dossier: Dossier) -> LossProbe:
        contracts = dossier.get(Contracts)
        wiring, keras = contracts.wiring, dossier.find(KerasFit)
        program = keras.program if keras else dossier.get(World).given
        if wiring.crash or wiring.loss is None or not callable(program.get("loss")):
            raise Unavailable("the loss could not be computed")
        live = [(path, tensor) for path, tensor in leaves(wiring.output) if tensor.requires_grad and tensor.dim() > 0]
        if len(live) != 1:
            raise Unavailable("the loss takes several outputs")
        call, targets = _one_target(program["loss"], program.get("targets"), contracts)
        node = next(node for path, node in wiring.outputs if path == live[0][0])
        lo, hi = contracts.ranges.of(node)
        probe = cls(
            call=call,
            output=wiring.output,
            targets=targets,
            subject=live[0][1].detach(),
            task=dossier.case.task,
            bounded=lo >= 0 and hi <= 1,
            free=math.isinf(lo) and math.isinf(hi),
            scores=not contracts.mixed_in_loss(node),
            follows_targets=_follows(call, wiring.output, targets),
            alone=isinstance(program.get("targets"), torch.Tensor) and not program.get("beside"),
        )
        probe._verify(float(wiring.loss.value.sum()))
        return probe

    def _verify(self, expected: float) -> None:
        again = self.value(self.subject, self.targets)
        if again is None or abs(again - expected) > 1e-4 * max(1.0, abs(expected)):
            raise Unavailable("the loss is not a function of the output and the targets alone")
        if self.value(self.noise(1.0), self.targets) == again == self.value(self.noise(3.0), self.targets):
            raise Unavailable("the loss does not follow from the output (a model that computes its own loss)")

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

    @property
    def rows(self) -> int:
        """How many examples the output and the target share on their first axis, or 0."""
        same = self.subject.dim() > 0 and self.targets.dim() > 0 and self.subject.shape[0] == self.targets.shape[0]
        return int(self.subject.shape[0]) if same else 0

    @property
    def paired(self) -> bool:
        """Whether output and target hold one number for each other, possibly in shapes that differ by axes of length
        one."""
        squeezed = [n for n in self.subject.shape if n != 1] == [n for n in self.targets.shape if n != 1]
        return squeezed and self.targets.dtype != torch.bool

    def matched_targets(self) -> torch.Tensor:
        """The targets in the shape and type of the output."""
        return self.targets.reshape(self.subject.shape).to(self.subject.dtype)

    @property
    def class_axis(self) -> int | None:
        """The axis of classes where targets are indices: the one that the output has more than the target."""
        out, tgt = tuple(self.subject.shape), tuple(self.targets.shape)
        labels_fit = not self.targets.is_floating_point() and self.targets.dtype != torch.bool
        if not self.scores or not labels_fit or len(out) != len(tgt) + 1:
            return None
        axes = [axis for axis in range(1, len(out)) if out[:axis] + out[axis + 1 :] == tgt]
        labels = self.targets
        fits = [axis for axis in axes if out[axis] > 1 and int(labels.max()) < out[axis]]
        return fits[0] if len(fits) == 1 else None

    def counted_rows(self) -> torch.Tensor:
        """The entries of the target that are labels (not ignored)."""
        return self.targets >= 0

    def noise(self, scale: float) -> torch.Tensor:
        """Other outputs of the same kind: shares stay shares, logarithms of shares stay so, the rest is normal."""
        generator = torch.Generator().manual_seed(7)
        drawn = torch.randn(self.subject.shape, generator=generator) * scale
        return self.like_output(drawn.to(self.subject.dtype))

    def like_output(self, raw: torch.Tensor) -> torch.Tensor:
        """Raw scores brought to the scale of the model's output."""
        axis = self.class_axis if self.class_axis is not None else raw.dim() - 1
        if raw.dim() > 1 and simplex(self.subject, axis):
            return raw.softmax(axis)
        if raw.dim() > 1 and raw.shape[axis] > 1 and log_simplex(self.subject, axis):
            return raw.log_softmax(axis)
        inside = float(self.subject.min()) >= 0 and float(self.subject.max()) <= 1
        return raw.sigmoid() if inside and self.bounded else raw


def _one_target(loss: Callable[[Any, Any], Any], targets: Any, contracts: Contracts) -> tuple[Any, torch.Tensor]:
    """The loss as a function of the one tensor among the targets that outputs are compared with, and that tensor."""
    if isinstance(targets, torch.Tensor):
        return loss, targets
    parts = [tensor for _, tensor in leaves(targets)]
    compared = [part for part in contracts.compared_leaves() if any(part is one for one in parts)]
    if len(compared) != 1:
        raise Unavailable("the target is not one tensor, nor one of several that outputs are compared with")
    (subject,) = compared

    def call(output: Any, value: torch.Tensor) -> Any:
        return loss(output, mapped(targets, lambda part: value if part is subject else part))

    return call, subject


def _follows(call: Callable[[Any, Any], Any], output: Any, targets: torch.Tensor) -> bool:
    """Whether the loss reads the targets it is given, or at least holds nothing of their size instead."""
    trace, given = Trace(), targets.clone()
    trace.know([given], "target")
    with trace, untouched(call), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = call(output, given)
    below = list(trace.node(value).ancestors()) if isinstance(value, torch.Tensor) else []
    held = (
        any(node.role == "constant" and node.tensor.numel() >= len(given) for node in below) if given.dim() else False
    )
    return any(node.role == "target" for node in below) or not held
