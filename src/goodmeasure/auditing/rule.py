"""A rule: a small function over evidence, which says by its annotations what it needs and by its docstring what it
means.

There is no list of rules. A rule is a :class:`Rule` object in a module of :mod:`goodmeasure.auditing.rules`, and
:func:`all_rules` finds them by type. Modules of other packages join them by entry points of the group ``goodmeasure.rules``.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from types import ModuleType
from typing import Any

from goodmeasure.auditing.evidence import is_gathered
from goodmeasure.auditing.finding import SEVERITIES, Finding, Severity
from goodmeasure.errors import UsageError, nearest, shorter
from goodmeasure.strict.additions import RULES, gathered


@dataclass(frozen=True)
class Seen:
    """What a rule saw: the evidence in words and numbers, and where; the rest is filled in from the rule."""

    seen: str
    where: str = ""
    fix: str = ""
    title: str = ""
    severity: Severity | None = None


Check = Callable[..., Iterator[Seen]]


def _written(hint: Any) -> str:
    """An annotation as it is written; without ``from __future__ import annotations`` it is a class, or a union of them."""
    return hint.__name__ if isinstance(hint, type) else str(hint)


def _kind(hint: str) -> str:
    """The name of the evidence in an annotation."""
    return hint.split(" |")[0].rsplit(".", 1)[-1]


@dataclass(frozen=True)
class Need:
    """One kind of evidence that a rule asks for, by name, and whether it can do without."""

    kind: str
    required: bool


@dataclass(frozen=True)
class Rule:
    """A code, a title, why it hurts, how to fix it, the function that looks for it, and the codes of what can cause it."""

    code: str
    severity: Severity
    title: str
    why: str
    fix: str
    check: Check
    follows: tuple[str, ...] = ()

    @cached_property
    def needs(self) -> dict[str, Need]:
        """The evidence that the check takes, by parameter."""
        hints = {name: _written(hint) for name, hint in self.check.__annotations__.items() if name != "return"}
        return {name: Need(_kind(hint), required="None" not in hint) for name, hint in hints.items()}

    @property
    def unknown(self) -> tuple[str, ...]:
        """The evidence that it cannot do without and that nobody gathers."""
        return tuple(need.kind for need in self.needs.values() if need.required and not is_gathered(need.kind))

    def finding(self, seen: Seen) -> Finding:
        """The finding that reports what was seen."""
        return Finding(
            code=self.code,
            severity=seen.severity or self.severity,
            title=seen.title or self.title,
            where=seen.where,
            seen=seen.seen,
            why=self.why,
            fix=seen.fix or self.fix,
        )

    def page(self) -> str:
        """The page that ``goodmeasure explain`` prints."""
        body = inspect.cleandoc(self.check.__doc__ or "")
        page = f"# {self.code}: {self.title}\n\n{body}\n\n**Why it hurts.** {self.why}\n\n**Fix.** `{self.fix}`\n"
        return page + "".join(f"\n**It never runs.** It asks for {kind}, and nobody gathers that.\n" for kind in self.unknown)


def rule(
    code: str, severity: Severity, title: str, *, why: str, fix: str, follows: tuple[str, ...] = ()
) -> Callable[[Check], Rule]:
    """Make a rule of a check function; its docstring becomes the page.

    Where what it sees ``follows`` from findings of these codes, they are reported in its place.

    Error: GM009 for a severity that there is not.
    """
    if severity not in SEVERITIES:
        close = nearest(str(severity), SEVERITIES) or ["warning"]
        what = f"the rule {code} has no severity that there is"
        raise UsageError(what, seen=f"{shorter(severity)}, and there are {', '.join(SEVERITIES)}", fix=f'"{close[0]}"')

    def make(check: Check) -> Rule:
        return Rule(code, severity, title, why, fix, check, follows)

    return make


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule there is, by code."""
    rules = importlib.import_module(f"{__package__}.rules")
    found = gathered(rules, RULES, _defined, "two rules have the code", Rule.page)
    return tuple(found[code] for code in sorted(found))


def _defined(module: ModuleType) -> Iterator[tuple[str, Rule]]:
    """The rules that a module holds, by code."""
    return ((value.code, value) for value in vars(module).values() if isinstance(value, Rule))


def pages() -> dict[str, str]:
    """The page of every code, for ``goodmeasure explain``."""
    return {one.code: one.page() for one in all_rules()}
