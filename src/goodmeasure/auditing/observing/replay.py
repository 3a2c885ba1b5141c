"""Recorded operations that can be repeated: with other outputs, other targets, and parameters that are copied along."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from goodmeasure.auditing.evidence.leaves import leaves
from goodmeasure.auditing.evidence.lines import told
from goodmeasure.auditing.evidence.trace import Node, in_place, named, tensors_in

# What is drawn or filled: its numbers follow from no other tensor, and are not drawn anew.
MADE = named(
    "ones zeros full empty eye arange linspace ones_like zeros_like full_like empty_like rand randn randint randperm "
    "rand_like randn_like randint_like bernoulli multinomial normal uniform poisson tril_indices triu_indices exponential"
)


class NotReplayed(Exception):
    """These operations cannot be repeated; the text says why."""


@dataclass(frozen=True)
class _Slot:
    """The place of a tensor among those that a repetition knows."""

    key: int


@dataclass(frozen=True)
class _Operation:
    """One call of a torch function, its operands as places."""

    func: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    where: str
    results: tuple[tuple[int, int], ...]  # which of its results is put in which place


class Replay:
    """The operations between some tensors and others, as a function.

    Args:
        ends: the tensors to compute.
        free: the tensors that are handed in: the recorded operations before them are left out.
    """

    def __init__(self, ends: Sequence[Node], free: Sequence[Node]) -> None:
        self._ends, self._free = [id(node) for node in ends], [id(node) for node in free]
        self.parameters: dict[int, torch.Tensor] = {}
        self._constants: dict[int, torch.Tensor] = {}
        self._operations = self._sorted(self._needed(ends))

    def _needed(self, ends: Sequence[Node]) -> list[Node]:
        """The operations that follow from what is handed in or from parameters; all else is a constant."""
        needed: dict[int, Node] = {}
        follows = _following(ends, set(self._free))
        stack = list(ends)
        while stack:
            node = stack.pop()
            if id(node) in needed or id(node) in self._free:
                continue
            if node.op == "leaf" or _parameter(node) or id(node) not in follows:
                self._keep(node)
                continue
            needed[id(node)] = node
            stack.extend(node.inputs)
        return list(needed.values())

    def _keep(self, node: Node) -> None:
        if _parameter(node):
            self.parameters[id(node)] = node.tensor
        elif node.role == "opaque":
            raise NotReplayed(f"{node.where or 'a result'} comes from outside the recorded torch operations")
        else:
            self._constants[id(node)] = node.value.detach().clone()

    def _sorted(self, nodes: list[Node]) -> list[_Operation]:
        together: dict[int, list[Node]] = {}
        for node in sorted(nodes, key=lambda one: one.index):
            together.setdefault(id(node.exact), []).append(node)
        return [_operation(group) for group in together.values()]

    def __call__(self, *given: torch.Tensor) -> list[torch.Tensor]:
        """The ends, for these tensors in place of the free ones."""
        known = {**self._constants, **self.parameters, **dict(zip(self._free, given, strict=True))}
        borrowed = {*self._constants, *self._free}
        for one in self._operations:
            self._run(one, known, borrowed)
        return [known[key] for key in self._ends]

    def _run(self, one: _Operation, known: dict[int, torch.Tensor], borrowed: set[int]) -> None:
        overwrites = in_place(one.func, one.kwargs)
        if overwrites and one.args and isinstance(one.args[0], _Slot) and one.args[0].key in borrowed:
            known[one.args[0].key] = known[one.args[0].key].clone()
        args = _filled(one.args, known)
        with told(one.where):
            result = one.func(*args, **_filled(one.kwargs, known))
        found = list(tensors_in(result)) or list(tensors_in(args))[:1]
        for slot, key in one.results:
            known[key] = found[slot]

    def __deepcopy__(self, memo: dict[int, Any]) -> Replay:
        twin = copy.copy(self)
        twin.parameters = {key: copy.deepcopy(value, memo) for key, value in self.parameters.items()}
        return twin


def _operation(results: list[Node]) -> _Operation:
    first = results[0]
    args, kwargs = map(_placed, first.exact)
    return _Operation(first.func, args, kwargs, first.where, tuple((node.slot, id(node)) for node in results))


def _following(ends: Iterable[Node], free: set[int]) -> set[int]:
    """The nodes that follow from what is handed in, or through which something learns."""
    below = {id(node): node for end in ends for node in end.ancestors()}
    handed = set(free)
    for node in sorted(below.values(), key=lambda one: (one.op != "leaf", one.index)):
        if node.op not in MADE and any(id(part) in handed for part in node.inputs):
            handed.add(id(node))
    return handed | {id(node) for node in _flowing(ends) if node.op not in MADE}


def _flowing(ends: Iterable[Node]) -> Iterator[Node]:
    """The nodes through which gradient reaches these."""
    seen: set[int] = set()
    stack = list(ends)
    while stack:
        node = stack.pop()
        if id(node) not in seen and node.live:
            seen.add(id(node))
            yield node
            stack.extend(node.inputs)


def _parameter(node: Node) -> bool:
    return bool(node.tensor.requires_grad and node.tensor.is_leaf)


def _placed(value: Any) -> Any:
    if isinstance(value, Node):
        return _Slot(id(value))
    if isinstance(value, dict):
        return {key: _placed(part) for key, part in value.items()}
    return type(value)(map(_placed, value)) if type(value) in (list, tuple) else value


def _filled(value: Any, known: dict[int, torch.Tensor]) -> Any:
    if isinstance(value, _Slot):
        return known[value.key]
    if isinstance(value, dict):
        return {key: _filled(part, known) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_filled(part, known) for part in value)
    return value


class ReplayedLoss(torch.nn.Module):  # type: ignore[misc]  # torch has no types here
    """``loss(output, targets)`` of what a program computed between the output of its model and its loss."""

    def __init__(self, replay: Replay, positions: Sequence[int], reduction: str) -> None:
        super().__init__()
        self.replay: Replay = replay
        self.positions: tuple[int, ...] = tuple(positions)
        self.reduction: str = reduction
        for number, value in enumerate(replay.parameters.values()):
            if isinstance(value, torch.nn.Parameter):
                self.register_parameter(f"p{number}", value)

    def forward(self, output: Any, targets: Any) -> torch.Tensor:
        """The loss."""
        found = [tensor for _, tensor in leaves(output)]
        return self.replay(*(found[at] for at in self.positions), *tensors_in(targets))[0]


class Steps(torch.nn.Module):  # type: ignore[misc]
    """A model put together of what a program computed from its inputs, where no single module did it."""

    def __init__(self, replay: Replay, parts: Iterable[torch.nn.Module]) -> None:
        super().__init__()
        self.replay = replay
        for number, part in enumerate(dict.fromkeys(parts)):
            self.add_module(f"{type(part).__name__.lower()}{number or ''}", part)
        self.loose = [value for value in replay.parameters.values() if not isinstance(value, torch.nn.Parameter)]
        known = {id(p) for p in self.parameters()}
        for number, value in enumerate(replay.parameters.values()):
            if isinstance(value, torch.nn.Parameter) and id(value) not in known:
                self.register_parameter(f"p{number}", value)

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...] | torch.Tensor:
        """The outputs that the loss compares."""
        found = self.replay(*inputs)
        return tuple(found) if len(found) > 1 else found[0]
