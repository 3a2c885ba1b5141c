"""The training steps that a program makes: the order of its calls, its gradients, and what moved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch

from goodmeasure.auditing.evidence.lines import user_line
from goodmeasure.auditing.evidence.step_run import LossEvent, StepRecord

Parameters = dict[int, torch.Tensor]


@dataclass
class Passed:
    """One backward pass as an optimizer sees it: the loss, its parameters, and its part of the step."""

    parameters: frozenset[int]
    event: LossEvent
    value: float
    resting: list[str]
    where: tuple[str, ...] = ()  # the lines that lead to the backward pass, and that of the loss
    yes_no: YesNo = field(default_factory=lambda: YesNo(frozenset()))


@dataclass(frozen=True)
class ModuleCall:
    """A module that was called while gradient was asked for, and where."""

    module: torch.nn.Module
    where: str

    @property
    def shapes(self) -> tuple[Any, ...]:
        """What tells a copy of a module from another one."""
        return tuple(tuple(p.shape) for p in self.module.parameters())


@dataclass(frozen=True)
class YesNo:
    """The yes-or-no losses inside one backward pass: the parameters of what they score, and the targets of each."""

    judges: frozenset[int]
    targets: tuple[float | None, ...] = ()  # one number where all targets of a loss are this number


@dataclass(eq=False)
class StepLog:
    """What concerns one optimizer, in order; a record ends where the next forward pass begins."""

    optimizer: Any
    records: list[StepRecord] = field(default_factory=list)
    place: str = ""
    stale: bool = False
    inside: bool = False  # its step is under way
    passed: list[list[Passed]] = field(default_factory=list)
    start: Parameters = field(default_factory=dict)  # the parameters at the first backward pass
    _current: StepRecord | None = None
    _left: Parameters = field(default_factory=dict)  # gradients as the last step left them
    _before: Parameters = field(default_factory=dict)
    _added: bool = False  # a backward pass added to the gradients of a step that was made
    thrown: list[list[Passed]] = field(
        default_factory=list
    )  # at each clear, the passes whose gradients no step has seen
    rates: list[float] = field(default_factory=list)  # the largest learning rate of each step
    used: list[list[Passed]] = field(default_factory=list)  # at each step, the passes whose gradients it has seen
    undone: int = 0  # steps after which the parameters were put back to where they had been
    _pending: list[Passed] = field(default_factory=list)
    _origin: Parameters = field(default_factory=dict)  # the parameters before the last step
    _seen: Parameters = field(default_factory=dict)  # the parameters at the last backward pass

    def parameters(self) -> list[torch.Tensor]:
        """The tensors of the optimizer."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    @property
    def steps(self) -> int:
        """How many steps were made."""
        return sum(record.calls.count("step") for record in self.records)

    @property
    def by_hand(self) -> bool:
        """Whether parameters moved without a step of this optimizer."""
        return not self.steps and any(
            not torch.equal(p, self.start[id(p)]) for p in self.parameters() if id(p) in self.start
        )

    def silent(self, asked: list[ModuleCall]) -> list[ModuleCall]:
        """Modules that were called for every step, that are held here whole, and whose gradient no step has seen.

        A copy of a module that learns is left alone: a target network, a teacher.
        """
        held = {id(p) for p in self.parameters()}
        felt = {key for one in self.records for key, grad in one.gradients.items() if grad is not None}
        own = [one for one in asked if all(id(p) in held and p.requires_grad for p in one.module.parameters())]
        learn = {one.shapes for one in own if any(id(p) in felt for p in one.module.parameters())}
        dead = [
            one for one in own if not any(id(p) in felt for p in one.module.parameters()) and one.shapes not in learn
        ]
        often = [one for one in dead if sum(other.module is one.module for other in dead) >= self.steps > 1]
        return list({id(one.module): one for one in often}.values()) if felt else []

    def note(self, call: str) -> None:
        """A call that concerns this optimizer."""
        if call == "schedule" and self._current is None and self.records:
            return  # a schedule by the epoch
        self._open().calls.append(call)

    def _open(self) -> StepRecord:
        if self._current is None:
            self._current = StepRecord()
            self.records.append(self._current)
            self.passed.append([])
        return self._current

    def forward(self) -> None:
        """A forward pass with gradient begins: what comes belongs to another step, if one was made."""
        if self._current is not None and self._current.stepped and not self.inside:
            self._current = None

    def backward(self, passed: Passed) -> None:
        """A backward pass begins that reaches parameters of this optimizer."""
        record = self._open()
        self.start = self.start or {id(p): p.detach().clone() for p in self.parameters()}
        self._added = self._added or self._still_there()
        self._compare_with_origin()
        self._pending.append(passed)
        record.closure = record.closure or self.inside
        record.losses.append(passed.event)
        record.resting = record.resting or passed.resting
        record.result = passed.value if record.result is None else record.result + passed.value
        self.passed[-1].append(passed)
        self.note("backward")

    def _still_there(self) -> bool:
        """Whether the gradients of a step that was made are what the next backward pass adds to."""
        held = [(p.grad, self._left[id(p)]) for p in self.parameters() if id(p) in self._left and p.grad is not None]
        return bool(held) and len(held) == len(self._left) and all(torch.equal(grad, left) for grad, left in held)

    def cleared(self) -> None:
        """Gradients of this optimizer are cleared."""
        self._left, self._added = {}, False
        if self._pending and not self.inside and not self._served():
            self.thrown.append(self._pending)
        self._pending = []
        self.note("zero_grad")

    def _served(self) -> bool:
        """Whether gradients that are cleared moved parameters by hand, or are not finite: no step was to see them."""
        still = all(torch.equal(p, self._seen[id(p)]) for p in self.parameters() if id(p) in self._seen)
        return not still or any(p.grad is not None and not bool(p.grad.isfinite().all()) for p in self.parameters())

    def _compare_with_origin(self) -> None:
        """Whether the last step was undone before this backward pass."""
        own = [(p, self._origin[id(p)]) for p in self.parameters() if id(p) in self._origin]
        if own and bool(self.records) and all(torch.equal(p, before) for p, before in own):
            self.undone += 1
        self._origin = {}
        self._seen = {id(p): p.detach().clone() for p in self.parameters()}

    def clipped(self) -> None:
        """Gradients of this optimizer are clipped."""
        record = self._open()
        record.clipped = record.clipped or dict(gradients(self.parameters()))
        self.note("clip")

    def begin_step(self) -> None:
        """The optimizer is about to move its parameters."""
        self.inside, self.stale = True, self.stale or self._added
        self.place = self.place or user_line()
        self.rates.append(max(float(group.get("lr", 0.0)) for group in self.optimizer.param_groups))
        if self._current is not None and self._current.stepped and self._current.closure:
            self._current = None  # a step that makes its own forward passes is begun by none before it
        record = self._open()
        record.gradients = dict(gradients(self.parameters()))
        self._before = {id(p): p.detach().clone() for p in self.parameters()}

    def end_step(self) -> None:
        """The optimizer has moved its parameters."""
        self.inside = False
        record = self._open()
        moved = {id(p): p.detach() - self._before[id(p)] for p in self.parameters() if id(p) in self._before}
        record.moved = {key: change for key, change in moved.items() if bool(change.any())}
        self._origin = self._before if record.moved else {}
        self._before = {}
        self.used.append(self._pending)
        self._pending = []
        found = {key: grad for key, grad in gradients(self.parameters()) if grad is not None and bool(grad.any())}
        self._left = {key: grad for key, grad in found.items() if grad is not None}
        record.calls.append("step")


def gradients(parameters: Iterable[torch.Tensor]) -> Iterable[tuple[int, torch.Tensor | None]]:
    """The gradients of these parameters, by their identity."""
    return [(id(p), None if p.grad is None else p.grad.detach().clone()) for p in parameters]
