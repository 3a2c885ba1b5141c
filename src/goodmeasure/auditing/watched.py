"""A torch model in training under a watch: its first batch is audited in full, cheap checks go on."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any

import torch

from goodmeasure.auditing.engine import audit, examine
from goodmeasure.auditing.finding import Finding
from goodmeasure.auditing.observing.within import AuditWarning
from goodmeasure.auditing.rule import Rule, all_rules

_CHEAP = frozenset({"Contracts", "TrainingSignal"})


class Watch:
    """A running watch: what it has found so far, the loss to call, and a way to end it.

    Args:
        model: the model in training.
        loss: a loss module, or a function.
        every: the number of batches between two cheap checks.
        report: called with each finding; a warning is given unless it is.

    Attributes:
        findings: what was found so far, each code once.
        loss: the loss to call.

    Example:
        >>> import goodmeasure as gm, torch
        >>> with gm.watch(torch.nn.Linear(4, 3), torch.nn.CrossEntropyLoss()) as watching:
        ...     value = watching.loss(torch.zeros(9, 3), torch.arange(9) % 3)
        >>> watching.findings
        []
    """

    def __init__(
        self, model: torch.nn.Module, loss: Callable[..., Any], every: int, report: Callable[[Finding], None] | None
    ) -> None:
        self.findings: list[Finding] = []
        self.loss = loss
        self._watched, self._model, self._every = loss, model, max(1, every)
        self._report = report or _warn
        self._batches, self._busy = 0, False
        self._inputs: Any = None
        self._handles = [model.register_forward_pre_hook(self._before, with_kwargs=True)]
        if isinstance(loss, torch.nn.Module):
            self._handles.append(loss.register_forward_hook(lambda _, *call: self._after(*call[:2]), with_kwargs=True))
        else:
            self.loss = self._call

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        value = self._watched(*args, **kwargs)
        self._after(args, kwargs)
        return value

    def _before(self, _: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not self._busy:
            self._inputs = kwargs or args

    def _after(self, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
        args = (*positional, *named.values())
        if self._busy or len(args) < 2 or not torch.is_grad_enabled():
            return
        self._batches += 1
        if self._batches == 1:
            self._see(
                lambda: audit(model=self._model, loss=self._watched, inputs=self._inputs, targets=args[1]).findings
            )
        elif self._batches % self._every == 0 and isinstance(args[0], torch.Tensor):
            self._see(lambda: _cheap(self._watched, args[0], args[1]))

    def _see(self, look: Callable[[], tuple[Finding, ...]]) -> None:
        self._busy = True
        try:
            found = look()
        finally:
            self._busy = False
        known = {f.code for f in self.findings}
        for finding in found:
            if finding.code not in known:
                self.findings.append(finding)
                self._report(finding)

    def close(self) -> None:
        """Take the hooks off; what was found stays. Where no batch was seen, a warning says so."""
        for handle in self._handles:
            handle.remove()
        if not self._batches and self._handles:
            warnings.warn(_UNSEEN, AuditWarning, stacklevel=2)
        self._handles = []

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_UNSEEN = (
    "nothing was seen that could be right or wrong: the loss was not called with an output and a target; where it is a function, "
    "call the watch's loss in its place, or write with gm.watch(): around the code"
)


class _Passing(torch.nn.Module):  # type: ignore[misc]
    """Stands for the model: its output is what the model gave."""

    def forward(self, output: torch.Tensor) -> torch.Tensor:
        return output.detach().requires_grad_()


def _cheap(loss: Callable[..., Any], output: torch.Tensor, targets: Any) -> tuple[Finding, ...]:
    given = {
        "model": _Passing(),
        "loss": loss,
        "inputs": (output.detach(),),
        "targets": targets,
        "framework": "running",
    }
    return examine(given, filter(_is_cheap, all_rules()), budget_s=1.0).findings


def _is_cheap(one: Rule) -> bool:
    return {need.kind for need in one.needs.values()} <= _CHEAP


def _warn(finding: Finding) -> None:
    if finding.severity != "note":
        warnings.warn(str(finding), AuditWarning, stacklevel=4)
