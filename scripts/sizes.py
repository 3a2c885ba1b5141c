"""Measure what an installation weighs, beside its peers, and write it into docs/installation.md.

python scripts/sizes.py                  # everything: about ten minutes
python scripts/sizes.py core run,plot    # prints some of it, and writes nothing

An extra of another system weighs what that system does: these are not measured.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable

from environments import ROOT, between, environment, of_extras

PAGE = ROOT / "docs" / "installation.md"
PEERS = ("scikit-learn", "skore", "evidently")
CORE = "core"
OURS = (CORE, "run", "fast", "run,fast", "plot")
_LARGEST = 3


def row(name: str) -> str:
    """One row of the table, of an environment that is made for it."""
    wanted = (name,) if name in PEERS else of_extras(*([] if name == CORE else name.split(",")))
    with environment(*wanted) as made:
        sizes = made.packages
    largest = sorted(sizes, key=sizes.__getitem__, reverse=True)[:_LARGEST]
    told = ", ".join(f"{each} {sizes[each]:.0f}" for each in largest)
    return f"| {_shown(name)} | {sum(sizes.values()):.0f} | {len(sizes)} | {told} |"


def _shown(name: str) -> str:
    return name if name in PEERS else "the core" if name == CORE else f"`'goodmeasure[{name}]'`"


def table(names: Iterable[str]) -> Iterable[str]:
    """The table, line by line, as it is measured."""
    yield "| installed | MB | packages | the largest |"
    yield "|---|---|---|---|"
    yield from map(row, names)


def main(names: list[str]) -> None:
    """Measure, print, and write where all was measured."""
    lines = []
    for line in table(names or [*OURS, *PEERS]):
        print(line, flush=True)
        lines.append(line)
    if not names:
        told = f"MB are millions of bytes on disk, bytecode included. Python {platform.python_version()}, {platform.system()}."
        between(PAGE, "sizes.py", "\n".join([*lines, "", told]))


if __name__ == "__main__":
    main(sys.argv[1:])
