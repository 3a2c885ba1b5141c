"""The pages of the lab, each in a page of the site: the file that ``goodmeasure lab --export`` writes, in a frame."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, partial

from goodmeasure.lab.document import document
from goodmeasure.lab.page import LabPage, lab_pages
from site_pages.kept import between

_MARK = re.compile(r"<!-- lab: (\w+) -->")


def pages() -> dict[str, str]:
    """A page of the site for each page of the lab."""
    return {_place(page): _told(page) for page in lab_pages()}


@cache
def files() -> dict[str, bytes]:
    """The pages themselves, which need nothing else."""
    return {f"lab/pages/{page.name}.html": document([page]).encode() for page in lab_pages()}


def embedded(pages: Mapping[str, str]) -> dict[str, str]:
    """Pages with the page of the lab that each names in its place: ``<!-- lab: signal -->``."""
    known = {page.name: page for page in lab_pages()}

    def framed(place: str, found: re.Match[str]) -> str:
        page = known[found[1]]
        aim = between(place, f"lab/pages/{page.name}.html")
        more = f"[{page.title}]({between(place, _place(page))})"
        return f'<iframe class="lab" loading="lazy" src="{aim}" title="{page.title}"></iframe>\n\n{more}'

    return {place: _MARK.sub(partial(framed, place), text) for place, text in pages.items()}


def _place(page: LabPage) -> str:
    return f"lab/{page.number:02}-{page.name}.md"


def _told(page: LabPage) -> str:
    frame = f'<iframe class="lab" src="pages/{page.name}.html" title="{page.title}"></iframe>'
    alone = f"[By itself](pages/{page.name}.html), or `goodmeasure lab --page {page.number}`."
    return f"# {page.number}. {page.title}\n\n{alone}\n\n{frame}\n\n[What the lab is, and how to teach with it](../lab.md)\n"
