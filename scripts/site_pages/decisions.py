"""The page that lists the decisions."""

from __future__ import annotations

from site_pages.kept import ROOT
from site_pages.navigation import title


def pages() -> dict[str, str]:
    """The list, in the order in which they were made."""
    found = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    lines = [f"- [{title(path.read_text(encoding='utf-8'))}]({path.name})" for path in found]
    return {"decisions/index.md": "\n".join(["# Decisions", "", "Why it is built as it is.", "", *lines, ""])}
