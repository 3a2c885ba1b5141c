"""A Keras callback that audits the first training batch."""

from __future__ import annotations

import time
from typing import Any

import keras

from goodmeasure.auditing.evidence.lines import user_line
from goodmeasure.auditing.finding import Audit, Severity
from goodmeasure.auditing.observing.keras_host import KerasHost
from goodmeasure.auditing.observing.stopping import Cut, Limits


class KerasAudit(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Audits model, compiled losses and the first batch of ``fit``, prints what was found and looked at, and stops at
    ``stop_at`` or worse.

    ``report`` holds the audit afterwards. The graph is read on Keras's torch back end; elsewhere, and of a training step of the
    program's own, the report says that it was not.
    """

    def __init__(self, *, stop_at: Severity | None = None) -> None:
        super().__init__()
        self.stop_at = stop_at
        self.report: Audit | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Look at the first batch on its way into the training step."""
        step, where, host = self.model.train_step, user_line(), KerasHost(Limits(all=True), Cut())

        def first(data: Any) -> Any:
            self.model.train_step = step
            started = time.monotonic()
            inputs, targets, _ = keras.utils.unpack_x_y_sample_weight(data)
            host.first(self.model, inputs, targets, where)
            if self.model.loss is None:
                host.judged.not_seen.append(
                    f"{where}: no loss is compiled: with gm.watch(): around fit looks at its own"
                )
            self._told(host.judged.together(type(self.model).__name__, time.monotonic() - started))
            return step(data)

        if self.report is None and host.elsewhere(self.model, where):
            self._told(host.judged.together(type(self.model).__name__, 0.0))
        elif self.report is None:
            self.model.train_step = first

    def _told(self, report: Audit) -> None:
        self.report = report
        print(report)
        if self.stop_at is not None and report.at_least(self.stop_at):
            self.model.stop_training = True
