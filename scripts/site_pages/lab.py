"""The pages of the lab, each in a page of the site: the file that ``goodmeasure lab --export`` writes, in a frame."""

from __future__ import annotations

from functools import cache

from goodmeasure.lab.document import document
from goodmeasure.lab.page import LabPage, lab_pages


def pages() -> dict[str, str]:
    """A page of the site for each page of the lab."""
    return {f"lab/{page.number:02}-{page.name}.md": _told(page) for page in lab_pages()}


@cache
def files() -> dict[str, bytes]:
    """The pages themselves, which need nothing else."""
    return {f"lab/pages/{page.name}.html": document([page]).encode() for page in lab_pages()}


def _told(page: LabPage) -> str:
    frame = f'<iframe class="lab" src="pages/{page.name}.html" title="{page.title}"></iframe>'
    alone = f"[By itself](pages/{page.name}.html), or `goodmeasure lab --page {page.number}`."
    return f"# {page.number}. {page.title}\n\n{alone}\n\n{frame}\n\n[What the lab is, and how to teach with it](../lab.md)\n"
