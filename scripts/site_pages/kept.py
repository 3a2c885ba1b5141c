"""Pages that are kept in the repository, with their links as the site needs them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from os.path import relpath
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent.parent
# Pages that stand outside docs/, with their place in the site.
_OUTSIDE = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`[^`\n]+`)")
_FINDING = re.compile(r"\bGM\d{3}\b")


def sources() -> dict[str, Path]:
    """The kept pages: their place in the site, and their file."""
    inside = {path.relative_to(ROOT / "docs").as_posix(): path for path in sorted((ROOT / "docs").rglob("*.md"))}
    return {**{place: ROOT / file for file, place in _OUTSIDE.items()}, **inside}


def files() -> dict[str, Path]:
    """What pages show and link that is no page: pictures and schemas."""
    found = (
        path for path in sorted((ROOT / "docs").rglob("*")) if path.is_file() and path.suffix not in (".md", ".py")
    )
    return {path.relative_to(ROOT / "docs").as_posix(): path for path in found}


def pages(codes: Mapping[str, str]) -> dict[str, str]:
    """The kept pages as the site shows them; ``codes`` are the pages of errors and findings by their code."""
    places = {path: place for place, path in {**sources(), **files()}.items()}
    places[ROOT / "docs" / "decisions"] = "decisions/index.md"
    return {place: _told(path, place, places, codes) for place, path in sources().items()}


def outside_fences(text: str, changed: Callable[[str], str]) -> str:
    """A page in which everything but its blocks of code is changed."""
    return "".join(part if part.startswith("```") else changed(part) for part in _FENCE.split(text))


def _told(path: Path, place: str, places: Mapping[Path, str], codes: Mapping[str, str]) -> str:
    def moved(found: re.Match[str]) -> str:
        return _moved(found, path, place, places)

    def changed(part: str) -> str:
        return _coded(_LINK.sub(moved, part), place, codes)

    return outside_fences(path.read_text(encoding="utf-8"), changed)


def _moved(found: re.Match[str], path: Path, place: str, places: Mapping[Path, str]) -> str:
    """A link from one file to another as one from page to page; what the site does not show is named without a link."""
    picture, said, target = found.groups()
    if re.match(r"\w+:|#", target):
        return found[0]
    file, _, anchor = target.partition("#")
    aim = places.get((path.parent / file).resolve())
    if aim is None:
        return said
    return f"{picture}[{said}]({between(place, aim)}{f'#{anchor}' if anchor else ''})"


def between(place: str, aim: str) -> str:
    """The way from one page of the site to another."""
    return relpath(aim, PurePosixPath(place).parent)


def _coded(part: str, place: str, codes: Mapping[str, str]) -> str:
    """A text in which the codes of errors and findings lead to what they mean."""

    def linked(found: re.Match[str]) -> str:
        aim = codes.get(found[0])
        return f"[{found[0]}]({between(place, aim)})" if aim and not aim.startswith(place) else found[0]

    lines = part.split("\n")
    for k, line in enumerate(lines):
        if not line.startswith(("#", "    ")) and "](" not in line:
            lines[k] = "".join(p if p.startswith("`") else _FINDING.sub(linked, p) for p in _CODE.split(line))
    return "\n".join(lines)
