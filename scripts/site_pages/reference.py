"""The reference: everything public by the room of the package that it lives in, from its docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property, reduce
from importlib import import_module
from textwrap import dedent
from typing import Any

import architecture
from public_surface import Public, everything

import goodmeasure as gm

_WIDE = 100


def pages() -> dict[str, str]:
    """A page of each room that holds something public, in the order of the floors, and a list of it all."""
    held = {
        room: mine for room in architecture.floors() if (mine := [each for each in _known() if _room(each) == room])
    }
    made = {f"reference/{room}.md": "\n".join([*_lines(room, mine), ""]) for room, mine in held.items()}
    return {"reference/index.md": "\n".join([*_index(held), ""]), **made}


@cache
def _known() -> tuple[Public, ...]:
    return tuple(everything())


def _room(public: Public) -> str:
    return str(public.found.__module__).split(".")[1]


def _index(held: Mapping[str, list[Public]]) -> Iterator[str]:
    yield from ("# Reference", "", "Everything public, by the room of the package that it lives in.", "")
    yield from ("`gm.losses` are [the catalogue](../catalogue.md), `gm.words` [the words of formulas](words.md).", "")
    for room, mine in held.items():
        named = (f"[`{_called(each)}`]({room}.md#{_anchor(each)})" for each in mine if "." not in each.name)
        yield from (f"## [{room}]({room}.md)", "", f"{_said(room)}", "", ", ".join(named), "")
    yield from _domains()


def _domains() -> Iterator[str]:
    """What a target or a hyperparameter may be."""
    yield from ("## Domains", "", "What a target or a hyperparameter is, as annotations and `represents=` take it.", "")
    yield from ("| name | what |", "|---|---|")
    for name in dir(gm):
        if (held := domain(name)) is not None:
            yield f"| `gm.{name}` | {held} |"
    yield ""


def domain(name: str) -> Any:
    """The domain that a public name stands for, if it does."""
    return next(iter(getattr(getattr(gm, name), "__metadata__", ())), None)


def _said(room: str) -> str:
    """What a room says of itself, in a sentence."""
    return (inspect.getdoc(import_module(f"goodmeasure.{room}")) or "").split("\n\n")[0].replace("\n", " ")


def _lines(room: str, mine: list[Public]) -> Iterator[str]:
    yield from (f"# {room}", "", _said(room), "")
    for public in mine:
        yield from section(public)


def section(public: Public) -> Iterator[str]:
    """What is said of a function, a class, a method or a property."""
    level = "###" if "." in public.name else "##"
    yield from (f"{level} {_called(public)} {{ #{_anchor(public)} }}", "")
    signature = _signature(public)
    yield from (("```python", signature, "```", "") if signature else ())
    for heading, told in public.parts.items():
        yield from ((f"**{heading}**", "") if heading else ())
        yield from _told(public, heading, told)


def _called(public: Public) -> str:
    return f"gm.{public.name}" if public.name in _at_the_root() else public.name


@cache
def _at_the_root() -> frozenset[str]:
    """The public names of the package; what is installed is asked once."""
    return frozenset(dir(gm))


def _anchor(public: Public) -> str:
    return public.name


def _told(public: Public, heading: str, told: str) -> Iterator[str]:
    """A part of a docstring: examples and formulas as code, entries as a list, the rest as prose."""
    if heading in ("Example", "Formula"):
        yield from (f"```{'pycon' if heading == 'Example' else 'text'}", dedent(told).strip("\n"), "```", "")
    elif entries := public.entries(heading) if heading in ("Args", "Attributes", "Raises") else {}:
        yield from (f"- `{name}`: {_prose(' '.join(said.split()))}" for name, said in entries.items())
        yield ""
    else:
        yield from (_prose(dedent(told)).strip(), "")


def _prose(text: str) -> str:
    return text.replace("``", "`")


def _signature(public: Public) -> str:
    """How it is called or read, with its annotations as they are written."""
    found = public.found
    if isinstance(found, type) and not public.takes:
        return ""
    name = public.name.split(".")[-1] if "." in public.name else _called(public)
    signature = inspect.signature(found)
    if _is_property(found):
        return f"{name}: {signature.return_annotation}".replace("goodmeasure.", "")
    kept = [each for each in signature.parameters.values() if each.name != "self"]
    return _wrapped(name, str(signature.replace(parameters=kept)))


def _is_property(found: Any) -> bool:
    """Whether a function is read without being called."""
    *holder, name = found.__qualname__.split(".")
    if not holder or isinstance(found, type):
        return False
    home = reduce(getattr, holder, import_module(found.__module__))
    return isinstance(inspect.getattr_static(home, name), property | cached_property)


def _wrapped(name: str, signature: str) -> str:
    """A call that is longer than a line, a parameter a line; annotations stand without their quotes."""
    call = name + re.sub(r"(: |-> )'([^']*)'", r"\1\2", signature.replace("goodmeasure.", ""))
    if len(call) <= _WIDE:
        return call
    inside, _, result = call.partition("(")[2].rpartition(")")
    return "\n".join([f"{name}(", *(f"    {part}," for part in _split(inside)), f"){result}"])


def _split(parameters: str) -> list[str]:
    """Parameters apart, at the commas that stand in no bracket."""
    found, depth = [""], 0
    for letter in parameters:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    return [part.strip() for part in found]
