"""The terms of a compound loss: those that were declared, and the summands of the recorded total."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence.contracts import Contracts, place
from goodmeasure.auditing.evidence.ranges import SHAPE
from goodmeasure.auditing.evidence.swap import Swap
from goodmeasure.auditing.evidence.trace import Node
from goodmeasure.auditing.evidence.wiring import World
from goodmeasure.auditing.isolate import untouched


@dataclass
class Terms:
    """What the total is a sum of."""

    declared: dict[str, Any]
    contracts: Contracts
    swap: Swap | None
    blind: tuple[tuple[str, str], ...] = ()  # loss functions in the sum that see no output: their names and lines

    @classmethod
    def gather(cls, dossier: Dossier) -> Terms:
        contracts = dossier.get(Contracts)
        if contracts.wiring.crash or contracts.wiring.loss is None:
            raise Unavailable("the loss could not be computed")
        world = dossier.get(World).given
        values = {}
        for name, term in (world.get("terms") or {}).items():
            with untouched(world.get("model"), world.get("loss")), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    values[str(name)] = term(contracts.wiring.output)
                except Exception:  # a term with another signature: not ours to judge
                    continue
        return cls(values, contracts, dossier.find(Swap), tuple(world.get("blind") or ()))

    def dead(self) -> Iterator[tuple[str, str]]:
        """Terms that carry no gradient though they follow from the model: name and place."""
        exits = [
            (node, name, value, where)
            for node, name, value, where in self.contracts.wiring.trace.reads
            if node.live and name in ("item", "__float__", "float", "tolist", "numpy")
        ]
        live = any(node.live for _, node in self.contracts.wiring.outputs)
        for name, value in self.declared.items():
            if live and not (isinstance(value, torch.Tensor) and value.requires_grad):
                yield name, exits[-1][3] if exits else "terms"
        if self.declared:
            return
        for node in self.summands():
            where = place(node)
            for arg in node.args[:2]:
                if isinstance(arg, float) and exits and self.swap is not None and self.swap.number_changed(node, arg):
                    yield f"{arg:.4g}", where
                elif isinstance(arg, Node) and arg.tensor.numel() == 1 and not arg.live and self._from_model(arg):
                    yield f"{float(arg.value):.4g}", where

    def drowned(self) -> Iterator[tuple[str, float, str, float]]:
        """Declared terms whose pull on the outputs is tiny beside another's: name and size, name and size."""
        leaves = [node.tensor for _, node in self.contracts.wiring.outputs if node.live]
        sizes = {}
        for name, value in self.declared.items():
            if isinstance(value, torch.Tensor) and value.requires_grad and leaves:
                grads = torch.autograd.grad(value.sum(), leaves, allow_unused=True, retain_graph=True)
                sizes[name] = sum(float(g.double().square().sum()) for g in grads if g is not None) ** 0.5
        felt = {name: size for name, size in sizes.items() if size > 0}
        if len(felt) > 1:
            most, least = max(felt, key=felt.__getitem__), min(felt, key=felt.__getitem__)
            yield most, felt[most], least, felt[least]

    def _from_model(self, node: Node) -> bool:
        return any(
            part.role == "parameter" or (part.op == "detach" and part.inputs[0].live)
            for part in node.ancestors()
            if part.op == "detach" or part.role
        )

    def summands(self) -> Iterator[Node]:
        """The additions of scalars that make the total."""
        stack = [self.contracts.wiring.loss]
        while stack:
            node = stack.pop()
            if node is None or node.tensor.numel() != 1:
                continue
            if node.op in ("add", "sub", "rsub"):
                yield node
                stack.extend(node.inputs)
            elif (
                node.op in SHAPE | {"mul", "div", "neg", "mean", "sum"} and len([p for p in node.inputs if p.live]) == 1
            ):
                stack.extend(p for p in node.inputs if p.live)
