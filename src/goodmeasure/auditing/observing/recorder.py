"""The running record of a torch program: its operations, its calls of modules, and what becomes of their results."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.overrides import _get_current_function_mode, _len_torch_function_stack

from goodmeasure.auditing.evidence.leaves import leaves
from goodmeasure.auditing.evidence.lines import is_own, user_line
from goodmeasure.auditing.evidence.trace import Node, Trace, in_place, tensors_in

_GRADIENT = torch.Tensor.grad.__get__
_AHEAD = 256  # tensors of batches that are remembered: some programs fetch several before they use one
_MANY = 30_000  # operations after which a record is closed: no step of a program that can be judged is as long


@dataclass(eq=False)
class Call:
    """One call of a module: what it was given, what it returned, and the operations in between."""

    module: torch.nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    start: int
    learning: bool  # gradient was asked for
    where: str
    end: int = -1
    output: Any = None
    children: list[Call] = field(default_factory=list)
    at_work: tuple[str, ...] = ()  # the layers that draw or take statistics of the batch, outside of training

    def outputs(self) -> list[tuple[str, torch.Tensor]]:
        """The tensors of the result, each with the path that reads it."""
        return list(leaves(self.output))

    def holds(self, node: Node) -> bool:
        """Whether an operation ran inside."""
        return node.op != "leaf" and self.start <= node.index < self.end

    @property
    def parametric(self) -> bool:
        """Whether the module has parameters."""
        return next(self.module.parameters(), None) is not None


class Recorder(Trace):
    """A trace that opens by itself where something that learns is used, and is begun anew with every batch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: bool = False
        self.enough = False  # the training steps that are looked at were made
        self.stepping = 0  # optimizers that are at work
        self.gradients_read: bool = False  # the program looks at gradients by itself
        self.calls: list[Call] = []
        self._within: list[Call] = []
        self._batches: list[weakref.ref[torch.Tensor]] = []  # handed out so far, as far as anyone holds them
        self._quiet = 0
        self._awake = False
        self._depth: int | None = None  # of the modes below ours
        self._thread = threading.get_ident()

    def wake(self) -> None:
        """See every torch operation from here on, unless the program is within a mode of its own."""
        if not self._awake and (self._depth is None or self._depth == _len_torch_function_stack()):
            self._depth = _len_torch_function_stack()
            self.__enter__()
            self._awake = True

    def rest(self) -> None:
        """See nothing until the next `wake`: a program then runs at its own pace."""
        if self._awake and _get_current_function_mode() is self:
            self.__exit__(None, None, None)
            self._awake = False

    @property
    def resting(self) -> bool:
        """Whether nothing is seen now because enough was."""
        return self.enough and not self._awake

    def renew(self) -> None:
        """Forget what was recorded."""
        self.nodes, self.reads, self.calls, self._within = [], [], [], []
        self._of = {}
        self.open = False

    def begin(self, batch: Any = None) -> None:
        """Begin a new record, with the tensors of a batch known as such.

        Those of earlier batches too: who fetches a batch ahead uses another than the last.
        """
        self.renew()
        self.open = not self.enough
        self._batches = [*self._batches, *map(weakref.ref, tensors_in(batch))][-_AHEAD:]
        self.know((held for one in self._batches if (held := one()) is not None), "batch")

    @property
    def listening(self) -> bool:
        """Whether what happens now is of interest: the program's own thread, and none of our own work."""
        return not self._quiet and threading.get_ident() == self._thread

    @property
    def elsewhere(self) -> bool:
        """Whether the program does this in a thread that is not looked at."""
        return threading.get_ident() != self._thread

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Write nothing down inside."""
        self._quiet += 1
        try:
            yield
        finally:
            self._quiet -= 1

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is _GRADIENT and is_own(sys._getframe(1).f_code.co_filename):
            self.gradients_read = True
        if not self.listening or not (self.open or self._learns(args)) or self._moves(func, args, kwargs or {}):
            return func(*args, **(kwargs or {}))
        self.open = not self.crowded
        return super().__torch_function__(func, types, args, kwargs)

    def whole(self, kind: Any, run: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Write an operation with a derivative of its own down, where anything is."""
        if not self.listening or not (self.open or self._learns(args)):
            return run(*args, **kwargs)
        self.open = not self.crowded
        return super().whole(kind, run, args, kwargs)

    def _learns(self, args: tuple[Any, ...]) -> bool:
        learning = torch.is_grad_enabled() and not self.enough
        return learning and any(isinstance(part, torch.Tensor) and part.requires_grad for part in args)

    def _moves(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether parameters are being moved, by an optimizer or by hand: no part of any loss."""
        if torch.is_grad_enabled():
            return False
        first = args[0] if args else None
        own = isinstance(first, torch.Tensor) and first.requires_grad and first.is_leaf and in_place(func, kwargs)
        return bool(self.stepping) or own

    def called(self, module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], run: Any) -> Any:
        """Run a module and write its call down."""
        if self.enough and not self._within and next(module.parameters(), None) is not None:
            self.renew()  # every evaluation is a record of its own, with the activations that are called behind it
        learning = torch.is_grad_enabled()
        call = Call(module, args, kwargs, len(self.nodes), learning, "" if self._within else user_line())
        call.at_work = () if learning or self._within else tuple(_as_in_training(module))
        (self._within[-1].children if self._within else self.calls).append(call)
        self.open = True
        self._within.append(call)
        try:
            call.output = run(module, *args, **kwargs)
        finally:
            if self._within and self._within[-1] is call:
                self._within.pop()
            call.end = len(self.nodes)
        return call.output

    @property
    def crowded(self) -> bool:
        """Whether the record is as long as it may be."""
        return len(self.nodes) >= _MANY

    @property
    def outermost(self) -> bool:
        """Whether no module is being called."""
        return not self._within


def _as_in_training(module: torch.nn.Module) -> Iterator[str]:
    """The layers of a module that are random, or take the statistics of their batch, as it stands."""
    for part in module.modules() if module.training else ():
        draws = isinstance(part, torch.nn.modules.dropout._DropoutNd) and part.p > 0
        takes = isinstance(part, torch.nn.modules.batchnorm._BatchNorm) and part.track_running_stats
        if part.training and (draws or takes):
            yield type(part).__name__
