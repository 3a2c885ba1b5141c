"""The page of the audit's rules: docs/audit.md, with what audit_findings.py found."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import audit_findings

from goodmeasure.auditing.rule import Rule, all_rules

PAGE = Path(__file__).resolve().parent.parent / "docs" / "audit.md"
SAID = ("raises", "warns", "silent")

HEAD = """# The audit: every rule, its evidence, and what others say

Made by `make docs` from the rules and from `tests/audit_programs`. `goodmeasure explain CODE` prints the page of a rule. The
evidence is named after the classes of `goodmeasure.auditing.evidence`. "Programs" counts the wrong fixture programs in which a
rule speaks; the last column says what the framework does when the same programs are run without an audit.

| code | severity | what | evidence | programs | the framework |
|---|---|---|---|---|---|"""

PEERS = """Measured on 110 other programs with such faults, reproduced from public threads: frameworks raise on 5
and warn on 4, the linter for PyTorch finds none, and the best testing package finds 18 of the 86 in torch and blames 6
of 125 right ones."""


def page() -> str:
    """A line for each rule, with its evidence and what frameworks say about the programs that show it."""
    found = json.loads(audit_findings.PAGE.read_text(encoding="utf-8")).values()
    return "\n".join([HEAD, *(line(rule, found) for rule in all_rules()), "", total(found), "", PEERS, ""])


def line(rule: Rule, found: Iterable[dict[str, Any]]) -> str:
    """What is said of one rule."""
    hosts = [row["host"] for row in found if rule.code in row["codes"]]
    said = ", ".join(f"{hosts.count(word)} {word}" for word in SAID if word in hosts) or "-"
    needs = ", ".join(need.kind + ("" if need.required else "?") for need in rule.needs.values())
    return f"| {rule.code} | {rule.severity} | {rule.title} | {needs} | {len(hosts)} | {said} |"


def total(found: Iterable[dict[str, Any]]) -> str:
    """What is said of all programs."""
    hosts = [row["host"] for row in found]
    return (
        f"Of the {len(hosts)} wrong programs here, frameworks raise on {hosts.count('raises')} and warn on "
        f"{hosts.count('warns')}; torchfix 0.7.0 with all its rules on finds 0."
    )
