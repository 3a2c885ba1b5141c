"""Tables out of files: what each column holds, in bounded memory, all at once or in parts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

from goodmeasure.reading.blocks import of_kind
from goodmeasure.reading.connection import Reader
from goodmeasure.reading.dialects import refuse_more
from goodmeasure.reading.frames import read_as
from goodmeasure.reading.inspection import (
    FileTexts,
    SeenColumn,
    bad_cell,
    filtered,
    inspected,
    located,
    notations_in,
    refuse_unknown,
    weighed,
)
from goodmeasure.reading.notation import Notation
from goodmeasure.reading.paths import Places, digest_of, places_of
from goodmeasure.reading.recognition import AS_THE_CELLS_TELL, Written
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.sources import SQL_KIND, Files, Filter, alone, opened
from goodmeasure.reading.sql import Sql, identifier, listed, sql
from goodmeasure.reading.tables import ColumnKind, SampledRows, Table, TextsCountAsMissing, Values, no_rows

MOST_CELLS = 10_000_000
# Beside more columns of texts, the memory that a database may take does not hold one part of the rows.
MOST_AS_TEXTS = 10_000
PART = 50_000


def read(
    source: str | PathLike[str] | Places,
    *,
    where: str | None = None,
    weight: str | None = None,
    kinds: Mapping[str, ColumnKind] | None = None,
    numbers: Collection[str] = (),
    written: Written = AS_THE_CELLS_TELL,
    notations: Mapping[str, Notation] | None = None,
    most_cells: int = MOST_CELLS,
) -> Table:
    """The table in a file of CSV, Parquet or JSON, in all files that a pattern matches, or (``-``) in standard input.

    ``where`` is a condition in SQL on the columns. Of a row whose ``weight`` is zero all other cells are missing, whatever it
    holds. ``kinds`` says what columns are known to hold; the others are inspected.
    In columns named by ``numbers`` a text among numbers is an error that names its line; in others it counts as missing. How
    numbers and dates are ``written`` is told by the cells, where nothing is said and no ``notations`` are known. A table of
    more than ``most_cells`` cells is sampled. Errors: GM201 to GM206, GM211.
    """
    with opened(source) as scanned:
        if scanned.of_texts:
            refuse_more(len(scanned.types), MOST_AS_TEXTS, scanned.source, "write it as Parquet, or leave columns out")
        there = weighed(scanned.written(notations or {}), weight, written)
        total, seen = inspected(there, there.types)
        known = {**there.notations}
        known |= notations_in(there, {name: one for name, one in seen.items() if name not in known}, written)
        files = filtered(there.written(known), where)
        again = files.types if where is not None else files.notations
        if again:
            total, changed = inspected(files, again)
            seen |= changed
        return _Reading(files, kinds or {}, numbers).table(total, seen, most_cells)


def parts(
    source: str | PathLike[str] | Places,
    *,
    kinds: Mapping[str, ColumnKind],
    keep: Collection[str] = (),
    where: str | None = None,
    notations: Mapping[str, Notation] | None = None,
) -> Iterator[Table]:
    """The table in parts of bounded size, in the order of the file: the columns of ``kinds``, and those to ``keep``.

    Errors: GM201 to GM206, GM211.
    """
    with opened(source) as files:
        refuse_unknown([*kinds, *keep], files)
        known = dict(notations or {})
        others = [name for name, kind in kinds.items() if kind is not ColumnKind.TEXT and name not in known]
        if others:
            known |= notations_in(files, inspected(files, others)[1], AS_THE_CELLS_TELL)
        yield from _Reading(filtered(files.written(known), where), kinds, ()).parts([*kinds, *keep], keep)


@dataclass(frozen=True)
class Reread:
    """How a table was read from its files, so that each of them can be read alike by itself, wherever it is.

    ``names`` are the files in their order. Rows of a file are in their order too, those of weight zero among them, and those
    are not for which the condition does not hold.
    """

    names: tuple[str, ...]
    kinds: Mapping[str, ColumnKind]
    notations: Mapping[str, Notation]
    filter: Filter | None = None
    weight: str | None = None

    @staticmethod
    def of(source: str | PathLike[str], table: Table, where: str | None, weight: str | None) -> Reread:
        """How `read` made a table of a source, for a condition and a weight."""
        with opened(source) as files:
            names = tuple(place.name for place in files.places)
            there = files.written(table.notations).weighed(weight)
            return Reread(names, table.kinds, table.notations, filtered(there, where).filter, weight)

    @contextmanager
    def _opened(self, name: str) -> Iterator[Files]:
        with places_of(name) as places, Reader(places.paths, threads=1) as reader:
            files = alone(reader, places.files[0])
            refuse_unknown(self.kinds, files)
            yield files.written(self.notations).weighed(self.weight).filtered(self.filter)

    def count(self, name: str) -> int:
        """How many rows a file has."""
        with self._opened(name) as files:
            ((rows,),) = files.ask(sql("SELECT count(*) FROM {rows}", rows=files.rows()))
        return int(rows)

    def parts(self, name: str, columns: Iterable[str], rows: int) -> Iterator[Table]:
        """Some columns of a file, so many rows at a time. Errors: GM201, GM202, GM203."""
        kinds = {column: self.kinds[column] for column in columns}
        with self._opened(name) as files, files.explaining():
            question = sql("SELECT {columns} FROM {rows}", columns=_columns(kinds), rows=files.rows())
            start = 0
            for arrays in files.reader.stream(question, rows):
                found = {c: of_kind(cells, kind) for cells, (c, kind) in zip(arrays, kinds.items(), strict=True)}
                at = start + np.arange(len(next(iter(found.values()))))
                start += len(at)
                yield Table(found, name, 0, places=at, where=_condition(files))


# --- reading ---


@dataclass(frozen=True)
class _Reading:
    """One reading of an open file set."""

    files: Files
    kinds: Mapping[str, ColumnKind]
    numbers: Collection[str]

    def table(self, total: int, seen: Mapping[str, SeenColumn], most_cells: int) -> Table:
        """All columns, of all rows that count or of a sample of them."""
        files = self.files
        refuse_unknown([*self.numbers, *self.kinds], files)
        if total == 0:
            raise no_rows(files.source, files.filter)
        remarks = [*files.remarks]
        kinds = {name: self._kind(name, seen[name], remarks) for name in files.types}
        remarks += [
            read_as(name, FileTexts(files.written({}).filtered(None), name).samples(), how)
            for name, how in files.notations.items()
        ]
        columns, at, sampled = self._fetched(kinds, total, most_cells)
        remarks += sampled
        digest = digest_of(files.places)
        return Table(
            columns,
            files.source,
            total,
            tuple(remarks),
            notations=files.notations,
            digest=digest,
            where=_condition(files),
            places=at,
        )

    def parts(self, names: list[str], keep: Collection[str]) -> Iterator[Table]:
        """The named columns, in parts; beside those that are learned from, the cells of columns to keep as texts."""
        files = self.files
        refuse_unknown(names, files)
        total, seen = inspected(files, names)
        if total == 0:
            raise no_rows(files.source, files.filter)
        remarks = [*files.remarks]
        kinds = {
            name: self._kind(name, seen[name], remarks) if name in self.kinds else ColumnKind.TEXT for name in names
        }
        kept = [name for name in dict.fromkeys(keep) if name in self.kinds]
        texts = [sql("CAST({q} AS VARCHAR)", q=identifier(name)) for name in kept]
        columns = listed([_columns(kinds), *texts])
        question = sql("SELECT {columns} FROM {rows}", columns=columns, rows=files.rows())
        with files.explaining():
            cursor, start = files.reader.ask(question), 0
            while rows := cursor.fetchmany(PART):
                cells = list(zip(*rows, strict=True))
                part = {name: _cells(cells[i], kind) for i, (name, kind) in enumerate(kinds.items())}
                as_text = {name: _cells(cells[len(kinds) + i], ColumnKind.TEXT) for i, name in enumerate(kept)}
                places = np.arange(start, start + len(rows))
                yield Table(
                    part, files.source, total, tuple(remarks), kept=as_text, places=places, where=_condition(files)
                )
                remarks, start = [], start + len(rows)

    def _kind(self, name: str, found: SeenColumn, remarks: list[Remark]) -> ColumnKind:
        """What a column counts as; a remark is added on texts among its numbers, where they are no error."""
        strict = name in self.numbers and found.numbers > found.present / 2
        kind = ColumnKind.NUMBER if strict else self.kinds.get(name, found.kind)
        texts = found.present - found.numbers
        if kind is not ColumnKind.NUMBER or not texts:
            return kind
        if strict or (name in self.kinds and not found.numbers):
            raise bad_cell(self.files, name, found)
        where, cell = located(self.files, name)
        remarks.append(
            TextsCountAsMissing(
                f"texts among the numbers of column {name!r} ({texts:,} of {found.present:,} cells) count as missing",
                where=where,
                seen=f"{cell!r}",
            )
        )
        return kind

    def _fetched(
        self, kinds: dict[str, ColumnKind], total: int, most_cells: int
    ) -> tuple[dict[str, Values], Values | None, list[Remark]]:
        """All cells, or where there are too many those of rows that are chosen by a hash of their place; and the places."""
        files, columns = self.files, _columns(kinds)
        most = max(1000, most_cells // len(kinds))
        if total <= most:
            arrays = files.ask_arrays(sql("SELECT {columns} FROM {rows}", columns=columns, rows=files.rows()))
            return _held(arrays, kinds), None, []
        question = sql(
            'SELECT {columns}, "goodmeasure row" - 1 FROM (SELECT *, row_number() OVER () AS "goodmeasure row" FROM {rows}) '
            'WHERE hash("goodmeasure row") % 1000000000 < {limit} ORDER BY "goodmeasure row"',
            columns=columns,
            rows=files.rows(),
            limit=int(most / total * 1_000_000_000),
        )
        *arrays, at = files.ask_arrays(question)
        found = _held(arrays, kinds)
        taken = len(next(iter(found.values())))
        remark = SampledRows(
            f"{files.source} has {total:,} rows; {taken:,} of them were taken at random, to bound the memory used",
            seen=f"{len(kinds)} columns, at most {most_cells:,} cells are held",
        )
        return found, np.asarray(at, dtype=np.intp), [remark]


def _condition(files: Files) -> str:
    """The condition that rows were read under, as it was typed; empty where there was none."""
    return "" if files.filter is None else str(files.filter)


def _columns(kinds: dict[str, ColumnKind]) -> Sql:
    """Columns as what they count as; a cell that is none is missing."""
    return listed(
        sql("try_cast({name} AS {kind}) AS {name}", name=identifier(name), kind=SQL_KIND[kind])
        for name, kind in kinds.items()
    )


def _held(arrays: list[Any], kinds: dict[str, ColumnKind]) -> dict[str, Values]:
    """Fetched columns as a table holds them, by name."""
    return {name: held(values, kind) for values, (name, kind) in zip(arrays, kinds.items(), strict=True)}


def _cells(cells: Any, kind: ColumnKind) -> Values:
    """Fetched cells as a table holds them."""
    if kind is ColumnKind.NUMBER:
        return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
    return np.array(cells, dtype=object if kind is ColumnKind.TEXT else "datetime64[us]")


def held(values: Any, kind: ColumnKind) -> Values:
    """A fetched column as a table holds it."""
    lost = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    plain = np.ma.getdata(values)
    if kind is ColumnKind.NUMBER:
        plain = plain.astype(np.float64)
    elif kind is ColumnKind.DATE:
        plain = plain.astype("datetime64[us]")
    if lost is not None and lost.any():
        plain = plain.copy()
        plain[lost] = {ColumnKind.NUMBER: np.nan, ColumnKind.DATE: np.datetime64("NaT"), ColumnKind.TEXT: None}[kind]
    return plain
