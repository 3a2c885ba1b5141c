"""Write the types of the losses for editors, src/goodmeasure/losses/signatures.pyi, from the catalogue.

Run ``python scripts/signatures.py``, or with ``--check`` to fail where the file differs.
"""

from __future__ import annotations

import inspect
import keyword
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

from goodmeasure import losses
from goodmeasure.loss.definition import Definition

STUB = Path(losses.__file__).with_name("signatures.pyi")
HEAD = '''\
"""What `goodmeasure.losses` holds, for editors and type checkers.

Written by scripts/signatures.py: change the losses, not this file.
"""

from collections.abc import Sequence

from goodmeasure.loss.loss import Loss'''


def stub() -> Iterator[str]:
    """The parts of the file: every factory as a function, and after it the names that people call it by."""
    yield HEAD
    for definition in losses.catalogue().values():
        yield factory(definition)
        also = sorted(name for name in definition.facts.also if name.isidentifier() and not keyword.iskeyword(name))
        if also:
            yield "\n".join(f"{name} = {definition.name}" for name in also)


def factory(definition: Definition) -> str:
    """A factory as a function without a body: its own signature and its own docstring."""
    signature = str(inspect.signature(definition)).replace("collections.abc.", "").replace("goodmeasure.loss.loss.", "")
    page = indent(definition.page(), "    ").strip()
    return f'def {definition.name}{signature}:\n    """{page}\n    """'


def main() -> int:
    """Write the stub, or say with exit status 1 that it is not what would be written."""
    text = "\n\n".join(stub()) + "\n"
    if "--check" in sys.argv[1:]:
        same = STUB.exists() and STUB.read_text(encoding="utf-8") == text
        print("the stub of the losses is current" if same else "the stub of the losses is out of date: run make docs")
        return 0 if same else 1
    STUB.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
