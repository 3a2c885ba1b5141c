"""Files and directories that a program is at work on: locked as long as it lives, so that what a killed one left is found.

A lock goes away with the process that holds it, however it ends. So whatever bears a name of ours and is not locked was
left behind, and the next program that begins something in the same directory takes it away. Where there are no locks
(Windows, some network drives) nothing is taken away.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

NAME = ".goodmeasure-unfinished-"


def begin_file(folder: Path) -> tuple[int, Path]:
    """A new file in a directory, for this user alone and locked: its descriptor, and its path."""
    return _begin(folder, lambda: tempfile.mkstemp(dir=folder, prefix=NAME))


@contextmanager
def folder_for_now() -> Iterator[Path]:
    """A new directory for this user alone among the temporary files, which goes away with what is in it."""
    place = Path(tempfile.gettempdir())
    descriptor, path = _begin(place, _new_folder)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


def _new_folder() -> tuple[int, str]:
    name = tempfile.mkdtemp(prefix=NAME)
    # Windows opens no directories.
    return os.open(os.devnull if sys.platform == "win32" else name, os.O_RDONLY), name


def _begin(folder: Path, new: Callable[[], tuple[int, str]]) -> tuple[int, Path]:
    _sweep(folder)
    while True:
        descriptor, name = new()
        _lock(descriptor, wait=True)
        if sys.platform == "win32" or _stands(Path(name), descriptor):
            return descriptor, Path(name)
        os.close(descriptor)  # taken for left behind between the two steps


def _sweep(folder: Path) -> None:
    """Take away what killed programs of this user left in a directory."""
    if sys.platform != "win32":
        for path in [path for path in folder.iterdir() if path.name.startswith(NAME)]:
            with suppress(OSError):  # it is locked, somebody else's, or gone
                _take_away(path)


def _take_away(path: Path) -> None:
    if sys.platform == "win32" or path.lstat().st_uid != os.geteuid():
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if _lock(descriptor, wait=False) and _stands(path, descriptor):
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
    finally:
        os.close(descriptor)


def _lock(descriptor: int, *, wait: bool) -> bool:
    """Lock what is open; False if somebody else has it, or if there are no locks here."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _stands(path: Path, descriptor: int) -> bool:
    """Whether what is open still has its name."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except OSError:
        return False
