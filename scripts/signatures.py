"""The types of the losses for editors, src/goodmeasure/losses/signatures.pyi, from the catalogue."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent, wrap

from goodmeasure import losses
from goodmeasure.making.definition import Definition

PAGE = Path(__file__).resolve().parent.parent / "src" / "goodmeasure" / "losses" / "signatures.pyi"
HEAD = '''\
"""What `goodmeasure.losses` holds, for editors and type checkers.

Made by make pages: change the losses, not this file.
"""

from collections.abc import Sequence

from goodmeasure.making.loss import Loss'''


def page() -> str:
    """The stub."""
    return "\n\n".join(parts()) + "\n"


def parts() -> Iterator[str]:
    """The parts of the stub: every factory as a function, and after it the names that people call it by."""
    yield HEAD
    for definition in losses.catalogue().values():
        yield factory(definition)
        also = dict.fromkeys(definition.facts.also, "") | dict(definition.facts.nearly)
        names = sorted(name for name in also if name.isidentifier() and not keyword.iskeyword(name))
        if names:
            yield "\n".join(line for name in names for line in alias(name, definition.name, also[name]))


def alias(name: str, of: str, how: str) -> Iterator[str]:
    """Another name of a factory, and above it how what it means differs."""
    yield from (f"# {line}" for line in wrap(f"{name}: {how}" if how else "", 115))
    yield f"{name} = {of}"


def factory(definition: Definition) -> str:
    """A factory as a function without a body: its own signature and its own docstring."""
    signature = (
        str(inspect.signature(definition)).replace("collections.abc.", "").replace("goodmeasure.making.loss.", "")
    )
    page = indent(definition.page(), "    ").strip()
    if len(signature) + len(definition.name) > 114:
        signature = signature.replace("(", "(\n    ", 1).replace(") -> Loss", "\n) -> Loss")
    return f'def {definition.name}{signature}:\n    """{page}\n    """'
