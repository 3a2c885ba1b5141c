"""Run again with one example of the input replaced: what changes shows on which axis the examples lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence.keras_fit import KerasFit
from goodmeasure.auditing.evidence.leaves import mapped
from goodmeasure.auditing.evidence.trace import Node, tensors_in
from goodmeasure.auditing.evidence.wiring import Wiring, World, run


@dataclass
class Swap:
    """Two recorded runs that differ in one example of the input."""

    first: Wiring
    second: Wiring
    row: int
    rows: int

    @classmethod
    def gather(cls, dossier: Dossier) -> Swap:
        if dossier.find(KerasFit):
            raise Unavailable("Keras keeps the batch axis first")
        base = dossier.get(Wiring)
        if base.crash or base.loss is None:
            raise Unavailable("the loss could not be computed")
        if dossier.spent() + 2 * base.seconds > dossier.budget_s:
            raise Unavailable("two more runs would not fit the time budget")
        given = dict(dossier.get(World).given)
        rows = _rows(given["inputs"], given.get("targets"))
        if rows < 3:
            raise Unavailable("fewer than three examples")
        quiet = _calm(given["model"])
        try:
            first = run(given, dossier.case.framework, gradients=False)
            second = run(given, dossier.case.framework, inputs=_swapped(given["inputs"], rows, 1), gradients=False)
        finally:
            for module, mode in quiet:
                module.__dict__.pop("train", None)
                module.training = mode
        if second.crash or [n.op for n in first.nodes] != [n.op for n in second.nodes]:
            raise Unavailable("the program takes another path on other examples")
        return cls(first, second, 1, rows)

    def changed(self, node: Node) -> torch.Tensor | None:
        """Where the value of a recorded operation differs between the runs."""
        one, two = self._both(node)
        if one is None or two is None or one.shape != two.shape:
            return None
        return ~torch.isclose(one.value.double(), two.value.double(), rtol=1e-5, atol=1e-7)

    def _both(self, node: Node) -> tuple[Node | None, Node | None]:
        if node.op == "leaf" or node.index >= len(self.first.nodes):
            return None, None
        return self.first.nodes[node.index], self.second.nodes[node.index]

    def batch_axes(self, node: Node) -> list[int]:
        """The axes of a node on which only the replaced example changed."""
        changed = self.changed(node)
        if changed is None or not bool(changed.any()):
            return []
        found = []
        for axis, length in enumerate(changed.shape):
            if length != self.rows:
                continue
            along = changed.movedim(axis, 0).reshape(length, -1).any(1)
            if along.nonzero().reshape(-1).tolist() == [self.row]:
                found.append(axis)
        return found

    def number_changed(self, node: Node, number: float) -> bool:
        """Whether a Python number among the arguments of an operation differs between the runs."""
        one, two = self._both(node)
        if one is None or two is None:
            return False
        pairs = zip(one.args, two.args, strict=False)
        return any(isinstance(a, float) and isinstance(b, float) and a != b for a, b in pairs)


def _calm(model: Any) -> list[tuple[Any, bool]]:
    """Hold batch normalisation and dropout still, so that only the swap makes a difference."""
    held = []
    for module in model.modules() if isinstance(model, torch.nn.Module) else ():
        name = type(module).__name__
        if "Dropout" in name or "BatchNorm" in name:
            held.append((module, module.training))
            module.train = lambda mode=True, module=module: module
            module.training = False
    return held


def _rows(inputs: Any, targets: Any) -> int:
    sizes = [t.shape[0] for t in _tensors(inputs) if t.dim() > 0]
    wanted = [t.shape[0] for t in _tensors(targets) if t.dim() > 0]
    return sizes[0] if sizes and (not wanted or wanted[0] == sizes[0]) else 0


def _tensors(value: Any) -> list[torch.Tensor]:
    return list(tensors_in(value))


def _swapped(inputs: Any, rows: int, row: int) -> Any:
    def change(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.dim() == 0 or tensor.shape[0] != rows:
            return tensor
        twin = tensor.clone()
        twin[row] = tensor[(row + 1) % rows]
        return twin

    return mapped(inputs, change)
