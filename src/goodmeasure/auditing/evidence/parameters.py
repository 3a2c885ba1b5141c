"""Parameters beside the graph: used and left without gradient, or trained by the loss and known to nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence.trace import Node, tensors_in
from goodmeasure.auditing.evidence.wiring import Wiring, World


@dataclass
class Stranded:
    """A layer whose parameters get no gradient although it runs."""

    name: str
    node: Node  # the first operation that uses it
    cut: bool  # its result reaches a live output, by value alone
    frozen: bool  # it runs under no_grad
    scored: bool = False  # what it says is scored, or makes a loss that reaches no backward pass


@dataclass
class Parameters:
    """What the graph of one loss says about the parameters of the model and of the optimizer."""

    wiring: Wiring
    model: torch.nn.Module
    held: frozenset[int] | None  # the tensors of the optimizer, where one is given
    inputs: frozenset[int]  # and other tensors that stand outside the model on purpose
    unread: bool  # part of the targets never reaches the loss
    wholesale: bool = False  # the optimizer of an observed program holds all there is
    taught: frozenset[str] = frozenset()  # the names of what another loss of the program teaches
    scored: frozenset[str] = frozenset()  # the names of what feeds a score, or a loss that teaches nothing

    @classmethod
    def gather(cls, dossier: Dossier) -> Parameters:
        wiring, given = dossier.get(Wiring), dossier.get(World).given
        model, optimizer = given["model"], given.get("optimizer")
        if not isinstance(model, torch.nn.Module) or dossier.case.framework != "torch":
            raise Unavailable("the model is not a torch module")
        if wiring.crash or wiring.loss is None or not wiring.loss.live:
            raise Unavailable("the loss has no graph")
        groups = getattr(optimizer, "param_groups", None)
        held = frozenset(id(p) for group in groups for p in group["params"]) if groups is not None else None
        reaching = wiring.reaching()
        unread = len(wiring.targets) > 1 and any(id(t) not in reaching for t in wiring.targets)
        every = {id(p) for p in model.parameters()}
        wholesale = given.get("steps") is not None and held is not None and every <= held
        known = frozenset(id(t) for t in [*tensors_in(given.get("inputs")), *getattr(model, "loose", ())])
        named = [frozenset(given.get(which) or ()) for which in ("taught", "scored")]
        return cls(wiring, model, held, known, unread, wholesale, *named)

    @property
    def optimized(self) -> bool:
        """Whether an optimizer is there to say what is meant to learn; ``model.parameters()`` of a program says nothing."""
        return self.held is not None and not self.wholesale

    def stranded(self) -> Iterator[Stranded]:
        """Trainable layers that run in the forward pass and get no gradient while others do."""
        silent = [(name, node) for name, node in self.wiring.parameters if node.live and self.wiring.grad(node) is None]
        if not silent or len(silent) == len(self.wiring.parameters):
            return
        outputs = [n for _, n in self.wiring.outputs if n.live and n.shape and self.wiring.grad(n) is not None]
        feeding = {id(part) for output in outputs for part in output.ancestors()}
        twins, seen, parts = self._learning_shapes(), set(), dict(self.model.named_modules())
        for name, node in silent:
            owner, use = self._branch(name), self._used(node)
            meant = self.held is None or id(node.tensor) in self.held
            if use is None or not meant or owner in seen or name in self.taught:
                continue
            shapes = _shapes(parts[owner]) if owner in parts else ()
            if shapes in twins and (len(shapes) > 2 or not use.live):
                continue
            seen.add(owner)
            yield Stranded(owner or name, use, id(use) in feeding, not use.live, name in self.scored)

    def _used(self, parameter: Node) -> Node | None:
        return next((n for n in self.wiring.nodes if n.stage == "forward" and parameter in n.inputs), None)

    def _branch(self, name: str) -> str:
        """The largest part of the model around a parameter in which nothing learns."""
        learns = {n for n, node in self.wiring.parameters if self.wiring.grad(node) is not None}
        owner = name.rpartition(".")[0]
        while "." in owner and not any(n.startswith(owner.rpartition(".")[0] + ".") for n in learns):
            owner = owner.rpartition(".")[0]
        return owner

    def _learning_shapes(self) -> set[tuple[Any, ...]]:
        """The shapes of all parts that learn: a silent part of the same shape is their target network or teacher."""
        learns = {n for n, node in self.wiring.parameters if self.wiring.grad(node) is not None}
        named = self.model.named_modules()
        return {_shapes(part) for name, part in named if any(n.startswith(name + ".") for n in learns)}

    def strangers(self) -> Iterator[tuple[Node, Node]]:
        """Tensors that ask for gradient, get it, and are neither registered nor optimized: the tensor, its use."""
        known = {id(node.tensor) for _, node in self.wiring.parameters} | self.inputs | (self.held or frozenset())
        reaching = self.wiring.reaching()
        found: set[int] = set()
        for node in self.wiring.nodes:
            for part in node.inputs if id(node) in reaching and node.live else ():
                tensor = part.tensor
                fresh = part.op == "leaf" and part.role == "parameter" and id(tensor) not in known | found
                if fresh and (node.stage == "forward" or self.optimized):
                    found.add(id(tensor))
                    yield part, node


def _shapes(module: torch.nn.Module) -> tuple[Any, ...]:
    return tuple(tuple(p.shape) for p in module.parameters())
