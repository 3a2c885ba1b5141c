"""On which line of a program something happens."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType

_HERE = str(Path(__file__).parent) + os.sep
_PACKAGED = f"{os.sep}site-packages{os.sep}"
# What passes a call on for a program: this package, the standard library, code without a file.
_PASSED_ON = (str(Path(__file__).parents[2]) + os.sep, str(Path(os.__file__).parent) + os.sep, "<")
_told: list[str] = []  # the lines of recorded operations that are being repeated


@contextmanager
def told(where: str) -> Iterator[None]:
    """Inside, operations stand on this line of the program: the one on which they were recorded."""
    _told.append(where)
    try:
        yield
    finally:
        _told.pop()


def user_line() -> str:
    """``file:line in function`` of the innermost frame that belongs to the program; empty where a library was called
    directly."""
    if _told:
        return _told[-1]
    frame = inspect.currentframe()
    frame = frame.f_back if frame is not None else None
    asking = frame.f_code.co_filename if frame is not None else ""
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(_HERE):
            if path not in (asking, __file__):
                return ""
        elif is_own(path):
            return f"{path}:{frame.f_lineno} in {frame.f_code.co_name}"
        frame = frame.f_back
    return ""


def user_frames() -> Iterator[FrameType]:
    """The frames that belong to the program, the innermost first."""
    frame = inspect.currentframe()
    while frame is not None:
        if is_own(frame.f_code.co_filename):
            yield frame
        frame = frame.f_back


def user_lines() -> tuple[str, ...]:
    """The lines of the program that are being run, the innermost first."""
    return tuple(f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}" for frame in user_frames())


def by_a_library() -> bool:
    """Whether a library other than torch is at work for the program, and no line of the program in between."""
    frame = inspect.currentframe()
    while frame is not None and not is_own(path := frame.f_code.co_filename):
        if _PACKAGED in path and not path.startswith((*_PASSED_ON, *_torch())):
            return True
        frame = frame.f_back
    return False


def line_of(frame: FrameType) -> str:
    """The line of the program on which it is when this frame is the innermost one."""
    inner: FrameType | None = frame
    while inner is not None:
        if is_own(inner.f_code.co_filename):
            return f"{inner.f_code.co_filename}:{inner.f_lineno} in {inner.f_code.co_name}"
        inner = inner.f_back
    return ""


@cache
def is_own(path: str) -> bool:
    """Whether a file belongs to the program; a cell of a notebook has a name in place of a file."""
    passed_on = path.startswith((_HERE, *_PASSED_ON, *_torch())) or _PACKAGED in path
    return path.startswith("<ipython-input") or not passed_on


def _torch() -> tuple[str, ...]:
    """Where torch lies, which may be beside the other packages."""
    module = sys.modules.get("torch")
    return (_folder(str(module.__file__)),) if module is not None else ()


@cache
def _folder(path: str) -> str:
    """The folder of a file, as what lies in it begins; it is asked of every module that a program has."""
    return f"{Path(path).parent}{os.sep}"
