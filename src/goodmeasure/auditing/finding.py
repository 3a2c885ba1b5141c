"""What an audit reports: findings, what passed, what did not apply, and the faces of that report."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from goodmeasure.drawing.cells import Code
from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.drawing.terminal import printable
from goodmeasure.strict.calls import strict_class

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
FAILED = "the check itself failed"  # how the reason of a check begins that raised an exception of its own


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: where, what was seen, why it hurts, and the line that fixes it.

    Attributes:
        code: a stable code, which ``goodmeasure explain`` tells more of.
        severity: "error", "warning" or "note".
        title: what is wrong.
        where: the place in the model, the loss or the data.
        seen: the evidence.
        why: what it does to training.
        fix: what to type in its place.

    Example:
        >>> import goodmeasure as gm
        >>> import torch
        >>> model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Softmax(dim=1))
        >>> x, y = torch.eye(2).repeat(6, 1), torch.tensor([0, 1, 2] * 4)
        >>> found = gm.audit(model=model, loss=torch.nn.CrossEntropyLoss(), inputs=x, targets=y)
        >>> found.findings[0].fix
        'hand the raw scores to the loss: remove the softmax before it'
    """

    code: str
    severity: Severity
    title: str
    where: str
    seen: str
    why: str
    fix: str

    def __str__(self) -> str:
        lines = [("where", self.where), ("seen", self.seen), ("why", self.why), ("fix", self.fix)]
        body = "\n".join(f"  {label:6}{text}" for label, text in lines if text)
        return f"{self.code} {self.severity:8}{self.title}\n{body}"


@dataclass(frozen=True)
class Skipped:
    """A check that could not be made, and the reason.

    Attributes:
        code: the code of the rule.
        reason: why it could not be asked, in words.

    Example:
        >>> import goodmeasure as gm
        >>> import torch
        >>> x, y = torch.eye(2).repeat(6, 1), torch.tensor([0, 1, 2] * 4)
        >>> found = gm.audit(model=torch.nn.Linear(2, 3), loss=torch.nn.CrossEntropyLoss(), inputs=x, targets=y)
        >>> {one.code: one.reason for one in found.not_applicable}["GM401"]
        'no step given'
    """

    code: str
    reason: str


@strict_class
@dataclass(frozen=True)
class Audit(Displayed):
    """What an audit found, worst first, what passed, and what could not be looked at.

    Attributes:
        findings: what is wrong, worst first.
        passed: the codes of the rules that found nothing.
        not_applicable: the rules that could not be asked, each with the reason.
        subject: what was audited.
        seconds: how long it took.
        looked_at: what was looked at, in words.
        not_seen: what could not be looked at, in words.

    Example:
        >>> import goodmeasure as gm
        >>> import torch
        >>> model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Softmax(dim=1))
        >>> x, y = torch.eye(2).repeat(6, 1), torch.tensor([0, 1, 2] * 4)
        >>> found = gm.audit(model=model, loss=torch.nn.CrossEntropyLoss(), inputs=x, targets=y)
        >>> found.ok, [finding.title for finding in found.findings]
        (False, ['softmax is applied twice'])
    """

    findings: tuple[Finding, ...]
    passed: tuple[str, ...] = ()
    not_applicable: tuple[Skipped, ...] = ()
    subject: str = ""
    seconds: float = 0.0
    looked_at: tuple[str, ...] = ()
    not_seen: tuple[str, ...] = ()

    def at_least(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings that are as severe as this, or more.

        Args:
            severity: "error", "warning" or "note".

        Returns:
            Findings, worst first.
        """
        worst = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return tuple(f for f in self.findings if f.severity in worst)

    def without(self, codes: Iterable[str]) -> Audit:
        """The same report without the findings of these codes.

        Args:
            codes: codes such as "GM102".

        Returns:
            A report of what is left.
        """
        muted = frozenset(codes)
        kept = tuple(f for f in self.findings if f.code not in muted)
        return replace(self, findings=kept)

    @property
    def ok(self) -> bool:
        """Whether nothing worse than a note was found."""
        return not self.at_least("warning")

    @property
    def failed(self) -> tuple[Skipped, ...]:
        """The checks that raised an exception of their own: what they look for may be there."""
        return tuple(s for s in self.not_applicable if s.reason.startswith(FAILED))

    def summary(self) -> str:
        """One line: how many findings of each severity, how many rules passed, how many were skipped."""
        counts = [f"{n} {s}{'s' * (n != 1)}" for s in SEVERITIES if (n := sum(f.severity == s for f in self.findings))]
        found = ", ".join(counts) or ("nothing found" if self.passed else "nothing was looked at")
        skipped = len(self.not_applicable) - len(self.failed)
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"{found}; {len(self.passed)} rules passed, {skipped} not applicable{failed} ({self.seconds:.1f} s)"

    def __str__(self) -> str:
        head = [f"audit of {self.subject}"] if self.subject else []
        tail = [f"more: goodmeasure explain {self.findings[0].code}"] if self.findings else self._looked()
        missed = [f"not looked at: {what}" for what in self.not_seen]
        failed = [f"{one.code}: {one.reason}" for one in self.failed]
        return printable("\n".join([*head, *map(str, self.findings), *failed, *missed, self.summary(), *tail]))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What IPython shows in a terminal: what ``print`` writes."""
        printer.text(str(self))

    def _looked(self) -> list[str]:
        """What "nothing found" stands on."""
        if all(name.isidentifier() for name in self.looked_at):
            return [f"looked at: {', '.join(self.looked_at)}"] if self.looked_at else []
        return ["looked at:", *(f"  {what}" for what in self.looked_at)]

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, ready for JSON."""
        return asdict(self) | {"summary": self.summary()}

    def to_json(self, *, indent: int | None = 2) -> str:
        """The report as JSON.

        Args:
            indent: how many spaces a level is moved in by; None for one line.

        Returns:
            The text of a JSON document.
        """
        return json.dumps(self.to_dict(), indent=indent)

    def to_sarif(self) -> dict[str, Any]:
        """The report as a SARIF 2.1.0 log, which code hosts show beside the lines it names."""
        rules = {f.code: {"id": f.code, "shortDescription": {"text": f.title}} for f in self.findings}
        driver = {"name": "goodmeasure", "rules": list(rules.values())}
        run = {"tool": {"driver": driver}, "results": [_sarif_result(f) for f in self.findings]}
        return {"version": "2.1.0", "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "runs": [run]}

    def _display(self) -> Display:
        rows = [(Code(f.code), f.severity, f.title, f.where, f.seen, f.why, Code(f.fix)) for f in self.findings]
        columns = columns_of(("code", "severity", "what", "where", "seen", "why", "fix"), rows)
        title = f"Audit of {self.subject}" if self.subject else "Audit"
        notes = (
            *(f"not looked at: {what}" for what in self.not_seen),
            self.summary(),
            *([] if rows else self._looked()),
        )
        return Display(title, columns, notes, under=dict.fromkeys(("where", "seen", "why", "fix"), "what"))


def _uri(path: str) -> str:
    """A path as SARIF writes it."""
    return quote(Path(path).as_posix())


def _sarif_result(finding: Finding) -> dict[str, Any]:
    message = f"{finding.title}. {finding.seen} Fix: {finding.fix}"
    result: dict[str, Any] = {"ruleId": finding.code, "level": finding.severity, "message": {"text": message}}
    path, _, line = finding.where.split(" in ")[0].split(" (")[0].rpartition(":")
    if path.endswith("]"):  # a cell of a notebook: its lines are none of the file
        result["locations"] = [{"physicalLocation": {"artifactLocation": {"uri": _uri(path.rpartition("[")[0])}}}]
    elif path and line.isdigit():
        spot = {"artifactLocation": {"uri": _uri(path)}, "region": {"startLine": int(line)}}
        result["locations"] = [{"physicalLocation": spot}]
    return result
