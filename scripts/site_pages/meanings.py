"""Pages of what words and codes mean: the glossary, the words of formulas, and every error."""

from __future__ import annotations

import re
from collections.abc import Iterator

from goodmeasure.cli.explain import _word, page, topics
from goodmeasure.explaining import page as book
from goodmeasure.formulas.words import vocabulary


def pages() -> dict[str, str]:
    """The three pages."""
    made = {"glossary.md": _glossary(), "errors.md": _errors(), "reference/words.md": _words()}
    return {place: "\n".join([*lines, ""]) for place, lines in made.items()}


def codes() -> dict[str, str]:
    """The place of each error on its page."""
    return {code: f"errors.md#{code.lower()}" for code in _codes()}


def _codes() -> list[str]:
    """The codes of errors: those whose page is no finding."""
    return [topic for topic in topics() if re.fullmatch(r"GM\d+", topic) and not page(topic).startswith("#")]


def _glossary() -> Iterator[str]:
    yield from (
        "# Words",
        "",
        "What the words of the field mean, each with a number that is computed when it is shown:",
    )
    yield from ("`goodmeasure explain WORD` prints the same.", "")
    for name in book.book():
        first, *rest = page(name).splitlines()
        yield from (f"## {first}", "", "```text", *(line.removeprefix("  ") for line in _within(rest)), "```", "")


def _words() -> Iterator[str]:
    yield from (
        "# Words of formulas",
        "",
        "What a formula can be made of, with how each is computed and differentiated.",
        "",
    )
    yield from (
        "`from goodmeasure.words import log1p` brings one; `goodmeasure explain log1p` prints what stands here.",
        "",
    )
    for name, word in vocabulary().items():
        yield from (f"## {name}", "", "```text", _word(word), "```", "")


def _within(lines: list[str]) -> list[str]:
    """Lines without the empty ones at both ends."""
    return "\n".join(lines).strip("\n").splitlines()


def _errors() -> Iterator[str]:
    yield from ("# Errors", "")
    yield "An error says what happened, where, what was seen, and one line that mends it."
    yield "`goodmeasure explain CODE` prints what stands here; findings of the audit have [pages of their own](audit.md)."
    yield ""
    for code in _codes():
        title, _, told = page(code).partition("\n\n")
        yield from (f"## {code} {{ #{code.lower()} }}", "", f"`{title.removeprefix(code).strip()}`", "")
        yield from (told.replace("``", "`"), "")
