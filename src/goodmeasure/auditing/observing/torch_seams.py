"""What a torch program does: forward and backward passes, optimizer steps, batches, as its seams show them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

from goodmeasure.auditing.evidence.lines import user_line, user_lines
from goodmeasure.auditing.evidence.step_run import LossEvent, resting_layers
from goodmeasure.auditing.evidence.trace import Node
from goodmeasure.auditing.observing.cases import ObservedLoss, event, seen, yes_no
from goodmeasure.auditing.observing.loops import Loops
from goodmeasure.auditing.observing.objective import Anatomy, dissect, is_data
from goodmeasure.auditing.observing.recorder import Recorder
from goodmeasure.auditing.observing.replay import NotReplayed
from goodmeasure.auditing.observing.scenes import Scenes
from goodmeasure.auditing.observing.seams import Seams
from goodmeasure.auditing.observing.steps import CalledModule, Passed, StepLog, YesNo
from goodmeasure.auditing.observing.stopping import Cut, Limits

_PASSES = 2  # batches on which a loss is judged: what is seen on one of them alone is chance
_TRAININGS = 3  # in one program that are looked at: a teacher and its student, parts of a model one after another
_NEVER = 40  # backward passes a step after which no step is waited for


class TorchProgram:
    """What was seen so far of a program that uses torch."""

    def __init__(self, limits: Limits, cut: Cut) -> None:
        self.limits: Limits = limits
        self.cut: Cut = cut
        self.recorder: Recorder = Recorder()
        self.loops: Loops = Loops(cut)
        self.scenes: Scenes = Scenes(self.recorder)
        self.seen: dict[tuple[str, ...], ObservedLoss] = {}
        self.unread: dict[str, str] = {}  # losses that could not be taken apart: where, and why
        self.logs: list[StepLog] = []
        self.teaches: dict[tuple[str, ...], set[int]] = {}  # the parameters that each loss reaches
        self.used: set[int] = set()  # the parameters of every module that was called
        self.scored: set[int] = set()  # the parameters behind scores, and behind losses that no backward pass has seen
        self.asked: list[CalledModule] = []  # the modules that were called before each backward pass
        self.values: dict[str, list[float]] = {}  # what each line that calls for a backward pass had as its loss
        self.backwards: int = 0
        self.stepped: bool = False  # an optimizer made a step
        self._further = False  # a step was made when enough had been seen
        self._depth = 0
        self._since = 0  # the optimizer with which the present training began
        self._trainings = 1
        self._met: dict[int, torch.nn.Module] = {}

    @property
    def steps(self) -> int:
        """Training steps so far; of a program without an optimizer, its backward passes."""
        return max((log.steps for log in self.logs), default=0) if self.logs else max(0, self.backwards - 1)

    @property
    def done(self) -> bool:
        """Whether enough training steps were seen."""
        counts = [log.steps for log in self.logs[self._since :]]  # one that waits for its turn is waited for
        most = max(counts, default=self.steps)
        if self.backwards >= _NEVER * self.limits.steps:
            return True
        return most >= self.limits.steps and (min(counts, default=0) > 0 or most >= 8 * self.limits.steps)

    def batch(self, batch: Any) -> None:
        """A loader hands out a batch."""
        if self.recorder.listening:
            self.close()
            self.recorder.begin(batch)

    def close(self) -> None:
        """Read the record so far."""
        with self._own_work("an evaluation"):
            self.scenes.close()

    @contextmanager
    def _own_work(self, what: str) -> Iterator[None]:
        """Observe something; where that fails the program goes on, and the report says what was not seen."""
        with self.recorder.quiet():
            try:
                yield
            except Exception as error:  # a program that no observer foresaw
                self.unread[what] = f"observing it failed: {type(error).__name__}: {error}"

    def passes_on(self, module: torch.nn.Module) -> bool:
        """Whether nothing is to be seen here: a known module trains on, and enough of its steps were seen."""
        return self.recorder.resting and module.training and id(module) in self._met and torch.is_grad_enabled()

    def call(self, module: torch.nn.Module, args: Any, kwargs: Any, run: Callable[..., Any]) -> Any:
        """A module is called."""
        recorder = self.recorder
        if recorder.listening and recorder.outermost and id(module) not in self._met:
            self._met[id(module)] = module
            self.used.update(id(p) for p in module.parameters())
        if not recorder.listening or (recorder.enough and self._learning(module)) or recorder.crowded:
            return run(module, *args, **kwargs)
        if recorder.enough and recorder.outermost:
            if self.scenes.full:
                return run(module, *args, **kwargs)
            recorder.wake()
        if recorder.outermost and torch.is_grad_enabled():
            for log in self.logs:
                log.forward()
        if recorder.enough and recorder.outermost:
            self.close()
        return recorder.called(module, args, kwargs, run)

    def _learning(self, module: torch.nn.Module) -> bool:
        """Whether this may be a training step, of which enough were seen."""
        learning = self.recorder.outermost and torch.is_grad_enabled() and module.training
        if learning:
            self.recorder.rest()
        return learning

    def passed(self) -> None:
        """Count a backward pass that is not looked at."""
        self.backwards += 1
        if not self.stepped:
            self._may_end()

    @contextmanager
    def backward(self, scalar: Any) -> Iterator[None]:
        """Look at a loss before its backward pass runs."""
        if self._depth == 0 and self.recorder.elsewhere:
            self.unread[user_line() or "a loss"] = (
                "it is differentiated in another thread, in which nothing is observed"
            )
        if self._depth == 0 and self.recorder.listening:
            with self._own_work("a loss"):
                self._look(scalar)
            if self.recorder.enough and not self.stepped:
                self._may_end()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def _look(self, scalar: Any) -> None:
        self.backwards += 1
        if not isinstance(scalar, torch.Tensor) or scalar.numel() != 1 or not scalar.requires_grad:
            return
        self.recorder.enough = self.recorder.enough or self.done
        if self.recorder.enough:
            return
        self.asked += [
            CalledModule(one.module, one.where) for one in self.recorder.calls if one.parametric and one.learning
        ]
        node = self.recorder.node(scalar)
        reached = frozenset(learning(node))
        self.scored.update(part for other in _unused(self.recorder, node) for part in learning(other))
        if node.tensor.is_leaf and any(p is scalar for log in self.logs for p in log.parameters()):
            return  # it is itself what is optimised
        try:
            anatomy = dissect(self.recorder, scalar)
            self._keep(anatomy, reached)
        except NotReplayed as reason:
            self.unread[node.where or "a loss"] = str(reason)
            anatomy = None
        self._tell(scalar, reached, anatomy)

    def _keep(self, anatomy: Anatomy, reached: frozenset[int]) -> None:
        key = (anatomy.loss.where, *(type(call.module).__name__ for call in anatomy.calls))
        self.teaches.setdefault(key, set()).update(reached)
        if key not in self.seen:
            self.seen[key] = seen(anatomy, self._optimizers())
        elif len(self.seen[key].others) < _PASSES - 1:
            self.seen[key].others.append(seen(anatomy, self._optimizers()).given)

    def _tell(self, scalar: torch.Tensor, reached: frozenset[int], anatomy: Anatomy | None) -> None:
        value = float(scalar.detach())
        self.values.setdefault(user_line(), []).append(value)
        part = event(anatomy) if anatomy is not None else LossEvent(0, 0, value, 1.0)
        where = (anatomy.loss.where if anatomy is not None else "", *user_lines())
        asked = yes_no(anatomy) if anatomy is not None else YesNo(frozenset())
        models = [call.module for call in anatomy.calls] if anatomy is not None else []
        resting = [name for model in models for name in resting_layers(model)]
        for log in self.logs:
            if not reached or any(id(p) in reached for p in log.parameters()):
                log.backward(Passed(reached, part, value, resting, where, asked))

    def _optimizers(self) -> list[Any]:
        return [log.optimizer for log in self.logs]

    def optimizer(self, optimizer: Any) -> StepLog:
        """What is known of this optimizer."""
        for log in self.logs:
            if log.optimizer is optimizer:
                return log
        log = StepLog(optimizer)
        if self.recorder.enough and self._trains_anew(log):
            self._look_again()
        if not self.recorder.enough:
            self.logs.append(log)
        return log

    def _trains_anew(self, log: StepLog) -> bool:
        """Whether an optimizer comes for other parameters than those that were trained so far: another training begins."""
        known = {id(p) for other in self.logs for p in other.parameters()}
        return self._trainings < _TRAININGS and not any(id(p) in known for p in log.parameters())

    def _look_again(self) -> None:
        """Look at the steps of another training too."""
        self._trainings += 1
        self._since, self.limits.done_at = len(self.logs), 0.0
        self.recorder.enough = False
        self.recorder.wake()

    def about(self, parameters: Any, note: Callable[[StepLog], None]) -> None:
        """Tell the optimizers of these parameters about a call."""
        if self.recorder.enough:
            return
        own = [parameters] if isinstance(parameters, torch.Tensor) else list(parameters)
        wanted = {id(p) for p in own}
        with self._own_work("a training step"):
            for log in self.logs:
                if any(id(p) in wanted for p in log.parameters()):
                    note(log)

    def begin_step(self, optimizer: Any) -> None:
        """An optimizer is about to move its parameters."""
        self.recorder.stepping += 1
        if self.recorder.listening and not self.recorder.enough:
            with self._own_work("a training step"):
                self.optimizer(optimizer).begin_step()

    def end_step(self, optimizer: Any) -> None:
        """An optimizer has moved its parameters."""
        self.recorder.stepping -= 1
        self.stepped = True
        if not self.recorder.enough:
            log = self.optimizer(optimizer)
            if log.inside:
                with self._own_work("a training step"):
                    log.end_step()
            self.recorder.enough = self.done
        self._may_end()

    def end_loops(self, seams: Seams) -> None:
        """Let the loops of the program be ended, where it is not run whole."""
        if not self.limits.all:
            self.loops.install_modules(seams)

    def _may_end(self) -> None:
        """End the program where its steps, or its time, are over and no loader ends its loop."""
        if self.limits.all:
            return
        if (self.recorder.enough and (self.limits.stop or self.limits.idle())) or self.limits.spent():
            self.cut.short("the training loop")
            self.cut.end("after its last step" if self.recorder.enough else "because its time was spent")
        if self.recorder.enough:
            if self._further:
                self.cut.short(user_line())  # no loader and no loop has ended it: from here on it writes nothing
            self._further = True
            self.loops.stepped()


def _unused(recorder: Recorder, loss: Node) -> Iterator[Node]:
    """Numbers that follow from a model and a batch, carry gradient, and are no part of this loss."""
    below = {id(node) for node in loss.ancestors()}
    for node in recorder.nodes:
        number = node.live and not node.shape and id(node) not in below
        if number and any(is_data(part) for part in node.ancestors()):
            yield node


def learning(loss: Node) -> Iterator[int]:
    """The leaves that a backward pass reaches, by their identity."""
    found, stack = set(), [loss]
    while stack:
        node = stack.pop()
        if id(node) in found or not node.live:
            continue
        found.add(id(node))
        if node.tensor.is_leaf:
            yield id(node.tensor)
        stack.extend(node.inputs)


def install(seams: Seams, program: TorchProgram) -> None:
    """Replace the seams of torch."""
    _modules(seams, program)
    _passes(seams, program)
    _optimizers(seams, program)
    _schedules(seams, program)
    _gradients(seams, program)
    _writers(seams, program.cut)
    program.recorder.wake()
    seams.later(program.recorder.rest)
    seams.later(program.loops.rest)
    program.end_loops(seams)


def leave_uncompiled(seams: Seams) -> None:
    """Let nothing be compiled: it could not be seen."""
    torch.compiler.set_stance("force_eager")
    seams.later(lambda: torch.compiler.set_stance("default"))


def trains_by_itself(model: Any) -> bool:
    """Whether a Keras model computes its loss by a method of its own, and none was compiled."""
    methods = (getattr(type(model), name, None) for name in ("train_step", "compute_loss"))
    own = any(not str(getattr(method, "__module__", "")).startswith("keras") for method in methods)
    return own and getattr(model, "loss", None) is None


def leave_to_keras(seams: Seams, program: TorchProgram) -> None:
    """Write nothing down of what Keras does by itself: its variables are no parameters of modules that can be copied."""
    kinds = sys.modules["keras"].Model.__mro__

    def make(run: Any) -> Any:
        def quietly(model: Any, *args: Any, **kwargs: Any) -> Any:
            if trains_by_itself(model):
                return run(model, *args, **kwargs)
            with program.recorder.quiet():
                return run(model, *args, **kwargs)

        return quietly

    for name in ("fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch"):
        owner = next(kind for kind in kinds if name in vars(kind))
        seams.replace(owner, name, make)


def _modules(seams: Seams, program: TorchProgram) -> None:
    def make(run: Any) -> Any:
        def __call__(self: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
            if program.passes_on(self):
                return run(self, *args, **kwargs)
            return program.call(self, args, kwargs, run)

        return __call__

    seams.replace(torch.nn.Module, "__call__", make)


def _passes(seams: Seams, program: TorchProgram) -> None:
    def make(run: Any, counts: bool) -> Any:
        def backward(self: Any, *args: Any, **kwargs: Any) -> Any:
            if program.recorder.resting:
                if counts:
                    program.passed()
                return run(self, *args, **kwargs)
            with program.backward(self):
                return run(self, *args, **kwargs)

        return backward

    def make_grad(run: Any) -> Any:
        def grad(outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            wanted = inputs if isinstance(inputs, (list, tuple)) else [inputs]
            if not all(isinstance(p, torch.nn.Parameter) for p in wanted):
                return run(outputs, inputs, *args, **kwargs)
            with program.backward(outputs[0] if isinstance(outputs, (list, tuple)) else outputs):
                return run(outputs, inputs, *args, **kwargs)

        return grad

    seams.replace(torch.Tensor, "backward", partial(make, counts=False))  # it calls the other
    seams.replace(torch.autograd, "backward", partial(make, counts=True))
    seams.replace(torch.autograd, "grad", make_grad)


def _optimizers(seams: Seams, program: TorchProgram) -> None:
    from torch.optim import optimizer as module

    seams.later(module.register_optimizer_step_pre_hook(lambda one, *_: program.begin_step(one)).remove)
    seams.later(module.register_optimizer_step_post_hook(lambda one, *_: program.end_step(one)).remove)

    def make(run: Any) -> Any:
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
            run(self, *args, **kwargs)
            program.optimizer(self)
            program.end_loops(seams)

        return __init__

    def make_clear(run: Any) -> Any:
        def zero_grad(self: Any, *args: Any, **kwargs: Any) -> Any:
            if not program.recorder.enough:
                program.about(_parameters(self), StepLog.cleared)
            return run(self, *args, **kwargs)

        return zero_grad

    seams.replace(torch.optim.Optimizer, "__init__", make)
    seams.replace(torch.optim.Optimizer, "zero_grad", make_clear)
    seams.replace(torch.nn.Module, "zero_grad", make_clear)


def _parameters(owner: Any) -> list[torch.Tensor]:
    if isinstance(owner, torch.nn.Module):
        return list(owner.parameters())
    return [p for group in owner.param_groups for p in group["params"]]


def _schedules(seams: Seams, program: TorchProgram) -> None:
    from torch.optim import lr_scheduler as module

    def make(run: Any) -> Any:
        def step(self: Any, *args: Any, **kwargs: Any) -> Any:
            if not getattr(self, "_observed_start", False):
                program.about(_parameters(self.optimizer), lambda log: log.note("schedule"))
            return run(self, *args, **kwargs)

        return step

    def make_first(run: Any) -> Any:
        def _initial_step(self: Any) -> Any:
            self._observed_start = True
            try:
                return run(self)
            finally:
                del self._observed_start

        return _initial_step

    seams.replace(module.LRScheduler, "step", make)
    seams.replace(module.LRScheduler, "_initial_step", make_first)


def _gradients(seams: Seams, program: TorchProgram) -> None:
    from torch.nn.utils import clip_grad

    def make(run: Any) -> Any:
        def clip(parameters: Any, *args: Any, **kwargs: Any) -> Any:
            held = [parameters] if isinstance(parameters, torch.Tensor) else list(parameters)
            program.about(held, StepLog.clipped)
            return run(held, *args, **kwargs)

        return clip

    for owner in (clip_grad, torch.nn.utils):
        seams.replace(owner, "clip_grad_norm_", make)
        seams.replace(owner, "clip_grad_value_", make)

    def make_scale(run: Any) -> Any:
        def scale(self: Any, outputs: Any) -> Any:
            if self.is_enabled():
                for log in program.logs:
                    log.note("scale")
            return run(self, outputs)

        return scale

    def make_unscale(run: Any) -> Any:
        def unscale_(self: Any, optimizer: Any) -> Any:
            if self.is_enabled():
                program.optimizer(optimizer).note("unscale")
            return run(self, optimizer)

        return unscale_

    seams.replace(torch.amp.GradScaler, "scale", make_scale)
    seams.replace(torch.amp.GradScaler, "unscale_", make_unscale)


def _writers(seams: Seams, cut: Cut) -> None:
    """What writes files past Python."""

    def make(name: str) -> Callable[[Any], Any]:
        def wrap(run: Any) -> Any:
            def write(*args: Any, **kwargs: Any) -> Any:
                cut.refuse(name)
                return run(*args, **kwargs)

            return write

        return wrap

    seams.replace(torch, "save", make("torch.save"))
    seams.replace(torch.jit, "save", make("torch.jit.save"))
