"""Observe whatever runs inside a ``with`` block: a notebook cell, a function, a test."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType

from goodmeasure.auditing.finding import Audit, Finding
from goodmeasure.auditing.observing.running import Hosts
from goodmeasure.auditing.observing.stopping import Cut, Limits


class Within:
    """What runs inside is observed, and judged at the end of the block; nothing is cut.

    Args:
        report: called with each finding when the block ends.

    Attributes:
        audit: the report, once the block has ended.

    Example:
        >>> import goodmeasure as gm, torch
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(-1))
        >>> with gm.watch(report=lambda finding: print(finding.code)) as watching:
        ...     torch.nn.functional.cross_entropy(model(torch.randn(9, 4)), torch.arange(9) % 3).backward()
        GM102
        >>> watching.audit.ok
        False
    """

    def __init__(self, report: Callable[[Finding], None]) -> None:
        self.audit: Audit | None = None
        self._report = report
        self._hosts = Hosts(Limits(all=True), Cut())
        self._stack = ExitStack()
        self._started = 0.0

    @property
    def findings(self) -> list[Finding]:
        """What was found, once the block has ended."""
        return list(self.audit.findings) if self.audit is not None else []

    def __enter__(self) -> Within:
        self._started = time.monotonic()
        self._stack.enter_context(self._hosts.observing())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        judged = self._hosts.judged(whole=False)
        self.audit = judged.together("", time.monotonic() - self._started)
        for finding in self.audit.findings:
            self._report(finding)
