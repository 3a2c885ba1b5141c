"""Which files a source names, and where they can be read: a stream, or a file that is written strangely, is copied first."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import shlex
import shutil
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from glob import glob, has_magic
from itertools import count
from os import PathLike
from pathlib import Path
from typing import IO, Any, cast

from goodmeasure.errors import Problem, UsageError, nearest
from goodmeasure.keeping.unfinished import folder_for_now
from goodmeasure.reading import ruled, workbooks
from goodmeasure.reading.foreign import BEGINNING
from goodmeasure.reading.tables import NoSuchFile, UnreadableTable
from goodmeasure.reading.writing import FULL, NotWritten

STANDARD_INPUT = "standard input"
PARQUET = b"PAR1"
"""How a Parquet file begins."""
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_BYTE_ORDER_MARKS_OF_FOUR = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
WINDOWS = "windows-1252"
_OF_WINDOWS = re.compile(rb"[\x80-\x9f]")
DIGITS = 12
_TABLES = ("*.parquet", "*.csv", "*.csv.gz", "*")


@dataclass(frozen=True)
class Place:
    """A file under the name that its user knows, the path at which it is read, and whether its columns stand between blanks."""

    name: str
    path: str
    ruled: bool = False
    encoding: str = ""
    """What it was read in, where that is neither UTF-8 nor UTF-16 nor Latin-1."""
    original: str = ""
    """Where the bytes stand as they came, if they are read from a copy that is written otherwise."""


@dataclass(frozen=True)
class Places:
    """The files that a source names, in order, and what the source is called. There is at least one."""

    source: str
    files: tuple[Place, ...]

    @property
    def paths(self) -> list[str]:
        """The paths at which they are read."""
        return [file.path for file in self.files]

    @property
    def bytes(self) -> int:
        """How many bytes they hold."""
        return sum(Path(path).stat().st_size for path in self.paths)


def digest_of(places: Iterable[Place]) -> str:
    """The first digits of the SHA-256 of files as they came, one after the other: ``cat FILES | sha256sum``. Error: GM202."""
    found = hashlib.sha256()
    for place in places:
        with told(place.name), Path(place.original or place.path).open("rb") as file:
            hashlib.file_digest(file, lambda: found)
    return found.hexdigest()[:DIGITS]


@contextmanager
def places_of(source: str | PathLike[str] | Places) -> Iterator[Places]:
    """The files behind a path, a pattern or ``-`` (standard input), readable until the end.

    Raises:
        GM201: no file is named so
        GM008: a file is a workbook, and what reads it is not installed
        GM202: a file cannot be read, or its beginning says UTF-16 and the rest is not
    """
    if isinstance(source, Places):
        yield source
        return
    with ExitStack() as open_until_done:
        copies = _Copies(open_until_done)
        if str(source) == "-":
            spooled = copies.of(sys.stdin.buffer)
            yield Places(STANDARD_INPUT, (_readable(STANDARD_INPUT, spooled, copies),))
        else:
            yield Places(str(source), tuple(_readable(name, name, copies) for name in names_of(source)))


def is_file(path: str | PathLike[str]) -> bool:
    """Whether a file stands there; where a name is too long for any, or the way to it is barred, none does."""
    return os.path.isfile(path)  # noqa: PTH113, `Path.is_file` raises there before Python 3.14


def is_directory(path: str | PathLike[str]) -> bool:
    """Whether a directory stands there, as `is_file` says it of a file."""
    return os.path.isdir(path)  # noqa: PTH112


def names_of(source: str | PathLike[str]) -> list[str]:
    """The names of the files that a path or a pattern names, in order; nothing is opened.

    Raises:
        GM201: no file is named so
    """
    text = str(source)
    with told(text):
        return _matching(text) if has_magic(text) and not Path(text).exists() else [_file(text)]


def refuse_onto(place: str | PathLike[str], read: Iterable[str], option: str = "--out") -> None:
    """Refuse to write where a file stands that is read, under this name or another (links, standard input). Error: GM009."""
    for source in read:
        if any(_same_file(place, name) for name in ([source] if source == "-" else names_of(source))):
            raise UsageError(
                f"{option} {place} would replace a file that is read",
                where=str(place),
                seen=f"it is {STANDARD_INPUT if source == '-' else source}",
                fix=f"{option} with another path",
            )


def _same_file(place: str | PathLike[str], name: str) -> bool:
    try:
        read = os.fstat(0) if name == "-" else Path(name).stat()
        return os.path.samestat(Path(place).stat(), read)
    except (OSError, ValueError):  # one of them is not there, or standard input is no file
        return False


def _matching(pattern: str) -> list[str]:
    # Path.glob takes no pattern that begins at the root, and finds hidden files.
    found = sorted(each for each in glob(pattern, recursive=True) if Path(each).is_file())  # noqa: PTH207
    if not found:
        raise NoSuchFile(f"no file matches {pattern}", fix="check the pattern, and put it in quotes")
    return found


def _file(text: str) -> str:
    path = Path(text)
    if path.is_dir():
        raise NoSuchFile(f"{text} is a directory", fix=f"name its files: '{_files_in(path)}'")
    if not path.exists():
        raise NoSuchFile(f"there is no file {text}", fix=_neighbours(path))
    if not (path.is_file() or path.is_fifo()):
        raise NoSuchFile(f"{text} is not a file", fix="name a file, or - for standard input")
    return text


def _files_in(folder: Path) -> Path:
    """The pattern of the tables in a directory."""
    return folder / next((pattern for pattern in _TABLES if any(folder.glob(pattern))), "*.csv")


def _neighbours(path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no directory {path.parent} either"
    names = [p.name for p in path.parent.iterdir() if p.is_file()]
    close = nearest(path.name, names)
    return f"did you mean {path.parent / close[0]}?" if close else "check the path"


# --- copies ---


class _Copies:
    """Copies in a directory of their own, which is made for the first and goes away with the last."""

    def __init__(self, open_until_done: ExitStack) -> None:
        self._open, self._numbers = open_until_done, count()
        self._folder: Path | None = None

    def free(self) -> Path:
        """A path for another copy."""
        if self._folder is None:
            try:
                self._folder = self._open.enter_context(folder_for_now())
            except OSError as error:
                what = "there is no place for temporary files"
                raise NotWritten(what, seen=str(error), fix="TMPDIR=DIR names a directory") from error
        return self._folder / f"{next(self._numbers)}"

    def of(self, stream: IO[Any]) -> str:
        """The path of a copy of a stream."""
        path = self.free()
        with path.open("wb") as out:
            shutil.copyfileobj(stream, out)
        return str(path)


def _readable(name: str, path: str, copies: _Copies) -> Place:
    """Where the database can read a file: it takes no pipe, no UTF-16, no workbook, and no name that is not UTF-8."""
    with told(name):
        if Path(path).is_fifo():
            with Path(path).open("rb") as pipe:
                path = copies.of(pipe)
        if any("\ud800" <= letter <= "\udfff" for letter in path):
            link = copies.free()
            link.symlink_to(Path(path).absolute())
            path = str(link)
        original = path
        with uncompressed(path) as file:
            start = file.read(4)
        if start == PARQUET:
            return Place(name, path, original=original)
        if wide := _wide(start):
            path = _recoded(name, path, copies.free(), wide)
        if workbooks.is_workbook(path):
            copy = copies.free()
            workbooks.write_as_csv(name, path, copy)
            return Place(name, str(copy), original=original)
        if _is_of_windows(path):
            return Place(name, _recoded(name, path, copies.free(), WINDOWS), encoding=WINDOWS, original=original)
        between = ruled.copied(lambda: uncompressed(path), copies.free)
        read_at = path if between is None else str(between)
        return Place(name, read_at, ruled=between is not None, original=original)


def _wide(start: bytes) -> str:
    """The encoding in two bytes or four that the first bytes say; empty where they say none."""
    if start in _BYTE_ORDER_MARKS_OF_FOUR:
        return "utf-32"
    return "utf-16" if start[:2] in _BYTE_ORDER_MARKS else ""


def _is_of_windows(path: str) -> bool:
    """Whether a text is no UTF-8 and holds what Latin-1 has no letters for: quotes, dashes and the euro of Windows."""
    with uncompressed(path) as file:
        start = file.read(BEGINNING)
    if not _OF_WINDOWS.search(start) or b"\0" in start:
        return False
    try:
        start[:-4].decode("utf-8") if len(start) == BEGINNING else start.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _recoded(name: str, path: str, copy: Path, encoding: str) -> str:
    """The path of a copy in UTF-8 of a file in another encoding."""
    try:
        with (
            uncompressed(path) as file,
            io.TextIOWrapper(file, encoding=encoding, newline="") as wide,
            copy.open("w", encoding="utf-8", newline="") as out,
        ):
            shutil.copyfileobj(wide, out)
    except UnicodeDecodeError as error:
        raise UnreadableTable(
            f"{name} begins like {encoding.upper()}, and goes on otherwise",
            where=name,
            seen=str(error),
            fix="write it as UTF-8",
        ) from error
    return str(copy)


def is_compressed(path: str) -> bool:
    """Whether a file is compressed by gzip: its contents say so, whatever its name."""
    with Path(path).open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def uncompressed(path: str) -> IO[bytes]:
    """A file as bytes, unpacked where it is compressed."""
    return cast(IO[bytes], gzip.open(path, "rb")) if is_compressed(path) else Path(path).open("rb")


@contextmanager
def told(name: str) -> Iterator[None]:
    """What the system says of a file that it does not read, in our words."""
    try:
        yield
    except Problem:
        raise
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableTable(
            f"{name} is compressed and damaged", where=name, seen=str(error), fix="copy it again, or leave it out"
        ) from error
    except OSError as error:
        if error.errno in FULL:
            raise
        raise UnreadableTable(
            f"{name} cannot be read",
            where=name,
            seen=error.strerror or str(error),
            fix=f"ls -l {shlex.quote(name)} says whose it is",
        ) from error
