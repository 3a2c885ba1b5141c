"""What the rules say about everything that was observed, each loss as a case of its own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from goodmeasure.auditing.finding import FAILED, SEVERITIES, Audit, Finding
from goodmeasure.auditing.observing.cells import by_cells
from goodmeasure.auditing.rule import Rule, all_rules

BUDGET_S = 10.0


@dataclass
class Judgement:
    """Audits so far, what was looked at, and what could not be."""

    audits: list[Audit] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    not_seen: list[str] = field(default_factory=list)

    def add(self, other: Judgement) -> None:
        """Take in what was judged elsewhere."""
        self.audits += other.audits
        self.looked_at += other.looked_at
        self.not_seen += other.not_seen

    def together(self, subject: str, seconds: float) -> Audit:
        """All of it as one report."""
        order = {severity: rank for rank, severity in enumerate(SEVERITIES)}
        found = {(f.code, f.where): f for audit in self.audits for f in audit.findings}
        ranked = tuple(_near(f) for f in sorted(found.values(), key=lambda f: (order[f.severity], f.code)))
        codes = {f.code for f in ranked}
        passed = tuple(dict.fromkeys(c for audit in self.audits for c in audit.passed if c not in codes))
        skipped = {s.code: s for audit in self.audits for s in audit.not_applicable if s.code not in codes | {*passed}}
        failed = {s.code: s for audit in self.audits for s in audit.not_applicable if s.reason.startswith(FAILED)}
        return Audit(
            ranked,
            passed,
            tuple((skipped | failed).values()),
            subject,
            seconds,
            tuple(map(_here, self.looked_at)),
            tuple(map(_here, self.not_seen)),
        )


def _near(finding: Finding) -> Finding:
    """The same finding with its places as seen from the working directory."""
    return replace(finding, where=_here(finding.where), seen=_here(finding.seen))


def _here(text: str) -> str:
    return by_cells(text).replace(f"{Path.cwd()}/", "")


def about(*kinds: str) -> list[Rule]:
    """The rules that need nothing but these kinds of evidence."""
    return [rule for rule in all_rules() if {need.kind for need in rule.needs.values()} <= {*kinds}]
