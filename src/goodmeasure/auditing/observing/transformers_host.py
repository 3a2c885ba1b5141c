"""The Trainer of transformers under observation: how its training is cut, and what its metrics say.

Its losses, batches and steps are seen where torch is observed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from goodmeasure.auditing.engine import examine
from goodmeasure.auditing.evidence.lines import user_line
from goodmeasure.auditing.observing.judging import BUDGET_S, Judgement, about
from goodmeasure.auditing.observing.seams import Seams
from goodmeasure.auditing.observing.stopping import Cut, Limits, writing_nothing


def begin(limits: Limits, cut: Cut) -> TransformersHost:
    """Observe trainers from here on."""
    return TransformersHost(limits, cut)


@dataclass
class TransformersHost:
    """What trainers measured: each function that computes metrics, with the first evaluation that it was given."""

    limits: Limits
    cut: Cut
    cases: dict[str, dict[str, Any]] = field(default_factory=dict)

    def install(self, module: str, seams: Seams) -> None:
        """Let every training end in good order, and every evaluation show what it measures."""
        trainer = sys.modules[module].Trainer

        def make_train(run: Any) -> Any:
            def train(self_: Any, *args: Any, **kwargs: Any) -> Any:
                ours = _ending(sys.modules["transformers"], self, user_line())
                self_.add_callback(ours)
                try:
                    return run(self_, *args, **kwargs)
                finally:
                    self_.remove_callback(ours)

            return train

        def make_loop(run: Any) -> Any:
            def evaluation_loop(self_: Any, *args: Any, **kwargs: Any) -> Any:
                compute = self_.compute_metrics
                if compute is None or getattr(self_.args, "batch_eval_metrics", False):
                    return run(self_, *args, **kwargs)
                self_.compute_metrics = self._seeing(compute, self_.model)
                try:
                    return run(self_, *args, **kwargs)
                finally:
                    self_.compute_metrics = compute

            return evaluation_loop

        seams.replace(trainer, "train", make_train)
        seams.replace(trainer, "evaluation_loop", make_loop)

    def _seeing(self, compute: Callable[[Any], Any], model: Any) -> Callable[[Any], Any]:
        def metrics(prediction: Any) -> Any:
            said = compute(prediction)
            self.cases.setdefault(_place(compute), _case(compute, prediction, model))
            return said

        return metrics

    def stepped(self, steps: int, where: str) -> bool:
        """A training step was made; whether the training ends here."""
        over = steps >= self.limits.steps and not self.limits.all
        if over:
            self.cut.short(where)
        return over

    def judge(self, whole: bool) -> Judgement:
        """What the rules say about every function that computes metrics."""
        judged = Judgement()
        for where, given in self.cases.items():
            judged.looked_at.append(f"{where}: the metrics of an evaluation")
            audit = examine(given, about("Metrics"), BUDGET_S)
            judged.audits.append(replace(audit, findings=tuple(replace(f, where=where) for f in audit.findings)))
        return judged


def _ending(transformers: Any, host: TransformersHost, where: str) -> Any:
    class Ending(transformers.TrainerCallback):  # type: ignore[misc]
        """Ends a training after its last step; what it would evaluate is evaluated, and nothing is kept."""

        def __init__(self) -> None:
            self.over = False

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if host.stepped(state.global_step, where) and not self.over:
                self.over = control.should_training_stop = True
                control.should_evaluate = str(getattr(args.eval_strategy, "value", args.eval_strategy)) != "no"
                control.should_save = False

        def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if self.over:
                control.should_evaluate = control.should_save = False

    return Ending()


def _place(compute: Any) -> str:
    """Where a function is defined, as a line of the program."""
    code = getattr(compute, "__code__", None) or getattr(type(compute).__call__, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno} in {code.co_name}" if code is not None else type(compute).__name__


def _case(compute: Callable[[Any], Any], prediction: Any, model: Any) -> dict[str, Any]:
    kind, said = type(prediction), prediction.predictions
    several = isinstance(said, tuple) and bool(said)  # scores, and what else the model returns

    def metrics(targets: Any, outputs: Any) -> Mapping[str, Any]:
        with writing_nothing():
            whole = (outputs, *said[1:]) if several else outputs
            return compute(kind(predictions=whole, label_ids=targets))  # type: ignore[no-any-return]

    shifts = getattr(getattr(model, "loss_function", None), "__name__", "") == "ForCausalLMLoss"
    return {
        "framework": "transformers",
        "metrics": metrics,
        "targets": prediction.label_ids,
        "outputs": said[0] if several else said,
        "ahead": int(shifts),
    }
