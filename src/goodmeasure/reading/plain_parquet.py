"""Parquet files whose columns Arrow reads as they are wanted, in half the time that it takes to have them from the database.

Which way a file is read depends on the file alone, and both give the same numbers in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

TYPES = {
    "DOUBLE": "double",
    "FLOAT": "float",
    "TINYINT": "int8",
    "UTINYINT": "uint8",
    "SMALLINT": "int16",
    "INTEGER": "int32",
    "BIGINT": "int64",
    "VARCHAR": "string",
}
"""Types in SQL, and what Arrow calls columns that hold the same in the same way."""

# Physical, converted and logical types of Parquet, and what the database calls columns of them.
_IN_SQL = {
    ("DOUBLE", "NONE", "NONE"): "DOUBLE",
    ("FLOAT", "NONE", "NONE"): "FLOAT",
    ("BOOLEAN", "NONE", "NONE"): "BOOLEAN",
    ("INT32", "NONE", "NONE"): "INTEGER",
    ("INT64", "NONE", "NONE"): "BIGINT",
    ("INT32", "DATE", "DATE"): "DATE",
    ("BYTE_ARRAY", "UTF8", "STRING"): "VARCHAR",
    **{
        ("INT64" if bits == 64 else "INT32", f"{sign}INT_{bits}", "INT"): f"{sign}{name}"
        for sign in ("", "U")
        for bits, name in ((8, "TINYINT"), (16, "SMALLINT"), (32, "INTEGER"), (64, "BIGINT"))
    },
}
# A smaller file is read before Arrow's reader is loaded.
LEAST_BYTES = 1 << 20
# Bytes of a column that are fetched at a time: a row group may be larger than memory.
_FETCHED = 1 << 17
# Rows that a thread reads by itself: it takes some hundredths of a second.
PART = 1 << 21


def plain_columns(path: str) -> list[tuple[str, str]] | None:
    """The columns of a file with their types in SQL, as the database tells them, in a fifth of the time.

    None where only the database tells: of small files, and of those with a column that is nested or of another type.
    """
    if find_spec("pyarrow") is None or Path(path).stat().st_size < LEAST_BYTES:
        return None
    from pyarrow import ArrowException
    from pyarrow.parquet import read_metadata

    try:
        schema = read_metadata(path).schema
        columns = [schema.column(i) for i in range(len(schema.names))]
        told = [(column.path, _IN_SQL.get(_kind(column), "")) for column in columns]
    except (ArrowException, OSError, UnicodeDecodeError):  # the database says what is wrong with it
        return None
    return told if told and all(kind for _, kind in told) else None


def _kind(column: Any) -> tuple[str, str, str]:
    """The types of a column; none that is known where it is nested."""
    is_flat = column.path == column.name and not column.max_repetition_level and column.max_definition_level <= 1
    return (column.physical_type if is_flat else "", column.converted_type, column.logical_type.type)


@dataclass(frozen=True)
class PlainFile:
    """A file whose wanted columns, of these types in SQL, Arrow reads as the database does."""

    path: str
    wanted: Mapping[str, str]
    metadata: Any

    def parts(self) -> list[list[int]]:
        """Row groups one after another, of enough rows together to be worth a thread; each part may be read beside the others."""
        found: list[list[int]] = []
        room = 0
        for group in range(self.metadata.num_row_groups):
            if room <= 0:
                found.append([])
                room = PART
            found[-1].append(group)
            room -= self.metadata.row_group(group).num_rows
        return found

    def batches(self, groups: list[int], rows: int) -> Iterator[list[Any]]:
        """The wanted columns of row groups in their order, at most so many rows at a time."""
        total = sum(self.metadata.row_group(group).num_rows for group in groups)
        # Of about the same length, so that no short one is left at the end.
        together = max(1, -(-total // max(1, -(-total // rows))))
        held: list[Any] = []
        with _opened(self.path, self.wanted, self.metadata) as file:
            for batch in file.iter_batches(together, row_groups=groups, columns=[*self.wanted], use_threads=False):
                held.append(batch)
                # Where texts have codes, those of each row group are others, and no batch goes beyond one.
                if sum(map(len, held)) >= together:
                    yield _joined(held, self.wanted)
                    held = []
        if sum(map(len, held)):
            yield _joined(held, self.wanted)


def plain_file(path: str, wanted: Mapping[str, str]) -> PlainFile | None:
    """The file, where Arrow reads the wanted columns, of these types in SQL, as the database does; else None."""
    if (
        find_spec("pyarrow") is None
        or not TYPES.keys() >= {*wanted.values()}
        or Path(path).stat().st_size < LEAST_BYTES
    ):
        return None
    from pyarrow import ArrowException

    try:
        with _opened(path, wanted) as file:
            return PlainFile(path, wanted, file.metadata) if _is_plain(file, wanted) else None
    except (ArrowException, OSError):  # the database says what is wrong with it
        return None


def _opened(path: str, wanted: Mapping[str, str], metadata: Any = None) -> Any:
    """The open file; where its metadata is known, it is not read again."""
    from pyarrow import OSFile
    from pyarrow.parquet import ParquetFile

    texts = [name for name, kind in wanted.items() if kind == "VARCHAR"]
    return ParquetFile(OSFile(path), metadata=metadata, read_dictionary=texts, buffer_size=_FETCHED, pre_buffer=False)


def _joined(held: list[Any], wanted: Mapping[str, str]) -> list[Any]:
    """The wanted columns of batches one after another. Errors: those of Arrow, where bytes are no text."""
    from pyarrow import Table

    if len(held) == 1:
        columns = [held[0].column(name) for name in wanted]
    else:
        table = Table.from_batches(held).unify_dictionaries().combine_chunks()
        columns = [table.column(name).chunk(0) for name in wanted]
    for column, kind in zip(columns, wanted.values(), strict=True):
        if kind == "VARCHAR":
            column.dictionary.validate(full=True)
    return columns


def _is_plain(file: Any, wanted: Mapping[str, str]) -> bool:
    """Whether each wanted column is one of the file's own, neither nested nor encoded in a way that few programs know."""
    from pyarrow import Codec

    places = {file.schema.column(i).path: i for i in range(len(file.schema.names))}
    if not places.keys() >= wanted.keys():
        return False
    for group in map(file.metadata.row_group, range(file.metadata.num_row_groups)):
        for name in wanted:
            codec = group.column(places[name]).compression
            if codec != "UNCOMPRESSED" and not Codec.is_available(codec.lower()):
                return False
    return all(_is_held(file, places[name], name, kind) for name, kind in wanted.items())


def _is_held(file: Any, place: int, name: str, kind: str) -> bool:
    """Whether Arrow holds a column as the type in SQL says: flat, under its own name, and with no meaning of its own."""
    at = file.schema_arrow.get_all_field_indices(name)
    if (
        len(at) != 1
        or file.schema.column(place).max_repetition_level
        or file.schema.column(place).max_definition_level > 1
    ):
        return False
    found = str(file.schema_arrow.field(at[0]).type)
    return found == (TYPES[kind] if kind != "VARCHAR" else _TEXTS)


_TEXTS = "dictionary<values=string, indices=int32, ordered=0>"
