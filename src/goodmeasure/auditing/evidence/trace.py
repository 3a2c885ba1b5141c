"""Record every tensor operation between parameters, inputs, targets and the loss as a graph of nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from goodmeasure.auditing.evidence.lines import user_line


def named(words: str) -> frozenset[str]:
    """A set of operation names, written as one line."""
    return frozenset(words.split())


_QUIET = named("dim size numel is_leaf requires_grad dtype device is_cuda is_nested grad_fn grad is_sparse layout")


@dataclass(eq=False)
class Node:
    """One tensor of the program: the operation that made it, its operands, its value and the user's line."""

    op: str
    tensor: torch.Tensor
    inputs: tuple[Node, ...] = ()
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    func: Any = None
    role: str = ""
    where: str = ""
    stage: str = ""
    index: int = 0
    slot: int = 0
    kept: torch.Tensor | None = None
    exact: tuple[Any, Any] = ((), {})  # the arguments with lists as lists, for whoever repeats the operation

    @property
    def value(self) -> torch.Tensor:
        """The numbers, as they were when the operation returned."""
        return self.tensor.detach() if self.kept is None else self.kept

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the tensor."""
        return tuple(self.tensor.shape)

    @property
    def live(self) -> bool:
        """Whether gradient can flow through this node."""
        return bool(self.tensor.requires_grad)

    def arg(self, position: int, name: str, default: Any = None) -> Any:
        """An argument of the operation by name or position; tensors among them are nodes."""
        return self.kwargs.get(name, self.args[position] if len(self.args) > position else default)

    def ancestors(self) -> Iterator[Node]:
        """This node and everything it was computed from, each once."""
        seen: set[int] = set()
        stack = [self]
        while stack:
            node = stack.pop()
            if id(node) not in seen:
                seen.add(id(node))
                yield node
                stack.extend(node.inputs)

    def depends_on(self, role: str) -> bool:
        """Whether anything of this role went into the node."""
        return any(node.role == role for node in self.ancestors())


class Trace(TorchFunctionMode):  # type: ignore[misc]  # torch has no types here
    """Records the operations that run inside its ``with`` block; known tensors are given roles beforehand."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[Node] = []
        self.reads: list[tuple[Node, str, Any, str]] = []  # tensor, how it left the graph, the Python value, where
        self.stage = "forward"
        self.failed: Node | None = None  # the operation in which the program stopped
        self._of: dict[int, Node] = {}

    def know(self, tensors: Iterable[torch.Tensor], role: str) -> None:
        """Give these tensors a role, so that what is computed from them can be told apart."""
        for tensor in tensors:
            if id(tensor) not in self._of:
                self._of[id(tensor)] = Node("leaf", tensor, role=role)

    def known(self, role: str) -> list[Node]:
        """The tensors that were given this role."""
        return [node for node in self._of.values() if node.role == role]

    def node(self, tensor: torch.Tensor) -> Node:
        """The node of a tensor; one that nobody has seen is a constant."""
        if id(tensor) not in self._of:
            self._of[id(tensor)] = Node("leaf", tensor, role=_role_of_stranger(tensor), kept=None)
        return self._of[id(tensor)]

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = operation(func)
        if name in _QUIET and func is not torch.autograd.grad:
            return func(*args, **kwargs)
        operands = [self.node(tensor) for tensor in tensors_in((args, kwargs))]
        if in_place(func, kwargs):
            for node in operands:
                node.kept = node.tensor.detach().clone() if node.kept is None else node.kept
        try:
            result = func(*args, **kwargs)
        except Exception:
            self._record(name, func, args, kwargs, [torch.zeros(())])
            self.failed = self.nodes[-1]
            raise
        outputs = list(tensors_in(result))
        if outputs:
            self._record(name, func, args, kwargs, outputs)
        elif operands:
            target = operands[0]
            if name == "setitem":
                self._record(name, func, args, kwargs, [target.tensor])
            else:
                self.reads.append((target, name, result, user_line()))
        return result

    def _record(
        self, name: str, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: list[torch.Tensor]
    ) -> None:
        where = user_line()
        own_args, own_kwargs = self._mapped(args), {key: self._mapped(value) for key, value in kwargs.items()}
        inputs = tuple(nodes_in((own_args, own_kwargs)))
        exact = self._exactly(args), self._exactly(kwargs)
        for slot, tensor in enumerate(outputs):
            if id(tensor) in self._of and not in_place(func, kwargs):
                continue  # handed through unchanged (contiguous, to, float of what already was)
            node = Node(name, tensor, inputs, own_args, own_kwargs, func, "", where, self.stage, len(self.nodes), slot)
            node.exact = exact
            self._of[id(tensor)] = node
            self.nodes.append(node)

    def _mapped(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return self.node(value)
        if isinstance(value, (list, tuple)):
            return tuple(self._mapped(part) for part in value)
        return value

    def _exactly(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return self.node(value)
        if isinstance(value, dict):
            return {key: self._exactly(part) for key, part in value.items()}
        return type(value)(map(self._exactly, value)) if type(value) in (list, tuple) else value


def _role_of_stranger(tensor: torch.Tensor) -> str:
    if tensor.grad_fn is not None:
        return "opaque"
    return "parameter" if tensor.requires_grad else "constant"


@cache
def operation(func: Any) -> str:
    """The plain name of a torch function: ``Tensor.__rsub__``, ``torch.sub`` and ``sub_`` are alike but for their
    order."""
    name = getattr(func, "__name__", str(func))
    if name == "__get__":
        name = getattr(func.__self__, "__name__", name)
        return {"T": "transpose_all", "mT": "transpose_last", "data": "detach"}.get(name, name)
    plain = name.strip("_")
    return _ALIKE.get(plain, plain)


_ALIKE = {
    "iadd": "add", "isub": "sub", "imul": "mul", "itruediv": "div", "ipow": "pow", "subtract": "sub", "multiply": "mul",
    "divide": "div", "true_divide": "div", "rtruediv": "rdiv", "truediv": "div", "log_sigmoid": "logsigmoid", "clip": "clamp",
    "absolute": "abs", "negative": "neg", "arctan": "atan", "concat": "cat", "concatenate": "cat", "greater": "gt",
    "greater_equal": "ge", "less": "lt", "less_equal": "le",
}  # fmt: skip


def in_place(func: Any, kwargs: dict[str, Any]) -> bool:
    """Whether the operation overwrites its first operand."""
    name = getattr(func, "__name__", "")
    own = name.endswith("_") and not name.endswith("__")
    return bool(
        own
        or kwargs.get("inplace")
        or name in ("__setitem__", "__iadd__", "__isub__", "__imul__", "__itruediv__", "__ipow__")
    )


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    """Every tensor inside arguments or results, however they are nested."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from tensors_in(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from tensors_in(part)


def nodes_in(value: Any) -> Iterator[Node]:
    """Every node inside recorded arguments."""
    if isinstance(value, Node):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from nodes_in(part)
    elif isinstance(value, tuple):
        for part in value:
            yield from nodes_in(part)
