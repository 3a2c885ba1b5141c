"""Columns block by block: numbers, truths, texts as they are written, and labels as their places in a list."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goodmeasure.errors import Problem, UsageError
from goodmeasure.reading.connection import database
from goodmeasure.reading.inspection import bad_cell, inspected
from goodmeasure.reading.plain_parquet import PlainFile, plain_file
from goodmeasure.reading.sources import AS_THEY_ARE, CsvFiles, Files, Types
from goodmeasure.reading.sql import Sql, case, identifier, listed, literal, sql
from goodmeasure.reading.sql_types import as_number, is_number, is_text
from goodmeasure.reading.tables import ColumnKind, Values


class CodedTexts(NamedTuple):
    """The texts of some rows as places in a list of different ones; one that is missing is empty."""

    codes: NDArray[Any]
    names: list[str]


Columns = Iterator[dict[str, Any]]
Block = dict[str, Any]
"""Columns of some rows: arrays of numbers, of which a missing one is NaN; keys as `CodedTexts`, or whole numbers."""

# Types of numbers that arrays hold as they are.
_PLAIN = frozenset({"DOUBLE", "FLOAT", "TINYINT", "UTINYINT", "SMALLINT", "INTEGER", "BIGINT"})
_BROKEN = frozenset({"DOUBLE", "FLOAT"})
_WHOLE = _PLAIN - _BROKEN
MOST_LABELS = 10_000
_MOST_EXACT = 1 << 53  # below it, every whole number is a double


@dataclass(frozen=True)
class WantedColumns:
    """Which columns are wanted, and as what.

    A cell of a column with ``labels``, each with all ways to write it, becomes the place of its label in them, or -1 if it is
    none of them.
    """

    numbers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    truths: tuple[str, ...] = ()
    labels: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = ()


class Stretch(NamedTuple):
    """Rows of a table in their order, block after block; ``beside`` says whether others may be read meanwhile."""

    blocks: Generator[Block, None, None]
    beside: bool


def stretches(files: Files, wanted: WantedColumns, rows: int) -> list[Stretch]:
    """The wanted columns of the rows that count, one stretch after another, in blocks of at most so many rows.

    Raises:
        GM202: a file is damaged
        GM206: a cell is not the number that is needed
    """
    for name in wanted.numbers:
        if not is_number(files.types[name]):
            _refuse_what_is_no_number(files, name)
    file = _plain(files, wanted)
    if file is None:
        return [Stretch(_read(_by_database(files, wanted, rows), wanted), beside=False)]
    read = (_by_arrow(file, groups, files, wanted, rows) for groups in file.parts())
    return [Stretch(_read(columns, wanted), beside=True) for columns in read]


def _read(found: Columns, wanted: WantedColumns) -> Generator[Block, None, None]:
    for columns in found:
        yield {name: _keys(column) if name in wanted.texts else _array(column) for name, column in columns.items()}


def _plain(files: Files, wanted: WantedColumns) -> PlainFile | None:
    """The file, where Arrow alone reads the wanted columns as they are; None where only the database does."""
    kinds = {name: files.types[name] for name in (*wanted.numbers, *wanted.texts)}
    numbers = all(kinds[name] in _PLAIN for name in wanted.numbers)
    keys = all(kinds[name] in _WHOLE or kinds[name] == "VARCHAR" for name in wanted.texts)
    if wanted.truths or wanted.labels or not (files.is_one_parquet and numbers and keys):
        return None
    return plain_file(files.places[0].path, kinds)


def _by_arrow(file: PlainFile, groups: list[int], files: Files, wanted: WantedColumns, rows: int) -> Columns:
    from pyarrow import ArrowException

    try:
        for columns in file.batches(groups, rows):
            yield dict(zip(file.wanted, columns, strict=True))
    except (ArrowException, OSError) as error:
        # What is wrong with a damaged file is said by the database, in whichever way it is read.
        for _ in _by_database(files, wanted, rows):
            pass
        raise files.damaged(str(error)) from error


def _by_database(files: Files, wanted: WantedColumns, rows: int) -> Columns:
    duckdb = database()
    declared = _declared(files, wanted)
    kinds = {**files.types, **declared}
    selected = {
        **{name: _number(name, kinds[name]) for name in wanted.numbers},
        **{name: sql("CAST(CAST({q} AS BOOLEAN) AS DOUBLE)", q=identifier(name)) for name in wanted.truths},
        **{name: _place(name, labels, files.types[name]) for name, labels in wanted.labels},
        **{name: _key(name, files.types[name]) for name in wanted.texts},
    }
    question = sql("SELECT {selected} FROM {rows}", selected=listed(selected.values()), rows=files.rows(declared))
    try:
        for columns in files.reader.stream(question, rows):
            yield dict(zip(selected, columns, strict=True))
    except duckdb.Error as error:
        raise _why(error, files, wanted) from error


def _declared(files: Files, wanted: WantedColumns) -> Types:
    """Columns that the reader of CSV parses as numbers at once, which is faster; a bad cell may stand in a row to leave out."""
    texts = all(isinstance(each, CsvFiles) for each in files.scanned)
    plain = [name for name in wanted.numbers if name not in files.notations]
    every = files.filter is None and files.weight is None
    return dict.fromkeys(plain, "DOUBLE") if texts and every else AS_THEY_ARE


def _number(name: str, kind: str) -> Sql:
    return identifier(name) if kind in _PLAIN else sql("CAST({q} AS DOUBLE)", q=identifier(name))


def _text(name: str) -> Sql:
    return sql("CAST({q} AS VARCHAR)", q=identifier(name))


def _key(name: str, kind: str) -> Sql:
    """A cell as a text, or as the whole number that it is, which is told apart in less time."""
    if kind in _WHOLE:
        return identifier(name)
    if kind not in _BROKEN:
        return _text(name)
    # Of a file whose statistics pass over NaN, the database says that no number of it is one. What 0 / 0 is has a sign.
    missing = sql("{text} IN ('nan', '-nan')", text=_text(name))
    return case([(missing, sql("NULL"))], otherwise=_text(name))


def _place(name: str, labels: tuple[tuple[str, ...], ...], kind: str) -> Sql:
    """The place of a cell's label in a list. Whole numbers are labels however they are written: 1 is 1.0."""
    numbers = [whole(label) for label, *_ in labels]
    if None in numbers:
        cell, written = _text(name), [listed(map(literal, ways)) for ways in labels]
    else:
        cell, written = as_number(name, kind), [sql("{number}", number=number or 0) for number in numbers]
    absent = (sql("{q} IS NULL", q=identifier(name)), sql("NULL"))
    found = [
        (sql("{cell} IN ({ways})", cell=cell, ways=each), sql("{i}::DOUBLE", i=i)) for i, each in enumerate(written)
    ]
    return case([absent, *found], otherwise=sql("-1"))


def _keys(column: Any) -> CodedTexts | NDArray[Any]:
    """A column of texts or whole numbers of Arrow, or of cells, as keys."""
    if isinstance(column, tuple):
        place: dict[str, int] = {}
        codes = [place.setdefault("" if cell is None else str(cell), len(place)) for cell in column]
        return CodedTexts(np.array(codes), [*place])
    kind = str(column.type)
    if not kind.startswith(("string", "dictionary")):
        if not column.null_count:
            return np.from_dlpack(column)
        column = column.cast("string")
    found = column.dictionary_encode()  # what is encoded stays as it is
    names = found.dictionary.to_pylist()
    if found.null_count:
        return CodedTexts(np.from_dlpack(found.indices.fill_null(len(names))), [*names, ""])
    return CodedTexts(np.from_dlpack(found.indices), names)


def _array(column: Any) -> NDArray[Any]:
    """A column of numbers of Arrow, or of cells, as an array."""
    if isinstance(column, tuple):
        return np.array([np.nan if number is None else number for number in column])
    if str(column.type) == "double" and len(column):
        # Arrow's own way to an array of NumPy imports pandas, which takes longer than many files.
        return np.from_dlpack(column.fill_null(np.nan) if column.null_count else column)
    return np.asarray(column.to_numpy(zero_copy_only=False))


def of_kind(column: Any, kind: ColumnKind) -> Values:
    """A column of Arrow, or of cells, as a table holds it."""
    if kind is ColumnKind.NUMBER:
        return _array(column).astype(np.float64, copy=False)
    if isinstance(column, tuple):
        return np.array(column, dtype=object if kind is ColumnKind.TEXT else "datetime64[us]")
    if kind is ColumnKind.DATE:
        return np.asarray(column.to_numpy(zero_copy_only=False)).astype("datetime64[us]", copy=False)
    # Each different text is made once: a place behind the last stands for one that is missing.
    coded = column.dictionary_encode()
    texts = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
    return np.asarray(texts[np.from_dlpack(coded.indices.fill_null(len(texts) - 1))])


def _refuse_what_is_no_number(files: Files, name: str) -> None:
    """Refuse a column of dates, truths or lists, if there is a cell in it. Error: GM206."""
    seen = inspected(files, [name])[1][name]
    if seen.present:
        raise bad_cell(files, name, seen)


def _why(error: Exception, files: Files, wanted: WantedColumns) -> Problem:
    """Why reading stopped: a cell that is no number, or what the database says."""
    for name, seen in inspected(files, wanted.numbers)[1].items():
        if seen.numbers < seen.present:
            return bad_cell(files, name, seen)
    return files.explained(error)


# --- what stands in a column of labels ---


def first_cells(files: Files, name: str) -> Literal["numbers", "truths", "texts"]:
    """What the first cells of a column are that are there."""
    kind = files.types[name]
    if not is_text(kind):
        return "truths" if kind == "BOOLEAN" else "numbers"
    texts = sql("(SELECT {text} AS cell FROM {rows})", text=_text(name), rows=files.rows())
    question = sql(
        "SELECT count(*), count(try_cast(cell AS DOUBLE)), count(CASE WHEN lower(cell) IN ('true', 'false') THEN 1 END) "
        "FROM (SELECT cell FROM {texts} WHERE cell IS NOT NULL LIMIT 1000)",
        texts=texts,
    )
    ((cells, numbers, truths),) = files.ask(question)
    if truths and truths == cells:
        return "truths"
    return "numbers" if numbers > cells / 2 or not cells else "texts"


def counted_labels(files: Files, name: str, most: int) -> dict[str, int]:
    """How often each label of a column of texts occurs; none where there are more than so many different ones."""
    cells = sql("(SELECT {q} AS cell FROM {rows})", q=_text(name), rows=files.rows())
    question = sql(
        "SELECT cell, count(*) FROM {cells} WHERE cell IS NOT NULL GROUP BY cell LIMIT {limit}",
        cells=cells,
        limit=most + 1,
    )
    found = {str(cell): int(count) for cell, count in files.ask(question)} if is_text(files.types[name]) else {}
    return found if len(found) <= most else {}


def labels_in(files: Files, name: str) -> list[str]:
    """The different labels of a column, in order; whole numbers as such.

    Raises:
        GM009: there are too many to be classes
    """
    some = sql("(SELECT DISTINCT {q} AS cell FROM {rows})", q=_text(name), rows=files.rows())
    most = MOST_LABELS + 1
    found = [
        str(cell)
        for (cell,) in files.ask(
            sql("SELECT cell FROM {some} WHERE cell IS NOT NULL LIMIT {most}", some=some, most=most)
        )
    ]
    if len(found) > MOST_LABELS:
        raise UsageError(f"column {name!r} has more than {MOST_LABELS:,} labels", fix="name a column of classes")
    numbers = [whole(label) for label in found]
    if None in numbers:
        return sorted(found)
    return [str(number) for number in sorted({number for number in numbers if number is not None})]


def whole(label: str) -> int | None:
    """The whole number that a label is, if it is one."""
    try:
        number = float(label)
    except ValueError:
        return None
    return int(number) if number.is_integer() and abs(number) < _MOST_EXACT else None
