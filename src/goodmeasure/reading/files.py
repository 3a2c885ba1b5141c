"""Tables out of files: what each column holds, in bounded memory, all at once or in parts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import numpy as np

from goodmeasure.errors import UsageError
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.sources import Files, described, literal, opened, paths_of, quoted
from goodmeasure.reading.tables import (
    BadCell,
    ColumnKind,
    EmptyTable,
    SampledRows,
    Table,
    TextsCountAsMissing,
    UnreadableTable,
    Values,
    missing_column,
)

MOST_CELLS = 10_000_000
PART = 50_000
MOSTLY = 0.9
_SQL_KIND = {ColumnKind.NUMBER: "DOUBLE", ColumnKind.DATE: "TIMESTAMP", ColumnKind.TEXT: "VARCHAR"}


def read(
    source: str | PathLike[str],
    *,
    where: str | None = None,
    kinds: Mapping[str, ColumnKind] | None = None,
    numbers: Collection[str] = (),
    most_cells: int = MOST_CELLS,
) -> Table:
    """The table in a CSV or Parquet file, in all files that a pattern matches, or (``-``) in what comes in on standard input.

    ``where`` is a condition in SQL on the columns. ``kinds`` says what columns are known to hold; the others are inspected.
    In columns named by ``numbers`` a text among numbers is an error that names its line; in others it counts as missing. A
    table of more than ``most_cells`` cells is sampled. Errors: GM201 to GM206.
    """
    with paths_of(source) as (paths, shown):
        given = opened(paths, shown)
        try:
            return _Reading(given, kinds or {}, numbers).table(where, most_cells)
        finally:
            given.connection.close()


def parts(
    source: str | PathLike[str],
    *,
    kinds: Mapping[str, ColumnKind],
    keep: Collection[str] = (),
    where: str | None = None,
) -> Iterator[Table]:
    """The table in parts of bounded size, in the order of the file: the columns of ``kinds``, and those to ``keep``.

    Errors: GM201 to GM206.
    """
    with paths_of(source) as (paths, shown):
        given = opened(paths, shown)
        try:
            yield from _Reading(given, kinds, ()).parts([*kinds, *keep], where)
        finally:
            given.connection.close()


# --- reading ---


@dataclass(frozen=True)
class _Seen:
    """What a column holds, counted: cells that are there, that are numbers, that are dates."""

    present: int
    numbers: int
    dates: int

    @property
    def kind(self) -> ColumnKind:
        if self.numbers >= MOSTLY * self.present:
            return ColumnKind.NUMBER
        return ColumnKind.DATE if self.dates == self.present else ColumnKind.TEXT


@dataclass
class _Reading:
    """One reading of an open file set."""

    given: Files
    kinds: Mapping[str, ColumnKind]
    numbers: Collection[str]

    def table(self, where: str | None, most_cells: int) -> Table:
        for name in [*self.numbers, *self.kinds]:
            if name not in self.given.types:
                raise missing_column(name, self.given.types, self.given.source)
        if where is not None:
            self.given = self._filtered(where)
        total, seen = self._inspected()
        if total == 0:
            which = f" where {where}" if where else ""
            raise EmptyTable(f"{self.given.source} has no rows{which}")
        remarks = [*self.given.remarks]
        kinds = {name: self._kind(name, seen, remarks) for name in self.given.types}
        columns, sampled = self._fetched(kinds, total, most_cells)
        return Table(columns, self.given.source, total, (*remarks, *sampled))

    def parts(self, names: list[str], where: str | None) -> Iterator[Table]:
        """The named columns, in parts."""
        for name in names:
            if name not in self.given.types:
                raise missing_column(name, self.given.types, self.given.source)
        if where is not None:
            self.given = self._filtered(where)
        total, seen = self._inspected()
        remarks = [*self.given.remarks]
        kinds = {name: self._kind(name, seen, remarks) if name in self.kinds else ColumnKind.TEXT for name in names}
        columns = ", ".join(f"{_cast(name, kind)}" for name, kind in kinds.items())
        cursor = self.given.execute(f"SELECT {columns} FROM {self.given.scan}")
        while rows := cursor.fetchmany(PART):
            cells = dict(zip(kinds, zip(*rows, strict=True), strict=True))
            part = {name: _cells(cells[name], kind) for name, kind in kinds.items()}
            yield Table(part, self.given.source, total, tuple(remarks))
            remarks = []

    def _filtered(self, where: str) -> Files:
        """The same files with numbers and dates as such, so that a condition compares them as such."""
        _, seen = self._inspected()
        sure = {n: s.kind if s.numbers in (0, s.present) else ColumnKind.TEXT for n, s in seen.items()}
        columns = ", ".join(f"CAST({quoted(n)} AS {_SQL_KIND[k]}) AS {quoted(n)}" for n, k in sure.items())
        scan = f"(SELECT * FROM (SELECT {columns} FROM {self.given.scan}) WHERE ({where}\n))"
        filtered = replace(self.given, scan=scan, as_written=False)
        try:
            return replace(filtered, types=described(filtered))
        except UnreadableTable as error:
            raise UsageError(
                f"the condition {where!r} cannot be used",
                seen=error.seen,
                fix="a condition in SQL on the table's columns, e.g. --where \"age >= 18 AND region = 'EU'\"",
            ) from error

    def _inspected(self) -> tuple[int, dict[str, _Seen]]:
        """How many rows there are, and what each column holds: one pass over the files."""
        counts = ["count(*)"]
        for name, kind in self.given.types.items():
            q = quoted(name)
            plain = "VARCHAR" if kind in ("VARCHAR", "BOOLEAN") or kind.startswith("ENUM") else "DOUBLE"
            number = f"count(try_cast({q} AS DOUBLE))" if _may_be_number(kind) else "0"
            date = f"count(try_cast({q} AS TIMESTAMP))" if plain == "VARCHAR" or _is_date(kind) else "0"
            counts += [f"count({q})", number, date]
        total, *found = self.given.execute(f"SELECT {', '.join(counts)} FROM {self.given.scan}").fetchone()
        triples = zip(found[::3], found[1::3], found[2::3], strict=True)
        return total, {name: _Seen(*three) for name, three in zip(self.given.types, triples, strict=True)}

    def _kind(self, name: str, seen: dict[str, _Seen], remarks: list[Remark]) -> ColumnKind:
        found = seen[name]
        strict = name in self.numbers and found.numbers > found.present / 2
        kind = ColumnKind.NUMBER if strict else self.kinds.get(name, found.kind)
        texts = found.present - found.numbers
        if kind is not ColumnKind.NUMBER or not texts:
            return kind
        where, cell = self._located(name)
        if strict or (name in self.kinds and not found.numbers):
            raise BadCell(
                f"column {name!r} holds {cell!r} where a number is needed",
                where=where,
                seen=f"{found.numbers:,} of {found.present:,} cells are numbers",
                fix=f"mend the cell, or leave such rows out: --where {_shell(f'TRY_CAST({quoted(name)} AS DOUBLE) IS NOT NULL')}",
            )
        remarks.append(
            TextsCountAsMissing(
                f"texts among the numbers of column {name!r} ({texts:,} of {found.present:,} cells) count as missing",
                where=where,
                seen=f"{cell!r}",
            )
        )
        return kind

    def _located(self, name: str) -> tuple[str, str]:
        """Where the first cell of a column stands that is not a number, and what it holds."""
        q = quoted(name)
        bad = f"{q} IS NOT NULL AND try_cast({q} AS DOUBLE) IS NULL"
        numbered = f'(SELECT {q}, row_number() OVER () AS "row" FROM {self.given.scan})'
        row, cell = self.given.rows(f'SELECT "row", {q} FROM {numbered} WHERE {bad} ORDER BY "row" LIMIT 1')[0]
        place = self._line(name) if self.given.as_written else ""
        return place or f"{self.given.source}, row {row:,} of the rows read, column {name!r}", cell

    def _line(self, name: str) -> str:
        """The file and line of a cell that is not a number, as the database names them when it must be one."""
        import duckdb

        strict = f"{literal(name)}: 'DOUBLE'"
        scan = self.given.scan.replace(f"{literal(name)}: 'VARCHAR'", strict, 1)
        try:
            self.given.connection.execute(f"SELECT count({quoted(name)}) FROM {scan}")
        except duckdb.Error as error:
            line, path = re.search(r"Line: (\d+)", str(error)), re.search(r"file = (.*)", str(error))
            if line and path:
                shown = self.given.source if self.given.source == "standard input" else path[1]
                return f"{shown}, line {self.given.line(path[1], int(line[1])):,}, column {name!r}"
        return ""

    def _fetched(
        self, kinds: dict[str, ColumnKind], total: int, most_cells: int
    ) -> tuple[dict[str, Values], list[Remark]]:
        columns = ", ".join(f"{_cast(name, kind)} AS {quoted(name)}" for name, kind in kinds.items())
        most = max(1000, most_cells // len(kinds))
        if total <= most:
            arrays = self.given.execute(f"SELECT {columns} FROM {self.given.scan}").fetchnumpy()
            return {name: _array(arrays[name], kind) for name, kind in kinds.items()}, []
        share = most / total
        numbered = f'(SELECT *, row_number() OVER () AS "goodmeasure row" FROM {self.given.scan})'
        chosen = f'hash("goodmeasure row") % 1000000000 < {int(share * 1_000_000_000)}'
        sql = f'SELECT {columns} FROM {numbered} WHERE {chosen} ORDER BY "goodmeasure row"'
        arrays = self.given.execute(sql).fetchnumpy()
        found = {name: _array(arrays[name], kind) for name, kind in kinds.items()}
        taken = len(next(iter(found.values())))
        remark = SampledRows(
            f"{self.given.source} has {total:,} rows; {taken:,} of them were taken at random, to bound the memory used",
            seen=f"{len(kinds)} columns, at most {most_cells:,} cells are held",
        )
        return found, [remark]


def _cast(name: str, kind: ColumnKind) -> str:
    return f"try_cast({quoted(name)} AS {_SQL_KIND[kind]})"


def _may_be_number(sql_type: str) -> bool:
    return not _is_date(sql_type) and sql_type != "BOOLEAN" and not re.search(r"\[|STRUCT|MAP|BLOB|TIME|UUID", sql_type)


def _is_date(sql_type: str) -> bool:
    return sql_type == "DATE" or sql_type.startswith("TIMESTAMP")


def _cells(cells: Any, kind: ColumnKind) -> Values:
    """Fetched cells as a table holds them."""
    if kind is ColumnKind.NUMBER:
        return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
    return np.array(cells, dtype=object if kind is ColumnKind.TEXT else "datetime64[us]")


def _array(values: Any, kind: ColumnKind) -> Values:
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


def _shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
