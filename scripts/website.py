"""Builds the site of the documentation, offline; ``make docs`` runs it.

    python scripts/website.py              # into the folder site
    python scripts/website.py --out FOLDER

What is kept in docs/ and what is made of the catalogue, the rules and the docstrings is put together as Markdown in a temporary
folder, and Zensical makes pages of it there; a warning of it, such as a link to a page that is not there, is an error.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The tree that this script stands in, whatever is installed.
sys.path.insert(0, str(ROOT / "src"))

from site_pages.stand_ins import stand_in  # noqa: E402

stand_in()

from site_pages import decisions, kept, lab, losses, mathematics, meanings, plain_text, reference, rules, settings  # noqa: E402
from site_pages.navigation import Section, sections  # noqa: E402


@dataclass(frozen=True)
class Site:
    """Everything that a site is made of: Markdown and files by their place, and the order of the pages."""

    pages: Mapping[str, str]
    files: Mapping[str, bytes]
    sections: tuple[Section, ...]


def gathered() -> Site:
    """The pages of the site before they are built."""
    codes = {**rules.codes(), **meanings.codes()}
    pages = lab.embedded(losses.illustrated(kept.pages(codes)))
    for made in (decisions, lab, meanings, reference, rules):
        pages |= made.pages()
    order = sections(pages)
    files = {place: path.read_bytes() for place, path in kept.files().items()}
    files |= settings.assets() | lab.files()
    files |= {place: text.encode() for place, text in plain_text.files(order, pages).items()}
    return Site(pages, files, order)


def written(site: Site, folder: Path) -> None:
    """The sources of the builder, in a folder."""
    for place, text in site.pages.items():
        _write(folder / "docs" / place, mathematics.drawn(text).encode())
    for place, held in site.files.items():
        _write(folder / "docs" / place, held)
    _write(folder / "zensical.toml", settings.configuration(site.sections, site.pages).encode())


def build(out: Path) -> Site:
    """Build the site into a folder, in place of what stood there; the folder is whole or as it was."""
    site = gathered()
    with tempfile.TemporaryDirectory() as place:
        written(site, Path(place))
        command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr))
        _from_anywhere(Path(place) / "site" / "404.html")
        if out.exists():
            shutil.rmtree(out)
        shutil.move(Path(place) / "site", out)
    return site


def _from_anywhere(page: Path) -> None:
    """Let the page for what is not there find its files where the site is no host's root: in a folder, or opened as a file."""
    text = page.read_text(encoding="utf-8")
    # Links and files in its tags, and the places that its settings give to scripts.
    page.write_text(re.sub(r'([=:])"/(?!/)', r'\1"./', text), encoding="utf-8")


def _write(path: Path, held: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(held)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = ArgumentParser(description="Build the site of the documentation.")
    parser.add_argument("--out", type=Path, default=ROOT / "site", help="the folder that the site is built into")
    out = parser.parse_args(arguments).out
    build(out)
    print(f"wrote {out}\nnext: open {out / 'index.html'}")


if __name__ == "__main__":
    main()
