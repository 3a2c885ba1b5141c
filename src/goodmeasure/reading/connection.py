"""The one way to DuckDB: in bounded memory, with nothing within reach but the files that were named, and for reading only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import Any

from goodmeasure.reading.sql import Sql, literal, quoted, sql
from goodmeasure.strict.extras import needed

MEMORY = "2GB"
FRAME = quoted("frame")
_MOST_CELLS = 1 << 16  # rows of cells at a time: each is an object
# Nothing is fetched, loaded, spilled to disk, or taken from the variables of the caller's program.
_CLOSED = {
    "temp_directory": "",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "python_enable_replacements": False,
}


def database() -> Any:
    """DuckDB, which reads every table. Error: GM008."""
    return needed("duckdb", "reading tables")


class Reader:
    """A database that answers questions about the files that were named, and about a frame under the name of `FRAME`.

    What may be read could be written too, so a question is a single SELECT; a second statement is never run.
    """

    def __init__(
        self,
        paths: Sequence[str] = (),
        frame: Any = None,
        *,
        threads: int | None = 2,
        ordered: bool = True,
        memory: str = MEMORY,
    ) -> None:
        """Rows come in the order of the file if ``ordered``; no ``threads`` are as many as there are cores."""
        self._paths, self._frame = paths, frame
        self._config = _CLOSED | {"memory_limit": memory, "preserve_insertion_order": ordered}
        if threads is not None:
            self._config["threads"] = threads

    @cached_property
    def _connection(self) -> Any:
        """What is opened by the first question: many files answer all of theirs by their first line."""
        opened = database().connect(":memory:", config=self._config)
        opened.execute("SET enable_progress_bar = false")
        # Pushed into the CSV reader, a cast that may fail becomes one that must not.
        if opened.execute("SELECT 1 FROM duckdb_optimizers() WHERE name = 'type_pushdown'").fetchall():
            opened.execute("SET disabled_optimizers = 'type_pushdown'")
        opened.execute(sql("SET allowed_paths = {paths}", paths=literal(self._paths)))
        opened.execute("SET enable_external_access = false")
        opened.execute("SET lock_configuration = true")
        return opened

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        if "_connection" in vars(self):
            self._connection.close()

    def ask(self, question: Sql, values: Sequence[str] = ()) -> Any:
        """The answer to a question, to be fetched; ``values`` take the places of its question marks."""
        cursor, statement = self._prepared(question)
        return cursor.execute(statement, [*values])

    def stream(self, question: Sql, rows: int) -> Iterator[list[Any]]:
        """The columns of the answer to a question, so many rows at a time: Arrow's, or slower, without pyarrow, cells."""
        cursor, statement = self._prepared(question)
        if find_spec("pyarrow") is None:
            answer = cursor.execute(statement)
            while cells := answer.fetchmany(min(rows, _MOST_CELLS)):
                yield [*zip(*cells, strict=True)]
            return
        answer = cursor.sql(question)
        reader = answer.to_arrow_reader if hasattr(answer, "to_arrow_reader") else answer.fetch_arrow_reader
        for batch in reader(rows):
            yield batch.columns

    def _prepared(self, question: Sql) -> tuple[Any, Any]:
        """A cursor of its own for a question, and the question as the one statement that it is."""
        duckdb = database()
        if not isinstance(question, Sql):
            raise TypeError("a text is no piece of SQL")
        cursor = self._connection.cursor()
        if self._frame is not None:
            cursor.register("frame", self._frame)
        statements = cursor.extract_statements(question)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise PermissionError("only a single SELECT may be run")
        return cursor, statements[0]
