"""Write docs/risk_coverage.md: the simulations that are too slow for the tests, beside what theory says.

    python scripts/nightly_risk.py                 # every section
    python scripts/nightly_risk.py intervals       # those of scripts/simulations/intervals.py; the others stay

A module of ``simulations`` holds its sections in ``SECTIONS``; there is no other list.
"""

from __future__ import annotations

import pkgutil
import re
import sys
import time
from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path

import simulations
from simulations import words
from simulations.sections import Section

PAGE = Path(__file__).resolve().parent.parent / "docs" / "risk_coverage.md"
HEAD = """# What intervals cover, and how often words are false

"Falsely" is the share of tables of which a word is said that is not true of them, "missed" the share of those of which it is true
and not said. Written by `scripts/nightly_risk.py`, which takes too long for `make pages`. Published figures are cited in
`docs/risk.md`.
"""


def subjects() -> dict[str, tuple[Section, ...]]:
    """The sections of every module of the folder, by its name."""
    modules = {
        each.name: import_module(f"simulations.{each.name}") for each in pkgutil.iter_modules(simulations.__path__)
    }
    return {name: module.SECTIONS for name, module in modules.items() if hasattr(module, "SECTIONS")}


def written() -> dict[str, str]:
    """The sections that the page holds, by title."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    return {part.splitlines()[0].removeprefix("## "): part.rstrip() + "\n" for part in parts}


def main() -> None:
    known = subjects()
    parser = ArgumentParser(description="Simulate, and write the page.")
    parser.add_argument("subjects", nargs="*", help=f"which of {', '.join(known)}; without one, all of them")
    asked = parser.parse_args().subjects or list(known)
    for unknown in set(asked) - set(known):
        parser.error(f"no simulations of {unknown}: there are {', '.join(known)}")
    held = written()
    for name in asked:
        for section in known[name]:
            start = time.time()
            held[section.title] = section.text()
            print(held[section.title], f"{time.time() - start:.0f} s", sep="\n", file=sys.stderr, flush=True)
    titles = [section.title for sections in known.values() for section in sections]
    sections = (held[title] for title in titles if title in held)
    PAGE.write_text("\n".join([HEAD, words.table(titles), *sections]), encoding="utf-8")


if __name__ == "__main__":
    main()
