"""Files and databases that a program opened before its training was cut: from then on it changes nothing in them either."""

from __future__ import annotations

import builtins
import io
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Refuse = Callable[[str], None]  # ends the program where its training was cut and it is about to do this
_open = io.open


class _Asks:
    """A file that asks before anything is written to it."""

    refuse: Refuse
    name: Any

    def write(self, what: Any) -> int:
        """Write, unless that ends the program."""
        type(self).refuse(f"write to {self.name}")
        written: int = super().write(what)  # type: ignore[misc]  # of the file that this is mixed into
        return written

    def truncate(self, size: int | None = None) -> int:
        """Cut the file off, unless that ends the program."""
        type(self).refuse(f"truncate {self.name}")
        left: int = super().truncate(size)  # type: ignore[misc]
        return left


class Opening:
    """What a program finds under the name ``open``: its files ask before they are written to."""

    def __init__(self, refuse: Refuse, writes: Callable[[Any, Any, Any], bool]) -> None:
        self._writes, self._refuse = writes, {"refuse": staticmethod(refuse)}

    def install(self) -> None:
        """Let everything that is opened from here on be opened here, in a process that is the program's alone."""

        def open(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if not isinstance(file, (str, bytes, os.PathLike)) or not self._writes(file, mode, 0):
                return _open(file, mode, *args, **kwargs)
            return self._asking(file, mode, *args, **kwargs)

        builtins.open = io.open = open

    def _asking(
        self,
        file: Any,
        mode: str,
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        """As Python opens a file, of kinds that ask."""
        given = buffering, encoding, errors, newline, closefd, opener
        if "b" in mode:
            if (encoding, errors, newline) != (None, None, None):
                return _open(file, mode, *given)  # which says what is wrong with that
            raw = self._kind(io.FileIO)(file, mode, closefd, opener)
            if buffering == 0:
                return raw
            size = buffering if buffering > 1 else io.DEFAULT_BUFFER_SIZE
            return self._kind(io.BufferedRandom if "+" in mode else io.BufferedWriter)(raw, size)
        if buffering == 0:
            return _open(file, mode, *given)
        inner = _open(
            file, f"{mode.replace('t', '')}b", -1 if buffering == 1 else buffering, None, None, None, closefd, opener
        )
        by_line = buffering == 1 or (buffering < 0 and inner.isatty())
        outer = self._kind(io.TextIOWrapper)(inner, encoding, errors, newline, by_line)
        outer.mode = mode
        return outer

    def _kind(self, plain: type) -> Any:
        return type(plain.__name__, (_Asks, plain), self._refuse)


# What a statement may do to a database that leaves it as it is.
_LEAVES = {
    getattr(sqlite3, name)
    for name in ("SQLITE_SELECT", "SQLITE_READ", "SQLITE_FUNCTION", "SQLITE_PRAGMA", "SQLITE_RECURSIVE")
}


def guard_databases(denies: Callable[[str], bool]) -> None:
    """From the cut on, a database that was opened refuses every statement that changes it, as one that is not allowed."""
    plain = sqlite3.connect

    def connect(database: Any, *args: Any, **kwargs: Any) -> Any:
        connection = plain(database, *args, **kwargs)
        if database not in ("", ":memory:"):
            connection.set_authorizer(_asked(database, denies))
        return connection

    sqlite3.connect = sqlite3.dbapi2.connect = connect


def _asked(database: Any, denies: Callable[[str], bool]) -> Callable[..., int]:
    def asked(action: int, first: str | None, *_: Any) -> int:
        leaves = action in _LEAVES or (action == sqlite3.SQLITE_TRANSACTION and first != "COMMIT")
        refused = not leaves and denies(f"a statement that changes {os.fsdecode(database)}")
        return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK

    return asked


_SYSTEM = Path("/proc/self")  # of Linux


def open_for_writing() -> Iterator[str]:
    """The files that this process could write to now, as the system knows them: through handles, or as memory.

    Other systems than Linux do not tell.
    """
    found = [*_handles(), *_memory()] if _SYSTEM.is_dir() else []
    yield from dict.fromkeys(
        path for path in found if path.startswith("/") and not path.startswith(("/dev/", "/memfd:"))
    )


def _handles() -> Iterator[str]:
    for entry in (_SYSTEM / "fd").iterdir():
        try:
            path, told = str(entry.readlink()), (_SYSTEM / "fdinfo" / entry.name).read_text()
        except OSError:  # the handle with which the handles are listed
            continue
        flags = int(told.partition("flags:")[2].split()[0], 8)
        if int(entry.name) > 2 and flags & (os.O_WRONLY | os.O_RDWR) and Path(path).is_file():
            yield path


def _memory() -> Iterator[str]:
    for line in (_SYSTEM / "maps").read_text().splitlines():
        _, kind, _, _, _, *path = line.split(maxsplit=5)
        if kind.startswith("rw-s") and path and Path(path[0]).is_file():
            yield path[0]
