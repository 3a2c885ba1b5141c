"""The private directory of what is kept between runs: one that nobody else can write to, or none."""

from __future__ import annotations

import os
import stat
import warnings
from functools import cache
from pathlib import Path


class NotKept(UserWarning):
    """Compiled functions are not kept, so every process compiles them anew, which takes seconds."""


def directory() -> Path | None:
    """The private directory, made if need be; None where there can be none, which is said once."""
    try:
        folder = wanted()
        _make(folder)
        fault = _fault(folder)
    except OSError as error:
        fault = f"{error.filename}: {error.strerror}"
    except RuntimeError as error:  # there is no home directory
        fault = str(error)
    if fault:
        _told(fault)
        return None
    return folder


def _make(folder: Path) -> None:
    """Make a directory and what is missing above it, each of this user alone; mkdir gives parents what the umask gives."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


@cache
def _told(fault: str) -> None:
    message = (
        f"compiled functions are not kept, which costs seconds: {fault}. GOODMEASURE_CACHE_DIR=DIR names a directory"
    )
    warnings.warn(message, NotKept, stacklevel=2)


def wanted() -> Path:
    """Where that directory lies, whether it is there or not."""
    given = os.environ.get("GOODMEASURE_CACHE_DIR")
    if given:
        return Path(given) / "kernels"
    base = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if os.name == "nt" else None)
    return Path(base or "~/.cache").expanduser() / "goodmeasure" / "kernels"


def _fault(folder: Path) -> str:
    """Why a directory is not ours alone, or why somebody else could put another one in its place; empty if it is."""
    if os.name == "nt":  # a user's own profile folder is protected by its access list
        return "" if folder.is_dir() else f"{folder} is no directory"
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        return f"{folder} is not a directory of this user alone"
    for parent in folder.resolve().parents:
        status = parent.stat()
        open_to_others = status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX
        if status.st_uid not in (0, os.geteuid()) or open_to_others:
            return f"others can write to {parent}"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"{folder} cannot be written to"
