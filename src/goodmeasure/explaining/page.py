"""A page that explains a word: a sentence, a number that is computed when it is shown, a small picture, and a command."""

from __future__ import annotations

import pkgutil
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from inspect import cleandoc
from re import sub

from goodmeasure.explaining import pages as themes

# What stands in a command of a page for the reader's own table and columns.
PLACES = {
    "DATA.csv": "your table",
    "YES": "a target of yes and no",
    "CLASS": "a column of classes",
    "AMOUNT": "an amount to predict",
    "P": "a column of predictions",
    "Q": "those of another model",
    "Z": "a column of raw outputs",
    "PERSON": "what rows belong to",
}


@dataclass(frozen=True)
class Shown:
    """What a page computes: a sentence with its numbers, and the lines of a picture."""

    number: str
    picture: list[str]


@dataclass(frozen=True)
class Page:
    """A word of the field: what it means, what shows it, where it is from, and the command that shows it on own data.

    ``also`` are other names of it, and ``near`` words that a reader may want next.
    """

    name: str
    theme: str
    text: str
    shown: Callable[[], Shown] = field(repr=False)
    source: str
    command: str
    also: tuple[str, ...] = ()
    near: tuple[str, ...] = ()

    def told(self, width: int = 80) -> Iterator[str]:
        """The page, line by line."""
        found = self.shown()
        yield self.name
        for paragraph in (self.text, found.number):
            yield ""
            yield from _wrapped(paragraph, width, 2)
        yield ""
        yield from (f"  {line}" for line in found.picture)
        yield ""
        for label, text in (("source", self.source), ("near", ", ".join(self.near)), ("also", ", ".join(self.also))):
            if text:
                yield from _wrapped(f"{label:<8}{text}", width, 10)
        yield from _typed(self.command, width)
        places = [f"{place} {what}" for place, what in PLACES.items() if place in self.command.split()]
        yield from textwrap.wrap(
            f"({', '.join(places)})", width - 2, initial_indent=" " * 10, subsequent_indent=" " * 10
        )


def _wrapped(text: str, width: int, indent: int) -> list[str]:
    after = " " * indent
    return textwrap.wrap(text, width - 2, initial_indent="  ", subsequent_indent=after, break_on_hyphens=False)


def _typed(command: str, width: int) -> Iterator[str]:
    """A command in lines that a shell reads as one: what does not fit goes on after a backslash, before an option."""
    line = "  yours   "
    for part in command.replace(" --", "\n--").split("\n"):
        if len(line) + len(part) + 3 > width:
            yield f"{line}\\"
            line = " " * 12
        line += f"{part} "
    yield line.rstrip()


def page(
    source: str, command: str, *, name: str = "", also: tuple[str, ...] = (), near: tuple[str, ...] = ()
) -> Callable[[Callable[[], Shown]], Page]:
    """Make a page of a function: its name is the word, its docstring the meaning, its result what is shown."""

    def made(shown: Callable[[], Shown]) -> Page:
        theme = cleandoc(import_module(shown.__module__).__doc__ or "").splitlines()[0].rstrip(".")
        text = " ".join(cleandoc(shown.__doc__ or "").split())
        return Page(name or shown.__name__.replace("_", " "), theme, text, shown, source, command, also, near)

    return made


@cache
def book() -> dict[str, Page]:
    """Every page of the modules of `goodmeasure.explaining.pages` by its name, theme by theme."""
    modules = (import_module(f"{themes.__name__}.{module.name}") for module in pkgutil.iter_modules(themes.__path__))
    ordered = sorted(modules, key=lambda module: themes.ORDER.index(module.__name__.rpartition(".")[2]))
    return {found.name: found for module in ordered for found in vars(module).values() if isinstance(found, Page)}


@cache
def _names() -> dict[str, Page]:
    return {plain(name): found for found in book().values() for name in (found.name, *found.also)}


def find(topic: str) -> Page | None:
    """The page of a word, however it is spelled: case, hyphens, plurals, and -ise or -ize do not matter."""
    return _names().get(plain(topic))


def names() -> dict[str, str]:
    """Every name that leads to a page, with the name of the page."""
    return {name: found.name for found in book().values() for name in (found.name, *found.also)}


def plain(name: str) -> str:
    """A word as it is looked for."""
    found = sub("[^a-z0-9]", "", name.lower())
    found = found.replace("iz", "is").replace("our", "or").removeprefix("the")
    return found[:-1] if found.endswith("s") and not found.endswith("ss") else found
