"""A Lightning callback that audits the first training batches."""

from __future__ import annotations

from typing import Any

import lightning

from goodmeasure.auditing.finding import Audit, Severity
from goodmeasure.auditing.observing.within import Within

_BATCHES = 3


class LightningAudit(lightning.Callback):  # type: ignore[misc]  # Lightning is not imported by the type checker
    """Observes the first three training batches as they run, prints what was found and looked at, and stops the run at
    ``stop_at`` or worse.

    ``report`` holds the audit afterwards. Whatever a step is seen to do is judged: batches of any form, manual optimisation,
    several optimizers.
    """

    def __init__(self, *, stop_at: Severity | None = None) -> None:
        self.stop_at = stop_at
        self.report: Audit | None = None
        self._watching: Within | None = None

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Observe from the first batch on."""
        if self.report is not None:
            return
        if self._watching is None:
            self._watching = Within(lambda finding: None)
            self._watching.__enter__()
        self._watching.batch(batch)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Judge after a few batches."""
        if batch_idx + 1 >= _BATCHES:
            self._judge(trainer)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Judge a training of fewer batches."""
        self._judge(trainer)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Judge what was seen before a program stopped."""
        self._judge(trainer)

    def _judge(self, trainer: Any) -> None:
        if self._watching is None:
            return
        self._watching.__exit__(None, None, None)
        self.report, self._watching = self._watching.audit, None
        print(self.report)
        if self.report is not None and self.stop_at is not None and self.report.at_least(self.stop_at):
            trainer.should_stop = True
