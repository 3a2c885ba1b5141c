"""Conditions on rows: one expression of columns, literals, operators and plain functions, and nothing else.

A condition that a user writes becomes part of SQL, so it is parsed first (by the database's own parser), every part of
it is held against lists of what is allowed, and what becomes part of SQL is the parsed expression as the database prints
it, never the user's text.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from goodmeasure.drawing.terminal import word
from goodmeasure.errors import UsageError, with_article
from goodmeasure.reading.connection import Reader, database
from goodmeasure.reading.sql import Sql, sql, told_apart
from goodmeasure.reading.tables import missing_column

MOST_CHARACTERS = 100_000
MAY_HOLD = (
    "a condition may hold columns, numbers, texts in single quotes, AND, OR, NOT, comparisons, and functions of a row"
)
EXAMPLE = "--where \"age >= 18 AND region = 'EU'\""

# Functions of the cells of one row, always with the same answer, whose results cannot outgrow what they are given. Not here:
# whatever reads a file, a setting, the clock or chance; whatever repeats or pads a text.
_FUNCTIONS = {
    "arithmetic": "+ - * / // % ** ^ & | ~ << >> @ abs ceil ceiling floor round trunc sign mod pow power sqrt cbrt exp ln log "
    "log2 log10 greatest least isnan isfinite isinf",
    "choices": "if nullif",
    "patterns": "~~ !~~ ~~* !~~* ~~~ ^@ like_escape not_like_escape ilike_escape not_ilike_escape contains starts_with "
    "ends_with prefix suffix strpos instr position regexp_matches regexp_full_match regexp_extract",
    "texts": "|| concat lower upper lcase ucase trim ltrim rtrim length len strlen char_length character_length left right "
    "substr substring split_part reverse strip_accents translate replace ascii unicode ord chr hash md5",
    "parts of dates": "year month day quarter week weekday dayofweek isodow dayofmonth dayofyear isoyear yearweek hour minute "
    "second millisecond microsecond epoch epoch_ms dayname monthname last_day date_part datepart date_trunc datetrunc",
    "dates": "date_diff datediff date_sub datesub date_add make_date make_time make_timestamp strftime strptime try_strptime "
    "to_years to_months to_weeks to_days to_hours to_minutes to_seconds to_milliseconds to_microseconds",
}
FUNCTIONS = frozenset(name for names in _FUNCTIONS.values() for name in names.split())
OPERATORS = frozenset(
    {
        "OPERATOR_NOT",
        "OPERATOR_IS_NULL",
        "OPERATOR_IS_NOT_NULL",
        "OPERATOR_COALESCE",
        "COMPARE_IN",
        "COMPARE_NOT_IN",
    }
)
_TYPES = {
    "numbers": "tinyint smallint integer int bigint hugeint utinyint usmallint uinteger ubigint float real double decimal "
    "numeric",
    "others": "boolean bool varchar text string char bpchar date time timestamp interval",
}
TYPES = frozenset(name for names in _TYPES.values() for name in names.split())
_KNOWN_BY_NAME = {
    "SUBQUERY": "a query inside it",
    "WINDOW": "a window function",
    "LAMBDA": "a lambda",
    "STAR": "a star",
    "PARAMETER": "a parameter",
    "POSITIONAL_REFERENCE": "a column by its position",
    "COLLATE": "a collation",
}
_ALLOWED_AS_THEY_ARE = frozenset({"COMPARISON", "CONJUNCTION", "BETWEEN", "CASE", "CONSTANT", "TYPE"})
Node = dict[str, Any]


@dataclass(frozen=True)
class Condition:
    """A condition that was checked: as it was written, as SQL, and which columns it is of."""

    text: str
    sql: Sql
    columns: tuple[str, ...]


def condition(text: str, names: Iterable[str], source: str) -> Condition:
    """The condition that a user wrote on a table's columns.

    Args:
        text: One expression in SQL.
        names: The columns that the table has.
        source: What the table is called.

    Returns:
        The checked condition.

    Raises:
        GM009: the text is not one expression, or holds what a condition may not
    """
    try:
        return _checked(text, list(names), source)
    except RecursionError as error:
        raise unusable(text, "it is nested too deeply") from error


def _checked(text: str, names: list[str], source: str) -> Condition:
    found = _parsed(text)
    columns: dict[str, None] = {}
    for node in _nodes(found):
        if node["class"] == "COLUMN_REF":
            columns[_column(node, text, names, source)] = None
        else:
            _check(node, text)
    return Condition(text, _printed(found, text), tuple(columns))


def only_where(condition: Sql) -> str:
    """The option that keeps the rows for which a condition holds, as it is typed."""
    return f"--where {word(condition)}"


def unusable(text: str, seen: str, fix: str = EXAMPLE) -> UsageError:
    """The error for a condition that cannot be used."""
    shown = text if len(text) <= 200 else f"{text[:200]}..."
    return UsageError(f"the condition {shown!r} cannot be used", seen=seen, fix=fix)


# --- parsing ---


def _parsed(text: str) -> Node:
    """What the database reads where it is asked for the one expression that a text must be."""
    if not text.strip():
        raise unusable(text, "it is empty")
    if len(text) > MOST_CHARACTERS or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise unusable(text, f"it is longer than {MOST_CHARACTERS:,} characters, or holds bytes that are no characters")
    if _has_comment(text):
        raise unusable(text, f"it holds a comment, which hides what stands behind it; {MAY_HOLD}")
    # Without parentheses of ours, `a) OR (b` is no expression; with them, nothing can follow one.
    _read(text, f"SELECT\n{text}\n")
    found = _read(text, f"SELECT (\n{text}\n)")
    items = [item for statement in found["statements"] for item in statement["node"].get("select_list", ())]
    if len(found["statements"]) != 1 or len(items) != 1 or items[0]["alias"]:
        raise unusable(text, f"it is not one expression; {MAY_HOLD}")
    return found


def _has_comment(text: str) -> bool:
    duckdb = database()
    return any(kind == duckdb.token_type.comment for _, kind in duckdb.tokenize(text))


def _read(text: str, query: str) -> Node:
    """The syntax tree of a query, which is not run."""
    found: Node = json.loads(_answer(text, sql("SELECT json_serialize_sql(?::VARCHAR)"), query))
    if "Only SELECT" in str(found.get("error_message")):
        raise unusable(text, f"it is not one expression; {MAY_HOLD}")
    if found["error"]:
        raise unusable(text, f"{found['error_message']}; {MAY_HOLD}")
    return found


def _printed(found: Node, text: str) -> Sql:
    """The expression as the database prints it, in parentheses."""
    said = _answer(text, sql("SELECT json_deserialize_sql(?::JSON)"), json.dumps(found))
    return Sql(f"({said.removeprefix('SELECT ')})")


@cache
def _parser(process: int) -> Reader:
    """A reader of no file, kept: to open one takes longer than all that it is asked. A forked process has one of its own."""
    del process
    return Reader(threads=1)


def _answer(text: str, question: Sql, value: str) -> str:
    duckdb = database()
    try:
        return str(_parser(os.getpid()).ask(question, [value]).fetchall()[0][0])
    except duckdb.Error as error:
        raise unusable(text, f"it cannot be parsed: {str(error).splitlines()[0]}") from error


# --- what a condition may hold ---


def _nodes(tree: Any) -> Iterator[Node]:
    """Every part of an expression, from the outside in."""
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict) and "class" in part:
            yield part
        waiting += reversed(list(part.values()) if isinstance(part, dict) else part if isinstance(part, list) else [])


def _column(node: Node, text: str, names: list[str], source: str) -> str:
    """The column that a part is, under the name that the table gives it: the very name, or one that differs in capitals."""
    given = node["column_names"]
    alike = [name for name in names if len(given) == 1 and name.casefold() == given[0].casefold()]
    known = given[0] if given[0] in alike else alike[0] if len(alike) == 1 else None
    if known is None:
        error = missing_column(".".join(given), names, source)
        hint = error.fix if error.near else f"{error.seen}; texts stand in single quotes: {EXAMPLE}"
        raise unusable(text, error.what, hint)
    node["column_names"] = [told_apart(known)]
    return known


def _check(node: Node, text: str) -> None:
    """Refuse a part that a condition may not hold."""
    kind = node["class"]
    found = _CHECKS[kind](node) if kind in _CHECKS else _KNOWN_BY_NAME.get(kind, with_article(kind.lower()))
    if found:
        raise unusable(text, f"it holds {found}; {MAY_HOLD}")


def _of_function(node: Node) -> str:
    """What is wrong with a call of a function, if something is."""
    name = node["function_name"].lower()
    if name not in FUNCTIONS or node["schema"] not in ("", "main") or node["catalog"] not in ("", "system"):
        return f"the function {name}"
    if node["distinct"] or node["filter"] or node["order_bys"]["orders"] or node["export_state"]:
        return f"more than arguments for the function {name}"
    given = node["arguments"] if "arguments" in node else [{"name": "", "expression": one} for one in node["children"]]
    if any(argument["name"] for argument in given):
        return f"a named argument of the function {name}"
    if name == "replace" and not _shortens([argument["expression"] for argument in given]):
        return "a replace whose last text is not a literal as short as the one it replaces"
    return ""


def _shortens(arguments: list[Node]) -> bool:
    """Whether what is put in a text's place is no longer than what stood there; else a few nested calls make gigabytes."""
    texts = [_text_of(argument) for argument in arguments[1:]]
    return len(texts) == 2 and None not in texts and len(texts[1] or "") <= len(texts[0] or "")


def _text_of(node: Node) -> str | None:
    """The text that a literal is; None if a part is no literal."""
    if node["class"] != "CONSTANT":
        return None
    return str(node["literal"]["text"] if "literal" in node else node["value"].get("value", ""))


def _of_operator(node: Node) -> str:
    return "" if node["type"] in OPERATORS else f"the operator {node['type'].lower()}"


def _of_cast(node: Node) -> str:
    name = str(node["type_expr"]["type_name"] if "type_expr" in node else node["cast_type"]["id"])
    return "" if name.lower() in TYPES else f"the type {name}"


def _nothing_wrong(node: Node) -> str:
    return ""


_CHECKS: dict[str, Callable[[Node], str]] = {
    **dict.fromkeys(_ALLOWED_AS_THEY_ARE, _nothing_wrong),
    "FUNCTION": _of_function,
    "OPERATOR": _of_operator,
    "CAST": _of_cast,
}
