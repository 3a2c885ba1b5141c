"""Everything public: what the facade names, what that hands out, and the members of those classes, with their docstrings."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import os
import re
from collections.abc import Callable, Iterator
from functools import cached_property, reduce
from textwrap import dedent
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import goodmeasure as gm
from goodmeasure.errors import Problem

SECTIONS = ("Formula", "Args", "Attributes", "Returns", "Raises", "Source", "Example")


@dataclasses.dataclass(frozen=True)
class Public:
    """A public function, class, method or property, and the function or class behind it."""

    name: str
    found: Any
    page: str

    @property
    def parts(self) -> dict[str, str]:
        """The page by heading; what comes before the first heading has none."""
        first, *rest = re.split(rf"^({'|'.join(SECTIONS)}):\n", self.page, flags=re.MULTILINE)
        return {"": first, **dict(zip(rest[::2], rest[1::2], strict=True))}

    def entries(self, section: str) -> dict[str, str]:
        """What a section says by name; names that share an entry are told apart by commas."""
        found: dict[str, str] = {}
        for entry in re.split(r"^    (?=\S)", self.parts.get(section, ""), flags=re.MULTILINE)[1:]:
            names, _, told = entry.partition(":")
            found |= dict.fromkeys((name.strip().lstrip("*") for name in names.split(",")), told.strip())
        return found

    @property
    def errors(self) -> set[str]:
        """What it says that it raises, code by code: "GM201 to GM203" are three."""
        spans = [name.split(" to ") for name in self.entries("Raises")]
        codes = {f"GM{n:03}" for span in spans if span[1:] for n in range(int(span[0][2:]), int(span[1][2:]) + 1)}
        return codes | {first for first, *rest in spans if not rest}

    @property
    def takes(self) -> dict[str, str]:
        """Its parameters with their annotations."""
        if inspect.isclass(self.found) and not _has_a_constructor(self.found):
            return {}
        signature = inspect.signature(self.found.__init__ if inspect.isclass(self.found) else self.found)
        return {p.name: str(p.annotation) for p in signature.parameters.values() if p.name not in ("self", "cls")}

    def raises(self) -> set[str]:
        """The codes of the errors that it raises by itself, not through others; of a class, when it is made or used."""
        own = _special_methods(self.found) if inspect.isclass(self.found) else [self.found]
        return {code for function in own for code in _raised(function)}


def _has_a_constructor(kind: type) -> bool:
    """Whether it is made with parameters of its own, rather than with its fields."""
    own = [base for base in kind.__mro__ if base.__module__.startswith("goodmeasure")]
    return not dataclasses.is_dataclass(kind) and any("__init__" in vars(base) for base in own)


def _special_methods(kind: type) -> list[Callable[..., Any]]:
    """Those that are written in its file (dataclasses make others) and have no entry of their own."""
    special = {name: each for name, each in vars(kind).items() if name.startswith("__") and name != "__call__"}
    written = [inspect.unwrap(each) for each in special.values() if inspect.isfunction(each)]
    return [each for each in written if each.__code__.co_filename == inspect.getfile(kind)]


def _behind(member: Any) -> Any:
    """The function behind a property, a static method, or a method that is there under a condition."""
    if isinstance(member, property):
        return member.fget
    if isinstance(member, cached_property):
        return member.func
    return inspect.unwrap(getattr(member, "__func__", getattr(member, "fn", member)))


def _raised(function: Callable[..., Any]) -> Iterator[str]:
    for node in ast.walk(ast.parse(dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            kind = _named(ast.unparse(node.exc.func), function)
            if inspect.isclass(kind) and issubclass(kind, Problem):
                yield kind.code


def _named(name: str, function: Callable[..., Any]) -> Any:
    """What a dotted name means where a function is written; None if it means nothing there."""
    first, *rest = name.split(".")
    return reduce(lambda found, part: getattr(found, part, None), rest, function.__globals__.get(first))


def _handed_out(function: Callable[..., Any]) -> Iterator[type]:
    """The classes of goodmeasure that a function's return annotation names; a decorator hands out no result."""
    told = re.sub(r"Callable\[.*\]", "", str(inspect.unwrap(function).__annotations__.get("return", "")))
    for name in re.findall(r"[\w.]+", told):
        kind = _named(name, inspect.unwrap(function))
        if inspect.isclass(kind) and kind.__module__.startswith("goodmeasure") and not issubclass(kind, Problem):
            yield kind


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties of a class, those that it inherits from others of goodmeasure included."""
    for base in kind.__mro__:
        if base.__module__.startswith("goodmeasure"):
            for name, member in vars(base).items():
                if inspect.isfunction(_behind(member)) and (name == "__call__" or not name.startswith("_")):
                    yield name, member


def _known(name: str, found: Any) -> dict[Any, Public]:
    """A function by itself; a class with its members, each under the function behind it."""
    if inspect.isfunction(found):
        return {found: Public(name, found, inspect.getdoc(found) or "")}
    known = {found: Public(found.__name__, found, inspect.cleandoc(found.__doc__ or ""))}
    for member, held in _members(found):
        told = inspect.getdoc(getattr(found, member)) or inspect.getdoc(_behind(held)) or ""
        known.setdefault(_behind(held), Public(f"{found.__name__}.{member}", _behind(held), told))
    return known


def everything() -> list[Public]:
    """What the facade names, what that hands out, and the members of those classes: each once."""
    known: dict[Any, Public] = {}
    waiting = [(name, getattr(gm, name)) for name in dir(gm)]
    for name, held in waiting:
        found = inspect.unwrap(held) if inspect.isfunction(held) else held
        if found not in known and (inspect.isclass(found) or inspect.isfunction(found)):
            new = _known(name, found)
            known = new | known
            waiting += [
                (kind.__name__, kind) for each in new if not inspect.isclass(each) for kind in _handed_out(each)
            ]
    return sorted(known.values(), key=lambda each: each.name)
