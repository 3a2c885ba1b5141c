"""The one way to DuckDB: in bounded memory, with nothing within reach but the files that were named, and for reading only."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from threading import Lock
from typing import Any

from goodmeasure.reading.sql import Sql, literal, quoted, sql
from goodmeasure.strict.extras import needed

MEMORY = "2GB"
IN_ANY_ORDER: dict[str, Any] = {"threads": None, "ordered": False, "memory": "512MB"}
"""How questions are asked whose answers do not depend on the order of rows, such as sums: in less memory, by all cores."""
FRAME = quoted("frame")
_MOST_IDLE = 16
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


class _Idle:
    """Connections that nobody asks at the moment, by what they may read and how; the longest unused is closed first."""

    def __init__(self) -> None:
        self._held: dict[Hashable, Any] = {}
        self._turn, self._ended = Lock(), False

    def taken(self, key: Hashable) -> Any:
        """One of this kind, which is then whose took it; None where there is none."""
        with self._turn:
            return self._held.pop(key, None)

    def kept(self, key: Hashable, connection: Any) -> None:
        """Keep one that was given back; one of another thread may come when all is over."""
        with self._turn:
            spare = connection if self._ended else self._held.pop(key, None)
            if not self._ended:
                self._held[key] = connection
            if spare is None and len(self._held) > _MOST_IDLE:
                spare = self._held.pop(next(iter(self._held)))
        if spare is not None:
            spare.close()

    def close(self) -> None:
        """Close all of them."""
        with self._turn:
            held, self._held, self._ended = [*self._held.values()], {}, True
        for connection in held:
            connection.close()


_keeping: list[_Idle] = []
"""Where connections are kept, the innermost last; empty where each is closed after its use."""


def _keeper() -> _Idle | None:
    """Who keeps connections now; another thread may end its own at any time."""
    return next(iter(_keeping[-1:]), None)


@contextmanager
def kept_open() -> Iterator[None]:
    """Until the end a connection that is given back answers the next question about the same files, asked in the same way.

    To open one takes longer than most questions. It may read nothing else, and holds nothing of what it read: a frame is known
    to the cursor of a question alone.
    """
    idle = _Idle()
    _keeping.append(idle)
    try:
        yield
    finally:
        _keeping.remove(idle)
        idle.close()


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
        self._paths, self._frame, self._turn = paths, frame, Lock()
        self._config = _CLOSED | {"memory_limit": memory, "preserve_insertion_order": ordered}
        if threads is not None:
            self._config["threads"] = threads

    @cached_property
    def _connection(self) -> Any:
        """What is opened by the first question: many files answer all of theirs by their first line."""
        idle = _keeper()
        kept = None if idle is None else idle.taken(self._key)
        return self._opened() if kept is None else kept

    @property
    def _key(self) -> Hashable:
        return tuple(self._paths), tuple(self._config.items())

    def _opened(self) -> Any:
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
        connection = vars(self).pop("_connection", None)
        if connection is None:
            return
        idle = _keeper()
        if idle is None:
            connection.close()
        else:
            idle.kept(self._key, connection)

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
        from pyarrow import ArrowException

        answer = cursor.sql(question)
        reader = answer.to_arrow_reader if hasattr(answer, "to_arrow_reader") else answer.fetch_arrow_reader
        try:
            for batch in reader(rows):
                yield batch.columns
        except (ArrowException, OSError) as error:  # as which Arrow passes on what stopped the database on its way
            raise database().IOException(str(error)) from error

    def _prepared(self, question: Sql) -> tuple[Any, Any]:
        """A cursor of its own for a question, and the question as the one statement that it is."""
        duckdb = database()
        if not isinstance(question, Sql):
            raise TypeError("a text is no piece of SQL")
        with self._turn:  # several threads may ask the first question
            cursor = self._connection.cursor()
        if self._frame is not None:
            cursor.register("frame", self._frame)
        statements = cursor.extract_statements(question)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise PermissionError("only a single SELECT may be run")
        return cursor, statements[0]
