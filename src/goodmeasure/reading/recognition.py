"""How a column of texts is written, told from its cells: as numbers, as dates, or as neither."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, Protocol

from goodmeasure.errors import Problem
from goodmeasure.reading.notation import BLANKS, MINUS, Dates, Mark, Notation, Numbers, is_absent

# A notation holds for this part of the cells that are not missing; the others are texts among numbers.
MOSTLY = 0.9
# Numbers are at least this part of all cells of a column, beside words for missing ones.
LEAST_KNOWN = 0.1
MOST_SHAPES = 500
DECIMALS: dict[str, Mark] = {"point": ".", "comma": ","}
ANSWERS: dict[str, tuple[str, ...]] = {"decimal": tuple(DECIMALS), "dates": ("day-first", "month-first")}
"""What can be said of how cells are written."""
_CURRENCIES = (
    "$ € £ ¥ ₹ ₽ ₩ ₺ ₴ ₪ ₫ ₱ ₦ ฿ R$ US$ A$ AU$ C$ CA$ HK$ NZ$ S$ NT$ MX$",
    "kr kr. Fr Fr. Rs Rs. zł Kč Ft EUR USD GBP JPY CHF CNY RMB INR RUB KRW TRY UAH ILS",
    "BRL AUD CAD HKD NZD SGD MXN SEK NOK DKK PLN CZK HUF RON ZAR",
)
# An apostrophe makes a text of a number in a spreadsheet; the others say that it is not exact.
_OTHERS = "' \u2019 ~ \u2248 ca. ca approx. approx circa"
BEFORE = frozenset(name for line in (*_CURRENCIES, _OTHERS) for name in line.casefold().split())
_UNIT = re.compile(
    r"%|\u2030|\u00b0|[^\W\d_][^\W\d_]*([\u00b2\u00b3]|[ /.\u00b7][^\W\d_]+[\u00b2\u00b3]?)*\.?|\u00b0[CFK]|\W"
)
_CELL = re.compile(
    rf"^(?P<before>[^0-9]*?)(?P<digits>[.,]?[0-9](?:[0-9.,'\u2019{BLANKS}]*[0-9.,])?(?:[eE][-+]?[0-9]+)?)(?P<after>[^0-9]*)$"
)
_PLAIN = Numbers()
# A point that is followed by other than three digits stands before decimals.
SURE_POINT = "[.]([0-9]{1,2}|[0-9]{4,})$"
_AROUND = f"[+(){MINUS}{BLANKS}]"


class UnsettledNotation(Problem, ValueError):
    """A column can be read in two ways, and its cells do not tell which is meant.

    ``1,234`` is a thousand and more where commas group digits, and a little more than one where they stand before decimals;
    ``01/02/2024`` is in January or in February. Nothing is guessed: say which, and the answer holds for the whole table.
    """

    code = "GM211"


@dataclass(frozen=True)
class Written:
    """What a caller says of how the cells of a table are written; None leaves it to the cells.

    Attributes:
        decimal: whether a "point" or a "comma" stands before decimals.
        dates: whether dates are written "day-first" or "month-first".
    """

    decimal: str | None = None
    dates: str | None = None


class ColumnTexts(Protocol):
    """The texts of a column: some of them for each way in which digits and other letters alternate, and exact counts."""

    def samples(self) -> Sequence[tuple[str, int]]:
        """A cell of each shape, and how many have it; the most common first."""

    def matched(self, notations: Sequence[Notation]) -> Sequence[int]:
        """How many cells are written in each of these ways."""


AS_THE_CELLS_TELL = Written()


@dataclass(frozen=True)
class HeldTexts:
    """The texts of a column in memory."""

    counts: Counter[str]

    def samples(self) -> Sequence[tuple[str, int]]:
        """A cell of each shape, and how many have it; the most common first."""
        first: dict[str, str] = {}
        total: Counter[str] = Counter()
        for cell, count in self.counts.items():
            shape = re.sub("[0-9]", "9", cell)
            total[shape] += count
            first[shape] = min(cell, first.get(shape, cell))
        return [(first[shape], count) for shape, count in total.most_common(MOST_SHAPES)]

    def matched(self, notations: Sequence[Notation]) -> Sequence[int]:
        """How many cells are written in each of these ways."""
        return [sum(n for cell, n in self.counts.items() if how.matches(cell)) for how in notations]


def notations_of(
    columns: Mapping[str, ColumnTexts], said: Written, plain_marks: Callable[[], set[Mark]]
) -> dict[str, Notation]:
    """How columns of one table are written, by name; what one leaves open may be settled by the others.

    ``plain_marks`` says, if it is asked, which decimal marks the plain numbers of the table have.

    Raises:
        GM211: a column can be read in two ways
    """
    found: dict[str, Notation | None] = {}
    unsettled = []
    for name, cells in columns.items():
        try:
            found[name] = recognised(name, cells, said)
        except UnsettledNotation:
            unsettled.append(name)
    if unsettled:
        marks = plain_marks() | {
            how.decimal for how in found.values() if isinstance(how, Numbers) and how.tells_decimal
        }
        found |= {name: recognised(name, columns[name], said, marks) for name in unsettled}
    return {name: how for name, how in found.items() if how is not None}


def recognised(name: str, cells: ColumnTexts, said: Written, marks: Iterable[Mark] = ()) -> Notation | None:
    """How a column is written; None where it holds neither numbers nor dates.

    ``marks`` are the decimal marks of other columns of the table, which settle what this column leaves open.

    Raises:
        GM211: it can be read in two ways
    """
    samples = cells.samples()
    known = [(cell, count) for cell, count in samples if not is_absent(cell)]
    present, total = sum(count for _, count in known), sum(count for _, count in samples)
    if not present or present < LEAST_KNOWN * total:
        return None
    ways = [_PLAIN] if _is_slip(known, present) else [*_as_numbers(known, said)]
    readings = _best(ways, known, cells, MOSTLY * present)
    if readings:
        return _number_notation(name, readings, known, said, set(marks))
    readings = _best([*_as_dates(known, said)], known, cells, present)
    return _date_notation(name, readings, known) if readings else None


def _is_slip(known: Sequence[tuple[str, int]], present: int) -> bool:
    """Whether one cell of many is no plain number: one mistyped cell says nothing of how the others are meant."""
    odd = sum(count for cell, count in known if not _PLAIN.matches(cell))
    return odd == 1 and present > 1 / (1 - MOSTLY)


def _best(
    notations: Sequence[Notation], known: Sequence[tuple[str, int]], cells: ColumnTexts, least: float
) -> list[Notation]:
    """The notations that fit the most cells, in their order; none where that is too few."""
    likely = [how for how in notations if sum(n for cell, n in known if how.matches(cell)) >= 0.8 * least]
    counts = cells.matched(likely) if likely else []
    most = max(counts, default=0)
    return [how for how, count in zip(likely, counts, strict=True) if count == most >= least]


def _values(how: Notation, known: Sequence[tuple[str, int]]) -> tuple[str | None, ...]:
    """What a notation makes of the samples that it fits."""
    return tuple(how.rewritten(cell) for cell, _ in known if how.matches(cell))


# --- numbers ---


def _as_numbers(known: Sequence[tuple[str, int]], said: Written) -> Iterator[Numbers]:
    """The ways to write numbers that may be meant, plainer ones first."""
    before, after = _around(known)
    if before.casefold() not in BEFORE | {""} or not (after == "" or _UNIT.fullmatch(after)):
        return
    marks: tuple[Mark, ...] = (DECIMALS[said.decimal],) if said.decimal else (".", ",")
    for decimal, grouping in product(marks, ("", ",", ".", " ", "'")):
        if grouping != decimal:
            yield Numbers(decimal, grouping, before, after)


def _around(known: Sequence[tuple[str, int]]) -> tuple[str, str]:
    """What stands most often before and behind the numbers, but for signs, brackets and blanks."""
    before, after = Counter[str](), Counter[str]()
    for cell, count in known:
        if found := _CELL.match(cell):
            before[_bare(found["before"])] += count
            after[_singular(_bare(found["after"]))] += count
    return _most_common(before), _most_common(after)


def _bare(text: str) -> str:
    return re.sub(f"^{_AROUND}+|{_AROUND}+$", "", text)


def _singular(unit: str) -> str:
    return unit[:-1] if len(unit) > 3 and unit.endswith("s") else unit


def _most_common(found: Counter[str]) -> str:
    """The most common text that is not empty."""
    return max((text for text in found if text), key=lambda text: found[text], default="")


def _number_notation(
    name: str, readings: Sequence[Notation], known: Sequence[tuple[str, int]], said: Written, marks: set[Mark]
) -> Notation:
    """The one reading that is left, or the plainest of those that read the same. Error: GM211."""
    settled = [how for how in readings if isinstance(how, Numbers) and how.decimal in marks] if len(marks) == 1 else []
    readings = settled or readings
    different = {_values(how, known): how for how in reversed(readings)}
    if len(different) == 1:
        return readings[0]
    ungrouped = [how for how in readings if isinstance(how, Numbers) and not _groups(how, known)]
    if ungrouped and _has_long(known) and len({_values(how, known) for how in ungrouped}) == 1:
        return ungrouped[0]
    cell = next(cell for cell, _ in known if len({how.rewritten(cell) for how in readings}) > 1)
    raise _unsettled(name, cell, readings, "decimal")


def _groups(how: Numbers, known: Sequence[tuple[str, int]]) -> bool:
    """Whether a notation finds groups of digits in any of the cells."""
    ungrouped = Numbers(how.decimal, "", how.before, how.after)
    return any(how.matches(cell) and not ungrouped.matches(cell) for cell, _ in known)


def _has_long(known: Sequence[tuple[str, int]]) -> bool:
    """Whether a cell has five digits before any mark, which whoever groups digits would have grouped."""
    return any(re.search(r"[0-9]{5,}(?=[.,]|$)", cell) and not re.search(r"[.,][0-9]{5,}", cell) for cell, _ in known)


# --- dates ---

_DAYS = (
    "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%Y", "%m-%d-%Y", "%d-%m-%y", "%m-%d-%y",
    "%m.%d.%Y", "%m.%d.%y", "%Y.%m.%d", "%Y-%m-%d", "%Y/%m/%d", "%Y-%m", "%Y/%m", "%m/%Y", "%m.%Y", "%d %b %Y", "%d %B %Y",
    "%d. %b %Y", "%d. %B %Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %y", "%d/%b/%Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y",
    "%b %Y", "%B %Y", "%b-%Y", "%b-%y", "%b %y", "%a %d %b %Y", "%a, %d %b %Y", "%A, %d %B %Y", "%A, %B %d, %Y",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", ", %H:%M", ", %H:%M:%S", "T%H:%M:%S", "T%H:%M")


def _looks(text: str) -> str:
    """A date or a form of dates with every number and every word made alike."""
    alike = re.sub("%[bBaAp]", "a", re.sub("%[dmyYHIMS]", "9", text))
    return re.sub(r"[^\W\d_]+", "a", re.sub("[0-9]+", "9", alike))


_BY_LOOKS: dict[str, list[str]] = {}
for _form in map("".join, product(_DAYS, _TIMES)):
    _BY_LOOKS.setdefault(_looks(_form), []).append(_form)
_DAY_FIRST, _MONTH_FIRST = re.compile(r"^%d[./-]%m"), re.compile(r"^%m[./-]%d")


def _as_dates(known: Sequence[tuple[str, int]], said: Written) -> Iterator[Dates]:
    """The usual ways to write dates that look like the most common cell."""
    unwanted = {"day-first": _MONTH_FIRST, "month-first": _DAY_FIRST}.get(said.dates or "")
    for form in _BY_LOOKS.get(_looks(known[0][0].strip(BLANKS)), ()):
        if not (unwanted and unwanted.match(form)):
            yield Dates(form)


def _date_notation(name: str, readings: Sequence[Notation], known: Sequence[tuple[str, int]]) -> Notation:
    """The one reading that is left, or the first of those that read the same. Error: GM211."""
    # A point stands behind a day everywhere but in few places.
    usual = [how for how in readings if isinstance(how, Dates) and not how.form.startswith("%m.%d")] or readings
    if len({_values(how, known) for how in usual}) == 1:
        return usual[0]
    cell = next(cell for cell, _ in known if len({how.rewritten(cell) for how in usual}) > 1)
    raise _unsettled(name, cell, usual, "dates")


def _unsettled(
    name: str, cell: str, readings: Sequence[Notation], option: Literal["decimal", "dates"]
) -> UnsettledNotation:
    answers = ANSWERS[option]
    read: list[str] = list(dict.fromkeys(filter(None, (how.rewritten(cell) for how in readings))))
    return UnsettledNotation(
        f"column {name!r} can be read in two ways: {cell!r} is {' or '.join(map(shown, read[:2]))}",
        where=name,
        seen=f"no cell of the column tells {' from '.join(answers)}",
        fix=f"{option}={answers[0]!r} or {option}={answers[1]!r}",
    )


def shown(rewritten: str) -> str:
    """A number or a date as people write it shortest."""
    return rewritten.removesuffix(".0").removesuffix(" 00:00:00")


def converted(samples: Sequence[tuple[str, int]], how: Notation) -> str:
    """What a notation makes of the cells of a column, in words: of the first that it changes, and of words for missing ones."""
    read = [(cell, how.rewritten(cell)) for cell, _ in samples if how.matches(cell)]
    examples = [f"{cell!r} -> {shown(new)}" for cell, new in read if new is not None and shown(new) != cell.strip()]
    lost = [f"{cell!r} is missing ({count:,})" for cell, count in samples if not how.matches(cell) and is_absent(cell)]
    return ", ".join((*examples[:1], *lost[:5]))
