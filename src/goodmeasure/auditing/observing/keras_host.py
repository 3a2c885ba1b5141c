"""What the rules say about the first batch of every ``fit`` of a Keras model, and how such a fit is cut."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
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
        for name, part, loss, target in _parts(model, targets):
            if part is None:
                self.judged.not_seen.append(f"{where}: {name}")
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


def _parts(model: Any, targets: Any) -> Iterator[tuple[str, Any, Any, Any]]:
    """The losses of a model: its one loss, or one for each output where losses are named by outputs."""
    loss = model.loss
    if not isinstance(loss, (dict, list, tuple)):
        yield "", model, loss, targets
        return
    names = list(getattr(model, "output_names", []))
    outputs = getattr(model, "outputs", None) or []
    if len(names) != len(outputs) or not names:
        yield f"{len(loss)} losses of a model whose outputs have no names", None, None, None
        return
    for number, (name, output) in enumerate(zip(names, outputs, strict=True)):
        one = loss.get(name) if isinstance(loss, dict) else loss[number]
        if one is not None:
            target = targets[name] if isinstance(targets, dict) else targets[number]
            yield f", output {name}", sys.modules["keras"].Model(model.inputs, output), one, target


def _told(loss: Any) -> str:
    return loss if isinstance(loss, str) else str(getattr(loss, "name", None) or getattr(loss, "__name__", "given"))


def _placed(audit: Audit, where: str) -> Audit:
    """Findings that stand nowhere in the program stand where it is fitted."""
    vague = ("", "model(inputs)", "loss(output, targets)", "model", "step", "optimizer")
    kept = (f if f.where.split(" (")[0] not in vague else replace(f, where=where) for f in audit.findings)
    return replace(audit, findings=tuple(kept))
