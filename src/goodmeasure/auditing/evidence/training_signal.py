"""The gradient that one pass sends back: where it arrives, where it dies, what breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence.contracts import DISTANCES, Contracts, place
from goodmeasure.auditing.evidence.ranges import primary
from goodmeasure.auditing.evidence.trace import Node, named
from goodmeasure.auditing.evidence.wiring import Wiring

_READS = named("item numpy tolist __float__ float")


@dataclass
class TrainingSignal:
    """One forward pass, one loss, and its gradient at parameters, outputs and operations."""

    contracts: Contracts
    wiring: Wiring

    @classmethod
    def gather(cls, dossier: Dossier) -> TrainingSignal:
        contracts = dossier.get(Contracts)
        if contracts.wiring.crash or contracts.wiring.loss is None:
            raise Unavailable("the loss could not be computed")
        return cls(contracts, contracts.wiring)

    @property
    def loss(self) -> float:
        """The value of the loss."""
        assert self.wiring.loss is not None
        return float(self.wiring.loss.value.double().mean())

    @property
    def trainable(self) -> list[tuple[str, Node]]:
        """The parameters that ask for gradient."""
        return [(name, node) for name, node in self.wiring.parameters if node.live]

    def reached(self) -> list[tuple[str, torch.Tensor]]:
        """The trainable parameters that get a gradient, and the gradient."""
        found = ((name, self.wiring.grad(node)) for name, node in self.trainable)
        return [(name, grad) for name, grad in found if grad is not None]

    def broken_at(self) -> Node | None:
        """The operation whose result has a finite gradient while that of its operands is not."""
        for node in sorted(self.wiring.nodes, key=lambda one: -one.index):
            if not node.live or not (node is self.wiring.loss or _finite(self.wiring.grad(node))):
                continue
            if any(part.live and (g := self.wiring.grad(part)) is not None and not _finite(g) for part in node.inputs):
                return node
        return None

    def first_nonfinite(self) -> Node | None:
        """The first operation whose result is not finite though its operands are."""
        for node in self.wiring.nodes:
            bad = node.tensor.is_floating_point() and not bool(torch.isfinite(node.value).all())
            if (
                bad
                and node.live
                and all(bool(torch.isfinite(p.value).all()) for p in node.inputs if p.tensor.is_floating_point())
            ):
                return node
        return None

    def deaf(self) -> int:
        """How many examples with different inputs get the same output, where no weight that sees them is moved; or 0."""
        outputs = [node for _, node in self.wiring.outputs if node.shape and node.tensor.is_floating_point()]
        inputs = [node for node in self.wiring.trace.known("input") if node.shape]
        rows = outputs[0].shape[0] if outputs else 0
        weights = [grad for _, grad in self.reached() if grad.dim() > 1]
        moved = [grad for _, grad in self.reached() if grad.dim() <= 1 and bool(grad.any())]
        if rows < 4 or len(weights) < 2 or any(bool(grad.any()) for grad in weights) or not moved:
            return 0
        same = all(node.shape[0] == rows and bool((node.value == node.value[:1]).all()) for node in outputs)
        differ = any(node.shape[0] == rows and bool((node.value != node.value[:1]).any()) for node in inputs)
        return rows if same and differ else 0

    def left_the_graph(self) -> list[str]:
        """Where values that follow from the model left the graph while the loss was computed."""
        return [
            f"{where or 'loss(output, targets)'} ({name})"
            for node, name, _, where in self.wiring.trace.reads
            if name in _READS and node.live
        ]

    def compared(self) -> Iterator[tuple[str, Node, torch.Tensor]]:
        """Every direct comparison of a prediction with its target: where, the prediction, the target's numbers."""
        for call in self.contracts.of(*DISTANCES, "mape_loss", "msle_loss"):
            if (
                call.target is not None
                and call.target.depends_on("target")
                and call.input.tensor.numel() == call.target.tensor.numel()
            ):
                yield call.where, call.input, call.target_values().reshape(call.input.shape)
        for node, live, target in self.contracts.pairs():
            if node.op in ("sub", "rsub") and live.shape == target.shape and not live.depends_on("target"):
                yield place(node), live, target.value

    def repelled(self) -> Iterator[tuple[str, float, int]]:
        """Outputs that are compared with their targets and pushed away from them: where, the share, of how many."""
        if self.contracts.task not in ("regression", "quantile", "count", ""):
            return
        for where, output, target in self.compared():
            grad = self.wiring.grad(output)
            if grad is None or not bool(grad.isfinite().all()) or self.contracts.learned_alone(output):
                continue
            pull = -(grad * (target.to(grad.dtype) - output.value))
            felt = pull[pull.isfinite() & (pull.abs() > 1e-12)]
            share = float((felt < 0).double().mean()) if felt.numel() >= 8 else 0.0
            if share >= 0.95:
                yield where, share, felt.numel()

    def made_by(self, node: Node) -> Node:
        """The operation that made these numbers."""
        return primary(node)


def _finite(value: torch.Tensor | None) -> bool:
    return value is not None and bool(torch.isfinite(value).all())
