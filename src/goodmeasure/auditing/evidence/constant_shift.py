"""A constant added to one output, as the bias of its last layer can: how far does the loss fall?"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence.contracts import Contracts
from goodmeasure.auditing.evidence.leaves import leaves, mapped
from goodmeasure.auditing.evidence.trace import Node, named, tensors_in
from goodmeasure.auditing.evidence.wiring import World
from goodmeasure.auditing.isolate import untouched

_AFFINE = named("linear addmm conv1d conv2d conv3d")
_PASSES_ON = named("chunk split unbind getitem squeeze unsqueeze reshape view flatten contiguous narrow select")
_RELATIVE = named("gan adversarial policy rl reinforcement metric contrastive ranking retrieval")
_SHIFTS = (5.0, 20.0, 60.0)


@dataclass
class ConstantShift:
    """The loss as a function of one output among several."""

    call: Any
    output: Any
    targets: Any
    ends: list[tuple[str, torch.Tensor, Node]]  # outputs that come straight from a layer of their own with a bias
    now: float

    @classmethod
    def gather(cls, dossier: Dossier) -> ConstantShift:
        contracts, given = dossier.get(Contracts), dossier.get(World).given
        wiring = contracts.wiring
        if wiring.crash or wiring.loss is None or not callable(given.get("loss")) or dossier.case.framework != "torch":
            raise Unavailable("the loss could not be computed")
        if dossier.case.task in _RELATIVE or not _varied(given.get("targets")):
            raise Unavailable("the loss compares outputs with each other, or its targets do not vary")
        nodes = dict(wiring.outputs)
        live = [(path, t, nodes[path]) for path, t in leaves(wiring.output) if t.requires_grad and t.dim() > 0]
        own = [(path, t, node) for path, t, node in live if _own_layer(node, wiring.nodes)]
        made = cls(given["loss"], wiring.output, given.get("targets"), own, 0.0)
        now, again = made._value(None, 0.0), float(wiring.loss.value.sum())
        if not own or now is None or abs(now - again) > 1e-4 * max(1.0, abs(again)):
            raise Unavailable("no output is made by a layer of its own, or the loss is not a function of the outputs")
        made.now = now
        return made

    def _value(self, leaf: torch.Tensor | None, shift: float, turn: int = 0) -> float | None:
        def moved(tensor: torch.Tensor) -> torch.Tensor:
            return _shifted(tensor, shift if tensor is leaf else 0.0)

        def rolled(tensor: torch.Tensor) -> torch.Tensor:
            return tensor.roll(turn, 0) if tensor.dim() else tensor

        targets = mapped(self.targets, rolled) if turn else self.targets
        with untouched(self.call), warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            try:
                value = self.call(mapped(self.output, moved), targets)
            except Exception:  # the program refuses a probe: not evidence of a fault
                return None
        return float(value.double().sum()) if isinstance(value, torch.Tensor) else None

    def endless(self) -> Iterator[tuple[str, float, float]]:
        """Outputs along which the loss falls faster than linearly flattens, below zero: path, shift, loss there."""
        for path, leaf, _ in self.ends:
            for sign in (1.0, -1.0):
                found = [self._value(leaf, sign * shift) for shift in _SHIFTS]
                values = [v for v in found if v is not None and math.isfinite(v)]
                if len(values) < 3 or not self.now > values[0] > values[1] > values[2]:
                    continue
                near, far = values[0] - values[1], values[1] - values[2]
                if far > 2 * near and near > 1e-3 * max(1.0, abs(self.now)) and values[2] < min(0.0, self.now) - 1:
                    yield path, sign * _SHIFTS[-1], values[2]
                    break

    def free(self) -> Iterator[tuple[str, float, float]]:
        """Outputs that take the whole loss to nothing whatever the targets are: path, shift, loss there."""
        for path, leaf, _ in self.ends if self.now > 0 else ():
            for sign in (1.0, -1.0):
                found = [self._value(leaf, sign * 30.0, turn) for turn in (0, 1, 2, 3)]
                values = [v for v in found if v is not None and math.isfinite(v)]
                if len(values) == len(found) and all(0 <= v < 1e-5 * self.now for v in values):
                    yield path, sign * 30.0, values[0]
                    break


def _shifted(tensor: torch.Tensor, by: float) -> torch.Tensor:
    return tensor.detach() + by


def _varied(targets: Any) -> bool:
    return any(bool((t != t.reshape(-1)[0]).any()) for t in tensors_in(targets) if t.numel() > 1)


def _own_layer(output: Node, nodes: list[Node]) -> bool:
    """Whether an output is, up to its shape, what one affine layer with a bias gives, called once."""
    node = output
    while node.op in _PASSES_ON and node.inputs:
        node = node.inputs[0]
    learned = [part for part in node.inputs if part.role == "parameter"]
    if node.op not in _AFFINE or len(learned) < 2:
        return False
    return sum(learned[0] in other.inputs for other in nodes if not other.slot) == 1
