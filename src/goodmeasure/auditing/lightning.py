"""A Lightning callback that audits the first training batch."""

from __future__ import annotations

from typing import Any

import lightning
import torch

from goodmeasure.auditing.engine import audit
from goodmeasure.auditing.evidence.trace import tensors_in
from goodmeasure.auditing.finding import Audit, Severity


class LightningAudit(lightning.Callback):  # type: ignore[misc]  # Lightning is not imported by the type checker
    """Audits ``training_step`` on the first batch, prints what it finds, and stops the run at ``stop_at`` or worse.

    ``report`` holds the audit afterwards. The step runs under guard: buffers, gradients and random states are put
    back, and
    nothing is logged.
    """

    def __init__(self, *, stop_at: Severity | None = None, budget_s: float = 10.0) -> None:
        self.stop_at, self.budget_s = stop_at, budget_s
        self.report: Audit | None = None

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Audit once, before the first batch is trained on."""
        if self.report is not None:
            return
        targets = batch[-1] if isinstance(batch, (list, tuple)) and len(batch) > 1 else None
        self.report = audit(
            framework="lightning",
            model=_TrainingStep(pl_module),
            loss=_loss_of,
            inputs=(batch,),
            targets=targets,
            budget_s=self.budget_s,
        )
        if self.report.findings:
            print(self.report)
        if self.stop_at is not None and self.report.at_least(self.stop_at):
            trainer.should_stop = True


class _TrainingStep(torch.nn.Module):  # type: ignore[misc]
    """A module whose output is the result of ``training_step``, with logging switched off."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = module

    def forward(self, batch: Any) -> Any:
        held = {name: self.module.__dict__.get(name) for name in ("log", "log_dict")}
        self.module.__dict__.update(dict.fromkeys(held, _quiet))
        try:
            return self.module.training_step(batch, 0)
        finally:
            for name, value in held.items():
                self.module.__dict__.pop(name) if value is None else self.module.__dict__.update({name: value})


def _quiet(*_: Any, **__: Any) -> None:
    """Logs nothing."""


def _loss_of(output: Any, _: Any) -> Any:
    return output["loss"] if isinstance(output, dict) else next(tensors_in(output), None)
