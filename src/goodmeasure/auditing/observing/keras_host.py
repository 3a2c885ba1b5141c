"""What the rules say about the first batch of every ``fit`` of a Keras model, and how such a fit is cut."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import Any

from goodmeasure.auditing.engine import examine
from goodmeasure.auditing.evidence.lines import user_line
from goodmeasure.auditing.finding import Audit
from goodmeasure.auditing.observing.judging import BUDGET_S, Judgement
from goodmeasure.auditing.observing.seams import Seams
from goodmeasure.auditing.observing.stopping import Cut, Limits
from goodmeasure.auditing.rule import all_rules


def begin(limits: Limits, cut: Cut) -> KerasHost:
    """Observe Keras from here on."""
    return KerasHost(limits, cut)


@dataclass
class KerasHost:
    """What was seen of Keras."""

    limits: Limits
    cut: Cut
    judged: Judgement = field(default_factory=Judgement)
    _known: set[str] = field(default_factory=set)

    def install(self, module: str, seams: Seams) -> None:
        """Let every ``fit`` call back here."""
        keras = sys.modules["keras"]
        owner = next(kind for kind in keras.Model.__mro__ if "fit" in vars(kind))

        def make(run: Any) -> Any:
            def fit(model: Any, *args: Any, callbacks: Any = None, **kwargs: Any) -> Any:
                return run(model, *args, callbacks=self._with_ours(callbacks, user_line()), **kwargs)

            return fit

        seams.replace(owner, "fit", make)

    def _with_ours(self, callbacks: Any, where: str) -> Any:
        keras = sys.modules["keras"]
        ours = _callback(keras, self, where)
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks.append(ours)
            return callbacks
        given = callbacks if isinstance(callbacks, (list, tuple)) else [] if callbacks is None else [callbacks]
        return [*given, ours]

    def first(self, model: Any, inputs: Any, targets: Any, where: str) -> None:
        """Look at the first batch of a fit."""
        if where in self._known:
            return
        self._known.add(where)
        if model.loss is None:
            return  # what its own training step computes is seen where torch is observed
        try:
            self._look(model, inputs, targets, where)
        except Exception as error:  # a model of a kind that is not known here: it trains on, and the report says so
            self.judged.not_seen.append(f"{where}: fit of {type(model).__name__}: {type(error).__name__}: {error}")

    def elsewhere(self, model: Any, where: str) -> bool:
        """Whether this model does not run on torch: what it computes is then not seen, and the report says so."""
        engine = sys.modules["keras"].backend.backend()
        if engine != "torch" and where not in self._known:
            self._known.add(where)
            why = f"its back end is {engine}, and only graphs of torch are read: set KERAS_BACKEND=torch for the audit"
            self.judged.not_seen.append(f"{where}: fit of {type(model).__name__}: {why}")
        return bool(engine != "torch")

    def _look(self, model: Any, inputs: Any, targets: Any, where: str) -> None:
        for name, part, loss, target in _parts(model, inputs, targets):
            if part is None:
                self.judged.not_seen.append(f"{where}: fit of {type(model).__name__}{name}: it has no targets")
                continue
            given = {"framework": "keras", "model": part, "loss": loss, "inputs": inputs, "targets": target}
            self.judged.looked_at.append(f"{where}: the loss {_told(loss)} of {type(model).__name__}{name}")
            self.judged.audits.append(_placed(examine(given, all_rules(), BUDGET_S), where))

    def trained(self, model: Any, batches: int, where: str) -> None:
        """A batch was trained on."""
        if self.limits.spent():
            self.cut.short(where)
            self.cut.end("because its time was spent")
        if batches >= self.limits.steps and not self.limits.all:
            self.cut.short(where)
            model.stop_training = True

    def judge(self, whole: bool) -> Judgement:
        """What the rules said."""
        return self.judged


def _callback(keras: Any, host: KerasHost, where: str) -> Any:
    class Watching(keras.callbacks.Callback):  # type: ignore[misc]
        """Hands the first batch to the host, and counts."""

        def on_train_begin(self, logs: Any = None) -> None:
            self._batches, step = 0, self.model.train_step
            if host.elsewhere(self.model, where):
                return

            def first(data: Any) -> Any:
                self.model.train_step = step
                inputs, targets, _ = keras.utils.unpack_x_y_sample_weight(data)
                host.first(self.model, inputs, targets, where)
                return step(data)

            self.model.train_step = first

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self._batches += 1
            host.trained(self.model, self._batches, where)

    return Watching()


def _parts(model: Any, inputs: Any, targets: Any) -> Iterator[tuple[str, Any, Any, Any]]:
    """The losses of a model: its one loss, or one for each of its outputs, with the targets of that output."""
    outputs = _outputs(model, inputs)
    if len(outputs) == 1 and not isinstance(model.loss, (dict, list, tuple)):
        ((name, output),) = outputs.items()
        yield "", model, model.loss, _in_rank(_given_for(name, 0, targets), output, model.loss)
        return
    for number, (name, output) in enumerate(outputs.items()):
        loss, target = (_given_for(name, number, given) for given in (model.loss, targets))
        if loss is not None:
            part = None if target is None else _part(model, name, output)
            yield f", output {name}", part, loss, _in_rank(target, output, loss)


def _outputs(model: Any, inputs: Any) -> dict[Any, Any]:
    """What a model says, by the names under which losses and targets are given, in the order in which they are listed."""
    said = getattr(model, "output", model.outputs) if _as_graph(model) else model(inputs, training=False)
    if isinstance(said, dict):
        return {name: said[name] for name in sorted(said)}
    each = list(said) if isinstance(said, (list, tuple)) else [said]
    names = list(getattr(model, "output_names", None) or ())
    return dict(zip(names if len(names) == len(each) else range(len(each)), each, strict=True))


def _given_for(name: Any, number: int, given: Any) -> Any:
    """What is given for one output: by its name, by its place in a list, or for all of them."""
    if isinstance(given, dict):
        return given.get(name)
    return given[number] if isinstance(given, (list, tuple)) else given


def _in_rank(target: Any, output: Any, loss: Any) -> Any:
    """Targets as Keras hands them to a loss that is a plain function: a column where the output is one."""
    lacks = len(getattr(target, "shape", ())) + 1 == len(output.shape) and output.shape[-1] == 1
    return target[..., None] if lacks and isinstance(loss, FunctionType) else target


def _as_graph(model: Any) -> bool:
    """Whether a model was put together of layers, and knows its outputs before it is called."""
    return bool(getattr(model, "outputs", None))


def _part(model: Any, name: Any, output: Any) -> Any:
    """The model of one of several outputs."""
    keras = sys.modules["keras"]
    if _as_graph(model):
        return keras.Model(model.inputs, output)

    class Part(keras.Model):  # type: ignore[misc, name-defined]
        """One of the outputs of a model that is written as a class."""

        def __init__(self) -> None:
            super().__init__()
            self.whole = model

        def call(self, inputs: Any, training: bool = False) -> Any:
            return self.whole(inputs, training=training)[name]

    return Part()


def _told(loss: Any) -> str:
    return loss if isinstance(loss, str) else str(getattr(loss, "name", None) or getattr(loss, "__name__", "given"))


def _placed(audit: Audit, where: str) -> Audit:
    """Findings that stand nowhere in the program stand where it is fitted."""
    vague = ("", "model(inputs)", "loss(output, targets)", "model", "step", "optimizer")
    kept = (f if f.where.split(" (")[0] not in vague else replace(f, where=where) for f in audit.findings)
    return replace(audit, findings=tuple(kept))
