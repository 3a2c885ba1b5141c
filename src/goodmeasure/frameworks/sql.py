"""Losses as SQL: the value, the signal, the prediction and the decision of a row, each as one expression of its columns.

Expressions are printed in DuckDB's SQL, in which they are tested; SQLGlot says them in other dialects.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate
from threading import Lock
from typing import Any

from goodmeasure.errors import UsageError
from goodmeasure.formulas.sql_words import TEMPLATES
from goodmeasure.frameworks.columns import Language, TableLoss, named_columns
from goodmeasure.making.loss import Loss
from goodmeasure.reading.sql import double, quoted
from goodmeasure.strict.calls import strict_keywords
from goodmeasure.strict.extras import needed

DIALECTS = ("duckdb", "postgres", "spark", "bigquery", "snowflake")

FRAMES = 60  # calls within calls for each parenthesis or CASE in another: 45 were counted
_LIMIT = Lock()  # the limit is one for all threads

SPELLING: Mapping[str, Callable[..., str]] = {word: template.format for word, template in TEMPLATES.items()}


def _missing(parts: Sequence[str], found: str) -> str:
    return f"CASE WHEN {' OR '.join(f'{part} IS NULL' for part in parts)} THEN NULL ELSE {found} END"


def _any_of(conditions: Sequence[str]) -> str:
    return f"({' OR '.join(conditions)})"


def _language(dialect: str) -> Language:
    """DuckDB's SQL, which is said in a dialect in the end."""

    def said(text: str) -> str:
        if dialect == "duckdb":
            return text
        with room_for(text):
            return str(_sqlglot(dialect).transpile(text, read="duckdb", write=dialect)[0])

    return Language(dialect, SPELLING, double, lambda x: f"FLOOR({x})", _any_of, _missing, said)


@contextmanager
def room_for(text: str) -> Iterator[None]:
    """Let SQLGlot's functions call each other as deep as an expression is nested: some losses go beyond Python's usual limit."""
    steps = ((found in "(CASE") - (found in ")END") for found in re.findall(r"[()]|\bCASE\b|\bEND\b", text))
    with _LIMIT:
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(before + FRAMES * max(accumulate(steps), default=0))
        try:
            yield
        finally:
            sys.setrecursionlimit(before)


def _sqlglot(dialect: str) -> Any:
    return needed("sqlglot", f"SQL of {dialect}")


@strict_keywords
def to_sql(
    loss: Loss,
    dialect: str = "duckdb",
    *,
    target: str = "y",
    raw: str | Sequence[str] = "",
    prediction: str | Sequence[str] = "",
) -> TableLoss:
    """Say a loss in SQL: what a row costs, its signal, its prediction and its decision, each as one expression.

    Names of columns are quoted, whatever they hold. The expressions are tested in DuckDB; SQLGlot says them in other
    dialects, where a number beyond the range of doubles may be an error.

    Args:
        loss: the loss, such as ``gm.losses.binary_cross_entropy()``.
        dialect: "duckdb", "postgres", "spark", "bigquery" or "snowflake"; all but the first need the extra ``sql``.
        target: the column of targets; of a loss of classes it holds whole numbers.
        raw: the column of raw outputs, "z" unless given; several where a row has one a class or a parameter.
        prediction: the column of predictions, in place of raw outputs.

    Returns:
        A `TableLoss`, whose parts are texts.

    Raises:
        GM003: the loss takes another number of columns.
        GM008: SQLGlot is needed and not installed.
        GM009: there is no such dialect, or raw outputs and predictions were named.

    Example:
        >>> import goodmeasure as gm
        >>> said = gm.to_sql(gm.losses.absolute_error(), target="sold", prediction="said")
        >>> import duckdb
        >>> asked = f"SELECT avg({said.value}) FROM (VALUES (3, 1.5), (4, 4.5)) t(sold, said)"
        >>> duckdb.connect().execute(asked).fetchone()
        (1.0,)
    """
    if dialect not in DIALECTS:
        raise UsageError(f"dialect={dialect!r} is none of {', '.join(DIALECTS)}", fix="dialect='duckdb'")
    given = named_columns(raw, prediction)
    if dialect != "duckdb":
        _sqlglot(dialect)
    return TableLoss(loss, _language(dialect), _column(target), tuple(map(_column, given)), bool(prediction))


def _column(name: str) -> str:
    return f"CAST({quoted(name)} AS DOUBLE)"
