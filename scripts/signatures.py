"""The types of the losses for editors, src/goodmeasure/losses/signatures.pyi, from the catalogue."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

from goodmeasure import losses
from goodmeasure.making.definition import Definition

PAGE = Path(__file__).resolve().parent.parent / "src" / "goodmeasure" / "losses" / "signatures.pyi"
HEAD = '''\
"""What `goodmeasure.losses` holds, for editors and type checkers.

Made by make docs: change the losses, not this file.
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
        also = dict.fromkeys(definition.facts.also, "") | {name: f"  # {how}" for name, how in definition.facts.nearly}
        names = sorted(name for name in also if name.isidentifier() and not keyword.iskeyword(name))
        if names:
            yield "\n".join(f"{name} = {definition.name}{also[name]}" for name in names)


def factory(definition: Definition) -> str:
    """A factory as a function without a body: its own signature and its own docstring."""
    signature = (
        str(inspect.signature(definition)).replace("collections.abc.", "").replace("goodmeasure.making.loss.", "")
    )
    page = indent(definition.page(), "    ").strip()
    return f'def {definition.name}{signature}:\n    """{page}\n    """'
