"""How the cells of a column are written: numbers with marks and units, dates in one of the usual forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

from goodmeasure.reading.sql import Sql, case, literal, sql

Mark = Literal[".", ","]
BLANKS = " \t\u00a0\u2007\u2009\u202f"
# Inside brackets of a regular expression.
MINUS = "\\-\u2212\u2013\ufe63\uff0d"
_BLANK, _SIGN = f"[{BLANKS}]*", f"[+{MINUS}]?"
# A minus or an opening bracket before the first digit, or a minus behind the last.
NEGATIVE = rf"^[^0-9]*[({MINUS}]|[{MINUS}]{_BLANK}$"
# Two signs: one and another before the first digit, or one behind the last as well.
TWICE = re.compile(rf"^[^0-9]*[+{MINUS}][^0-9]*[+{MINUS}]|^[^0-9]*[+({MINUS}].*[{MINUS}]{_BLANK}$")
BALANCED = re.compile(r"^[^()]*(?:[(][^()]*[)][^()]*)?$")
# What stands between groups of three digits, as it may be typed.
GROUPINGS = {"": "", ",": ",", ".": ".", " ": BLANKS, "'": "'\u2019"}
# What stands where a number is not known. Texts keep such words as a category; among numbers and dates they are missing.
_ABSENT = (
    "|-|--|---|–|—|.|..|...|*|#|?|??|na|n/a|n.a.|n.a|nan|null|nil|none|nd|n.d.|tbd|missing|unknown|unk|undefined",
    "no data|not available|not applicable|not known|k.a.|k. a.|unbekannt|keine angabe|fehlt|inconnu|non disponible|n.c.",
    "desconocido|sin dato|s/d|ignorado|desconhecido|sconosciuto|onbekend|brak|н/д|нет данных",
    "#n/a|#div/0!|#value!|#ref!|#num!|#name?|#null!|(missing)|(blank)|<na>",
)
ABSENT = tuple(word for line in _ABSENT for word in line.split("|"))


def is_absent(cell: str) -> bool:
    """Whether a cell is a word that stands for a missing number."""
    return cell.strip(BLANKS).lower() in ABSENT


def _absent(cell: Sql) -> Sql:
    """The same in SQL."""
    plain = sql("lower(trim({cell}, {blanks}))", cell=cell, blanks=literal(BLANKS))
    return sql("list_contains({words}, {plain})", words=literal(ABSENT), plain=plain)


@dataclass(frozen=True)
class Numbers:
    """How a column writes numbers: ``$ 1,234.50``, ``12,5 %``, ``(1.2)``.

    Attributes:
        decimal: the mark before the decimals.
        grouping: the mark between groups of three digits; empty where there is none.
        before: what may stand before a number, such as "$".
        after: the unit that may stand behind it; "%" must, and divides by 100.
    """

    decimal: Mark = "."
    grouping: str = ""
    before: str = ""
    after: str = ""

    @cached_property
    def pattern(self) -> str:
        """A regular expression of Python and of RE2, whose one group is the number without sign and unit."""
        whole = f"[1-9][0-9]{{0,2}}(?:[{GROUPINGS[self.grouping]}][0-9]{{3}})+|[0-9]+" if self.grouping else "[0-9]+"
        digits = f"(?:{whole})(?:[{self.decimal}][0-9]*)?|[{self.decimal}][0-9]+"
        before = f"(?i:{re.escape(self.before)}{_BLANK})?" if self.before else ""
        unit = re.escape(self.after) + ("s?" if len(self.after) > 2 else "")
        after = f"(?i:{unit}){'' if self.after == '%' else '?'}" if self.after else ""
        return (
            rf"^{_BLANK}[(]?{_BLANK}{_SIGN}{_BLANK}{before}[(]?{_BLANK}{_SIGN}{_BLANK}((?:{digits})(?:[eE][-+]?[0-9]+)?)"
            rf"{_BLANK}[)]?{_BLANK}{after}{_BLANK}[)]?{_BLANK}[{MINUS}]?{_BLANK}$"
        )

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    @property
    def divisor(self) -> int:
        """What a number is divided by."""
        return 100 if self.after == "%" else 1

    @property
    def tells_decimal(self) -> bool:
        """Whether a column that is written so shows which mark stands before decimals."""
        return "," in (self.decimal, self.grouping)

    def matches(self, cell: str) -> bool:
        """Whether a cell is a number that is written so."""
        return self._digits(cell) is not None

    def _digits(self, cell: str) -> str | None:
        """The number in a cell, without sign and unit; None where the cell is not written so."""
        found = self._compiled.match(cell)
        return found[1] if found and BALANCED.match(cell) and not TWICE.match(cell) else None

    def rewritten(self, cell: str) -> str | None:
        """The cell as a number that every program reads; None where it is missing, and the cell itself where it is none."""
        digits = self._digits(cell)
        if digits is None:
            return None if is_absent(cell) else cell
        for mark in GROUPINGS[self.grouping]:
            digits = digits.replace(mark, "")
        value = float(digits.replace(self.decimal, ".")) / self.divisor
        return repr(-value if re.search(NEGATIVE, cell) else value)

    def sql(self, cell: Sql) -> Sql:
        """The same of a text in SQL."""
        pattern = literal(self.pattern)
        digits = sql("regexp_extract({cell}, {pattern}, 1)", cell=cell, pattern=pattern)
        for old, new in [*((mark, "") for mark in GROUPINGS[self.grouping]), (self.decimal, ".")]:
            digits = sql("replace({digits}, {old}, {new})", digits=digits, old=literal(old), new=literal(new))
        value = sql("try_cast({digits} AS DOUBLE) / {divisor}", digits=digits, divisor=self.divisor)
        negative = sql("regexp_matches({cell}, {sign})", cell=cell, sign=literal(NEGATIVE))
        sign = case([(negative, sql("-1"))], otherwise=sql("1"))
        text = sql("CAST({sign} * ({value}) AS VARCHAR)", sign=sign, value=value)
        return case([(self.matching(cell), text), (_absent(cell), sql("NULL"))], otherwise=cell)

    def matching(self, cell: Sql) -> Sql:
        """Whether a text in SQL is written so."""
        return sql(
            "(regexp_matches({cell}, {pattern}) AND regexp_matches({cell}, {balanced}) AND NOT regexp_matches({cell}, {twice}))",
            cell=cell,
            pattern=literal(self.pattern),
            balanced=literal(BALANCED.pattern),
            twice=literal(TWICE.pattern),
        )


@dataclass(frozen=True)
class Dates:
    """How a column writes dates.

    Attributes:
        form: as `datetime.strptime` has it: "%d.%m.%Y".
    """

    form: str

    @property
    def is_one(self) -> bool:
        """Whether the form is one that dates can be written and read in."""
        known = datetime(2001, 2, 1)
        try:
            return datetime.strptime(known.strftime(self.form), self.form) == known
        except (ValueError, re.error):
            return False

    def matches(self, cell: str) -> bool:
        """Whether a cell is a date that is written so."""
        return self._read(cell) is not None

    def _read(self, cell: str) -> datetime | None:
        try:
            return datetime.strptime(cell.strip(BLANKS), self.form)
        except ValueError:
            return None

    def rewritten(self, cell: str) -> str | None:
        """The cell as ISO 8601; None where it is missing, and the cell itself where it is no such date."""
        found = self._read(cell)
        if found is None:
            return None if is_absent(cell) else cell
        return found.isoformat(" ")

    def sql(self, cell: Sql) -> Sql:
        """The same of a text in SQL."""
        iso = sql("strftime({read}, '%Y-%m-%d %H:%M:%S')", read=self._parsed(cell))
        return case([(self.matching(cell), iso), (_absent(cell), sql("NULL"))], otherwise=cell)

    def matching(self, cell: Sql) -> Sql:
        """Whether a text in SQL is written so."""
        # Of two digits where the year has four, the database makes a year of the first century.
        return sql("(coalesce(year({read}), 0) >= 1000)", read=self._parsed(cell))

    def _parsed(self, cell: Sql) -> Sql:
        blanks, form = literal(BLANKS), literal(self.form)
        return sql("try_strptime(trim({cell}, {blanks}), {form})", cell=cell, blanks=blanks, form=form)


Notation = Numbers | Dates


def to_dict(notation: Notation) -> dict[str, str]:
    """A notation as plain values, ready for JSON."""
    return asdict(notation)


def from_dict(state: Mapping[str, str]) -> Notation:
    """The notation that `to_dict` described."""
    return Dates(state["form"]) if "form" in state else Numbers(**state)  # type: ignore[arg-type]
