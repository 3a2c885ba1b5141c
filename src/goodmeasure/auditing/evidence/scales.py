"""With which constants scores are scaled, and with which weights terms reach the total."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from goodmeasure.auditing.case import Dossier
from goodmeasure.auditing.evidence.contracts import Contracts
from goodmeasure.auditing.evidence.ranges import SHAPE
from goodmeasure.auditing.evidence.trace import Node


@dataclass(frozen=True)
class Softened:
    """A softened term: its temperature, its weight in the total, and the weight of the plain loss on the same
    scores."""

    where: str
    temperature: float
    weight: float
    hard_weight: float


@dataclass
class Scales:
    """Constants that multiply scores before a softmax, and the weights of the terms after it."""

    contracts: Contracts

    @classmethod
    def gather(cls, dossier: Dossier) -> Scales:
        return cls(dossier.get(Contracts))

    def softened(self) -> Iterator[Softened]:
        """Every log-softmax of scores divided by a constant above one, beside a plain loss on the undivided scores."""
        for node in self.contracts.tail:
            if node.op != "log_softmax" or not node.live:
                continue
            scale, raw = scaled(node.inputs[0])
            grad = self.contracts.wiring.grad(node)
            if grad is None or not 0 < scale < 1:
                continue
            hard = [c for c in self.contracts.of("cross_entropy", "nll_loss") if self._plain(c.input, raw, node)]
            weights = [float(g.sum()) for c in hard if (g := self.contracts.wiring.grad(c.node)) is not None]
            if weights:
                yield Softened(f"{node.where} ({node.op})", 1 / scale, -float(grad.sum()), sum(weights))

    def _plain(self, scores: Node, raw: Node, softened: Node) -> bool:
        chain = {id(part) for part in scores.ancestors()}
        return id(raw) in chain and id(softened) not in chain and scaled(scores)[0] == 1.0

    def opposed(self) -> Iterator[tuple[str, float, float]]:
        """Cross-entropies between scaled scores and a softmax of scaled scores: where, and both factors."""
        for call in self.contracts.of("cross_entropy", "kl_div"):
            target = call.target
            scores = call.input if call.kind == "cross_entropy" else _below(call.input, "log_softmax")
            soft = _below(target, "softmax") if target is not None else None
            if scores is not None and soft is not None:
                yield call.where, scaled(scores)[0], scaled(soft)[0]
        for node in self.contracts.wiring.nodes:
            parts = [part for part in node.args[:2] if isinstance(part, Node)] if node.op == "mul" else []
            logs = [scores for part in parts if (scores := _below(part, "log_softmax")) is not None]
            softs = [scores for part in parts if (scores := _below(part, "softmax")) is not None]
            if logs and softs:
                yield f"{node.where} ({node.op})", scaled(logs[0])[0], scaled(softs[0])[0]


def _below(node: Node, op: str) -> Node | None:
    while node.op in SHAPE | {"detach", "neg"} and node.inputs:
        node = node.inputs[0]
    return node.inputs[0] if node.op == op and node.inputs else None


def scaled(node: Node) -> tuple[float, Node]:
    """The constant factor on a node, and what it multiplies."""
    scale = 1.0
    while node.inputs:
        number = next(
            (float(a) for a in node.args[:2] if isinstance(a, (int, float)) and not isinstance(a, bool)), None
        )
        constant = next((p for p in node.inputs if p.role == "constant" and p.tensor.numel() == 1), None)
        if number is None and constant is not None:
            number = float(constant.value)
        if node.op in ("mul", "rmul") and number is not None:
            scale *= number
        elif node.op == "div" and number and isinstance(node.args[0], Node):
            scale /= number
        elif node.op not in SHAPE:
            break
        node = next((p for p in node.inputs if p.role != "constant"), node.inputs[0])
    return scale, node
