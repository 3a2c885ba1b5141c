"""What columns hold, counted over all rows, and where the first cell stands that is not what it should be."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from goodmeasure.errors import with_article
from goodmeasure.reading.conditions import condition, only_where, unusable
from goodmeasure.reading.connection import IN_ANY_ORDER, Reader
from goodmeasure.reading.frames import read_as
from goodmeasure.reading.notation import Mark, Notation
from goodmeasure.reading.paths import Places
from goodmeasure.reading.recognition import MOST_SHAPES, SURE_POINT, Written, notations_of
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.sources import Files, Filter, alone
from goodmeasure.reading.sql import Sql, case, identifier, listed, literal, quoted, sql
from goodmeasure.reading.sql_types import as_number, is_date, is_text
from goodmeasure.reading.tables import BadCell, ColumnKind, missing_column

MOSTLY = 0.9
# A question about more columns takes DuckDB longer to plan than another pass takes.
_AT_ONCE = 500
_DECIMAL_COMMA = re.compile(r"\s*[-+]?(\d{1,3}(\.\d{3})+|\d*),\d+(e[-+]?\d+)?\s*", re.IGNORECASE)
_ANSWERS = ("BOOLEAN", "VARCHAR")


@dataclass(frozen=True)
class SeenColumn:
    """What a column holds, counted: cells that are there, that are numbers, that are dates."""

    present: int
    numbers: int
    dates: int

    @property
    def kind(self) -> ColumnKind:
        """The kind that most cells are of, where all have to be dates to make a column of dates."""
        if self.numbers >= MOSTLY * self.present:
            return ColumnKind.NUMBER
        return ColumnKind.DATE if self.dates == self.present else ColumnKind.TEXT

    @property
    def is_mixed(self) -> bool:
        """Whether some cells are neither plain numbers nor plain dates."""
        return self.numbers < self.present and self.dates < self.present

    @property
    def sure_kind(self) -> ColumnKind:
        """The kind that all cells are of."""
        return self.kind if self.numbers in (0, self.present) else ColumnKind.TEXT


def inspected(files: Files, names: Iterable[str]) -> tuple[int, dict[str, SeenColumn]]:
    """How many rows count, and what these columns hold in them: one pass over the files, or one for each so many columns."""
    wanted, found = list(names), dict[str, SeenColumn]()
    for first in range(0, max(len(wanted), 1), _AT_ONCE):
        total, more = _inspected(files, wanted[first : first + _AT_ONCE])
        found |= more
    return total, found


def _inspected(files: Files, wanted: Sequence[str]) -> tuple[int, dict[str, SeenColumn]]:
    counts = [sql("count(*)")]
    for name in wanted:
        q, kind = identifier(name), files.types[name]
        date = sql("count({date})", date=_as_date(name, kind)) if is_text(kind) or is_date(kind) else sql("0")
        counts += [sql("count({q})", q=q), sql("count({number})", number=as_number(name, kind)), date]
    ((total, *found),) = files.ask(sql("SELECT {counts} FROM {rows}", counts=listed(counts), rows=files.rows()))
    triples = zip(found[::3], found[1::3], found[2::3], strict=True)
    return total, {name: SeenColumn(*three) for name, three in zip(wanted, triples, strict=True)}


def _as_date(name: str, kind: str) -> Sql:
    """A cell as a moment; where it is none, or a text that does not begin with a year of four digits, nothing."""
    moment = sql("try_cast({q} AS TIMESTAMP)", q=identifier(name))
    if not is_text(kind):
        return moment
    year_first = sql("regexp_matches({q}, {year})", q=identifier(name), year=literal("^[ ]*[0-9]{4}[^0-9]"))
    return case([(year_first, moment)], otherwise=sql("NULL"))


# --- how cells are written ---


@dataclass(frozen=True)
class FileTexts:
    """The texts of a column of files, as its notation is told from them."""

    files: Files
    name: str

    def samples(self) -> Sequence[tuple[str, int]]:
        """A cell of each shape, and how many have it; the most common first."""
        question = sql(
            "SELECT min({q}), count(*) AS n FROM {rows} WHERE {q} IS NOT NULL "
            "GROUP BY regexp_replace({q}, '[0-9]', '9', 'g') ORDER BY n DESC, min({q}) LIMIT {most}",
            q=identifier(self.name),
            rows=self.files.rows(),
            most=MOST_SHAPES,
        )
        return [(str(cell), int(count)) for cell, count in self.files.ask(question)]

    def matched(self, notations: Sequence[Notation]) -> Sequence[int]:
        """How many cells are written in each of these ways."""
        counts = listed(
            sql("count(CASE WHEN {it} THEN 1 END)", it=how.matching(identifier(self.name))) for how in notations
        )
        (found,) = self.files.ask(sql("SELECT {counts} FROM {rows}", counts=counts, rows=self.files.rows()))
        return found


def notations_in(files: Files, seen: Mapping[str, SeenColumn], said: Written) -> dict[str, Notation]:
    """How the columns of texts are written that hold numbers or dates in other ways than programs read.

    Raises:
        GM211: a column can be read in two ways
    """
    suspects = [name for name, found in seen.items() if is_text(files.types[name]) and found.is_mixed]
    columns = {name: FileTexts(files, name) for name in _with_digits(files, suspects)}
    return notations_of(columns, said, lambda: _plain_marks(files, seen))


def sniffed(files: Files, names: Iterable[str], said: Written) -> Files:
    """The files with how columns are written whose first cells show that they are no plain numbers. Error: GM211."""
    texts = [name for name in dict.fromkeys(names) if is_text(files.types[name]) and name not in files.notations]
    if not texts:
        return files
    odd = listed(
        sql(
            "count(CASE WHEN {q} IS NOT NULL AND {number} IS NULL THEN 1 END)",
            q=identifier(n),
            number=as_number(n, "VARCHAR"),
        )
        for n in texts
    )
    whole = files.filtered(None)
    first = sql("(SELECT {names} FROM {rows} LIMIT 1000)", names=listed(map(identifier, texts)), rows=whole.rows())
    (counts,) = whole.ask(sql("SELECT {odd} FROM {first}", odd=odd, first=first))
    unclear = [name for name, count in zip(texts, counts, strict=True) if count]
    if not unclear:
        return files
    return files.written({**files.notations, **notations_in(whole, inspected(whole, unclear)[1], said)})


def remarks_on(places: Places, names: Collection[str], weight: str | None, said: Written) -> list[Remark]:
    """What must be known of how these columns of files were read: encodings, and numbers that are written in their own way.

    Cells of rows whose ``weight`` is zero say nothing of it.
    """
    found: dict[str, Remark] = {}
    with Reader(places.paths, **IN_ANY_ORDER) as reader:
        for place in places.files:
            files = weighed(alone(reader, place), weight, said)
            notations = sniffed(files, [name for name in names if name in files.types], said).notations
            read = [read_as(name, FileTexts(files, name).samples(), how) for name, how in notations.items()]
            found |= {remark.what: remark for remark in (*files.remarks, *read)}
    return list(found.values())


def _with_digits(files: Files, names: Sequence[str]) -> list[str]:
    """The columns of which a tenth of the cells hold a digit, and are short: others hold no numbers."""
    if not names:
        return []
    counts = listed(
        part
        for name in names
        for part in (
            sql("count({q})", q=identifier(name)),
            sql("count(CASE WHEN length({q}) <= 40 AND regexp_matches({q}, '[0-9]') THEN 1 END)", q=identifier(name)),
        )
    )
    (found,) = files.ask(sql("SELECT {counts} FROM {rows}", counts=counts, rows=files.rows()))
    return [name for name, all_, digits in zip(names, found[::2], found[1::2], strict=True) if digits >= 0.1 * all_ > 0]


def _plain_marks(files: Files, seen: Mapping[str, SeenColumn]) -> set[Mark]:
    """The point, if plain numbers of other columns surely have it before their decimals."""
    plain = [name for name, one in seen.items() if is_text(files.types[name]) and one.present == one.numbers > 0]
    if not plain:
        return set()
    tells = listed(
        sql("bool_or(regexp_matches({q}, {point}))", q=identifier(name), point=literal(SURE_POINT)) for name in plain
    )
    (answers,) = files.ask(sql("SELECT {tells} FROM {rows}", tells=tells, rows=files.rows()))
    return {"."} if any(answers) else set()


# --- which rows count ---


def weighed(files: Files, weight: str | None, said: Written) -> Files:
    """The same files, of which rows of weight zero are not there, however the weights are written.

    Raises:
        GM203: there is no such column
        GM211: it can be read in two ways
    """
    if weight is None:
        return files
    refuse_unknown([weight], files)
    return sniffed(files, [weight], said).weighed(weight)


def filtered(files: Files, text: str | None) -> Files:
    """The same files, of which only the rows count for which a condition holds.

    Raises:
        GM009: the condition is not one expression of the columns, or does not say yes or no
    """
    if text is None:
        return files
    found = condition(text, files.types, files.source)
    texts = [name for name in found.columns if is_text(files.types[name])]
    kinds = {name: seen.sure_kind for name, seen in inspected(files, texts)[1].items()} if texts else {}
    kept = files.filtered(Filter(found, tuple(kinds.items())))
    question = sql("DESCRIBE SELECT {condition} FROM {seen}", condition=found.sql, seen=kept.seen())
    ((answer,),) = kept.ask(sql("SELECT column_type FROM ({question})", question=question))
    if answer not in _ANSWERS:
        raise unusable(text, f"its answer is {with_article(answer)}, and not yes or no")
    return kept


# --- bad cells ---


def refuse_unknown(names: Iterable[str], files: Files) -> None:
    """Refuse columns that the files do not have. Error: GM203."""
    for name in names:
        if name not in files.types:
            raise missing_column(name, files.types, files.source)


def bad_cell(files: Files, name: str, seen: SeenColumn) -> BadCell:
    """The error for a cell that is not the number that is needed."""
    where, cell = located(files, name)
    keep = sql("TRY_CAST({q} AS DOUBLE) IS NOT NULL", q=quoted(name))
    fix = f"mend the cell, or leave such rows out: {only_where(keep)}" if seen.numbers else "name another column"
    if _DECIMAL_COMMA.fullmatch(cell):
        return BadCell(
            f"column {name!r} holds {cell!r}, which looks like a number with a decimal comma",
            where=where,
            seen=f"{seen.numbers:,} of {seen.present:,} cells are numbers",
            fix="write numbers with a decimal point: 0.3 and not 0,3",
        )
    return BadCell(
        f"column {name!r} holds {cell!r} where a number is needed",
        where=where,
        seen=f"{seen.numbers:,} of {seen.present:,} cells are numbers",
        fix=fix,
    )


def located(files: Files, name: str) -> tuple[str, str]:
    """Where the first cell of a column stands that is not a number, and what it holds."""
    if not files.places:
        return _first_bad(files, name) or ("", "")
    with Reader([place.path for place in files.places]) as reader:
        each = (alone(reader, place).read_like(files) for place in files.places)
        return next((found for one in each if (found := _first_bad(one, name))), (files.source, ""))


def _first_bad(files: Files, name: str) -> tuple[str, str] | None:
    """The same for one file, read in its order; None if all of its cells are numbers."""
    numbered = sql(
        "(SELECT {q} AS cell, {number} AS number, row_number() OVER () AS place, {counts} AS counts FROM {seen})",
        q=identifier(name),
        number=as_number(name, files.types[name]),
        counts=files.counting,
        seen=files.seen(),
    )
    question = sql(
        "SELECT place, cell FROM {numbered} WHERE counts AND cell IS NOT NULL AND number IS NULL", numbered=numbered
    )
    found = files.ask(sql("{question} ORDER BY place LIMIT 1", question=question))
    if not found:
        return None
    row, cell = found[0]
    where = files.line(files.places[0], row + 1) if files.places else f"{files.source}, row {row:,}"
    return f"{where}, column {name!r}", str(cell)[:100]
