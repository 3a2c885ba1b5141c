"""Run the training step on a copy and write down what happens: losses, gradients, order of calls, what moved."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import torch

from goodmeasure.auditing.case import Dossier, Unavailable, where_raised
from goodmeasure.auditing.evidence.trace import named, tensors_in
from goodmeasure.auditing.evidence.wiring import Wiring, World, eager
from goodmeasure.auditing.isolate import untouched

_REPEATS = 6
_MARK = 1e3


@dataclass
class LossEvent:
    """One call of the loss inside a step: examples, value, and the weight with which it reached ``backward``."""

    examples: int
    counted: int
    value: float
    weight: float = 0.0


@dataclass
class StepRecord:
    """One run of the step."""

    losses: list[LossEvent] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    gradients: dict[int, torch.Tensor | None] = field(default_factory=dict)
    moved: dict[int, torch.Tensor] = field(default_factory=dict)
    resting: list[str] = field(default_factory=list)
    clipped: dict[int, torch.Tensor | None] = field(default_factory=dict)  # gradients as they reach the clip
    closure: bool = False  # backward runs inside the optimizer's step
    result: float | None = None
    error: Exception | None = None

    @property
    def stepped(self) -> bool:
        """Whether the optimizer made a step."""
        return "step" in self.calls


@dataclass
class StepRun:
    """Several consecutive runs of the step on one copy."""

    given: dict[str, Any]
    optimizer: Any
    parameters: dict[int, tuple[str, torch.nn.Parameter]]
    records: list[StepRecord]
    stale: bool
    reference: dict[int, torch.Tensor]
    task: str
    ignored: frozenset[int] = frozenset()  # labels at which the loss has no gradient anywhere
    place: str = ""  # the line of the step, where steps were observed

    @classmethod
    def gather(cls, dossier: Dossier) -> StepRun:
        if (seen := dossier.case.get("steps")) is not None:
            return cls._observed(seen, dossier)
        dossier.case.need("step", "model")
        world = dossier.get(World)
        if not world.is_copy:
            raise Unavailable("the program cannot be copied, and a step would change it")
        try:
            given = world.fresh()
        except Exception as error:
            raise Unavailable(
                f"the program cannot be copied ({type(error).__name__}), and a step would change it"
            ) from error
        model = given["model"]
        if not isinstance(model, torch.nn.Module):
            raise Unavailable("the model is not a torch module")
        optimizer = given.get("optimizer")
        run = cls(given, optimizer, {id(p): (name, p) for name, p in _named(given)}, [], False, {}, dossier.case.task)
        run.reference = run._reference(dossier)
        run.ignored = _ignored_labels(dossier.find(Wiring))
        with untouched(model, given.get("loss")), eager(), warnings.catch_warnings(), torch.enable_grad():
            warnings.simplefilter("ignore")
            model.train()
            run._repeat(lambda: dossier.spent() > dossier.budget_s)
        return run

    @classmethod
    def _observed(cls, seen: Any, dossier: Dossier) -> StepRun:
        """Steps that the program made by itself, with the gradient of its first batch where one loss is all there is."""
        held = seen.names
        parts = sum(event.examples for event in seen.log.records[0].losses)
        given = {
            "loss": dossier.get(World).given.get("loss"),
            "targets": range(parts) if seen.alone and seen.log.steps else None,
        }
        parameters = {id(p): (name, p) for name, p in held.items()}
        run = cls(given, seen.log.optimizer, parameters, seen.log.records, seen.log.stale, {}, dossier.case.task)
        run.place = seen.log.place
        wiring = dossier.find(Wiring) if seen.alone else None
        if wiring is not None and wiring.crash is None and wiring.loss is not None and wiring.loss.live:
            grads = ((name, wiring.grad(node)) for name, node in wiring.parameters)
            run.reference = {id(held[name]): grad for name, grad in grads if grad is not None and name in held}
        return run

    def _reference(self, dossier: Dossier) -> dict[int, torch.Tensor]:
        """The gradient of the declared loss on the whole batch, by parameter."""
        wiring = dossier.find(Wiring)
        if wiring is None or wiring.crash or wiring.loss is None or not wiring.loss.live:
            return {}
        twins = dict(_named(self.given))
        grads = ((name, wiring.grad(node)) for name, node in wiring.parameters)
        return {id(twins[name]): grad for name, grad in grads if grad is not None and name in twins}

    def _repeat(self, spent: Callable[[], bool]) -> None:
        for turn in range(_REPEATS):
            record = self._once()
            self.records.append(record)
            if record.error is not None or spent():
                return
            if turn == 0 and record.stepped and not record.closure:
                self._mark_and_run()

    def _mark_and_run(self) -> None:
        """Add a mark to gradients that are still there; if the next step sees it, nobody clears them."""
        held = [p for _, p in self.parameters.values() if p.grad is not None]
        marked = [p for p in held if p.grad is not None and bool(p.grad.any())]
        if not marked:
            return
        saved = {id(p): p.detach().clone() for _, p in self.parameters.values()}
        with torch.no_grad():
            for p in marked:
                assert p.grad is not None
                p.grad.add_(_MARK * (1 + float(p.grad.abs().max())))
        record = self._once()
        seen = [record.gradients.get(id(p)) for p in marked]
        shares = [float((g > 0).double().mean()) for g in seen if g is not None and g.numel() > 1]
        spreads = [float(g.std() / g.mean()) for g in seen if g is not None and g.numel() > 1 and float(g.mean()) > 0]
        self.stale = bool(shares) and min(shares) == 1.0 and len(spreads) == len(shares) and max(spreads) < 0.1
        with torch.no_grad():
            for key, (_, p) in self.parameters.items():
                p.copy_(saved[key])
                p.grad = None

    def _once(self) -> StepRecord:
        record = StepRecord()
        given = self.given
        before = {key: p.detach().clone() for key, (_, p) in self.parameters.items()}
        with self._watched(record) as loss:
            try:
                result = given["step"](given["model"], loss, given.get("inputs"), given.get("targets"), self.optimizer)
            except Exception as error:  # the program's own exception is evidence
                record.error = error
                return record
        record.moved = {
            key: p.detach() - before[key]
            for key, (_, p) in self.parameters.items()
            if not torch.equal(p.detach(), before[key])
        }
        values = (
            [float(t.detach().double().mean()) for t in tensors_in(result) if t.numel()]
            if not isinstance(result, (int, float))
            else [float(result)]
        )
        record.result = values[0] if values else record.losses[-1].value if record.losses else None
        return record

    @contextmanager
    def _watched(self, record: StepRecord) -> Iterator[Any]:
        loss, undo = self._watched_loss(record)
        if isinstance(self.optimizer, torch.optim.Optimizer):
            undo.append(self.optimizer.register_step_pre_hook(lambda *_: self._at_step(record)).remove)
        previous = sys.getprofile()
        sys.setprofile(_profiler(record, self.given["model"], self._gradients))
        try:
            yield loss
        finally:
            sys.setprofile(previous)
            for one in undo:
                one()

    def _at_step(self, record: StepRecord) -> None:
        record.gradients = self._gradients()

    def _gradients(self) -> dict[int, torch.Tensor | None]:
        return {key: None if p.grad is None else p.grad.detach().clone() for key, (_, p) in self.parameters.items()}

    def _watched_loss(self, record: StepRecord) -> tuple[Any, list[Callable[[], None]]]:
        loss = self.given.get("loss")

        def note(args: tuple[Any, ...], value: Any) -> None:
            if isinstance(value, torch.Tensor) and value.numel() == 1:
                event = _event(loss, args, value, self.ignored)
                record.losses.append(event)
                if value.requires_grad:
                    value.register_hook(lambda grad: setattr(event, "weight", event.weight + float(grad.sum())))

        if isinstance(loss, torch.nn.Module):
            handle = loss.register_forward_hook(lambda _, args, value: note(args, value))
            return loss, [handle.remove]
        if not callable(loss):
            return loss, []

        def watched(*args: Any, **kwargs: Any) -> Any:
            value = loss(*args, **kwargs)
            note(args, value)
            return value

        return watched, []

    def whole_gradient(self, record: StepRecord) -> bool:
        """Whether what the optimizer gets is the gradient of the declared loss on the whole batch."""
        found = self.against_reference(record.gradients)
        return found is not None and found[0] > 0.9999 and abs(found[1] - 1) < 1e-3

    def against_reference(self, gradients: dict[int, torch.Tensor | None]) -> tuple[float, float] | None:
        """Cosine and ratio of lengths between these gradients and that of the declared loss on the whole batch."""
        both = [
            (g.double(), self.reference[k].double())
            for k, g in gradients.items()
            if g is not None and k in self.reference
        ]
        one, two = (math.sqrt(sum(float(pair[i].square().sum()) for pair in both)) for i in (0, 1))
        if not (one > 0 and two > 0 and math.isfinite(one) and math.isfinite(two)):
            return None
        return sum(float((g * r).sum()) for g, r in both) / (one * two), one / two

    def where(self) -> str:
        """The step function's own place."""
        if self.place:
            return self.place
        code = getattr(self.given.get("step"), "__code__", None)
        return f"{code.co_filename}:{code.co_firstlineno} in {code.co_name}" if code else "step"

    @property
    def crash(self) -> tuple[Exception, str] | None:
        """What the step raised, and where."""
        error = next((r.error for r in self.records if r.error is not None), None)
        return (error, where_raised(error)) if error else None


def _named(given: dict[str, Any]) -> list[tuple[str, torch.nn.Parameter]]:
    parts = [part for part in (given.get("model"), given.get("loss")) if isinstance(part, torch.nn.Module)]
    return [(name, p) for part in parts for name, p in part.named_parameters()]


def _ignored_labels(wiring: Wiring | None) -> frozenset[int]:
    """The labels at whose positions no gradient reaches the output: padding, by what the loss does with it."""
    if wiring is None or len(wiring.outputs) != 1 or len(wiring.targets) != 1:
        return frozenset()
    grad, labels = wiring.grad(wiring.outputs[0][1]), wiring.targets[0].value
    if grad is None or labels.is_floating_point() or grad.dim() != labels.dim() + 1:
        return frozenset()
    for axis in (grad.dim() - 1, 1):
        felt = grad.abs().amax(axis) > 0
        if felt.shape == labels.shape:
            return frozenset(set(labels[~felt].tolist()) - set(labels[felt].tolist()))
    return frozenset()


def _event(loss: Any, args: tuple[Any, ...], value: torch.Tensor, silent: frozenset[int]) -> LossEvent:
    targets = [t for t in tensors_in(args[1:]) if t.dim() > 0]
    labels = targets[0] if targets else None
    if labels is None:
        return LossEvent(0, 0, float(value.detach()))
    ignored = silent | {getattr(loss, "ignore_index", None)} - {None}
    counted = labels.numel()
    if ignored and not labels.is_floating_point():
        counted = sum(int(label) not in ignored for label in labels.reshape(-1).tolist())
    return LossEvent(labels.shape[0], counted, float(value.detach()))


def _profiler(
    record: StepRecord, model: Any, gradients: Callable[[], dict[int, torch.Tensor | None]]
) -> Callable[[FrameType, str, Any], None]:
    """Writes down the calls that matter for the order of a step."""
    depth = [0]

    def seen(frame: FrameType, event: str, _: Any) -> None:
        name, path = frame.f_code.co_name, frame.f_code.co_filename
        if event not in ("call", "return") or name not in _WATCHED or "torch" not in path:
            return
        kind = _call_kind(name, path, frame)
        if kind == "clip" and event == "call" and not record.clipped:
            record.clipped = gradients()
        if kind == "step":  # written down when it returns: a closure runs inside
            depth[0] += 1 if event == "call" else -1
        if not kind or (event == "call") == (kind == "step"):
            return
        record.calls.append(kind)
        if kind == "backward":
            record.closure = record.closure or depth[0] > 0
            record.resting = record.resting or resting_layers(model)

    return seen


_WATCHED = named("zero_grad clip_grad_norm_ clip_grad_value_ backward step unscale_ scale")


def _call_kind(name: str, path: str, frame: FrameType) -> str:
    owner = frame.f_locals.get("self")
    if name == "backward":
        return (
            "backward"
            if path.endswith("_tensor.py")
            or (
                path.endswith("autograd/__init__.py")
                and frame.f_back
                and not frame.f_back.f_code.co_filename.endswith("_tensor.py")
            )
            else ""
        )
    if name == "step":
        if isinstance(owner, torch.optim.lr_scheduler.LRScheduler):
            return "schedule"
        return "step" if isinstance(owner, torch.optim.Optimizer) else ""
    if name == "zero_grad":
        return "zero_grad"
    return {
        "clip_grad_norm_": "clip",
        "clip_grad_value_": "clip",
        "unscale_": "unscale",
        "scale": "scale" if "grad_scaler" in path else "",
    }[name]


def resting_layers(model: Any) -> list[str]:
    """The dropout and batch-normalisation layers that are in eval mode, if the model as a whole is."""
    if model.training:
        return []
    kinds = ("Dropout", "BatchNorm")
    return [
        type(m).__name__ for m in model.modules() if any(kind in type(m).__name__ for kind in kinds) and not m.training
    ]
