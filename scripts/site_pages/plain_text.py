"""The site as plain text, for whoever reads without a browser: llms.txt lists the pages, llms-full.txt holds them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from site_pages.navigation import Section, title

HEAD = """# goodmeasure

> Says what good means in one formula, and derives the loss, its signal, its kernels, its audit and its decisions from it.
> A library of Python and a command line: meaning -> activation -> loss -> signal -> training -> risk -> decision.
"""
_FIGURE = re.compile(r"<(figure|div)\b.*?</\1>", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->\n*", re.DOTALL)


def files(sections: tuple[Section, ...], pages: Mapping[str, str]) -> dict[str, str]:
    """Both texts by their place in the site."""
    return {"llms.txt": "\n".join(_index(sections, pages)), "llms-full.txt": "\n\n".join(_whole(sections, pages))}


def _index(sections: tuple[Section, ...], pages: Mapping[str, str]) -> Iterator[str]:
    yield HEAD
    yield "[Everything in one text](llms-full.txt)\n"
    for section in sections:
        yield f"## {section.name}\n"
        for place in section.pages:
            said = _first_sentence(pages[place])
            link = PurePosixPath(place).with_suffix(".html")
            yield f"- [{title(pages[place])}]({link})" + (f": {said}" if said else "")
        yield ""


def _whole(sections: tuple[Section, ...], pages: Mapping[str, str]) -> Iterator[str]:
    yield HEAD
    for section in sections:
        for place in section.pages:
            yield f"<!-- {place} -->\n\n{_plain(pages[place])}"
    yield ""


def _plain(page: str) -> str:
    return _COMMENT.sub("", _FIGURE.sub("", page)).strip()


def _first_sentence(page: str) -> str:
    """The first sentence of a page that is prose."""
    for paragraph in _plain(page).split("\n\n")[1:]:
        if re.match(r"[A-Z`]\w*", paragraph):
            said = " ".join(paragraph.split()).replace("](", "] (")
            plain = re.sub(r"\[([^\]]*)\] \([^)]*\)", r"\1", said)
            return re.split(r"(?<=[.?])(?<!al\.)\s", plain)[0].rstrip(":")
    return ""
