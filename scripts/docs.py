"""Makes every page that is generated and kept; ``make pages`` runs it, and ``make docs`` makes the site of them.

    python scripts/docs.py                  # all of them
    python scripts/docs.py catalogue        # the page of one maker
    python scripts/docs.py --check          # writes nothing, and fails if a page is not what would be written

A maker is a module of this folder with a ``PAGE``, the file that it makes, and a ``page()``, its text; one of many pages has
``pages()`` by file and their ``folder()`` too, in which nothing else may stand. Pages that take long are not made here:
``make bench`` measures docs/performance.md, scripts/nightly_risk.py simulates docs/risk_coverage.md, scripts/recover.py searches
for what stands in docs/probabilities.md, and scripts/comparing_pytensor.py asks a package that needs an environment of its own.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# One row a page, in the order in which they are made: a page may be made of those before it.
MAKERS = (
    "architecture",
    "audit_findings",
    "audit_scripts",
    "audit_page",
    "catalogue",
    "claims",
    "comparing_signals",
    "hosts",
    "not_here",
    "schema",
    "signatures",
)
# What takes long, or names versions: whether these pages are current is seen by tests/test_audit.py, test_audit_scripts.py and
# test_conformance.py.
RUNS_PROGRAMS = frozenset({"audit_findings", "audit_scripts", "comparing_signals", "hosts"})


def stale(names: Sequence[str]) -> Iterator[tuple[Path, str | None]]:
    """The pages that are not what their makers would write, with what they would; None where nothing makes them any more."""
    for name in names:
        maker = import_module(name)
        made = maker.pages() if hasattr(maker, "pages") else {maker.PAGE: maker.page()}
        same = getattr(maker, "same", str.__eq__)
        for page, text in made.items():
            if not page.exists() or not same(page.read_text(encoding="utf-8"), text):
                yield page, text
        kept = maker.folder().glob("*") if hasattr(maker, "folder") else ()
        yield from ((page, None) for page in kept if page not in made)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = ArgumentParser(description="Make the generated pages.")
    parser.add_argument("makers", nargs="*", help=f"which of {', '.join(MAKERS)}; without one, all of them")
    parser.add_argument("--check", action="store_true", help="only say which pages differ")
    asked = parser.parse_args(arguments)
    for unknown in set(asked.makers) - set(MAKERS):
        parser.error(f"nothing is made by {unknown}: there are {', '.join(MAKERS)}")
    found = 0
    for page, text in stale(asked.makers or MAKERS):
        found += 1
        if not asked.check:
            _write(page, text)
        done = "is written" if text is not None else "is gone"
        print(f"{page.relative_to(ROOT)} {'is out of date: run make pages' if asked.check else done}")
    return int(asked.check and found > 0)


def _write(page: Path, text: str | None) -> None:
    if text is None:
        page.unlink()
    else:
        page.parent.mkdir(exist_ok=True)
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    # The tree that this script stands in, whatever is installed.
    sys.path.insert(0, str(ROOT / "src"))
    sys.exit(main())
