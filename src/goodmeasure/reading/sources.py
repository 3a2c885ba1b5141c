"""CSV and Parquet files as one table to the database: every file by its own header, and only the rows that count."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

from goodmeasure.errors import Problem
from goodmeasure.reading.conditions import Condition, unusable
from goodmeasure.reading.connection import FRAME, IN_ANY_ORDER, Reader, database
from goodmeasure.reading.dialects import QUOTE, Dialect, dialect_of, names_in, refuse_names
from goodmeasure.reading.foreign import BEGINNING, json_rows
from goodmeasure.reading.notation import Notation
from goodmeasure.reading.paths import PARQUET, Place, Places, is_compressed, places_of, told, uncompressed
from goodmeasure.reading.plain_parquet import plain_columns
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.ruled import ReadInColumns
from goodmeasure.reading.sql import Sql, as_named, case, identifier, listed, literal, quoted, sql, typed, united
from goodmeasure.reading.sql_types import as_number, is_text
from goodmeasure.reading.tables import NEEDS_ROWS, ColumnKind, ColumnsDiffer, OtherEncoding, UnreadableTable
from goodmeasure.reading.tables import listed as named

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "?")
SQL_KIND = {ColumnKind.NUMBER: Sql("DOUBLE"), ColumnKind.DATE: Sql("TIMESTAMP"), ColumnKind.TEXT: Sql("VARCHAR")}
_MEND = "mend or remove the file"
_PARQUET_SUFFIXES = (".parquet", ".pq")
Types = Mapping[str, str]
"""Columns with the type in SQL that each has, or shall be read as."""
AS_THEY_ARE: Types = {}
NULL = Sql("NULL")


class Scannable(Protocol):
    """Something that the database scans: files that are written alike, or a frame in memory."""

    @property
    def types(self) -> Types: ...

    def scan(self, declared: Types) -> Sql: ...


@dataclass(frozen=True)
class CsvFiles:
    """CSV files that are written alike, with the same columns in the same order."""

    types: Types
    places: tuple[Place, ...]
    dialect: Dialect

    def scan(self, declared: Types) -> Sql:
        """The SQL that reads them: columns are texts, unless another type is declared for them."""
        return sql(
            "read_csv({paths}, columns={columns}, delim={delim}, encoding={encoding}, compression={compression}, "
            "nullstr={missing}, quote={quote}, escape={quote}, header=true, auto_detect=false, hive_partitioning=false, "
            "max_line_size=20000000, buffer_size=32000000, skip={skipped}{line_end})",
            skipped=self.dialect.skipped,
            line_end=self._line_end,
            paths=literal(place.path for place in self.places),
            columns=typed((identifier(name), declared.get(name, kind)) for name, kind in self.types.items()),
            delim=literal(self.dialect.delimiter),
            encoding=literal(self.dialect.encoding),
            compression=literal("gzip" if self.dialect.compressed else "none"),
            missing=literal(MISSING),
            quote=literal(QUOTE),
        )

    @property
    def _line_end(self) -> Sql:
        return sql(", new_line={end}", end=literal(self.dialect.line_end)) if self.dialect.line_end else Sql("")


@dataclass(frozen=True)
class ParquetFiles:
    """Parquet files with the same columns of the same types."""

    types: Types
    places: tuple[Place, ...]

    def scan(self, declared: Types) -> Sql:
        """The SQL that reads them: their columns have types of their own."""
        paths = literal(place.path for place in self.places)
        return _renamed(sql("read_parquet({paths}, hive_partitioning=false)", paths=paths), self.types)


@dataclass(frozen=True)
class JsonFiles:
    """Files of JSON objects, a row each: one a line, or all in one list. Cells are read as texts, as those of CSV are."""

    types: Types
    places: tuple[Place, ...]
    form: str
    compressed: bool

    def scan(self, declared: Types) -> Sql:
        """The SQL that reads them: columns are texts, unless another type is declared for them."""
        kinds = {name: declared.get(name, kind) for name, kind in self.types.items()}
        if len({name.casefold() for name in kinds}) < len(kinds):
            return self._one_by_one(kinds)
        columns = typed((quoted(name), kind) for name, kind in kinds.items())
        return _renamed(
            sql("read_json({how}, records='true', columns={columns})", how=self._how, columns=columns), kinds
        )

    def _one_by_one(self, kinds: Types) -> Sql:
        """The same where names differ in capitals alone: each is taken out of its object by itself."""
        cells = listed(
            sql(
                "json_transform(json, {shape}).{name} AS {known}",
                shape=literal(json.dumps({name: kind})),
                name=quoted(name),
                known=identifier(name),
            )
            for name, kind in kinds.items()
        )
        return sql("(SELECT {cells} FROM read_json_objects({how}))", cells=cells, how=self._how)

    def names(self) -> Sql:
        """The question for every name in them, in the order in which they appear."""
        return sql(
            "SELECT name FROM (SELECT name, row_number() OVER () AS place FROM "
            "(SELECT unnest(json_keys(json)) AS name FROM read_json_objects({how}))) GROUP BY name ORDER BY min(place)",
            how=self._how,
        )

    @property
    def _how(self) -> Sql:
        return sql(
            "{paths}, format={form}, compression={compression}, maximum_object_size=20000000",
            paths=literal(place.path for place in self.places),
            form=literal(self.form),
            compression=literal("gzip" if self.compressed else "none"),
        )


@dataclass(frozen=True)
class Frame:
    """A frame in memory, which the database knows."""

    types: Types

    def scan(self, declared: Types) -> Sql:
        """The SQL that reads it."""
        return _renamed(FRAME, self.types)


def _renamed(scan: Sql, types: Types) -> Sql:
    """What is scanned, with its columns under the names that tell capitals apart."""
    if not types:
        return scan
    return sql("(SELECT * FROM {scan} AS scanned({names}))", scan=scan, names=listed(map(identifier, types)))


@dataclass(frozen=True)
class Filter:
    """Which rows count: those for which a condition holds. It sees texts that all are numbers, or all are dates, as such."""

    condition: Condition
    kinds: tuple[tuple[str, ColumnKind], ...]

    def __str__(self) -> str:
        return self.condition.text


@dataclass(frozen=True)
class Files:
    """An open file set: who reads it, what is scanned, its columns with their types, and which rows count.

    Columns of ``notations`` are scanned as texts that every program reads as numbers or dates. A row whose ``weight`` is zero
    is not there: whatever its other cells hold, they are read as missing.
    """

    reader: Reader
    scanned: tuple[Scannable, ...]
    types: Types
    source: str
    places: tuple[Place, ...] = ()
    remarks: tuple[Remark, ...] = ()
    filter: Filter | None = None
    notations: Mapping[str, Notation] = field(default_factory=dict)
    weight: str | None = None

    def written(self, notations: Mapping[str, Notation]) -> Files:
        """The same files, of which some columns are written in ways of their own."""
        texts = {name: how for name, how in notations.items() if is_text(self.types.get(name, ""))}
        return replace(self, notations=texts)

    @property
    def of_texts(self) -> bool:
        """Whether cells are texts where they stand, and not of a type of their own."""
        return any(isinstance(each, CsvFiles | JsonFiles) for each in self.scanned)

    @property
    def is_one_parquet(self) -> bool:
        """Whether this is one Parquet file, every row of which counts."""
        (each, *others) = self.scanned
        alone = isinstance(each, ParquetFiles) and len(each.places) == 1 and not others
        return alone and self.filter is None and self.weight is None and not self.notations

    def filtered(self, filter: Filter | None) -> Files:
        """The same files, of which only some rows count."""
        kinds = {} if filter is None else {name: str(SQL_KIND[kind]) for name, kind in filter.kinds}
        return replace(self, filter=filter, types={**self.types, **kinds})

    def weighed(self, weight: str | None) -> Files:
        """The same files, with the column that says how much each row counts, if there is one."""
        return replace(self, weight=weight)

    def read_like(self, other: Files) -> Files:
        """The same files, written, weighed and filtered as others are."""
        return self.written(other.notations).weighed(other.weight).filtered(other.filter)

    def scan(self, declared: Types = AS_THEY_ARE) -> Sql:
        """The SQL that reads all rows, whether they count or not."""
        if not self.notations:
            return self._as_they_stand(declared)
        rewritten = listed(
            sql("{how} AS {name}", how=how.sql(identifier(name)), name=identifier(name))
            for name, how in self.notations.items()
        )
        scan = self._as_they_stand(declared)
        return sql("(SELECT * REPLACE ({rewritten}) FROM {scan})", rewritten=rewritten, scan=scan)

    def _as_they_stand(self, declared: Types) -> Sql:
        """The SQL that reads the cells of all rows as they were typed."""
        if len(self.scanned) == 1:
            return self.scanned[0].scan(declared)
        names = listed(map(identifier, self.types))
        return united(sql("SELECT {names} FROM {scan}", names=names, scan=each.scan(declared)) for each in self.scanned)

    def rows(self, declared: Types = AS_THEY_ARE) -> Sql:
        """The SQL that reads the rows that count."""
        fitting = self.scan(declared)
        if self.filter is not None:
            fitting = sql("(SELECT * FROM {seen} WHERE {fits})", seen=self.seen(declared), fits=self._fits)
        if self.weight is None:
            return fitting
        columns = listed(self._emptied(name) for name in self.types)
        return sql("(SELECT {columns} FROM {fitting})", columns=columns, fitting=fitting)

    def _emptied(self, name: str) -> Sql:
        """A column, without the cells of rows that are not there."""
        q = identifier(name)
        return q if name == self.weight else sql("{cell} AS {q}", cell=case([(self._there, q)], otherwise=NULL), q=q)

    @property
    def _there(self) -> Sql:
        """Whether a row is there. One whose weight is no number is: that is told of."""
        if self.weight is None:
            return sql("true")
        return sql("({weight} IS DISTINCT FROM 0)", weight=as_number(self.weight, self.types[self.weight]))

    @property
    def _fits(self) -> Sql:
        """Whether the condition holds for a row; what a row that is not there holds cannot make it fail."""
        if self.filter is None:
            return sql("true")
        holds = self.filter.condition.sql
        return holds if self.weight is None else case([(self._there, holds)], otherwise=sql("TRY({it})", it=holds))

    @property
    def counting(self) -> Sql:
        """Whether a row is there and the condition holds for it."""
        return case([(self._there, self._fits)], otherwise=sql("false"))

    def seen(self, declared: Types = AS_THEY_ARE) -> Sql:
        """The SQL that reads all rows as the condition sees them."""
        kinds = dict(self.filter.kinds if self.filter is not None else ())
        columns = listed(cast(name, kinds[name]) if name in kinds else identifier(name) for name in self.types)
        return sql("(SELECT {columns} FROM {scan})", columns=columns, scan=self.scan(declared))

    def ask(self, question: Sql) -> list[tuple[Any, ...]]:
        """The rows of the answer to a question."""
        with self.explaining():
            return list(self.reader.ask(question).fetchall())

    def ask_arrays(self, question: Sql) -> list[Any]:
        """The columns of the answer to a question, as NumPy arrays."""
        with self.explaining():
            return list(self.reader.ask(question).fetchnumpy().values())

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """What the database finds wrong is said in our words."""
        duckdb = database()
        try:
            yield
        except duckdb.Error as error:
            raise self.explained(error) from error

    def explained(self, error: Exception) -> Problem:
        """What is wrong: the condition, if the files can be read without it."""
        duckdb = database()
        if self.filter is None:
            return _unreadable(error, self)
        counts = listed(sql("count({name})", name=identifier(name)) for name in self.types)
        try:
            self.reader.ask(sql("SELECT {counts} FROM {scan}", counts=counts, scan=self.scan())).fetchall()
        except duckdb.Error as without:
            return _unreadable(without, self)
        return unusable(self.filter.condition.text, as_named(str(error)).splitlines()[0])

    def at(self, row: int) -> int:
        """The how-many-th row it is, from 0, that is the so-many-th of those for which the condition holds."""
        numbered = sql(
            "(SELECT {fits} AS fits, row_number() OVER () AS place FROM {seen})", fits=self._fits, seen=self.seen()
        )
        question = sql(
            "SELECT place FROM {numbered} WHERE fits ORDER BY place LIMIT 1 OFFSET {row}", numbered=numbered, row=row
        )
        ((place,),) = self.ask(question)
        return int(place) - 1

    def damaged(self, seen: str) -> UnreadableTable:
        """The error for files of which another reader says that they are damaged."""
        what = f"{self.source} cannot be read as a table"
        return UnreadableTable(what, where=self.source, seen=seen.splitlines()[0], fix=_MEND)

    def line(self, place: Place, record: int, *, empty_count: bool = False) -> str:
        """Where a record of a file stands (the header is record 1), as people say it."""
        written = next((each for each in self.scanned if isinstance(each, CsvFiles) and place in each.places), None)
        line = None if written is None else written.dialect.line(place, record, empty_count=empty_count)
        if line is not None:
            return f"{place.name}, line {line:,}"
        return f"{place.name}, row {record - 1:,}"


def cast(name: str, kind: ColumnKind) -> Sql:
    """A column as one of a kind, under its own name: every cell of a row that is there must be of that kind."""
    return sql("TRY_CAST({name} AS {kind}) AS {name}", name=identifier(name), kind=SQL_KIND[kind])


def _unreadable(error: Exception, files: Files) -> UnreadableTable:
    """The database's words in ours: which file and line, and what is wrong with it."""
    duckdb = database()
    text = as_named(str(error))
    place = max((each for each in files.places if each.path in text), key=lambda each: len(each.path), default=None)
    record, original = re.search(r"Line: (\d+)", text), re.search(r"Original Line: (.*)", text)
    expected = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    seen = text.splitlines()[0].split(" Error: ", 1)[-1]
    if place is not None:
        seen = seen.replace(place.path, place.name)
    if record and expected:
        seen = f"{expected[2]} cells where the header has {expected[1]}"
    name = files.source if place is None else place.name
    if isinstance(error, duckdb.OutOfMemoryException):
        return UnreadableTable(
            f"{name} takes more memory to read than there is",
            where=name,
            seen=f"{len(files.types):,} columns; {seen}",
            fix="write it as Parquet, with the columns that are needed",
        )
    if "state machine" in seen:
        return UnreadableTable(
            f"lines of {name} end in two ways",
            where=name,
            seen="some end in a line feed, others in a carriage return and a line feed",
            fix="write all lines with one end: tr -d '\\r' < OLD.csv > NEW.csv",
        )
    return UnreadableTable(
        f"{name} cannot be read as a table",
        where=files.line(place, int(record[1]), empty_count=True) if record and place else name,
        seen=f"{seen}: {original[1][:100]}" if original else seen,
        fix="mend the line; every line needs as many cells as the header" if record else _MEND,
    )


# --- opening ---


@contextmanager
def opened(source: str | PathLike[str] | Places) -> Iterator[Files]:
    """Open files together; nothing else can be read while they are open.

    Raises:
        GM201: there is no such file
        GM202: a file is damaged, or no table
        GM204: columns of a file share a name
        GM205: a file has not even a header
        GM724: the files have different columns
    """
    with places_of(source) as places, Reader(places.paths) as reader:
        yield together(reader, places)


def together(reader: Reader, places: Places) -> Files:
    """All files of a source as one. Errors: those of `opened`."""
    each = [alone(reader, place) for place in places.files]
    for other in each[1:]:
        refuse_other_columns(set(each[0].types) ^ set(other.types), other, each[0])
    scanned = tuple(_alike([one.scanned[0] for one in each]))
    remarks = {remark.code: remark for one in reversed(each) for remark in one.remarks}
    found = Files(reader, scanned, each[0].types, places.source, places.files, tuple(remarks.values()))
    return found if len(scanned) == 1 else replace(found, types=_described(found, found.types))


def alone(reader: Reader, place: Place) -> Files:
    """One file. Errors: those of `opened`."""
    if _is_parquet(place):
        return _parquet(reader, place)
    if form := _json_form(place):
        return _json(reader, place, form)
    dialect, remarks = dialect_of(place)
    if place.encoding:
        remarks = (
            OtherEncoding(f"{place.name} is not UTF-8; it was read as {place.encoding.capitalize()}", where=place.name),
        )
    if place.ruled:
        what = f"{place.name} has no marks between its cells, and was read in columns between blanks"
        remarks = (*remarks, ReadInColumns(what))
    types = dict.fromkeys(names_in(dialect, place), "VARCHAR")
    return Files(reader, (CsvFiles(types, (place,), dialect),), types, place.name, (place,), remarks)


def _is_parquet(place: Place) -> bool:
    """Whether a file is Parquet, by how it begins. Error: GM202 if it is only called so."""
    with told(place.name), Path(place.path).open("rb") as file:
        start = file.read(len(PARQUET))
    if start and start != PARQUET and place.name.endswith(_PARQUET_SUFFIXES):
        what = f"{place.name} is called Parquet, and is not"
        raise UnreadableTable(what, where=place.name, seen=f"it begins with {start!r}", fix=_MEND)
    return start == PARQUET


def _json_form(place: Place) -> str | None:
    """How rows of JSON stand in a file; None where it is no such file."""
    with told(place.name), uncompressed(place.path) as file:
        return json_rows(file.read(BEGINNING))


def _json(reader: Reader, place: Place, form: str) -> Files:
    """A file of JSON objects, whose columns are all names in it. Errors: GM202, GM204."""
    with told(place.name):
        bare = JsonFiles(AS_THEY_ARE, (place,), form, is_compressed(place.path))
    found = Files(reader, (bare,), AS_THEY_ARE, place.name, (place,))
    names = [str(name) for (name,) in found.ask(bare.names())]
    if not names:
        raise UnreadableTable(f"{place.name} holds no rows with names", where=place.name, fix=NEEDS_ROWS)
    refuse_names(names, place.name)
    types = dict.fromkeys(names, "VARCHAR")
    return replace(found, scanned=(replace(bare, types=types),), types=types)


def names_in_first(places: Places) -> list[str]:
    """The columns of the first file of a source. Errors: those of `opened`."""
    with Reader(places.paths[:1], **IN_ANY_ORDER) as reader:
        return list(alone(reader, places.files[0]).types)


def framed(reader: Reader, names: Iterable[str]) -> Files:
    """The frame that a reader knows, whose columns have these names."""
    found = Files(reader, (Frame(AS_THEY_ARE),), AS_THEY_ARE, "frame")
    types = _described(found, names)
    return replace(found, scanned=(Frame(types),), types=types)


def _parquet(reader: Reader, place: Place) -> Files:
    found = Files(reader, (ParquetFiles(AS_THEY_ARE, (place,)),), AS_THEY_ARE, place.name, (place,))
    columns = plain_columns(place.path)
    if columns is None:
        names = _outermost(
            found.ask(sql("SELECT name, num_children FROM parquet_schema({path})", path=literal(place.path)))
        )
    else:
        names = [name for name, _ in columns]
    refuse_names(names, place.name)
    types = _described(found, names) if columns is None else dict(columns)
    return replace(found, scanned=(ParquetFiles(types, (place,)),), types=types)


def _outermost(schema: Sequence[tuple[str, int | None]]) -> list[str]:
    """The names of the columns in a Parquet schema, which lists their parts behind them."""
    names, inside = [], 0
    for name, children in schema[1:]:
        if not inside:
            names.append(name)
        inside = max(0, inside - 1) + (children or 0)
    return names


def _described(files: Files, names: Iterable[str]) -> dict[str, str]:
    """The columns of what is scanned, with their types in SQL."""
    question = sql("SELECT column_type FROM (DESCRIBE SELECT * FROM {scan})", scan=files.scan())
    return dict(zip(names, (str(kind) for (kind,) in files.ask(question)), strict=True))


def _alike(scanned: list[Any]) -> Iterator[Scannable]:
    """Neighbours that are written alike put together, so that the database scans them at once."""
    for _, group in groupby(scanned, key=lambda one: (list(one.types.items()), replace(one, places=()))):
        members = list(group)
        yield replace(members[0], places=tuple(place for member in members for place in member.places))


def refuse_other_columns(apart: set[str], other: Files, first: Files) -> None:
    """Refuse a file that differs in these columns from the first one. Error: GM724."""
    if apart:
        lacking, more = sorted(apart & set(first.types)), sorted(apart - set(first.types))
        raise ColumnsDiffer(
            f"{other.source} has other columns than {first.source}",
            where=other.source,
            seen="; ".join(
                f"{word} {named(map(repr, names))}" for word, names in (("lacks", lacking), ("has", more)) if names
            ),
            fix=_MEND,
        )
