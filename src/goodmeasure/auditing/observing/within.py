"""Observe whatever runs inside a ``with`` block: a notebook cell, a function, a test."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from goodmeasure.auditing.finding import Audit, Finding
from goodmeasure.auditing.observing import cells
from goodmeasure.auditing.observing.running import Hosts
from goodmeasure.auditing.observing.stopping import Cut, Limits
from goodmeasure.strict.calls import strict_class


class AuditWarning(UserWarning):
    """What :func:`goodmeasure.watch` found, or that it saw nothing to look at."""


@strict_class
class Within:
    """What runs inside is observed, and judged at the end of the block; nothing is cut.

    Args:
        report: called with each finding when the block ends; unless it is given, a notebook shows the whole report, and
            elsewhere a warning is given of each.

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

    def __init__(self, report: Callable[[Finding], None] | None = None) -> None:
        self.audit: Audit | None = None
        self._report = report
        self._hosts = Hosts(Limits(all=True), Cut())
        self._stack = ExitStack()
        self._started = 0.0

    @property
    def findings(self) -> list[Finding]:
        """What was found, once the block has ended."""
        return list(self.audit.findings) if self.audit is not None else []

    def batch(self, batch: Any) -> None:
        """A batch begins that came from a loader which was made before the block.

        Args:
            batch: tensors, however they are nested.
        """
        host = self._hosts.known.get("torch_host")
        if host is not None:
            host.program.batch(batch)

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
        if self._report is not None:
            for finding in self.audit.findings:
                self._report(finding)
        elif cells.shell() is not None:
            if self.audit.looked_at or kind is None:
                cells.show(self.audit)
        else:
            for said in _worth_a_warning(self.audit, was_broken_off=kind is not None):
                warnings.warn(said, AuditWarning, stacklevel=2)


def _worth_a_warning(audit: Audit, *, was_broken_off: bool) -> Iterator[str]:
    yield from (str(finding) for finding in audit.at_least("warning"))
    if not audit.looked_at and not was_broken_off:
        why = "; ".join(audit.not_seen) or "no loss was differentiated, nothing was fitted or scored"
        yield f"nothing was seen that could be right or wrong: {why}"
