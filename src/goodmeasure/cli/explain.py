"""What an error, a finding, a loss, a word or an idea means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from shutil import get_terminal_size

import click

from goodmeasure import losses
from goodmeasure.auditing.rule import pages as findings
from goodmeasure.errors import NoSuchLoss, Problem, UsageError, nearest, problems
from goodmeasure.explaining import page as pages
from goodmeasure.explaining.exercise import QUESTION, told
from goodmeasure.formulas.expression import Word, derivative, expression, symbol
from goodmeasure.formulas.latex import latex
from goodmeasure.formulas.words import vocabulary
from goodmeasure.strict.additions import LOSSES, RULES, blamed

_CODE = re.compile(r'^\s+code(?:: ClassVar\[str\])? = "(GM\d+)"', re.MULTILINE)


@click.command
@click.argument("topic", nargs=-1)
@click.option("--no-input", is_flag=True, help="Run the exercise without asking for a guess.")
def command(topic: tuple[str, ...], no_input: bool) -> int:
    """Explain a code (GM004), a loss (huber), a word of formulas (softplus) or of the field (log loss), offline.

    \b
    goodmeasure explain GM004
    goodmeasure explain log loss
    goodmeasure explain exercise
    """
    asked = " ".join(topic)
    if not asked:
        _contents()
    elif asked.lower() == "exercise":
        _exercise(no_input)
    else:
        click.echo(page(asked))
    return 0


def page(topic: str) -> str:
    """The page of a topic; the error names what comes close."""
    found = _code(topic.upper()) or _known(topic)
    if found is None:
        close = nearest(topic.lower(), list(dict.fromkeys(t.lower() for t in (*topics(), *pages.names()))))
        nothing = f"there is nothing to explain under {topic!r}"
        if close:
            raise UsageError(nothing, seen=f"close to it: {', '.join(close)}", fix=f"goodmeasure explain {close[0]}")
        lists_all = UsageError(nothing, seen="goodmeasure explain lists the topics", fix="goodmeasure explain")
        raise blamed(lists_all, LOSSES, RULES)
    return found


def topics() -> list[str]:
    """Every topic: codes, words of the field, losses, words of formulas, and the exercise."""
    return [*_codes(), *pages.book(), *losses.catalogue(), *vocabulary(), "exercise"]


def _codes() -> list[str]:
    """The codes of all errors and findings, those that other packages add included."""
    return sorted({*_homes(), *findings()})


@cache
def _homes() -> dict[str, str]:
    """Which module of the package defines the problem of each code, read from the sources: nothing heavy is imported."""
    package = Path(__file__).parent.parent
    found: dict[str, str] = {}
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package).with_suffix("").parts
        module = ".".join(("goodmeasure", *(p for p in parts if p != "__init__")))
        found.update(dict.fromkeys(_CODE.findall(file.read_text(encoding="utf-8")), module))
    return found


def _code(code: str) -> str | None:
    module = _homes().get(code)
    if module is not None:
        import_module(module)
        kinds: list[type[Problem]] = [Problem, *problems()]
        for kind in kinds:
            if kind.code == code:
                return f"{code} {kind.__name__}\n\n{cleandoc(kind.__doc__ or '')}"
    return findings().get(code)


def _known(topic: str) -> str | None:
    """The page of a word of the field, a loss, or a word of formulas; where a name is several, one after the other."""
    word = vocabulary().get(topic.lower())
    try:
        loss = losses.find(topic)
    except NoSuchLoss:
        loss = None
    found = pages.find(topic)
    if found is None:
        return str(loss().card()) if loss else _word(word) if word else None
    lines = [*found.told(_width()), *([f"  loss    goodmeasure losses {loss.name}"] if loss else [])]
    return "\n".join([*lines, *(["", _word(word)] if word else [])])


def _width() -> int:
    """How wide a page is printed: as the terminal, and no wider than reads well."""
    return min(max(get_terminal_size().columns, 40), 100)


def _word(word: Word) -> str:
    """A word of formulas: what it is in a book, in simpler words, and how it is differentiated."""
    args = [symbol(letter) for letter in ("x", "a", "b")[: len(word.partials)]]
    formula = word(*args)
    lines = [f"{formula}", f"  latex       {latex(formula)}"]
    if word.book is not None:
        lines.append(f"  in a book   {expression(word.book(*args))}")
    if word.meaning is not None:
        lines.append(f"  computed as {expression(word.meaning(*args))}")
    elif word.book is None:
        lines.append("  elementary: every language spells it")
    lines.append(f"  derivative  {derivative(formula, 'x')}")
    return "\n".join(lines)


def _contents() -> None:
    themes: dict[str, list[str]] = {}
    for name, found in pages.book().items():
        themes.setdefault(found.theme, []).append(name)
    rows = (
        *((theme, ", ".join(names)) for theme, names in themes.items()),
        ("Losses", ", ".join(losses.catalogue())),
        ("Words of formulas", ", ".join(vocabulary())),
        ("Codes", ", ".join(_codes())),
        ("Exercise", "why cross-entropy and not the count of wrong answers? (five minutes)"),
    )
    for name, text in rows:
        click.echo(f"{name}\n{click.wrap_text(text, width=_width(), initial_indent='  ', subsequent_indent='  ')}")
    click.echo("\nnext: goodmeasure explain exercise")


def _exercise(no_input: bool) -> None:
    click.echo(QUESTION)
    guess = None if no_input else click.prompt("\nYour guess (0 to 40)", type=click.IntRange(0, 40))
    for paragraph in told(guess):
        click.echo(f"\n{_wrapped(paragraph)}")
    click.echo("\nnext: goodmeasure losses bce")


def _wrapped(paragraph: str) -> str:
    return "\n".join(_lines(paragraph))


def _lines(paragraph: str) -> Iterator[str]:
    for line in paragraph.splitlines():
        # Rows of the table are kept as they are.
        yield line if re.search(r"\S {2,}", line) else click.wrap_text(line, width=110)
