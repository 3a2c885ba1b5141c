"""The site as plain text, for whoever reads without a browser: llms.txt lists the pages, llms-full.txt holds them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from public_surface import everything

import goodmeasure as gm
from goodmeasure import losses
from site_pages import reference
from site_pages.navigation import Section, title

HEAD = """# goodmeasure

> Says what good means in one formula, and derives the loss, its signal, its kernels, its audit and its decisions from it.
> A library of Python and a command line: meaning -> activation -> loss -> signal -> training -> risk -> decision.
"""
_FIGURE = re.compile(r"<(figure|div)\b.*?</\1>", re.DOTALL)
_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
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
    yield "## Names\n"
    yield from (f"- `{name}`: {sentence}" for name, sentence in names().items())


def names() -> dict[str, str]:
    """Everything public with one sentence: what the package names, what that hands out, and every loss."""
    told = {public.name: public.page for public in everything() if "." not in public.name}
    told |= {name: inspect.getdoc(found) or "" for name in dir(gm) if inspect.ismodule(found := getattr(gm, name))}
    told |= {name: str(domain) for name in dir(gm) if (domain := reference.domain(name)) is not None}
    told |= {"threads": inspect.getdoc(type(gm).threads) or "", "__version__": "The version of the package."}
    sentences = {f"gm.{name}" if name in dir(gm) else name: _sentence(page) for name, page in sorted(told.items())}
    return sentences | {f"gm.losses.{name}": loss.facts.sentence for name, loss in losses.catalogue().items()}


def _sentence(page: str) -> str:
    """The first sentence of a docstring."""
    return re.split(r"(?<=[.?])\s", " ".join(page.split("\n\n")[0].split()))[0].replace("``", "`").rstrip(":")


def _whole(sections: tuple[Section, ...], pages: Mapping[str, str]) -> Iterator[str]:
    yield HEAD
    for section in sections:
        for place in section.pages:
            yield f"<!-- {place} -->\n\n{_plain(pages[place])}"
    yield ""


def _plain(page: str) -> str:
    """A page without pictures and tags; what code holds stays as it is."""
    text = _COMMENT.sub("", _FIGURE.sub("", page))
    return "".join(part if part.startswith("`") else _untagged(part) for part in _CODE.split(text)).strip()


def _untagged(prose: str) -> str:
    return _TAG.sub("", re.sub(r'<iframe [^>]*title="([^"]*)"[^>]*>', r"(In the lab: \1)", prose))


def _first_sentence(page: str) -> str:
    """The first sentence of a page that is prose."""
    for paragraph in _plain(page).split("\n\n")[1:]:
        if re.match(r"[A-Z`]\w*", paragraph):
            said = " ".join(paragraph.split()).replace("](", "] (")
            plain = re.sub(r"\[([^\]]*)\] \([^)]*\)", r"\1", said)
            return re.split(r"(?<=[.?])(?<!al\.)\s", plain)[0].rstrip(":")
    return ""
