"""A Keras callback that audits the first training batch."""

from __future__ import annotations

from typing import Any

import keras

from goodmeasure.auditing.engine import audit
from goodmeasure.auditing.finding import Audit, Severity


class KerasAudit(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Audits model, compiled loss and the first batch of ``fit``, prints what it finds, and stops at ``stop_at`` or
    worse.

    ``report`` holds the audit afterwards. The graph is read on Keras's torch back end; elsewhere the report says that
    it was not.
    """

    def __init__(self, *, stop_at: Severity | None = None, budget_s: float = 10.0) -> None:
        super().__init__()
        self.stop_at, self.budget_s = stop_at, budget_s
        self.report: Audit | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Look at the first batch on its way into the training step."""
        step = self.model.train_step

        def first(data: Any) -> Any:
            self.model.train_step = step
            self._audit(*keras.utils.unpack_x_y_sample_weight(data)[:2])
            return step(data)

        if self.report is None:
            self.model.train_step = first

    def _audit(self, inputs: Any, targets: Any) -> None:
        self.report = audit(
            framework="keras",
            model=self.model,
            loss=self.model.loss,
            inputs=inputs,
            targets=targets,
            budget_s=self.budget_s,
        )
        if self.report.findings:
            print(self.report)
        if self.stop_at is not None and self.report.at_least(self.stop_at):
            self.model.stop_training = True
