"""Run the model and the loss once under the trace, on copies, and keep what was seen."""

from __future__ import annotations

import inspect
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from goodmeasure.auditing.case import Dossier, Unavailable, where_raised
from goodmeasure.auditing.evidence.as_stepped import prepared_loss
from goodmeasure.auditing.evidence.leaves import leaves
from goodmeasure.auditing.evidence.lines import user_line
from goodmeasure.auditing.evidence.trace import Node, Trace, tensors_in
from goodmeasure.auditing.isolate import copied, untouched

_DEEP = 400  # operations before the loss at which the gradient is kept


@dataclass(frozen=True)
class Crash:
    """What the framework raised, in which stage of the program, and on which line."""

    stage: str
    error: Exception
    where: str


@dataclass
class World:
    """Copies of everything that was handed over, so that whatever runs leaves the original as it was."""

    given: dict[str, Any]
    is_copy: bool
    declared: Any = None  # the loss as given, where `given` holds it with the preparation of the step

    @classmethod
    def gather(cls, dossier: Dossier) -> World:
        given = dict(dossier.case.given)
        if dossier.case.framework not in ("torch", "numpy"):
            return cls(given, is_copy=False)
        try:
            world = cls(_copies(given), is_copy=True)
            world._prepare()
            return world
        except Exception:  # an object of the program that cannot be copied: probes then run on it, under guard
            return cls(given, is_copy=False)

    def _prepare(self) -> None:
        """Let the loss see what the training step makes of output and targets."""
        loss = prepared_loss(self.given, self.fresh) if self.given.get("step") is not None else None
        if loss is not None:
            self.given["loss"], self.declared = loss, self.given["loss"]

    def fresh(self) -> dict[str, Any]:
        """Another copy, for a run that trains."""
        given = self.given if self.declared is None else {**self.given, "loss": self.declared}
        return _copies(given)


def _copies(given: dict[str, Any]) -> dict[str, Any]:
    memo: dict[int, Any] = {}
    return {name: copied(value, memo) for name, value in given.items()}


@dataclass
class Wiring:
    """The graph of one forward pass and one loss, with the gradient of the loss at its nodes."""

    trace: Trace
    output: Any
    loss: Node | None
    outputs: list[tuple[str, Node]]
    parameters: list[tuple[str, Node]]
    targets: list[Node]
    crash: Crash | None = None
    seconds: float = 0.0
    _grads: dict[int, torch.Tensor | None] = field(default_factory=dict, repr=False)

    @classmethod
    def gather(cls, dossier: Dossier) -> Wiring:
        dossier.case.need("model", "inputs")
        world = dossier.get(World)
        return run(world.given, dossier.case.framework)

    @property
    def nodes(self) -> list[Node]:
        """Every operation that was recorded, in order."""
        return self.trace.nodes

    def grad(self, node: Node) -> torch.Tensor | None:
        """The gradient of the loss at this node, or ``None`` where none arrives."""
        return self._grads.get(id(node))

    def keep_grads(self) -> None:
        """Compute the gradient of the loss at parameters and outputs, and at the last operations before the loss.

        Each tensor that is asked for costs the backward pass time, so a very deep graph is not asked everywhere.
        """
        if self.loss is None or not self.loss.live:
            return
        ends = [*(p for _, p in self.parameters), *(o for _, o in self.outputs), self.loss]
        wanted = {id(node): node for node in [*self.nodes[-_DEEP:], *ends]}
        live = [node for node in wanted.values() if node.live]
        try:
            found = torch.autograd.grad(
                self.loss.tensor.sum(), [n.tensor for n in live], allow_unused=True, retain_graph=True
            )
        except RuntimeError as error:
            self.crash = Crash("backward", error, where_raised(error))
            return
        self._grads = {id(node): grad for node, grad in zip(live, found, strict=True)}

    def reaching(self) -> set[int]:
        """The nodes from which the loss was computed."""
        return {id(node) for node in self.loss.ancestors()} if self.loss else set()


def run(given: dict[str, Any], framework: str, *, inputs: Any = None, gradients: bool = True) -> Wiring:
    """Trace ``loss(model(inputs), targets)`` of these objects."""
    started = time.monotonic()
    model, loss, targets = (given.get(name) for name in ("model", "loss", "targets"))
    inputs = given["inputs"] if inputs is None else inputs
    trace = Trace()
    trace.know(tensors_in(targets), "target")
    trace.know(tensors_in(inputs), "input")
    named = [
        (name, p) for part in (model, loss) if isinstance(part, torch.nn.Module) for name, p in part.named_parameters()
    ]
    trace.know((p for _, p in named), "parameter")
    parameters = [(name, trace.node(p)) for name, p in named]
    wiring = Wiring(trace, None, None, [], parameters, [trace.node(t) for t in tensors_in(targets)])
    with untouched(model, loss), eager(), warnings.catch_warnings(), torch.enable_grad():
        warnings.simplefilter("ignore")
        if isinstance(model, torch.nn.Module) and framework == "torch":
            model.train()
        try:
            with trace:
                _forward(wiring, model, inputs)
                trace.stage = "loss"
                _loss(wiring, loss, targets)
        except Unavailable:
            raise
        except Exception as error:  # the program's own exception: evidence, not ours to raise
            wiring.crash = Crash(trace.stage, error, where_raised(error))
        if gradients:
            wiring.keep_grads()  # before buffers are put back, which the backward pass may need
    wiring.seconds = time.monotonic() - started
    return wiring


def _forward(wiring: Wiring, model: Any, inputs: Any) -> None:
    forward = getattr(model, "forward", model)
    args, kwargs = as_call(inputs)
    try:
        inspect.signature(forward).bind(*args, **kwargs)
    except TypeError as error:
        raise Unavailable(f"the model does not take these inputs ({error})") from error
    except ValueError:
        pass  # a built-in without a signature
    wiring.output = model(*args, **kwargs)
    wiring.outputs = [(path, wiring.trace.node(tensor)) for path, tensor in leaves(wiring.output)]


def _loss(wiring: Wiring, loss: Any, targets: Any) -> None:
    value = getattr(wiring.output, "loss", None) if loss is None else loss(wiring.output, targets)
    if isinstance(value, torch.Tensor):
        wiring.loss = wiring.trace.node(value)
    elif value is not None:
        wiring.loss = Node("python number", torch.as_tensor(value), where=user_line())


def as_call(inputs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Inputs as a call: a dict is keywords, a tuple is positions, anything else is one argument."""
    if isinstance(inputs, dict):
        return (), inputs
    return (inputs if isinstance(inputs, tuple) else (inputs,)), {}


@contextmanager
def eager() -> Iterator[None]:
    """Let compiled models run as plain Python, so that their operations can be seen."""
    stance = getattr(torch.compiler, "set_stance", None)
    if stance is None:
        yield
        return
    with stance("force_eager"):
        yield
