"""Words for SQL: what a user wrote reaches a database as a quoted name or a literal, and in no other way."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from goodmeasure.errors import UsageError, shorter

_TOGETHER = 100
# Between a name with capitals and its bytes.
_MARK = "\x1f"


class Sql(str):
    """A piece of SQL. It holds no text of a user, unless as a quoted name, a literal, or a condition that was checked."""

    __slots__ = ()


def sql(template: str, **parts: Sql | int) -> Sql:
    """SQL from a template that stands in this program, with pieces of SQL and whole numbers in its places."""
    for name, part in parts.items():
        if not isinstance(part, Sql | int):
            raise TypeError(f"{name} is a text, and only pieces of SQL and whole numbers may become part of SQL")
    return Sql(template.format(**parts))


def by_template(template: str, parts: Iterable[Sql]) -> Sql:
    """A template of a table of this program, with pieces of SQL in its numbered places."""
    return Sql(template.format(*parts))


def double(x: float) -> Sql:
    """A number as a literal of double precision: a decimal point alone makes an exact decimal."""
    if not math.isfinite(x):
        return Sql(f"CAST('{str(float(x)).replace('inf', 'Infinity')}' AS DOUBLE)")
    text = repr(float(x))
    text = text if "e" in text else f"{text}e0"
    return Sql(f"({text})" if x < 0 else text)


def plain(x: float) -> Sql:
    """A finite number as people write it in a condition."""
    return Sql(f"{x:.17g}" if float(f"{x:.15g}") != x else f"{x:.15g}")


def added(parts: Iterable[Sql]) -> Sql:
    """A sum of pieces of SQL; databases take only so many terms one inside another, so that many are added in groups."""
    left = list(parts)
    while len(left) > _TOGETHER:
        groups = [left[k : k + _TOGETHER] for k in range(0, len(left), _TOGETHER)]
        left = [Sql(f"({' + '.join(group)})") for group in groups]
    return Sql(" + ".join(left))


def quoted(column: str) -> Sql:
    """A column name as SQL writes it."""
    return Sql('"' + _sayable(column).replace('"', '""') + '"')


def told_apart(name: str) -> str:
    """A name of a column as questions of this room have it: databases take names for one that differ in capitals alone.

    A name with capitals, or with the mark, is followed by the mark and its own bytes.
    """
    plain = name == name.casefold() and _MARK not in name
    return name if plain else f"{name}{_MARK}{_sayable(name).encode().hex()}"


def identifier(name: str) -> Sql:
    """A column as questions of this room write it."""
    return quoted(told_apart(name))


def as_named(text: str) -> str:
    """What a database says of such a question, with the names as they are."""
    return re.sub(f"{_MARK}[0-9a-f]+", "", text)


def literal(value: str | Iterable[str]) -> Sql:
    """A text or a list of texts as SQL writes it."""
    if isinstance(value, str):
        return Sql("'" + _sayable(value).replace("'", "''") + "'")
    return Sql("[" + listed(map(literal, value)) + "]")


def typed(columns: Iterable[tuple[Sql, str]]) -> Sql:
    """Columns with the type that each is read as, for a reader of texts."""
    return Sql("{" + listed(Sql(f"{name}: {literal(kind)}") for name, kind in columns) + "}")


def _sayable(text: str) -> str:
    """The text, if a database can be told of it; bytes that are not UTF-8 stand in a text as half of a letter."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{shorter(text)} holds bytes that are not UTF-8", fix="write the text in UTF-8") from error
    return text


def joined(parts: Iterable[Sql]) -> Sql:
    """Pieces of SQL one behind the other."""
    return Sql("".join(parts))


def listed(parts: Iterable[Sql]) -> Sql:
    """Pieces of SQL with commas between them."""
    return Sql(", ".join(parts))


def all_hold(conditions: Iterable[Sql]) -> Sql:
    """The condition that each of several holds."""
    return Sql(" AND ".join(conditions))


def united(questions: Iterable[Sql]) -> Sql:
    """All rows of several questions, one after the other."""
    return Sql(f"({' UNION ALL '.join(questions)})")


def case(choices: Iterable[tuple[Sql, Sql]], *, otherwise: Sql, of: Sql | None = None) -> Sql:
    """The value behind the first condition that holds, or behind the first value that ``of`` has."""
    whens = "".join(f" WHEN {condition} THEN {value}" for condition, value in choices)
    operand = "" if of is None else f" {of}"
    return Sql(f"CASE{operand}{whens} ELSE {otherwise} END")
