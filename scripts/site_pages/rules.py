"""A page of each rule of the audit: what it looks for, why it hurts, the fix, and the programs in which it is found."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from textwrap import dedent

import audit_findings

from goodmeasure.auditing.rule import Rule, all_rules

# Programs that show a rule; more say no more.
_SHOWN, _LONGEST = 2, 40


def pages() -> dict[str, str]:
    """The page of each rule."""
    return {f"rules/{rule.code}.md": "\n".join([*_lines(rule), ""]) for rule in all_rules()}


def codes() -> dict[str, str]:
    """The page of each code."""
    return {rule.code: f"rules/{rule.code}.md" for rule in all_rules()}


def _lines(rule: Rule) -> Iterator[str]:
    needs = ", ".join(f"`{need.kind}`" + ("" if need.required else " if there is any") for need in rule.needs.values())
    yield from (*rule.page().replace("``", "`").rstrip().splitlines(), "")
    yield from (f"- severity: {rule.severity}", f"- looks at: {needs}")
    if rule.follows:
        yield f"- where one of these is found, it is the cause and stands in its place: {', '.join(rule.follows)}"
    yield from (f"- in a terminal: `goodmeasure explain {rule.code}`", "- [all rules](../audit.md)", "")
    yield from _found(rule)


def _found(rule: Rule) -> Iterator[str]:
    """Programs of the tests in which the rule speaks, and what the framework says of them."""
    rows = json.loads(audit_findings.PAGE.read_text(encoding="utf-8"))
    named = [name for name, row in rows.items() if rule.code in row["codes"]]
    if not named:
        return
    silent = sum(rows[name]["host"] == "silent" for name in named)
    yield from ("## Where it is found", "")
    yield f"In {len(named)} of the wrong programs of the tests; the framework says nothing of {silent} of them."
    short = sorted((text for name in named if len((text := _source(name)).splitlines()) <= _LONGEST), key=len)
    for text in short[:_SHOWN]:
        yield from ("", "```python", text, "```")


def _source(name: str) -> str:
    """A wrong program."""
    module, _, function = name.partition(".")
    return _functions(audit_findings.PROGRAMS / f"{module}.py").get(function, "")


@cache
def _functions(path: Path) -> dict[str, str]:
    text = path.read_text(encoding="utf-8")
    found = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
    return {node.name: dedent(ast.get_source_segment(text, node) or "") for node in found}
