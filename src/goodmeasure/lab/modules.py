"""Small modules of JavaScript as one script, so that a page is one file: each keeps a scope of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:const|function) (\w+))", re.MULTILINE)


@cache
def written() -> dict[str, str]:
    """The modules that are written by hand, by name."""
    folder = files("goodmeasure.lab") / "scripts"
    return {
        file.name.removesuffix(".js"): file.read_text(encoding="utf-8")
        for file in folder.iterdir()
        if file.name.endswith(".js")
    }


def joined(modules: Mapping[str, str], start: str) -> str:
    """The modules that one needs, and that one last."""
    order: dict[str, None] = {}

    def visit(name: str) -> None:
        for _, needed in _IMPORT.findall(modules[name]):
            visit(needed)
        order.setdefault(name)

    visit(start)
    return '"use strict";\n' + "".join(_scoped(name, modules[name]) for name in order)


def _scoped(name: str, text: str) -> str:
    """A module as a function that is called once: what it exports is what the function returns."""
    exported = ", ".join(_EXPORT.findall(text))
    body = _EXPORT.sub("", _IMPORT.sub(r"const { \1 } = module_\2;", text))
    return f"const module_{name} = (() => {{\n{body}return {{ {exported} }};\n}})();\n"
