"""What the builder is told: the theme, the order of the pages, and that nothing is fetched from anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from goodmeasure.drawing.palette import palette
from site_pages.navigation import Section, title

_ASSETS = Path(__file__).parent / "assets"
_FIXED = (Path(__file__).parent / "zensical.toml").read_text(encoding="utf-8")


# The schemes of the builder, in the order in which the palette has its colours: light, then dark.
_SCHEMES = ("default", "slate")


def assets() -> dict[str, bytes]:
    """Files of the theme by their place in the site."""
    written = {f"assets/{path.name}": path.read_bytes() for path in sorted(_ASSETS.iterdir())}
    return written | {"assets/colours.css": _colours().encode()}


def _colours() -> str:
    """The colours of pictures by their roles, as reports have them, in the scheme that the reader chose."""
    blocks = re.findall(r":root \{(.*?)\}", palette(), re.DOTALL)
    return "".join(
        f'[data-md-color-scheme="{scheme}"] {{{block}}}\n' for scheme, block in zip(_SCHEMES, blocks, strict=False)
    )


def configuration(sections: tuple[Section, ...], pages: Mapping[str, str]) -> str:
    """The file of settings."""
    rows = [f"  {{ {json.dumps(section.name)} = {_listed(section, pages)} }}," for section in sections]
    return _FIXED.replace("NAVIGATION", "\n".join(["[", *rows, "]"]))


def _listed(section: Section, pages: Mapping[str, str]) -> str:
    """The pages of a section by their titles, as TOML has them on one line."""
    named = (
        f"{{ {json.dumps(title(pages[place]), ensure_ascii=False)} = {json.dumps(place)} }}" for place in section.pages
    )
    return f"[{', '.join(named)}]"
