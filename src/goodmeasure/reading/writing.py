"""Files that appear whole or not at all."""

from __future__ import annotations

import csv
import errno
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TextIO

from goodmeasure.errors import Problem, UsageError, shorter
from goodmeasure.keeping.unfinished import begin_file

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SHOWN = 60


class NotWritten(Problem, OSError):
    """Something could not be written: the disk is full, a limit was reached, or the place does not take files.

    Files are written beside their place and moved there when they are whole, so nothing half-written was left, and what
    stood there before is as it was. Free some space, or write elsewhere.
    """

    code = "GM012"


def _not_written(place: Path, error: OSError) -> NotWritten:
    """The problem of a place that does not take what should be written."""
    fix = "free some space, or write elsewhere" if error.errno in FULL else "another path"
    return NotWritten(f"{place} cannot be written", where=str(place), seen=error.strerror or str(error), fix=fix)


def folder(place: Path) -> Path:
    """A directory to write into, made where there is none. Errors: GM009 where a file stands there, GM012."""
    with _told(place):
        taken = place.exists() and not place.is_dir()
    if taken:
        raise UsageError(f"{place} is a file, not a directory", fix="--out another/place")
    with _told(place):
        place.mkdir(parents=True, exist_ok=True)
    return place


def write_whole(files: Mapping[Path, bytes], marks: Iterable[bytes]) -> None:
    """Write files so that all of them appear when the last is whole, or none does. Errors: GM009, GM012.

    Each begins with its mark, and takes the place of a file that begins so too, or that is empty: of no other.
    """
    for (place, data), mark in zip(files.items(), marks, strict=True):
        assert data.startswith(mark)
        refuse_other_kind(place, mark)
    with ExitStack() as open_until_done:
        drafts = [(open_until_done.enter_context(_Draft(place)), data) for place, data in files.items()]
        for draft, data in drafts:
            draft.file.write(data)
            draft.finish()
        for draft, _ in drafts:
            draft.appear()


def refuse_other_kind(place: Path, mark: bytes) -> None:
    """Refuse to replace a file that does not begin with this mark: it is of another kind. Errors: GM009, GM012."""
    with _told(place):
        begins = _beginning(place, len(mark)) if place.is_file() else b""
    if begins and begins != mark:
        raise UsageError(
            f"writing {place} would replace a file of another kind",
            where=str(place),
            seen=f"it begins with {_text(begins)}, not with {_text(mark)}",
            fix="write to another path",
        )


def _beginning(place: Path, count: int) -> bytes:
    with place.open("rb") as file:
        return file.read(count)


def _text(beginning: bytes) -> str:
    return shorter(beginning[:_SHOWN].decode(errors="replace"))


@contextmanager
def whole_file(place: Path) -> Iterator[TextIO]:
    """A text file to write to, which appears in its place when everything is written. Error: GM012."""
    with _Draft(place) as draft:
        text = io.TextIOWrapper(draft.file, encoding="utf-8", newline="")
        yield text
        text.flush()
        draft.finish()
        draft.appear()


class Texts(Protocol):
    """Whatever takes texts."""

    def write(self, text: str, /) -> object:
        """Take a text."""


class CsvLines:
    """Writes rows as CSV whose lines end in a line feed; a cell that holds any end of a line stands in quotes."""

    def __init__(self, file: Texts) -> None:
        self._file = file
        # Told that lines end in both, the csv module quotes cells that hold either.
        self._writer = csv.writer(self, lineterminator="\r\n")

    def write(self, line: str) -> None:
        """Take a whole line from the csv module."""
        self._file.write(f"{line.removesuffix(chr(13) + chr(10))}\n")

    def rows(self, rows: Iterable[Iterable[Any]]) -> None:
        """Write rows."""
        self._writer.writerows(rows)


def csv_line(cells: Iterable[Any]) -> str:
    """Cells as a line of CSV, without its end."""
    line = io.StringIO()
    CsvLines(line).rows([cells])
    return line.getvalue().removesuffix("\n")


class _Draft:
    """A file under another name beside its place, which goes away unless it is moved there."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __enter__(self) -> _Draft:
        with _told(self.place):
            strange = self.place.exists() and not self.place.is_file()
        if strange:  # moving a file over a device would replace it
            raise NotWritten(f"{self.place} is not an ordinary file", where=str(self.place), fix="another path")
        with _told(self.place):
            descriptor, self.temporary = begin_file(self.place.parent)
        self.file = io.BufferedWriter(_Disk(descriptor, self.place))
        return self

    def finish(self) -> None:
        """Everything is on the disk."""
        self.file.flush()
        with _told(self.place):
            os.fsync(self.file.fileno())

    def appear(self) -> None:
        """The file takes its place."""
        with _told(self.place):
            # A draft is for this user alone; a report is an ordinary file.
            self.temporary.chmod(0o666 & ~_umask())
            self.temporary.replace(self.place)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what a full disk did not take is told already
            self.file.close()
        self.temporary.unlink(missing_ok=True)


class _Disk(io.FileIO):
    """A file that tells its failures from those of whoever writes to it."""

    def __init__(self, descriptor: int, place: Path) -> None:
        super().__init__(descriptor, "w")
        self.place = place

    def write(self, data: Any) -> int:
        with _told(self.place):
            return super().write(data)


@contextmanager
def _told(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _not_written(place, error) from error


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
