"""What types in SQL hold: texts, dates, or what can be read as a number."""

from __future__ import annotations

import re

from goodmeasure.reading.sql import Sql, identifier, sql

_TEXTS = ("VARCHAR", "ENUM")
_NO_NUMBERS = re.compile(r"\[|STRUCT|MAP|BLOB|TIME|UUID|INTERVAL|UNION|JSON|BIT")


def is_text(kind: str) -> bool:
    """Whether a type in SQL holds texts."""
    return kind.startswith(_TEXTS)


def is_date(kind: str) -> bool:
    """Whether a type in SQL holds days or moments."""
    return kind == "DATE" or kind.startswith("TIMESTAMP")


def is_number(kind: str) -> bool:
    """Whether a type in SQL holds numbers, or texts that may be numbers."""
    return is_text(kind) or not (kind == "BOOLEAN" or is_date(kind) or _NO_NUMBERS.search(kind))


def as_number(name: str, kind: str) -> Sql:
    """A cell as a number; where it is none, nothing."""
    return sql("try_cast({q} AS DOUBLE)", q=identifier(name)) if is_number(kind) else sql("NULL::DOUBLE")
